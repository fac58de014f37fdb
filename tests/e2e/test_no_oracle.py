"""Row B10: whoever compares the answers of the token desk learns nothing of who is a customer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Daemon, Site, wait_until
from tests.e2e.strangers import (
    STATES,
    Ask,
    Watch,
    answers,
    asks,
    at_the_form,
    compare,
    house,
)

#: Milliseconds between two medians: what B10 allows, over 5,000 requests. Over a few a busy machine
#: alone makes more of a difference.
APART, APART_OVER_FEW = 5.0, 20.0


@pytest.fixture
def site(tmp_path: Path, full: bool) -> Iterator[Site]:
    made = house(Site(tmp_path), 5000 if full else 100)
    yield made
    made.end()


@pytest.mark.slow
def test_nobody_can_tell_from_an_answer_what_exists(site: Site, full: bool) -> None:
    count, apart = (5000, APART) if full else (100, APART_OVER_FEW)
    requests = list(asks(count, seed=10))
    with Watch(site.relay[1]) as watch, Daemon(site):
        found = answers(site, watch, requests)
        told = {(ask.named, truth(ask)) for ask in requests if ask.exists}
        assert {state for state, _ in told} == set(STATES)
        wait_until(lambda: all(to in watch.came for _, to in told), 30, "the truth is told")
        finding = compare(found)
        form = at_the_form(site, list(asks(min(count, 1000), seed=11)))
    assert (finding.texts, finding.shapes, finding.sizes) == (1, 1, 1)
    assert finding.counts == {1}
    assert max(finding.gaps.values()) <= apart, finding.medians
    one, other = form.values()
    assert abs(one - other) <= apart, form


def truth(ask: Ask) -> str:
    """To whom the truth about a request goes: the registered address, or the manager's."""
    domain = ask.mail.content.decode().partition("jan@")[2].partition("\r\n")[0]
    return f"{'szef' if ask.named == 'revoked' else 'jan'}@{domain}"

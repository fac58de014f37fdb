"""A real Postfix in front, as docs/postfix.md configures it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import program
from tests.e2e.browser import code_in, confirm
from tests.e2e.mails import ordinary
from tests.e2e.milter import Milter
from tests.e2e.oracle import compare, kept, undecided
from tests.e2e.postfix import Postfix
from tests.e2e.sender import Sender
from tests.e2e.sink import Caught, Sink
from tests.e2e.site import DESK, MAIN, Daemon, Site, wait_until

pytestmark = [pytest.mark.server("postfix"), pytest.mark.slow]

PROVEN, UNPROVEN = MAIN.format(1), MAIN.format(2)
FORGED = "Authentication-Results: mx.firma.example; dmarc=pass header.from=klient2.example"


@pytest.fixture
def milter() -> Iterator[Milter]:
    with Milter("mx.firma.example", frozenset({PROVEN.partition("@")[2]})) as running:
        yield running


def swaks(port: int, author: str, subject: str, *more: str) -> None:
    tool = program("swaks")
    assert tool is not None
    result = subprocess.run(
        [tool, "--server", f"127.0.0.1:{port}", "--from", author, "--to", DESK,
         "--header", f"Subject: {subject}", "--body", "Proszę o zmianę hasła.", *more],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout


def story(site: Site, sink: Sink, nexthop: str, milter: Milter) -> None:
    """Two customers ask by mail, read what they get, and confirm; one has to type the code."""
    with Daemon(site), Postfix(nexthop, milter_port=milter.port) as postfix:
        swaks(postfix.port, PROVEN, "Hasło do poczty")
        (clicked,) = sink.wait_for(PROVEN)
        assert code_in(clicked) is None, "a proven domain needs a single click"
        assert "autoryzowan" in confirm(clicked)
        swaks(postfix.port, UNPROVEN, "Hasło do panelu", "--add-header", FORGED)
        (typed,) = sink.wait_for(UNPROVEN)
        assert code_in(typed) is not None, "a forged Authentication-Results was believed"
        assert standing(site, 2) == "pending"
        assert "autoryzowan" in confirm(typed)
        for number, mail in ((1, clicked), (2, typed)):
            wait_until(lambda: standing(site, number) == "authorized", 10, "authorized")  # noqa: B023 - called at once
            (shown,) = site.rows("tickets", "show", str(number))
            assert shown["token"] in str(mail.message["Subject"])
            assert shown["messages"][-1]["verdict"] == "authorized"
            assert shown["messages"][-1]["rule"] == "confirmed-by-contact"
        assert len(postfix.lines("status=sent")) == 2
        assert received(sink, PROVEN) == ["pl-link", "pl-received"]


def standing(site: Site, number: int) -> str:
    (shown,) = site.rows("tickets", "show", str(number))
    return str(shown["standing"])


def received(sink: Sink, recipient: str) -> list[str]:
    """What a person got, in order: mail with a link, or without."""

    def kind(mail: Caught) -> str:
        return "pl-link" if "/c/" in mail.text else "pl-received"

    return [kind(mail) for mail in sink.wait_for(recipient, count=2)]


@pytest.mark.server("swaks")
@pytest.mark.server("chromium")
def test_a_mail_is_authorized_by_a_click_in_a_browser_on_sqlite(
    site: Site, sink: Sink, milter: Milter
) -> None:
    story(site, sink, f"inet:127.0.0.1:{site.lmtp[1]}", milter)


@pytest.mark.server("swaks")
@pytest.mark.server("chromium")
@pytest.mark.server("postgres")
def test_a_mail_is_authorized_by_a_click_in_a_browser_on_postgresql(
    site_on_postgres: Site, milter: Milter
) -> None:
    site = site_on_postgres
    with Sink(site.relay[1]) as sink:
        story(site, sink, f"inet:127.0.0.1:{site.lmtp[1]}", milter)


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """A folder as systemd/mailgate.tmpfiles makes it: what is made in it is Postfix's to open."""
    folder = Path(tempfile.mkdtemp(prefix="mailgate-run-"))
    shutil.chown(folder, group="postfix")
    folder.chmod(0o2750)
    yield folder
    shutil.rmtree(folder)


def test_postfix_may_open_the_unix_socket_and_nobody_else(
    site: Site, sink: Sink, socket_folder: Path
) -> None:
    path = socket_folder / "lmtp.sock"
    site.configure(intake={"lmtp": [f"unix:{path}", f"127.0.0.1:{site.lmtp[1]}"]})
    with Daemon(site), Postfix(f"unix:{path}") as postfix:
        assert (path.stat().st_mode & 0o777, path.group()) == (0o660, "postfix")
        sender = Sender([ordinary(1)], ("127.0.0.1", postfix.port), lmtp=False, connections=1)
        assert sender.start().wait(20)
        postfix.wait_for("status=sent", 1, 20)
        wait_until(lambda: not undecided(kept(site.database)), 20, "it is decided")
    assert [item.key for item in kept(site.database)] == [ordinary(1).key]


def test_a_thousand_mails_for_three_recipients_each_are_sent_once(
    site: Site, sink: Sink, full: bool
) -> None:
    """Promise R11: one reply for each recipient, none lost, none twice."""
    count = 1000 if full else 150
    addresses = (DESK, "biuro@firma.example", "support@firma.example")
    site.configure(
        desks={"support": {"addresses": list(addresses), "tag": "Firma.example"}},
    )
    nexthop = f"inet:127.0.0.1:{site.lmtp[1]}"
    whole_domain = f"transport_maps = inline:{{ {{ firma.example = mailgate:{nexthop} }} }}\n"
    mails = [ordinary(n, recipients=addresses) for n in range(count)]
    with Daemon(site), Postfix(nexthop, main=whole_domain) as postfix:
        sender = Sender(mails, ("127.0.0.1", postfix.port), lmtp=False).start()
        assert sender.wait(120), sender.log
        postfix.wait_for("status=sent", 3 * count, 240)
        wait_until(lambda: not undecided(kept(site.database)), 240, "all are decided")
        assert len(postfix.lines("status=sent")) == 3 * count
        assert postfix.lines("sent more than once") == []
        assert postfix.lines("status=(deferred|bounced)") == []
    items = kept(site.database)
    assert len(items) == len({item.key for item in items}) == count


def test_mail_waits_in_postfix_while_mailgate_is_killed(site: Site, sink: Sink, full: bool) -> None:
    """Promise R2, with the real thing as the sender."""
    count = 400 if full else 100
    mails = [ordinary(n) for n in range(count)]
    nexthop = f"inet:127.0.0.1:{site.lmtp[1]}"
    daemon = Daemon(site)
    daemon.wait_ready()
    # Postfix puts a destination aside for a minute when it does not answer; here it must not.
    patient = "destination_concurrency_failed_cohort_limit = 1000\n"
    with Postfix(nexthop, main=patient) as postfix:
        sender = Sender(mails, ("127.0.0.1", postfix.port), lmtp=False, connections=4).start()
        for part in (0.2, 0.5, 0.8):
            wait_until(lambda: len(kept(site.database)) >= count * part, 60, "some are in")  # noqa: B023 - called at once
            daemon.kill()
            time.sleep(0.3)
            daemon = Daemon(site)
            daemon.wait_ready()
        assert sender.wait(60)
        postfix.wait_for("status=sent", count, 120)
        wait_until(lambda: not undecided(kept(site.database)), 120, "all are decided")
        daemon.stop()
        assert postfix.lines("status=bounced") == []
    items = kept(site.database)
    assert sorted(item.key for item in items) == sorted(mail.key for mail in mails)
    assert compare([], sender.log, site.database).duplicated == []

"""What the token desk gives away to who compares its answers: texts, header fields, time (B10).

    python -m bench oracle [--count 5000]

A running house answers requests of registered and unregistered authors, one at a time and mixed at
random, about accounts and addresses that exist and that do not. Nobody asks or is named twice.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.site import Daemon, Site
from tests.e2e.strangers import Watch, answers, asks, at_the_form, compare, house

COUNT, AT_THE_FORM, SEED = 5000, 1000, 10


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench oracle")
    parser.add_argument("--count", type=int, default=COUNT)
    count = parser.parse_args(options).count
    with TemporaryDirectory(prefix="mailgate-oracle-") as folder:
        site = house(Site(Path(folder)), count)
        try:
            with Watch(site.relay[1]) as watch, Daemon(site):
                _report(site, watch, count)
        finally:
            site.end()


def _report(site: Site, watch: Watch, count: int) -> None:
    began = time.monotonic()
    finding = compare(answers(site, watch, list(asks(count, SEED))))
    print(f"{count} requests by mail in {time.monotonic() - began:.0f} s, {watch.count()} mails")
    print(
        f"differing texts {finding.texts - 1}, header fields {finding.shapes - 1},"
        f" sizes {finding.sizes - 1}; mails to an author: {sorted(finding.counts)}"
    )
    _print(finding.medians, finding.gaps)
    form = at_the_form(site, list(asks(min(count, AT_THE_FORM), SEED + 1)))
    print("the open form, from the request to the page")
    one, other = form.values()
    _print(form, {"both": abs(one - other)})


def _print(medians: dict[str, float], gaps: dict[str, float]) -> None:
    for name, value in medians.items():
        print(f"  {name:36} {value:8.2f} ms (median)")
    for name, value in gaps.items():
        print(f"  {name}: {value:.2f} ms apart")

"""`mailgate privacy purge`: it says what goes, takes it only with --yes, and explains a stop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailgate.cli.main import cli
from mailgate.clock import now, random
from mailgate.store import Store
from mailgate.store.retention import FEW
from mailgate.tokens.keys import Keys
from tests.store.builders import DAY, HOUR, make_store
from tests.store.crowd import Past, enter
from tests.store.test_people_cli import CONFIG

Run = Callable[..., Result]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "mailgate.yaml").write_text(CONFIG.format(folder=tmp_path), "utf-8")
    Keys.generate(random).save(tmp_path / "keys")
    made = make_store(tmp_path)
    yield made
    made.close()


@pytest.fixture
def run(tmp_path: Path, store: Store) -> Run:
    def command(*arguments: str) -> Result:
        words = ["--config", str(tmp_path / "mailgate.yaml"), "privacy", "purge", *arguments]
        return CliRunner().invoke(cli, words)

    return command


def old(store: Store, count: int, ago: timedelta = 200 * DAY) -> datetime:
    closed = now() - ago
    enter(store, [Past(n, (closed - HOUR,), closed) for n in range(1, count + 1)])
    return closed


def left(store: Store) -> int:
    return len(store.views.tickets(limit=1000))


@pytest.mark.parametrize("arguments", [(), ("--force",), ("--yes", "--dry-run")])
def test_it_does_nothing_before_it_is_told_whether_to_do_it(
    run: Run, store: Store, arguments: tuple[str, ...]
) -> None:
    old(store, 1)
    result = run(*arguments)
    assert result.exit_code == 2
    assert "--dry-run" in result.output
    assert "--yes" in result.output
    assert left(store) == 1


def test_a_dry_run_shows_what_goes_and_since_when_and_removes_nothing(
    run: Run, store: Store
) -> None:
    closed = old(store, 3)
    result = run("--dry-run")
    assert result.exit_code == 0, result.output
    assert "closed tickets" in result.output
    assert closed.strftime("%Y-%m-%d") in result.output
    assert left(store) == 3


def test_with_yes_it_goes_and_the_audit_log_says_who_did_it(run: Run, store: Store) -> None:
    old(store, 3)
    result = run("--yes", "--who", "kasia")
    assert result.exit_code == 0, result.output
    assert left(store) == 0
    assert store.audit.entries(who="kasia").rows[0].what == "retention-purged"
    assert "nothing is due" in run("--yes").output


def test_for_scripts_it_is_one_line_of_json(run: Run, store: Store) -> None:
    old(store, 2)
    said = json.loads(run("--dry-run", "--json").output)
    assert (said["dry_run"], said["stopped"], said["removed"]["ticket"]) == (True, "", 2)
    (line,) = said["due"]
    assert (line["table"], line["data"], line["count"]) == ("ticket", "correspondence", 2)
    assert json.loads(run("--yes", "--json").output)["removed"] == said["removed"]


def test_what_is_kept_is_counted(run: Run, store: Store) -> None:
    old(store, 2)
    store.privacy_holds.hold("a claim", "kasia", now(), ticket=1)
    assert "kept: 1 by a hold" in run("--yes").output
    assert left(store) == 1


def test_too_large_a_share_is_explained_and_goes_with_force(run: Run, store: Store) -> None:
    old(store, FEW + 1)
    tried = run("--dry-run")
    assert tried.exit_code == 0
    assert "privacy.largest_share" in tried.stderr
    stopped = run("--yes")
    assert stopped.exit_code == 1
    assert "nothing was removed" in stopped.stderr
    assert "--force" in stopped.stderr
    assert left(store) == FEW + 1
    assert run("--yes", "--force").exit_code == 0
    assert left(store) == 0


def test_a_run_by_hand_settles_why_the_daemon_stopped(run: Run, store: Store) -> None:
    old(store, FEW + 1)
    at = now() - HOUR
    assert store.duties.take("purge", HOUR, at)
    store.duties.done("purge", "stopped: share", at, at + DAY)
    run("--dry-run", "--force")
    run("--yes")
    assert store.duties.all()[0].note == "stopped: share"
    assert run("--yes", "--force").exit_code == 0
    (state,) = store.duties.all()
    assert state.note == f"removed {FEW + 1} tickets"
    assert state.last_at is not None
    assert state.last_at > at


def test_after_the_clock_jumped_a_person_is_asked_about_it_once(run: Run, store: Store) -> None:
    old(store, 1)
    store.duties.see(now() - 30 * DAY)
    stopped = run("--yes", "--json")
    assert stopped.exit_code == 1
    assert "clock" in stopped.stderr
    assert left(store) == 1
    assert run("--yes", "--force").exit_code == 0
    assert left(store) == 0
    assert run("--yes").exit_code == 0

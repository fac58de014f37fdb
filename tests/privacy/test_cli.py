"""The words `mailgate privacy …` of the command line, over a real database."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailgate.cli.main import cli
from mailgate.clock import now
from mailgate.store import Store
from tests.conftest import ROOT
from tests.privacy.house import ANNA, EWA, JAN
from tests.store.builders import claimed as claim
from tests.store.builders import decide, entry, make_store
from tests.world import KEYS

CONFIG = f"""\
base_url: https://support.desk.example/
database: sqlite:///{{folder}}/mailgate.db
keys: keys
rules: {ROOT}/config/rules.yaml
desks: {{{{support: {{{{addresses: [pomoc@desk.example], tag: Desk}}}}}}}}
outbound: {{{{hostname: gate.desk.example}}}}
"""

Run = Callable[..., Result]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "mailgate.yaml").write_text(CONFIG.format(folder=tmp_path), "utf-8")
    KEYS.save(tmp_path / "keys")
    made = make_store(tmp_path)
    baker = entry("1001", [(ANNA, "main"), (JAN, "technical")])
    made.directory.import_entries([baker, entry("1002", [(EWA, "main")])], now())
    item = claim(made, "Proszę.", sender=JAN)
    (jan,) = made.persons.contacts(JAN)
    decide(made, item, "authorized", contact=jan, author=JAN)
    yield made
    made.close()


@pytest.fixture
def run(tmp_path: Path, store: Store) -> Run:
    def command(*arguments: str) -> Result:
        where = ["--config", str(tmp_path / "mailgate.yaml"), "privacy"]
        return CliRunner().invoke(cli, [*where, *arguments, "--who", "kasia"])

    return command


def test_an_export_is_a_zip_that_its_owner_alone_can_read(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "jan.zip"
    result = run("export", JAN, str(file), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["messages"] == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "person.json" in zipfile.ZipFile(file).namelist()


def test_an_export_overwrites_nothing_and_says_so(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "jan.zip"
    file.write_bytes(b"mine")
    result = run("export", JAN, str(file))
    assert result.exit_code == 2
    assert "File exists" in result.output
    assert file.read_bytes() == b"mine"


def test_nobody_is_nobody(run: Run, tmp_path: Path) -> None:
    result = run("export", "nikt@nigdzie.example", str(tmp_path / "x.zip"))
    assert result.exit_code == 1
    assert "nothing is kept about nikt@nigdzie.example" in result.output


def test_a_dry_run_of_an_erasure_says_what_would_go_and_does_nothing(
    run: Run, store: Store
) -> None:
    result = run("erase", JAN, "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["removed"]["message"] == 1
    assert store.persons.known(JAN)["messages"] == 1


def test_an_erasure_prints_its_receipt(run: Run, store: Store) -> None:
    result = run("erase", JAN, "--yes", "--why", "prosi o to")
    assert result.exit_code == 0, result.output
    assert "message" in result.output
    assert "evidence for claims" in result.output
    assert "messages" not in store.persons.known(JAN)


def test_an_erasure_waits_for_a_hold_and_says_so(run: Run, store: Store) -> None:
    assert run("hold", JAN, "--ground", "spór sądowy").exit_code == 0
    result = run("erase", JAN, "--yes", "--why", "prosi o to")
    assert result.exit_code == 1
    assert "a hold stands" in result.output
    assert store.persons.known(JAN)["messages"] == 1
    assert "spór sądowy" in run("hold").output
    assert run("hold", "--lift", "1", "--why", "ugoda").exit_code == 0
    assert run("hold", "--lift", "1", "--why", "ugoda").exit_code == 1


def test_an_account_that_the_request_does_not_name_is_refused(
    run: Run, store: Store, tmp_path: Path
) -> None:
    of_all = store.privacy_requests.file("erase", JAN, "", "kasia", now())
    wide = run(
        "erase", JAN, "--yes", "--why", "x", "--request", str(of_all.id), "--account", "1001"
    )
    assert wide.exit_code == 1
    assert "no --account" in wide.output
    assert store.persons.contacts(JAN)
    of_one = store.privacy_requests.file("access", JAN, "", JAN, now(), account_id="1001")
    file = tmp_path / "jan.zip"
    copy = run("export", JAN, str(file), "--request", str(of_one.id))
    assert copy.exit_code == 1
    assert "--account 1001" in copy.output
    assert not file.exists()


def test_what_an_erasure_needs_is_asked_for(run: Run) -> None:
    assert "--dry-run to look, or --yes" in run("erase", JAN).output
    assert "say --why" in run("erase", JAN, "--yes").output
    assert (
        "there is no request 77"
        in run("erase", JAN, "--yes", "--why", "x", "--request", "77").output
    )


def test_a_hold_is_on_one_thing_and_has_a_ground(run: Run) -> None:
    assert "say one of them" in run("hold", JAN, "--ticket", "1", "--ground", "x").output
    assert "say --ground" in run("hold", JAN).output
    assert "there is no account 9" in run("hold", "--account", "9", "--ground", "x").output


def test_a_name_is_put_right_and_an_unknown_field_is_refused(run: Run, store: Store) -> None:
    result = run("rectify", JAN, "--set", "name=Jan Kowal", "--why", "pomyłka")
    assert "→ Jan Kowal" in result.output
    assert store.persons.contacts(JAN)[0].name == "Jan Kowal"
    assert "say name=" in run("rectify", JAN, "--set", "role=main", "--why", "x").output
    assert (
        "the languages are pl and en"
        in run("rectify", JAN, "--set", "language=de", "--why", "x").output
    )
    taken = run("rectify", JAN, "--set", f"address={ANNA}", "--why", "x")
    assert "has this address" in taken.output


def test_a_restriction_is_placed_listed_and_lifted(run: Run) -> None:
    assert "only stored from now on" in run("restrict", JAN, "--why", "prosi").output
    assert JAN in run("restrict").output
    assert "is used again" in run("restrict", JAN, "--lift", "--why", "prosi").output
    assert run("restrict", JAN, "--lift", "--why", "prosi").exit_code == 1


def test_requests_are_filed_listed_and_answered(tmp_path: Path, run: Run, store: Store) -> None:
    assert "to be answered by" in run("requests", "file", "access", JAN).output
    listed = CliRunner().invoke(
        cli, ["--config", str(tmp_path / "mailgate.yaml"), "privacy", "requests", "--json"]
    )
    assert json.loads(listed.output)["kind"] == "access"
    assert "done" in run("requests", "answer", "1", "--outcome", "Wysłaliśmy je.").output
    assert "answered already" in run("requests", "answer", "1", "--outcome", "x").output
    notices = [row.notice.template for row in store.views.outbox(("waiting",))]
    assert notices == ["privacy-answered"]

"""The words `staff`, `tokens` and `audit` of the command line, over a real database."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailgate.cli.main import cli
from mailgate.clock import now, random
from mailgate.outbound.render import render
from mailgate.outbound.templates import Templates
from mailgate.settings import load
from mailgate.store import Store
from mailgate.tokens import access
from mailgate.tokens.keys import Keys
from mailgate.tokens.password import Passwords
from tests.conftest import ROOT
from tests.store.builders import entry, make_store

ANNA, SHARED = "anna@piekarnia.example", "biuro@rachunkowe.example"

CONFIG = f"""\
base_url: https://support.desk.example/
database: sqlite:///{{folder}}/mailgate.db
keys: keys
rules: {ROOT}/config/rules.yaml
desks:
  support: {{{{addresses: [pomoc@desk.example], tag: Desk}}}}
  tokens: {{{{addresses: [tokens@desk.example], tag: DeskT, purpose: tokens}}}}
outbound: {{{{hostname: gate.desk.example}}}}
"""

Run = Callable[..., Result]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "mailgate.yaml").write_text(CONFIG.format(folder=tmp_path), "utf-8")
    Keys.generate(random).save(tmp_path / "keys")
    made = make_store(tmp_path)
    entries = [
        entry("1001", [(ANNA, "main"), (SHARED, "technical")]),
        entry("1002", [("ewa@kwiaciarnia.example", "main"), (SHARED, "technical")]),
    ]
    made.directory.import_entries(entries, now())
    yield made
    made.close()


@pytest.fixture
def run(tmp_path: Path, store: Store) -> Run:
    def command(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["--config", str(tmp_path / "mailgate.yaml"), *arguments])

    return command


# --- staff ----------------------------------------------------------------------------------------


def test_a_password_is_printed_once_and_kept_as_a_hash(run: Run, store: Store) -> None:
    result = run("staff", "add", "kasia", "--name", "Kasia", "--role", "admin", "--by", "root")
    assert result.exit_code == 0, result.output
    words = re.search(r"password: +(\S+)", result.output)
    assert words
    assert "otpauth://totp/support.desk.example:kasia" in result.output
    found = store.staff.find("kasia")
    assert found is not None
    assert Passwords(random).matches(words[1], found.password_hash)
    assert words[1] not in store.file.read_bytes().decode("latin-1")  # type: ignore[union-attr] # SQLite
    again = run("staff", "add", "kasia", "--name", "Kasia")
    assert (again.exit_code, again.output) == (1, "Error: kasia is there already\n")
    assert run("staff", "add", "K@sia", "--name", "Kasia").exit_code == 1


def test_staff_are_listed_and_shut_out(run: Run, store: Store) -> None:
    for login in ("kasia", "jan"):
        run("staff", "add", login, "--name", login, "--role", "admin")
    result = run("staff", "disable", "kasia", "--why", "left")
    assert (result.exit_code, result.output) == (0, "kasia is disabled\n")
    assert run("staff", "disable", "kasia", "--why", "left").exit_code == 1
    last = run("staff", "disable", "jan", "--why", "left")
    assert "last admin" in last.output
    listed = [json.loads(line) for line in run("staff", "list", "--json").output.splitlines()]
    assert [(s["login"], s["disabled_at"] is None) for s in listed] == [
        ("kasia", False),
        ("jan", True),
    ]
    assert "password" not in listed[0]
    assert "kasia" in run("staff", "list").output


def test_a_new_password_takes_the_place_of_the_old(run: Run, store: Store) -> None:
    run("staff", "add", "kasia", "--name", "Kasia")
    before = store.staff.find("kasia")
    result = run("staff", "password", "kasia")
    after = store.staff.find("kasia")
    assert before is not None
    assert after is not None
    assert before.password_hash != after.password_hash
    assert Passwords(random).matches(result.output.split()[-1], after.password_hash)
    assert run("staff", "password", "nobody").exit_code == 1


# --- access tokens --------------------------------------------------------------------------------


def test_a_token_is_good_for_what_was_asked_or_for_what_the_settings_say(
    run: Run, store: Store
) -> None:
    run("tokens", "issue", ANNA)
    run("tokens", "issue", ANNA, "--scope", "tickets:write")
    scopes = [token.scopes for token in store.access_tokens.of_account("1001")]
    assert scopes == [("tickets:write",), ("panel", "tickets:read")]


def test_no_token_is_issued_to_who_may_not_sign_in(run: Run, store: Store) -> None:
    (shared,) = [c for c in store.lookup.contacts(SHARED) if c.account_id == "1001"]
    store.edits.set_contact(
        "1001", shared.id, name="", role="technical", language=None, signs_in=False,
        who="kasia", now=now(),
    )  # fmt: skip
    result = run("tokens", "issue", SHARED, "--account", "1001")
    assert (result.exit_code, result.output) == (1, f"Error: {SHARED} may not sign in\n")


def test_an_import_mails_a_token_to_every_contact_that_is_new(
    run: Run, store: Store, tmp_path: Path
) -> None:
    jan = {"address": "jan@webdesign.example", "role": "technical"}
    anna = {"address": ANNA, "role": "main"}
    account = {"id": "1001", "company": "Piekarnia", "language": "pl", "contacts": [anna, jan]}
    file = str(tmp_path / "new.yaml")
    (tmp_path / "new.yaml").write_text(json.dumps({"accounts": [account]}), "utf-8")
    assert "tokens" not in run("directory", "import", file, "--dry-run", "--issue-tokens").output
    result = run("directory", "import", file, "--issue-tokens", "--by", "kasia")
    assert "tokens: 1 mailed" in result.output, result.output
    assert [row.notice.to for row in store.views.outbox()] == ["jan@webdesign.example"]
    assert run("directory", "import", file, "--issue-tokens").output.endswith("tokens: 0 mailed\n")


def test_a_token_is_issued_by_mail_and_shown_nowhere(
    run: Run, store: Store, tmp_path: Path
) -> None:
    result = run("tokens", "issue", ANNA, "--by", "kasia")
    assert result.exit_code == 0, result.output
    assert "mgt-" not in result.output
    (row,) = store.views.outbox()
    settings, keys = load(tmp_path / "mailgate.yaml"), Keys.load(tmp_path / "keys")
    mail = render(row.notice, settings, keys, Templates.load(None))
    (token,) = mail.secrets
    assert token in mail.text
    found = store.access_tokens.use(access.sha256(token), now())
    assert found is not None
    assert found[1].address == ANNA
    listed = [
        json.loads(line) for line in run("tokens", "list", "1001", "--json").output.splitlines()
    ]
    assert [(t["address"], t["issued_by"]) for t in listed] == [(ANNA, "kasia")]
    shown = run("tokens", "show", str(found[0].id)).output
    assert ANNA in shown
    assert token not in shown + run("tokens", "list", "1001").output
    revoked = run("tokens", "revoke", str(found[0].id), "--why", "lost")
    assert revoked.exit_code == 0
    assert store.access_tokens.use(access.sha256(token), now()) is None
    assert run("tokens", "revoke", str(found[0].id), "--why", "lost").exit_code == 1
    assert run("tokens", "show", "99").exit_code == 1


def test_a_token_is_for_one_contact_of_one_account(run: Run) -> None:
    unclear = run("tokens", "issue", SHARED)
    assert (unclear.exit_code, "1001, 1002" in unclear.output) == (2, True)
    assert run("tokens", "issue", SHARED, "--account", "1002").exit_code == 0
    assert run("tokens", "issue", SHARED, "--account", "9999").exit_code == 1
    assert run("tokens", "issue", "nobody@x.example").exit_code == 1


def test_limits_hold_for_tokens_too(run: Run) -> None:
    results = [run("tokens", "issue", ANNA).exit_code for _ in range(4)]
    assert results == [0, 0, 0, 1]


# --- audit ----------------------------------------------------------------------------------------


def test_the_record_of_acts_is_listed_and_verified(run: Run, store: Store) -> None:
    run("staff", "add", "kasia", "--name", "Kasia", "--by", "root")
    run("tokens", "issue", ANNA, "--by", "kasia")
    result = run("audit", "verify")
    assert result.exit_code == 0
    assert result.output.startswith("2 entries, unbroken; the last is 2 ")
    assert "token-issued" in run("audit", "list", "--who", "kasia").output
    lines = run("audit", "list", "--subject", "staff:kasia", "--json").output.splitlines()
    assert [json.loads(line)["what"] for line in lines] == ["staff-added"]
    with store.database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_never_changed")
        connection.exec_driver_sql("UPDATE audit SET who = 'jan' WHERE id = 2")
    broken = run("audit", "verify")
    assert (broken.exit_code, broken.output) == (1, "Error: entry 2: it is not what was written\n")


def test_a_request_by_phone_goes_to_the_token_desk(run: Run, store: Store) -> None:
    result = run("tokens", "request", ANNA, "--account", "1001", "--why", "never got one")
    assert result.exit_code == 0, result.output
    (row,) = store.views.queue()
    assert (row.queue_id, row.desk, row.channel) == (result.output.strip(), "tokens", "form")
    (item,) = store.queue.items([row.queue_id])
    assert b"Numer konta: 1001" in item.content


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["anna", "--account", "1001", "--why", "x"], "is no address"),
        ([ANNA, "--why", "x"], "say --company or --account"),
        ([ANNA, "--account", "1001"], "Missing option '--why'"),
    ],
)
def test_a_request_that_lacks_something_is_refused(
    run: Run, arguments: list[str], says: str
) -> None:
    result = run("tokens", "request", *arguments)
    assert result.exit_code == 2
    assert says in result.output

"""`mailgate inspect`: the contract's object, a table for people, many messages at once."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailgate.cli.main import cli
from tests.message.mails import mail, multipart, part, rooted

CONTENT = rooted(
    multipart(
        "mixed",
        part("Content-Type: text/plain", body="Prosze.\r\n"),
        part("Content-Type: application/zip; name=a.zip", body="zip"),
    ),
    "To: Pomoc <pomoc@firma.example>",
    "Subject: Pytanie [IQ.pl#7:1be837cbaa33d1c9254c]",
    "Date: Mon, 16 Nov 2026 10:00:00 +0100",
    "Message-ID: <1@klient.example>",
    "References: <0@klient.example>",
)
KEYS = """file message_id subject from sender reply_to to cc author date in_reply_to references text
    reply_text attachments automatic automatic_reason bounce ticket_tokens defects size sha256"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["inspect", *map(str, arguments)])


def test_a_message_becomes_the_object_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "x.eml"
    path.write_bytes(CONTENT)
    result = run(path, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert list(found) == KEYS.split()
    assert found["file"] == str(path)
    assert found["from"] == [{"name": "Jan Kowalski", "address": "jan@klient.example"}]
    assert found["author"] == "jan@klient.example"
    assert found["date"] == "2026-11-16T10:00:00+01:00"
    assert found["message_id"] == "1@klient.example"
    assert found["references"] == ["0@klient.example"]
    assert found["in_reply_to"] == []
    assert found["text"].strip() == found["reply_text"].strip() == "Prosze."
    assert [(a["filename"], a["content_type"], a["size"]) for a in found["attachments"]] == [
        ("a.zip", "application/zip", 3)
    ]
    assert found["ticket_tokens"] == [
        {"tag": "IQ.pl", "number": 7, "code": "1be837cbaa33d1c9254c", "field": "subject"}
    ]
    assert (found["bounce"], found["automatic"], found["defects"]) == (None, "no", [])
    assert (found["size"], len(found["sha256"])) == (len(CONTENT), 64)


def test_a_person_gets_a_table(tmp_path: Path) -> None:
    path = tmp_path / "x.eml"
    path.write_bytes(CONTENT)
    result = run(path)
    assert result.exit_code == 0
    for shown in ("Jan Kowalski <jan@klient.example>", "a.zip", "[IQ.pl#7:1be837", "Prosze."):
        assert shown in result.stdout
    assert "bounce" not in result.stdout, "what is empty is not shown"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_many_messages_come_in_order_from_any_number_of_processes(
    tmp_path: Path, jobs: str
) -> None:
    for number in range(40):
        (tmp_path / f"{number:02}.eml").write_bytes(mail(f"Subject: {number}"))
    result = run(tmp_path, "--json", "-j", jobs)
    assert [json.loads(line)["subject"] for line in result.stdout.splitlines()] == [
        str(n) for n in range(40)
    ]


def test_a_path_that_cannot_be_read_is_wrong_usage(tmp_path: Path) -> None:
    result = run(tmp_path / "nothing.eml", "--json")
    assert result.exit_code == 2
    assert "nothing.eml: no such file" in result.stderr


def test_an_unreadable_file_in_a_folder_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.eml").symlink_to(tmp_path / "gone")
    (tmp_path / "b.eml").write_bytes(CONTENT)
    result = run(tmp_path, "--json")
    assert result.exit_code == 2
    assert "a.eml" in result.stderr
    assert len(result.stdout.splitlines()) == 1


def test_a_message_that_cannot_be_parsed_is_no_error_of_the_program(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(range(256)))
    result = run(path, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["defects"]


def test_a_reader_that_goes_away_ends_the_run(tmp_path: Path) -> None:
    from mailgate.lab.each import each

    results = each(str, iter(range(10_000)), jobs=2)
    assert isinstance(results, Generator)
    assert next(results) == "0"
    results.close()  # as when `| head` has seen enough: this must come back

"""A word put wherever a mail has room for it: an export has it all, after erasure it is nowhere.

The mails come in through real SMTP; staff answer with a quotation; the token desk is asked too.
"""

from __future__ import annotations

import base64
import email
import email.policy
import json
import tempfile
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import psycopg
import pytest
from psycopg import sql

from mailgate import logs
from tests.postgres import Cluster
from tests.privacy.house import EWA, JAN, SHOP, House, make_house
from tests.world import DESK, TOKENS, running

#: Words that are in no dictionary, template or address of the tests.
MARK, OTHER = "zebrofinka7391", "ptasznik8264"
FILE = f"raport {MARK}, którego nikt inny nie ma"


def mail(sender: str, mark: str, to: str = DESK, text: str = "") -> bytes:
    """A mail that has the word in every place."""
    made = EmailMessage()
    made["From"] = f"Jan <{sender}>"
    made["To"] = to
    made["Cc"] = f"{mark.title()} Nowak <{mark}@gdzie.example>"
    made["Subject"] = f"Sprawa {mark} dla {SHOP}"
    made["Date"] = "Mon, 16 Nov 2026 10:21:05 +0000"
    made["Message-ID"] = f"<{to.partition('@')[0]}.{sender}>"
    made.set_content(text or f"Proszę, w treści {mark} i nic więcej.\n")
    content = f"raport {mark}, którego nikt inny nie ma".encode()
    made.add_attachment(content, maintype="text", subtype="csv", filename=f"plik-{mark}.csv")
    octets = made.as_bytes(policy=email.policy.SMTP)
    domain = sender.rpartition("@")[2]
    proof = f"Authentication-Results: mx.desk.example; dmarc=pass header.from={domain}\r\n"
    return proof.encode() + octets


def correspond(house: House) -> None:
    """Two customers write, staff answer one of them and quote, the token desk is asked."""
    asks = (
        f"Firma: Piekarnia Anna Nowak\nNumer konta: 1001\nAdres: {JAN}\n"
        f"Wyjaśnienie: jestem nowy, {MARK}\n"
    )
    with running(house.world) as world:
        first = world.send(mail(JAN, MARK), JAN)
        world.send(mail(JAN, MARK, TOKENS, asks), JAN, [TOKENS])
        world.send(mail(EWA, OTHER), EWA)
        world.work()
    view = house.store.views.message(first)
    assert view is not None
    assert view.ticket is not None
    house.answer(view.ticket, f"> w treści {MARK}\n\nJuż zrobione, {MARK}.")


def everything(zipped: ZipFile) -> Iterator[str]:
    """Every text in the zip, mails taken apart as a mail program does."""
    for name in zipped.namelist():
        octets = zipped.read(name)
        if not name.endswith(".eml"):
            yield octets.decode()
            continue
        read = email.message_from_bytes(octets, policy=email.policy.default)
        yield from (f"{field}: {value}" for field, value in read.items())
        for part in read.walk():
            if not part.is_multipart():
                yield f"{part.get_filename()}"
                content: Any = part.get_payload(decode=True)
                yield content.decode()


def needles() -> list[bytes]:
    """The word as it may stand in a file, the attachment in base64 among them."""
    coded = base64.b64encode(FILE.encode())[:40]
    return [MARK.encode(), MARK.title().encode(), MARK.encode("utf-16-le"), coded]


def found_in(folder: Path) -> list[str]:
    hits = []
    for path in folder.rglob("*"):
        if path.is_file():
            octets = path.read_bytes()
            hits += [f"{path.name}: {needle!r}" for needle in needles() if needle in octets]
    return hits


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of this test alone: the database's, and the one for temporary files."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def assert_export_is_whole_and_nobody_elses(house: House) -> None:
    zipped = house.export(JAN)
    texts = list(everything(zipped))
    for place in (
        f"Sprawa {MARK}", f"w treści {MARK}", f"plik-{MARK}.csv", FILE, f"{MARK.title()} Nowak",
        f"{MARK}@gdzie.example", f"jestem nowy, {MARK}", f"Już zrobione, {MARK}",
    ):  # fmt: skip
        assert any(place in text for text in texts), place
    assert not [text for text in texts if OTHER in text or EWA in text]
    person = json.loads(zipped.read("person.json"))
    assert len(person["messages"]) == 2


def test_a_word_is_all_in_the_export_and_nowhere_after_erasure(
    rooms: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("debug", "json")
    house = make_house(rooms)
    correspond(house)
    house.export(JAN).close()
    assert_export_is_whole_and_nobody_elses(house)
    assert found_in(rooms), "the word must have been there"

    house.erase(JAN)

    assert found_in(rooms) == [], "with the database open: file, -wal, -shm, temporary files"
    house.store.close()
    assert found_in(rooms) == []
    said = capfd.readouterr()
    assert MARK not in said.out + said.err
    assert OTHER.encode() in (rooms / "mailgate.db").read_bytes(), "the other customer's stays"


@pytest.mark.server("postgres")
def test_in_postgresql_it_is_in_no_table_and_after_a_vacuum_in_no_file(
    rooms: Path, pg: Cluster
) -> None:
    url = pg.new_database()
    house = make_house(rooms, url)
    correspond(house)
    assert_export_is_whole_and_nobody_elses(house)
    assert tables_with(url)

    house.erase(JAN)
    house.store.close()

    assert tables_with(url) == []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM FULL")
        connection.execute("CHECKPOINT")
        (place,) = connection.execute(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        ).fetchone() or (0,)
    assert found_in(pg.data / "base" / str(place)) == []
    assert found_in(rooms) == []
    assert list((rooms / "tmp").iterdir()) == []


def tables_with(url: str) -> list[str]:
    """Tables in which some row has the word, whatever the column is."""
    hits = []
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        for (name,) in names:
            query = sql.SQL("SELECT count(*) FROM {} AS t WHERE lower(t::text) LIKE ANY(%s)")
            wanted = [f"%{MARK}%", f"%{MARK.encode().hex()}%", f"%{needles()[3].hex()}%"]
            (count,) = connection.execute(
                query.format(sql.Identifier(name)), [wanted]
            ).fetchone() or (0,)
            hits += [name] * bool(count)
    return hits

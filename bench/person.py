"""One person's export and erasure: 10,000 messages and as many mails of ours (promises G3, G5).

    python -m bench person [--count 10000] [--database URL]

One message of each of two customers is taken through the house; the rest are copies of their rows.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from sqlalchemy import Connection, Table, func, insert, select

from mailgate.store import tables
from mailgate.store.people_tables import search
from tests.privacy.house import ANNA, EWA, House, make_house

COUNT, AT_ONCE, ON_A_TICKET = 10_000, 500, 3
_HANGING = (tables.message, tables.decision, tables.named, tables.outbox, search)


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench person")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--database", help="an empty database; SQLite in a folder by default")
    asked = parser.parse_args(options)
    with TemporaryDirectory(prefix="mailgate-person-") as folder:
        house = make_house(Path(folder), asked.database)
        for address in (ANNA, EWA):
            fill(house, house.write(address, "słowo " * 200).queue_id, asked.count)
        _report(house, Path(folder) / "anna.zip")
        house.store.close()


def _report(house: House, path: Path) -> None:
    counted = house.rows(
        select(func.count()).select_from(tables.message).where(tables.message.c.author == ANNA)
    )[0][0]
    with path.open("xb") as out:
        took = _timed(lambda: house.desk.pack(out, ANNA, None, house.now))
    with ZipFile(path) as zipped:
        names = zipped.namelist()
        mails = [name for name in names if name.startswith("messages/")]
        foreign = sum(EWA.encode() in zipped.read(name) for name in names)
    print(
        f"export: {took:.1f} s, {len(mails)} of {counted} messages, {foreign} of another customer"
    )
    took = _timed(lambda: house.erase(ANNA))
    left = house.rows(select(func.count()).select_from(tables.message))[0][0]
    print(f"erasure: {took:.1f} s; {left} messages of the other customer stay")


def _timed(what: Callable[[], object]) -> float:
    began = time.monotonic()
    what()
    return time.monotonic() - began


def fill(house: House, queue_id: str, count: int) -> None:
    """Copies of one message with all that hangs on it, a few to a ticket."""
    with house.store.database.reading() as connection:
        made = _read(connection, queue_id)
    for begin in range(1, count, AT_ONCE):
        with house.store.database.writing() as connection:
            for number in range(begin, min(begin + AT_ONCE, count)):
                _copy(connection, made, queue_id, number)


def _read(connection: Connection, queue_id: str) -> dict[Table, list[dict[str, Any]]]:
    def rows(table: Table, which: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in connection.execute(select(table).where(which)).mappings()]

    made = {table: rows(table, table.c.queue_id == queue_id) for table in _HANGING}
    made[tables.item] = rows(tables.item, tables.item.c.queue_id == queue_id)
    digest, number = made[tables.item][0]["sha256"], made[tables.message][0]["ticket"]
    made[tables.content] = rows(tables.content, tables.content.c.sha256 == digest)
    made[tables.ticket] = rows(tables.ticket, tables.ticket.c.number == number)
    return made


def _copy(
    connection: Connection, made: dict[Table, list[dict[str, Any]]], like: str, number: int
) -> None:
    new = f"{like[:10]}{number:08d}"
    octets = made[tables.content][0]["octets"] + f"{number}\r\n".encode()
    digest = sha256(octets).hexdigest()
    ticket = made[tables.ticket][0]["number"] * 1_000_000 + number // ON_A_TICKET
    content = {"sha256": digest, "size": len(octets), "octets": octets}
    item = {**made[tables.item][0], "queue_id": new, "dedup_key": digest, "sha256": digest}
    connection.execute(insert(tables.content), content)
    connection.execute(insert(tables.item), item)
    if number == 1 or number % ON_A_TICKET == 0:
        connection.execute(insert(tables.ticket), {**made[tables.ticket][0], "number": ticket})
    for table in _HANGING:
        for row in made[table]:
            values = {**row, "queue_id": new}
            values.pop("id", None)
            if "ticket" in values:
                values["ticket"] = ticket
            if table is tables.outbox:
                values["id"] = f"N{new}{row['id'][:4]}"
            connection.execute(insert(table), values)

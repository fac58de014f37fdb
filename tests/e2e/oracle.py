"""The oracle: holds what senders were told against what the database has."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import create_engine, text

from tests.e2e.sender import Log, Mail

_MESSAGE_ID = re.compile(rb"(?im)^Message-ID:\s*<([^>\r\n]+)>")


@dataclass(frozen=True)
class Finding:
    """What is wrong, each kind on its own; all empty where everything is as promised."""

    lost: list[str] = field(default_factory=list)
    """Acknowledged with 250, and not there."""
    duplicated: list[str] = field(default_factory=list)
    """More than one item for one queue entry of the sender."""
    damaged: list[str] = field(default_factory=list)
    """There, with other octets than were sent."""
    other_id: list[str] = field(default_factory=list)
    """Acknowledged with a queue id that is not the item's."""
    undecided: list[str] = field(default_factory=list)
    """Neither done nor parked for a person, or without a verdict."""
    never_acked: list[str] = field(default_factory=list)
    """There, and the sender was never told; no fault by itself where the sender gave up."""

    @property
    def faults(self) -> dict[str, list[str]]:
        kinds = ("lost", "duplicated", "damaged", "other_id", "undecided")
        return {kind: found for kind in kinds if (found := getattr(self, kind))}


@dataclass(frozen=True)
class Kept:
    """One item of the database."""

    key: str
    queue_id: str
    sha256: str
    state: str
    verdict: str | None


def kept(database: str) -> list[Kept]:
    """Every item, by the Message-ID in its octets; read past all of mailgate's own code."""
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    query = text(
        "SELECT item.queue_id, content.octets, item.state, message.verdict FROM item"
        " JOIN content ON content.sha256 = item.sha256"
        " LEFT JOIN message ON message.queue_id = item.queue_id"
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    engine.dispose()
    items = []
    for queue_id, octets, state, verdict in rows:
        content = bytes(octets)
        match = _MESSAGE_ID.search(content)
        key = match[1].decode() if match else "?"
        items.append(Kept(key, queue_id, hashlib.sha256(content).hexdigest(), state, verdict))
    return items


def compare(mails: Iterable[Mail], log: Log, database: str) -> Finding:
    sent = {mail.key: hashlib.sha256(mail.content).hexdigest() for mail in mails}
    items = kept(database)
    by_key = {item.key: item for item in items}
    count = Counter(item.key for item in items)
    return Finding(
        lost=[key for key in log.acked if key not in by_key],
        duplicated=[key for key, number in count.items() if number > 1],
        damaged=[i.key for i in items if sent.get(i.key, i.sha256) != i.sha256],
        other_id=[
            k for k, ids in log.acked.items() if k in by_key and {by_key[k].queue_id} != set(ids)
        ],
        undecided=undecided(items),
        never_acked=[key for key in by_key if key in sent and key not in log.acked],
    )


def undecided(items: Iterable[Kept]) -> list[str]:
    return [i.key for i in items if i.state not in {"done", "hold"} or i.verdict is None]

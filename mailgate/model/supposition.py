"""What somebody supposes before anyone changes anything, and what would follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mailgate.model.decision import Decision
from mailgate.model.directory import Contact
from mailgate.model.people import StaffWord

Answer = Literal["confirmed", "denied"]


@dataclass(frozen=True, slots=True)
class Supposition:
    """What is not so, and is to be taken for so.

    Shares are pairs (contact id, service id). `contacts` are added to the directory; their ids are
    negative, so that they are nobody's. `answers` and `words` are given for queue ids: what the
    contact said of the message, and what staff say of it.
    """

    given: frozenset[tuple[int, int]] = frozenset()
    taken: frozenset[tuple[int, int]] = frozenset()
    contacts: tuple[Contact, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    words: Mapping[str, StaffWord] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any((self.given, self.taken, self.contacts, self.answers, self.words))


@dataclass(frozen=True, slots=True)
class Consequence:
    """One message judged twice by today's rules: as things stand, and as they are supposed."""

    queue_id: str
    author: str | None
    subject: str
    before: Decision
    after: Decision

    @property
    def changed(self) -> bool:
        return (self.before.verdict, self.before.rule) != (self.after.verdict, self.after.rule)

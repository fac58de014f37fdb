"""What if: messages judged as if a share, a contact or an answer were there; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from mailgate.model.addresses import same_address
from mailgate.model.directory import Contact
from mailgate.model.item import Item
from mailgate.model.outcome import Outcome
from mailgate.model.people import StaffWord
from mailgate.model.ports import Lookup
from mailgate.model.supposition import Consequence, Supposition
from mailgate.model.ticket import LinkState
from mailgate.process import Bench, judge
from mailgate.rules.nearest import Miss, nearest

#: Messages in memory at one time.
_AT_ONCE = 10


class Supposing:
    """A look-up that answers as if the supposition were so; all else it asks of the real one.

    `contact_id` is who gave the supposed answer.
    """

    def __init__(self, real: Lookup, supposed: Supposition, contact_id: int | None = None) -> None:
        self._real = real
        self._supposed = supposed
        self._contact_id = contact_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)  # whatever else is asked, today or in a later version

    def contacts(self, address: str) -> list[Contact]:
        added = [c for c in self._supposed.contacts if same_address(c.address, address)]
        known = self._real.contacts(address)
        return known + [c for c in added if all(c.account_id != k.account_id for k in known)]

    def shared_services(self, contact_id: int) -> frozenset[int]:
        given = {s for c, s in self._supposed.given if c == contact_id}
        taken = {s for c, s in self._supposed.taken if c == contact_id}
        return (self._real.shared_services(contact_id) | given) - taken

    def confirmation(self, queue_id: str, content_sha256: str) -> tuple[LinkState, int] | None:
        answer = self._supposed.answers.get(queue_id)
        if answer is None or self._contact_id is None:
            return self._real.confirmation(queue_id, content_sha256)
        return answer, self._contact_id

    def staff_says(self, queue_id: str) -> tuple[StaffWord, str] | None:
        word = self._supposed.words.get(queue_id)
        return (word, "supposed") if word else self._real.staff_says(queue_id)


@dataclass(frozen=True)
class WhatIf:
    """Judges by the function that production uses (`process.judge`); writes and sends nothing."""

    lookup: Lookup
    items: Callable[[Sequence[str]], Iterable[Item]]
    """The queued messages of these ids with their content, in any order; unknown ids left out."""
    bench: Callable[[], Bench]
    """The rules in force when it is asked."""

    def misses(self, queue_id: str) -> tuple[Miss, ...]:
        """What would have given this message a better verdict, by today's rules."""
        bench = self.bench()
        for item in self.items([queue_id]):
            return nearest(bench.policy, judge(item, self.lookup, bench).facts)
        return ()

    def suppose(self, queue_ids: Sequence[str], supposed: Supposition) -> list[Consequence]:
        """Each message judged as things stand and as they are supposed, in the order asked for."""
        bench = self.bench()
        return [self._judge(item, supposed, bench) for item in self._in_order(queue_ids)]

    def _in_order(self, queue_ids: Sequence[str]) -> Iterator[Item]:
        """A few at a time: each may be as large as a mail."""
        for start in range(0, len(queue_ids), _AT_ONCE):
            some = queue_ids[start : start + _AT_ONCE]
            found = {item.queue_id: item for item in self.items(some)}
            yield from (found[queue_id] for queue_id in some if queue_id in found)

    def _judge(self, item: Item, supposed: Supposition, bench: Bench) -> Consequence:
        before = judge(item, self.lookup, bench)
        after = self._supposedly(item, supposed, bench)
        head = before.message.head
        author = head.author if item.channel == "email" else item.entered_by
        return Consequence(item.queue_id, author, head.subject, before.decision, after.decision)

    def _supposedly(self, item: Item, supposed: Supposition, bench: Bench) -> Outcome:
        """An answer counts from the contact that the message is taken to be from, so that one is
        found first, with all the rest supposed."""
        unanswered = cast("Lookup", Supposing(self.lookup, replace(supposed, answers={})))
        outcome = judge(item, unanswered, bench)
        contact = outcome.case.contact
        if item.queue_id not in supposed.answers or contact is None:
            return outcome
        return judge(item, cast("Lookup", Supposing(self.lookup, supposed, contact.id)), bench)

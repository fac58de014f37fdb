"""The seams between pages, command line and store for what the law gives a person (row A12).

Whoever acts is named by `who`: a contact by their address, staff by their login. Every act writes
a row of the audit log in the same transaction. An address counts in any spelling: case and U-label
or A-label make no difference (promise G6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from mailgate.model.directory import Contact, Language
from mailgate.model.item import QueueState
from mailgate.model.notice import Notice
from mailgate.model.people import Change
from mailgate.model.privacy import (
    Correction,
    Hold,
    PrivacyRequest,
    Removal,
    RequestKind,
    RequestState,
    Restriction,
)
from mailgate.model.views import Page

Answered = Callable[[PrivacyRequest], Notice | None]
"""Compose the mail that tells a person what became of their request; pure. Called inside the
transaction with the request as it is then; None where nobody is to be told."""
Told = Callable[[Change], Sequence[Notice]]
"""Compose the mails to the old and the new address; pure. Called inside the transaction."""


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests; None asks for any. `undone` are those nobody has answered yet."""

    kind: RequestKind | None = None
    state: RequestState | None = None
    undone: bool | None = None
    address: str | None = None
    contact_id: int | None = None


ANY_REQUEST = RequestFilter()


class RequestStore(Protocol):
    """What people ask about their data, and until when it must be answered (GDPR Art. 12(3))."""

    def file(
        self,
        kind: RequestKind,
        address: str,
        text: str,
        filed_by: str,
        now: datetime,
        *,
        contact_id: int | None = None,
        account_id: str | None = None,
    ) -> PrivacyRequest:
        """Keep a request: `due_at` follows from privacy.answer_within.

        Raises `Refused("too-many")` where a contact has five that nobody answered yet; a login of
        staff may file as many as come in.
        """

    def all(
        self, wanted: RequestFilter = ANY_REQUEST, *, after: str | None = None, limit: int = 50
    ) -> Page[PrivacyRequest]:
        """The newest first; with `undone` the one that is due first. Raises `BadCursor`."""

    def get(self, request_id: int) -> PrivacyRequest | None: ...

    def close(
        self,
        request_id: int,
        state: Literal["done", "refused"],
        outcome: str,
        who: str,
        now: datetime,
        answer: Answered,
    ) -> PrivacyRequest | None:
        """Answer a request; `outcome` is told to the person. None where it is answered already.

        A refusal says why (GDPR Art. 12(4)): raises `Refused("say-why")` for an empty `outcome`.
        Raises `Refused("too-many")` where the limits leave no room for the mail: nothing is done.
        """

    def alert_due(self, now: datetime) -> list[PrivacyRequest]:
        """Requests that nobody answered within privacy.alert_after; each is given once."""

    def overdue(self, now: datetime) -> list[PrivacyRequest]:
        """Requests that are late for an alert or for their deadline, whoever was told of it."""


class HoldStore(Protocol):
    """What must be kept, and what may only be stored."""

    def hold(
        self,
        ground: str,
        who: str,
        now: datetime,
        *,
        address: str | None = None,
        ticket: int | None = None,
        account_id: str | None = None,
    ) -> Hold:
        """Keep all that concerns an address, a ticket or an account: exactly one of them
        (GDPR Art. 17(3)(e)). Raises `Refused("not-found")` for a ticket or an account that is not
        there."""

    def lift_hold(self, hold_id: int, who: str, why: str, now: datetime) -> bool: ...

    def holds(self, *, lifted: bool = False) -> list[Hold]:
        """Those that stand, the newest first; with `lifted` all there ever were."""

    def holds_on(self, address: str, account_id: str | None = None) -> list[Hold]:
        """Those that keep something of this person: their address, a ticket that they wrote on, an
        account they belong to. With `account_id` what they are in that account alone."""

    def restrict(self, address: str, why: str, who: str, now: datetime) -> Restriction:
        """From now on the person's data is stored and not used (GDPR Art. 18(2)). Gives the one
        that stands already, where there is one."""

    def lift_restriction(self, address: str, why: str, who: str, now: datetime) -> bool:
        """Messages that were held for it are decided again. False where nothing stands."""

    def restrictions(self, *, lifted: bool = False) -> list[Restriction]: ...

    def restricted(self, address: str) -> Restriction | None: ...


class CorrectionStore(Protocol):
    """Rectification (GDPR Art. 16): the directory is put right, and what stood there is kept."""

    def rectify(
        self,
        contact_id: int,
        who: str,
        why: str,
        now: datetime,
        *,
        name: str | None = None,
        language: Language | None = None,
        address: str | None = None,
        note: str = "",
        told: Told | None = None,
    ) -> list[Correction]:
        """One row for everything that was another before; `note` is kept as the person's
        supplementary statement. No verdict of before changes.

        A new address ends tokens and sessions of the old one, and `told` says so to both. Raises
        `Refused`: "not-found", "address-taken", "bad-address".
        """

    def corrections(self, contact_id: int) -> list[Correction]: ...


@dataclass(frozen=True, slots=True)
class PersonMessage:
    """A message that a person wrote, or that staff entered for them. `decided` is None while
    nobody has judged it."""

    queue_id: str
    received_at: datetime
    state: QueueState
    octets: bytes
    about: Mapping[str, Any]
    """Subject, verdict, reason codes, ticket: what becomes an entry of person.json."""
    disowned: bool = False
    """They said that they did not write it: somebody else wrote it in their name."""


class PersonStore(Protocol):
    """All that is known of one person (GDPR Art. 15 and 20)."""

    def known(self, address: str, account_id: str | None = None) -> Mapping[str, int]:
        """How much there is, by kind: contacts, messages, sent, mentions, tokens…; for a page that
        says what an export would hold. Empty where there is nothing."""

    def contacts(self, address: str, account_id: str | None = None) -> list[Contact]: ...

    def facts(self, address: str, account_id: str | None = None) -> Mapping[str, Any]:
        """Everything but mail, as it goes into person.json: never a secret, never a hash of one."""

    def messages(self, address: str, account_id: str | None = None) -> Iterator[PersonMessage]:
        """Oldest first, a few at a time."""

    def sent(self, address: str, account_id: str | None = None) -> Iterator[Notice]:
        """Mails of ours to this person, oldest first."""

    def mentions(self, address: str, account_id: str | None = None) -> Iterator[Mapping[str, Any]]:
        """Messages of others that name the person: when and on which ticket, no word of them."""


class ErasureStore(Protocol):
    """Erasure (GDPR Art. 17): approved once, done in small steps, safe to be killed between them.

    What is approved is a request of the kind `erase` in the state `waiting`: the daemon goes on
    with it where a run was cut short, and once the last hold has ended (promise G5).
    """

    def plan(self, address: str, account_id: str | None = None, *, ends: bool = False) -> Removal:
        """What an erasure would remove and what it would keep, and why; nothing is changed.

        `ends` says that the contract has ended: only then a main contact is taken out of the
        directory too.
        """

    def approve(
        self, request_id: int, who: str, why: str, now: datetime, *, ends: bool = False
    ) -> PrivacyRequest | None:
        """Let a request be carried out. None where it is answered, or asks for something else."""

    def run(self, request_id: int, now: datetime, answer: Answered) -> Removal:
        """Carry out what was approved, as far as holds allow, and close the request once nothing
        is left; `stopped` is "hold" or "restricted" where it has to wait."""

    def pending(self) -> list[int]:
        """Requests that are approved and not done, the oldest first: what the daemon goes on with
        at least daily."""

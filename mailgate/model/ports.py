"""The narrow seams between the rooms and the store; `mailgate.store` implements them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mailgate.model.confirmation import Confirmation
from mailgate.model.directory import Account, Contact, Service
from mailgate.model.envelope import Channel
from mailgate.model.item import Admission, Admitted, Enclosure, Item
from mailgate.model.notice import OutboxRow
from mailgate.model.outcome import Compose, Outcome
from mailgate.model.people import AccessToken, StaffWord
from mailgate.model.ticket import Link, LinkState, Ticket
from mailgate.model.token_request import TokenHistory


class IntakeStore(Protocol):
    def admit(self, batch: Sequence[Admission]) -> list[Admitted]:
        """Commit all of the batch, or raise; a known `dedup_key` gives the id it came in with."""


class Enter(Protocol):
    """The door that is a form: makes one admission of it, yet to be committed."""

    def __call__(
        self,
        *,
        desk: str,
        channel: Channel,
        account_id: str,
        entered_by: str,
        subject: str,
        text: str,
        token: str = "",
        files: Sequence[Enclosure] = (),
        once: str = "",
    ) -> Admission:
        """Raises `ValueError` where the subject is not one line."""


class Lookup(Protocol):
    """Everything that gathering may ask. Only reads."""

    def contacts(self, address: str) -> list[Contact]:
        """Contacts of every account with this address; no case, domain as A-label."""

    def account(self, account_id: str) -> Account | None: ...

    def main_contact(self, account_id: str) -> Contact | None:
        """The main contact of the account; an account has one at most."""

    def services(self, account_id: str) -> list[Service]: ...

    def shared_services(self, contact_id: int) -> frozenset[int]:
        """Ids of the services shared with this contact."""

    def ticket(self, number: int) -> Ticket | None: ...

    def ticket_of(self, queue_id: str) -> int | None:
        """The ticket this message was put on by an earlier decision."""

    def told(self, ticket: int, contact_id: int) -> bool:
        """Whether a mail of ours carried this ticket's code to this contact, or he opened it."""

    def named_in_accepted(self, ticket: int, address: str) -> bool:
        """Whether an authorized message of this ticket named the address in To or Cc."""

    def confirmation(self, queue_id: str, content_sha256: str) -> tuple[LinkState, int] | None:
        """Decided link of this very content: its state (confirmed or denied) and the contact."""

    def authorized_before(self, message_id: str, queue_id: str) -> bool:
        """Whether another message with this Message-ID was authorized (promise M15)."""

    def signatures_seen(self, digests: Sequence[str], queue_id: str) -> bool:
        """Whether another message that was authorized bore one of these signatures (M15)."""

    def wrong_codes(self, ticket: int, address: str, since: datetime) -> tuple[int, int]:
        """Messages with a wrong code since then: for this ticket, and from this address."""

    def denied_since(self, ticket: int, contact_id: int, since: datetime) -> bool:
        """Whether this contact disowned a message of this ticket since then (promise L14)."""

    def staff_says(self, queue_id: str) -> tuple[StaffWord, str] | None:
        """What staff said of this message last, and who."""

    def access_token(self, contact_id: int) -> AccessToken | None:
        """The newest token of a contact, whatever became of it."""

    def token_bounced(self, contact_id: int) -> bool:
        """Whether the mail with the contact's newest token came back."""

    def token_issued(self, queue_id: str) -> bool:
        """Whether this very message has had its token issued."""

    def token_history(self, ticket: int, queue_id: str, author: str) -> TokenHistory:
        """What the earlier messages of a ticket of the token desk were."""

    def restricted(self, address: str) -> bool:
        """Whether the data of this person is stored only (GDPR Art. 18)."""

    def outbox_row(self, notice_id: str) -> OutboxRow | None: ...


class WorkQueue(Protocol):
    def claim(self, worker: str, now: datetime) -> Item | None:
        """Take the oldest item that is due; the attempt is committed before this returns."""

    def apply(self, outcome: Outcome, compose: Compose, now: datetime) -> Ticket | None:
        """Write the outcome in one transaction; gives the ticket the message is on now.

        Raises `StaleClaim` where the item is no longer this worker's.
        """

    def defer(self, item: Item, error: str, until: datetime) -> None: ...

    def hold(self, item: Item, error: str) -> None:
        """Park the item with its octets and the verdict `held`: a person must look."""

    def release(self, worker_prefix: str) -> int:
        """Give back what workers of this prefix, known to be dead, had claimed."""


class LinkStore(Protocol):
    def find(self, token_sha256: str) -> Link | None: ...

    def decide(self, token_sha256: str, state: LinkState, now: datetime) -> bool:
        """Settle an open, unexpired link and queue its message again, in one transaction.

        False where it was not open any more: exactly one of many callers gets True (promise L5).
        """

    def count_try(self, token_sha256: str) -> int:
        """Count one code that was typed, before it is looked at; gives the tries so far.

        Counting first means that many guesses at once are no more guesses than one by one.
        """

    def request_new(self, token_sha256: str, now: datetime) -> bool:
        """Supersede a link nobody has decided (it expired, or its tries are used up) and queue
        its message again, so that a fresh link goes to the same registered address.

        False, and nothing done, where it is decided or superseded already, or where the limits
        leave no room for another mail.
        """


class ConfirmView(Protocol):
    def confirmation(self, token_sha256: str) -> Confirmation | None: ...


class OutboxStore(Protocol):
    def claim_due(self, now: datetime, limit: int) -> list[OutboxRow]: ...

    def next_due(self, now: datetime) -> datetime | None:
        """When the next mail is due that is not due yet."""

    def sent(self, notice_id: str, reply: str, now: datetime) -> None: ...

    def retry(self, notice_id: str, reply: str, at: datetime) -> None: ...

    def failed(self, notice_id: str, reply: str, now: datetime) -> None: ...

    def reset_active(self) -> int:
        """Put back what was being sent when the process died; at-least-once, same Message-ID."""


class StaleClaim(Exception):
    """The item was given to another worker, or decided, since it was claimed."""


class StoreUnusable(Exception):
    """The database cannot be used: not reachable, or its schema is not this program's."""


class StorageError(Exception):
    """The database could not do it: locked, gone, broken. Nothing of the transaction is kept."""


class StorageFull(StorageError):
    """No room left on the database's disk; intake answers 452 rather than 451."""

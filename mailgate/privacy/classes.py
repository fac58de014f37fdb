"""Which columns of the database hold personal data, of which class, and how long each is kept.

The purge removes whole rows, so a row goes with the class that stands first in its table. `none`
are columns that say nothing about anybody: they steer the machine and go with their row. The tests
hold this list against the schema and against docs/privacy.md: a column without a class fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

DataClass = Literal[
    "none", "correspondence", "claims", "security", "contract", "staff", "request", "short"
]


@dataclass(frozen=True, slots=True)
class Kept:
    """How long a class is kept: `windows` are settings of mailgate.yaml that say it, `since` says
    from which moment they count, or what ends the keeping where no setting does."""

    windows: tuple[str, ...]
    since: str


WINDOWS: Mapping[DataClass, Kept] = MappingProxyType(
    {
        "none": Kept((), "no personal data"),
        "correspondence": Kept(
            ("privacy.correspondence",),
            "from the end of the communication: the ticket is closed, and nothing written since",
        ),
        "claims": Kept(("privacy.claims",), "from the same end of the communication"),
        "security": Kept(("privacy.security",), "from the entry, or from the end of what it tells"),
        "contract": Kept((), "as long as the directory names the person: the contract ends it"),
        "staff": Kept((), "as long as the audit log tells of what they did"),
        "request": Kept(("privacy.security",), "from the answer, or from the day it was lifted"),
        "short": Kept(
            ("web.session.absolute", "links.life"),
            "hours to days: gone once it opens nothing any more",
        ),
    }
)

#: Table by table, the class that the row goes with first.
COLUMNS: Mapping[str, Mapping[DataClass, str]] = MappingProxyType(
    {
        "content": {"correspondence": "sha256 size octets"},
        "item": {
            "correspondence": "queue_id dedup_key sha256 reverse_path recipients received_at client"
            " helo entered_by account_id last_error",
            "none": "desk channel protocol tls state due_at attempts claim revision claimed_by"
            " claimed_at",
        },
        "account": {"contract": "id company language updated_at"},
        "contact": {
            "contract": "id account_id address address_key role name language signs_in",
        },
        "service": {"contract": "id account_id identifier name"},
        "share": {"contract": "contact_id service_id"},
        "ticket": {
            "correspondence": "number subject state standing language account_id service_id"
            " opener_id created_at updated_at closed_at",
            "none": "desk epoch",
        },
        "message": {
            "correspondence": "queue_id ticket account_id contact_id author author_key message_id"
            " subject date received_at text reply_text verdict rule reasons labels facts code"
            " claimed_ticket decided_at author_name automatic attachments",
        },
        "named": {"correspondence": "queue_id address_key"},
        "signature": {"correspondence": "queue_id digest"},
        "decision": {
            "correspondence": "id queue_id ticket decided_at verdict rule reasons facts sources"
            " trace",
            "none": "revision attempt policy_sha256",
        },
        "link": {
            "correspondence": "token_sha256 nonce queue_id content_sha256 ticket contact_id address"
            " step state tries created_at expires_at decided_at about",
        },
        "outbox": {
            "correspondence": "id template language to_address to_key to_name contact_id queue_id"
            " ticket message_id date details in_reply_to link_nonce link_step state last_reply"
            " created_at sent_at cc envelope_to",
            "none": "desk attempts due_at claimed_by",
        },
        "paused_address": {"security": "address_key address paused_at ended_at"},
        "event": {"correspondence": "id at who what queue_id ticket why"},
        "staff": {
            "staff": "id login name language role signature password_hash totp_secret"
            " totp_last_step created_at disabled_at",
        },
        "session": {
            "short": "token_sha256 kind contact_id staff_id access_token_id via csrf created_at"
            " seen_at ends_at",
        },
        "signin": {
            "short": "token_sha256 nonce contact_id address created_at expires_at used_at",
        },
        "access_token": {
            "security": "id token_sha256 contact_id account_id address issued_at issued_by"
            " expires_at verified_at last_used_at revoked_at revoked_why queue_id scopes warned",
        },
        "api_token": {
            "security": "id token_sha256 staff_id name scopes created_at expires_at last_used_at"
            " revoked_at",
        },
        "attempt": {"short": "id key at"},
        "change": {
            "security": "id account_id kind contact_id role name language old_address new_address"
            " new_key requested_by nonce new_sha256 old_sha256 state tries created_at expires_at"
            " confirmed_new_at confirmed_old_at decided_at",
        },
        "override": {"correspondence": "id queue_id who why value at"},
        "saved_view": {"staff": "id staff_id name query"},
        "audit": {"security": "id at who what subject why prev hash"},
        "audit_head": {"none": "id last hash first first_prev"},
        "search": {"correspondence": "id queue_id words"},
        "labelled": {"correspondence": "label queue_id"},
        "privacy_request": {
            "request": "id kind address address_key contact_id account_id text filed_by filed_at"
            " due_at alerted_at state closed_at closed_by outcome receipt",
        },
        "privacy_hold": {
            "request": "id address_key address ticket account_id ground who at lifted_at lifted_by",
        },
        "privacy_restriction": {
            "request": "id address_key address why who at lifted_at lifted_by",
        },
        "correction": {"request": "id contact_id what old new who why at"},
        "claim_record": {
            "claims": "queue_id ticket account_id contact_id received_at decided_at verdict reasons"
            " content_sha256 ended_at removed_at removed_why",
            "none": "desk channel rule policy_sha256",
        },
        "duty": {"none": "name last_at next_at seen_at note"},
    }
)


def class_of(table: str, column: str) -> DataClass | None:
    """The class of a column; None where nobody has thought about it."""
    for data_class, names in COLUMNS.get(table, {}).items():
        if column in names.split():
            return data_class
    return None


def as_rows() -> Iterator[tuple[str, DataClass, str, tuple[str, ...]]]:
    """Table, class, how long in words, columns: what docs/privacy.md shows, in this order."""
    for table, classes in COLUMNS.items():
        for data_class, names in classes.items():
            yield table, data_class, _how_long(WINDOWS[data_class]), tuple(names.split())


def _how_long(kept: Kept) -> str:
    return ", ".join(f"`{name}`" for name in kept.windows) or kept.since

"""What is known of a person apart from mail, table by table: the body of person.json (Art. 15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, or_, select

from mailgate.privacy.spelling import names
from mailgate.store.people_tables import access_token, audit, change, session, signin
from mailgate.store.privacy_tables import (
    claim_record,
    correction,
    privacy_hold,
    privacy_request,
    privacy_restriction,
)
from mailgate.store.tables import account, contact, event, link, paused_address, service, share
from mailgate.store.whose import Who, changes_of, may_name, spelled

#: Never told: what opens something, hashes of it, and our own marks of a row.
_SECRET = frozenset(
    {"id", "token_sha256", "nonce", "csrf", "new_sha256", "old_sha256", "tries", "address_key"}
    | {"new_key", "contact_id", "access_token_id", "staff_id", "content_sha256", "alerted_at"}
)


def facts(connection: Connection, whose: Who) -> Mapping[str, Any]:
    """Every table that has something of this person. Each value is plain but for times."""
    ids, key = whose.contact_ids, whose.key

    def of_contact(table: Table) -> ColumnElement[bool]:
        return table.c.contact_id.in_(ids)

    return {
        "address": key,
        "contacts": _contacts(connection, whose),
        "access_tokens": _rows(
            connection,
            access_token,
            of_contact(access_token)
            | access_token.c.address.in_(spelled(connection, access_token.c.address, key)),
        ),
        "sessions": _rows(connection, session, of_contact(session)),
        "sign_in_links": _rows(
            connection,
            signin,
            of_contact(signin) | signin.c.address.in_(spelled(connection, signin.c.address, key)),
        ),
        "confirmations_asked": _rows(
            connection, link, link.c.address.in_(spelled(connection, link.c.address, key))
        ),
        "address_changes": _rows(connection, change, changes_of(connection, whose)),
        "corrections": _rows(connection, correction, of_contact(correction)),
        "requests": _rows(connection, privacy_request, privacy_request.c.address_key == key),
        "restrictions": _rows(
            connection, privacy_restriction, privacy_restriction.c.address_key == key
        ),
        # What a claim is about may be told by a lawyer alone: that it stands, and since when.
        "holds": [
            {"at": row.at, "lifted_at": row.lifted_at}
            for row in connection.execute(
                select(privacy_hold).where(privacy_hold.c.address_key == key)
            )
        ],
        "our_mail_does_not_arrive": _rows(
            connection, paused_address, paused_address.c.address_key == key
        ),
        "audit_log": _audit(connection, whose),
        "what_happened": _events(connection, whose),
        "claim_records": _rows(connection, claim_record, of_contact(claim_record)),
    }


def _contacts(connection: Connection, whose: Who) -> list[Mapping[str, Any]]:
    query = (
        select(contact, account.c.company, account.c.language.label("speaks"))
        .join(account, account.c.id == contact.c.account_id)
        .where(contact.c.id.in_(whose.contact_ids))
    )
    found: list[Mapping[str, Any]] = []
    for row in connection.execute(query).all():
        shared = (
            select(service.c.identifier)
            .join(share, share.c.service_id == service.c.id)
            .where(share.c.contact_id == row.id)
            .order_by(service.c.identifier)
        )
        found.append(
            {
                "number": row.id,
                "account": row.account_id,
                "company": row.company,
                "address": row.address,
                "name": row.name,
                "role": row.role,
                "language": row.language or row.speaks,
                "signs_in": row.signs_in,
                "services": list(connection.execute(shared).scalars()),
            }
        )
    return found


def _audit(connection: Connection, whose: Who) -> list[Mapping[str, Any]]:
    """What they did, and what was done to their own entries."""
    about = [f"contact:{number}" for number in whose.contact_ids]
    for table, word in (
        (privacy_request, "request"),
        (privacy_restriction, "restriction"),
        (privacy_hold, "hold"),
    ):
        ids = select(table.c.id).where(table.c.address_key == whose.key)
        about += [f"{word}:{number}" for number in connection.execute(ids).scalars()]
    by = spelled(connection, audit.c.who, whose.key)
    which = or_(audit.c.who.in_(by), audit.c.subject.in_(about), may_name(audit.c.why, whose.key))
    found = connection.execute(select(audit).where(which).order_by(audit.c.id)).all()
    return [
        {
            "at": row.at,
            "who": _told_who(row.who, by),
            "what": row.what,
            "about": row.subject,
            "details": {k: v for k, v in row.why.items() if k != "ground"},
        }
        for row in found
        if row.who in by or row.subject in about or names(str(row.why), whose.key)
    ]


def _events(connection: Connection, whose: Who) -> list[Mapping[str, Any]]:
    """What nobody of ours did and yet names them: it stands in no audit log."""
    which = event.c.who == "mailgate", may_name(event.c.why, whose.key)
    found = connection.execute(select(event).where(*which).order_by(event.c.id)).all()
    return [
        {"at": row.at, "what": row.what, "ticket": row.ticket, "details": row.why}
        for row in found
        if names(str(row.why), whose.key)
    ]


def _told_who(who: str, theirs: list[str]) -> str:
    """Who acted; the names of our staff are theirs."""
    if who in theirs:
        return "you"
    return "another contact" if "@" in who else "staff"


def _rows(
    connection: Connection, table: Table, which: ColumnElement[bool]
) -> list[Mapping[str, Any]]:
    columns = [column for column in table.c if column.name not in _SECRET]
    order = list(table.primary_key)
    found = connection.execute(select(*columns).where(which).order_by(*order)).mappings()
    return [
        {
            name: _told_who(value, []) if _names_staff(name, value) else value
            for name, value in row.items()
        }
        for row in found
    ]


def _names_staff(name: str, value: Any) -> bool:
    acts = name in ("who", "lifted_by", "closed_by", "filed_by", "issued_by", "requested_by")
    return acts and isinstance(value, str) and value != "" and "@" not in value

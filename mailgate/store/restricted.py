"""Which messages and addresses may only be stored at this moment (GDPR Art. 18(2))."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, or_, select

from mailgate.store.privacy_tables import privacy_restriction
from mailgate.store.tables import contact, message


def restricted_keys() -> Select[tuple[str]]:
    """Addresses of which nothing may be used at this moment."""
    return select(privacy_restriction.c.address_key).where(
        privacy_restriction.c.lifted_at.is_(None)
    )


def of_restricted() -> ColumnElement[bool]:
    """A message whose author, or the contact it was entered for, is restricted."""
    keys = restricted_keys()
    people = select(contact.c.id).where(contact.c.address_key.in_(keys))
    return or_(
        message.c.author_key.in_(keys) & message.c.author_key.is_not(None),
        message.c.contact_id.in_(people) & message.c.contact_id.is_not(None),
    )

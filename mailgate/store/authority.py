"""Who may change what belongs to an account: its main contact of this moment, and staff."""

from __future__ import annotations

from sqlalchemy import Connection, select

from mailgate.model.addresses import same_address
from mailgate.store.tables import account, contact
from mailgate.store.types import AnyRow


def lock_account(connection: Connection, account_id: str, who: str) -> AnyRow | None:
    """The account's row, ours until the commit, if `who` may edit it.

    Pages ask only those who may; this is for the moment between the page and the act. A login of
    staff has no @, and their role was looked at with their session.
    """
    query = select(account).where(account.c.id == account_id).with_for_update()
    row = connection.execute(query).first()
    if row is None or "@" not in who:
        return row
    main = select(contact.c.address).where(
        contact.c.account_id == account_id, contact.c.role == "main"
    )
    address = connection.execute(main).scalar()
    return row if address is not None and same_address(address, who) else None

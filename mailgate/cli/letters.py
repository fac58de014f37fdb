"""Letters that a command causes: access tokens, and that access has ended."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailgate.cli.main import Context
    from mailgate.model.directory import Account, Contact
    from mailgate.model.notice import Notice
    from mailgate.model.people import AccessToken, Scope
    from mailgate.settings import Settings
    from mailgate.store import Store
    from mailgate.tokens.keys import Keys


class Letters:
    """Writes them with the house's settings and keys; the running mailgate sends them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @cached_property
    def _settings(self) -> Settings:
        return self._context.settings()

    @cached_property
    def _keys(self) -> Keys:
        return self._context.keys()

    def issue(
        self,
        store: Store,
        contact: Contact,
        account: Account,
        who: str,
        scopes: Sequence[Scope] = (),
    ) -> AccessToken | None:
        """Issue a token, mailed to the contact; None where the limits leave no room."""
        from mailgate.outbound.letters import access_token

        sha256, expires, notice = access_token(contact, account, **self._with())
        asked = scopes or self._settings.access_tokens.scopes
        return store.access_tokens.issue(
            contact.id, sha256, notice, who, self._context.now(), expires, asked
        )

    def access_ended(self, contact: Contact, account: Account) -> Notice:
        from mailgate.outbound.letters import access_ended

        return access_ended(contact, account, **self._with())

    def _with(self) -> dict[str, Any]:
        from mailgate.clock import random

        return {
            "settings": self._settings,
            "keys": self._keys,
            "now": self._context.now(),
            "random": random,
        }

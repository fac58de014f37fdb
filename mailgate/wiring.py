"""What the settings stand for: the policy in force and the database they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailgate import logs
from mailgate.rules.load import loads_policy
from mailgate.rules.policy import Policy
from mailgate.settings import Settings
from mailgate.yamlfile import ConfigError, read

if TYPE_CHECKING:
    from mailgate.store import Store


class Rules:
    """The policy in force; a file that does not load leaves the old one in force, and says so."""

    def __init__(self, settings: Settings, text: str | None = None) -> None:
        """From the file, or from the text of it that is in force elsewhere."""
        self._path = settings.rules
        self._desks = tuple(settings.desks)
        self.text = read(self._path) if text is None else text
        self.policy: Policy = self._policy(self.text)

    def _policy(self, text: str) -> Policy:
        return loads_policy(text, str(self._path), self._desks)

    def reload(self) -> bool:
        log = logs.get("rules")
        try:
            text = read(self._path)
            self.policy, self.text = self._policy(text), text
        except ConfigError as error:
            log.error("rules-rejected", problems=str(error), still=self.policy.sha256[:12])
            return False
        log.info("rules-loaded", file=str(self._path), sha256=self.policy.sha256[:12])
        return True


def open_store(settings: Settings) -> Store:
    from mailgate.store import open_store as open_database

    return open_database(
        settings.database,
        limits=settings.outbound.limits,
        privacy=settings.privacy,
        tokens_per_account=settings.access_tokens.per_account_hour,
        token_desks=settings.token_desks,
        attempts=settings.worker.attempts,
        node=settings.node,
    )


def open_checked_store(settings: Settings) -> Store:
    """The store, or `StoreUnusable` where it is not reachable or its schema is another one."""
    from mailgate.store.migrations import require_current

    store = open_store(settings)
    require_current(store.database)
    return store

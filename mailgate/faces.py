"""The faces of the house put together over one store: customer panel, staff console, JSON API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from starlette.routing import BaseRoute

from mailgate.clock import Now, Random
from mailgate.intake.entry import entry
from mailgate.lab.whatif import WhatIf
from mailgate.model.ports import Enter
from mailgate.process import Bench
from mailgate.rights import RightsDesk
from mailgate.rules.policy import Policy
from mailgate.settings import Settings
from mailgate.store import Store
from mailgate.tokens.keys import Keys
from mailgate.tokens.password import Passwords
from mailgate.verifier import verifier
from mailgate.web import api, console, panel
from mailgate.web.confirm import PAUSES
from mailgate.web.console import signin
from mailgate.web.console.frame import stranger
from mailgate.web.session import Sessions


@dataclass(frozen=True)
class Faces:
    """What the pages need of the running house. `policy` gives the rules in force."""

    settings: Settings
    store: Store
    keys: Keys
    now: Now
    random: Random
    policy: Callable[[], Policy]
    ready: Callable[[], Mapping[str, bool]]
    wake_workers: Callable[[], None]
    wake_mailer: Callable[[], None]
    passwords: Passwords
    pauses: Sequence[float] = PAUSES

    def routes(self) -> list[BaseRoute]:
        return [*self._panel(), *self._console(), *self._api()]

    @property
    def _enter(self) -> Enter:
        return partial(entry, self.settings, now=self.now, random=self.random)

    @property
    def _what_if(self) -> WhatIf:
        verify = verifier(self.settings)

        def bench() -> Bench:
            return Bench(self.settings, self.keys, self.policy(), self.random, verify)

        return WhatIf(self.store.lookup, self.store.queue.items, bench)

    def _wake(self) -> None:
        self.wake_workers()
        self.wake_mailer()

    @property
    def _rights(self) -> RightsDesk:
        return RightsDesk(self.settings, self.store, self.keys, self.random)

    def _panel(self) -> list[BaseRoute]:
        store = self.store
        stores = panel.Stores(
            sessions=store.sessions,
            sign_ins=store.sign_ins,
            access=store.access_tokens,
            attempts=store.attempts,
            panel=store.panel,
            edits=store.edits,
            changes=store.changes,
            intake=store.intake,
            requests=store.privacy_requests,
            make_copy=self._rights.make_copy,
            contacts=store.lookup.contacts,
            account=store.lookup.account,
            message=store.views.message,
        )
        return panel.routes(
            self.settings,
            stores,
            keys=self.keys,
            now=self.now,
            random=self.random,
            enter=self._enter,
            wake=self._wake,
            pauses=self.pauses,
        )

    def _console(self) -> list[BaseRoute]:
        store = self.store
        sessions = Sessions(
            "staff",
            self.settings,
            store.sessions,
            now=self.now,
            random=self.random,
            stranger=stranger(f"{urlsplit(self.settings.base_url).path}/console"),
        )
        door = signin.routes(
            self.settings,
            sessions,
            staff=store.staff,
            attempts=store.attempts,
            keys=self.keys,
            now=self.now,
            random=self.random,
            passwords=self.passwords,
        )
        around = console.Around(
            policy=self.policy,
            ready=self.ready,
            what_if=self._what_if,
            rights=self._console_rights(),
            enter=self._enter,
            wake_workers=self.wake_workers,
            wake_mailer=self.wake_mailer,
        )
        rooms = console.routes(
            self.settings,
            sessions,
            store=store,
            around=around,
            keys=self.keys,
            now=self.now,
            random=self.random,
            hash_password=self.passwords.hash,
            pauses=self.pauses,
        )
        return [*door, *rooms]

    def _console_rights(self) -> console.Rights:
        store, desk = self.store, self._rights
        return console.Rights(
            requests=store.privacy_requests,
            holds=store.privacy_holds,
            people=store.persons,
            corrections=store.corrections,
            erasure=store.erasure,
            retention=store.retention,
            duties=store.duties,
            make_copy=desk.make_copy,
            answered=desk.answered,
            told=desk.told,
        )

    def _api(self) -> list[BaseRoute]:
        return api.routes(
            api.Api(
                settings=self.settings,
                store=self.store,
                keys=self.keys,
                now=self.now,
                random=self.random,
                own_words=lambda: self.policy().words,
                misses=self._what_if.misses,
                wake_workers=self.wake_workers,
                wake_mailer=self.wake_mailer,
                enter=self._enter,
            )
        )

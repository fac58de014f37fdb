"""The console put together: every page of it and who may see which."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute

from mailgate.clock import Now, Random
from mailgate.settings import Settings
from mailgate.tokens.keys import Keys
from mailgate.web.console.account import AccountPage
from mailgate.web.console.acts import PAUSES, Acts
from mailgate.web.console.frame import Frame
from mailgate.web.console.inbox import Inbox
from mailgate.web.console.message import MessagePage
from mailgate.web.console.ports import Around, ConsoleStore
from mailgate.web.console.privacy import RequestPages
from mailgate.web.console.privacy_acts import RequestActs
from mailgate.web.console.privacy_keep import HoldPages, RetentionPage
from mailgate.web.console.say import uncoded
from mailgate.web.console.staff import StaffPages
from mailgate.web.console.state import AuditPage, StatePage
from mailgate.web.console.tickets import Tickets
from mailgate.web.console.whatif import WhatIfPage
from mailgate.web.console.write import Write
from mailgate.web.pages import Pages
from mailgate.web.session import Sessions


def routes(
    settings: Settings,
    sessions: Sessions,
    *,
    store: ConsoleStore,
    around: Around,
    keys: Keys,
    now: Now,
    random: Random,
    hash_password: Callable[[str], str],
    pauses: Sequence[float] = PAUSES,
) -> list[BaseRoute]:
    """Every page under `/console` but the door; `sessions` are those of staff."""
    pages = Pages(settings)
    pages.env.filters["uncoded"] = uncoded
    frame = Frame(pages, sessions, store, around, now)
    tickets = Tickets(frame, keys)
    requests = RequestPages(frame, settings.privacy)
    return [
        *Inbox(frame).routes(),
        *MessagePage(frame).routes(),
        *Acts(frame, pauses).routes(),
        *tickets.routes(),
        *Write(frame, tickets, settings, keys, random, pauses).routes(),
        *AccountPage(frame, settings, keys, random).routes(),
        *WhatIfPage(frame).routes(),
        *StatePage(frame, settings).routes(),
        *AuditPage(frame).routes(),
        *requests.routes(),
        *RequestActs(frame, requests).routes(),
        *HoldPages(frame).routes(),
        *RetentionPage(frame, settings.privacy).routes(),
        *StaffPages(frame, random, hash_password, settings.desks[frame.pages.house].tag).routes(),
    ]

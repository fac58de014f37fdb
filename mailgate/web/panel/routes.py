"""Every page of the panel by its path, and what each may be asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from mailgate import clock
from mailgate.clock import Now, Random
from mailgate.model.ports import Enter
from mailgate.settings import Settings
from mailgate.tokens.keys import Keys
from mailgate.web.confirm import PAUSES
from mailgate.web.forms import FormLimits
from mailgate.web.guard import TOKEN_PAGE_RATE, RateLimit
from mailgate.web.panel import sharing, write
from mailgate.web.panel.account import AccountPages
from mailgate.web.panel.change import ChangePages
from mailgate.web.panel.contacts import ContactPages
from mailgate.web.panel.privacy import PrivacyPages
from mailgate.web.panel.sharing import SharingPages
from mailgate.web.panel.signin import SignInPages
from mailgate.web.panel.site import Panel, Stores
from mailgate.web.panel.tickets import TicketPages
from mailgate.web.panel.token_form import TokenFormPages
from mailgate.web.panel.waiting import WaitingPages
from mailgate.web.panel.write import WritePages

GET, POST, BOTH = ["GET"], ["POST"], ["GET", "POST"]
_WITH_FILES = FormLimits(files=write.FILES, seconds=600)
_MATRIX = FormLimits(fields=sharing.FIELDS)


def routes(
    settings: Settings,
    stores: Stores,
    *,
    keys: Keys,
    now: Now,
    random: Random,
    enter: Enter,
    wake: Callable[[], None],
    monotonic: Callable[[], float] = clock.monotonic,
    pauses: Sequence[float] = PAUSES,
) -> list[BaseRoute]:
    """The panel, to be mounted beside the other pages of the site."""
    panel = Panel(settings, stores, keys=keys, now=now, random=random, enter=enter, wake=wake)
    limited = [Middleware(RateLimit, rate=TOKEN_PAGE_RATE, monotonic=monotonic)]
    return [*_signing_in(panel, limited), *_tickets(panel, pauses), *_account(panel)]


def _signing_in(panel: Panel, limited: Sequence[Middleware]) -> list[BaseRoute]:
    pages, changes = SignInPages(panel), ChangePages(panel)
    guarded = panel.sessions.guarded

    async def home(_request: Request) -> Response:
        return RedirectResponse(f"{panel.home}/tickets", 303)

    form: list[BaseRoute] = []
    if desk := panel.settings.token_desk:
        asking = TokenFormPages(panel, desk)
        form = [Route("/panel/token", asking.page, methods=BOTH, middleware=limited)]
    return [
        *form,
        Route("/panel", home, methods=GET),
        Route("/panel/sign-in", pages.page, methods=GET),
        Route("/panel/sign-in/token", pages.by_token, methods=POST, middleware=limited),
        Route("/panel/sign-in/link", pages.ask, methods=POST, middleware=limited),
        Route("/panel/in/{token}", pages.link, methods=BOTH, middleware=limited),
        Route("/panel/v/{token}", changes.page, methods=BOTH, middleware=limited),
        Route("/panel/sign-out", guarded(pages.out), methods=POST),
    ]


def _tickets(panel: Panel, pauses: Sequence[float]) -> list[BaseRoute]:
    tickets, waiting = TicketPages(panel), WaitingPages(panel)
    writing = WritePages(panel, tickets, pauses)
    guarded = panel.sessions.guarded
    # Files make these forms as large as a mail; all others stay within `web.form_size` (W9).
    large = [Middleware(RequestBodyLimitMiddleware, max_body_size=2 * panel.settings.intake.size)]
    new, answer = guarded(writing.new, _WITH_FILES), guarded(writing.answer, _WITH_FILES)
    one = "/panel/tickets/{number:int}"
    return [
        Route("/panel/tickets", guarded(tickets.index), methods=GET),
        Route("/panel/tickets/new", new, methods=BOTH, middleware=large),
        Route(one, guarded(tickets.one), methods=GET),
        Route(f"{one}/answer", answer, methods=POST, middleware=large),
        Route("/panel/files/{queue_id}/{place:int}", guarded(tickets.file), methods=GET),
        Route("/panel/sent/{queue_id}", guarded(writing.sent), methods=GET),
        Route("/panel/waiting", guarded(waiting.index), methods=GET),
        Route("/panel/waiting/{queue_id}", guarded(waiting.answer), methods=POST),
    ]


def _account(panel: Panel) -> list[BaseRoute]:
    contacts = ContactPages(panel)
    account, matrix = AccountPages(panel, contacts), SharingPages(panel, contacts)
    privacy, guarded = PrivacyPages(panel), panel.sessions.guarded
    one, asked = "/panel/contacts/{id:int}", "/panel/privacy/{id:int}"
    return [
        Route("/panel/contacts", guarded(contacts.index), methods=GET),
        Route("/panel/contacts/new", guarded(contacts.add), methods=BOTH),
        Route(one, guarded(contacts.one), methods=BOTH),
        Route(f"{one}/address", guarded(contacts.address), methods=POST),
        Route(f"{one}/remove", guarded(contacts.remove), methods=BOTH),
        Route(f"{one}/token", guarded(account.send_token), methods=POST),
        Route("/panel/changes/{id:int}/cancel", guarded(contacts.cancel), methods=POST),
        Route("/panel/sharing", guarded(matrix.matrix, _MATRIX), methods=BOTH),
        Route("/panel/account", guarded(account.page), methods=BOTH),
        Route("/panel/tokens/{id:int}/revoke", guarded(account.revoke), methods=POST),
        Route("/panel/privacy", guarded(privacy.page), methods=BOTH),
        Route(f"{asked}/withdraw", guarded(privacy.withdraw), methods=POST),
        Route(f"{asked}/copy", guarded(privacy.copy), methods=POST),
    ]

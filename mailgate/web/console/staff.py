"""Staff: who works here, for those who manage it, and everybody's own name and signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from mailgate.clock import Random
from mailgate.model.directory import LANGUAGES
from mailgate.model.people import STAFF_ROLES
from mailgate.model.web_ports import Refused
from mailgate.tokens import password, totp
from mailgate.web.console.frame import Frame, Incomplete, reason_of, staff_of
from mailgate.web.session import Visit

_LONGEST_NAME, _LONGEST_SIGNATURE = 100, 1000


@dataclass(frozen=True)
class StaffPages:
    """A new password and its TOTP secret are shown once, on the page that answers the form."""

    frame: Frame
    random: Random
    hash: Callable[[str], str]
    issuer: str

    def routes(self) -> list[Route]:
        def admin(page: Callable[[Visit], Response], path: str, method: str) -> Route:
            return Route(path, self.frame.endpoint(page, "admin"), methods=[method])

        return [
            admin(self.page, "/console/staff", "GET"),
            admin(self.add, "/console/staff", "POST"),
            admin(self.disable, "/console/staff/{login}/disable", "POST"),
            admin(self.password, "/console/staff/{login}/password", "POST"),
            Route("/console/me", self.frame.endpoint(self.me)),
            Route("/console/me", self.frame.endpoint(self.save), methods=["POST"]),
        ]

    def page(self, visit: Visit, **shown: Any) -> Response:
        return self.frame.render(
            visit,
            "staff.html",
            here="staff",
            people=self.frame.store.staff.all(),
            roles=STAFF_ROLES,
            languages_spoken=LANGUAGES,
            **{"secret": None, **shown},
        )

    def add(self, visit: Visit) -> Response:
        form = visit.form
        login, name = form.get("login").strip().lower(), _line(form.get("name"))
        role, language = form.get("role"), form.get("language")
        if role not in STAFF_ROLES or language not in LANGUAGES or not name:
            raise Incomplete("staff")
        words, secret = password.new_password(self.random), totp.new_secret(self.random)
        try:
            added = self.frame.store.staff.add(
                login,
                name,
                language,
                role,
                self.hash(words),
                secret,
                staff_of(visit).login,
                self.frame.now(),
            )
        except Refused as refused:
            raise Incomplete(refused.code) from None
        uri = totp.uri(secret, added.login, self.issuer)
        return self.page(visit, secret=(added.login, words, secret, uri))

    def disable(self, visit: Visit) -> Response:
        login = visit.request.path_params["login"]
        who, why = staff_of(visit).login, reason_of(visit)
        try:
            done = self.frame.store.staff.disable(login, who, why, self.frame.now())
        except Refused as refused:
            raise Incomplete(refused.code) from None
        if not done:
            raise HTTPException(404)
        return self.frame.back(visit, "staff", done="disabled")

    def password(self, visit: Visit) -> Response:
        login = visit.request.path_params["login"]
        words = password.new_password(self.random)
        who = staff_of(visit).login
        if not self.frame.store.staff.set_password(login, self.hash(words), who, self.frame.now()):
            raise HTTPException(404)
        return self.page(visit, secret=(login, words, "", ""))

    def me(self, visit: Visit) -> Response:
        return self.frame.render(visit, "me.html", here="me", languages_spoken=LANGUAGES)

    def save(self, visit: Visit) -> Response:
        form, me = visit.form, staff_of(visit)
        name, language = _line(form.get("name")), form.get("language")
        if language not in LANGUAGES or not name:
            raise Incomplete("staff")
        signature = form.get("signature").replace("\r\n", "\n").strip()[:_LONGEST_SIGNATURE]
        self.frame.store.staff.set_profile(
            me.id, name, language, signature, me.login, self.frame.now()
        )
        return self.frame.back(visit, "me", done="saved")


def _line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_NAME]

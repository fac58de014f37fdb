"""What an admin does about a request: the copy, putting right, restricting, erasing, the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from mailgate.model.addresses import parse_address, same_address
from mailgate.model.directory import LANGUAGES, Language
from mailgate.model.privacy import PrivacyRequest
from mailgate.model.web_ports import Refused
from mailgate.web.console.frame import Frame, Incomplete, reason_of, staff_of
from mailgate.web.console.privacy import LONGEST, TOOLS, RequestPages
from mailgate.web.copy import CopyResponse
from mailgate.web.session import Visit

_LANGUAGES: dict[str, Language] = {language: language for language in LANGUAGES}

#: Why an erasure that was approved is not done yet.
WAITS = frozenset({"hold", "restricted"})
#: Does it; gives the key of what the page says then.
Act = Callable[[Visit, PrivacyRequest], str]


@dataclass(frozen=True)
class RequestActs:
    """Each act is a POST with a reason, on a request: there is none without one, so that it can be
    shown later why somebody's data was touched (GDPR Art. 5(2))."""

    frame: Frame
    pages: RequestPages

    def routes(self) -> list[Route]:
        one = "/console/privacy/requests/{id:int}"
        acts: dict[str, Act] = {
            "rectify": self.rectify,
            "restrict": self.restrict,
            "lift": self.lift,
            "done": lambda visit, request: self._answer(visit, request, "done"),
            "refuse": lambda visit, request: self._answer(visit, request, "refused"),
        }
        pages = {name: self._page(act) for name, act in acts.items()}
        pages |= {"copy": self.copy, "erase": self.erase}
        return [
            Route(f"{one}/erase", self.frame.endpoint(self.plan, "admin")),
            *(
                Route(f"{one}/{name}", self.frame.endpoint(page, "admin"), methods=["POST"])
                for name, page in pages.items()
            ),
        ]

    def _page(self, act: Act) -> Callable[[Visit], Response]:
        def page(visit: Visit) -> Response:
            request = self.pages.find(visit)
            try:
                if request.closed_at is not None:
                    raise Incomplete("not-now")
                done = act(visit, request)
            except Refused as refused:
                return self.pages.shown(visit, request, refused.code)
            except Incomplete as problem:
                return self.pages.shown(visit, request, problem.code)
            return self._back(visit, request, done)

        return page

    def _back(self, visit: Visit, request: PrivacyRequest, done: str) -> Response:
        return self.frame.back(visit, "privacy", "requests", request.id, done=done)

    # --- the copy -----------------------------------------------------------------------------

    def copy(self, visit: Visit) -> Response:
        """All that is kept about the person, to look at it and to hand it over."""
        request, now = self.pages.find(visit), self.frame.now()
        if "copy" not in TOOLS[request.kind]:
            raise HTTPException(404)
        file = self.frame.around.rights.make_copy(request, staff_of(visit).login, now)
        return CopyResponse(file, f"request-{request.id}-{now:%Y-%m-%d}.zip")

    # --- putting right, restricting -----------------------------------------------------------

    def rectify(self, visit: Visit, request: PrivacyRequest) -> str:
        """GDPR Art. 16. What stays as it is was not typed anew, so it is no correction."""
        rights, form, now = self.frame.around.rights, visit.form, self.frame.now()
        contacts = rights.people.contacts(request.address, request.account_id)
        contact = next((one for one in contacts if str(one.id) == form.get("contact")), None)
        if contact is None:
            raise Incomplete("contact")
        typed, why = form.get("address").strip()[:320], reason_of(visit)
        try:
            address = parse_address(typed) if typed != contact.address else None
        except ValueError:
            raise Incomplete("bad-address") from None
        name = " ".join(form.get("name").split())[:100]
        done = rights.corrections.rectify(
            contact.id,
            staff_of(visit).login,
            why,
            now,
            name=name if name != contact.name else None,
            language=_LANGUAGES.get(form.get("language")),
            address=address,
            note="\n".join(form.get("note").splitlines()).strip()[:LONGEST],
            told=rights.told(contact, now) if address else None,
        )
        self.frame.around.wake_workers()
        self.frame.around.wake_mailer()
        return "rectified" if done else "nothing-to-rectify"

    def restrict(self, visit: Visit, request: PrivacyRequest) -> str:
        who, why = staff_of(visit).login, reason_of(visit)
        self.frame.around.rights.holds.restrict(request.address, why, who, self.frame.now())
        self.frame.around.wake_workers()
        return "restricted"

    def lift(self, visit: Visit, request: PrivacyRequest) -> str:
        lift_restriction(self.frame, visit, request.address)
        return "restriction-lifted"

    # --- erasing ------------------------------------------------------------------------------

    def plan(self, visit: Visit, problem: str = "") -> Response:
        """What would go and what would stay, before anything is approved."""
        request = self._erasable(visit)
        ends = self._ends(visit)
        rights = self.frame.around.rights
        return self.frame.render(
            visit,
            "privacy_erase.html",
            422 if problem else 200,
            here="privacy",
            request=request,
            ends=ends,
            plan=rights.erasure.plan(request.address, request.account_id, ends=ends),
            holds=rights.holds.holds_on(request.address, request.account_id),
            problem=problem,
            typed=visit.form.get("why"),
        )

    def erase(self, visit: Visit) -> Response:
        """Approve it, where the address was typed once more, and carry it out as far as holds
        allow; what waits is carried out when the last hold has ended (promise G5)."""
        request, now = self._erasable(visit), self.frame.now()
        rights, who = self.frame.around.rights, staff_of(visit).login
        if request.state == "open":
            if not same_address(visit.form.get("address"), request.address):
                return self.plan(visit, "typed-address")
            try:
                why = reason_of(visit)
            except Incomplete as problem:
                return self.plan(visit, problem.code)
            ends = self._ends(visit)
            if rights.erasure.approve(request.id, who, why, now, ends=ends) is None:
                raise Incomplete("not-now")
        done = rights.erasure.run(request.id, now, rights.answered(request, now))
        self.frame.around.wake_mailer()
        return self._back(visit, request, "erasure-waits" if done.stopped in WAITS else "erased")

    def _erasable(self, visit: Visit) -> PrivacyRequest:
        request = self.pages.find(visit)
        if request.kind != "erase":
            raise HTTPException(404)
        if request.closed_at is not None:
            raise Incomplete("not-now")
        return request

    @staticmethod
    def _ends(visit: Visit) -> bool:
        """Whether the contract has ended; then a main contact leaves the directory too."""
        given = visit.form.get("ends") or visit.request.query_params.get("ends")
        return given == "yes"

    # --- the answer ---------------------------------------------------------------------------

    def _answer(
        self, visit: Visit, request: PrivacyRequest, state: Literal["done", "refused"]
    ) -> str:
        """Tell the person, in words of ours; a refusal says why (GDPR Art. 12(4))."""
        text = "\n".join(visit.form.get("outcome").splitlines()).strip()
        if not text:
            raise Incomplete("outcome")
        if len(text) > LONGEST:
            raise Incomplete("too-long")
        rights, now, who = self.frame.around.rights, self.frame.now(), staff_of(visit).login
        answer = rights.answered(request, now)
        if rights.requests.close(request.id, state, text, who, now, answer) is None:
            raise Incomplete("not-now")
        self.frame.around.wake_mailer()
        return f"privacy-{state}"


def lift_restriction(frame: Frame, visit: Visit, address: str) -> None:
    """From now on the data may be used again. The person is to be told before (GDPR Art. 18(3)):
    the page says so."""
    who, why = staff_of(visit).login, reason_of(visit)
    if not frame.around.rights.holds.lift_restriction(address, why, who, frame.now()):
        raise Incomplete("not-now")
    frame.around.wake_workers()

"""What must be kept, what may only be stored, and what goes when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from mailgate.model.addresses import parse_address
from mailgate.model.web_ports import Refused
from mailgate.settings import Privacy
from mailgate.web.console.frame import Frame, Incomplete, reason_of, staff_of
from mailgate.web.console.privacy_acts import lift_restriction
from mailgate.web.console.rights import trouble
from mailgate.web.session import Visit
from mailgate.words import words

_ON = ("address", "ticket", "account")
#: How far the table of what goes when looks ahead.
_AHEAD = timedelta(days=14)


@dataclass(frozen=True)
class HoldPages:
    frame: Frame

    def routes(self) -> list[Route]:
        admin = {
            "holds": self.place,
            "holds/{id:int}/lift": self.lift,
            "restrictions/{id:int}/lift": self.lift_restriction,
        }
        return [
            Route("/console/privacy/holds", self.frame.endpoint(self.page)),
            *(
                Route(
                    f"/console/privacy/{path}",
                    self.frame.endpoint(page, "admin"),
                    methods=["POST"],
                )
                for path, page in admin.items()
            ),
        ]

    def page(self, visit: Visit, problem: str = "") -> Response:
        holds = self.frame.around.rights.holds
        lifted = visit.request.query_params.get("lifted") == "yes"
        return self.frame.render(
            visit,
            "privacy_holds.html",
            422 if problem else 200,
            here="privacy",
            holds=holds.holds(lifted=lifted),
            restrictions=holds.restrictions(lifted=lifted),
            lifted=lifted,
            kinds=_ON,
            problem=problem,
            typed={name: visit.form.get(name) for name in ("on", "named", "why")},
        )

    def place(self, visit: Visit) -> Response:
        """Its ground is the reason: why it must be kept whatever is asked (Art. 17(3)(e))."""
        on, named = visit.form.get("on"), visit.form.get("named").strip().lstrip("#")[:320]
        try:
            if on not in _ON or not named:
                raise Incomplete("hold-on")
            ground = reason_of(visit)
            self._place(on, named, ground, staff_of(visit).login)
        except (Incomplete, Refused) as problem:
            code = problem.code
            return self.page(visit, "hold-not-found" if code == "not-found" else code)
        return self.frame.back(visit, "privacy", "holds", done="hold-placed")

    def _place(self, on: str, named: str, ground: str, who: str) -> None:
        holds, now = self.frame.around.rights.holds, self.frame.now()
        if on == "account":
            holds.hold(ground, who, now, account_id=named)
        elif on == "ticket":
            if not (named.isascii() and named.isdigit()) or len(named) > 18:
                raise Incomplete("hold-not-found")
            holds.hold(ground, who, now, ticket=int(named))
        else:
            try:
                holds.hold(ground, who, now, address=parse_address(named))
            except ValueError:
                raise Incomplete("bad-address") from None

    def lift(self, visit: Visit) -> Response:
        holds, number = self.frame.around.rights.holds, visit.request.path_params["id"]
        if number not in {hold.id for hold in holds.holds(lifted=True)}:
            raise HTTPException(404)
        if not holds.lift_hold(number, staff_of(visit).login, reason_of(visit), self.frame.now()):
            raise Incomplete("not-now")
        return self.frame.back(visit, "privacy", "holds", done="hold-lifted")

    def lift_restriction(self, visit: Visit) -> Response:
        number = visit.request.path_params["id"]
        all_ = self.frame.around.rights.holds.restrictions(lifted=True)
        found = next((one for one in all_ if one.id == number), None)
        if found is None:
            raise HTTPException(404)
        if found.lifted_at is not None:
            raise Incomplete("not-now")
        lift_restriction(self.frame, visit, found.address)
        return self.frame.back(visit, "privacy", "holds", done="restriction-lifted")


@dataclass(frozen=True)
class RetentionPage:
    """Looks ahead, and back at what was removed last; nothing is removed from here."""

    frame: Frame
    windows: Privacy

    def routes(self) -> list[Route]:
        return [Route("/console/privacy/retention", self.frame.endpoint(self.page))]

    def page(self, visit: Visit) -> Response:
        rights, now = self.frame.around.rights, self.frame.now()
        until = now + _AHEAD
        return self.frame.render(
            visit,
            "privacy_retention.html",
            here="privacy",
            windows=self.windows,
            span=words(self.frame.language(visit)).span,
            upcoming=[each for each in rights.retention.upcoming(now) if each.due_at < until],
            days=_AHEAD.days,
            day=self.frame.say(visit).day,
            now=now,
            duties=rights.duties.all(),
            trouble=trouble(rights, now),
        )

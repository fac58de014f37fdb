"""The state of the house: what waits and how long, the relay, disk, rules, charts, who is muted."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from mailgate.model.decision import VERDICTS
from mailgate.settings import Settings
from mailgate.web.console import charts
from mailgate.web.console.frame import Frame, Incomplete, reason_of, staff_of
from mailgate.web.session import Visit

#: Days that the charts show, and how far back bounced and muted addresses are looked for.
DAYS = 30
_OLD = timedelta(days=90)
_ROWS = 50


@dataclass(frozen=True)
class StatePage:
    frame: Frame
    settings: Settings

    def routes(self) -> list[Route]:
        again = self.frame.endpoint(self.send_again, "agent")
        return [
            Route("/console/state", self.frame.endpoint(self.page)),
            Route("/console/outbox/{id}/send", again, methods=["POST"]),
        ]

    def page(self, visit: Visit) -> Response:
        store, now = self.frame.store, self.frame.now()
        shown = charts.days(now.date(), DAYS)  # days of UTC, as the store counts them
        verdicts, rules = store.stats.verdicts(shown[0]), store.stats.rules(shown[0])
        bars, tallest = charts.stacked(verdicts, VERDICTS, shown)
        policy = self.frame.around.policy()
        return self.frame.render(
            visit,
            "state.html",
            here="state",
            checks=self.frame.around.ready(),
            waiting=store.views.waiting(),
            unsent=store.views.unsent(),
            outbox=store.views.outbox(limit=_ROWS),
            relayed=store.views.outbox(("sent",), 5),
            held=store.views.queue(("hold", "deferred"), _ROWS),
            troubles=store.stats.troubles(now - _OLD),
            relay=self.settings.outbound.relay,
            rules_file=self.settings.rules,
            policy=policy,
            says={rule.name: rule.says for rule in policy.rules},
            verdicts=VERDICTS,
            sums=charts.totals(verdicts),
            bars=bars,
            tallest=tallest,
            shown=shown,
            lines=charts.sparklines(rules, shown),
            **self._machine(),
        )

    def _machine(self) -> dict[str, Any]:
        """The database and its disk; of a database server the disk is not ours to look at."""
        file = self.frame.store.file
        if file is None or not file.exists():
            return {"database": "PostgreSQL", "database_size": None, "disk": None}
        disk = shutil.disk_usage(file.parent)
        return {"database": "SQLite", "database_size": file.stat().st_size, "disk": disk}

    def send_again(self, visit: Visit) -> Response:
        notice = visit.request.path_params["id"]
        who, why = staff_of(visit).login, reason_of(visit)
        if not self.frame.store.outbox.send_again(notice, who, why, self.frame.now()):
            raise Incomplete("not-now")
        self.frame.around.wake_mailer()
        return self.frame.back(visit, "state", done="sent-again")


@dataclass(frozen=True)
class AuditPage:
    """Who did what, when and why: the newest first, and whether the chain holds."""

    frame: Frame

    def routes(self) -> list[Route]:
        return [Route("/console/audit", self.frame.endpoint(self.page))]

    def page(self, visit: Visit) -> Response:
        query, audit = visit.request.query_params, self.frame.store.audit
        who, subject = (query.get(n, "").strip()[:200] for n in ("who", "subject"))
        try:
            found = audit.entries(
                who=who or None, subject=subject or None, after=query.get("after") or None
            )
        except ValueError:
            raise HTTPException(404) from None
        checked = audit.verify() if query.get("verify") else None
        return self.frame.render(
            visit,
            "audit.html",
            here="audit",
            rows=found.rows,
            next=found.next,
            who=who,
            subject=subject,
            checked=checked,
        )

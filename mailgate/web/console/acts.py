"""What staff do to one message: release, drop, decide again, a new link, an override."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from mailgate.model.people import StaffWord
from mailgate.web.console.frame import Frame, Incomplete, reason_of, staff_of
from mailgate.web.session import Visit

#: Seconds between looks at the verdict after an act that has a message judged again: 1.5 in all.
PAUSES = (0.05, 0.1, 0.15, 0.2, 0.5, 0.5)

#: Does it: queue id, who, why; whether it applied.
Act = Callable[[str, str, str], bool]


@dataclass(frozen=True)
class Acts:
    """Each act is a POST with a reason; the store writes who, when and why in the same commit."""

    frame: Frame
    pauses: Sequence[float] = PAUSES

    def routes(self) -> list[Route]:
        store, now = self.frame.store, self.frame.now
        acts: dict[str, Act] = {
            "release": lambda q, who, why: store.queue.release_held(q, who, why, now()),
            "drop": lambda q, who, why: store.queue.drop(q, who, why, now()),
            "decide": lambda q, who, why: store.acts.decide_again(q, who, why, now()),
            "new-link": lambda q, who, why: store.acts.new_link(q, who, why, now()),
        }
        pages = {name: self._page(name, act) for name, act in acts.items()}
        pages["override"] = self.override
        return [
            Route(
                f"/console/m/{{queue_id}}/{name}",
                self.frame.endpoint(page, "agent"),
                methods=["POST"],
            )
            for name, page in pages.items()
        ]

    def _page(self, name: str, act: Act) -> Callable[[Visit], Response]:
        def page(visit: Visit) -> Response:
            queue_id = self._known(visit)
            if not act(queue_id, staff_of(visit).login, reason_of(visit)):
                raise Incomplete("not-now")
            return self._done(visit, queue_id, name)

        return page

    def override(self, visit: Visit) -> Response:
        """Say of a message what no rule can know: that it is really theirs, or that it is not."""
        word = visit.form.get("word")
        if word not in {"vouches", "refuses", "none"}:
            raise Incomplete("word")
        queue_id = self._known(visit)
        who, why = staff_of(visit).login, reason_of(visit)
        given = self.frame.store.acts.override(
            queue_id, cast("StaffWord", word), who, why, self.frame.now()
        )
        if given is None:
            raise HTTPException(404)
        return self._done(visit, queue_id, "override")

    def _known(self, visit: Visit) -> str:
        queue_id: str = visit.request.path_params["queue_id"]
        if self.frame.store.inbox.message(queue_id) is None:
            raise HTTPException(404)
        return queue_id

    def _done(self, visit: Visit, queue_id: str, name: str) -> Response:
        self.frame.around.wake_workers()
        wait_for_verdict(self.frame, queue_id, self.pauses)
        return self.frame.back(visit, "m", queue_id, done=name)


def wait_for_verdict(frame: Frame, queue_id: str, pauses: Sequence[float]) -> None:
    """Look for a moment until the worker is done, so that the page has the new verdict."""
    for pause in pauses:
        row = frame.store.views.queue_row(queue_id)
        if row is None or row.state not in {"incoming", "active"}:
            return
        time.sleep(pause)

"""One message: who really wrote it, its verdict and why, its text, HTML, files and raw source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from mailgate import message as reading
from mailgate.message.markup import markup
from mailgate.model.item import QueueRow
from mailgate.model.message import Head
from mailgate.model.views import InboxMessage
from mailgate.web.console.frame import Frame
from mailgate.web.console.rights import Marks, marks
from mailgate.web.console.sanitize import Shown, TooMuch, sanitize
from mailgate.web.session import Visit

#: For what a stranger sent: no script, no style, no picture, no request, no way out (M10, M11).
_FRAME = (
    "sandbox; default-src 'none'; style-src 'none'; img-src 'none'; form-action 'none'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'self'"
)
_FILE = "sandbox; default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
_MOST_RAW = 256 << 10
_TABS = ("new", "text", "html", "source")

#: A page of its own for the frame. Style sheets are switched off there, so the one thing to be
#: said about looks is said as in 1997.
_BARE = (
    '<!doctype html><html lang="und"><head><meta charset="utf-8">'
    '<meta name="color-scheme" content="light dark"><title>{title}</title></head>'
    '<body><font face="system-ui, sans-serif">{html}</font></body></html>'
)


@dataclass(frozen=True)
class MessagePage:
    frame: Frame

    def routes(self) -> list[Route]:
        paths = {
            "": self.page,
            "/html": self.html,
            "/raw": self.raw,
            "/files/{number:int}": self.file,
        }
        return [
            Route(f"/console/m/{{queue_id}}{path}", self.frame.endpoint(page))
            for path, page in paths.items()
        ]

    def page(self, visit: Visit) -> Response:
        found = find(self.frame, visit)
        if isinstance(found, QueueRow):
            return self.frame.render(visit, "waiting.html", here="inbox", row=found)
        content = self.frame.store.inbox.octets(found.message.queue_id) or b""
        read = _readable(found)
        markup_ = markup(content) if read else None
        tab = _tab(visit, found)
        return self.frame.render(
            visit,
            "message.html",
            here="inbox",
            found=found,
            message=found.message,
            people=people(reading.read_head(content)) if read else {},
            decision=found.message.history[-1] if found.message.history else None,
            misses=self.frame.around.what_if.misses(found.message.queue_id) if read else (),
            readable=read,
            tab=tab,
            has_html=bool(markup_ and markup_.strip()),
            shown=_made_safe(markup_) if tab == "html" and markup_ else None,
            source=_source(content) if tab == "source" else "",
            says=self._says(),
            marks=_marks(self.frame, found),
            **actions(found),
        )

    def _says(self) -> Mapping[str, str]:
        """The sentence of every rule in force."""
        return {rule.name: rule.says for rule in self.frame.around.policy().rules}

    def html(self, visit: Visit) -> Response:
        """What stands in the frame; it is as harmless when opened by itself."""
        source = markup(self._content(visit))
        shown = _made_safe(source) if source and source.strip() else None
        if shown is None:
            raise HTTPException(404)
        title = self.frame.pages.house
        response = HTMLResponse(_BARE.format(title=title, html=shown.html))
        response.headers["Content-Security-Policy"] = _FRAME
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response

    def raw(self, visit: Visit) -> Response:
        """The octets as they came in, to save (promise M14)."""
        name = f"{visit.request.path_params['queue_id']}.eml"
        return download(self._octets(visit), name)

    def file(self, visit: Visit) -> Response:
        """One attachment to save, by its place in the message; it is never opened here (M11)."""
        number = visit.request.path_params["number"]
        found = reading.attachment(self._content(visit), number) if number < 10_000 else None
        if found is None:
            raise HTTPException(404)
        attachment, octets = found
        return download(octets, attachment.filename or f"attachment-{number + 1}")

    def _octets(self, visit: Visit) -> bytes:
        content = self.frame.store.inbox.octets(visit.request.path_params["queue_id"])
        if content is None:
            raise HTTPException(404)
        return content

    def _content(self, visit: Visit) -> bytes:
        """The octets of a message that may be read here."""
        found = find(self.frame, visit)
        if isinstance(found, QueueRow) or not _readable(found):
            raise HTTPException(404)
        return self._octets(visit)


def _marks(frame: Frame, found: InboxMessage) -> Marks:
    message = found.message
    address = found.contact.address if found.contact else None
    people = (message.author, address)
    return marks(frame.around.rights.holds, people, message.ticket, message.account_id)


def _readable(found: InboxMessage) -> bool:
    """What a worker fell over is not read in this process, which has no supervisor: its octets can
    be looked at and saved. What may only be stored is not looked at at all (GDPR Art. 18(2))."""
    return "processing-failed" not in found.message.reasons and not found.message.restricted


def _tab(visit: Visit, found: InboxMessage) -> str:
    asked = visit.request.query_params.get("show", "")
    if not _readable(found):
        return "source"
    if asked in _TABS:
        return asked
    return "new" if found.message.reply_text.strip() else "text"


def find(frame: Frame, visit: Visit) -> InboxMessage | QueueRow:
    """The message, or its place in the queue while nobody has judged it yet."""
    queue_id = visit.request.path_params["queue_id"]
    found = frame.store.inbox.message(queue_id) or frame.store.views.queue_row(queue_id)
    if found is None:
        raise HTTPException(404)
    return found


def actions(found: InboxMessage) -> dict[str, Any]:
    """Which acts make sense for a message as it stands; the store looks again when one is done."""
    message = found.message
    decided = {link.state for link in message.links}
    held = message.state == "hold"
    return {
        "can_release": held or message.state == "deferred",
        "can_drop": held,
        "can_decide": message.state == "done",
        "can_link": bool(message.links) and not decided & {"confirmed", "denied"} and not held,
        "override": found.overrides[-1] if found.overrides else None,
    }


def download(octets: bytes, name: str) -> Response:
    """Octets to save and not to open (promise M11); the name is safe already (RFC 6266 §4.3)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    said = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {"Content-Disposition": said, "Content-Security-Policy": _FILE}
    return Response(octets, media_type="application/octet-stream", headers=headers)


def _made_safe(source: str) -> Shown | None:
    """The HTML made safe; None where it is too tangled for that."""
    try:
        return sanitize(source)
    except TooMuch:
        return None


def _source(content: bytes) -> str:
    """The octets as text; what is no UTF-8 is shown octet by octet."""
    return content[:_MOST_RAW].decode("utf-8", "backslashreplace").replace("\r\n", "\n")


def people(head: Head) -> Mapping[str, Any]:
    """Everybody in the header section, by field."""
    return {
        "from": head.from_,
        "sender": head.sender,
        "reply-to": head.reply_to,
        "to": head.to,
        "cc": head.cc,
    }

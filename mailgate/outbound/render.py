"""From a notice to the octets of a mail: the same octets whenever it is done (promise R15)."""

from __future__ import annotations

import email.quoprimime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, quote
from typing import Any

from mailgate.model.addresses import normalise
from mailgate.model.notice import Notice
from mailgate.outbound import BY_A_PERSON
from mailgate.outbound.quote import one_line, shows
from mailgate.outbound.templates import Templates
from mailgate.settings import Settings
from mailgate.tokens import access, change, link, message_id, session, ticket, verp
from mailgate.tokens.keys import Keys
from mailgate.words import Reason, Words, words

#: Every header field that a mail of ours may have, each once at most (promise M9).
FIELDS = (
    "From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
    "Auto-Submitted", "X-Auto-Response-Suppress", "X-Mailgate-Loop",
    "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Language",
)  # fmt: skip

_LINE = 76
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)|\0")
_FIELD = re.compile(rb"([A-Za-z\-]+): ([^\r\n]+(?:\r\n[ \t][^\r\n]*[^\s][^\r\n]*)*)")
_ONE = re.compile(r"[^\s,;:<>()\"\[\]@]+@[^\s,;:<>()\"\[\]@]+")
_WHITE = re.compile(rb"\s+")
#: Values that are shown as they are, on one line.
_PLAIN = (
    "address", "company", "kind", "new_address", "old_address", "person", "request", "requested_by",
    "state", "words",
)  # fmt: skip
#: Values that open something.
_SECRET = ("link", "code", "access_token")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ \-]+")


class BadNotice(Exception):
    """The notice cannot become a mail; trying again would not help."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail as it goes over the wire, and its envelope. `reverse_path` is "" for the null one."""

    octets: bytes
    reverse_path: str
    recipient: str
    smtputf8: bool
    text: str
    """Subject and text, for people."""
    secrets: tuple[str, ...]
    """What in the text opens something: whoever shows it to others leaves these out."""


def render(notice: Notice, settings: Settings, keys: Keys, templates: Templates) -> Rendered:
    """Write the mail. The key that made its Message-ID makes the rest too, even if a newer one
    was added since: each attempt sends the same octets. Raises `BadNotice`.
    """
    signed = message_id.signer(keys, notice.message_id)
    if signed is None:
        raise BadNotice("the key this notice was made with is gone")
    desk = settings.desks.get(notice.desk)
    if desk is None:
        raise BadNotice(f"the desk {notice.desk} is gone")
    context = _context(notice, settings, signed)
    subject, text = templates.write(notice.template, notice.language, context)
    to, cc = normalise(notice.to), tuple(normalise(address) for address in notice.cc)
    encoding, body = _body(text)
    fields = [
        ("From", _mailbox(desk.name or desk.tag, normalise(desk.address))),
        ("To", to),
        *([("Cc", ",\r\n ".join(cc))] if cc else []),
        ("Subject", _unstructured("Subject", subject, context["token"])),
        ("Date", format_datetime(notice.date)),
        ("Message-ID", f"<{notice.message_id}>"),
        *_answered(notice),
        *_automatic(notice),
        ("X-Mailgate-Loop", f"{notice.id}.{signed.mac('loop', notice.id).hex()[:20]}"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", encoding),
        ("Content-Language", notice.language),
    ]
    # The fields are written here and not by EmailMessage: before 3.13 it drops blanks between
    # encoded words and can be talked into folding badly; and our octets must not depend on the
    # Python that runs at the next attempt. Header, used for encoded words, has been right for ages.
    head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
    octets = head + b"\r\n" + body
    check(octets, to, cc)
    bounces = settings.outbound.bounces
    return Rendered(
        octets=octets,
        reverse_path=verp.make(signed, normalise(bounces), notice.id) if bounces else "",
        recipient=normalise(notice.envelope_to or notice.to),
        smtputf8=not head.isascii(),
        text=f"Subject: {subject}\n\n{text}",
        secrets=tuple(filter(None, (context[name] for name in _SECRET))),
    )


def check(octets: bytes, to: str, cc: Sequence[str] = ()) -> None:
    """Read the mail again as the next hop will, and refuse it where it says more than it should:
    a promise about octets is kept by looking at the octets (promises M9 and S3).
    """
    if _BARE.search(octets):
        raise BadNotice("a bare CR, LF or NUL")
    if max(map(len, octets.split(b"\r\n"))) > 998:  # RFC 5322 §2.1.1
        raise BadNotice("a line over 998 octets")
    head = octets.partition(b"\r\n\r\n")[0]
    found = list(_FIELD.finditer(head))
    if b"\r\n".join(match[0] for match in found) != head:
        raise BadNotice("a header section that does not consist of fields")
    names = [match[1].decode("ascii") for match in found]
    if len(set(names)) != len(names) or not set(names) <= set(FIELDS):
        raise BadNotice("a header field that is not ours")
    if not all(_ONE.fullmatch(address) for address in (to, *cc)):
        raise BadNotice("a recipient that is not one plain address")
    readers = [_WHITE.sub(b"", match[2]) for match in found if match[1] in (b"To", b"Cc")]
    if readers != [part.encode() for part in (to, ",".join(cc)) if part]:
        raise BadNotice("another recipient than the registered one")


def _context(notice: Notice, settings: Settings, keys: Keys) -> dict[str, Any]:
    """What templates know. What is secret comes from the keys, here, and is kept nowhere."""
    values, said = notice.values, words(notice.language)
    desk = settings.desks[notice.desk]
    return {
        "desk": one_line(desk.name or desk.tag),
        "desk_address": desk.address,
        "panel": f"{settings.base_url}/panel",
        "name": notice.to_name,
        "ticket": notice.ticket,
        "token": _token(notice, settings, keys),
        "subject": values.get("subject") or said["notice.untitled"],
        "sender": values.get("sender", ""),
        "channel": values.get("channel", "email"),
        "verdict": values.get("verdict", ""),
        "received": _date(values.get("received"), said, settings),
        "expires": _date(values.get("expires"), said, settings),
        "issued": _date(values.get("issued"), said, settings),
        "ended": _date(values.get("ended"), said, settings),
        "reasons": list(_reasons(values, said)),
        "step": notice.link_step or "",
        **dict.fromkeys(_SECRET, ""),
        **_opening(notice, settings.base_url, keys),
        **{name: one_line(values.get(name, "")) for name in _PLAIN},
        "text": _lines(values.get("text", "")),
        "form": _lines(values.get("form", "")),
        "signature": _lines(values.get("signature", "")),
    }


def _opening(notice: Notice, base: str, keys: Keys) -> dict[str, str]:
    """What the notice opens something with; it follows from its nonce and the keys alone."""
    nonce, template = notice.link_nonce, notice.template
    if nonce is None:
        return {}
    asks_code = notice.link_step == "code"
    if template == "access-token":
        return {"access_token": access.token(keys, nonce)}
    if template == "sign-in-link":
        return {"link": f"{base}/panel/in/{session.sign_in_token(keys, nonce)}"}
    if template == "verify-address":
        return {"link": f"{base}/panel/v/{change.token(keys, nonce, 'new')}"}
    if template == "confirm-main-change":
        code = change.code(keys, nonce) if asks_code else ""
        return {"link": f"{base}/panel/v/{change.token(keys, nonce, 'old')}", "code": code}
    code = link.code(keys, nonce) if asks_code else ""
    return {"link": f"{base}/c/{link.token(keys, nonce)}", "code": code}


def _lines(text: str) -> str:
    """What a person wrote, line by line, without characters that do not show."""
    lines = ("".join(c for c in line if c == "\t" or shows(c)) for line in text.splitlines())
    return "\n".join(lines)


def _automatic(notice: Notice) -> Iterator[tuple[str, str]]:
    """That a machine wrote this (RFC 3834 §5), unless somebody did. No Precedence: bulk (§3.1.8):
    it sends mail that must be read to the spam.
    """
    if notice.template != BY_A_PERSON:
        yield "Auto-Submitted", "auto-replied" if notice.queue_id else "auto-generated"
        yield "X-Auto-Response-Suppress", "All"


def _token(notice: Notice, settings: Settings, keys: Keys) -> str:
    if notice.ticket is None:
        return ""
    # A ticket keeps the desk it was opened at, and its code is made with that desk's name.
    desk = notice.values.get("ticket_desk", notice.desk)
    if desk not in settings.desks:
        raise BadNotice(f"the desk {desk} is gone")
    code = ticket.code(keys, desk, notice.ticket, int(notice.values.get("epoch", "0")))
    return ticket.render(settings.desks[desk].tag, notice.ticket, code)


def _reasons(values: Mapping[str, str], said: Words) -> Iterator[Reason]:
    """The reasons in words; those of an administrator's own came along with the notice."""
    for code in values.get("reasons", "").split():
        own = values.get(f"reason.{code}")
        yield said.reason(code) if own is None else Reason(one_line(own), "")


def _date(stamp: str | None, said: Words, settings: Settings) -> str:
    return said.date(datetime.fromisoformat(stamp).astimezone(settings.zone)) if stamp else ""


def _answered(notice: Notice) -> Iterator[tuple[str, str]]:
    """RFC 5322 §3.6.4; each on a line of its own, as ids may be long."""
    if notice.in_reply_to:
        yield "In-Reply-To", f"<{notice.in_reply_to}>"
        yield "References", f"<{notice.in_reply_to}>"


def _unstructured(name: str, text: str, token: str) -> str:
    """Text as a field body, with encoded words (RFC 2047 §2) for all but the ticket token: there
    is software that joins two encoded words badly, and the token must survive it (A2).
    """
    before, found, after = text.partition(token) if token else (text, "", "")
    header = Header(header_name=name, maxlinelen=_LINE)
    for part in map(one_line, (before, found, after)):
        if part:
            plain = part.isascii() and "=?" not in part  # what looks encoded must not get decoded
            header.append(part, "us-ascii" if plain else "utf-8")
    return header.encode(linesep="\r\n")


def _mailbox(name: str, address: str) -> str:
    """Display name and address (RFC 5322 §3.4)."""
    name = one_line(name)
    plain = name.isascii() and "=?" not in name  # what looks encoded must not get decoded
    if plain and _ATOMS.fullmatch(name):
        phrase = name
    elif plain:
        phrase = f'"{quote(name)}"'
    else:
        phrase = Header(name, "utf-8", maxlinelen=_LINE, header_name="From").encode(linesep="\r\n")
    return f"{phrase}\r\n <{address}>"


def _body(text: str) -> tuple[str, bytes]:
    """Encoding and octets of the text: as it is where that is safe, else quoted-printable."""
    if text.isascii() and all(len(line) <= 78 for line in text.split("\n")):
        return "7bit", text.replace("\n", "\r\n").encode("ascii")
    # The module wants each octet as one character (RFC 2045 §6.7).
    octets = text.encode("utf-8", "replace").decode("latin-1")
    encoded = email.quoprimime.body_encode(octets, maxlinelen=_LINE, eol="\r\n")
    return "quoted-printable", encoded.encode("ascii")

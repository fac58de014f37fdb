"""What a mail system wrote for people to read: whom it could not reach, and in whose words."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from mailgate.message import html
from mailgate.message.mime import Part
from mailgate.message.phrases import table

_MAX_TEXT = 64 << 10
_MAX_LINE, _MAX_LINES = 1000, 4000
_MAX_RECIPIENTS = 200
_HEADER_FIELD = re.compile(
    r"(?:received|return-path|message-id|from|to|subject|date|mime-version|x-[a-z\-]+"
    r"|dkim-signature|content-type)\s?:", re.IGNORECASE
)  # fmt: skip
_LEAD = " \t>-*=#|_"
_DOMAIN = r"[a-z0-9_\-]+(?:\.[a-z0-9_\-]+)*|\[[0-9a-f.:]+\]"
_ADDRESS = rf"[^\s<>()\[\]:;,\"'=|@\\]{{1,128}}@(?:{_DOMAIN})"
_CUES = (
    r"recipients?(?: address)?(?:\(s\))?(?: is)?|undeliverable address|undeliverable|error-for"
    r"|addressed(?: to)?,?|delivered to|message to|mail to|delivery to|deliver to|this address"
    r"|unknown user|userid|mailbox is full|exceeds allowed size|rcpt to|generated from"
    r"|gateway for|violation for|address|mailbox|account|mailing list|user|to|for|from address"
)
#: Ways to name a recipient in a line, from the surest to the least; the first way that finds one
#: is taken, for every line. `a` is the address.
_WAYS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # The line begins with it: `<a@b>:`, `a@b`, `* a@b`, `"a@b":`, `a@b on Thu, …`, `a@b... no`.
        rf"^[\s>*•\-|\"']{{0,80}}<?(?:mailto:|smtp:)?(?P<a>{_ADDRESS})>?[\"']?"
        r"(?:\s*$|\s*:|\s*\.\.\.|\s*,|\s*;|\s*\(|<mailto:|\s+on\s|\s+-\s|\s*<)",
        # A reply of a server: `550 5.1.1 <a@b>... no`.
        r"(?<![\d.])[45]\d\d[\- ]{1,2}(?:#?[245]\.\d{1,3}\.\d{1,3}\s)?\s*"
        rf"<?(?P<a>{_ADDRESS})>?\s*(?:\.\.\.|:|,|\()",
        # The line begins with it, and says the rest in words.
        rf"^\s{{0,20}}<?(?P<a>{_ADDRESS})>?\s+\S",
        # What was said to a server.
        rf"rcpt to:\s*<?(?P<a>{_ADDRESS})",
        rf"(?:^|[^a-z])(?:{_CUES})\s?:?\s*[\"'<\[(*]{{0,3}}(?:smtp[:=])?\s?(?P<a>{_ADDRESS})",
        rf"(?:^|[^a-z0-9._%+\-])(?P<a>{_ADDRESS})",
    )
)
#: How many of the ways are sure; the others ask a second reader first.
_SURE = 4
_ANY_ADDRESS = re.compile(_ADDRESS, re.IGNORECASE)
_TO_FIELD = re.compile(r"(?im)^[ \t>]{0,8}to\s?:(.{0,400})")
_NEVER = re.compile(
    r"mailer-daemon|mail-daemon|postmaster|abuse|helpdesk|support|hostmaster|[a-z]*noreply"
    r"|no-reply|nobody|undisclosed.*"
)
_SENDER_SAID = re.compile(r"mail from:\s*<?[^\s>]*>?|envelope-from\s+<?[^\s>]*>?", re.IGNORECASE)


_OF_MESSAGE = re.compile(
    r"[ \t>]*(?:message-id|references|in-reply-to|received|return-path|from|reply-to)\s?:",
    re.IGNORECASE,
)
_REPLY_LINE = re.compile(r"\s{0,8}[45]\d\d[ \-].*\.\.\.")


@dataclass(frozen=True, slots=True)
class Notice:
    """The notification, and what follows it of the message that came back."""

    lines: tuple[str, ...]
    original: str

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Named:
    """A recipient that the notification names, and the lines that speak of it."""

    address: str
    words: str


def read(parts: Sequence[Part]) -> Notice:
    """The notification: all text before the returned message."""
    return split(written(parts))


def written(parts: Sequence[Part]) -> str:
    """All text that is not of the returned message; from HTML where there is no plain text."""
    own = list(_own(parts))
    plain = [p for p in own if p.content_type != "text/html"]
    texts = [p.text()[:_MAX_TEXT] for p in plain if p.octets().strip()]
    if not any(t.strip() for t in texts):
        texts = [html.to_text(p.text()[: 2 * _MAX_TEXT]) for p in own if p not in plain]
    return "\n".join(texts)[:_MAX_TEXT]


def _own(parts: Sequence[Part]) -> Iterator[Part]:
    """The text parts that are not of the returned message."""
    for part in parts:
        if part.is_text and part.content_type != "text/rfc822-headers":
            yield part


def split(text: str) -> Notice:
    """The notice ends where a line says that the original follows, or its header begins."""
    lines = [line[:_MAX_LINE].rstrip() for line in text.split("\n")[:_MAX_LINES]]
    marks = table("bounces")["original follows"]
    for index, line in enumerate(lines):
        start = line.lstrip(_LEAD).casefold()
        if start.startswith(marks) or _is_head(lines, index):
            return Notice(tuple(lines[:index]), "\n".join(lines[index:]))
    return Notice(tuple(lines), "")


def _is_head(lines: Sequence[str], at: int) -> bool:
    """Whether a returned header section begins at this line: a trace field and two more fields."""
    if not lines[at][:20].lstrip(" >").lower().startswith(("received:", "return-path:")):
        return False
    below = [line.lstrip(" >") for line in lines[at + 1 : at + 12]]
    return sum(1 for line in below if _HEADER_FIELD.match(line)) >= 1


@functools.cache
def _phrases(name: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(p) for p in table("bounces")[name]))


def introduces(notice: Notice) -> bool:
    """Whether the notification says that mail could not be delivered."""
    return _phrases("introductions").search(_folded(notice)) is not None


def still_trying(notice: Notice) -> bool:
    """Whether the notification says that delivery goes on."""
    return _phrases("still trying").search(_folded(notice)) is not None


def _folded(notice: Notice) -> str:
    return " ".join(notice.text.casefold().replace("’", "'").split())


def recipients(notice: Notice, not_these: frozenset[str]) -> tuple[tuple[Named, ...], bool]:
    """Whom the notification names, and whether it does so in a sure way. Addresses of `not_these`
    (who sent, who reports) count only where the notice has no other."""
    lines = [_speaking(line) if "@" in line else "" for line in notice.lines]
    start = _first_line_of_recipients(notice)
    for allowed in (False, True):
        for above in {start, 0}, {0}:
            for way in range(len(_WAYS)):
                found = _by(way, lines, max(above), () if allowed else not_these)
                if found:
                    return _with_words(found, notice), way < _SURE
            if start == 0:
                break
    return (), False


def _speaking(line: str) -> str:
    """A line without addresses that belong to the message, not to its recipients."""
    return "" if _OF_MESSAGE.match(line) else _SENDER_SAID.sub("", line)


def _by(way: int, lines: Sequence[str], start: int, not_these: Collection[str]) -> dict[str, int]:
    """Addresses that one way of naming finds, each with its line."""
    found: dict[str, int] = {}
    for index, line in enumerate(lines[start:], start):
        if not line or not (match := _WAYS[way].search(line)):
            continue
        address = match["a"].strip(".'")
        never = not_these and _NEVER.fullmatch(address.partition("@")[0].lower())
        if address.lower() not in not_these and not never:
            found.setdefault(address, index)
            if way == len(_WAYS) - 1:
                break
    return found


def _first_line_of_recipients(notice: Notice) -> int:
    marks = _phrases("recipients below")
    return next((i for i, line in enumerate(notice.lines) if marks.search(line.casefold())), 0)


def sent_to(original: str) -> tuple[str, ...]:
    """The one address in the To field of the message that came back, where it has just one."""
    field = _TO_FIELD.search(original)
    found = _ANY_ADDRESS.findall(field[1]) if field else []
    return (found[0],) if len(found) == 1 else ()


def about(notice: Notice, addresses: Sequence[str]) -> tuple[Named, ...]:
    """The lines that speak of these addresses."""
    places: dict[str, int] = {}
    for address in addresses:
        folded = address.lower()
        at = next((i for i, line in enumerate(notice.lines) if folded in line.lower()), -1)
        places[address] = at
    return _with_words(places, notice)


def _with_words(places: dict[str, int], notice: Notice) -> tuple[Named, ...]:
    """Each address with its own lines: up to the next address, all lines for a lone one."""
    places = dict(list(places.items())[:_MAX_RECIPIENTS])
    starts = sorted({at for at in places.values() if at >= 0})
    named = []
    for address, at in places.items():
        if len(places) == 1 or at < 0:
            words = notice.text
        elif _REPLY_LINE.match(notice.lines[at]):
            words = notice.lines[at]  # Sendmail says all of a recipient in one line
        else:
            end = next((s for s in starts if s > at), at + 12)
            words = "\n".join(notice.lines[at : min(end, at + 12)])
        named.append(Named(address, words))
    return tuple(named)

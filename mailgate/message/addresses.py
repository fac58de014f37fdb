"""Address lists (RFC 5322 §3.4) read for people: whatever real mail holds gives mailboxes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mailgate.message import words
from mailgate.model.message import Mailbox

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]"
_SIMPLE = re.compile(
    rf"""\s*(?:(?:"([^"\\]*+)"|([^"<>()@,;:\\\[\]]*+))\s*<({_ATEXT}+@[A-Za-z0-9.\-]+)>
        |({_ATEXT}+@[A-Za-z0-9.\-]+))\s*(?:,|$)""",
    re.VERBOSE,
)
_TOKEN = re.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*") | (?P<space>\s+) | (?P<special>[<>,;:()"])
        | (?P<literal>\[[^\[\]<>,;\s]*\])
        | (?P<text>(?:[^\s<>,;:()"\\\[\]]|\\.)+) | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_SPACES = re.compile(r"\s+")
_BARE = re.compile(
    r"""(?:"(?:[^"\\]|\\.)*+"|(?<![^\s"'<>@])[^\s"'<>@]{1,256}+)
        \s{0,9}@\s{0,9}(?:\[[^\]\s]*\]|[^\s"'<>@]{1,256})""",
    re.VERBOSE,
)
_LOCAL_NAME = re.compile(r"[\w.+\-]+")  # `MAILER-DAEMON`, without a domain
_MAILTO = re.compile(r"mailto:", re.IGNORECASE)


@dataclass(slots=True)
class _Item:
    """What stands between two commas."""

    phrase: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    inside: list[str] | None = None

    @property
    def angle(self) -> str | None:
        """What stands in angle brackets, None where there are none."""
        return None if self.inside is None else "".join(self.inside)

    @property
    def empty(self) -> bool:
        return self.inside is None and not "".join(self.raw).strip()

    @property
    def may_be_label(self) -> bool:
        """Whether a colon here ends the name of a group: nothing of an address came before."""
        return self.inside is None and not any("@" in piece for piece in self.raw)


def parse(body: str, limit: int, charset: str = "") -> list[Mailbox]:
    """Mailboxes of an address list in order, groups expanded; at most `limit` of them."""
    simple = _simple(body, limit)
    if simple is not None:
        return simple
    found: list[Mailbox] = []
    waiting: _Item | None = None  # `Smith, John <john@x>`: the comma belongs to the name
    for item in _items(body):
        if len(found) >= limit:
            break
        if item.inside is None and "@" not in "".join(item.raw):
            mailbox = _hidden(item, charset)
            if mailbox is not None:
                found.append(mailbox)
                waiting = None
            elif waiting is None and not item.empty:
                waiting = item
            continue
        if waiting is not None and item.inside is not None and item.phrase:
            item.phrase = [*waiting.phrase, ", ", *item.phrase]
        waiting = None
        mailbox = _mailbox(item, charset)
        if mailbox is not None:
            found.append(mailbox)
    return found


def tidy(address: str) -> str:
    """The domain lower-case, the local part as written; without white space around."""
    local, at, domain = address.strip().rpartition("@")
    return f"{local}{at}{domain.lower()}" if at else domain


def _simple(body: str, limit: int) -> list[Mailbox] | None:
    """The common forms in one pass; None where the list holds anything else."""
    if not body.isascii():
        return None
    found: list[Mailbox] = []
    at = 0
    while at < len(body):
        match = _SIMPLE.match(body, at)
        if match is None or len(found) >= limit:
            return None
        quoted, plain, address, bare = match.groups()
        name = quoted or plain
        found.append(Mailbox(_name(name, "") if name else "", tidy(address or bare)))
        at = match.end()
    return found


def _items(body: str) -> list[_Item]:
    """Cut the list at its commas and semicolons, outside quotes, comments and brackets."""
    cutter = _Cutter()
    for match in _TOKEN.finditer(body):
        cutter.take(match[0], quoted=bool(match["quoted"]))
    if cutter.depth:  # an unclosed comment hides nothing
        rest = "".join(cutter.comment)
        cutter.items.extend(_items(rest.replace("(", " ").replace(")", " ")))
    return cutter.items


class _Cutter:
    """Takes the lexical pieces one by one; knows whether it is in a comment or in brackets."""

    def __init__(self) -> None:
        self.items = [_Item()]
        self.depth = 0
        self.comment: list[str] = []
        self._in_angle = False
        self._addressed = False  # whether these brackets hold an address by now

    def take(self, piece: str, *, quoted: bool) -> None:
        if self.depth or piece == "(":
            self._comment(piece)
        elif self._in_angle:
            self._angle(piece)
        elif piece == "<":
            self._open_angle()
        elif piece in (",", ";"):
            self.items.append(_Item())
        elif piece == ":" and self.items[-1].may_be_label:
            self._label()
        elif piece != ">":
            item = self.items[-1]
            item.raw.append(piece)
            item.phrase.append(_PAIR.sub(r"\1", piece[1:-1]) if quoted else piece)

    def _comment(self, piece: str) -> None:
        self.depth += (piece == "(") - (piece == ")")
        if self.depth == 0:
            self.items[-1].comments.append("".join(self.comment))
            self.comment = []
        elif self.depth > 1 or piece != "(":
            self.comment.append(piece)

    def _angle(self, piece: str) -> None:
        item = self.items[-1]
        if piece == ">":
            self._in_angle = False
        elif piece in (",", ";") and self._addressed:
            self._in_angle = False  # the closing bracket was forgotten
            self.items.append(_Item())
        elif item.inside is not None:
            item.inside.append(piece)
            self._addressed = self._addressed or "@" in piece[1:]

    def _open_angle(self) -> None:
        """A second bracket in one item: what the first held was part of the name."""
        item = self.items[-1]
        if item.inside is not None:
            item.phrase.append(f"<{item.angle}>")
        item.inside = []
        self._in_angle, self._addressed = True, False

    def _label(self) -> None:
        """The name of a group (§3.4) or a scheme such as `mailto:`: neither is an address."""
        self.items[-1] = _Item()


def _mailbox(item: _Item, charset: str) -> Mailbox | None:
    name = _name("".join(item.phrase), charset)
    if item.angle is None:
        match = _BARE.search("".join(item.raw))
        if match is None:
            return None
        address = match[0]
        name = _name("".join(item.raw).replace(address, " ", 1), charset)
    else:
        address = item.angle
    comment = _name(" ".join(item.comments), charset)
    address = _address(address, charset)
    if not address and item.angle is not None and name:
        return _mailbox(_Item(item.phrase, item.raw, item.comments), charset)
    if not address:
        return None
    return Mailbox(name or comment, address)


def _address(raw: str, charset: str) -> str:
    """An addr-spec without route (§4.4), brackets, scheme and folding."""
    raw = raw.strip()
    if raw.startswith("@") and ":" in raw:
        raw = raw.partition(":")[2]
    raw = _MAILTO.sub("", raw, count=1) if raw[:7].lower() == "mailto:" else raw
    if not raw.isascii() or "=?" in raw or not raw.isprintable():
        raw = words.decode(raw, charset)
    raw = _SPACES.sub(" " if '"' in raw else "", raw)
    address = tidy(raw.strip("<>'\" ") if not raw.startswith('"') else raw)
    return address if "@" in address or _LOCAL_NAME.fullmatch(address) else ""


def _name(raw: str, charset: str) -> str:
    """A display name for people: decoded, in one line, without quotes around."""
    name = _SPACES.sub(" ", words.decode(raw, charset)).strip()
    for quote in "'\"'":
        if len(name) > 1 and name[0] == name[-1] == quote:
            name = name[1:-1].strip()
    return name


def _hidden(item: _Item, charset: str) -> Mailbox | None:
    """`=?utf-8?Q?Name_<a@b>?=`: a whole mailbox put into encoded words by mistake."""
    raw = "".join(item.raw).strip()
    if "=?" not in raw:
        return None
    match = _SIMPLE.fullmatch(words.decode(raw, charset))
    if match is None:
        return None
    quoted, plain, address, bare = match.groups()
    return Mailbox((quoted or plain or "").strip(), tidy(address or bare))

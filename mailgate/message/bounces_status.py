"""The enhanced status (RFC 3463) that a delivery report gives in a field, in its text, or not."""

from __future__ import annotations

import functools
import re

from mailgate.message.phrases import table

#: RFC 3463 §2: class, subject, detail; neither part of an IP address nor of a version number.
_CODE = r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)"
_ANY_CODE = re.compile(_CODE)
#: From the clearest way of writing a code to the least: `(#5.1.1)`, `550 5.1.1`, `5.1.1`.
_CODES = (
    re.compile(r"\(#" + _CODE),
    re.compile(r"(?<![\d.])[245]\d\d[- :]{1,3}\(?#?" + _CODE),
    re.compile(r"#\s?" + _CODE),
    _ANY_CODE,
)
_REPLY_AND_CODE = re.compile(rf"(?<![\d.])([245])\d\d[\- :'\"]{{1,3}}\(?#?{_CODE}")
#: A reply code where a reply begins: after a word, a colon, a quote or at the start.
_REPLY = re.compile(r"(?<![\d.\-/#+@])([45][0-5]\d)(?=[ \-:,.;)'\"]|$)(?![.\-]\d)")
_AFTER_DATA = re.compile(
    r"after end of data|end of data|in reply to end of data|in reply to data"
    r"|after pipelined data|after data|message content|smtp command\s+data",
    re.IGNORECASE,
)
_NOT_OF_RECIPIENT = re.compile(rf"{_AFTER_DATA.pattern}|to mail from|after mail from|my name was")
_MENTION = re.compile(r"\S{0,200}@\S{0,200}")
_UNKNOWN_USER, _FILTERED = 911, 910
_VAGUE = re.compile(r"[245]\.0\.0")
#: RFC 3463 §3.5: X.4.7 says that time ran out, "if possible, the code for the actual problem
#: … should be returned".
_EXPIRED = re.compile(r"[45]\.4\.7")
#: Reasons that pass by themselves; the others are of class 5 whoever reports them.
_PASSING = frozenset(
    {900, 901, 910, 918, 922, 930, 931, 932, 944, 945, 946, 947, 960, 970, 971, 980}
)
_SOME_REASON, _NO_REASON = 901, 900
#: No such mailbox, host or place; moved away; takes no mail (RFC 3463 §3.2, RFC 7505 §4.2).
_OF_THE_ADDRESS = re.compile(r"5\.1\.(?:[1-36]|10)|5\.4\.4")
#: Codes that leave the reason to the words beside them.
_UNSAID = re.compile(r"5\.\d\.(?:0|\d{3})|5\.2\.1")
#: Servers say this of a policy as well.
_REJECTED = re.compile(r"(?:recipient |address ){1,2}rejected")
#: A server's reason is short; what follows is of others.
_MAX_WORDS = 4000


def of_field(body: str) -> str:
    """The code in a Status field (RFC 3464 §2.3.4), or ""."""
    found = _ANY_CODE.search(body[:200])
    return _normal(found[1]) if found else ""


def of_text(text: str) -> str:
    """The code that a mail server's text gives in the clearest way, or ""."""
    for pattern in _CODES:
        if found := pattern.search(text, 0, 4 * _MAX_WORDS):
            return _normal(found[1])
    return ""


def is_vague(status: str) -> bool:
    return not status or _VAGUE.fullmatch(status) is not None


def prefer(field: str, said: str) -> str:
    """A Status field and a server's own words (RFC 3464 §2.3.6): the more telling of the two.

    The words win over a field that the reporting system could only guess, over X.4.7 (RFC 3463
    §3.5: "if possible, the code for the actual problem"), and where a code stands beside the
    reply code that it belongs to.
    """
    replied = of_reply(said)
    if replied and not is_vague(replied):
        return replied
    code = of_text(said)
    if _EXPIRED.fullmatch(field):
        codes = (_normal(found[1]) for found in _ANY_CODE.finditer(said))
        return next((c for c in codes if not _EXPIRED.fullmatch(c) and not is_vague(c)), field)
    if is_vague(field) and not is_vague(code) and code[0] != "2":
        return code
    return field or code


def of_reply(text: str) -> str:
    """A code beside a reply code of the same class, as in `550 5.1.1`, or ""."""
    for found in _REPLY_AND_CODE.finditer(text, 0, 4 * _MAX_WORDS):
        if found[1] == found[2][0]:
            return _normal(found[2])
    return ""


def computed(text: str, delayed: bool) -> str:
    """A status for a text without a code: class by its reply codes, detail by its reason."""
    text = text[:_MAX_WORDS]
    folded = _fold(text)
    detail = _reason(folded)
    if detail == _SOME_REASON and not _has_own_words(text):
        detail = _NO_REASON
    if detail == _UNKNOWN_USER and _AFTER_DATA.search(folded):
        detail = _FILTERED  # the server took the recipient, and refused what was sent
    replies = [code[0] for code in _REPLY.findall(text)]
    passing = delayed or ("4" in replies and "5" not in replies)
    return f"{4 if passing and detail in _PASSING else 5}.0.{detail}"


def is_hard(status: str, words: str) -> bool:
    """Whether the address is to blame, and for good: by the code where it says so and the words do
    not object (`550 5.1.1 mailbox full`), by the words where the code says nothing.

    In doubt it is not: an address that is paused in error gets no mail at all.
    """
    folded = _REJECTED.sub(" ", _fold(words[:_MAX_WORDS]))
    detail = _reason(folded)
    if _OF_THE_ADDRESS.fullmatch(status):
        return detail in (_SOME_REASON, _NO_REASON) or detail in _hard_reasons()
    if _UNSAID.fullmatch(status) is None or _NOT_OF_RECIPIENT.search(folded):
        return False
    return detail in _hard_reasons()


def _has_own_words(text: str) -> bool:
    """Whether any line says more than that mail was not delivered, and to whom."""
    usual = table("bounces")["introductions"]
    for line in text.casefold().split("\n"):
        rest = _MENTION.sub("", line)
        if any(c.isalpha() for c in rest) and not any(phrase in rest for phrase in usual):
            return True
    return False


def _fold(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())


def _reason(folded: str) -> int:
    if not folded:
        return _NO_REASON
    for detail, phrases in _reasons():
        if any(phrase in folded for phrase in phrases):
            return detail
    return _SOME_REASON


@functools.cache
def _reasons() -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Details and the words for them, in the order of asking."""
    return tuple(
        (int(name.partition(" ")[0]), phrases) for name, phrases in table("bounces_reasons").items()
    )


@functools.cache
def _hard_reasons() -> frozenset[int]:
    names = (name.split(" ", 2) for name in table("bounces_reasons"))
    return frozenset(int(name[0]) for name in names if name[1] == "hard:")


def _normal(code: str) -> str:
    """Without leading zeros (RFC 3463 §2)."""
    return ".".join(str(int(part)) for part in code.split("."))

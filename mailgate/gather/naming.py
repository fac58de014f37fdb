"""Which services a message names: what a person reads there, however it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from mailgate.message.html import to_text
from mailgate.message.markup import markup
from mailgate.model.addresses import spellings
from mailgate.model.directory import Service
from mailgate.model.message import Message

#: An ideographic full stop separates labels too (RFC 3490 §3.1); NFKC leaves it as it is.
_DOTS = str.maketrans("。", ".")
#: What no reader sees (Unicode: Default_Ignorable_Code_Point).
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)


def wording(content: bytes, message: Message) -> str:
    """All that a reader sees, as `named_services` searches it: subject, text, and the HTML beside
    a plain text, for staff may look at either."""
    html = markup(content)
    shown = to_text(html) if html else ""
    return _plain(f"{message.head.subject}\n{message.text}\n{shown}")


def named_services(wording: str, services: Sequence[Service]) -> list[Service]:
    """Services whose identifier stands in the text as a name, or as the end of a longer one.

    Naming more services can only narrow what is authorized, so quotes count, and in doubt a name
    counts: `www.example.pl` is of `example.pl`, unless it is a service itself; `my-example.pl` is
    not.
    """
    found = set()
    for service in sorted(services, key=lambda s: len(s.identifier), reverse=True):
        for name in {_plain(n) for n in spellings(service.identifier)}:
            if name in wording and (pattern := _as_a_name(name)).search(wording):
                found.add(service.id)
                wording = pattern.sub(" ", wording)  # it does not stand for a shorter one as well
    return [s for s in services if s.id in found]


def _as_a_name(name: str) -> re.Pattern[str]:
    """Neither a letter beside it, nor one behind a hyphen; an underscore may be for emphasis."""
    return re.compile(rf"(?<![^\W_])(?<![^\W_][-_]){re.escape(name)}(?![^\W_])(?![-_][^\W_])")


def _plain(text: str) -> str:
    """One form of what looks alike: no case, no invisible characters, blanks as single ones."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_DOTS)
    return " ".join(text.casefold().split())

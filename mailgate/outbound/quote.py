"""Words of a stranger inside a mail of ours: short, one line, and nothing in them to click on."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200
"""Characters of somebody else's message that a mail of ours may quote (promise L8)."""

# Dots that a browser takes for one between labels (UTS 46 §2.3), before something like a letter.
_DOT = re.compile(r"(?<=\w)[.\u3002\uff0e\uff61](?=[^\W\d_])")
_SCHEME = re.compile(r"(?<=[^\W\d_]):(?=\S)")
_SPACES = re.compile(r"\s+")
_ADDRESS = re.compile(r"[A-Za-z0-9._+\-]{1,64}@[A-Za-z0-9.\-]{1,255}")
_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,200}@[!-;=?-~]{1,200}")


def quoted(text: str, longest: int = LONGEST) -> str:
    """One line that cannot act: no control, no bidi override, no live URL, no ticket token.

    A blank after each dot and colon is what keeps mail programs from making a link of it; square
    brackets become round, so that no second token can get into the subject of a reply.
    """
    # Four times as much as is wanted is looked at, so that a long subject costs no time.
    line = one_line(text[: 4 * longest])
    harmless = _DOT.sub(". ", _SCHEME.sub(": ", line)).translate({91: "(", 93: ")"})
    return harmless if len(harmless) <= longest else harmless[: longest - 1].rstrip() + "…"


def one_line(text: str) -> str:
    """The text as one line of characters that can be seen."""
    return _SPACES.sub(" ", "".join(c if shows(c) else " " for c in text)).strip()


def quoted_address(address: str) -> str:
    """An address as it stands where it is a plain one, else quoted like any other text."""
    plain = _ADDRESS.fullmatch(address) is not None and len(address) <= LONGEST
    return address if plain else quoted(address)


def answerable(message_id: str | None) -> str | None:
    """The Message-ID of a stranger's mail where it may stand in a header field of ours."""
    return message_id if message_id and _MESSAGE_ID.fullmatch(message_id) else None


def shows(char: str) -> bool:
    """Whether a character is one that a reader sees: no C* category (controls, bidi marks,
    surrogates, unassigned) and no line separator.
    """
    return unicodedata.category(char)[0] != "C" and char not in "\u2028\u2029"

"""Files uuencoded into running text, as mail carried them before MIME."""

from __future__ import annotations

import re

from mailgate.message import transfer

_FILE = re.compile(
    r"^begin [0-7]{3,4} ([^\n]{1,255})\n((?:[!-`][ -`]{0,90}+[^\n]{0,5}+\n)++)[` ]?\n?end[ \t]*$",
    re.MULTILINE,
)


def extract(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text without its uuencoded files, and the files as name and octets."""
    found: list[tuple[str, bytes]] = []

    def take(match: re.Match[str]) -> str:
        found.append((match[1].strip(), transfer.uu(match[0].encode("ascii", "replace"))))
        return ""

    return _FILE.sub(take, text), found

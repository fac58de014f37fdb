"""One person's address inside any text: however it is spelled, and nobody else's (promise G6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mailgate.model.addresses import address_key

#: Wide on purpose: what is no address has no key that anybody asks for.
_TOKEN = re.compile(r"[^\s<>()\[\]{}:;,\"\\|]+@[^\s<>()\[\]{}:;,\"\\|/?#]+")
#: Punctuation of a sentence, and quotes; nobody's address begins or ends with it.
_AROUND = ".'`"


def names(text: str, key: str) -> bool:
    """Whether a text has this address in it, in any case, with U-labels or A-labels."""
    return any(_same(found[0], key) is not None for found in _TOKEN.finditer(text))


def without(text: str, key: str, word: str) -> str:
    """The text with a word in the place of this address."""

    def change(found: re.Match[str]) -> str:
        same = _same(found[0], key)
        return found[0] if same is None else found[0].replace(same, word)

    return _TOKEN.sub(change, text)


def with_nobody_else(text: str, key: str, word: str) -> str:
    """The text with a word in the place of every address but this one."""

    def change(found: re.Match[str]) -> str:
        if _same(found[0], key) is not None:
            return found[0]
        return found[0].replace(found[0].strip(_AROUND), word)

    return _TOKEN.sub(change, text)


def everywhere(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with a change made to each string in it, names of members included."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(str(name)): everywhere(each, change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [everywhere(each, change) for each in value]
    return value


def _same(token: str, key: str) -> str | None:
    """The part of a token that is this address: all of it, or what punctuation or `mailfrom=`
    surrounds; None where it is another one."""
    core = token.strip(_AROUND)
    parts = (token, core, core.rpartition("=")[2])
    return next((part for part in parts if address_key(part) == key), None)

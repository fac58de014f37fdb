"""Tables of phrases in text files beside this one: sections in brackets, a phrase a line."""

from __future__ import annotations

import configparser
import functools
from collections.abc import Mapping
from importlib import resources


@functools.cache
def table(name: str) -> Mapping[str, tuple[str, ...]]:
    """The sections of `<name>.txt` in order, read once, case-folded (`ß` is `ss`); a phrase twice
    in a section is an error."""
    parser = configparser.ConfigParser(
        delimiters=("\0",), comment_prefixes=("#",), allow_no_value=True, interpolation=None
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as documented there
    text = resources.files("mailgate.message").joinpath(f"{name}.txt").read_text("utf-8")
    parser.read_string(text, source=f"{name}.txt")
    return {
        section: tuple(dict.fromkeys(phrase.casefold() for phrase in parser[section]))
        for section in parser.sections()
    }

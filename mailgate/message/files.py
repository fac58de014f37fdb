"""File names of attachments made safe to show and to save."""

from __future__ import annotations

import re
import unicodedata

_MAX_OCTETS = 240
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+')
_WHITE = re.compile(r"\s+")
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)")


def safe_name(name: str) -> str:
    """The last part of a path, in NFC, without controls, direction marks and reserved forms.

    What would hide the true ending (right-to-left override), leave the folder (`..`) or name a
    device is taken out; "" where nothing is left.
    """
    if not name:
        return ""
    name = name.encode("utf-8", "replace").decode("utf-8")
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rstrip("/").rpartition("/")[2])
    name = _WHITE.sub(" ", _FORBIDDEN.sub("_", name)).strip(" ").rstrip(". ").lstrip(".")
    if _RESERVED.match(name):
        name = f"_{name}"
    return _shortened(name)


def _shortened(name: str) -> str:
    """Cut to what every file system takes, keeping the ending."""
    octets = name.encode("utf-8")
    if len(octets) <= _MAX_OCTETS:
        return name
    stem, dot, ending = name.rpartition(".")
    kept = f"{dot}{ending}" if stem and len(ending) <= 16 else ""
    room = _MAX_OCTETS - len(kept.encode("utf-8"))
    return octets[:room].decode("utf-8", "ignore") + kept

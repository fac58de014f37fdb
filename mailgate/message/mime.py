"""The part tree of a message (RFC 2046) as frozen values; octets are decoded when asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mailgate.message import charsets, cms, transfer
from mailgate.model.message import Field

#: What of one part is decoded to text: the characters that are read, in the widest charset.
MAX_TEXT_OCTETS = 4 << 20

_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE
)


@dataclass(frozen=True)
class Part:
    """One body part. It keeps the whole content and its own span in it, so that no level of
    nesting copies octets.

    `content_type` is lower-case `type/subtype`, and `text/plain` where the field is missing or
    broken (RFC 2045 §5.2). `params` are its decoded parameters by lower-case name. `children` are
    the parts of a multipart, or the one message inside a `message/rfc822`.
    `disposition` is lower-case, None where no Content-Disposition stands.
    `filename` is decoded but not yet made safe.
    """

    content_type: str = "text/plain"
    params: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    disposition: str | None = None
    filename: str = ""
    content: bytes = b""
    start: int = 0
    end: int = 0
    children: tuple[Part, ...] = ()
    encoding: str = ""

    @property
    def body(self) -> bytes:
        """The raw octets after the header section, still transfer-encoded."""
        return self.content[self.start : self.end]

    @property
    def is_multipart(self) -> bool:
        """Whether its children are this message's own parts: a multipart, or signed content."""
        return self.content_type.startswith("multipart/") or (
            bool(self.children) and self.content_type in cms.TYPES
        )

    @property
    def is_text(self) -> bool:
        return self.content_type.startswith("text/")

    def octets(self) -> bytes:
        """The body with its transfer encoding undone."""
        return transfer.decode(self.body, self.encoding)

    def text(self) -> str:
        """The body as text: charset by the allow-list, every line ends in LF."""
        return self._text

    @cached_property
    def _text(self) -> str:
        octets = self.octets()[:MAX_TEXT_OCTETS]
        charset = self.params.get("charset", "")
        if not charset and self.content_type == "text/html" and not octets.isascii():
            declared = _META_CHARSET.search(octets, 0, 2048)
            charset = declared[1].decode("ascii") if declared else ""
        text = charsets.decode(octets, charset)
        text = text.removeprefix("\ufeff")
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def all(self, name: str) -> tuple[str, ...]:
        """Bodies of every field of that name in this part's own header section."""
        wanted = name.lower()
        return tuple(f.body for f in self.fields if f.name.lower() == wanted)

    def walk(self) -> Iterator[Part]:
        """The part itself and all below it, in the order they stand in the message."""
        yield self
        for child in self.children:
            yield from child.walk()

"""What every part of gathering has at hand, and where it writes the facts it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mailgate.message.authenticity import Authentication
from mailgate.model.envelope import Envelope
from mailgate.model.item import Item
from mailgate.model.message import Message
from mailgate.model.ports import Lookup
from mailgate.settings import Settings
from mailgate.tokens.keys import Keys

Verify = Callable[[bytes, Envelope], Authentication]
"""Own verification of a content that came in with this envelope."""


@dataclass
class Found:
    """Facts as they come in, each with the place it comes from."""

    values: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def set(self, name: str, value: str, source: str) -> None:
        self.values[name] = value
        self.sources[name] = source

    def __getitem__(self, name: str) -> str:
        return self.values[name]


@dataclass(frozen=True)
class Question:
    """One message, and everything that may be asked about it."""

    item: Item
    message: Message
    lookup: Lookup
    settings: Settings
    keys: Keys
    verify: Verify | None = None

    @property
    def sender(self) -> str | None:
        """The one address that may be the sender's: never Reply-To, Sender or a name (M3)."""
        if self.item.channel == "email":
            return self.message.head.author
        return self.item.entered_by or None

    @property
    def by_mail(self) -> bool:
        return self.item.channel == "email"

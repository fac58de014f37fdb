"""The envelope of a mail transaction, and the one SMTP reply a refusal or an acceptance is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Channel = Literal["email", "panel", "console", "api", "form"]
"""The door; `form` is the one page that asks nobody who they are."""
Protocol = Literal["smtp", "lmtp", "file", "web"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the client said around the content (RFC 5321 §2.3.1); never the content itself.

    `reverse_path` is "" for the null reverse-path (§4.5.5). Addresses are kept as the client
    wrote them, without angle brackets. `received_at` is aware and in UTC.
    """

    reverse_path: str
    recipients: tuple[str, ...]
    received_at: datetime
    client: str = ""
    helo: str = ""
    protocol: Protocol = "smtp"
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """One SMTP reply: code, enhanced status (RFC 3463 subject.detail) and one line of ASCII text.

    The class digit is stored once, in `code`; the enhanced status takes it from there, so the two
    cannot disagree.
    """

    code: int
    detail: str
    text: str

    @property
    def temporary(self) -> bool:
        return self.code // 100 == 4

    @property
    def ok(self) -> bool:
        return self.code // 100 == 2

    def __str__(self) -> str:
        return f"{self.code} {self.code // 100}.{self.detail} {self.text}"


#: What any trouble of our own answers: the MTA keeps the mail and tries again (RFC 5321 §4.2.1).
TRY_AGAIN = Reply(451, "3.0", "Try again later")
STORAGE_FULL = Reply(452, "3.1", "Insufficient system storage, try again later")
TOO_BIG = Reply(552, "3.4", "Message size exceeds fixed maximum message size")
TOO_MANY_HOPS = Reply(554, "4.6", "Too many hops")

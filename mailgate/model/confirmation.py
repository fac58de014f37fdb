"""What the confirmation page shows for one link: the question, and later the answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mailgate.model.decision import Verdict
from mailgate.model.directory import Language
from mailgate.model.ticket import Link


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A link with what a person must see of its message before answering for it.

    `name` and `company` come from the directory, never from the message; `subject` is the
    message's own and may say anything. `by_staff` is true where our staff entered the message for
    the customer (row A9). `verdict` is None as long as no worker has judged the message since the
    link was decided; on an open link it is the verdict so far. A link about an access token shows
    what its mail `said`, and nothing of the message; `issued` says that a token went out for it.
    """

    link: Link
    name: str
    company: str
    desk: str
    subject: str
    received_at: datetime
    language: Language
    ticket: int | None
    by_staff: bool
    verdict: Verdict | None
    reasons: tuple[str, ...]
    said: Mapping[str, str] = field(default_factory=dict)
    issued: bool = False

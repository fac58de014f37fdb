"""What a contact's own token takes and gives, field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from mailgate.model.decision import Verdict
from mailgate.model.ticket import TicketState
from mailgate.web.api.shapes import File, Listing, Number, Reason, Shape, Text, TicketRow, Word


class WantedMine(Listing):
    state: TicketState | None = None
    text: Annotated[Text, Field(max_length=200)] = ""


class NewRequest(Shape):
    """A request as the panel's form takes it; the rules decide whether it is authorized."""

    subject: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
        ),
    ]
    text: Annotated[Text, Field(min_length=1, max_length=50_000, pattern=r"\S")]
    service: Number | None = Field(None, description="One of `/my/services` that it is about.")
    desk: Word | None = None


class MyMessage(Shape):
    queue_id: str
    received_at: datetime
    author: str | None
    subject: str
    text: str
    reply_text: str
    attachments: list[File]
    verdict: Verdict
    reasons: list[Reason]


class MyMail(Shape):
    """A mail of ours; `text` is what a person wrote, empty where nobody did."""

    date: datetime
    about: str
    text: str


class MyTicket(Shape):
    row: TicketRow
    messages: list[MyMessage]
    mails: list[MyMail]
    waiting: list[str] = Field(description="Messages that you have yet to confirm or disown.")

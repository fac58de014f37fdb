"""The mails of an answer that staff give to a ticket: one for each reader, with the same words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mailgate import clock
from mailgate.clock import Random
from mailgate.model.directory import Contact
from mailgate.model.notice import Notice
from mailgate.model.views import ConsoleTicket
from mailgate.outbound.quote import answerable, quoted
from mailgate.settings import Settings
from mailgate.tokens import message_id
from mailgate.tokens.keys import Keys


def answers(
    found: ConsoleTicket,
    to: Contact,
    cc: Sequence[Contact],
    *,
    text: str,
    signature: str,
    settings: Settings,
    keys: Keys,
    now: datetime,
    random: Random,
) -> list[Notice]:
    """To one reader, with the ticket's token, and a copy for each of `cc`; whether they may have
    it is for the store to say."""
    ticket = found.view.ticket
    unique = clock.queue_id(now, random)
    last = found.view.messages[-1] if found.view.messages else None
    first = Notice(
        id=unique,
        template="staff-answer",
        language=to.language or (found.account.language if found.account else ticket.language),
        desk=ticket.desk,
        to=to.address,
        to_name=quoted(to.name, 80),
        contact_id=to.id,
        queue_id=last.queue_id if last else None,
        ticket=ticket.number,
        message_id=message_id.make(keys, ticket.number, to.id, unique, settings.outbound.hostname),
        date=now.replace(microsecond=0),
        values={
            "subject": quoted(ticket.subject),
            "text": text,
            "signature": signature,
            "epoch": str(ticket.epoch),
            "ticket_desk": ticket.desk,
        },
        in_reply_to=answerable(last.message_id) if last and last.channel == "email" else None,
        cc=tuple(contact.address for contact in cc),
    )
    copies = (
        replace(
            first,
            id=clock.queue_id(now, random),
            contact_id=contact.id,
            envelope_to=contact.address,
        )
        for contact in cc
    )
    return [first, *copies]

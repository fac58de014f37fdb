"""Mail to the token desk as a mail server hands it over, and the text of a request."""

from __future__ import annotations

from datetime import timedelta

from mailgate.clock import queue_id, random
from mailgate.intake.gate import Gate
from mailgate.model.envelope import Envelope
from tests.world import TOKENS, World

MAIL = """\
Authentication-Results: mx.desk.example; dmarc={proof} header.from={domain}
Message-ID: <{key}@{domain}>
Date: {date:%a, %d %b %Y %H:%M:%S} +0000
From: {author}
To: {to}
Subject: {subject}
MIME-Version: 1.0
{more}Content-Type: text/plain; charset=utf-8

{body}
"""


def about(address: str, company: str = "Piekarnia Anna Nowak", account: str = "1001") -> str:
    return (
        f"Firma: {company}\nNumer konta: {account}\n"
        f"Zarejestrowany adres e-mail: {address}\nWyjaśnienie: nie mam tokenu"
    )


def send(
    world: World,
    author: str,
    body: str,
    *,
    proof: str = "pass",
    subject: str = "Token",
    to: str = TOKENS,
    more: str = "",
    worked: bool = True,
    age: timedelta = timedelta(),
) -> str:
    content = MAIL.format(
        proof=proof,
        domain=author.rpartition("@")[2],
        key=queue_id(world.now(), random).lower(),
        date=world.now() - age,
        author=author,
        to=to,
        subject=subject,
        body=body,
        more=more,
    )
    envelope = Envelope(author, (to,), world.now())
    octets = content.replace("\n", "\r\n").encode()
    (admission,) = Gate(world.settings, random).admissions(envelope, octets)
    (admitted,) = world.store.intake.admit([admission])
    if worked:
        world.work()
    return admitted.queue_id

"""The demo's stories: one mail for each fact about authorization, as its sender would write it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

DESK, TOKENS = "pomoc@desk.example", "tokens@desk.example"
#: The filter of the demo's mail server; its verdicts on DMARC are believed.
AUTHSERV_ID = "mx.desk.example"

ANNA, JAN, OLA = "anna@piekarnia.example", "jan@webdesign.example", "ola@piekarnia.example"
STRANGER = "anna.nowak@freemail.example"


@dataclass(frozen=True)
class Story:
    """One thing that happens. `subject` may hold `{token}`, the token of the ticket of `follows`.

    `door` is how it comes in; on `click` the link mailed for `follows` is opened and confirmed.
    """

    row: str
    title: str
    door: Literal["mail", "panel", "console", "click"]
    author: str = ANNA
    subject: str = ""
    text: str = ""
    cc: str = ""
    follows: str = ""
    to: str = DESK


STORIES = (
    Story(
        "A4", "the main contact writes: a link is mailed", "mail",
        subject="Prośba o zmianę delegacji domeny piekarnia.example",
        text="Dzień dobry,\nproszę o zmianę serwerów DNS.\n\nAnna Nowak",
    ),
    Story("A5", "… and one click on it authorizes", "click", follows="A4"),
    Story(
        "A1", "she answers, the token is in the subject", "mail",
        subject="Re: Prośba o zmianę delegacji {token}",
        text="Nowe serwery to ns1.example i ns2.example.", follows="A4",
    ),
    Story(
        "A2", "she answers, but the code was cut off", "mail",
        subject="Re: Prośba o zmianę delegacji",
        text="Czy to już zrobione?", follows="A4",
    ),
    Story(
        "A3", "she files a ticket in the panel", "panel",
        subject="Nowe hasło do panelu poczty", text="Proszę o reset hasła skrzynki biuro@.",
    ),
    Story(
        "A6", "the shop was shared with her web designer", "mail", author=JAN,
        subject="sklep.piekarnia.example: proszę o kopię bazy", text="Potrzebna do testów.",
    ),
    Story(
        "A7", "somebody unknown writes in her name", "mail", author=STRANGER,
        subject="Zmiana adresu głównego konta 1001", text="To mój nowy adres.",
    ),
    Story(
        "A8", "a contact without any share writes", "mail", author=OLA,
        subject="Faktura za piekarnia.example", text="Poproszę o przesłanie faktury.",
    ),
    Story(
        "A9", "staff enter a ticket for her", "console", author="agent Kasia",
        subject="Rozmowa telefoniczna: zmiana pakietu", text="Klientka prosi o większy pakiet.",
    ),
    Story(
        "A10", "she answers and adds a stranger in CC", "mail",
        subject="Re: Prośba o zmianę delegacji {token}",
        text="Dodaję do rozmowy kolegę.", cc="kolega@konkurencja.example", follows="A4",
    ),
    Story(
        "B6", "a contact asks for her first access token", "mail", author=OLA, to=TOKENS,
        subject="Token", text="Konto: 1001\nAdres e-mail: ola@piekarnia.example\n"
        "Wyjaśnienie: nigdy nie dostałam tokenu do panelu.",
    ),
    Story(
        "B10", "a stranger asks for hers, and learns nothing", "mail", author=STRANGER, to=TOKENS,
        subject="Token", text="Konto: 1001\nAdres e-mail: ola@piekarnia.example\n"
        "Wyjaśnienie: token zginął, proszę o nowy.",
    ),
    Story(
        "you", "waits for your click, in the mailbox below", "mail",
        subject="Przeniesienie sklepu na nowy serwer: sklep.piekarnia.example",
        text="Dzień dobry,\nproszę o przeniesienie sklepu w nocy.\n\nAnna Nowak",
    ),
)  # fmt: skip


def mail(
    story: Story, now: datetime, unique: str, token: str, answered: str | None
) -> tuple[str, bytes]:
    """Reverse-path and content of a story, as the customer's mail server hands it over.

    The demo stands where the MTA does, so it adds what its filter would have found.
    """
    message = EmailMessage(policy=SMTP)
    domain = story.author.partition("@")[2]
    message["Authentication-Results"] = f"{AUTHSERV_ID}; dmarc=pass (p=reject) header.from={domain}"
    message["Date"] = format_datetime(now)
    message["From"] = story.author
    message["To"] = story.to
    if story.cc:
        message["Cc"] = story.cc
    message["Subject"] = story.subject.format(token=token)
    message["Message-ID"] = f"<{unique}@{domain}>"
    if answered:
        message["In-Reply-To"] = f"<{answered}>"
    message.set_content(story.text)
    return story.author, message.as_bytes()

"""Mails for the end-to-end tests: ordinary ones in great number, and monsters."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from email.utils import format_datetime

from tests.e2e.sender import Mail
from tests.e2e.site import ACCOUNTS, DESK, MAIN


def ordinary(
    number: int, *, recipients: tuple[str, ...] = (DESK,), prefix: str = "m", size: int = 400
) -> Mail:
    """A request as customers write them; every fourth one is from a stranger."""
    author = MAIN.format(number % ACCOUNTS) if number % 4 else f"obcy{number}@nieznany.example"
    key = f"{prefix}{number}@{author.partition('@')[2]}"
    body = f"Proszę o zmianę rekordu numer {number}.\r\n"
    body += "Treść. " * (max(0, size - len(body)) // 7) + "\r\n.\r\nPozdrawiam\r\n"
    return Mail(key, author, recipients, head(key, author, f"Zmiana {number}") + body.encode())


def head(key: str, author: str, subject: str, *more: str) -> bytes:
    fields = [
        f"Message-ID: <{key}>",
        f"Date: {format_datetime(datetime.now(UTC))}",
        f"From: Jan Kowalski <{author}>",
        f"To: {DESK}",
        f"Subject: {subject}",
        "MIME-Version: 1.0",
        *(more or ("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")),
    ]
    return "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n"


def nested(depth: int, author: str) -> Mail:
    """A message of parts within parts."""
    opening = "".join(
        f"--b{n}\r\nContent-Type: multipart/mixed; boundary=b{n + 1}\r\n\r\n" for n in range(depth)
    )
    text = f"--b{depth}\r\nContent-Type: text/plain\r\n\r\nWarunki umowy\r\n--b{depth}--\r\n"
    closing = "".join(f"--b{n}--\r\n" for n in reversed(range(depth)))
    first = head(
        f"nested{depth}@x", author, "Zagnieżdżone", "Content-Type: multipart/mixed; boundary=b0"
    )
    return Mail(f"nested{depth}@x", author, (DESK,), first + (opening + text + closing).encode())


def large(size: int, author: str) -> Mail:
    """A message of about that many octets that do not repeat."""
    key = f"large{size}@x"
    line = os.urandom(38).hex().encode() + b"\r\n"
    content = head(key, author, "Duży załącznik") + line * (size // len(line))
    return Mail(key, author, (DESK,), content)

"""Reading against mail-parser alone and the standard library: the same mails, the same run."""

from __future__ import annotations

import base64
import email
import logging
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import mailparser

from mailgate.message import read, read_head

ROUNDS = 7
LARGE = 25_000_000

_FIELDS = b"""Return-Path: <jan.kowalski@klient.example>
Delivered-To: pomoc@firma.example
Received: from mx.firma.example (localhost [127.0.0.1])
\tby store.firma.example (Postfix) with ESMTP id 4Xk3
\tfor <pomoc@firma.example>; Mon, 16 Nov 2026 10:00:03 +0100 (CET)
Authentication-Results: mx.firma.example; dmarc=pass (p=none) header.from=klient.example;
\tdkim=pass header.d=klient.example header.s=s1 header.b=abcdefgh
Received: from out.klient.example (out.klient.example [192.0.2.7])
\tby mx.firma.example (Postfix) with ESMTPS id 4Xk2
\tfor <pomoc@firma.example>; Mon, 16 Nov 2026 10:00:02 +0100 (CET)
Received: from [10.0.0.7] by out.klient.example with ESMTPSA id 4Xk1;
\tMon, 16 Nov 2026 10:00:01 +0100
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=klient.example; s=s1;
\th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;
\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzRdzdVyOfAKCdLX
\tdJOc9G2q8LoXSlEniSbavyuU4zGeeruD00lszZVoG4ZHRNiYzRd==
From: =?utf-8?Q?Jan_Kowalski_=C5=81?= <jan.kowalski@klient.example>
To: Pomoc <pomoc@firma.example>
Cc: "Nowak, Anna" <anna.nowak@klient.example>
Subject: =?utf-8?B?UmU6IFByb8WbYmEgbyB6bWlhbsSZ?= [IQ.pl#23328:1be837cbaa33d1c9254c]
Date: Mon, 16 Nov 2026 10:00:00 +0100
Message-ID: <8f14e45f-ceea-467f@klient.example>
In-Reply-To: <t23328.c7.abc@firma.example>
References: <t23328.c7.abc@firma.example>
MIME-Version: 1.0
User-Agent: Mozilla Thunderbird
"""
_TEXT = "Dzień dobry,\nproszę o zmianę hasła do skrzynki, bo to obecne wygasło.\n".encode()


def plain(size: int) -> bytes:
    head = _FIELDS + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    text = _TEXT * max(1, (size - len(head)) // len(_TEXT))
    return (head + text).replace(b"\n", b"\r\n")


def attached(size: int) -> bytes:
    """A short text and an HTML form of it, with one attachment that fills the size."""
    octets = random.Random(1).randbytes(max(1, (size - 3000) * 3 // 4))
    return (
        _FIELDS + b'Content-Type: multipart/mixed; boundary="m"\n\n'
        b'--m\nContent-Type: multipart/alternative; boundary="a"\n\n'
        b"--a\nContent-Type: text/plain; charset=utf-8\n\n" + _TEXT + b"\n"
        b"--a\nContent-Type: text/html; charset=utf-8\n\n<p>" + _TEXT + b"</p>\n--a--\n"
        b"--m\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
        b'Content-Disposition: attachment; filename="umowa.pdf"\n\n'
        + base64.encodebytes(octets) + b"--m--\n"
    ).replace(b"\n", b"\r\n")  # fmt: skip


def with_mail_parser(content: bytes) -> object:
    """What one must ask of it to have subject, author, text and files."""
    mail = mailparser.parse_from_bytes(content)
    return mail.subject, mail.from_, mail.to, mail.text_plain, mail.text_html, mail.attachments


def with_standard_library(content: bytes) -> object:
    mail = email.message_from_bytes(content)
    return [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]


READERS: dict[str, Callable[[bytes], object]] = {
    "mail-parser": with_mail_parser,
    "standard library": with_standard_library,
    "ours, whole": read,
    "ours, head": read_head,
}


def _once(reader: Callable[[bytes], object], content: bytes, times: int) -> float:
    started = time.process_time()
    for _ in range(times):
        reader(content)
    return (time.process_time() - started) / times * 1e6


_MEASURE = """
import re, sys
from pathlib import Path
from bench import reading

def peak():  # not ru_maxrss: that one begins with what the parent process had
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000

reading.READERS[sys.argv[1]](b"Subject: x\\n\\ny")
before = peak()
reading.READERS[sys.argv[1]](Path(sys.argv[2]).read_bytes())
print(peak() - before)
"""


def _peak(reader: str, path: Path) -> float:
    """Megabytes that reading one large mail adds to a process of its own, the mail included."""
    command = [sys.executable, "-c", _MEASURE, reader, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    """Microseconds of processor time a message, medians of several rounds, and as ratios."""
    logging.disable()
    mails = {
        "4 KB": (plain(4000), 200),
        "100 KB": (attached(100_000), 40),
        "5 MB": (attached(5_000_000), 2),
    }
    for size, (content, times) in mails.items():
        taken: dict[str, list[float]] = {name: [] for name in READERS}
        for _ in range(ROUNDS):
            for name, reader in READERS.items():
                taken[name].append(_once(reader, content, times))
        base = statistics.median(taken["mail-parser"])
        for name in READERS:
            middle = statistics.median(taken[name])
            print(f"{size:7} {name:17} {middle:9.0f} us   {middle / base:6.3f} x mail-parser")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.eml")
        path.write_bytes(attached(LARGE))
        for name in ("mail-parser", "standard library", "ours, whole"):
            used = _peak(name, path)
            print(f"25 MB   {name:17} {used:9.0f} MB   {used * 1e6 / LARGE:6.1f} x the mail")


if __name__ == "__main__":
    main()

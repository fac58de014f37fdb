"""Some eight hundred well-formed messages; enclosed ones name a Sender, so only one From stands."""

from __future__ import annotations

import base64
import functools
import itertools

from tests.message.signing import sealed, signed

DOMAIN = "klient.example"
AUTHOR = f"jan.kowalski@{DOMAIN}"

_FROM = (
    b"From: jan.kowalski@klient.example",
    b"From: Jan Kowalski <jan.kowalski@klient.example>",
    b'From: "Kowalski, Jan" <jan.kowalski@klient.example>',
    b"From: =?utf-8?Q?Jan_=C5=81?= =?utf-8?B?IEtvd2Fsc2tp?=\r\n <jan.kowalski@klient.example>",
    b"From: jan.kowalski@klient.example (Jan)",
    "From: Łukasz <jan.kowalski@klient.example>".encode(),
)
_REST = (
    b"To: pomoc@firma.example\r\nSubject: Pytanie\r\nDate: Mon, 16 Nov 2026 10:00:00 +0100",
    b"Received: from a.example (a.example [192.0.2.1])\r\n\tby mx.firma.example (Postfix);"
    b" Mon, 16 Nov 2026 10:00:00 +0100 (CET)\r\n"
    b"Authentication-Results: mx.firma.example; dmarc=pass (p=none) header.from=klient.example;\r\n"
    b' dkim=pass header.d=klient.example header.b="ab/c+"\r\n'
    b"To: Pomoc: pomoc@firma.example, (dy\xc5\xbcur) <b@firma.example>;, undisclosed:;\r\n"
    b'Cc: "A. B." <a@x.example>, =?iso-8859-2?Q?Zen=F3n?= <z@x.example>\r\n'
    b"Subject: =?iso-8859-2?Q?Re:_[IQ.pl#23?="
    b" =?utf-8?B?MzI4OjFiZTgzN2NiYWEzM2QxYzkyNTRjXSDFvA==?=\r\n"
    b"Message-ID: <[x]!&!AAA@klient.example>\r\nIn-Reply-To: <a@b>\r\nReferences: <a@b> <c@d>",
    b"Return-Path: <>\r\nAuto-Submitted: auto-replied (vacation)\r\nSubject: Poza biurem\r\n"
    b"To: <@relay.example:pomoc@firma.example>\r\nDate: 16 Nov 26 09:00 GMT\r\nPrecedence: bulk",
)
_PNG = base64.encodebytes(bytes(range(256)) * 3).replace(b"\n", b"\r\n")
_HTML = (
    b"<html><head><style>p{}</style></head><body><p>Dzie&#324; dobry</p><blockquote>cytat"
    b"</blockquote><table><tr><td>a</td></tr></table><!-- x --></body></html>"
)
_PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "Zażółć gęślą jaźń.\r\n".encode()
_QP = (
    b"Content-Type: text/plain; charset=iso-8859-2; format=flowed; delsp=yes\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"za=BF=F3=B3=E6 \r\ndalej =\r\nciag\r\n-- \r\nJan\r\n"
)


def _multi(kind: bytes, boundary: bytes, *parts: bytes) -> bytes:
    inner = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return (
        b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"\r\n\r\n'
        + inner + b"--" + boundary + b"--\r\n"
    )  # fmt: skip


_MARKED_UP = b"Content-Type: text/html; charset=us-ascii\r\n\r\n" + _HTML
_IMAGE = (
    b"Content-Type: image/png; name*0*=utf-8''za%C5%BC%C3%B3; name*1=.png\r\n"
    b'Content-Disposition: attachment; filename="=?utf-8?B?xbwucG5n?="\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n" + _PNG
)
_ENCLOSED = (
    b"Content-Type: message/rfc822\r\n\r\nSender: inny@obcy.example\r\nSubject: w srodku\r\n" + _QP
)
_REPORT = (
    b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
    b"Final-Recipient: rfc822; b@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    b"Diagnostic-Code: smtp; 550 5.1.1 unknown user\r\n"
)
_UU = b"\r\nPlik:\r\nbegin 644 a.txt\r\n#86)C\r\n`\r\nend\r\n"
_BODIES = (
    _PLAIN, _QP, _MARKED_UP, _IMAGE, _UU,
    _multi(b"alternative", b"alt", _PLAIN, _MARKED_UP),
    _multi(b"mixed", b"=_mix", _multi(b"related", b"rel", _MARKED_UP, _IMAGE), _IMAGE, _ENCLOSED),
    _multi(b"report; report-type=delivery-status", b"rep", _PLAIN, _REPORT, _ENCLOSED),
    _multi(b"signed", b"sig", _PLAIN, b"Content-Type: application/pgp-signature\r\n\r\nabc"),
    _multi(b"digest", b"dig", b"\r\nSender: a@b.example\r\n\r\nx", b"\r\nSubject: y\r\n\r\ny"),
    _multi(b"mixed", b"o", _multi(b"mixed", b"oo", _multi(b"mixed", b"ooo", _PLAIN, _QP))),
)  # fmt: skip


@functools.cache
def signed_seeds() -> tuple[bytes, ...]:
    """Some of them with a DKIM signature of the author's domain, some sealed by a forwarder too."""
    made = [content for content in seeds() if b"\r\n" in content][::17]
    plain = [signed(content, DOMAIN, include_headers=[b"From", b"Subject"]) for content in made]
    results = f"dmarc=pass header.from={DOMAIN}"
    return (*plain, *(sealed(content, "obcy.example", results) for content in plain[::3]))


def vouched() -> frozenset[bytes]:
    return frozenset(collapsed(seed.partition(b"\r\n\r\n")[2]) for seed in signed_seeds())


def collapsed(body: bytes) -> bytes:
    """Without white space, which a relaxed signature lets a server change (RFC 6376 §3.4.4)."""
    return b"".join(body.split())


def seeds() -> list[bytes]:
    """Each with `AUTHOR` as its one author; lines end in CRLF, and in LF for every third."""
    made = []
    order = itertools.product(_FROM, _REST, _BODIES, (False, True), (False, True))
    for number, (author, rest, body, first, mime) in enumerate(order):
        head = [author, rest] if first else [rest, author]
        content = b"\r\n".join([*head, *([b"MIME-Version: 1.0"] if mime else [])]) + b"\r\n" + body
        made.append(content.replace(b"\r\n", b"\n") if number % 3 == 0 else content)
    return made

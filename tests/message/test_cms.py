"""Opaque S/MIME signatures: what was signed is read; nothing is verified by it."""

from __future__ import annotations

import base64
import random

import pytest

from mailgate.message import cms, read
from tests.message.mails import multipart, part, rooted

SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
DATA = bytes.fromhex("06092a864886f70d010701")
ENTITY = multipart(
    "mixed",
    part("Content-Type: text/plain; charset=utf-8", body="Podpisane."),
    part("Content-Type: application/pdf; name=umowa.pdf", body="pdf"),
)


def tlv(tag: int, *values: bytes) -> bytes:
    value = b"".join(values)
    if len(value) < 128:
        return bytes([tag, len(value)]) + value
    length = len(value).to_bytes(2, "big")
    return bytes([tag, 0x82]) + length + value


def endless(tag: int, *values: bytes) -> bytes:
    return bytes([tag, 0x80]) + b"".join(values) + b"\0\0"


def definite(content: bytes) -> bytes:
    inner = tlv(0x30, DATA, tlv(0xA0, tlv(0x04, content)))
    return tlv(0x30, SIGNED_DATA, tlv(0xA0, tlv(0x30, tlv(0x02, b"\1"), tlv(0x31), inner)))


def streamed(content: bytes) -> bytes:
    pieces = [tlv(0x04, content[i : i + 50]) for i in range(0, len(content), 50)]
    inner = endless(0x30, DATA, endless(0xA0, endless(0x24, *pieces)))
    return endless(0x30, SIGNED_DATA, endless(0xA0, endless(0x30, tlv(2, b"\1"), tlv(0x31), inner)))


@pytest.mark.parametrize("form", [definite, streamed])
def test_a_signed_message_shows_its_text_and_its_files(form: object) -> None:
    assert callable(form)
    sealed = part(
        'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"',
        "Content-Transfer-Encoding: base64",
        body=base64.encodebytes(form(ENTITY)),
    )
    message = read(rooted(sealed))
    assert message.text.strip() == "Podpisane."
    assert [a.filename for a in message.attachments] == ["umowa.pdf"]


def test_what_is_encrypted_or_broken_stays_an_attachment() -> None:
    sealed = part("Content-Type: application/pkcs7-mime; name=smime.p7m", body="nonsense")
    message = read(rooted(sealed))
    assert [a.filename for a in message.attachments] == ["smime.p7m"]


def test_broken_encodings_never_raise_and_never_loop() -> None:
    chance = random.Random(1)
    for seed in (definite(ENTITY), streamed(ENTITY)):
        for _ in range(500):
            broken = bytearray(seed)
            for _ in range(chance.randint(1, 6)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            cms.signed_content(bytes(broken[: chance.randint(0, len(broken))]))
    assert cms.signed_content(SIGNED_DATA * 5 + b"\x30\x80" * 5000) is None

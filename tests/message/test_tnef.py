"""Outlook's winmail.dat, built by hand after MS-OXTNEF."""

from __future__ import annotations

import base64
import random
import struct

from mailgate.message import read, tnef
from tests.message.mails import multipart, part, rooted


def attribute(level: int, tag: int, value: bytes) -> bytes:
    checksum = struct.pack("<H", sum(value) & 0xFFFF)
    return struct.pack("<BII", level, tag, len(value)) + value + checksum


def properties(*found: tuple[int, int, bytes]) -> bytes:
    out = struct.pack("<I", len(found))
    for kind, name, value in found:
        out += struct.pack("<HH", kind, name)
        if kind in (0x1E, 0x1F, 0x102, 0x0D):
            out += struct.pack("<II", 1, len(value)) + value + b"\0" * (-len(value) % 4)
        else:
            out += value
    return out


def envelope(*attributes: bytes) -> bytes:
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


LONG = "Zażółć umowa.pdf"
FILES = envelope(
    attribute(1, 0x00069007, struct.pack("<II", 1250, 0)),
    attribute(1, 0x0002800C, "Dzień dobry\0".encode("cp1250")),
    attribute(2, 0x00069002, b"\0" * 14),
    attribute(2, 0x00018010, b"ZAZ~1.PDF\0"),
    attribute(2, 0x0006800F, b"%PDF"),
    attribute(
        2,
        0x00069005,
        properties(
            (0x03, 0x3705, struct.pack("<I", 1)),
            (0x1F, 0x3707, LONG.encode("utf-16-le") + b"\0\0"),
            (0x1E, 0x370E, b"application/pdf\0"),
        ),
    ),
    attribute(2, 0x00069002, b"\0" * 14),
    attribute(2, 0x00018010, b"b.txt\0"),
    attribute(2, 0x0006800F, b"bb"),
)


def test_files_and_text_of_an_envelope_are_read() -> None:
    content = tnef.read(FILES)
    assert content is not None
    assert content.text == "Dzień dobry"
    assert [(f.name, f.content_type, f.octets) for f in content.files] == [
        (LONG, "application/pdf", b"%PDF"),
        ("b.txt", "application/octet-stream", b"bb"),
    ]


def test_the_text_may_stand_among_the_properties_of_the_message() -> None:
    body = attribute(1, 0x00069003, properties((0x1F, 0x1000, "żółw".encode("utf-16-le"))))
    content = tnef.read(envelope(body))
    assert content is not None
    assert content.text == "żółw"


def test_an_envelope_with_html_alone_shows_its_text() -> None:
    source = "<p>żółw</p>".encode("cp1252", "xmlcharrefreplace")
    body = envelope(attribute(1, 0x00069003, properties((0x102, 0x1013, source))))
    sealed = part("Content-Type: application/ms-tnef", "Content-Transfer-Encoding: base64",
                  body=base64.encodebytes(body))  # fmt: skip
    assert read(rooted(sealed)).text == "żółw"


def test_a_winmail_dat_is_replaced_by_what_it_holds() -> None:
    fields = (
        "Content-Type: application/ms-tnef; name=winmail.dat",
        "Content-Transfer-Encoding: base64",
    )
    sealed = part(*fields, body=base64.encodebytes(FILES))
    message = read(rooted(multipart("mixed", sealed)))
    assert [a.filename for a in message.attachments] == [LONG, "b.txt"]
    assert message.text == "Dzień dobry"


def test_a_winmail_dat_that_is_none_stays_as_it_is() -> None:
    sealed = part("Content-Type: application/ms-tnef; name=winmail.dat", body=b"nonsense")
    message = read(rooted(multipart("mixed", sealed)))
    assert [a.filename for a in message.attachments] == ["winmail.dat"]


def test_a_broken_envelope_never_raises() -> None:
    chance = random.Random(1)
    for _ in range(500):
        broken = bytearray(FILES)
        for _ in range(chance.randint(1, 8)):
            broken[chance.randrange(6, len(broken))] = chance.randrange(256)
        assert tnef.read(bytes(broken[: chance.randint(0, len(broken))])) is None or True


def test_an_envelope_of_endless_attributes_is_read_to_a_bound() -> None:
    body = attribute(1, 0x0002800C, b"text\0")
    for count, text in ((1_000, "text"), (tnef.MAX_ATTRIBUTES, "")):
        found = tnef.read(envelope(*[attribute(2, 0x00069999, b"")] * count, body))
        assert found is not None
        assert found.text == text

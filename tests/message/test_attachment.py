"""The octets of one attachment, asked for by its place in the list."""

from __future__ import annotations

import base64
import hashlib

from mailgate.message import attachment, read
from tests.message.mails import mail, multipart, part, rooted

PDF = b"%PDF-1.7 \x00\xff"
UUENCODED = part(
    "Content-Type: text/plain", body="Plik:\r\nbegin 644 a b.txt\r\n#86)C\r\n`\r\nend\r\n"
)
ENCODED = part(
    'Content-Type: application/pdf; name="umowa.pdf"',
    "Content-Disposition: attachment",
    "Content-Transfer-Encoding: base64",
    body=base64.encodebytes(PDF),
)
ENCLOSED = part("Content-Type: message/rfc822", body=mail("Subject: Stara sprawa"))


def test_each_listed_attachment_is_found_with_the_octets_its_digest_is_of() -> None:
    content = rooted(multipart("mixed", UUENCODED, ENCODED, ENCLOSED))
    listed = read(content).attachments
    assert [a.filename for a in listed] == ["a b.txt", "umowa.pdf", "Stara sprawa.eml"]
    for number, expected in enumerate(listed):
        found = attachment(content, number)
        assert found is not None
        assert found[0] == expected
        assert hashlib.sha256(found[1]).hexdigest() == expected.sha256
    assert attachment(content, 1) == (listed[1], PDF)


def test_a_place_that_is_not_in_the_list_has_no_attachment() -> None:
    content = rooted(multipart("mixed", UUENCODED, ENCODED))
    assert attachment(content, 2) is None
    assert attachment(content, -1) is None
    assert attachment(mail(body="nothing attached"), 0) is None

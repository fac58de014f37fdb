"""Well-formed mail reads the same to us and to mail-parser, which knows nothing of us."""

from __future__ import annotations

import mailparser
import pytest

from mailgate.message import read
from tests.fuzz.seeds import seeds


@pytest.mark.parametrize("number", range(0, 792, 11))
def test_two_readers_agree_on_well_formed_mail(number: int) -> None:
    content = seeds()[number]
    ours, theirs = read(content), mailparser.parse_from_bytes(content)
    assert ours.head.subject == theirs.subject
    assert [(m.name, m.address) for m in ours.head.from_] == theirs.from_
    if ours.head.date is not None:
        assert ours.head.date.timestamp() == theirs.date.timestamp()
    images = sorted(a["filename"] for a in theirs.attachments if a["filename"].endswith(".png"))
    assert sorted(a.filename for a in ours.attachments if a.content_type == "image/png") == images

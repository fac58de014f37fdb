"""The DATA reader: where content ends, what is kept of it, and what is refused."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.intake.limits import Limits
from mailgate.intake.reader import DataReader
from mailgate.intake.replies import LINE_TOO_LONG
from mailgate.model.envelope import STORAGE_FULL, TOO_BIG, TRY_AGAIN

#: Everything that some server was found to take for the end of content, and is not.
NO_ENDINGS = [
    b"\n.\n", b"\n.\r\n", b"\n.\r", b"\r.\r", b"\r.\r\n", b"\r.\n", b"\r\n.\n", b"\r\n.\r",
    b"\r\n\x00.\r\n", b"\r\n.\x00\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\n\n.\r\n",
    b"\r\n. \r\n", b"\r\n\t.\r\n", b"\x0b.\x0b", b"\x85.\x85", b".\r\n", b"\r.\r\n",
]  # fmt: skip


def reader(size: int = 1 << 20, line: int = 1000) -> DataReader:
    return DataReader(size, line, lambda _octets: True)


def fed(data: bytes, **bounds: int) -> tuple[DataReader, int]:
    made = reader(**bounds)
    return made, made.feed(data)


@pytest.mark.parametrize("ending", NO_ENDINGS, ids=repr)
def test_only_crlf_dot_crlf_ends_the_content(ending: bytes) -> None:
    made, end = fed(b"a" + ending + b"b")
    assert end == -1
    rest = b"\r\n.\r\nQUIT\r\n"
    assert made.feed(rest) == 5
    assert made.content() == (b"a" + ending + b"b\r\n").replace(b"\r\n.", b"\r\n")


def test_a_cr_before_the_crlf_belongs_to_the_content() -> None:
    made, end = fed(b"a\r\r\n.\r\n")
    assert (end, made.content()) == (7, b"a\r\r\n")


def stuffed(content: bytes) -> bytes:
    """As a client sends it (RFC 5321 §4.5.2)."""
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]


@given(
    content=st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"\x00"])).map(
        b"".join
    ),
    cuts=st.lists(st.integers(0, 60)),
)
def test_whatever_is_sent_comes_out_however_it_is_cut(content: bytes, cuts: list[int]) -> None:
    content += b"\r\n"
    wire = stuffed(content) + b".\r\nNEXT"
    made, at = reader(), 0
    for cut in [*sorted(c for c in cuts if c < len(wire) - 4), len(wire)]:
        end = made.feed(wire[:cut], at)
        if end >= 0:
            break
        at = cut
    assert wire[end:] == b"NEXT"
    assert made.content() == content
    assert made.digest.hexdigest() == hashlib.sha256(content).hexdigest()
    assert made.received == len(wire) - 4
    assert made.taken == len(content)


def test_the_size_counts_neither_doubled_dots_nor_the_final_one() -> None:
    """RFC 1870 §5."""
    made, end = fed(b"..2345678\r\n.\r\n", size=10)
    assert end > 0
    assert (made.refusal, made.content()) == (None, b".2345678\r\n")


def test_a_content_beyond_the_size_is_read_to_its_end_and_not_kept() -> None:
    made = reader(size=10)
    for _ in range(1000):
        assert made.feed(b"0123456789\r\n") == -1
    assert made.taken == 0
    assert made.feed(b".\r\nQUIT") == 3
    assert (made.refusal, made.content()) == (TOO_BIG, b"")


@pytest.mark.parametrize(("length", "refusal"), [(1000, None), (1001, LINE_TOO_LONG)])
@pytest.mark.parametrize("before", [b"", b"x\r\n", b"x\n", b"y" * 999 + b"\r\n"], ids=len)
@pytest.mark.parametrize("after", [b"", b"x\r\n" * 700], ids=len)
def test_a_line_may_be_as_long_as_the_limit(
    length: int, refusal: object, before: bytes, after: bytes
) -> None:
    content = before + b"z" * length + b"\r\n" + after
    made, _ = fed(content + b".\r\n")
    kept = made.content()
    assert made.refusal == refusal
    assert kept == (b"" if refusal else content)


def test_bare_line_feeds_do_not_make_one_long_line() -> None:
    made, _ = fed(b"x\n" * 5000 + b"\r\n.\r\n")
    assert len(made.content()) == 10002
    assert made.refusal is None


def test_without_memory_left_the_content_is_put_off() -> None:
    limits = Limits(1, 1, memory=8)
    made = DataReader(1 << 20, 1000, limits.take)
    made.feed(b"12345678\r\n")
    assert made.feed(b".\r\n") == 3
    assert made.refusal == STORAGE_FULL
    assert limits.take(8), "what it had taken was given back"


def test_the_first_reason_for_refusing_stays() -> None:
    made = reader()
    made.refuse(TRY_AGAIN)
    made.refuse(TOO_BIG)
    assert made.refusal == TRY_AGAIN

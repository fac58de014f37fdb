"""HTML made safe: what stays of it, what is told of it, and what it may cost."""

from __future__ import annotations

import resource
import time

import pytest

from mailgate.web.console.sanitize import TooMuch, sanitize


def test_words_and_structure_stay() -> None:
    shown = sanitize(
        "<h2>Umowa</h2><p>Proszę o <b>zmianę</b>:</p><ul><li>ns1</li></ul>"
        "<table border=1><tr><td colspan=2>x</td></tr></table>"
    )
    assert "<h2>Umowa</h2>" in shown.html
    assert "<b>zmianę</b>" in shown.html
    assert "<li>ns1</li>" in shown.html
    assert '<table border="1">' in shown.html
    assert '<td colspan="2">' in shown.html


def test_a_link_keeps_its_words_and_says_where_it_led() -> None:
    shown = sanitize(
        '<a href="https://bank.example.evil.example/?a=1&amp;b=2" target=_top>www.bank.example</a>'
    )
    assert shown.html == "<a>www.bank.example</a>"
    assert shown.links == ("https://bank.example.evil.example/?a=1&b=2",)


def test_a_link_that_is_code_is_not_even_named() -> None:
    assert sanitize('<a href="javascript:alert(1)">x</a>').links == ()


def test_pictures_are_counted_and_described_but_not_there() -> None:
    shown = sanitize('<img src="https://x.example/a.gif" alt="logo"><img src="cid:part1@x">')
    assert shown.html.startswith('<img alt="logo">')
    assert "src" not in shown.html
    assert shown.pictures == 1  # of another scheme nothing could be fetched


def test_what_is_written_for_programs_is_gone_with_its_words() -> None:
    source = "<style>p{}</style><script>code</script><title>t</title><svg><text>s</text></svg>ok"
    assert sanitize(source).html == "ok"


def test_no_attribute_is_left_that_shapes_or_names_anything() -> None:
    source = '<p id=x class=y style="color:red" onclick=z data-a=1 name=b dir=rtl>x</p>'
    assert sanitize(source).html == '<p dir="rtl">x</p>'


def test_more_tags_than_a_page_is_made_of_are_refused() -> None:
    with pytest.raises(TooMuch):
        sanitize("<p>" * 20_001)


FORMATTING = ("b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt")


@pytest.mark.parametrize(
    "source",
    [
        "<p>" + "".join(f"<b x={i}>" for i in range(9_000)) + "<p>x" * 9_000,
        "<p>" + "".join(f"<b/x='{i}'>" for i in range(9_000)) + "<p>x" * 9_000,
        "<p>" + "".join(f"<FONT\n x={i}>" for i in range(9_000)) + "<p>x" * 9_000,
        "<p>" + "".join(f'<b x="{i}<>" y={i}>' for i in range(6_000)) + "<p>x" * 6_000,
        "<p>" + "".join(f"<{name}>" * 3 for name in FORMATTING) + "<p>x" * 19_000,
        "<p>" + "".join(f"<a href={i}>" for i in range(9_000)) + "<p>x" * 9_000,
        "<table><b><i>" * 6_600,
        "<b><p>" * 5_000 + "</b>" * 9_900,
        "<b " + "y " * 400_000,
    ],
    ids=["b", "slash", "font", "quoted", "all", "a", "table", "crossed", "unclosed"],
)
def test_no_mail_makes_a_page_of_gigabytes(source: str) -> None:
    """A parser opens formatting elements again in every paragraph that follows."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    shown = sanitize(source)
    assert len(shown.html) < 10_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB
    assert time.process_time() - started < 5


def test_depth_costs_a_moment_at_most() -> None:
    started = time.process_time()
    sanitize("<div>" * 19_999)
    assert time.process_time() - started < 5

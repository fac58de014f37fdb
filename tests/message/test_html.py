"""Readable text of HTML, however broken or hostile."""

from __future__ import annotations

import time

import pytest

from mailgate.message.html import to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<div><div>one</div></div><div>two</div>", "one\ntwo"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("a\n  b\t c", "a b c"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("x &amp; y &lt;z&gt; &nbsp;&oacute;&#322;", "x & y <z>  ół"),
        ("&#99999999999999999999;a", "\ufffda"),
        ("<style>p{}</style>a<script>if (a<b) x()</script>b", "ab"),
        ("<head><title>t</title></head><body>a</body>", "a"),
        ("<!-- <p>no</p> -->a<!-- b", "a"),
        ("<!DOCTYPE html><html><body>a", "a"),
        ("<?xml version='1.0'?><o:p>a</o:p>", "a"),
        ('<a title="1 > 0" href=x>a</a>', "a"),
        ("<a href='x\">a</a>", "a"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("a <b", "a <b"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ("</p></div>a", "a"),
        ("<b>a</b><i>b</i>", "ab"),
        ("<script>never closed", ""),
        ("", ""),
    ],
)
def test_what_a_person_reads(source: str, text: str) -> None:
    assert to_text(source) == text


@pytest.mark.parametrize(
    "unit",
    ["<", "<a", "<a ", '<a "', "<!--", "<div>", "<b", "</", "&", "&#", "&nbsp;", " ", "<head>",
     "<pre>\n", "<style>", "<table><td>", "<a href='", ">", "<?", "<blockquote>"],
)  # fmt: skip
def test_time_is_linear_in_the_length(unit: str) -> None:
    source = unit * (400_000 // len(unit))
    started = time.process_time()
    to_text(source)
    to_text(source + ">")
    assert time.process_time() - started < 2.0

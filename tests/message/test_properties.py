"""What holds for every input that hypothesis can think of."""

from __future__ import annotations

import email.header
import email.message
import email.policy
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.lab.inspect import as_json
from mailgate.message import read, read_head
from mailgate.message.addresses import parse
from mailgate.message.files import safe_name
from mailgate.message.html import to_text
from mailgate.message.params import parse as parse_params
from mailgate.message.words import decode
from tests.message.mails import mail

SYNTAX = st.text(alphabet="<>(),;:@\"\\[]=?*%'a.ż \t", max_size=80)
LINES = st.lists(st.text(max_size=60).map(str.encode) | st.binary(max_size=60), max_size=12)
PRINTABLE = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40
)


@given(LINES, st.sampled_from([b"\r\n", b"\n", b"\r"]))
def test_any_lines_give_a_message_that_json_can_carry(lines: list[bytes], end: bytes) -> None:
    content = end.join(lines)
    message = read(content)
    json.dumps(as_json("x", message), ensure_ascii=False).encode("utf-8")
    assert (message.parsed == "clean") == (not message.defects)


@given(SYNTAX)
def test_any_address_list_gives_mailboxes_without_controls(body: str) -> None:
    for box in parse(body, 50):
        assert box.address
        assert (box.name + box.address).isprintable()


@given(SYNTAX)
def test_an_identity_is_always_among_the_mailboxes(body: str) -> None:
    head = read_head(mail(f"From: {body}"))
    if head.author is not None:
        assert [head.author] == [m.address for m in head.from_]


@given(SYNTAX)
def test_any_parameters_give_text(body: str) -> None:
    _, parameters = parse_params(body)
    assert all(isinstance(v, str) for v in parameters.values())


@given(PRINTABLE)
def test_what_the_standard_library_encodes_is_read_back(text: str) -> None:
    encoded = email.header.Header(text, "utf-8", maxlinelen=40).encode(linesep="\n")
    assert decode(encoded.replace("\n", "")) == text


@settings(max_examples=50)
@given(PRINTABLE, PRINTABLE)
def test_what_the_standard_library_writes_is_read_back(subject: str, name: str) -> None:
    made = email.message.EmailMessage(email.policy.SMTP.clone(utf8=True))
    made["From"] = "jan@klient.example"
    made["Subject"] = f"x {subject} y"
    made.set_content("Zażółć gęślą jaźń\n")
    made.add_attachment(b"abc", maintype="application", subtype="zip", filename=f"a{name}b.zip")
    message = read(made.as_bytes())
    assert message.head.author == "jan@klient.example"
    assert message.head.subject == f"x {subject} y"
    assert message.text == "Zażółć gęślą jaźń\n"
    assert [(a.filename, a.size) for a in message.attachments] == [(safe_name(f"a{name}b.zip"), 3)]


@given(st.text(max_size=60))
def test_a_file_name_is_safe_whatever_it_was(name: str) -> None:
    safe = safe_name(name)
    assert "/" not in safe
    assert "\\" not in safe
    assert safe not in (".", "..")
    assert len(safe.encode("utf-8")) <= 240
    assert safe_name(safe) == safe


@given(st.text(alphabet="<>/!-a b\"'&;#x0p=\n", max_size=100))
def test_any_html_gives_text(source: str) -> None:
    to_text(source).encode("utf-8")

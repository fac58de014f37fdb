"""Templates of an operator's own: taken file by file, and every mistake named at the start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailgate.outbound.render import render
from mailgate.outbound.templates import BadTemplate, Templates, wrap
from tests.outbound.samples import KEYS, notice, settings


def test_an_operators_file_takes_the_place_of_ours_and_the_others_stay(tmp_path: Path) -> None:
    own = "Subject: Hej {{ token }}\n\nKliknij: {{ link }} {{ code }} <b>{{ subject }}</b>\n"
    (tmp_path / "authorization-link.pl.txt").write_text(own)
    templates = Templates.load(tmp_path)
    mail = render(notice(head={"subject": "a & b <c>"}), settings(), KEYS, templates)
    assert "<b>a & b <c></b>" in mail.text
    ours = render(notice(notice="request-received"), settings(), KEYS, templates)
    assert "przyjęliśmy Twoje zgłoszenie" in ours.text


def test_a_shared_part_can_be_replaced_alone(tmp_path: Path) -> None:
    (tmp_path / "_end.pl.txt").write_text("Cześć, {{ desk }}\n")
    mail = render(notice(), settings(), KEYS, Templates.load(tmp_path))
    assert mail.text.endswith("Cześć, Dział Pomocy desk.example\n")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "authorization-link.pl.txt",
            "Subject: x {{ token }}\n\nline 3\n{% if link %}\n",
            r"authorization-link\.pl\.txt:4:1: .*(endif|end of template)",
        ),
        (
            "not-authorized.en.txt",
            "Subject: x {{ token }}\n\n\n{{ reasn }}\n",
            r"not-authorized\.en\.txt:4:1: 'reasn' is undefined",
        ),
        (
            "_end.en.txt",
            "line 1\n{{ desk.nme }}\n",
            r"_end\.en\.txt:2:1: .*no attribute 'nme'",
        ),
        (
            "request-received.pl.txt",
            "Subject: x {{ token }}\n\n{{ 'x' | unknown }}",
            r"request-received\.pl\.txt:3:1: No filter named 'unknown'",
        ),
        ("request-received.pl.txt", "Hello", r"request-received\.pl\.txt:1:1: .*Subject"),
        ("request-received.pl.txt", "Subject: x\nBcc: y\n\nz", r":1:1: .*Subject"),
        ("request-received.pl.txt", "Subject: x\n\nz", r":1:1: .*token"),
        (
            "entered-by-staff.pl.txt",
            "Subject: x {{ token }}\n\nz",
            r"entered-by-staff\.pl\.txt:1:1: .*link",
        ),
        (
            "entered-by-staff.pl.txt",
            "Subject: x {{ token }}\n\n{{ link }}",
            r"entered-by-staff\.pl\.txt:1:1: .*code",
        ),
        ("entered-by-staf.pl.txt", "Subject: x\n\nz", r"entered-by-staf\.pl\.txt:1:1: no notice"),
        (
            "request-received.en.txt",
            "Subject: x {{ token }}\n\n{{ token.__class__.__mro__ }}",
            r"request-received\.en\.txt:3:1: .*unsafe",
        ),
    ],
)
def test_a_broken_template_is_named_with_file_and_line(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(BadTemplate) as refused:
        Templates.load(tmp_path)
    assert re.search(said, str(refused.value), re.DOTALL), str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_all_broken_templates_are_named_at_once(tmp_path: Path) -> None:
    for name in ("not-authorized.pl.txt", "not-authorized.en.txt"):
        (tmp_path / name).write_text("nothing")
    with pytest.raises(BadTemplate) as refused:
        Templates.load(tmp_path)
    assert len(refused.value.problems) == 2


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTemplate, match="is not a folder"):
        Templates.load(tmp_path / "absent")


def test_long_text_is_wrapped_and_an_address_is_not_broken() -> None:
    address = "https://example.net/" + "x" * 90
    assert wrap(f"{'a b ' * 30}{address}", 4).splitlines()[-1].strip() == address
    assert all(len(line) <= 72 for line in wrap("słowo " * 60, 4).splitlines())

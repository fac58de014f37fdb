"""Stored mail: what is found under a path, and under which name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailgate.lab.sources import UnreadableError, check, messages


def found(*paths: Path) -> list[tuple[str, bytes]]:
    return [(s.file, s.content) for s in messages(paths)]


def test_a_named_file_is_a_message_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(b"Subject: x\n\ny")
    assert found(path) == [(str(path), b"Subject: x\n\ny")]


def test_a_folder_is_searched_for_eml_files_by_name(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.eml", "a.EML", "b/c.eml", "b/notes.txt", "d.msg"):
        (tmp_path / name).write_bytes(name.encode())
    assert [Path(f).relative_to(tmp_path).as_posix() for f, _ in found(tmp_path)] == [
        "a.EML", "b/c.eml", "z.eml",
    ]  # fmt: skip


def test_a_maildir_gives_its_new_and_read_messages(tmp_path: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"1.{name}:2,S").write_bytes(name.encode())
    assert [content for _, content in found(tmp_path)] == [b"cur", b"new"]


MBOX = b"""From a@b.example Mon Nov 16 10:00:00 2026
Subject: one

From here on it is prose.
>From quoted.

From a@b.example Mon Nov 16 10:01:00 2026
Subject: two

>>From twice quoted
"""


def test_an_mbox_gives_its_messages_by_number_and_unquoted(tmp_path: Path) -> None:
    path = tmp_path / "box.mbox"
    path.write_bytes(MBOX)
    assert found(path) == [
        (f"{path}#1", b"Subject: one\n\nFrom here on it is prose.\nFrom quoted.\n\n"),
        (f"{path}#2", b"Subject: two\n\n>From twice quoted\n"),
    ]


def test_an_eml_file_with_an_envelope_line_stays_one_message(tmp_path: Path) -> None:
    path = tmp_path / "x.eml"
    path.write_bytes(MBOX)
    assert found(path) == [(str(path), MBOX.partition(b"\n")[2])]


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.eml"
    path.write_bytes(b"a")
    source = next(messages([tmp_path]))
    path.unlink()
    with pytest.raises(UnreadableError, match=r"x\.eml: No such file"):
        _ = source.content


def test_a_path_that_does_not_exist_is_named() -> None:
    with pytest.raises(UnreadableError, match="/nowhere: no such file"):
        check(["/nowhere"])

"""Stored mail found under paths: .eml files, folders, mbox, Maildir; listed without reading it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SEPARATOR = re.compile(rb"From [^\n]*\d\d:\d\d")  # "From " and a time, so that prose is none
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


class UnreadableError(Exception):
    """A path that cannot be read as mail, and why."""


@dataclass(frozen=True, slots=True)
class Source:
    """One message: `file` as given or found (`box.mbox#3` in an mbox), content on demand."""

    file: str
    path: str
    start: int = 0
    length: int | None = None

    @property
    def content(self) -> bytes:
        """The octets of the message, without the line and the quoting of an mbox."""
        try:
            with open(self.path, "rb") as file:  # noqa: PTH123 - the same call, without a Path a message
                file.seek(self.start)
                octets = file.read() if self.length is None else file.read(self.length)
        except OSError as error:
            raise UnreadableError(f"{self.path}: {error.strerror}") from error
        if _SEPARATOR.match(octets):
            octets = octets.partition(b"\n")[2]
        return octets if self.length is None else _QUOTED_FROM.sub(rb"\1", octets)


def messages(paths: Iterable[str | Path]) -> Iterator[Source]:
    """Every message under the paths, in a stable order; raises `UnreadableError`."""
    for given in paths:
        path = str(given)
        try:
            yield from _folder(path) if Path(path).is_dir() else _file(path)
        except OSError as error:
            raise UnreadableError(f"{error.filename or path}: {error.strerror}") from error


def check(paths: Iterable[str | Path]) -> None:
    """Raise `UnreadableError` for the first path that does not exist or may not be read."""
    for path in paths:
        if not Path(path).exists():
            raise UnreadableError(f"{path}: no such file or folder")
        if not os.access(path, os.R_OK):
            raise UnreadableError(f"{path}: permission denied")


def _file(path: str) -> Iterator[Source]:
    """A file named by a person is a message, unless it is an mbox (RFC 4155)."""
    with open(path, "rb") as file:  # noqa: PTH123 - as in Source.content
        first = file.readline(1000)
    if path.lower().endswith(".eml") or not _SEPARATOR.match(first):
        yield Source(path, path)
    else:
        yield from _mbox(path)


def _folder(path: str) -> Iterator[Source]:
    """Every .eml file and every Maildir below; folders and files by name."""
    if all((Path(path) / name).is_dir() for name in ("cur", "new", "tmp")):
        for name in ("cur", "new"):
            for entry in _entries(os.path.join(path, name)):  # noqa: PTH118 - file names are kept as found
                if entry.is_file():
                    yield Source(entry.path, entry.path)
    for entry in _entries(path):
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in ("cur", "new", "tmp"):
                yield from _folder(entry.path)
        elif entry.name.lower().endswith(".eml"):
            yield Source(entry.path, entry.path)


def _entries(path: str) -> list[os.DirEntry[str]]:
    with os.scandir(path) as found:
        return sorted(found, key=lambda e: e.name)


def _mbox(path: str) -> Iterator[Source]:
    """Cut at each separator line that follows an empty line, reading one line at a time."""
    number, start, position = 0, 0, 0
    after_blank = True
    with open(path, "rb") as file:  # noqa: PTH123 - as in Source.content
        for line in file:
            if after_blank and position and _SEPARATOR.match(line):
                number += 1
                yield Source(f"{path}#{number}", path, start, position - start)
                start = position
            after_blank = line in (b"\n", b"\r\n")
            position += len(line)
    yield Source(f"{path}#{number + 1}", path, start, position - start)

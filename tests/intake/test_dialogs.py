"""Every file of tests/dialogs is a conversation that must go exactly as written.

The first line is a comment that says what is shown. The next one names the protocol, smtp or lmtp,
and settings of `intake` as name=value (JSON where it is not a word); `free=N` sets the free space,
`store=broken` or `store=full` makes commits fail. Then:

    c: text     the client sends the line and CRLF
    c~ text     the client sends the octets: \\r, \\n, \\x00 and so on are understood
    s: pattern  the server's next reply; * stands for anything, also for more lines
    s: (closed) the server closes the connection
    store: ok   commits work from here on (or `broken`, `full`)
    m~ text     the content of the next stored message, octet for octet; `m~ *` for any

The messages stored must be those of the m~ lines, no more and no fewer.
"""

from __future__ import annotations

import asyncio
import fnmatch
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailgate.model.ports import StorageError, StorageFull
from tests.intake.door import TLS, Client, Door, MemoryStore, listening, on_each_loop

DIALOGS = sorted((Path(__file__).parent.parent / "dialogs").glob("*.dlg"))
TROUBLE = {"ok": None, "broken": StorageError("the database is down"), "full": StorageFull("full")}


@on_each_loop
@pytest.mark.parametrize("path", DIALOGS, ids=lambda p: p.stem)
def test_the_dialog_goes_as_written(
    path: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    comment, header, *lines = path.read_text("utf-8").splitlines()
    assert comment.startswith("# "), "say what is shown"
    protocol, intake = read_header(header)
    store = MemoryStore()
    store.error = TROUBLE[intake.pop("store", "ok")]
    free = intake.pop("free", 1 << 50)
    with listening(store, free_space=lambda: free, new_loop=new_loop, **intake) as door:
        expected = play(door, door.connect(protocol), lines)
    assert len(store.contents) == len(expected)
    for content, wanted in zip(store.contents, expected, strict=True):
        assert wanted in (b"*", content)


def read_header(line: str) -> tuple[str, dict[str, Any]]:
    protocol, *pairs = line.split()
    assert protocol in {"smtp", "lmtp"}
    intake: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        intake[name] = json.loads(value) if value[0] in "0123456789[{" else value
    tls = intake.pop("tls", None)
    if tls is not None:
        intake["tls"] = {**TLS, "required": tls == "required"}
    return protocol, intake


def play(door: Door, client: Client, lines: list[str]) -> list[bytes]:
    """Say and expect, in order; gives the contents that must be stored in the end."""
    expected = []
    for number, line in enumerate(lines, 3):
        kind, _, text = line.partition(" ")
        if not line:
            continue
        if kind == "c:":
            client.send(text.encode() + b"\r\n")
        elif kind == "c~":
            client.send(octets(text))
        elif kind == "s:":
            said = client.reply() or "(closed)"
            pattern = text.replace("[", "[[]")
            assert fnmatch.fnmatchcase(said, pattern), f"line {number}: {said!r}, not {text!r}"
        elif kind == "m~":
            expected.append(octets(text))
        elif kind == "store:":
            door.store.error = TROUBLE[text]
        else:
            pytest.fail(f"line {number}: {line!r} is no line of a dialog")
    return expected


def octets(text: str) -> bytes:
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def test_there_are_dialogs() -> None:
    assert len(DIALOGS) >= 25

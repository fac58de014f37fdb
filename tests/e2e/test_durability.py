"""What the kernel saw: nothing is acknowledged before it is on the disk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.mails import ordinary
from tests.e2e.sender import Dialog
from tests.e2e.sink import Sink
from tests.e2e.site import Daemon, Site, wait_until

MESSAGES = 100

#: One finished call, in the form of `strace -f -y`: sync of the database's log, or an answer.
_SYNC = re.compile(r"(?:fdatasync|fsync)\(\d+<[^>]*mailgate\.db-wal>\)\s*= 0")
_SYNC_RESUMED = re.compile(r"(?:fdatasync|fsync) resumed>\)?\s*= 0")
_ANSWER = re.compile(r"(?:sendto|sendmsg|write|writev)\(.*250 2\.0\.0 [^\"]*id=")


@pytest.mark.server("strace")
@pytest.mark.slow
def test_no_mail_is_acknowledged_before_its_commit_is_on_disk(
    site: Site, sink: Sink, tmp_path: Path
) -> None:
    """Promise R1. Only the doors run, so that every sync of the log is one of theirs."""
    trace = tmp_path / "trace"
    wrapper = (
        "strace", "-D", "-f", "-y", "-s", "200", "-o", str(trace),
        "-e", "trace=fdatasync,fsync,sendto,sendmsg,write,writev",
    )  # fmt: skip
    daemon = Daemon(site, "--only", "intake", wrapper=wrapper)
    try:
        daemon.wait_ready(60)
        with Dialog(site.lmtp, lmtp=True) as dialog:
            for number in range(MESSAGES):
                (reply,) = dialog.send(ordinary(number))
                assert reply.startswith(b"250 2.0.0"), reply
    finally:
        status = daemon.stop()
    assert status == 0, daemon.tail()
    # -D makes the tracer a child, so that signals reach mailgate; it writes a little longer.
    ended = f"{daemon.process.pid} +++ exited with 0 +++"
    wait_until(lambda: ended in seen(trace), 10, "the end of the trace")
    syncs, answers, early = since_each_answer(seen(trace))
    assert answers == MESSAGES
    assert syncs >= MESSAGES
    assert early == []


def seen(trace: Path) -> str:
    return trace.read_text(encoding="utf-8", errors="replace")


def since_each_answer(trace: str) -> tuple[int, int, list[str]]:
    """Count syncs and answers; the answers that no sync came before since the answer before."""
    syncs = answers = fresh = 0
    waiting: set[str] = set()
    early = []
    for line in trace.splitlines():
        thread = line.partition(" ")[0]
        if "-wal>" in line and "unfinished" in line:
            waiting.add(thread)
        elif _SYNC.search(line) or (thread in waiting and _SYNC_RESUMED.search(line)):
            waiting.discard(thread)
            syncs, fresh = syncs + 1, fresh + 1
        elif _ANSWER.search(line):
            answers += 1
            if not fresh:
                early.append(line)
            fresh = 0
    return syncs, answers, early


def test_the_reading_of_a_trace_sees_an_answer_that_comes_too_early() -> None:
    sync = "7 fdatasync(9</x/mailgate.db-wal>) = 0\n"
    failed = "7 fdatasync(9</x/mailgate.db-wal>) = -1 EIO (Input/output error)\n"
    answer = '5 sendto(12<TCP:[1]>, "250 2.0.0 OK id=01A\\r\\n", 20, 0, NULL, 0) = 20\n'
    begun = "7 fdatasync(9</x/mailgate.db-wal> <unfinished ...>\n"
    ended = "7 <... fdatasync resumed>) = 0\n"
    assert since_each_answer(sync + answer + begun + ended + answer) == (2, 2, [])
    assert len(since_each_answer(sync + answer + answer)[2]) == 1
    assert len(since_each_answer(failed + answer)[2]) == 1
    assert len(since_each_answer(begun + answer + ended)[2]) == 1

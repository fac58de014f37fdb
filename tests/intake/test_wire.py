"""One connection without a network: time, congestion, and arbitrary octets."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from mailgate import clock
from mailgate.intake.committer import Outcome
from mailgate.intake.gate import Gate
from mailgate.intake.hall import Hall
from mailgate.intake.limits import Limits, Space
from mailgate.intake.lmtp import Lmtp
from mailgate.intake.peers import Peers
from mailgate.intake.smtp import Smtp
from mailgate.model.item import Admission, Admitted
from tests.intake import door

START = b"EHLO c\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<help@desk.example>\r\n"


class FakeLoop:
    """All that a connection asks of its loop."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now


class FakeTransport:
    def __init__(self) -> None:
        self.said = b""
        self.writes = 0
        self.state = "open"

    def get_extra_info(self, _name: str) -> Any:
        return ("127.0.0.1", 1)

    def write(self, octets: bytes) -> None:
        assert self.state == "open", "nothing is written after closing"
        self.said += octets
        self.writes += 1

    def close(self) -> None:
        self.state = "closed"

    def abort(self) -> None:
        self.state = "aborted"

    def pause_reading(self) -> None:
        self.state = "paused"

    def resume_reading(self) -> None:
        self.state = "open"


class FakeCommitter:
    """Commits at once, or when `go` is called."""

    def __init__(self) -> None:
        self.admitted: list[Admission] = []
        self.waiting: list[Callable[[], None]] = []

    def submit(self, admissions: Sequence[Admission], done: Callable[[Outcome], None]) -> None:
        self.admitted += admissions
        outcome = [Admitted(a.queue_id, duplicate=False) for a in admissions]
        self.waiting.append(lambda: done(outcome))

    def go(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()


class Line:
    """A connection with everything around it fake."""

    def __init__(self, kind: type[Smtp] = Smtp, **intake: Any) -> None:
        self.loop = FakeLoop()
        self.committer = FakeCommitter()
        made = door.settings(**intake)
        self.hall = Hall(
            settings=made.intake,
            gate=Gate(made, clock.random, door.verify_bounce),
            committer=self.committer,  # type: ignore[arg-type]  # a fake
            limits=Limits(9, 9, 1 << 30),
            peers=Peers(made.intake.peers),
            space=Space(lambda: 1 << 50, 1, self.loop.time),
            now=clock.now,
        )
        self.transport = FakeTransport()
        self.connection = kind(self.hall, self.loop)  # type: ignore[arg-type]  # a fake
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]  # a fake

    def say(self, octets: bytes) -> str:
        """What is replied to this, all of it."""
        before = len(self.transport.said)
        self.connection.data_received(octets)
        return self.transport.said[before:].decode("ascii")

    def look(self, seconds: float) -> str:
        """Let time pass, then look as the listeners do; gives the last word."""
        before = len(self.transport.said)
        self.loop.now += seconds
        self.connection.check(self.loop.now)
        return self.transport.said[before:].decode("ascii")


def test_a_pipelined_batch_is_answered_in_one_write() -> None:
    line = Line()
    writes = line.transport.writes
    assert line.say(START + b"DATA\r\n").count("\r\n") == 9
    assert line.transport.writes == writes + 1


def test_who_says_nothing_is_sent_away() -> None:
    line = Line(idle="300 s")
    assert line.look(299) == ""
    line.say(b"NOOP\r\n")
    assert line.look(299) == ""
    assert line.look(2).startswith("421 4.4.2")
    assert line.transport.state == "closed"


def test_half_a_command_is_not_a_sign_of_life() -> None:
    line = Line(idle="300 s")
    for _ in range(3):
        line.loop.now += 99
        assert line.say(b"N") == ""
    assert line.look(10).startswith("421 4.4.2")


def test_content_must_keep_its_average_rate_after_a_while() -> None:
    line = Line(min_rate=500)
    line.say(START + b"DATA\r\n")
    for _ in range(6):
        line.say(b"x" * 4900 + b"\r\n")
        assert line.look(9.9) == "", "the first minute is free"
    assert line.look(0.7).startswith("421 4.4.2"), "29,412 octets in 60.1 s are too few"


def test_an_honest_slow_sender_may_take_as_long_as_it_needs() -> None:
    line = Line(min_rate=500, idle="300 s")
    line.say(START + b"DATA\r\n")
    for _ in range(200):
        line.say(b"x" * 4998 + b"\r\n")
        assert line.look(9.9) == ""


def test_without_a_minimum_rate_only_silence_counts() -> None:
    line = Line(min_rate=0, idle="300 s")
    line.say(START + b"DATA\r\n")
    for _ in range(100):
        line.say(b"x")
        assert line.look(200) == ""


def test_waiting_for_the_commit_is_not_idleness() -> None:
    line = Line(idle="10 s")
    line.say(START + b"DATA\r\nx\r\n.\r\n")
    assert line.look(3600) == ""
    line.committer.go()
    assert line.transport.said.endswith(b"\r\n")
    assert b"250 2.0.0 OK id=" in line.transport.said
    assert line.look(9) == ""


def test_who_does_not_read_our_last_words_is_cut_off() -> None:
    line = Line()
    line.say(b"QUIT\r\n")
    assert line.look(9) == ""
    assert line.transport.state == "closed"
    line.look(2)
    assert line.transport.state == "aborted"


def test_a_client_that_does_not_read_is_not_served_until_it_does() -> None:
    line = Line()
    line.connection.pause_writing()
    assert line.say(b"NOOP\r\nNOOP\r\n") == ""
    line.connection.resume_writing()
    assert line.transport.said.endswith(b"250 2.0.0 OK\r\n250 2.0.0 OK\r\n")


def test_reading_pauses_when_a_client_sends_far_ahead() -> None:
    line = Line()
    line.say(START + b"DATA\r\nx\r\n.\r\n")
    line.say(b"NOOP\r\n" * 20_000)
    assert line.transport.state == "paused"
    line.committer.go()
    assert line.transport.state == "closed", "and then it was all answered, up to the limit"
    assert line.transport.said.endswith(
        b"421 4.7.0 Too many commands without a message, closing\r\n"
    )


def test_after_closing_nothing_more_is_read() -> None:
    line = Line()
    assert line.say(b"QUIT\r\nNOOP\r\n") == "221 2.0.0 Bye\r\n"
    assert line.say(b"NOOP\r\n") == ""


def test_memory_is_given_back_whatever_happens() -> None:
    for end in (b"", b"\r\n.\r\n", b"\r\n.\r\nQUIT\r\n"):
        line = Line()
        line.say(START + b"DATA\r\n" + b"x" * 1000 + end)
        line.connection.connection_lost(None)
        line.committer.go()
        assert line.hall.limits.take(1 << 30), end
        assert line.hall.limits.enter("127.0.0.1") is None
        assert not line.hall.connections


WORDS = st.sampled_from(
    [
        b"EHLO c", b"LHLO c", b"HELO c", b"MAIL FROM:<", b"RCPT TO:<", b"a@client.example>",
        b"help@desk.example>", b"DATA", b"RSET", b"QUIT", b"NOOP", b"STARTTLS", b"BDAT 3 LAST",
        b" SIZE=", b" BODY=8BITMIME", b" SMTPUTF8", b"\r\n", b"\r\n", b"\r\n", b"\r", b"\n", b".",
        b"\r\n.\r\n", b"..", b"\x00", b"\xff", "ż".encode(), b" ", b"<", b">", b"@", b'"', b"(",
        b"[", b",", b"x" * 1500,
        b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<help@desk.example>\r\nDATA\r\n",
        b"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<help@desk.example>\r\nDATA\r\n",
    ]
)  # fmt: skip
REPLY = re.compile(
    r"(?:354 End data with <CR><LF>\.<CR><LF>|220 gate\.example (?:ESMTP|LMTP)|250 gate\.example"
    r"|250[ -][A-Z0-9 .a-z]+|[245]\d\d [245]\.\d\.\d [\x20-\x7e]{2,80})"
)


@pytest.mark.parametrize("kind", [Smtp, Lmtp])
@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(st.lists(WORDS | st.binary(max_size=20)).map(b"".join), max_size=8))
def test_no_octets_make_an_exception_or_a_reply_of_another_shape(
    kind: type[Smtp], pieces: list[bytes]
) -> None:
    with capture_logs() as logged:
        line = Line(kind, errors=1000, size=2000)
        for piece in pieces:
            line.connection.data_received(piece)
            line.committer.go()
    assert [entry for entry in logged if entry["log_level"] == "error"] == []
    said = line.transport.said.decode("ascii").split("\r\n")
    assert said.pop() == ""
    assert [s for s in said if not REPLY.fullmatch(s)] == []
    for admission in line.committer.admitted:
        assert len(admission.content) <= 2000
        assert set(admission.envelope.recipients) <= {"help@desk.example"}

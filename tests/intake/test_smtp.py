"""What a client sees over a real socket beyond what a dialog file can say."""

from __future__ import annotations

import random
import re
import socket
import threading

import pytest
from structlog.testing import capture_logs

from mailgate.intake import committer as committing
from mailgate.intake.gate import Gate
from mailgate.intake.reader import DataReader
from mailgate.intake.smtp import Smtp
from tests.intake.door import CONTENT, Client, MemoryStore, SlowStore, begin_data, listening
from tests.intake.test_reader import NO_ENDINGS


def silent(client: Client, seconds: float = 0.05) -> bool:
    client.sock.settimeout(seconds)
    try:
        return not client.sock.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        client.sock.settimeout(10)


def test_nothing_is_acknowledged_before_the_commit() -> None:
    store = SlowStore()
    with listening(store) as door:
        client = door.connect()
        client.hello()
        begin_data(client)
        client.send(CONTENT + b".\r\n")
        assert store.begun.wait(10)
        assert silent(client)
        store.go.set()
        assert client.reply() == f"250 2.0.0 OK id={next(iter(store.items.values())).queue_id}"
    assert door.wakes == [None]


def test_other_connections_are_served_during_a_commit() -> None:
    store = SlowStore()
    with listening(store) as door:
        one, two = door.connect(), door.connect()
        one.hello()
        begin_data(one)
        one.send(CONTENT + b".\r\n")
        assert store.begun.wait(10)
        two.hello()
        assert two.ask("NOOP") == "250 2.0.0 OK"
        store.go.set()
        assert one.reply().startswith("250")


def test_a_client_that_is_gone_does_not_undo_the_commit() -> None:
    store = SlowStore()
    with listening(store) as door:
        client = door.connect()
        client.hello()
        begin_data(client)
        client.send(CONTENT + b".\r\n")
        assert store.begun.wait(10)
        client.sock.close()
        store.go.set()
    assert store.contents == [CONTENT]


def test_a_client_that_closed_its_half_still_gets_its_replies() -> None:
    store = SlowStore()
    with listening(store) as door:
        client = door.connect()
        client.hello()
        begin_data(client)
        client.send(CONTENT + b".\r\nNOOP\r\n")
        client.sock.shutdown(socket.SHUT_WR)
        assert store.begun.wait(10)
        store.go.set()
        assert client.reply().startswith("250 2.0.0 OK id=")
        assert client.reply() == "250 2.0.0 OK"
        assert client.reply() == ""


def test_a_client_that_leaves_within_its_content_leaves_nothing_behind() -> None:
    with listening(size=1000) as door:
        for _ in range(20):  # more than the memory for content would bear
            client = door.connect()
            client.hello()
            begin_data(client)
            client.send(b"x" * 900)
            client.sock.close()
        client = door.connect()
        client.hello()
        assert client.mail(CONTENT).startswith("250")
    assert door.store.contents == [CONTENT]


@pytest.mark.parametrize("ending", NO_ENDINGS, ids=repr)
def test_no_ending_but_the_right_one_makes_a_second_envelope(ending: bytes) -> None:
    smuggled = b"MAIL FROM:<e@client.example>\r\nRCPT TO:<sales@desk.example>\r\nDATA\r\nevil\r\n"
    content = b"Subject: x\r\n\r\nbegin" + ending + smuggled
    with listening() as door:
        client = door.connect()
        client.hello()
        assert client.mail(content).startswith("250 2.0.0 OK id=")
        assert client.ask("NOOP") == "250 2.0.0 OK"
    assert door.store.contents == [content.replace(b"\r\n.", b"\r\n")]


@pytest.mark.parametrize("length", [998, 999, 1001, 4096, 16384])
def test_long_lines_are_kept_octet_for_octet(length: int) -> None:
    content = b"Subject: x\r\n\r\n" + bytes(range(128, 256)) * (length // 128) + b"\r\n"
    with listening() as door:
        client = door.connect()
        client.hello()
        assert client.mail(content).startswith("250")
    assert door.store.contents == [content]


def test_a_line_beyond_the_limit_is_refused_and_the_next_message_is_not() -> None:
    with listening() as door:
        client = door.connect()
        client.hello()
        assert client.mail(b"x" * 16385 + b"\r\n") == "500 5.5.2 Line too long"
        assert client.mail(CONTENT).startswith("250")


def test_a_large_message_of_any_octets_is_kept_octet_for_octet() -> None:
    octets = random.Random(1).randbytes(8 << 20)
    content = re.sub(rb"\r\n\.", b"\r\nx", b"x" + octets.replace(b"\n", b"\r\n") + b"\r\n")
    with listening(line=1 << 20) as door:
        client = door.connect()
        client.hello()
        assert client.mail(content).startswith("250")
    assert door.store.contents == [content]


def test_recipients_beyond_the_limit_are_put_off_and_the_others_served() -> None:
    with listening(recipients=100) as door:
        client = door.connect()
        client.hello()
        client.ask("MAIL FROM:<a@client.example>")
        said = [client.ask("RCPT TO:<help@desk.example>") for _ in range(150)]
        assert [s[:9] for s in said] == ["250 2.1.5"] * 100 + ["452 4.5.3"] * 50
        assert client.ask("DATA").startswith("354")
        client.send(CONTENT + b".\r\n")
        assert client.reply().startswith("250")


def test_a_command_line_that_is_too_long_is_refused_and_the_next_one_is_not() -> None:
    with listening() as door:
        client = door.connect()
        client.hello()
        for length in (2048, 5000, 300_000):
            assert client.ask("NOOP " + "x" * length) == "500 5.5.2 Line too long"
        assert client.ask("NOOP " + "x" * 2000) == "250 2.0.0 OK"


def test_connections_beyond_the_limit_are_sent_away_and_come_back_later() -> None:
    with listening(connections=2) as door:
        one, two, three = door.connect(), door.connect(), door.connect()
        one.hello()
        two.hello()
        assert three.reply() == "421 4.7.0 Too many connections, try again later"
        assert three.reply() == ""
        assert one.ask("QUIT").startswith("221")
        assert one.reply() == ""
        door.connect().hello()


def test_each_peer_has_its_own_limit() -> None:
    with listening(connections_per_peer=1) as door:
        door.connect().hello()
        assert door.connect().reply().startswith("421 4.7.0")


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Smtp, "do_mail"),
        (Smtp, "_recipient"),
        (Smtp, "content_ended"),
        (Smtp, "start_content"),
        (Gate, "admissions"),
        (Gate, "recipient_reply"),
        (DataReader, "_keep"),
        (DataReader, "content"),
        (MemoryStore, "admit"),
    ],
)
def test_an_unexpected_exception_is_one_fixed_temporary_reply(
    owner: type, name: str, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = threading.Event()
    original = getattr(owner, name)

    def unreliable(*args: object, **kwargs: object) -> object:
        if broken.is_set():
            raise RuntimeError("database at 10.0.0.3 is down")
        return original(*args, **kwargs)

    if name == "do_mail":
        verbs = {**Smtp.verbs, b"MAIL": unreliable}
        monkeypatch.setattr(Smtp, "verbs", verbs)
        verbs = {**verbs, b"LHLO": Smtp.do_ehlo}
        monkeypatch.setattr("mailgate.intake.lmtp.Lmtp.verbs", verbs)
    else:
        monkeypatch.setattr(owner, name, unreliable)
    broken.set()
    with listening() as door:
        client = door.connect(protocol)
        client.hello("LHLO" if protocol == "lmtp" else "EHLO")
        client.send(
            b"MAIL FROM:<a@client.example>\r\nRCPT TO:<help@desk.example>\r\n"
            b"RCPT TO:<sales@desk.example>\r\nDATA\r\n"
        )
        said = [client.reply() for _ in range(4)]
        if said[-1].startswith("354"):
            client.send(CONTENT + b".\r\n")
            said += [client.reply() for _ in range(2 if protocol == "lmtp" else 1)]
        trouble = [s for s in said if s[0] == "4"]
        assert trouble
        assert set(trouble) == {"451 4.3.0 Try again later"}
        assert not any("10.0.0.3" in s for s in said)
        broken.clear()
        assert client.mail(CONTENT).startswith("250 2.0.0 OK id=")
    assert door.store.contents == [CONTENT]


def test_a_commit_that_hangs_is_answered_451_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing.Committer.__init__, "__defaults__", (0.2,), raising=True)
    store = SlowStore()
    with listening(store) as door:
        client = door.connect("lmtp")
        client.hello("LHLO")
        assert client.mail(CONTENT, "help@desk.example").startswith("451 4.3.0")
        store.go.set()
        assert client.mail(CONTENT).startswith("250 2.0.0 OK")
    assert store.contents == [CONTENT], "the late commit and the retry are one item"


def test_many_messages_on_one_connection_each_with_its_own_errors() -> None:
    with listening(errors=2, junk_commands=10) as door:
        client = door.connect()
        client.hello()
        for number in range(300):
            assert client.ask("RSET") == "250 2.0.0 OK"
            assert client.ask("NONSENSE").startswith("500")
            assert client.mail(b"Subject: %d\r\n\r\n" % number).startswith("250")
    assert len(door.store.contents) == 300


def test_random_pipelined_batches_get_one_reply_a_command_in_order() -> None:
    dice = random.Random(4)
    replies = {
        "NOOP": "250 2.0.0", "RSET": "250 2.0.0", "VRFY x": "252 2.5.2", "NONSENSE": "500 5.5.1",
        "EXPN x": "502 5.5.1", "DATA": "503 5.5.1", "RCPT TO:<help@desk.example>": "503 5.5.1",
        "MAIL NOT:<x>": "501 5.5.2", "EHLO": "501 5.5.4", "QUIT now": "501 5.5.4",
    }  # fmt: skip
    with listening(errors=10**6, junk_commands=10**6) as door:
        client = door.connect()
        client.hello()
        for _ in range(1000):
            batch = dice.choices(list(replies), k=dice.randrange(1, 12))
            octets = "".join(f"{c}\r\n" for c in batch).encode()
            cut = dice.randrange(len(octets))
            client.send(octets[:cut])
            client.send(octets[cut:])
            for command in batch:
                assert client.reply().startswith(replies[command])
        assert silent(client)


def test_a_client_that_sends_ahead_during_a_commit_is_held_back_and_then_served() -> None:
    store = SlowStore()
    with listening(store, junk_commands=10**6) as door:
        client = door.connect()
        client.hello()
        begin_data(client)
        client.send(CONTENT + b".\r\n")
        assert store.begun.wait(10)
        noops = (b"NOOP " + b"x" * 93 + b"\r\n") * 20000
        flood = threading.Thread(target=client.send, args=(noops,))
        flood.start()
        flood.join(0.2)
        store.go.set()
        assert client.reply().startswith("250 2.0.0 OK id=")
        for _ in range(20000):
            assert client.reply() == "250 2.0.0 OK"
        flood.join(10)


def test_the_envelope_says_who_spoke_and_how() -> None:
    with listening() as door:
        client = door.connect()
        client.hello()
        client.mail(CONTENT, "Help@Desk.example")
    (item,) = door.store.items.values()
    envelope = item.envelope
    assert envelope.reverse_path == "anna@client.example"
    assert envelope.recipients == ("Help@Desk.example",)
    assert (envelope.client, envelope.helo) == ("127.0.0.1", "client.example")
    assert (envelope.protocol, envelope.tls) == ("smtp", False)
    assert envelope.received_at.utcoffset() is not None


def test_logs_name_no_address_and_no_command() -> None:
    with capture_logs() as logged, listening() as door:
        client = door.connect()
        client.hello()
        client.mail(CONTENT)
        client.ask("RCPT TO:<nobody@desk.example>")
    assert [entry["event"] for entry in logged] == ["admitted"]
    assert "@" not in repr(logged)

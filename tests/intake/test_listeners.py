"""The sockets themselves: TCP and UNIX, TLS, and how everything is brought to an end."""

from __future__ import annotations

import asyncio
import socket
import ssl
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailgate.model.envelope import Envelope
from mailgate.model.item import Admitted
from tests.intake.door import (
    CERTIFICATE,
    CONTENT,
    TLS,
    Client,
    SlowStore,
    begin_data,
    listening,
    on_each_loop,
)

NewLoop = Callable[[], asyncio.AbstractEventLoop]


def test_a_local_socket_has_its_mode_and_is_always_listed(tmp_path: Path) -> None:
    path = tmp_path / "lmtp.sock"
    with listening(lmtp=[f"unix:{path}"], peers=["192.0.2.0/24"], socket_mode=0o600) as door:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        client = door.connect("lmtp")
        client.hello("LHLO")
        assert client.mail(CONTENT).startswith("250")
    (item,) = door.store.items.values()
    assert (item.envelope.protocol, item.envelope.client) == ("lmtp", "")
    assert not path.exists()


def test_the_socket_of_a_dead_process_is_replaced_and_that_of_a_living_one_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "lmtp.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listening(lmtp=[f"unix:{path}"]) as door:
        door.connect("lmtp").hello("LHLO")
        with pytest.raises(OSError, match="in use"), listening(lmtp=[f"unix:{path}"]):
            pass
        door.connect("lmtp").hello("LHLO")


def test_a_port_in_use_is_an_error_and_opens_nothing() -> None:
    with (
        listening() as door,
        pytest.raises(OSError, match="in use"),
        listening(smtp=["127.0.0.1:0", door.address("smtp")]),
    ):
        pass


def test_accepted_connections_do_not_wait_for_more_to_send() -> None:
    with listening() as door:
        door.connect().hello()

        def delays() -> list[int]:
            hall = door.listeners._hall
            assert hall is not None
            return [
                c.transport.get_extra_info("socket").getsockopt(
                    socket.IPPROTO_TCP, socket.TCP_NODELAY
                )
                for c in hall.connections
                if c.transport
            ]

        assert all(door.do(delays))


# TLS.


def secured(client: Client) -> Client:
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    return Client(context.wrap_socket(client.sock, server_hostname="localhost"))


@on_each_loop
def test_after_starttls_everything_begins_anew_and_goes_encrypted(new_loop: NewLoop) -> None:
    with listening(new_loop=new_loop, tls={**TLS, "required": True}) as door:
        plain = door.connect()
        plain.hello()
        assert plain.ask("STARTTLS") == "220 2.0.0 Ready to start TLS"
        client = secured(plain)
        door.clients.append(client)
        assert client.ask("MAIL FROM:<a@client.example>").startswith("503"), "hello was forgotten"
        said = client.ask("EHLO again.example")
        assert "STARTTLS" not in said
        assert client.mail(CONTENT).startswith("250")
        assert client.ask("STARTTLS").startswith("503")
        assert client.ask("QUIT").startswith("221")
    (item,) = door.store.items.values()
    assert item.envelope.tls
    assert item.envelope.helo == "again.example"


@on_each_loop
def test_what_is_smuggled_in_before_the_handshake_is_forgotten(new_loop: NewLoop) -> None:
    smuggled = (
        b"MAIL FROM:<e@client.example>\r\nRCPT TO:<help@desk.example>\r\nDATA\r\nevil\r\n.\r\n"
    )
    with listening(new_loop=new_loop, tls=TLS) as door:
        for _ in range(20):
            plain = door.connect()
            plain.hello()
            plain.send(b"STARTTLS\r\n" + smuggled)
            assert plain.reply().startswith("220")
            client = secured(plain)
            door.clients.append(client)
            assert client.ask("NOOP") == "250 2.0.0 OK"
            assert client.ask("DATA").startswith("503")
    assert door.store.contents == []


def test_old_tls_is_refused() -> None:
    with listening(tls=TLS) as door:
        plain = door.connect()
        plain.hello()
        plain.ask("STARTTLS")
        context = ssl.create_default_context(cafile=str(CERTIFICATE))
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(plain.sock, server_hostname="localhost")


@pytest.mark.parametrize("octets", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"])
@on_each_loop
def test_a_broken_handshake_ends_the_connection_and_nothing_else(
    octets: bytes, new_loop: NewLoop
) -> None:
    with listening(new_loop=new_loop, tls=TLS, connections=1) as door:
        plain = door.connect()
        plain.hello()
        plain.ask("STARTTLS")
        plain.send(octets)
        plain.sock.close()
        for _ in range(100):
            again = door.connect()
            if again.reply().startswith("220"):
                break
        else:
            pytest.fail("the connection is still counted")


# Stopping.


@on_each_loop
def test_stopping_ends_idle_connections_and_lets_transactions_finish(new_loop: NewLoop) -> None:
    store = SlowStore()
    with listening(store, new_loop=new_loop) as door:
        idle, sending, waiting = door.connect(), door.connect(), door.connect()
        for client in (idle, sending, waiting):
            client.hello()
        begin_data(sending)
        begin_data(waiting)
        waiting.send(b"waiting\r\n.\r\n")
        assert store.begun.wait(10)
        stopping = threading.Thread(target=door.stop)
        stopping.start()
        assert idle.reply() == "421 4.3.2 Shutting down, try again later"
        assert idle.reply() == ""
        sending.send(b"sending\r\n.\r\nMAIL FROM:<b@client.example>\r\n")
        store.go.set()
        for client in (waiting, sending):
            assert client.reply().startswith("250 2.0.0 OK id=")
            assert client.reply().startswith("421 4.3.2")
        stopping.join(10)
        with pytest.raises(ConnectionRefusedError):
            door.connect()
    assert sorted(store.contents) == [b"sending\r\n", b"waiting\r\n"]


def test_stopping_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailgate.intake.listeners.DRAIN", 0.1)
    with listening() as door:
        client = door.connect()
        client.hello()
        begin_data(client)
        door.stop()
        assert client.reply().startswith("421 4.3.2")
        assert client.reply() == ""
    assert door.store.contents == []


def test_the_other_doors_go_the_same_way() -> None:
    with listening() as door:
        envelope = Envelope("a@b", ("help@desk.example",), datetime(2026, 1, 1, tzinfo=UTC))
        made = door.listeners.gate.admissions(envelope, CONTENT)
        outcome = asyncio.run_coroutine_threadsafe(door.listeners.admit(made), door.loop).result(10)
        assert outcome == [Admitted(made[0].queue_id, duplicate=False)]
    assert door.store.contents == [CONTENT]

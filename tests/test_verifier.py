"""Own verification in the house: what switches it on, whom it asks, and what it is kept from."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from pydantic import ValidationError

from mailgate.clock import monotonic
from mailgate.message.authenticity import Authentication
from mailgate.message.verification import Resolve, Unresolved
from mailgate.process import judge
from mailgate.resolver import MAX_QUESTIONS, resolver
from mailgate.settings import Authentication as Section
from mailgate.verifier import verifier
from tests.world import World, make_world, running

ANSWERS = {
    ("a.example.", "TXT"): ['"v=spf1 " "-all"'],
    ("a.example.", "MX"): ["10 mx.a.example."],
    ("a.example.", "A"): ["192.0.2.1"],
}


@contextmanager
def name_server(*, silent: bool = False) -> Iterator[int]:
    """A DNS server on loopback; gives its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))

        def serve() -> None:
            while (query := door.recvfrom(4096))[0]:
                if not silent:
                    door.sendto(_answer(query[0]), query[1])

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield door.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
                bell.sendto(b"", door.getsockname())
            thread.join()


def _answer(query: bytes) -> bytes:
    asked = dns.message.from_wire(query)
    reply = dns.message.make_response(asked)
    reply.flags |= dns.flags.RA
    question = asked.question[0]
    name, kind = str(question.name), question.to_text().split()[-1]
    if name == "broken.example.":
        reply.set_rcode(dns.rcode.SERVFAIL)
    elif (name, kind) in ANSWERS:
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *ANSWERS[name, kind]))
    elif name != "a.example.":
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply.to_wire()


def asking(port: int, seconds: float = 5.0) -> Resolve:
    return resolver(seconds, monotonic, ["127.0.0.1"], port)()


def test_records_come_as_text() -> None:
    with name_server() as port:
        resolve = asking(port)
        assert resolve("a.example", "TXT") == ["v=spf1 -all"]
        assert resolve("a.example", "MX") == ["10 mx.a.example"]
        assert resolve("a.example", "A") == ["192.0.2.1"]
        assert resolve("a.example", "AAAA") == ()
        assert resolve("nobody.example", "TXT") == ()


def test_a_server_in_trouble_is_no_absence() -> None:
    with name_server() as port:
        for name in ("broken.example", "x" * 64 + ".example", "a..example"):
            with pytest.raises(Unresolved):
                asking(port)(name, "TXT")


def test_all_questions_of_a_message_share_one_time() -> None:
    with name_server(silent=True) as port:
        resolve = asking(port, seconds=0.4)
        before = monotonic()
        for _ in range(20):
            with pytest.raises(Unresolved):
                resolve("a.example", "TXT")
        assert monotonic() - before < 2


def test_a_message_asks_only_so_much() -> None:
    with name_server() as port:
        resolve = asking(port)
        for _ in range(MAX_QUESTIONS):
            resolve("a.example", "A")
        with pytest.raises(Unresolved):
            resolve("a.example", "A")


def test_a_machine_that_names_no_server_of_its_own_is_asked_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nothing(*_: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", nothing)
    with name_server() as port:
        resolve = resolver(5.0, monotonic, port=port)()
        assert resolve("a.example", "A") == ["192.0.2.1"]


# --- switched on, and off -------------------------------------------------------------------------


def test_nothing_is_loaded_while_it_is_off() -> None:
    code = (
        "import sys\n"
        "from mailgate.verifier import verifier\n"
        "from mailgate import process, doctor, worker_process\n"
        "loaded = [m for m in ('dkim', 'dns', 'spf', 'authheaders') if m in sys.modules]\n"
        "sys.exit(str(loaded) if loaded else 0)\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_missing_library_is_told_when_the_settings_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "dkim" else there(name)
    )
    assert Section().verify is False
    with pytest.raises(ValidationError, match=r"pip install 'mailgate\[verify\]'"):
        Section(verify=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A house that verifies itself, and has been told of its own mail server before."""
    made = make_world(tmp_path)
    with closing(made.store), running(made):
        yield made


def test_own_verification_is_what_proves_and_what_a_field_says_is_not(world: World) -> None:
    content = (
        b"Authentication-Results: mx.desk.example; dmarc=pass header.from=klient.example\r\n"
        b"From: jan@klient.example\r\nTo: pomoc@desk.example\r\nSubject: x\r\n\r\ny\r\n"
    )
    seen = []

    def proof(verified: Authentication | None) -> tuple[str, str]:
        def check(octets: bytes, envelope: object) -> Authentication:
            seen.append((octets, envelope))
            assert verified is not None
            return verified

        item = world.store.queue.claim("test/1", world.now())
        assert item is not None
        bench = replace(world.bench, verify=check if verified else None)
        facts = judge(item, world.store.lookup, bench).facts
        world.store.queue.defer(item, "again", world.now())
        return facts["sender.proof"], facts.sources["sender.proof"]

    world.send(content, "jan@klient.example")
    assert proof(None)[0] == "dmarc"
    assert proof(Authentication("none", "failed here")) == ("none", "failed here")
    assert proof(Authentication("aligned", "signed")) == ("aligned", "signed")
    assert seen[0][0].endswith(content)


def test_it_is_built_of_the_settings(world: World) -> None:
    assert verifier(world.settings) is None
    section = Section(verify=True, arc_sealers=["lista.example"])
    on = world.settings.model_copy(update={"authentication": section})
    check = verifier(on)
    assert check is not None
    world.send(b"From: a@b.example, c@d.example\r\n\r\nx\r\n", "a@b.example")
    item = world.store.queue.claim("test/1", world.now())
    assert item is not None
    assert check(item.content, item.envelope).why == "the message has no single author"

"""The mailer against a relay that answers, refuses, hangs up and is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from structlog.testing import capture_logs

from mailgate.model.notice import Notice
from mailgate.model.ports import StorageError
from mailgate.outbound import mailer as mailers
from mailgate.outbound.mailer import Mailer
from mailgate.outbound.render import render
from mailgate.outbound.templates import Templates
from mailgate.tokens import link
from mailgate.tokens.keys import BadKeys, Keys
from tests.outbound.relay import DROP, Outbox, Relay, Script, listening
from tests.outbound.samples import ANNA, KEYS, counter, notice, outcome, settings

TEMPLATES = Templates.load(None)
MINUTE = timedelta(minutes=1)


def notices(count: int) -> list[Notice]:
    """Mails to as many people."""
    from mailgate.outbound.compose import compose
    from tests.outbound.samples import NOW

    random = counter()
    made: list[Notice] = []
    for number in range(count):
        contact = replace(ANNA, id=number + 1, address=f"anna{number}@piekarnia.example")
        asked = outcome(case={"contact": contact})
        composed = compose(asked, None, settings=settings(), keys=KEYS, now=NOW, random=random)
        made += composed.notices
    return made


@asynccontextmanager
async def running(outbox: Outbox, relay: str, **outbound: Any) -> AsyncIterator[Mailer]:
    """A mailer at work, that looks at its outbox only when it is woken."""
    configured = settings(outbound={"relay": relay, "timeout": "10 s"} | outbound)
    mailer = Mailer(configured, KEYS, outbox, TEMPLATES, now=outbox.now, idle=60)
    task = asyncio.create_task(mailer.run())
    try:
        yield mailer
    finally:
        await mailer.stop()
        await asyncio.wait_for(task, 20)


def deliver(
    outbox: Outbox,
    relay: Relay,
    then: Callable[[Mailer], Awaitable[None]],
    outbound: dict[str, Any] | None = None,
    **how: Any,
) -> None:
    async def story() -> None:
        async with (
            listening(relay, **how) as address,
            running(outbox, address, **outbound or {}) as mailer,
        ):
            await then(mailer)

    asyncio.run(story())


def script(phase: str, reply: str, times: int = 1000) -> Script:
    def answer(asked: str, _address: str, before: int) -> str | None:
        return reply if asked == phase and before < times else None

    return answer


@contextmanager
def impatient(monkeypatch: pytest.MonkeyPatch, **seconds: float) -> Iterator[None]:
    with monkeypatch.context() as patch:
        for name, value in seconds.items():
            patch.setattr(mailers, name, value)
        yield


# --- what goes well -------------------------------------------------------------------------------


def test_a_mail_goes_out_octet_for_octet_with_its_signed_return_address() -> None:
    outbox, relay = Outbox([notice()]), Relay()
    deliver(outbox, relay, lambda _: outbox.until("sent"))
    mail = render(outbox.row().notice, settings(), KEYS, TEMPLATES)
    assert relay.received == [(mail.reverse_path, ANNA.address, mail.octets)]
    assert outbox.row().last_reply == "250 2.0.0 queued as 4711"
    assert outbox.row().sent_at == outbox.at
    assert not any("SMTPUTF8" in option for option in relay.options[0])
    assert outbox.resets == 1


def test_a_mail_that_has_to_wait_goes_out_when_it_is_due_although_nobody_wakes_the_mailer() -> None:
    outbox, relay, wait = Outbox([notice()]), Relay(), timedelta(seconds=0.1)
    outbox.rows = {id_: replace(row, next_at=outbox.at + wait) for id_, row in outbox.rows.items()}

    async def pass_time(_mailer: Mailer) -> None:
        await outbox.found_empty()
        outbox.later(wait)
        await outbox.until("sent")

    deliver(outbox, relay, pass_time)


def test_without_an_address_for_bounces_the_reverse_path_is_null() -> None:
    outbox, relay = Outbox([notice()]), Relay()
    deliver(outbox, relay, lambda _: outbox.until("sent"), {"bounces": None})
    assert relay.received[0][0].strip("<>") == ""


def test_a_batch_shares_one_connection() -> None:
    outbox, relay = Outbox(notices(mailers.BATCH)), Relay()
    deliver(outbox, relay, lambda _: outbox.until("sent"))
    assert relay.connections == 1
    assert len(relay.received) == mailers.BATCH


def test_a_relay_may_be_a_unix_socket(tmp_path: Path) -> None:
    outbox, relay = Outbox([notice()]), Relay()
    deliver(outbox, relay, lambda _: outbox.until("sent"), path=tmp_path / "relay.sock")
    assert len(relay.received) == 1


def test_what_comes_in_later_is_sent_when_the_mailer_is_woken() -> None:
    outbox, relay = Outbox([notice()]), Relay()

    async def story(mailer: Mailer) -> None:
        await outbox.until("sent")
        outbox.rows |= {n.id: replace(outbox.row(), notice=n, state="waiting") for n in notices(3)}
        mailer.wake()
        await outbox.until("sent")

    deliver(outbox, relay, story)
    assert len(relay.received) == 4


def test_a_login_takes_its_password_from_a_private_file(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("hunter2\n")
    password.chmod(0o600)

    def authenticate(_server: Any, _s: Any, _e: Any, _mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == b"hunter2"
        return AuthResult(success=good and data.login == b"desk")

    login = {"username": "desk", "password_file": password}
    outbox, relay = Outbox([notice()]), Relay()
    how = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    with pytest.warns(UserWarning, match="Requiring AUTH while not requiring TLS"):
        deliver(outbox, relay, lambda _: outbox.until("sent"), login, **how)
    password.chmod(0o644)
    with pytest.raises(BadKeys, match="0644"):
        Mailer(settings(outbound=login), KEYS, outbox, TEMPLATES, now=outbox.now)


# --- what goes wrong ------------------------------------------------------------------------------


def test_100_mails_dropped_after_the_dot_arrive_with_one_repeat_each_of_the_same_octets() -> None:
    outbox, relay = Outbox(notices(100)), Relay(script("data", DROP, times=1))

    async def story(mailer: Mailer) -> None:
        await outbox.settled(100)
        outbox.later(MINUTE)
        mailer.wake()
        await outbox.until("sent")

    deliver(outbox, relay, story)
    assert all(row.attempts == 2 for row in outbox.rows.values())
    assert len(relay.received) == 200
    assert len({octets for _, _, octets in relay.received}) == 100
    assert len(set(relay.received)) == 100  # the same envelope, too


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("reply", ["451 4.3.0 later", "421 4.3.2 going down", DROP])
def test_a_temporary_failure_is_tried_again_by_the_schedule(phase: str, reply: str) -> None:
    outbox, relay = Outbox([notice()]), Relay(script(phase, reply, times=2))

    async def story(mailer: Mailer) -> None:
        for attempt, wait in enumerate((MINUTE, 5 * MINUTE), start=1):
            await outbox.settled(attempt)
            row = outbox.row()
            assert (row.state, row.attempts) == ("waiting", attempt)
            assert row.next_at == outbox.at + wait
            outbox.later(wait)
            mailer.wake()
        await outbox.until("sent")

    deliver(outbox, relay, story)
    assert outbox.row().attempts == 3


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
def test_a_refusal_for_good_fails_at_once_and_stays_visible(phase: str) -> None:
    outbox, relay = Outbox([notice()]), Relay(script(phase, "550 5.1.1 no such user"))
    deliver(outbox, relay, lambda _: outbox.until("failed"))
    assert outbox.row().attempts == 1
    assert outbox.row().last_reply == "550 5.1.1 no such user"


def test_a_line_that_begins_with_a_dot_arrives_with_it(tmp_path: Path) -> None:
    own = "Subject: x {{ token }}\n\n.\n..\n.first {{ link }} {{ code }}\n"
    (tmp_path / "authorization-link.pl.txt").write_text(own)
    outbox, relay = Outbox([notice()]), Relay()
    templates = Templates.load(tmp_path)

    async def story() -> None:
        async with listening(relay) as address:
            configured = settings(outbound={"relay": address})
            mailer = Mailer(configured, KEYS, outbox, templates, now=outbox.now)
            task = asyncio.create_task(mailer.run())
            await outbox.until("sent")
            await mailer.stop()
            await task

    asyncio.run(story())
    assert b"\r\n\r\n.\r\n..\r\n.first " in relay.received[0][2]


def test_a_refusal_that_blames_our_settings_costs_no_mail() -> None:
    outbox, relay = Outbox([notice()]), Relay(script("mail", "530 5.7.0 Authentication required"))
    deliver(outbox, relay, lambda _: outbox.settled(1))
    assert outbox.row().state == "waiting"


def test_one_refused_recipient_does_not_stop_the_others() -> None:
    def refuse(phase: str, address: str, _before: int) -> str | None:
        return "550 5.1.1 no" if phase == "rcpt" and "anna3@" in address else None

    outbox, relay = Outbox(notices(8)), Relay(refuse)
    deliver(outbox, relay, lambda _: outbox.settled(len(outbox.rows)))
    states = [row.state for row in outbox.rows.values()]
    assert states.count("failed") == 1
    assert states.count("sent") == 7
    assert relay.connections == 1


def test_after_a_dropped_connection_the_rest_of_the_batch_gets_a_new_one() -> None:
    def drop(phase: str, address: str, before: int) -> str | None:
        return DROP if phase == "data" and "anna3@" in address and not before else None

    outbox, relay = Outbox(notices(8)), Relay(drop)
    deliver(outbox, relay, lambda _: outbox.settled(len(outbox.rows)))
    states = [row.state for row in outbox.rows.values()]
    assert (states.count("sent"), states.count("waiting")) == (7, 1)
    assert relay.connections == 2


def test_a_relay_that_is_not_there_costs_each_mail_one_attempt_and_one_try_in_all() -> None:
    outbox = Outbox(notices(5))

    async def story() -> None:
        async with listening(Relay()) as address:
            pass  # nobody listens there any more
        async with running(outbox, address) as mailer:
            await outbox.settled(5)
            assert {row.attempts for row in outbox.rows.values()} == {1}
            assert all("no connection" in row.last_reply for row in outbox.rows.values())
            relay = Relay()
            async with listening(relay, port=int(address.rpartition(":")[2])):
                outbox.later(MINUTE)
                mailer.wake()
                await outbox.until("sent")
            assert relay.connections == 1

    asyncio.run(story())


def test_after_the_last_wait_of_the_schedule_a_mail_has_failed() -> None:
    outbox, relay = Outbox([notice()]), Relay(script("data", "451 4.3.0 later"))

    async def story(mailer: Mailer) -> None:
        for attempt in range(1, 2 + len(settings().outbound.retries)):
            await outbox.settled(attempt)
            outbox.later(timedelta(days=2))
            mailer.wake()
        await outbox.until("failed")

    deliver(outbox, relay, story)
    assert outbox.row().attempts == 1 + len(settings().outbound.retries)
    assert outbox.row().last_reply == "451 4.3.0 later"


def test_where_starttls_is_wanted_and_not_offered_nothing_is_said_in_clear() -> None:
    outbox, relay = Outbox([notice()]), Relay()
    deliver(outbox, relay, lambda _: outbox.settled(1), {"tls": "starttls"})
    assert outbox.row().state == "waiting"
    assert relay.options == []


def test_a_name_beyond_ascii_asks_for_smtputf8_and_fails_where_there_is_none() -> None:
    eai = notice(case={"contact": replace(ANNA, address="żaneta@piekarnia.example")})
    outbox, relay = Outbox([eai]), Relay()
    deliver(outbox, relay, lambda _: outbox.until("sent"), enable_SMTPUTF8=True)
    assert relay.received[0][1] == "żaneta@piekarnia.example"
    assert "SMTPUTF8" in relay.options[0]
    outbox = Outbox([eai])
    deliver(outbox, Relay(), lambda _: outbox.until("failed"), enable_SMTPUTF8=False)
    assert "SMTPUTF8" in outbox.row().last_reply


def test_a_notice_that_cannot_be_written_has_failed_and_the_next_one_is_sent() -> None:
    good, bad = notices(2)
    outbox, relay = Outbox([replace(bad, desk="gone"), good]), Relay()
    deliver(outbox, relay, lambda _: outbox.settled(len(outbox.rows)))
    assert outbox.rows[bad.id].last_reply == "cannot be written: the desk gone is gone"
    assert outbox.rows[good.id].state == "sent"


def test_a_fault_of_the_mailer_itself_stops_neither_it_nor_the_next_mail() -> None:
    first, second = notices(2)
    broken = replace(first, values=None)  # type: ignore[arg-type] # that is what breaks it
    outbox, relay = Outbox([broken, second]), Relay()
    deliver(outbox, relay, lambda _: outbox.settled(len(outbox.rows)))
    assert outbox.rows[first.id].last_reply == "the mailer failed"
    assert outbox.rows[second.id].state == "sent"


# --- the database, stopping, logging --------------------------------------------------------------


def test_a_database_that_is_away_delays_mail_and_never_sends_it_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outbox, relay = Outbox([notice()]), Relay()

    def trouble(phase: str, _address: str, _before: int) -> None:
        if phase == "data":  # accepted, but that cannot be written down at first
            outbox.trouble = [StorageError("locked"), StorageError("locked")]

    relay.script = trouble
    outbox.trouble = [StorageError("away"), StorageError("away")]
    with impatient(monkeypatch, STORE_PAUSE=0.01):
        deliver(outbox, relay, lambda _: outbox.until("sent"))
    assert len(relay.received) == 1


def test_stopping_finishes_the_mail_on_its_way_and_hands_back_the_others() -> None:
    outbox, relay = Outbox(notices(5)), Relay()

    async def story() -> None:
        async with listening(relay) as address, running(outbox, address) as mailer:

            def stop(phase: str, _address: str, _before: int) -> None:
                if phase == "data":
                    asyncio.get_running_loop().create_task(mailer.stop())

            relay.script = stop
            await outbox.settled(5)

    asyncio.run(story())
    states = [row.state for row in outbox.rows.values()]
    assert states.count("sent") == len(relay.received) == 1
    assert states.count("waiting") == 4


def test_a_relay_that_never_answers_does_not_keep_the_mailer_from_stopping(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outbox = Outbox([notice()])

    async def story() -> None:
        connected = asyncio.Event()

        async def mute(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.set()
            await _reader.read()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, running(outbox, address, timeout="300 s"):
            await connected.wait()
        server.close()

    with impatient(monkeypatch, GRACE=0.05):
        asyncio.run(story())
    assert outbox.row().state == "waiting"
    assert outbox.row().last_reply == "stopped during the attempt"


def test_the_log_names_neither_people_nor_secrets() -> None:
    asked = notice(facts={"sender.proof": "none"})
    outbox, relay = Outbox([asked]), Relay(script("rcpt", "450 <Anna@piekarnia.example> later", 1))

    async def story(mailer: Mailer) -> None:
        await outbox.settled(1)
        outbox.later(MINUTE)
        mailer.wake()
        await outbox.until("sent")

    with capture_logs() as lines:
        deliver(outbox, relay, story)
    told = [(line["event"], line["attempt"], line["code"]) for line in lines]
    assert told == [("notice-retried", 1, 450), ("notice-sent", 2, 250)]
    assert {line["notice"] for line in lines} == {asked.id}
    assert asked.link_nonce is not None
    for secret in (
        "piekarnia",
        link.token(KEYS, asked.link_nonce),
        link.code(KEYS, asked.link_nonce),
    ):
        assert secret not in repr(lines)


def test_a_key_added_between_two_attempts_changes_nothing_in_the_mail() -> None:
    outbox, relay = Outbox([notice()]), Relay(script("data", "451 4.3.0 later", times=1))
    deliver(outbox, relay, lambda _: outbox.settled(1))
    outbox.later(MINUTE)
    rotated = Keys((b"a newer key that is long enough..", *KEYS.secrets))

    async def again() -> None:
        async with listening(relay) as address:
            configured = settings(outbound={"relay": address})
            mailer = Mailer(configured, rotated, outbox, TEMPLATES, now=outbox.now)
            task = asyncio.create_task(mailer.run())
            await outbox.until("sent")
            await mailer.stop()
            await task

    asyncio.run(again())
    assert len(relay.received) == 2
    assert len(set(relay.received)) == 1

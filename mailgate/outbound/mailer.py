"""The mailer: takes what is due from the outbox and hands it to the relay, at least once each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import aiosmtplib
from jinja2 import TemplateError

from mailgate import logs
from mailgate.clock import Now
from mailgate.model.notice import Notice, OutboxRow
from mailgate.model.ports import OutboxStore
from mailgate.outbound.quote import one_line
from mailgate.outbound.render import BadNotice, Rendered, render
from mailgate.outbound.schedule import next_attempt
from mailgate.outbound.templates import Templates
from mailgate.settings import Outbound, Settings
from mailgate.tokens.keys import Keys, read_private

#: Mails that go over one connection; few, so that a stop is quick and little is claimed in vain.
BATCH = 20
#: How long the outbox is left alone when nobody wakes us, in seconds: other machines fill it too.
IDLE = 1.0
#: How long we wait for a database that does not answer, in seconds.
STORE_PAUSE = 1.0
#: How long a mail may still take once we are to stop, in seconds.
GRACE = 10.0

#: Replies of class 5 that blame our settings rather than the mail (RFC 4954 §6): a person can put
#: that right, and no mail is lost meanwhile.
_OURS = frozenset({530, 534, 535, 538})


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt ended. `code` is the relay's reply code, 0 where there was no reply."""

    kind: Literal["sent", "temporary", "permanent"]
    code: int
    text: str
    relay_down: bool = False
    """There is no connection to be had: the rest of the batch need not try."""

    def __str__(self) -> str:
        return one_line(f"{self.code} {self.text}" if self.code else self.text)[:300]


class Mailer:
    """One loop: claim, render, hand over, settle. What fails is tried again by the schedule.

    A mail is settled after the relay's reply, so a crash in between sends it twice, with the same
    Message-ID and the same octets (promise R15); never not at all.
    """

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        store: OutboxStore,
        templates: Templates,
        *,
        now: Now,
        idle: float = IDLE,
    ) -> None:
        self.outbound = settings.outbound
        self.store = store
        self.now = now
        self.idle = idle
        self.log = logs.get("mailer")
        self._render: Callable[[Notice], Rendered] = lambda notice: render(
            notice, settings, keys, templates
        )
        self._client = _client(settings.outbound)
        self._woken = asyncio.Event()
        self._stopping = False
        self._patience: asyncio.Timeout | None = None

    def wake(self) -> None:
        """There may be something to send."""
        self._woken.set()

    async def stop(self) -> None:
        """Finish the mail that is on its way, hand back the others; `run` then returns."""
        self._stopping = True
        self._woken.set()
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time() + GRACE)

    async def run(self) -> None:
        """Send until stopped. Nothing that goes wrong here ends the loop."""
        reset = False
        while not self._stopping:
            self._woken.clear()
            try:
                if not reset:
                    await asyncio.to_thread(self.store.reset_active)
                    reset = True
                rows = await asyncio.to_thread(self.store.claim_due, self.now(), BATCH)
                pause = self.idle if rows else await asyncio.to_thread(self._until_next)
            except Exception as error:  # whatever it is, mail waits in the outbox
                self.log.error("mailer-failed", exc_info=error)
                await self._pause(STORE_PAUSE)
                continue
            if rows:
                await self._deliver(rows)
            else:
                await self._pause(pause)

    def _until_next(self) -> float:
        """Seconds until a mail is due. To the moment: when an answer comes must not follow from
        when we were woken (row B10)."""
        now = self.now()
        due = self.store.next_due(now)
        return min(self.idle, (due - now).total_seconds()) if due else self.idle

    async def _deliver(self, rows: list[OutboxRow]) -> None:
        """Hand over a batch on one connection, which is opened again where it broke."""
        client = self._client
        dead: Result | None = None
        for row in rows:
            if self._stopping:
                result = Result("temporary", 0, "stopped before the attempt")
            else:
                result = dead or await self._try(client, row.notice)
            dead = result if result.relay_down else None
            await self._settle(row, result)
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=5)
        client.close()

    async def _try(self, client: aiosmtplib.SMTP, notice: Notice) -> Result:
        """One attempt; whatever happens in it, it has a result."""
        try:
            async with asyncio.timeout(None) as self._patience:
                if not client.is_connected and (dead := await self._connect(client)):
                    return dead
                return await self._attempt(client, notice)
        except TimeoutError:
            client.close()
            return Result("temporary", 0, "stopped during the attempt")
        except Exception as error:
            self.log.error("mailer-failed", notice=notice.id, exc_info=error)
            client.close()
            return Result("temporary", 0, "the mailer failed")
        finally:
            self._patience = None

    async def _connect(self, client: aiosmtplib.SMTP) -> Result | None:
        """Why there is no connection, if there is none: never the fault of a mail."""
        try:
            await client.connect()
        except aiosmtplib.SMTPResponseException as error:
            return Result("temporary", error.code, f"at connecting: {error.message}", True)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return Result("temporary", 0, f"no connection: {error}", True)
        return None

    async def _attempt(self, client: aiosmtplib.SMTP, notice: Notice) -> Result:
        try:
            mail = self._render(notice)
        except (BadNotice, TemplateError, ValueError, LookupError) as error:
            return Result("permanent", 0, f"cannot be written: {error}")
        options = ["SMTPUTF8", "BODY=8BITMIME"] if mail.smtputf8 else []
        try:
            _, said = await client.sendmail(
                mail.reverse_path, mail.recipient, mail.octets, mail_options=options
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _refused(error.recipients[0])
        except aiosmtplib.SMTPResponseException as error:
            return _refused(error)
        except (aiosmtplib.SMTPNotSupported, ValueError) as error:
            return Result("permanent", 0, f"cannot be sent through this relay: {error}")
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            return Result("temporary", 0, f"the connection broke: {error}")
        return Result("sent", 250, said)

    async def _settle(self, row: OutboxRow, result: Result) -> None:
        """Write down how it ended, as often as the database needs."""
        while True:
            try:
                await asyncio.to_thread(self._write, row, result)
            except Exception as error:  # what was sent must get known as sent
                self.log.error("mailer-failed", notice=row.notice.id, exc_info=error)
                if self._stopping:
                    return  # the next start finds it active and sends it again
                await asyncio.sleep(STORE_PAUSE)
            else:
                return

    def _write(self, row: OutboxRow, result: Result) -> None:
        at, notice_id, said = self.now(), row.notice.id, str(result)
        log = self.log.bind(notice=notice_id, attempt=row.attempts, code=result.code)
        again = None
        if result.kind == "temporary":
            again = next_attempt(self.outbound.retries, row.attempts, at)
        if result.kind == "sent":
            self.store.sent(notice_id, said, at)
            log.info("notice-sent")
        elif again is not None:
            self.store.retry(notice_id, said, again)
            log.warning("notice-retried", at=again.isoformat())
        else:
            self.store.failed(notice_id, said, at)
            log.error("notice-failed")

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)


def _refused(error: aiosmtplib.SMTPResponseException) -> Result:
    """Class 4 may pass another time, class 5 never (RFC 5321 §4.2.1)."""
    permanent = error.code // 100 == 5 and error.code not in _OURS
    return Result("permanent" if permanent else "temporary", error.code, error.message)


def _client(outbound: Outbound) -> aiosmtplib.SMTP:
    """A client for the relay, not connected yet; raises `BadKeys` or `OSError` for its password."""
    place: dict[str, Any]
    if outbound.relay.startswith("unix:"):
        place = {"socket_path": outbound.relay.removeprefix("unix:")}
    else:
        host, _, port = outbound.relay.rpartition(":")
        place = {"hostname": host.strip("[]"), "port": int(port)}
    password = None
    if outbound.password_file is not None:
        password = read_private(outbound.password_file).decode("utf-8").strip()
    return aiosmtplib.SMTP(
        **place,
        local_hostname=outbound.hostname,
        timeout=outbound.timeout.total_seconds(),
        use_tls=outbound.tls == "implicit",
        start_tls=outbound.tls == "starttls",
        username=outbound.username,
        password=password,
    )

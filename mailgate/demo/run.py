"""The demo's run: start the house, tell the stories over real sockets, and leave it open."""

from __future__ import annotations

import asyncio
import smtplib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from mailgate import clock, logs
from mailgate.app import PARTS, House, stopped_by_signal
from mailgate.demo.house import build
from mailgate.demo.people import Logins, new_logins, settle_in
from mailgate.demo.sink import Sink
from mailgate.demo.stories import ANNA, STORIES, Story, mail
from mailgate.demo.visit import confirm, link_and_code
from mailgate.intake.entry import entry
from mailgate.model.views import MessageView
from mailgate.settings import Settings
from mailgate.store import Store
from mailgate.tokens import ticket as token
from mailgate.tokens.keys import Keys
from mailgate.web import mailbox

T = TypeVar("T")
#: How long one story may take, in seconds.
PATIENCE = 20.0


@dataclass(frozen=True)
class Told:
    """A story and how the house judged it."""

    story: Story
    message: MessageView


class Teller:
    """Plays the customers, their mail servers and the staff. Blocking; runs in a thread."""

    def __init__(
        self, settings: Settings, keys: Keys, store: Store, sink: Sink, wake: Callable[[], None]
    ) -> None:
        self.settings = settings
        self.keys = keys
        self.store = store
        self.sink = sink
        self.wake = wake
        self._told: dict[str, str] = {}

    def tell(self, story: Story) -> Told:
        """Make one story happen and wait for its verdict; raises `TimeoutError`."""
        if story.door == "click":
            queue_id = self._told[story.follows]
            before = len(self._decided(queue_id).history)
            link, code = self._mailed_link(queue_id)
            confirm(link, code)
            return Told(story, self._decided(queue_id, more_than=before))
        queue_id = self._send(story) if story.door == "mail" else self._enter(story)
        self._told[story.row] = queue_id
        return Told(story, self._decided(queue_id))

    def _send(self, story: Story) -> str:
        token_, answered = self._earlier(story)
        unique = clock.queue_id(clock.now(), clock.random)
        sender, content = mail(story, clock.now(), unique, token_, answered)
        host, _, port = self.settings.intake.smtp[0].rpartition(":")
        with smtplib.SMTP(host, int(port), timeout=PATIENCE) as client:
            client.ehlo("mx.desk.example")
            client.mail(sender)
            client.rcpt(story.to)
            code, said = client.data(content)
        if code != 250:
            raise RuntimeError(f"refused: {code} {said.decode()}")
        return said.decode().rpartition("id=")[2].strip()

    def _enter(self, story: Story) -> str:
        admission = entry(
            self.settings,
            desk="support",
            channel="panel" if story.door == "panel" else "console",
            account_id="1001",
            entered_by=story.author,
            subject=story.subject,
            text=story.text,
            now=clock.now,
            random=clock.random,
        )
        (admitted,) = self.store.intake.admit([admission])
        self.wake()
        return admitted.queue_id

    def _earlier(self, story: Story) -> tuple[str, str | None]:
        """The token of the ticket that a story follows, and the mail of ours that it answers."""
        if not story.follows:
            return "", None
        number = self._decided(self._told[story.follows]).ticket
        view = self.store.views.ticket(number) if number else None
        if view is None:
            raise RuntimeError(f"the story {story.follows} opened no ticket")
        code = token.code(self.keys, view.ticket.desk, view.ticket.number, view.ticket.epoch)
        made = token.render(self.settings.desks["support"].tag, view.ticket.number, code)
        mails = [n.notice.message_id for n in view.notices if n.notice.to == ANNA]
        return made, mails[-1] if mails else None

    def _mailed_link(self, queue_id: str) -> tuple[str, str]:
        subject = self._decided(queue_id).ticket
        marker = f"#{subject}:"

        def find() -> tuple[str, str] | None:
            for caught in reversed(self.sink.caught):
                if marker in caught.content.decode("utf-8", "replace") and (
                    found := link_and_code(caught.content)
                ):
                    return found
            return None

        return _wait(find, "no link was mailed")

    def _decided(self, queue_id: str, more_than: int = 0) -> MessageView:
        def look() -> MessageView | None:
            found = self.store.views.message(queue_id)
            return found if found and len(found.history) > more_than else None

        return _wait(look, f"{queue_id} was not decided")


def _wait(look: Callable[[], T | None], otherwise: str) -> T:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if (found := look()) is not None:
            return found
        time.sleep(0.02)
    raise TimeoutError(otherwise)


def run(
    *, once: bool, tell: Callable[[Told], None], open_: Callable[[Settings, Logins], None]
) -> bool:
    """Run the demo; `tell` is called for each story told, `open_` once all are.

    With `once` only A4 and A5 are told, and the result says whether the mail ended authorized.
    """
    from mailgate.app import run as run_loop

    outcome: list[bool] = []

    async def main() -> None:
        sink = Sink(clock.now)
        sink.start()
        with TemporaryDirectory(prefix="mailgate-demo-") as folder:
            level = "error"
            config, settings = build(Path(folder), sink.address, level)
            logs.configure(level, "console")
            house = House(config, settings, frozenset(PARTS))
            logins = new_logins()
            await house.start(mailbox.routes(settings, lambda: sink.caught, logins.code))
            try:
                stop = stopped_by_signal()
                teller = Teller(settings, house.keys, house.store, sink, house.wake)
                stories = [s for s in STORIES if not once or s.row in ("A4", "A5")]
                outcome.append(await asyncio.to_thread(_tell_all, teller, stories, tell))
                if not once:
                    settled = await asyncio.to_thread(
                        settle_in, house.store, settings, house.keys, logins
                    )
                    house.wake()
                    open_(settings, settled)
                    await stop.wait()
            finally:
                await house.stop()
                sink.stop()

    run_loop(main)
    return bool(outcome and outcome[0])


def _tell_all(teller: Teller, stories: Iterable[Story], tell: Callable[[Told], None]) -> bool:
    """Whether the story that ends with a click ended authorized."""
    confirmed = False
    for story in stories:
        told = teller.tell(story)
        tell(told)
        if story.door == "click":
            confirmed = told.message.verdict == "authorized"
    return confirmed

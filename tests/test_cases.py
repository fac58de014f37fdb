"""Every folder of tests/cases is a story: mails over real SMTP, answers, what must follow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mailgate.intake.entry import entry
from mailgate.lab.stored import item_of
from mailgate.model.notice import OutboxRow
from mailgate.tokens import link, ticket
from mailgate.yamlfile import loads_plain
from tests.world import KEYS, World, make_world, random, running

CASES = Path(__file__).parent / "cases"
STORIES = sorted(path.parent for path in CASES.glob("*/case.yaml"))
ROWS = {f"A{n}" for n in range(1, 11)}


def test_each_row_of_the_domain_has_a_case_of_its_own() -> None:
    assert {story.name.partition("-")[0] for story in STORIES} >= ROWS


@pytest.mark.parametrize("folder", STORIES, ids=lambda path: path.name)
def test_case(folder: Path, tmp_path: Path) -> None:
    case: Any = loads_plain((folder / "case.yaml").read_text("utf-8"), str(folder))[0]
    world = make_world(tmp_path)
    world.directory(CASES / "world.yaml")
    with running(world):
        teller = Teller(folder, world)
        for number, step in enumerate(case["steps"], start=1):
            teller.play(step)
            if "expect" in step:
                teller.check(step["expect"], f"step {number}: {case['says']}")
            world.later(minutes=1)
    world.store.close()


class Teller:
    """Plays one case; `queue_id` is the message that the newest step was about."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder = folder
        self.world = world
        self.queue_id = ""
        self.mails_before = 0

    def play(self, step: Mapping[str, Any]) -> None:
        self.mails_before = len(self.world.outbox())
        if "mail" in step:
            self.mail(step["mail"], duplicate=step.get("duplicate", False))
        elif "panel" in step or "console" in step:
            channel = "panel" if "panel" in step else "console"
            self.enter(channel, step[channel])
        elif "directory" in step:
            self.world.directory(self.folder / step["directory"])
        else:
            (choice,) = step.keys() & {"confirm", "deny"}
            self.answer("confirmed" if choice == "confirm" else "denied", step[choice])
        if step.get("worked", True):
            self.world.work()

    def mail(self, name: str, *, duplicate: bool) -> None:
        content = self.filled((self.folder / name).read_bytes()).replace(b"\n", b"\r\n")
        envelope = item_of(content, self.world.settings, self.world.now()).envelope
        queue_id = self.world.send(content, envelope.reverse_path)
        assert (queue_id == self.queue_id) == duplicate
        self.queue_id = queue_id

    def filled(self, content: bytes) -> bytes:
        """Put in what only the running house knows: tokens and Message-IDs of its mails."""

        def value(match: re.Match[bytes]) -> bytes:
            kind, number = match[1].decode(), int(match[2])
            code = ticket.code(KEYS, "support", number, 0)
            if kind == "token":
                return ticket.render("Desk", number, code).encode()
            mails = [r for r in self.world.outbox() if r.notice.ticket == number]
            return mails[-1].notice.message_id.encode()

        return re.sub(rb"\{\{(token|message-id) (\d+)\}\}", value, content)

    def enter(self, channel: Any, form: Mapping[str, str]) -> None:
        admission = entry(
            self.world.settings,
            desk="support",
            channel=channel,
            account_id=form["account"],
            entered_by=form["by"],
            subject=form["subject"],
            text=form["text"],
            now=self.world.now,
            random=random,
        )
        (admitted,) = self.world.store.intake.admit([admission])
        self.queue_id = admitted.queue_id

    def answer(self, state: Any, how: str) -> None:
        """Answer the newest link; `how` is what it must ask for, or `again` for a second time."""
        carrier = next(r.notice for r in self.world.outbox() if r.notice.link_nonce)
        assert carrier.link_nonce
        if how != "again":
            assert carrier.link_step == how
        digest = link.sha256(link.token(KEYS, carrier.link_nonce))
        settled = self.world.store.links.decide(digest, state, self.world.now())
        assert settled == (how != "again")

    def check(self, wanted: Mapping[str, Any], where: str) -> None:
        view = self.world.store.views.message(self.queue_id)
        assert view is not None, where
        found: dict[str, Any] = {
            "verdict": view.verdict,
            "rule": view.rule,
            "reasons": list(view.reasons),
        }
        for key in found.keys() & wanted.keys():
            assert found[key] == wanted[key], f"{where}: {found}, {dict(view.facts)}"
        for name, value in wanted.get("facts", {}).items():
            assert view.facts[name] == value, f"{where}: {name}"
        self.check_ticket(wanted, view.ticket, where)
        self.check_mails(wanted, where)

    def check_ticket(self, wanted: Mapping[str, Any], number: int | None, where: str) -> None:
        if "ticket" not in wanted:
            return
        found = self.world.store.lookup.ticket(number) if number else None
        if wanted["ticket"] is None:
            assert found is None, where
            return
        assert found is not None, where
        for key, value in wanted["ticket"].items():
            assert getattr(found, key) == value, f"{where}: ticket {key}"

    def check_mails(self, wanted: Mapping[str, Any], where: str) -> None:
        rows = self.world.outbox()
        if "mails" in wanted:
            assert len(rows) == wanted["mails"], where
        if "notices" in wanted:
            new = rows[: len(rows) - self.mails_before]
            assert len(new) == len(wanted["notices"]), f"{where}: {[r.notice for r in new]}"
            for row, expected in zip(new, wanted["notices"], strict=True):
                self.check_mail(row, expected, where)
        if "mailed-token" in wanted:
            token = self.filled(wanted["mailed-token"].encode())
            for row in rows:
                assert token in re.sub(rb"\r\n[ \t]", b"", self.world.mail(row)), where

    def check_mail(self, row: OutboxRow, wanted: Mapping[str, str], where: str) -> None:
        found = {
            "template": row.notice.template,
            "to": row.notice.to,
            "language": row.notice.language,
            "step": row.notice.link_step,
        }
        assert {key: found[key] for key in wanted} == dict(wanted), where
        assert f"\r\nTo: {row.notice.to}\r\n".encode() in self.world.mail(row), where

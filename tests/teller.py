"""Plays the steps of one story of tests/cases, and looks whether what follows is what it says."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from mailgate.clock import random
from mailgate.intake.entry import entry
from mailgate.lab.stored import item_of
from mailgate.message.token_request import as_text
from mailgate.model.directory import Contact
from mailgate.model.notice import OutboxRow
from mailgate.model.people import AccessToken
from mailgate.model.token_request import TokenRequest
from mailgate.outbound import letters
from mailgate.tokens import access, link, ticket, verp
from tests.web.house import furnish
from tests.world import KEYS, World


class Teller:
    """Plays one case; `queue_id` is the message that the newest step was about."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder = folder
        self.world = world
        self.queue_id = ""
        self.mails_before = 0
        self.verbs: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "mail": self.mail,
            "panel": lambda step: self.enter("panel", step["panel"]),
            "console": lambda step: self.enter("console", step["console"]),
            "form": self.form,
            "directory": lambda step: self.world.directory(self.folder / step["directory"]),
            "confirm": lambda step: self.answer("confirmed", step["confirm"], step.get("of")),
            "deny": lambda step: self.answer("denied", step["deny"], step.get("of")),
            "bounce": self.bounce,
            "issue": lambda step: self.issue(step["issue"]),
            "revoke": lambda step: self.revoke(step["revoke"]),
            "use": self.use,
            "visit": self.visit,
            "later": lambda step: self.world.later(**step["later"]),
        }

    def play(self, step: Mapping[str, Any]) -> None:
        self.mails_before = len(self.world.outbox())
        (verb,) = step.keys() & self.verbs.keys()
        self.verbs[verb](step)
        if step.get("worked", True):
            self.world.work()

    # --- what comes in ------------------------------------------------------------------------

    def mail(self, step: Mapping[str, Any]) -> None:
        duplicate = step.get("duplicate", False)
        content = self.filled((self.folder / step["mail"]).read_bytes()).replace(b"\n", b"\r\n")
        envelope = item_of(content, self.world.settings, self.world.now()).envelope
        queue_id = self.world.send(content, envelope.reverse_path, list(envelope.recipients))
        assert (queue_id == self.queue_id) == duplicate
        self.queue_id = queue_id

    def bounce(self, step: Mapping[str, Any]) -> None:
        """The relay takes what waits; the newest mail to this address comes back."""
        row = self.newest(lambda r: r.notice.to == step["bounce"])
        at = self.world.now() + timedelta(minutes=1)
        for sent in self.world.store.outbox.claim_due(at, 100):
            self.world.store.outbox.sent(sent.notice.id, "250 2.0.0 ok", at)
        content = (self.folder / step["report"]).read_bytes().replace(b"\n", b"\r\n")
        address = verp.make(KEYS, "bounce@desk.example", row.notice.id)
        self.queue_id = self.world.send(content, "", [address])

    def filled(self, content: bytes) -> bytes:
        """Put in what only the running house knows: tokens and Message-IDs of its mails."""

        def value(match: re.Match[bytes]) -> bytes:
            kind, number = match[1].decode(), int(match[2])
            if kind == "token":
                found = self.world.store.lookup.ticket(number)
                desk = found.desk if found else "support"
                tag = self.world.settings.desks[desk].tag
                return ticket.render(tag, number, ticket.code(KEYS, desk, number, 0)).encode()
            mails = [r for r in self.world.outbox() if r.notice.ticket == number]
            return mails[-1].notice.message_id.encode()

        return re.sub(rb"\{\{(token|message-id) (\d+)\}\}", value, content)

    def enter(self, channel: Any, form: Mapping[str, str]) -> None:
        self.admit(
            desk=form.get("desk", "support"),
            channel=channel,
            account_id=form["account"],
            entered_by=form["by"],
            subject=form["subject"],
            text=form["text"],
        )

    def form(self, step: Mapping[str, Any]) -> None:
        """The open form for access tokens, filled in by anybody."""
        asked = TokenRequest(**step["form"], language=None, missing=())
        self.admit(
            desk="tokens",
            channel="form",
            account_id="",
            entered_by=asked.address,
            subject="Token",
            text=as_text(asked, "pl"),
        )

    def admit(self, **form: Any) -> None:
        admission = entry(self.world.settings, now=self.world.now, random=random, **form)
        (admitted,) = self.world.store.intake.admit([admission])
        self.queue_id = admitted.queue_id

    # --- what people do -----------------------------------------------------------------------

    def answer(self, state: Any, how: str, whose: str | None) -> None:
        """Answer the newest link, or the newest of this address; `how` is what it must ask for, or
        `again` for a second time."""
        carrier = self.newest(
            lambda r: bool(r.notice.link_step) and whose in (None, r.notice.to)
        ).notice
        assert carrier.link_nonce
        if how != "again":
            assert carrier.link_step == how
        digest = link.sha256(link.token(KEYS, carrier.link_nonce))
        settled = self.world.store.links.decide(digest, state, self.world.now())
        assert settled == (how != "again")

    def issue(self, address: str) -> None:
        """Staff set the contact up: the token goes to the registered address."""
        contact = self.contact(address)
        account = self.world.store.lookup.account(contact.account_id)
        assert account
        sha, expires, notice = letters.access_token(
            contact,
            account,
            settings=self.world.settings,
            keys=KEYS,
            now=self.world.now(),
            random=random,
        )
        now = self.world.now()
        assert self.world.store.access_tokens.issue(contact.id, sha, notice, "kasia", now, expires)

    def revoke(self, address: str) -> None:
        newest = self.tokens(address)[-1]
        tokens, now = self.world.store.access_tokens, self.world.now()
        assert tokens.revoke(newest.id, "kasia", "lost", now)

    def use(self, step: Mapping[str, Any]) -> None:
        """Use a token as it was mailed: the newest, or the so-many-th of them."""
        sha = access.sha256(self.mailed_token(step["use"], step.get("token", 0)))
        found = self.world.store.access_tokens.use(sha, self.world.now())
        assert (found is not None) == step.get("works", True)

    def visit(self, step: Mapping[str, Any]) -> None:
        """Ask for a page of the panel: as nobody, or signed in with the token that was mailed."""
        house = furnish(self.world)
        headers = {}
        if "with-token-of" in step:
            typed = self.mailed_token(step["with-token-of"], 0)
            came = house.post("/panel/sign-in/token", "anonymous", token=typed)
            assert came.status == 303, came.text
            headers = {"cookie": came.headers["set-cookie"].partition(";")[0]}
        got = house.ask(step["visit"], headers=headers)
        assert got.status == step["status"]
        for word in step.get("shows", []):
            assert word in got.text
        for word in step.get("hides", []):
            assert word not in got.text
        for row in self.world.outbox():
            if row.notice.template == "access-token":
                assert access.token(KEYS, row.notice.link_nonce or "") not in got.text

    # --- what must follow ---------------------------------------------------------------------

    def check(self, wanted: Mapping[str, Any], where: str) -> None:
        if self.queue_id:
            self.check_message(wanted, where)
        self.check_mails(wanted, where)
        for address, states in wanted.get("tokens", {}).items():
            found = [self.state(token) for token in self.tokens(address)]
            assert found == states, f"{where}: tokens of {address}"

    def check_message(self, wanted: Mapping[str, Any], where: str) -> None:
        view = self.world.store.views.message(self.queue_id)
        assert view is not None, where
        found: dict[str, Any] = {
            "verdict": view.verdict,
            "rule": view.rule,
            "reasons": list(view.reasons),
            "labels": list(view.labels),
        }
        for key in found.keys() & wanted.keys():
            assert found[key] == wanted[key], f"{where}: {found}, {dict(view.facts)}"
        for name, value in wanted.get("facts", {}).items():
            assert view.facts[name] == value, f"{where}: {name}"
        self.check_ticket(wanted, view.ticket, where)

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
            new = sorted(new, key=lambda row: row.next_at)
            assert len(new) == len(wanted["notices"]), f"{where}: {[r.notice for r in new]}"
            for row, expected in zip(new, wanted["notices"], strict=True):
                self.check_mail(row, expected, where)
        if "mailed-token" in wanted:
            token = self.filled(wanted["mailed-token"].encode())
            for row in rows:
                assert token in re.sub(rb"\r\n[ \t]", b"", self.world.mail(row)), where

    def check_mail(self, row: OutboxRow, wanted: Mapping[str, Any], where: str) -> None:
        found = {
            "template": row.notice.template,
            "to": row.notice.to,
            "language": row.notice.language,
            "step": row.notice.link_step,
            "ticket": row.notice.ticket,
        }
        says = wanted.get("says", [])
        asked = {key: value for key, value in wanted.items() if key != "says"}
        assert {key: found[key] for key in asked} == asked, where
        octets = self.world.mail(row)
        assert f"\r\nTo: {row.notice.to}\r\n".encode() in octets, where
        text = email.message_from_bytes(octets, policy=email.policy.default).get_content()
        for words in says:
            assert words in " ".join(text.split()), f"{where}: {text}"

    # --- looking up ---------------------------------------------------------------------------

    def newest(self, wanted: Callable[[OutboxRow], bool]) -> OutboxRow:
        rows = sorted(self.world.outbox(), key=lambda row: row.notice.id, reverse=True)
        return next(row for row in rows if wanted(row))

    def contact(self, address: str) -> Contact:
        (contact,) = self.world.store.lookup.contacts(address)
        return contact

    def tokens(self, address: str) -> list[AccessToken]:
        """Oldest first."""
        found = self.world.store.access_tokens.of_contact(self.contact(address).id)
        return found[::-1]

    def state(self, token: AccessToken) -> str:
        if token.revoked_at is not None:
            return "ended"
        if token.expires_at <= self.world.now():
            return "expired"
        return "verified" if token.verified_at else "unverified"

    def mailed_token(self, address: str, before: int) -> str:
        """A token as its mail has it: the newest, or one of those before."""
        rows = sorted(self.world.outbox(), key=lambda row: row.notice.id, reverse=True)
        mails = [
            r.notice for r in rows if r.notice.template == "access-token" and r.notice.to == address
        ]
        return access.token(KEYS, mails[before].link_nonce or "")

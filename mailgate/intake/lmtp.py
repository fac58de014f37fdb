"""LMTP (RFC 2033): another hello, and after the content one reply for each accepted recipient."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from mailgate.intake import replies
from mailgate.intake.smtp import Smtp, Verb
from mailgate.model.envelope import Protocol, Reply


class Lmtp(Smtp):
    greeting = "LMTP"
    protocol: ClassVar[Protocol] = "lmtp"

    def accepted(self, ids: Mapping[str, str]) -> None:
        for recipient in self.envelope.rcpt_tos:
            self.say(replies.queued(ids[recipient]))
        self._transaction_over()

    def answer(self, reply: Reply) -> None:
        """RFC 2033 §4.2 knows no exception: also a refusal is said once for each recipient."""
        for number, _recipient in enumerate(self.envelope.rcpt_tos):
            self.say(reply, counts=number == 0)
        self._transaction_over()

    verbs: ClassVar[Mapping[bytes, Verb]] = MappingProxyType(
        {
            b"LHLO": Smtp.do_ehlo,
            **{verb: act for verb, act in Smtp.verbs.items() if verb not in {b"HELO", b"EHLO"}},
        }
    )

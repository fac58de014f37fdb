"""The SMTP commands (RFC 5321), each a method that gives its reply, and the end of the content."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from mailgate.intake import replies
from mailgate.intake.committer import Outcome
from mailgate.intake.gate import hop_reply
from mailgate.intake.hall import Hall
from mailgate.intake.paths import read_path, read_sender
from mailgate.intake.reader import DataReader
from mailgate.intake.wire import Connection
from mailgate.model.envelope import STORAGE_FULL, TOO_BIG, Envelope, Protocol, Reply
from mailgate.model.item import Admission, Admitted

#: What a browser or a message's header looks like on our port: someone makes a client talk to us
#: that means someone else (promise S12). BDAT is followed by octets that are no commands.
_FOREIGN = re.compile(
    rb"(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT|DELETE|PATCH|BDAT|PRI|PROXY)\b", re.IGNORECASE
)
_HEADER_FIELD = re.compile(rb"[!-9;-~]+:(?:[ \t]|$)")
_KNOWN = frozenset(
    {b"EXPN", b"ETRN", b"AUTH", b"TURN", b"SEND", b"SOML", b"SAML", b"XCLIENT", b"XFORWARD"}
)
_BEFORE_TLS = frozenset({b"EHLO", b"LHLO", b"HELO", b"NOOP", b"STARTTLS", b"QUIT"})  # RFC 3207 §4
_JUNK = frozenset({b"EHLO", b"LHLO", b"HELO", b"NOOP", b"RSET", b"VRFY", b"HELP"})
_HELLO = re.compile(rb"[!-~]{1,255}")

#: How long a TLS handshake may take, in seconds.
_HANDSHAKE = 30.0

Verb = Callable[["Smtp", bytes], Reply | None]


class Smtp(Connection):
    """One SMTP connection. Verbs give their reply, or None where they have said it themselves."""

    protocol: ClassVar[Protocol] = "smtp"

    def __init__(self, hall: Hall, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(hall, loop)
        self.junk = 0
        """Commands since the last message that brought none nearer."""
        self.refused = False
        """Whether a recipient of this transaction was refused."""

    def reset(self) -> None:
        super().reset()
        self.refused = False

    def command(self, line: bytes) -> Reply | None:
        word, _, argument = line.partition(b" ")
        word = word.upper()
        verb = self.verbs.get(word)
        if verb is None:
            return self._unknown(word, line)
        tls = self.hall.settings.tls
        if tls and tls.required and self.session.ssl is None and word not in _BEFORE_TLS:
            return replies.TLS_FIRST
        if word in _JUNK:
            self.junk += 1
            if self.junk > self.hall.settings.junk_commands:
                self.hang_up(replies.TOO_MANY_COMMANDS)
                return None
        return verb(self, argument.strip())

    def _unknown(self, word: bytes, line: bytes) -> Reply | None:
        if _FOREIGN.match(line) or _HEADER_FIELD.match(line):
            self.hang_up(replies.NOT_SMTP)
            return None
        return replies.NOT_IMPLEMENTED if word in _KNOWN else replies.UNRECOGNIZED

    # The commands.

    def do_helo(self, argument: bytes) -> Reply | None:
        if not self._greeted(argument, extended=False):
            return replies.HELLO_SYNTAX
        self.say_raw(f"250 {self.hostname}\r\n".encode())
        return None

    def do_ehlo(self, argument: bytes) -> Reply | None:
        if not self._greeted(argument, extended=True):
            return replies.HELLO_SYNTAX
        lines = [self.hostname, "PIPELINING", f"SIZE {self.hall.settings.size}", "8BITMIME"]
        lines += ["SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if self.hall.tls is not None and self.session.ssl is None:
            lines.append("STARTTLS")
        *most, last = lines
        self.say_raw("".join([*(f"250-{line}\r\n" for line in most), f"250 {last}\r\n"]).encode())
        return None

    def do_mail(self, argument: bytes) -> Reply | None:
        if not self.session.host_name:
            return replies.HELLO_FIRST
        # After a refused recipient a client may go on without RSET; nothing is lost by it.
        if self.in_transaction and (self.envelope.rcpt_tos or not self.refused):
            return replies.NESTED_MAIL
        path = read_path("FROM", argument, self._getaddr)
        sender = path if isinstance(path, Reply) else read_sender(path)
        if isinstance(sender, Reply):
            return sender
        if sender.size > self.hall.settings.size:
            return TOO_BIG  # RFC 1870 §6.1
        if self.hall.space.short():
            return STORAGE_FULL
        self.reset()
        self.envelope.mail_from = sender.address
        self.envelope.smtp_utf8 = sender.smtp_utf8
        return replies.SENDER_OK

    def do_rcpt(self, argument: bytes) -> Reply | None:
        if not self.in_transaction:
            return replies.MAIL_FIRST
        refusal = self._recipient(argument)
        self.refused = self.refused or refusal is not None
        return refusal or replies.RECIPIENT_OK

    def _recipient(self, argument: bytes) -> Reply | None:
        path = read_path("TO", argument, self._getaddr)
        if isinstance(path, Reply):
            return path
        if not path.address.isascii() and not self.envelope.smtp_utf8:
            return replies.ADDRESS_NEEDS_SMTPUTF8
        if path.parameters:
            return replies.UNKNOWN_PARAMETER
        if len(self.envelope.rcpt_tos) >= self.hall.settings.recipients:
            return replies.TOO_MANY_RECIPIENTS
        refusal = self.hall.gate.recipient_reply(path.address)
        if refusal is None:
            self.envelope.rcpt_tos.append(path.address)
        return refusal

    def do_data(self, argument: bytes) -> Reply | None:
        if not self.in_transaction:
            return replies.MAIL_FIRST
        if not self.envelope.rcpt_tos:
            return replies.RECIPIENT_FIRST
        if argument:
            return replies.NO_ARGUMENT
        self.start_content()
        self.say_raw(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        return None

    def do_rset(self, argument: bytes) -> Reply | None:
        if argument:
            return replies.NO_ARGUMENT
        self.say(replies.OK)
        self._transaction_over()
        return None

    def do_noop(self, _argument: bytes) -> Reply | None:
        return replies.OK

    def do_vrfy(self, argument: bytes) -> Reply | None:
        return replies.CANNOT_VERIFY if argument else replies.BAD_SYNTAX

    def do_help(self, _argument: bytes) -> Reply | None:
        return replies.HELP

    def do_quit(self, argument: bytes) -> Reply | None:
        if argument:
            return replies.NO_ARGUMENT
        self.hang_up(replies.BYE)
        return None

    def do_starttls(self, argument: bytes) -> Reply | None:
        if self.hall.tls is None:
            return replies.NOT_IMPLEMENTED
        if self.session.ssl is not None:
            return replies.TLS_ACTIVE
        if argument:
            return replies.NO_ARGUMENT
        self.say(replies.READY_FOR_TLS)
        self.busy = True
        self.hall.start(self._upgrade())
        return None

    # What the commands share.

    def _greeted(self, argument: bytes, *, extended: bool) -> bool:
        name = _HELLO.match(argument)
        if name is None:
            return False
        self.reset()
        self.session.host_name = name[0].decode("ascii")
        self.session.extended_smtp = extended
        return True

    def _transaction_over(self) -> None:
        self.reset()
        if self.hall.stopping:
            self.hang_up(replies.SHUTTING_DOWN)

    async def _upgrade(self) -> None:
        """The handshake. Nothing that came before it counts after it (RFC 3207 §4.2, §5)."""
        plain, context = self.transport, self.hall.tls
        if plain is None or context is None:
            return
        self.discard_input()
        try:
            secure = await self.loop.start_tls(
                plain, self, context, server_side=True, ssl_handshake_timeout=_HANDSHAKE
            )
        except OSError as error:
            # The layer that would tell us of the loss was not in place yet.
            self.connection_lost(error)
            return
        if secure is None:  # lost during the handshake, so asyncio has no transport to give
            self.connection_lost(None)
            return
        self.transport = secure
        self.session = self._create_session()
        self.session.peer = self.peer
        self.session.ssl = secure.get_extra_info("ssl_object")
        self.reset()
        self.busy = False
        self.resume()

    # The end of the content.

    def content_ended(self, reader: DataReader) -> None:
        content = reader.content()
        refusal = reader.refusal or hop_reply(content, self.hall.settings.hops)
        if refusal is not None:
            reader.release()
            self.answer(refusal)
            return
        envelope = Envelope(
            reverse_path=self.envelope.mail_from or "",
            recipients=tuple(self.envelope.rcpt_tos),
            received_at=self.hall.now(),
            client=self.peer,
            helo=self.session.host_name or "",
            protocol=self.protocol,
            tls=self.session.ssl is not None,
        )
        admissions = self.hall.gate.admissions(envelope, content, digest=reader.digest)
        done = functools.partial(self._committed, admissions, reader)
        self.hall.committer.submit(admissions, done)
        self.busy = True

    def _committed(
        self, admissions: Sequence[Admission], reader: DataReader, outcome: Outcome
    ) -> None:
        """Runs on the event loop after the commit, whether or not the client is still there."""
        reader.release()
        self.busy = False
        if isinstance(outcome, Reply):
            self.answer(outcome)
        else:
            self.errors = self.junk = 0
            self._log_admitted(admissions, outcome)
            self.accepted(
                {
                    recipient: admitted.queue_id
                    for admission, admitted in zip(admissions, outcome, strict=True)
                    for recipient in admission.envelope.recipients
                }
            )
        self.resume()

    def _log_admitted(self, admissions: Sequence[Admission], outcome: list[Admitted]) -> None:
        for admission, admitted in zip(admissions, outcome, strict=True):
            self.hall.log.info(
                "admitted",
                queue_id=admitted.queue_id,
                desk=admission.desk,
                client=self.peer,
                size=len(admission.content),
                duplicate=admitted.duplicate,
            )

    def accepted(self, ids: Mapping[str, str]) -> None:
        """Say that the message is ours; `ids` names the item of each recipient."""
        self.say(replies.queued(*dict.fromkeys(ids.values())))
        self._transaction_over()

    def answer(self, reply: Reply) -> None:
        self.say(reply)
        self._transaction_over()

    verbs: ClassVar[Mapping[bytes, Verb]] = MappingProxyType(
        {
            b"HELO": do_helo,
            b"EHLO": do_ehlo,
            b"MAIL": do_mail,
            b"RCPT": do_rcpt,
            b"DATA": do_data,
            b"RSET": do_rset,
            b"NOOP": do_noop,
            b"VRFY": do_vrfy,
            b"HELP": do_help,
            b"QUIT": do_quit,
            b"STARTTLS": do_starttls,
        }
    )

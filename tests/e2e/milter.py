"""A mail filter as OpenDMARC would be one: writes Authentication-Results for domains that prove
themselves; as little of the milter protocol (version 6) as that takes."""

from __future__ import annotations

import socketserver
import struct
import threading
from email.utils import parseaddr
from typing import Self

#: Steps we do not want to hear of: connect, helo, mail, rcpt, body, end of headers, unknown, data.
_SKIP = 0x01 | 0x02 | 0x04 | 0x08 | 0x10 | 0x40 | 0x100 | 0x200
_ADD_HEADERS = 0x01


class _Conversation(socketserver.StreamRequestHandler):
    server: Milter

    def handle(self) -> None:
        author = ""
        while header := self.rfile.read(5):
            (length,) = struct.unpack(">I", header[:4])
            command, data = header[4:5], self.rfile.read(length - 1)
            if command == b"O":
                self._answer(b"O", struct.pack(">III", 6, _ADD_HEADERS, _SKIP))
            elif command == b"L":
                name, value = data.split(b"\0")[:2]
                if name.lower() == b"from":
                    author = parseaddr(value.decode())[1]
                self._answer(b"c")
            elif command == b"E":
                field = self.server.result(author).encode()
                self._answer(
                    b"i", struct.pack(">I", 0) + b"Authentication-Results\0" + field + b"\0"
                )
                self._answer(b"c")
                author = ""
            elif command in {b"Q", b"K"}:
                return

    def _answer(self, command: bytes, data: bytes = b"") -> None:
        self.wfile.write(struct.pack(">I", len(data) + 1) + command + data)


class Milter(socketserver.ThreadingTCPServer):
    """Listens on a free port of loopback; `passing` are the domains with an aligned signature."""

    daemon_threads = True

    def __init__(self, authserv_id: str, passing: frozenset[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.port: int = self.server_address[1]
        self._authserv_id = authserv_id
        self._passing = passing

    def result(self, author: str) -> str:
        domain = author.rpartition("@")[2].lower()
        outcome = "pass" if domain in self._passing else "none"
        return f"{self._authserv_id}; dmarc={outcome} header.from={domain}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

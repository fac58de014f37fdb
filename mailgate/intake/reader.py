"""Reads one content out of the stream: finds its end, undoes dot-stuffing, keeps to the bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from mailgate.intake.replies import LINE_TOO_LONG
from mailgate.model.envelope import STORAGE_FULL, TOO_BIG, Reply

_END = b"\r\n.\r\n"
_STUFFED = b"\r\n."


class DataReader:
    """Takes octets as they come, in blocks, and keeps the content without the doubled dots.

    Only exact CRLF "." CRLF ends the content (RFC 5321 §4.1.1.4); every other ending known from
    SMTP smuggling is content. A bare CR, LF or NUL is neither refused nor changed: losing mail
    would be worse, and reading neutralises them (promise S2). What must not be kept is still read
    to its end, so that it is never taken for commands; `refusal` says why it was not kept.
    """

    def __init__(self, size: int, line: int, take: Callable[[int], bool]) -> None:
        self.refusal: Reply | None = None
        self.received = 0
        """Octets that came over the wire, kept or not."""
        self.taken = 0
        """Octets of memory that `take` granted."""
        self.digest = hashlib.sha256()
        """Over the content kept so far, so that the end of a long one costs nothing more."""
        self._size = size
        self._line = line
        self._take = take
        self._pieces: list[bytes] = []
        # The CRLF that ended DATA counts as the first of CRLF "." CRLF; it is no content.
        self._carry = b"\r\n"
        self._skip = 2

    def feed(self, data: bytes, start: int = 0) -> int:
        """Read from `start`; gives where the content has ended in `data`, or -1 where it goes on.

        Where it raises, it has read nothing: after `refuse` the same octets can be fed again.
        """
        carried = len(self._carry)
        block = self._carry + (data[start:] if start else data)
        # One search settles it for most blocks: without a line that begins with a dot there is
        # neither an end nor anything to undo.
        dot = block.find(_STUFFED)
        end = block.find(_END, dot) if dot >= 0 else -1
        whole = end + 2 if end >= 0 else len(block) - _held(block)
        if self.refusal is None:
            piece = block[:whole]
            if 0 <= dot < whole:  # RFC 5321 §4.5.2: the client added a line's first dot
                piece = piece.replace(_STUFFED, b"\r\n")
            self._keep(piece)
        if end >= 0:
            self.received += end + len(_END) - carried
            return start + end + len(_END) - carried
        self._carry = block[whole:]
        self.received += len(block) - carried
        return -1

    def refuse(self, reply: Reply) -> None:
        """Keep nothing of this content, and read on; the first reason stays."""
        self._pieces.clear()
        self.release()
        self.refusal = self.refusal or reply

    def release(self) -> None:
        """Give back the memory, once the content is dealt with."""
        taken, self.taken = self.taken, 0
        self._take(-taken)

    def content(self) -> bytes:
        """The content, once `feed` has found its end; empty where it was refused."""
        content = b"".join(self._pieces)
        self._pieces.clear()
        if _has_longer_line(content, self._line):
            self.refuse(LINE_TOO_LONG)
            return b""
        return content

    def _keep(self, piece: bytes) -> None:
        if self._skip and piece:
            piece, self._skip = piece[self._skip :], 0
        if not self._take(len(piece)):
            self.refuse(STORAGE_FULL)
            return
        self.taken += len(piece)
        if self.taken > self._size:
            self.refuse(TOO_BIG)
            return
        self._pieces.append(piece)
        self.digest.update(piece)


def _held(block: bytes) -> int:
    """How many last octets may be the beginning of an end or of a stuffed dot."""
    return next((n for n in (4, 3, 2, 1) if block.endswith(_END[:n])), 0)


def _has_longer_line(content: bytes, limit: int) -> bool:
    """Leaps from the last line end within the limit to the next, so it looks at few octets.

    A bare LF counts as a line end here, so that a broken client's mail is not taken for one line.
    """
    at = 0
    while len(content) - at > limit:
        end = content.rfind(b"\n", at, at + limit + 2)
        if end < 0:
            return True
        at = end + 1
    return False

"""The answer that carries a person's copy of their data, on panel and console alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import IO
from urllib.parse import quote

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from mailgate.model.privacy import PrivacyRequest

MakeCopy = Callable[[PrivacyRequest, str, datetime], IO[bytes]]
"""Make the copy that a request asks for (GDPR Art. 15(3) and 20): the request, who gets it, when.
It is made at that moment, is in the audit log before its first octet goes out, and closes itself
away: it never has a name in a file system."""
_CHUNK = 1 << 16


class CopyResponse(StreamingResponse):
    """The zip as something to save under its name (RFC 6266 §4.3), never as a page."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        super().__init__(_chunks(file), headers=headers, media_type="application/zip")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Closes the file however it ends: a reader who goes away never begins to read it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk

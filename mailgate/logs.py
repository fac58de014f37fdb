"""Logging: one line an event, the closed list of events, and what must never reach a log."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

#: Every event there is. An operator can build alerts on these names; they do not change.
EVENTS = frozenset(
    {
        "admitted",
        "address-paused",
        "admit-failed",
        "bounce-recorded",
        "client-refused",
        "clock-jumped",
        "confirm-answered",
        "decided",
        "demo-ready",
        "duty-done",
        "duty-failed",
        "http-answered",
        "http-failed",
        "item-deferred",
        "item-held",
        "mailer-failed",
        "notice-failed",
        "part-failed",
        "notice-retried",
        "notice-sent",
        "notice-suppressed",
        "privacy-request-late",
        "purge-stopped",
        "ready",
        "rules-loaded",
        "rules-rejected",
        "session-failed",
        "sign-in-refused",
        "stale-claim",
        "stopped",
        "stopping",
        "store-unavailable",
        "worker-died",
        "worker-failed",
        "worker-killed",
        "worker-started",
    }
)

_ADDRESS = re.compile(r"([^\s@<>\"']{1,2})[^\s@<>\"']*@([^\s@<>\"']+)")


def mask(text: str) -> str:
    """Shorten the local part of every address, so that a log names no person (promise O5)."""
    return _ADDRESS.sub(r"\1…@\2", text)


def _masked(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and "@" in value:
            event[key] = mask(value)
    return event


class _Patient(io.TextIOBase):
    """Standard error, whose own trouble (a full disk behind it) must not stop the mail."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):  # there is no better place left to say it
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def configure(level: str, form: str) -> None:
    """Send all logging to standard error: JSON lines (ASCII only, so no control or bidi character
    of a message reaches a terminal), or coloured lines for people.
    """
    last: list[structlog.typing.Processor] = (
        [structlog.processors.JSONRenderer(ensure_ascii=True, sort_keys=False)]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _masked,
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Patient())),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    # aiosmtpd prints every command with its addresses, uvicorn every path with its token.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    logging.getLogger("uvicorn.access").disabled = True


def get(room: str) -> Any:
    """A logger whose lines carry the room's name."""
    return structlog.get_logger().bind(room=room)

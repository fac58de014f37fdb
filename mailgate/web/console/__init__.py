"""The staff console: every message with its verdict and why, and what staff may do about it."""

from mailgate.web.console.ports import Around, ConsoleStore
from mailgate.web.console.rights import Rights
from mailgate.web.console.routes import routes

__all__ = ["Around", "ConsoleStore", "Rights", "routes"]

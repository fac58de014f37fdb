"""mailgate: decides whether a support mail is authorized, and ties it to its ticket."""

__version__ = "0.1.0"

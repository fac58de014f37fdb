"""Octets of mail to values: reading, readable text, automatic mail, bounces, authenticity."""

from mailgate.message.reading import attachment, read, read_head

__all__ = ["attachment", "read", "read_head"]

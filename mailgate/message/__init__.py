"""Octets of mail to values: reading, readable text, automatic mail, bounces, authenticity."""

from mailgate.message.reading import read, read_head

__all__ = ["read", "read_head"]

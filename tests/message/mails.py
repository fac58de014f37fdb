"""Small messages for the tests of the reader."""

from __future__ import annotations


def mail(*fields: str | bytes, body: bytes | str = b"Dzien dobry.\r\n") -> bytes:
    """A message with CRLF line ends and a proper author, unless From is among the fields."""
    lines = [f.encode() if isinstance(f, str) else f for f in fields]
    if not any(line.lower().startswith(b"from") for line in lines):
        lines.insert(0, b"From: Jan Kowalski <jan@klient.example>")
    octets = body.encode() if isinstance(body, str) else body
    return b"\r\n".join([*lines, b"", octets])


def multipart(kind: str, *parts: bytes, boundary: str = "=_b") -> bytes:
    """A multipart with its Content-Type field before it, to stand as a part or as the root."""
    mark = boundary.encode()
    inner = b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts)
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    return head + inner + b"--" + mark + b"--\r\n"


def part(*fields: str, body: bytes | str = b"") -> bytes:
    octets = body.encode() if isinstance(body, str) else body
    return "\r\n".join([*fields, "", ""]).encode() + octets


def rooted(body_with_fields: bytes, *fields: str) -> bytes:
    """A message whose header section ends with the fields that `multipart` or `part` begin with."""
    head = "\r\n".join(["From: Jan Kowalski <jan@klient.example>", *fields, ""]).encode()
    return head + body_with_fields

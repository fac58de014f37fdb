"""A person taken out of the header section of somebody else's message; the rest stays as it is.

For erasure (GDPR Art. 17): the message belongs to whoever wrote it, the address of the person in
To or Cc belongs to the person.
"""

from __future__ import annotations

import re
from email.utils import formataddr

from mailgate.message import addresses, head
from mailgate.model.addresses import address_key
from mailgate.model.message import Mailbox
from mailgate.privacy.spelling import names, without

#: Fields that hold addresses (RFC 5322 §3.6.2, §3.6.3 and §3.6.6).
_LISTS = frozenset(
    {
        name
        for plain in ("from", "sender", "reply-to", "to", "cc", "bcc")
        for name in (plain, f"resent-{plain}")
    }
)
#: Words of the author, which stay theirs.
_THEIRS = frozenset({"subject", "comments", "keywords"})
_FIELD = re.compile(rb"[^\n]*\n?(?:[ \t][^\n]*(?:\n|\Z))*")
_FOLD = re.compile(r"\r?\n")
_MOST = 1000


def take_out(content: bytes, key: str, word: str) -> bytes:
    """The message with every mailbox of this address left out of its address fields, and a word in
    its place in others, such as Delivered-To. Gives the very same octets where it is not named."""
    reading = head.read(content)
    block = reading.content[: reading.body]
    kept = b"".join(_without(field[0], key, word) for field in _FIELD.finditer(block))
    return content if kept == block else kept + content[reading.body :]


def _without(field: bytes, key: str, word: str) -> bytes:
    name, colon, raw = field.partition(b":")
    if not colon or (b"@" not in raw.replace(b"=40", b"@") and b"=?" not in raw):
        return field
    called = name.strip().decode("ascii", "replace").lower()
    if called in _LISTS:
        return _shorter(name, raw, key, word) or field
    text = raw.decode("ascii", "surrogateescape")
    if called in _THEIRS or not names(text, key):
        return field
    return name + b":" + without(text, key, word).encode("ascii", "surrogateescape")


def _shorter(name: bytes, raw: bytes, key: str, word: str) -> bytes | None:
    """An address field without a mailbox; None where it does not have it.

    A field in which nobody is left says so with an empty group (RFC 6854 §2.1, RFC 5322 §3.4).
    """
    body = _FOLD.sub("", raw.decode("ascii", "surrogateescape")).strip()
    found = addresses.parse(body, _MOST)
    others = [box for box in found if address_key(box.address) != key]
    # What one of two readers takes for an address may be a display name to the other.
    others = [Mailbox(without(box.name, key, word), box.address) for box in others]
    if len(others) == len(found) and not names(body, key):
        return None
    end = b"\r\n" if raw.endswith(b"\r\n") else b"\n" if raw.endswith(b"\n") else b""
    fold = f",{(end or b' ').decode()} "
    written = fold.join(map(_mailbox, others)) or f"{word}:;"
    return name + b": " + written.encode("utf-8", "replace") + end


def _mailbox(box: Mailbox) -> str:
    try:
        return formataddr((box.name, box.address))
    except UnicodeError:  # a local part that is not ASCII (RFC 6532)
        name = box.name.replace("\\", "").replace('"', "")
        return f'"{name}" <{box.address}>' if name else box.address

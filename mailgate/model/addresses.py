"""One way to write and to compare addresses: the domain as A-label, the local part without case."""

from __future__ import annotations

import re
import unicodedata

import idna

#: RFC 5321 §4.5.3.1.1 and §4.5.3.1.2; what is longer is compared as it stands.
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 255
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_ATOM = re.compile(r"[^\s\x00-\x1f\x7f()<>\[\]:;@\\,\"]+")


def normalise(address: str) -> str:
    """The address with its domain lower-cased and as A-label (RFC 5890 §2.3.2.1).

    The local part stays as written (RFC 5321 §2.4). Never raises: a domain that IDNA refuses is
    only lower-cased, so that two addresses are equal less often, never more often, than they are.
    """
    local, at, domain = address.strip().rpartition("@")
    return f"{local}{at}{_domain(domain)}" if at else domain


def address_key(address: str) -> str:
    """What two addresses have in common exactly when they count as one.

    Local parts are compared without case, as every provider our customers use does, and in
    Unicode form NFC (RFC 6532 §3.1).
    """
    local, at, domain = normalise(address).rpartition("@")
    if not local.isascii():
        local = unicodedata.normalize("NFC", local)
    return f"{local.lower()}{at}{domain}"


def same_address(one: str, other: str) -> bool:
    return address_key(one) == address_key(other)


def spellings(name: str) -> frozenset[str]:
    """A domain with A-labels and as people write it (RFC 5890 §2.3.2.1); others as they are."""
    written = _domain(name)
    if "xn--" not in written:
        return frozenset({name, written})
    try:
        return frozenset({name, written, idna.decode(written)})
    except idna.IDNAError:
        return frozenset({name, written})


def parse_address(text: str) -> str:
    """A registered address, normalised; raises `ValueError` that says what is wrong with it.

    Stricter than RFC 5321 on purpose: no quoted local part, no address literal, no bare host.
    """
    address = normalise(text)
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise ValueError(f"{text!r} is no address: it needs a name, one @ and a domain")
    if len(local.encode()) > _LONGEST_LOCAL or len(domain) > _LONGEST_DOMAIN:
        raise ValueError(f"{text!r} is longer than an address may be")
    if not _ATOM.fullmatch(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise ValueError(f"{text!r} has a name before the @ that is not allowed here")
    labels = domain.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} has no proper domain after the @")
    return address


def _domain(domain: str) -> str:
    if domain.isascii() or len(domain) > _LONGEST_DOMAIN:
        return domain.lower()
    # Without UTS 46 mapping: "ⓔxample.pl" must not become the "example.pl" of someone else.
    labels = unicodedata.normalize("NFC", domain.lower()).split(".")
    try:
        return ".".join(
            label if label.isascii() else idna.alabel(label).decode() for label in labels
        )
    except idna.IDNAError:
        return domain.lower()

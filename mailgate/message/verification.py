"""DKIM, SPF, DMARC and ARC verified by ourselves, for sites whose mail server does none of it.

Imported only where `authentication.verify` is on: the libraries are an extra. What they leave to
their caller is seen to here: which signatures count at all, what a domain is aligned with, and
that no input makes them slow.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import ipaddress
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import dkim
import spf
from authheaders.dmarc_lookup import DMARCException, get_org_domain, lookup_receiver_record

from mailgate.message import head as heads
from mailgate.message import signatures
from mailgate.message.authenticity import NO_AUTHOR, Authentication, sealed
from mailgate.model.addresses import parse_address
from mailgate.model.envelope import Envelope

Resolve = Callable[[str, str], Sequence[str]]
"""Answers of the DNS for a name and a type (A, AAAA, MX, PTR, TXT), as text: a TXT record in one
piece, an octet a character; an MX record as `10 host`. Empty where the name has none."""

#: Signatures of the author's domain that are tried, the topmost first (RFC 6376 §6.1).
MAX_SIGNATURES = 5
#: A 4096-bit key takes some 750 characters; time to verify grows with the cube of its size.
MAX_KEY = 1000

_ALGORITHMS = frozenset({"rsa-sha256", "ed25519-sha256"})  # RFC 8301 §3.1: no SHA-1
#: What dkimpy raises for a broken signature, seal or key.
_BROKEN = (dkim.DKIMException, ValueError, TypeError, KeyError, IndexError)
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_SPACES = re.compile(rb"[ \t\r\n]+")


class Unresolved(Exception):
    """The DNS gave no answer: out of time, or out of order."""


def verify(
    content: bytes,
    envelope: Envelope,
    resolve: Resolve,
    *,
    sealers: Collection[str] = (),
    relays: Sequence[str] = (),
) -> Authentication:
    """Find out how well the author's domain is proved, as a trusted mail server would.

    `relays` are networks of mail servers of our own: SPF says nothing about a mail they relay.
    Fails closed: any error, and any question that stays open, gives "none" with the reason.
    """
    reading = heads.read(content)
    author = reading.head.author
    if author is None:
        return NO_AUTHOR
    domain = author.rpartition("@")[2]
    letter = _Letter(content, reading.body, resolve)
    try:
        found = _own(letter, domain, lambda: _spf_domain(envelope, relays, resolve))
        if found.proof == "none":
            forwarded = sealed(reading.head, sealers)
            return forwarded if forwarded and letter.chain_holds(sealers) else found
    except Unresolved as trouble:
        return Authentication("none", f"the DNS gave no answer: {trouble}")
    except Exception as error:  # noqa: BLE001 - three libraries read what a stranger wrote
        return Authentication("none", f"it cannot be verified: {type(error).__name__}: {error}")
    return found


def _own(letter: _Letter, domain: str, spf_domain: Callable[[], str | None]) -> Authentication:
    policy = _policy(domain, letter.resolve)
    if policy is None:
        if domain in letter.signers(domain):
            return Authentication("aligned", f"dkim=pass of {domain}, verified here")
        return Authentication("none", f"no DKIM signature of {domain} holds, and it has no DMARC")
    for signer in letter.signers(domain):
        if _aligned(signer, domain, policy.get("adkim", "r")):
            return Authentication("dmarc", f"DMARC passed by DKIM of {signer}, verified here")
    sender = spf_domain()
    if sender and _aligned(sender, domain, policy.get("aspf", "r")):
        return Authentication("dmarc", f"DMARC passed by SPF of {sender}, verified here")
    return Authentication("none", f"DMARC of {domain} failed, verified here")


# --- signatures -----------------------------------------------------------------------------------


class _Letter:
    """One message, in the form that dkimpy wants it."""

    def __init__(self, content: bytes, body: int, resolve: Resolve) -> None:
        self.resolve = resolve
        self._headers, _ = dkim.rfc822_parse(content[:body])
        self._body = _Body(content[body:])

    def signers(self, domain: str) -> Iterator[str]:
        """Domains of the author's organization whose signatures hold, the topmost first."""
        tried = 0
        fields = (v for n, v in self._headers if n.lower() == b"dkim-signature")
        for index, value in enumerate(fields):
            signature = signatures.tags(value.decode("ascii", "replace"))
            signer = signature.get("d", "").lower()
            if not _counts(signature) or not _aligned(signer, domain, "r"):
                continue
            tried += 1
            if tried > MAX_SIGNATURES:
                return
            if self._holds(index, signer):
                yield signer

    def chain_holds(self, sealers: Collection[str]) -> bool:
        """Whether every ARC seal, and the last signature over the message, are right and theirs."""
        try:
            status, sets, _ = _Arc(self._headers, self._body).verify(dnsfunc=self._key)
        except _BROKEN:
            return False
        named = {sealer.lower() for sealer in sealers}
        keys = (each[key] for each in sets for key in ("as-domain", "ams-domain"))
        return bool(status == dkim.CV_Pass) and {k.decode().lower() for k in keys} <= named

    def _holds(self, index: int, signer: str) -> bool:
        checker = _Dkim(self._headers, self._body)
        try:
            # Whose key it was is asked of dkimpy: it might read the field otherwise than we do.
            holds = checker.verify(index, dnsfunc=self._key)
            return bool(holds) and checker.domain.decode().lower() == signer
        except _BROKEN:
            return False  # another one may hold (RFC 6376 §6.1)

    def _key(self, name: bytes, timeout: float = 0) -> bytes | None:
        del timeout  # the resolver has its own, for the whole message
        found = self.resolve(name.decode("ascii").rstrip("."), "TXT")
        # RFC 6376 §3.6.2.2: what several records mean is not defined.
        return found[0].encode("latin-1") if len(found) == 1 and len(found[0]) <= MAX_KEY else None


class _Body:
    """The body of a message and its digests in both canonical forms, each made once.

    dkimpy makes them for every signature anew, and needs the square of the length of a run of
    spaces.
    """

    def __init__(self, octets: bytes) -> None:
        # A stored file ends its lines in LF; a mixture has cost the author already.
        self._octets = octets if b"\r" in octets else octets.replace(b"\n", b"\r\n")

    def has_digest(self, claimed: bytes, canonicalization: bytes) -> bool:
        """Whether this is what a signature says of the body it signs (RFC 6376 §3.7)."""
        relaxed = canonicalization.endswith(b"/relaxed")
        found = self._relaxed if relaxed else self._simple
        return base64.b64decode(_SPACES.sub(b"", claimed)) == found

    @functools.cached_property
    def _simple(self) -> bytes:
        """RFC 6376 §3.4.3: one line end behind the last line that is not empty."""
        return hashlib.sha256(self._octets.rstrip(b"\r\n") + b"\r\n").digest()

    @functools.cached_property
    def _relaxed(self) -> bytes:
        """RFC 6376 §3.4.4: one space for each run of white space, none at the end of a line."""
        octets = (self._octets + b"\r\n").replace(b"\t", b" ")
        while b"  " in octets:
            octets = octets.replace(b"  ", b" ")
        octets = octets.replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
        return hashlib.sha256(octets + b"\r\n" if octets else b"").digest()


class _Checker:
    """What dkimpy's classes for DKIM and ARC are told instead of the octets of a message."""

    def __init__(self, headers: Sequence[Sequence[bytes]], body: _Body) -> None:
        super().__init__()
        self.headers = [list(field) for field in headers]
        self._known = body

    def verify_sig(
        self, sig: dict[bytes, bytes], include_headers: list[bytes], sig_header: Any, dnsfunc: Any
    ) -> bool:
        """The digest of the body is looked at here, and dkimpy looks at the signature of it."""
        digest = sig.pop(b"bh", None)
        if digest is not None and not self._known.has_digest(digest, sig.get(b"c", b"")):
            return False
        checked: Any = super()
        return bool(checked.verify_sig(sig, include_headers, sig_header, dnsfunc))


class _Dkim(_Checker, dkim.DKIM):  # type: ignore[misc]  # the library has no types
    pass


class _Arc(_Checker, dkim.ARC):  # type: ignore[misc]  # the library has no types
    pass


def _counts(signature: Mapping[str, str]) -> bool:
    """Whether a signature could prove anything, before its key is asked for."""
    return (
        signature.get("a") in _ALGORITHMS
        and signatures.covers(signature)
        and all(_NAME.fullmatch(signature.get(tag, "")) is not None for tag in "ds")
    )


# --- DMARC and SPF --------------------------------------------------------------------------------


def _policy(domain: str, resolve: Resolve) -> Mapping[str, str] | None:
    """The DMARC record in force for the domain (RFC 7489 §6.6.3), None where there is none."""

    def record(name: str) -> str | None:
        texts = [text for text in resolve(name, "TXT") if text.startswith("v=DMARC1")]
        return texts[0] if len(texts) == 1 else None

    try:
        for name in dict.fromkeys((domain, _organization(domain))):
            if found := lookup_receiver_record(name, dnsfunc=record):
                return found if found.get("p") else None
    except DMARCException as error:
        raise Unresolved(str(error)) from error
    return None


def _aligned(found: str, domain: str, mode: str) -> bool:
    """RFC 7489 §3.1. Not left to authheaders, which cuts a domain at its first hyphen."""
    if found == domain:
        return True
    return mode != "s" and _organization(found) == _organization(domain)


@functools.lru_cache(maxsize=1024)  # it reads the whole public suffix list each time
def _organization(domain: str) -> str:
    found = str(get_org_domain(domain))
    # A top level that is not on the list is a public suffix too, not one organization.
    return found if "." in found else ".".join(domain.split(".")[-2:])


def _spf_domain(envelope: Envelope, relays: Sequence[str], resolve: Resolve) -> str | None:
    """The domain of the reverse-path, if its SPF record allows the client to use it."""
    try:
        client = ipaddress.ip_address(envelope.client)
        sender = parse_address(envelope.reverse_path)
    except ValueError:  # a UNIX socket, the null reverse-path, or none that is plain
        return None
    if any(client in ipaddress.ip_network(relay) for relay in relays):
        return None
    query = _Query(resolve, i=envelope.client, s=sender, h=envelope.helo)
    return sender.rpartition("@")[2] if query.check()[0] == "pass" else None


class _Query(spf.query):  # type: ignore[misc]  # the library has no types
    """pyspf's judgement over our resolver."""

    def __init__(self, resolve: Resolve, **asked: str) -> None:
        super().__init__(**asked)
        self._resolve = resolve

    def dns(self, name: Any, qtype: str, cnames: Any = None, ignore_void: bool = False) -> Any:
        """In the shapes pyspf knows; a name that cannot be one has no records (RFC 7208 §4.3)."""
        del cnames  # a resolver follows them
        name = str(name).rstrip(".").lower()
        fits = len(name) <= 253 and all(0 < len(label) < 64 for label in name.split("."))
        found = self._resolve(name, qtype) if fits else ()
        if fits and not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many names without an answer")
        if qtype == "TXT":
            return [(text.encode("latin-1"),) for text in found]
        if qtype == "MX":
            return [(int(preference), host) for preference, host in map(str.split, found)]
        return list(found)

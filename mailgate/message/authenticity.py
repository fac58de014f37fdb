"""What our own mail servers found out about the author's domain (RFC 8601; promise M2).

Where they found that the message was forwarded, what a named forwarder had found (RFC 8617).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mailgate.message import authres, mail_parser, signatures
from mailgate.model.addresses import normalise
from mailgate.model.message import Head

Proof = Literal["none", "aligned", "dmarc"]

#: DMARC results that say nothing about the domain, so that DKIM may still speak.
_SILENT = frozenset({"none", "bestguesspass"})


@dataclass(frozen=True, slots=True)
class Authentication:
    """How well the author's domain is proved, and the sentence that says from what."""

    proof: Proof
    why: str


NO_AUTHOR = Authentication("none", "the message has no single author")


class _Doubt(Exception):
    """The fields of our own servers cannot be relied on; carries the reason."""


def authenticate(
    head: Head, authserv_ids: Sequence[str], hosts: Sequence[str], sealers: Collection[str] = ()
) -> Authentication:
    """Judge the Authentication-Results of our own servers for the author of this head.

    `hosts` are the names our servers write after `by` in Received (`authserv_ids` where empty),
    `sealers` the domains whose ARC seals count once our servers say `arc=pass`.
    Fails closed: any doubt gives "none" with the reason.
    """
    if not authserv_ids:
        return Authentication("none", "no authserv-id is configured")
    if head.author is None:
        return NO_AUTHOR
    domain = head.author.rpartition("@")[2]
    ids = frozenset(i.lower() for i in authserv_ids)
    ours = frozenset(h.lower() for h in hosts) or ids
    try:
        fields = list(_trusted(head, ids, ours))
        if not fields:
            return Authentication("none", "no Authentication-Results of our own servers")
        found = _judge(fields, domain)
        if found.proof == "none" and _arc_passed(fields):
            return sealed(head, sealers) or found
    except _Doubt as doubt:
        return Authentication("none", str(doubt))
    return found


def sealed(head: Head, sealers: Collection[str]) -> Authentication | None:
    """What the first forwarder found, of a chain that all of these sealed and somebody verified.

    None where it proves nothing. Who seals says that all before him was right when it came, and
    the first one alone has seen the message as its author sent it (RFC 8617 §5.2).
    """
    chain = signatures.chain(head) if sealers else None
    if head.author is None or chain is None or not chain.sealers <= {s.lower() for s in sealers}:
        return None
    try:
        found = _judge([chain.found.results], head.author.rpartition("@")[2])
    except _Doubt:
        return None
    if found.proof == "none":
        return None
    by = ", ".join(sorted(chain.sealers))
    return Authentication(found.proof, f"{found.why}, as the ARC seal of {by} says")


def _arc_passed(fields: Sequence[Sequence[authres.Result]]) -> bool:
    return {r.result for results in fields for r in results if r.method == "arc"} == {"pass"}


def _trusted(
    head: Head, ids: frozenset[str], hosts: frozenset[str]
) -> Iterator[tuple[authres.Result, ...]]:
    """Results of each field that bears one of our ids and stands above all that others wrote.

    A server adds its fields on top, so what stands below the first Received of a stranger came
    in with the message and proves nothing (RFC 8601 §5).
    """
    for field in head.fields:
        name = field.name.lower()
        if name == "received" and mail_parser.received_by(field.body) not in hosts:
            return
        if name != "authentication-results":
            continue
        try:
            found = authres.parse(field.body)
        except authres.BadGrammarError as error:
            if any(i in field.body.lower() for i in ids):
                raise _Doubt(f"Authentication-Results cannot be read: {error}") from error
            continue  # not even the name of a server of ours
        if found.authserv_id in ids:
            yield found.results


def _judge(fields: Sequence[Sequence[authres.Result]], domain: str) -> Authentication:
    dmarc = [r for results in fields for r in results if r.method == "dmarc"]
    verdicts = {r.result for r in dmarc}
    if len(verdicts) > 1:
        raise _Doubt(f"DMARC results disagree: {', '.join(sorted(verdicts))}")
    if verdicts == {"pass"}:
        claimed = {_domain(r.properties.get("header.from", "")) for r in dmarc}
        if claimed != {domain}:
            raise _Doubt(f"dmarc=pass is not for {domain}")
        return Authentication("dmarc", f"dmarc=pass for {domain}")
    if verdicts - _SILENT:
        return Authentication("none", f"dmarc={verdicts.pop()}")
    return _judge_dkim(fields, domain)


def _judge_dkim(fields: Sequence[Sequence[authres.Result]], domain: str) -> Authentication:
    """One valid signature of the author's very domain is enough (RFC 6376 §6.1), unless two
    fields of ours say the opposite of each other."""
    found = set()
    for results in fields:
        signed = [r for r in results if r.method == "dkim" and _signer(r) == domain]
        if signed:
            found.add(any(r.result == "pass" for r in signed))
    if found == {True}:
        return Authentication("aligned", f"dkim=pass of {domain}")
    if found == {True, False}:
        raise _Doubt(f"DKIM results for {domain} disagree")
    return Authentication("none", f"neither DMARC nor DKIM passed for {domain}{_others(fields)}")


def _others(fields: Sequence[Sequence[authres.Result]]) -> str:
    results = (r for some in fields for r in some if r.method == "dkim" and r.result == "pass")
    signers = sorted({_signer(r) for r in results})
    return f" (signed by {', '.join(signers)})" if signers else ""


def _signer(result: authres.Result) -> str:
    """The signing domain: header.d, or else the domain of header.i (RFC 8601 §2.7.1)."""
    identity = _domain(result.properties.get("header.i", "").rpartition("@")[2])
    signer = _domain(result.properties.get("header.d", ""))
    if signer and identity and identity != signer and not identity.endswith(f".{signer}"):
        raise _Doubt(f"a DKIM result names {signer} and {identity}")
    return signer or identity


def _domain(name: str) -> str:
    return normalise(f"@{name}")[1:] if name else ""

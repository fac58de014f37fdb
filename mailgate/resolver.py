"""The DNS for verifying mail: the questions of one message share one short time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dns.exception
import dns.rdatatype
import dns.resolver

from mailgate.message.verification import Resolve, Unresolved

#: SPF alone may ask forty (RFC 7208 §4.6.4), and nobody honest comes near.
MAX_QUESTIONS = 60


def resolver(
    seconds: float, monotonic: Callable[[], float], nameservers: Sequence[str] = (), port: int = 53
) -> Callable[[], Resolve]:
    """Gives a fresh `Resolve` for each message: all its questions together take that long.

    `nameservers` are those of the machine where none are given.
    """
    try:
        machine = dns.resolver.Resolver(configure=not nameservers)
    except dns.resolver.NoResolverConfiguration:  # as resolv.conf(5) has it
        machine, nameservers = dns.resolver.Resolver(configure=False), ["127.0.0.1"]
    if nameservers:
        machine.nameservers, machine.port = list(nameservers), port
    machine.cache = dns.resolver.LRUCache()

    def for_one_message() -> Resolve:
        end = monotonic() + seconds
        left = MAX_QUESTIONS

        def resolve(name: str, kind: str) -> Sequence[str]:
            nonlocal left
            left -= 1
            room = end - monotonic()
            if left < 0 or room <= 0:
                raise Unresolved(f"{name}: too many questions, or too slow answers")
            try:
                answer = machine.resolve(f"{name}.", kind, lifetime=room, search=False)
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                return ()
            except dns.exception.DNSException as error:
                raise Unresolved(f"{name}: {error}") from error
            return [_text(record) for record in answer]

        return resolve

    return for_one_message


def _text(record: object) -> str:
    strings = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("latin-1")
    return str(record).removesuffix(".")

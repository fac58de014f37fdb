"""Who may speak to us: the networks an administrator listed; a UNIX socket has its file mode."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any


class Peers:
    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def listed(self, peer: str) -> bool:
        """Whether a peer, as `peer_name` gives it, is served."""
        if not peer:
            return True
        address = ipaddress.ip_address(peer)
        return any(address in network for network in self._networks)


def peer_name(peername: Any) -> str:
    """The address of a connected host, "" where it came over a UNIX socket.

    An IPv4 client of an IPv6 socket is called by its IPv4 address (RFC 4291 §2.5.5.2), and a
    link-local one without its interface.
    """
    if not isinstance(peername, tuple):
        return ""
    address = ipaddress.ip_address(str(peername[0]).partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)

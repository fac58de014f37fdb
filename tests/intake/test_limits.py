"""The bounds: connections, memory, disk, descriptors, and who is listed."""

from __future__ import annotations

import resource

import pytest

from mailgate.intake.limits import Limits, Space, affordable_connections
from mailgate.intake.peers import Peers, peer_name
from mailgate.intake.replies import TOO_MANY_CONNECTIONS


def test_connections_are_limited_in_all_and_for_each_peer() -> None:
    limits = Limits(3, 2, 0)
    assert [limits.enter(p) for p in ("a", "a", "a", "b", "c")] == [
        None, None, TOO_MANY_CONNECTIONS, None, TOO_MANY_CONNECTIONS,
    ]  # fmt: skip
    limits.leave("a")
    assert limits.enter("c") is None


def test_local_clients_share_the_total_only() -> None:
    limits = Limits(3, 1, 0)
    assert [limits.enter("") for _ in range(4)] == [None, None, None, TOO_MANY_CONNECTIONS]


def test_memory_is_taken_and_given_back() -> None:
    limits = Limits(1, 1, 100)
    assert limits.take(60)
    assert not limits.take(60)
    assert limits.take(-60)
    assert limits.take(100)


def test_the_disk_is_asked_at_most_once_a_second() -> None:
    clock, asked = [0.0], []

    def free() -> int:
        asked.append(clock[0])
        return 100 if clock[0] < 1 else 10

    space = Space(free, 50, lambda: clock[0])
    for clock[0], short in [(0.0, False), (0.5, False), (0.99, False), (1.0, True), (1.9, True)]:
        assert space.short() is short
    assert asked == [0.0, 1.0]


def test_connections_never_use_up_the_descriptors() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert affordable_connections(3) == 3
    assert affordable_connections(1 << 40) == soft - 132


@pytest.mark.parametrize(
    ("peername", "listed"),
    [
        (("127.0.0.1", 1), True),
        (("127.9.9.9", 1), True),
        (("192.0.2.7", 1), False),
        (("::1", 1, 0, 0), True),
        (("::2", 1, 0, 0), False),
        (("::ffff:127.0.0.1", 1, 0, 0), True),
        (("::ffff:192.0.2.7", 1, 0, 0), False),
        (("fe80::1%eth0", 1, 0, 2), False),
        ("", True),
        ("/run/client.sock", True),
        (None, True),
    ],
)
def test_listed_are_the_networks_named_and_every_local_socket(
    peername: object, listed: bool
) -> None:
    assert Peers(["127.0.0.0/8", "::1"]).listed(peer_name(peername)) is listed

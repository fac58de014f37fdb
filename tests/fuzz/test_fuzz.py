"""A bounded run of the fuzzer; `python -m tests.fuzz --count 50000` is the full one."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.__main__ import mutated
from tests.fuzz.examine import examine
from tests.fuzz.seeds import AUTHOR, seeds, signed_seeds, vouched

AUTHORS = frozenset({AUTHOR})


def test_every_seed_has_its_author_and_breaks_nothing() -> None:
    made = seeds()
    assert len(made) >= 500
    for content in [*made[::7], *signed_seeds()]:
        examine(content, AUTHORS, vouched())


def test_broken_mail_never_raises_never_hangs_and_never_wins_an_identity() -> None:
    made = [*seeds(), *signed_seeds() * 5]
    bodies = vouched()
    start = random.randrange(1_000_000)  # other ones on every run; the number is in the message
    for number in range(start, start + 1200):
        try:
            examine(mutated(made, number), AUTHORS, bodies)
        except Exception as error:  # noqa: BLE001 - any exception at all is what is sought
            pytest.fail(
                f"message {number} (python -m tests.fuzz --start {number} --count 1): {error!r}"
            )


@pytest.mark.parametrize("size", [0, 1, 2, 7, 100, 5000])
def test_noise_is_a_message_too(size: int) -> None:
    chance = random.Random(size)
    for _ in range(20):
        examine(chance.randbytes(size), frozenset())

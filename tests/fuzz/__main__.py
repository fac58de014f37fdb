"""python -m tests.fuzz [--count N] [--start N]: mutate the seeds and say what was found."""

from __future__ import annotations

import argparse
import faulthandler
import random
import sys
import traceback
from pathlib import Path

from tests.fuzz.examine import examine
from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import AUTHOR, seeds, signed_seeds, vouched

HANG = 30


def main() -> int:
    """Exit 1 where anything was found; each finding is written to a file that can be inspected."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--count", type=int, default=5000, help="mutated messages")
    ask.add_argument("--start", type=int, default=0, help="number of the first one")
    ask.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="where findings go")
    args = ask.parse_args()
    made = [*seeds(), *signed_seeds() * 5]
    bodies = vouched()
    found = 0
    for number in range(args.start, args.start + args.count):
        content = mutated(made, number)
        faulthandler.dump_traceback_later(HANG, exit=True)
        try:
            examine(content, frozenset({AUTHOR}), bodies)
        except Exception:  # noqa: BLE001 - any exception at all is what is sought
            found += 1
            args.keep.mkdir(exist_ok=True)
            (args.keep / f"{number}.eml").write_bytes(content)
            sys.stdout.write(f"{number}: {traceback.format_exc(limit=-3)}\n")
        faulthandler.cancel_dump_traceback_later()
    sys.stdout.write(f"{len(made)} seeds, {args.count} messages, {found} findings\n")
    return 1 if found else 0


def mutated(made: list[bytes], number: int) -> bytes:
    """The message of this number: always the same one."""
    chance = random.Random(number)
    return mutate(chance.choice(made), chance.choice(made), chance)


if __name__ == "__main__":
    sys.exit(main())

"""Admits mails without end and writes the id of each once it is committed; made to be killed."""

import sys

from mailgate.store import open_store
from tests.store.builders import admission

store = open_store(sys.argv[1])
for number in range(1_000_000):
    batch = [admission(f"mail {number} {i} " + "x" * 5000 + " the end") for i in range(3)]
    for made in store.intake.admit(batch):
        sys.stdout.write(f"{made.queue_id}\n")
        sys.stdout.flush()

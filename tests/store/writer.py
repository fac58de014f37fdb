"""Admits mails and writes the id of each once it is committed; made to be killed and disturbed."""

import sys

from mailgate.model.ports import StorageError
from mailgate.store import open_store
from tests.store.builders import admission

url, batches = sys.argv[1], int(sys.argv[2])
store = open_store(url)
for number in range(batches):
    batch = [admission(f"mail {number} {i} " + "x" * 5000 + " the end") for i in range(3)]
    try:
        said = [made.queue_id for made in store.intake.admit(batch)]
    except StorageError:
        said = ["StorageError"]
    for line in said:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

"""Purges and writes a line after every step; made to be killed."""

import sys
from datetime import datetime

from mailgate.settings import Privacy
from mailgate.store import open_store

url, now = sys.argv[1], datetime.fromisoformat(sys.argv[2])
store = open_store(url, privacy=Privacy(largest_share=100))


def say(done: int, all_: int) -> None:
    sys.stdout.write(f"{done} {all_}\n")
    sys.stdout.flush()


say(0, 0)
store.retention.purge(now, progress=say)

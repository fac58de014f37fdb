"""`python -m bench.bounce_class FOLDER`: where other projects' tests and we agree on hard bounces.

FOLDER holds mails and `expected.jsonl`, a record a line: `file`, and in `expect` what another
project's test says of it. Sisimai's tests call a bounce hard by its reason ("no such user" is,
"mailbox full" is not) and give its enhanced status as well; flufl.bounce's say whether it is
temporary. The class of our status says whether trying again makes sense (RFC 3463 §2). Where a
test's two facts contradict each other, no reader that knows one number can be right about both;
these are counted apart. The last line compares what we say by reason too, `hard`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from mailgate.message import read

FACTS = {"hard_bounce", "bounce_temporary"}
CONSISTENT, CONTRADICTORY, BY_REASON = "consistent", "contradict their own status", "by reason"


def consistent(expect: dict[str, Any]) -> bool:
    """Whether the record's own status, where it has one, is of the class that it asks for."""
    if "hard_bounce" not in expect:
        return True
    statuses = _listed(expect.get("dsn_status"))
    return all(
        str(status).startswith("5" if hard else "4")
        for status, hard in zip(statuses, _listed(expect["hard_bounce"]), strict=False)
        if status
    )


def right(content: bytes, expect: dict[str, Any]) -> bool:
    bounce = read(content).bounce
    classes = [r.status[:1] for r in bounce.recipients] if bounce else []
    if "hard_bounce" not in expect:
        return bool(classes) and all(c == "4" for c in classes) == expect["bounce_temporary"]
    wanted = _listed(expect["hard_bounce"])
    found = sorted(c == "5" for c in classes[: len(wanted)])
    return bool(classes) and found == sorted(wanted)


def right_by_reason(content: bytes, expect: dict[str, Any]) -> bool:
    bounce = read(content).bounce
    wanted = _listed(expect["hard_bounce"])
    found = [r.hard for r in bounce.recipients] if bounce else []
    return sorted(found[: len(wanted)]) == sorted(wanted)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def compare(folder: Path) -> Counter[tuple[str, bool]]:
    """Facts by their kind, and whether we are right."""
    counts: Counter[tuple[str, bool]] = Counter()
    for line in (folder / "expected.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        expect = record["expect"]
        if record["input"] != "message" or not FACTS & expect.keys() - {
            *record.get("disputed", ())
        }:
            continue
        content = (folder / record["file"]).read_bytes()
        kind = CONSISTENT if consistent(expect) else CONTRADICTORY
        counts[kind, right(content, expect)] += 1
        if "hard_bounce" in expect:
            counts[BY_REASON, right_by_reason(content, expect)] += 1
    return counts


if __name__ == "__main__":
    found = compare(Path(sys.argv[1]))
    for kind in (CONSISTENT, CONTRADICTORY, BY_REASON):
        asked = found[kind, True] + found[kind, False]
        share = f"  {100 * found[kind, True] / asked:5.1f} %" if asked else ""
        print(f"{kind:28} {found[kind, True]:4} right of {asked:4}{share}")

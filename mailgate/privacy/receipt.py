"""What an erasure did, in words: for the person it was done for, and for whoever did it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from mailgate.model.directory import Language
from mailgate.settings import Privacy
from mailgate.words import words

ENDS = "ends"
"""Stands in the receipt of a request while it is carried out: the contract has ended too."""
Kept = Literal["hold", "restricted", "claims", "security", "requests", "main"]


def until(privacy: Privacy, now: datetime) -> Mapping[str, date]:
    """The last day on which anything of a kind that stays is still there (row A11).

    What ended before ends earlier; nothing that stays began after this moment.
    """
    claims = privacy.claims.end(now).date()
    if privacy.claims_to_year_end:
        claims = claims.replace(month=12, day=31)
    return {
        "claims": claims,
        "requests": privacy.security.end(now).date(),
        "security": privacy.security.end(now).date(),
    }


def outcome(
    removed: Mapping[str, int],
    kept: Mapping[str, int],
    language: Language,
    privacy: Privacy,
    now: datetime,
) -> str:
    """What the person is told (GDPR Art. 12(3)): what is gone, what stays and why."""
    said, ends = words(language), until(privacy, now)
    done = said.say(
        "erasure.done",
        written=removed.get("item", 0),
        sent=removed.get("outbox", 0),
        named=removed.get("rewritten_message", 0),
    )
    stays = [
        said.say(f"erasure.{reason}", until=ends.get(reason, ""))
        for reason in ("claims", "security", "requests", "main")
        if kept.get(reason)
    ]
    if removed.get("rewritten_message"):
        stays.append(said["erasure.others"])
    return (
        "\n".join([done, "", said["erasure.stays"], *(f"- {line};" for line in stays)])[:-1] + "."
    )

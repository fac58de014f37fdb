"""What the console says of codes, times and sizes, in the language of whoever reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from mailgate.model.directory import Language
from mailgate.words import Words, words

#: Units of an age: up to how many seconds, and how many of them make one.
_AGES = ((90, "seconds", 1), (5400, "minutes", 60), (172800, "hours", 3600))
_DAY = 86400
#: The code of a ticket token; of its 20 digits there may be fewer.
_CODE = re.compile(r"(\[[^\[\]#]{1,64}#[0-9]{1,18}):[0-9A-Fa-f]{0,40}\]")
_SIZES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


@dataclass(frozen=True)
class Say:
    """Words for one page. `own` are the texts of the administrator's own reason codes."""

    language: Language
    zone: tzinfo
    now: datetime
    own: Mapping[str, Mapping[Language, str]]

    @property
    def _words(self) -> Words:
        return words(self.language)

    def why(self, code: str) -> str:
        """A reason in a few words for staff; an administrator's own code brings its own."""
        if code in self.own:
            return self.own[code][self.language]
        return self.named("why", code)

    def named(self, kind: str, code: str) -> str:
        """What stands for a code of that kind; the code itself where there are no words for it:
        a later version may write codes that this one does not know."""
        return self._words.texts.get(f"console.{kind}.{code}", code)

    def done(self, code: str) -> str:
        """What was just done, as the query of the page that follows names it; else nothing."""
        return self._words.texts.get(f"console.done.{code}", "")

    def at(self, moment: datetime) -> str:
        """A moment in the few characters that a table has room for; today's without the day."""
        here, today = moment.astimezone(self.zone), self.now.astimezone(self.zone)
        return here.strftime("%H:%M" if here.date() == today.date() else "%Y-%m-%d %H:%M")

    def day(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).strftime("%Y-%m-%d")

    def age(self, since: datetime) -> str:
        seconds = max(0, int((self.now - since).total_seconds()))
        for most, unit, each in _AGES:
            if seconds < most:
                return self._words.say(f"console.age.{unit}", n=seconds // each)
        return self._words.say("console.age.days", n=seconds // _DAY)

    def size(self, octets: int) -> str:
        for least, unit in _SIZES:
            if octets >= least:
                return f"{octets / least:.1f}".rstrip("0").rstrip(".") + f" {unit}"
        return f"{octets} B"

    def helpers(self) -> Mapping[str, Any]:
        """What templates call them."""
        return {
            "why": self.why,
            "named": self.named,
            "at": self.at,
            "age": self.age,
            "size": self.size,
        }


def uncoded(subject: str) -> str:
    """A subject for a list: the ticket it names, without the twenty digits that prove it."""
    return _CODE.sub(r"\1]", subject)

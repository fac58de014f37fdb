"""The words of our mail: Jinja2 text templates, each of which an operator may replace by his own.

A template is `<notice>.<language>.txt`: a line `Subject: …`, an empty line, the text. What starts
with an underscore is included by others.
"""

from __future__ import annotations

import textwrap
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from mailgate.model.directory import LANGUAGES, Language
from mailgate.outbound import CARRIED, NOTICES, OF_NO_TICKET
from mailgate.words import Reason, words
from mailgate.yamlfile import ConfigError, Problem

_OURS = Path(__file__).parent
_WIDTH = 72


#: What the one or the other notice can be about.
KINDS: Mapping[str, tuple[str, ...]] = {
    "access-token": ("", "new", "moved", "expired", "confirmed", "approved"),
    "token-approval": ("revoked", "bounced"),
    "token-verify": ("valid", "unverified", "revoked", "bounced"),
}


class BadTemplate(ConfigError):
    """Templates that cannot be used, with everything that is wrong with them."""


class Templates:
    """All notices in all languages, compiled and tried out."""

    def __init__(self, environment: SandboxedEnvironment) -> None:
        self._environment = environment

    @classmethod
    def load(cls, folder: Path | None) -> Templates:
        """Take each template from the folder, or where it is not there, from mailgate.

        Every notice is written once in every language and for every kind of link; `BadTemplate`
        names file and line of whatever goes wrong, so that no mail fails for its words later.
        """
        places = [_OURS] if folder is None else [folder, _OURS]
        environment = SandboxedEnvironment(
            loader=FileSystemLoader(places),
            autoescape=False,  # plain text; an escaped URL would be a broken one
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["wrap"] = wrap
        templates = cls(environment)
        problems = [*_strangers(folder), *templates._problems()]
        if problems:
            raise BadTemplate(problems)
        return templates

    def write(self, notice: str, language: Language, context: Mapping[str, Any]) -> tuple[str, str]:
        """Subject and text; raises `jinja2.TemplateError` or `ValueError`."""
        template = self._environment.get_template(f"{notice}.{language}.txt")
        head, blank, text = template.render(context).partition("\n\n")
        name, _, subject = head.partition(":")
        if name != "Subject" or not blank or "\n" in head:
            raise ValueError("a template starts with one line Subject: …, then an empty line")
        return " ".join(subject.split()), _tidy(text)

    def _problems(self) -> Iterator[Problem]:
        for notice in NOTICES:
            for language in LANGUAGES:
                # One problem a file is enough: the next attempts would mostly repeat it.
                found = (
                    self._problem(notice, language, sample) for sample in samples(notice, language)
                )
                yield from [p for p in found if p is not None][:1]

    def _problem(
        self, notice: str, language: Language, sample: Mapping[str, Any]
    ) -> Problem | None:
        name = f"{notice}.{language}.txt"
        try:
            subject, text = self.write(notice, language, sample)
        except TemplateSyntaxError as error:
            return Problem(str(error.filename or name), error.lineno, 1, str(error.message))
        except (TemplateError, ValueError, TypeError, LookupError) as error:
            file, line = _place(error.__traceback__) or (self._file(name), 1)
            return Problem(file, line, 1, str(error))
        for what in CARRIED.get(notice, ()):
            if str(sample[what]) not in text:
                return Problem(self._file(name), 1, 1, f"the text leaves out {{{{ {what} }}}}")
        if sample["token"] not in subject:
            return Problem(self._file(name), 1, 1, "the subject leaves out {{ token }} (row A1)")
        return None

    def _file(self, name: str) -> str:
        """The file this template comes from."""
        return str(self._environment.get_template(name).filename)


def wrap(text: str, indent: int = 0) -> str:
    """The text in lines of 72 characters, all but the first of them indented."""
    lines = textwrap.wrap(text, _WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    return ("\n" + " " * indent).join(lines)


def samples(notice: str, language: Language) -> Iterator[dict[str, Any]]:
    """What a notice can come to say: each kind of link and none, with a ticket and without."""
    for sample in _samples(language):
        if notice not in OF_NO_TICKET or sample["ticket"] is None:
            for kind in KINDS.get(notice, (sample["kind"],)):
                yield {**sample, "kind": kind}


def _samples(language: Language) -> Iterator[dict[str, Any]]:
    said = words(language)
    base = {
        "desk": "Desk",
        "desk_address": "desk@example.net",
        "panel": "https://desk.example.net",
        "name": "Anna Nowak",
        "subject": "A question",
        "sender": "anna@example.org",
        "channel": "email",
        "verdict": "pending",
        "received": said.date(datetime(2026, 1, 31, 12, 30, tzinfo=UTC)),
        "expires": said.date(datetime(2026, 2, 1, 12, 30, tzinfo=UTC)),
        "reasons": [said.reason("code-missing"), Reason("A reason of your own", "")],
        "company": "Piekarnia",
        "kind": "main",
        "old_address": "old@example.org",
        "new_address": "new@example.org",
        "request": "12",
        "requested_by": "anna@example.org",
        "state": "done",
        "access_token": "mgt-abcdefghijklmnopqrstuvwxyz",
        "text": "An answer",
        "form": "Company:",
        "person": "Ola Nowak",
        "address": "ola@example.org",
        "words": "My token is lost",
        "issued": said.date(datetime(2025, 10, 31, 12, 30, tzinfo=UTC)),
        "ended": said.date(datetime(2026, 1, 29, 12, 30, tzinfo=UTC)),
        "signature": "Kasia",
    }
    link = {"step": "click", "link": "https://desk.example.net/c/abc", "code": ""}
    ticket = {"ticket": 17, "token": "[DESK#17:0123456789abcdef0123]"}
    for asked in (link, {**link, "step": "code", "code": "123456"}, dict.fromkeys(link, "")):
        for named in (ticket, {"ticket": None, "token": ""}):
            for verdict in ("pending", "authorized", "unauthorized"):
                yield {**base, **asked, **named, "verdict": verdict}


def _strangers(folder: Path | None) -> Iterator[Problem]:
    """Files of an operator that no notice would ever use: a name with a typing error."""
    if folder is None:
        return
    if not folder.is_dir():
        yield Problem(str(folder), 1, 1, "is not a folder")
        return
    ours = {path.name for path in _OURS.glob("*.txt")}
    for path in sorted(folder.glob("*.txt")):
        if path.name not in ours:
            yield Problem(str(path), 1, 1, "no notice has this name")


def _place(trace: TracebackType | None) -> tuple[str, int] | None:
    """File and line of the innermost template in a traceback; Jinja2 puts them there."""
    frames = [f for f in traceback.extract_tb(trace) if f.filename.endswith(".txt")]
    return (frames[-1].filename, frames[-1].lineno or 1) if frames else None


def _tidy(text: str) -> str:
    """No blanks at the ends of lines, one empty line at most in a row, one newline at the end."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if line.strip() or lines[-1]:
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"

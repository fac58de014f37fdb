"""Strict YAML for all configuration: every mistake is named with file, line and column.

Scalars follow the core schema of YAML 1.2 (§10.3): only `true` and `false` are booleans, there are
no dates, no base 60, and a number with a leading zero is refused as ambiguous.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from mailgate.yamlwords import explain

M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]
"""The way to a value: keys and list positions from the top of the document."""

FILE_SIZE = 16 << 20
DEPTH = 40
ALIAS_NODES = 100_000
ALIAS_TEXT = 1 << 20

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ZERO = re.compile(r"[-+]?0[0-9]+")
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\U0010ffff]")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake; line and column count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class ConfigError(Exception):
    """A file that cannot be used, with everything that is wrong with it, in order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(p) for p in self.problems))


class Unreadable(ConfigError):
    """The file is missing, not a file, too large, or may not be read."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Where each value and each key of a document stands."""

    file: str
    values: Mapping[Place, tuple[int, int]]
    keys: Mapping[Place, tuple[int, int]]

    def at(self, place: Place) -> tuple[int, int]:
        """Line and column of the value there, or of the nearest value around it."""
        while place not in self.values and place:
            place = place[:-1]
        return self.values.get(place, (1, 1))

    def problem(self, place: Place, message: str, *, key: bool = False) -> Problem:
        """A problem with the value at this place, or with its key."""
        line, column = self.keys.get(place, self.at(place)) if key else self.at(place)
        return Problem(self.file, line, column, message)


def read(path: Path, limit: int = FILE_SIZE) -> str:
    """The text of a file; what goes wrong is a `ConfigError` too."""
    name = str(path)
    try:
        with path.open("rb") as file:
            octets = file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Unreadable([Problem(name, 1, 1, f"cannot be read: {reason}")]) from error
    if len(octets) > limit:
        raise Unreadable([Problem(name, 1, 1, f"is larger than {limit} octets")])
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _position(octets[: error.start].decode("utf-8-sig"))
        message = f"is not UTF-8: octet 0x{octets[error.start]:02x}"
        raise ConfigError([Problem(name, line, column, message)]) from error


def load(path: Path, model: type[M], limit: int = FILE_SIZE) -> M:
    """Read and validate a file, or raise `ConfigError` with every problem in it."""
    return loads(read(path, limit), str(path), model)


def loads(text: str, name: str, model: type[M]) -> M:
    """Validate a text; `name` is what problems call it."""
    data, marks = loads_plain(text, name)
    return validate(data, marks, model)


def validate(data: Any, marks: Marks, model: type[M]) -> M:
    """Make the model of plain data.

    JSON mode is strict where it should be (no text for a number or a boolean) and still takes
    lists for tuples and text for paths.
    """
    try:
        return model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        found = explain(error.errors(include_url=False), data, model)
        problems = [marks.problem(m.place, m.message, key=m.at_key) for m in found]
        raise ConfigError(problems) from error


def loads_plain(text: str, name: str) -> tuple[Any, Marks]:
    """Plain data (dict, list, str, int, float, bool, None) and where each value stands."""
    stray = _UNPRINTABLE.search(text)
    if stray:
        line, column = _position(text[: stray.start()])
        message = f"the character U+{ord(stray[0]):04X} may not stand in YAML"
        raise ConfigError([Problem(name, line, column, message)])
    try:
        events = list(_bounded(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader), name))
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_syntax(text, name, error)]) from error
    builder = _Builder(name, events)
    data = builder.document()
    if builder.problems:
        raise ConfigError(builder.problems)
    return data, Marks(name, builder.values, builder.keys)


def _position(before: str) -> tuple[int, int]:
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


def _bounded(text: str, loader: Any, name: str) -> Iterator[Any]:
    """Parsing events down to `DEPTH`: PyYAML's time grows with the square of the nesting."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH:
            line, column = _start(event)
            message = f"is nested more than {DEPTH} levels deep"
            raise ConfigError([Problem(name, line, column, message)])
        yield event


def _start(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _syntax(text: str, name: str, error: yaml.MarkedYAMLError) -> Problem:
    """Words for a syntax error, the same with and without libyaml, whose own are poorer."""
    try:
        for _ in _bounded(text, yaml.SafeLoader, name):
            pass
    except yaml.MarkedYAMLError as better:
        error = better
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    message = f"{error.problem or error.context}"
    if "'\\t'" in message:
        message = "a tab may not indent in YAML; use spaces"
    elif error.context and error.context_mark and error.problem:
        message += f", {error.context} that starts in line {error.context_mark.line + 1}"
    return Problem(name, line, column, message)


@dataclass(slots=True)
class _Builder:
    """Makes data of events. An alias is built again from the events of its anchor, and counted."""

    name: str
    events: list[Any]
    values: dict[Place, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Place, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, int] = field(default_factory=dict)
    open: list[int] = field(default_factory=list)
    """Events of the anchored values that are being built: an alias to one would never end."""
    aliased: list[Any] = field(default_factory=list)
    """The aliases that are being expanded, the outermost first."""
    nodes_left: int = ALIAS_NODES
    text_left: int = ALIAS_TEXT

    def document(self) -> Any:
        starts = [i for i, e in enumerate(self.events) if isinstance(e, yaml.DocumentStartEvent)]
        if not starts:
            raise ConfigError([Problem(self.name, 1, 1, "is empty")])
        if len(starts) > 1:
            self._complain(self.events[starts[1]], "a second document; one file holds one")
        return self._node(starts[0] + 1, ())[0]

    def _complain(self, event: Any, message: str) -> None:
        self.problems.append(Problem(self.name, *_start(event), message))

    def _complain_of_tag(self, event: Any) -> None:
        self._complain(event, f"the tag {event.tag.replace(_TAG, '!!')} is not understood")

    def _node(self, index: int, place: Place) -> tuple[Any, int]:
        """The value that starts with this event, and the index after it."""
        event = self.events[index]
        self.values[place] = _start(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place), index + 1
        self._count(event)
        if event.anchor:
            self.anchors[event.anchor] = index
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event), index + 1
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        if event.tag not in (None, "!", _TAG + kind):
            self._complain_of_tag(event)
        self.open.append(index)
        result = (self._mapping if kind == "map" else self._sequence)(index + 1, place)
        self.open.pop()
        return result

    def _alias(self, event: Any, place: Place) -> Any:
        anchor = self.anchors.get(event.anchor)
        if anchor is None or anchor in self.open:
            reason = "is not defined before" if anchor is None else "stands for itself"
            self._complain(event, f"the alias *{event.anchor} {reason}")
            return None
        self.aliased.append(event)
        value, _ = self._node(anchor, place)
        self.aliased.pop()
        return value

    def _count(self, event: Any) -> None:
        """Bound what aliases expand to, so that a small file cannot fill the memory."""
        if not self.aliased:
            return
        self.nodes_left -= 1
        self.text_left -= len(event.value) if isinstance(event, yaml.ScalarEvent) else 0
        if self.nodes_left < 0 or self.text_left < 0:
            line, column = _start(self.aliased[0])
            raise ConfigError([Problem(self.name, line, column, "aliases expand to too much")])

    def _sequence(self, index: int, place: Place) -> tuple[list[Any], int]:
        items: list[Any] = []
        while not isinstance(self.events[index], yaml.SequenceEndEvent):
            value, index = self._node(index, (*place, len(items)))
            items.append(value)
        return items, index + 1

    def _mapping(self, index: int, place: Place) -> tuple[dict[str, Any], int]:
        result: dict[str, Any] = {}
        while not isinstance(self.events[index], yaml.MappingEndEvent):
            event = self.events[index]
            key, index = self._node(index, (*place, ""))
            name = key if isinstance(key, str) else repr(key)
            if not isinstance(key, str):
                self._complain(event, f'a key is text; write "{getattr(event, "value", "…")}"')
            elif key in result:
                first = self.keys[*place, key][0]
                self._complain(event, f"the key {key!r} is there already, in line {first}")
            self.keys.setdefault((*place, name), _start(event))
            value, index = self._node(index, (*place, name))
            result.setdefault(name, value)
        self.values.pop((*place, ""), None)
        return result, index + 1

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            if event.tag not in (None, "!", _TAG + "str"):
                self._complain_of_tag(event)
            elif "\0" in text or re.search("[\ud800-\udfff]", text):
                self._complain(event, "text may not hold U+0000 or half a surrogate pair")
            return text
        if _ZERO.fullmatch(text):
            hint = f'"{text}" is text, {int(text)} is a number'
            octal = f", 0o{text.lstrip('+-0')} is octal" if re.fullmatch("0[0-7]+", text) else ""
            self._complain(event, f"a number with a leading zero is ambiguous: {hint}{octal}")
        return _plain(text)


def _plain(text: str) -> Any:
    """The value of an unquoted scalar, after the core schema of YAML 1.2 (§10.3.2)."""
    if _NULL.fullmatch(text):
        return None
    if match := _BOOL.fullmatch(text):
        return match[1] is not None
    if len(text) <= 300:  # longer digits are text: int() itself refuses thousands of them
        if _INT.fullmatch(text):
            return int(text)
        if _BASED.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            return float(text) if isfinite(float(text)) else text
    return text

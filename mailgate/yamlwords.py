"""Words for what a model refuses: validation errors become sentences about places in a document."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Place = tuple[str | int, ...]

_EXPECTED: Mapping[str, str] = {
    "string_type": "text",
    "string_sub_type": "text",
    "path_type": "a path",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "none_required": "nothing",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
}
_OLD_BOOLEANS = {"yes", "no", "on", "off", "y", "n"}


class HasSchema(Protocol):
    """A pydantic model's class, as far as this room needs it."""

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with the value at a place, or with its key."""

    place: Place
    message: str
    at_key: bool = False


@dataclass(frozen=True, slots=True)
class _Error:
    """One validation error, with the part of its location that is not yet followed."""

    place: Place
    rest: tuple[str | int, ...]
    value: Any
    raw: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.raw["type"])


def suggest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where one of those known looks like the word, else nothing."""
    by_lower = {k.lower(): k for k in known}
    near = difflib.get_close_matches(word.lower(), list(by_lower), n=1)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""


def choice(word: str, known: Sequence[str]) -> str:
    """A sentence for a word that is none of those known."""
    return f"{word!r} is not one of {', '.join(known)}{suggest(word, known)}"


def unknown_key(key: str, known: Sequence[str]) -> str:
    """A sentence for a key that nothing reads."""
    hint = suggest(key, known)
    return f"unknown key {key!r}{hint or '; known are ' + ', '.join(known)}"


def describe(value: Any) -> str:
    """What a person would call a value of a document."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "…"
    return f"the text {text}" if isinstance(value, str) else f"the number {text}"


def expected(words: Sequence[str], value: Any) -> str:
    """A sentence for a value of the wrong kind, with a hint for the usual traps of YAML."""
    wanted = " or ".join(dict.fromkeys(words))
    hint = ""
    if "text" in words and isinstance(value, int | float):
        shown = describe(value).removeprefix("the number ")
        hint = f'; put it into quotes: "{shown}"'
    elif "true or false" in words and str(value).lower() in _OLD_BOOLEANS:
        hint = "; in YAML 1.2 only true and false are booleans"
    return f"expected {wanted}, found {describe(value)}{hint}"


def explain(
    errors: Iterable[Mapping[str, Any]], data: Any, model: type[HasSchema]
) -> list[Mistake]:
    """Each mistake once, however many members of a union complained of it."""
    return list(_explain([_Error((), tuple(e["loc"]), data, e) for e in errors], model))


def _explain(errors: Sequence[_Error], model: type[HasSchema]) -> Iterator[Mistake]:
    unions: dict[Place, dict[str | int, list[_Error]]] = {}
    for error in map(_follow, errors):
        if error.rest and error.rest[0] != "[key]":
            # What is not in the data names the member of a union that complains.
            members = unions.setdefault(error.place, {})
            rest = _Error(error.place, error.rest[1:], error.value, error.raw)
            members.setdefault(error.rest[0], []).append(rest)
        else:
            yield _mistake(error, model)
    for place, members in unions.items():
        yield from _union(place, members, model)


def _follow(error: _Error) -> _Error:
    """Follow the location as far as it leads through the data."""
    place, value, rest = error.place, error.value, error.rest
    missing = error.kind == "missing"
    while rest and not (missing and len(rest) == 1):
        step = rest[0]
        if isinstance(value, dict) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            break
        place, rest = (*place, step), rest[1:]
    if missing and len(rest) == 1:
        rest = ()
    return _Error(place, rest, value, error.raw)


def _union(
    place: Place, members: Mapping[str | int, list[_Error]], model: type[HasSchema]
) -> Iterator[Mistake]:
    """Of the members of a union, the complaint of the one that was meant; else of all in one."""
    followed = {tag: [_follow(e) for e in errors] for tag, errors in members.items()}
    meant = [
        members[tag]
        for tag, errors in followed.items()
        if not any(e.place == place and not e.rest and _wrong_kind(e) for e in errors)
    ]
    if meant:
        yield from _explain(min(meant, key=len), model)
        return
    flat = [error for errors in followed.values() for error in errors]
    value = flat[0].value
    words = [w for e in flat if (w := _EXPECTED.get(e.kind))]
    known = [k for e in flat if e.kind in {"literal_error", "enum"} for k in _known(e)]
    if known and isinstance(value, str) and "text" not in words:
        yield Mistake(place, choice(value, known))
    else:
        yield Mistake(place, expected([*(repr(k) for k in known), *words], value))


def _wrong_kind(error: _Error) -> bool:
    return error.kind in _EXPECTED or error.kind in {"literal_error", "enum"}


def _known(error: _Error) -> list[str]:
    """The values of an enumeration, which pydantic gives as `'a', 'b' or 'c'`."""
    return re.findall(r"'([^']*)'", str(error.raw["ctx"]["expected"]))


def _mistake(error: _Error, model: type[HasSchema]) -> Mistake:
    kind, raw, place = error.kind, error.raw, error.place
    at_key = bool(error.rest) or kind == "extra_forbidden"
    value = place[-1] if error.rest else raw.get("input")
    if kind == "missing":
        message = f"the key {raw['loc'][-1]!r} is missing"
    elif kind == "extra_forbidden":
        message = unknown_key(str(place[-1]), _keys_at(model, place[:-1]))
    elif kind in {"literal_error", "enum"}:
        known = _known(error)
        plain = known and isinstance(value, str)
        message = choice(str(value), known) if plain else _fallback(raw, value)
    elif kind in _EXPECTED:
        message = expected([_EXPECTED[kind]], value)
    elif kind == "value_error":
        message = str(raw["ctx"]["error"])
    elif kind == "string_pattern_mismatch":
        message = f"{value!r} does not match {raw['ctx']['pattern']}"
    else:
        message = _fallback(raw, value)
    return Mistake(place, message, at_key)


def _fallback(raw: Mapping[str, Any], value: Any) -> str:
    text = str(raw["msg"])
    if text.startswith("Input "):
        return f"{describe(value)} {text.removeprefix('Input ')}"
    return text[:1].lower() + text[1:]


def _keys_at(model: type[HasSchema], place: Place) -> list[str]:
    """The keys that the model knows at a place, from its JSON Schema."""
    schema = model.model_json_schema()
    nodes = list(_flat(schema, schema))
    for step in place:
        nodes = [n for node in nodes for n in _flat(_child(node, step), schema)]
    return sorted({key for node in nodes for key in node.get("properties", {})})


def _child(node: Mapping[str, Any], step: str | int) -> Any:
    if isinstance(step, int):
        return node.get("items")
    return node.get("properties", {}).get(step, node.get("additionalProperties"))


def _flat(node: Any, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node itself, with references followed and alternatives taken apart."""
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        yield from _flat(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    alternatives = [*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())]
    for alternative in alternatives:
        yield from _flat(alternative, schema)
    if "$ref" not in node and not alternatives:
        yield node

"""The grammar of `when`: plain data becomes conditions, and mistakes become problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from mailgate.model.facts import DOMAINS, ORDERED
from mailgate.rules.conditions import Group, Node, OneOf, Open
from mailgate.rules.predicates import (
    OPERATORS,
    TEXTS,
    BadPattern,
    compile_pattern,
    header_texts,
    size_predicate,
    text_predicate,
)
from mailgate.setting_types import Octets
from mailgate.yamlfile import Marks, Place, Problem
from mailgate.yamlwords import choice, describe, expected, unknown_key

COMBINATORS: tuple[Literal["allof", "anyof", "not"], ...] = ("allof", "anyof", "not")
PREDICATES = (*TEXTS, "header", "size")
COMPARISONS = ("not", "at_least", "at_most")
#: The desk of a delivery report that came to a signed return address of ours.
BOUNCES_DESK = "bounces"


@dataclass(slots=True)
class Grammar:
    """Reads conditions; `desks` are the names a rule may use, any name where there are none."""

    marks: Marks
    desks: Sequence[str] = ()
    problems: list[Problem] = field(default_factory=list)

    def conditions(self, data: Any, place: Place) -> tuple[Node, ...]:
        """The conditions of one mapping, which must all hold."""
        if not isinstance(data, dict) or not data:
            what = describe(data) if data != {} else "none"
            self._complain(place, f"expected a mapping of conditions, found {what}")
            return ()
        nodes = (self._condition(key, value, (*place, key)) for key, value in data.items())
        return tuple(node for node in nodes if node is not None)

    def _complain(self, place: Place, message: str, *, key: bool = False) -> None:
        self.problems.append(self.marks.problem(place, message, key=key))

    def _condition(self, key: str, value: Any, place: Place) -> Node | None:
        if key == "not":
            return self._group("not", self.conditions(value, place))
        if key in ("allof", "anyof"):
            return self._combinator("allof" if key == "allof" else "anyof", value, place)
        if key in DOMAINS:
            return self._fact(key, value, place)
        readers: Mapping[str, Callable[[Any, Place], Open | None]] = {
            "header": self._header,
            "size": self._size,
        }
        if key in TEXTS:
            return self._texts(key, value, place)
        if key in readers:
            return readers[key](value, place)
        known = [*DOMAINS, *PREDICATES, *COMBINATORS]
        self._complain(place, unknown_key(key, known), key=True)
        return None

    def _group(
        self, kind: Literal["allof", "anyof", "not"], parts: tuple[Node, ...]
    ) -> Group | None:
        return Group(kind, parts) if parts else None

    def _combinator(
        self, kind: Literal["allof", "anyof"], value: Any, place: Place
    ) -> Group | None:
        if not isinstance(value, list) or not value:
            self._complain(place, f"{kind} takes a list of mappings, found {describe(value)}")
            return None
        members = [self.conditions(one, (*place, i)) for i, one in enumerate(value)]
        parts = [m[0] if len(m) == 1 else Group("allof", m) for m in members if m]
        return self._group(kind, tuple(parts))

    # --- finite facts ---------------------------------------------------------------------------

    def _fact(self, fact: str, value: Any, place: Place) -> Node | None:
        if not isinstance(value, dict):
            wanted = self._values(fact, value, place)
            return OneOf(fact, _is(fact, wanted), frozenset(wanted), DOMAINS[fact])
        wrong = [key for key in value if key not in COMPARISONS]
        for key in wrong:
            self._complain((*place, key), unknown_key(key, COMPARISONS), key=True)
        if wrong or not value:
            if not value:
                self._complain(place, f"expected {', '.join(COMPARISONS)}, found nothing")
            return None
        if not DOMAINS[fact]:
            return self._open_fact(fact, value, place)
        domain = DOMAINS[fact]
        allowed, words = set(domain), []
        for key, operand in value.items():
            values = self._values(fact, operand, (*place, key))
            words.append(f"{key.replace('_', ' ')} {' or '.join(values)}")
            allowed &= self._allowed(fact, key, values, (*place, key))
        if not allowed:
            self._complain(place, f"no value of {fact} is left: this never holds")
        return OneOf(fact, f"{fact} is {' and '.join(words)}", frozenset(allowed), domain)

    def _open_fact(self, fact: str, value: dict[str, Any], place: Place) -> Node | None:
        """A fact of which not all values are known can be named, or negated."""
        for key in value:
            if key != "not":
                self._complain((*place, key), f"{fact} has no order", key=True)
        wanted = self._values(fact, value.get("not", []), (*place, "not"))
        return Group("not", (OneOf(fact, _is(fact, wanted), frozenset(wanted), ()),))

    def _allowed(self, fact: str, key: str, values: list[str], place: Place) -> set[str]:
        domain = DOMAINS[fact]
        if key == "not":
            return set(domain) - set(values)
        if fact not in ORDERED:
            known = ", ".join(sorted(ORDERED))
            self._complain(place, f"{fact} has no order; {key} works with {known}", key=True)
        elif len(values) != 1:
            self._complain(place, f"{key} takes one value")
        else:
            bound = domain.index(values[0])
            return set(domain[bound:] if key == "at_least" else domain[: bound + 1])
        return set(domain)

    def _values(self, fact: str, value: Any, place: Place) -> list[str]:
        """The values as written, those that the fact cannot have left out and complained of."""
        listed = value if isinstance(value, list) else [value]
        if not listed:
            self._complain(place, "an empty list: this never holds")
        domain: Sequence[str] = DOMAINS[fact]
        if fact == "desk" and self.desks:
            domain = [*self.desks, BOUNCES_DESK]
        good: list[str] = []
        for i, one in enumerate(listed):
            where = (*place, i) if isinstance(value, list) else place
            if not isinstance(one, str):
                self._complain(where, expected(["text"], one))
            elif domain and one not in domain:
                self._complain(where, choice(one, domain))
            elif one in good:
                self._complain(where, f"{one!r} is listed twice")
            else:
                good.append(one)
        return good

    # --- open predicates ------------------------------------------------------------------------

    def _texts(self, name: str, value: Any, place: Place) -> Open | None:
        if not self._is_mapping(value, OPERATORS, place):
            return None
        return self._search(name, TEXTS[name], value, place)

    def _header(self, value: Any, place: Place) -> Open | None:
        if not self._is_mapping(value, ("name", *OPERATORS), place):
            return None
        name = value.get("name")
        if not isinstance(name, str) or not name.isascii() or not name.replace("-", "").isalnum():
            self._complain((*place, "name"), "header needs the name of a header field")
            return None
        rest = {k: v for k, v in value.items() if k != "name"}
        return self._search(f"header {name}", header_texts(name), rest, place)

    def _search(self, subject: str, texts: Any, value: Any, place: Place) -> Open | None:
        if len(value) != 1:
            self._complain(place, f"expected one of {', '.join(OPERATORS)}; for more, use allof")
            return None
        operator, operand = next(iter(value.items()))
        wanted = operand if isinstance(operand, list) else [operand]
        if not wanted or not all(isinstance(w, str) and w.strip() for w in wanted):
            self._complain((*place, operator), "expected text that is not empty, or a list of it")
            return None
        if operator == "matches" and self._bad_patterns(operand, (*place, operator)):
            return None
        return text_predicate(subject, texts, operator, wanted)

    def _bad_patterns(self, operand: Any, place: Place) -> bool:
        bad = False
        for i, pattern in enumerate(operand if isinstance(operand, list) else [operand]):
            try:
                compile_pattern(pattern)
            except BadPattern as error:
                self._complain((*place, i), str(error))
                bad = True
        return bad

    def _size(self, value: Any, place: Place) -> Open | None:
        if not self._is_mapping(value, ("over", "under"), place):
            return None
        bounds: dict[str, int] = {}
        for key, operand in value.items():
            try:
                bounds[key] = TypeAdapter(Octets).validate_python(operand)
            except ValidationError:
                self._complain(
                    (*place, key), "a size is a number with B, KiB, MiB or GiB, such as 25 MiB"
                )
        if bounds.get("over", 0) + 1 >= bounds.get("under", 1 << 62):
            self._complain(place, "no size lies between: this never holds")
        return size_predicate(bounds.get("over"), bounds.get("under"))

    def _is_mapping(self, value: Any, known: Sequence[str], place: Place) -> bool:
        """Whether it is a mapping with nothing but known keys."""
        if not isinstance(value, dict) or not value:
            self._complain(place, f"expected a mapping with {', '.join(known)}")
            return False
        wrong = [key for key in value if key not in known]
        for key in wrong:
            self._complain((*place, key), unknown_key(key, known), key=True)
        return not wrong


def _is(fact: str, wanted: list[str]) -> str:
    return f"{fact} is {' or '.join(wanted)}"

"""The grammar of Authentication-Results (RFC 8601 §2.2), read character by character."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_MAX_DEPTH = 20
_MAX_RESULTS = 200
_WHITE = " \t"
_DELIMITERS = frozenset(';()"\\' + _WHITE)
_KEYWORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


class BadGrammarError(ValueError):
    """The field does not follow RFC 8601; what it says must not be used."""


@dataclass(frozen=True, slots=True)
class Result:
    """One resinfo: `dkim=pass header.d=example.org`. Names and the result are lower-case."""

    method: str
    result: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Results:
    """One field: who checked, and what came out. `none` gives no results."""

    authserv_id: str
    results: tuple[Result, ...]


def parse(body: str) -> Results:
    """Read a whole field body; raises `BadGrammarError` for anything left over."""
    if not body.isascii() or not body.replace("\t", " ").isprintable():
        raise BadGrammarError("a character that is not printable ASCII")
    scanner = _Scanner(body)
    scanner.skip()
    authserv_id = scanner.value().lower()
    scanner.skip()
    if not scanner.at_end() and scanner.peek() != ";":
        version = scanner.value()
        if version != "1":
            raise BadGrammarError(f"version {version}")
        scanner.skip()
    results: list[Result] = []
    while not scanner.at_end():
        scanner.expect(";")
        scanner.skip()
        if scanner.at_end():  # a closing semicolon, as several MTAs write it
            break
        result = _result(scanner)
        if result is not None:
            results.append(result)
        if len(results) > _MAX_RESULTS:
            raise BadGrammarError("too many results")
    return Results(authserv_id, tuple(results))


def _result(scanner: _Scanner) -> Result | None:
    method = scanner.keyword()
    scanner.skip()
    if method == "none" and (scanner.at_end() or scanner.peek() == ";"):
        return None
    if scanner.peek() == "/":
        scanner.expect("/")
        scanner.skip()
        if scanner.keyword() != "1":
            raise BadGrammarError("method version")
        scanner.skip()
    scanner.expect("=")
    scanner.skip()
    result = scanner.keyword()
    properties: dict[str, str] = {}
    scanner.skip()
    while not scanner.at_end() and scanner.peek() != ";":
        name = scanner.keyword()
        scanner.skip()
        if scanner.peek() == ".":
            scanner.expect(".")
            scanner.skip()
            name = f"{name}.{scanner.keyword()}"
            scanner.skip()
        scanner.expect("=")
        scanner.skip()
        if name in properties:
            raise BadGrammarError(f"{name} twice")
        properties[name] = scanner.value()
        scanner.skip()
    return Result(method, result, properties)


class _Scanner:
    """A position in the text; every method moves forward or raises."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def at_end(self) -> bool:
        return self._at >= len(self._text)

    def peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def expect(self, char: str) -> None:
        if self.peek() != char:
            raise BadGrammarError(f"{char!r} expected at {self._at}")
        self._at += 1

    def skip(self) -> None:
        """CFWS (RFC 5322 §3.2.2): white space and comments, which nest."""
        depth = 0
        while not self.at_end():
            char = self.peek()
            if char == "(":
                depth += 1
                if depth > _MAX_DEPTH:
                    raise BadGrammarError("comments nested too deep")
            elif depth and char == ")":
                depth -= 1
            elif depth and char == "\\":
                self._at += 1
            elif not depth and char not in _WHITE:
                return
            self._at += 1
        if depth or self._at > len(self._text):
            raise BadGrammarError("unclosed comment")

    def keyword(self) -> str:
        start = self._at
        while self.peek() and self.peek() in _KEYWORD:
            self._at += 1
        if start == self._at:
            raise BadGrammarError(f"keyword expected at {start}")
        return self._text[start : self._at].lower()

    def value(self) -> str:
        """A quoted string, or a run without delimiters: wider than RFC 2045's token, because
        addresses and unquoted base64 (`header.b`) stand here."""
        if self.peek() == '"':
            return self._quoted()
        start = self._at
        while not self.at_end() and self.peek() not in _DELIMITERS:
            self._at += 1
        if start == self._at or self.peek() in ('"', "\\"):
            raise BadGrammarError(f"value expected at {start}")
        return self._text[start : self._at]

    def _quoted(self) -> str:
        self._at += 1
        out: list[str] = []
        while not self.at_end():
            char = self.peek()
            self._at += 1
            if char == '"':
                return "".join(out)
            if char == "\\":
                char = self.peek()
                self._at += 1
            out.append(char)
        raise BadGrammarError("unclosed quoted string")

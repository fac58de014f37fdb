"""The directory as CSV: a row for each contact, each service and each share of a service.

A row with `address` names a contact, one with `service` a service, one with both says that the
service is shared with the contact. What was said of an account, a contact or a service once may
be left empty in its other rows. Commas, semicolons (as spreadsheets in Poland write them) or tabs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailgate.model.addresses import address_key
from mailgate.yamlfile import ConfigError, Marks, Place, Problem

_ACCOUNT = {"account": "id", "company": "company", "language": "language"}
_CONTACT = {
    "address": "address",
    "role": "role",
    "name": "name",
    "contact_language": "language",
}
_SERVICE = {"service": "identifier", "service_name": "name"}
COLUMNS = (*_ACCOUNT, *_CONTACT, *_SERVICE)


def read(text: str, name: str) -> tuple[Any, Marks]:
    """The same plain data as the YAML form has, and the line and field each value stands in."""
    table = _Table(name)
    records = _records(text, name)
    columns = _header(next(records, (1, [])), name)
    for line, cells in records:
        table.add(line, columns, cells)
    if table.problems:
        raise ConfigError(table.problems)
    return {"accounts": table.accounts}, Marks(name, table.values, {})


def write(accounts: Iterable[Mapping[str, Any]]) -> str:
    """CSV of plain data, RFC 4180."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    for account in accounts:
        head = _cells(_ACCOUNT, account)
        contacts = {address_key(c["address"]): _cells(_CONTACT, c) for c in account["contacts"]}
        services = {s["identifier"]: _cells(_SERVICE, s) for s in account["services"]}
        for cells in (*contacts.values(), *services.values()):
            writer.writerow(head | cells)
        for share in account["shares"]:
            both = contacts[address_key(share["contact"])] | services[share["service"]]
            writer.writerow(head | both)
        if not contacts and not services:
            writer.writerow(head)
    return out.getvalue()


def _cells(columns: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
    return {column: values[key] or "" for column, key in columns.items()}


def _records(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Records that are not empty, each with the line it starts in."""
    text = text.removeprefix("\ufeff")
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError([Problem(name, line, 1, f"is no CSV: {error}")]) from error


def _header(record: tuple[int, list[str]], name: str) -> list[str]:
    line, cells = record
    columns = [cell.lower() for cell in cells]
    problems = [
        Problem(name, line, i, f"unknown column {cell!r}; there are {', '.join(COLUMNS)}")
        for i, cell in enumerate(columns, 1)
        if cell not in COLUMNS
    ]
    problems += [
        Problem(name, line, i, f"the column {cell!r} is there twice")
        for i, cell in enumerate(columns, 1)
        if cell in columns[: i - 1]
    ]
    problems += [
        Problem(name, line, 1, f"the column {needed!r} is missing; the first row names the columns")
        for needed in ("account", "company", "language")
        if needed not in columns
    ]
    if problems:
        raise ConfigError(problems)
    return columns


@dataclass(slots=True)
class _Table:
    """Puts rows together to accounts. `values` remembers the line and the field of everything."""

    name: str
    accounts: list[dict[str, Any]] = field(default_factory=list)
    values: dict[Place, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    places: dict[Place, Place] = field(default_factory=dict)
    """Where the account, contact or service with this key is."""

    def add(self, line: int, columns: list[str], cells: list[str]) -> None:
        if len(cells) > len(columns):
            message = f"{len(cells)} fields where the first row names {len(columns)} columns"
            self.problems.append(Problem(self.name, line, len(columns) + 1, message))
            return
        row = {
            column: (cell, (line, i))
            for i, (column, cell) in enumerate(zip(columns, cells, strict=False), 1)
            if cell
        }
        if "account" not in row:
            self.problems.append(Problem(self.name, line, 1, "the account is missing"))
            return
        account = row["account"][0]
        place, known = self._part(("accounts",), self.accounts, account, _ACCOUNT, row)
        for key in ("contacts", "services", "shares"):
            known.setdefault(key, [])
        address, service = row.get("address"), row.get("service")
        if address:
            key = address_key(address[0])
            self._part((*place, "contacts"), known["contacts"], key, _CONTACT, row)
        else:
            self._belongs_nowhere(row, _CONTACT, "address")
        if service:
            self._part((*place, "services"), known["services"], service[0], _SERVICE, row)
        else:
            self._belongs_nowhere(row, _SERVICE, "service")
        if address and service:
            where = (*place, "shares", len(known["shares"]))
            known["shares"].append({"contact": address[0], "service": service[0]})
            self.values |= {where: (line, 1), (*where, "contact"): address[1]}
            self.values[*where, "service"] = service[1]

    def _part(
        self,
        place: Place,
        parts: list[dict[str, Any]],
        key: str,
        columns: Mapping[str, str],
        row: Mapping[str, tuple[str, tuple[int, int]]],
    ) -> tuple[Place, dict[str, Any]]:
        """The account, contact or service with this key, with what the row says of it."""
        where = self.places.get((*place, key))
        if where is None:
            where = self.places[*place, key] = (*place, len(parts))
            parts.append({})
            self.values[where] = next(at for column, (_, at) in row.items() if column in columns)
        part = parts[int(where[-1])]
        for column, name in columns.items():
            if column not in row:
                continue
            value, at = row[column]
            if part.setdefault(name, value) == value:
                self.values.setdefault((*where, name), at)
            elif name not in {"id", "address", "identifier"}:
                line, _ = self.values[*where, name]
                message = f"{column} is {part[name]!r} in line {line}, {value!r} here"
                self.problems.append(Problem(self.name, *at, message))
        return where, part

    def _belongs_nowhere(
        self,
        row: Mapping[str, tuple[str, tuple[int, int]]],
        columns: Mapping[str, str],
        needed: str,
    ) -> None:
        for column in columns:
            if column in row:
                message = f"{column} without {needed}: whose is it?"
                self.problems.append(Problem(self.name, *row[column][1], message))

"""The directory as YAML and as CSV: read with every mistake named by its line, and written back."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mailgate.model.addresses import address_key, parse_address
from mailgate.model.directory import Account, AccountEntry, Contact, Language, Role, Service
from mailgate.store import directory_csv
from mailgate.yamlfile import ConfigError, Marks, Place, Problem, loads_plain, validate

#: Not in a name: what a terminal, a header field or a reader's eye would take for something else.
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def _line(value: str) -> str:
    for character in value:
        if unicodedata.category(character) in _REFUSED or ord(character) & 0xFFFE == 0xFFFE:
            raise ValueError(f"the character U+{ord(character):04X} may not stand here")
    if value != value.strip():
        raise ValueError("spaces around it are not part of it")
    return value


Name = Annotated[str, Field(max_length=300), AfterValidator(_line)]
Key = Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_line)]
Address = Annotated[str, AfterValidator(parse_address)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ContactPart(_Part):
    address: Address
    role: Role
    name: Name = ""
    language: Language | None = None


class ServicePart(_Part):
    identifier: Key
    name: Name = ""


class SharePart(_Part):
    """That a contact may ask for a service."""

    contact: Address
    service: Key


class AccountPart(_Part):
    id: Key
    company: Annotated[Name, Field(min_length=1)]
    language: Language
    contacts: list[ContactPart] = []
    services: list[ServicePart] = []
    shares: list[SharePart] = []


class DirectoryFile(_Part):
    """A whole file: the whole truth about the accounts it names."""

    accounts: list[AccountPart]


_P = TypeVar("_P", bound=_Part)


def parse_yaml(text: str, name: str) -> list[AccountEntry]:
    """The entries of a YAML file; raises `ConfigError` with every mistake."""
    data, marks = loads_plain(text, name)
    return _checked(validate(data, marks, DirectoryFile), marks)


def parse_csv(text: str, name: str) -> list[AccountEntry]:
    """The entries of a CSV file; raises `ConfigError` with every mistake."""
    data, marks = directory_csv.read(text, name)
    return _checked(validate(data, marks, DirectoryFile), marks)


def to_yaml(entries: Iterable[AccountEntry]) -> str:
    """The entries as YAML. Values are written as JSON, which YAML 1.2 includes."""
    lines = ["accounts:"]
    for part in map(_part, entries):
        head, *rest = (f"{key}: {_json(getattr(part, key))}" for key in ("id", "company"))
        lines += [
            f"  - {head}",
            *(f"    {line}" for line in rest),
            f"    language: {part.language}",
        ]
        for key in ("contacts", "services", "shares"):
            members: list[_Part] = getattr(part, key)
            if members:
                lines.append(f"    {key}:")
                lines += [f"      - {_flow(member)}" for member in members]
    return "\n".join(lines if len(lines) > 1 else ["accounts: []"]) + "\n"


def to_csv(entries: Iterable[AccountEntry]) -> str:
    """The entries as CSV (RFC 4180)."""
    return directory_csv.write([_part(entry).model_dump() for entry in entries])


def _json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _flow(member: _Part) -> str:
    said = member.model_dump(exclude_defaults=True)
    return "{" + ", ".join(f"{key}: {_json(value)}" for key, value in said.items()) + "}"


def _part(entry: AccountEntry) -> AccountPart:
    """What a file says of an account. Built without checks: it comes from the database."""
    addresses = {c.id: c.address for c in entry.contacts}
    identifiers = {s.id: s.identifier for s in entry.services}
    shares = sorted((addresses[who], identifiers[what]) for who, what in entry.shares)
    return AccountPart.model_construct(
        id=entry.account.id,
        company=entry.account.company,
        language=entry.account.language,
        contacts=[
            ContactPart.model_construct(
                address=c.address, role=c.role, name=c.name, language=c.language
            )
            for c in entry.contacts
        ],
        services=[
            ServicePart.model_construct(identifier=s.identifier, name=s.name)
            for s in entry.services
        ],
        shares=[SharePart.model_construct(contact=who, service=what) for who, what in shares],
    )


def _checked(file: DirectoryFile, marks: Marks) -> list[AccountEntry]:
    problems = [
        *_repeated(file.accounts, lambda a: a.id, ("accounts",), "id", marks),
        *(p for i, a in enumerate(file.accounts) for p in _problems(a, ("accounts", i), marks)),
    ]
    if problems:
        raise ConfigError(problems)
    return [_entry(account) for account in file.accounts]


def _problems(account: AccountPart, place: Place, marks: Marks) -> list[Problem]:
    """What no single field shows: things said twice, two main contacts, shares of nothing."""
    contacts, services = (*place, "contacts"), (*place, "services")
    found = _repeated(
        account.contacts, lambda c: address_key(c.address), contacts, "address", marks
    )
    found += _repeated(account.services, lambda s: s.identifier, services, "identifier", marks)
    mains = [i for i, contact in enumerate(account.contacts) if contact.role == "main"]
    for i in mains[1:]:
        message = f"account {account.id} has a main contact already; there is one"
        found.append(marks.problem((*contacts, i, "role"), message))
    known = {address_key(contact.address) for contact in account.contacts}
    owned = {service.identifier for service in account.services}
    for i, share in enumerate(account.shares):
        where = (*place, "shares", i)
        if address_key(share.contact) not in known:
            message = f"{share.contact} is no contact of account {account.id}"
            found.append(marks.problem((*where, "contact"), message))
        if share.service not in owned:
            message = f"{share.service} is no service of account {account.id}"
            found.append(marks.problem((*where, "service"), message))
    return found


def _repeated(
    parts: Sequence[_P], key: Callable[[_P], str], place: Place, field: str, marks: Marks
) -> list[Problem]:
    first: dict[str, int] = {}
    problems = []
    for i, part in enumerate(parts):
        before = first.setdefault(key(part), i)
        if before != i:
            line, _ = marks.at((*place, before))
            message = f"{key(part)} is there already, in line {line}"
            problems.append(marks.problem((*place, i, field), message))
    return problems


def _entry(part: AccountPart) -> AccountEntry:
    """The entry with ids of its own, counted from 1: they only say what is shared with whom."""
    contacts = tuple(
        Contact(number, part.id, c.address, c.role, c.name, c.language)
        for number, c in enumerate(part.contacts, 1)
    )
    services = tuple(
        Service(number, part.id, s.identifier, s.name) for number, s in enumerate(part.services, 1)
    )
    who = {address_key(c.address): c.id for c in contacts}
    what = {s.identifier: s.id for s in services}
    return AccountEntry(
        account=Account(part.id, part.company, part.language),
        contacts=contacts,
        services=services,
        shares=frozenset((who[address_key(s.contact)], what[s.service]) for s in part.shares),
    )

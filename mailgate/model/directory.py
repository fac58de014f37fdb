"""Accounts, contacts, services and shares: who may ask for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["main", "technical", "additional"]
Language = Literal["pl", "en"]

ROLES: tuple[Role, ...] = ("main", "technical", "additional")
LANGUAGES: tuple[Language, ...] = ("pl", "en")


@dataclass(frozen=True, slots=True)
class Account:
    """A customer. `id` is the customer's own number or name, as staff and invoices use it."""

    id: str
    company: str
    language: Language


@dataclass(frozen=True, slots=True)
class Contact:
    """A known author of one account; `language` None means: as the account."""

    id: int
    account_id: str
    address: str
    role: Role
    name: str = ""
    language: Language | None = None
    signs_in: bool = True
    """Whether they may sign in to the panel."""


@dataclass(frozen=True, slots=True)
class Service:
    """Something of the account that can be shared; `identifier` is what a customer would name."""

    id: int
    account_id: str
    identifier: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """An account with all that belongs to it: the unit of import and export."""

    account: Account
    contacts: tuple[Contact, ...]
    services: tuple[Service, ...]
    shares: frozenset[tuple[int, int]]
    """Pairs (contact id, service id)."""

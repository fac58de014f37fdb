"""Typed settings: what may stand in mailgate.yaml, with defaults, units and ranges."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mailgate.model.directory import Language
from mailgate.model.people import SCOPES, Scope
from mailgate.model.retention import Window
from mailgate.setting_types import Address, Duration, Host, Listen, Octets, Span, zone
from mailgate.yamlfile import load as load_yaml


class Section(BaseModel):
    """Unknown keys are errors, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Desk(Section):
    """One desk: the addresses it is reached at and the tag its ticket tokens carry."""

    addresses: list[Address] = Field(min_length=1)
    tag: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.\-]{0,31}$")
    old_tags: list[str] = []
    language: Language = "pl"
    name: str = ""
    purpose: Literal["support", "tokens"] = "support"
    """A desk for tokens answers requests for access tokens (rows B4 to B6)."""

    @property
    def address(self) -> str:
        """The first address: what our own mail comes from."""
        return self.addresses[0]

    @property
    def tags(self) -> tuple[str, ...]:
        return (self.tag, *self.old_tags)


class Tls(Section):
    """STARTTLS for intake; at least TLS 1.2."""

    certificate: Path
    key: Path
    required: bool = False


class Intake(Section):
    smtp: list[Listen] = []
    lmtp: list[Listen] = []
    hostname: str = "mailgate.invalid"
    peers: list[str] = ["127.0.0.0/8", "::1"]
    socket_mode: int = 0o660
    size: Octets = 25 << 20
    recipients: int = Field(1000, ge=100, le=10000)
    errors: int = Field(20, ge=1)
    junk_commands: int = Field(100, ge=10)
    connections: int = Field(200, ge=1)
    connections_per_peer: int = Field(50, ge=1)
    line: Octets = 16 << 10
    idle: Duration = timedelta(seconds=300)
    min_rate: int = Field(500, ge=0)
    """Octets a second that DATA must keep on average; 0 turns the rule off."""
    hops: int = Field(50, ge=1)
    tls: Tls | None = None

    @field_validator("peers")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for peer in value:
            ipaddress.ip_network(peer)
        return value


class Authentication(Section):
    """Whose Authentication-Results count (RFC 8601 §5), or that mail is verified here instead.

    Never both: with neither, no mail is authenticated.
    """

    authserv_ids: list[str] = []
    hosts: list[str] = []
    """Names our own MTAs write after `by` in Received; those of `authserv_ids` where empty."""
    arc_sealers: list[Host] = []
    """Forwarders whose ARC seals count where the message itself proves nothing (RFC 8617)."""
    verify: bool = False
    """Verify DKIM, SPF and DMARC ourselves: asks the DNS about every mail."""

    @model_validator(mode="after")
    def _can_verify(self) -> Authentication:
        if self.verify and self.authserv_ids:
            raise ValueError("either authserv_ids or verify: results of two sources are not mixed")
        needed = ("authheaders", "dkim", "dns", "spf")
        if self.verify and not all(importlib.util.find_spec(name) for name in needed):
            raise ValueError("verify needs more packages: pip install 'mailgate[verify]'")
        return self


class Limits(Section):
    """Bounds on our own automatic mail (RFC 3834 §2)."""

    per_ticket_hour: int = Field(5, ge=1)
    per_sender_hour: int = Field(5, ge=1)
    per_sender_day: int = Field(20, ge=1)
    links_per_contact_hour: int = Field(3, ge=1)
    links_per_contact_day: int = Field(10, ge=1)
    links_per_ticket_day: int = Field(30, ge=1)
    links_per_hour: int = Field(600, ge=1)


class Outbound(Section):
    relay: Listen = "127.0.0.1:25"
    tls: Literal["none", "starttls", "implicit"] = "none"
    username: str | None = None
    password_file: Path | None = None
    hostname: Host = "mailgate.invalid"
    """The name we say in EHLO and put on the right of our Message-IDs."""
    bounces: Address | None = None
    """Where delivery reports return to, with a plus and a signed id; unset: null reverse-path."""
    timeout: Duration = timedelta(seconds=60)
    retries: list[Duration] = [
        timedelta(minutes=m) for m in (1, 5, 15, 60, 120, 240, 480, 720, 1440)
    ]
    templates: Path | None = None
    limits: Limits = Limits()


class WebSession(Section):
    """How long somebody who signed in stays signed in (promise W3)."""

    idle: Duration = timedelta(minutes=30)
    absolute: Duration = timedelta(hours=12)

    @field_validator("idle", "absolute")
    @classmethod
    def _bounded(cls, value: timedelta) -> timedelta:
        if not timedelta(minutes=1) <= value <= timedelta(days=7):
            raise ValueError("a session lasts from 1 min to 7 d")
        return value


class Web(Section):
    listen: Listen = "127.0.0.1:8025"
    form_size: Octets = 64 << 10
    session: WebSession = WebSession()
    api_per_minute: int = Field(300, ge=1)
    """Requests of one token to the API, on each machine; as many may come at once."""


class Worker(Section):
    processes: int = Field(1, ge=1, le=64)
    item_seconds: int = Field(10, ge=1)
    """A worker busy longer than this with one item is killed, and the item counts a failure."""
    memory: Octets = 1 << 30
    attempts: int = Field(3, ge=1)


class Links(Section):
    life: Duration = timedelta(hours=24)
    tries: int = Field(5, ge=1, le=10)

    @field_validator("life")
    @classmethod
    def _bounded(cls, value: timedelta) -> timedelta:
        if not timedelta(minutes=5) <= value <= timedelta(hours=72):
            raise ValueError("a link lives from 5 min to 72 h")
        return value


class AccessTokens(Section):
    """The tokens that sign contacts in to the panel and to the API (rows B1 to B8)."""

    life: Duration = timedelta(days=90)
    warn: list[Duration] = [timedelta(days=14), timedelta(days=3)]
    """So long before the end its owner is told."""
    scopes: list[Scope] = ["panel", "tickets:read"]
    """What a token is good for where nobody said otherwise."""
    per_account_hour: int = Field(10, ge=1)
    """Tokens and questions about tokens that go to all contacts of one account together."""

    @field_validator("life")
    @classmethod
    def _bounded(cls, value: timedelta) -> timedelta:
        if not timedelta(days=1) <= value <= timedelta(days=90):
            raise ValueError("an access token lives from 1 d to 90 d")
        return value

    @field_validator("warn")
    @classmethod
    def _whole_days(cls, value: list[timedelta]) -> list[timedelta]:
        if any(before < timedelta(days=1) or before % timedelta(days=1) for before in value):
            raise ValueError("a warning comes whole days before the end, such as 14 d")
        return value

    @field_validator("scopes")
    @classmethod
    def _some(cls, value: list[Scope]) -> list[Scope]:
        if not value or len(set(value)) != len(value):
            raise ValueError(f"name at least one of {', '.join(SCOPES)}, each once")
        return value


class Privacy(Section):
    """How long personal data is kept, and how requests about it are handled (A11, A12)."""

    correspondence: Span = Window(months=3)
    """From the end of the communication: ticket closed, and nothing written since."""
    claims: Span = Window(months=72)
    """From the same moment: what little remains of a message as evidence."""
    claims_to_year_end: bool = False
    """Let the claims window end on 31 December, as limitation does in Polish civil law."""
    security: Span = Window(months=24)
    """Audit log, ended tokens, changes of addresses: the protection of the IT system."""
    largest_share: int = Field(20, ge=1, le=100)
    """A purge that would remove more percent of all tickets stops and asks for a person."""
    answer_within: Span = Window(months=1)
    """The deadline of a person's request (GDPR Art. 12(3))."""
    alert_after: Duration = timedelta(days=21)


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Settings(Section):
    """All of mailgate.yaml."""

    base_url: str
    database: str
    keys: Path
    rules: Path
    desks: dict[str, Desk] = Field(min_length=1)
    timezone: str = "UTC"
    """The zone of the times in our mails and pages, such as Europe/Warsaw."""
    node: str = "main"
    intake: Intake = Intake()
    authentication: Authentication = Authentication()
    outbound: Outbound = Outbound()
    web: Web = Web()
    worker: Worker = Worker()
    links: Links = Links()
    access_tokens: AccessTokens = AccessTokens()
    privacy: Privacy = Privacy()
    log: Log = Log()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        zone(value)
        return value

    @field_validator("base_url")
    @classmethod
    def _secure(cls, value: str) -> str:
        url = urlsplit(value)
        loopback = url.hostname in {"127.0.0.1", "localhost", "::1"}
        if url.scheme != "https" and not (url.scheme == "http" and loopback):
            raise ValueError("base_url is https://…; http:// only on 127.0.0.1 or localhost")
        if url.query or url.fragment or not url.hostname:
            raise ValueError("base_url is a scheme, a host and perhaps a path")
        return value.rstrip("/")

    @property
    def zone(self) -> tzinfo:
        return zone(self.timezone)

    @field_validator("desks")
    @classmethod
    def _are_unambiguous(cls, value: dict[str, Desk]) -> dict[str, Desk]:
        if "bounces" in value:
            raise ValueError("bounces is where delivery reports go; no desk can have this name")
        seen: dict[str, str] = {}
        for name, desk in value.items():
            for address in desk.addresses:
                other = seen.setdefault(address.lower(), name)
                if other != name:
                    raise ValueError(f"{address} belongs to the desks {other} and {name}")
        return value

    @property
    def database_file(self) -> Path | None:
        """Where the embedded database lies; None where the database is a server."""
        kind, _, path = self.database.partition(":///")
        return Path(path) if kind.startswith("sqlite") and path else None

    def desk_of(self, address: str) -> str | None:
        """The name of the desk reached at this address (no case), or None."""
        wanted = address.lower()
        for name, desk in self.desks.items():
            if wanted in (a.lower() for a in desk.addresses):
                return name
        return None

    @property
    def token_desks(self) -> tuple[str, ...]:
        """The names of the desks for access tokens."""
        return tuple(name for name, desk in self.desks.items() if desk.purpose == "tokens")

    @property
    def token_desk(self) -> str | None:
        """The first of them, or None."""
        return next(iter(self.token_desks), None)

    def within(self, folder: Path) -> Settings:
        """The same settings with every relative path taken as from this folder.

        Environment variables in `keys` are replaced: systemd says with $CREDENTIALS_DIRECTORY where
        it has put what LoadCredential= asked for.
        """
        keys = os.path.expandvars(self.keys)
        changes: dict[str, Any] = {"keys": folder / keys, "rules": folder / self.rules}
        if (file := self.database_file) and not file.is_absolute():
            changes["database"] = f"sqlite:///{folder / file}"
        if self.outbound.templates or self.outbound.password_file:
            paths = {
                name: folder / path
                for name in ("templates", "password_file")
                if (path := getattr(self.outbound, name)) is not None
            }
            changes["outbound"] = self.outbound.model_copy(update=paths)
        if self.intake.tls:
            tls = self.intake.tls
            pair = {"certificate": folder / tls.certificate, "key": folder / tls.key}
            changes["intake"] = self.intake.model_copy(update={"tls": tls.model_copy(update=pair)})
        return self.model_copy(update=changes)


def load(path: Path) -> Settings:
    """Read mailgate.yaml; paths in it are relative to its folder.

    Raises `mailgate.yamlfile.ConfigError` with every problem, its line and its column.
    """
    return load_yaml(path, Settings).within(path.resolve().parent)

"""The doctor: whether everything mailgate needs is there and right, and what to do if it is not."""

from __future__ import annotations

import errno
import shutil
import smtplib
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from mailgate import app, clock
from mailgate.model.ports import StorageError, StoreUnusable
from mailgate.outbound.templates import Templates
from mailgate.rules.load import load_policy
from mailgate.settings import Settings, load
from mailgate.tokens.keys import BadKeys, Keys
from mailgate.wiring import open_checked_store
from mailgate.yamlfile import ConfigError

Level = Literal["ok", "warning", "failed"]
#: How far the clock may be behind what is stored already (promise R14).
BEHIND = timedelta(minutes=5)
#: How long the relay may take to answer, in seconds.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    level: Level
    says: str


def examine(config: Path) -> Iterator[Finding]:
    """Look at everything; a configuration that cannot be read ends it at once."""
    try:
        settings = load(config)
    except ConfigError as error:
        yield Finding("configuration", "failed", str(error))
        return
    yield Finding("configuration", "ok", str(config))
    checks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("keys", _keys),
        ("rules", _rules),
        ("templates", _templates),
        ("authentication", _authentication),
        ("database", _database),
        ("clock", _clock),
        ("disk", _disk),
        ("relay", _relay),
        ("message size", _size),
    )
    for what, check in checks:
        try:
            yield check(settings)
        except (ConfigError, BadKeys, StoreUnusable, StorageError, OSError) as error:
            yield Finding(what, "failed", str(error))
    for listen in (*settings.intake.smtp, *settings.intake.lmtp, settings.web.listen):
        yield _port(listen)


def _keys(settings: Settings) -> Finding:
    count = len(Keys.load(settings.keys).secrets)
    return Finding("keys", "ok", f"{settings.keys}: {count}, only its owner can read them")


def _rules(settings: Settings) -> Finding:
    policy = load_policy(settings.rules, tuple(settings.desks))
    says = f"{settings.rules}: {len(policy.rules)} rules, sha256 {policy.sha256[:12]}"
    return Finding("rules", "ok", says)


def _templates(settings: Settings) -> Finding:
    Templates.load(settings.outbound.templates)
    return Finding("templates", "ok", str(settings.outbound.templates or "those that ship"))


def _authentication(settings: Settings) -> Finding:
    ids = settings.authentication.authserv_ids
    if settings.authentication.verify:
        return Finding("authentication", "ok", "DKIM, SPF and DMARC are verified here, by the DNS")
    if ids:
        return Finding("authentication", "ok", f"Authentication-Results of {', '.join(ids)} count")
    says = "no authserv_ids: no mail counts as authenticated, and every link asks for its code"
    return Finding("authentication", "warning", says)


def _database(settings: Settings) -> Finding:
    store = open_checked_store(settings)
    try:
        with store.database.writing():
            pass  # the lock of a writer can be had
    finally:
        store.close()
    return Finding("database", "ok", "reachable, durable, and its schema is this program's")


def _clock(settings: Settings) -> Finding:
    store = open_checked_store(settings)
    try:
        newest = store.views.newest()
    finally:
        store.close()
    now = clock.now()
    if newest and newest - now > BEHIND:
        says = f"it is {now:%Y-%m-%d %H:%M} here, but mail of {newest:%Y-%m-%d %H:%M} is stored"
        return Finding("clock", "failed", says)
    return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC, not behind what is stored")


def _disk(settings: Settings) -> Finding:
    file = settings.database_file
    if file is None:
        return Finding("disk", "ok", "the database is a server; look there")
    free, needed = shutil.disk_usage(file.parent).free, settings.intake.size * 3 // 2
    says = (
        f"{free >> 20} MiB free where the database lies; below {needed >> 20} MiB mail is put off"
    )
    if free < needed:
        return Finding("disk", "failed", says)
    return Finding("disk", "ok" if free > 10 * needed else "warning", says)


def _relay(settings: Settings) -> Finding:
    relay = settings.outbound.relay
    if relay.startswith("unix:"):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(relay.removeprefix("unix:"))
        return Finding("relay", "ok", f"{relay} can be connected to")
    host, _, port = relay.rpartition(":")
    kind = smtplib.SMTP_SSL if settings.outbound.tls == "implicit" else smtplib.SMTP
    try:
        with kind(host.strip("[]"), int(port), timeout=PATIENCE) as client:
            code, said = client.ehlo(settings.outbound.hostname)
            offers = client.has_extn("starttls")
    except (OSError, smtplib.SMTPException) as error:
        return Finding("relay", "failed", f"{relay}: {error}; mail of ours waits in the outbox")
    if code != 250:
        return Finding(
            "relay", "failed", f"{relay} answers {code} {said.decode('ascii', 'replace')}"
        )
    if settings.outbound.tls == "starttls" and not offers:
        return Finding("relay", "failed", f"{relay} offers no STARTTLS, which is asked for")
    return Finding("relay", "ok", f"{relay} answers")


def _size(settings: Settings) -> Finding:
    """A smaller limit than the MTA's bounces mail that the MTA has accepted (promise S4)."""
    ours = settings.intake.size
    postconf = shutil.which("postconf")
    if postconf is None:
        says = f"{ours} octets; make sure that no MTA in front accepts more"
        return Finding("message size", "ok", says)
    asked = [postconf, "-h", "message_size_limit"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - a fixed command
    if told.isdigit() and (int(told) > ours or int(told) == 0):
        says = f"{ours} octets, but Postfix here accepts {told}: larger mail would bounce"
        return Finding("message size", "failed", says)
    return Finding("message size", "ok", f"{ours} octets, not below Postfix's limit")


def _port(listen: str) -> Finding:
    """A port is right when it is free, or when something (a running mailgate) answers on it."""
    what = f"listen {listen}"
    if listen.startswith("unix:"):
        folder = Path(listen.removeprefix("unix:")).parent
        if folder.is_dir():
            return Finding(what, "ok", f"{folder} is there")
        return Finding(what, "failed", f"the folder {folder} is missing")
    try:
        app.listening_socket(listen).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return Finding(what, "ok", "in use, by a running mailgate if all is well")
        return Finding(what, "failed", error.strerror or str(error))
    return Finding(what, "ok", "free")

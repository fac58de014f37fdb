"""The demo's house: configuration, keys, database and directory in a folder that is thrown away."""

from __future__ import annotations

import socket
import sys
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from mailgate import clock
from mailgate.demo.sink import free_port
from mailgate.demo.stories import AUTHSERV_ID, DESK, TOKENS
from mailgate.settings import Settings, load
from mailgate.store.directory_files import parse_yaml
from mailgate.store.migrations import upgrade
from mailgate.tokens.keys import Keys
from mailgate.wiring import open_store

#: Where the pages are, if nobody else is there.
PORT = 8025

CONFIG = """\
# The demo's configuration; docs/configuration.md has every setting.
base_url: http://127.0.0.1:{web}
database: sqlite:///{folder}/demo.db
keys: keys
rules: {rules}
desks:
  support: {{addresses: [{desk}], tag: Demo, name: Pomoc Demo, language: pl}}
  tokens:
    {{addresses: [{tokens}], tag: DemoT, name: Tokeny Demo, language: pl, purpose: tokens}}
intake: {{smtp: ["127.0.0.1:{smtp}"], hostname: gate.desk.example}}
authentication: {{authserv_ids: [{authserv_id}]}}
outbound: {{relay: "{relay}", hostname: gate.desk.example}}
web: {{listen: "127.0.0.1:{web}"}}
log: {{level: {level}, format: console}}
"""


def build(folder: Path, relay: str, level: str) -> tuple[Path, Settings]:
    """Set up everything a daemon needs; gives the configuration file and what it says."""
    config = folder / "mailgate.yaml"
    config.write_text(
        CONFIG.format(
            folder=folder,
            rules=rules_file(),
            desk=DESK,
            tokens=TOKENS,
            authserv_id=AUTHSERV_ID,
            relay=relay,
            smtp=free_port(),
            web=_web_port(),
            level=level,
        ),
        encoding="utf-8",
    )
    settings = load(config)
    Keys.generate(clock.random).save(settings.keys)
    name = "directory.yaml"
    entries = parse_yaml((files("mailgate.demo") / name).read_text("utf-8"), name)
    with closing(open_store(settings)) as store:
        upgrade(store.database)
        store.directory.import_entries(entries, clock.now())
    return config, settings


def rules_file() -> Path:
    """The policy that ships: beside the package in a checkout, in `share` once installed."""
    checkout, installed = Path(__file__).parents[2] / "config", Path(sys.prefix) / "share/mailgate"
    return next(path for f in (checkout, installed) if (path := f / "rules.yaml").is_file())


def _web_port() -> int:
    try:
        with socket.create_server(("127.0.0.1", PORT)):
            return PORT
    except OSError:
        return free_port()

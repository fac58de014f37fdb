"""axe-core, which looks at a page as people with other senses use it; fetched by npm once."""

from __future__ import annotations

import hashlib
import subprocess
from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.conftest import ROOT, program

VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
_RUN = """async () => {
    const found = await axe.run(document, {resultTypes: ["violations", "incomplete"]});
    return found.violations.map(v => ({
        id: v.id, impact: v.impact, help: v.help,
        nodes: v.nodes.map(n => n.html + " " + n.failureSummary)
    }));
}"""


@cache
def source() -> str:
    """The script itself, exactly the one that is pinned here."""
    folder = ROOT / ".cache" / f"axe-core-{VERSION}"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = program("npm")
        assert npm
        quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
        command = [npm, "install", *quiet, "--prefix", str(folder), f"axe-core@{VERSION}"]
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    text = script.read_bytes()
    assert hashlib.sha256(text).hexdigest() == SHA256, "this is not the axe-core that is pinned"
    return text.decode()


def problems(page: Page) -> list[dict[str, Any]]:
    """What is seriously or critically wrong with the page as it is shown now."""
    page.evaluate(source())
    found: list[dict[str, Any]] = page.evaluate(_RUN)
    return [one for one in found if one["impact"] in {"serious", "critical"}]

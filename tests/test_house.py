"""The house rules that can be checked: imports, lengths, first sentences, dependencies."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "mailgate").rglob("*.py"))

#: Each library lives in one room, so that it can be replaced there.
HOMES = {
    "aiosmtpd": ("intake", "demo"),
    "aiosmtplib": ("outbound/mailer", "cli/doctor"),
    "alembic": ("store",),
    "argon2": ("tokens/password",),
    "authheaders": ("message/verification",),
    "click": ("cli",),
    "dkim": ("message/verification",),
    "dns": ("resolver",),
    "fastapi": ("web/api",),
    "flufl": ("message",),
    "idna": ("model/addresses",),
    "jinja2": ("outbound", "web"),
    "mailparser": ("message",),
    "nh3": ("web/console/sanitize",),
    "psycopg": ("store",),
    "pydantic": (
        "settings",
        "setting_types",
        "rules",
        "yamlfile",
        "store/directory_files",
        "web/api",
    ),
    "pyotp": ("tokens/totp",),
    "re2": ("rules",),
    "rich": ("cli", "lab", "demo"),
    "spf": ("message/verification",),
    "sqlalchemy": ("store",),
    "starlette": ("web", "app", "faces"),
    "structlog": ("logs",),
    "uvicorn": ("web", "app"),
    "uvloop": ("app",),
    "yaml": ("yamlfile",),
}
LONGEST_FILE = 350
LONGEST_FUNCTION = 60
#: Tests make processes fail in ways that only hosts and paths of one machine would explain.
FOREIGN = re.compile(r"https?://[a-z.]*(pypi|pythonhosted|debian|npmjs)[a-z]*\.")


def room(path: Path) -> str:
    return path.relative_to(ROOT / "mailgate").with_suffix("").as_posix()


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("path", FILES, ids=room)
def test_a_library_is_imported_in_its_own_room_only(path: Path) -> None:
    for name in set(imports(ast.parse(path.read_text("utf-8")))):
        if name in sys.stdlib_module_names or name == "mailgate":
            continue
        homes = HOMES.get(name)
        assert homes, f"{name} has no home yet: name it in HOMES and in docs/dependencies.md"
        assert room(path).startswith(homes), f"{room(path)} imports {name}, which lives in {homes}"


@pytest.mark.parametrize("path", FILES, ids=room)
def test_a_file_says_first_what_it_is_for_and_stays_short(path: Path) -> None:
    source = path.read_text("utf-8")
    said = ast.get_docstring(ast.parse(source))
    assert said, "no docstring"
    assert said.rstrip().endswith((".", ":", "?")), "the docstring is no sentence"
    assert source.count("\n") <= LONGEST_FILE, "which room is missing?"


@pytest.mark.parametrize("path", FILES, ids=room)
def test_functions_stay_short(path: Path) -> None:
    if "versions" in path.parts:
        return  # a migration is a list of tables, written once and never read again
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


def test_every_dependency_has_a_reason() -> None:
    reasons = (ROOT / "docs" / "dependencies.md").read_text("utf-8").lower()
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    named = set(re.findall(r'^    "([A-Za-z0-9.\-]+)(?:\[[a-z]+\])?>=', project, re.MULTILINE))
    assert named, "no dependency found in pyproject.toml"
    assert not {name for name in named if name.lower() not in reasons}


def test_lock_files_name_no_index_and_carry_hashes() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text("utf-8")
        assert "://" not in text
        assert len(re.findall(r"^\S+==", text, re.MULTILINE)) <= text.count("--hash=sha256:")

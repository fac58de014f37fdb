"""The example files and the page of settings: what we hand out loads, and says what is so."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from mailgate.rules.load import load_policy
from mailgate.settings import Desk, Settings, load
from mailgate.yamlfile import loads_plain
from tests.conftest import ROOT

_ROW = re.compile(r"\| `([a-z_.]+)` \| (–|`[^`]+`) \| (.+) \|")
_HEAD = re.compile(r"## (?:`([a-z_]+)(?:\.NAME)?`|Top)")


def documented() -> Iterator[tuple[str, str | None]]:
    """Every setting of docs/configuration.md, with its default as YAML; None: must be there."""
    section = ""
    for line in (ROOT / "docs/configuration.md").read_text(encoding="utf-8").splitlines():
        if head := _HEAD.fullmatch(line):
            section = f"{head[1]}." if head[1] else ""
        elif row := _ROW.fullmatch(line):
            yield section + row[1], None if row[2] == "–" else row[2].strip("`")


def known(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting the program has; a desk's stand under `desks.`."""
    for name, field in model.model_fields.items():
        inner = section_of(field)
        if inner is None:
            yield prefix + name, field
        else:
            yield from known(inner, f"{prefix}{name}.")


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    kinds = [field.annotation]
    if get_origin(field.annotation) in {UnionType, dict}:
        kinds = list(get_args(field.annotation))
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)


def test_the_page_of_settings_names_every_setting_once() -> None:
    names = [name for name, _ in documented()]
    assert sorted(names) == sorted(name for name, _ in known(Settings))


@pytest.mark.parametrize(("name", "shown"), list(documented()))
def test_the_default_on_the_page_is_the_default_of_the_program(
    name: str, shown: str | None
) -> None:
    field = dict(known(Settings))[name]
    if shown is None:
        assert field.is_required()
        return
    kind: Any = field.annotation
    if field.metadata:
        kind = Annotated[field.annotation, *field.metadata]
    value, _ = loads_plain(shown, name)
    assert TypeAdapter(kind).validate_python(value) == field.default


def test_the_example_configuration_loads_with_every_path_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/mailgate.service")
    settings = load(ROOT / "config" / "mailgate.yaml")
    assert settings.keys == Path("/run/credentials/mailgate.service/keys")
    assert settings.rules == ROOT / "config" / "rules.yaml"
    assert settings.desk_of("Support@Firma.example") == "support"


def test_the_example_configuration_names_no_setting_that_is_gone() -> None:
    """Commented-out lines are settings too, and would rot unseen."""
    text = (ROOT / "config" / "mailgate.yaml").read_text(encoding="utf-8")
    opened = re.sub(r"(?m)^(\s*)# ([a-z_]+): (?=[/\[\"\d])", r"\1\2: ", text)
    assert opened != text
    Settings.model_validate(yaml.safe_load(opened))


def test_every_yaml_block_of_the_documentation_is_of_known_settings() -> None:
    fenced = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
    blocks = [
        yaml.safe_load(block)
        for page in sorted((ROOT / "docs").glob("*.md"))
        for block in fenced.findall(page.read_text(encoding="utf-8"))
    ]
    assert blocks
    for block in blocks:
        whole = {
            "base_url": "https://a.example",
            "database": "sqlite://",
            "keys": "keys",
            "rules": "rules.yaml",
            "desks": {"support": Desk(addresses=["a@b.example"], tag="T").model_dump()},
        }
        Settings.model_validate({**whole, **block})


def test_every_rule_of_the_documentation_can_be_put_where_it_says(tmp_path: Path) -> None:
    shipped = (ROOT / "config" / "rules.yaml").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```rules\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert shown
    above, name, rest = shipped.partition("  - name: token-answered\n")
    file = tmp_path / "rules.yaml"
    file.write_text("\n".join([above, *shown, name + rest]), encoding="utf-8")
    policy = load_policy(file, ("support", "tokens"))
    assert len(policy.rules) == shipped.count("\n  - name:") - len(policy.guarantees) + len(shown)


def test_the_page_of_dependencies_has_a_reason_for_each_and_for_nothing_else() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    asked = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| ([\w., -]+?)(?: \([^)]*\))? \| `", page, re.MULTILINE)
    explained = [name for cell in cells for name in cell.split(", ")]
    named = [re.split(r"[^\w.-]", requirement)[0] for requirement in asked]
    assert sorted(explained, key=str.lower) == sorted(named, key=str.lower)


def test_every_test_that_the_page_of_promises_names_is_there() -> None:
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[^`:]+)(?:::(test_\w+))?`", page)
    assert len(named) > 40
    missing = [
        f"{path}::{test}"
        for path, test in named
        if not (ROOT / path).exists()
        or (test and f"def {test}(" not in (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert missing == []

"""Bad configurations: a folder with a file and the exact problems that it must be refused for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailgate import settings
from mailgate.rules.load import load_policy
from mailgate.yamlfile import ConfigError

FOLDERS = sorted((Path(__file__).parent.parent / "bad_config").iterdir())


def problems(folder: Path) -> str:
    """What loading the folder's file complains of, with the file's name alone."""
    rules = folder / "rules.yaml"
    try:
        if rules.exists():
            load_policy(rules, desks=("support", "billing"))
        else:
            settings.load(folder / "mailgate.yaml")
    except ConfigError as error:
        return str(error).replace(f"{folder}/", "")
    return "nothing"


def test_there_are_bad_configurations_to_try() -> None:
    assert len(FOLDERS) >= 20


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_bad_configuration_is_refused_for_the_stated_reason(folder: Path) -> None:
    expected = (folder / "expected-error").read_text("utf-8").rstrip("\n")
    assert problems(folder) == expected

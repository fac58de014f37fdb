"""The units in systemd/: as tight as promised, and saying what the program understands."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailgate.cli.main import cli
from tests.conftest import ROOT, program

UNITS = sorted((ROOT / "systemd").glob("*.service"))


def directives(unit: Path, name: str) -> list[str]:
    """Every value of a directive, which may stand in a unit more than once."""
    return [
        line.partition("=")[2]
        for line in unit.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"{name}=")
    ]


def test_there_is_one_unit_for_all_and_one_for_each_user() -> None:
    assert [unit.name for unit in UNITS] == [
        "mailgate-intake.service",
        "mailgate-web.service",
        "mailgate-worker.service",
        "mailgate.service",
    ]
    assert len({directives(unit, "User")[0] for unit in UNITS}) == len(UNITS)


@pytest.mark.server("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_no_unit_is_exposed_more_than_1_5(unit: Path) -> None:
    """Promise W8."""
    tool = program("systemd-analyze")
    assert tool is not None
    run = subprocess.run(
        [tool, "security", "--no-pager", "--offline=true", "--threshold=15", str(unit)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_command_of_each_unit_is_one_that_mailgate_has(unit: Path) -> None:
    (command,) = directives(unit, "ExecStart")
    program_path, *arguments = command.split()
    assert program_path.endswith("/mailgate")
    result = CliRunner().invoke(cli, [*arguments, "--help"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_unit_gets_its_key_as_a_credential_and_waits_for_readiness(unit: Path) -> None:
    assert directives(unit, "LoadCredential") == ["keys:/etc/mailgate/keys"]
    assert directives(unit, "Type") == ["notify"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_unit_is_well_formed(unit: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names have case
    parser.read(unit, encoding="utf-8")
    assert parser.sections() == ["Unit", "Service", "Install"]

"""`mailgate rules`: what it prints and how it exits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailgate.cli.main import cli
from tests.rules.policies import DEFAULT, rule

SHIPPED = Path(__file__).parents[2] / "config" / "rules.yaml"
BAD = Path(__file__).parents[1] / "bad_config"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILGATE_CONFIG", raising=False)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["rules", *map(str, arguments)])


def configured(folder: Path, rules: Path) -> Path:
    """A configuration that names these rules."""
    (folder / "mailgate.yaml").write_text(
        "base_url: https://support.firma.example\ndatabase: sqlite:///x.db\nkeys: keys\n"
        f"rules: {rules}\ndesks:\n  pomoc: {{addresses: [pomoc@firma.example], tag: Firma}}\n"
    )
    return folder / "mailgate.yaml"


@pytest.mark.usefixtures("folder")
def test_check_counts_the_rules_and_names_the_default() -> None:
    result = run("check", SHIPPED)
    assert result.exit_code == 0
    assert result.output == (
        f"{SHIPPED}: 40 rules, 18 guarantees proved, default held (no-rule-matched)\n"
    )


@pytest.mark.usefixtures("folder")
def test_check_names_every_problem_and_exits_1() -> None:
    result = run("check", BAD / "misspelt-when" / "rules.yaml")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "rules.yaml:5:5: unknown key 'wehn'; did you mean 'when'?" in result.stderr


@pytest.mark.usefixtures("folder")
def test_check_gives_problems_to_scripts() -> None:
    result = run("check", "--json", BAD / "misspelt-when" / "rules.yaml")
    assert result.exit_code == 1
    problems = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(p["ok"], p["line"], p["column"]) for p in problems] == [(False, 3, 5), (False, 5, 5)]


def test_check_of_a_file_that_is_not_there_exits_2(folder: Path) -> None:
    result = run("check", folder / "missing.yaml")
    assert result.exit_code == 2
    assert "missing.yaml:1:1: cannot be read: No such file or directory" in result.stderr


@pytest.mark.usefixtures("folder")
def test_check_without_a_file_or_a_configuration_exits_2() -> None:
    assert run("check").exit_code == 2


def test_check_without_a_file_takes_the_one_of_the_configuration(folder: Path) -> None:
    config = configured(folder, SHIPPED)
    result = CliRunner().invoke(cli, ["--config", str(config), "rules", "check", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) | {"sha256": ""} == {
        "file": str(SHIPPED),
        "ok": True,
        "rules": 40,
        "guarantees": 18,
        "default": "held",
        "unreachable": [],
        "sha256": "",
    }


def test_check_knows_the_desks_of_the_configuration(folder: Path) -> None:
    config = configured(folder, SHIPPED)
    file = BAD / "unknown-desk" / "rules.yaml"
    result = CliRunner().invoke(cli, ["--config", str(config), "rules", "check", str(file)])
    assert result.exit_code == 1
    assert "'suport' is not one of pomoc, bounces" in result.stderr


def test_check_warns_of_a_rule_that_never_decides(folder: Path) -> None:
    rules = [rule("a", {"cc": ["none", "shared"]}), rule("b", {"cc": "none"})]
    file = {"version": 1, "rules": rules, "default": DEFAULT}
    (folder / "rules.yaml").write_text(json.dumps(file))
    result = run("check", "rules.yaml")
    assert result.exit_code == 0
    assert "warning: b never decides" in result.output


@pytest.mark.usefixtures("folder")
def test_show_lists_every_rule_in_words() -> None:
    result = run("show", SHIPPED)
    assert result.exit_code == 0
    assert (
        " 31 entered-by-staff: unauthorized (entered-by-staff); "
        "send entered-by-staff, confirm code\n"
        "    Staff entered this in the contact's name; it is unauthorized until the contact "
        "confirms.\n"
        "    when channel is console and sender.proof is not confirmed\n"
    ) in result.output
    assert "41 default: held (no-rule-matched)" in result.output


@pytest.mark.usefixtures("folder")
def test_show_gives_rules_to_scripts() -> None:
    lines = [json.loads(line) for line in run("show", "--json", SHIPPED).stdout.splitlines()]
    assert [line["rule"] for line in lines][-1] == "default"
    assert lines[18]["rule"] == "ambiguous-account"
    assert lines[0]["when"] == "parsed is limits"


@pytest.mark.usefixtures("folder")
def test_prove_says_what_holds_and_over_how_many_cases() -> None:
    result = run("prove", SHIPPED)
    assert result.exit_code == 0
    assert result.output.count("holds  ") == 18
    assert "cover every combination of facts; the default is never needed" in result.output


@pytest.mark.usefixtures("folder")
def test_prove_shows_the_case_that_breaks_a_guarantee() -> None:
    result = run("prove", BAD / "broken-guarantee" / "rules.yaml")
    assert result.exit_code == 1
    assert "strangers-in-cc is broken: main-contact gives pending" in result.stderr
    assert "where cc is stranger, sender.role is main" in result.stderr

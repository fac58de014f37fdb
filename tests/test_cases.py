"""Every folder of tests/cases is a story: mails over real SMTP, answers, what must follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailgate.yamlfile import loads_plain
from tests.teller import Teller
from tests.world import make_world, running

CASES = Path(__file__).parent / "cases"
STORIES = sorted(path.parent for path in CASES.glob("*/case.yaml"))
ROWS = {f"{part}{n}" for part in "AB" for n in range(1, 11)}


def test_each_row_of_the_domain_has_a_case_of_its_own() -> None:
    assert {story.name.partition("-")[0] for story in STORIES} >= ROWS


@pytest.mark.parametrize("folder", STORIES, ids=lambda path: path.name)
def test_case(folder: Path, tmp_path: Path) -> None:
    case: Any = loads_plain((folder / "case.yaml").read_text("utf-8"), str(folder))[0]
    world = make_world(tmp_path)
    world.directory(CASES / "world.yaml")
    with running(world):
        teller = Teller(folder, world)
        for number, step in enumerate(case["steps"], start=1):
            teller.play(step)
            if "expect" in step:
                teller.check(step["expect"], f"step {number}: {case['says']}")
            world.later(minutes=1)
    world.store.close()

"""The API held to its own description: whatever that allows is asked, and every answer is in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from mailgate.clock import now, random
from mailgate.web.api import Api, create
from tests import world
from tests.web.house import House, Stock
from tests.web.site import Server

V1 = "/api/v1"
#: Questions for each operation, and once more as many that the description does not allow.
EXAMPLES = 12


def description() -> dict[str, Any]:
    """As it is published; nothing of the house is asked for it."""
    nothing: Any = None
    settings_ = world.settings(Path("unused"))
    return create(
        Api(settings_, nothing, world.KEYS, now, random, dict, nothing, nothing, nothing, nothing)
    ).openapi()


FOUND: Any = schemathesis.openapi.from_dict(description()).get_all_operations()
OPERATIONS = [operation.ok() for operation in FOUND]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    stock = Stock(tmp_path_factory.mktemp("stock"))
    made = stock.copy(tmp_path_factory.mktemp("house"))
    yield made
    made.close()


def test_what_is_published_is_what_is_tested(house: House) -> None:
    assert house.ask(f"{V1}/openapi.json").json == description()
    assert len(OPERATIONS) == 19


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_is_one_that_the_description_knows(
    operation: Any, mode: GenerationMode, house: House, server: Server
) -> None:
    if mode is GenerationMode.NEGATIVE and operation.label in {"GET /me", "GET /my/services"}:
        return  # takes nothing, so nothing can be wrong with it
    server.app = house.app
    known = st.sampled_from(
        [
            {"number": house.ids["ticket"], "account_id": "1001", "queue_id": house.ids[message]}
            for message in ("message", "held", "filed")
        ]
    )

    token = house.token("main" if "/my/" in operation.label else "admin")

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode, headers=token), known, st.booleans())
    def ask(case: Case[Any], there: dict[str, Any], about_something: bool) -> None:
        if about_something and mode is GenerationMode.POSITIVE:
            case.path_parameters |= {k: there[k] for k in case.path_parameters}
        case.call_and_validate(
            base_url=f"http://127.0.0.1:{server.port}{V1}",
            # A cursor is a text, but not every text is a cursor; not every ticket is there. That
            # nothing is said without a token is shown for every route elsewhere.
            excluded_checks=[positive_data_acceptance, ignored_auth],
        )

    ask()

"""Where the bars of the charts stand."""

from __future__ import annotations

from datetime import date

from mailgate.model.views import Count
from mailgate.web.console import charts

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)


def test_days_end_with_today() -> None:
    assert charts.days(TUESDAY, 2) == [MONDAY, TUESDAY]


def test_bars_of_a_day_stand_on_each_other_and_the_tallest_day_fills_the_chart() -> None:
    counts = [
        Count(MONDAY, "authorized", 3),
        Count(MONDAY, "held", 1),
        Count(TUESDAY, "authorized", 2),
    ]
    bars, tallest = charts.stacked(counts, ("authorized", "held"), [MONDAY, TUESDAY])
    assert tallest == 4
    below, above, other = bars
    assert (below.name, above.name, other.name) == ("authorized", "held", "authorized")
    assert below.y + below.height == charts.HEIGHT
    assert above.y + above.height == below.y
    assert above.y == 0
    assert other.height == charts.HEIGHT / 2
    assert below.x < other.x
    assert other.x + other.width <= charts.WIDTH


def test_days_that_are_not_shown_do_not_count() -> None:
    bars, tallest = charts.stacked([Count(MONDAY, "held", 9)], ("held",), [TUESDAY])
    assert (bars, tallest) == ([], 0)


def test_lines_are_by_their_sum_each_in_its_own_scale() -> None:
    counts = [Count(MONDAY, "a", 1), Count(TUESDAY, "a", 1), Count(MONDAY, "b", 50)]
    lines = charts.sparklines(counts, [MONDAY, TUESDAY])
    assert [(line.name, line.total) for line in lines] == [("b", 50), ("a", 2)]
    assert {bar.height for line in lines for bar in line.bars} == {24}


def test_totals_sum_up_names() -> None:
    counts = [Count(MONDAY, "a", 1), Count(TUESDAY, "a", 2)]
    assert charts.totals(counts) == {"a": 3}

"""Coverage: silence is not safety, and a cell is only well covered if its workers' languages were heard."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.aggregate.coverage import GOOD, LEVELS, NONE, PARTIAL, THIN, measure_coverage, weeks_between
from screener.records import Coverage
from screener.settings.schemas import CoverageRule

RULE = CoverageRule(min_posts=50, min_share_weeks=0.5, good_sources=2, good_share_weeks=0.9)
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
BEST = {
    "n_posts": 500,
    "n_sources": 2,
    "n_weeks_with_posts": 10,
    "n_weeks": 10,
    "seen": {"th", "my", "und"},
    "expected": ("th", "my"),
}


def measure(**values: object) -> Coverage:
    return measure_coverage(**BEST | values, rule=RULE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "level"),
    [
        ({}, GOOD),
        ({"n_posts": 0}, NONE),
        ({"n_posts": 49}, THIN),
        ({"n_weeks_with_posts": 4}, THIN),
        ({"n_weeks": 0}, THIN),
        ({"seen": {"en"}}, THIN),
        ({"seen": set()}, THIN),
        ({"seen": {"th"}}, PARTIAL),
        ({"n_sources": 1}, PARTIAL),
        ({"n_weeks_with_posts": 8}, PARTIAL),
        ({"expected": ()}, PARTIAL),
    ],
)
def test_level(values: dict[str, object], level: str) -> None:
    assert measure(**values).level == level


def test_languages_seen_leave_out_the_undetermined_and_missing_keep_the_watch_order() -> None:
    found = measure(seen={"und", "en", "my"}, expected=("th", "my", "km"))
    assert found.languages_seen == ("en", "my")
    assert found.languages_missing == ("th", "km")


@given(st.integers(0, 500), st.integers(0, 5), st.integers(0, 10), st.sets(st.sampled_from(["th", "my", "en"])))
def test_more_of_anything_never_lowers_the_level(n_posts: int, n_sources: int, n_weeks: int, seen: set[str]) -> None:
    def level(**values: object) -> int:
        base = {"n_posts": n_posts, "n_sources": n_sources, "n_weeks_with_posts": n_weeks, "seen": seen}
        return LEVELS.index(measure(**base | values).level)

    before = level()
    assert level(n_posts=n_posts + 50) >= before
    assert level(n_sources=n_sources + 1) >= before
    assert level(n_weeks_with_posts=min(n_weeks + 1, 10)) >= before
    assert level(seen=seen | {"my"}) >= before


@pytest.mark.parametrize(
    ("start", "end", "weeks"),
    [
        (date(2026, 2, 2), date(2026, 2, 9), 1),  # Monday to Monday
        (date(2026, 2, 2), date(2026, 2, 10), 2),
        (date(2026, 2, 8), date(2026, 2, 10), 2),  # Sunday and Monday
        (date(2026, 2, 8), date(2026, 2, 8), 0),
        (date(2026, 2, 9), date(2026, 2, 8), 0),
        (date(2024, 12, 30), date(2025, 1, 2), 1),
        (None, date(2026, 2, 8), 0),
        (date(2026, 2, 8), None, 0),
    ],
)
def test_weeks_between(start: date | None, end: date | None, weeks: int) -> None:
    assert weeks_between(start, end) == weeks


@given(DAYS, st.integers(0, 400))
def test_weeks_between_counts_iso_weeks(start: date, days: int) -> None:
    touched = {(start + timedelta(days=number)).isocalendar()[:2] for number in range(days)}
    assert weeks_between(start, start + timedelta(days=days)) == len(touched)

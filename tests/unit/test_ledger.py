"""The gap ledger: every day that was to be covered has a row, silence has a reason, and nothing is ever a zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.connector import Query
from screener.collect.ledger import (
    EXPECTED_FROM,
    EXPECTED_WEEKS,
    HORIZON,
    Place,
    days_of,
    expect,
    ledger_days,
)
from screener.collect.tasks import Missing, Task
from screener.records import GapReason, LedgerDay, Span

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
QUERY = Query("forum", "search", "https://union.example", "TH", "poultry", "my", "unpaid wages")
OTHER = replace(QUERY, words="passports kept")


def day(n: int) -> date:
    """The day that lies ``n`` days before today."""
    return TODAY - timedelta(days=n)


def back(**time: float) -> datetime:
    return NOW - timedelta(**time)


def midnight(n: int) -> datetime:
    return datetime(day(n).year, day(n).month, day(n).day, tzinfo=UTC)


YESTERDAY = Span(midnight(1), midnight(0))


def missing(reason: GapReason, query: Query = QUERY, span: Span = YESTERDAY, detail: str = "") -> Missing:
    return Missing(query, span, reason, detail or reason.value)


def seen(count: int, n: int = 1, place: tuple[str, str, str] = ("TH", "poultry", "my")) -> dict[str, dict[Place, int]]:
    return {"forum": {(*place, day(n).isoformat()): count}}


def rows(
    *tasks: Task, answered: Mapping[str, Sequence[Span]] | None = None, gaps: Iterable[Missing] = (),
    counts: Mapping[str, Mapping[Place, int]] | None = None, history: Iterable[LedgerDay] = (),
    horizon: timedelta | None = HORIZON,
) -> list[LedgerDay]:  # fmt: skip
    told = {task.query.key: [task.span] for task in tasks} if answered is None else answered
    return ledger_days(tasks, told, gaps, seen=counts or {}, history=history, now=NOW, horizon=horizon)


def only(*tasks: Task, **values: object) -> LedgerDay:
    (row,) = rows(*tasks, **values)  # type: ignore[arg-type]
    return row


def test_each_day_of_each_source_watch_and_language_has_a_row() -> None:
    tasks = [
        Task(QUERY, Span(back(days=2), NOW)),
        Task(replace(QUERY, language="th"), YESTERDAY),
        Task(replace(QUERY, source="feeds", country=None, sector=None, language=None), YESTERDAY),
    ]
    found = [(row.source, row.country, row.sector, row.language, row.day) for row in rows(*tasks)]
    assert found == [
        ("feeds", None, None, None, day(1)),
        *(("forum", "TH", "poultry", "my", day(n)) for n in (2, 1, 0)),
        ("forum", "TH", "poultry", "th", day(1)),
    ]


def test_questions_of_one_watch_and_language_share_their_row() -> None:
    row = only(Task(QUERY, YESTERDAY), Task(OTHER, YESTERDAY), answered={QUERY.key: [YESTERDAY]})
    assert (row.n_asked, row.n_answered) == (2, 1)


def test_day_is_answered_once_all_that_was_wanted_of_it_is() -> None:
    noon = midnight(1) + timedelta(hours=12)
    early, late = Span(midnight(1), noon), Span(noon, midnight(0))
    tasks = [Task(QUERY, early), Task(QUERY, late)]
    assert only(*tasks, answered={QUERY.key: [early]}).n_answered == 0
    assert only(*tasks, answered={QUERY.key: [early, late]}).n_answered == 1
    assert only(Task(QUERY, early), answered={QUERY.key: [early]}).n_answered == 1, "the rest was asked for before"


def test_no_posts_are_never_a_zero_and_never_without_a_reason() -> None:
    for counts in ({}, seen(0), seen(5, n=2), seen(5, place=("TH", "poultry", "th"))):
        row = only(Task(QUERY, YESTERDAY), counts=counts)
        assert (row.n_seen, row.reason, row.detail) == (None, GapReason.NO_DATA, None)


def test_posts_of_the_lake_are_counted_by_place() -> None:
    row = only(Task(QUERY, YESTERDAY), counts=seen(7))
    assert (row.n_seen, row.reason) == (7, None)
    anywhere = replace(QUERY, country=None, sector=None, language=None)
    assert only(Task(anywhere, YESTERDAY), counts=seen(3, place=("ZZ", "unspecified", ""))).n_seen == 3


@given(st.lists(st.sampled_from(GapReason), min_size=1, max_size=5), st.integers(0, 2), st.booleans())
def test_every_row_without_posts_has_a_reason(reasons: list[GapReason], count: int, is_answered: bool) -> None:
    answered = {QUERY.key: [YESTERDAY]} if is_answered else {}
    row = only(Task(QUERY, YESTERDAY), answered=answered, gaps=map(missing, reasons), counts=seen(count))
    assert row.n_seen != 0
    assert row.n_seen is not None or row.reason is not None


@pytest.mark.parametrize(
    "reasons",
    [
        (GapReason.ERROR, GapReason.REFUSED, GapReason.BUDGET, GapReason.PAUSED, GapReason.NO_DATA),
        (GapReason.REFUSED, GapReason.BUDGET, GapReason.PAUSED, GapReason.NO_DATA),
        (GapReason.BUDGET, GapReason.PAUSED, GapReason.NO_DATA),
        (GapReason.PAUSED, GapReason.NO_DATA),
        (GapReason.NO_DATA,),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_of_several_reasons_the_one_that_asks_most_for_action_is_told(
    reasons: tuple[GapReason, ...], order: int
) -> None:
    row = only(Task(QUERY, YESTERDAY), answered={}, gaps=[missing(reason) for reason in reasons[::order]])
    assert (row.reason, row.detail) == (reasons[0], reasons[0].value)


def test_question_that_found_nothing_does_not_speak_for_those_that_did() -> None:
    gaps = [missing(GapReason.NO_DATA, OTHER, detail="no such tag")]
    row = only(Task(QUERY, YESTERDAY), Task(OTHER, YESTERDAY), gaps=gaps, counts=seen(4))
    assert (row.n_seen, row.reason, row.detail) == (4, None, None)


def test_posts_do_not_hide_that_a_part_failed() -> None:
    row = only(Task(QUERY, YESTERDAY), answered={}, gaps=[missing(GapReason.ERROR)], counts=seen(4))
    assert (row.n_seen, row.n_answered, row.reason) == (4, 0, GapReason.ERROR)


def test_gap_is_told_on_its_own_days_and_of_its_own_question() -> None:
    tasks = [Task(QUERY, Span(midnight(3), midnight(0))), Task(replace(QUERY, language="th"), YESTERDAY)]
    gap = missing(GapReason.ERROR, span=Span(midnight(2) + timedelta(hours=5), midnight(1)))
    told = {(row.language, row.day): row.reason for row in rows(*tasks, answered={}, gaps=[gap])}
    assert {key for key, reason in told.items() if reason is GapReason.ERROR} == {("my", day(2))}


def test_overlap_that_could_not_be_asked_again_is_no_gap_in_what_was_answered_before() -> None:
    gap = missing(GapReason.ERROR, span=Span(midnight(2) + timedelta(hours=5), midnight(1)))
    task = Task(QUERY, gap.span)
    assert only(task, answered={QUERY.key: [Span(midnight(3), midnight(0))]}, gaps=[gap]).reason is GapReason.NO_DATA


def test_days_before_the_horizon_are_told_only_of_a_stretch_that_was_asked_for() -> None:
    task = Task(QUERY, Span(midnight(400), NOW))
    assert rows(task)[0].day == day(HORIZON.days)
    assert rows(task, horizon=None)[0].day == day(400)


@given(st.integers(0, 200), st.integers(1, 200))
def test_days_of_a_span_are_those_that_hold_a_moment_of_it(start: int, hours: int) -> None:
    first = midnight(20) + timedelta(hours=start)
    span = Span(first, first + timedelta(hours=hours))
    inside = {(span.start + timedelta(minutes=30 * n)).date() for n in range(2 * hours)}
    assert list(days_of(span)) == sorted(inside)


@pytest.mark.parametrize("moment", [NOW, midnight(1)])
def test_span_without_a_moment_has_no_days(moment: datetime) -> None:
    assert list(days_of(Span(moment, moment))) == []
    assert rows(Task(QUERY, Span(moment, moment))) == []


def known(weeks: Mapping[int, int]) -> dict[date, int]:
    return {day(1) - timedelta(weeks=week): count for week, count in weeks.items()}


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [
        ({}, None),
        ({1: 5, 2: 5}, None),
        ({1: 5, 2: 9, 3: 1}, 5.0),
        ({1: 4, 3: 8, 8: 6, 7: 0}, 5.0),
        ({1: 5, 2: 5, 9: 5}, None),
        ({0: 99, 1: 1, 2: 3, 3: 5}, 3.0),
    ],
)
def test_expected_is_the_median_of_the_same_weekday_in_the_weeks_before(
    weeks: dict[int, int], expected: float | None
) -> None:
    assert (EXPECTED_FROM, EXPECTED_WEEKS) == (3, 8)
    assert expect(known(weeks), day(1)) == expected


def test_other_weekdays_tell_nothing_of_this_one() -> None:
    assert expect({day(n): 50 for n in range(2, 60) if n % 7 != 1}, day(1)) is None


def past(week: int, n_seen: int | None, **values: object) -> LedgerDay:
    row = LedgerDay(
        "forum", "TH", "poultry", "my", day(1) - timedelta(weeks=week), n_seen, None, n_asked=2, n_answered=2
    )
    return replace(row, **values)  # type: ignore[arg-type]


def test_days_that_found_nothing_count_as_nothing_and_days_that_failed_do_not_count() -> None:
    failed = [past(week, 100, reason=reason) for week, reason in enumerate(GapReason, start=4) if reason != "no-data"]
    unanswered = past(8, 100, n_answered=0)
    nothing = [past(week, None, reason=GapReason.NO_DATA) for week in (2, 3)]
    assert only(Task(QUERY, YESTERDAY), history=[past(1, 8), *nothing, *failed, unanswered]).n_expected == 0.0


@pytest.mark.parametrize("field", [{"source": "feeds"}, {"language": "th"}, {"country": None}, {"sector": None}])
def test_nothing_is_expected_from_what_others_did(field: dict[str, str | None]) -> None:
    history = [past(week, 10, **field) for week in (1, 2, 3)]
    assert only(Task(QUERY, YESTERDAY), history=history).n_expected is None

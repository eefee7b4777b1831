"""Spans and windows: no moment is lost, none is counted twice, and every stretch holds its start and not its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from screener.collect.windows import SHORTEST, covers, halve, merge, still_trusted, subtract
from screener.records import Span, Window

START = datetime(2026, 2, 3, 23, 59, 50, tzinfo=UTC)
CELL = timedelta(milliseconds=250)
N_CELLS = 80
"""Spans of these tests begin and end on a grid, so that the grid's points tell all there is to know of them."""


def at(place: float) -> datetime:
    return START + place * CELL


def span(start: float, end: float) -> Span:
    return Span(at(start), at(end))


PLACES = st.integers(0, N_CELLS)
SPANS = st.tuples(PLACES, PLACES).map(lambda pair: span(*sorted(pair)))
SETS = st.lists(SPANS, max_size=6)


def cells(spans: Iterable[Span]) -> Counter[int]:
    """How many of the spans hold each point of the grid."""
    return Counter(place for one in spans for place in range(N_CELLS) if one.contains(at(place)))


@given(SETS)
def test_merge_keeps_each_moment_once_in_fewest_spans(spans: list[Span]) -> None:
    merged = merge(spans)
    assert cells(merged) == Counter(set(cells(spans)))
    assert all(earlier.end < later.start for earlier, later in pairwise(merged))
    assert all(one.start < one.end for one in merged)
    assert merge(merged) == merged


@given(SPANS, SETS)
def test_subtract_leaves_exactly_what_was_not_taken(wanted: Span, taken: list[Span]) -> None:
    rest = subtract(wanted, taken)
    assert cells(rest) == Counter(set(cells([wanted])) - set(cells(taken)))
    assert rest == sorted(rest)
    assert all(one.start < one.end for one in rest)


@given(SPANS, SETS)
def test_what_is_taken_and_what_is_left_cover_the_wanted(wanted: Span, taken: list[Span]) -> None:
    assert covers([*taken, *subtract(wanted, taken)], wanted)
    assert covers(taken, wanted) == (not subtract(wanted, taken))


@given(SETS, st.integers(0, N_CELLS))
@example([span(0, 10), span(20, 30), span(32, 40)], 25)
def test_what_is_done_is_trusted_but_for_what_lies_within_the_overlap_before_the_last_end(
    done: list[Span], overlap: int
) -> None:
    trusted, merged = still_trusted(done, overlap * CELL), merge(done)
    if not merged:
        assert trusted == []
        return
    asked_again = Span(merged[-1].end - overlap * CELL, merged[-1].end)
    assert cells(trusted) == cells(merged) - cells([asked_again])
    assert trusted == merge(trusted)


def test_no_overlap_trusts_all_and_a_long_one_shortens_every_stretch_that_it_reaches() -> None:
    done = [span(0, 10), span(20, 30)]
    assert still_trusted(done, timedelta()) == done
    assert still_trusted(done, 10 * CELL) == [span(0, 10)]
    assert still_trusted(done, 25 * CELL) == [span(0, 5)]
    assert still_trusted(done, 30 * CELL) == []
    assert still_trusted([], timedelta(hours=1)) == []


@given(SPANS)
def test_halves_adjoin_at_a_whole_second(wanted: Span) -> None:
    halves = halve(wanted)
    if halves is None:
        assert wanted.end - wanted.start < 2 * SHORTEST
        return
    older, newer = halves
    assert (older.start, older.end, newer.end) == (wanted.start, newer.start, wanted.end)
    assert older.start < older.end < newer.end
    assert older.end.microsecond == 0


@given(st.integers(2, 10_000_000))
def test_two_whole_seconds_or_more_can_be_cut_and_one_can_not(seconds: int) -> None:
    start = START.replace(microsecond=0)
    older, newer = halve(Span(start, start + timedelta(seconds=seconds))) or pytest.fail("was not cut")
    assert abs((older.end - older.start) - (newer.end - newer.start)) <= SHORTEST
    assert halve(Span(start, start + SHORTEST)) is None
    assert halve(Span(start, start)) is None


@given(SPANS)
def test_cutting_comes_to_an_end_and_the_pieces_are_the_whole(wanted: Span) -> None:
    pieces, waiting, n_cuts = [], [wanted], 0
    while waiting:
        piece = waiting.pop()
        if (halves := halve(piece)) is None:
            pieces.append(piece)
        else:
            waiting += halves
            n_cuts += 1
    assert cells(pieces) == cells([wanted])
    assert n_cuts <= N_CELLS * CELL / SHORTEST


@given(SPANS, PLACES)
def test_span_holds_its_start_and_not_its_end(one: Span, place: int) -> None:
    assert one.contains(at(place)) == (one.start <= at(place) < one.end)
    assert one.contains(one.start) == (one.start < one.end)
    assert not one.contains(one.end)
    assert one.contains(None), "an undated post lies inside every span"


MOMENTS = st.datetimes(
    datetime.fromisoformat("2025-12-01"), datetime.fromisoformat("2027-01-31"), timezones=st.just(UTC)
)
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


@given(DAYS, DAYS, DAYS, MOMENTS)
def test_windows_of_days_tile_the_time_without_gap_or_overlap(a: date, b: date, c: date, moment: datetime) -> None:
    first, second, third = sorted((a, b, c))
    tiles = (Window(None, first), Window(first, second), Window(second, third), Window(third, None))
    assert sum(tile.contains(moment) for tile in tiles) == 1
    assert Window(first, third).contains(moment) == (tiles[1].contains(moment) or tiles[2].contains(moment))


@given(DAYS, st.integers(0, 60))
def test_window_of_days_holds_its_first_moment_and_not_its_end(start: date, days: int) -> None:
    window = Window(start, start + timedelta(days=days))
    first = datetime(start.year, start.month, start.day, tzinfo=UTC)
    assert window.contains(first) == (days > 0)
    assert not window.contains(first + timedelta(days=days))
    assert not window.contains(first - timedelta(microseconds=1))
    assert window.contains(None)

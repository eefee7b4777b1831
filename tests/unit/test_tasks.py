"""What follows from a page: whatever a source is like, each of its posts is read, or a missing stretch says so."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from walking import QUERY, Record, Source, at, posts, span, walk

from screener.collect.connector import Endpoint, Page, Query
from screener.collect.tasks import EMPTY_PAGES, Next, Task, after_page
from screener.collect.windows import covers, merge
from screener.records import GapReason, RawPost, Span

SECONDS = st.integers(0, 80).map(lambda quarters: quarters / 4)  # several posts within one second, and at its edges
KINDS = st.sampled_from(["post", "post", "post", "rejected", "skipped"])


@st.composite
def sources(draw: st.DrawFn) -> Source:
    drawn = draw(st.lists(st.tuples(SECONDS, KINDS), max_size=25))
    records = [Record(f"{number}", *values) for number, values in enumerate(drawn)]
    is_newest_first = draw(st.booleans())
    if is_newest_first:
        records.sort(key=lambda record: record.second, reverse=True)
    elif draw(st.booleans()):
        records.sort(key=lambda record: record.second)
    return Source(
        tuple(records), page_size=draw(st.integers(1, 6)), is_windowed=draw(st.booleans()), is_newest_first=is_newest_first,
        cap=draw(st.none() | st.integers(1, 12)), tells=draw(st.booleans()), has_empty_end=draw(st.booleans()),
        grain=draw(st.sampled_from([0.25, 1, 3])),
    )  # fmt: skip


WANTED = st.lists(SECONDS, min_size=2, max_size=2, unique=True).map(lambda pair: span(*sorted(pair)))


@given(sources(), WANTED)
def test_every_post_of_the_stretch_is_read_or_said_to_be_missing(source: Source, wanted: Span) -> None:
    walked = walk(source, wanted)
    posts = [record for record in source.records if record.kind == "post" and wanted.contains(at(record.second))]
    in_silence = [
        record
        for record in posts
        if record.name not in walked.read and not any(gap.span.contains(at(record.second)) for gap in walked.missing)
    ]
    assert in_silence == []


@given(sources(), WANTED)
def test_every_moment_of_the_stretch_is_done_or_missing_and_none_is_both(source: Source, wanted: Span) -> None:
    walked = walk(source, wanted)
    told = [*walked.done, *(gap.span for gap in walked.missing)]
    assert covers(told, wanted)
    assert length(told) == length(merge(told)), "a moment was told of twice"
    assert all(wanted.start <= one.start and one.end <= wanted.end for one in told)
    assert all(gap.query == QUERY and gap.span.start < gap.span.end for gap in walked.missing)


def length(spans: Sequence[Span]) -> timedelta:
    return sum((one.end - one.start for one in spans), timedelta())


@given(sources(), WANTED)
def test_a_source_without_a_cap_gives_everything(source: Source, wanted: Span) -> None:
    walked = walk(replace(source, cap=None), wanted)
    assert walked.missing == []
    assert walked.read >= {r.name for r in source.records if r.kind == "post" and wanted.contains(at(r.second))}
    assert len({cursor for _, cursor in walked.asked}) == len(walked.asked), "no page is asked for twice"


@given(sources(), WANTED)
def test_a_capped_source_that_takes_windows_lacks_no_more_than_single_seconds(source: Source, wanted: Span) -> None:
    walked = walk(replace(source, is_windowed=True), wanted)
    assert all(gap.span.end - gap.span.start < timedelta(seconds=2) for gap in walked.missing)
    assert all(gap.reason is GapReason.ERROR for gap in walked.missing)


@pytest.mark.parametrize("ignored", [{}, {"is_windowed": True, "grain": 1_000_000}])
def test_newest_first_stops_once_a_whole_page_is_older_also_where_windows_are_ignored(
    ignored: dict[str, float],
) -> None:
    source = Source(posts(9, 8, 7, 6, 5, 4, 3, 2, 1, 0), **ignored)  # type: ignore[arg-type]
    walked = walk(source, span(6, 100))
    assert [cursor for _, cursor in walked.asked] == [None, "2", "4"]
    assert (walked.done, walked.missing) == ([span(6, 100)], [])


def test_a_pinned_old_post_does_not_end_the_walk() -> None:
    source = Source(posts(0, 9, 8, 7, 6))
    assert walk(source, span(6, 100)).read >= {"at 7", "at 6"}


def test_an_old_post_alone_among_skipped_ones_does_not_end_the_walk_and_a_second_one_does() -> None:
    records = (*posts(90, 89, -500), Record("repost", 88, "skipped"), *posts(87, 86))
    assert "at 87" in walk(Source(records), span(0, 100)).read
    walked = walk(Source(posts(9, -1, -2, -3, -4), page_size=1), span(0, 100))
    assert [cursor for _, cursor in walked.asked] == [None, "1", "2"]


def test_an_undated_page_does_not_end_the_walk() -> None:
    endpoint = Endpoint("words", 1)
    page = Page((RawPost("1", "text"),), next_cursor="2")
    assert after_page(Task(QUERY, span(0, 9)), endpoint, page).tasks


def test_old_pages_prove_nothing_where_the_newest_come_last() -> None:
    source = Source(posts(0, 1, 2, 3, 4, 5), is_newest_first=False)
    assert walk(source, span(5, 9)).read >= {"at 5"}


def test_what_is_older_than_a_cap_becomes_a_window_that_begins_with_the_last_page() -> None:
    source = Source(posts(9, 8, 7, 5.5, 5, 1), page_size=2, is_windowed=True, cap=4)
    walked = walk(source, span(0, 10))
    assert walked.done[0] == span(8, 10)
    assert (span(0, 8), None) in walked.asked
    assert walked.read == {record.name for record in source.records}


def test_a_badly_dated_post_on_a_capped_page_hides_nothing() -> None:
    source = Source(posts(90, 89, 88, 3, 87, 50), is_windowed=True, cap=4)
    walked = walk(source, span(0, 100))
    assert (walked.read, walked.missing) == ({record.name for record in source.records}, [])


def test_a_source_that_gives_what_is_newer_than_the_stretch_is_not_asked_second_by_second() -> None:
    newer = posts(*(700_000 - n for n in range(60)))
    source = Source(newer, page_size=10, is_windowed=True, cap=30, grain=1_000_000)
    walked = walk(source, span(0, 600))
    (gap,) = walked.missing
    assert (gap.span, gap.reason, len(walked.asked)) == (span(0, 600), GapReason.ERROR, 1)
    assert "does not keep to the stretch" in gap.detail


def test_a_post_that_is_dated_ahead_does_not_pass_for_ignored_windows() -> None:
    page = Page((RawPost("1", "text", at(700_000)), RawPost("2", "text", at(5))))
    assert after_page(Task(QUERY, span(0, 10)), Endpoint("words", 2, is_windowed=True), page).done == (span(0, 10),)


def test_a_cap_without_window_says_what_the_source_no_longer_lists() -> None:
    walked = walk(Source(posts(9, 8, 7, 6, 5), page_size=1, cap=4), span(0, 10))
    assert walked.done == [span(7, 10)]
    (gap,) = walked.missing
    assert (gap.span, gap.reason) == (span(0, 7), GapReason.NO_DATA)
    assert "its newest 4 records" in gap.detail


def test_a_cap_that_reaches_behind_the_stretch_leaves_nothing_missing() -> None:
    assert walk(Source(posts(9, 8, 1, 0), cap=4), span(5, 10)).missing == []


def test_a_capped_window_that_is_not_sorted_is_halved_newer_half_first() -> None:
    source = Source(posts(1, 6, 2, 7), is_windowed=True, is_newest_first=False, cap=3)
    walked = walk(source, span(0, 8))
    whole = [asked for asked, cursor in walked.asked if cursor is None]
    assert whole == [span(0, 8), span(4, 8), span(0, 4)]
    assert (walked.missing, len(walked.read)) == ([], 4)


def test_a_cap_without_window_and_without_order_leaves_the_whole_stretch_missing() -> None:
    walked = walk(Source(posts(1, 6, 2, 7), is_newest_first=False, cap=3), span(0, 8))
    assert [(gap.span, gap.reason) for gap in walked.missing] == [(span(0, 8), GapReason.ERROR)]
    assert [cursor for _, cursor in walked.asked] == [None, "2"]


def test_a_window_that_a_source_widens_ends_where_it_was_to_end() -> None:
    walked = walk(Source(posts(5, 4, 1, 0), is_windowed=True, cap=4, grain=6), span(3, 6))
    assert (walked.done, walked.missing) == ([span(3, 6)], [])


def test_a_second_that_holds_more_than_the_cap_is_missing_and_the_rest_is_not() -> None:
    walked = walk(Source(posts(7, 3.75, 3.5, 3.25, 3, 1), is_windowed=True, cap=2), span(0, 8))
    assert [gap.span for gap in walked.missing] == [span(3, 4)]
    assert {"at 7", "at 1"} <= walked.read


def test_all_records_count_towards_the_cap_whatever_becomes_of_them() -> None:
    source = Source((Record("a", 9), Record("b", 8, "rejected"), Record("c", 7, "skipped"), Record("d", 6)), cap=3)
    walked = walk(replace(source, page_size=3, is_windowed=True), span(0, 10))
    assert walked.read == {"a", "d"}


def follow(page: Page, **values: object) -> Next:
    return after_page(replace(Task(QUERY, span(0, 10)), **values), Endpoint("words", 2), page)  # type: ignore[arg-type]


def test_a_cursor_that_does_not_move_on_ends_the_walk_with_an_error() -> None:
    (gap,) = follow(Page((RawPost("1", "text", at(5)),), next_cursor="7"), cursor="7").missing
    assert (gap.span, gap.reason) == (span(0, 10), GapReason.ERROR)
    assert "pages without end" in gap.detail


class Round:
    """A source with ever new posts whose cursors lead back to where they came from."""

    endpoint = Endpoint("words", 2)

    def __init__(self, cursors: Mapping[str | None, str]) -> None:
        self._cursors, self._numbers = cursors, itertools.count()

    def ask(self, query: Query, cursor: str | None) -> Page:
        return Page((RawPost(f"{next(self._numbers)}", "text", at(5)),), next_cursor=self._cursors[cursor])


@pytest.mark.parametrize(
    ("cursors", "n_asked"),
    [({None: "a", "a": "a"}, 2), ({None: "a", "a": "b", "b": "a"}, 3), ({None: "a", "a": "b", "b": "c", "c": "a"}, 4)],
)
def test_cursors_that_go_round_come_to_an_end(cursors: Mapping[str | None, str], n_asked: int) -> None:
    walked = walk(Round(cursors), span(0, 10), at_most=200)
    assert [(gap.span, gap.reason) for gap in walked.missing] == [(span(0, 10), GapReason.ERROR)]
    assert len(walked.asked) == n_asked


def test_the_same_page_twice_ends_the_walk_although_its_cursor_moves_on() -> None:
    same = Page((RawPost("1", "text", at(5)),), next_cursor="8")
    (task,) = follow(same, cursor="7").tasks
    (gap,) = after_page(task, Endpoint("words", 2), replace(same, next_cursor="9")).missing
    assert "pages without end" in gap.detail


def test_empty_pages_in_a_row_end_the_walk_and_one_with_a_record_begins_the_count_anew() -> None:
    task = Task(QUERY, span(0, 10))
    for number in range(1, EMPTY_PAGES):
        (task,) = follow(Page((), next_cursor=f"{number}"), cursor=task.cursor, n_empty=task.n_empty).tasks
        assert task.n_empty == number
    assert follow(Page((), n_skipped=1, next_cursor="x"), n_empty=task.n_empty).tasks[0].n_empty == 0
    assert follow(Page((), next_cursor="x"), n_empty=task.n_empty).missing[0].reason is GapReason.ERROR


def test_a_page_that_could_be_read_forgets_that_it_could_not() -> None:
    (task,) = follow(Page((), n_skipped=1, next_cursor="2"), n_unreadable=2).tasks
    assert (task.n_unreadable, task.n_read, task.cursor) == (0, 1, "2")


def test_a_task_asks_its_query_for_its_own_stretch() -> None:
    task = Task(replace(QUERY, span=span(0, 99)), span(3, 4))
    assert task.asked.span == span(3, 4)
    assert task.asked.key == QUERY.key


@pytest.mark.parametrize("order", [{"asked_until": at(-5)}, {"order": 7}, {"is_restarted": True}])
@pytest.mark.parametrize("page", [Page((), n_skipped=1, next_cursor="2"), Page((), is_capped=True)])
def test_whose_turn_it_is_outlives_a_page(page: Page, order: dict[str, object]) -> None:
    task = replace(Task(QUERY, span(0, 10)), **order)  # type: ignore[arg-type]
    endpoint = Endpoint("words", 2, is_windowed=True)
    following = after_page(task, endpoint, page).tasks
    assert following
    assert all(getattr(one, name) == value for one in following for name, value in order.items())

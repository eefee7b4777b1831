"""What collecting remembers in the results store: windows with their cursors, validators, and quota spent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import text

from screener.records import Span
from screener.store import collecting
from screener.store.collecting import StoredWindow
from screener.store.database import Connection, Engine, reading, writing

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
FEB = Span(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
KEY, OTHER = "a" * 32, "b" * 32


def later(span: Span, days: int) -> Span:
    return Span(span.start + days * DAY, span.end + days * DAY)


def keep(connection: Connection, *windows: StoredWindow, key: str = KEY, source: str = "forum") -> None:
    collecting.replace_windows(connection, key, source, windows, now=NOW)


def windows_of(connection: Connection, key: str = KEY) -> list[StoredWindow]:
    return collecting.list_windows(connection, [key]).get(key, [])


def test_windows_come_back_as_they_went_in_order_of_time(connection: Connection) -> None:
    done = StoredWindow(later(FEB, -60), is_done=True, n_read=7)
    begun = StoredWindow(later(FEB, 60), cursor="ไก่ " + "x" * 5000, n_read=300)
    led_to = StoredWindow(FEB, question={"source": "forum", "words": "โรงงานไก่ ค่าแรง", "country": None})
    keep(connection, begun, done, led_to)
    assert windows_of(connection) == [done, led_to, begun]


def test_edges_of_a_window_keep_their_microseconds_and_are_utc_whatever_zone_they_came_in(
    connection: Connection,
) -> None:
    bangkok = timezone(timedelta(hours=7))
    start, end = (
        datetime(2026, 2, 1, 7, 0, 0, 1, tzinfo=bangkok),
        datetime(2026, 2, 2, 6, 59, 59, 999_999, tzinfo=bangkok),
    )
    keep(connection, StoredWindow(Span(start.astimezone(UTC), end.astimezone(UTC))))
    (found,) = windows_of(connection)
    assert (found.span.start, found.span.end) == (start, end)
    assert found.span.start.utcoffset() == timedelta(0)


def test_windows_of_a_query_are_replaced_as_a_whole_and_no_other_query_is_touched(connection: Connection) -> None:
    keep(connection, StoredWindow(FEB), StoredWindow(later(FEB, 30)))
    keep(connection, StoredWindow(FEB, cursor="p2"), key=OTHER)
    keep(connection, StoredWindow(later(FEB, 90), is_done=True))
    assert windows_of(connection) == [StoredWindow(later(FEB, 90), is_done=True)]
    assert windows_of(connection, OTHER) == [StoredWindow(FEB, cursor="p2")]
    keep(connection)
    assert collecting.list_windows(connection, [KEY, OTHER]) == {OTHER: [StoredWindow(FEB, cursor="p2")]}


def test_query_that_was_never_asked_is_absent(connection: Connection) -> None:
    assert collecting.list_windows(connection, [KEY]) == {}
    assert collecting.list_windows(connection, []) == {}


def test_more_queries_than_a_statement_takes_are_all_found(connection: Connection) -> None:
    keys = [f"{number:032d}" for number in range(1201)]
    for key in keys:
        keep(connection, StoredWindow(FEB), key=key)
    assert sorted(collecting.list_windows(connection, keys)) == keys


def test_open_questions_are_windows_of_the_source_that_pages_led_to_and_that_are_not_done(
    connection: Connection,
) -> None:
    question = {"source": "videos", "words": "abc"}
    wanted = StoredWindow(FEB, cursor="page2", n_read=100, question=question)
    keep(connection, wanted, key="1" * 32, source="videos")
    keep(connection, replace(wanted, is_done=True), key="2" * 32, source="videos")
    keep(connection, replace(wanted, question=None), key="3" * 32, source="videos")
    keep(connection, wanted, key="4" * 32, source="forum")
    assert collecting.open_questions(connection, "videos") == [wanted]


def test_forgotten_source_is_asked_everything_again_and_others_are_not(connection: Connection) -> None:
    for key, source in ((KEY, "forum"), (OTHER, "videos")):
        keep(connection, StoredWindow(FEB, is_done=True), key=key, source=source)
        collecting.set_validators(connection, key, etag='"1"', last_modified=None, now=NOW)
    collecting.forget_source(connection, "forum")
    assert windows_of(connection) == []
    assert collecting.get_validators(connection, KEY) == (None, None)
    assert windows_of(connection, OTHER) == [StoredWindow(FEB, is_done=True)]
    assert collecting.get_validators(connection, OTHER) == ('"1"', None)


def test_validators_are_remembered_and_replaced(connection: Connection) -> None:
    assert collecting.get_validators(connection, KEY) == (None, None)
    collecting.set_validators(connection, KEY, etag='W/"ä"', last_modified="yesterday", now=NOW)
    assert collecting.get_validators(connection, KEY) == ('W/"ä"', "yesterday")
    collecting.set_validators(connection, KEY, etag=None, last_modified="today", now=NOW)
    assert collecting.get_validators(connection, KEY) == (None, "today")
    assert collecting.get_validators(connection, OTHER) == (None, None)


def test_units_add_up_by_source_and_day(connection: Connection) -> None:
    today, tomorrow = date(2026, 3, 2), date(2026, 3, 3)
    assert collecting.spent_units(connection, "videos", today) == 0
    for units in (100, 1, 1):
        collecting.add_units(connection, "videos", today, units)
    collecting.add_units(connection, "videos", tomorrow, 5)
    collecting.add_units(connection, "forum", today, 7)
    assert collecting.spent_units(connection, "videos", today) == 102
    assert collecting.spent_units(connection, "videos", tomorrow) == 5
    assert collecting.spent_units(connection, "forum", today) == 7


def test_progress_and_what_goes_with_it_stand_or_fall_together(engine: Engine) -> None:
    with writing(engine) as connection:
        keep(connection, StoredWindow(FEB, cursor="p1"))

    def half() -> None:
        with writing(engine) as connection:
            keep(connection, StoredWindow(FEB, cursor="p2"))
            collecting.add_units(connection, "forum", date(2026, 3, 2), 1)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        half()
    with reading(engine) as connection:
        assert windows_of(connection) == [StoredWindow(FEB, cursor="p1")]
        assert collecting.spent_units(connection, "forum", date(2026, 3, 2)) == 0


def test_windows_say_when_they_were_last_written(connection: Connection) -> None:
    keep(connection, StoredWindow(FEB))
    collecting.replace_windows(connection, KEY, "forum", [StoredWindow(FEB)], now=NOW + DAY)
    (found,) = connection.execute(text("SELECT updated_at FROM collect_windows")).all()
    assert str(found[0]).startswith("2026-03-03")

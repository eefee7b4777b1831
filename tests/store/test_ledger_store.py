"""The gap ledger and the health of sources: rows come back as they went, and nothing seen is never a zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from screener.records import GapReason, LedgerDay, SourceRun
from screener.store import ledger, runs
from screener.store.database import Connection

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FIRST = date(2026, 2, 1)
SEEN = LedgerDay("forum", "TH", "poultry", "my", FIRST, n_seen=12, n_expected=10.5, n_asked=3, n_answered=3)
SILENT = replace(
    SEEN, day=FIRST + timedelta(days=1), n_seen=None, n_expected=None, n_answered=0, reason=GapReason.REFUSED, detail="HTTP 403",
)  # fmt: skip
BARE = LedgerDay(
    "forum", None, None, None, FIRST, n_seen=None, n_expected=None, n_asked=1, n_answered=1, reason=GapReason.NO_DATA
)
RUN = SourceRun(
    "run-1", "forum", NOW, n_requests=9, n_read=80, n_new_posts=70, n_asked=4, n_answered=3, reason=GapReason.ERROR, error="HTTP 503",
    country="TH",
)  # fmt: skip


def save(connection: Connection, *days: LedgerDay) -> None:
    ledger.save_days(connection, days, now=NOW)


@pytest.mark.parametrize("reason", list(GapReason))
def test_every_reason_fits_its_column_and_comes_back(connection: Connection, reason: GapReason) -> None:
    save(connection, replace(SILENT, reason=reason))
    ledger.save_source_run(connection, replace(RUN, reason=reason))
    (day,) = ledger.list_days(connection)
    assert day.reason is reason
    assert ledger.latest_source_runs(connection)["forum"][0].reason is reason


def test_days_come_back_as_they_went_by_source_watch_language_and_day(connection: Connection) -> None:
    other = replace(SEEN, source="a-forum", language="zh-Hant", sector="rubber-gloves-and-other-medical-goods")
    save(connection, SILENT, SEEN, BARE, other)
    assert ledger.list_days(connection) == [other, BARE, SEEN, SILENT]


def test_nothing_seen_is_stored_as_nothing_and_never_as_zero(connection: Connection) -> None:
    save(connection, SILENT)
    assert connection.execute(text("SELECT n_seen, n_expected FROM source_days")).all() == [(None, None)]


def test_day_that_is_there_already_is_replaced_and_its_neighbours_stay(connection: Connection) -> None:
    save(connection, SEEN, SILENT, BARE)
    changed = replace(SILENT, n_seen=4, n_answered=3, reason=None, detail=None)
    save(connection, changed)
    assert ledger.list_days(connection) == [BARE, SEEN, changed]


def test_more_days_than_a_statement_takes_are_saved_and_saved_again(connection: Connection) -> None:
    days = [replace(SEEN, day=FIRST + timedelta(days=n), n_seen=n + 1) for n in range(450)]
    save(connection, *days)
    save(connection, *(replace(day, n_asked=9) for day in days))
    assert ledger.list_days(connection) == [replace(day, n_asked=9) for day in days]


def test_saving_no_days_is_no_error(connection: Connection) -> None:
    save(connection)
    assert ledger.list_days(connection) == []


def test_days_are_narrowed_by_source_and_half_open_stretch(connection: Connection) -> None:
    save(connection, SEEN, SILENT, replace(SEEN, source="videos"))

    def days(**values: object) -> list[tuple[str, int]]:
        return [(day.source, day.day.day) for day in ledger.list_days(connection, **values)]  # type: ignore[arg-type]

    assert days(sources=["videos"]) == [("videos", 1)]
    assert days(since=SILENT.day) == [("forum", 2)]
    assert days(until=SILENT.day) == [("forum", 1), ("videos", 1)]
    assert days(sources=["forum"], since=FIRST, until=SILENT.day) == [("forum", 1)]
    assert days(sources=["nowhere"]) == []


def test_a_resumed_run_replaces_what_its_first_try_wrote(connection: Connection) -> None:
    ledger.save_source_run(connection, RUN)
    ledger.save_source_run(connection, replace(RUN, n_read=90, reason=None, error=None))
    ledger.save_source_run(connection, replace(RUN, source="videos"))
    assert ledger.latest_source_runs(connection) == {
        "forum": [replace(RUN, n_read=90, reason=None, error=None)],
        "videos": [replace(RUN, source="videos")],
    }


def test_the_last_runs_of_each_source_come_newest_first(connection: Connection) -> None:
    tries = [replace(RUN, run_id=f"run-{n}", asked_at=NOW + timedelta(hours=n)) for n in (2, 0, 1)]
    for run in (*tries, replace(RUN, source="videos")):
        ledger.save_source_run(connection, run)
    found = ledger.latest_source_runs(connection)
    assert [run.run_id for run in found["forum"]] == ["run-2", "run-1", "run-0"]
    assert [run.run_id for run in found["videos"]] == ["run-1"]


def test_heartbeat_is_the_last_run_in_which_anything_was_answered(connection: Connection) -> None:
    assert ledger.last_answers(connection) == {}
    ledger.save_source_run(connection, RUN)
    unanswered = replace(RUN, n_answered=0, n_read=0)
    ledger.save_source_run(connection, replace(unanswered, run_id="run-2", asked_at=NOW + timedelta(days=1)))
    ledger.save_source_run(connection, replace(unanswered, source="silent"))
    ledger.save_source_run(connection, replace(RUN, source="broke off", n_answered=0))
    assert ledger.last_answers(connection) == {"forum": NOW, "broke off": NOW}


def test_old_days_go_and_so_does_the_health_of_runs_that_no_longer_exist(connection: Connection) -> None:
    runs.begin_run(connection, arguments="x", now=NOW, run_id="run-1")
    ledger.save_source_run(connection, RUN)
    ledger.save_source_run(connection, replace(RUN, run_id="forgotten"))
    save(connection, SEEN, SILENT)
    assert ledger.forget_before(connection, SILENT.day) == 1
    assert ledger.list_days(connection) == [SILENT]
    assert ledger.latest_source_runs(connection) == {"forum": [RUN]}

"""The gap ledger and the health of sources: what was expected, what was seen, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select

from screener.records import GapReason, LedgerDay, SourceRun
from screener.store.tables import runs, source_days, source_runs
from screener.store.times import as_utc

_ROWS_PER_STATEMENT = 100
_RUNS = 30


def save_days(connection: Connection, days: Iterable[LedgerDay], *, now: datetime) -> None:
    """Put rows in the ledger; a day that is there already is replaced."""
    rows = [_row(day, now) for day in days]
    for first in range(0, len(rows), _ROWS_PER_STATEMENT):
        chunk = rows[first : first + _ROWS_PER_STATEMENT]
        keys = [and_(*(source_days.c[name] == row[name] for name in _KEY)) for row in chunk]
        connection.execute(delete(source_days).where(or_(*keys)))
        connection.execute(insert(source_days), chunk)


_KEY = ("source", "country", "sector", "language", "day_date")


def _row(day: LedgerDay, now: datetime) -> dict[str, Any]:
    return {
        "source": day.source, "country": day.country or "", "sector": day.sector or "", "language": day.language or "",
        "day_date": day.day, "n_seen": day.n_seen, "n_expected": day.n_expected, "n_asked": day.n_asked, "n_answered": day.n_answered,
        "reason": str(day.reason) if day.reason else None, "detail": day.detail, "updated_at": now,
    }  # fmt: skip


def list_days(
    connection: Connection, *, sources: Sequence[str] = (), since: date | None = None, until: date | None = None
) -> list[LedgerDay]:
    """Rows of the ledger in ``[since, until)``, by source, watch, language and day."""
    query = select(source_days).order_by(*(source_days.c[name] for name in _KEY))
    if sources:
        query = query.where(source_days.c.source.in_(sources))
    if since:
        query = query.where(source_days.c.day_date >= since)
    if until:
        query = query.where(source_days.c.day_date < until)
    return [
        LedgerDay(
            r["source"], r["country"] or None, r["sector"] or None, r["language"] or None, r["day_date"], n_seen=r["n_seen"],
            n_expected=r["n_expected"], n_asked=r["n_asked"], n_answered=r["n_answered"],
            reason=GapReason(r["reason"]) if r["reason"] else None, detail=r["detail"],
        )
        for r in connection.execute(query).mappings()
    ]  # fmt: skip


def save_source_run(connection: Connection, run: SourceRun) -> None:
    """Keep how asking one source went in one run; a resumed run replaces what its first try wrote."""
    connection.execute(
        delete(source_runs).where(source_runs.c.run_id == run.run_id, source_runs.c.source == run.source)
    )
    values = {
        "run_id": run.run_id, "source": run.source, "asked_at": run.asked_at, "n_requests": run.n_requests, "n_read": run.n_read, "n_new_posts": run.n_new_posts,
        "n_asked": run.n_asked, "n_answered": run.n_answered, "reason": str(run.reason) if run.reason else None, "error": run.error, "country": run.country,
    }  # fmt: skip
    connection.execute(insert(source_runs).values(values))


def latest_source_runs(connection: Connection) -> dict[str, list[SourceRun]]:
    """The last runs of each source, newest first: enough to find the last one that heard something."""
    rank = func.row_number().over(partition_by=source_runs.c.source, order_by=source_runs.c.asked_at.desc())
    ranked = select(source_runs, rank.label("place")).subquery()
    found: dict[str, list[SourceRun]] = {}
    for row in connection.execute(select(ranked).where(ranked.c.place <= _RUNS).order_by(ranked.c.place)).mappings():
        found.setdefault(row["source"], []).append(
            SourceRun(
                row["run_id"], row["source"], as_utc(row["asked_at"]), n_requests=row["n_requests"], n_read=row["n_read"], n_new_posts=row["n_new_posts"],
                n_asked=row["n_asked"], n_answered=row["n_answered"], reason=GapReason(row["reason"]) if row["reason"] else None,
                error=row["error"], country=row["country"],
            )
        )  # fmt: skip
    return found


def last_answers(connection: Connection) -> dict[str, datetime]:
    """The heartbeat: when each source last answered anything."""
    query = (
        select(source_runs.c.source, func.max(source_runs.c.asked_at))
        .where(or_(source_runs.c.n_answered > 0, source_runs.c.n_read > 0))
        .group_by(source_runs.c.source)
    )
    return {source: as_utc(moment) for source, moment in connection.execute(query).all()}


def forget_before(connection: Connection, day: date) -> int:
    """Delete rows about days before this one, and the health of runs that no longer exist; returns how many days went."""
    connection.execute(delete(source_runs).where(~source_runs.c.run_id.in_(select(runs.c.run_id))))
    return connection.execute(delete(source_days).where(source_days.c.day_date < day)).rowcount

"""Runs, quarantine, gaps and cursors in the results store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from screener.records import DiscardReason, Gap, Quarantined, Window
from screener.store.tables import gaps, quarantine, runs
from screener.store.times import as_utc

RUNNING, SUCCESS, FAILED, COLLECTED = "running", "success", "failed", "collected"
"""A run that only collected has no figures, so it must not stand for the newest ones."""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution: its id, when it began (the clock of everything it writes), and what it reported."""

    run_id: str
    arguments: str
    status: str
    started_at: datetime
    report: dict[str, dict[str, int]]
    finished_at: datetime | None = None
    error: str | None = None


def begin_run(connection: Connection, *, arguments: str, now: datetime, run_id: str | None = None) -> Run:
    """The unfinished run with the same arguments, to be resumed; else a new one, with ``run_id`` if given."""
    query = (
        select(runs).where(runs.c.status == RUNNING, runs.c.arguments == arguments).order_by(runs.c.started_at.desc())
    )
    row = connection.execute(query).mappings().first()
    if row and not run_id:
        return _run(dict(row))
    run_id = run_id or f"{now:%Y%m%dT%H%M%S}{now.microsecond:06d}-{arguments[:8]}"
    values = {"run_id": run_id, "arguments": arguments, "status": RUNNING, "started_at": now, "report": {}}
    connection.execute(insert(runs).values(values))
    return Run(run_id, arguments, RUNNING, now, {})


def finish_run(connection: Connection, run_id: str, *, status: str, now: datetime, error: str | None = None) -> None:
    """Close the run with its outcome."""
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(status=status, finished_at=now, error=error))


def report_stage(connection: Connection, run_id: str, stage: str, counts: dict[str, int]) -> None:
    """Keep a stage's counts with the run; the stage's earlier ones are replaced."""
    row = connection.execute(select(runs.c.report).where(runs.c.run_id == run_id)).scalar_one()
    connection.execute(update(runs).where(runs.c.run_id == run_id).values(report={**row, stage: counts}))


def get_run(connection: Connection, run_id: str) -> Run | None:
    """The run of this id."""
    row = connection.execute(select(runs).where(runs.c.run_id == run_id)).mappings().first()
    return _run(dict(row)) if row else None


def latest_run(connection: Connection, status: str = SUCCESS) -> Run | None:
    """The newest run with this status."""
    query = select(runs).where(runs.c.status == status).order_by(runs.c.started_at.desc(), runs.c.run_id.desc())
    row = connection.execute(query).mappings().first()
    return _run(dict(row)) if row else None


def _run(row: dict[str, object]) -> Run:
    return Run(**{name: as_utc(value) if isinstance(value, datetime) else value for name, value in row.items()})  # type: ignore[arg-type]


def replace_unit_records(
    connection: Connection, run_id: str, unit: str, *, quarantined: Iterable[Quarantined], unit_gaps: Iterable[Gap]
) -> None:
    """Quarantine and gaps of one unit in one run; a resumed run replaces what its first try wrote."""
    for table in (quarantine, gaps):
        connection.execute(delete(table).where(table.c.run_id == run_id, table.c.unit == unit))
    add_unit_records(connection, run_id, unit, quarantined=quarantined, unit_gaps=unit_gaps)


def add_unit_records(
    connection: Connection, run_id: str, unit: str, *, quarantined: Iterable[Quarantined], unit_gaps: Iterable[Gap]
) -> None:
    """Add quarantine and gaps of a unit that is read in several goes; what stands there word for word is not added again."""
    keys = {"run_id": run_id, "unit": unit}
    entries = [
        {
            **keys,
            "source": q.source,
            "place": q.where,
            "reason": str(q.reason),
            "detail": q.detail,
            "excerpt": q.excerpt,
        }
        for q in quarantined
    ]
    missing = [
        {
            **keys,
            "source": g.source,
            "watch": g.watch,
            "window_start": g.window.start,
            "window_end": g.window.end,
            "reason": g.reason,
        }
        for g in unit_gaps
    ]
    for table, rows in ((quarantine, entries), (gaps, missing)):
        if not rows:
            continue
        names = [name for name in rows[0] if name not in keys]
        there = select(*(table.c[name] for name in names)).where(table.c.run_id == run_id, table.c.unit == unit)
        known = {tuple(row) for row in connection.execute(there)}
        new = [row for row in rows if tuple(row[name] for name in names) not in known]
        if new:
            connection.execute(insert(table), new)


def list_quarantine(connection: Connection, run_id: str, limit: int = 100) -> list[Quarantined]:
    """Quarantined records of a run, first come first."""
    query = select(quarantine).where(quarantine.c.run_id == run_id).order_by(quarantine.c.entry_id).limit(limit)
    return [
        Quarantined(r["source"], r["place"], DiscardReason(r["reason"]), r["detail"], r["excerpt"])
        for r in connection.execute(query).mappings()
    ]


def list_gaps(connection: Connection, run_id: str) -> list[Gap]:
    """What the sources of a run should have answered and did not."""
    query = select(gaps).where(gaps.c.run_id == run_id).order_by(gaps.c.gap_id)
    rows = connection.execute(query).mappings()
    return [Gap(r["source"], r["watch"], Window(r["window_start"], r["window_end"]), r["reason"]) for r in rows]


def newest_run(connection: Connection) -> Run | None:
    """The run that began last, whatever became of it."""
    row = connection.execute(select(runs).order_by(runs.c.started_at.desc(), runs.c.run_id.desc())).mappings().first()
    return _run(dict(row)) if row else None


def count_quarantine(connection: Connection, run_id: str) -> Counter[str]:
    """Kept quarantine records of a run by reason."""
    query = select(quarantine.c.reason, func.count()).where(quarantine.c.run_id == run_id).group_by(quarantine.c.reason)
    return Counter(dict(connection.execute(query).all()))

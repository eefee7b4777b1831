"""How far each query has come: windows with their cursors, validators of conditional requests, and quota spent.

It stands in the results store and nowhere else, so a run that was killed, or another scheduler, goes on where the last
page was kept. A page's posts are on disk before its cursor is here: what is lost by a kill is asked again, never skipped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from screener.records import Span
from screener.store.tables import collect_windows, spending, validators
from screener.store.times import as_utc


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """One stretch of one query: done, or begun and at ``cursor``; ``n_read`` counts towards the source's result cap.

    ``question`` holds the query itself where no plan would ask it again: a page led to it.
    """

    span: Span
    cursor: str | None = None
    is_done: bool = False
    n_read: int = 0
    question: dict[str, Any] | None = None


def list_windows(connection: Connection, query_keys: Iterable[str]) -> dict[str, list[StoredWindow]]:
    """Windows by query key, in order of time; queries that were never asked are absent."""
    found: dict[str, list[StoredWindow]] = {}
    for keys in _chunks(list(query_keys)):
        query = select(collect_windows).where(collect_windows.c.query_key.in_(keys))
        for row in connection.execute(query.order_by(collect_windows.c.window_start)).mappings():
            found.setdefault(row["query_key"], []).append(_window(dict(row)))
    return found


def open_questions(connection: Connection, source: str) -> list[StoredWindow]:
    """Windows begun and not done of queries that pages led to."""
    where = (collect_windows.c.source == source, ~collect_windows.c.is_done)
    rows = connection.execute(select(collect_windows).where(*where).order_by(collect_windows.c.query_key)).mappings()
    return [_window(dict(row)) for row in rows if row["question"]]


def _window(row: dict[str, Any]) -> StoredWindow:
    span = Span(as_utc(row["window_start"]), as_utc(row["window_end"]))
    return StoredWindow(span, row["cursor"], row["is_done"], row["n_read"], row["question"])


def replace_windows(
    connection: Connection, query_key: str, source: str, windows: Iterable[StoredWindow], *, now: datetime
) -> None:
    """What is known of the query from now on."""
    connection.execute(delete(collect_windows).where(collect_windows.c.query_key == query_key))
    rows = [
        {
            "query_key": query_key, "window_start": w.span.start, "window_end": w.span.end, "source": source, "cursor": w.cursor,
            "is_done": w.is_done, "n_read": w.n_read, "question": w.question, "updated_at": now,
        }
        for w in windows
    ]  # fmt: skip
    if rows:
        connection.execute(insert(collect_windows), rows)


def forget_source(connection: Connection, source: str) -> None:
    """Ask everything of this source again: its lake is gone."""
    keys = select(collect_windows.c.query_key).where(collect_windows.c.source == source)
    connection.execute(delete(validators).where(validators.c.query_key.in_(keys)))
    connection.execute(delete(collect_windows).where(collect_windows.c.source == source))


def get_validators(connection: Connection, query_key: str) -> tuple[str | None, str | None]:
    """ETag and Last-Modified of the query's last good answer."""
    row = connection.execute(
        select(validators.c.etag, validators.c.last_modified).where(validators.c.query_key == query_key)
    ).first()
    return (row.etag, row.last_modified) if row else (None, None)


def set_validators(
    connection: Connection, query_key: str, *, etag: str | None, last_modified: str | None, now: datetime
) -> None:
    """Remember the validators for the next conditional request."""
    connection.execute(delete(validators).where(validators.c.query_key == query_key))
    values = {"query_key": query_key, "etag": etag, "last_modified": last_modified, "updated_at": now}
    connection.execute(insert(validators).values(values))


def spent_units(connection: Connection, source: str, day: date) -> int:
    """Units of the source's quota that are spent on this day of its quota calendar."""
    query = select(spending.c.n_units).where(spending.c.source == source, spending.c.quota_date == day)
    return int(connection.execute(query).scalar_one_or_none() or 0)


def add_units(connection: Connection, source: str, day: date, units: int) -> None:
    """Count units as spent, before they are: a request that was sent counts at the source whatever became of it."""
    where = (spending.c.source == source, spending.c.quota_date == day)
    changed = connection.execute(update(spending).where(*where).values(n_units=spending.c.n_units + units)).rowcount
    if not changed:
        connection.execute(insert(spending).values(source=source, quota_date=day, n_units=units))


def _chunks(keys: list[str]) -> Iterable[list[str]]:
    for first in range(0, len(keys), 500):
        yield keys[first : first + 500]

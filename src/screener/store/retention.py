"""Takes texts out of the results store when their time is over; figures, decisions and counts stay."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from screener.store.runs import SUCCESS
from screener.store.tables import evidence, quarantine, review_decisions, review_items, runs

_IDS_PER_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class Removed:
    """How many texts were taken out, by where they stood."""

    n_review_texts: int
    n_review_items: int
    n_evidence: int
    n_excerpts: int


def remove_texts(connection: Connection, *, before: date, post_ids: Collection[str] = ()) -> Removed:
    """Remove texts of these posts, and whatever was queued, quoted or quarantined before this day.

    An item that somebody judged keeps its decisions and loses its text; one that nobody judged goes as a whole, for a
    reviewer can't judge an empty text. Of evidence, whole rows of ISO weeks that ended before the day go.
    """
    moment = _midnight(before)
    old_runs = select(runs.c.run_id).where(runs.c.started_at < moment)
    old_weeks = or_(evidence.c.week < iso_week(before), evidence.c.week.is_(None) & evidence.c.run_id.in_(old_runs))
    excerpts = (
        update(quarantine).where(quarantine.c.excerpt != "", quarantine.c.run_id.in_(old_runs)).values(excerpt="")
    )
    blanked, dropped = _clear_items(connection, review_items.c.added_at < moment)
    n_evidence = connection.execute(delete(evidence).where(old_weeks)).rowcount
    for ids in _chunks(sorted(post_ids)):
        more_blanked, more_dropped = _clear_items(connection, review_items.c.post_id.in_(ids))
        blanked, dropped = blanked + more_blanked, dropped + more_dropped
        n_evidence += connection.execute(delete(evidence).where(evidence.c.post_id.in_(ids))).rowcount
    return Removed(blanked, dropped, n_evidence, connection.execute(excerpts).rowcount)


def iso_week(day: date) -> str:
    """ISO week as evidence rows carry it, e.g. ``2026-W07``; such names sort as the weeks do."""
    return "{}-W{:02d}".format(*day.isocalendar()[:2])


def settled_runs(connection: Connection, *, before: date) -> set[str]:
    """Ids of the runs whose drafts nobody needs: they published, or began before this day."""
    over = or_(runs.c.status == SUCCESS, runs.c.started_at < _midnight(before))
    return set(connection.execute(select(runs.c.run_id).where(over)).scalars())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _clear_items(connection: Connection, which: ColumnElement[bool]) -> tuple[int, int]:
    judged = review_items.c.item_id.in_(select(review_decisions.c.item_id))
    dropped = connection.execute(delete(review_items).where(which, ~judged)).rowcount
    blanked = connection.execute(
        update(review_items).where(which, judged, review_items.c.text != "").values(text="")
    ).rowcount
    return blanked, dropped


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(ids), _IDS_PER_STATEMENT):
        yield ids[first : first + _IDS_PER_STATEMENT]

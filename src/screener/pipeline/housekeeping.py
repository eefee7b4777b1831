"""Honours deletions, and deletes texts older than ``housekeeping.keep_texts_days``: from lake, review queue, evidence, quarantine.

A post's age counts from the day it was written, or, where the source gave no time, from the day it was collected.
Figures, decisions and counts stay. Files in a drop folder belong to the operator and are left alone; collect must not
take old posts from them again, which :func:`kept_window` is for.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from screener.pipeline.context import open_reader
from screener.pipeline.erasing import apply_tombstones, erase_from_part
from screener.pipeline.keeping import merge_spooled
from screener.pipeline.refreshing import counts_of, refresh_sources
from screener.records import UNDATED, StageReport, Window
from screener.settings import Settings
from screener.settings.sources import ApiSource
from screener.store import erasing, ledger, retention
from screener.store.database import Engine, reading, writing
from screener.store.lake import Lake, Part
from screener.store.spool import Spool
from screener.workdir import Workdir

_TOLD = 20
"""Warnings that a report tells one by one."""


def keep_from(today: date, keep_days: int) -> date:
    """The first day whose texts are kept; everything before it goes."""
    return today - timedelta(days=keep_days)


def kept_window(settings: Settings, now: datetime) -> Window:
    """The days whose posts may be in the lake."""
    return Window(start=keep_from(now.astimezone(UTC).date(), settings.runtime.housekeeping.keep_texts_days))


def run_housekeeping(
    settings: Settings, workdir: Workdir, *, now: datetime, refresh: bool = False, everything: bool = False, believe: bool = False
) -> StageReport:  # fmt: skip
    """Honour deletions, then delete what is too old; started again after a crash it goes on, for the lake is cleared last.

    With ``refresh`` the sources are first asked whether posts still stand: the share that is due today, or ``everything``.
    """
    lake = Lake(workdir.lake)
    with open_reader(settings, workdir) as engine:
        refreshed = (
            refresh_sources(settings, workdir, engine, now=now, everything=everything, believe=believe)
            if refresh
            else []
        )
        merge_spooled(settings, workdir, engine, Spool(workdir.root / "spool"))  # edited posts, and what a kill left
        erased = apply_tombstones(lake, engine, workdir, now=now, believe=believe)
        counts = (
            *counts_of(refreshed).items(), ("deletions", erased.n_tombstones), ("posts_deleted", erased.n_posts),
            *_remove_old(settings, workdir, lake, engine, now),
        )  # fmt: skip
    told = [*erased.warnings, *(warning for one in refreshed for warning in one.warnings)]
    more = (f"and {len(told) - _TOLD} more",) if len(told) > _TOLD else ()
    return StageReport("housekeeping", counts, warnings=(*told[:_TOLD], *more))


def _remove_old(
    settings: Settings, workdir: Workdir, lake: Lake, engine: Engine, now: datetime
) -> tuple[tuple[str, int], ...]:
    first = keep_from(now.astimezone(UTC).date(), settings.runtime.housekeeping.keep_texts_days)
    midnight = datetime(first.year, first.month, first.day, tzinfo=UTC)
    limits = {s.name: s.keep_days for s in settings.sources if isinstance(s, ApiSource) and s.keep_days}
    old = {
        part: ids
        for part in lake.parts("posts")
        if (ids := _old_ids(lake, part, first) | _overdue(lake, part, now, limits.get(part.partition.source)))
    }
    with writing(engine) as connection:
        removed = retention.remove_texts(connection, before=first, post_ids=set().union(*old.values()))
        ledger.forget_before(connection, first)
        erasing.forget_tombstones(connection, before=midnight)
    with reading(engine) as connection:
        settled = retention.settled_runs(connection, before=first)
    n_drafts = _remove_drafts(workdir, settled)
    for part, ids in old.items():
        erase_from_part(lake, part, ids)
    return (
        ("posts", sum(len(ids) for ids in old.values())), ("review_texts", removed.n_review_texts), ("review_items", removed.n_review_items),
        ("evidence", removed.n_evidence), ("excerpts", removed.n_excerpts), ("drafts", n_drafts),
    )  # fmt: skip


def _old_ids(lake: Lake, part: Part, first: date) -> set[str]:
    """Posts of the part that are too old: all or none where its day is known."""
    if part.partition.day != UNDATED:
        return (
            set(lake.read("posts", part)["post_id"].to_pylist())
            if date.fromisoformat(part.partition.day) < first
            else set()
        )
    table = lake.read("posts", part)
    limit = pa.scalar(datetime(first.year, first.month, first.day, tzinfo=UTC), table.schema.field("collected_at").type)
    return set(table.filter(pc.less(table["collected_at"], limit))["post_id"].to_pylist())


def _overdue(lake: Lake, part: Part, now: datetime, keep_days: int | None) -> set[str]:
    """Posts collected longer ago than their source's terms let them be kept."""
    if keep_days is None:
        return set()
    table = lake.read("posts", part)
    limit = pa.scalar(now - timedelta(days=keep_days), table.schema.field("collected_at").type)
    return set(table.filter(pc.less(table["collected_at"], limit))["post_id"].to_pylist())


def _remove_drafts(workdir: Workdir, run_ids: Iterable[str]) -> int:
    """A draft holds texts, and once its run has published, what it held stands in the results store."""
    drafts = [path for run_id in run_ids if (path := workdir.root / "drafts" / f"{run_id}.json").exists()]
    for path in drafts:
        path.unlink()
    return len(drafts)

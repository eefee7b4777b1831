"""Deletes texts that are older than ``housekeeping.keep_texts_days``, from lake, review queue, evidence and quarantine.

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
from screener.records import UNDATED, StageReport, Window
from screener.settings import Settings
from screener.store import retention
from screener.store.database import reading, writing
from screener.store.lake import Lake, Part, content_fingerprint, posts_from
from screener.workdir import Workdir

_DERIVED = ("languages", "signals", "cells")


def keep_from(today: date, keep_days: int) -> date:
    """The first day whose texts are kept; everything before it goes."""
    return today - timedelta(days=keep_days)


def kept_window(settings: Settings, now: datetime) -> Window:
    """The days whose posts may be in the lake."""
    return Window(start=keep_from(now.astimezone(UTC).date(), settings.runtime.housekeeping.keep_texts_days))


def run_housekeeping(settings: Settings, workdir: Workdir, *, now: datetime) -> StageReport:
    """Delete what is too old; started again after a crash it goes on, for the lake is cleared last."""
    first = keep_from(now.astimezone(UTC).date(), settings.runtime.housekeeping.keep_texts_days)
    lake = Lake(workdir.lake)
    old = {part: ids for part in lake.parts("posts") if (ids := _old_ids(lake, part, first))}
    with open_reader(settings, workdir) as engine:
        with writing(engine) as connection:
            removed = retention.remove_texts(connection, before=first, post_ids=set().union(*old.values()))
        with reading(engine) as connection:
            settled = retention.settled_runs(connection, before=first)
    n_drafts = _remove_drafts(workdir, settled)
    for part, ids in old.items():
        _remove_posts(lake, part, ids)
    counts = (
        ("posts", sum(len(ids) for ids in old.values())), ("review_texts", removed.n_review_texts), ("review_items", removed.n_review_items),
        ("evidence", removed.n_evidence), ("excerpts", removed.n_excerpts), ("drafts", n_drafts),
    )  # fmt: skip
    return StageReport("housekeeping", counts)


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


def _remove_posts(lake: Lake, part: Part, ids: set[str]) -> None:
    """Rewrite or remove the part, and its counterparts in the other layers with it: the next run makes those anew."""
    table = lake.read("posts", part)
    kept = table.filter(pc.invert(pc.is_in(table["post_id"], pa.array(sorted(ids), pa.string()))))
    for layer in _DERIVED:
        if lake.file(layer, part).exists():
            lake.remove(layer, part)
    if kept.num_rows:
        lake.write("posts", part, kept, content_fingerprint(posts_from(kept, part.partition)))
    else:
        lake.remove("posts", part)


def _remove_drafts(workdir: Workdir, run_ids: Iterable[str]) -> int:
    """A draft holds texts, and once its run has published, what it held stands in the results store."""
    drafts = [path for run_id in run_ids if (path := workdir.root / "drafts" / f"{run_id}.json").exists()]
    for path in drafts:
        path.unlink()
    return len(drafts)

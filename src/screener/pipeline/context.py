"""What a stage is handed: settings, workdir, lake, store, the run with its clock, and the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from screener.records import StageReport, Window
from screener.settings import Settings
from screener.store import runs
from screener.store.database import Engine, open_store, reading, store_url, writing
from screener.store.lake import Lake, Part
from screener.workdir import Workdir

STAGES = ("collect", "detect_language", "classify", "aggregate", "publish", "review")
Progress = Callable[[str, int, int | None], None]
"""Called with the stage, how many posts were done since the last call, and the total if it is known."""


def quiet(stage: str, done: int, total: int | None) -> None:
    """Progress for those who don't watch."""
    del stage, done, total


@dataclass(frozen=True)
class Context:
    """Everything a stage reads besides its input; made by ``open_context``, closed with it.

    ``run.started_at`` is the clock of what a run writes, the same when it is resumed; ``opened_at`` is when this process took it up.
    """

    settings: Settings
    workdir: Workdir
    lake: Lake
    engine: Engine
    run: runs.Run
    window: Window
    opened_at: datetime
    progress: Progress = quiet

    def report(self, report: StageReport) -> StageReport:
        """Keep the stage's counts with the run."""
        with writing(self.engine) as connection:
            counts = dict(report.counts) | {f"discarded {reason}": count for reason, count in report.discards}
            runs.report_stage(connection, self.run.run_id, report.stage, counts)
        return report


@contextmanager
def open_context(
    settings: Settings, workdir: Workdir, *, arguments: str, window: Window | None = None, run_id: str | None = None,
    now: datetime | None = None, progress: Progress = quiet,
) -> Iterator[Context]:  # fmt: skip
    """A context on the run with this id, or on the unfinished run with the same arguments, or on a new one."""
    opened_at = now or datetime.now(UTC)
    engine = open_store(store_url(workdir.ensure(), settings.runtime.store.url))
    try:
        with writing(engine) as connection:
            run = runs.get_run(connection, run_id) if run_id else None
            run = run or runs.begin_run(connection, arguments=arguments, now=opened_at, run_id=run_id)
        yield Context(settings, workdir, Lake(workdir.lake), engine, run, window or Window(), opened_at, progress)
    finally:
        engine.dispose()


@contextmanager
def open_reader(settings: Settings, workdir: Workdir) -> Iterator[Engine]:
    """The results store for questions, without a run."""
    engine = open_store(store_url(workdir.ensure(), settings.runtime.store.url))
    try:
        yield engine
    finally:
        engine.dispose()


def latest_run(engine: Engine) -> runs.Run | None:
    """The newest successful run."""
    with reading(engine) as connection:
        return runs.latest_run(connection)


def batches(lake: Lake, stale: Sequence[tuple[Part, str]], size: int) -> Iterator[list[tuple[Part, str]]]:
    """Parts grouped until a batch holds ``size`` posts: small parts share one pass of the model."""
    import pyarrow.parquet as pq

    batch: list[tuple[Part, str]] = []
    n_posts = 0
    for part, fingerprint in stale:
        batch.append((part, fingerprint))
        n_posts += pq.read_metadata(lake.file("posts", part)).num_rows
        if n_posts >= size:
            yield batch
            batch, n_posts = [], 0
    if batch:
        yield batch


def count_posts(lake: Lake, parts: Sequence[Part]) -> int:
    """Posts in these parts, from the footers alone."""
    import pyarrow.parquet as pq

    return sum(int(pq.read_metadata(lake.file("posts", part)).num_rows) for part in parts)

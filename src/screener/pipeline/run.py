"""All six stages in order, on one machine."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from screener.errors import ScreenerError
from screener.pipeline.collect import collected_days, run_collect
from screener.pipeline.context import Context, Progress, open_context, quiet
from screener.pipeline.figures import run_aggregate, run_publish
from screener.pipeline.review import run_review
from screener.pipeline.screen import run_classify, run_detect_language
from screener.pipeline.sources import chosen_sources
from screener.records import StageReport, Window
from screener.settings import Settings
from screener.settings.sources import Source
from screener.store import runs
from screener.store.database import writing
from screener.workdir import Workdir


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run was asked to do; the same options resume an unfinished run."""

    input_path: Path | None = None
    country: str | None = None
    window: Window = field(default_factory=Window)

    def fingerprint(self, settings: Settings) -> str:
        """Hash of options and config: a run is resumed only if neither changed."""
        asked = [
            str(self.input_path and self.input_path.resolve()),
            self.country,
            str(self.window.start),
            str(self.window.end),
            settings.sha256,
        ]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def run_all(
    settings: Settings, workdir: Workdir, options: RunOptions, *, progress: Progress = quiet, now: datetime | None = None,
    on_stage: Callable[[StageReport], None] = lambda report: None,
) -> str:  # fmt: skip
    """Run every stage; returns the run's id. A failure closes the run as failed, a kill leaves it to be resumed."""
    sources = chosen_sources(settings, workdir, options.input_path)
    opened = open_context(
        settings, workdir, arguments=options.fingerprint(settings), window=options.window, now=now, progress=progress
    )
    with taking_turns(workdir), opened as context:
        try:
            for stage in _stages(context, sources, options):
                on_stage(stage())
        except ScreenerError as error:
            close_run(context, runs.FAILED, str(error))
            raise
        close_run(context)
        return context.run.run_id


def _stages(context: Context, sources: Sequence[Source], options: RunOptions) -> Sequence[Callable[[], StageReport]]:
    days = collected_days(context, options.input_path)
    return (
        lambda: run_collect(context, sources, days=days, country=options.country),
        lambda: run_detect_language(context),
        lambda: run_classify(context),
        lambda: run_aggregate(context),
        lambda: run_publish(context),
        lambda: run_review(context),
    )


def close_run(context: Context, status: str = runs.SUCCESS, error: str | None = None) -> None:
    """Close a run with its outcome."""
    with writing(context.engine) as connection:
        runs.finish_run(connection, context.run.run_id, status=status, now=datetime.now(UTC), error=error)


def report_collected(context: Context, counts: Iterable[Mapping[str, int]]) -> StageReport:
    """Keep one sum as the run's collect report where sources were collected one by one; each alone replaces the other."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return context.report(StageReport("collect", tuple(total.items())))


@contextmanager
def taking_turns(workdir: Workdir) -> Iterator[None]:
    """Wait until no other process holds this working directory, then hold it; a process that dies lets go of it.

    Scheduled runs of several countries begin in the same minute, and a stage that reads the lake while another run
    replaces its parts would fail.
    """
    import fcntl  # not on Windows, where there is no Airflow either

    with (workdir.ensure().root / "turn.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield

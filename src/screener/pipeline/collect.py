"""Stage 1: every enabled source into the lake; one broken source does not stop the others, and none is silent about it."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from screener.collect.files import collect_file, list_files, unit_id
from screener.collect.normalise import Intake
from screener.collect.taking import Outcome
from screener.errors import TerminalSourceError, TransientSourceError
from screener.pipeline.asking import ask_sources
from screener.pipeline.context import Context
from screener.pipeline.housekeeping import kept_window
from screener.pipeline.sources import intake_of
from screener.records import Gap, StageReport, Window
from screener.settings.sources import ApiSource, FileSource, Source
from screener.store import runs
from screener.store.database import writing
from screener.store.lake import PostWriter


def collected_days(context: Context, input_path: Path | None = None) -> Window:
    """All days that may be kept; the window of the run bounds the figures alone.

    A file is replaced as a whole, so a narrow window would take its other days out of the lake. What a user hands over
    with ``--input`` is taken whatever its age.
    """
    return Window() if input_path else kept_window(context.settings, context.run.started_at)


def run_collect(
    context: Context, sources: Sequence[Source], *, days: Window, country: str | None = None, asked_for: Window | None = None
) -> StageReport:  # fmt: skip
    """Collect all units of the sources; raises at the end if every one of them failed, after keeping what they had.

    ``asked_for`` bounds what sources are asked for over the network (a backfill); without it they are asked for what is new.
    The error is ``TerminalSourceError`` if asking again without a change is pointless, else ``TransientSourceError``.
    """
    files = [source for source in sources if isinstance(source, FileSource)]
    outcomes = [outcome for source in files for outcome in _collect_files(context, source, days)]
    asked = ask_sources(
        context, [source for source in sources if isinstance(source, ApiSource)], days=days, country=country, asked_for=asked_for
    )  # fmt: skip
    outcomes += asked.outcomes
    report = _report(outcomes, asked.counts, asked.warnings)
    context.report(report)
    if outcomes and all(outcome.failures and not outcome.n_read for outcome in outcomes):
        kind = TerminalSourceError if all(outcome.is_terminal for outcome in outcomes) else TransientSourceError
        told = "\n".join(dict.fromkeys(failure for outcome in outcomes for failure in outcome.failures))
        raise kind(f"nothing could be collected:\n{told}")
    return report


def _report(outcomes: Sequence[Outcome], asked: Sequence[tuple[str, int]], warnings: Sequence[str]) -> StageReport:
    """Counts over files and queries; those that only queries have stand there only if any were asked."""
    failures = tuple(dict.fromkeys(failure for outcome in outcomes for failure in outcome.failures))
    discards: Counter[str] = sum((outcome.discards for outcome in outcomes), Counter())
    names = ("n_read", "n_posts", "n_duplicates", "n_outside_window", "n_unchanged")
    sums = tuple((name.removeprefix("n_"), sum(getattr(o, name) for o in outcomes)) for name in names)
    counts = (("units", len(outcomes)), *sums, ("failures", len(failures)), *asked)
    if not outcomes and not asked:
        failures = ("the sources have no readable files (.jsonl, .ndjson, .csv, also .gz and .zst) and nobody to ask",)
    return StageReport("collect", counts, tuple(sorted(discards.items())), (*failures, *warnings))


def _collect_files(context: Context, source: FileSource, days: Window) -> Iterator[Outcome]:
    yield from _missing(context, source, days)
    for path in list_files(source.paths, Path.cwd()):
        yield _collect_file(context, source, path, days)


def _missing(context: Context, source: FileSource, days: Window) -> Iterator[Outcome]:
    """A failure for each path that a source names and that is not there: it must not pass for a quiet day."""
    for pattern in source.paths:
        if not glob.has_magic(pattern) and not Path(pattern).exists():
            told = f"{pattern}: no such file or folder (config/sources/{source.name}.toml, paths)"
            outcome = Outcome(failures=[told], gaps=[Gap(source.name, "", days, told)])
            _remember(context, unit_id("file", f"{source.name}\n{pattern}"), outcome)
            yield outcome


def _collect_file(context: Context, source: FileSource, path: Path, days: Window) -> Outcome:
    unit = unit_id("file", f"{source.name}\n{path.resolve()}")
    window = Window() if source.invented else days  # demonstration posts never grow too old
    writer = PostWriter(context.lake, unit, chunk_posts=context.settings.runtime.collect.chunk_posts)
    outcome = collect_file(
        path, source.layout, _intake(context, source), writer, window=window,
        progress=lambda n: context.progress("collect", n, None),
    )  # fmt: skip
    _remember(context, unit, outcome)
    return outcome


def _intake(context: Context, source: FileSource) -> Intake:
    started = context.run.started_at
    intake = intake_of(context.settings, context.workdir, source.name, run_id=context.run.run_id, collected_at=started)
    return replace(intake, country=source.country, sector=source.sector, invented=source.invented)


def _remember(context: Context, unit: str, outcome: Outcome) -> None:
    """Quarantine and gaps in one transaction, after the posts are safe in the lake."""
    with writing(context.engine) as connection:
        runs.replace_unit_records(
            connection, context.run.run_id, unit, quarantined=outcome.quarantined, unit_gaps=outcome.gaps
        )

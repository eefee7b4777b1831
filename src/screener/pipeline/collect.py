"""Stage 1: every enabled source into the lake, unit by unit; one broken source does not stop the others."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from screener.collect.connector import Query, Validators
from screener.collect.http import PoliteClient
from screener.collect.normalise import Intake
from screener.collect.registry import CONNECTORS
from screener.collect.runner import Outcome, collect_file, collect_query, feed_queries, list_files, unit_id
from screener.demo import write_demo_file
from screener.errors import TerminalSourceError, TransientSourceError, UsageError
from screener.pipeline.context import Context
from screener.pipeline.housekeeping import kept_window
from screener.records import Gap, Post, StageReport, Window
from screener.settings import Settings
from screener.settings.schemas import FileSource, RssSource
from screener.store import runs
from screener.store.database import reading, writing
from screener.store.lake import PostWriter, posts_from
from screener.workdir import Workdir

Source = FileSource | RssSource


def chosen_sources(settings: Settings, workdir: Workdir, input_path: Path | None = None) -> tuple[Source, ...]:
    """Sources of a run: ``--input`` alone, else all enabled ones, else the demonstration posts."""
    by_name = {source.name: source for source in settings.sources}
    if input_path is not None:
        if not input_path.exists():
            raise UsageError(f"--input {input_path}: no such file or folder")
        if not list_files([str(input_path.resolve())], Path.cwd()):
            raise UsageError(
                f"--input {input_path}: holds no readable files (.jsonl, .ndjson, .csv, also .gz and .zst)"
            )
        template = by_name.get("file-drop")
        if not isinstance(template, FileSource):
            raise UsageError("--input needs config/sources/file-drop.toml, which maps columns")
        return (template.model_copy(update={"enabled": True, "paths": (str(input_path.resolve()),)}),)
    enabled = tuple(source for source in settings.sources if source.enabled and not getattr(source, "invented", False))
    return enabled or _demo(by_name.get("demo"), workdir)


def _demo(template: Source | None, workdir: Workdir) -> tuple[Source, ...]:
    if not isinstance(template, FileSource):
        raise UsageError("no source is enabled in config/sources/, and the demonstration source (demo.toml) is missing")
    return (template.model_copy(update={"enabled": True, "paths": (str(write_demo_file(workdir.demo).resolve()),)}),)


def collected_days(context: Context, input_path: Path | None = None) -> Window:
    """All days that may be kept; the window of the run bounds the figures alone.

    A file is replaced as a whole, so a narrow window would take its other days out of the lake. What a user hands over
    with ``--input`` is taken whatever its age.
    """
    return Window() if input_path else kept_window(context.settings, context.run.started_at)


def run_collect(
    context: Context, sources: Sequence[Source], *, days: Window, country: str | None = None
) -> StageReport:
    """Collect all units of the sources; raises at the end if every one of them failed, after keeping what they had.

    The error is ``TerminalSourceError`` if asking again without a change is pointless, else ``TransientSourceError``.
    """
    outcomes = [outcome for source in sources for outcome in _collect_source(context, source, days, country)]
    report = _report(outcomes)
    context.report(report)
    if outcomes and all(outcome.failures for outcome in outcomes):
        kind = TerminalSourceError if all(outcome.is_terminal for outcome in outcomes) else TransientSourceError
        told = "\n".join(failure for outcome in outcomes for failure in outcome.failures)
        raise kind(f"every source failed; the lake keeps what it had:\n{told}")
    return report


def _report(outcomes: Sequence[Outcome]) -> StageReport:
    names = ("n_read", "n_posts", "n_duplicates", "n_outside_window", "n_unchanged")
    counts = tuple((name.removeprefix("n_"), sum(getattr(outcome, name) for outcome in outcomes)) for name in names)
    discards: Counter[str] = Counter()
    for outcome in outcomes:
        discards.update(outcome.discards)
    failures = tuple(failure for outcome in outcomes for failure in outcome.failures)
    if not outcomes:
        failures = ("the sources have no readable files (.jsonl, .ndjson, .csv, also .gz and .zst) and no feeds",)
    return StageReport(
        "collect",
        (("units", len(outcomes)), *counts, ("failures", len(failures) if outcomes else 0)),
        tuple(sorted(discards.items())),
        failures,
    )


def _collect_source(context: Context, source: Source, days: Window, country: str | None) -> Iterator[Outcome]:
    if isinstance(source, FileSource):
        yield from _missing(context, source, days)
        for path in list_files(source.paths, Path.cwd()):
            yield _collect_file(context, source, path, days)
    else:
        with PoliteClient(context.settings.runtime.collect) as client:
            for query in feed_queries(source.name, source.feeds):
                if country is None or query.country == country:
                    yield _collect_feed(context, source, query, client, days)


def _missing(context: Context, source: FileSource, days: Window) -> Iterator[Outcome]:
    """A failure for each path that a source names and that is not there: it must not pass for a quiet day."""
    for pattern in source.paths:
        if not glob.has_magic(pattern) and not Path(pattern).exists():
            told = f"{pattern}: no such file or folder (config/sources/{source.name}.toml, paths)"
            outcome = Outcome(failures=[told], gaps=[Gap(source.name, "", days, told)])
            _remember(context, unit_id("file", f"{source.name}\n{pattern}"), outcome)
            yield outcome


def _intake(context: Context, source: Source) -> Intake:
    return Intake(
        source=source.name, run_id=context.run.run_id, collected_at=context.run.started_at, key=context.workdir.pseudonym_key(),
        sectors=frozenset(sector.slug for sector in context.settings.sectors),
        max_text_characters=context.settings.runtime.collect.max_text_characters,
        country=getattr(source, "country", None), sector=getattr(source, "sector", None), invented=getattr(source, "invented", False),
    )  # fmt: skip


def _writer(context: Context, unit: str) -> PostWriter:
    return PostWriter(context.lake, unit, chunk_posts=context.settings.runtime.collect.chunk_posts)


def _collect_file(context: Context, source: FileSource, path: Path, days: Window) -> Outcome:
    unit = unit_id("file", f"{source.name}\n{path.resolve()}")
    window = Window() if source.invented else days  # demonstration posts never grow too old
    outcome = collect_file(
        path, source.columns, _intake(context, source), _writer(context, unit), window=window,
        progress=lambda n: context.progress("collect", n, None),
    )  # fmt: skip
    _remember(context, unit, outcome)
    return outcome


def _collect_feed(context: Context, source: RssSource, query: Query, client: PoliteClient, days: Window) -> Outcome:
    unit = unit_id("feed", f"{query.url}\n{query.country}/{query.sector}")
    earlier = list(_earlier(context, unit))
    with reading(context.engine) as connection:
        known = Validators(*runs.get_cursor(connection, unit))
    outcome = collect_query(
        CONNECTORS[source.kind], query, _intake(context, source), client, _writer(context, unit), window=days,
        # an emptied lake must be filled again, so it does not ask whether the feed is new
        validators=known if earlier else Validators(), earlier=earlier,
    )  # fmt: skip
    context.progress("collect", outcome.n_read, None)
    _remember(context, unit, outcome)
    return outcome


def _earlier(context: Context, unit: str) -> Iterator[Post]:
    for part in context.lake.parts("posts"):
        if part.name.startswith(f"{unit}-"):
            yield from posts_from(context.lake.read("posts", part), part.partition)


def _remember(context: Context, unit: str, outcome: Outcome) -> None:
    """Quarantine, gaps and validators in one transaction, after the posts are safe in the lake."""
    with writing(context.engine) as connection:
        runs.replace_unit_records(
            connection, context.run.run_id, unit, quarantined=outcome.quarantined, unit_gaps=outcome.gaps
        )
        if outcome.validators is not None:
            runs.set_cursor(
                connection,
                unit,
                etag=outcome.validators.etag,
                last_modified=outcome.validators.last_modified,
                now=context.run.started_at,
            )

"""``run`` and the stages that work on the lake: collect, aggregate, publish."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from screener.cli.common import (
    DEFAULT_WORKDIR,
    ConfigOption,
    Format,
    FormatOption,
    WorkdirOption,
    err,
    guarded,
    open_settings,
    open_workdir,
    parse_window,
    print_json,
    program,
    progress_bars,
)
from screener.cli.tables import print_indicators, print_report
from screener.codes import parse_country
from screener.errors import ScreenerError
from screener.records import StageReport
from screener.store.runs import COLLECTED, FAILED, SUCCESS

if TYPE_CHECKING:
    from screener.pipeline import Context

InputOption = Annotated[
    Path | None,
    typer.Option("--input", help="A file or folder of posts (.jsonl, .csv, also .gz, .zst) instead of the sources."),
]
CountryOption = Annotated[
    str | None, typer.Option("--country", help="Ask only for this country (ISO 3166-1 alpha-2); files are read whole.")
]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="First day, YYYY-MM-DD; posts without a date are always taken.")
]
UntilOption = Annotated[str | None, typer.Option("--until", help="Day after the last, YYYY-MM-DD.")]


_BY_HAND = "by-stage"
"""Arguments of the run that single stages share until ``publish`` closes it."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(run)
    app.command()(collect)
    app.command()(aggregate)
    app.command()(publish)


@guarded
def run(
    input_path: InputOption = None, country: CountryOption = None, since: SinceOption = None, until: UntilOption = None,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None, output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """Run all six stages: collect, detect_language, classify, aggregate, publish, review.

    A run that was interrupted goes on where it stopped when the same command is given again.
    """
    from screener.pipeline import RunOptions, run_all
    from screener.pipeline.answers import ranked, read_current
    from screener.pipeline.context import open_reader

    settings, place = open_settings(config), open_workdir(workdir)
    options = RunOptions(input_path, parse_country(country) if country else None, parse_window(since, until))
    reports: list[StageReport] = []
    clock = [time.monotonic()]

    def on_stage(report: StageReport) -> None:
        reports.append(report)
        print_report(report, time.monotonic() - clock[0])
        clock[0] = time.monotonic()

    with progress_bars() as progress:
        run_id = run_all(settings, place, options, progress=progress, on_stage=on_stage)
    with open_reader(settings, place) as engine:
        indicators = ranked([row.indicator for row in read_current(engine).rows])
    if output is Format.JSON:
        print_json({"run_id": run_id, "stages": reports, "indicators": indicators})
        return
    print_indicators(indicators, settings)
    option = "" if workdir == DEFAULT_WORKDIR else f" --workdir {workdir}"
    err.print(
        f"\nOne answer:  {program()} risk --country TH --sector poultry{option}\nDashboard:   {program()} serve{option}",
        highlight=False,
        soft_wrap=True,
    )


@guarded
def collect(
    input_path: InputOption = None, country: CountryOption = None,
    source: Annotated[str | None, typer.Option("--source", help="Only this source (see `screener sources list`).")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Ask for posts from this day on, YYYY-MM-DD: a backfill.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Day after the last one to ask for, YYYY-MM-DD.")] = None,
    only_plan: Annotated[bool, typer.Option("--plan", help="Show what would be asked, of whom and at what cost; ask nothing.")] = False,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None, output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """Fetch posts from the enabled sources (or --input) into the lake, and stop there.

    Sources are asked for what is new since they were asked last. `--since` and `--until` ask for certain days instead; what
    the budget leaves undone is asked when the same command is given again.
    """
    from screener.pipeline import run_collect
    from screener.pipeline.collect import collected_days
    from screener.pipeline.sources import chosen_sources, only

    settings, place = open_settings(config), open_workdir(workdir)
    chosen, window = parse_country(country) if country else None, parse_window(since, until)
    sources = only(chosen_sources(settings, place, input_path), source)
    if only_plan:
        from screener.cli.plan import print_plan

        print_plan(settings, sources, chosen, window, as_json=output is Format.JSON)
        return

    def stage(context: Context) -> StageReport:
        """All days that may be kept; ``aggregate`` takes the days of the figures."""
        days = collected_days(context, input_path)
        return run_collect(context, sources, days=days, country=chosen, asked_for=window)

    asked = f"collect {input_path} {source} {chosen} {window}"
    _one_stage(workdir, config, None, None, stage, arguments=asked, closes_as=COLLECTED)


@guarded
def aggregate(
    since: SinceOption = None,
    until: UntilOption = None,
    workdir: WorkdirOption = DEFAULT_WORKDIR,
    config: ConfigOption = None,
) -> None:
    """Compute indicators from what is classified in the lake."""
    from screener.pipeline import run_aggregate

    _one_stage(workdir, config, since, until, run_aggregate)


@guarded
def publish(workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None) -> None:
    """Check the data assertions and write the aggregated figures to the results store as a draft."""
    from screener.pipeline import run_publish

    _one_stage(workdir, config, None, None, run_publish, closes_as=SUCCESS)


def _one_stage(
    workdir: Path,
    config: Path | None,
    since: str | None,
    until: str | None,
    stage: Callable[..., StageReport],
    *,
    arguments: str = _BY_HAND,
    closes_as: str | None = None,
) -> None:
    """A stage by itself, on the run that earlier single stages have begun; publish closes it. Collect has runs of its own:
    what is new since last time depends on when a run began.
    """
    from screener.pipeline.context import open_context
    from screener.pipeline.run import close_run, taking_turns

    settings, place = open_settings(config), open_workdir(workdir)
    window = parse_window(since, until)
    started = time.monotonic()
    with (
        progress_bars() as progress,
        taking_turns(place),
        open_context(settings, place, arguments=_hash(arguments), window=window, progress=progress) as context,
    ):
        try:
            report = stage(context)
        except ScreenerError as error:
            if closes_as == COLLECTED:
                close_run(context, FAILED, str(error))
            raise
        if closes_as:
            close_run(context, closes_as)
    print_report(report, time.monotonic() - started)


def _hash(arguments: str) -> str:
    return arguments if arguments == _BY_HAND else hashlib.sha256(arguments.encode()).hexdigest()


lake_stage = _one_stage
"""For the commands of other modules that work on the lake when no file is given."""

"""``sources status`` and ``sources check``: how sources are doing, and a first question to each target."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

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
    out,
    print_json,
    utc_now,
)
from screener.collect.health import Health, State
from screener.errors import UsageError
from screener.settings.sources import ApiSource

_STYLES = {State.GOOD: "green", State.OFF: "dim", State.NEVER_ASKED: "dim", State.BUDGET: "yellow"}


@guarded
def status(
    fail: Annotated[
        bool, typer.Option("--fail", help="Exit with status 1 if any source is silent or failing, for cron and monitoring.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Sources that are switched off, too.")] = False,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None, output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """Show how each source is doing: when it last answered, what it gave this week, what was expected, whether it fell silent."""
    from screener.pipeline.context import open_reader
    from screener.pipeline.health import source_health

    settings, place = open_settings(config), open_workdir(workdir)
    with open_reader(settings, place) as engine:
        found = [one.health for one in source_health(engine, settings, now=utc_now())]
    shown = [health for health in found if everything or health.state is not State.OFF]
    if output is Format.JSON:
        print_json(shown)
    elif not shown:
        out.print("No source is switched on (config/sources/*.toml, enabled); `screener sources list` shows them all.")
    else:
        out.print(_table(shown))
    if fail and any(health.is_alarming for health in shown):
        raise typer.Exit(1)


def _table(found: list[Health]) -> Table:
    table = Table("source", "state", "last answer (UTC)", "posts in 7 days", "expected", "what", title_justify="left")
    for health in found:
        style = _STYLES.get(health.state, "red")
        silent = f"; silent in {', '.join(health.quiet_in)}" if health.quiet_in else ""
        table.add_row(
            health.source, f"[{style}]{health.state}[/{style}]",
            f"{health.last_answer:%Y-%m-%d %H:%M}" if health.last_answer else "never",
            f"{health.n_week:,}" if health.n_week is not None else "none",
            f"{health.n_expected:.0f}" if health.n_expected is not None else "not known yet",
            escape(health.told + silent),
        )  # fmt: skip
    return table


@guarded
def check(
    name: Annotated[str | None, typer.Argument(help="One source; all that are switched on if left out.")] = None,
    config: ConfigOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Ask each target one question and show what it answers; nothing is kept. Do this before you switch a source on."""
    from screener.pipeline.health import check_targets

    settings = open_settings(config)
    sources = [source for source in settings.sources if isinstance(source, ApiSource)]
    chosen = [source for source in sources if (source.name == name if name else source.enabled)]
    if not chosen:
        names = ", ".join(source.name for source in sources)
        raise UsageError(f"no such source: {name}; there are {names}" if name else "no source is switched on; name one")
    found = []
    table = Table("source", "target", "endpoint", "posts", "problem")
    for source in chosen:
        for one in check_targets(settings, source, now=utc_now()):
            found.append(one)
            err.print(
                f"{one.source} {one.target} {one.endpoint}: {one.problem or 'answers'}", highlight=False, markup=False
            )
            posts = f"{one.n_posts:,}" if one.n_posts is not None else "–"
            table.add_row(one.source, escape(one.target), one.endpoint, posts, escape(one.problem or ""))
    if output is Format.JSON:
        print_json(found)
    else:
        out.print(table)
    if any(one.problem for one in found):
        raise typer.Exit(1)

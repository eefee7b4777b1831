"""``db``: the results store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from screener.cli.common import (
    DEFAULT_WORKDIR,
    ConfigOption,
    Format,
    FormatOption,
    WorkdirOption,
    guarded,
    open_settings,
    open_workdir,
    out,
    print_json,
)
from screener.errors import StoreError, UsageError

if TYPE_CHECKING:
    from screener.store.runs import Run


def add_to(app: typer.Typer) -> None:
    """Register the command group."""
    group = typer.Typer(no_args_is_help=True, help="Make, upgrade and check the results store.")
    group.command()(upgrade)
    group.command()(check)
    group.command()(problems)
    group.command()(erasures)
    app.add_typer(group, name="db")


@guarded
def upgrade(workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None) -> None:
    """Make the results store, or bring it to this version's schema; every other command does so by itself."""
    from screener.store.database import open_store, schema_state, store_url

    engine = open_store(store_url(open_workdir(workdir), open_settings(config).runtime.store.url))
    typer.echo(f"{engine.url.render_as_string(hide_password=True)}: schema {schema_state(engine)[1]}")
    engine.dispose()


@guarded
def check(workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None) -> None:
    """Check the store's schema and integrity; exit status 1 names what is wrong."""
    from screener.store.database import check_integrity, make_engine, store_url

    engine = make_engine(store_url(open_workdir(workdir), open_settings(config).runtime.store.url))
    problems = check_integrity(engine)
    engine.dispose()
    if problems:
        raise StoreError(f"{engine.url.render_as_string(hide_password=True)}: " + "; ".join(problems))
    typer.echo(f"{engine.url.render_as_string(hide_password=True)}: good")


@guarded
def problems(
    run: Annotated[str | None, typer.Option("--run", help="Run to look at; the newest by default.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Records to list at most.")] = 50,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None, output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """List what a run set aside: records in quarantine with place and reason, and gaps of sources."""
    from screener.pipeline.context import open_reader
    from screener.store import runs
    from screener.store.database import reading

    with open_reader(open_settings(config), open_workdir(workdir)) as engine, reading(engine) as connection:
        found = runs.get_run(connection, run) if run else runs.newest_run(connection)
        if found is None:
            raise UsageError(f"no run {run or 'yet'}; `screener run` makes one")
        refused, gaps = runs.list_quarantine(connection, found.run_id, limit), runs.list_gaps(connection, found.run_id)
    if output is Format.JSON:
        print_json({"run_id": found.run_id, "status": found.status, "quarantine": refused, "gaps": gaps})
        return
    out.print(
        f"run {found.run_id}: {found.status}{f', {found.error}' if found.error else ''}", markup=False, soft_wrap=True
    )
    for reason, count in sorted(_counts(found).items()):
        out.print(f"quarantine {reason}: {count:,}", highlight=False)
    for entry in refused:
        out.print(f"  {entry.where}: {entry.reason}: {entry.detail}", markup=False, highlight=False, soft_wrap=True)
    for gap in gaps:
        out.print(f"gap {gap.source} {gap.watch}: {gap.reason}", markup=False, highlight=False, soft_wrap=True)


@guarded
def erasures(
    limit: Annotated[int, typer.Option("--limit", min=1, help="Entries to list at most.")] = 50,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None, output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """List when deletions were honoured, of which source and how much; what was deleted is not known any more."""
    from screener.pipeline.context import open_reader
    from screener.store.database import reading
    from screener.store.erasing import list_erasures

    with open_reader(open_settings(config), open_workdir(workdir)) as engine, reading(engine) as connection:
        found = list_erasures(connection, limit)
    if output is Format.JSON:
        print_json(found)
        return
    for entry in found:
        told = f"{entry.n_posts:,} posts, {entry.n_evidence:,} quotations, {entry.n_review_items + entry.n_review_texts:,} review items"
        out.print(
            f"{entry.erased_at:%Y-%m-%d %H:%M} UTC {entry.source}: {told}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if not found:
        out.print("No deletion has been applied yet.")


def _counts(run: Run) -> dict[str, int]:
    """Records set aside by reason; the list keeps the first ones only."""
    mark = "discarded "
    return {name.removeprefix(mark): n for name, n in run.report.get("collect", {}).items() if name.startswith(mark)}

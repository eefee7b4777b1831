"""``db``: the results store."""

from __future__ import annotations

import typer

from screener.cli.common import DEFAULT_WORKDIR, ConfigOption, WorkdirOption, guarded, open_settings, open_workdir
from screener.errors import StoreError


def add_to(app: typer.Typer) -> None:
    """Register the command group."""
    group = typer.Typer(no_args_is_help=True, help="Make, upgrade and check the results store.")
    group.command()(upgrade)
    group.command()(check)
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

"""``config``: what the TOML files say, and whether they are right."""

from __future__ import annotations

from dataclasses import asdict

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
    print_json,
)


def add_to(app: typer.Typer) -> None:
    """Register the command group."""
    group = typer.Typer(no_args_is_help=True, help="Check and show the configuration.")
    group.command()(check)
    group.command()(show)
    app.add_typer(group, name="config")


@guarded
def check(workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None) -> None:
    """Validate all files under config/, and the workdir's key; a mistake names file, key and legal values."""
    settings = open_settings(config)
    enabled = [source.name for source in settings.sources if source.enabled] or ["none: demonstration posts are used"]
    typer.echo(
        f"{settings.folder}: good. {len(settings.watches)} watches, {len(settings.sectors)} sectors, "
        f"{len(settings.labels)} labels, {len(settings.lexicons)} lexicons; sources enabled: {', '.join(enabled)}; "
        f"hash {settings.sha256[:12]}"
    )
    if workdir.exists():
        open_workdir(workdir).pseudonym_key()
        typer.echo(f"{workdir}: good, its pseudonym key is readable")


@guarded
def show(config: ConfigOption = None, output: FormatOption = Format.TABLE) -> None:
    """List watches and sectors with their codes."""
    settings = open_settings(config)
    if output is Format.JSON:
        print_json([{**asdict(watch), "queries": dict(watch.queries)} for watch in settings.watches])
        return
    for watch in settings.watches:
        sector = settings.sector(watch.sector)
        typer.echo(
            f"{watch.country}  {watch.sector:24} {sector.name.en:48} CPV {', '.join(sector.cpv)}; "
            f"languages {', '.join(watch.expected_languages)}"
        )

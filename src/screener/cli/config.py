"""``config``: what the TOML files say, and whether they are right."""

from __future__ import annotations

import typer

from screener.cli.common import ConfigOption, guarded, open_settings


def add_to(app: typer.Typer) -> None:
    """Register the command group."""
    group = typer.Typer(no_args_is_help=True, help="Check and show the configuration.")
    group.command()(check)
    group.command()(show)
    app.add_typer(group, name="config")


@guarded
def check(config: ConfigOption = None) -> None:
    """Validate all files under config/; a mistake names file, key and legal values."""
    settings = open_settings(config)
    enabled = [source.name for source in settings.sources if source.enabled] or ["none: demonstration posts are used"]
    typer.echo(
        f"{settings.folder}: good. {len(settings.watches)} watches, {len(settings.sectors)} sectors, {len(settings.labels)} labels, "
        f"{len(settings.lexicons)} lexicons; sources enabled: {', '.join(enabled)}; hash {settings.sha256[:12]}"
    )


@guarded
def show(config: ConfigOption = None) -> None:
    """List watches and sectors with their codes."""
    settings = open_settings(config)
    for watch in settings.watches:
        sector = settings.sector(watch.sector)
        typer.echo(
            f"{watch.country}  {watch.sector:24} {sector.name.en:48} CPV {', '.join(sector.cpv)}; languages {', '.join(watch.expected_languages)}"
        )

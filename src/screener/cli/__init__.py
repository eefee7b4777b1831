"""Command line: one subcommand a stage, and the questions people ask. Heavy libraries load only when a command needs them."""

from __future__ import annotations

from typing import Annotated

import typer

from screener import __version__
from screener.cli import analysis, config, db, files, housekeeping, models, questions, review, serve, sources, stages

app = typer.Typer(
    name="screener", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False,
    help="Screens public posts for labour-rights signals and turns them into risk indicators per country and sector.\n\n"
    "Start with `screener run`, which uses invented demonstration posts until a source is enabled; then "
    "`screener risk --country TH --sector poultry` and `screener serve`.\n\n"
    "Exit status: 0 success, 1 a run failed (what was kept is said), 2 wrong usage or config.",
)  # fmt: skip


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"screener {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """See the help of the app."""


stages.add_to(app)
files.add_to(app)
questions.add_to(app)
review.add_to(app)
models.add_to(app)
analysis.add_to(app)
serve.add_to(app)
sources.add_to(app)
housekeeping.add_to(app)
db.add_to(app)
config.add_to(app)

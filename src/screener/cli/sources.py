"""``sources``: where posts come from, and a new place for them to come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from screener.cli.common import ConfigOption, Format, FormatOption, guarded, open_settings, out, print_json
from screener.cli.source_health import check, status
from screener.errors import UsageError
from screener.settings.sources import FileSource, Source


@dataclass(frozen=True, slots=True)
class Credential:
    """An environment variable that a source's credentials are read from, and whether it is set; never its value."""

    variable: str
    is_set: bool


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source as ``sources list`` tells it. ``approval`` is what the operator stated, where the platform wants one."""

    name: str
    kind: str
    enabled: bool
    endpoints: tuple[str, ...]
    n_targets: int
    countries: tuple[str, ...]
    is_news: bool
    needs_approval: bool
    approval: str | None
    credentials: tuple[Credential, ...]


def add_to(app: typer.Typer) -> None:
    """Register the command group."""
    group = typer.Typer(
        no_args_is_help=True, help="How the sources are doing, which there are, and how to begin a new one."
    )
    group.command("list")(show)
    group.command()(status)
    group.command()(check)
    group.command()(new)
    app.add_typer(group, name="sources")


@guarded
def show(config: ConfigOption = None, output: FormatOption = Format.TABLE) -> None:
    """List all sources: what is asked where, whether it is enabled, and which credentials and approvals it needs."""
    lines = [_line(source) for source in open_settings(config).sources]
    if output is Format.JSON:
        print_json(lines)
        return
    out.print(_table(lines))


@guarded
def new(
    name: Annotated[str, typer.Argument(help="Name of the source, its connector's module and its config file.")],
    config: ConfigOption = None,
) -> None:
    """Begin a source in a source checkout: connector, config, recorded pages and tests, all passing before you change them."""
    from screener.cli.scaffold import find_checkout, scaffold

    checkout = find_checkout(Path.cwd())
    folder = config or checkout / "config"
    if not folder.is_dir():
        raise UsageError(f"--config {folder}: no such folder")
    for path in scaffold(checkout, folder, name):
        typer.echo(path.relative_to(checkout) if path.is_relative_to(checkout) else path)
    typer.echo(
        f"\nNext:\n"
        f"1. Put answers of the real API, about invented people, into tests/sources/{name}/; make the connector read them;\n"
        f"   SCREENER_TEST_WRITE_GOLDENS=1 .venv/bin/pytest tests/unit/connectors/test_{name}.py, and read the goldens.\n"
        f"2. Fill in the connector's docstring and a section of docs/sources.md: terms, limits, known gaps.\n"
        f"3. Put targets into {name}.toml, check them with `screener sources check {name}`, and only then set enabled = true."
    )


def _line(source: Source) -> SourceLine:
    if isinstance(source, FileSource):
        countries = (source.country,) if source.country else ()
        return SourceLine(
            source.name, source.kind, source.enabled, (), len(source.paths), countries, False, False, None, ()
        )
    from screener.collect.registry import connector_of
    from screener.pipeline.sources import variables, variables_set

    are_set = variables_set(source)
    return SourceLine(
        name=source.name,
        kind=source.kind,
        enabled=source.enabled,
        endpoints=source.endpoints,
        n_targets=len(source.targets),
        countries=tuple(sorted({target.country for target in source.targets if target.country})),
        is_news=source.is_news,
        needs_approval=connector_of(source.kind).needs_approval,
        approval=source.approval,
        credentials=tuple(Credential(name, name in are_set) for name in sorted(variables(source))),
    )


def _table(lines: Sequence[SourceLine]) -> Table:
    table = Table()
    for name in ("source", "kind", "enabled", "endpoints", "targets", "countries", "news", "approval", "credentials"):
        table.add_column(
            name,
            justify="right" if name == "targets" else "left",
            overflow="fold",
            no_wrap=name in {"source", "endpoints", "credentials"},
        )
    for line in lines:
        table.add_row(
            line.name,
            line.kind,
            "yes" if line.enabled else "no",
            "\n".join(line.endpoints),
            str(line.n_targets),
            ", ".join(line.countries),
            "yes" if line.is_news else "",
            _approval(line),
            "\n".join(f"{one.variable} {'set' if one.is_set else 'not set'}" for one in line.credentials),
        )
    return table


def _approval(line: SourceLine) -> str:
    if line.approval:
        return "stated"
    return "needed, not stated" if line.needs_approval else ""

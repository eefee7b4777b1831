"""What all commands share: options, settings, progress, and errors as one line with the right exit status."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from screener.errors import ScreenerError, UsageError
from screener.records import Window
from screener.settings import Settings, load_settings
from screener.workdir import Workdir

out = Console(width=None if sys.stdout.isatty() else 140)
"""A pipe or file has no width; 140 columns show every table whole."""
err = Console(stderr=True)
P = ParamSpec("P")
R = TypeVar("R")


class Format(StrEnum):
    """How answers are printed."""

    TABLE = "table"
    JSON = "json"


WorkdirOption = Annotated[
    Path,
    typer.Option(
        "--workdir", envvar="SCREENER_WORKDIR", help="Folder for lake, results store, keys and caches; made if missing."
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", envvar="SCREENER_CONFIG", help="Folder with the TOML files; the shipped one by default."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="A table to read or JSON to process.")]
DEFAULT_WORKDIR = Path("var")


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose errors end in one line on stderr: status 2 for usage and config, 1 for a failed run."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        """The command, its errors turned into a line and an exit status."""
        try:
            return command(*args, **kwargs)
        except ScreenerError as error:
            err.print(f"screener: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
            raise typer.Exit(error.exit_status) from error
        except KeyboardInterrupt as error:
            err.print("screener: interrupted; the same command goes on where it stopped", highlight=False)
            raise typer.Exit(130) from error
        except BrokenPipeError as error:  # the reader of our output (head, less) has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit(0) from error

    return run


def open_settings(config: Path | None) -> Settings:
    """Validated settings."""
    return load_settings(config)


def open_workdir(path: Path) -> Workdir:
    """The working directory, made if missing."""
    return Workdir(path).ensure()


def parse_day(value: str | None, option: str) -> date | None:
    """A day for ``--since`` or ``--until``; raises ``UsageError``."""
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise UsageError(f"{option} '{value}': a day is written YYYY-MM-DD") from error


def parse_window(since: str | None, until: str | None) -> Window:
    """The half-open window of ``--since`` and ``--until``."""
    window = Window(parse_day(since, "--since"), parse_day(until, "--until"))
    if window.start and window.end and window.end <= window.start:
        raise UsageError(
            f"--until {window.end} must lie after --since {window.start}; the window is half-open [since, until)"
        )
    return window


def print_json(value: Any) -> None:
    """JSON on stdout, exactly as a program wants it."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress callback for the pipeline: one bar per stage, on stderr, silent where that is no terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], advance=done, total=total)

        yield advance


def program() -> str:
    """How the user started screener, so that a hint can be pasted as it is."""
    started = Path(sys.argv[0])
    return str(started) if started.name == "screener" and not started.is_absolute() else "screener"


def utc_now() -> datetime:
    """The clock; read only here and in the pipeline's entry."""
    return datetime.now(UTC)

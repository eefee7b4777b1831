"""``housekeeping``: deletions honoured, old texts removed."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from screener.cli.common import (
    DEFAULT_WORKDIR,
    ConfigOption,
    WorkdirOption,
    guarded,
    open_settings,
    open_workdir,
    utc_now,
)
from screener.cli.tables import print_report


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(housekeeping)


@guarded
def housekeeping(
    refresh: Annotated[
        bool, typer.Option("--refresh", help="First ask the sources whether posts still stand: the share that is due today.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="With --refresh: ask for all posts, not only today's share.")] = False,
    believe: Annotated[
        bool, typer.Option("--believe", help="Erase even if a source says that more than half of what was asked for is gone.")
    ] = False,
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None,
) -> None:  # fmt: skip
    """Honour deletions and remove what is too old: from lake, evidence, review queue, quarantine and drafts.

    Deletions are heard of while collecting (firehose, pages that say so) and by `--refresh`. Each is applied everywhere
    before this ends, and the erasure log keeps that it happened, never what it was. Figures, decisions and counts stay.
    """
    from screener.pipeline.housekeeping import run_housekeeping
    from screener.pipeline.run import taking_turns

    settings, place = open_settings(config), open_workdir(workdir)
    started = time.monotonic()
    with taking_turns(place):
        report = run_housekeeping(
            settings, place, now=utc_now(), refresh=refresh or everything, everything=everything, believe=believe
        )
    print_report(report, time.monotonic() - started)

"""What a task tells: keys and counts to the next one, warnings to its log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from screener.pipeline import Context
    from screener.records import StageReport

Keys = dict[str, Any]


def warn_of(report: StageReport) -> None:
    """A source that fell silent, and the like, into the task's log."""
    for told in report.warnings:
        logging.getLogger("screener").warning("%s: %s", report.stage, told)


def keys(run: Context, report: StageReport) -> Keys:
    """What a task hands on: the run's id and counts, never posts. What the stage warns of goes to the task's log."""
    warn_of(report)
    discards = {f"discarded {reason}": count for reason, count in report.discards}
    return {"run_id": run.run.run_id, "counts": dict(report.counts) | discards}

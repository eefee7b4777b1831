"""What the DAG files share: task defaults, the screener run behind a DAG run, and our errors as Airflow's.

Heavy libraries are imported inside functions: the DAG processor reads these files again and again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException

from screener.errors import AssertionFailed, ModelError, ParseError, ReviewError, TerminalSourceError, UsageError
from screener.records import Window
from screener.settings import load_settings
from screener.workdir import Workdir

if TYPE_CHECKING:
    from screener.pipeline import Context

FINAL = (UsageError, TerminalSourceError, ParseError, AssertionFailed, ModelError, ReviewError)
"""Errors that the same attempt would meet again; all others (source or store away for a while) are retried."""


@contextmanager
def translated() -> Iterator[None]:
    """Our final errors fail the task at once; the rest goes through to Airflow's retries."""
    try:
        yield
    except FINAL as error:
        raise AirflowFailException(f"{type(error).__name__}: {error}") from error


def workdir() -> Workdir:
    """The working directory, from the environment only: a run's parameters can't choose where data lies."""
    return Workdir(Path(os.environ.get("SCREENER_WORKDIR", "var"))).ensure()


def run_id_of(context: Any) -> str:
    """The screener run of a DAG run; every attempt of every task gets the same, so a retry goes on where it stopped."""
    return f"{context['dag'].dag_id}-{hashlib.sha256(context['run_id'].encode()).hexdigest()[:12]}"


def figures_window(context: Any) -> Window:
    """Days that the figures cover: ``since`` to ``until``, else all that is kept, to the end of the data interval."""
    since, until = (context["params"].get(name) for name in ("since", "until"))
    end = context.get("data_interval_end")
    closing = end.astimezone(UTC).date() if end else None
    return Window(date.fromisoformat(since) if since else None, date.fromisoformat(until) if until else closing)


@contextmanager
def screener_run(run_id: str | None = None) -> Iterator[Context]:
    """The screener run of the running task, alone on the working directory until the task is done."""
    from screener.pipeline import open_context
    from screener.pipeline.run import taking_turns

    airflow = get_current_context()
    run_id = run_id or run_id_of(airflow)
    with translated(), taking_turns(place := workdir()):
        settings = load_settings()
        window = figures_window(airflow)
        with open_context(settings, place, arguments=run_id, window=window, run_id=run_id) as context:
            yield context


def close_as_failed(airflow: Any) -> None:
    """Callback of a task that failed for good: the screener run says so too, until an attempt ends well."""
    from screener.pipeline import open_context
    from screener.pipeline.run import close_run

    run_id = run_id_of(airflow)
    with open_context(load_settings(), workdir(), arguments=run_id, run_id=run_id) as context:
        close_run(context, "failed", str(airflow.get("exception") or "see the task's log"))


DEFAULTS = {
    "owner": "screener",
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 3,
    "execution_timeout": timedelta(hours=12),
}

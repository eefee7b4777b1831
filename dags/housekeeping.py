"""Honours deletions, and deletes texts that are older than `housekeeping.keep_texts_days` in `config/screener.toml`. Runs daily.

First the sources are asked whether posts still stand (each post within its source's `refresh_days`), then whatever was deleted
there leaves every store. The erasure log says that it happened, never what it was.

It removes posts from the lake (by the day they were written, or, without a date, collected), texts from the review
queue, evidence quoted for experts, excerpts of quarantined records, and drafts of finished runs. Figures, decisions,
counts and releases stay. Files in a drop folder belong to the operator and are not touched; their old posts are not
collected again by the `screen_` DAGs.

`SCREENER_WORKDIR` and `SCREENER_CONFIG` are read as by the `screen_` DAGs.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import CronDataIntervalTimetable, dag, task

from _airflow import DEFAULTS, translated, workdir
from _report import warn_of
from screener.settings import load_settings


@dag(
    doc_md=__doc__,
    tags=["screener"],
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
)
def housekeeping() -> None:
    """One task; it takes its turn on the working directory like the stages."""

    @task
    def keep_house() -> dict[str, int]:
        from screener.pipeline.housekeeping import run_housekeeping
        from screener.pipeline.run import taking_turns

        with translated(), taking_turns(place := workdir()):
            report = run_housekeeping(load_settings(), place, now=datetime.now(UTC), refresh=True)
            warn_of(report)
            return dict(report.counts)

    keep_house()


housekeeping()

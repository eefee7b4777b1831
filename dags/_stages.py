"""The six stages as Airflow tasks: each opens the DAG run's screener run and calls one function of the pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import TriggerRule, get_current_context, task

from _airflow import screener_run
from _report import Keys, keys


@task(map_index_template="{{ task.op_kwargs['source'] }}")
def collect(country: str, source: str) -> Keys | None:
    """Posts of one source; the feeds only of the country. A source that the run's ``sources`` leaves out gives nothing."""
    from screener.pipeline import run_collect
    from screener.pipeline.collect import collected_days
    from screener.pipeline.sources import chosen_sources

    if source not in get_current_context()["params"]["sources"]:
        return None  # not skipped: the trigger rule of the next stage gives way before a skipped task
    with screener_run() as run:
        chosen = [s for s in chosen_sources(run.settings, run.workdir) if s.name == source]
        return keys(run, run_collect(run, chosen, days=collected_days(run), country=country))


@task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
def detect_language(collected: Sequence[Keys | None]) -> Keys:
    """Languages of all posts that lack one, as soon as every source is done and at least one went well."""
    from screener.pipeline import run_detect_language
    from screener.pipeline.run import report_collected

    with screener_run() as run:
        report_collected(run, [one["counts"] for one in collected if one])
        return keys(run, run_detect_language(run))


@task
def classify(detected: Keys) -> Keys:
    """Signals of all posts that lack them."""
    from screener.pipeline import run_classify

    with screener_run(detected["run_id"]) as run:
        return keys(run, run_classify(run))


@task
def aggregate(classified: Keys) -> Keys:
    """Figures of all cells, as a draft."""
    from screener.pipeline import run_aggregate

    with screener_run(classified["run_id"]) as run:
        return keys(run, run_aggregate(run))


@task
def publish(aggregated: Keys) -> Keys:
    """Data assertions, then the rows of the results store."""
    from screener.pipeline import run_publish

    with screener_run(aggregated["run_id"]) as run:
        return keys(run, run_publish(run))


@task
def review(published: Keys) -> Keys:
    """The review queue is filled, and the screener run closed as a success."""
    from screener.pipeline import run_review
    from screener.pipeline.run import close_run

    with screener_run(published["run_id"]) as run:
        report = run_review(run)
        close_run(run)
        return keys(run, report)

"""Screens one country: collects posts, detects languages, classifies, and rebuilds the figures.

There is one such DAG for each country in `config/watches.toml`, named `screen_` and the country's code. It runs daily
and is paused until an operator starts it.

**What the country decides.** `collect` asks only the feeds of this country. Files (and the demonstration posts) hold
posts of many countries and are taken whole. The later stages work on whatever in the lake is new or outdated, and
`aggregate` and `publish` rebuild the figures of **all** cells as one run, so that the newest run is always complete
and cells are estimated together. Running two countries' DAGs after each other is harmless: what is done is skipped.

**Which days.** `collect` takes every post that is young enough to be kept (`housekeeping.keep_texts_days`). The figures
cover everything kept up to the end of the DAG run's data interval, or from `since` to the day before `until`.

**When something fails.** A source that fails is retried, then stays red, while the others go on; if none is left the
run fails. Wrong config, a damaged model or a failed data assertion fail at once, without retry. Clearing a task goes
on with the same screener run: finished parts are skipped. Tasks of different DAGs take turns on the working directory.

**Settings.** `SCREENER_WORKDIR` names the working directory (an absolute path), `SCREENER_CONFIG` the config folder if
it is not the shipped one; both must be the same for all workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from airflow.sdk import CronDataIntervalTimetable, Param, dag

from _airflow import DEFAULTS, close_as_failed
from _stages import aggregate, classify, collect, detect_language, publish, review
from screener.settings import Settings, load_settings

DAY = {"type": ["null", "string"], "format": "date"}


def source_names(settings: Settings, country: str) -> list[str]:
    """Enabled sources that have something for the country; all of them if none has, so that it fails visibly."""
    enabled = [source for source in settings.sources if source.enabled and not getattr(source, "invented", False)]
    serving = [
        source
        for source in enabled
        if source.kind == "file" or any(target.country in {None, country} for target in source.targets)
    ]
    return [source.name for source in serving or enabled] or ["demo"]


def screen_country(country: str, sectors: Sequence[str], sources: list[str]) -> None:
    """Register the DAG of one country."""

    @dag(
        dag_id=f"screen_{country.lower()}",
        doc_md=f"{__doc__}\n**{country}** is watched for: {', '.join(sectors)}.\n",
        tags=["screener", country],
        schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS | {"on_failure_callback": close_as_failed},
        params={
            "since": Param(None, **DAY, description="First day of the figures; empty: the oldest post kept."),
            "until": Param(None, **DAY, description="Day after the last; empty: the end of the data interval."),
            "sources": Param(
                sources,
                type="array",
                items={"type": "string", "enum": sources},
                minItems=1,
                description="Sources to collect from.",
            ),
        },
    )
    def screen() -> None:
        collected = collect.partial(country=country).expand(source=sources)
        review(publish(aggregate(classify(detect_language(collected)))))

    screen()


settings = load_settings()
for country in dict.fromkeys(watch.country for watch in settings.watches):
    sectors = [watch.sector for watch in settings.watches if watch.country == country]
    screen_country(country, sectors, source_names(settings, country))

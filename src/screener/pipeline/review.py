"""Stage 6: fills the review queue, and turns a signed-off run into a release."""

from __future__ import annotations

from datetime import datetime

from screener.errors import ReviewError
from screener.pipeline.context import Context
from screener.pipeline.figures import versions
from screener.records import StageReport
from screener.review.release import check_release, content_sha256, release_content
from screener.review.select import AUDIT, select_items
from screener.settings import Settings
from screener.store import lake_queries, results, reviews, runs
from screener.store.database import Engine, writing


def run_review(context: Context) -> StageReport:
    """Queue this run's audit and active items; those already queued stay as they are."""
    settings = context.settings.runtime.review
    posts = lake_queries.reviewable_posts(
        context.lake,
        context.window,
        seed=settings.seed,
        n_audit=settings.audit_items_per_run,
        n_active=settings.active_items_per_run,
    )
    made_by = versions(context.settings)
    items = select_items(posts, settings=settings, model_version=made_by.model, taxonomy_version=made_by.taxonomy)
    with writing(context.engine) as connection:
        added = reviews.add_items(connection, context.run.run_id, items, now=context.run.started_at)
        counts = reviews.queue_counts(connection)
    return context.report(StageReport("review", (("items", len(items)), ("added", added), *sorted(counts.items()))))


def make_release(
    engine: Engine, settings: Settings, *, run_id: str | None, signed_by: str, note: str | None, now: datetime
) -> reviews.Release:
    """Sign off a run (the newest successful one by default); raises ``ReviewError`` if the rules refuse."""
    with writing(engine) as connection:
        run = runs.get_run(connection, run_id) if run_id else runs.latest_run(connection)
        if run is None or run.status != runs.SUCCESS:
            raise ReviewError(f"no finished run {run_id or ''} to release; `screener run` makes one".replace("  ", " "))
        published = results.list_indicators(connection, run.run_id)
        judged = {item.item_id for item, _ in reviews.list_decisions(connection) if item.stratum == AUDIT}
        check_release(
            [row.indicator for row in published], signed_by=signed_by, n_audit_decisions=len(judged),
            min_audit_decisions=settings.runtime.review.min_audit_decisions,
        )  # fmt: skip
        content = release_content(run.run_id, [(row.indicator, row.versions) for row in published])
        # the id carries the checksum: runs with the same arguments end alike, and two may be released on one day
        digest = content_sha256(content)
        release = reviews.Release(f"{now:%Y-%m-%d}-{digest[:8]}", run.run_id, signed_by, now, digest, content, note)
        reviews.add_release(connection, release)
    return release

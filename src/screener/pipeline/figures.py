"""Stages 4 and 5: cells and their indicators, then assertions and rows in the results store."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

from pydantic import TypeAdapter

from screener import __version__
from screener.aggregate.attribute import SectorTerms, attribute
from screener.aggregate.indicators import CellCounts, build_indicators
from screener.classify.artifacts import read_meta
from screener.errors import RunError
from screener.pipeline.context import Context, batches, count_posts
from screener.publish import Quote, RunTotals, check_assertions, choose_quotes
from screener.records import UNKNOWN_COUNTRY, UNSPECIFIED_SECTOR, Attribution, Indicator, StageReport, Versions, Window
from screener.settings import Settings, find_shipped
from screener.store import lake_queries, results
from screener.store.database import writing
from screener.store.layers import cells_table

_ATTRIBUTION = "1"
_Draft = TypeAdapter(tuple[list[Indicator], list[Quote], RunTotals])


def versions(settings: Settings) -> Versions:
    """What a figure made with these settings carries."""
    meta = read_meta(find_shipped("models") / settings.runtime.classify.model)
    return Versions(
        settings.runtime.aggregate.methodology_version,
        meta.key,
        settings.taxonomy_version,
        settings.sha256,
        __version__,
    )


def run_aggregate(context: Context) -> StageReport:
    """Attribute all posts, compute the indicators, and leave them as this run's draft for ``publish``."""
    _attribute_all(context)
    totals = lake_queries.lake_totals(context.lake, context.window)
    window = _closed(context.window, totals)
    counts = {
        (row.country, row.sector): CellCounts(
            row.n_posts, row.n_undated, row.n_sources, row.n_weeks, row.languages, row.invented
        )
        for row in lake_queries.count_cells(context.lake, window)
    }
    posts = lake_queries.relevant_posts(context.lake, window)
    indicators = build_indicators(
        counts,
        posts,
        watches=context.settings.watches,
        labels=context.settings.labels,
        window=window,
        settings=context.settings.runtime.aggregate,
    )
    draft = (
        indicators,
        choose_quotes(indicators, posts),
        RunTotals(totals.n_posts, totals.n_relevant, totals.n_undetermined),
    )
    path = _draft_path(context)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_bytes(_Draft.dump_json(draft))
    temporary.replace(path)
    suppressed = sum(indicator.suppression is not None for indicator in indicators)
    counted = (
        ("cells", len(indicators)),
        ("suppressed", suppressed),
        ("posts", totals.n_posts),
        ("relevant_posts", totals.n_relevant),
    )
    return context.report(StageReport("aggregate", counted))


def run_publish(context: Context) -> StageReport:
    """Check the run's assertions, then replace its rows in one transaction."""
    path = _draft_path(context)
    if not path.exists():
        raise RunError(f"run {context.run.run_id} has no aggregated figures; run `screener aggregate` first")
    indicators, quotes, totals = _Draft.validate_json(path.read_bytes())
    warnings = check_assertions(totals, context.settings.runtime.publish)
    rows = [_evidence_row(quote) for quote in quotes]
    with writing(context.engine) as connection:
        results.replace_results(connection, context.run.run_id, indicators, rows, versions(context.settings))
    shown = sum(indicator.suppression is None for indicator in indicators)
    counted = (
        ("indicators", len(indicators)),
        ("published", shown),
        ("suppressed", len(indicators) - shown),
        ("evidence", len(rows)),
    )
    return context.report(StageReport("publish", counted, warnings=warnings))


def _closed(window: Window, totals: lake_queries.LakeTotals) -> Window:
    """The window with its open sides closed by the first and last dated post, so that weeks can be counted."""
    return replace(
        window,
        start=window.start or totals.first_day,
        end=window.end or (totals.last_day + timedelta(days=1) if totals.last_day else None),
    )


def _draft_path(context: Context) -> Path:
    return context.workdir.root / "drafts" / f"{context.run.run_id}.json"


def _evidence_row(quote: Quote) -> results.EvidenceRow:
    spans = tuple(
        {"label": label, "start": start, "end": end, "found_by": found_by}
        for label, start, end, found_by in quote.spans
    )
    return results.EvidenceRow(**{**asdict(quote), "signals": dict(quote.signals), "spans": spans})


def _attribute_all(context: Context) -> None:
    """The ``cells`` layer: which cells each post speaks of."""
    lake, settings = context.lake, context.settings
    version = f"{_ATTRIBUTION}\n{[(sector.slug, sector.terms) for sector in settings.sectors]!r}"
    stale = list(lake.stale("cells", version))
    if not stale:
        return
    terms = SectorTerms(settings.sectors)
    total = count_posts(lake, [part for part, _ in stale])
    for batch in batches(lake, stale, settings.runtime.classify.batch_posts):
        for part, fingerprint in batch:
            table = lake.read("posts", part, ["post_id", "text"])
            country = None if part.partition.country == UNKNOWN_COUNTRY else part.partition.country
            sector = None if part.partition.sector == UNSPECIFIED_SECTOR else part.partition.sector
            texts = table["text"].to_pylist()
            named = terms.find_many(texts) if country and sector is None else (() for _ in texts)
            cells: list[tuple[str, Attribution]] = [
                (post_id, cell)
                for post_id, found in zip(table["post_id"].to_pylist(), named, strict=True)
                for cell in attribute(country, sector, found)
            ]
            lake.write("cells", part, cells_table(cells), fingerprint)
            context.progress("aggregate", table.num_rows, total)

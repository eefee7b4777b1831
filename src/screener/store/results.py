"""Indicators and evidence rows: written as a whole per run, read by release or latest draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from screener.errors import ReviewError
from screener.records import Coverage, Indicator, LabelShare, Versions
from screener.store.tables import evidence, indicators, releases


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A scrubbed post behind a cell, for experts. ``spans`` count in the scrubbed text."""

    post_id: str
    country: str
    sector: str
    language: str
    voice: str
    relevance: float
    text: str
    signals: dict[str, float]
    spans: tuple[dict[str, Any], ...]
    week: str | None
    invented: bool


@dataclass(frozen=True, slots=True)
class PublishedIndicator:
    """An indicator with the run and versions that made it."""

    run_id: str
    indicator: Indicator
    versions: Versions


def replace_results(
    connection: Connection, run_id: str, rows: Sequence[Indicator], quotes: Sequence[EvidenceRow], versions: Versions
) -> None:
    """All rows of a run in one transaction; a released run is immutable and refuses."""
    if connection.execute(select(releases.c.release_id).where(releases.c.run_id == run_id)).first():
        raise ReviewError(f"run {run_id} is released; released figures never change")
    for table in (indicators, evidence):
        connection.execute(delete(table).where(table.c.run_id == run_id))
    if rows:
        connection.execute(insert(indicators), [_indicator_row(run_id, row, versions) for row in rows])
    if quotes:
        connection.execute(insert(evidence), [_evidence_row(run_id, quote) for quote in quotes])


def list_indicators(
    connection: Connection, run_id: str, *, country: str | None = None, sectors: Sequence[str] | None = None
) -> list[PublishedIndicator]:
    """Indicators of a run, narrowed by country and sectors."""
    query = select(indicators).where(indicators.c.run_id == run_id)
    if country:
        query = query.where(indicators.c.country == country)
    if sectors is not None:
        query = query.where(indicators.c.sector.in_(sectors))
    query = query.order_by(indicators.c.country, indicators.c.sector)
    return [_published(dict(row)) for row in connection.execute(query).mappings()]


def list_evidence(
    connection: Connection,
    run_id: str,
    *,
    country: str | None = None,
    sector: str | None = None,
    label: str | None = None,
    limit: int = 50,
) -> list[EvidenceRow]:
    """Evidence of a run, most relevant first."""
    query = select(evidence).where(evidence.c.run_id == run_id)
    for column, value in ((evidence.c.country, country), (evidence.c.sector, sector)):
        if value:
            query = query.where(column == value)
    query = query.order_by(evidence.c.relevance.desc(), evidence.c.post_id)
    rows = (_evidence(dict(row)) for row in connection.execute(query).mappings())
    matching = [row for row in rows if label is None or label in row.signals]
    return matching[:limit]


def _indicator_row(run_id: str, row: Indicator, versions: Versions) -> dict[str, Any]:
    return {
        "run_id": run_id, "country": row.country, "sector": row.sector,
        "period_start_date": row.period_start, "period_end_date": row.period_end,
        "n_posts": row.n_posts, "n_relevant_posts": row.n_relevant_posts, "n_voices": row.n_voices,
        "n_positive_voices": row.n_positive_voices, "n_adverts": row.n_adverts, "n_undated": row.n_undated,
        "index_value": row.index, "index_low": row.index_low, "index_high": row.index_high,
        "band": row.band, "band_probability": row.band_probability, "suppression": row.suppression,
        "coverage": asdict(row.coverage), "labels": [asdict(label) for label in row.labels], "is_invented": row.invented,
        "methodology_version": versions.methodology, "model_version": versions.model,
        "taxonomy_version": versions.taxonomy, "config_sha256": versions.config_sha256, "code_version": versions.code,
    }  # fmt: skip


def _published(row: dict[str, Any]) -> PublishedIndicator:
    coverage = row["coverage"] | {key: tuple(row["coverage"][key]) for key in ("languages_seen", "languages_missing")}
    indicator = Indicator(
        country=row["country"], sector=row["sector"],
        period_start=row["period_start_date"], period_end=row["period_end_date"],
        n_posts=row["n_posts"], n_relevant_posts=row["n_relevant_posts"], n_voices=row["n_voices"], n_undated=row["n_undated"],
        index=row["index_value"], index_low=row["index_low"], index_high=row["index_high"],
        band=row["band"], band_probability=row["band_probability"],
        labels=tuple(LabelShare(**label) for label in row["labels"]), coverage=Coverage(**coverage),
        suppression=row["suppression"], n_positive_voices=row["n_positive_voices"], n_adverts=row["n_adverts"], invented=row["is_invented"],
    )  # fmt: skip
    versions = Versions(
        row["methodology_version"],
        row["model_version"],
        row["taxonomy_version"],
        row["config_sha256"],
        row["code_version"],
    )
    return PublishedIndicator(row["run_id"], indicator, versions)


def _evidence_row(run_id: str, quote: EvidenceRow) -> dict[str, Any]:
    values = asdict(quote)
    values["is_invented"] = values.pop("invented")
    return {"run_id": run_id, **values, "spans": list(quote.spans)}


def _evidence(row: dict[str, Any]) -> EvidenceRow:
    row.pop("run_id")
    return EvidenceRow(invented=row.pop("is_invented"), spans=tuple(row.pop("spans")), **row)

"""Questions to the results store, for CLI, API and dashboard alike: one place decides which run is current."""

from __future__ import annotations

from collections.abc import Sequence

from screener.codes import parse_country
from screener.errors import UsageError
from screener.pipeline.review import current_run
from screener.records import Indicator
from screener.risk import ReleaseInfo, RiskAnswer, answer, sectors_of_cpv
from screener.settings import Settings
from screener.store import results, reviews
from screener.store.database import Engine, reading


def ask_risk(
    engine: Engine, settings: Settings, *, countries: Sequence[str], sector: str | None = None, cpv: str | None = None
) -> list[RiskAnswer]:
    """Answers for each country and each sector behind the slug or CPV code, the highest index first."""
    if (sector is None) == (cpv is None):
        raise UsageError("give either a sector (--sector) or a CPV code (--cpv)")
    slugs = (settings.sector(sector).slug,) if sector else sectors_of_cpv(cpv or "", settings.sectors)
    matched_by = f"sector {sector}" if sector else f"CPV {cpv}"
    codes = [parse_country(country) for country in countries] or sorted(
        {w.country for w in settings.watches if w.sector in slugs}
    )
    run_id, release = current_run(engine)
    found = {(row.indicator.country, row.indicator.sector): row for row in current_indicators(engine)}
    answers = []
    for country in codes:
        for slug in slugs:
            row = found.get((country, slug))
            answers.append(
                answer(
                    row.indicator if row else None, country=country, sector=slug, matched_by=matched_by,
                    watched=settings.watch(country, slug) is not None, run_id=run_id, release=_info(release),
                    versions=row.versions if row else None,
                )
            )  # fmt: skip
    return sorted(answers, key=lambda a: (-(a.index if a.index is not None else -1.0), a.country, a.sector))


def current_indicators(engine: Engine) -> list[results.PublishedIndicator]:
    """All indicators of the current run; none before the first run."""
    run_id, _ = current_run(engine)
    if run_id is None:
        return []
    with reading(engine) as connection:
        return results.list_indicators(connection, run_id)


def current_indicator(engine: Engine, country: str, sector: str) -> results.PublishedIndicator | None:
    """The indicator of one cell in the current run."""
    found = [
        row for row in current_indicators(engine) if (row.indicator.country, row.indicator.sector) == (country, sector)
    ]
    return found[0] if found else None


def current_evidence(
    engine: Engine, *, country: str | None = None, sector: str | None = None, label: str | None = None, limit: int = 50
) -> list[results.EvidenceRow]:
    """Scrubbed evidence of the current run."""
    run_id, _ = current_run(engine)
    if run_id is None:
        return []
    with reading(engine) as connection:
        return results.list_evidence(connection, run_id, country=country, sector=sector, label=label, limit=limit)


def current_release(engine: Engine) -> ReleaseInfo | None:
    """The release that answers come from, ``None`` while there are only drafts."""
    return _info(current_run(engine)[1])


def ranked(indicators: Sequence[Indicator]) -> list[Indicator]:
    """Highest index first; cells without a figure last, by name."""
    return sorted(indicators, key=lambda i: (i.index is None, -(i.index or 0.0), i.country, i.sector))


def _info(release: reviews.Release | None) -> ReleaseInfo | None:
    if release is None:
        return None
    return ReleaseInfo(release.release_id, release.signed_by, release.released_at, release.content_sha256)

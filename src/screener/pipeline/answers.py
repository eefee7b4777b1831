"""Questions to the results store, for CLI, API and dashboard alike: one place decides which run is current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from screener.codes import parse_country
from screener.errors import UsageError
from screener.records import Indicator
from screener.risk import ReleaseInfo, RiskAnswer, answer, sectors_of_cpv
from screener.settings import Settings
from screener.store import results, reviews, runs
from screener.store.database import Engine, reading


@dataclass(frozen=True, slots=True)
class Current:
    """The figures that answers come from: the newest release, else the newest draft, read in one transaction."""

    run_id: str | None
    release: ReleaseInfo | None
    rows: tuple[results.PublishedIndicator, ...]

    def row(self, country: str, sector: str) -> results.PublishedIndicator | None:
        """The figures of one cell."""
        return next((r for r in self.rows if (r.indicator.country, r.indicator.sector) == (country, sector)), None)


def read_current(engine: Engine) -> Current:
    """The current figures; empty before the first run."""
    with reading(engine) as connection:
        release = reviews.latest_release(connection)
        if release:
            info = ReleaseInfo(release.release_id, release.signed_by, release.released_at, release.content_sha256)
            return Current(release.run_id, info, tuple(results.list_indicators(connection, release.run_id)))
        run = runs.latest_run(connection)
        rows = results.list_indicators(connection, run.run_id) if run else []
        return Current(run.run_id if run else None, None, tuple(rows))


def ask_risk(
    current: Current, settings: Settings, *, countries: Sequence[str], sector: str | None = None, cpv: str | None = None
) -> list[RiskAnswer]:
    """Answers for each country and each sector behind the slug or CPV code, the highest index first."""
    if (sector is None) == (cpv is None):
        raise UsageError("give either a sector (--sector) or a CPV code (--cpv)")
    slugs = (settings.sector(sector).slug,) if sector else sectors_of_cpv(cpv or "", settings.sectors)
    matched_by = f"sector {sector}" if sector else f"CPV {cpv}"
    codes = [parse_country(c) for c in countries] or sorted({w.country for w in settings.watches if w.sector in slugs})
    answers = [_answer(current, settings, country, slug, matched_by) for country in codes for slug in slugs]
    return sorted(answers, key=lambda a: (-(a.index if a.index is not None else -1.0), a.country, a.sector))


def _answer(current: Current, settings: Settings, country: str, sector: str, matched_by: str) -> RiskAnswer:
    row = current.row(country, sector)
    return answer(
        row.indicator if row else None, country=country, sector=sector, matched_by=matched_by,
        watched=settings.watch(country, sector) is not None, run_id=current.run_id, release=current.release,
        versions=row.versions if row else None,
    )  # fmt: skip


def read_evidence(
    engine: Engine,
    run_id: str | None,
    *,
    country: str | None = None,
    sector: str | None = None,
    label: str | None = None,
    limit: int = 50,
) -> list[results.EvidenceRow]:
    """Scrubbed evidence of a run, most relevant first."""
    if run_id is None:
        return []
    with reading(engine) as connection:
        return results.list_evidence(connection, run_id, country=country, sector=sector, label=label, limit=limit)


def ranked(indicators: Sequence[Indicator]) -> list[Indicator]:
    """Highest index first; cells without a figure last, by name."""
    return sorted(indicators, key=lambda i: (i.index is None, -(i.index or 0.0), i.country, i.sector))

"""Pure: what the overview shows, without markup. Rows are countries, columns sectors; a pair nobody watches stays blank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from screener.pipeline.answers import ranked
from screener.records import Coverage, Indicator
from screener.settings import Settings
from screener.words.language import Words

INSUFFICIENT = "insufficient_evidence"
NOT_COLLECTED = Coverage("none", 0, 0, 0, (), ())
RANKED_CELLS = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """A country or sector with its name, as columns, rows and filter options need it."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """A country with one indicator per column; ``None`` is a blank."""

    country: Choice
    cells: tuple[Indicator | None, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the overview page."""

    columns: tuple[Choice, ...]
    rows: tuple[Row, ...]
    top: tuple[Indicator, ...]
    countries: tuple[Choice, ...]
    sectors: tuple[Choice, ...]
    n_watched: int
    n_figures: int
    n_insufficient: int
    period_start: date | None
    period_end: date | None
    invented: bool


def build_overview(
    indicators: Sequence[Indicator], settings: Settings, words: Words, *, country: str | None, sector: str | None
) -> Overview:
    """The overview, narrowed to a country or sector; watched cells that no run has filled say *insufficient evidence*."""
    every = _with_watched(indicators, settings)
    names = {one.slug: words.of(one.name) for one in settings.sectors}
    shown = [cell for cell in every if country in (None, cell.country) and sector in (None, cell.sector)]
    columns = [Choice(slug, names[slug]) for slug in names if any(cell.sector == slug for cell in shown)]
    starts, ends = [c.period_start for c in every if c.period_start], [c.period_end for c in every if c.period_end]
    n_figures = sum(cell.index is not None for cell in every)
    return Overview(
        columns=tuple(columns), rows=tuple(_rows(shown, columns, words)),
        top=tuple(cell for cell in ranked(shown) if cell.index is not None)[:RANKED_CELLS],
        countries=countries_of((cell.country for cell in every), words), sectors=tuple(Choice(slug, name) for slug, name in names.items()),
        n_watched=len(settings.watches), n_figures=n_figures, n_insufficient=len(every) - n_figures,
        period_start=min(starts, default=None), period_end=max(ends, default=None), invented=any(cell.invented for cell in every),
    )  # fmt: skip


def empty_cell(country: str, sector: str) -> Indicator:
    """A cell for which nothing was collected."""
    return Indicator(
        country=country, sector=sector, period_start=None, period_end=None, n_posts=0, n_relevant_posts=None, n_voices=None, n_undated=0,
        index=None, index_low=None, index_high=None, band=INSUFFICIENT, band_probability=None, labels=(), coverage=NOT_COLLECTED,
        suppression="not-collected",
    )  # fmt: skip


def countries_of(codes: Iterable[str], words: Words) -> tuple[Choice, ...]:
    """Countries once each, by name."""
    return tuple(sorted((Choice(code, words.country(code)) for code in set(codes)), key=lambda choice: choice.name))


def _with_watched(indicators: Sequence[Indicator], settings: Settings) -> list[Indicator]:
    """Cells of configured sectors; one watched since the last run has no row yet and must not look unwatched."""
    known = {sector.slug for sector in settings.sectors}
    found = {(cell.country, cell.sector): cell for cell in indicators if cell.sector in known}
    missing = [(w.country, w.sector) for w in settings.watches if (w.country, w.sector) not in found]
    return [*found.values(), *(empty_cell(*key) for key in missing)]


def _rows(shown: Sequence[Indicator], columns: Sequence[Choice], words: Words) -> Iterable[Row]:
    by_key = {(cell.country, cell.sector): cell for cell in shown}
    for country in countries_of((cell.country for cell in shown), words):
        yield Row(country, tuple(by_key.get((country.code, column.code)) for column in columns))

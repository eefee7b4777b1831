"""Tables for people: reports of stages, indicators, answers."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from screener.cli.common import err, out
from screener.codes import country_name
from screener.records import UNSPECIFIED_SECTOR, Indicator, StageReport
from screener.risk import top_labels
from screener.settings import Settings

BAND_STYLE = {
    "low": "green",
    "elevated": "yellow",
    "high": "dark_orange",
    "severe": "red",
    "insufficient_evidence": "dim",
}


def print_report(report: StageReport, seconds: float) -> None:
    """One line a stage on stderr, and what it set aside or warns of."""
    counts = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in report.counts)
    err.print(f"{report.stage:16} {counts}  ({seconds:.1f} s)", highlight=False, soft_wrap=True)
    for reason, count in report.discards:
        err.print(f"{'':16} quarantine: {reason} {count:,}", style="yellow", highlight=False)
    for warning in report.warnings:
        err.print(f"{'':16} warning: {warning}", style="yellow", highlight=False, soft_wrap=True, markup=False)


_WIDE = 110
"""Columns of terminal from which the table also shows coverage, posts and the labels most told."""


def print_indicators(indicators: Sequence[Indicator], settings: Settings) -> None:
    """The risk table: cells with figures first, then those without enough evidence."""
    wide = out.width >= _WIDE
    table = Table(title="Risk indicators by country and sector (draft, not reviewed)", title_justify="left")
    for name in ("country", "sector", "index", "band", "voices", *(("posts", "coverage", "most told") if wide else ())):
        table.add_column(name, justify="right" if name in ("index", "voices", "posts") else "left")
    for indicator in indicators:
        table.add_row(*_cells(indicator, settings), *(_more(indicator) if wide else ()))
    if any(indicator.invented for indicator in indicators):
        out.print(
            "[bold]Demonstration:[/bold] these figures are made from invented posts and say nothing about the world."
        )
    out.print(table)


def _cells(indicator: Indicator, settings: Settings) -> tuple[str, ...]:
    style = BAND_STYLE[indicator.band]
    shown = indicator.index is not None
    return (
        country_name(indicator.country),
        sector_name(indicator.sector, settings),
        f"{indicator.index:.0f} ({indicator.index_low:.0f}–{indicator.index_high:.0f})" if shown else "–",
        f"[{style}]{indicator.band.replace('_', ' ')}[/{style}]"
        + ("" if shown else f" [dim]({(indicator.suppression or '').replace('-', ' ')})[/dim]"),
        f"{indicator.n_voices:,}" if indicator.n_voices is not None else "–",
    )


def _more(indicator: Indicator) -> tuple[str, ...]:
    told = ", ".join(label.label.replace("_", " ") for label in top_labels(indicator, 2))
    return f"{indicator.n_posts:,}", indicator.coverage.level, told


def sector_name(slug: str, settings: Settings, locale: str = "en") -> str:
    """The sector's name in the reader's language."""
    if slug == UNSPECIFIED_SECTOR:
        return {"en": "(sector not stated)", "sv": "(bransch ej angiven)"}[locale]
    return str(getattr(settings.sector(slug).name, locale))

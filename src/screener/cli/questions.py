"""``risk``: the question that procurement asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from screener.cli.common import (
    DEFAULT_WORKDIR,
    ConfigOption,
    Format,
    FormatOption,
    WorkdirOption,
    guarded,
    open_settings,
    open_workdir,
    out,
    print_json,
)
from screener.cli.tables import BAND_STYLE, sector_name
from screener.codes import country_name
from screener.risk import TEXTS, RiskAnswer
from screener.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(risk)


@guarded
def risk(
    country: Annotated[list[str] | None, typer.Option("--country", help="Country of origin (ISO 3166-1 alpha-2); may be given several times. Default: all watched.")] = None,
    sector: Annotated[str | None, typer.Option("--sector", help="Sector slug, e.g. poultry; `screener config show` lists them.")] = None,
    cpv: Annotated[str | None, typer.Option("--cpv", help="CPV code of what is bought, e.g. 33141420.")] = None,
    language: Annotated[str, typer.Option("--language", help="Language of names and caveats: en or sv.")] = "en",
    workdir: WorkdirOption = DEFAULT_WORKDIR, config: ConfigOption = None, output: FormatOption = Format.TABLE,
) -> None:  # fmt: skip
    """Answer: what is the risk for this sector or CPV code from these countries?"""
    from screener.errors import UnknownCodeError
    from screener.pipeline.answers import ask_risk
    from screener.pipeline.context import open_reader

    if language not in ("en", "sv"):
        raise UnknownCodeError("language of the answer", language, ["en", "sv"])
    settings = open_settings(config)
    with open_reader(settings, open_workdir(workdir)) as engine:
        answers = ask_risk(engine, settings, countries=country or [], sector=sector, cpv=cpv)
    if output is Format.JSON:
        print_json({"answers": answers, "caveats": {key: TEXTS[key][language] for a in answers for key in a.caveats}})
    else:
        _print(answers, settings, language)


def _print(answers: Sequence[RiskAnswer], settings: Settings, language: str) -> None:
    for number, found in enumerate(answers):
        if number:
            out.print()
        _print_one(found, settings, language)
    for key in dict.fromkeys(key for found in answers for key in found.caveats):
        out.print(f"[yellow]•[/yellow] {TEXTS[key][language]}", soft_wrap=True, highlight=False)


def _print_one(found: RiskAnswer, settings: Settings, language: str) -> None:
    band = found.band.replace("_", " ").upper()
    index = (
        f"  index {found.index:.0f} of 100 (95 % interval {found.index_low:.0f}–{found.index_high:.0f})"
        if found.index is not None
        else ""
    )
    place = f"{country_name(found.country, language)}, {sector_name(found.sector, settings, language)}"
    out.print(f"[bold]{place}[/bold] ({found.matched_by})", highlight=False)
    out.print(f"  [{BAND_STYLE[found.band]}]{band}[/{BAND_STYLE[found.band]}]{index}", highlight=False)
    voices = "voices withheld" if found.n_voices is None else f"{found.n_voices:,} voices"
    period = f"{found.period_start} to {found.period_end}" if found.period_start else "no period"
    coverage = found.coverage.level if found.coverage else "none"
    why = f", withheld: {found.suppression}" if found.suppression else ""
    out.print(f"  {voices} in {found.n_posts:,} posts, {period}, coverage {coverage}{why}", highlight=False)
    if found.top_labels:
        _print_labels(found, settings, language)


def _print_labels(found: RiskAnswer, settings: Settings, language: str) -> None:
    names = {label.id: str(getattr(label.name, language)) for label in settings.labels}
    table = Table(box=None, padding=(0, 2), show_header=False)
    for label in found.top_labels:
        table.add_row(
            names[label.label], f"{label.share:.0%}", f"({label.share_low:.0%}–{label.share_high:.0%} of voices)"
        )
    out.print(table)

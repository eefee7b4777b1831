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
from screener.words.language import Words


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
    from screener.pipeline.answers import ask_risk, read_current
    from screener.pipeline.context import open_reader

    if language not in ("en", "sv"):
        raise UnknownCodeError("language of the answer", language, ["en", "sv"])
    settings = open_settings(config)
    with open_reader(settings, open_workdir(workdir)) as engine:
        answers = ask_risk(read_current(engine), settings, countries=country or [], sector=sector, cpv=cpv)
    if output is Format.JSON:
        print_json({"answers": answers, "caveats": {key: TEXTS[key][language] for a in answers for key in a.caveats}})
    else:
        _print(answers, settings, Words(language))


def _print(answers: Sequence[RiskAnswer], settings: Settings, words: Words) -> None:
    told = [found for found in answers if "not_watched" not in found.caveats or found.index is not None]
    for found in told:
        _print_one(found, settings, words)
        out.print()
    if unwatched := [_place(found, settings, words) for found in answers if found not in told]:
        out.print(words.text("cli_unwatched", cells="; ".join(unwatched)), style="dim", highlight=False, soft_wrap=True)
    for key in dict.fromkeys(key for found in answers for key in found.caveats):
        out.print(f"[yellow]•[/yellow] {TEXTS[key][words.lang]}", soft_wrap=True, highlight=False)


def _place(found: RiskAnswer, settings: Settings, words: Words) -> str:
    return f"{country_name(found.country, words.lang)}, {sector_name(found.sector, settings, words.lang)}"


def _print_one(found: RiskAnswer, settings: Settings, words: Words) -> None:
    style = BAND_STYLE[found.band]
    band = f"[{style}]{words.text(f'band_{found.band}').upper()}[/{style}]"
    out.print(f"[bold]{_place(found, settings, words)}[/bold] ({found.matched_by})", highlight=False)
    out.print(f"  {band}  {_index(found, words)}".rstrip(), highlight=False)
    counts = {
        "posts": words.number(found.n_posts),
        "period": words.period(found.period_start, found.period_end),
        "coverage": words.text(f"coverage_{found.coverage.level if found.coverage else 'none'}"),
    }
    if found.n_voices is None:
        out.print("  " + words.text("cli_counts_withheld", **counts), highlight=False)
    else:
        out.print("  " + words.text("cli_counts", voices=words.number(found.n_voices), **counts), highlight=False)
    if found.top_labels:
        _print_labels(found, settings, words)


def _index(found: RiskAnswer, words: Words) -> str:
    if found.index is None or found.index_low is None or found.index_high is None:
        return ""
    index, low, high = (words.number(value) for value in (found.index, found.index_low, found.index_high))
    return words.text("cli_index", index=index, low=low, high=high)


def _print_labels(found: RiskAnswer, settings: Settings, words: Words) -> None:
    names = {label.id: words.of(label.name) for label in settings.labels}
    table = Table(box=None, padding=(0, 2), show_header=False)
    for label in found.top_labels:
        low, high = (words.percent(value or 0.0) for value in (label.share_low, label.share_high))
        table.add_row(
            names[label.label], words.percent(label.share or 0.0), words.text("cli_of_voices", low=low, high=high)
        )
    out.print(table)

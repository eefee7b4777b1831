"""``screener collect --plan``: what would be asked, of whom, at what cost; nothing is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from screener.cli.common import err, out, print_json, utc_now
from screener.collect.queries import cost_of
from screener.pipeline.housekeeping import kept_window
from screener.pipeline.sources import PlannedSource, plan, wanted_span
from screener.records import Span, Window
from screener.settings import Settings
from screener.settings.sources import ApiSource, FileSource, Source

_SHOWN = 40
"""Questions shown of each source; all stand in the JSON."""


def print_plan(
    settings: Settings, sources: Sequence[Source], country: str | None, asked_for: Window, *, as_json: bool
) -> None:
    """The plan of all sources as tables or as JSON."""
    now = utc_now()
    days = kept_window(settings, now)
    asked = [source for source in sources if isinstance(source, ApiSource)]
    spans = {source.name: wanted_span(source, days, now, asked_for=asked_for) for source in asked}
    planned = [plan(settings, source, spans[source.name], country) for source in asked]
    if as_json:
        print_json([_as_json(one, spans[one.source.name]) for one in planned])
        return
    for source in sources:
        if isinstance(source, FileSource):
            out.print(f"[bold]{source.name}[/bold]: files, read whole: {', '.join(source.paths)}", highlight=False)
    for one in planned:
        _print_source(one, spans[one.source.name])
    if planned:
        err.print(
            "Requests are the least: each further page is one more. What was covered before is not asked again.",
            highlight=False,
        )


def _print_source(one: PlannedSource, span: Span) -> None:
    if one.why_not:
        out.print(f"[bold]{one.source.name}[/bold]: not asked: {escape(one.why_not)}", highlight=False)
        return
    cost, limits = cost_of(one.queries, one.connector), one.source.limits
    quota = f", {cost.units_at_least:,} of {limits.max_units_per_day:,} units a day" if limits.max_units_per_day else ""
    out.print(
        f"[bold]{one.source.name}[/bold]: {cost.n_queries:,} queries, at least {cost.n_requests_at_least:,} of "
        f"{limits.max_requests_per_run:,} requests a run{quota}, {limits.seconds_between_requests:g} s apart; "
        f"{span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M} UTC",
        highlight=False,
    )
    if cost.n_requests_at_least > limits.max_requests_per_run:
        out.print("  [yellow]more than the budget of one run: the next runs go on with the rest[/yellow]")
    table = Table("watch", "language", "endpoint", "asked at", "words")
    for query in one.queries[:_SHOWN]:
        table.add_row(query.watch, query.language or "any", query.endpoint, escape(query.target), escape(query.words))
    out.print(table)
    if len(one.queries) > _SHOWN:
        out.print(f"  and {len(one.queries) - _SHOWN:,} more (--format json shows all)", highlight=False)
    counted = Counter(query.language or "any" for query in one.queries)
    told = ", ".join(f"{language} {count}" for language, count in counted.most_common())
    out.print(f"  by language: {told}\n", highlight=False)


def _as_json(one: PlannedSource, span: Span) -> dict[str, Any]:
    cost = cost_of(one.queries, one.connector)
    return {
        "source": one.source.name, "kind": one.source.kind, "not_asked": one.why_not, "since": span.start, "until": span.end,
        "n_queries": cost.n_queries, "n_requests_at_least": cost.n_requests_at_least, "units_at_least": cost.units_at_least,
        "max_requests_per_run": one.source.limits.max_requests_per_run, "max_units_per_day": one.source.limits.max_units_per_day,
        "queries": [
            {
                "endpoint": query.endpoint, "target": query.target, "country": query.country, "sector": query.sector,
                "language": query.language, "words": query.words,
            }
            for query in one.queries
        ],
    }  # fmt: skip

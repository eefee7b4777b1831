"""Pure: the posts and counts of each cell become its indicator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from screener.aggregate.coverage import NONE, THIN, measure_coverage, weeks_between
from screener.aggregate.estimate import (
    INSUFFICIENT,
    LOW,
    Levels,
    estimate_index,
    gravest,
    pooled_levels,
    share_interval,
)
from screener.aggregate.suppress import hides_label, suppression_reason
from screener.aggregate.voices import VoiceGroup, group_voices, speaking_posts
from screener.records import Indicator, LabelShare, ScreenedPost, Voice, Watch, Window
from screener.settings.schemas import AggregateSettings, LabelEntry

CellKey = tuple[str, str]
"""Country and sector."""
THIN_COVERAGE = "thin-coverage"
"""Why an index that would read *low* is withheld: under thin coverage it may only be silence."""


@dataclass(frozen=True, slots=True)
class CellCounts:
    """All posts of a cell, relevant or not: the denominator and what coverage needs."""

    n_posts: int = 0
    n_undated: int = 0
    n_sources: int = 0
    n_weeks_with_posts: int = 0
    languages: frozenset[str] = frozenset()
    invented: bool = False


@dataclass(frozen=True, slots=True)
class _Cell:
    key: CellKey
    counts: CellCounts
    posts: Sequence[ScreenedPost]
    voices: Sequence[VoiceGroup]
    label_counts: Mapping[str, int]
    severities: Sequence[float]
    """Of each voice the gravest severity it tells of."""


def build_indicators(
    counts: Mapping[CellKey, CellCounts], posts: Mapping[CellKey, Sequence[ScreenedPost]], *,
    watches: Sequence[Watch], labels: Sequence[LabelEntry], window: Window, settings: AggregateSettings,
) -> list[Indicator]:  # fmt: skip
    """One indicator per watched cell and per cell with posts, sorted; watched cells without posts say so."""
    expected = {(watch.country, watch.sector): watch.expected_languages for watch in watches}
    keys = sorted({*counts, *expected})
    severities = {label.id: label.severity for label in labels if label.violation}
    cells = [_cell(key, counts.get(key, CellCounts()), posts.get(key, ()), severities) for key in keys]
    prior = pooled_levels([severity for cell in cells for severity in cell.severities], severities)
    return [
        _indicator(cell, expected.get(cell.key, ()), prior, labels=labels, window=window, settings=settings)
        for cell in cells
    ]


def _cell(key: CellKey, counts: CellCounts, posts: Sequence[ScreenedPost], severities: Mapping[str, float]) -> _Cell:
    voices = group_voices(posts)
    told = Counter(label for voice in voices for label in voice.labels)
    return _Cell(key, counts, posts, voices, told, [gravest(voice.labels, severities) for voice in voices])


def _indicator(
    cell: _Cell,
    expected: Sequence[str],
    prior: Levels,
    *,
    labels: Sequence[LabelEntry],
    window: Window,
    settings: AggregateSettings,
) -> Indicator:
    counts, n_voices = cell.counts, len(cell.voices)
    n_relevant = sum(voice.n_posts for voice in cell.voices)
    speaking = speaking_posts(cell.posts)  # who advertises, or writes of other things, hides nobody
    authors = {post.post.author for post in speaking if post.post.author}
    sources = {post.post.source for post in speaking}
    reason = suppression_reason(
        n_posts=n_relevant, n_voices=n_voices, n_authors=len(authors), n_sources=len(sources), settings=settings
    )
    coverage = measure_coverage(
        n_posts=counts.n_posts, n_sources=counts.n_sources, n_weeks_with_posts=counts.n_weeks_with_posts,
        n_weeks=weeks_between(window.start, window.end), seen=counts.languages, expected=expected, rule=settings.coverage,
    )  # fmt: skip
    country, sector = cell.key
    base = Indicator(
        country=country, sector=sector, period_start=window.start, period_end=window.end, n_posts=counts.n_posts,
        n_relevant_posts=None, n_voices=None, n_undated=counts.n_undated, index=None, index_low=None, index_high=None,
        band=INSUFFICIENT, band_probability=None, labels=(), coverage=coverage, suppression=reason, invented=counts.invented,
    )  # fmt: skip
    return base if reason else _with_figures(base, cell, prior, n_relevant=n_relevant, labels=labels, settings=settings)


def _with_figures(
    base: Indicator,
    cell: _Cell,
    prior: Levels,
    *,
    n_relevant: int,
    labels: Sequence[LabelEntry],
    settings: AggregateSettings,
) -> Indicator:
    n_voices = len(cell.voices)
    n_positive = sum(voice.positive for voice in cell.voices)
    adverts = [p for p in cell.posts if p.classification.relevant and p.classification.voice == Voice.ADVERT]
    counted = replace(
        base, n_relevant_posts=n_relevant, n_voices=n_voices, n_adverts=len(adverts),
        labels=tuple(label_share(label.id, cell.label_counts.get(label.id, 0), n_voices, settings) for label in labels),
        n_positive_voices=None if hides_label(n_positive, settings) else n_positive,
    )  # fmt: skip
    estimate = estimate_index(cell.severities, prior=prior, cell="/".join(cell.key), settings=settings)
    if estimate.band == LOW and base.coverage.level in (NONE, THIN):
        return replace(counted, suppression=THIN_COVERAGE)
    return replace(
        counted, index=estimate.value, index_low=estimate.low, index_high=estimate.high,
        band=estimate.band, band_probability=estimate.band_probability,
    )  # fmt: skip


def label_share(label: str, n_label: int, n_voices: int, settings: AggregateSettings) -> LabelShare:
    """Share of the cell's voices that tell of the label, hidden where very few do."""
    if hides_label(n_label, settings):
        return LabelShare(label, None, None, None, None, suppressed=True)
    low, high = share_interval(n_label, n_voices)
    return LabelShare(label, n_label, round(n_label / n_voices, 4), round(low, 4), round(high, 4), suppressed=False)

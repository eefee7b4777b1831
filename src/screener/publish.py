"""Stage 5, pure: data assertions before anything is shown, and the choice of scrubbed evidence behind each cell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from screener.aggregate.indicators import THIN_COVERAGE
from screener.aggregate.voices import speaking_posts, text_key
from screener.errors import AssertionFailed
from screener.records import Indicator, ScreenedPost
from screener.scrub import scrub
from screener.settings.schemas import PublishSettings

EVIDENCE_PER_LABEL = 6
"""Snippets kept per cell and label: enough for an expert to see whether the label is meant, few enough to read."""


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What a run saw in all, for the assertions."""

    n_posts: int
    n_relevant: int
    n_undetermined: int


@dataclass(frozen=True, slots=True)
class Quote:
    """One scrubbed post behind one cell; ``spans`` are (label, start, end, found_by) in the scrubbed text."""

    post_id: str
    country: str
    sector: str
    language: str
    voice: str
    relevance: float
    text: str
    signals: tuple[tuple[str, float], ...]
    spans: tuple[tuple[str, int, int, str], ...]
    week: str | None
    invented: bool


def check_assertions(totals: RunTotals, settings: PublishSettings) -> tuple[str, ...]:
    """Warnings about a run that looks odd; raises ``AssertionFailed`` for one that is broken."""
    if totals.n_posts < settings.min_posts:
        raise AssertionFailed(
            f"only {totals.n_posts} posts in the lake, publish.min_posts is {settings.min_posts}: nothing published; "
            "see quarantine and gaps of the run (`screener db problems`)"
        )
    warnings = []
    for name, count, limit in (
        ("undetermined language", totals.n_undetermined, settings.max_share_undetermined),
        ("relevant posts", totals.n_relevant, settings.max_share_relevant),
    ):
        if (share := count / totals.n_posts) > limit:
            warnings.append(
                f"share of {name} is {share:.0%}, over the {limit:.0%} that is usual: has a source or the model changed?"
            )
    return tuple(warnings)


def choose_quotes(
    indicators: Sequence[Indicator], posts: Mapping[tuple[str, str], Sequence[ScreenedPost]]
) -> list[Quote]:
    """Evidence of the cells that are shown; a suppressed cell shows no text, for it could point at someone.

    A post that tells of a label hidden for its few voices is left out whole: counting such posts would tell the number.
    """
    quotes: list[Quote] = []
    for indicator in indicators:
        if indicator.suppression in (None, THIN_COVERAGE):
            cell = (indicator.country, indicator.sector)
            hidden = {share.label for share in indicator.labels if share.suppressed}
            quotes += [_quote(post, cell) for post in _strongest(posts.get(cell, ()), hidden)]
    return quotes


def _strongest(posts: Sequence[ScreenedPost], hidden: Collection[str]) -> list[ScreenedPost]:
    """Per label the posts with the highest probability, copies of a text once, adverts and hidden labels never."""
    distinct: dict[str, ScreenedPost] = {}
    for post in speaking_posts(sorted(posts, key=lambda p: p.post.post_id)):
        if not set(post.classification.flagged) & set(hidden):
            distinct.setdefault(text_key(post.post.text), post)
    chosen: dict[str, ScreenedPost] = {}
    for label in sorted({label for post in distinct.values() for label in post.classification.flagged}):
        telling = [post for post in distinct.values() if label in post.classification.flagged]
        telling.sort(key=lambda post: (-dict(post.classification.signals)[label], post.post.post_id))
        chosen.update({post.post.post_id: post for post in telling[:EVIDENCE_PER_LABEL]})
    return [chosen[key] for key in sorted(chosen)]


def _quote(screened: ScreenedPost, cell: tuple[str, str]) -> Quote:
    post, answer = screened.post, screened.classification
    scrubbed = scrub(post.text)
    spans = tuple((e.label, *scrubbed.move(e.start, e.end), e.found_by) for e in answer.evidence)
    week = "{}-W{:02d}".format(*post.created_at.isocalendar()[:2]) if post.created_at else None
    signals = tuple((label, probability) for label, probability in answer.signals if label in answer.flagged)
    return Quote(
        post.post_id,
        *cell,
        screened.language,
        str(answer.voice),
        answer.relevance,
        scrubbed.text,
        signals,
        spans,
        week,
        post.invented,
    )

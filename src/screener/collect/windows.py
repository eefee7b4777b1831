"""Pure: the algebra of half-open spans: what of a wanted stretch is still to be asked, and how a stretch is cut in two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from screener.records import Span

SHORTEST = timedelta(seconds=1)
"""Sources date posts to the second or finer; a shorter window can't be asked for."""


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same moments as fewest spans, in order; adjoining ones become one, empty ones go."""
    merged: list[Span] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def subtract(wanted: Span, taken: Iterable[Span]) -> list[Span]:
    """Stretches of ``wanted`` that no span of ``taken`` covers, in order."""
    rest: list[Span] = []
    start = wanted.start
    for span in merge(taken):
        if span.start >= wanted.end:
            break
        if span.start > start:
            rest.append(Span(start, span.start))
        start = max(start, span.end)
    if start < wanted.end:
        rest.append(Span(start, wanted.end))
    return rest


def still_trusted(done: Iterable[Span], overlap: timedelta) -> list[Span]:
    """Done spans less the ``overlap`` before the end of the last one: sources index some posts late, so that much is asked again."""
    merged = merge(done)
    if not merged:
        return []
    until = merged[-1].end - overlap
    return merge(Span(span.start, min(span.end, until)) for span in merged if span.start < until)


def halve(span: Span) -> tuple[Span, Span] | None:
    """Older and newer half, cut at a whole second; ``None`` if it is too short to be cut."""
    if span.end - span.start < 2 * SHORTEST:
        return None
    middle = (span.start + (span.end - span.start) / 2).replace(microsecond=0)
    if not span.start < middle < span.end:
        return None
    return Span(span.start, middle), Span(middle, span.end)


def covers(done: Sequence[Span], wanted: Span) -> bool:
    """True if no moment of ``wanted`` is missing."""
    return not subtract(wanted, done)

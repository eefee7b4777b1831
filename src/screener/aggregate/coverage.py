"""Pure: how much of what workers say could have reached us in a cell. Silence is not safety."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from screener.records import UNDETERMINED, Coverage
from screener.settings.schemas import CoverageRule

NONE, THIN, PARTIAL, GOOD = "none", "thin", "partial", "good"
LEVELS = (NONE, THIN, PARTIAL, GOOD)


def weeks_between(start: date | None, end: date | None) -> int:
    """Number of ISO weeks that ``[start, end)`` touches; 0 if either side is open."""
    if start is None or end is None or end <= start:
        return 0
    first = start - timedelta(days=start.weekday())
    return ((end - timedelta(days=1)) - first).days // 7 + 1


def measure_coverage(
    *,
    n_posts: int,
    n_sources: int,
    n_weeks_with_posts: int,
    n_weeks: int,
    seen: Collection[str],
    expected: Sequence[str],
    rule: CoverageRule,
) -> Coverage:
    """Coverage with its level; a cell that is not watched expects no language, so it can't be better than partial."""
    missing = tuple(code for code in expected if code not in seen)
    share_weeks = n_weeks_with_posts / n_weeks if n_weeks else 0.0
    return Coverage(
        level=_level(n_posts, n_sources, share_weeks, missing, expected, rule),
        n_sources=n_sources,
        n_weeks_with_posts=n_weeks_with_posts,
        n_weeks=n_weeks,
        languages_seen=tuple(sorted(code for code in seen if code != UNDETERMINED)),
        languages_missing=missing,
    )


def _level(
    n_posts: int,
    n_sources: int,
    share_weeks: float,
    missing: Sequence[str],
    expected: Sequence[str],
    rule: CoverageRule,
) -> str:
    if n_posts == 0:
        return NONE
    none_heard = bool(expected) and len(missing) == len(expected)
    if n_posts < rule.min_posts or share_weeks < rule.min_share_weeks or none_heard:
        return THIN
    if expected and not missing and n_sources >= rule.good_sources and share_weeks >= rule.good_share_weeks:
        return GOOD
    return PARTIAL

"""Pure: what must not be shown because too few people stand behind it."""

from __future__ import annotations

from screener.settings.schemas import AggregateSettings


def suppression_reason(
    *, n_posts: int, n_voices: int, n_authors: int, n_sources: int, settings: AggregateSettings
) -> str | None:
    """Why a cell's figures are withheld, ``None`` if they may be shown.

    Authors count only where the sources give any: a source without authors is covered by the floor on voices.
    """
    if n_posts < settings.min_posts:
        return "too-few-posts"
    if n_voices < settings.min_voices:
        return "too-few-voices"
    if 0 < n_authors < settings.min_authors:
        return "too-few-authors"
    if n_sources < settings.min_sources:
        return "too-few-sources"
    return None


def hides_label(n_label: int, settings: AggregateSettings) -> bool:
    """True if the label's count is so small that it could point at someone; zero points at nobody."""
    return 0 < n_label < settings.min_label_voices

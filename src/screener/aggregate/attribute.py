"""Pure: which cell a post speaks of, with basis and confidence; it abstains when unsure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from screener.matching import PhraseIndex
from screener.records import UNSPECIFIED_SECTOR, Attribution
from screener.settings.schemas import Sector

_BY_TERMS = 0.7
"""Confidence of an attribution by the sector's terms: a judgement, not yet measured; it is stored, and no figure uses it."""


class SectorTerms:
    """Finds sectors that a text names, in any language."""

    def __init__(self, sectors: Iterable[Sector]) -> None:
        self._index = PhraseIndex(
            {sector.slug: [t for terms in sector.terms.values() for t in terms] for sector in sectors}
        )

    def find_many(self, texts: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Sectors named in each text, sorted."""
        for matches in self._index.find_many(texts):
            yield tuple(sorted({match.key for match in matches}))


def attribute(country: str | None, sector: str | None, named: Sequence[str]) -> tuple[Attribution, ...]:
    """Cells of a post that came with ``country`` and ``sector`` (from the watch or the record) and names sectors.

    Without a country there is no cell. A post may speak of several sectors; it is then counted in each.
    """
    if country is None:
        return ()
    if sector is not None:
        return (Attribution(country, sector, "watch", 1.0),)
    if named:
        return tuple(Attribution(country, slug, "terms", _BY_TERMS) for slug in named)
    return (Attribution(country, UNSPECIFIED_SECTOR, "country", 1.0),)

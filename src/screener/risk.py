"""Pure: what a buyer is told about a country and a sector or CPV code, with what the figure can't say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from screener.errors import UnknownCodeError, UsageError
from screener.records import Coverage, Indicator, LabelShare, Versions
from screener.settings.schemas import Sector

TOP_LABELS = 5


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """Which release an answer comes from; ``None`` in its place means an unreviewed draft."""

    release_id: str
    signed_by: str
    released_at: datetime
    content_sha256: str


@dataclass(frozen=True, slots=True)
class RiskAnswer:
    """The answer about one cell. ``caveats`` are keys of texts in ``TEXTS``; the index is 0..100 or ``None``."""

    country: str
    sector: str
    matched_by: str
    band: str
    band_probability: float | None
    index: float | None
    index_low: float | None
    index_high: float | None
    n_posts: int
    n_voices: int | None
    period_start: date | None
    period_end: date | None
    top_labels: tuple[LabelShare, ...]
    coverage: Coverage | None
    suppression: str | None
    caveats: tuple[str, ...]
    invented: bool
    run_id: str | None
    release: ReleaseInfo | None
    versions: Versions | None


TEXTS = {
    "draft": {
        "en": "Draft: no expert has signed off these figures.",
        "sv": "Utkast: inga experter har godkänt dessa siffror.",
    },
    "invented": {
        "en": "Demonstration: made from invented posts; says nothing about the world.",
        "sv": "Demonstration: bygger på påhittade inlägg och säger ingenting om verkligheten.",
    },
    "silence": {
        "en": "Insufficient evidence is not low risk: silence can mean that workers cannot speak, or that we do not hear them.",
        "sv": "Otillräckligt underlag är inte låg risk: tystnad kan betyda att arbetstagare inte kan tala eller att vi inte hör dem.",
    },
    "coverage": {
        "en": "Coverage is thin: few posts, weeks or languages reached us.",
        "sv": "Täckningen är tunn: få inlägg, veckor eller språk har nått oss.",
    },
    "not_watched": {
        "en": "This country and sector are not on the watchlist; nothing was searched for.",
        "sv": "Landet och branschen bevakas inte; ingen sökning har gjorts.",
    },
    "uncorrected": {
        "en": "Shares are of voices that spoke about work, not of all workers, and are not corrected for the classifier's errors.",
        "sv": "Andelarna avser röster som talat om arbete, inte alla arbetstagare, och är inte korrigerade för klassificerarens fel.",
    },
}
"""What a figure can't say, in both languages of the product."""


def sectors_of_cpv(code: str, sectors: Sequence[Sector]) -> tuple[str, ...]:
    """Sectors behind a CPV code (Regulation (EC) No 213/2008): those listed at or above it, else those below it.

    ``33140000-3`` and ``33140000`` are the same code; trailing zeros are the hierarchy, so a class asks for its parts.
    """
    digits = code.strip().partition("-")[0].replace(" ", "")
    if not re.fullmatch(r"\d{8}", digits):
        raise UsageError(
            f"--cpv '{code}': a CPV code has eight digits, e.g. 33140000 (a check digit after a hyphen is fine)"
        )
    stem = _stem(digits)
    above = [
        (len(_stem(listed)), sector.slug)
        for sector in sectors
        for listed in sector.cpv
        if stem.startswith(_stem(listed))
    ]
    if above:
        longest = max(length for length, _ in above)
        return tuple(sorted({slug for length, slug in above if length == longest}))
    below = {sector.slug for sector in sectors for listed in sector.cpv if _stem(listed).startswith(stem)}
    if not below:
        legal = sorted({listed for sector in sectors for listed in sector.cpv})
        raise UnknownCodeError("CPV code (no watched sector lies at, above or below it)", digits, legal)
    return tuple(sorted(below))


def _stem(digits: str) -> str:
    """A CPV code without the zeros that only fill it up; a division keeps its two digits."""
    return digits[:2] + digits[2:].rstrip("0")


def answer(
    indicator: Indicator | None, *, country: str, sector: str, matched_by: str, watched: bool, run_id: str | None,
    release: ReleaseInfo | None, versions: Versions | None,
) -> RiskAnswer:  # fmt: skip
    """The answer for one cell; without an indicator it says *insufficient evidence*, never *low*."""
    if indicator is None:
        return RiskAnswer(
            country, sector, matched_by, "insufficient_evidence", None, None, None, None, 0, None, None, None, (), None, "not-collected",
            _caveats(None, watched=watched, released=release is not None), False, run_id, release, versions,
        )  # fmt: skip
    return RiskAnswer(
        country, sector, matched_by, indicator.band, indicator.band_probability, indicator.index, indicator.index_low, indicator.index_high,
        indicator.n_posts, indicator.n_voices, indicator.period_start, indicator.period_end, top_labels(indicator), indicator.coverage,
        indicator.suppression, _caveats(indicator, watched=watched, released=release is not None), indicator.invented, run_id, release, versions,
    )  # fmt: skip


def top_labels(indicator: Indicator, limit: int = TOP_LABELS) -> tuple[LabelShare, ...]:
    """Labels told by the largest shares of voices, those hidden or never told left out."""
    shown = [label for label in indicator.labels if label.share]
    return tuple(sorted(shown, key=lambda label: (-(label.share or 0.0), label.label))[:limit])


def _caveats(indicator: Indicator | None, *, watched: bool, released: bool) -> tuple[str, ...]:
    found = []
    if indicator is not None and indicator.invented:
        found.append("invented")
    if not released:
        found.append("draft")
    if indicator is None or indicator.index is None:
        found.append("silence")
    elif indicator.coverage.level == "thin":
        found.append("coverage")
    if not watched:
        found.append("not_watched")
    return (*found, "uncorrected")

"""Pure: shares with intervals, the index with its interval and band. Formulas and reasons: ``docs/methodology.md``."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.settings.schemas import AggregateSettings, Bands

LOW, ELEVATED, HIGH, SEVERE = "low", "elevated", "high", "severe"
INSUFFICIENT = "insufficient_evidence"
BANDS = (LOW, ELEVATED, HIGH, SEVERE)
_MIN_PRIOR_MEAN = 0.001
"""A label that nobody told anywhere still gets a prior above zero, else its posterior would be undefined."""


@dataclass(frozen=True, slots=True)
class IndexEstimate:
    """Index 0..100 with 95 % interval, its band, and the probability of that band."""

    value: float
    low: float
    high: float
    band: str
    band_probability: float


def share_interval(n_label: int, n_voices: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Wilson 1927; Brown, Cai and DasGupta 2001 recommend it for small n)."""
    if n_voices <= 0:
        return 0.0, 1.0
    from scipy.stats import binomtest

    interval = binomtest(n_label, n_voices).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def pooled_shares(
    counts: Sequence[Mapping[str, int]], voices: Sequence[int], labels: Sequence[str]
) -> dict[str, float]:
    """Share of each label over all voices of all cells: what a cell is shrunk towards."""
    total = max(sum(voices), 1)
    return {label: max(sum(count.get(label, 0) for count in counts) / total, _MIN_PRIOR_MEAN) for label in labels}


def estimate_index(
    counts: Mapping[str, int],
    n_voices: int,
    *,
    severities: Mapping[str, float],
    prior: Mapping[str, float],
    cell: str,
    settings: AggregateSettings,
) -> IndexEstimate:
    """Severity-weighted union of label shares: ``100 * (1 - prod(1 - severity * share))``.

    Shares are posterior Beta draws whose prior is the pooled share with the weight of ``prior_strength_voices``; the
    seed depends on the cell's name only, so order and number of cells change nothing.
    """
    rng = np.random.default_rng([settings.seed, zlib.crc32(cell.encode())])
    missed = np.ones(settings.draws)
    for label in sorted(severities):
        strength, mean = settings.prior_strength_voices, min(prior[label], 1 - _MIN_PRIOR_MEAN)
        n_label = counts.get(label, 0)
        share = rng.beta(strength * mean + n_label, strength * (1 - mean) + n_voices - n_label, settings.draws)
        missed *= 1 - severities[label] * share
    return _summarise(100 * (1 - missed), settings.bands)


def _summarise(draws: NDArray[np.float64], bands: Bands) -> IndexEstimate:
    value = round(float(np.median(draws)), 1)  # rounded first, so that the band is that of the figure shown
    low, high = (float(q) for q in np.quantile(draws, [0.025, 0.975]))
    edges = np.array([bands.elevated, bands.high, bands.severe])
    band = int(np.searchsorted(edges, value, side="right"))
    probability = float(np.mean(np.searchsorted(edges, draws, side="right") == band))
    return IndexEstimate(value, round(low, 1), round(high, 1), BANDS[band], round(probability, 2))

"""Pure: shares with intervals, the index with its interval and band. Formulas and reasons: ``docs/methodology.md``."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.settings.schemas import AggregateSettings, Bands

LOW, ELEVATED, HIGH, SEVERE = "low", "elevated", "high", "severe"
INSUFFICIENT = "insufficient_evidence"
BANDS = (LOW, ELEVATED, HIGH, SEVERE)
_MIN_PRIOR = 0.001
"""A level that nobody reached anywhere still gets a prior above zero, else its posterior would be undefined."""
Levels = Mapping[float, float]
"""Severity level 0..1 -> share of voices whose gravest told violation has it; 0 is for voices that tell of none."""


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


def gravest(labels: Collection[str], severities: Mapping[str, float]) -> float:
    """Severity of the gravest violation that a voice tells of; 0 if it tells of none."""
    return max((severities[label] for label in labels if label in severities), default=0.0)


def pooled_levels(voices: Sequence[float], severities: Mapping[str, float]) -> dict[float, float]:
    """Share of each level over all voices of all cells: what a cell is shrunk towards."""
    counts = Counter(voices)
    levels = sorted({0.0, *severities.values(), *counts})
    return {level: max(counts[level] / max(len(voices), 1), _MIN_PRIOR) for level in levels}


def estimate_index(voices: Sequence[float], *, prior: Levels, cell: str, settings: AggregateSettings) -> IndexEstimate:
    """100 times the mean, over the cell's voices, of the gravest severity each tells of.

    The shares of the levels are Dirichlet draws: the cell's counts on top of the pooled shares, which weigh
    ``prior_strength_voices``. The seed depends on the cell's name only, so order and number of cells change nothing.
    """
    rng = np.random.default_rng([settings.seed, zlib.crc32(cell.encode())])
    counts, levels = Counter(voices), sorted({*prior, *voices})
    weights = [counts[level] + settings.prior_strength_voices * prior.get(level, _MIN_PRIOR) for level in levels]
    draws: NDArray[np.float64] = rng.dirichlet(weights, settings.draws) @ np.array(levels)
    return _summarise(100 * draws, settings.bands)


def _summarise(draws: NDArray[np.float64], bands: Bands) -> IndexEstimate:
    value = round(float(np.median(draws)), 1)  # rounded first, so that the band is that of the figure shown
    low, high = (float(q) for q in np.quantile(draws, [0.025, 0.975]))
    edges = np.array([bands.elevated, bands.high, bands.severe])
    band = int(np.searchsorted(edges, value, side="right"))
    probability = float(np.mean(np.searchsorted(edges, draws, side="right") == band))
    return IndexEstimate(value, round(low, 1), round(high, 1), BANDS[band], round(probability, 2))

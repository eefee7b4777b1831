"""Measures that several stages report."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def calibration_error(truth: NDArray[np.bool_], probability: NDArray[np.float64], bins: int = 10) -> float:
    """Expected calibration error over equal-width bins (Naeini, Cooper and Hauskrecht 2015)."""
    bucket = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(truth[bucket == b].mean() - probability[bucket == b].mean()) * (bucket == b).mean()
        for b in range(bins)
        if (bucket == b).any()
    ]
    return float(sum(gaps))

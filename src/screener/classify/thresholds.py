"""Pure: thresholds from scores of posts the model did not see, and what a threshold costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.classify.calibrate import Calibration
from screener.classify.decide import DEFAULT
from screener.classify.known import Matrix
from screener.classify.labelled import INVENTED, LabelledPost
from screener.classify.outputs import POSITIVE, RELEVANT

MIN_PRECISION = 0.5
"""A label that is wrong more often than right is no evidence."""
_MIN_CASES = 15
_GRID = np.round(np.arange(0.05, 0.96, 0.01), 2)


@dataclass(frozen=True, slots=True)
class Choice:
    """What happens at one threshold: counts and what they cost, in units of one missed post."""

    threshold: float
    n_found: int
    precision: float
    recall: float
    f1: float
    cost: float


def weigh(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], threshold: float, false_alarm_cost: float = 1.0
) -> Choice:
    """Precision, recall, F1 and cost at a threshold; a missed post costs 1, a false alarm ``false_alarm_cost``."""
    found = scores >= threshold
    hits, n_found, n_true = int((found & truth).sum()), int(found.sum()), int(truth.sum())
    return Choice(
        float(threshold),
        n_found,
        hits / max(n_found, 1),
        hits / max(n_true, 1),
        2 * hits / max(n_found + n_true, 1),
        (n_true - hits) + false_alarm_cost * (n_found - hits),
    )


def choose_threshold(
    scores: NDArray[np.float64], truth: NDArray[np.bool_], real: NDArray[np.bool_], *, lowest: bool = False
) -> float:
    """A threshold with about the highest F1 (half a point less at most) among those precise enough; one half for under 15 cases.

    Of the unbroken stretch of good thresholds around the best it is the middle, which is steadier than the highest point, or
    the ``lowest``. Judged on the real posts where they hold 15 cases, since those are what is screened, else on all posts.
    """
    rows = real if (truth & real).sum() >= _MIN_CASES else np.ones_like(real)
    if truth[rows].sum() < _MIN_CASES:
        return 0.5
    choices = [weigh(scores[rows], truth[rows], threshold) for threshold in _GRID.tolist()]
    precise = [choice for choice in choices if choice.precision >= MIN_PRECISION] or choices[-1:]
    best = max(precise, key=lambda choice: choice.f1)
    good = {choice.threshold for choice in precise if choice.f1 >= best.f1 - 0.005}
    stretch = _stretch(_GRID.tolist(), best.threshold, good)
    return stretch[0] if lowest else stretch[(len(stretch) - 1) // 2]


def _stretch(grid: list[float], best: float, good: set[float]) -> list[float]:
    """The unbroken stretch of good thresholds around the best."""
    first = last = grid.index(best)
    while first > 0 and grid[first - 1] in good:
        first -= 1
    while last < len(grid) - 1 and grid[last + 1] in good:
        last += 1
    return grid[first : last + 1]


def choose_thresholds(
    posts: Sequence[LabelledPost], logits: Matrix, calibration: Calibration
) -> dict[str, dict[str, float]]:
    """Default thresholds by name; signals are judged on posts that are taken for relevant, as they are shown.

    Of thresholds of relevance that do about as well the lowest is taken: what is missed there is lost to every other question.
    """
    languages = [post.language for post in posts]
    real = np.array([post.source != INVENTED for post in posts])
    relevance = calibration.probability("relevance", logits[:, RELEVANT], languages)
    relevant = np.array([post.relevant for post in posts])
    chosen = {"relevance": choose_threshold(relevance, relevant, real, lowest=True)}
    shown = relevance >= chosen["relevance"]
    positive = calibration.probability("positive", logits[:, POSITIVE], languages)
    chosen["positive"] = choose_threshold(positive * shown, np.array([post.positive for post in posts]), real)
    signals = calibration.signals(logits, languages)
    for number, label in enumerate(calibration.labels):
        truth = np.array([label in post.signals for post in posts])
        chosen[label] = choose_threshold(signals[:, number] * shown, truth, real)
    return {name: {DEFAULT: value} for name, value in chosen.items()}

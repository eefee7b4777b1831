"""Pure: is one model better than another on the same posts, and where is it worse? Paired bootstrap (Efron and Tibshirani 1993)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.classify.labelled import LabelledPost
from screener.records import Classification

_MIN_CASES = 10
"""Labels and languages with fewer true cases are left out: their intervals would span everything."""


@dataclass(frozen=True, slots=True)
class Difference:
    """F1 of two models on the same posts, their difference and its 95% interval."""

    name: str
    n: int
    first: float
    second: float
    difference: float
    low: float
    high: float
    verdict: str
    """``better`` or ``worse`` where the interval leaves out 0, else ``can't say``."""


def paired_bootstrap(
    posts: Sequence[LabelledPost],
    first: Sequence[Classification],
    second: Sequence[Classification],
    labels: Sequence[str],
    *,
    draws: int = 2000,
    seed: int = 0,
) -> list[Difference]:
    """Differences for relevance, all signals together, each label and each language; both models get the same drawn posts."""
    random = np.random.default_rng(seed)
    counts = random.multinomial(len(posts), np.full(len(posts), 1 / len(posts)), size=draws).astype(np.float32)
    truth = np.array([[post.relevant, *(label in post.signals for label in labels)] for post in posts], dtype=bool)
    found = [
        np.array([[answer.relevant, *(label in answer.flagged for label in labels)] for answer in answers], dtype=bool)
        for answers in (first, second)
    ]
    languages = np.array([post.language for post in posts])
    everything = np.ones(len(posts), dtype=bool)
    wanted = [("relevance", everything, slice(0, 1)), ("signals (micro)", everything, slice(1, None))]
    wanted += [(label, everything, slice(number, number + 1)) for number, label in enumerate(labels, start=1)]
    wanted += [(str(code), languages == code, slice(0, 1)) for code in np.unique(languages)]
    rows = []
    for name, chosen, columns in wanted:
        n_true = int(truth[chosen][:, columns].sum())
        if n_true >= _MIN_CASES:
            inside = chosen[:, None]
            one, two = (_f1(counts, truth[:, columns] & inside, f[:, columns] & inside) for f in found)
            once = np.ones((1, len(posts)), dtype=np.float32)
            a, b = (float(_f1(once, truth[:, columns] & inside, f[:, columns] & inside)[0]) for f in found)
            low, high = (float(limit) for limit in np.quantile(two - one, [0.025, 0.975]))
            rows.append(Difference(name, n_true, a, b, b - a, low, high, _verdict(low, high)))
    return rows


def _verdict(low: float, high: float) -> str:
    return "better" if low > 0 else "worse" if high < 0 else "can't say"


def _f1(counts: NDArray[np.float32], truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> NDArray[np.float64]:
    """F1 for each row of counts, which say how often each post was drawn."""
    hits = counts @ (truth & found).sum(axis=1).astype(np.float32)
    total = counts @ (truth.sum(axis=1) + found.sum(axis=1)).astype(np.float32)
    score: NDArray[np.float64] = 2 * hits / np.maximum(total, 1)
    return score

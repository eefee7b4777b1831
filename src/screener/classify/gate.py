"""The gates drop most of a stream before the full encoder reads it: first the wording (``wording.py``), then a small encoder.

The small encoder is a distilled student: it learns from what the full model says of many posts, so it needs no labels of
its own and keeps what the full model would keep. It reads the full encoder's own tokens, so tokenising is paid for once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from screener.classify.encoder import GraphRunner

LAYERS = 2
TOKENS = 64
"""Tokens of a post that the gate reads: a quarter of what the encoder reads, which most posts don't fill."""
KEEPS = 0.99
"""Share of the posts found relevant by the full model that both gates together must keep where they are chosen (bar: 97%). At 98.5%
the parallel posts lost two points of F1 more, in the languages with the fewest training posts; a gate must not decide that."""
WORDING_KEEPS = 0.99
"""Share that the wording keeps of what the second gate learns from: what is dropped at once needs no learning."""
_GATE_COST = 0.2
"""Time that the second gate takes for a post, in that of the encoder."""
ANY_WORDING = -1e6
"""Log-odds that no wording is under."""


def gate_probabilities(runner: GraphRunner, tokens: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """How likely the full model finds each post relevant."""
    logits = runner.logits([ids[:TOKENS] for ids in tokens])[:, 0].astype(np.float64)
    odds: NDArray[np.float64] = 1 / (1 + np.exp(-logits))
    return odds


def choose_gate(scores: NDArray[np.floating], flagged: NDArray[np.bool_], keeps: float, *, otherwise: float) -> float:
    """The highest threshold that keeps enough of what is flagged; ``otherwise``, which passes everything, where nothing is."""
    if not flagged.any():
        return otherwise
    lowest = float(np.quantile(scores[flagged].astype(np.float64), 1 - keeps, method="lower"))
    return min(float(np.floor(1e5 * lowest)) / 1e5, lowest)


def choose_gates(
    wording: NDArray[np.floating], scores: NDArray[np.float64], flagged: NDArray[np.bool_], keeps: float
) -> tuple[float, float]:
    """Of the pairs of thresholds that keep enough of what is flagged the one that costs least time; the lowest where nothing is.

    ``scores`` are the second gate's, 0 or more for all posts.
    """
    best, least = (ANY_WORDING, 0.0), np.inf
    if not flagged.any():
        return best
    for share in np.linspace(keeps, 1, 21):
        limit = choose_gate(wording, flagged, float(share), otherwise=ANY_WORDING)
        likely = wording >= limit
        threshold = max(choose_gate(np.where(likely, scores, -1), flagged, keeps, otherwise=0.0), 0.0)
        cost = _GATE_COST * likely.mean() + (likely & (scores >= threshold)).mean()
        if cost < least:
            best, least = (limit, threshold), cost
    return best


def measure_gate(scores: NDArray[np.float64], flagged: NDArray[np.bool_], threshold: float) -> dict[str, float]:
    """What the gates keep and pass on posts that chose nothing; empty where no post is flagged."""
    if not flagged.any() or flagged.all():
        return {}
    kept = scores >= threshold
    return {
        "n": len(scores),
        "n_flagged": int(flagged.sum()),
        "keeps_of_full_model": float(kept[flagged].mean()),
        "passes_of_irrelevant": float(kept[~flagged].mean()),
    }

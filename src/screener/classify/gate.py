"""The gate: an encoder of two layers that drops most of a stream before the full one reads it.

A distilled student: it learns from what the full model says of many posts, so it needs no labels of its own and keeps
what the full model would keep. It reads the full encoder's own tokens, so tokenising is paid for once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from screener.classify.encoder import GraphRunner, Reader
from screener.classify.packaged import PackagedE5

if TYPE_CHECKING:
    from collections.abc import Callable

LAYERS = 2
TOKENS = 64
"""Tokens of a post that the gate reads: half of what the encoder reads, at half the time for long posts."""
KEEPS = 0.98
"""Share of the posts found relevant by the full model that the gate must keep (bar: 97%), with a point of room."""
_HELD_OUT = 5
"""Every fifth post of the stream is not learned from: one half of these chooses the threshold, the other measures the gate."""


@dataclass(frozen=True)
class Distilled:
    """A trained gate: its graph, its threshold, and what it did on posts that it did not learn from."""

    graph: bytes
    threshold: float
    measured: dict[str, float]


def gate_probabilities(runner: GraphRunner, tokens: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """How likely the full model finds each post relevant."""
    logits = runner.logits([ids[:TOKENS] for ids in tokens])[:, 0].astype(np.float64)
    odds: NDArray[np.float64] = 1 / (1 + np.exp(-logits))
    return odds


def distil_gate(
    tokens: Sequence[Sequence[int]],
    relevance: NDArray[np.float64],
    flagged: NDArray[np.bool_],
    n_own: int,
    reader: Reader,
    packaged: PackagedE5,
    progress: Callable[[str, int], None] = lambda what, n: None,
) -> Distilled:
    """Train on the labelled posts (the first ``n_own``) and four fifths of the stream, measure on the rest."""
    from screener.classify.finetune import Recipe, distil

    held = np.zeros(len(tokens), dtype=bool)
    held[n_own::_HELD_OUT] = True
    short = [ids[:TOKENS] for ids in tokens]
    learned = np.flatnonzero(~held).tolist()
    recipe = Recipe(epochs=1, batch=64, rate=2e-4, head_rate=2e-3)
    graph = distil([short[row] for row in learned], relevance[learned].tolist(), packaged, recipe, layers=LAYERS, progress=progress)  # fmt: skip
    scores = gate_probabilities(reader.runner(graph), [tokens[row] for row in np.flatnonzero(held).tolist()])
    threshold = choose_gate(scores[::2], flagged[held][::2])
    return Distilled(graph, threshold, measure_gate(scores[1::2], flagged[held][1::2], threshold))


def choose_gate(scores: NDArray[np.float64], flagged: NDArray[np.bool_]) -> float:
    """The highest threshold that keeps enough of what is flagged; 0, which passes everything, where nothing is."""
    if not flagged.any():
        return 0.0
    return float(np.floor(1e5 * np.quantile(scores[flagged], 1 - KEEPS, method="lower")) / 1e5)


def measure_gate(scores: NDArray[np.float64], flagged: NDArray[np.bool_], threshold: float) -> dict[str, float]:
    """What the gate keeps and passes on posts that chose nothing; empty where no post is flagged."""
    if not flagged.any() or flagged.all():
        return {}
    kept = scores >= threshold
    return {
        "n": len(scores),
        "n_flagged": int(flagged.sum()),
        "keeps_of_full_model": float(kept[flagged].mean()),
        "passes_of_irrelevant": float(kept[~flagged].mean()),
    }

"""Pure: what each threshold would do on labelled posts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from screener.classify.labelled import LabelledPost
from screener.classify.thresholds import Choice, weigh
from screener.records import Classification

_SHOWN = np.round(np.arange(0.05, 0.96, 0.05), 2)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Thresholds with what they would do, and the one that costs least."""

    name: str
    n_true: int
    choices: tuple[Choice, ...]
    cheapest: Choice


def what_if(
    posts: Sequence[LabelledPost], answers: Sequence[Classification], name: str, false_alarm_cost: float
) -> WhatIf:
    """Judge a grid of thresholds; signals count only on posts found relevant, as they are shown."""
    if name == "relevance":
        truth = [post.relevant for post in posts]
        scores = [0.0 if answer.gated else answer.relevance for answer in answers]
    else:
        truth = [name in post.signals for post in posts]
        scores = [dict(answer.signals)[name] if answer.relevant else 0.0 for answer in answers]
    true, found = np.array(truth, dtype=bool), np.array(scores, dtype=np.float64)
    choices = tuple(weigh(found, true, threshold, false_alarm_cost) for threshold in _SHOWN.tolist())
    return WhatIf(name, int(true.sum()), choices, min(choices, key=lambda choice: choice.cost))

"""Logits to probabilities: one logistic regression per question (Platt 1999), with a shift per group of languages.

A network is as sure in a language of which it saw little as in English; what it says must mean the same in both. The
shifts are learned on scores of fits that did not see the posts, and drawn towards no shift where a group has few posts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.classify.labelled import LabelledPost
from screener.classify.outputs import POSITIVE, RELEVANT, SIGNALS, VOICE, VOICES
from screener.records import Scores

Matrix = NDArray[np.float32]

_GROUPS = {
    "English": "en",
    "Chinese, Japanese, Korean": "zh ja ko",
    "mainland South-East Asia": "th lo km my vi",
    "Malay Archipelago": "id ms tl jv su",
    "South Asia": "hi ne bn ta te ml si ur mr gu pa kn ps",
    "romanised": "hi-Latn ur-Latn ar-Latn",
    "Near East and Central Asia": "ar fa ug tr uz az kk ku",
    "Africa": "am ti sw ha rw pcm yo ig zu xh so om ts tw",
    "Europe": "es pt fr it de ro pl sv ru uk nl da no fi bg sr hr cs el hu",
}
"""Languages that share scripts, borrowings and the kind of material there was to learn from."""
_GROUP_OF = {language: number for number, group in enumerate(_GROUPS.values()) for language in group.split()}
GROUP_NAMES = (*_GROUPS, "other")
_SHIFT_STRENGTH = 0.3
"""Scale of the group columns: the penalty then draws a shift towards 0 with the weight of some fifty posts."""


def group_number(language: str) -> int:
    """Which group a language belongs to; the last one takes what no other does."""
    return _GROUP_OF.get(language, _GROUP_OF.get(language.partition("-")[0], len(_GROUPS)))


def shift_matrix(logit: NDArray[np.floating], languages: Sequence[str]) -> Matrix:
    """The logit and one column per group of languages."""
    groups = np.array([group_number(language) for language in languages], dtype=np.intp)
    columns = _SHIFT_STRENGTH * np.eye(len(GROUP_NAMES), dtype=np.float32)[groups]
    return np.column_stack([logit.astype(np.float32), columns])


_FAINT = 1e-3
"""Weight of two made-up posts, one of each kind, so that a label without a case in a fold can be fitted at all."""


@dataclass(frozen=True)
class Calibration:
    """One fitted logistic regression per question and label."""

    estimators: Mapping[str, Any]
    labels: tuple[str, ...]

    def scores(self, logits: Matrix, languages: Sequence[str]) -> list[Scores]:
        """Probabilities for each row of logits."""
        if not len(logits):
            return []
        relevance = self.probability("relevance", logits[:, RELEVANT], languages)
        positive = self.probability("positive", logits[:, POSITIVE], languages)
        voices = np.argmax(logits[:, VOICE], axis=1)
        signals = self.signals(logits, languages)
        return [
            Scores(
                round(float(relevance[row]), 4),
                VOICES[int(voices[row])],
                round(float(positive[row]), 4),
                tuple((label, round(float(p), 4)) for label, p in zip(self.labels, signals[row], strict=True)),
                gated=False,
            )
            for row in range(len(logits))
        ]

    def signals(self, logits: Matrix, languages: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities of all labels, one column each."""
        found = logits[:, SIGNALS]
        return np.column_stack(
            [self.probability(label, found[:, number], languages) for number, label in enumerate(self.labels)]
        )

    def probability(self, name: str, logit: NDArray[np.floating], languages: Sequence[str]) -> NDArray[np.float64]:
        """Calibrated probability of one question."""
        column: NDArray[np.float64] = self.estimators[name].predict_proba(shift_matrix(logit, languages))[:, 1]
        return column


def fit_calibration(
    posts: Sequence[LabelledPost], logits: Matrix, weights: NDArray[np.floating], labels: Sequence[str]
) -> Calibration:
    """Fit on scores of networks that did not see the posts."""
    from sklearn.linear_model import LogisticRegression

    languages = [post.language for post in posts]
    truths = {"relevance": (RELEVANT, [post.relevant for post in posts])}
    truths["positive"] = (POSITIVE, [post.positive for post in posts])
    first = SIGNALS.start
    truths |= {label: (first + n, [label in post.signals for post in posts]) for n, label in enumerate(labels)}
    estimators = {}
    faint = np.append(weights, [_FAINT, _FAINT])
    for name, (column, truth) in truths.items():
        matrix = np.pad(shift_matrix(logits[:, column], languages), ((0, 2), (0, 0)))
        estimators[name] = LogisticRegression(C=1.0, max_iter=1000).fit(
            matrix, [*truth, True, False], sample_weight=faint
        )
    return Calibration(estimators, tuple(labels))

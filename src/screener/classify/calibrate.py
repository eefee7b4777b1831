"""Logits to probabilities: one logistic regression per question (Platt 1999), with a shift per group of languages.

A network is as sure in a language of which it saw little as in English; what it says must mean the same in both. The
shifts are learned on scores of fits that did not see the posts, and drawn towards no shift where a group has few posts.

Whose voice speaks is one question with four answers; a post's length counts there: headlines are short and stories long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.classify.labelled import LabelledPost
from screener.classify.outputs import POSITIVE, RELEVANT, SIGNALS, VOICE, VOICES
from screener.classify.tokens import prepare
from screener.records import Scores, Voice

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
    return np.column_stack([logit.astype(np.float32), group_columns(languages)])


def group_columns(languages: Sequence[str]) -> Matrix:
    """One column per group of languages, marked in the rows of its languages."""
    groups = np.array([group_number(language) for language in languages], dtype=np.intp)
    marked: Matrix = _SHIFT_STRENGTH * np.eye(len(GROUP_NAMES), dtype=np.float32)[groups]
    return marked


_FAINT = 1e-3
"""Weight of two made-up posts, one of each kind, so that a label without a case in a fold can be fitted at all."""


@dataclass(frozen=True)
class Calibration:
    """One fitted logistic regression per question and label."""

    estimators: Mapping[str, Any]
    labels: tuple[str, ...]

    def scores(self, logits: Matrix, languages: Sequence[str], texts: Sequence[str]) -> list[Scores]:
        """Probabilities for each row of logits; of the texts only the length counts."""
        if not len(logits):
            return []
        relevance = self.probability("relevance", logits[:, RELEVANT], languages)
        positive = self.probability("positive", logits[:, POSITIVE], languages)
        voices = self.estimators["voice"].predict(_voice_matrix(logits, languages, texts))
        signals = self.signals(logits, languages)
        return [
            Scores(
                round(float(relevance[row]), 4),
                Voice(str(voices[row])),
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
    estimators["voice"] = _fit_voice(posts, logits, weights)
    return Calibration(estimators, tuple(labels))


def _voice_matrix(logits: Matrix, languages: Sequence[str], texts: Sequence[str]) -> Matrix:
    """The voices' logits, the logarithm of the length as the encoder sees it, one column per group of languages."""
    lengths = np.array([len(prepare(text)) for text in texts], dtype=np.float32)
    return np.column_stack([logits[:, VOICE], np.log1p(lengths), group_columns(languages)])


def _fit_voice(posts: Sequence[LabelledPost], logits: Matrix, weights: NDArray[np.floating]) -> Any:
    """Multinomial logistic regression on relevant posts, with one faint post of each voice so that none is missing."""
    from sklearn.linear_model import LogisticRegression

    rows = [row for row, post in enumerate(posts) if post.voice in VOICES]
    chosen = [posts[row] for row in rows]
    matrix = _voice_matrix(logits[rows], [post.language for post in chosen], [post.text for post in chosen])
    faint = np.zeros((len(VOICES), matrix.shape[1]), dtype=np.float32)
    return LogisticRegression(C=1.0, max_iter=1000).fit(
        np.concatenate([matrix, faint]),
        [*(post.voice.value for post in chosen), *(voice.value for voice in VOICES)],
        sample_weight=np.append(weights[rows], [_FAINT] * len(VOICES)),
    )

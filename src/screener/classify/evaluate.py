"""Pure: precision, recall, F1 with n per label and language, voice accuracy, calibration. No threshold is tuned here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from screener.classify.labelled import LabelledPost
from screener.measures import calibration_error
from screener.records import Classification

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Score:
    """How well one question was answered. ``n`` is the number of true cases; 0 leaves recall and F1 undefined (``None``)."""

    name: str
    n: int
    n_found: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of one evaluation."""

    n_posts: int
    n_cross_validated: int
    relevance: Score
    relevance_by_language: tuple[Score, ...]
    signals_micro: Score
    signals_macro_f1: float | None
    by_label: tuple[Score, ...]
    voice_accuracy: float
    positive: Score
    average_precision: float
    calibration_error: float


def score(name: str, truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> Score:
    """Precision, recall and F1 of one yes-no question."""
    hits, n_true, n_found = int((truth & found).sum()), int(truth.sum()), int(found.sum())
    precision = hits / n_found if n_found else None
    recall = hits / n_true if n_true else None
    f1 = 2 * hits / (n_true + n_found) if n_true else None
    return Score(name, n_true, n_found, precision, recall, f1)


def evaluate(
    posts: Sequence[LabelledPost],
    answers: Sequence[Classification],
    labels: Sequence[str],
    *,
    n_cross_validated: int = 0,
) -> Evaluation:
    """Compare answers with labels; macro-F1 is over labels with at least 15 true cases, as the bar is."""
    from sklearn.metrics import average_precision_score

    relevant, found = _column(posts, lambda p: p.relevant), _column(answers, lambda a: a.relevant)
    probability = np.array([answer.relevance for answer in answers])
    by_label = [_label_score(label, posts, answers) for label in labels]
    frequent = [entry.f1 for entry in by_label if entry.n >= 15 and entry.f1 is not None]
    languages = sorted({post.language for post in posts})
    code = np.array([post.language for post in posts])
    return Evaluation(
        n_posts=len(posts),
        n_cross_validated=n_cross_validated,
        relevance=score("relevance", relevant, found),
        relevance_by_language=tuple(
            score(language, relevant & (code == language), found & (code == language)) for language in languages
        ),
        signals_micro=_micro(posts, answers, labels),
        signals_macro_f1=float(np.mean(frequent)) if frequent else None,
        by_label=tuple(by_label),
        voice_accuracy=_voice_accuracy(posts, answers),
        positive=score("positive", _column(posts, lambda p: p.positive), _column(answers, lambda a: a.positive)),
        average_precision=float(average_precision_score(relevant, probability)) if relevant.any() else 0.0,
        calibration_error=calibration_error(relevant, probability),
    )


def _label_score(label: str, posts: Sequence[LabelledPost], answers: Sequence[Classification]) -> Score:
    return score(
        label,
        _column(posts, lambda post: label in post.signals),
        _column(answers, lambda answer: label in answer.flagged),
    )


def _voice_accuracy(posts: Sequence[LabelledPost], answers: Sequence[Classification]) -> float:
    """Share of the relevant posts whose voice is right; 0 where none is relevant."""
    right = [post.voice == answer.voice for post, answer in zip(posts, answers, strict=True) if post.relevant]
    return sum(right) / len(right) if right else 0.0


def _micro(posts: Sequence[LabelledPost], answers: Sequence[Classification], labels: Sequence[str]) -> Score:
    truth = np.array([[label in post.signals for label in labels] for post in posts], dtype=bool).ravel()
    found = np.array([[label in answer.flagged for label in labels] for answer in answers], dtype=bool).ravel()
    return score("signals (micro)", truth, found)


def _column(records: Sequence[T], question: Callable[[T], bool]) -> NDArray[np.bool_]:
    return np.fromiter((question(record) for record in records), dtype=np.bool_, count=len(records))

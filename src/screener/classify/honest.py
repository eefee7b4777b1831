"""Posts that the model was trained on are judged by scores of fits that had not seen them.

In the figures of metadata and card, calibration and thresholds too come from other posts than those judged. Where a finished model
is evaluated (``honest_answers``), its own calibration and thresholds are used: some three hundred numbers that have seen the posts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.classify.artifacts import Meta
from screener.classify.calibrate import Calibration, fit_calibration
from screener.classify.classifier import Classifier
from screener.classify.decide import Thresholds, decide
from screener.classify.evaluate import Evaluation, Score, evaluate
from screener.classify.known import Matrix
from screener.classify.labelled import INVENTED, LabelledPost
from screener.classify.thresholds import choose_thresholds
from screener.records import Classification

_STEP = 500


def out_of_fold_answers(
    posts: Sequence[LabelledPost], logits: Matrix, calibration: Calibration, thresholds: Thresholds
) -> list[Classification]:
    """Decisions from out-of-fold logits; evidence is left out, and so is the gate, which a fold does not have."""
    languages = [post.language for post in posts]
    scores = calibration.scores(logits, languages, [post.text for post in posts])
    return [decide(score, language, thresholds, ()) for score, language in zip(scores, languages, strict=True)]


def cross_fitted_answers(
    posts: Sequence[LabelledPost], logits: Matrix, weights: NDArray[np.float64], labels: Sequence[str], folds: NDArray[np.intp]
) -> list[Classification]:  # fmt: skip
    """Decisions in which neither encoder nor calibration nor thresholds have seen the post."""
    answers: list[Classification | None] = [None] * len(posts)
    for fold in np.unique(folds).tolist():
        rest, rows = np.flatnonzero(folds != fold).tolist(), np.flatnonzero(folds == fold).tolist()
        others = [posts[row] for row in rest]
        calibration = fit_calibration(others, logits[rest], weights[rest], labels)
        limits = Thresholds(choose_thresholds(others, logits[rest], calibration))
        found = out_of_fold_answers([posts[row] for row in rows], logits[rows], calibration, limits)
        for row, answer in zip(rows, found, strict=True):
            answers[row] = answer
    return [answer for answer in answers if answer is not None]


def figures(posts: Sequence[LabelledPost], answers: Sequence[Classification], labels: Sequence[str]) -> dict[str, Any]:
    """Figures of the invented and of the real posts, for the metadata and the card."""
    found: dict[str, Any] = {}
    for name, wanted in (("invented", True), ("real", False)):
        rows = [row for row, post in enumerate(posts) if (post.source == INVENTED) is wanted]
        if rows:
            chosen = [posts[row] for row in rows]
            result = evaluate(chosen, [answers[row] for row in rows], labels, n_cross_validated=len(rows))
            found[name] = asdict(result)
    return found


def honest_answers(
    classifier: Classifier, posts: Sequence[LabelledPost], progress: Callable[[str, int], None] = lambda what, n: None
) -> tuple[list[Classification], int]:
    """Answers to posts: out-of-fold ones where the model was trained on a post; and how many of these there are."""
    artifact = classifier.artifact
    known, new = artifact.known.split([post.text for post in posts])
    answers: dict[int, Classification] = {}
    learned = [posts[row] for row in known]
    logits = artifact.known.of([post.text for post in learned])
    if learned:
        judged = out_of_fold_answers(learned, logits, artifact.calibration, classifier.thresholds)
        answers.update(zip(known, judged, strict=True))
    for start in range(0, len(new), _STEP):
        rows = new[start : start + _STEP]
        given = [posts[row] for row in rows]
        fresh = classifier.classify_many([post.text for post in given], [post.language for post in given])
        answers.update(zip(rows, fresh, strict=True))
        progress("evaluate", len(rows))
    return [answers[row] for row in range(len(posts))], len(known)


def evaluate_honestly(
    classifier: Classifier, posts: Sequence[LabelledPost], progress: Callable[[str, int], None] = lambda what, n: None
) -> Evaluation:
    """All figures of a model on labelled posts."""
    answers, n_known = honest_answers(classifier, posts, progress)
    return evaluate(posts, answers, classifier.artifact.meta.labels, n_cross_validated=n_known)


def evaluations_of(meta: Meta) -> dict[str, Evaluation]:
    """The evaluations that a model's metadata carries, as records again."""
    return {name: _evaluation(values) for name, values in meta.scores.items() if name != "gate"}


def _evaluation(values: dict[str, Any]) -> Evaluation:
    single = {name: Score(**values[name]) for name in ("relevance", "signals_micro", "positive")}
    several = {name: tuple(Score(**entry) for entry in values[name]) for name in ("relevance_by_language", "by_label")}
    return Evaluation(**values | single | several)

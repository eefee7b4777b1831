"""Trains the classifier: cross-validated scores first (calibration, thresholds, honest figures), then one fit on everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from screener.classify.artifacts import Meta, save_model
from screener.classify.calibrate import fit_calibration
from screener.classify.decide import Thresholds
from screener.classify.encoder import Reader
from screener.classify.folds import FoldStore, assign_folds
from screener.classify.gate import WORDING_IN_GATE
from screener.classify.gate_training import FullModel, Material, OutOfFold, train_gate
from screener.classify.honest import cross_fitted_answers, figures
from screener.classify.known import KnownScores
from screener.classify.labelled import INVENTED, PRESUMED, LabelledPost
from screener.classify.outputs import n_outputs
from screener.classify.packaged import PackagedE5
from screener.classify.thresholds import choose_thresholds
from screener.classify.wording import blended, fit_wording
from screener.errors import UsageError
from screener.model_files import text_hash

if TYPE_CHECKING:
    from screener.classify.finetune import Recipe

FOLDS = 3
"""A fine-tuning takes minutes, not seconds: three folds cost half an hour on two cores, and learn from 67% of the posts."""
_WEIGHTS = {INVENTED: 1.0, PRESUMED: 0.7}
_REAL_WEIGHT = 1.5
"""Real posts count more: they are what is screened; presumed ones less: a few will be relevant after all."""
Progress = Callable[[str, int], None]


def train_model(
    folder: Path,
    material: Material,
    *,
    labels: Sequence[str],
    taxonomy_version: str,
    recipe: Recipe,
    store: FoldStore,
    progress: Progress = lambda what, n: None,
) -> Meta:
    """Train on all posts and write the model folder."""
    check_material(material.posts, labels)
    posts, packaged = material.posts, PackagedE5()
    reader = Reader(packaged)
    folds = assign_folds(posts, FOLDS)
    unseen = cross_validate(posts, folds, labels, packaged, reader, recipe, store, progress)
    weights = post_weights(posts)
    calibration = fit_calibration(posts, unseen.logits, weights, labels)
    thresholds = choose_thresholds(posts, unseen.logits, calibration)
    graph = store.graph(posts, labels, packaged, recipe, progress)
    encoder = reader.runner(graph)
    wording = fit_wording(posts, weights)
    full = FullModel(reader, encoder, wording, calibration, Thresholds(thresholds))
    gate = train_gate(full, material, unseen, packaged, progress)
    answers = cross_fitted_answers(posts, unseen.logits, weights, labels, folds)
    known = KnownScores(tuple(text_hash(post.text) for post in posts), unseen.logits)
    meta = {
        "name": folder.parent.name, "version": folder.name, "labels": tuple(labels),
        "languages": tuple(sorted({post.language for post in posts})), "taxonomy_version": taxonomy_version,
        "wording_in_gate": WORDING_IN_GATE, "gate_threshold": gate.threshold,
        "thresholds": thresholds, "training": _describe(material, recipe),
        "scores": figures(posts, answers, labels) | {"gate": gate.measured}, "licence": "Apache-2.0",
    }  # fmt: skip
    return save_model(
        folder, meta, encoder=graph, calibration=calibration, student=gate.student, wording=wording, known=known
    )


def check_material(posts: Sequence[LabelledPost], labels: Sequence[str]) -> None:
    """Raise ``UsageError`` before an hour of training if a question has no post that answers it with yes, or none with no."""
    questions = {"relevant": [post.relevant for post in posts], "positive": [post.positive for post in posts]}
    questions |= {label: [label in post.signals for post in posts] for label in labels}
    for name, answers in questions.items():
        if not any(answers) or all(answers):
            raise UsageError(f"{name}: all {len(posts)} training posts are labelled alike; both kinds are needed")


def post_weights(posts: Sequence[LabelledPost]) -> NDArray[np.float64]:
    """How much each post counts."""
    return np.array([_WEIGHTS.get(post.source, _REAL_WEIGHT) for post in posts])


def cross_validate(
    posts: Sequence[LabelledPost],
    folds: NDArray[np.intp],
    labels: Sequence[str],
    packaged: PackagedE5,
    reader: Reader,
    recipe: Recipe,
    store: FoldStore,
    progress: Progress,
) -> OutOfFold:
    """For each post what fits say that saw neither its text nor a near copy or translation of it."""
    logits, opinions = np.zeros((len(posts), n_outputs(labels)), np.float32), np.zeros(len(posts), np.float32)
    for fold in range(FOLDS):
        learned = [post for post, number in zip(posts, folds, strict=True) if number != fold]
        rows = np.flatnonzero(folds == fold).tolist()
        runner = reader.runner(store.graph(learned, labels, packaged, recipe, progress))
        wording = fit_wording(learned, post_weights(learned))
        texts = [posts[row].text for row in rows]
        opinions[rows] = wording.scores(texts)
        logits[rows] = blended(runner.logits(reader.tokenise(texts)), opinions[rows], wording)
    return OutOfFold(logits, opinions)


def _describe(material: Material, recipe: Recipe) -> dict[str, Any]:
    posts = material.posts
    return {
        "n_posts": len(posts),
        "n_relevant": sum(post.relevant for post in posts),
        "n_by_source": dict(Counter(post.source for post in posts).most_common()),
        "n_by_language": dict(Counter(post.language for post in posts).most_common()),
        "n_by_label": dict(Counter(label for post in posts for label in post.signals).most_common()),
        "n_stream": len(material.stream),
        "recipe": recipe.described(),
    }

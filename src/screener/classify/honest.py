"""Evaluation that can't flatter: posts the model was trained on are judged by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from screener.classify.artifacts import Meta, load_model
from screener.classify.card import out_of_fold_answers
from screener.classify.classifier import Classifier
from screener.classify.encoder import Encoder
from screener.classify.evaluate import Evaluation, Score, evaluate
from screener.classify.labelled import LabelledPost
from screener.classify.lexicon import Lexicon
from screener.classify.train import Prepared, Progress, cross_validate, prepare
from screener.model_files import text_hash
from screener.records import Classification
from screener.settings import Settings, find_shipped

_STEP = 200


def evaluate_honestly(
    settings: Settings,
    posts: Sequence[LabelledPost],
    rest: Sequence[LabelledPost],
    *,
    encoder: Encoder,
    progress: Progress = lambda what, n: None,
) -> Evaluation:
    """Evaluate the configured model: new posts by the model itself, trained-on ones by refits that left them out.

    ``rest`` are the other posts that the model was trained on; they fill up the training folds as they did in training.
    """
    artifact = load_model(find_shipped("models") / settings.runtime.classify.model)
    seen = [text_hash(post.text) in artifact.training_hashes for post in posts]
    answers: dict[int, Classification] = {}
    new = [i for i, known in enumerate(seen) if not known]
    if new:
        answers |= zip(new, _by_model(settings, [posts[i] for i in new], progress), strict=True)
    old = [i for i, known in enumerate(seen) if known]
    if old:
        prepared = _prepare([posts[i] for i in old], rest, settings, encoder, progress)
        answers |= zip(old, _by_refits(settings, artifact.meta, prepared, len(old), progress), strict=True)
    return evaluate(posts, [answers[i] for i in range(len(posts))], settings.label_ids, n_cross_validated=len(old))


def _by_model(settings: Settings, posts: Sequence[LabelledPost], progress: Progress) -> list[Classification]:
    classifier = Classifier.from_settings(settings)
    answers: list[Classification] = []
    for start in range(0, len(posts), _STEP):
        batch = posts[start : start + _STEP]
        answers += classifier.classify_many([post.text for post in batch], [post.language for post in batch])
        progress("classify", len(batch))
    return answers


def _prepare(
    posts: Sequence[LabelledPost],
    rest: Sequence[LabelledPost],
    settings: Settings,
    encoder: Encoder,
    progress: Progress,
) -> Prepared:
    """Features of the posts to judge, first, and of the rest without their copies."""
    texts = {post.text.strip() for post in posts}
    together = [*posts, *(post for post in rest if post.text.strip() not in texts)]
    lexicon = Lexicon(settings.lexicons, settings.label_ids)
    return prepare(together, lexicon=lexicon, encoder=encoder, progress=progress)


def _by_refits(
    settings: Settings, meta: Meta, prepared: Prepared, n_posts: int, progress: Progress
) -> list[Classification]:
    labels = settings.label_ids
    scores = cross_validate(prepared, labels, progress)
    return out_of_fold_answers(prepared.posts, scores, meta.thresholds, meta.gate_threshold, labels)[:n_posts]


def evaluations_of(meta: Meta) -> dict[str, Evaluation]:
    """The evaluations that a model's metadata carries, as records again."""
    return {name: _evaluation(values) for name, values in meta.scores.items() if name != "gate"}


def _evaluation(values: dict[str, Any]) -> Evaluation:
    single = {name: Score(**values[name]) for name in ("relevance", "signals_micro", "positive")}
    several = {name: tuple(Score(**entry) for entry in values[name]) for name in ("relevance_by_language", "by_label")}
    return Evaluation(**values | single | several)

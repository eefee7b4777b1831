"""Trains the classifier: cross-validated scores first (thresholds, honest figures), then one fit on everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.classify.artifacts import Meta, save_model
from screener.classify.decide import DEFAULT
from screener.classify.encoder import Encoder
from screener.classify.features import (
    gate_matrix,
    head_matrix,
    make_feature_map,
    make_gate,
    make_gate_vectoriser,
    make_head,
    make_rare_head,
)
from screener.classify.labelled import INVENTED, LabelledPost
from screener.classify.lexicon import Lexicon
from screener.model_files import text_hash
from screener.records import Voice

FOLDS = 5
GATE_KEEPS = 0.98
"""Share of the posts found relevant by the full model that the gate must keep (bar: 97 %), with one point of room."""
MIN_PRECISION = 0.5
"""A label that is wrong more often than right is no evidence."""
_MIN_CASES = 15
_MIN_THRESHOLD, _MAX_THRESHOLD = 0.1, 0.98
"""Thresholds outside follow single posts of rare labels, not the label."""
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Prepared:
    """Training posts with the features that do not depend on the fold."""

    posts: Sequence[LabelledPost]
    embeddings: NDArray[np.float32]
    lexicon: NDArray[np.float32]
    grams: Any
    vectoriser: Any


@dataclass(frozen=True)
class Fitted:
    """One fit: gate, feature map and a head per question and label."""

    gate: Any
    feature_map: Any
    heads: dict[str, Any]


@dataclass(frozen=True)
class OutOfFold:
    """For each training post the scores of a fit that never saw its text."""

    gate: NDArray[np.float64]
    heads: dict[str, NDArray[np.float64]]
    voices: NDArray[np.str_]


def prepare(
    posts: Sequence[LabelledPost], *, lexicon: Lexicon, encoder: Encoder, progress: Progress = lambda what, n: None
) -> Prepared:
    """Embeddings, lexicon counts and n-grams of all posts."""
    texts = [post.text for post in posts]
    found = list(lexicon.find_many(texts, [post.language for post in posts]))
    counts = lexicon.features(found)
    rows = []
    for start in range(0, len(texts), 64):
        rows.append(encoder.encode(texts[start : start + 64]))
        progress("embedding", len(rows[-1]))
    vectoriser = make_gate_vectoriser()
    embeddings = np.vstack(rows) if rows else np.empty((0, encoder.dimension), dtype=np.float32)
    return Prepared(posts, embeddings, counts, gate_matrix(vectoriser, texts, counts), vectoriser)


def fit(prepared: Prepared, rows: NDArray[np.intp], labels: Sequence[str]) -> Fitted:
    """Fit gate and heads on the given rows."""
    posts = [prepared.posts[i] for i in rows]
    relevant = np.array([post.relevant for post in posts])
    feature_map = make_feature_map(len(rows)).fit(prepared.embeddings[rows])
    matrix = head_matrix(feature_map, prepared.embeddings[rows], prepared.lexicon[rows])
    heads = {
        "relevance": make_head().fit(matrix, relevant),
        "positive": make_rare_head().fit(matrix, [post.positive for post in posts]),
        "voice": make_head().fit(matrix[relevant], [str(post.voice) for post in posts if post.relevant]),
    }
    for label in labels:
        heads[label] = make_rare_head().fit(matrix, [label in post.signals for post in posts])
    return Fitted(make_gate().fit(prepared.grams[rows], relevant), _compact(feature_map), heads)


def _compact(feature_map: Any) -> Any:
    """The kernel's matrices in single precision: half the file, and embeddings are no more precise."""
    kernel = feature_map[-1]
    kernel.components_, kernel.normalization_ = (
        kernel.components_.astype(np.float32),
        kernel.normalization_.astype(np.float32),
    )
    return feature_map


def cross_validate(prepared: Prepared, labels: Sequence[str], progress: Progress = lambda what, n: None) -> OutOfFold:
    """Out-of-fold scores; copies of a text stay in one fold, and folds are stratified by relevance."""
    from sklearn.model_selection import StratifiedGroupKFold

    posts = prepared.posts
    names = ("relevance", "positive", *labels)
    out = {name: np.zeros(len(posts)) for name in names}
    gate, voices = np.zeros(len(posts)), np.full(len(posts), str(Voice.NONE), dtype="<U12")
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    groups = [text_hash(post.text) for post in posts]
    for train_rows, test_rows in splitter.split(np.zeros(len(posts)), [post.relevant for post in posts], groups):
        fitted = fit(prepared, train_rows, labels)
        matrix = head_matrix(fitted.feature_map, prepared.embeddings[test_rows], prepared.lexicon[test_rows])
        gate[test_rows] = fitted.gate.predict_proba(prepared.grams[test_rows])[:, 1]
        for name in names:
            out[name][test_rows] = fitted.heads[name].predict_proba(matrix)[:, 1]
        voices[test_rows] = fitted.heads["voice"].predict(matrix)
        progress("fold", 1)
    return OutOfFold(gate, out, voices)


def choose_threshold(scores: NDArray[np.float64], truth: NDArray[np.bool_], real: NDArray[np.bool_]) -> float:
    """The threshold with the highest F1 on out-of-fold scores among those precise enough; one half for under 15 cases.

    Where the real posts hold 15 cases, they must reach the precision too: invented posts are easier, and counting
    voices in a stream of mostly other posts needs precision first.
    """
    if truth.sum() < _MIN_CASES:
        return 0.5
    grid = np.arange(_MIN_THRESHOLD, _MAX_THRESHOLD + 0.001, 0.02)
    judged = [np.ones_like(real), *([real] if (truth & real).sum() >= _MIN_CASES else [])]
    precise = [t for t in grid if all(_precision(scores[rows] >= t, truth[rows]) >= MIN_PRECISION for rows in judged)]
    allowed = np.array(precise or [_MAX_THRESHOLD])
    f1 = np.array([_f1(scores >= threshold, truth) for threshold in allowed])
    plateau = allowed[f1 >= f1.max() - 0.005]  # the middle of the plateau is steadier than its highest point
    return round(float(np.median(plateau)), 2)


def _precision(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float((found & truth).sum()) / max(int(found.sum()), 1)


def _f1(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    hits = float((found & truth).sum())
    return 2 * hits / max(float(found.sum() + truth.sum()), 1.0)


def choose_thresholds(
    posts: Sequence[LabelledPost], scores: OutOfFold, labels: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Default thresholds by name."""
    truths = {"relevance": [post.relevant for post in posts], "positive": [post.positive for post in posts]}
    truths |= {label: [label in post.signals for post in posts] for label in labels}
    real = np.array([post.source != INVENTED for post in posts])
    chosen = {name: choose_threshold(scores.heads[name], np.array(truth), real) for name, truth in truths.items()}
    return {name: {DEFAULT: value} for name, value in chosen.items()}


def choose_gate(scores: OutOfFold, relevance_threshold: float) -> float:
    """The gate's threshold: it keeps ``GATE_KEEPS`` of what the full model finds relevant, out of fold."""
    kept = scores.gate[scores.heads["relevance"] >= relevance_threshold]
    return round(float(np.quantile(kept, 1 - GATE_KEEPS)), 4) if len(kept) else 0.0


def train_model(
    folder: Path, posts: Sequence[LabelledPost], *, labels: Sequence[str], taxonomy_version: str, lexicon: Lexicon, encoder: Encoder,
    score: Callable[[Sequence[LabelledPost], OutOfFold, dict[str, dict[str, float]], float], dict[str, Any]],
    progress: Progress = lambda what, n: None,
) -> Meta:  # fmt: skip
    """Train on all posts and write the model folder; ``score`` turns out-of-fold scores into the figures of the card."""
    prepared = prepare(posts, lexicon=lexicon, encoder=encoder, progress=progress)
    out_of_fold = cross_validate(prepared, labels, progress)
    thresholds = choose_thresholds(posts, out_of_fold, labels)
    gate_threshold = choose_gate(out_of_fold, thresholds["relevance"][DEFAULT])
    fitted = fit(prepared, np.arange(len(posts)), labels)
    name, version = folder.parent.name, folder.name
    meta = {
        "name": name, "version": version, "labels": tuple(labels), "languages": tuple(sorted({post.language for post in posts})),
        "encoder": encoder.name, "taxonomy_version": taxonomy_version, "gate_threshold": gate_threshold, "thresholds": thresholds,
        "training": _describe(posts), "scores": score(posts, out_of_fold, thresholds, gate_threshold), "licence": "Apache-2.0",
    }  # fmt: skip
    parts = {
        "gate_vectoriser": prepared.vectoriser,
        "gate": fitted.gate,
        "feature_map": fitted.feature_map,
        "heads": fitted.heads,
    }
    return save_model(folder, meta, parts, [text_hash(post.text) for post in posts])


def _describe(posts: Sequence[LabelledPost]) -> dict[str, Any]:
    return {
        "n_posts": len(posts),
        "n_relevant": sum(post.relevant for post in posts),
        "n_by_source": dict(Counter(post.source for post in posts).most_common()),
        "n_by_language": dict(Counter(post.language for post in posts).most_common()),
        "n_by_label": dict(Counter(label for post in posts for label in post.signals).most_common()),
    }

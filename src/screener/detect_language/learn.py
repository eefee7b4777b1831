"""Makes the model folder, and judges labelled posts by folds that did not see them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from screener.detect_language.card import card
from screener.detect_language.cascade import Detector
from screener.detect_language.evaluate import Judged, calibration, evaluate, macro_f1
from screener.detect_language.material import Example, corrected, corrections, fold, read_language
from screener.detect_language.model import NgramModel, Table, save_model
from screener.detect_language.train import Progress, best_sharpness, cross_validate, fit_tables, prepare
from screener.records import UNDETERMINED, LanguageGuess
from screener.settings.schemas import DetectLanguageSettings

_HASHES = "training_hashes.txt"
Folds = list[tuple[list[int], dict[str, Table]]]


def train_model(
    folder: Path, labelled: Sequence[Example], rest: Sequence[Example], *, progress: Progress = lambda what, n: None
) -> str:
    """Cross-validate for calibration and figures, fit on everything, write the folder; returns the model's key."""
    folds = list(cross_validate(labelled, rest, progress))
    sharpness = best_sharpness([([labelled[place] for place in places], tables) for places, tables in folds]) if labelled else 1.0  # fmt: skip
    tables = _sharpened(fit_tables(prepare([*rest, *corrected(labelled)])), sharpness)
    progress("folds", 1)
    scores = _scores(labelled, _guesses(_Config, labelled, folds, sharpness)) if labelled else {}
    meta: dict[str, Any] = {
        "training": {
            "corrections": len(corrections()),
            "kinds": dict(sorted(Counter(example.kind for example in [*labelled, *rest]).items())),
            "languages": dict(sorted(Counter(example.language for example in corrected([*labelled, *rest])).items())),
        },
        "cross_validation": scores,
        "libraries": {name: version(name) for name in ("scikit-learn", "numpy")},
        "licence": "Apache-2.0",
    }
    folder.mkdir(parents=True, exist_ok=True)
    hashes = sorted({_hash(example.text) for example in labelled})
    (folder / _HASHES).write_text("\n".join(hashes) + "\n", encoding="utf-8")
    key = save_model(folder, tables, meta)
    (folder / "card.md").write_text(card(key, meta, tables), encoding="utf-8")
    return key


_Config = DetectLanguageSettings(model="languages/1", min_confidence=0.0, min_letters=1, processes=1)
"""Figures in the model's metadata are of the bare model: no answer is withheld."""


def cross_validated(
    settings: DetectLanguageSettings, labelled: Sequence[Example], rest: Sequence[Example], *, progress: Progress
) -> list[LanguageGuess]:
    """A guess for every labelled post by the whole cascade, with tables that saw neither it nor a copy of it."""
    folds = list(cross_validate(labelled, rest, progress))
    sharpness = best_sharpness([([labelled[place] for place in places], tables) for places, tables in folds])
    return _guesses(settings, labelled, folds, sharpness)


def learned_from(folder: Path, examples: Sequence[Example]) -> int:
    """How many of the labelled posts are in the model's training set."""
    path = folder / _HASHES
    known = frozenset(path.read_text(encoding="utf-8").split()) if path.exists() else frozenset()
    return sum(_hash(example.text) in known for example in examples)


def _guesses(
    settings: DetectLanguageSettings, labelled: Sequence[Example], folds: Folds, sharpness: float
) -> list[LanguageGuess]:
    found = [LanguageGuess(UNDETERMINED, 0.0, "none")] * len(labelled)
    for places, tables in folds:
        detector = Detector(settings, NgramModel("fold", _sharpened(tables, sharpness), {}))
        guesses = detector.detect_many([(labelled[place].text, None, ()) for place in places])
        for place, guess in zip(places, guesses, strict=True):
            found[place] = guess
    return found


def _scores(labelled: Sequence[Example], guesses: Sequence[LanguageGuess]) -> dict[str, Any]:
    """Cross-validated figures for the metadata, by the corrected languages."""
    judged = [
        Judged(one.post_id, one.language, read_language(one), one.register, one.text, guess)
        for one, guess in zip(labelled, guesses, strict=True)
    ]
    scores = evaluate((one.read, one.guess.language) for one in judged)
    return {
        "posts": len(judged),
        "macro_f1": round(macro_f1(scores), 4),
        "calibration_error": round(calibration(judged, (0.0,))[0], 4),
        "f1": {score.language: round(score.f1, 4) for score in scores if score.n >= 20},
    }


def _sharpened(tables: dict[str, Table], sharpness: float) -> dict[str, Table]:
    return {script: replace(table, sharpness=sharpness) for script, table in tables.items()}


def _hash(text: str) -> str:
    """How a training post is named without its words: 16 hex digits of SHA-256 over its folded text."""
    return hashlib.sha256(fold(text).encode()).hexdigest()[:16]

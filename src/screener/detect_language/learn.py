"""Makes the model folder, and judges labelled posts by folds that did not see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from screener.detect_language.card import card
from screener.detect_language.cascade import Detector
from screener.detect_language.evaluate import MIN_POSTS, Judged, calibration, evaluate, macro_f1
from screener.detect_language.material import Example, corrected, corrections, fold, read_language
from screener.detect_language.model import NgramModel, Table, save_model
from screener.detect_language.train import Progress, best_sharpness, cross_validate, fit_tables, prepare
from screener.model_files import read_hashes, text_hash, write_hashes
from screener.records import UNDETERMINED, LanguageGuess
from screener.settings.schemas import DetectLanguageSettings

_BARE = DetectLanguageSettings(model="languages/1", min_confidence=0.0, min_letters=1, processes=1)
"""Figures in the model's metadata are of the bare model: no answer is withheld."""
Folds = list[tuple[list[int], dict[str, Table]]]


def train_model(
    folder: Path, labelled: Sequence[Example], rest: Sequence[Example], *, progress: Progress = lambda what, n: None
) -> str:
    """Cross-validate for calibration and figures, fit on everything, write the folder; returns the model's key."""
    folds, sharpness = _folds(labelled, rest, progress)
    tables = _sharpened(fit_tables(prepare([*rest, *corrected(labelled)])), sharpness)
    progress("folds", 1)
    scores = _scores(judge(labelled, _guesses(_BARE, labelled, folds, sharpness))) if labelled else {}
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
    write_hashes(folder, {_hash(example.text) for example in labelled})
    key = save_model(folder, tables, meta)
    (folder / "card.md").write_text(card(key, meta, tables), encoding="utf-8")
    return key


def cross_validated(
    settings: DetectLanguageSettings, labelled: Sequence[Example], rest: Sequence[Example], *, progress: Progress
) -> list[LanguageGuess]:
    """A guess for every labelled post by the whole cascade, with tables that saw neither it nor a copy of it."""
    folds, sharpness = _folds(labelled, rest, progress)
    return _guesses(settings, labelled, folds, sharpness)


def learned_from(folder: Path, examples: Sequence[Example]) -> int:
    """How many of the labelled posts are in the model's training set."""
    known = read_hashes(folder)
    return sum(_hash(example.text) in known for example in examples)


def judge(labelled: Sequence[Example], guesses: Sequence[LanguageGuess]) -> list[Judged]:
    """Each labelled post with its guess, its given language and the one that a reader found."""
    return [
        Judged(one.post_id, one.language, read_language(one), one.register, one.text, guess)
        for one, guess in zip(labelled, guesses, strict=True)
    ]


def _folds(labelled: Sequence[Example], rest: Sequence[Example], progress: Progress) -> tuple[Folds, float]:
    """Tables per fold, and the sharpness that suits all of them; 1 where nothing is labelled."""
    folds = list(cross_validate(labelled, rest, progress))
    unseen = [([labelled[place] for place in places], tables) for places, tables in folds]
    return folds, best_sharpness(unseen) if labelled else 1.0


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


def _scores(judged: Sequence[Judged]) -> dict[str, Any]:
    """Cross-validated figures for the metadata, by the corrected languages."""
    scores = evaluate((one.read, one.guess.language) for one in judged)
    return {
        "posts": len(judged),
        "macro_f1": round(macro_f1(scores), 4),
        "calibration_error": round(calibration(judged, (0.0,))[0], 4),
        "f1": {score.language: round(score.f1, 4) for score in scores if score.n >= MIN_POSTS},
    }


def _sharpened(tables: dict[str, Table], sharpness: float) -> dict[str, Table]:
    return {script: replace(table, sharpness=sharpness) for script, table in tables.items()}


def _hash(text: str) -> str:
    """Copies of a post share a hash."""
    return text_hash(fold(text))

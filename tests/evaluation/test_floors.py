"""The shipped model keeps the quality that was reached: floors are pinned, and lowered only on purpose, in a commit of their own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from screener.classify.artifacts import load_known, read_meta
from screener.classify.classifier import Classifier
from screener.classify.evaluate import Evaluation, evaluate
from screener.classify.labelled import LabelledPost, own_posts, read_labelled
from screener.detect_language.material import corrections, own_examples
from screener.detect_language.model import read_meta as load_language_meta
from screener.model_files import text_hash
from screener.settings import Settings

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
FLOORS: dict[str, Any] = json.loads((HERE / "floors.json").read_text(encoding="utf-8"))
SETS = ("signals", "parallel")
"""Posts written and labelled apart from the training posts: all labels in 21 languages; the same posts in 20 languages."""


@pytest.fixture(scope="module")
def scores(settings: Settings) -> dict[str, Any]:
    """Cross-validated figures in the metadata of the model in use."""
    return read_meta(ROOT / "models" / settings.runtime.classify.model).scores


@pytest.fixture(scope="module")
def posts(settings: Settings) -> dict[str, list[LabelledPost]]:
    return {name: list(read_labelled(HERE / f"{name}.jsonl", settings.label_ids)) for name in SETS}


@pytest.fixture(scope="module")
def measured(settings: Settings, posts: dict[str, list[LabelledPost]]) -> dict[str, Evaluation]:
    """What the model in use answers now, gate included."""
    classifier = Classifier.from_settings(settings)
    found = {}
    for name, given in posts.items():
        answers = classifier.classify_many([post.text for post in given], [post.language for post in given])
        found[name] = evaluate(given, answers, settings.label_ids)
    return found


@pytest.mark.parametrize("name", SETS)
def test_set_is_the_one_that_the_floors_were_pinned_on(name: str) -> None:
    digest = hashlib.sha256((HERE / f"{name}.jsonl").read_bytes()).hexdigest()
    assert digest == FLOORS[name]["sha256"]


@pytest.mark.parametrize("name", SETS)
def test_model_never_saw_the_set(name: str, settings: Settings, posts: dict[str, list[LabelledPost]]) -> None:
    _, known = load_known(ROOT / "models" / settings.runtime.classify.model)
    assert known.split([post.text for post in posts[name]])[0] == []


def test_all_labels_are_found_in_many_languages(measured: dict[str, Evaluation]) -> None:
    floors, result = FLOORS["signals"], measured["signals"]
    assert result.signals_micro.f1 is not None
    assert result.signals_micro.f1 >= floors["signals_micro"]
    assert result.voice_accuracy >= floors["voice"]
    reached = {entry.name: entry.f1 or 0.0 for entry in (*result.by_label, *result.relevance_by_language)}
    assert {name: reached[name] for name, floor in floors["names"].items() if reached[name] < floor} == {}


def test_translations_lose_little(measured: dict[str, Evaluation]) -> None:
    reached = {entry.name: entry.f1 or 0.0 for entry in measured["parallel"].relevance_by_language}
    english = reached.pop("en")
    losses = {language: english - f1 for language, f1 in reached.items()}
    floors = FLOORS["parallel"]
    assert english >= floors["english"]
    assert float(np.mean(list(losses.values()))) <= floors["mean_loss"]
    assert {language: loss for language, loss in losses.items() if loss > floors["worst_loss"]} == {}


@pytest.mark.parametrize("kind", ["invented", "real"])
def test_cross_validated_figures_hold_their_floors(scores: dict[str, Any], kind: str) -> None:
    floors = FLOORS[kind]
    assert scores[kind]["relevance"]["f1"] >= floors["relevance"]
    assert scores[kind]["signals_micro"]["f1"] >= floors["signals_micro"]
    assert scores[kind]["voice_accuracy"] >= floors["voice"]
    assert scores[kind]["calibration_error"] <= floors["calibration_error"]
    reached = {
        entry["name"]: entry["f1"] or 0.0
        for part in ("by_label", "relevance_by_language")
        for entry in scores[kind][part]
    }
    assert {name: reached[name] for name, floor in floors["names"].items() if reached[name] < floor} == {}


def test_gate_keeps_what_the_full_model_finds(scores: dict[str, Any]) -> None:
    assert scores["gate"]["keeps_of_full_model"] >= FLOORS["gate_keeps"]


def test_model_was_trained_on_the_invented_posts_as_they_are(settings: Settings) -> None:
    _, known = load_known(ROOT / "models" / settings.runtime.classify.model)
    trained = set(known.hashes)
    assert [post.post_id for post in own_posts(settings.label_ids) if text_hash(post.text) not in trained] == []


def test_languages_hold_their_floors(settings: Settings) -> None:
    reached = load_language_meta(ROOT / "models" / settings.runtime.detect_language.model)["cross_validation"]
    pinned = FLOORS["languages"]
    assert reached["macro_f1"] >= pinned["macro_f1"]
    assert reached["calibration_error"] <= pinned["calibration_error"]
    below = {
        name: (reached["f1"][name], floor) for name, floor in pinned["names"].items() if reached["f1"][name] < floor
    }
    assert below == {}


def test_language_model_learned_the_corrections_as_they_are(settings: Settings) -> None:
    trained = load_language_meta(ROOT / "models" / settings.runtime.detect_language.model)["training"]
    assert trained["corrections"] == len(corrections())
    assert trained["kinds"]["invented"] == len(own_examples())

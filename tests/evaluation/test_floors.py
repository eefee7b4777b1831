"""The shipped model keeps the quality that was reached: floors are pinned, and lowered only on purpose, in a commit of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from screener.classify.artifacts import read_meta
from screener.classify.labelled import own_posts
from screener.detect_language.material import corrections, own_examples
from screener.detect_language.model import read_meta as load_language_meta
from screener.model_files import text_hash
from screener.settings import Settings

ROOT = Path(__file__).parents[2]
FLOORS: dict[str, Any] = json.loads((Path(__file__).parent / "floors.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scores(settings: Settings) -> dict[str, Any]:
    """Cross-validated figures in the metadata of the model in use."""
    return read_meta(ROOT / "models" / settings.runtime.classify.model).scores


@pytest.mark.parametrize("kind", ["invented", "real"])
@pytest.mark.parametrize("name", ["relevance", "signals_micro"])
def test_f1_holds_its_floor(scores: dict[str, Any], kind: str, name: str) -> None:
    assert scores[kind][name]["f1"] >= FLOORS[kind][name]


@pytest.mark.parametrize("kind", ["invented", "real"])
def test_every_pinned_label_and_language_holds_its_floor(scores: dict[str, Any], kind: str) -> None:
    reached = {
        entry["name"]: entry["f1"] or 0.0
        for part in ("by_label", "relevance_by_language")
        for entry in scores[kind][part]
    }
    below = {name: (reached[name], floor) for name, floor in FLOORS[kind]["names"].items() if reached[name] < floor}
    assert below == {}


def test_gate_keeps_what_the_full_model_finds(scores: dict[str, Any]) -> None:
    assert scores["gate"]["keeps_of_full_model"] >= FLOORS["gate_keeps"]


def test_model_was_trained_on_the_invented_posts_as_they_are(settings: Settings) -> None:
    known = set((ROOT / "models" / settings.runtime.classify.model / "training_hashes.txt").read_text().split())
    assert [post.post_id for post in own_posts(settings.label_ids) if text_hash(post.text) not in known] == []


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

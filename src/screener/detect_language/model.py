"""The n-gram model: for each shared script one linear table from hashed features to languages.

A folder ``models/languages/<version>/`` holds ``weights.npz`` (8-bit weights, plain arrays: loading runs no code),
``meta.json`` with its SHA-256, and the card. Trained by ``screener train --languages``; see ``train``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.detect_language.features import Layout, featurise
from screener.model_files import check_file, check_format, file_digest, model_key, read_description, write_description

FORMAT = 1
_WEIGHTS = "weights.npz"
Scores = NDArray[np.float32]
_FULL_EVIDENCE, _TEMPERING = 130, 0.2
"""Features of a text of about six words, and the exponent below."""


@dataclass(frozen=True, slots=True)
class Table:
    """Weights of one script: ``weights`` is layout.width x languages; ``sharpness`` calibrates the softmax."""

    layout: Layout
    languages: tuple[str, ...]
    weights: Scores
    intercepts: Scores
    sharpness: float

    def log_shares(self, texts: Sequence[str]) -> Scores:
        """Natural logarithm of each language's probability, one row per cleaned text, columns as ``languages``."""
        features = featurise(texts, self.layout)
        return log_softmax(self.sharpness * tempering(features)[:, np.newaxis] * self.margins(features))

    def margins(self, features: Any) -> Scores:
        """Distances from the one-against-the-rest boundaries, before calibration."""
        found: Scores = features @ self.weights + self.intercepts
        return found


@dataclass(frozen=True, slots=True)
class NgramModel:
    """A loaded model: a table per ISO 15924 script, and the folder's metadata."""

    key: str
    tables: dict[str, Table]
    meta: dict[str, Any]


def tempering(features: Any) -> Scores:
    """Factor 0..1 for the margins of each text: rows have length one, so one word would speak as loudly as ten.

    Two numbers, chosen on runs of one to twelve words cut out of cross-validated posts: calibration error 0.12, 0.06 and
    0.03 for one, two and three words without it, 0.02, 0.02 and 0.01 with it.
    """
    factors: Scores = np.minimum(1.0, (np.diff(features.indptr) / _FULL_EVIDENCE) ** _TEMPERING).astype(np.float32)
    return factors


def log_softmax(values: NDArray[Any]) -> Scores:
    """Row-wise logarithm of the softmax; infinitely small shares stay ``-inf``."""
    shifted = values - values.max(axis=1, keepdims=True)
    shares: Scores = (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))).astype(np.float32)
    return shares


def save_model(folder: Path, tables: dict[str, Table], meta: dict[str, Any]) -> str:
    """Write the folder; returns the model's key, name and version with the start of the checksum."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[Any]] = {}
    for script, table in sorted(tables.items()):
        scale = np.maximum(np.abs(table.weights).max(axis=0), 1e-9) / 127
        arrays |= {
            f"{script}.weights": np.round(table.weights / scale).astype(np.int8),
            f"{script}.scale": scale.astype(np.float32),
            f"{script}.intercepts": table.intercepts.astype(np.float32),
        }
    np.savez_compressed(folder / _WEIGHTS, allow_pickle=False, **arrays)
    described = {script: _describe(table) for script, table in sorted(tables.items())}
    complete = {"name": folder.parent.name, "version": folder.name, "format": FORMAT, **meta, "tables": described, "sha256": file_digest(folder / _WEIGHTS)}  # fmt: skip
    write_description(folder, complete)
    return _key(complete)


@cache
def load_model(folder: Path) -> NgramModel:
    """The checked model of a folder, loaded once a process; raises ``ModelError`` if it is missing or was changed."""
    meta = read_meta(folder)
    path = folder / _WEIGHTS
    check_file(path, meta["sha256"])
    with np.load(path, allow_pickle=False) as arrays:
        tables = {script: _table(arrays, script, described) for script, described in meta["tables"].items()}
    return NgramModel(_key(meta), tables, meta)


def key_of(folder: Path) -> str:
    """Name and version of the folder's model with the start of its checksum; reads the metadata only."""
    return _key(read_meta(folder))


def read_meta(folder: Path) -> dict[str, Any]:
    """Metadata of a model folder; raises ``ModelError``."""
    meta = read_description(folder, "screener train --languages")
    check_format(folder, meta.get("format"), FORMAT)
    return meta


def _describe(table: Table) -> dict[str, Any]:
    layout = {"grams": list(table.layout.grams), "words": table.layout.words, "pairs": table.layout.pairs}
    return {"layout": layout, "languages": list(table.languages), "sharpness": round(table.sharpness, 4)}


def _table(arrays: Any, script: str, described: dict[str, Any]) -> Table:
    layout = described["layout"]
    return Table(
        layout=Layout(tuple(layout["grams"]), layout["words"], layout["pairs"]),
        languages=tuple(described["languages"]),
        weights=arrays[f"{script}.weights"] * arrays[f"{script}.scale"],
        intercepts=arrays[f"{script}.intercepts"],
        sharpness=described["sharpness"],
    )


def _key(meta: dict[str, Any]) -> str:
    return model_key(meta["name"], meta["version"], meta["sha256"])

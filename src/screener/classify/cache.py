"""Embeddings kept on disk, so that an analyst who trains again waits for new texts only."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from screener.classify.encoder import Encoder, Matrix, prepare


class CachingEncoder:
    """An encoder with a memory: one file per encoder, texts by hash. Call ``save`` when the work is done.

    A damaged or foreign file is no error: it is made anew.
    """

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self.name, self.dimension = encoder.name, encoder.dimension
        self._encoder = encoder
        self._file = folder / f"embeddings-{hashlib.sha256(encoder.name.encode()).hexdigest()[:12]}.npz"
        self._known = self._load()

    def encode(self, texts: Sequence[str]) -> Matrix:
        """One row per text; only texts not seen before reach the encoder."""
        keys = [_key(text) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if new:
            self._known.update(zip(new, self._encoder.encode(list(new.values())), strict=True))
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        return np.vstack([self._known[key] for key in keys])

    def save(self) -> None:
        """Keep what is known; the file is replaced in one rename."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".new.npz")
        np.savez(
            temporary, keys=np.array(list(self._known)), rows=np.array(list(self._known.values()), dtype=np.float32)
        )
        temporary.replace(self._file)

    def _load(self) -> dict[str, Matrix]:
        try:
            with self._file.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
                keys, rows = stored["keys"], stored["rows"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return {}
        if rows.ndim != 2 or rows.shape != (len(keys), self.dimension):
            return {}
        return dict(zip(keys.tolist(), rows, strict=True))


def _key(text: str) -> str:
    """Texts that the encoder sees alike share a row."""
    return hashlib.sha256(prepare(text).encode("utf-8", "replace")).hexdigest()[:32]

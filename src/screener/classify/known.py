"""What the model said of its own training posts when it had not seen them: out-of-fold logits by the text's hash.

They ship with the model, without texts, so that an evaluation on posts it was trained on is honest at once, without an
hour of refits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from screener.model_files import read_arrays, text_hash

Matrix = NDArray[np.float32]
_HASH_BYTES = 8


@dataclass(frozen=True)
class KnownScores:
    """Hashes of the training texts and their out-of-fold logits."""

    hashes: tuple[str, ...]
    logits: Matrix

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.hashes)}

    def row(self, text: str) -> int | None:
        """Where a text stands, ``None`` if the model was not trained on it."""
        return self._rows.get(text_hash(text))

    def split(self, texts: Sequence[str]) -> tuple[list[int], list[int]]:
        """Positions of the texts that are known, and of those that are not."""
        known = [self.row(text) is not None for text in texts]
        return [i for i, found in enumerate(known) if found], [i for i, found in enumerate(known) if not found]

    def of(self, texts: Sequence[str]) -> Matrix:
        """Out-of-fold logits of known texts, in order."""
        return self.logits[[self._rows[text_hash(text)] for text in texts]]

    def save(self, path: Path) -> None:
        """Write hashes as bytes and logits in half precision: a thousandth of a logit is noise."""
        hashes = np.frombuffer(bytes.fromhex("".join(self.hashes)), dtype=np.uint8).reshape(
            len(self.hashes), _HASH_BYTES
        )
        with path.open("wb") as handle:
            np.savez_compressed(handle, hashes=hashes, logits=self.logits.astype(np.float16))

    @classmethod
    def load(cls, path: Path) -> KnownScores:
        """Read the file; raises ``ModelError``."""
        arrays = read_arrays(path, {"hashes": "uint8", "logits": "float32"})
        return cls(tuple(row.tobytes().hex() for row in arrays["hashes"]), arrays["logits"])

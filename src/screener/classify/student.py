"""A static student: one short vector per token and how much it counts, averaged and judged; it sees no order of words.

It learned from what the full model says of many posts (Hinton et al. 2015, arXiv:1503.02531) and reads the encoder's own
tokens; so far it is what model2vec does (github.com/MinishLab/model2vec), but with vectors trained for this one question.
Looking up vectors takes a small part of an encoder's time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from screener.errors import ModelError
from screener.model_files import read_arrays

Matrix = NDArray[np.float32]
TOKENS = 160
"""Tokens of a post that the student reads: all of 99% of the posts of a real stream."""
_NONE = -1
"""No token: put behind each post, so that none is empty."""
_KEYS = ("tokens", "vectors", "counts", "hidden", "hidden_bias", "out", "out_bias")


@dataclass(frozen=True)
class Student:
    """Weights; ``tokens`` are the token ids that have a vector, in rising order; all others are passed over."""

    tokens: NDArray[np.int32]
    vectors: Matrix
    counts: Matrix
    hidden: Matrix
    hidden_bias: Matrix
    out: Matrix
    out_bias: Matrix

    def scores(self, posts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Log-odds that the full model finds each post, given as token ids, relevant."""
        if not posts:
            return np.empty(0, dtype=np.float32)
        read = [np.asarray([*post[:TOKENS], _NONE], dtype=np.int32) for post in posts]
        lengths, ids = [len(post) for post in read], np.concatenate(read)
        places = np.searchsorted(self.tokens, ids).clip(max=len(self.tokens) - 1)
        known = self.tokens[places] == ids
        counts = self.counts[places] * known
        starts = np.cumsum([0, *lengths[:-1]])
        total = np.maximum(np.add.reduceat(counts, starts), np.finfo(np.float32).tiny)
        means = np.add.reduceat(self.vectors[places] * counts[:, None], starts) / total[:, None]
        inner = np.maximum(means @ self.hidden + self.hidden_bias, 0)
        found: NDArray[np.float32] = inner @ self.out + self.out_bias
        return found

    def save(self, path: Path) -> None:
        """Write the weights in half precision, to which fitting has rounded them."""
        halves = {key: getattr(self, key).astype(np.float16) for key in _KEYS[1:]}
        with path.open("wb") as handle:
            np.savez_compressed(handle, tokens=self.tokens, **halves)

    @classmethod
    def load(cls, path: Path) -> Student:
        """Read the file; raises ``ModelError``."""
        arrays = read_arrays(path, {key: "int32" if key == "tokens" else "float32" for key in _KEYS})
        tokens, vectors = arrays["tokens"], arrays["vectors"]
        n, inner = tokens.size, arrays["out"].size
        width = vectors.size // max(n, 1)
        wanted = [(n,), (n, width), (n,), (width, inner), (inner,), (inner,), ()]
        if n == 0 or [arrays[key].shape for key in _KEYS] != wanted or (np.diff(tokens) <= 0).any():
            raise ModelError(f"{path}: not the weights of a student")
        return cls(*(arrays[key] for key in _KEYS))

"""Embeddings kept on disk: the same rows as without, and only new texts reach the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from screener.classify.cache import CachingEncoder
from screener.classify.encoder import Matrix


class Counting:
    """An encoder that tells how often it was asked."""

    name, dimension = "counting", 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Matrix:
        self.asked += texts
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)


def test_known_texts_do_not_reach_the_encoder(tmp_path: Path) -> None:
    first = CachingEncoder(Counting(), tmp_path)
    rows = first.encode(["a", "bb", "a"])
    assert rows.tolist() == [[1, 1], [2, 1], [1, 1]]
    first.save()
    inner = Counting()
    again = CachingEncoder(inner, tmp_path)
    assert again.encode(["bb", "ccc"]).tolist() == [[2, 1], [3, 1]]
    assert inner.asked == ["ccc"]
    assert again.encode([]).shape == (0, 2)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04cut"])
def test_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    CachingEncoder(Counting(), tmp_path).save()
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    inner = Counting()
    assert CachingEncoder(inner, tmp_path).encode(["a"]).tolist() == [[1, 1]]
    assert inner.asked == ["a"]

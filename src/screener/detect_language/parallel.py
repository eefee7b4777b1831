"""Many posts on several cores: the same answers in the same order as one ``Detector``."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType

from screener.detect_language.cascade import BATCH, Detector, Item
from screener.records import LanguageGuess
from screener.settings.schemas import DetectLanguageSettings

WORTHWHILE = 40_000
"""Posts from which other processes are started: each takes a second to load, in which one process reads 30,000 posts."""
_worker: list[Detector] = []
"""The one detector of a worker process."""


class ParallelDetector:
    """A ``Detector`` for streams. Processes start at the first large call and end with the ``with`` block.

    Each process holds the model once: about 120 MB, most of it weights, NumPy and SciPy.
    """

    def __init__(self, settings: DetectLanguageSettings) -> None:
        self._settings = settings
        self._alone = Detector(settings)
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> ParallelDetector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def detect_many(self, items: Sequence[Item]) -> list[LanguageGuess]:
        """Guesses in the order of the items; on one core below ``WORTHWHILE`` items if no process runs yet."""
        if self._settings.processes == 1 or (self._pool is None and len(items) < WORTHWHILE):
            return self._alone.detect_many(items)
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._settings.processes, multiprocessing.get_context("spawn"), _start, (self._settings,)
            )
        pieces = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
        return [LanguageGuess(*row) for piece in self._pool.map(_detect, pieces) for row in piece]


def _start(settings: DetectLanguageSettings) -> None:
    _worker.append(Detector(settings))


def _detect(items: Sequence[Item]) -> list[tuple[str, float, str, str | None]]:
    """Guesses as plain tuples, which pass between processes at a third of the cost of records."""
    guesses = _worker[0].detect_many(items)
    return [(guess.language, guess.confidence, guess.method, guess.mixed_with) for guess in guesses]

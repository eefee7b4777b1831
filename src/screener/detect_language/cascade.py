"""The cascade: script, then letters, then n-grams, then CLD2 where those are unsure, else undetermined.

A guess's ``method`` is the step that decided: ``script``, ``ngrams``, ``vote`` (n-grams and CLD2) or ``none``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from screener.detect_language.letters import by_letters
from screener.detect_language.mixed import second_languages
from screener.detect_language.model import NgramModel, load_model
from screener.detect_language.pool import Pooled, pool
from screener.detect_language.priors import prior
from screener.detect_language.reading import Reading, read
from screener.detect_language.scripts import OWNED, SHARED
from screener.records import UNDETERMINED, LanguageGuess
from screener.settings import find_shipped
from screener.settings.schemas import DetectLanguageSettings

DETECTOR_VERSION = "2"
"""Raised whenever the same text may get another answer; goes onto every row as provenance."""

BATCH = 2_000
"""Posts scored at once: NumPy's overhead is spread, and the arrays (6 MB) stay in the processor's cache."""
_SCRIPT_CONFIDENCE = 0.995
"""Share of right answers where the script or its letters decide (2,600 posts of the development set)."""
_NOTHING = LanguageGuess(UNDETERMINED, 0.0, "none")
Item = tuple[str, str | None, tuple[str, ...]]
"""Text, country of the post if known, languages that the watch expects."""


class Detector:
    """Tells the language of short posts. The model loads once a process and is shared by all detectors."""

    def __init__(self, settings: DetectLanguageSettings, model: NgramModel | None = None) -> None:
        self._settings = settings
        self._model = model or load_model(find_shipped("models") / settings.model)

    def detect(self, text: str, *, country: str | None = None, expected: tuple[str, ...] = ()) -> LanguageGuess:
        """The language of one text, ``und`` where the evidence is too thin. Never raises on any text.

        Args:
            text: the post as stored; cleaned here.
            country: ISO 3166-1 alpha-2 code of the post; its languages may tip an unclear answer.
            expected: the watch's languages, local and migrant; they count like the country's, and more.
        """
        return self.detect_many([(text, country, expected)])[0]

    def detect_many(self, items: Sequence[Item]) -> list[LanguageGuess]:
        """``detect`` for many posts, in their order; twenty times faster than one by one."""
        found: list[LanguageGuess] = []
        for start in range(0, len(items), BATCH):
            found += self._batch(items[start : start + BATCH])
        return found

    def _batch(self, items: Sequence[Item]) -> list[LanguageGuess]:
        readings = [read(text) for text, _, _ in items]
        guesses = [self._by_script(reading) for reading in readings]
        for script, table in self._model.tables.items():
            places = [i for i, guess in enumerate(guesses) if guess is None and readings[i].script == script]
            if places:
                texts = [readings[i].own_words for i in places]
                pooled = pool(script, table, texts, [prior(*items[i][1:]) for i in places])
                for i, guess in zip(places, self._chosen(pooled), strict=True):
                    guesses[i] = guess
        answers = [guess or _NOTHING for guess in guesses]
        seconds = second_languages(readings, answers, self._model.tables)
        return [
            replace(guess, mixed_with=second) if second and guess.language != UNDETERMINED else guess
            for guess, second in zip(answers, seconds, strict=True)
        ]

    def _by_script(self, reading: Reading) -> LanguageGuess | None:
        """The answer of scripts and letters; ``None`` where the n-grams must tell."""
        script, counts = reading.script, reading.counts
        if script not in OWNED and sum(counts.values()) < self._settings.min_letters:
            return _NOTHING
        own = by_letters(script, counts, reading.text)
        if own is not None:
            return self._decide(own, _SCRIPT_CONFIDENCE * _script_share(script, counts), "script")
        return None if script in SHARED else _NOTHING

    def _chosen(self, pooled: Pooled) -> list[LanguageGuess]:
        best = pooled.log_shares.argmax(axis=1)
        confidences = np.exp(pooled.log_shares[np.arange(len(best)), best])
        return [
            self._decide(pooled.languages[column], float(confidence), "vote" if asked else "ngrams")
            for column, confidence, asked in zip(best, confidences, pooled.asked, strict=True)
        ]

    def _decide(self, language: str, confidence: float, method: str) -> LanguageGuess:
        kept = language if confidence >= self._settings.min_confidence else UNDETERMINED
        return LanguageGuess(kept, round(confidence, 4), method)


def _script_share(script: str, counts: dict[str, int]) -> float:
    """Share of the script among the letters that are not Latin: Latin names in a Thai post raise no doubt."""
    others = sum(count for name, count in counts.items() if name not in {script, "Latn", "Hani", "Kana"})
    return counts[script] / (counts[script] + others)

"""The cascade: script, then romanised words, then the vote, then langdetect in a tie, else undetermined.

A guess's ``method`` is the step that decided: ``script``, ``romanised``, ``cld2``, ``vote``, ``langdetect`` or ``none``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from screener.detect_language import vote as voting
from screener.detect_language.clean import Cleaned, clean
from screener.detect_language.letters import by_letters
from screener.detect_language.markers import mark
from screener.detect_language.priors import prior
from screener.detect_language.romanised import romanised
from screener.detect_language.scripts import OWNED, SHARED, count_scripts, main_script
from screener.detect_language.tally import Ballot
from screener.records import UNDETERMINED, LanguageGuess
from screener.settings.schemas import DetectLanguageSettings

DETECTOR_VERSION = "1"
"""Raised whenever the same text may get another answer; goes onto every row as provenance."""

_LATIN_WORDS = re.compile(r"[a-z]+")
_SCRIPT_CONFIDENCE = 0.99
_SURE_HITS = 2.0
"""Romanised words that decide alone; a single one may be a name."""
_ALL_VOTERS = voting.CLD2 + voting.LANGID + voting.FASTTEXT
Item = tuple[str, str | None, tuple[str, ...]]
"""Text, country of the post if known, languages that the watch expects."""


class Detector:
    """Tells the language of short posts. Stateless but for its settings; models load on first use, once a process."""

    def __init__(self, settings: DetectLanguageSettings) -> None:
        self._settings = settings

    def detect(self, text: str, *, country: str | None = None, expected: tuple[str, ...] = ()) -> LanguageGuess:
        """The language of one text, ``und`` where the evidence is too thin. Never raises on any text.

        Args:
            text: the post as stored; cleaned here.
            country: ISO 3166-1 alpha-2 code of the post; its languages may tip a short or split vote.
            expected: the watch's languages, local and migrant; they count like the country's, and more.
        """
        cleaned = clean(text)
        counts = count_scripts(cleaned.letters)
        script = main_script(counts)
        if script not in OWNED and sum(counts.values()) < self._settings.min_letters:
            return LanguageGuess(UNDETERMINED, 0.0, "none")
        own = by_letters(script, counts, cleaned.letters)
        if own is not None:
            return self._decide(own, _SCRIPT_CONFIDENCE * _script_share(script, counts), "script")
        if script not in SHARED:
            return LanguageGuess(UNDETERMINED, 0.0, "none")
        return self._decide(*_guess(cleaned, script, counts[script], prior(country, expected)))

    def detect_many(self, items: Sequence[Item]) -> list[LanguageGuess]:
        """``detect`` for many posts, in their order."""
        return [self.detect(text, country=country, expected=expected) for text, country, expected in items]

    def _decide(self, language: str | None, confidence: float, method: str) -> LanguageGuess:
        if language is None:
            return LanguageGuess(UNDETERMINED, 0.0, "none")
        kept = language if confidence >= self._settings.min_confidence else UNDETERMINED
        return LanguageGuess(kept, round(confidence, 4), method)


def _script_share(script: str, counts: dict[str, int]) -> float:
    """Share of the script among the letters that are not Latin: Latin names in a Thai post raise no doubt."""
    others = sum(count for name, count in counts.items() if name not in {script, "Latn", "Hani", "Kana"})
    return counts[script] / (counts[script] + others)


def _guess(cleaned: Cleaned, script: str, letters: int, expected: Mapping[str, float]) -> tuple[str | None, float, str]:
    """Language, confidence and method for a script that several languages share."""
    text, found = cleaned.letters, None
    if script == "Latn":
        found = romanised(cleaned.words, expected)
        if found.hits >= _SURE_HITS and voting.romanised_weight(found) > _ALL_VOTERS:
            return found.language, 0.5 + found.share / 2, "romanised"
    else:
        text = _LATIN_WORDS.sub(" ", text)
    ballot = Ballot(
        text=text,
        script=script,
        letters=letters,
        allowed=SHARED[script],
        marked=mark(cleaned.words),
        romanised=found,
        prior=expected,
    )
    return voting.vote(ballot)

"""Function words as a voter, for languages that the n-gram models take for a neighbour.

Nigerian Pidgin reads as English, Twi and Tsonga as whatever is near, Malay as Indonesian, Nepali as Hindi.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from screener.detect_language.wordlists import ENGLISH, FRENCH, MARKERS

_SHARED_WEIGHT = 0.4
"""Of a word that stands in several lists or has at most two letters: chance hits are likely."""
_TWI_DIGIT = re.compile(r"\w*[bcdfghjklmnprstwyi]3(?:[bcdfghjklmnprstwy]\w*)?")
"""Twi types ɛ as 3, between consonants or at the end (*y3*, *as3m*), where Arabic types ع beside vowels."""
_ENDINGS = (("iti", "ms"), ("itas", "id"))
"""What became of Latin -itas: Malay *kualiti*, Indonesian *kualitas*."""
_NEPALI_ENDINGS = ("को", "लाई", "ले", "हरु", "हरू", "मा", "का")
"""Nepali writes its case endings onto the word, Hindi apart."""
_NOT_WORDS = str.maketrans(dict.fromkeys(",.!?", " "))


def _weights() -> dict[str, dict[str, float]]:
    """Word -> language -> weight, the lists turned around."""
    lists = Counter(word for words in MARKERS.values() for word in words)
    turned: dict[str, dict[str, float]] = {}
    for language, words in MARKERS.items():
        for word in words:
            doubtful = len(word) <= 2 or lists[word] > 1 or word in FRENCH
            latin = language not in {"ne", "hi", "mr"}
            turned.setdefault(word, {})[language] = _SHARED_WEIGHT if doubtful and latin else 1.0
    return turned


_WEIGHTS = _weights()


@dataclass(frozen=True, slots=True)
class Marked:
    """Weighted hits per language, the share of English function words (0..1), and the number of words."""

    hits: dict[str, float]
    english: float
    n_words: int

    def share(self, language: str) -> float:
        """Hits per word, 0 for a language without hits."""
        return self.hits.get(language, 0.0) / max(1, self.n_words)


def mark(words: str) -> Marked:
    """The function words in a cleaned text that still has its digits."""
    tokens = words.translate(_NOT_WORDS).split()
    hits: dict[str, float] = {}
    for token in tokens:
        for language, weight in _hits(token):
            hits[language] = hits.get(language, 0.0) + weight
    english = sum(token in ENGLISH for token in tokens)
    return Marked(hits=hits, english=english / max(1, len(tokens)), n_words=len(tokens))


@lru_cache(maxsize=1 << 16)
def _hits(word: str) -> tuple[tuple[str, float], ...]:
    known = _WEIGHTS.get(word)
    if known:
        return tuple(known.items())
    if "3" in word and _TWI_DIGIT.fullmatch(word):
        return (("tw", 1.0),)
    if len(word) > 3 and word.endswith(_NEPALI_ENDINGS):
        return (("ne", 1.0),)
    return tuple((language, 1.0) for ending, language in _ENDINGS if len(word) > 5 and word.endswith(ending))

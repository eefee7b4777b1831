"""How good the guesses are: precision, recall and F1 per language. Pure; the caller reads files and prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from screener.codes import parse_language

MIN_POSTS = 20
"""Languages with fewer posts have too noisy an F1 to count in the mean."""


@dataclass(frozen=True, slots=True)
class LanguageScore:
    """Quality of one gold language; ``n`` is its number of gold posts, the rest are shares 0..1."""

    language: str
    n: int
    precision: float
    recall: float
    f1: float


def evaluate(rows: Iterable[tuple[str, str]]) -> tuple[LanguageScore, ...]:
    """Scores of all gold languages by code, from pairs of gold and guessed code.

    Both sides are normalised. ``und`` guesses cost recall only. Raises ``UnknownCodeError`` for a code nobody knows.
    """
    pairs = [(parse_language(gold), parse_language(guess)) for gold, guess in rows]
    gold = Counter(true for true, _ in pairs)
    guessed = Counter(guess for _, guess in pairs)
    right = Counter(true for true, guess in pairs if true == guess)
    return tuple(_score(code, gold[code], guessed[code], right[code]) for code in sorted(gold))


def _score(language: str, n: int, guessed: int, right: int) -> LanguageScore:
    precision = right / guessed if guessed else 0.0
    return LanguageScore(language=language, n=n, precision=precision, recall=right / n, f1=2 * right / (n + guessed))


def macro_f1(scores: Iterable[LanguageScore], *, min_posts: int = MIN_POSTS) -> float:
    """Mean F1 over the languages with at least ``min_posts`` gold posts, 0 if there are none."""
    counted = [score.f1 for score in scores if score.n >= min_posts]
    return sum(counted) / len(counted) if counted else 0.0

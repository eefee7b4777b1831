"""How good the guesses are: precision, recall and F1 per language, calibration. Pure; the caller reads files and prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from screener.codes import parse_language
from screener.measures import calibration_error
from screener.records import UNDETERMINED, LanguageGuess

MIN_POSTS = 20
"""Languages with fewer posts have too noisy an F1 to count in the mean."""
_BINS = 15


@dataclass(frozen=True, slots=True)
class Judged:
    """A post with the language that its collection gives, the one a reader found, and the guess.

    ``read`` equals ``given`` but where a reader found the given one wrong; ``register`` is the collection's word for
    the kind of text.
    """

    post_id: str
    given: str
    read: str
    register: str
    text: str
    guess: LanguageGuess


@dataclass(frozen=True, slots=True)
class LanguageScore:
    """Quality of one gold language; ``n`` is its number of gold posts, the rest are shares 0..1."""

    language: str
    n: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Answers with a confidence in ``[low, high)``: how many, their mean confidence, and the share that is right."""

    low: float
    high: float
    n: int
    confidence: float
    right: float


def evaluate(rows: Iterable[tuple[str, str]]) -> tuple[LanguageScore, ...]:
    """Scores of all gold languages by code, from pairs of gold and guessed code.

    Both sides are normalised. ``und`` guesses cost recall only. Raises ``UnknownCodeError`` for a code nobody knows.
    """
    pairs = [(parse_language(gold), parse_language(guess)) for gold, guess in rows]
    gold = Counter(true for true, _ in pairs)
    guessed = Counter(guess for _, guess in pairs)
    right = Counter(true for true, guess in pairs if true == guess)
    return tuple(_score(code, gold[code], guessed[code], right[code]) for code in sorted(gold) if code != UNDETERMINED)


def _score(language: str, n: int, guessed: int, right: int) -> LanguageScore:
    precision = right / guessed if guessed else 0.0
    return LanguageScore(language=language, n=n, precision=precision, recall=right / n, f1=2 * right / (n + guessed))


def macro_f1(scores: Iterable[LanguageScore], *, min_posts: int = MIN_POSTS) -> float:
    """Mean F1 over the languages with at least ``min_posts`` gold posts, 0 if there are none."""
    counted = [score.f1 for score in scores if score.n >= min_posts]
    return sum(counted) / len(counted) if counted else 0.0


def calibration(judged: Sequence[Judged], bounds: Sequence[float]) -> tuple[float, list[CalibrationBin]]:
    """Expected calibration error of the answers given (``und`` is none), and the reliability table between the bounds."""
    answered = [one for one in judged if one.guess.language != UNDETERMINED]
    confidence = np.array([one.guess.confidence for one in answered], dtype=float)
    right = np.array([one.guess.language == one.read for one in answered], dtype=bool)
    bins = []
    for low, high in zip(bounds, [*bounds[1:], 1.0 + 1e-9], strict=True):
        inside = (confidence >= low) & (confidence < high)
        if inside.any():
            mean, share = float(confidence[inside].mean()), float(right[inside].mean())
            bins.append(CalibrationBin(low, min(high, 1.0), int(inside.sum()), mean, share))
    return calibration_error(right, confidence, _BINS), bins


def undetermined_share(judged: Sequence[Judged]) -> float:
    """Share of posts without an answer, 0..1."""
    return sum(one.guess.language == UNDETERMINED for one in judged) / max(1, len(judged))

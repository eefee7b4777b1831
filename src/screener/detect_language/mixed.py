"""The second language of a mixed post, where a good part of it is written in one.

Posts mix by sentence and by word (*salary nahi mila, boss said next week*). Words are too short to tell one by one, so
runs of six words are rated by the n-gram model, and a second script speaks for itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from screener.detect_language.letters import by_letters
from screener.detect_language.model import Table
from screener.detect_language.reading import Reading
from screener.detect_language.scripts import OWNED, latin_words
from screener.records import LanguageGuess

_RUN = 6
"""Words in a run; runs of five find fewer (72 %), because single runs are less sure."""
_SURE = 0.7
"""Share from which a run counts for its language. With runs of six words 77 % of posts glued together from two languages
are found, and 1.2 % of others are called mixed, most of which are (1,493 and 1,893 cross-validated posts); with 0.85 it
is 70 % and 0.5 %."""
_LEAST_PART = 0.25
"""Part of the words (or letters) that a second language must have; a quoted slogan is not a mixed post."""
_LEAST_LETTERS = 10
"""Fewer letters of another script are a name or a greeting. Of Latin letters twice as many: brands and tags are common."""
_PLAIN = 0.995
"""Above this confidence the words speak one language; runs are not looked at."""
_CLOSE_KIN = (
    frozenset({"hi-Latn", "ur-Latn"}), frozenset({"id", "ms", "jv", "su"}), frozenset({"en", "pcm"}), frozenset({"da", "no", "sv"}),
    frozenset({"hr", "sr", "sl"}), frozenset({"cs", "sk"}), frozenset({"es", "pt", "gl", "ca"}), frozenset({"hi", "ne", "mr"}),
    frozenset({"ru", "uk", "be", "bg", "mk", "sr"}), frozenset({"tl", "ceb"}), frozenset({"ar", "fa", "ur", "ps", "ku", "sd", "ug"}),
    frozenset({"am", "ti"}), frozenset({"zu", "xh"}), frozenset({"st", "tn"}), frozenset({"tr", "az"}), frozenset({"kk", "ky", "tt", "uz"}),
)  # fmt: skip
"""Neighbours that a run of six words can't tell apart reliably: no mixture is claimed between them."""


def second_languages(
    readings: Sequence[Reading], guesses: Sequence[LanguageGuess], tables: Mapping[str, Table]
) -> list[str | None]:
    """For each post the language that it mixes with its main one, ``None`` where it does not (or nobody can tell)."""
    found = [_by_script(reading, guess.language) for reading, guess in zip(readings, guesses, strict=True)]
    _add_latin_parts(found, readings, guesses, tables)
    for script, table in tables.items():
        places = [
            place
            for place, (reading, guess) in enumerate(zip(readings, guesses, strict=True))
            if reading.script == script and guess.confidence < _PLAIN and found[place] is None
        ]
        texts = [readings[place].own_words for place in places]
        for place, second in zip(places, _by_runs(table, texts, [guesses[p].language for p in places]), strict=True):
            found[place] = second
    return found


def _by_script(reading: Reading, language: str) -> str | None:
    """The language of another script that has a quarter of the letters and that one language owns."""
    for script, letters in reading.counts.items():
        if script == reading.script or script not in OWNED or letters < _least_letters(reading):
            continue
        second = by_letters(script, {script: letters}, reading.text)
        # Chinese characters in a Japanese or Korean post belong to its writing
        if second and second != language and not {language, second} <= {"ja", "zh", "ko"}:
            return second
    return None


def _add_latin_parts(
    found: list[str | None], readings: Sequence[Reading], guesses: Sequence[LanguageGuess], tables: Mapping[str, Table]
) -> None:
    """Tell the language of the Latin words in posts that another script carries."""
    places = [
        place
        for place, reading in enumerate(readings)
        if reading.script not in {"Latn", ""} and reading.counts.get("Latn", 0) >= 2 * _least_letters(reading)
    ]
    if not places or "Latn" not in tables:
        return
    table = tables["Latn"]
    shares = table.log_shares([latin_words(readings[place].text) for place in places])
    for place, best, share in zip(places, shares.argmax(axis=1), np.exp(shares.max(axis=1)), strict=True):
        if share >= _SURE and table.languages[best] != guesses[place].language:
            found[place] = table.languages[best]


def _least_letters(reading: Reading) -> float:
    return max(_LEAST_LETTERS, _LEAST_PART * sum(reading.counts.values()))


def _by_runs(table: Table, texts: Sequence[str], languages: Sequence[str]) -> list[str | None]:
    """For each cleaned text in one script the second language, given the main one; ``None`` for plain and short ones."""
    runs = [_runs(text) for text in texts]
    flat = [run for found in runs for run in found]
    if not flat:
        return [None] * len(texts)
    shares = table.log_shares(flat)
    best, sure = shares.argmax(axis=1), np.exp(shares.max(axis=1)) >= _SURE
    named = [table.languages[column] if certain else None for column, certain in zip(best, sure, strict=True)]
    found: list[str | None] = []
    start = 0
    for main, own in zip(languages, runs, strict=True):
        found.append(_second(main, named[start : start + len(own)]))
        start += len(own)
    return found


def _runs(text: str) -> list[str]:
    """Consecutive runs of six words; none for a text of fewer than two runs. The last run takes the rest."""
    words = text.split()
    if len(words) < 2 * _RUN:
        return []
    starts = range(0, len(words) - _RUN + 1, _RUN)
    return [" ".join(words[s : s + _RUN] if s + 2 * _RUN <= len(words) else words[s:]) for s in starts]


def _second(main: str, named: Sequence[str | None]) -> str | None:
    """The commonest other language among the runs, if it has its part and the main language has one, too."""
    counts = Counter(language for language in named if language is not None)
    others = [(count, language) for language, count in counts.items() if language != main and not _kin(main, language)]
    if not others or not counts[main]:
        return None
    count, language = max(others)
    return language if count >= _LEAST_PART * len(named) else None


def _kin(first: str, second: str) -> bool:
    return any({first, second} <= group for group in _CLOSE_KIN)

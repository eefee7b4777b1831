"""A post as the steps see it: cleaned, with its letters counted per script."""

from __future__ import annotations

from dataclasses import dataclass

from screener.detect_language.clean import clean
from screener.detect_language.scripts import count_scripts, main_script, own_words


@dataclass(frozen=True, slots=True)
class Reading:
    """A cleaned text, its letters per ISO 15924 script, and the script that carries the message (empty: none)."""

    text: str
    counts: dict[str, int]
    script: str

    @property
    def own_words(self) -> str:
        """What the n-grams read: the words in the main script."""
        return own_words(self.text, self.script)


def read(text: str) -> Reading:
    """Clean a post and count its letters; never raises."""
    cleaned = clean(text)
    counts = count_scripts(cleaned)
    return Reading(cleaned, counts, main_script(counts))

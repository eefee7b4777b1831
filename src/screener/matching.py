"""Phrase matching in any script: ICU word breaks as a spaCy tokenizer, spaCy's PhraseMatcher on top.

ICU segments Thai, Lao, Khmer, Burmese, Chinese and mixed text in one pass (Unicode UAX 29 with dictionaries), so one
blank pipeline serves every language; positions are in characters of the text as given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc


_FOLD = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "ي": "ی", "ى": "ی", "ك": "ک", "ş": "ș", "ţ": "ț", "İ": "I"})
"""Characters that keyboards use for one another. One for one, so that positions hold; both sides are folded."""


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase of ``key`` at ``text[start:end]``."""

    key: str
    start: int
    end: int


@cache
def blank_pipeline() -> Language:
    """A multi-language spaCy pipeline whose tokens are ICU words; made once per process."""
    import spacy

    nlp = spacy.blank("xx")
    nlp.tokenizer = _IcuTokenizer(nlp.vocab)
    return nlp


class _IcuTokenizer:
    """Callable that spaCy takes as a tokenizer: text to Doc, round-trip exact."""

    def __init__(self, vocab: Any) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        from icu4py.breakers import WordBreaker
        from spacy.tokens import Doc

        words: list[str] = []
        spaces: list[bool] = []
        for piece in WordBreaker(text, "en"):
            if piece == " " and words and not spaces[-1]:
                spaces[-1] = True
            else:
                words.append(piece)
                spaces.append(False)
        return Doc(self.vocab, words=words, spaces=spaces)


class PhraseIndex:
    """Finds phrases, case-insensitively and on whole words, and says under which key each was listed."""

    def __init__(self, phrases: Mapping[str, Iterable[str]]) -> None:
        from spacy.matcher import PhraseMatcher

        self._nlp = blank_pipeline()
        self._matcher = PhraseMatcher(self._nlp.vocab, attr="LOWER")
        for key, listed in phrases.items():
            patterns = [self._nlp.make_doc(phrase.translate(_FOLD)) for phrase in listed]
            if patterns:
                self._matcher.add(key, patterns)

    def find(self, text: str) -> list[Match]:
        """All matches in a text, by position, the longest first at each."""
        doc = self._nlp.make_doc(text.translate(_FOLD))
        spans = (self._span(doc, *found) for found in self._matcher(doc))
        return sorted(spans, key=lambda match: (match.start, -match.end, match.key))

    def find_many(self, texts: Iterable[str]) -> Iterator[list[Match]]:
        """``find`` for a stream; the vocabulary does not grow with it."""
        with self._nlp.memory_zone():
            for text in texts:
                yield self.find(text)

    def _span(self, doc: Doc, key: int, first: int, last: int) -> Match:
        span = doc[first:last]
        return Match(self._nlp.vocab.strings[key], span.start_char, span.end_char)

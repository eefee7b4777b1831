"""Lexicon evidence: phrases per label and language, found by spaCy's PhraseMatcher."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from screener.matching import Match, PhraseIndex
from screener.records import UNDETERMINED, Evidence
from screener.settings.schemas import LexiconFile

_LINGUA_FRANCA = "en"


class Lexicon:
    """All languages in one matcher; a match counts if its language is the post's, or English, or the post's is unknown."""

    def __init__(self, files: Iterable[LexiconFile], labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        phrases: dict[str, tuple[str, ...]] = {}
        for file in files:
            for label, listed in file.labels.items():
                phrases[f"{file.language}:{label}"] = listed
        self._index = PhraseIndex(phrases)

    def find_many(self, texts: Sequence[str], languages: Sequence[str]) -> Iterator[list[Match]]:
        """Matches per text with keys reduced to label ids; those of foreign lexicons are left out."""
        for language, found in zip(languages, self._index.find_many(texts), strict=True):
            accepted = _accepted(language)
            split = ((*match.key.partition(":")[::2], match) for match in found)
            kept = (Match(label, m.start, m.end) for owner, label, m in split if accepted is None or owner in accepted)
            yield list(dict.fromkeys(kept))


def lexicon_evidence(matches: Iterable[Match], label: str) -> Evidence | None:
    """The first and longest phrase that speaks for the label."""
    found = [match for match in matches if match.key == label]
    if not found:
        return None
    best = max(found, key=lambda match: (match.end - match.start, -match.start))
    return Evidence(label, best.start, best.end, "lexicon")


def _accepted(language: str) -> frozenset[str] | None:
    if language == UNDETERMINED:
        return None
    base = language.partition("-")[0]
    return frozenset({language, base, _LINGUA_FRANCA})

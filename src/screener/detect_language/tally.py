"""Scores under way: what a vote looks at, and what each voter's word for a language is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from screener.detect_language.markers import Marked
from screener.detect_language.romanised import Romanised
from screener.detect_language.scripts import codes

_ENGLISH_FLOOR, _ENGLISH_FULL_SHARE = 0.2, 0.35
"""Voters call the unknown English; without English function words their vote for it counts a fifth."""
_MINOR_WEIGHT = 0.65
_MINOR = codes(
    "jv su ceb zu xh sn st tn ny lg ln wo mg ca eu gl cy ga ht ku mt sq az uz et is lv lt sl hr sr sk af no da mk tt ky tg mn"
)
"""Languages that the voters name too often, being near larger ones; a full prior restores their weight."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What the vote looks at: a text, the languages its script allows, and what was found before."""

    text: str
    script: str
    letters: int
    allowed: frozenset[str]
    marked: Marked
    romanised: Romanised | None
    prior: Mapping[str, float]


@dataclass(slots=True)
class Tally:
    """Running scores; ``asked`` is the weight that has voted, the most that a voter's favourite can have."""

    scores: dict[str, float] = field(default_factory=dict)
    asked: float = 0.0

    def add(self, shares: Mapping[str, float], weight: float, ballot: Ballot) -> None:
        """Add one voter's shares, each language by what such a vote is worth."""
        self.asked += weight
        for language, share in shares.items():
            self.scores[language] = self.scores.get(language, 0.0) + weight * share * _worth(language, ballot)

    def bonus(self, language: str, amount: float) -> None:
        """Add (or take) what words, not voters, say."""
        self.scores[language] = self.scores.get(language, 0.0) + amount

    def ranking(self) -> list[tuple[str, float]]:
        """Languages by falling score; ties by code, so that the order never depends on hashing."""
        return sorted(self.scores.items(), key=lambda item: (-item[1], item[0]))

    def lead(self) -> float:
        """Distance of the best to the second, 0 if nobody has a vote."""
        first, second = [score for _, score in self.ranking()[:2] + [("", 0.0)] * 2][:2]
        return first - second


def is_minor(language: str) -> bool:
    """True for languages whose votes are often meant for a larger neighbour."""
    return language in _MINOR


def _worth(language: str, ballot: Ballot) -> float:
    if language == "en":
        return min(1.0, _ENGLISH_FLOOR + ballot.marked.english / _ENGLISH_FULL_SHARE)
    if is_minor(language):
        return _MINOR_WEIGHT + (1.0 - _MINOR_WEIGHT) * ballot.prior.get(language, 0.0)
    return 1.0

"""Pure: scores and thresholds become decisions. Score, then decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from screener.records import Classification, Evidence, Scores, Voice

DEFAULT = "default"
RELEVANCE, POSITIVE = "relevance", "positive"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Per name (a label, ``relevance`` or ``positive``) a default and exceptions by language."""

    values: Mapping[str, Mapping[str, float]]

    def of(self, name: str, language: str) -> float:
        """The threshold for a language, else the name's default, else one half."""
        by_language = self.values.get(name, {})
        return by_language.get(language, by_language.get(DEFAULT, 0.5))

    def overridden(self, overrides: Mapping[str, Mapping[str, float]]) -> Thresholds:
        """With the config's values in place of the model's."""
        names = {*self.values, *overrides}
        return Thresholds({name: {**self.values.get(name, {}), **overrides.get(name, {})} for name in names})


def flagged_labels(scores: Scores, language: str, thresholds: Thresholds) -> tuple[str, ...]:
    """Labels over their thresholds, in taxonomy order; an irrelevant post carries none."""
    if not is_relevant(scores, language, thresholds):
        return ()
    return tuple(label for label, probability in scores.signals if probability >= thresholds.of(label, language))


def is_relevant(scores: Scores, language: str, thresholds: Thresholds) -> bool:
    """True if the post speaks of working life; what the gate dropped does not."""
    return not scores.gated and scores.relevance >= thresholds.of(RELEVANCE, language)


def decide(
    scores: Scores, language: str, thresholds: Thresholds, evidence: tuple[Evidence, ...], *, supported: bool = True
) -> Classification:
    """The decision about one post; ``supported`` is false for a language that the model did not learn."""
    relevant = is_relevant(scores, language, thresholds)
    return Classification(
        relevant=relevant,
        relevance=scores.relevance,
        voice=scores.voice if relevant else Voice.NONE,
        positive=relevant and scores.positive >= thresholds.of(POSITIVE, language),
        signals=scores.signals,
        flagged=flagged_labels(scores, language, thresholds),
        evidence=evidence,
        gated=scores.gated,
        supported=supported,
    )

"""Why a post was judged as it was, in lines that an analyst can read."""

from __future__ import annotations

from dataclasses import dataclass

from screener.classify.classifier import Classifier
from screener.classify.gate import gate_probability
from screener.scrub import scrub

_SHOWN_ABOVE = 0.05
"""Signals below this probability explain nothing."""


@dataclass(frozen=True, slots=True)
class Line:
    """One question: probability, threshold, decision, and the words that speak for it."""

    name: str
    probability: float
    threshold: float
    flagged: bool
    because: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """All lines, and a sentence before them."""

    summary: str
    lines: tuple[Line, ...]


def explanation(classifier: Classifier, text: str, language: str) -> Explanation:
    """Judge one text and say why; the words shown are scrubbed, the text judged is not."""
    (answer,) = classifier.classify_many([text], [language])
    limits = classifier.thresholds
    because = {e.label: f"{scrub(text[e.start : e.end]).text!r} ({e.found_by})" for e in answer.evidence}
    lines = [Line("relevance", answer.relevance, limits.of("relevance", language), answer.relevant, "")]
    lines += [
        Line(label, probability, limits.of(label, language), label in answer.flagged, because.get(label, ""))
        for label, probability in sorted(answer.signals, key=lambda signal: -signal[1])
        if probability >= _SHOWN_ABOVE
    ]
    known = (
        ""
        if answer.supported
        else "; the model learned nothing in this language, so what speaks for a label counts half"
    )
    if answer.gated:
        limit = gate_probability(classifier.artifact.meta.gate_threshold)
        told = f"dropped by the gate ({answer.relevance:.4f}, it lets pass from {limit:.4f}); the encoder never read it"
    else:
        told = f"{'relevant, ' + str(answer.voice) if answer.relevant else 'not relevant'}"
        told += ", positive" if answer.positive else ""
    return Explanation(f"{language}{known}: {told}", tuple(lines))

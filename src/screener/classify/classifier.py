"""The classifier: gate, encoder, calibration, lexicon and decision, over batches of posts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from screener.classify.artifacts import Artifact, load_model
from screener.classify.decide import Thresholds, decide, flagged_labels
from screener.classify.encoder import Matrix, Reader
from screener.classify.evidence import find_evidence
from screener.classify.gate import gate_probability, gate_scores
from screener.classify.lexicon import Lexicon
from screener.classify.outputs import SIGNALS, VOICE
from screener.classify.packaged import PackagedE5
from screener.classify.wording import blended
from screener.errors import ModelError
from screener.records import UNDETERMINED, Classification, Scores, Voice
from screener.settings import Settings, find_shipped

_UNSUPPORTED_WEIGHT = 0.5
"""In a language without training posts what speaks for an answer counts half: nothing measured says that it deserves more."""


class Classifier:
    """Answers the guide's four questions for batches of posts; loads its model once."""

    def __init__(self, artifact: Artifact, lexicon: Lexicon, reader: Reader, thresholds: Thresholds) -> None:
        self.artifact, self.lexicon, self.thresholds = artifact, lexicon, thresholds
        self._reader = reader
        self._encoder = reader.runner(artifact.encoder)
        self._supported = frozenset(artifact.meta.languages)

    @classmethod
    def from_settings(cls, settings: Settings, folder: Path | None = None) -> Classifier:
        """The classifier that the config names (or the one in ``folder``), with the config's thresholds over the model's."""
        artifact = load_model(folder or find_shipped("models") / settings.runtime.classify.model)
        if artifact.meta.labels != settings.label_ids:
            raise ModelError(
                f"model {artifact.meta.key} knows other labels than taxonomy {settings.taxonomy_version}; train again"
            )
        thresholds = Thresholds(artifact.meta.thresholds).overridden(settings.runtime.classify.thresholds)
        return cls(artifact, Lexicon(settings.lexicons, settings.label_ids), Reader(PackagedE5()), thresholds)

    def supports(self, language: str) -> bool:
        """True if the model learned from posts in this language; what can't be told (``und``) is not held against a post."""
        return language in self._supported or language == UNDETERMINED

    def classify_many(self, texts: Sequence[str], languages: Sequence[str]) -> list[Classification]:
        """One classification per text, in order."""
        texts = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]  # a lone surrogate is no letter
        scores = self.score_many(texts, languages)
        flagged = [flagged_labels(s, language, self.thresholds) for s, language in zip(scores, languages, strict=True)]
        spans = find_evidence(texts, languages, flagged, self.lexicon, self._signal_logits)
        return [
            decide(score, language, self.thresholds, tuple(found), supported=self.supports(language))
            for score, language, found in zip(scores, languages, spans, strict=True)
        ]

    def score_many(self, texts: Sequence[str], languages: Sequence[str]) -> list[Scores]:
        """Scores before any threshold; posts that the gate drops never reach the encoder.

        N-grams of a language that was not learned say nothing, so there the wording counts for nothing.
        """
        if not texts:
            return []
        meta, supported = self.artifact.meta, np.array([self.supports(language) for language in languages])
        wording = np.where(supported, self.artifact.wording.scores(texts).astype(np.float64), 0)
        tokens = self._reader.tokenise(texts)
        gate = gate_scores(self.artifact.student, tokens, wording, meta.wording_in_gate)
        rows = np.flatnonzero(gate >= meta.gate_threshold).tolist()
        logits = blended(self._encoder.logits([tokens[row] for row in rows]), wording[rows], self.artifact.wording)
        scored = self.artifact.calibration.scores(
            np.where(supported[rows, None], logits, _lowered(logits)),
            [languages[row] for row in rows],
            [texts[row] for row in rows],
        )
        kept = dict(zip(rows, scored, strict=True))
        return [kept.get(row) or self._gated(odds) for row, odds in enumerate(gate.tolist())]

    def _signal_logits(self, texts: Sequence[str]) -> Matrix:
        return self._encoder.logits(self._reader.tokenise(texts))[:, SIGNALS]

    def _gated(self, odds: float) -> Scores:
        nothing = tuple((label, 0.0) for label in self.artifact.meta.labels)
        return Scores(round(gate_probability(odds), 4), Voice.NONE, 0.0, nothing, gated=True)


def _lowered(logits: Matrix) -> Matrix:
    """What speaks for an answer counts less; which voice speaks is no answer of yes or no."""
    lowered: Matrix = np.minimum(logits, _UNSUPPORTED_WEIGHT * logits)
    lowered[:, VOICE] = logits[:, VOICE]
    return lowered

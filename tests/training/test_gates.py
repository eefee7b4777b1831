"""Training of the gates: what they choose, on which posts, and that their figures count what the wording drops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from screener.classify import gate_training
from screener.classify.calibrate import Calibration, fit_calibration
from screener.classify.decide import Thresholds
from screener.classify.encoder import GraphRunner, Matrix, Reader
from screener.classify.gate import ANY_WORDING, WORDING_IN_GATE, gate_scores
from screener.classify.gate_training import (
    EPOCHS,
    Answers,
    FullModel,
    Gates,
    Material,
    OutOfFold,
    distil_gates,
    train_gates,
)
from screener.classify.labelled import INVENTED, LabelledPost
from screener.classify.outputs import RELEVANT, n_outputs
from screener.classify.packaged import PackagedE5
from screener.classify.wording import Wording, blended
from screener.records import Voice

pytestmark = pytest.mark.training
WAGES, MATCH = "they did not pay our wages", "the match ended three to nil"
LABELS = ("a", "b")


@pytest.fixture(scope="module")
def packaged() -> PackagedE5:
    return PackagedE5()


@pytest.fixture(scope="module")
def reader(packaged: PackagedE5) -> Reader:
    return Reader(packaged)


def answered(
    reader: Reader, flagged: Sequence[bool], *, wording: Sequence[float] | None = None, invented: int = 0
) -> Answers:
    """Answers to posts that are all alike where flagged, and all alike where not; the first ones are invented."""
    found = np.array(flagged, dtype=bool)
    opinions = np.where(found, 2.0, -2.0) if wording is None else np.array(wording)
    tokens = reader.tokenise([WAGES if one else MATCH for one in flagged])
    relevance = np.where(found, 0.9, 0.1)
    return Answers(tokens, opinions.astype(np.float32), relevance, found, np.arange(invented, len(flagged)))


def passes_everything(gates: Gates, answers: Answers, reader: Reader) -> bool:
    odds = gate_scores(reader.runner(gates.graph), answers.tokens, answers.wording, WORDING_IN_GATE)
    return bool((answers.wording >= gates.wording_threshold).all() and (odds >= gates.threshold).all())


def test_without_real_posts_all_pass_and_nothing_is_measured(reader: Reader, packaged: PackagedE5) -> None:
    answers = answered(reader, [True, False] * 20, invented=40)
    told: list[int] = []
    gates = distil_gates(answers, reader, packaged, lambda what, n: told.append(n))
    assert (gates.wording_threshold, gates.threshold, gates.measured) == (ANY_WORDING, 0.0, {})
    assert passes_everything(gates, answers, reader)
    assert sum(told) == EPOCHS * 40  # and all of them taught


@pytest.mark.parametrize("invented", [0, 20])
def test_real_posts_of_which_none_is_flagged_choose_gates_that_pass_all(
    reader: Reader, packaged: PackagedE5, invented: int
) -> None:
    answers = answered(reader, [True] * invented + [False] * 40, invented=invented)
    gates = distil_gates(answers, reader, packaged)
    assert (gates.wording_threshold, gates.threshold, gates.measured) == (ANY_WORDING, 0.0, {})
    assert passes_everything(gates, answers, reader)


HELD = np.arange(200) % 5 == 0
MEASURING = np.arange(200) % 10 == 5
"""Of two hundred real posts every fifth is held out, and every other of these measures."""


def mixture() -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Half is flagged; of the posts that measure the wording drops 3 of 10 flagged ones and 6 of 10 others."""
    rows = np.arange(200)
    flagged = rows % 20 >= 10
    wording = np.where(flagged, 2.0, -2.0)
    measuring, rest = np.flatnonzero(MEASURING & flagged), np.flatnonzero(~flagged)
    assert len(measuring) == 10
    wording[measuring[:3]] = -2.0
    wording[rest[rest // 20 >= 6]] = 2.0
    return flagged, wording


def test_what_the_wording_drops_is_lost_and_not_learned_from(reader: Reader, packaged: PackagedE5) -> None:
    flagged, wording = mixture()
    answers = answered(reader, flagged.tolist(), wording=wording.tolist())
    told: list[int] = []
    gates = distil_gates(answers, reader, packaged, lambda what, n: told.append(n))
    assert gates.wording_threshold == 2.0
    assert 0 < gates.threshold < 1
    assert (gates.measured["n"], gates.measured["n_flagged"]) == (20, 10)
    assert gates.measured["keeps_of_full_model"] == pytest.approx(0.7)  # the gate itself drops none: they are all alike
    assert gates.measured["wording_passes_of_irrelevant"] == pytest.approx(0.4)
    assert sum(told) == EPOCHS * (~HELD & (wording > 0)).sum()


def test_invented_posts_neither_choose_nor_measure(reader: Reader, packaged: PackagedE5) -> None:
    flagged, wording = mixture()
    answers = answered(reader, [*[True] * 30, *flagged], wording=[*[-9.0] * 30, *wording], invented=30)
    gates = distil_gates(answers, reader, packaged)
    assert gates.wording_threshold == 2.0
    assert (gates.measured["n"], gates.measured["n_flagged"]) == (20, 10)
    assert gates.measured["keeps_of_full_model"] == pytest.approx(0.7)


@dataclass
class Counting:
    """Stands for the full encoder: finds every text as relevant as the last, and counts them."""

    asked: list[int] = field(default_factory=list)

    def logits(self, tokens: Sequence[Sequence[int]]) -> Matrix:
        self.asked.append(len(tokens))
        return np.ones((len(tokens), n_outputs(LABELS)), dtype=np.float32)


def labelled(number: int, text: str, source: str) -> LabelledPost:
    yes = number % 2 == 0
    return LabelledPost(str(number), text, "en", source, yes, Voice.TESTIMONY, LABELS[: number % 3], not yes)


POSTS = [labelled(n, f"{WAGES if n % 2 == 0 else MATCH}, {n}", INVENTED if n < 4 else "posts") for n in range(12)]
UNSEEN = OutOfFold(
    np.linspace(-3, 3, 12 * n_outputs(LABELS), dtype=np.float32).reshape(12, -1), np.linspace(-1, 1, 12, dtype=np.float32)
)  # fmt: skip


WORDING = Wording(np.full(2**18, 0.01, dtype=np.float32), 0.0)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return fit_calibration(POSTS, UNSEEN.logits, np.ones(len(POSTS)), LABELS)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Answers]:
    """What the gates are asked to learn; they learn nothing."""
    found: list[Answers] = []

    def keep(answers: Answers, *_: object) -> Gates:
        found.append(answers)
        return Gates(ANY_WORDING, b"", 0.0, {})

    monkeypatch.setattr(gate_training, "distil_gates", keep)
    return found


def train(
    reader: Reader, packaged: PackagedE5, calibration: Calibration, stream: Sequence[str]
) -> tuple[list[int], list[int]]:
    """How many texts the full encoder was asked for, and what progress was told."""
    encoder = Counting()
    told: list[int] = []
    model = FullModel(reader, cast("GraphRunner", encoder), WORDING, calibration, Thresholds({}))
    material = Material(POSTS, stream, ["en"] * len(stream))
    train_gates(model, material, UNSEEN, packaged, lambda what, n: told.append(n))
    return encoder.asked, told


@pytest.mark.parametrize(
    "copy",
    [POSTS[0].text, POSTS[7].text, f"  {POSTS[7].text}\n"],
    ids=["invented", "real", "real-in-white-space"],
)
def test_labelled_post_of_the_stream_takes_its_out_of_fold_answer(
    reader: Reader, packaged: PackagedE5, calibration: Calibration, answers: list[Answers], copy: str
) -> None:
    new = ["nobody paid us this month", "what a goal"]
    assert train(reader, packaged, calibration, [new[0], copy, new[1]]) == ([2], [2])
    (found,) = answers
    said = calibration.probability("relevance", UNSEEN.logits[:, RELEVANT], ["en"] * 12)
    assert found.relevance[:12] == pytest.approx(said)
    assert found.flagged.tolist() == (found.relevance >= 0.5).tolist()
    assert found.wording[:12].tolist() == UNSEEN.wording.tolist()
    assert found.tokens == reader.tokenise([*(post.text for post in POSTS), *new])
    assert found.real.tolist() == list(range(4, 14))  # the first four are invented


def test_new_posts_of_the_stream_are_answered_by_the_model_with_its_wording(
    reader: Reader, packaged: PackagedE5, calibration: Calibration, answers: list[Answers]
) -> None:
    train(reader, packaged, calibration, ["nobody paid us this month"])
    (found,) = answers
    opinion = WORDING.scores(["nobody paid us this month"])
    both = blended(np.ones((1, n_outputs(LABELS)), dtype=np.float32), opinion, WORDING)
    assert found.wording[12:].tolist() == opinion.tolist()
    assert found.relevance[12:] == pytest.approx(calibration.probability("relevance", both[:, RELEVANT], ["en"]))


@pytest.mark.parametrize("stream", [[], [POSTS[7].text, POSTS[0].text]], ids=["empty", "all-labelled"])
def test_stream_without_a_new_post_is_not_read(
    reader: Reader, packaged: PackagedE5, calibration: Calibration, answers: list[Answers], stream: list[str]
) -> None:
    assert train(reader, packaged, calibration, stream) == ([], [])
    assert len(answers[0].tokens) == len(POSTS)
    assert answers[0].real.tolist() == list(range(4, 12))

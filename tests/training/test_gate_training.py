"""Training of the gate: what it learns from, and which posts choose its threshold and measure it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from screener.classify import gate_training
from screener.classify.calibrate import Calibration, fit_calibration
from screener.classify.decide import RELEVANCE, Thresholds
from screener.classify.encoder import GraphRunner, Matrix, Reader
from screener.classify.gate import ALL_PASS, WORDING_IN_GATE, gate_scores
from screener.classify.gate_training import Answers, FullModel, Gate, Material, OutOfFold, teach_gate, train_gate
from screener.classify.labelled import INVENTED, LabelledPost
from screener.classify.outputs import RELEVANT, n_outputs
from screener.classify.packaged import PackagedE5
from screener.classify.student import Student
from screener.classify.wording import Wording, blended
from screener.records import Voice

pytestmark = pytest.mark.training
WAGES, MATCH = "they did not pay our wages", "the match ended three to nil"
LABELS = ("a", "b")
SILENT = Student(
    np.array([1], dtype=np.int32), np.zeros((1, 1), np.float32), np.ones(1, np.float32), np.zeros((1, 1), np.float32),
    np.zeros(1, np.float32), np.zeros(1, np.float32), np.array(0, np.float32),
)  # fmt: skip
"""Says 0 of every post, so that the wording alone decides."""


def answered(reader: Reader, flagged: Sequence[bool], *, invented: int = 0) -> Answers:
    """Answers to posts that are all alike where flagged, and all alike where not; the first ones are invented."""
    found = np.array(flagged, dtype=bool)
    tokens = reader.tokenise([WAGES if one else MATCH for one in flagged])
    wording = np.where(found, 2.0, -2.0).astype(np.float32)
    return Answers(tokens, wording, np.where(found, 0.9, 0.1), found, np.arange(invented, len(flagged)))


def passes_everything(gate: Gate, answers: Answers) -> bool:
    odds = gate_scores(gate.student, answers.tokens, answers.wording, WORDING_IN_GATE)
    return bool((odds >= gate.threshold).all())


def test_without_real_posts_all_pass_and_nothing_is_measured(reader: Reader, packaged: PackagedE5) -> None:
    from screener.classify.student_training import EPOCHS

    answers = answered(reader, [True, False] * 20, invented=40)
    told: list[int] = []
    gate = teach_gate(answers, packaged, lambda what, n: told.append(n))
    assert (gate.threshold, gate.measured) == (ALL_PASS, {})
    assert passes_everything(gate, answers)
    assert sum(told) == EPOCHS * 40  # and all of them taught


@pytest.mark.parametrize("invented", [0, 20])
def test_real_posts_of_which_none_is_flagged_choose_a_gate_that_passes_all(
    reader: Reader, packaged: PackagedE5, invented: int
) -> None:
    answers = answered(reader, [True] * invented + [False] * 40, invented=invented)
    gate = teach_gate(answers, packaged)
    assert (gate.threshold, gate.measured) == (ALL_PASS, {})
    assert passes_everything(gate, answers)


def test_one_real_post_is_enough_to_choose(reader: Reader, packaged: PackagedE5) -> None:
    answers = answered(reader, [True, False] * 10 + [True], invented=20)
    gate = teach_gate(answers, packaged)
    (odds,) = gate_scores(gate.student, answers.tokens[20:], answers.wording[20:], WORDING_IN_GATE)
    assert gate.threshold == pytest.approx(odds, abs=2e-5)
    assert gate.threshold <= odds
    assert gate.measured == {}


def test_gate_tells_apart_what_the_full_model_does(reader: Reader, packaged: PackagedE5) -> None:
    gate = teach_gate(answered(reader, [n % 4 >= 2 for n in range(200)]), packaged)
    assert gate.measured == {"n": 20, "n_flagged": 10, "keeps_of_full_model": 1.0, "passes_of_irrelevant": 0.0}


@dataclass
class Learned:
    """What the student was asked to learn; it learned nothing and is silent."""

    posts: Sequence[Sequence[int]] = ()
    relevance: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def fit(
        self,
        posts: Sequence[Sequence[int]],
        relevance: NDArray[np.float64],
        packaged: PackagedE5,
        progress: Callable[[str, int], None],
    ) -> Student:
        self.posts, self.relevance = posts, relevance
        return SILENT


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> Learned:
    from screener.classify import student_training

    found = Learned()
    monkeypatch.setattr(student_training, "fit_student", found.fit)
    return found


LEARNING, CHOOSING, MEASURING = (np.isin(np.arange(200) % 10, ends) for ends in ([1, 2, 3, 4, 6, 7, 8, 9], [0], [5]))
"""Of two hundred real posts every fifth is held out, and every other of these measures."""


def mixture(invented: int = 0) -> Answers:
    """Half is flagged; of the posts that measure, the wording is against 3 of 10 flagged ones and 6 of 10 others.

    It speaks strongly and wrongly of the posts that are learned from and of invented ones: these would move what must not move.
    """
    flagged = np.arange(200) % 20 >= 10
    wording = np.where(flagged, -9.0, 9.0)
    wording[CHOOSING] = np.where(flagged, 2.0, 9.0)[CHOOSING]
    wording[MEASURING & flagged] = [-2.0] * 3 + [2.0] * 7
    wording[MEASURING & ~flagged] = [-2.0] * 6 + [2.0] * 4
    all_flagged, said = np.append(np.ones(invented, dtype=bool), flagged), np.append(np.full(invented, -9.0), wording)
    shuffled = np.sort(np.random.default_rng(0).permutation(200 + invented)[:200])  # where the real posts stand
    places = np.append(np.setdiff1d(np.arange(200 + invented), shuffled), shuffled)
    back = np.argsort(places)
    return Answers(
        [[row] for row in range(200 + invented)], said[back].astype(np.float32), np.linspace(0, 1, 200 + invented),
        all_flagged[back], shuffled,
    )  # fmt: skip


@pytest.mark.parametrize("invented", [0, 30])
def test_all_invented_and_four_fifths_of_the_real_posts_are_learned_from(
    packaged: PackagedE5, learned: Learned, invented: int
) -> None:
    answers = mixture(invented)
    teach_gate(answers, packaged)
    held = answers.real[~LEARNING].tolist()
    rows = [row for row in range(200 + invented) if row not in held]
    assert len(rows) == 160 + invented
    assert learned.posts == [[row] for row in rows]
    assert learned.relevance.tolist() == answers.relevance[rows].tolist()


@pytest.mark.parametrize("invented", [0, 30])
def test_one_half_of_the_others_chooses_and_the_other_measures(
    packaged: PackagedE5, learned: Learned, invented: int
) -> None:
    gate = teach_gate(mixture(invented), packaged)
    assert gate.student is SILENT
    assert gate.threshold == pytest.approx(2 * WORDING_IN_GATE, abs=2e-5)
    assert gate.threshold <= 2 * WORDING_IN_GATE
    assert gate.measured == {"n": 20, "n_flagged": 10, "keeps_of_full_model": 0.7, "passes_of_irrelevant": 0.4}


@pytest.mark.parametrize("part", [LEARNING, MEASURING], ids=["learning", "measuring"])
def test_only_posts_that_choose_move_the_threshold(
    packaged: PackagedE5, learned: Learned, part: NDArray[np.bool_]
) -> None:
    answers = mixture()
    before = teach_gate(answers, packaged).threshold
    answers.wording[part] -= 5
    assert teach_gate(answers, packaged).threshold == before
    answers.wording[CHOOSING] -= 5
    assert teach_gate(answers, packaged).threshold == pytest.approx(-3 * WORDING_IN_GATE, abs=2e-5)


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
    """What the gate is asked to learn; it learns nothing."""
    found: list[Answers] = []

    def keep(answers: Answers, *_: object) -> Gate:
        found.append(answers)
        return Gate(SILENT, ALL_PASS, {})

    monkeypatch.setattr(gate_training, "teach_gate", keep)
    return found


def train(
    reader: Reader,
    packaged: PackagedE5,
    calibration: Calibration,
    stream: Sequence[str],
    *,
    languages: Sequence[str] | None = None,
    thresholds: Thresholds | None = None,
) -> tuple[list[int], list[int]]:
    """How many texts the full encoder was asked for, and what progress was told."""
    encoder = Counting()
    told: list[int] = []
    model = FullModel(reader, cast("GraphRunner", encoder), WORDING, calibration, thresholds or Thresholds({}))
    material = Material(POSTS, stream, languages or ["en"] * len(stream))
    train_gate(model, material, UNSEEN, packaged, lambda what, n: told.append(n))
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


def test_posts_are_flagged_by_the_threshold_of_their_language(
    reader: Reader, packaged: PackagedE5, calibration: Calibration, answers: list[Answers]
) -> None:
    limits = Thresholds({RELEVANCE: {"default": 1.1, "th": 0.0}})
    stream, languages = ["labelled already", POSTS[7].text, "one", "two"], ["en", "th", "th", "en"]
    train(reader, packaged, calibration, stream, languages=languages, thresholds=limits)
    assert answers[0].flagged.tolist() == [*[False] * 12, False, True, False]


@pytest.mark.parametrize("stream", [[], [POSTS[7].text, POSTS[0].text]], ids=["empty", "all-labelled"])
def test_stream_without_a_new_post_is_not_read(
    reader: Reader, packaged: PackagedE5, calibration: Calibration, answers: list[Answers], stream: list[str]
) -> None:
    assert train(reader, packaged, calibration, stream) == ([], [])
    assert len(answers[0].tokens) == len(POSTS)
    assert answers[0].real.tolist() == list(range(4, 12))


def test_long_stream_is_read_in_parts(
    reader: Reader, packaged: PackagedE5, calibration: Calibration, answers: list[Answers]
) -> None:
    stream = [f"goal {number}" for number in range(4001)]
    assert train(reader, packaged, calibration, stream) == ([2000, 2000, 1], [2000, 2000, 1])
    assert len(answers[0].tokens) == len(answers[0].wording) == len(answers[0].relevance) == 4013

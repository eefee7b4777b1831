"""Thresholds: precise enough, judged on real posts where there are enough, one half where there are too few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from screener.classify.calibrate import Calibration
from screener.classify.labelled import INVENTED, LabelledPost
from screener.classify.outputs import POSITIVE, RELEVANT, SIGNALS, n_outputs
from screener.classify.thresholds import MIN_PRECISION, choose_threshold, choose_thresholds, weigh
from screener.records import Voice

GRID = [round(0.05 + 0.01 * step, 2) for step in range(91)]
PROBABILITY = st.floats(0, 1)
SCORED = st.lists(st.tuples(PROBABILITY, st.booleans()), max_size=40)
COST = st.sampled_from([0.0, 0.25, 1.0, 3.0])
Rows = Sequence[tuple[int, float, bool]]
"""How many posts have which score and truth."""


class Unchanged:
    """An estimator that takes the logit itself for the probability."""

    def predict_proba(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        found = matrix[:, 0].astype(np.float64)
        return np.column_stack([1 - found, found])


def arrays(pairs: Sequence[tuple[float, bool]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return np.array([score for score, _ in pairs], dtype=float), np.array([truth for _, truth in pairs], dtype=bool)


def spread(rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return arrays([(score, truth) for n, score, truth in rows for _ in range(n)])


def choose(rows: Rows) -> float:
    scores, truth = spread(rows)
    return choose_threshold(scores, truth, np.zeros(len(truth), dtype=bool))


def test_weigh_counts() -> None:
    found = weigh(*arrays([(0.9, True), (0.5, False), (0.5, True), (0.4, True), (0.1, False)]), 0.5, 3.0)
    assert (found.threshold, found.n_found, found.cost) == (0.5, 3, 1 + 3.0 * 1)
    assert (found.precision, found.recall, found.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_weigh_of_nothing_costs_nothing() -> None:
    found = weigh(*arrays([]), 0.5)
    assert (found.n_found, found.precision, found.recall, found.f1, found.cost) == (0, 0, 0, 0, 0)


@given(SCORED, PROBABILITY, COST)
def test_cost_is_misses_and_weighted_false_alarms(
    pairs: list[tuple[float, bool]], threshold: float, cost: float
) -> None:
    misses = sum(truth and score < threshold for score, truth in pairs)
    false_alarms = sum(not truth and score >= threshold for score, truth in pairs)
    assert weigh(*arrays(pairs), threshold, cost).cost == misses + cost * false_alarms


@given(SCORED, PROBABILITY, PROBABILITY)
def test_higher_threshold_never_finds_more(pairs: list[tuple[float, bool]], one: float, two: float) -> None:
    low, high = (weigh(*arrays(pairs), threshold) for threshold in sorted((one, two)))
    assert high.n_found <= low.n_found
    assert high.recall <= low.recall


@given(SCORED, PROBABILITY)
def test_f1_lies_between_precision_and_recall(pairs: list[tuple[float, bool]], threshold: float) -> None:
    found = weigh(*arrays(pairs), threshold)
    assert min(found.precision, found.recall) - 1e-12 <= found.f1 <= max(found.precision, found.recall) + 1e-12


@pytest.mark.parametrize("n_true", [0, 14])
def test_threshold_is_one_half_for_under_fifteen_cases(n_true: int) -> None:
    assert choose([(n_true, 0.9, True), (100, 0.1, False)]) == 0.5


def test_threshold_is_the_middle_of_the_best_stretch() -> None:
    assert choose([(15, 0.8, True), (100, 0.4, False)]) == pytest.approx(0.605, abs=0.006)


@pytest.mark.parametrize(("n_lower", "low", "high"), [(0, 0.40, 0.42), (1, 0.40, 0.42), (9, 0.60, 0.62)])
def test_lowest_threshold_is_hardly_worse_than_the_best(n_lower: int, low: float, high: float) -> None:
    scores, truth = spread([(200, 0.8, True), (n_lower, 0.605, False), (300, 0.405, False)])
    assert low < choose_threshold(scores, truth, np.zeros(len(truth), dtype=bool), lowest=True) < high


@given(st.integers(0, 10_000), st.floats(0.05, 0.5))
def test_threshold_is_precise_where_any_is(seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    truth = random.random(400) < share
    scores = 1 / (1 + np.exp(-random.normal(3 * truth - 2, 1.0)))
    chosen = choose_threshold(scores, truth, np.zeros(400, dtype=bool))
    assert chosen in GRID
    if truth.sum() >= 15 and any(weigh(scores, truth, threshold).precision >= MIN_PRECISION for threshold in GRID):
        assert weigh(scores, truth, chosen).precision >= MIN_PRECISION


def test_precise_threshold_is_taken_before_one_with_a_higher_f1() -> None:
    rows = [(5, 0.9, True), (10, 0.3, True), (16, 0.3, False)]  # all: precision 0.48, F1 0.65; the upper: 1.0 and 0.5
    assert choose(rows) > 0.3


def test_threshold_between_two_equally_good_stretches_is_not_taken() -> None:
    rows = [(10, 0.665, True), (5, 0.665, False), (4, 0.605, True), (10, 0.605, False), (1, 0.105, True)]
    assert weigh(*spread(rows), choose(rows)).precision >= MIN_PRECISION  # as at 0.10 and at 0.65; at 0.35 it is 0.48


def test_threshold_is_the_highest_where_none_is_precise() -> None:
    assert choose([(15, 0.7, True), (100, 0.7, False), (20, 0.97, False)]) == 0.95


@pytest.mark.parametrize(("n_real", "low", "high"), [(15, 0.61, 0.80), (14, 0.21, 0.40)])
def test_real_posts_decide_where_they_hold_fifteen_cases(n_real: int, low: float, high: float) -> None:
    invented = [(100, 0.405, True), (100, 0.205, False)]
    scores, truth = spread([*invented, (n_real, 0.805, True), (15, 0.605, False)])
    chosen = choose_threshold(scores, truth, np.arange(len(truth)) >= 200)
    assert low <= chosen <= high


def labelled(relevant: bool, signals: tuple[str, ...] = (), positive: bool = False) -> LabelledPost:
    return LabelledPost("1", "text", "en", INVENTED, relevant, Voice.TESTIMONY, signals, positive)


@pytest.fixture
def calibration() -> Calibration:
    return Calibration({name: Unchanged() for name in ("relevance", "positive", "a", "rare")}, ("a", "rare"))


def test_every_question_and_label_gets_a_default(calibration: Calibration) -> None:
    posts = [labelled(True, ("a",), True)] * 15 + [labelled(False)] * 15
    logits = np.full((30, n_outputs(("a", "rare"))), 0.1, dtype=np.float32)
    logits[:15] = 0.9
    chosen = choose_thresholds(posts, logits, calibration)
    assert [*chosen] == ["relevance", "positive", "a", "rare"]
    assert {name: [*values] for name, values in chosen.items()} == {name: ["default"] for name in chosen}
    assert chosen["rare"] == {"default": 0.5}
    assert chosen["relevance"]["default"] == 0.11  # the lowest of those that do as well; of the others the middle
    assert [chosen[name]["default"] for name in ("positive", "a")] == pytest.approx([0.47, 0.47], abs=0.02)


def test_signals_are_judged_on_posts_that_are_shown(calibration: Calibration) -> None:
    posts = [labelled(True, ("a",), True)] * 20 + [labelled(False)] * 100
    logits = np.zeros((120, n_outputs(("a", "rare"))), dtype=np.float32)
    logits[:20, RELEVANT], logits[20:, RELEVANT] = 0.9, 0.1
    for column in (POSITIVE, SIGNALS.start):
        logits[:20, column], logits[20:, column] = 0.305, 0.605  # surer of those that nobody is shown
    chosen = choose_thresholds(posts, logits, calibration)
    assert 0.1 < chosen["relevance"]["default"] <= 0.9
    assert chosen["a"]["default"] <= 0.3
    assert chosen["positive"]["default"] <= 0.3

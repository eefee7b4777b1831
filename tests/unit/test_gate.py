"""The gate's threshold and its figures: what is flagged must pass, whatever the scores look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from screener.classify.encoder import GraphRunner
from screener.classify.gate import ANY_WORDING, KEEPS, WORDING_KEEPS, choose_gate, gate_scores, measure_gate

SCORES = st.floats(min_value=0.0, max_value=1.0, allow_subnormal=False)
POSTS = st.lists(st.tuples(SCORES, st.booleans()), min_size=1, max_size=120)


def arrays(posts: list[tuple[float, bool]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    scores, flagged = zip(*posts, strict=True)
    return np.array(scores, dtype=np.float64), np.array(flagged, dtype=bool)


class Constant:
    """Stands for a small encoder that says the same of every post."""

    def logits(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        return np.full((len(tokens), 1), -1.5, dtype=np.float32)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_second_gate_adds_a_share_of_the_wording(share: float) -> None:
    wording = np.array([-6.0, 3.0, 0.0, -0.5])
    odds = gate_scores(cast("GraphRunner", Constant()), [[1, 2]] * 4, wording, share)
    assert np.log(odds / (1 - odds)) == pytest.approx(-1.5 + share * wording)


@given(st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=900))
def test_both_gates_together_keep_enough_of_what_chose_them(flagged: list[tuple[float, float]]) -> None:
    wording, second = np.array(flagged).T
    limit = choose_gate(wording, np.ones(len(wording), dtype=bool), WORDING_KEEPS, otherwise=ANY_WORDING)
    scores = np.where(wording >= limit, second, -1)
    threshold = choose_gate(scores, np.ones(len(scores), dtype=bool), KEEPS, otherwise=0.0)
    assert threshold >= 0
    assert (scores >= threshold).mean() >= KEEPS


@given(POSTS)
def test_threshold_keeps_enough_of_what_chose_it(posts: list[tuple[float, bool]]) -> None:
    scores, flagged = arrays(posts)
    threshold = choose_gate(scores, flagged, KEEPS, otherwise=0.0)
    assert 0 <= threshold <= 1
    assert not flagged.any() or (scores >= threshold)[flagged].mean() >= KEEPS


@pytest.mark.parametrize("n", [1, 2, 10, 49, 50, 51, 100, 1000])
def test_few_flagged_posts_are_kept_as_many_are(n: int) -> None:
    scores = np.linspace(0.2, 0.9, n)
    flagged = np.ones(n, dtype=bool)
    assert (scores >= choose_gate(scores, flagged, KEEPS, otherwise=0.0)).mean() >= KEEPS


def test_threshold_is_no_lower_than_it_must_be() -> None:
    scores = np.linspace(0.2, 0.9, 1000)
    kept = scores >= choose_gate(scores, np.ones(1000, dtype=bool), KEEPS, otherwise=0.0)
    assert KEEPS <= kept.mean() < KEEPS + 0.002


def test_posts_that_are_not_flagged_do_not_move_the_threshold() -> None:
    flagged = np.linspace(0.3, 0.9, 200)
    alone = choose_gate(flagged, np.ones(200, dtype=bool), KEEPS, otherwise=0.0)
    with_others = np.concatenate([flagged, np.linspace(0, 1, 5000)])
    assert alone > 0.3
    assert choose_gate(with_others, np.arange(5200) < 200, KEEPS, otherwise=0.0) == alone


@pytest.mark.parametrize("n", [0, 1, 500])
def test_gate_passes_everything_where_nothing_is_flagged(n: int) -> None:
    scores = np.linspace(0, 1, n)
    threshold = choose_gate(scores, np.zeros(n, dtype=bool), KEEPS, otherwise=0.0)
    assert threshold == 0.0
    assert (scores >= threshold).all()


@pytest.mark.parametrize("otherwise", [0.0, -3.5, ANY_WORDING])
@pytest.mark.parametrize("n", [0, 1, 500])
def test_caller_says_what_passes_everything(n: int, otherwise: float) -> None:
    log_odds = np.linspace(-40, 40, n, dtype=np.float32)
    assert choose_gate(log_odds, np.zeros(n, dtype=bool), WORDING_KEEPS, otherwise=otherwise) == otherwise
    assert (log_odds >= ANY_WORDING).all()


def test_one_flagged_post_is_enough_for_a_threshold_of_its_own() -> None:
    log_odds = np.array([-7.25, 3.0, 9.0], dtype=np.float32)
    found = choose_gate(log_odds, np.array([True, False, False]), WORDING_KEEPS, otherwise=ANY_WORDING)
    assert found == pytest.approx(-7.25, abs=1e-4)


def test_figures_are_counted() -> None:
    scores, flagged = arrays([(0.9, True), (0.5, True), (0.4, True), (0.1, True), (0.6, False), (0.2, False)])
    assert measure_gate(scores, flagged, 0.4) == {
        "n": 6, "n_flagged": 4, "keeps_of_full_model": 0.75, "passes_of_irrelevant": 0.5,
    }  # fmt: skip


def test_gate_that_passes_everything_keeps_everything() -> None:
    scores, flagged = arrays([(0.0, True), (0.3, False), (0.0, False)])
    found = measure_gate(scores, flagged, 0.0)
    assert (found["keeps_of_full_model"], found["passes_of_irrelevant"]) == (1.0, 1.0)


@pytest.mark.parametrize("flagged", [[], [False], [False] * 3, [True], [True] * 3])
def test_nothing_is_measured_where_posts_are_all_alike(flagged: list[bool]) -> None:
    assert measure_gate(np.full(len(flagged), 0.5), np.array(flagged, dtype=bool), 0.4) == {}

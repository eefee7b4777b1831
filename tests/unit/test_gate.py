"""The gate's scores, threshold and figures: what is flagged must pass, whatever the scores look like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from screener.classify.gate import ALL_PASS, KEEPS, choose_gate, gate_scores, measure_gate
from screener.classify.student import Student

SCORES = st.floats(min_value=-40.0, max_value=40.0, allow_subnormal=False)
POSTS = st.lists(st.tuples(SCORES, st.booleans()), min_size=1, max_size=120)
STUDENT = Student(
    np.array([1], dtype=np.int32), np.ones((1, 1), np.float32), np.ones(1, np.float32), np.ones((1, 1), np.float32),
    np.zeros(1, np.float32), np.array([2], np.float32), np.array(-1.5, np.float32),
)  # fmt: skip
"""Says 0.5 of a post of token 1, and -1.5 of any that does not have it."""


def arrays(posts: list[tuple[float, bool]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    scores, flagged = zip(*posts, strict=True)
    return np.array(scores, dtype=np.float64), np.array(flagged, dtype=bool)


@pytest.mark.parametrize("share", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_share_of_the_wording_is_added_to_what_the_student_says(share: float, kind: type) -> None:
    wording = np.array([-6.0, 3.0, 0.0, -0.5], dtype=kind)
    odds = gate_scores(STUDENT, [[2], [1], [1, 1, 2], [7, 8]], wording, share)
    assert odds.tolist() == [-1.5 - 6 * share, 0.5 + 3 * share, 0.5, -1.5 - 0.5 * share]


def test_no_posts_have_no_gate_scores() -> None:
    assert gate_scores(STUDENT, [], np.empty(0, dtype=np.float32), 0.7).shape == (0,)


@given(POSTS)
def test_threshold_keeps_enough_of_what_chose_it(posts: list[tuple[float, bool]]) -> None:
    scores, flagged = arrays(posts)
    threshold = choose_gate(scores, flagged, KEEPS)
    assert not flagged.any() or (scores >= threshold)[flagged].mean() >= KEEPS


@given(POSTS, st.floats(min_value=0.0, max_value=1.0))
def test_any_share_that_is_asked_for_is_kept(posts: list[tuple[float, bool]], keeps: float) -> None:
    scores, flagged = arrays(posts)
    threshold = choose_gate(scores, flagged, keeps)
    assert not flagged.any() or (scores >= threshold)[flagged].mean() >= keeps


@pytest.mark.parametrize("n", [1, 2, 10, 66, 67, 68, 100, 200, 201, 1000])
def test_few_flagged_posts_are_kept_as_many_are(n: int) -> None:
    scores = np.linspace(-5, 5, n)
    assert (scores >= choose_gate(scores, np.ones(n, dtype=bool), KEEPS)).mean() >= KEEPS


@given(st.sets(st.integers(-10_000, 10_000), min_size=1, max_size=900))
def test_threshold_is_no_lower_than_it_must_be(found: set[int]) -> None:
    scores = np.array(sorted(found), dtype=np.float64) / 100
    kept = (scores >= choose_gate(scores, np.ones(len(scores), dtype=bool), KEEPS)).sum()
    assert kept / len(scores) >= KEEPS > (kept - 2) / len(scores)  # a share of a post is rounded up


@pytest.mark.parametrize("lowest", [-7.25, 0.0, 2.5, 0.123456789, -0.123456789, -39.999999])
def test_threshold_lies_on_the_lowest_post_that_is_kept_or_a_hair_below(lowest: float) -> None:
    threshold = choose_gate(np.array([lowest, 40.0]), np.array([True, True]), KEEPS)
    assert threshold <= lowest
    assert threshold == round(threshold, 5) == pytest.approx(lowest, abs=1.01e-5)


@given(POSTS, st.lists(SCORES, max_size=60))
def test_posts_that_are_not_flagged_do_not_move_the_threshold(
    posts: list[tuple[float, bool]], others: list[float]
) -> None:
    scores, flagged = arrays(posts)
    with_others = np.concatenate([others, scores])
    told = np.concatenate([np.zeros(len(others), dtype=bool), flagged])
    assert choose_gate(with_others, told, KEEPS) == choose_gate(scores, flagged, KEEPS)


@given(POSTS, st.randoms(use_true_random=False))
def test_order_of_posts_does_not_move_the_threshold(posts: list[tuple[float, bool]], random: object) -> None:
    turned = posts[:]
    random.shuffle(turned)  # type: ignore[attr-defined]
    assert choose_gate(*arrays(turned), KEEPS) == choose_gate(*arrays(posts), KEEPS)


@pytest.mark.parametrize("n", [0, 1, 500])
def test_gate_passes_everything_where_nothing_is_flagged(n: int) -> None:
    scores = np.linspace(-1e5, 1e5, n, dtype=np.float32)
    assert choose_gate(scores, np.zeros(n, dtype=bool), KEEPS) == ALL_PASS
    assert (scores >= ALL_PASS).all()


def test_one_flagged_post_is_enough_for_a_threshold_of_its_own() -> None:
    log_odds = np.array([-7.25, -9.0, 9.0], dtype=np.float32)
    assert choose_gate(log_odds, np.array([True, False, False]), KEEPS) == -7.25


def test_figures_are_counted() -> None:
    scores, flagged = arrays([(3.0, True), (0.5, True), (-0.4, True), (-9.0, True), (0.6, False), (-0.5, False)])
    assert measure_gate(scores, flagged, -0.4) == {
        "n": 6, "n_flagged": 4, "keeps_of_full_model": 0.75, "passes_of_irrelevant": 0.5,
    }  # fmt: skip


def test_gate_that_passes_everything_keeps_everything() -> None:
    scores, flagged = arrays([(-40.0, True), (3.0, False), (-40.0, False)])
    found = measure_gate(scores, flagged, ALL_PASS)
    assert (found["keeps_of_full_model"], found["passes_of_irrelevant"]) == (1.0, 1.0)


@pytest.mark.parametrize("flagged", [[], [False], [False] * 3, [True], [True] * 3])
def test_nothing_is_measured_where_posts_are_all_alike(flagged: list[bool]) -> None:
    assert measure_gate(np.full(len(flagged), 0.5), np.array(flagged, dtype=bool), 0.4) == {}

"""Comparison of two models on the same posts: better, worse, or can't say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.classify.compare import paired_bootstrap
from screener.classify.labelled import LabelledPost
from screener.records import Classification, Voice

LABELS = ("a", "b", "rare")
FLAGGED = st.sets(st.sampled_from(["a", "b"])).map(lambda found: tuple(sorted(found)))
ANSWER = st.tuples(st.booleans(), FLAGGED)


def labelled(number: int, relevant: bool, signals: tuple[str, ...], language: str) -> LabelledPost:
    return LabelledPost(str(number), "text", language, "invented", relevant, Voice.TESTIMONY, signals, positive=False)


def answer(relevant: bool, flagged: tuple[str, ...] = ()) -> Classification:
    return Classification(relevant, float(relevant), Voice.TESTIMONY, False, (), flagged, ())


POSTS = [
    labelled(n, n % 2 == 0, ("a", "b") if n % 4 == 0 else ("rare",) if n in {2, 6} else (), "my" if n >= 110 else "th")
    for n in range(120)
]
RIGHT = [answer(post.relevant, post.signals) for post in POSTS]
POOR = [answer(n % 3 == 0, ("a",) if n % 5 == 0 else ()) for n in range(120)]


def test_identical_answers_differ_by_nothing() -> None:
    found = paired_bootstrap(POSTS, POOR, list(POOR), LABELS, draws=200)
    assert {(row.difference, row.low, row.high, row.verdict) for row in found} == {(0.0, 0.0, 0.0, "can't say")}


def test_right_answers_are_better_and_the_swap_is_worse() -> None:
    better = paired_bootstrap(POSTS, POOR, RIGHT, LABELS, draws=500)
    worse = paired_bootstrap(POSTS, RIGHT, POOR, LABELS, draws=500)
    assert {row.verdict for row in better} == {"better"}
    assert {row.verdict for row in worse} == {"worse"}
    assert {row.second for row in better} == {row.first for row in worse} == {1.0}


def test_f1_is_of_the_posts_themselves() -> None:
    relevance, micro, *_ = paired_bootstrap(POSTS, POOR, RIGHT, LABELS, draws=10)
    assert (relevance.n, relevance.first) == (60, pytest.approx(2 * 20 / (60 + 40)))
    assert (micro.n, micro.first) == (62, pytest.approx(2 * 6 / (62 + 24)))
    assert relevance.difference == pytest.approx(1 - relevance.first)


def test_small_groups_are_left_out() -> None:
    found = paired_bootstrap(POSTS, POOR, RIGHT, LABELS, draws=10)
    assert [(row.name, row.n) for row in found] == [
        ("relevance", 60), ("signals (micro)", 62), ("a", 30), ("b", 30), ("th", 55),
    ]  # fmt: skip


@pytest.mark.parametrize(("n", "names"), [(9, []), (10, ["relevance", "th"])])
def test_ten_cases_are_enough(n: int, names: list[str]) -> None:
    posts = [labelled(number, True, (), "th") for number in range(n)]
    found = paired_bootstrap(posts, [answer(True)] * n, [answer(False)] * n, LABELS, draws=10)
    assert [row.name for row in found] == names


def test_one_lucky_post_is_not_better() -> None:
    luckier = [RIGHT[0], *POOR[1:]]
    relevance = paired_bootstrap(POSTS, POOR[:2] + RIGHT[2:3] + POOR[3:], POOR, LABELS, draws=500)[0]
    assert relevance.difference < 0
    assert relevance.verdict == "can't say"
    assert {row.verdict for row in paired_bootstrap(POSTS, POOR, luckier, LABELS, draws=500)} == {"can't say"}


def test_answer_is_the_same_every_time_and_follows_the_seed() -> None:
    one, two = (paired_bootstrap(POSTS, POOR, RIGHT, LABELS, draws=50) for _ in range(2))
    other = paired_bootstrap(POSTS, POOR, RIGHT, LABELS, draws=50, seed=1)
    assert one == two
    assert [(row.name, row.difference) for row in other] == [(row.name, row.difference) for row in one]
    assert other != one


@given(st.lists(st.tuples(ANSWER, ANSWER, ANSWER), min_size=20, max_size=30))
def test_swapped_models_swap_the_signs(drawn: list[tuple[tuple[bool, tuple[str, ...]], ...]]) -> None:
    posts = [labelled(n, relevant, signals, "th") for n, ((relevant, signals), _, _) in enumerate(drawn)]
    first, second = ([answer(*row[side]) for row in drawn] for side in (1, 2))
    there = paired_bootstrap(posts, first, second, LABELS, draws=40)
    back = paired_bootstrap(posts, second, first, LABELS, draws=40)
    for one, two in zip(there, back, strict=True):
        assert (one.name, one.n, one.first, one.second) == (two.name, two.n, two.second, two.first)
        assert (one.difference, one.low, one.high) == pytest.approx((-two.difference, -two.high, -two.low))
        assert one.low <= one.high
        assert (one.verdict == "better") is (one.low > 0) is (two.verdict == "worse")
        assert (one.verdict == "worse") is (one.high < 0) is (two.verdict == "better")


LUCKIER = [RIGHT[0], *POOR[1:]]


@pytest.mark.parametrize(
    ("first", "second", "signs", "verdict"),
    [
        (POOR, RIGHT, (1, 1), "better"), (RIGHT, POOR, (-1, -1), "worse"), (POOR[:60] + RIGHT[60:], RIGHT[:60] + POOR[60:], (-1, 1), "can't say"),
        (POOR, LUCKIER, (0, 1), "can't say"), (LUCKIER, POOR, (-1, 0), "can't say"), (POOR, POOR, (0, 0), "can't say"),
    ],
    ids=["above", "below", "around", "from-zero", "to-zero", "zero"],
)  # fmt: skip
def test_verdict_needs_an_interval_without_zero(
    first: list[Classification], second: list[Classification], signs: tuple[int, int], verdict: str
) -> None:
    rows = {row.name: row for row in paired_bootstrap(POSTS, first, second, LABELS, draws=500)}
    row = rows["b"]
    assert ((row.low > 0) - (row.low < 0), (row.high > 0) - (row.high < 0)) == signs
    assert row.verdict == verdict

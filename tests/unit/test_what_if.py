"""What-if: what each threshold would find, miss and cost on labelled posts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.classify.labelled import LabelledPost
from screener.classify.what_if import WhatIf, what_if
from screener.records import Classification, Voice

Case = tuple[bool, float]
"""Whether a post is truly so, and the probability that the model gives it."""
CASES = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), max_size=30)
COST = st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0])


def labelled(relevant: bool, signals: tuple[str, ...] = ()) -> LabelledPost:
    return LabelledPost("1", "text", "th", "invented", relevant, Voice.TESTIMONY, signals, positive=False)


def answer(relevance: float, signal: float = 0.0, *, relevant: bool = True, gated: bool = False) -> Classification:
    return Classification(relevant, relevance, Voice.TESTIMONY, False, (("a", signal),), (), (), gated)


def relevance(cases: list[Case], cost: float = 1.0) -> WhatIf:
    return what_if([labelled(truth) for truth, _ in cases], [answer(p) for _, p in cases], "relevance", cost)


def test_grid_goes_from_one_twentieth_to_nineteen() -> None:
    found = relevance([(True, 0.5)])
    assert [choice.threshold for choice in found.choices] == [round(0.05 * step, 2) for step in range(1, 20)]
    assert (found.name, found.n_true) == ("relevance", 1)


def test_relevance_counts_what_is_under_today_s_threshold_too() -> None:
    posts = [labelled(True), labelled(False)]
    found = what_if(posts, [answer(0.22, relevant=False), answer(0.12, relevant=False)], "relevance", 1.0)
    assert [choice.n_found for choice in found.choices[:5]] == [2, 2, 1, 1, 0]


def test_signals_count_only_on_posts_found_relevant() -> None:
    posts = [labelled(True, ("a",)), labelled(True, ("a",)), labelled(True)]
    answers = [answer(0.9, 0.8), answer(0.1, 0.8, relevant=False), answer(0.9, 0.8)]
    found = what_if(posts, answers, "a", 1.0)
    assert found.n_true == 2
    assert (found.choices[0].n_found, found.choices[0].precision, found.choices[0].recall) == (2, 0.5, 0.5)


@pytest.mark.parametrize(("cost", "threshold"), [(0.25, 0.05), (4.0, 0.65)])
def test_cheapest_threshold_follows_the_cost_of_a_false_alarm(cost: float, threshold: float) -> None:
    assert relevance([(True, 0.92), (True, 0.3), (False, 0.62), (False, 0.3)], cost).cheapest.threshold == threshold


@given(CASES, COST)
def test_no_choice_costs_less_than_the_cheapest(cases: list[Case], cost: float) -> None:
    found = relevance(cases, cost)
    assert found.cheapest in found.choices
    assert found.cheapest.cost == min(choice.cost for choice in found.choices)


@given(CASES, COST, COST)
def test_dearer_false_alarms_never_lower_the_threshold(cases: list[Case], one: float, two: float) -> None:
    cheap, dear = sorted((one, two))
    assert relevance(cases, cheap).cheapest.threshold <= relevance(cases, dear).cheapest.threshold


@given(CASES)
def test_higher_threshold_never_finds_more(cases: list[Case]) -> None:
    n_found = [choice.n_found for choice in relevance(cases).choices]
    assert n_found == sorted(n_found, reverse=True)


def test_gated_post_is_found_at_no_threshold() -> None:
    found = what_if([labelled(True)], [answer(0.08, relevant=False, gated=True)], "relevance", 1.0)
    assert {choice.n_found for choice in found.choices} == {0}


def test_no_posts_cost_nothing() -> None:
    found = relevance([])
    assert (found.n_true, {choice.cost for choice in found.choices}) == (0, {0.0})

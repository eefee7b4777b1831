"""Evaluation: precision, recall and F1 with n, macro over frequent labels, calibration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.classify.evaluate import calibration_error, evaluate, score
from screener.classify.labelled import LabelledPost
from screener.records import Classification, Voice

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30)


def labelled(
    number: int,
    relevant: bool = True,
    signals: tuple[str, ...] = (),
    language: str = "th",
    voice: Voice = Voice.TESTIMONY,
) -> LabelledPost:
    return LabelledPost(str(number), "text", language, "invented", relevant, voice, signals, positive=False)


def answer(
    relevant: bool = True, flagged: tuple[str, ...] = (), relevance: float = 1.0, voice: Voice = Voice.TESTIMONY
) -> Classification:
    return Classification(relevant, relevance, voice, False, (), flagged, ())


def test_score_counts_hits() -> None:
    found = score("x", np.array([True, True, True, False]), np.array([True, False, False, True]))
    assert (found.n, found.n_found, found.precision, found.recall) == (3, 2, 0.5, pytest.approx(1 / 3))
    assert found.f1 == pytest.approx(0.4)


def test_score_without_cases_is_undefined_not_zero() -> None:
    found = score("x", np.array([False, False]), np.array([False, True]))
    assert (found.precision, found.recall, found.f1) == (0.0, None, None)
    assert score("x", np.array([True]), np.array([False])).precision is None


@given(PAIRS)
def test_f1_is_the_harmonic_mean_within_bounds(pairs: list[tuple[bool, bool]]) -> None:
    truth, found = (np.array([pair[side] for pair in pairs], dtype=bool) for side in (0, 1))
    result = score("x", truth, found)
    if result.f1 is not None and result.precision is not None and result.recall is not None:
        assert 0 <= result.f1 <= 1
        assert min(result.precision, result.recall) - 1e-12 <= result.f1 <= max(result.precision, result.recall) + 1e-12
    assert score("x", truth, truth).f1 in (None, 1.0)


@pytest.mark.parametrize(
    ("truth", "probability", "error"),
    [
        ([True, False], [1.0, 0.0], 0.0),
        ([False, True], [1.0, 0.0], 1.0),
        ([True, False], [0.5, 0.5], 0.0),
        ([True] * 4, [0.75] * 4, 0.25),
        ([], [], 0.0),
    ],
)
def test_calibration_error(truth: list[bool], probability: list[float], error: float) -> None:
    assert calibration_error(np.array(truth, dtype=bool), np.array(probability, dtype=float)) == pytest.approx(error)


def test_evaluate_reports_n_for_every_figure() -> None:
    posts = [
        labelled(1, signals=("a",)),
        labelled(2, signals=("a", "b"), language="my"),
        labelled(3, relevant=False),
        labelled(4, voice=Voice.REPORT),
    ]
    answers = [
        answer(flagged=("a",)),
        answer(flagged=("b",)),
        answer(flagged=("a",)),
        answer(relevant=False, relevance=0.1, voice=Voice.NONE),
    ]
    found = evaluate(posts, answers, ["a", "b", "c"], n_cross_validated=1)
    assert (found.n_posts, found.n_cross_validated) == (4, 1)
    assert (found.relevance.n, found.relevance.recall) == (3, pytest.approx(2 / 3))
    assert {entry.name: entry.n for entry in found.relevance_by_language} == {"my": 1, "th": 2}
    assert [(entry.name, entry.n) for entry in found.by_label] == [("a", 2), ("b", 1), ("c", 0)]
    assert (found.signals_micro.n, found.signals_micro.n_found, found.signals_micro.f1) == (3, 3, pytest.approx(2 / 3))
    assert found.signals_macro_f1 is None  # no label has 15 true cases
    assert found.voice_accuracy == pytest.approx(2 / 3)


def test_macro_f1_is_over_labels_with_fifteen_cases() -> None:
    posts = [labelled(number, signals=("a",) if number < 15 else ("b",)) for number in range(29)]
    answers = [answer(flagged=("a",) if number < 15 else ()) for number in range(29)]
    assert evaluate(posts, answers, ["a", "b"]).signals_macro_f1 == 1.0


def test_evaluate_of_nothing_has_no_scores() -> None:
    found = evaluate([], [], ["a"])
    assert (found.n_posts, found.relevance.f1, found.signals_micro.f1, found.signals_macro_f1) == (0, None, None, None)


def test_evaluate_refuses_answers_to_other_posts() -> None:
    with pytest.raises(ValueError):
        evaluate([labelled(1)], [answer(), answer()], ["a"])

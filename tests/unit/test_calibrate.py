"""Calibration: logits become probabilities that mean the same in every group of languages."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from screener.classify.calibrate import GROUP_NAMES, Calibration, fit_calibration, group_number, shift_matrix
from screener.classify.labelled import LabelledPost
from screener.classify.outputs import POSITIVE, RELEVANT, VOICE, VOICES, n_outputs
from screener.measures import calibration_error
from screener.records import Voice

LABELS = ("a", "b")
THAI_SHIFT = 2.0
"""How much surer the simulated network is in Thai than the truth allows."""
LOGIT = st.floats(-8, 8)
LANGUAGE = st.sampled_from(["en", "th", "zh-Hant", "hi-Latn", "xx"])


def labelled(
    number: int, language: str, relevant: bool, positive: bool, signals: tuple[str, ...], voice: Voice = Voice.TESTIMONY
) -> LabelledPost:
    return LabelledPost(str(number), "text", language, "invented", relevant, voice, signals, positive)


def simulate(seed: int, languages: Sequence[str]) -> tuple[list[LabelledPost], NDArray[np.float32]]:
    """Truths drawn with the probability that a logit stands for, and the logit as the network says it."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (len(languages), n_outputs(LABELS)))
    true = random.random(logits.shape) < 1 / (1 + np.exp(-logits))
    said = logits + THAI_SHIFT * (np.array(languages) == "th")[:, None]
    posts = [
        labelled(
            number,
            language,
            relevant,
            positive,
            tuple(np.array(LABELS)[found]),
            VOICES[int(said[number, VOICE].argmax())],
        )
        for number, (language, relevant, positive, found) in enumerate(
            zip(languages, true[:, 0].tolist(), true[:, 1].tolist(), true[:, -2:], strict=True)
        )
    ]
    return posts, said.astype(np.float32)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    posts, logits = simulate(0, ["en", "th"] * 2000)
    return fit_calibration(posts, logits, np.ones(len(posts)), LABELS)


def probability(calibration: Calibration, logit: float, language: str, name: str = "relevance") -> float:
    return float(calibration.probability(name, np.array([logit]), [language])[0])


@pytest.mark.parametrize("name", ["relevance", "positive", "a", "b"])
def test_shift_between_groups_is_learned(calibration: Calibration, name: str) -> None:
    assert probability(calibration, 1.0, "en", name) == pytest.approx(1 / (1 + math.exp(-1)), abs=0.05)
    assert probability(calibration, 1.0, "th", name) == pytest.approx(1 / (1 + math.exp(1)), abs=0.05)


@pytest.mark.parametrize(("n_thai", "low", "high"), [(4, 0.0, 0.15), (400, 0.4, 0.8)])
def test_group_with_few_posts_hardly_shifts(n_thai: int, low: float, high: float) -> None:
    posts, logits = simulate(0, ["en"] * 1000)
    thai = [labelled(number, "th", False, False, ()) for number in range(n_thai)]  # none true, as sure as English ones
    logits = np.concatenate([logits, np.ones((n_thai, n_outputs(LABELS)), dtype=np.float32)])
    fitted = fit_calibration([*posts, *thai], logits, np.ones(len(logits)), LABELS)
    assert low < probability(fitted, 1.0, "en") - probability(fitted, 1.0, "th") < high


def test_weight_of_zero_is_as_if_the_post_were_not_there() -> None:
    posts, logits = simulate(0, ["en"] * 400)
    weights = np.array([1.0] * 200 + [0.0] * 200)
    weighted = fit_calibration(posts, logits, weights, LABELS)
    half = fit_calibration(posts[:200], logits[:200], np.ones(200), LABELS)
    assert probability(weighted, 0.5, "en") == pytest.approx(probability(half, 0.5, "en"), abs=1e-3)


@given(LOGIT, LOGIT, LANGUAGE)
def test_probability_rises_with_the_logit(calibration: Calibration, one: float, two: float, language: str) -> None:
    low, high = sorted((one, two))
    assert 0 <= probability(calibration, low, language) <= probability(calibration, high, language) <= 1


def test_probabilities_on_new_posts_mean_what_they_say(calibration: Calibration) -> None:
    posts, logits = simulate(1, ["en", "th"] * 2000)
    truth = np.array([post.relevant for post in posts])
    found = calibration.probability("relevance", logits[:, RELEVANT], [post.language for post in posts])
    raw = 1 / (1 + np.exp(-logits[:, RELEVANT].astype(np.float64)))
    thai = np.array([post.language == "th" for post in posts])
    assert calibration_error(truth, found) < 0.03
    assert calibration_error(truth[thai], found[thai]) < 0.04 < 0.2 < calibration_error(truth[thai], raw[thai])


@pytest.mark.parametrize(
    ("language", "group"),
    [
        ("en", "English"),
        ("th", "mainland South-East Asia"),
        ("zh-Hant", "Chinese, Japanese, Korean"),
        ("hi", "South Asia"),
        ("hi-Latn", "romanised"),
        ("ar", "Near East and Central Asia"),
        ("ar-Latn", "romanised"),
        ("pt-BR", "Europe"),
        ("xx", "other"),
        ("und", "other"),
        ("", "other"),
    ],
)
def test_group_is_of_the_language_else_without_subtag_else_the_last(language: str, group: str) -> None:
    assert GROUP_NAMES[group_number(language)] == group


def test_unknown_languages_get_the_same_probability(calibration: Calibration) -> None:
    assert probability(calibration, 0.3, "xx") == probability(calibration, 0.3, "und")


@given(st.lists(st.tuples(LOGIT, LANGUAGE), min_size=1, max_size=10))
def test_shift_matrix_marks_one_group_in_each_row(rows: list[tuple[float, str]]) -> None:
    matrix = shift_matrix(np.array([logit for logit, _ in rows]), [language for _, language in rows])
    assert matrix.shape == (len(rows), 1 + len(GROUP_NAMES))
    assert matrix[:, 0] == pytest.approx([logit for logit, _ in rows], rel=1e-6)
    assert [np.flatnonzero(row).tolist() for row in matrix[:, 1:]] == [[group_number(code)] for _, code in rows]


def test_scores_are_one_per_row(calibration: Calibration) -> None:
    logits = np.zeros((len(VOICES), n_outputs(LABELS)), dtype=np.float32)
    logits[:, VOICE] = 3 * np.eye(len(VOICES))
    logits[:, RELEVANT] = [-3, -1, 1, 3]
    found = calibration.scores(logits, ["en"] * len(VOICES), ["text"] * len(VOICES))
    assert [score.voice for score in found] == list(VOICES)
    assert [score.relevance for score in found] == sorted(score.relevance for score in found)
    assert found[0].relevance == round(probability(calibration, -3, "en"), 4)
    assert {tuple(label for label, _ in score.signals) for score in found} == {LABELS}
    assert not any(score.gated for score in found)


def test_scores_are_the_probabilities_of_each_question(calibration: Calibration) -> None:
    languages = ["en", "th", "xx"]
    _, logits = simulate(2, languages)
    found = calibration.scores(logits, languages, ["text"] * len(languages))
    for name, column in (("relevance", RELEVANT), ("positive", POSITIVE)):
        expected = calibration.probability(name, logits[:, column], languages).round(4)
        assert [getattr(score, name) for score in found] == pytest.approx(expected)
    signals = calibration.signals(logits, languages)
    assert signals.shape == (3, len(LABELS))
    assert np.array([[p for _, p in score.signals] for score in found]) == pytest.approx(signals.round(4))


def test_length_tells_voices_apart_where_the_logits_do_not() -> None:
    lengths = {Voice.REPORT: 20, Voice.TESTIMONY: 900}
    posts = [
        LabelledPost(str(n), "x" * lengths[voice], "en", "invented", True, voice, LABELS[: n % 3], n % 2 == 0)
        for n, voice in enumerate([Voice.REPORT, Voice.TESTIMONY] * 50)
    ]
    posts.append(labelled(100, "en", False, False, (), Voice.NONE))
    logits = np.zeros((len(posts), n_outputs(LABELS)), dtype=np.float32)
    fitted = fit_calibration(posts, logits, np.ones(len(posts)), LABELS)
    found = fitted.scores(logits[:2], ["en", "en"], ["x" * 30, "x" * 700])
    assert [score.voice for score in found] == [Voice.REPORT, Voice.TESTIMONY]


def test_links_make_no_post_long(calibration: Calibration) -> None:
    logits = np.zeros((2, n_outputs(LABELS)), dtype=np.float32)
    plain, linked = calibration.scores(logits, ["en", "en"], ["not paid", "not paid https://example.org/" + "x" * 900])
    assert plain == linked


def test_scores_of_nothing_are_none(calibration: Calibration) -> None:
    assert calibration.scores(np.zeros((0, n_outputs(LABELS)), dtype=np.float32), [], []) == []

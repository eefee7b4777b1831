"""Score, then decide: thresholds by label and language, and nothing on what is irrelevant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.classify.decide import Thresholds, decide, flagged_labels, is_relevant
from screener.records import Evidence, Scores, Voice

PROBABILITY = st.floats(0, 1)
SCORES = st.builds(
    Scores, PROBABILITY, st.sampled_from(Voice), PROBABILITY,
    st.tuples(st.tuples(st.just("a"), PROBABILITY), st.tuples(st.just("b"), PROBABILITY)), st.booleans(),
)  # fmt: skip
LIMITS = st.builds(
    Thresholds,
    st.dictionaries(
        st.sampled_from(["a", "b", "relevance", "positive"]),
        st.dictionaries(st.sampled_from(["default", "my"]), PROBABILITY),
    ),
)
MODEL = Thresholds({"relevance": {"default": 0.4, "my": 0.2}, "a": {"default": 0.6}, "b": {"my": 0.3}})


@pytest.mark.parametrize(
    ("name", "language", "limit"),
    [("relevance", "my", 0.2), ("relevance", "th", 0.4), ("a", "my", 0.6), ("b", "th", 0.5), ("c", "th", 0.5)],
)
def test_threshold_is_of_the_language_else_default_else_half(name: str, language: str, limit: float) -> None:
    assert MODEL.of(name, language) == limit


def test_overrides_replace_single_thresholds() -> None:
    changed = MODEL.overridden({"relevance": {"my": 0.9}, "c": {"default": 0.1}})
    assert (
        changed.of("relevance", "my"),
        changed.of("relevance", "th"),
        changed.of("a", "th"),
        changed.of("c", "th"),
    ) == (0.9, 0.4, 0.6, 0.1)
    assert MODEL.of("relevance", "my") == 0.2


@given(SCORES, st.sampled_from(["my", "th"]), LIMITS)
def test_irrelevant_post_carries_nothing(scores: Scores, language: str, limits: Thresholds) -> None:
    answer = decide(scores, language, limits, ())
    assert answer.relevant == is_relevant(scores, language, limits)
    assert (answer.signals, answer.relevance, answer.gated) == (scores.signals, scores.relevance, scores.gated)
    if scores.gated:
        assert not answer.relevant
    if not answer.relevant:
        assert (answer.flagged, answer.voice, answer.positive) == ((), Voice.NONE, False)
    else:
        assert answer.flagged == tuple(label for label, p in scores.signals if p >= limits.of(label, language))


@given(SCORES, st.sampled_from(["my", "th"]), LIMITS)
def test_higher_threshold_never_flags_more(scores: Scores, language: str, limits: Thresholds) -> None:
    stricter = limits.overridden({"a": {language: 1.1}})
    assert set(flagged_labels(scores, language, stricter)) == set(flagged_labels(scores, language, limits)) - {"a"}


def test_threshold_itself_is_enough() -> None:
    scores = Scores(0.4, Voice.TESTIMONY, 0.5, (("a", 0.6), ("b", 0.4)), gated=False)
    answer = decide(scores, "th", MODEL, (Evidence("a", 0, 3, "lexicon"),))
    assert answer.relevant
    assert answer.positive
    assert answer.flagged == ("a",)
    assert answer.evidence == (Evidence("a", 0, 3, "lexicon"),)

"""Suppression: what is withheld, why, and that nothing between nobody and k is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.aggregate.indicators import label_share
from screener.aggregate.suppress import hides_label, suppression_reason
from screener.settings import Settings

FLOORS = {"min_posts": 10, "min_voices": 10, "min_authors": 5, "min_sources": 2, "min_label_voices": 3}
ENOUGH = {"n_posts": 10, "n_voices": 10, "n_authors": 5, "n_sources": 2}


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({}, None),
        ({"n_posts": 9}, "too-few-posts"),
        ({"n_voices": 9}, "too-few-voices"),
        ({"n_authors": 4}, "too-few-authors"),
        ({"n_authors": 1}, "too-few-authors"),
        ({"n_authors": 0}, None),  # the source gives no authors
        ({"n_sources": 1}, "too-few-sources"),
        ({"n_posts": 0, "n_voices": 0, "n_authors": 0, "n_sources": 0}, "too-few-posts"),
    ],
)
def test_suppression_reason(settings: Settings, counts: dict[str, int], reason: str | None) -> None:
    floors = settings.runtime.aggregate.model_copy(update=FLOORS)
    assert suppression_reason(**ENOUGH | counts, settings=floors) == reason


@given(
    st.fixed_dictionaries({name: st.integers(0, 30) for name in ENOUGH}),
    st.sampled_from(sorted(ENOUGH)),
    st.integers(1, 30),
)
def test_more_evidence_never_suppresses_except_first_authors(
    settings: Settings, counts: dict[str, int], name: str, more: int
) -> None:
    floors = settings.runtime.aggregate.model_copy(update=FLOORS)
    if suppression_reason(**counts, settings=floors) is None and not (name == "n_authors" and counts[name] == 0):
        assert suppression_reason(**counts | {name: counts[name] + more}, settings=floors) is None


@given(st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(1, 20))
def test_no_label_count_between_one_and_k_is_shown(settings: Settings, counts: tuple[int, int], k: int) -> None:
    n_label, n_voices = counts
    if n_voices == 0:
        return
    floors = settings.runtime.aggregate.model_copy(update={"min_label_voices": k})
    shown = label_share("low_pay", n_label, n_voices, floors)
    assert shown.suppressed == hides_label(n_label, floors) == (0 < n_label < k)
    if shown.suppressed:
        assert (shown.n_voices, shown.share, shown.share_low, shown.share_high) == (None, None, None, None)
    else:
        assert shown.n_voices == n_label
        assert 0 <= shown.share_low <= shown.share <= shown.share_high <= 1  # type: ignore[operator]

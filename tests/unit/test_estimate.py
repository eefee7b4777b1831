"""Estimates: intervals hold their share, the index its bounds, its direction and its band."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.aggregate.estimate import BANDS, IndexEstimate, estimate_index, pooled_shares, share_interval
from screener.settings import Settings

MONTE_CARLO = 3.0
"""Points by which two medians of 1,000 draws may differ by chance; five standard errors of the widest posterior here."""


@st.composite
def cells(draw: st.DrawFn) -> tuple[dict[int, int], int, float]:
    """Counts by label number, voices, and a pooled share."""
    n_voices = draw(st.integers(0, 300))
    counts = draw(st.dictionaries(st.integers(0, 18), st.integers(0, n_voices), max_size=6))
    return counts, n_voices, draw(st.floats(0.0, 1.0))


def estimate(settings: Settings, counts: dict[int, int], n_voices: int, share: float, cell: str = "TH/poultry") -> IndexEstimate:
    few = settings.runtime.aggregate.model_copy(update={"draws": 1000})
    prior = pooled_shares([], [], settings.label_ids) | dict.fromkeys(settings.label_ids, max(share, 0.001))
    named = {settings.label_ids[number]: count for number, count in counts.items()}
    severities = {label.id: label.severity for label in settings.labels if label.violation}
    return estimate_index(named, n_voices, severities=severities, prior=prior, cell=cell, settings=few)


@given(cell=cells())
def test_index_lies_within_its_bounds_and_its_band(settings: Settings, cell: tuple[dict[int, int], int, float]) -> None:
    found = estimate(settings, *cell)
    assert 0 <= found.low <= found.value <= found.high <= 100
    assert 0 <= found.band_probability <= 1
    bands = settings.runtime.aggregate.bands
    edges = [0.0, bands.elevated, bands.high, bands.severe, 100.1]
    number = BANDS.index(found.band)
    assert edges[number] <= found.value < edges[number + 1]


@given(cell=cells(), label=st.integers(0, 18), more=st.integers(1, 100))
def test_index_does_not_fall_when_more_voices_tell_of_a_violation(settings: Settings, cell: tuple[dict[int, int], int, float], label: int, more: int) -> None:
    counts, n_voices, share = cell
    told = counts.get(label, 0)
    before = estimate(settings, counts, n_voices, share)
    after = estimate(settings, {**counts, label: min(told + more, n_voices)}, n_voices, share)
    assert after.value >= before.value - MONTE_CARLO


def test_index_rises_clearly_with_the_share_of_voices(settings: Settings) -> None:
    child_labour = settings.label_ids.index("child_labour")
    values = [estimate(settings, {child_labour: count}, 100, 0.001).value for count in (0, 20, 50, 80, 100)]
    assert values == sorted(values)
    assert values[-1] - values[0] > 60


def test_label_that_is_no_violation_changes_nothing(settings: Settings) -> None:
    strike = settings.label_ids.index("collective_action")
    assert estimate(settings, {strike: 90}, 100, 0.05) == estimate(settings, {}, 100, 0.05)


def test_index_approaches_the_formula_of_the_methodology(settings: Settings) -> None:
    shares = {1: 0.3, 7: 0.5, 14: 0.1}
    found = estimate(settings, {number: int(share * 100_000) for number, share in shares.items()}, 100_000, 0.001)
    expected = 100 * (1 - prod(1 - settings.labels[number].severity * share for number, share in shares.items()))
    assert found.value == pytest.approx(expected, abs=0.5)
    assert found.high - found.low < 2


def test_small_cell_is_shrunk_towards_the_pool_and_is_less_sure(settings: Settings) -> None:
    small, large = (estimate(settings, {7: n // 2}, n, 0.01) for n in (4, 400))
    assert small.value < large.value
    assert small.high - small.low > large.high - large.low


def test_index_depends_on_the_cell_name_and_on_nothing_else_random(settings: Settings) -> None:
    assert estimate(settings, {7: 5}, 20, 0.05) == estimate(settings, {7: 5}, 20, 0.05)
    assert estimate(settings, {7: 5}, 20, 0.05, cell="ES/vegetables") != estimate(settings, {7: 5}, 20, 0.05)


@given(st.integers(0, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_share_interval_holds_the_share(counts: tuple[int, int]) -> None:
    n_label, n_voices = counts
    low, high = share_interval(n_label, n_voices)
    assert 0 <= low <= high <= 1
    if n_voices:
        assert low - 1e-12 <= n_label / n_voices <= high + 1e-12


def test_share_interval_agrees_with_published_values() -> None:
    assert share_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)  # Wilson (1927), z = 1.96
    assert share_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert share_interval(0, 0) == (0.0, 1.0)


def test_pooled_shares_weigh_voices_not_cells_and_are_never_zero() -> None:
    shares = pooled_shares([{"a": 1}, {"a": 9}], [10, 90], ["a", "b"])
    assert shares["a"] == pytest.approx(0.1)
    assert 0 < shares["b"] < 0.01
    assert pooled_shares([], [], ["a"])["a"] > 0

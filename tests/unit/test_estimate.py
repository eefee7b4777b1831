"""Estimates: intervals hold their share, the index its bounds, its direction and its band."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.aggregate.estimate import BANDS, IndexEstimate, estimate_index, gravest, pooled_levels, share_interval
from screener.settings import Settings

MONTE_CARLO = 3.0
"""Points by which two medians of 1,000 draws may differ by chance; five standard errors of the widest posterior here."""
LEVELS = (0.0, 0.3, 0.5, 0.7, 0.9, 1.0)
CELLS = st.lists(st.sampled_from(LEVELS), max_size=200)
POOLS = st.lists(st.sampled_from(LEVELS), max_size=50)
"""Of each voice the gravest severity it tells of; 0 tells of no violation."""


def estimate(settings: Settings, voices: list[float], pool: list[float], cell: str = "TH/poultry") -> IndexEstimate:
    few = settings.runtime.aggregate.model_copy(update={"draws": 1000})
    prior = pooled_levels(pool, {str(level): level for level in LEVELS})
    return estimate_index(voices, prior=prior, cell=cell, settings=few)


@given(voices=CELLS, pool=POOLS)
def test_index_lies_within_its_bounds_and_its_band(settings: Settings, voices: list[float], pool: list[float]) -> None:
    found = estimate(settings, voices, pool)
    assert 0 <= found.low <= found.value <= found.high <= 100
    assert 0 <= found.band_probability <= 1
    bands = settings.runtime.aggregate.bands
    edges = [0.0, bands.elevated, bands.high, bands.severe, 100.1]
    number = BANDS.index(found.band)
    assert edges[number] <= found.value < edges[number + 1]


@given(voices=CELLS, pool=POOLS, seed=st.randoms(use_true_random=False))
def test_index_is_free_of_the_order_of_voices(
    settings: Settings, voices: list[float], pool: list[float], seed: object
) -> None:
    before = estimate(settings, voices, pool)
    seed.shuffle(voices)  # type: ignore[attr-defined]
    seed.shuffle(pool)  # type: ignore[attr-defined]
    assert estimate(settings, voices, pool) == before


@given(voices=CELLS.filter(bool), pool=POOLS, more=st.integers(1, 200), data=st.data())
def test_index_does_not_fall_when_voices_tell_of_graver_violations(
    settings: Settings, voices: list[float], pool: list[float], more: int, data: st.DataObject
) -> None:
    level = data.draw(st.sampled_from(LEVELS))
    graver = [max(severity, level) if number < more else severity for number, severity in enumerate(voices)]
    assert estimate(settings, graver, pool).value >= estimate(settings, voices, pool).value - MONTE_CARLO


def test_index_rises_clearly_with_the_share_of_voices(settings: Settings) -> None:
    values = [
        estimate(settings, [1.0] * count + [0.0] * (100 - count), [0.0] * 50).value for count in (0, 20, 50, 80, 100)
    ]
    assert values == sorted(values)
    assert values[-1] - values[0] > 60


def test_index_approaches_the_mean_severity(settings: Settings) -> None:
    found = estimate(settings, [0.0] * 50_000 + [0.5] * 30_000 + [1.0] * 20_000, [])
    assert found.value == pytest.approx(100 * (0.5 * 0.3 + 1.0 * 0.2), abs=0.5)
    assert found.high - found.low < 2


def test_small_cell_is_shrunk_towards_the_pool_and_is_less_sure(settings: Settings) -> None:
    small, large = (estimate(settings, [0.7] * n, [0.0] * 50) for n in (4, 400))
    assert small.value < large.value
    assert small.high - small.low > large.high - large.low


def test_index_depends_on_the_cell_name_and_on_nothing_else_random(settings: Settings) -> None:
    voices = [0.0, 0.5, 0.7]
    assert estimate(settings, voices, voices) == estimate(settings, voices, voices)
    assert estimate(settings, voices, voices, cell="ES/vegetables") != estimate(settings, voices, voices)


def test_gravest_is_of_the_violations_only() -> None:
    severities = {"low_pay": 0.4, "child_labour": 1.0}
    assert gravest({"low_pay", "child_labour"}, severities) == 1.0
    assert gravest({"low_pay", "collective_action"}, severities) == 0.4
    assert gravest({"collective_action"}, severities) == gravest((), severities) == 0.0


def test_pooled_levels_weigh_voices_and_are_never_zero() -> None:
    levels = pooled_levels([0.0] * 9 + [0.4], {"low_pay": 0.4, "child_labour": 1.0})
    assert (levels[0.0], levels[0.4]) == (pytest.approx(0.9), pytest.approx(0.1))
    assert 0 < levels[1.0] < 0.01
    assert set(pooled_levels([], {"low_pay": 0.4})) == {0.0, 0.4}


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

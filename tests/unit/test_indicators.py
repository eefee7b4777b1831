"""Indicators: the same posts in any order give the same figures, and small numbers never show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.aggregate.indicators import CellCounts, build_indicators
from screener.records import Indicator, ScreenedPost, Voice, Window
from screener.settings import Settings

Make = Callable[..., ScreenedPost]
WINDOW = Window(date(2026, 1, 5), date(2026, 3, 2))
POULTRY, VEGETABLES = ("TH", "poultry"), ("ES", "vegetables")
PEOPLE = st.integers(0, 30)
POSTS = st.lists(
    st.tuples(PEOPLE, st.sampled_from([(), ("low_pay",), ("child_labour", "low_pay"), ("collective_action",)]), st.sampled_from(Voice), st.booleans()),
    max_size=40,
)  # fmt: skip
Row = tuple[int, tuple[str, ...], Voice, bool]


def words(number: int) -> str:
    """A text of its own for every number, long enough to be told from others."""
    return chr(0x4E00 + number) * 20


def posts_of(make: Make, rows: Sequence[Row]) -> list[ScreenedPost]:
    return [
        make(words(person), author=f"a{person}", labels=labels, voice=voice, relevant=relevant, name=str(number))
        for number, (person, labels, voice, relevant) in enumerate(rows)
    ]


def crowd(make: Make, size: int, labels: tuple[str, ...] = (), **values: object) -> list[ScreenedPost]:
    """Posts of ``size`` people; the same people in every crowd."""
    return [make(words(n), author=f"a{n}", labels=labels, name=f"{labels}{n}", **values) for n in range(size)]


def build(
    settings: Settings, posts: dict[tuple[str, str], Sequence[ScreenedPost]], **counts: object
) -> dict[tuple[str, str], Indicator]:
    aggregate = settings.runtime.aggregate.model_copy(
        update={
            "draws": 200,
            "min_posts": 10,
            "min_voices": 10,
            "min_authors": 5,
            "min_sources": 1,
            "min_label_voices": 3,
        }
    )
    cells = {
        key: CellCounts(
            n_posts=len(found),
            n_sources=1,
            n_weeks_with_posts=8,
            languages=frozenset({"th", "my", "km", "lo"}),
            **counts,
        )  # type: ignore[arg-type]
        for key, found in posts.items()
    }
    watches = [watch for watch in settings.watches if (watch.country, watch.sector) in (POULTRY, VEGETABLES)]
    made = build_indicators(cells, posts, watches=watches, labels=settings.labels, window=WINDOW, settings=aggregate)
    assert [(i.country, i.sector) for i in made] == sorted((i.country, i.sector) for i in made)
    return {(indicator.country, indicator.sector): indicator for indicator in made}


@given(rows=POSTS, others=POSTS, seed=st.randoms(use_true_random=False))
def test_indicators_are_free_of_the_order_of_posts(
    settings: Settings, make_screened: Make, rows: list[Row], others: list[Row], seed: object
) -> None:
    posts, more = posts_of(make_screened, rows), posts_of(make_screened, others)
    before = build(settings, {POULTRY: posts, VEGETABLES: more})
    seed.shuffle(posts)  # type: ignore[attr-defined]
    assert build(settings, {VEGETABLES: more, POULTRY: posts}) == before


@given(rows=POSTS)
def test_suppression_leaves_no_small_count(settings: Settings, make_screened: Make, rows: list[Row]) -> None:
    for found in build(settings, {POULTRY: posts_of(make_screened, rows)}).values():
        if found.suppression == "thin-coverage":
            assert (found.index, found.band) == (None, "insufficient_evidence")
        elif found.suppression:
            assert (
                found.index,
                found.index_low,
                found.index_high,
                found.n_voices,
                found.n_relevant_posts,
                found.n_positive_voices,
                found.n_adverts,
            ) == (None,) * 7
            assert found.labels == ()
            assert found.band == "insufficient_evidence"
        else:
            assert min(found.n_voices, found.n_relevant_posts) >= 10  # type: ignore[type-var]
            assert [label.label for label in found.labels] == list(settings.label_ids)
            assert all(label.n_voices in (None, 0) or label.n_voices >= 3 for label in found.labels)
            assert all((label.n_voices is None) == label.suppressed for label in found.labels)
            assert found.n_positive_voices in (None, 0) or found.n_positive_voices >= 3


def test_watched_cell_without_posts_says_insufficient_evidence(settings: Settings) -> None:
    found = build(settings, {})
    assert set(found) == {POULTRY, VEGETABLES}
    assert {(i.band, i.suppression, i.coverage.level) for i in found.values()} == {
        ("insufficient_evidence", "too-few-posts", "none")
    }
    assert found[POULTRY].coverage.languages_missing == settings.watch(*POULTRY).expected_languages  # type: ignore[union-attr]
    assert (found[POULTRY].period_start, found[POULTRY].period_end) == (WINDOW.start, WINDOW.end)


def test_figures_count_voices(settings: Settings, make_screened: Make) -> None:
    posts = (
        crowd(make_screened, 20)
        + crowd(make_screened, 10, ("wage_withholding",))
        + [make_screened("sale", voice=Voice.ADVERT)]
    )
    found = build(settings, {POULTRY: posts}, n_undated=2, invented=True)[POULTRY]
    assert (found.n_posts, found.n_relevant_posts, found.n_voices, found.n_adverts, found.n_undated) == (
        31,
        30,
        20,
        1,
        2,
    )
    told = {label.label: label for label in found.labels}
    assert (told["wage_withholding"].n_voices, told["wage_withholding"].share) == (10, 0.5)
    assert told["low_pay"].n_voices == 0
    assert found.invented


def test_too_few_authors_suppress_even_if_advertisers_are_many(settings: Settings, make_screened: Make) -> None:
    voices = [make_screened(words(n), author="one" if n == 0 else None, name=f"v{n}") for n in range(12)]
    adverts = [make_screened(words(n + 100), author=f"shop{n}", voice=Voice.ADVERT, name=f"s{n}") for n in range(12)]
    assert build(settings, {POULTRY: voices + adverts})[POULTRY].suppression == "too-few-authors"


def test_sources_are_those_of_the_voices(settings: Settings, make_screened: Make) -> None:
    posts = {POULTRY: crowd(make_screened, 20)}
    strict = settings.runtime.aggregate.model_copy(update={"draws": 200, "min_sources": 2})
    counts = {POULTRY: CellCounts(n_posts=500, n_sources=5)}
    (found,) = build_indicators(counts, posts, watches=[], labels=settings.labels, window=WINDOW, settings=strict)
    assert found.suppression == "too-few-sources"


@pytest.mark.parametrize("n", [1, 2])
def test_label_told_by_very_few_is_hidden(settings: Settings, make_screened: Make, n: int) -> None:
    posts = crowd(make_screened, 20) + crowd(make_screened, n, ("child_labour",), positive=True)
    found = build(settings, {POULTRY: posts})[POULTRY]
    hidden = next(label for label in found.labels if label.label == "child_labour")
    assert hidden.suppressed
    assert (hidden.n_voices, hidden.share) == (None, None)
    assert found.n_positive_voices is None


def test_unwatched_cell_has_figures_but_never_good_coverage(settings: Settings, make_screened: Make) -> None:
    found = build(settings, {("SE", "poultry"): crowd(make_screened, 12)})
    assert found["SE", "poultry"].n_voices == 12
    assert found["SE", "poultry"].coverage.level != "good"


def test_low_is_never_said_under_thin_coverage(settings: Settings, make_screened: Make) -> None:
    calm = crowd(make_screened, 30)
    silent = build(settings, {("SE", "poultry"): calm})["SE", "poultry"]
    assert silent.coverage.level == "thin"
    assert (silent.index, silent.band, silent.suppression) == (None, "insufficient_evidence", "thin-coverage")
    assert silent.n_voices == 30, "what was heard stays"
    heard = build(settings, {POULTRY: crowd(make_screened, 60)})[POULTRY]
    assert (heard.coverage.level, heard.band) == ("partial", "low")

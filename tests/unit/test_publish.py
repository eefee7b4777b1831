"""Publishing: assertions stop a broken run, and quotes stand only behind what is shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.errors import AssertionFailed
from screener.publish import EVIDENCE_PER_LABEL, RunTotals, check_assertions, choose_quotes
from screener.records import Coverage, Evidence, Indicator, ScreenedPost, Voice
from screener.settings.schemas import PublishSettings

Make = Callable[..., ScreenedPost]
RULES = PublishSettings(min_posts=20, max_share_undetermined=0.35, max_share_relevant=0.6)
CELL = ("TH", "poultry")


def indicator(suppression: str | None = None) -> Indicator:
    coverage = Coverage("thin", 1, 1, 1, (), ())
    return Indicator(*CELL, None, None, 30, 20, 12, 0, 40.0, 30.0, 50.0, "high", 0.9, (), coverage, suppression)


@pytest.mark.parametrize(
    ("totals", "warnings"),
    [
        (RunTotals(20, 0, 0), ()),
        (RunTotals(100, 60, 35), ()),
        (RunTotals(100, 0, 36), ("share of undetermined language is 36%, over the 35%",)),
        (RunTotals(100, 61, 0), ("share of relevant posts is 61%, over the 60%",)),
        (RunTotals(100, 100, 100), ("undetermined", "relevant")),
    ],
)
def test_maximum_warns(totals: RunTotals, warnings: tuple[str, ...]) -> None:
    found = check_assertions(totals, RULES)
    assert len(found) == len(warnings)
    assert all(part in warning for part, warning in zip(warnings, found, strict=True))


@pytest.mark.parametrize("n_posts", [0, 19])
def test_minimum_aborts(n_posts: int) -> None:
    with pytest.raises(
        AssertionFailed, match=rf"only {n_posts} posts in the lake, publish\.min_posts is 20: nothing published"
    ):
        check_assertions(RunTotals(n_posts, 0, 0), RULES)


@given(st.integers(20, 1000), st.floats(0, 1), st.floats(0, 1))
def test_run_that_is_large_enough_is_never_stopped(n_posts: int, relevant: float, undetermined: float) -> None:
    assert len(check_assertions(RunTotals(n_posts, int(n_posts * relevant), int(n_posts * undetermined)), RULES)) <= 2


def test_suppressed_cell_shows_no_text(make_screened: Make) -> None:
    posts = {CELL: [make_screened(labels=("low_pay",))]}
    assert choose_quotes([indicator("too-few-voices")], posts) == []
    assert len(choose_quotes([indicator()], posts)) == 1
    assert choose_quotes([indicator()], {}) == []


def test_quotes_are_scrubbed_with_their_spans(make_screened: Make) -> None:
    text = "Mr Smith Jones at https://example.org has kept my passport"
    start = text.index("kept")
    evidence = (Evidence("document_retention", start, len(text), "lexicon"),)
    post = make_screened(
        text, labels=("document_retention",), evidence=evidence, created_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    (quote,) = choose_quotes([indicator()], {CELL: [post]})
    assert quote.text == "[name] at [link] has kept my passport"
    ((label, first, last, found_by),) = quote.spans
    assert (label, found_by, quote.text[first:last]) == ("document_retention", "lexicon", "kept my passport")
    assert (quote.week, quote.country, quote.sector) == ("2026-W01", "TH", "poultry")
    assert quote.signals == (("document_retention", 0.8),)


def test_quote_of_an_undated_post_has_no_week(make_screened: Make) -> None:
    (quote,) = choose_quotes([indicator()], {CELL: [make_screened(labels=("low_pay",), created_at=None)]})
    assert quote.week is None


def test_quotes_leave_out_copies_adverts_and_posts_without_a_label(make_screened: Make) -> None:
    posts = [
        make_screened("no pay for three months", labels=("low_pay",), author="a"),
        make_screened("NO PAY for three months!", labels=("low_pay",), author="b"),
        make_screened("we pay well, apply now", labels=("low_pay",), voice=Voice.ADVERT),
        make_screened("irrelevant words", labels=("low_pay",), relevant=False),
        make_screened("nothing is flagged here"),
    ]
    assert len(choose_quotes([indicator()], {CELL: posts})) == 1


@given(seed=st.randoms(use_true_random=False))
def test_quotes_are_bounded_per_label_and_free_of_order(make_screened: Make, seed: object) -> None:
    posts = [
        make_screened(chr(0x4E00 + n) * 20, labels=("low_pay",) if n % 2 else ("deception", "low_pay"))
        for n in range(30)
    ]
    expected = choose_quotes([indicator()], {CELL: posts})
    seed.shuffle(posts)  # type: ignore[attr-defined]
    assert choose_quotes([indicator()], {CELL: posts}) == expected
    assert EVIDENCE_PER_LABEL <= len(expected) <= 2 * EVIDENCE_PER_LABEL

"""Review: the sample is random but stable, the strata are apart, and a release needs figures, a signer and an audit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.errors import ReviewError, UnknownCodeError
from screener.records import Coverage, Decision, Indicator, LabelShare, ScreenedPost, Versions, Voice
from screener.review.decide import check_decision
from screener.review.release import check_release, content_sha256, release_content
from screener.review.select import ACTIVE, AUDIT, draw, item_id, select_items
from screener.settings.schemas import ReviewSettings

Make = Callable[..., ScreenedPost]
RULES = ReviewSettings(audit_items_per_run=5, active_items_per_run=4, min_audit_decisions=20, seed=1)
INDICATOR = Indicator(
    "TH", "poultry", date(2026, 1, 1), date(2026, 3, 1), 30, 20, 12, 0, 40.0, 30.0, 50.0, "high", 0.9,
    (LabelShare("low_pay", None, None, None, None, True),), Coverage("thin", 1, 1, 8, ("th",), ("my",)),
)  # fmt: skip
VERSIONS = Versions("0.1", "signals/1@abc", "1.0", "f" * 64, "0.1.0")


def crowd(make: Make, n: int = 30) -> list[ScreenedPost]:
    return [
        make(f"call +66 81 234 56{n:02d}, text {n}", relevance=number / 30, name=str(number)) for number in range(n)
    ]


def test_strata_have_their_sizes_and_share_no_post(make_screened: Make) -> None:
    items = select_items(crowd(make_screened), settings=RULES, model_version="m", taxonomy_version="t")
    assert [item.stratum for item in items] == [AUDIT] * 5 + [ACTIVE] * 4
    assert len({item.post_id for item in items}) == len({item.item_id for item in items}) == 9


@given(seed=st.randoms(use_true_random=False))
def test_selection_is_free_of_order(make_screened: Make, seed: object) -> None:
    posts = crowd(make_screened)
    expected = select_items(posts, settings=RULES, model_version="m", taxonomy_version="t")
    seed.shuffle(posts)  # type: ignore[attr-defined]
    assert select_items(posts, settings=RULES, model_version="m", taxonomy_version="t") == expected


def test_audit_does_not_look_at_the_scores(make_screened: Make) -> None:
    posts = crowd(make_screened)
    certain = [replace(post, classification=replace(post.classification, relevance=0.99)) for post in posts]
    audit = [
        {
            item.post_id
            for item in select_items(found, settings=RULES, model_version="m", taxonomy_version="t")
            if item.stratum == AUDIT
        }
        for found in (posts, certain)
    ]
    assert audit[0] == audit[1]


def test_audit_drawn_from_its_own_sample_is_the_same(make_screened: Make) -> None:
    posts = crowd(make_screened)
    first = sorted(posts, key=lambda post: draw(post.post.post_id, RULES.seed))[:5]
    audit = [
        item.post_id
        for item in select_items(posts, settings=RULES, model_version="m", taxonomy_version="t")
        if item.stratum == AUDIT
    ]
    assert audit == [post.post.post_id for post in first]


def test_active_items_are_the_least_certain_of_the_rest(make_screened: Make) -> None:
    posts = crowd(make_screened)
    items = select_items(posts, settings=RULES, model_version="m", taxonomy_version="t")
    audit = {item.post_id for item in items if item.stratum == AUDIT}
    chosen = [abs(item.proposed.relevance - 0.5) for item in items if item.stratum == ACTIVE]
    rest = sorted(abs(p.classification.relevance - 0.5) for p in posts if p.post.post_id not in audit)
    assert chosen == rest[:4]


def test_few_posts_are_all_audited(make_screened: Make) -> None:
    assert [
        item.stratum
        for item in select_items(crowd(make_screened, 3), settings=RULES, model_version="m", taxonomy_version="t")
    ] == [AUDIT] * 3
    assert select_items([], settings=RULES, model_version="m", taxonomy_version="t") == []


def test_reviewers_see_scrubbed_text_and_unknown_places_as_such(make_screened: Make) -> None:
    post = make_screened("call +66 81 234 5678", country=None, sector=None)
    (item,) = select_items([post], settings=RULES, model_version="m", taxonomy_version="t")
    assert item.text == "call [phone]"
    assert (item.country, item.sector) == ("ZZ", "unspecified")


def test_item_comes_again_when_text_model_or_taxonomy_change() -> None:
    ids = {
        item_id("p", "s", "m", "t"),
        item_id("p", "s2", "m", "t"),
        item_id("p", "s", "m2", "t"),
        item_id("p", "s", "m", "t2"),
        item_id("p2", "s", "m", "t"),
    }
    assert len(ids) == 5
    assert item_id("p", "s", "m", "t") in ids


def test_sample_depends_on_the_seed() -> None:
    assert draw("post", 1) == draw("post", 1) != draw("post", 2)


def test_release_content_is_canonical() -> None:
    content = release_content("run-1", [(INDICATOR, VERSIONS)])
    assert content == release_content("run-1", [(replace(INDICATOR), replace(VERSIONS))])
    (row,) = json.loads(content)["indicators"]
    assert (row["country"], row["period_start"], row["versions"]["model"]) == ("TH", "2026-01-01", "signals/1@abc")
    assert content_sha256(content) != content_sha256(release_content("run-2", [(INDICATOR, VERSIONS)]))


@pytest.mark.parametrize(
    ("indicators", "signed_by", "judged", "problem"),
    [
        ([], "Expert Group", 20, "no indicators"),
        ([INDICATOR], "  ", 20, "--signed-by"),
        ([INDICATOR], "Expert Group", 19, r"19 audit items are judged, 20 are needed \(review\.min_audit_decisions\)"),
    ],
)
def test_release_is_refused(indicators: list[Indicator], signed_by: str, judged: int, problem: str) -> None:
    with pytest.raises(ReviewError, match=problem):
        check_release(indicators, signed_by=signed_by, n_audit_decisions=judged, min_audit_decisions=20)


def test_release_is_allowed() -> None:
    check_release([INDICATOR], signed_by="Expert Group", n_audit_decisions=20, min_audit_decisions=20)


DECISION = Decision("item", "reviewer", True, Voice.TESTIMONY, ("low_pay",), False, datetime(2026, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"signals": ()},
        {"positive": True},
        {"relevant": False, "voice": Voice.NONE, "signals": ()},
        {"voice": Voice.ADVERT},
    ],
)
def test_decision_by_the_guide_is_accepted(values: dict[str, object]) -> None:
    check_decision(replace(DECISION, **values), ["low_pay"])


@pytest.mark.parametrize(
    "values",
    [
        {"signals": ("low_pai",)},
        {"reviewer": " "},
        {"voice": Voice.NONE},
        {"relevant": False},
        {"relevant": False, "voice": Voice.NONE},
        {"relevant": False, "voice": Voice.NONE, "signals": (), "positive": True},
    ],
)
def test_decision_that_contradicts_the_guide_is_refused(values: dict[str, object]) -> None:
    with pytest.raises((ReviewError, UnknownCodeError)):
        check_decision(replace(DECISION, **values), ["low_pay"])

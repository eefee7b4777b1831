"""Taking a page: each record is counted once, and what is set aside points at nobody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.keyed import post_id
from screener.collect.normalise import Intake
from screener.collect.taking import KEPT_PER_REASON, Outcome, page_name, take_page
from screener.records import DiscardReason, Post, Quarantined, RawPost, Span

START = datetime(2026, 2, 3, tzinfo=UTC)
SPAN = Span(START, START + timedelta(days=1))
INTAKE = Intake(
    "feeds", "run-1", datetime(2026, 3, 2, tzinfo=UTC), bytes(32), frozenset({"poultry"}), max_text_characters=1000,
    country="TH", sector="poultry",
)  # fmt: skip


def raw(name: str, created_at: datetime | None = START, text: str = "unpaid wages") -> RawPost:
    return RawPost(name, text, created_at, author="somebody")


def refused(reason: DiscardReason = DiscardReason.NO_TEXT, detail: str = "", excerpt: str = "") -> Quarantined:
    return Quarantined("feeds", "page entry 1", reason, detail, excerpt)


def take(
    *records: RawPost, rejected: Sequence[Quarantined] = (), seen: set[bytes] | None = None
) -> tuple[list[Post], Outcome]:
    outcome = Outcome()
    taken = take_page(records, rejected, INTAKE, outcome, set() if seen is None else seen, SPAN, where="the page")
    return taken, outcome


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from([0, 23, 24, 99]), st.sampled_from(["text", " "]))),
    st.integers(0, 3),
)
def test_each_record_of_a_page_is_counted_as_one_thing(records: list[tuple[str, int, str]], n_rejected: int) -> None:
    page = [raw(name, START + timedelta(hours=hours), text) for name, hours, text in records]
    taken, outcome = take(*page, rejected=[refused()] * n_rejected)
    assert outcome.n_read == len(page) + n_rejected
    counted = outcome.n_posts + outcome.n_duplicates + outcome.n_outside_window + outcome.discards.total()
    assert counted == outcome.n_read
    assert len(taken) == len({post.post_id for post in taken}) == outcome.n_posts
    assert all(SPAN.contains(post.created_at) for post in taken)


def test_span_is_checked_again_here_at_both_ends() -> None:
    outside = [raw("before", SPAN.start - timedelta(microseconds=1)), raw("end", SPAN.end)]
    inside = [raw("first", SPAN.start), raw("last", SPAN.end - timedelta(microseconds=1)), raw("undated", None)]
    taken, outcome = take(*outside, *inside)
    assert [post.post_id for post in taken] == [post_id("feeds", name) for name in ("first", "last", "undated")]
    assert outcome.n_outside_window == 2


def test_post_outside_the_span_may_still_come_from_the_stretch_that_it_lies_in() -> None:
    seen: set[bytes] = set()
    early = raw("1", SPAN.start - timedelta(hours=1))
    take(early, seen=seen)
    earlier = Span(SPAN.start - timedelta(days=1), SPAN.start)
    assert len(take_page([early], [], INTAKE, Outcome(), seen, earlier, where="w")) == 1


def test_post_seen_on_an_earlier_page_is_a_duplicate() -> None:
    seen: set[bytes] = set()
    take(raw("1"), seen=seen)
    taken, outcome = take(raw("1"), raw("2"), seen=seen)
    assert (len(taken), outcome.n_duplicates) == (1, 1)


def test_post_that_is_refused_once_is_not_taken_for_seen() -> None:
    seen: set[bytes] = set()
    take(raw("1", text=" "), seen=seen)
    assert take(raw("1"), seen=seen)[1].n_posts == 1


def test_record_that_can_not_be_kept_says_its_page_and_place() -> None:
    _, outcome = take(raw("1"), raw("2", text=" "))
    (entry,) = outcome.quarantined
    assert (entry.where, entry.reason) == ("the page entry 2", DiscardReason.NO_TEXT)


def test_quarantine_keeps_the_first_of_each_reason_and_counts_the_rest() -> None:
    _, outcome = take(rejected=[refused()] * (KEPT_PER_REASON + 50) + [refused(DiscardReason.NO_ID)])
    assert outcome.discards == {"no-text": KEPT_PER_REASON + 50, "no-id": 1}
    assert len(outcome.quarantined) == KEPT_PER_REASON + 1


def test_quarantine_holds_nothing_that_points_at_a_person_or_breaks_a_database() -> None:
    outcome = Outcome()
    outcome.reject(refused(DiscardReason.NOT_JSON, "bad \ud83d", '{"author": "@somebody", "tel": "+66 81 234 5678\x00'))
    (entry,) = outcome.quarantined
    entry.detail.encode()
    assert entry.excerpt == '{"author": "[handle]", "tel": "[phone]'


def test_page_is_named_by_its_first_page_or_a_hash_of_the_cursor() -> None:
    assert page_name("feeds", "search", "TH/poultry", None) == "feeds search TH/poultry page first"
    named = page_name("feeds", "search", "TH/poultry", "at://did:plc:somebody/post/1")
    assert re.fullmatch(r"feeds search TH/poultry page [0-9a-f]{8}", named)
    assert named != page_name("feeds", "search", "TH/poultry", "at://did:plc:somebody/post/2")


@pytest.mark.parametrize("cursor", ["\ud83d", "\x00", "é" * 10_000])
def test_any_cursor_can_be_named(cursor: str) -> None:
    page_name("feeds", "search", "TH/poultry", cursor).encode()

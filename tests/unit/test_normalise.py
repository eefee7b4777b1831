"""Normalise: a raw record becomes a post or a quarantine entry; authors become keyed pseudonyms."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.keyed import post_id, pseudonym, unseal
from screener.collect.normalise import WEB_BORN, Intake, clean_text, parse_time, slug, to_post
from screener.records import DiscardReason, Post, Quarantined, RawPost

COLLECTED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = bytes(range(32))
INTAKE = Intake("file-drop", "run-1", COLLECTED, KEY, frozenset({"poultry", "vegetables"}), max_text_characters=100)
RAW = RawPost(
    "42",
    "they keep our passports",
    datetime(2026, 2, 3, tzinfo=UTC),
    "@somebody",
    "https://example.org/42",
    "th",
    "poultry",
    "MY",
)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


def test_to_post_keeps_what_may_be_kept() -> None:
    post = to_post(RAW, INTAKE, where="a.jsonl:1")
    assert isinstance(post, Post)
    assert (post.country, post.sector, post.language_hint, post.source) == ("TH", "poultry", "my", "file-drop")
    assert post.post_id == post_id("file-drop", "42")
    assert post.author == pseudonym(KEY, "file-drop", "@somebody")
    assert "somebody" not in repr(post)
    assert "example.org" not in repr(post)


def test_to_post_takes_country_and_sector_of_the_source_where_the_record_has_none() -> None:
    post = to_post(
        replace(RAW, country=None, sector=None), replace(INTAKE, country="ES", sector="vegetables"), where="w"
    )
    assert isinstance(post, Post)
    assert (post.country, post.sector) == ("ES", "vegetables")


@pytest.mark.parametrize(
    ("values", "reason", "detail"),
    [
        ({"text": " \x00\n "}, DiscardReason.NO_TEXT, "empty"),
        ({"text": "x" * 101}, DiscardReason.TOO_LONG, "101 characters, at most 100"),
        ({"created_at": COLLECTED + timedelta(days=1, seconds=1)}, DiscardReason.FUTURE_TIME, "ahead"),
        ({"created_at": datetime(1, 1, 1, tzinfo=UTC)}, DiscardReason.BAD_TIME, "before there were posts"),
        ({"created_at": datetime(1970, 1, 1, tzinfo=UTC)}, DiscardReason.BAD_TIME, "before there were posts"),
        ({"country": "Thailand"}, DiscardReason.UNKNOWN_COUNTRY, "'Thailand'"),
        ({"sector": "poltry"}, DiscardReason.UNKNOWN_SECTOR, "did you mean poultry"),
        ({"language_hint": "klingon"}, DiscardReason.UNKNOWN_LANGUAGE, "'klingon'"),
    ],
)
def test_to_post_quarantines_with_place_and_reason(
    values: dict[str, object], reason: DiscardReason, detail: str
) -> None:
    entry = to_post(replace(RAW, **values), INTAKE, where="a.jsonl:7")
    assert isinstance(entry, Quarantined)
    assert (entry.reason, entry.where, entry.source) == (reason, "a.jsonl:7", "file-drop")
    assert detail in entry.detail


def test_to_post_allows_a_day_of_clock_skew() -> None:
    assert isinstance(to_post(replace(RAW, created_at=COLLECTED + timedelta(days=1)), INTAKE, where="w"), Post)


def test_conversation_is_kept_as_hashes_that_meet_the_posts_own() -> None:
    post = to_post(replace(RAW, reply_to="41", thread="40", quoted="7"), INTAKE, where="w")
    assert isinstance(post, Post)
    assert (post.reply_to_id, post.thread_id, post.quoted_id) == tuple(
        post_id("file-drop", n) for n in ("41", "40", "7")
    )
    answered = to_post(replace(RAW, native_id="41"), INTAKE, where="w")
    assert isinstance(answered, Post)
    assert answered.post_id == post.reply_to_id


def test_post_that_answers_nobody_has_no_hash_of_nothing() -> None:
    post = to_post(RAW, INTAKE, where="w")
    assert isinstance(post, Post)
    assert (post.reply_to_id, post.thread_id, post.quoted_id, post.edited_at) == (None, None, None, None)


def test_native_id_is_sealed_only_where_the_source_can_be_asked_again() -> None:
    kept = to_post(replace(RAW, native_id="at://somebody/post/42"), replace(INTAKE, seals_ids=True), where="w")
    assert isinstance(kept, Post)
    assert unseal(KEY, kept.sealed_id or b"") == "at://somebody/post/42"
    assert "somebody" not in repr(kept)
    other = to_post(RAW, INTAKE, where="w")
    assert isinstance(other, Post)
    assert other.sealed_id is None


def test_post_says_what_it_is_and_how_it_was_found() -> None:
    edited = datetime(2026, 2, 5, tzinfo=UTC)
    post = to_post(
        replace(RAW, edited_at=edited), replace(INTAKE, is_news=True, asked_in="th", invented=True), where="w"
    )
    assert isinstance(post, Post)
    assert (post.is_news, post.asked_in, post.invented, post.edited_at) == (True, "th", True, edited)
    assert post.language_hint == "my", "what was asked in is not what was answered in"
    plain = to_post(RAW, INTAKE, where="w")
    assert isinstance(plain, Post)
    assert (plain.is_news, plain.asked_in, plain.invented) == (False, None, False)


@pytest.mark.parametrize(("created", "is_kept"), [("2022-10-31T23:59:59", False), ("2022-11-01T00:00:00", True)])
def test_post_from_before_its_platform_has_a_wrong_date(created: str, is_kept: bool) -> None:
    raw = replace(RAW, created_at=parse_time(created))
    post = to_post(raw, replace(INTAKE, born=date(2022, 11, 1)), where="w")
    assert isinstance(post, Post) == is_kept
    if isinstance(post, Quarantined):
        assert post.reason is DiscardReason.BAD_TIME
        assert "(2022-11-01)" in post.detail


def test_undated_post_is_kept_whenever_its_platform_began() -> None:
    assert isinstance(to_post(replace(RAW, created_at=None), replace(INTAKE, born=date(2025, 1, 1)), where="w"), Post)
    assert INTAKE.born == WEB_BORN


@given(ANY_TEXT)
def test_clean_text_is_idempotent_and_storable(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert "\x00" not in cleaned
    cleaned.encode()  # no lone surrogate is left


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_to_post_never_fails_on_odd_characters(native_id: str, text: str, author: str) -> None:
    made = to_post(RawPost(native_id, text, author=author), INTAKE, where="w")
    assert isinstance(made, Post | Quarantined)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-02-03", datetime(2026, 2, 3, tzinfo=UTC)),
        ("2026-02-03T04:05:06", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2026-02-03T04:05:06Z", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("2026-02-03T04:05:06+07:00", datetime(2026, 2, 2, 21, 5, 6, tzinfo=UTC)),
        (" 2026-02-03 04:05 ", datetime(2026, 2, 3, 4, 5, tzinfo=UTC)),
        ("1770091506", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("1770091506000", datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
        (1770091506.0, datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)),
    ],
)
def test_parse_time_reads_iso_and_epoch(written: str | float, moment: datetime) -> None:
    assert parse_time(written) == moment
    assert parse_time(written).tzinfo is UTC


@pytest.mark.parametrize(
    "written",
    [
        "", "yesterday", "03/02/2026", "2026-13-01", "0001-01-01", "1970-01-01", "0", "nan", "inf", "-99999999999", "1e400",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-10:00", 0, True, -1.0, float("nan"), float("inf"), 1e17, 1e30, -1e30, 10**400,
    ],
)  # fmt: skip
def test_parse_time_refuses_the_rest(written: str | float) -> None:
    with pytest.raises(ValueError):
        parse_time(written)


@given(st.text(max_size=300))
def test_slug_is_a_safe_folder_name(name: str) -> None:
    made = slug(name)
    assert slug(made) == made
    assert 1 <= len(made) <= 60
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")

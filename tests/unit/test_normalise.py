"""Normalise: a raw record becomes a post or a quarantine entry; authors become keyed pseudonyms."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.normalise import Intake, clean_text, parse_time, post_id, pseudonym, slug, to_post
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


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), ANY_TEXT)
def test_pseudonym_is_keyed_and_stable(key: bytes, other: bytes, author: str) -> None:
    made = pseudonym(key, "feed", author)
    assert made == pseudonym(key, "feed", author)
    assert len(made) == 32
    assert set(made) <= set("0123456789abcdef")
    assert (made == pseudonym(other, "feed", author)) == (key == other)
    assert made != pseudonym(key, "other-source", author)


def test_pseudonym_and_post_id_do_not_change_between_versions() -> None:
    assert pseudonym(KEY, "feed", "@somebody") == "8ddf8ce91c19fb3b0a31166148750414"
    assert post_id("feed", "42") == "8b3ee7648c188f90b8d574e540185a7c"


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
    "written", ["", "yesterday", "03/02/2026", "2026-13-01", "0001-01-01", "1970-01-01", "0", "nan", "-99999999999"]
)
def test_parse_time_refuses_the_rest(written: str) -> None:
    with pytest.raises(ValueError):
        parse_time(written)


@given(st.text(max_size=300))
def test_slug_is_a_safe_folder_name(name: str) -> None:
    made = slug(name)
    assert slug(made) == made
    assert 1 <= len(made) <= 60
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")

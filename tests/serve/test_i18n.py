"""Both languages say the same things, and every sentence is used."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from string import Formatter

import pytest
from starlette.testclient import TestClient

from screener import serve
from screener.aggregate.coverage import LEVELS
from screener.aggregate.estimate import BANDS, INSUFFICIENT
from screener.records import Voice
from screener.words.catalogue import CATALOGUE, ENGLISH, SWEDISH
from screener.words.language import LANGUAGES, Words, choose_language

BUILT_KEYS = (
    "band_", "certainty_", "coverage_", "voice_", "suppression_", "status_", "error_title_", "error_", "source_state_", "source_means_",
    "gap_",
)  # fmt: skip


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_catalogues_have_the_same_keys_and_placeholders() -> None:
    assert list(ENGLISH) == [key for key in ENGLISH if key in SWEDISH]
    assert set(ENGLISH) == set(SWEDISH)
    assert tuple(CATALOGUE) == LANGUAGES
    assert [key for key in ENGLISH if placeholders(ENGLISH[key]) != placeholders(SWEDISH[key])] == []
    assert all(text.strip() for words in CATALOGUE.values() for text in words.values())


def test_every_sentence_is_used() -> None:
    folder = Path(serve.__file__).parent
    sources = [
        path.read_text()
        for path in (
            *folder.glob("*.py"),
            *folder.glob("templates/*.html"),
            *(folder.parent / "cli").glob("*.py"),
            folder.parent / "words" / "language.py",
        )
    ]
    used = set(re.findall(r'"([\w-]+)"', "".join(sources)))
    assert [key for key in ENGLISH if key not in used and not key.startswith(BUILT_KEYS)] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_value_of_the_records_has_a_name(lang: str) -> None:
    words = Words(lang)
    for key in (
        [f"band_{band}" for band in (*BANDS, INSUFFICIENT)]
        + [f"coverage_{level}" for level in LEVELS]
        + [f"voice_{voice}" for voice in Voice]
    ):
        assert words.has(key), key


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "expected"),
    [
        (None, None, None, "en"),
        (None, None, "sv-SE,sv;q=0.9,en;q=0.8", "sv"),
        (None, None, "fi, en;q=0.5, sv;q=0.6", "sv"),
        (None, None, "sv;q=0, en", "en"),
        (None, None, "sv;q=x", "en"),
        (None, "sv", "en", "sv"),
        ("en", "sv", "sv", "en"),
        ("xx", "yy", "de", "en"),
    ],
)
def test_choose_language_asks_address_cookie_browser(
    query: str | None, cookie: str | None, accept: str | None, expected: str
) -> None:
    assert choose_language(query, cookie, accept) == expected


def test_numbers_and_dates_follow_the_language() -> None:
    english, swedish = Words("en"), Words("sv")
    assert (english.number(1840), swedish.number(1840)) == ("1,840", "1\u00a0840")
    assert (english.number(47.2, 1), swedish.number(47.2, 1)) == ("47.2", "47,2")
    assert (english.percent(0.31), swedish.percent(0.31)) == ("31%", "31\u00a0%")
    assert english.period(date(2026, 7, 1), date(2026, 10, 1)) == "1 Jul 2026 – 30 Sept 2026"
    assert swedish.period(None, None) == "inga datum"
    assert (english.week("2026-W04"), swedish.week(None)) == ("week 4, 2026", "utan datum")
    assert swedish.languages(("th", "my")) == "burmesiska, thailändska"


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (1.0, "almost certainly"),
        (0.86, "very likely"),
        (0.7, "likely"),
        (0.5, "more likely than not"),
        (0.31, "possibly"),
    ],
)
def test_certainty_is_said_in_words(probability: float, text: str) -> None:
    assert Words("en").certainty(probability) == text


def test_language_of_the_address_is_remembered(client: TestClient) -> None:
    assert '<html lang="sv">' in client.get("/?lang=sv").text
    assert '<html lang="sv">' in client.get("/method", headers={"Accept-Language": "en"}).text
    assert '<html lang="en">' in client.get("/method?lang=en").text
    cookie = client.get("/?lang=sv").headers["set-cookie"].lower()
    assert "samesite=lax" in cookie
    assert "httponly" in cookie


def test_switch_keeps_the_rest_of_the_address(client: TestClient) -> None:
    assert 'href="?country=TH&amp;lang=sv"' in client.get("/?country=TH").text

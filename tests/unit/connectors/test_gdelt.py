"""GDELT: recorded-style invented answers against a golden, sentences in place of errors, and whatever JSON may come."""

from __future__ import annotations

import contextlib
import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import SOURCES, check_golden, read

from screener.codes import countries
from screener.collect.connector import Query
from screener.collect.connectors.gdelt import CONNECTOR, build_request
from screener.collect.connectors.gdelt_codes import country_of, fips_of, language_of
from screener.collect.text import html_to_text
from screener.errors import NoDataError, ParseError, ScreenerError, TerminalSourceError, TransientSourceError
from screener.records import DiscardReason, Span

PAGE = SOURCES / "gdelt" / "artlist.json"
SPAN = Span(datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 2, 28, 6, 30, tzinfo=UTC))
QUERY = Query("gdelt", "search", "https://api.gdeltproject.org", "MY", "examination-gloves", "en", "glove makers unpaid wages", SPAN)  # fmt: skip


def recorded() -> Any:
    return json.loads(PAGE.read_text(encoding="utf-8"))


def asked(query: Query) -> dict[str, str]:
    return dict(build_request(query, None).url.params)


def test_page_is_read_as_its_golden_says() -> None:
    check_golden(CONNECTOR, PAGE, QUERY)


def test_request_asks_the_newest_articles_of_a_country_within_the_span() -> None:
    assert build_request(QUERY, None).url.path == "/api/v2/doc/doc"
    assert asked(QUERY) == {
        "query": "glove makers unpaid wages sourcecountry:MY", "mode": "artlist", "format": "json", "sort": "datedesc",
        "maxrecords": "250", "startdatetime": "20260219235959", "enddatetime": "20260228063000",
    }  # fmt: skip


def test_span_that_ends_within_a_second_is_asked_to_the_end_of_it() -> None:
    span = Span(SPAN.start, SPAN.end + timedelta(microseconds=1))
    assert asked(replace(QUERY, span=span))["enddatetime"] == "20260228063001"


@pytest.mark.parametrize(("iso", "fips"), [("VN", "VM"), ("BD", "BG"), ("PH", "RP"), ("CN", "CH"), ("DE", "GM"), ("TR", "TU"), ("ES", "SP"), ("TH", "TH"), ("AE", "AE")])  # fmt: skip
def test_country_is_asked_for_by_fips_code_which_is_not_iso(iso: str, fips: str) -> None:
    assert asked(replace(QUERY, country=iso))["query"].endswith(f" sourcecountry:{fips}")


def test_no_two_countries_share_a_code_but_those_that_gdelt_takes_for_one() -> None:
    known = {}
    for country in sorted(countries()):
        with contextlib.suppress(NoDataError):
            known[country] = fips_of(country)
    assert len(known) > 230
    assert len(set(known.values())) == len(known)


def test_country_without_a_code_is_no_data_instead_of_the_whole_world() -> None:
    with pytest.raises(NoDataError, match="no code for the country AX"):
        build_request(replace(QUERY, country="AX"), None)


@pytest.mark.parametrize("language", ["th", "ur-Latn", "es"])
def test_other_languages_find_nothing_since_native_search_ended_and_say_so(language: str) -> None:
    with pytest.raises(NoDataError, match="English"):
        build_request(replace(QUERY, language=language), None)


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("#forcedlabour gloves Malaysia", "forcedlabour gloves malaysia"),
        ("workers' wages", "workers wages"),
        ("low-paid work", "low paid work"),
        ('"kept passports" OR fees', "kept passports fees"),
        ("no pay in the plant", "pay the plant"),
    ],
)
def test_words_go_without_signs_operators_and_short_words_that_would_have_the_query_refused(
    words: str, query: str
) -> None:
    assert asked(replace(QUERY, words=words, country=None))["query"] == query


def test_phrase_without_a_word_that_can_be_asked_is_no_data() -> None:
    with pytest.raises(NoDataError, match="long enough"):
        build_request(replace(QUERY, words="no # ab"), None)


def test_no_article_is_an_empty_object() -> None:
    assert read(CONNECTOR, QUERY, {}).posts == ()


def test_full_window_is_capped_so_that_the_runner_cuts_it() -> None:
    endpoint = CONNECTOR.endpoints["search"]
    assert (endpoint.cap, endpoint.is_windowed, endpoint.is_newest_first) == (250, True, True)


def test_article_stands_in_the_country_of_its_outlet_whatever_was_asked() -> None:
    found = [post.country for post in read(CONNECTOR, QUERY, recorded()).posts]
    assert found == ["MY", "TH", "BD", "CI", None]


@pytest.mark.parametrize(("name", "code"), [("English", "en"), ("Bengali", "bn"), ("NorwegianNynorsk", "nn"), ("Chinese", "zh"), ("Sinhalese", "si"), ("Unknownish", None), ("", None)])  # fmt: skip
def test_languages_come_as_english_names(name: str, code: str | None) -> None:
    assert language_of(name) == code


@pytest.mark.parametrize(("name", "code"), [("United States", "US"), ("Turkey", "TR"), ("Myanmar", "MM"), ("Vietnam", "VN"), ("Cote dIvoire", "CI"), ("Oceans", None)])  # fmt: skip
def test_countries_come_as_english_names(name: str, code: str | None) -> None:
    assert country_of(name) == code


def test_titles_come_with_bare_backslashes_and_control_characters_that_json_does_not_allow() -> None:
    body = json.dumps(recorded()).replace("Glove plant owes", "Glove \\W plant\x01owes \\u0021")
    assert read(CONNECTOR, QUERY, body).posts[0].text == "Glove \\W plant owes ! three months , workers say"


@given(st.text(max_size=20))
def test_json_that_is_right_is_mended_nowhere(title: str) -> None:
    body = {"articles": [recorded()["articles"][0] | {"title": f"x{title}"}]}
    assert read(CONNECTOR, QUERY, json.dumps(body)).posts[0].text == html_to_text(f"x{title}")


@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=utf-8"])
def test_sentence_that_asks_for_patience_is_transient_although_its_status_is_200(kind: str) -> None:
    body = "Please limit requests to one every 5 seconds or contact somebody@maker.example for larger queries.\n"
    with pytest.raises(TransientSourceError) as raised:
        read(CONNECTOR, QUERY, body, headers={"content-type": kind})
    assert raised.value.retry_after is not None
    assert raised.value.retry_after >= 5
    assert "somebody" not in str(raised.value)


def test_headline_about_limits_is_a_headline() -> None:
    body = json.dumps({"articles": [recorded()["articles"][0] | {"title": "Ministry to limit requests to two a year"}]})
    assert read(CONNECTOR, QUERY, body).posts[0].text == "Ministry to limit requests to two a year"


@pytest.mark.parametrize(
    "told",
    [
        "Your query was too short or too long.",
        "Invalid/Unsupported Country.",
        "The specified phrase is too short.",
        "One or more of your keywords were too short, too long or too common: (ab)",
        "Queries containing OR'd terms must be surrounded by ().",
    ],
)
def test_other_sentences_are_terminal_and_passed_on(told: str) -> None:
    with pytest.raises(TerminalSourceError) as raised:
        read(CONNECTOR, QUERY, f"{told}\n", headers={"content-type": "text/html; charset=utf-8"})
    assert told in str(raised.value)


@pytest.mark.parametrize("body", ["", " \n", "<html><body>Server Error</body></html>", '{"articles": [{"url"', "[]", '{"timeline": []}', '{"articles": {}}'])  # fmt: skip
def test_page_that_is_no_list_of_articles_is_a_parse_error(body: str) -> None:
    with pytest.raises(ParseError):
        read(CONNECTOR, QUERY, body)


def test_article_that_can_not_be_read_is_set_aside_with_its_reason() -> None:
    found = [entry.reason for entry in read(CONNECTOR, QUERY, recorded()).rejected]
    assert found == [DiscardReason.NO_ID, DiscardReason.NO_TEXT, DiscardReason.BAD_TIME]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["url", "title", "seendate", "domain", "language", "sourcecountry"]


@given(st.sampled_from(FIELDS), JSON)
def test_whatever_stands_in_an_article_costs_that_article_at_most(field: str, value: object) -> None:
    good = recorded()["articles"][0]
    bad = copy.deepcopy(good) | {field: value}
    page = read(CONNECTOR, QUERY, json.dumps({"articles": [good, bad, good]}))
    assert page.posts[0] == page.posts[-1]
    assert len(page.posts) + len(page.rejected) == 3


@given(JSON, st.sampled_from([200, 400, 403, 404, 501]))
def test_whatever_the_answer_only_known_errors_come_out(item: object, status: int) -> None:
    for body in ({"articles": [item]}, {"articles": item}, item):
        with contextlib.suppress(ScreenerError):
            assert read(CONNECTOR, QUERY, json.dumps(body), status=status).posts == ()


@given(st.binary(max_size=60))
def test_whatever_bytes_come_only_known_errors_come_out(body: bytes) -> None:
    for answered in (body, b'{"articles": [' + body):
        with contextlib.suppress(ScreenerError):
            read(CONNECTOR, QUERY, answered)

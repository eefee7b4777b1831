"""Media Cloud: recorded-style invented answers against a golden, its notes in place of error statuses, and whatever JSON may come."""

from __future__ import annotations

import contextlib
import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import SOURCES, check_golden, read

from screener.collect.connector import Query
from screener.collect.connectors.mediacloud import CONNECTOR, build_request
from screener.errors import (
    BudgetSpentError,
    NoDataError,
    ParseError,
    RefusedError,
    ScreenerError,
    TerminalSourceError,
    TransientSourceError,
)
from screener.records import DiscardReason, Span

PAGES = SOURCES / "mediacloud"
SPAN = Span(datetime(2026, 2, 20, 10, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC))
QUERY = Query("mediacloud", "search", "https://search.mediacloud.org/collections/34412118", "IN", "textiles-garments", "hi", "कपड़ा मजदूर वेतन", SPAN)  # fmt: skip


def recorded(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))


def asked(query: Query, cursor: str | None = None) -> dict[str, str]:
    return dict(build_request(query, cursor).url.params)


def test_page_is_read_as_its_golden_says() -> None:
    check_golden(CONNECTOR, PAGES / "stories.json", QUERY)


def test_request_asks_the_collection_that_the_target_shows() -> None:
    request = build_request(QUERY, "MTc3Mg==")
    assert str(request.url).startswith("https://search.mediacloud.org/api/search/story-list?")
    assert dict(request.url.params) == {
        "q": "कपड़ा मजदूर वेतन", "cs": "34412118", "platform": "onlinenews-mediacloud", "page_size": "1000",
        "start": "2026-02-20", "end": "2026-02-27", "pagination_token": "MTc3Mg==",
    }  # fmt: skip


@pytest.mark.parametrize("target", ["https://search.mediacloud.org", "https://search.mediacloud.org/collections/", "https://search.mediacloud.org/sources/20775"])  # fmt: skip
def test_target_that_is_no_collection_is_refused_instead_of_asking_the_whole_archive(target: str) -> None:
    with pytest.raises(TerminalSourceError, match="collection"):
        build_request(replace(QUERY, target=target), None)


@pytest.mark.parametrize(
    ("end", "day"),
    [(datetime(2026, 2, 28, tzinfo=UTC), "2026-02-27"), (datetime(2026, 2, 28, 0, 0, 1, tzinfo=UTC), "2026-02-28")],
)
def test_span_is_asked_for_in_whole_days_because_stories_have_no_time(end: datetime, day: str) -> None:
    assert asked(replace(QUERY, span=Span(SPAN.start, end)))["end"] == day


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("unpaid wages", "unpaid wages"),
        ('"brick kiln wages" OR overtime', "((brick kiln wages) OR (overtime))"),
        ("NOT paid AND tired", "not paid and tired"),
        ('title:(x) -y "z~5" a/b #tag*', "title x y z 5 a b tag"),
        ("pay OR +", "pay"),
    ],
)
def test_phrases_become_a_query_whose_signs_mean_nothing_to_the_search(words: str, query: str) -> None:
    assert asked(replace(QUERY, words=words))["q"] == query


def test_phrase_without_words_is_no_data() -> None:
    with pytest.raises(NoDataError):
        build_request(replace(QUERY, words="+ OR -"), None)


def test_token_travels_as_the_word_token_says() -> None:
    assert CONNECTOR.auth is not None
    assert (CONNECTOR.auth.header, CONNECTOR.auth.prefix) == ("Authorization", "Token ")


def test_stories_come_as_they_were_indexed_so_nothing_is_taken_for_passed() -> None:
    assert not CONNECTOR.endpoints["search"].is_newest_first


def test_story_without_a_day_is_undated_and_one_with_a_wrong_day_is_set_aside() -> None:
    page = read(CONNECTOR, QUERY, recorded("stories"))
    assert [post.created_at is None for post in page.posts] == [False, False, True]
    assert [entry.reason for entry in page.rejected] == [DiscardReason.NO_TEXT, DiscardReason.BAD_TIME]


def test_last_page_has_no_cursor() -> None:
    assert read(CONNECTOR, QUERY, recorded("stories")).next_cursor == "MTc3MjI0MDUyMzQ1Ng=="
    assert read(CONNECTOR, QUERY, {"stories": [], "pagination_token": None}).next_cursor is None


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("error_quota", BudgetSpentError),
        ("error_temporary", TransientSourceError),
        ("error_query", TerminalSourceError),
    ],
)
def test_every_error_has_status_400_and_its_note_tells_them_apart(name: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        read(CONNECTOR, QUERY, recorded(name), status=400)
    assert type(raised.value) is error


def test_query_about_quotas_that_can_not_be_parsed_is_no_spent_quota() -> None:
    with pytest.raises(TerminalSourceError) as raised:
        read(CONNECTOR, replace(QUERY, words="export quota garments"), recorded("error_query"), status=400)
    assert type(raised.value) is TerminalSourceError


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_token_is_a_refusal(status: int) -> None:
    with pytest.raises(RefusedError):
        read(CONNECTOR, QUERY, {"detail": "Invalid token."}, status=status)


@pytest.mark.parametrize("body", ["", "<!doctype html>", "[]", "{}", '{"stories": {}}', '{"stories": [], "pagination_token": 5}', '{"stories": [], "pagination_token": "ё"}'])  # fmt: skip
def test_page_that_is_no_list_of_stories_is_a_parse_error(body: str) -> None:
    with pytest.raises(ParseError):
        read(CONNECTOR, QUERY, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["id", "title", "publish_date", "indexed_date", "language", "media_url", "url"]


@given(st.sampled_from(FIELDS), JSON)
def test_whatever_stands_in_a_story_costs_that_story_at_most(field: str, value: object) -> None:
    good = recorded("stories")["stories"][0]
    bad = copy.deepcopy(good) | {field: value}
    page = read(CONNECTOR, QUERY, json.dumps({"stories": [good, bad, good]}))
    assert page.posts[0] == page.posts[-1]
    assert len(page.posts) + len(page.rejected) == 3


@given(JSON, JSON, st.sampled_from([200, 400, 401, 403, 404, 501]))
def test_whatever_the_answer_only_known_errors_come_out(item: object, value: object, status: int) -> None:
    for body in ({"stories": [item], "pagination_token": value}, {"note": item, "temporary": value}, item):
        with contextlib.suppress(ScreenerError):
            page = read(CONNECTOR, QUERY, json.dumps(body), status=status)
            assert isinstance(build_request(QUERY, page.next_cursor), httpx.Request)

"""YouTube: recorded-style invented pages against goldens, what its errors mean, and whatever JSON may come."""

from __future__ import annotations

import contextlib
import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import SOURCES, answer, check_against, check_golden, read

from screener.collect.connector import Query
from screener.collect.connectors.youtube import CONNECTOR, build_refresh, build_request, parse_refresh
from screener.errors import (
    BudgetSpentError,
    NoDataError,
    ParseError,
    RefusedError,
    ScreenerError,
    SourceError,
    TerminalSourceError,
)
from screener.records import DiscardReason, Span

PAGES = SOURCES / "youtube"
TARGET = "https://youtube.googleapis.com"
SPAN = Span(datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 2, 28, 6, 30, tzinfo=UTC))
SEARCH = Query("youtube", "search", TARGET, "MY", "examination-gloves", "ms", "kilang sarung tangan gaji", SPAN)
COMMENTS = replace(SEARCH, endpoint="comments", words="vidGloves001")
REPLIES = replace(SEARCH, endpoint="replies", words="UgxGlovesTopA4AaABAg")
VIDEO, COMMENT = "video:vidGloves001", "comment:UgxGlovesTopA4AaABAg"


def recorded(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))


def asked(query: Query, cursor: str | None = None) -> dict[str, str]:
    return dict(build_request(query, cursor).url.params)


def refused(reason: str, status: int = 403) -> dict[str, Any]:
    return {"error": {"code": status, "message": "told", "errors": [{"reason": reason, "domain": "youtube"}]}}


def refresh(body: Any, *native_ids: str, status: int = 200) -> Any:
    return parse_refresh(answer(build_refresh(TARGET, native_ids), body, status=status), native_ids)


@pytest.mark.parametrize(("name", "query"), [("search", SEARCH), ("comments", COMMENTS), ("replies", REPLIES)])
def test_page_is_read_as_its_golden_says(name: str, query: Query) -> None:
    check_golden(CONNECTOR, PAGES / f"{name}.json", query)


def test_refresh_is_read_as_its_golden_says() -> None:
    check_against(refresh(recorded("videos"), VIDEO, "video:vidGone00004"), PAGES / "videos.expected.json")


def test_search_asks_for_videos_newest_first_within_the_span() -> None:
    assert asked(SEARCH) == {
        "part": "snippet", "type": "video", "order": "date", "maxResults": "50", "q": "kilang sarung tangan gaji",
        "relevanceLanguage": "ms", "publishedAfter": "2026-02-20T00:00:00Z", "publishedBefore": "2026-02-28T06:30:00Z",
    }  # fmt: skip


def test_span_that_ends_within_a_second_is_asked_to_the_end_of_it() -> None:
    span = Span(SPAN.start + timedelta(microseconds=5), SPAN.end + timedelta(microseconds=5))
    found = asked(replace(SEARCH, span=span))
    assert (found["publishedAfter"], found["publishedBefore"]) == ("2026-02-20T00:00:00Z", "2026-02-28T06:30:01Z")


def test_country_is_never_asked_for_because_the_api_knows_only_where_a_video_can_be_seen() -> None:
    assert "regionCode" not in asked(SEARCH)


@pytest.mark.parametrize(
    ("language", "wanted"),
    [("th", "th"), ("zh", "zh-Hans"), ("ur-Latn", "ur"), ("ceb", None), ("und", None), (None, None)],
)
def test_language_is_asked_for_by_two_letters(language: str | None, wanted: str | None) -> None:
    assert asked(replace(SEARCH, language=language)).get("relevanceLanguage") == wanted


def test_comments_are_asked_newest_first_as_plain_text() -> None:
    assert asked(COMMENTS, "QURT") == {
        "part": "snippet,replies", "videoId": "vidGloves001", "order": "time", "maxResults": "100",
        "textFormat": "plainText", "pageToken": "QURT",
    }  # fmt: skip


def test_key_travels_in_a_header_and_never_in_an_address() -> None:
    assert CONNECTOR.auth is not None
    assert (CONNECTOR.auth.credential, CONNECTOR.auth.header, CONNECTOR.auth.prefix) == ("key", "X-Goog-Api-Key", "")
    assert all("key" not in asked(query) for query in (SEARCH, COMMENTS, REPLIES))


def test_search_titles_come_escaped_for_html_and_are_read_as_written() -> None:
    first = read(CONNECTOR, SEARCH, recorded("search")).posts[0]
    assert first.text.startswith('Workers "owed 3 months" at the glove plant & nobody answers\n\n')
    assert first.text.endswith("overtime isn't paid, passports are kept <again> ...")


def test_comments_are_plain_text_so_that_less_than_and_line_breaks_stay() -> None:
    first = read(CONNECTOR, COMMENTS, recorded("comments")).posts[0]
    assert first.text == "same at our plant\nboss keeps passports & says <3 months more"


def test_comment_is_read_as_typed_where_the_display_puts_titles_for_links() -> None:
    page = read(CONNECTOR, COMMENTS, recorded("comments"))
    assert page.posts[3].text == "Watch the first report: https://video.example/watch?v=abc"
    shown_only = recorded("comments")["items"][:1]
    del shown_only[0]["snippet"]["topLevelComment"]["snippet"]["textOriginal"]
    page = read(CONNECTOR, COMMENTS, {"kind": "youtube#commentThreadListResponse", "items": shown_only})
    assert page.posts[0].text == "same at our plant\nboss keeps passports & says <3 months more"


def test_comment_answers_its_video_and_a_reply_its_thread() -> None:
    top, reply = read(CONNECTOR, COMMENTS, recorded("comments")).posts[:2]
    assert (top.native_id, top.reply_to, top.thread) == (COMMENT, VIDEO, None)
    assert (reply.reply_to, reply.thread) == (COMMENT, COMMENT)


def test_comment_is_edited_only_if_it_was_changed_after_it_came_out() -> None:
    top, reply = read(CONNECTOR, COMMENTS, recorded("comments")).posts[:2]
    assert (top.edited_at, reply.edited_at) == (datetime(2026, 2, 27, 11, 5, 30, tzinfo=UTC), None)


def test_display_names_of_authors_go_nowhere() -> None:
    page = read(CONNECTOR, COMMENTS, recorded("comments"))
    assert "somebody" not in repr(page)
    assert page.posts[0].author == "UCworkerexample000000001"


def test_each_video_found_leads_to_its_comments_on_behalf_of_the_same_watch() -> None:
    found = read(CONNECTOR, SEARCH, recorded("search")).follow_ups
    assert [query.words for query in found] == ["vidGloves001", "vidChicken02", "vidNoTime003"]
    assert found[0] == COMMENTS


def test_thread_leads_to_its_replies_only_where_it_shows_not_all_of_them() -> None:
    assert read(CONNECTOR, COMMENTS, recorded("comments")).follow_ups == (REPLIES,)


def test_channel_among_the_videos_asked_for_is_set_aside() -> None:
    page = read(CONNECTOR, SEARCH, recorded("search"))
    assert [entry.reason for entry in page.rejected] == [DiscardReason.NO_ID, DiscardReason.BAD_TIME]


def test_last_page_has_no_cursor_and_nothing_found_is_no_error() -> None:
    assert read(CONNECTOR, SEARCH, recorded("search")).next_cursor == "CDIQAA"
    page = read(CONNECTOR, SEARCH, recorded("search_last"))
    assert (page.posts, page.next_cursor) == ((), None)


def test_switched_off_comments_are_no_data_not_a_refusal() -> None:
    with pytest.raises(NoDataError, match="commentsDisabled"):
        read(CONNECTOR, COMMENTS, recorded("error_comments_disabled"), status=403)


@pytest.mark.parametrize("reason", ["quotaExceeded", "rateLimitExceeded", "dailyLimitExceeded"])
def test_spent_quota_is_a_budget_not_a_refusal(reason: str) -> None:
    body = recorded("error_quota") if reason == "quotaExceeded" else refused(reason)
    with pytest.raises(BudgetSpentError, match=f"{reason}.*midnight Pacific"):
        read(CONNECTOR, SEARCH, body, status=403)


@pytest.mark.parametrize("body", [refused("keyInvalid", 400), recorded("error_key")])
def test_wrong_key_is_a_refusal_although_its_status_is_400(body: Any) -> None:
    with pytest.raises(RefusedError):
        read(CONNECTOR, SEARCH, body, status=400)


def test_api_that_is_not_switched_on_for_the_project_is_a_refusal_that_says_so() -> None:
    with pytest.raises(RefusedError, match="accessNotConfigured"):
        read(CONNECTOR, SEARCH, refused("accessNotConfigured"), status=403)


def test_wrong_parameter_is_terminal_and_nothing_else() -> None:
    with pytest.raises(TerminalSourceError) as raised:
        read(CONNECTOR, SEARCH, refused("invalidPageToken", 400), status=400)
    assert type(raised.value) is TerminalSourceError


def test_video_that_is_not_there_any_more_is_gone() -> None:
    page = read(CONNECTOR, COMMENTS, recorded("error_video_not_found"), status=404)
    assert (page.gone, page.posts, page.next_cursor) == ((VIDEO,), (), None)


def test_thread_that_is_not_there_any_more_is_gone() -> None:
    assert read(CONNECTOR, REPLIES, refused("commentNotFound", 404), status=404).gone == (COMMENT,)


def test_unknown_address_is_no_sign_of_a_deletion() -> None:
    with pytest.raises(NoDataError):
        read(CONNECTOR, COMMENTS, "<html>Not Found</html>", status=404)


@pytest.mark.parametrize("body", ["", "<!doctype html><p>hi</p>", '{"kind": "youtube#sea', "[]", "{}", '{"items": []}', '{"kind": "youtube#x", "items": 3}'])  # fmt: skip
def test_page_that_is_not_the_apis_is_a_parse_error(body: str) -> None:
    with pytest.raises(ParseError):
        read(CONNECTOR, SEARCH, body)


def test_cursor_that_is_no_token_is_a_parse_error_because_to_stop_there_would_lose_the_rest() -> None:
    with pytest.raises(ParseError, match="nextPageToken"):
        read(CONNECTOR, SEARCH, recorded("search") | {"nextPageToken": "ё"})


@pytest.mark.parametrize(
    ("native_ids", "path"), [((VIDEO, "video:b"), "videos"), ((COMMENT, "comment:b.c"), "comments")]
)
def test_refresh_asks_for_the_ids_where_they_live(native_ids: tuple[str, ...], path: str) -> None:
    request = build_refresh(TARGET, native_ids)
    assert request.url.path == f"/youtube/v3/{path}"
    assert request.url.params["id"] == ",".join(one.partition(":")[2] for one in native_ids)
    assert "maxResults" not in request.url.params


@pytest.mark.parametrize("native_ids", [(VIDEO, COMMENT), (), ("t3_abc",)])
def test_mixed_refresh_is_refused_because_what_was_not_asked_for_would_pass_for_gone(
    native_ids: tuple[str, ...],
) -> None:
    with pytest.raises(TerminalSourceError):
        build_refresh(TARGET, native_ids)


def test_videos_and_comments_are_refreshed_apart() -> None:
    assert CONNECTOR.refresh is not None
    assert [CONNECTOR.refresh.group(one) for one in (VIDEO, COMMENT, f"{COMMENT}.reply")] == [
        "video",
        "comment",
        "comment",
    ]


def test_refresh_batch_is_no_longer_than_an_answer_that_can_not_be_asked_to_be_longer() -> None:
    assert CONNECTOR.refresh is not None
    assert CONNECTOR.refresh.batch <= 20


def test_refresh_that_was_cut_says_nothing_about_what_is_missing() -> None:
    with pytest.raises(ParseError, match="cut"):
        refresh(recorded("videos") | {"nextPageToken": "CAUQAA"}, VIDEO)


def test_refresh_takes_no_post_that_it_did_not_ask_for() -> None:
    assert refresh(recorded("videos"), "video:other").posts == ()


def test_refreshed_post_that_can_not_be_read_is_not_taken_for_gone() -> None:
    body = recorded("videos")
    body["items"][0]["snippet"]["publishedAt"] = None
    with pytest.raises(ParseError, match="publishedAt"):
        refresh(body, VIDEO)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
QUERIES = st.sampled_from([SEARCH, COMMENTS, REPLIES])
PATHS = [
    ("id",), ("id", "videoId"), ("snippet",), ("snippet", "title"), ("snippet", "publishedAt"), ("snippet", "textOriginal"),
    ("snippet", "authorChannelId"), ("snippet", "parentId"), ("snippet", "totalReplyCount"), ("snippet", "topLevelComment"),
    ("snippet", "topLevelComment", "snippet"), ("replies",), ("replies", "comments"),
]  # fmt: skip


@given(QUERIES, st.sampled_from(PATHS), JSON)
def test_whatever_stands_in_an_item_costs_that_item_at_most(query: Query, path: tuple[str, ...], value: object) -> None:
    body = recorded(query.endpoint)
    good, bad = body["items"][0], copy.deepcopy(body["items"][0])
    held: Any = bad
    for name in path[:-1]:
        held = held.setdefault(name, {}) if isinstance(held, dict) else {}
    if isinstance(held, dict):
        held[path[-1]] = value
    page = read(CONNECTOR, query, {"kind": "youtube#list", "items": [good, bad, good]})
    alone = read(CONNECTOR, query, {"kind": "youtube#list", "items": [good]})
    assert page.posts[: len(alone.posts)] == page.posts[-len(alone.posts) :] == alone.posts


@given(QUERIES, JSON, JSON, st.sampled_from([200, 400, 401, 403, 404, 501]))
def test_whatever_the_answer_only_known_errors_come_out(query: Query, item: object, value: object, status: int) -> None:
    body = {
        "kind": "youtube#list",
        "items": [item],
        "nextPageToken": value,
        "error": {"errors": item, "details": value},
    }
    for wanted in (body, item):
        try:
            page = read(CONNECTOR, query, json.dumps(wanted), status=status)
            for led_to in (query, *page.follow_ups):
                assert isinstance(build_request(led_to, page.next_cursor), httpx.Request)
        except (SourceError, ParseError):
            pass


@given(JSON, st.sampled_from([VIDEO, COMMENT]))
def test_whatever_a_refresh_answers_only_known_errors_come_out(item: object, native_id: str) -> None:
    for body in ({"kind": "youtube#list", "items": [item]}, item):
        with contextlib.suppress(ScreenerError):
            assert refresh(json.dumps(body), native_id).posts == ()

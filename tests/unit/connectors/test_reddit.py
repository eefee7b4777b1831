"""Reddit: recorded-style invented pages against goldens, what is gone and what is refused, and whatever JSON may come."""

from __future__ import annotations

import base64
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
from reading import SOURCES, answer, check_against, check_golden, read

from screener.collect.connector import Query, Token
from screener.collect.connectors.reddit import (
    CONNECTOR,
    build_refresh,
    build_request,
    build_sign_in,
    parse_refresh,
    parse_sign_in,
)
from screener.errors import NoDataError, ParseError, RefusedError, ScreenerError
from screener.records import DiscardReason, Span

PAGES = SOURCES / "reddit"
TARGET = "https://oauth.reddit.com"
SPAN = Span(datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 2, 28, 6, 30, tzinfo=UTC))
SEARCH = Query("reddit", "search", TARGET, "MY", "examination-gloves", "en", "glove factory wages", SPAN)
NEW = Query("reddit", "new", TARGET, "MY", None, None, "WorkersExample", SPAN)
COMMENTS = replace(NEW, endpoint="comments")
SECRETS = {"identifier": "client-id-x", "password": "client-secret-y"}


def recorded(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))


def listing(*children: Any, after: Any = None) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"after": after, "children": list(children)}}


def submission(**changed: Any) -> dict[str, Any]:
    found = copy.deepcopy(recorded("search")["data"]["children"][0])
    found["data"] |= changed
    return dict(found)


def refresh(body: Any, *native_ids: str) -> Any:
    return parse_refresh(answer(build_refresh(TARGET, native_ids), body), native_ids)


def sign_in(body: Any, status: int = 200) -> Token:
    return parse_sign_in(answer(build_sign_in(TARGET, SECRETS), body, status=status))


@pytest.mark.parametrize(("name", "query"), [("search", SEARCH), ("new", NEW), ("comments", COMMENTS)])
def test_page_is_read_as_its_golden_says(name: str, query: Query) -> None:
    check_golden(CONNECTOR, PAGES / f"{name}.json", query)


def test_refresh_is_read_as_its_golden_says() -> None:
    check_against(refresh(recorded("info"), "t3_1abc01", "t3_1abc02", "t1_kcom01"), PAGES / "info.expected.json")


def test_search_asks_for_submissions_newest_first_with_texts_unescaped() -> None:
    request = build_request(SEARCH, None)
    assert request.url.path == "/search"
    assert dict(request.url.params) == {
        "q": "glove factory wages", "sort": "new", "type": "link", "limit": "100", "raw_json": "1",
    }  # fmt: skip


@pytest.mark.parametrize("query", [NEW, COMMENTS])
def test_lists_of_a_subreddit_are_asked_by_its_name(query: Query) -> None:
    assert build_request(query, None).url.path == f"/r/WorkersExample/{query.endpoint}"


@pytest.mark.parametrize("name", ["", "a", "../api/me", "two words", "x" * 22, "ёлка", "a/b"])
def test_name_that_is_no_subreddit_is_asked_nowhere(name: str) -> None:
    with pytest.raises(NoDataError, match="no name of a subreddit"):
        build_request(replace(NEW, words=name), None)


def test_cursor_is_a_fullname_with_the_number_of_records_before_it() -> None:
    page = read(CONNECTOR, NEW, recorded("new"))
    assert page.next_cursor == "t3_1last09:6"
    params = build_request(NEW, page.next_cursor).url.params
    assert (params["after"], params["count"]) == ("t3_1last09", "6")
    assert read(CONNECTOR, NEW, recorded("new"), cursor=page.next_cursor).next_cursor == "t3_1last09:12"


@pytest.mark.parametrize(
    ("n_before", "after", "is_capped"), [(949, None, True), (948, None, False), (990, "t3_x", False)]
)
def test_list_that_ends_near_a_thousand_is_capped_though_some_records_were_skipped(
    n_before: int, after: str | None, is_capped: bool
) -> None:
    page = read(CONNECTOR, NEW, listing(submission(), after=after), cursor=f"t3_1last09:{n_before}")
    assert page.is_capped is is_capped


def test_after_that_is_no_fullname_is_a_parse_error_because_to_stop_there_would_lose_the_rest() -> None:
    with pytest.raises(ParseError, match="after"):
        read(CONNECTOR, NEW, listing(submission(), after="https://elsewhere.example/"))


def test_title_and_text_are_one_post_with_its_markdown() -> None:
    post = read(CONNECTOR, NEW, recorded("new")).posts[0]
    assert post.text.startswith("Overtime & no pay at the glove plant\n\nTwelve hours, <3 breaks.\n\n> ")
    assert post.edited_at == datetime(2026, 2, 27, 9, 55, 4, tzinfo=UTC)


def test_crosspost_is_its_original_once_under_the_original_author() -> None:
    page = read(CONNECTOR, NEW, recorded("new"))
    assert [post.author for post in page.posts if post.native_id == "t3_1orig01"] == ["t2_union01"]


def test_crosspost_without_its_original_is_skipped() -> None:
    page = read(CONNECTOR, NEW, listing(submission(crosspost_parent="t3_1lost07")))
    assert (page.posts, page.rejected, page.gone) == ((), (), ())


@pytest.mark.parametrize(
    "changed",
    [
        {"selftext": "[deleted]"}, {"selftext": "[removed]"}, {"selftext": "[ Removed by Reddit ]"}, {"author": "[deleted]"},
        {"title": "[deleted by user]"}, {"removed_by_category": "moderator"}, {"body": "[removed]"},
    ],
)  # fmt: skip
def test_deleted_or_removed_in_any_part_is_gone_and_no_part_is_kept(changed: dict[str, str]) -> None:
    page = read(CONNECTOR, NEW, listing(submission(**changed)))
    assert (page.posts, page.gone) == ((), ("t3_1abc01",))


@pytest.mark.parametrize("text", ["[removed the link] see below", "they deleted it", "my post was [removed]"])
def test_post_that_speaks_of_deletion_stands(text: str) -> None:
    page = read(CONNECTOR, NEW, listing(submission(selftext=text)))
    assert (len(page.posts), page.gone) == (1, ())


@pytest.mark.parametrize(("edited", "moment"), [(False, None), (True, None), (1772186104.0, datetime(2026, 2, 27, 9, 55, 4, tzinfo=UTC))])  # fmt: skip
def test_edited_is_false_a_time_or_in_old_records_only_true(edited: object, moment: datetime | None) -> None:
    assert read(CONNECTOR, NEW, listing(submission(edited=edited))).posts[0].edited_at == moment


def test_comment_answers_its_parent_within_the_thread_of_its_submission() -> None:
    first, second, *_ = read(CONNECTOR, COMMENTS, recorded("comments")).posts
    assert (first.reply_to, first.thread) == ("t3_1abc01", "t3_1abc01")
    assert (second.reply_to, second.thread) == ("t1_kcom01", "t3_1abc01")


def test_author_is_the_account_id_and_the_name_only_where_there_is_none() -> None:
    found = [post.author for post in read(CONNECTOR, COMMENTS, recorded("comments")).posts]
    assert found == ["t2_worker3", "t2_worker4", "old_name_only"]


def test_place_holder_of_comments_not_shown_is_no_post() -> None:
    more = {"kind": "more", "data": {"name": "t1_more", "children": ["abc"]}}
    page = read(CONNECTOR, COMMENTS, listing(more))
    assert (page.posts, page.rejected) == ((), ())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": None}, DiscardReason.NO_ID),
        ({"name": "t3_a,t3_b"}, DiscardReason.NO_ID),
        ({"title": "", "selftext": " "}, DiscardReason.NO_TEXT),
        ({"created_utc": "soon"}, DiscardReason.BAD_TIME),
        ({"created_utc": 1e300}, DiscardReason.BAD_TIME),
        ({"created_utc": 10**40}, DiscardReason.BAD_TIME),
    ],
)
def test_record_that_can_not_be_read_is_set_aside_with_its_reason(
    changed: dict[str, Any], reason: DiscardReason
) -> None:
    (entry,) = read(CONNECTOR, NEW, listing(submission(**changed))).rejected
    assert entry.reason is reason
    assert "glove_worker_x" not in repr(entry)


@pytest.mark.parametrize("reason", ["private", "quarantined", "gold_only"])
def test_closed_subreddit_is_a_refusal_that_says_how(reason: str) -> None:
    with pytest.raises(RefusedError, match=f"the subreddit is {reason}"):
        read(CONNECTOR, NEW, recorded("private") | {"reason": reason}, status=403)


def test_banned_subreddit_is_no_data() -> None:
    with pytest.raises(NoDataError, match="banned"):
        read(CONNECTOR, NEW, recorded("banned"), status=404)


def test_unknown_subreddit_leads_to_a_list_of_others_which_is_no_data() -> None:
    with pytest.raises(NoDataError, match="no such subreddit"):
        read(CONNECTOR, NEW, recorded("unknown"))


@pytest.mark.parametrize("body", ["", "<!doctype html>", "[]", "{}", '{"data": []}', '{"data": {"children": {}}}', '{"data": {"chil'])  # fmt: skip
def test_page_that_is_no_listing_is_a_parse_error(body: str) -> None:
    with pytest.raises(ParseError):
        read(CONNECTOR, NEW, body)


def test_source_needs_reddits_approval() -> None:
    assert CONNECTOR.needs_approval


def test_refresh_keeps_what_stands_and_leaves_out_what_is_deleted() -> None:
    page = refresh(recorded("info"), "t3_1abc01", "t3_1abc02", "t1_kcom01", "t1_never")
    assert [post.native_id for post in page.posts] == ["t3_1abc01", "t1_kcom01"]
    assert build_refresh(TARGET, ["t3_a", "t1_b"]).url.params["id"] == "t3_a,t1_b"


def test_refresh_takes_no_post_that_it_did_not_ask_for() -> None:
    assert refresh(recorded("info"), "t3_other").posts == ()


def test_refreshed_post_that_can_not_be_read_is_not_taken_for_gone() -> None:
    with pytest.raises(ParseError, match="created_utc"):
        refresh(listing(submission(created_utc=None)), "t3_1abc01")


def test_client_signs_in_as_itself_at_the_sites_own_host() -> None:
    request = build_sign_in(TARGET, SECRETS)
    assert (request.method, str(request.url)) == ("POST", "https://www.reddit.com/api/v1/access_token")
    assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"client-id-x:client-secret-y"
    assert request.content == b"grant_type=client_credentials"


def test_token_is_read_with_its_life() -> None:
    token = sign_in(recorded("token"))
    assert (token.value, token.expires_in) == ("invented-token-of-no-use", 86400.0)


@pytest.mark.parametrize(("body", "status"), [({"error": "invalid_grant"}, 200), ({"message": "Unauthorized", "error": 401}, 401)])  # fmt: skip
def test_wrong_client_secret_is_a_refusal_that_repeats_no_secret(body: dict[str, Any], status: int) -> None:
    with pytest.raises(RefusedError) as raised:
        sign_in(body, status)
    assert not any(secret in str(raised.value) for secret in SECRETS.values())


@pytest.mark.parametrize("seconds", [None, 0, -5, "3600", float("nan"), float("inf"), 10**400])
def test_token_without_a_life_is_a_parse_error(seconds: object) -> None:
    with pytest.raises(ParseError):
        sign_in(recorded("token") | {"expires_in": seconds})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
QUERIES = st.sampled_from([SEARCH, NEW, COMMENTS])
FIELDS = [
    "name", "title", "selftext", "author", "author_fullname", "created_utc", "edited", "permalink", "parent_id", "link_id",
    "crosspost_parent_list", "crosspost_parent", "removed_by_category",
]  # fmt: skip


@given(st.sampled_from(FIELDS), JSON)
def test_whatever_stands_in_a_record_costs_that_record_at_most(field: str, value: object) -> None:
    good = submission()
    page = read(CONNECTOR, NEW, listing(good, submission(**{field: value}), good))
    assert page.posts[0] == page.posts[-1]
    assert len(page.posts) >= 2


@given(QUERIES, JSON, JSON, st.sampled_from([200, 400, 401, 403, 404, 501]))
def test_whatever_the_answer_only_known_errors_come_out(query: Query, item: object, value: object, status: int) -> None:
    for body in (listing(item, {"kind": "t3", "data": item}, submission(), after=value), {"reason": value}, item):
        with contextlib.suppress(ScreenerError):
            page = read(CONNECTOR, query, json.dumps(body), status=status)
            assert isinstance(build_request(query, page.next_cursor), httpx.Request)
            build_refresh(TARGET, [post.native_id for post in page.posts])


@given(JSON, JSON)
def test_whatever_refresh_and_sign_in_answer_only_known_errors_come_out(item: object, value: object) -> None:
    for body in (listing(item, {"kind": "t1", "data": item}), item, {"access_token": item, "expires_in": value}):
        with contextlib.suppress(ScreenerError):
            refresh(json.dumps(body), "t3_1abc01")
        with contextlib.suppress(ScreenerError):
            sign_in(json.dumps(body))

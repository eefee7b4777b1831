"""Lemmy and PieFed: invented pages against goldens, what their servers were seen to do, and whatever JSON may come."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import SOURCES, answer, check_golden, read

from screener.collect.connector import Page, Query, Refresh
from screener.collect.connectors.lemmy import CONNECTOR
from screener.errors import (
    NoDataError,
    ParseError,
    RefusedError,
    SourceError,
    TerminalSourceError,
    TransientSourceError,
)
from screener.records import DiscardReason, RawPost, Span

PAGES = SOURCES / "lemmy"
FORUM = "https://forum.example"
SEARCH = Query("lemmy", "search", FORUM, "BD", "textiles-garments", "en", "wages held back")
COMMENTS = replace(SEARCH, endpoint="search_comments")
NEWEST = replace(SEARCH, endpoint="posts", words="")
PIEFED = replace(NEWEST, target="https://piefed.example?api=alpha")
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


def recorded(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))


def view(creator: Any = None, **changes: Any) -> dict[str, Any]:
    """A post as the API shows it, changed."""
    shown: dict[str, Any] = copy.deepcopy(recorded("search")["posts"][0])
    shown["post"] |= changes
    shown["creator"] |= creator or {}
    return shown


def comment(**changes: Any) -> dict[str, Any]:
    shown: dict[str, Any] = copy.deepcopy(recorded("search_comments")["comments"][0])
    shown["comment"] |= changes
    return shown


def parse(*views: Any, query: Query = SEARCH, cursor: str | None = None) -> Page:
    return read(CONNECTOR, query, {"comments" if query == COMMENTS else "posts": list(views)}, cursor=cursor)


def one(**changes: Any) -> RawPost:
    (post,) = parse(view(**changes)).posts
    return post


def refresh() -> Refresh:
    assert CONNECTOR.refresh is not None
    return CONNECTOR.refresh


def asked_again(body: Any, native_id: str = f"{FORUM}/post/310", **answered: Any) -> Page:
    request = refresh().build(FORUM, [native_id])
    return refresh().parse(answer(request, body, **answered), [native_id])


@pytest.mark.parametrize(
    ("name", "query"), [("search", SEARCH), ("search_comments", COMMENTS), ("piefed_posts", PIEFED)]
)
def test_page_is_read_as_its_golden_says(name: str, query: Query) -> None:
    check_golden(CONNECTOR, PAGES / f"{name}.json", query)


@pytest.mark.parametrize(
    ("query", "path", "asked"),
    [
        (SEARCH, "/api/v3/search", {"q": "wages held back", "type_": "Posts"}),
        (COMMENTS, "/api/v3/search", {"q": "wages held back", "type_": "Comments"}),
        (NEWEST, "/api/v3/post/list", {"type_": "All"}),
        (PIEFED, "/api/alpha/post/list", {"type_": "All"}),
    ],
)
def test_newest_come_first_page_by_page(query: Query, path: str, asked: dict[str, str]) -> None:
    url = CONNECTOR.build_request(query, "3").url
    assert (url.path, dict(url.params)) == (path, asked | {"sort": "New", "limit": "50", "page": "3"})
    assert CONNECTOR.build_request(query, None).url.params["page"] == "1"


def test_next_page_that_is_null_is_not_believed_while_pages_are_full() -> None:
    full = {"posts": [view(id=number) for number in range(50)], "next_page": None}
    assert read(CONNECTOR, PIEFED, full).next_cursor == "2"
    assert read(CONNECTOR, PIEFED, full, cursor="2").next_cursor == "3"


def test_page_that_is_not_full_is_the_last_whatever_next_page_says() -> None:
    assert read(CONNECTOR, NEWEST, {"posts": [view()], "next_page": "Pa1"}).next_cursor is None


def test_server_that_ignores_the_page_number_is_left_after_a_hundred() -> None:
    page = parse(*[view()] * 50, cursor="100")
    assert (page.next_cursor, page.is_capped, len(page.posts)) == (None, True, 50)


def test_walk_ends_before_the_span_even_where_all_posts_are_of_other_servers() -> None:
    span = Span(datetime(2026, 2, 3, 9, tzinfo=UTC), datetime(2026, 2, 4, tzinfo=UTC))
    remote = view(ap_id="https://elsewhere.example/post/1")
    assert parse(*[remote] * 50, query=replace(NEWEST, span=span)).next_cursor is None
    page = parse(*[remote] * 49, view(published="2026-02-03T09:00:00Z"), query=replace(NEWEST, span=span))
    assert (page.next_cursor, page.n_skipped, len(page.posts)) == ("2", 49, 1)


def test_post_is_called_the_same_by_every_endpoint_and_by_refresh() -> None:
    found = [parse(view()).posts, parse(view(), query=NEWEST).posts, asked_again({"post_view": view()}).posts]
    assert {posts[0].native_id for posts in found} == {f"{FORUM}/post/310"}


def test_title_and_text_are_kept_as_written() -> None:
    assert one(name="Unpaid", body="a\n\n> b\n\n<3 & so on").text == "Unpaid\n\na\n\n> b\n\n<3 & so on"


def test_title_of_a_link_is_a_post() -> None:
    assert one(body=None, url="https://law.example").text == "Wages held back again"


@pytest.mark.parametrize("flag", ["deleted", "removed"])
def test_post_that_is_flagged_as_taken_away_is_gone(flag: str) -> None:
    page = parse(view(**{flag: True}, name="", body="*Permanently Deleted*"))
    assert (page.posts, page.rejected, page.gone) == ((), (), (f"{FORUM}/post/310",))


def test_account_that_is_deleted_is_gone_with_all_it_wrote() -> None:
    page = parse(view(creator={"deleted": True}), view(creator={"deleted": True}, ap_id=f"{FORUM}/post/9"))
    assert (page.posts, page.gone_authors) == ((), (f"{FORUM}/u/asha",))


@pytest.mark.parametrize("ap_id", ["https://elsewhere.example/post/310", "http://[::1", "post/310"])
def test_post_of_another_server_is_left_to_that_server(ap_id: str) -> None:
    assert parse(view(ap_id=ap_id)) == Page((), n_skipped=1)


def test_deletion_on_another_server_is_left_to_that_server() -> None:
    assert parse(view(ap_id="https://elsewhere.example/post/1", deleted=True)).gone == ()


def test_comment_on_the_post_itself_names_it_and_a_deeper_one_names_the_thread() -> None:
    first, deeper = parse(comment(path="0.9"), comment(path="0.9.10"), query=COMMENTS).posts
    assert (first.reply_to, first.thread) == (f"{FORUM}/post/310", f"{FORUM}/post/310")
    assert (deeper.reply_to, deeper.thread) == (None, f"{FORUM}/post/310")


def test_comment_of_piefed_is_read_though_it_names_its_text_otherwise() -> None:
    (post,) = parse(comment(content=None, body="Ask for a payslip"), query=COMMENTS).posts
    assert post.text == "Ask for a payslip"


def test_time_without_a_zone_is_utc() -> None:
    assert one(published="2026-02-03T07:00:00").created_at == datetime(2026, 2, 3, 7, tzinfo=UTC)


@pytest.mark.parametrize("updated", [None, "soon", 5])
def test_edit_that_cannot_be_read_costs_no_post(updated: object) -> None:
    assert one(updated=updated).edited_at is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ap_id": None}, DiscardReason.NO_ID),
        ({"ap_id": 310}, DiscardReason.NO_ID),
        ({"name": " ", "body": ""}, DiscardReason.NO_TEXT),
        ({"name": ["x"], "body": {}}, DiscardReason.NO_TEXT),
        ({"published": "soon"}, DiscardReason.BAD_TIME),
        ({"published": None}, DiscardReason.BAD_TIME),
        ({"published": "9999-12-31T23:59:59-12:00"}, DiscardReason.BAD_TIME),
    ],
)
def test_record_that_cannot_be_read_is_set_aside_and_costs_no_other(
    changes: dict[str, Any], reason: DiscardReason
) -> None:
    page = parse(view(**changes), view(ap_id=f"{FORUM}/post/2"))
    assert [(r.reason, r.where) for r in page.rejected] == [(reason, "https://forum.example#post1")]
    assert [post.native_id for post in page.posts] == [f"{FORUM}/post/2"]


@pytest.mark.parametrize("problem", ["instance_is_private", "not_logged_in"])
def test_server_for_members_only_is_refused_by_name_though_it_answers_400(problem: str) -> None:
    with pytest.raises(RefusedError, match=problem):
        read(CONNECTOR, SEARCH, {"error": problem}, status=400)


def test_rate_limit_that_comes_as_400_may_pass() -> None:
    with pytest.raises(TransientSourceError, match="rate_limit_error"):
        read(CONNECTOR, SEARCH, {"error": "rate_limit_error"}, status=400)


def test_rate_limit_page_in_html_is_no_page_of_posts() -> None:
    with pytest.raises(TerminalSourceError, match="HTTP 429"):  # the client waits and retries; it never gets this far
        read(CONNECTOR, PIEFED, "<!doctype html><h1>Too Many Requests</h1>", status=429)


@pytest.mark.parametrize("body", ["<!doctype html>", '{"posts": [', "[]", "{}", '{"posts": {}}', '{"posts": null}'])
def test_something_else_than_a_page_is_a_parse_error(body: str) -> None:
    with pytest.raises(ParseError):
        read(CONNECTOR, SEARCH, body)


@pytest.mark.parametrize(
    ("target", "native_id", "asked"),
    [
        (FORUM, f"{FORUM}/post/310", "https://forum.example/api/v3/post?id=310"),
        (FORUM, f"{FORUM}/comment/900", "https://forum.example/api/v3/comment?id=900"),
        (PIEFED.target, "https://piefed.example/c/labour/p/6/some-title", "https://piefed.example/api/alpha/post?id=6"),
        (PIEFED.target, "https://piefed.example/comment/8", "https://piefed.example/api/alpha/comment?id=8"),
    ],
)
def test_post_is_asked_for_by_the_number_in_its_address(target: str, native_id: str, asked: str) -> None:
    assert str(refresh().build(target, [native_id]).url) == asked


@pytest.mark.parametrize("native_id", ["https://elsewhere.example/post/310", f"{FORUM}/u/asha", "x"])
def test_post_that_this_server_cannot_be_asked_for_is_not_asked_for(native_id: str) -> None:
    with pytest.raises(TerminalSourceError, match="can't be asked for"):
        refresh().build(FORUM, [native_id])


def test_post_that_stands_is_returned_as_it_reads_now() -> None:
    (post,) = asked_again({"post_view": view(body="edited")}).posts
    assert post.text.endswith("edited")
    (post,) = asked_again({"comment_view": comment()}, f"{FORUM}/comment/900").posts
    assert post.thread == f"{FORUM}/post/310"


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (400, {"error": "couldnt_find_post"}),
        (404, {"error": "not_found"}),
        (400, {"code": 400, "message": "()", "status": "Not found"}),
        (200, {"post_view": view(removed=True)}),
        (200, {"post_view": view(name="", body=None)}),
    ],
)
def test_post_that_the_server_has_no_more_is_gone(code: int, body: Any) -> None:
    assert asked_again(body, status=code).posts == ()


@pytest.mark.parametrize(
    ("code", "body", "error"),
    [
        (404, "<html>Not found", NoDataError),
        (404, {"error": "unknown"}, NoDataError),
        (400, {"error": "rate_limit_error"}, TransientSourceError),
        (400, {"error": "instance_is_private"}, RefusedError),
        (200, {"error": "couldnt_find_post"}, ParseError),
        (200, {"post_view": None}, ParseError),
        (200, {"post_view": view(published="soon")}, ParseError),
        (200, {"post_view": view(ap_id=f"{FORUM}/post/9")}, ParseError),
    ],
)
def test_answer_that_says_nothing_of_the_post_deletes_nothing(code: int, body: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        asked_again(body, status=code)


@given(ANY_JSON, st.sampled_from([SEARCH, COMMENTS, NEWEST, PIEFED]), st.booleans())
def test_json_of_any_shape_is_a_page_or_a_named_error(value: Any, query: Query, in_list: bool) -> None:
    body = {"posts": value, "comments": value} if in_list else value
    response = httpx.Response(200, content=json.dumps(body), request=CONNECTOR.build_request(query, None))
    try:
        page = CONNECTOR.parse_page(response, query)
    except (ParseError, SourceError):
        return
    assert isinstance(page, Page)


@given(
    st.dictionaries(st.sampled_from(sorted(view()["post"])), ANY_JSON),
    st.dictionaries(st.sampled_from(["post", "creator", "community", "counts"]), ANY_JSON),
)
def test_damage_to_one_record_costs_no_other(inner: dict[str, Any], outer: dict[str, Any]) -> None:
    found = parse(view(**inner) | outer, view(ap_id=f"{FORUM}/post/2")).posts
    assert f"{FORUM}/post/2" in {post.native_id for post in found}


@given(st.dictionaries(st.sampled_from(sorted(view()["post"])), ANY_JSON), ANY_JSON, st.sampled_from([200, 400, 404]))
def test_damaged_answer_to_a_refresh_is_a_page_or_a_named_error(damage: dict[str, Any], other: Any, code: int) -> None:
    for body in ({"post_view": view(**damage)}, {"post_view": other}, other):
        try:
            page = asked_again(json.dumps(body), status=code)
        except (ParseError, SourceError):
            continue
        assert {post.native_id for post in page.posts} <= {f"{FORUM}/post/310"}

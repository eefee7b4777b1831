"""Mastodon: invented pages against goldens, what its servers were seen to do, and whatever JSON may come."""

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
from screener.collect.connectors.mastodon import CONNECTOR
from screener.collect.connectors.mastodon_rules import Access, build_instance_request, parse_instance, read_access
from screener.errors import NoDataError, ParseError, RefusedError, SourceError, TerminalSourceError
from screener.records import DiscardReason, RawPost, Span

PAGES = SOURCES / "mastodon"
SERVER = "https://union.example"
TAG = Query("mastodon", "tag", SERVER, "BD", "textiles-garments", "bn", "LabourRights")
PUBLIC = replace(TAG, endpoint="public", words="")
SEARCH = replace(TAG, endpoint="search", words="unpaid overtime")
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


def recorded(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))


def status(**changes: Any) -> dict[str, Any]:
    """A public status of the server's own; ``account`` is changed, the rest replaced."""
    one: dict[str, Any] = copy.deepcopy(recorded("tag")[0])
    one["account"] |= changes.pop("account", {})
    return one | changes


def posts(*statuses: Any, query: Query = TAG, **answered: Any) -> tuple[RawPost, ...]:
    return read(CONNECTOR, query, list(statuses), **answered).posts


def one(query: Query = TAG, **changes: Any) -> RawPost:
    (post,) = posts(status(**changes), query=query)
    return post


def refresh() -> Refresh:
    assert CONNECTOR.refresh is not None
    return CONNECTOR.refresh


def asked_again(body: Any, native_id: str = "union.example/115990000000000009", **answered: Any) -> Page:
    request = refresh().build(SERVER, [native_id])
    return refresh().parse(answer(request, body, **answered), [native_id])


def link(rel: str = "next", query: str = "local=true&max_id=11598", host: str = SERVER) -> dict[str, str]:
    return {"link": f'<{host}/api/v1/timelines/tag/x?{query}>; rel="{rel}"'}


@pytest.mark.parametrize("query", [TAG, PUBLIC, SEARCH], ids=lambda query: query.endpoint)
def test_page_is_read_as_its_golden_says(query: Query) -> None:
    check_golden(CONNECTOR, PAGES / f"{query.endpoint}.json", query)


def test_order_of_a_page_changes_no_post() -> None:
    page = recorded("tag")
    assert posts(*page) == tuple(reversed(posts(*reversed(page))))


def test_tag_timeline_is_asked_for_the_servers_own_posts_with_the_tag_encoded() -> None:
    request = CONNECTOR.build_request(replace(TAG, words="#শ্রমিক"), "11598")
    assert str(request.url).startswith(f"{SERVER}/api/v1/timelines/tag/%E0%A6%B6%E0%A7%8D%E0%A6%B0")
    assert dict(request.url.params) == {"limit": "40", "local": "true", "max_id": "11598"}


def test_tag_that_looks_like_a_path_or_a_query_stays_a_tag() -> None:
    url = CONNECTOR.build_request(replace(TAG, words="../../home?x=1&y"), None).url
    assert url.raw_path.startswith(b"/api/v1/timelines/tag/..%2F..%2Fhome%3Fx%3D1%26y?limit=40")


def test_public_timeline_is_asked_for_the_servers_own_posts() -> None:
    url = CONNECTOR.build_request(PUBLIC, None).url
    assert (url.path, dict(url.params)) == ("/api/v1/timelines/public", {"limit": "40", "local": "true"})


def test_search_asks_for_the_phrase_and_needs_a_token() -> None:
    params = dict(CONNECTOR.build_request(SEARCH, "80").url.params)
    assert params == {"q": '"unpaid overtime"', "type": "statuses", "limit": "40", "offset": "80"}
    assert CONNECTOR.build_request(replace(SEARCH, words="overtime"), None).url.params["q"] == "overtime"
    assert CONNECTOR.endpoints["search"].needs == ("token",)


def test_no_id_is_made_from_a_time_to_bound_a_window() -> None:
    asked = CONNECTOR.build_request(TAG, None).url.params
    assert not {"min_id", "since_id", "max_id"} & set(asked)
    assert not any(endpoint.is_windowed for endpoint in CONNECTOR.endpoints.values())


def test_link_is_followed_by_its_cursor_and_never_by_its_host_or_scheme() -> None:
    headers = link(host="http://elsewhere.example", query="max_id=11598&local=true")
    cursor = read(CONNECTOR, TAG, [status()], headers=headers).next_cursor
    following = CONNECTOR.build_request(TAG, cursor).url
    assert (cursor, following.scheme, following.host) == ("11598", "https", "union.example")


def test_last_next_leads_to_an_empty_page_which_is_the_end() -> None:
    assert read(CONNECTOR, TAG, [], cursor="11598", headers=link()).next_cursor is None


def test_page_without_a_link_goes_on_below_its_last_status() -> None:
    page = [status(id="30"), status(id="20", reblog=status(id="9"))]
    assert read(CONNECTOR, TAG, page).next_cursor == "20"


def test_link_without_a_next_is_the_end() -> None:
    assert read(CONNECTOR, TAG, [status()], headers=link("prev", "min_id=115990")).next_cursor is None


def test_next_link_without_an_id_goes_on_below_the_last_status() -> None:
    assert read(CONNECTOR, TAG, [status(id="20")], headers=link(query="page=2")).next_cursor == "20"


@pytest.mark.parametrize("headers", [{}, link(query="max_id=20")])
def test_cursor_that_does_not_move_ends_the_walk(headers: dict[str, str]) -> None:
    assert read(CONNECTOR, TAG, [status(id="20")], cursor="20", headers=headers).next_cursor is None


@pytest.mark.parametrize("value", ["", "<>", '<http://[::1>; rel="next"', ';;;=,"', '<?max_id=%FF>; rel="next"'])
def test_damaged_link_costs_no_post(value: str) -> None:
    assert len(read(CONNECTOR, TAG, [status()], headers={"link": value}).posts) == 1


def test_walk_ends_before_the_span_even_where_all_posts_are_withheld() -> None:
    asked = replace(TAG, span=Span(datetime(2026, 2, 3, 9, tzinfo=UTC), datetime(2026, 2, 4, tzinfo=UTC)))
    withheld = status(visibility="unlisted")
    assert read(CONNECTOR, asked, [withheld, withheld]).next_cursor is None
    page = read(CONNECTOR, asked, [withheld, status(created_at="2026-02-03T09:00:00Z")])
    assert (page.next_cursor is None, page.n_skipped, len(page.posts)) == (False, 1, 1)


def test_search_goes_on_by_offset_until_a_page_is_less_than_half_full() -> None:
    full, short = ({"statuses": [status()] * size} for size in (20, 19))
    assert read(CONNECTOR, SEARCH, full).next_cursor == "40"
    assert read(CONNECTOR, SEARCH, full, cursor="40").next_cursor == "80"
    assert read(CONNECTOR, SEARCH, short, cursor="40").next_cursor is None


def test_server_that_ignores_the_offset_is_left_after_a_hundred_pages() -> None:
    page = read(CONNECTOR, SEARCH, {"statuses": [status()] * 40}, cursor="4000")
    assert (page.next_cursor, page.is_capped) == (None, True)


def test_server_without_full_text_search_finds_nothing_and_says_so_by_an_empty_list() -> None:
    assert read(CONNECTOR, SEARCH, {"accounts": [], "statuses": [], "hashtags": []}) == Page(())


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (401, {"error": "Unauthorized: token not supplied"}),
        (401, {"error": "identity_token_required"}),
        (401, {"error": "The access token is invalid"}),
        (403, {"error": "This action is outside the authorized scopes"}),
        (422, {"error": "This method requires an authenticated user"}),
        (400, "Invalid Bearer token"),
    ],
)
@pytest.mark.parametrize("query", [TAG, PUBLIC, SEARCH], ids=lambda query: query.endpoint)
def test_server_that_wants_a_token_is_refused_by_name(code: int, body: Any, query: Query) -> None:
    with pytest.raises(RefusedError, match="a valid token of an account or app on this server is needed"):
        read(CONNECTOR, query, body, status=code)


@pytest.mark.parametrize(("code", "body"), [(400, {"error": "Bad request"}), (422, {"error": "Validation failed"})])
def test_request_that_is_wrong_is_no_refusal(code: int, body: Any) -> None:
    with pytest.raises(TerminalSourceError, match=f"HTTP {code}") as caught:
        read(CONNECTOR, TAG, body, status=code)
    assert type(caught.value) is TerminalSourceError


def test_unknown_tag_is_no_data_or_an_empty_page() -> None:
    with pytest.raises(NoDataError, match="tag was not found"):
        read(CONNECTOR, TAG, {"error": "Not Found: tag was not found"}, status=404)
    assert read(CONNECTOR, TAG, []) == Page(())


@pytest.mark.parametrize("body", ["<!doctype html><p>Maintenance", '[{"id": "1', "{}", "null", ""])
def test_something_else_than_a_timeline_is_a_parse_error(body: str) -> None:
    with pytest.raises(ParseError):
        read(CONNECTOR, TAG, body)


@pytest.mark.parametrize("body", [[], {}, {"statuses": None}, {"statuses": {}}])
def test_something_else_than_search_results_is_a_parse_error(body: Any) -> None:
    with pytest.raises(ParseError):
        read(CONNECTOR, SEARCH, body)


def test_tag_with_combining_marks_is_found_in_the_text_where_the_server_cut_it() -> None:
    cut = {"content": '<p>বেতন <a href="/tags/শ">#শ</a>্রমিক</p>', "tags": [{"name": "শ"}]}
    assert one(replace(TAG, words="শ্রমিক"), **cut).text == "বেতন #শ্রমিক"
    assert posts(status(**cut), query=replace(TAG, words="শ")) == ()


def test_tag_in_the_list_alone_is_kept_for_other_servers_write_other_markup() -> None:
    assert one(content="<p>Unpaid again (labour rights)</p>").native_id == "union.example/115990000000000009"
    assert one(content="<p>#labourrights2026</p>").text == "#labourrights2026"


def test_post_that_carries_another_tag_than_asked_for_is_left_out() -> None:
    assert posts(status(content="<p>#LabourRightsNow</p>", tags=[{"name": "labourrightsnow"}])) == ()


@pytest.mark.parametrize("tags", [None, "labourrights", [None, 5, {}, {"name": None}], {"name": "labourrights"}])
def test_list_of_tags_of_another_shape_leaves_the_text_to_decide(tags: object) -> None:
    assert one(tags=tags)
    assert posts(status(tags=tags, content="<p>no tag</p>")) == ()


@pytest.mark.parametrize("visibility", ["unlisted", "private", "direct", "local"])
def test_only_public_posts_are_taken(visibility: str) -> None:
    assert posts(status(visibility=visibility)) == ()


@pytest.mark.parametrize(
    ("wish", "by_tag", "by_words"),
    [
        ({}, True, True),
        ({"noindex": True}, False, False),
        ({"indexable": False}, True, False),
        ({"discoverable": False}, True, False),
        ({"indexable": None, "discoverable": None, "noindex": None}, True, True),
        ({"bot": True}, True, True),
    ],
)
def test_what_the_account_wishes_is_honoured(wish: dict[str, Any], by_tag: bool, by_words: bool) -> None:
    wished = status(account=wish)
    assert bool(posts(wished)) is by_tag
    assert bool(posts(wished, query=PUBLIC)) is by_words
    assert bool(read(CONNECTOR, SEARCH, {"statuses": [wished]}).posts) is by_words


def test_post_that_may_not_be_taken_leaves_no_excerpt_in_quarantine() -> None:
    page = read(CONNECTOR, TAG, [status(visibility="private", created_at="soon"), status(created_at="soon")])
    assert (page.posts, len(page.rejected)) == ((), 1)


@pytest.mark.parametrize(
    ("acct", "uri", "is_taken"),
    [
        ("mina", "https://elsewhere.example/1", True),
        ("mina@union.example", "https://Union.example/@mina/posts/1/", True),
        ("mina@elsewhere.example", "https://elsewhere.example/users/mina/statuses/1", False),
        (None, "http://[::1", False),
        (None, None, False),
    ],
)
def test_only_the_servers_own_people_are_taken(acct: object, uri: object, is_taken: bool) -> None:
    assert bool(posts(status(account={"acct": acct}, uri=uri))) is is_taken


def test_post_is_called_the_same_by_every_endpoint_and_scheme() -> None:
    found = [one(), one(PUBLIC), read(CONNECTOR, SEARCH, {"statuses": [status()]}).posts[0]]
    found += [one(replace(TAG, target="http://Union.example"))]
    assert {post.native_id for post in found} == {"union.example/115990000000000009"}
    assert {post.author for post in found} == {"union.example/10910001"}


def test_repost_is_the_original_post_of_its_own_author() -> None:
    post = one(id="1", account={"id": "9"}, content="", reblog=status(id="7", content="<p>#labourrights</p>"))
    assert (post.native_id, post.author, post.text) == ("union.example/7", "union.example/10910001", "#labourrights")


@pytest.mark.parametrize(
    "quote",
    [
        {"quote": {"state": "accepted", "quoted_status": {"id": "7"}}},
        {"quote": {"state": "accepted", "quoted_status_id": "7"}},
        {"quote": {"id": "7", "content": "older forks nest the status itself"}},
        {"quote_id": "7"},
        {"quote_id": 7},
    ],
)
def test_quoted_post_is_named(quote: dict[str, Any]) -> None:
    assert one(**quote).quoted == "union.example/7"


@pytest.mark.parametrize("quote", [None, {"state": "revoked", "quoted_status": None}, "7", []])
def test_quote_that_may_not_be_shown_names_nothing(quote: object) -> None:
    assert one(quote=quote).quoted is None


def test_reply_names_its_parent() -> None:
    assert (one().reply_to, one(in_reply_to_id="5").reply_to) == (None, "union.example/5")


def test_content_warning_comes_first_as_a_paragraph_of_its_own() -> None:
    assert (
        one(spoiler_text=" wages & <hours> ", content="<p>#labourrights</p>").text == "wages & <hours>\n\n#labourrights"
    )


def test_poll_options_are_not_the_authors_words() -> None:
    assert "locked in" not in one(poll={"options": [{"title": "locked in"}]}).text


@pytest.mark.parametrize("language", [None, "xx-unknown", 5, ""])
def test_language_that_is_unknown_costs_no_post(language: object) -> None:
    assert one(language=language).language_hint is None


def test_edit_that_cannot_be_read_costs_no_post() -> None:
    assert (one().edited_at, one(edited_at="soon").edited_at) == (datetime(2026, 2, 3, 9, tzinfo=UTC), None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": None}, DiscardReason.NO_ID),
        ({"id": True}, DiscardReason.NO_ID),
        ({"visibility": None}, DiscardReason.BAD_ROW),
        ({"content": "<p> </p>"}, DiscardReason.NO_TEXT),
        ({"content": ["x"]}, DiscardReason.NO_TEXT),
        ({"created_at": "soon"}, DiscardReason.BAD_TIME),
        ({"created_at": 5}, DiscardReason.BAD_TIME),
        ({"created_at": "9999-12-31T23:59:59-12:00"}, DiscardReason.BAD_TIME),
        ({"reblog": "x"}, DiscardReason.NOT_AN_OBJECT),
    ],
)
def test_status_that_cannot_be_read_is_set_aside_and_costs_no_other(
    changes: dict[str, Any], reason: DiscardReason
) -> None:
    page = read(CONNECTOR, TAG, [status(**changes), status(id="2")])
    assert [record.reason for record in page.rejected] == [reason]
    assert page.rejected[0].where == "https://union.example#status1"
    assert [post.native_id for post in page.posts] == ["union.example/2"]


def test_post_that_stands_is_asked_for_by_its_number_and_returned_as_it_reads_now() -> None:
    assert refresh().build(SERVER, ["union.example/7"]).url == f"{SERVER}/api/v1/statuses/7"
    (post,) = asked_again(status(content="<p>edited #labourrights</p>")).posts
    assert post.text == "edited #labourrights"


@pytest.mark.parametrize("code", [404, 410])
def test_post_that_the_api_does_not_know_any_more_is_gone(code: int) -> None:
    assert asked_again({"error": "Record not found"}, status=code) == Page(())


@pytest.mark.parametrize("body", ["<html>Not found", "", "[]", '{"detail": "x"}'])
def test_error_page_of_a_web_server_deletes_nothing(body: str) -> None:
    with pytest.raises(NoDataError):
        asked_again(body, status=404)


def test_error_of_takahe_for_a_missing_post_deletes_nothing() -> None:
    with pytest.raises(
        TerminalSourceError
    ):  # the client retries it and gives up; should it come through, it is no page
        asked_again("<!DOCTYPE html><h1>Internal Server Error</h1>", status=500)


def test_refusal_deletes_nothing() -> None:
    with pytest.raises(RefusedError):
        asked_again({"error": "This API requires an authenticated user"}, status=401)


@pytest.mark.parametrize("change", [{"visibility": "private"}, {"account": {"noindex": True}}, {"content": ""}])
def test_post_that_may_not_be_kept_any_more_is_gone(change: dict[str, Any]) -> None:
    assert asked_again(status(**change)) == Page(())


def test_post_of_an_account_that_is_not_found_by_words_stands_by_its_hashtag() -> None:
    shy = {"indexable": False}
    assert len(asked_again(status(account=shy)).posts) == 1
    assert asked_again(status(account=shy, content="<p>plain</p>", tags=[])) == Page(())


@pytest.mark.parametrize("body", [[], {}, {"id": "115990000000000009"}, "<html>", status(id="8")])
def test_answer_that_is_no_such_status_deletes_nothing(body: Any) -> None:
    with pytest.raises(ParseError):
        asked_again(body)


def test_post_of_another_server_is_never_asked_for_at_this_one() -> None:
    with pytest.raises(TerminalSourceError, match=r"a post of elsewhere\.example can only be asked for there"):
        refresh().build(SERVER, ["elsewhere.example/7"])


def test_instance_says_who_may_read_what() -> None:
    request = build_instance_request(SERVER)
    rules = parse_instance(answer(request, recorded("instance"), headers={"X-RateLimit-Limit": "300"}))
    assert (request.url.path, rules.version, rules.languages) == ("/api/v2/instance", "4.5.2", ("bn", "en"))
    assert (rules.access, rules.n_rules, rules.requests_per_window) == (Access("token", "anyone", "token"), 2, 300)


@pytest.mark.parametrize(
    ("said", "without", "with_token"),
    [("public", True, True), ("authenticated", False, True), ("disabled", False, False), ("new word", True, True)],
)
def test_feature_that_is_switched_off_is_not_asked_for(said: str, without: bool, with_token: bool) -> None:
    feeds = {"hashtag_feeds": {"local": said, "remote": "disabled"}}
    instance = {"configuration": {"timelines_access": feeds}}
    rules = parse_instance(answer(build_instance_request(SERVER), instance))
    assert rules.may_ask("tag", has_token=False) is without
    assert rules.may_ask("tag", has_token=True) is with_token


def test_server_that_says_nothing_of_its_timelines_may_be_asked() -> None:
    assert read_access({"version": "takahe/0.11.0"}) == Access("unknown", "unknown", "token")


@given(ANY_JSON)
def test_instance_of_any_shape_is_read_or_refused(value: Any) -> None:
    body = {"configuration": {"timelines_access": {"hashtag_feeds": value, "live_feeds": value}}, "languages": value}
    rules = parse_instance(answer(build_instance_request(SERVER), body | {"rules": value, "version": value}))
    assert rules.access.search == "token"
    assert read_access({"configuration": value} if value else {}) == Access("unknown", "unknown", "token")


@given(ANY_JSON, st.sampled_from([TAG, PUBLIC, SEARCH]))
def test_json_of_any_shape_is_a_page_or_a_named_error(value: Any, query: Query) -> None:
    body = {"statuses": value} if query.endpoint == "search" else value
    response = httpx.Response(200, content=json.dumps(body), request=CONNECTOR.build_request(query, None))
    try:
        page = CONNECTOR.parse_page(response, query)
    except (ParseError, SourceError):
        return
    assert isinstance(page, Page)


@given(st.dictionaries(st.sampled_from(sorted(status())), ANY_JSON, min_size=1), st.sampled_from([TAG, PUBLIC]))
def test_damage_to_one_status_costs_no_other(damage: dict[str, Any], query: Query) -> None:
    found = posts(status() | damage, status(id="2"), query=query)
    assert "union.example/2" in {post.native_id for post in found}


@given(st.dictionaries(st.sampled_from(sorted(status())), ANY_JSON))
def test_damaged_answer_to_a_refresh_is_a_page_or_a_named_error(damage: dict[str, Any]) -> None:
    try:
        page = asked_again(status() | damage)
    except ParseError:
        return
    assert {post.native_id for post in page.posts} <= {"union.example/115990000000000009"}

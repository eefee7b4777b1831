"""WordPress: an invented page against its golden, and what sites do that no documentation says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import SOURCES, answer, check_golden, read

from screener.collect.connector import Page, Query
from screener.collect.connectors.wordpress import CONNECTOR
from screener.collect.connectors.wordpress_records import number_of, site_of
from screener.errors import NoDataError, ParseError, RefusedError, ScreenerError, TerminalSourceError
from screener.records import DiscardReason, RawPost, Span

SITE = "https://monitor.example/blog"
POSTS = Query("wordpress", "posts", SITE, "BD", "garments", "en")
SEARCH = replace(POSTS, endpoint="search", language="bn", words="বকেয়া বেতন")
SPAN = Span(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 8, 12, 30, tzinfo=UTC))
PAGE = SOURCES / "wordpress" / "posts.json"
PAST_THE_END = {"code": "rest_post_invalid_page_number", "message": "larger than the pages", "data": {"status": 400}}


def post(number: int = 1, **changes: object) -> dict[str, Any]:
    return {
        "id": number, "date_gmt": "2026-02-03T08:00:00", "modified_gmt": "2026-02-03T08:00:00", "link": f"{SITE}/{number}/",
        "title": {"rendered": "Title"}, "content": {"rendered": "<p>Text.</p>", "protected": False},
        "excerpt": {"rendered": "", "protected": False}, "author": 2, **changes,
    }  # fmt: skip


def one(query: Query = POSTS, **changes: object) -> RawPost:
    (read_post,) = read(CONNECTOR, query, [post(**changes)]).posts
    return read_post


def asked(query: Query, cursor: str | None = None) -> dict[str, str]:
    return dict(CONNECTOR.build_request(query, cursor).url.params)


def test_page_is_read_as_its_golden_says() -> None:
    check_golden(CONNECTOR, PAGE, POSTS, headers={"x-wp-totalpages": "3"})


# ------------------------------------------------------------------------------------------------ requests


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("https://org.example", "https://org.example/wp-json/wp/v2/posts"),
        ("https://org.example/", "https://org.example/wp-json/wp/v2/posts"),
        ("https://org.example/blog", "https://org.example/blog/wp-json/wp/v2/posts"),
        ("http://127.0.0.1:8080/a/b", "http://127.0.0.1:8080/a/b/wp-json/wp/v2/posts"),
    ],
)
def test_api_lies_below_the_site_wherever_that_is(target: str, address: str) -> None:
    url = CONNECTOR.build_request(replace(POSTS, target=target), None).url
    assert str(url.copy_with(query=None)) == address


@pytest.mark.parametrize("target", ["https://org.example/?rest_route=", "https://org.example/?rest_route=/"])
def test_site_without_pretty_permalinks_is_asked_by_a_parameter(target: str) -> None:
    url = CONNECTOR.build_request(replace(POSTS, target=target), "2").url
    assert (url.path, url.params["rest_route"], url.params["page"]) == ("/", "/wp/v2/posts", "2")


def test_impossible_address_is_refused() -> None:
    with pytest.raises(TerminalSourceError, match=r"http://\[::1"):
        CONNECTOR.build_request(replace(POSTS, target="http://[::1"), None)


def test_first_page_and_the_page_of_a_cursor_are_asked_for() -> None:
    assert [asked(POSTS, cursor)["page"] for cursor in (None, "7")] == ["1", "7"]


def test_posts_are_ordered_by_what_no_two_of_them_share() -> None:
    assert (asked(POSTS)["orderby"], asked(POSTS)["order"]) == ("id", "desc")
    assert not CONNECTOR.endpoints["posts"].is_newest_first


def test_only_the_search_asks_for_words() -> None:
    assert "search" not in asked(POSTS)
    assert asked(SEARCH)["search"] == "বকেয়া বেতন"


def test_word_with_a_hyphen_before_it_is_not_excluded() -> None:
    assert asked(replace(SEARCH, words="unpaid - -wages co-op"))["search"].split() == ["unpaid", "wages", "co-op"]


def test_span_is_asked_for_with_more_than_an_hour_around_it_because_sites_compare_local_times() -> None:
    found = asked(replace(POSTS, span=SPAN))
    assert (found["after"], found["before"]) == ("2026-01-31T22:59:00Z", "2026-02-08T13:31:00Z")
    assert not {"after", "before"} & set(asked(POSTS))


# ------------------------------------------------------------------------------------------------ posts


def test_numbers_of_two_sites_are_different_posts_and_authors() -> None:
    here, there = one(), one(replace(POSTS, target="https://paper.example"))
    assert (here.native_id, here.author) == ("monitor.example/blog/?p=1", "monitor.example/blog/?author=2")
    assert (there.native_id, there.author) == ("paper.example/?p=1", "paper.example/?author=2")


@pytest.mark.parametrize(
    "query",
    [SEARCH, replace(POSTS, target="http://MONITOR.example/blog/"), replace(POSTS, target=f"{SITE}/?rest_route=")],
)
def test_post_has_one_id_whichever_way_it_is_found(query: Query) -> None:
    assert one(query).native_id == one(POSTS).native_id


@given(st.integers(1, 10**12))
def test_number_and_site_come_back_out_of_an_id(number: int) -> None:
    native_id = one(number=number).native_id
    assert (site_of(native_id), number_of(native_id)) == ("monitor.example/blog", str(number))


@pytest.mark.parametrize(
    ("modified", "edited_at"),
    [
        ("2026-02-03T08:00:01", datetime(2026, 2, 3, 8, 0, 1, tzinfo=UTC)),
        ("2026-02-03T08:00:00", None),
        ("2026-02-03T07:59:59", None),
        (None, None),
    ],
)
def test_edit_is_what_was_changed_after_it_came_out(modified: str | None, edited_at: datetime | None) -> None:
    assert one(modified_gmt=modified).edited_at == edited_at


def test_post_behind_a_password_is_set_aside_with_nothing_of_it() -> None:
    closed = post(content={"rendered": "<p>left by a plugin</p>", "protected": True})
    (entry,) = read(CONNECTOR, POSTS, [closed]).rejected
    assert (entry.reason, entry.excerpt) == (DiscardReason.NO_TEXT, "")
    assert "password" in entry.detail


def test_title_that_begins_the_text_is_not_said_twice() -> None:
    assert one(title={"rendered": "Text."}).text == "Text."


@pytest.mark.parametrize(
    ("query", "lang", "hint"),
    [(POSTS, None, "en"), (SEARCH, None, None), (POSTS, "bn", "bn"), (SEARCH, "pt-br", "pt"), (POSTS, "xx-yy", "en"), (POSTS, 7, "en")],
)  # fmt: skip
def test_language_is_the_posts_own_or_that_of_a_site_read_whole(query: Query, lang: object, hint: str | None) -> None:
    assert one(query, lang=lang).language_hint == hint


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": None}, DiscardReason.NO_ID),
        ({"id": "17"}, DiscardReason.NO_ID),
        ({"id": True}, DiscardReason.NO_ID),
        ({"title": None, "content": None, "excerpt": []}, DiscardReason.NO_TEXT),
        ({"title": {"rendered": 5}, "content": {"rendered": ""}}, DiscardReason.NO_TEXT),
        ({"date_gmt": "yesterday"}, DiscardReason.BAD_TIME),
        ({"date_gmt": ["2026"]}, DiscardReason.BAD_TIME),
        ({"modified_gmt": "0001-01-01T00:00:00+14:00"}, DiscardReason.BAD_TIME),
    ],
)
def test_record_that_cannot_be_read_costs_only_itself(changes: dict[str, object], reason: DiscardReason) -> None:
    page = read(CONNECTOR, POSTS, [{**post(1), **changes}, post(2), "no post"])
    assert [found.native_id for found in page.posts] == ["monitor.example/blog/?p=2"]
    assert [entry.reason for entry in page.rejected] == [reason, DiscardReason.NOT_AN_OBJECT]
    assert page.rejected[0].where.endswith("#page1-post1")


# ------------------------------------------------------------------------------------------------ pages


@pytest.mark.parametrize(
    ("cursor", "n_pages", "following"), [(None, "3", "2"), ("2", "3", "3"), ("3", "3", None), (None, "0", None)]
)
def test_cursor_is_the_number_of_the_next_page(cursor: str | None, n_pages: str, following: str | None) -> None:
    page = read(CONNECTOR, POSTS, [post()], cursor=cursor, headers={"X-WP-TotalPages": n_pages})
    assert page.next_cursor == following


@pytest.mark.parametrize(("n_posts", "following"), [(100, "2"), (99, None), (0, None)])
@pytest.mark.parametrize("headers", [{}, {"X-WP-TotalPages": "many"}, {"X-WP-TotalPages": "9" * 5000}])
def test_full_page_has_a_next_one_where_the_count_of_pages_was_lost(
    headers: dict[str, str], n_posts: int, following: str | None
) -> None:
    page = read(CONNECTOR, POSTS, [post(i + 1) for i in range(n_posts)], headers=headers)
    assert page.next_cursor == following


def test_page_past_the_end_is_400_and_holds_nothing() -> None:
    assert read(CONNECTOR, POSTS, PAST_THE_END, cursor="4", status=400) == Page(())


def test_other_400_is_an_error_that_says_what_the_site_said() -> None:
    told = {"code": "rest_invalid_param", "message": "Invalid parameter(s): per_page", "data": {"status": 400}}
    with pytest.raises(TerminalSourceError, match=r"HTTP 400 \(Invalid parameter\(s\): per_page\)"):
        read(CONNECTOR, POSTS, told, status=400)


@pytest.mark.parametrize(
    ("status", "code"), [(401, "rest_cannot_access"), (401, "rest_not_logged_in"), (403, "rest_forbidden")]
)
def test_closed_api_is_a_refusal(status: int, code: str) -> None:
    with pytest.raises(RefusedError, match=rf"HTTP {status} \(Only signed-in users\)"):
        read(CONNECTOR, POSTS, {"code": code, "message": "Only signed-in users"}, status=status)


@pytest.mark.parametrize(
    "body", ["<!DOCTYPE html><title>404</title>", {"code": "rest_no_route", "message": "No route"}]
)
def test_site_without_the_api_is_no_data_and_the_message_says_what_to_try(body: str | dict[str, str]) -> None:
    with pytest.raises(NoDataError, match=r"no REST API here; .*\?rest_route="):
        read(CONNECTOR, POSTS, body, status=404)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<!DOCTYPE html><p>Home</p>", "an HTML page"),
        ("<br />\n<b>Warning</b>: Undefined array key in x.php\n[]", "no JSON"),
        ("[{", "no JSON"),
        ("", "no JSON"),
        ({"code": "rest_disabled", "message": "closed"}, "a JSON list is needed"),
    ],
)
def test_page_that_holds_no_list_of_posts_is_a_parse_error(body: str | dict[str, str], told: str) -> None:
    with pytest.raises(ParseError, match=told):
        read(CONNECTOR, POSTS, body)


def test_site_that_never_sees_the_query_is_not_taken_to_have_found_the_words() -> None:
    unasked = post(slug="title")  # the API leaves out what _fields doesn't name
    with pytest.raises(TerminalSourceError, match="doesn't read what it is asked for"):
        read(CONNECTOR, SEARCH, [unasked])


# ------------------------------------------------------------------------------------------------ refresh

IDS = [f"monitor.example/blog/?p={number}" for number in (1, 2, 3)]
refresh = CONNECTOR.refresh
assert refresh is not None
still_standing: Callable[[httpx.Response, list[str]], Page] = refresh.parse  # type: ignore[assignment]


def refreshed(*items: dict[str, Any], status: int = 200) -> Page:
    return still_standing(answer(refresh.build(SITE, IDS), list(items), status=status), IDS)


def test_refresh_asks_for_a_hundred_posts_by_their_numbers() -> None:
    url = refresh.build(SITE, IDS).url
    assert (url.params["include"], url.params["per_page"], refresh.batch) == ("1,2,3", "100", 100)
    assert url.path == "/blog/wp-json/wp/v2/posts"


@pytest.mark.parametrize(
    "site", ["https://paper.example", "https://monitor.example", "https://monitor.example/blog/en"]
)
def test_refresh_never_asks_one_site_for_the_numbers_of_another(site: str) -> None:
    with pytest.raises(TerminalSourceError, match="posts of another site"):
        refresh.build(site, IDS)
    assert refresh.group(IDS[0]) == refresh.group(IDS[1]) != refresh.group("paper.example/?p=1")


@pytest.mark.parametrize("target", [SITE, "http://monitor.example/blog/", f"{SITE}/?rest_route="])
def test_refresh_asks_the_site_however_its_address_is_written(target: str) -> None:
    assert refresh.build(target, IDS).url.params["include"] == "1,2,3"


def test_refresh_gives_the_posts_as_a_page_does_and_the_deleted_ones_not_at_all() -> None:
    page = refreshed(post(3), post(1, modified_gmt="2026-02-09T08:00:00"))
    assert {found.native_id for found in page.posts} == {IDS[0], IDS[2]}
    assert page.posts[1].edited_at == datetime(2026, 2, 9, 8, tzinfo=UTC)
    assert page.posts[0] == replace(one(number=3), language_hint=None)


def test_post_that_was_put_behind_a_password_or_emptied_no_longer_stands() -> None:
    closed = post(1, content={"rendered": "", "protected": True})
    emptied = post(2, title={"rendered": ""}, content={"rendered": "", "protected": False})
    assert [found.native_id for found in refreshed(closed, emptied, post(3)).posts] == [IDS[2]]


@pytest.mark.parametrize("item", [post(17), post(1, id=None), post(1, date_gmt="never"), "no post"])
def test_answer_about_something_else_makes_no_post_gone(item: dict[str, Any]) -> None:
    with pytest.raises(ParseError, match="something else than the posts asked for"):
        refreshed(item)


@pytest.mark.parametrize(("status", "error"), [(401, RefusedError), (404, NoDataError), (400, TerminalSourceError)])
def test_refused_refresh_makes_no_post_gone(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        refreshed(status=status)


# ------------------------------------------------------------------------------------------------ whatever JSON comes

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*post(), "rendered", "protected"]), inner),
    max_leaves=12,
)  # fmt: skip


@given(VALUES, st.sampled_from([200, 400, 403, 404]))
def test_no_json_brings_anything_but_a_page_or_a_named_error(value: object, status: int) -> None:
    for query in (POSTS, SEARCH):
        try:
            page = CONNECTOR.parse_page(
                answer(CONNECTOR.build_request(query, None), json.dumps(value), status=status), query
            )
        except ScreenerError:
            continue
        assert all(found.text and found.native_id for found in page.posts)


@given(st.sampled_from(list(post())), VALUES)
def test_no_value_of_a_field_costs_more_than_its_post(name: str, value: object) -> None:
    page = read(CONNECTOR, POSTS, [post(1, **{name: value}) if name != "id" else {**post(1), "id": value}, post(2)])
    assert len(page.posts) + len(page.rejected) == 2


@given(st.timedeltas(timedelta(0), timedelta(days=36500)), st.timedeltas(timedelta(seconds=1), timedelta(days=9)))
def test_whatever_the_span_is_it_lies_in_what_is_asked_for(later: timedelta, length: timedelta) -> None:
    start = datetime(2000, 1, 1, tzinfo=UTC) + later
    found = asked(replace(POSTS, span=Span(start, start + length)))
    after, before = (datetime.fromisoformat(found[name]) for name in ("after", "before"))
    assert after < start < start + length < before

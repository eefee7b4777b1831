"""Discourse: invented pages against goldens, what its versions do differently, and whatever JSON may come."""

from __future__ import annotations

import copy
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

from screener.collect.connector import Page, Query, Refresh
from screener.collect.connectors.discourse import CONNECTOR
from screener.errors import (
    NoDataError,
    ParseError,
    RefusedError,
    SourceError,
    TerminalSourceError,
    TransientSourceError,
)
from screener.records import DiscardReason, RawPost, Span

PAGES = SOURCES / "discourse"
FORUM = "https://forum.example"
START = datetime(2026, 2, 1, tzinfo=UTC)
SEARCH = Query(
    "discourse", "search", FORUM, "AE", "construction", "en", "deposit", Span(START, START + timedelta(days=7))
)
NEWEST = replace(SEARCH, endpoint="posts", words="")
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


def recorded(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))


def record(**changes: Any) -> dict[str, Any]:
    """A post as ``posts.json`` shows it, changed."""
    one: dict[str, Any] = copy.deepcopy(recorded("posts")["latest_posts"][0])
    return one | changes


def parse(*records: Any, cursor: str | None = None) -> Page:
    return read(CONNECTOR, NEWEST, {"latest_posts": list(records)}, cursor=cursor)


def one(**changes: Any) -> RawPost:
    (post,) = parse(record(**changes)).posts
    return post


def searched(cursor: str | None = None, query: Query = SEARCH, **changes: Any) -> Page:
    body = recorded("search")
    body["grouped_search_result"] |= changes
    return read(CONNECTOR, query, body, cursor=cursor)


def refresh() -> Refresh:
    assert CONNECTOR.refresh is not None
    return CONNECTOR.refresh


def asked_again(body: Any, native_id: str = "forum.example/1204", **answered: Any) -> Page:
    request = refresh().build(FORUM, [native_id])
    return refresh().parse(answer(request, body, **answered), [native_id])


def walk(shown: Callable[[int | None], list[int]]) -> list[int]:
    """Numbers of the posts seen on a walk through a forum that shows these numbers below ``before``."""
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(200):
        request = CONNECTOR.build_request(NEWEST, cursor)
        before = request.url.params.get("before")
        body = {"latest_posts": [record(id=number) for number in shown(int(before) if before else None)]}
        page = CONNECTOR.parse_page(answer(request, body), NEWEST)
        seen += [int(post.native_id.rpartition("/")[2]) for post in page.posts]
        if (cursor := page.next_cursor) is None:
            return seen
    raise AssertionError("the walk has no end")


@pytest.mark.parametrize("query", [NEWEST, SEARCH], ids=lambda query: query.endpoint)
def test_page_is_read_as_its_golden_says(query: Query) -> None:
    check_golden(CONNECTOR, PAGES / f"{query.endpoint}.json", query)


@pytest.mark.parametrize(
    ("words", "end", "asked"),
    [
        ("deposit", timedelta(days=7), "deposit order:latest after:2026-02-01 before:2026-02-08"),
        ("my deposit", timedelta(days=1), '"my deposit" order:latest after:2026-02-01 before:2026-02-02'),
        ('say "my deposit"', timedelta(hours=1), 'say "my deposit" order:latest after:2026-02-01 before:2026-02-02'),
    ],
)
def test_search_asks_for_whole_days_that_hold_the_span(words: str, end: timedelta, asked: str) -> None:
    url = CONNECTOR.build_request(replace(SEARCH, words=words, span=Span(START, START + end)), "2").url
    assert (url.path, dict(url.params)) == ("/search.json", {"q": asked, "page": "2"})


def test_search_without_a_span_asks_for_no_days() -> None:
    assert CONNECTOR.build_request(replace(SEARCH, span=None), None).url.params["q"] == "deposit order:latest"


def test_no_credential_is_taken_for_it_would_open_closed_categories() -> None:
    assert CONNECTOR.auth is None


def test_search_gives_an_excerpt_and_a_first_post_its_topics_title() -> None:
    first, other = searched().posts
    assert first.text.startswith("Deposit not returned\n\nThe agency keeps the deposit")
    assert other.text == "...and the deposit was taken from my first wage..."


def test_post_is_called_the_same_by_search_and_by_the_newest() -> None:
    newest = {post.native_id: post for post in read(CONNECTOR, NEWEST, recorded("posts")).posts}
    found = searched().posts[0]
    assert newest[found.native_id].author == found.author == "forum.example/tomas"


def test_search_goes_on_while_the_forum_says_there_is_more_and_no_further_than_ten_pages() -> None:
    assert [searched(page).next_cursor for page in (None, "9", "10")] == ["2", "10", None]
    assert searched(more_full_page_results=None).next_cursor is None


@pytest.mark.parametrize(("days", "is_capped"), [(7, True), (1, False), (0.5, False)])
def test_more_than_ten_pages_are_a_cap_unless_the_span_is_a_day_which_cannot_be_cut(
    days: float, is_capped: bool
) -> None:
    query = replace(SEARCH, span=Span(START, START + timedelta(days=days)))
    assert searched("10", query).is_capped is is_capped
    assert searched("9", query).is_capped is False


def test_forum_under_load_answers_well_with_an_error_inside_and_may_pass() -> None:
    with pytest.raises(TransientSourceError, match="too busy"):
        searched(error="The site is under extreme load")


def test_newer_forum_is_walked_to_its_first_post() -> None:
    numbers = [*range(1, 40), *range(300, 420), 5000]

    def shown(before: int | None) -> list[int]:
        return sorted((n for n in numbers if before is None or n < before), reverse=True)[:50]

    assert sorted(walk(shown)) == numbers


def test_older_forum_is_walked_over_the_gaps_that_it_answers_with_empty_pages() -> None:
    numbers = [*range(1, 40), *range(300, 420), 5000]

    def shown(before: int | None) -> list[int]:
        top = max(numbers) if before is None else before
        return sorted((n for n in numbers if top - 50 < n <= top), reverse=True)

    assert sorted(set(walk(shown))) == numbers


def test_forum_that_ignores_the_cursor_is_not_walked_in_a_circle() -> None:
    assert set(walk(lambda before: [900, 899])) == {900, 899}


def test_empty_page_of_an_older_forum_is_no_sign_of_an_endless_walk() -> None:
    passing_over = parse(cursor="0950")
    assert (passing_over.next_cursor, passing_over.n_skipped) == ("0900", 50)
    assert parse(cursor="950") == Page(())


def test_hidden_posts_still_move_the_cursor() -> None:
    assert parse(record(id=9, hidden=True), record(id=8, post_type=3)).next_cursor == "8"


@pytest.mark.parametrize(
    "flag", [{"hidden": True}, {"cooked_hidden": True}, {"user_deleted": True}, {"deleted_at": "2026-02-03T09:00:00Z"}]
)
def test_post_that_is_hidden_or_deleted_is_gone(flag: dict[str, Any]) -> None:
    page = parse(record(cooked="", **flag))
    assert (page.posts, page.rejected, page.gone) == ((), (), ("forum.example/1204",))


@pytest.mark.parametrize("other", [{"post_type": 2}, {"post_type": 3}, {"post_type": 4}, {"username": "discobot"}])
def test_what_the_forum_writes_itself_is_no_post(other: dict[str, Any]) -> None:
    assert parse(record(id=1, **other)) == Page((), next_cursor="1", n_skipped=1)


def test_words_that_are_not_the_authors_are_marked_or_left_out() -> None:
    quoting = one().text
    assert "> the agency keeps the deposit" in quoting
    assert "tomas" not in quoting
    cooked = '<p>See</p><div class="lightbox-wrapper"><a><img><div class="meta">IMG_1.jpg 2 MB</div></a></div>'
    assert one(cooked=cooked).text == "See"
    assert one(cooked='<p>See</p><aside class="onebox"><p>A newspaper</p></aside>').text == "See"


def test_title_belongs_to_the_first_post_only() -> None:
    assert one(post_number=1, cooked="<p>x</p>").text == "Deposit not returned\n\nx"
    assert one(post_number=2, cooked="<p>x</p>").text == "x"


@pytest.mark.parametrize(("version", "edited"), [(1, None), (2, datetime(2026, 2, 3, 9, tzinfo=UTC)), (None, None)])
def test_only_a_further_version_is_an_edit(version: object, edited: datetime | None) -> None:
    assert one(version=version).edited_at == edited


def test_author_is_the_same_however_the_name_is_written() -> None:
    assert one(username="Asha_K").author == one(username="asha_k").author == "forum.example/asha_k"
    assert one(username=None).author is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": None}, DiscardReason.NO_ID),
        ({"id": True}, DiscardReason.NO_ID),
        ({"id": "1204"}, DiscardReason.NO_ID),
        ({"cooked": "<p> </p>"}, DiscardReason.NO_TEXT),
        ({"cooked": ["x"], "post_number": 1}, DiscardReason.NO_TEXT),
        ({"created_at": "soon"}, DiscardReason.BAD_TIME),
        ({"created_at": 5}, DiscardReason.BAD_TIME),
    ],
)
def test_record_that_cannot_be_read_is_set_aside_and_costs_no_other(
    changes: dict[str, Any], reason: DiscardReason
) -> None:
    page = parse(record(**changes), record(id=2))
    assert [(r.reason, r.where) for r in page.rejected] == [(reason, "https://forum.example#post1")]
    assert [post.native_id for post in page.posts] == ["forum.example/2"]


def test_forum_for_members_only_is_refused() -> None:
    with pytest.raises(RefusedError):
        read(CONNECTOR, NEWEST, {"errors": ["You need to be logged in"], "error_type": "not_logged_in"}, status=403)


@pytest.mark.parametrize("query", [NEWEST, SEARCH], ids=lambda query: query.endpoint)
@pytest.mark.parametrize("body", ["<!doctype html>", '{"latest_posts": [', "[]", "{}", "null", '{"posts": {}}'])
def test_something_else_than_a_page_is_a_parse_error(body: str, query: Query) -> None:
    with pytest.raises(ParseError):
        read(CONNECTOR, query, body)


def test_post_is_asked_for_among_the_newest_below_the_next_number() -> None:
    assert str(refresh().build(FORUM, ["forum.example/1204"]).url) == f"{FORUM}/posts.json?before=1205"
    with pytest.raises(TerminalSourceError, match=r"a post of elsewhere\.example can only be asked for there"):
        refresh().build(FORUM, ["elsewhere.example/1204"])


def test_post_of_a_forum_in_a_folder_is_asked_for_there() -> None:
    query = replace(NEWEST, target="https://union.example/forum")
    (post,) = read(CONNECTOR, query, {"latest_posts": [record()]}).posts
    assert post.native_id == "union.example/forum/1204"
    assert str(refresh().build(query.target, [post.native_id]).url).startswith("https://union.example/forum/posts.json")


def test_post_that_stands_reads_as_the_newest_show_it() -> None:
    assert asked_again(recorded("posts")).posts == read(CONNECTOR, NEWEST, recorded("posts")).posts[:1]
    assert (
        asked_again(recorded("posts"), "forum.example/1203").posts[0].text.startswith("Deposit not returned\n\n")
        is True
    )


@pytest.mark.parametrize("others", [[], [record(id=1203)], [record(hidden=True)], [record(cooked="")]])
def test_post_that_is_not_shown_any_more_is_gone(others: list[Any]) -> None:
    assert asked_again({"latest_posts": others}) == Page(())


@pytest.mark.parametrize(
    ("code", "body", "error"),
    [
        (404, "<html>Not found", NoDataError),
        (403, {"errors": ["You need to be logged in"]}, RefusedError),
        (200, {"latest_posts": None}, ParseError),
        (200, {"latest_posts": [record(id=9000)]}, ParseError),
        (200, {"latest_posts": [record(created_at="soon")]}, ParseError),
    ],
)
def test_answer_that_says_nothing_of_the_post_deletes_nothing(code: int, body: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        asked_again(body, status=code)


@given(ANY_JSON, st.sampled_from([NEWEST, SEARCH]), st.booleans())
def test_json_of_any_shape_is_a_page_or_a_named_error(value: Any, query: Query, in_list: bool) -> None:
    lists = ("latest_posts", "posts", "topics", "grouped_search_result")
    body = dict.fromkeys(lists, value) if in_list else value
    response = httpx.Response(200, content=json.dumps(body), request=CONNECTOR.build_request(query, None))
    try:
        page = CONNECTOR.parse_page(response, query)
    except (ParseError, SourceError):
        return
    assert isinstance(page, Page)


@given(st.dictionaries(st.sampled_from(sorted(record())), ANY_JSON), ANY_JSON)
def test_damage_to_one_record_costs_no_other(damage: dict[str, Any], topics: Any) -> None:
    assert "forum.example/2" in {post.native_id for post in parse(record() | damage, record(id=2)).posts}
    body = {"posts": [record() | damage, record(id=2)], "topics": topics, "grouped_search_result": None}
    assert "forum.example/2" in {post.native_id for post in read(CONNECTOR, SEARCH, body).posts}


@given(st.dictionaries(st.sampled_from(sorted(record())), ANY_JSON))
def test_damaged_answer_to_a_refresh_is_a_page_or_a_named_error(damage: dict[str, Any]) -> None:
    try:
        page = asked_again({"latest_posts": [record() | damage]})
    except ParseError:
        return
    assert {post.native_id for post in page.posts} <= {"forum.example/1204"}

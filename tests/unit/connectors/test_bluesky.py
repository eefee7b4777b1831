"""Bluesky: recorded-style invented pages against goldens, the traps of the real servers, and whatever JSON may come."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import SOURCES, check_golden

from screener.collect.connector import Page, Query
from screener.collect.connectors.bluesky import CONNECTOR, build_request, parse_page
from screener.errors import NoDataError, ParseError, RefusedError, ScreenerError, TerminalSourceError
from screener.records import DiscardReason, Span

PAGES = SOURCES / "bluesky"
SPAN = Span(datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 2, 28, 6, 30, tzinfo=UTC))
SEARCH = Query("bluesky", "search", "https://pds.example", "BD", "textiles-garments", "bn", "বকেয়া বেতন", SPAN)
TAGS = replace(SEARCH, endpoint="tags", words="শ্রমিক")
DID = "did:plc:sewingunionexample2222"
AUTHORS = replace(SEARCH, endpoint="authors", words=DID)
GONE = {"error": "InvalidRequest", "message": "Profile not found"}


def answer(body: object, status: int = 200, query: Query = SEARCH) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, request=build_request(query, None))


def recorded(name: str) -> Any:
    return json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))


def asked(query: Query, cursor: str | None = None) -> dict[str, str]:
    return dict(build_request(query, cursor).url.params)


def view(text: str = "no pay since March", **more: Any) -> dict[str, Any]:
    """A post as the API shows it; ``record`` and ``author`` are changed, the rest is replaced."""
    shown = copy.deepcopy(recorded("search")["posts"][0])
    shown["record"] = {"text": text, "createdAt": "2026-02-27T09:00:00Z"} | more.pop("record", {})
    shown["author"] |= more.pop("author", {})
    return shown | more


def parse_one(shown: object, query: Query = SEARCH) -> Page:
    return parse_page(answer({"posts": [shown]}), query)


@pytest.mark.parametrize("endpoint", ["search", "authors"])
def test_page_is_read_as_its_golden_says(endpoint: str) -> None:
    check_golden(CONNECTOR, PAGES / f"{endpoint}.json", replace(SEARCH, endpoint=endpoint))


def test_search_asks_newest_first_within_the_span_and_the_language() -> None:
    request = build_request(SEARCH, None)
    assert str(request.url).startswith("https://pds.example/xrpc/app.bsky.feed.searchPosts?")
    assert asked(SEARCH) == {
        "q": "বকেয়া বেতন", "sort": "latest", "lang": "bn", "limit": "100",
        "since": "2026-02-20T00:00:00.000Z", "until": "2026-02-28T06:30:00.000Z",
    }  # fmt: skip


@pytest.mark.parametrize("language", [None, "ceb", "ur-Latn", "und"])
def test_languages_without_a_code_of_two_letters_are_not_asked_for(language: str | None) -> None:
    assert "lang" not in asked(replace(SEARCH, language=language, span=None))


def test_tags_are_asked_for_as_words_too_because_q_may_not_be_missing() -> None:
    found = asked(TAGS)
    assert (found["q"], found["tag"]) == ("#শ্রমিক", "শ্রমিক")
    assert "lang" not in found


def test_author_feed_is_asked_without_a_span() -> None:
    assert asked(AUTHORS) == {"actor": DID, "filter": "posts_with_replies", "limit": "100"}


def test_cursor_is_a_word_and_never_leads_elsewhere() -> None:
    cursor = "https://evil.example/xrpc?a=b&limit=1"
    request = build_request(SEARCH, cursor)
    assert request.url.host == "pds.example"
    assert request.url.params.get_list("cursor") == [cursor]
    assert request.url.params.get_list("limit") == ["100"]


def test_anonymous_search_that_answers_403_html_says_to_sign_in() -> None:
    page = b"<html><body><h1>403 Forbidden</h1>Request forbidden by administrative rules.</body></html>"
    with pytest.raises(RefusedError, match="sign in"):
        parse_page(answer(page, 403), SEARCH)


@pytest.mark.parametrize(
    ("status", "error"), [(400, "InvalidToken"), (400, "ExpiredToken"), (401, "AuthMissing"), (403, "Forbidden")]
)
def test_token_that_is_not_taken_is_a_refusal_whatever_the_status(status: int, error: str) -> None:
    with pytest.raises(RefusedError, match="could not be verified"):
        parse_page(answer({"error": error, "message": "Token could not be verified"}, status), SEARCH)


@pytest.mark.parametrize("error", ["BlockedActor", "BlockedByActor"])
def test_blocked_author_does_not_speak_against_the_next_one(error: str) -> None:
    with pytest.raises(NoDataError, match=error):
        parse_page(answer({"error": error, "message": "Requester has blocked actor"}, 400), AUTHORS)


def test_deactivated_author_named_by_did_is_gone() -> None:
    assert parse_page(answer(GONE, 400), AUTHORS) == Page((), gone_authors=(DID,))


def test_unknown_handle_takes_nobodys_posts_away() -> None:
    with pytest.raises(NoDataError, match="no such author"):
        parse_page(answer(GONE, 400), replace(AUTHORS, words="union.example"))


def test_search_for_a_did_takes_nobodys_posts_away() -> None:
    with pytest.raises(TerminalSourceError, match="Profile not found"):
        parse_page(answer(GONE, 400), replace(SEARCH, words=DID))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<!doctype html><title>busy</title>", b'{"posts": [', b"[]", b"null", b'"posts"', b"\xff\xfe", b"[" * 100_000,
        {}, {"posts": None}, {"posts": {}}, {"feed": []},
    ],
)  # fmt: skip
def test_page_that_is_not_what_was_promised_is_a_parse_error(body: object) -> None:
    with pytest.raises(ParseError, match=r"https://pds\.example/xrpc/app\.bsky\.feed\.searchPosts"):
        parse_page(answer(body), SEARCH)


@pytest.mark.parametrize(
    ("created", "taken"),
    [
        ("2026-02-27T09:15:04Z", "2026-02-27T09:15:04+00:00"),
        ("2026-02-27T15:15:04+06:00", "2026-02-27T09:15:04+00:00"),
        ("2023-01-01T00:00:00Z", "2023-01-01T00:00:00+00:00"),
        ("2031-01-01T00:00:00Z", "2026-02-27T09:15:06.402000+00:00"),
        ("9999-12-31T23:59:59-14:00", "2026-02-27T09:15:06.402000+00:00"),
        ("yesterday", "2026-02-27T09:15:06.402000+00:00"),
        (1772183704, "2026-02-27T09:15:06.402000+00:00"),
        (None, "2026-02-27T09:15:06.402000+00:00"),
    ],
)
def test_claimed_time_counts_unless_it_lies_after_the_indexing(created: object, taken: str) -> None:
    (post,) = parse_one(view(record={"createdAt": created})).posts
    assert post.created_at == datetime.fromisoformat(taken)


def test_post_without_any_readable_time_is_undated() -> None:
    (post,) = parse_one(view(record={"createdAt": "soon"}, indexedAt=7)).posts
    assert post.created_at is None


@pytest.mark.parametrize(
    ("languages", "hint"), [(["bn", "en"], "bn"), (["xx-unknown", "th"], "th"), (["pt-BR"], "pt"), ([7, None], None), ("en", None), (None, None)]
)  # fmt: skip
def test_first_known_language_is_the_hint_and_no_tag_costs_the_post(languages: object, hint: str | None) -> None:
    (post,) = parse_one(view(record={"langs": languages})).posts
    assert post.language_hint == hint


def test_text_is_plain_and_keeps_what_looks_like_markup() -> None:
    text = "Pay < 3 $ & <b>no</b> contract &amp; nights"
    assert parse_one(view(text)).posts[0].text == text


def test_reposts_and_pinned_posts_are_left_out_of_an_authors_feed() -> None:
    posts = parse_page(answer(recorded("authors")), AUTHORS).posts
    assert [post.native_id.rpartition("/")[2] for post in posts] == ["3lnunpaid0001", "3lnown0000007"]
    assert {post.author for post in posts} == {DID}


def test_post_found_by_search_and_by_feed_is_one() -> None:
    found, fed = (parse_page(answer(recorded(name)), replace(SEARCH, endpoint=name)) for name in ("search", "authors"))
    assert fed.posts[0] == found.posts[0]


@pytest.mark.parametrize("where", ["author", "post"])
def test_author_who_wants_to_be_shown_to_signed_in_people_only_is_left_out(where: str) -> None:
    labels = {"labels": [{"val": "spam"}, {"val": "!no-unauthenticated", "src": DID}]}
    hidden = view(author=labels) if where == "author" else view(**labels)
    assert parse_one(hidden) == Page((), n_skipped=1)


def test_label_that_was_taken_back_hides_nobody() -> None:
    assert parse_one(view(author={"labels": [{"val": "!no-unauthenticated", "neg": True}]})).posts


@pytest.mark.parametrize(
    ("text", "tags", "is_taken"),
    [
        ("বেতন নাই #শ্রমিক", [], True),
        ("বেতন নাই #শ", [], False),
        ("বেতন নাই শ্রমিক", [], False),
        ("বেতন নাই", ["শ্রমিক"], True),
        ("বেতন নাই", [None, 3, "পোশাক"], False),
    ],
)
def test_servers_that_ignore_or_cut_a_tag_are_not_believed(text: str, tags: list[object], is_taken: bool) -> None:
    assert bool(parse_one(view(text, record={"tags": tags}), TAGS).posts) is is_taken


def test_quoted_lists_feeds_and_people_are_no_posts() -> None:
    embed = {"record": {"uri": f"at://{DID}/app.bsky.graph.list/3lnlist"}}
    assert parse_one(view(record={"embed": embed})).posts[0].quoted is None


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (None, DiscardReason.NO_ID),
        ([], DiscardReason.NO_ID),
        (view(uri="at://handle.example/app.bsky.feed.post/3ln"), DiscardReason.NO_ID),
        (view(uri="at://did:plc:abc/app.bsky.feed.like/3ln"), DiscardReason.NO_ID),
        (view("", record={"embed": {"images": [{"alt": "a locked gate"}]}}), DiscardReason.NO_TEXT),
        (view(" \n"), DiscardReason.NO_TEXT),
        ({**view(), "record": "text"}, DiscardReason.NOT_AN_OBJECT),
    ],
)
def test_record_that_cannot_be_read_goes_to_quarantine_and_costs_no_other(shown: object, reason: DiscardReason) -> None:
    page = parse_page(answer({"posts": [view("one"), shown, view("two")]}), SEARCH)
    assert [post.text for post in page.posts] == ["one", "two"]
    (entry,) = page.rejected
    assert (entry.reason, entry.where, entry.source) == (reason, "https://pds.example#post1", "bluesky")


def test_quarantine_never_names_anybody() -> None:
    page = parse_page(answer({"posts": [view("spoken", uri="at://sewing.union.example/x")]}), SEARCH)
    assert page.rejected[0].excerpt == "spoken"
    assert "union" not in repr(page.rejected)
    assert "did:" not in repr(page.rejected)


@pytest.mark.parametrize(
    ("more", "is_capped"),
    [
        ({"hitsTotal": 10_000}, True),
        ({"hitsTotal": 10_000, "cursor": "9900"}, False),
        ({"hitsTotal": 9_999}, False),
        ({"hitsTotal": "many"}, False),
        ({}, False),
    ],
)
def test_search_that_ends_at_its_limit_says_so(more: dict[str, object], is_capped: bool) -> None:
    assert parse_page(answer({"posts": [], **more}), SEARCH).is_capped is is_capped


def refresh(body: object, *native_ids: str, status: int = 200) -> Page:
    assert CONNECTOR.refresh
    request = CONNECTOR.refresh.build("https://pds.example", native_ids)
    assert request.url.params.get_list("uris") == list(native_ids)
    content = json.dumps(body).encode()
    return CONNECTOR.refresh.parse(httpx.Response(status, content=content, request=request), native_ids)


def test_refresh_holds_the_posts_that_stand_and_silently_lacks_deleted_ones() -> None:
    first, second = (shown["uri"] for shown in recorded("search")["posts"][:2])
    page = refresh({"posts": [view("edited")]}, first, second)
    assert [(post.native_id, post.text) for post in page.posts] == [(first, "edited")]


@pytest.mark.parametrize(
    "shown", [view(""), view(author={"labels": [{"val": "!no-unauthenticated"}]}), view(uri=f"at://{DID}/app.bsky.feed.post/other")]
)  # fmt: skip
def test_refresh_lets_go_of_emptied_and_hidden_posts_and_takes_no_others(shown: dict[str, Any]) -> None:
    assert refresh({"posts": [shown]}, view()["uri"]) == Page(())


@pytest.mark.parametrize("body", [{"posts": [None]}, {"posts": [{**view(), "record": None}]}, {"feed": []}, []])
def test_refresh_that_cannot_be_read_deletes_nothing(body: object) -> None:
    with pytest.raises(ParseError):
        refresh(body, view()["uri"])


def test_refused_refresh_deletes_nothing() -> None:
    with pytest.raises(RefusedError):
        refresh({"error": "ExpiredToken", "message": "Token has expired"}, view()["uri"], status=400)


def jwt(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJ0eXAiOiJhdCtqd3QifQ.{payload}.c2lnbmF0dXJl"


def sign_in(body: object, status: int = 200) -> Any:
    assert CONNECTOR.auth
    assert CONNECTOR.auth.build_sign_in
    assert CONNECTOR.auth.parse_sign_in
    request = CONNECTOR.auth.build_sign_in("https://pds.example", {"identifier": "collector.example", "password": "pw"})
    return CONNECTOR.auth.parse_sign_in(httpx.Response(status, json=body, request=request))


def test_sign_in_carries_the_secret_in_its_body_only() -> None:
    assert CONNECTOR.auth
    assert CONNECTOR.auth.build_sign_in
    given = {"identifier": "collector.example", "password": "app-pass-word", "token": "other"}
    request = CONNECTOR.auth.build_sign_in("https://pds.example", given)
    assert (request.method, str(request.url)) == ("POST", "https://pds.example/xrpc/com.atproto.server.createSession")
    assert json.loads(request.content) == {"identifier": "collector.example", "password": "app-pass-word"}
    assert "app-pass" not in f"{request.url}{request.headers}"


@pytest.mark.parametrize(
    ("token", "seconds"),
    [
        (jwt({"iat": 1772183704, "exp": 1772190904, "padding": "x"}), 7200.0),
        (jwt({"iat": 1772183704, "exp": 1772190904, "padding": "xyz"}), 7200.0),
        (jwt({"exp": 1772190904}), 1200.0),
        (jwt({"iat": 2, "exp": 1}), 1200.0),
        (jwt({"iat": "soon", "exp": []}), 1200.0),
        (jwt([]), 1200.0),
        ("opaque", 1200.0),
        ("a.\u00e9.c", 1200.0),
    ],
)
def test_token_lives_as_long_as_it_says_by_its_own_clock(token: str, seconds: float) -> None:
    found = sign_in({"accessJwt": token, "refreshJwt": "r", "handle": "h", "did": DID})
    assert (found.value, found.expires_in) == (token, seconds)
    assert token not in repr(found)


def test_wrong_password_is_a_refusal_that_repeats_no_secret() -> None:
    with pytest.raises(RefusedError, match="Invalid identifier or password") as raised:
        sign_in({"error": "AuthenticationRequired", "message": "Invalid identifier or password"}, 401)
    assert "collector.example" not in str(raised.value)


@pytest.mark.parametrize("body", [{}, {"accessJwt": ""}, {"accessJwt": 7}, []])
def test_session_without_a_token_is_a_parse_error(body: object) -> None:
    with pytest.raises(ParseError):
        sign_in(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PATHS = [
    ("uri",), ("author",), ("author", "labels"), ("record",), ("record", "text"), ("record", "createdAt"), ("record", "langs"),
    ("record", "reply"), ("record", "embed"), ("record", "tags"), ("labels",), ("indexedAt",),
]  # fmt: skip


@given(st.sampled_from(PATHS), JSON, st.sampled_from([SEARCH, TAGS]))
def test_whatever_stands_in_a_post_costs_that_post_at_most(path: tuple[str, ...], value: object, query: Query) -> None:
    good = view("বেতন নাই #শ্রমিক")
    bad = copy.deepcopy(good)
    held = bad if len(path) == 1 else bad[path[0]]
    held[path[-1]] = value
    page = parse_page(answer({"posts": [good, bad, good]}), query)
    assert len(page.posts) + len(page.rejected) in {2, 3}
    assert page.posts[0] == page.posts[-1]


@given(JSON, st.sampled_from([200, 400, 401, 403, 404, 501]), st.sampled_from([SEARCH, TAGS, AUTHORS]))
def test_whatever_the_answer_only_known_errors_come_out(body: object, status: int, query: Query) -> None:
    try:
        page = parse_page(answer(body, status, query), query)
    except ScreenerError:
        return
    assert isinstance(page, Page)


@given(JSON.map(lambda item: {"feed": [item, {"post": item}, {"post": view(), "reason": item}]}))
def test_whatever_stands_in_a_feed_only_known_errors_come_out(body: object) -> None:
    assert len(parse_page(answer(body), AUTHORS).rejected) >= 1

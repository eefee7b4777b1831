"""The Mastodon connector against a mock server that others wrote, page by page, over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from mastodon_mock_server import PEOPLE, MockServer, mastodon_mock, token_of

from screener.collect.connector import Page, Query
from screener.collect.connectors.mastodon import CONNECTOR
from screener.collect.connectors.mastodon_records import place_of
from screener.collect.connectors.mastodon_rules import Access, build_instance_request, parse_instance
from screener.errors import RefusedError

pytestmark = pytest.mark.servers


@pytest.fixture
def server() -> Iterator[MockServer]:
    with mastodon_mock() as running:
        yield running


@pytest.fixture
def tag(server: MockServer) -> Query:
    return Query("mastodon", "tag", server.address, "BD", "textiles-garments", "en", "LabourRights")


def send(request: httpx.Request, token: str | None = None) -> httpx.Response:
    if token:
        request.headers["Authorization"] = f"Bearer {token}"
    with httpx.Client(timeout=30) as client:
        return client.send(request)


def read(query: Query, cursor: str | None = None, token: str | None = None) -> Page:
    return CONNECTOR.parse_page(send(CONNECTOR.build_request(query, cursor), token), query)


def walk(query: Query) -> list[Page]:
    pages = [read(query)]
    while pages[-1].next_cursor:
        pages.append(read(query, pages[-1].next_cursor))
    return pages


def stands(server: MockServer, number: str) -> Page:
    assert CONNECTOR.refresh is not None
    native_ids = [f"{place_of(server.address)}/{number}"]
    return CONNECTOR.refresh.parse(send(CONNECTOR.refresh.build(server.address, native_ids)), native_ids)


def test_tag_timeline_gives_the_tagged_posts_newest_first(server: MockServer, tag: Query) -> None:
    first = server.post("Unpaid again #LabourRights", language="en")
    second = server.post("And the doors are locked #labourrights", author=PEOPLE[1], in_reply_to_id=first)
    server.post("Nothing to do with work")
    newer, older = read(tag).posts
    place = place_of(server.address)
    assert [newer.native_id, older.native_id] == [f"{place}/{second}", f"{place}/{first}"]
    assert (older.text, older.language_hint, newer.reply_to) == ("Unpaid again #LabourRights", "en", older.native_id)
    assert newer.author != older.author


def test_walk_along_the_links_sees_every_post_once(server: MockServer, tag: Query) -> None:
    written = [server.post(f"Day {day} without pay #LabourRights") for day in range(95)]
    pages = walk(tag)
    seen = [post.native_id.rpartition("/")[2] for page in pages for post in page.posts]
    assert [len(page.posts) for page in pages] == [40, 40, 15]
    assert seen == list(reversed(written))


def test_walk_whose_last_page_is_full_ends_with_an_empty_one(server: MockServer, tag: Query) -> None:
    for day in range(40):
        server.post(f"Day {day} without pay #LabourRights")
    assert [len(page.posts) for page in walk(tag)] == [40, 0]


def test_public_timeline_gives_what_is_public_and_may_be_found(server: MockServer, tag: Query) -> None:
    shown = server.post("Picket at the north gate")
    server.post("For followers", visibility="private")
    server.post("Quietly", visibility="unlisted")
    server.post("By hashtag only #LabourRights", author=PEOPLE[1])
    server.wish(PEOPLE[1], indexable=False)
    (post,) = read(replace(tag, endpoint="public", words="")).posts
    assert post.native_id.endswith(shown)
    assert len(read(tag).posts) == 1


def test_search_gives_the_posts_that_hold_the_word(server: MockServer, tag: Query) -> None:
    number = server.post("The deposit was not returned")
    server.post("Nothing to do with it")
    page = read(replace(tag, endpoint="search", words="deposit"), token=token_of(PEOPLE[0]))
    assert [post.native_id.rpartition("/")[2] for post in page.posts] == [number]
    assert page.next_cursor is None


def test_unknown_tag_is_an_empty_page_without_a_next(tag: Query) -> None:
    assert read(replace(tag, words="nosuchtag")) == Page(())


def test_tag_that_the_server_cut_at_its_marks_finds_nothing_there(server: MockServer, tag: Query) -> None:
    server.post("বেতন #শ্রমিক")
    assert read(replace(tag, words="শ্রমিক")).posts == ()


def test_deleted_post_is_gone_and_an_edited_one_is_read_anew(server: MockServer, tag: Query) -> None:
    kept, deleted = server.post("Unpaid #LabourRights"), server.post("Taken back #LabourRights")
    assert len(stands(server, deleted).posts) == 1
    server.delete(deleted)
    server.edit(kept, "Paid in part #LabourRights")
    assert stands(server, deleted) == Page(())
    (post,) = stands(server, kept).posts
    assert (post.text, post.edited_at is None) == ("Paid in part #LabourRights", False)
    assert [post.text for post in read(tag).posts] == ["Paid in part #LabourRights"]


def test_post_of_an_account_that_is_withdrawn_from_search_stands_by_its_hashtag_only(server: MockServer) -> None:
    tagged, plain = server.post("Unpaid #LabourRights"), server.post("Unpaid")
    assert (len(stands(server, tagged).posts), len(stands(server, plain).posts)) == (1, 1)
    server.wish(PEOPLE[0], indexable=False)
    assert (len(stands(server, tagged).posts), len(stands(server, plain).posts)) == (1, 0)


def test_reading_what_is_for_signed_in_people_is_refused_by_name(server: MockServer, tag: Query) -> None:
    request = httpx.Request("GET", f"{server.address}/api/v1/timelines/home")
    with pytest.raises(RefusedError, match="a valid token"):
        CONNECTOR.parse_page(send(request), tag)


def test_instance_of_a_server_that_announces_no_access_leaves_it_open(server: MockServer) -> None:
    rules = parse_instance(send(build_instance_request(server.address)))
    assert rules.access == Access("unknown", "unknown", "token")
    assert rules.may_ask("tag", has_token=False) is True
    assert rules.version

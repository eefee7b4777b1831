"""The WordPress and feed connectors against a real WordPress, page by page, over plain HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from wordpress_server import INSTALLED, NewPost, Site, wordpress

from screener.collect.connector import Page, Query
from screener.collect.connectors import rss
from screener.collect.connectors.wordpress import CONNECTOR, parse_page
from screener.errors import NoDataError, RefusedError, TerminalSourceError
from screener.records import RawPost, Span

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(not INSTALLED.exists() or not shutil.which("mariadbd", path="/usr/sbin"), reason="no WordPress"),
]

LAST = datetime(2026, 2, 10, 12, tzinfo=UTC)
N_POSTS = 250


@pytest.fixture(scope="module")
def server() -> Iterator[Site]:
    with wordpress() as running:
        yield running


@pytest.fixture
def site(server: Site) -> Site:
    server.clear()
    return server


@pytest.fixture
def query(site: Site) -> Query:
    return Query("wordpress", "posts", site.address, "BD", "garments")


def send(request: httpx.Request) -> httpx.Response:
    with httpx.Client(timeout=30) as client:
        return client.send(request)


def read(query: Query, cursor: str | None = None) -> Page:
    return CONNECTOR.parse_page(send(CONNECTOR.build_request(query, cursor)), query)


def walk(query: Query) -> list[Page]:
    pages = [read(query)]
    while pages[-1].next_cursor:
        pages.append(read(query, pages[-1].next_cursor))
    return pages


def posts_of(query: Query) -> list[RawPost]:
    return [post for page in walk(query) for post in page.posts]


def ids(site: Site, numbers: list[int]) -> set[str]:
    return {f"{site.address.removeprefix('http://')}/?p={number}" for number in numbers}


def test_every_post_is_found_once_over_as_many_pages_as_it_takes(site: Site, query: Query) -> None:
    numbers = site.fill(N_POSTS, last=LAST)
    pages = walk(query)
    found = [post.native_id for page in pages for post in page.posts]
    assert [len(page.posts) for page in pages] == [100, 100, 50]
    assert len(found) == len(set(found)) == N_POSTS
    assert set(found) == ids(site, numbers)


def test_posts_of_the_same_second_are_all_found(site: Site, query: Query) -> None:
    numbers = site.insert([NewPost(f"Imported {i}", "<p>wages</p>", LAST) for i in range(N_POSTS)])
    for asked in (query, replace(query, endpoint="search", words="wages")):
        found = [post.native_id for post in posts_of(asked)]
        assert len(found) == N_POSTS
        assert set(found) == ids(site, numbers)


def test_page_past_the_end_is_400_and_read_as_nothing(site: Site, query: Query) -> None:
    site.fill(5)
    response = send(CONNECTOR.build_request(query, "2"))
    assert response.status_code == 400
    assert parse_page(response, query) == Page(())
    site.clear()
    assert read(query) == Page(())


def test_texts_times_and_authors_are_what_was_written(site: Site, query: Query) -> None:
    (number,) = site.insert([NewPost("জমা — “বেতন”", "<p>a &amp; <b>b</b></p><blockquote>c</blockquote>", LAST)])
    (post,) = read(query).posts
    assert post.text == "জমা — “বেতন”\na & b\n\n> c"
    assert (post.created_at, post.edited_at) == (LAST, None)
    assert {post.native_id} == ids(site, [number])
    assert post.author == f"{site.address.removeprefix('http://')}/?author=1"
    assert post.url
    assert httpx.get(post.url).status_code == 200


@pytest.mark.parametrize("zone", ["UTC", "Asia/Dhaka", "America/Los_Angeles"])
def test_span_is_asked_for_in_the_time_zone_of_no_site(site: Site, query: Query, zone: str) -> None:
    site.set_option("timezone_string", zone)
    numbers = site.fill(100, last=LAST)
    span = Span(LAST - timedelta(hours=40), LAST - timedelta(hours=20))
    found = posts_of(replace(query, span=span))
    assert {post.native_id for post in found if span.contains(post.created_at)} == ids(site, numbers[59:79])
    assert len(found) == 23, "the site filters, but for an hour on either side"
    site.set_option("timezone_string", "UTC")


def test_no_post_is_lost_in_the_hour_that_comes_twice(site: Site, query: Query) -> None:
    site.set_option("timezone_string", "Europe/Berlin")
    back = datetime(2025, 10, 26, 1, tzinfo=UTC)  # 03:00 becomes 02:00
    site.fill(17, last=back + timedelta(hours=2), minutes_apart=15)
    halves = Span(back - timedelta(hours=2), back), Span(back, back + timedelta(hours=2, minutes=1))
    for span in halves:
        found = [post for post in posts_of(replace(query, span=span)) if span.contains(post.created_at)]
        assert len(found) == (8 if span is halves[0] else 9)
    site.set_option("timezone_string", "UTC")


def test_search_finds_posts_with_all_words_in_any_script_under_the_same_ids(site: Site, query: Query) -> None:
    site.insert(
        [
            NewPost("বকেয়া বেতন", "<p>পোশাক শ্রমিক</p>", LAST),
            NewPost("Wages", "<p>The wages are unpaid.</p>", LAST),
            NewPost("Wages", "<p>The wages are paid on time.</p>", LAST),
        ]
    )
    all_posts = {post.native_id: post for post in posts_of(query)}
    for words, n_found in (("শ্রমিক বেতন", 1), ("unpaid wages", 1), ("wages", 2), ("passport", 0), ("paid -wages", 2)):
        found = posts_of(replace(query, endpoint="search", words=words))
        assert len(found) == n_found, words
        assert all(all_posts[post.native_id] == post for post in found)


def test_post_behind_a_password_is_set_aside(site: Site, query: Query) -> None:
    site.insert([NewPost("Members", "<p>only for members</p>", LAST, password="invented"), NewPost("All", "x", LAST)])
    page = read(query)
    assert [post.text for post in page.posts] == ["All\nx"]
    assert [entry.detail for entry in page.rejected] == ["post has no text, or is behind a password"]
    assert "only for members" not in str(page)


def test_refresh_sees_edits_and_leaves_out_what_was_deleted(site: Site, query: Query) -> None:
    kept, edited, deleted = site.fill(3, last=LAST)
    before = {post.native_id: post for post in posts_of(query)}
    site.edit(edited, "<p>They were paid after all.</p>")
    site.delete(deleted)
    refresh = CONNECTOR.refresh
    assert refresh is not None
    asked = sorted(before)
    page = refresh.parse(send(refresh.build(site.address, asked)), asked)
    after = {post.native_id: post for post in page.posts}
    assert set(after) == ids(site, [kept, edited])
    changed = {id_ for id_ in after if after[id_] != before[id_]}
    (post,) = (after[id_] for id_ in changed)
    assert changed == ids(site, [edited])
    assert post.text.endswith("They were paid after all.")
    assert post.edited_at is not None
    assert datetime.now(UTC) - post.edited_at < timedelta(minutes=5)
    assert next(p for p in posts_of(query) if p.native_id == post.native_id) == post


def test_refresh_of_a_full_batch_is_one_answer(site: Site) -> None:
    asked = sorted(ids(site, site.fill(100)))
    refresh = CONNECTOR.refresh
    assert refresh is not None
    assert {post.native_id for post in refresh.parse(send(refresh.build(site.address, asked)), asked).posts} == set(
        asked
    )


def test_site_without_pretty_permalinks_says_what_to_write_and_then_answers(site: Site, query: Query) -> None:
    numbers = site.fill(120, last=LAST)
    with site.plain_permalinks():
        with pytest.raises(NoDataError, match=r"\?rest_route="):
            read(query)
        by_parameter = replace(query, target=f"{site.address}/?rest_route=")
        found = [post.native_id for post in posts_of(by_parameter)]
        assert set(found) == ids(site, numbers)
        assert len(posts_of(replace(by_parameter, endpoint="search", words="recipe"))) == 13
        refresh = CONNECTOR.refresh
        assert refresh is not None
        page = refresh.parse(send(refresh.build(by_parameter.target, found[:3])), found[:3])
        assert {post.native_id for post in page.posts} == set(found[:3])


def test_site_that_closed_its_api_is_a_refusal(site: Site, query: Query) -> None:
    closed = "new WP_Error('rest_cannot_access', 'Members only', ['status' => 401])"
    with (
        site.plugin(f"add_filter('rest_authentication_errors', fn() => {closed});"),
        pytest.raises(RefusedError, match=r"HTTP 401 \(Members only\)"),
    ):
        read(query)


def test_site_that_removed_its_api_is_no_data(site: Site, query: Query) -> None:
    with site.plugin("add_filter('rest_endpoints', fn() => []);"), pytest.raises(NoDataError, match="no REST API here"):
        read(query)


def test_site_whose_web_server_keeps_the_query_from_wordpress_is_found_out(site: Site, query: Query) -> None:
    site.fill(3)
    with site.plugin("$_GET = [];"), pytest.raises(TerminalSourceError, match="doesn't read what it is asked for"):
        read(replace(query, endpoint="search", words="passport"))


def test_site_in_a_folder_answers_there() -> None:
    with wordpress("/blog") as below:
        numbers = below.fill(3)
        asked = Query("wordpress", "posts", below.address)
        assert {post.native_id for post in posts_of(asked)} == ids(below, numbers)
        with pytest.raises(NoDataError, match="in a folder"):
            read(replace(asked, target=below.address.removesuffix("/blog")))


# ------------------------------------------------------------------------------------------------ its feeds


def feed(site: Site, path: str) -> Query:
    return Query("rss", "feed", f"{site.address}{path}")


@pytest.mark.parametrize("path", ["/feed/", "/feed/atom/", "/?feed=rss2&s=wages"])
def test_feed_gives_the_newest_posts_with_their_full_text(site: Site, path: str) -> None:
    long = "They keep our wages. " * 100
    site.insert([NewPost(f"Wages {i}", f"<p>{long}</p>", LAST + timedelta(minutes=i)) for i in range(15)])
    asked = feed(site, path)
    page = rss.parse_page(send(rss.build_request(asked, None)), asked)
    assert [post.text for post in page.posts] == [f"Wages {i}\n{long.strip()}" for i in range(14, 4, -1)]
    assert page.posts[0].created_at == LAST + timedelta(minutes=14)
    assert not page.rejected


def test_feed_and_api_tell_of_the_same_posts(site: Site, query: Query) -> None:
    site.fill(5, last=LAST)
    asked = feed(site, "/feed/")
    in_feed = rss.parse_page(send(rss.build_request(asked, None)), asked).posts
    assert {(post.text, post.created_at, post.url) for post in in_feed} == {
        (post.text, post.created_at, post.url) for post in posts_of(query)
    }


@pytest.mark.parametrize("path", ["/feed/", "/feed/atom/"])
@pytest.mark.parametrize(("header", "condition"), [("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")])
def test_unchanged_feed_is_304_until_a_post_is_edited(site: Site, path: str, header: str, condition: str) -> None:
    (number,) = site.fill(1, last=LAST)
    request = rss.build_request(feed(site, path), None)
    request.headers[condition] = send(request).headers[header]
    assert (send(request).status_code, send(request).content) == (304, b"")
    site.edit(number, "<p>changed</p>")
    assert send(request).status_code == 200


def test_api_gives_nothing_to_ask_conditionally_by(site: Site, query: Query) -> None:
    site.fill(1)
    response = send(CONNECTOR.build_request(query, None))
    assert not {"etag", "last-modified"} & set(response.headers)
    assert not any(endpoint.is_conditional for endpoint in CONNECTOR.endpoints.values())

"""The Bluesky connector against a real AT Protocol network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from atproto_network import PASSWORD, AtprotoNetwork, is_installed, post
from bluesky_world import N_POSTS, NOW, World, open_world, session

from screener.collect.connector import Page
from screener.collect.connectors.bluesky import build_request, parse_page
from screener.collect.connectors.bluesky_firehose import Event
from screener.errors import RefusedError
from screener.records import RawPost

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(
        not is_installed(), reason="needs tests/servers/atproto/install.sh, postgresql and redis-server"
    ),
]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with open_world() as opened:
        yield opened


def by_address(pages: list[Page]) -> dict[str, RawPost]:
    posts = [post for page in pages for post in page.posts]
    found = {post.native_id: post for post in posts}
    assert len(found) == len(posts)
    return found


def test_app_password_gives_a_token_for_two_hours(world: World) -> None:
    assert world.token.expires_in == 7200


def test_wrong_password_is_refused(world: World) -> None:
    with pytest.raises(RefusedError, match="Invalid identifier or password"):
        session(world.network, world.union.handle, f"not {PASSWORD}")


@pytest.mark.parametrize("token", [None, "x", "eyJ0eXAiOiJhdCtqd3QifQ.e30.c2ln"])
def test_search_without_a_good_token_is_refused(world: World, token: str | None) -> None:
    request = build_request(world.query, None)
    if token:
        request.headers["Authorization"] = f"Bearer {token}"
    with pytest.raises(RefusedError):
        parse_page(world.send(request, signed_in=False), world.query)


@pytest.mark.parametrize("endpoint", ["search", "authors"])
def test_walk_reads_every_post_once_and_newest_first(world: World, endpoint: str) -> None:
    words = world.union.did if endpoint == "authors" else "unpaid overtime"
    pages = world.walk(replace(world.query, endpoint=endpoint, words=words))
    found = by_address(pages)
    assert len(pages) == 3
    assert set(world.addresses[:N_POSTS]) <= set(found)
    times = [
        post.created_at for address, post in found.items() if post.created_at and address in world.addresses[:N_POSTS]
    ]
    assert times == sorted(times, reverse=True)
    assert {post.author for post in found.values()} == {world.union.did}
    assert sum(len(page.rejected) for page in pages) == 0


def test_author_is_found_by_handle_and_by_did_alike(world: World) -> None:
    query = replace(world.query, endpoint="authors")
    assert world.ask(replace(query, words=world.union.handle)) == world.ask(replace(query, words=world.union.did))


def test_claimed_future_plain_text_replies_and_quotes_come_through(world: World) -> None:
    found = by_address([world.ask(replace(world.query, endpoint="authors", words=world.union.did))])
    odd, tagged = (found[address] for address in world.addresses[N_POSTS : N_POSTS + 2])
    assert odd.created_at is not None
    assert abs(odd.created_at - NOW) < timedelta(minutes=10)
    assert (odd.text, odd.language_hint) == ("Wait & see < 18", "bn")
    assert (odd.reply_to, odd.thread) == (world.addresses[0], world.addresses[1])
    assert tagged.quoted == world.addresses[0]


def test_tag_is_checked_in_the_text_whatever_the_server_matched(world: World) -> None:
    query = replace(world.query, endpoint="tags", words="শ্রমিক")
    assert list(by_address([world.ask(query)])) == [world.addresses[N_POSTS + 1]]
    assert [post.text for post in world.ask(replace(query, words="শ")).posts] == ["#শ without the rest"]


def test_repost_is_no_post_of_who_reposted(world: World) -> None:
    page = world.ask(replace(world.query, endpoint="authors", words="collector.test"))
    assert [post.text for post in page.posts] == ["of the collector itself"]


def test_shy_author_is_left_out_of_search_and_refresh(world: World) -> None:
    shown = world.send(build_request(replace(world.query, words="not for everybody"), None)).json()["posts"]
    assert [view["author"]["did"] for view in shown] == [world.shy.did]
    assert world.ask(replace(world.query, words="not for everybody")).posts == ()
    assert world.still_standing(world.addresses[0], world.addresses[-1]) == {world.addresses[0]}


def test_firehose_tells_the_same_posts_as_the_api(world: World) -> None:
    events = world.listen(0, lambda event: any(post.text == "of the collector itself" for post in event.posts))
    streamed = {post.native_id: post for event in events for post in event.posts}
    assert set(world.addresses) <= set(streamed)
    assert [entry for event in events for entry in event.rejected] == []
    numbers = [event.seq for event in events if event.seq]
    assert numbers == sorted(set(numbers))
    walked = by_address(world.walk(replace(world.query, endpoint="authors", words=world.union.did)))
    future = world.addresses[N_POSTS]
    assert {address: streamed[address] for address in walked if address != future} == {
        address: post for address, post in walked.items() if address != future
    }


def test_cursor_of_the_future_gives_one_error_frame(world: World) -> None:
    assert world.listen(10**12, lambda event: True) == [Event(None, None, error="FutureCursor")]


def until(is_so: Callable[[], bool]) -> None:
    """The AppView follows the PDS a moment later."""
    deadline = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_deleted_post_is_gone_from_the_refresh_and_told_by_the_firehose(world: World) -> None:
    (address,) = world.network.write_posts(world.union, [post("I should not have said this")])
    written = world.listen(0, lambda event: any(post.native_id == address for post in event.posts))[-1]
    until(lambda: world.still_standing(address) == {address})
    world.network.delete_post(world.union, address)
    until(lambda: world.still_standing(world.addresses[0], address) == {world.addresses[0]})
    assert written.seq is not None
    assert world.listen(written.seq, lambda event: bool(event.gone))[-1].gone == (address,)


def test_deactivated_author_is_gone_from_feed_refresh_and_firehose(world: World) -> None:
    leaving = world.network.create_account("leaving")
    (address,) = world.network.write_posts(leaving, [post("my last words here")])
    until(lambda: world.still_standing(address) == {address})
    world.network.deactivate(leaving)
    assert world.listen(0, lambda event: bool(event.gone_authors))[-1].gone_authors == (leaving.did,)
    until(lambda: world.still_standing(address) == set())
    assert world.ask(replace(world.query, endpoint="authors", words=leaving.did)) == Page(
        (), gone_authors=(leaving.did,)
    )


def test_network_with_rate_limits_tells_them() -> None:
    with AtprotoNetwork(rate_limits=True) as network:
        answer = httpx.get(f"{network.pds}/xrpc/com.atproto.sync.listRepos", trust_env=False)
    assert answer.headers["RateLimit-Limit"] == "3000"

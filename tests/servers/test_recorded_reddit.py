"""Lists that the real Reddit API gave over ten years, as praw recorded them: each is read, or refused for a reason with a name.

Prints counts only; the recordings hold posts of real people.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from recordings import Exchange, reddit

from screener.collect.connector import Page, Query
from screener.collect.connectors.reddit import parse_page, parse_refresh
from screener.errors import NoDataError, RefusedError, SourceError

pytestmark = pytest.mark.servers

_LIST = re.compile(r"(?!/(users|subreddits|message)/).*/(?P<endpoint>search|new|comments)(\.json)?/?")
_OTHERS = re.compile(r"/(users/new|subreddits/(search|new))/?")


def get(pattern: re.Pattern[str]) -> Iterator[tuple[Exchange, re.Match[str]]]:
    for exchange in reddit():
        found = pattern.fullmatch(httpx.URL(exchange.url).path)
        if exchange.method == "GET" and found:
            yield exchange, found


def answer(exchange: Exchange) -> httpx.Response:
    return httpx.Response(exchange.status, content=exchange.body, request=httpx.Request("GET", exchange.url))


def parse(exchange: Exchange, endpoint: str) -> Page:
    return parse_page(answer(exchange), Query("reddit", endpoint, "https://oauth.reddit.com"))


def test_every_recorded_list_is_read_with_every_record_accounted_for() -> None:
    counts: Counter[str] = Counter()
    for exchange, found in get(_LIST):
        page = parse(exchange, found["endpoint"])
        counts[f"pages of {found['endpoint']}"] += 1
        counts["posts"] += len(page.posts)
        counts["replies"] += sum(post.reply_to is not None for post in page.posts)
        counts["edited"] += sum(post.edited_at is not None for post in page.posts)
        counts["gone"] += len(page.gone)
        counts["set aside"] += len(page.rejected)
        counts["with a next page"] += page.next_cursor is not None
        assert all(post.created_at and post.author for post in page.posts)
    print(f"\n{dict(counts)}")
    assert counts["pages of new"] >= 150
    assert counts["pages of comments"] >= 100
    assert counts["pages of search"] >= 1
    assert counts["posts"] >= 20_000
    assert counts["replies"] >= 7_000
    assert counts["edited"] >= 200
    assert counts["with a next page"] >= 200
    assert counts["set aside"] <= 5


def test_lists_of_subreddits_are_refused_by_name_and_never_taken_for_posts() -> None:
    refused = 0
    for exchange, _ in get(_OTHERS):
        if b"t5_" in exchange.body:  # one list is empty
            with pytest.raises(NoDataError, match="no such subreddit"):
                parse(exchange, "new")
            refused += 1
    assert refused >= 10


def test_every_recorded_error_is_refused_by_name() -> None:
    told: Counter[str] = Counter()
    for exchange, _ in get(re.compile(r".*")):
        if exchange.status >= 400:
            with pytest.raises(SourceError) as raised:
                parse(exchange, "new")
            told[f"{exchange.status} {type(raised.value).__name__}"] += 1
            assert exchange.status not in {401, 403} or isinstance(raised.value, RefusedError)
    print(f"\n{dict(told)}")
    assert sum(told.values()) >= 20


def test_recorded_refreshes_give_the_submissions_and_comments_asked_for() -> None:
    found = 0
    for exchange, _ in get(re.compile(r"/api/info/?")):
        native_ids = httpx.URL(exchange.url).params.get("id", "").split(",")
        if all(native_id.startswith(("t1_", "t3_")) for native_id in native_ids):
            posts = parse_refresh(answer(exchange), native_ids).posts
            assert {post.native_id for post in posts} <= set(native_ids)
            found += len(posts)
    assert found >= 10

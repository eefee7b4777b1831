"""2,242 feeds that others collected because they are difficult: each is read, or refused by name."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest
from recordings import FOLDER, Feed, feeds

from screener.collect.connector import Query
from screener.collect.connectors.rss import CONNECTOR
from screener.errors import ParseError, SourceError

pytestmark = pytest.mark.servers

QUERY = Query("rss", "feed", "https://union.example/feed.xml")


@pytest.fixture(scope="module")
def recorded() -> list[Feed]:
    return list(feeds(FOLDER))


def outcome(feed: Feed) -> tuple[str, int, int]:
    """What became of a feed, and how many posts and refused entries it gave."""
    response = httpx.Response(200, content=feed.body, request=CONNECTOR.build_request(QUERY, None))
    try:
        page = CONNECTOR.parse_page(response, QUERY)
    except (ParseError, SourceError) as error:
        return type(error).__name__, 0, 0
    assert all(post.text and post.native_id for post in page.posts), feed.name
    return "read", len(page.posts), len(page.rejected)


def test_every_recorded_feed_is_read_or_refused_by_name(recorded: list[Feed]) -> None:
    outcomes = [outcome(feed) for feed in recorded]
    became = Counter(name for name, _, _ in outcomes)
    n_posts, n_rejected = (sum(counts) for counts in list(zip(*outcomes, strict=True))[1:])
    print(f"\n{len(recorded)} feeds: {dict(became)}; {n_posts} posts, {n_rejected} entries without text")
    assert len(recorded) == 2242
    assert set(became) <= {"read", "ParseError"}
    assert became["read"] >= 1960
    assert n_posts >= 500
    assert n_rejected <= 701


def test_well_formed_feeds_are_all_read_but_those_of_a_format_that_died_in_1999(recorded: list[Feed]) -> None:
    """The Channel Definition Format is neither RSS nor Atom."""
    refused = [feed.name for feed in recorded if feed.name.startswith("wellformed/") and outcome(feed)[0] != "read"]
    assert len(refused) == 15
    assert all("cdf" in name for name in refused)

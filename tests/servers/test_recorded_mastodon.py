"""Answers of a real Mastodon, recorded by others: each is read, or refused by name. Counts only are printed."""

from __future__ import annotations

from collections import Counter
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from recordings import Exchange, mastodon

from screener.collect.connector import Query
from screener.collect.connectors.mastodon import CONNECTOR, parse_refresh
from screener.collect.connectors.mastodon_rules import parse_instance
from screener.errors import NoDataError, ParseError, RefusedError, SourceError

pytestmark = pytest.mark.servers


def kind_of(exchange: Exchange) -> str:
    """Which of the connector's questions the recorded one is like; empty for what it never asks."""
    path = urlsplit(exchange.url).path.rstrip("/")
    if exchange.method != "GET" or not path.startswith("/api/v"):
        return ""
    if "/timelines/" in path:
        return "tag" if "/timelines/tag/" in path else "public"
    if path.startswith("/api/v1/accounts/") and path.endswith("/statuses"):
        return "public"
    if path.startswith("/api/v1/statuses/") and path.count("/") == 4:
        return "refresh"
    return {"/api/v2/search": "search", "/api/v2/instance": "instance"}.get(path, "")


@pytest.fixture(scope="module")
def recorded() -> list[tuple[str, Exchange]]:
    return [(kind, exchange) for exchange in mastodon() if (kind := kind_of(exchange))]


def read(kind: str, exchange: Exchange) -> Counter[str]:
    """What became of the exchange: names of errors, or how many posts and refused records it gave."""
    address = urlsplit(exchange.url)
    request = httpx.Request(exchange.method, exchange.url)
    headers = {name: value for name, value in exchange.headers.items() if name in {"link", "x-ratelimit-limit"}}
    response = httpx.Response(exchange.status, headers=headers, content=exchange.body, request=request)
    last = unquote(address.path.rpartition("/")[2])
    try:
        if kind == "instance":
            return Counter(instances=1, announced=parse_instance(response).access.tag == "anyone")
        if kind == "refresh":
            page = parse_refresh(response, [f"{address.netloc}/{last}"])
        else:
            query = Query("mastodon", kind, f"{address.scheme}://{address.netloc}", words=last)
            page = CONNECTOR.parse_page(response, query)
    except (ParseError, SourceError) as error:
        return Counter({type(error).__name__: 1})
    assert all(post.text and post.native_id and post.created_at for post in page.posts), exchange.name
    return Counter(pages=1, posts=len(page.posts), rejected=len(page.rejected), following=bool(page.next_cursor))


def test_every_recorded_answer_is_read_or_refused_by_name(recorded: list[tuple[str, Exchange]]) -> None:
    became: dict[str, Counter[str]] = {}
    for kind, exchange in recorded:
        became.setdefault(kind, Counter()).update(read(kind, exchange))
    print(
        f"\n{len(recorded)} exchanges: " + "; ".join(f"{kind} {dict(found)}" for kind, found in sorted(became.items()))
    )
    assert len(recorded) >= 170
    assert {error for found in became.values() for error in found if error.endswith("Error")} <= {
        NoDataError.__name__, RefusedError.__name__,
    }  # fmt: skip
    assert became["tag"]["posts"] >= 80
    assert became["instance"]["announced"] >= 60
    assert sum(found["rejected"] for found in became.values()) == 0


def test_recorded_links_lead_on_along_the_timeline(recorded: list[tuple[str, Exchange]]) -> None:
    tags = [read(kind, exchange) for kind, exchange in recorded if kind == "tag"]
    assert sum(found["following"] for found in tags) >= 9
    assert sum(1 for found in tags if not found["following"]) >= 5

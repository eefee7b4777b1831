"""Every request that the YouTube connector can build, sent to a server that holds them against Google's discovery document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from youtube_contract import Contract, contract

from screener.collect.connector import Query
from screener.collect.connectors.youtube import CONNECTOR, build_refresh, build_request, parse_page, parse_refresh
from screener.records import Span

pytestmark = pytest.mark.servers

SPAN = Span(datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 2, 28, 6, 30, 0, 5, tzinfo=UTC))
SEARCH = Query("youtube", "search", "", "TH", "poultry", "th", "โรงงานไก่ ค่าแรง", SPAN)
COMMENTS = replace(SEARCH, endpoint="comments", words="vidGloves001")
REPLIES = replace(SEARCH, endpoint="replies", words="UgxGlovesTopA4AaABAg")
ASKED = [
    (SEARCH, None),
    (SEARCH, "CDIQAA"),
    (replace(SEARCH, span=None, language=None), None),
    (replace(SEARCH, language="zh"), None),
    (replace(SEARCH, language="ur-Latn", words='"low pay" & <no> contract #gloves'), None),
    (replace(SEARCH, span=Span(SPAN.start, SPAN.start + timedelta(seconds=1))), None),
    (COMMENTS, None),
    (COMMENTS, "QURTSl9pX2V4YW1wbGU="),
    (REPLIES, None),
    (REPLIES, "R0FJeVZnbzBJTg=="),
]
VIDEOS = [f"video:vid{number:08}" for number in range(20)]
REFRESHED = [VIDEOS, VIDEOS[:1], [f"comment:UgxTop{number}.9aReply" for number in range(20)]]
BROKEN = {
    "no-part": ({"part": None}, 422),
    "too-many-results": ({"maxResults": "51"}, 422),
    "unknown-order": ({"order": "newest"}, 422),
    "no-time": ({"publishedAfter": "2026-02-20"}, 422),
}


@pytest.fixture(scope="module")
def served() -> Iterator[Contract]:
    with contract() as running:
        yield running


def send(request: httpx.Request, *, key: str | None = "any") -> httpx.Response:
    """The request as the client sends it: with the key where the connector wants it."""
    assert CONNECTOR.auth is not None
    if key:
        request.headers[CONNECTOR.auth.header] = CONNECTOR.auth.prefix + key
    with httpx.Client() as client:
        return client.send(request)


def requests(address: str) -> list[httpx.Request]:
    asked = [build_request(replace(query, target=address), cursor) for query, cursor in ASKED]
    return asked + [build_refresh(address, native_ids) for native_ids in REFRESHED]


def test_every_request_keeps_the_contract(served: Contract) -> None:
    answers = [send(request) for request in requests(served.address)]
    refused = [f"{answer.request.url}: {answer.text}" for answer in answers if answer.status_code != 200]
    print(f"\nrevision {served.revision}: {len(answers)} requests, {len(refused)} refused")
    assert refused == []


def test_no_request_names_a_parameter_that_the_contract_does_not_have(served: Contract) -> None:
    unknown = {
        f"{request.url.path} {name}"
        for request in requests(served.address)
        for name in request.url.params
        if name not in served.parameters[request.url.path]
    }
    assert unknown == set()


@pytest.mark.parametrize(("changed", "status"), BROKEN.values(), ids=BROKEN)
def test_request_that_breaks_the_contract_is_refused(
    served: Contract, changed: dict[str, str | None], status: int
) -> None:
    request = build_request(replace(SEARCH, target=served.address), None)
    params = dict(request.url.params) | changed
    broken = request.url.copy_with(params={name: value for name, value in params.items() if value is not None})
    assert send(httpx.Request("GET", broken)).status_code == status


def test_request_without_the_key_in_its_header_is_refused(served: Contract) -> None:
    request = build_request(replace(SEARCH, target=served.address), None)
    assert send(request, key=None).status_code == 401


@pytest.mark.parametrize("query", [SEARCH, COMMENTS, REPLIES], ids=lambda query: query.endpoint)
def test_answer_made_from_the_contracts_own_schemas_is_read_whole(served: Contract, query: Query) -> None:
    asked = replace(query, target=served.address)
    page = parse_page(send(build_request(asked, None)), asked)
    assert len(page.posts) == {"search": 1, "comments": 2, "replies": 1}[query.endpoint]
    assert page.rejected == ()
    assert page.next_cursor
    assert all(post.author and post.created_at and post.text for post in page.posts)


@pytest.mark.parametrize("kind", ["video", "comment"])
def test_refreshed_posts_made_from_the_contracts_own_schemas_are_read(served: Contract, kind: str) -> None:
    native_ids = [f"{kind}:string"]
    answer = send(build_refresh(served.address, native_ids))
    whole = httpx.Response(200, content=answer.content.replace(b'"nextPageToken"', b'"prev"'), request=answer.request)
    assert [post.native_id for post in parse_refresh(whole, native_ids).posts] == native_ids

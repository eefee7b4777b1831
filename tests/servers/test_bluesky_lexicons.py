"""Every request of the Bluesky connector against the official lexicons, which come with the installed network."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from atproto_network import is_installed, run_script

from screener.collect.connector import Query
from screener.collect.connectors.bluesky import CONNECTOR, build_request
from screener.collect.connectors.bluesky_firehose import stream_url
from screener.records import Span

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(
        not is_installed(), reason="needs tests/servers/atproto/install.sh, postgresql and redis-server"
    ),
]

LEXICONS = {
    "search": "app.bsky.feed.searchPosts",
    "tags": "app.bsky.feed.searchPosts",
    "authors": "app.bsky.feed.getAuthorFeed",
    "refresh": "app.bsky.feed.getPosts",
    "firehose": "com.atproto.sync.subscribeRepos",
    "sign-in": "com.atproto.server.createSession",
}
FORMATS = {
    "language": r"[a-z]{2}",
    "at-identifier": r"did:[a-z]+:[a-zA-Z0-9._:%-]+|([a-z0-9-]+\.)+[a-z]+",
    "at-uri": r"at://did:[a-z]+:[a-zA-Z0-9._:%-]+/[a-zA-Z.]+/[a-zA-Z0-9._:~-]+",
}


@pytest.fixture(scope="module")
def lexicons() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run_script("lexicons.mjs", *sorted(set(LEXICONS.values()))))
    assert set(found) == set(LEXICONS.values())
    return {name: lexicon["defs"]["main"] for name, lexicon in found.items()}


def breaches(given: httpx.QueryParams, lexicon: dict[str, Any]) -> list[str]:
    """What a lexicon's ``parameters`` have against a request's."""
    schema = lexicon["parameters"]
    found = [f"{name} is missing" for name in schema.get("required", []) if name not in given]
    for name in given:
        if name not in schema["properties"]:
            found.append(f"{name} is unknown")
            continue
        rule, values = schema["properties"][name], given.get_list(name)
        if len(values) > (rule.get("maxLength", len(values)) if rule["type"] == "array" else 1):
            found.append(f"{name}: {len(values)} values")
        item = rule.get("items", rule)
        found += [f"{name}={value!r}" for value in values if not _fits(value, item)]
    return found


def _fits(value: str, rule: dict[str, Any]) -> bool:
    if rule["type"] == "integer":
        return value.isdecimal() and rule.get("minimum", 0) <= int(value) <= rule.get("maximum", 2**53)
    assert rule["type"] == "string", f"no request has a {rule['type']} yet"
    return (
        len(value.encode()) <= rule.get("maxLength", 10_000)
        and value in rule.get("knownValues", [value])
        and re.fullmatch(FORMATS.get(rule.get("format", ""), ".+"), value) is not None
    )


SPAN = Span(datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 2, 28, 6, 30, tzinfo=UTC))
QUERIES = [
    Query("bluesky", "search", "https://pds.example", language=language, words="unpaid & \"overtime\" #শ্রমিক", span=span)
    for language in ("bn", "ceb", None)
    for span in (SPAN, None)
] + [
    Query("bluesky", "tags", "https://pds.example", language="bn", words="শ্রমিক", span=SPAN),
    Query("bluesky", "authors", "https://pds.example", words="did:plc:sewingunionexample2222", span=SPAN),
    Query("bluesky", "authors", "https://pds.example", words="sewing.union.example"),
]  # fmt: skip


@pytest.mark.parametrize("cursor", [None, "100", "2026-02-27T09:15:06.402Z::bafy"])
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.endpoint}-{query.language}-{bool(query.span)}")
def test_request_keeps_to_the_official_lexicon(lexicons: dict[str, Any], query: Query, cursor: str | None) -> None:
    request, name = build_request(query, cursor), LEXICONS[query.endpoint]
    assert request.url.path == f"/xrpc/{name}"
    assert (request.method, lexicons[name]["type"]) == ("GET", "query")
    assert breaches(request.url.params, lexicons[name]) == []


def test_page_size_is_the_most_that_the_lexicons_allow(lexicons: dict[str, Any]) -> None:
    for endpoint in ("search", "tags", "authors"):
        limit = lexicons[LEXICONS[endpoint]]["parameters"]["properties"]["limit"]
        assert CONNECTOR.endpoints[endpoint].page_size == limit["maximum"]


def test_refresh_keeps_to_the_official_lexicon(lexicons: dict[str, Any]) -> None:
    assert CONNECTOR.refresh is not None
    ids = [
        f"at://did:plc:sewingunionexample2222/app.bsky.feed.post/3ln{number}"
        for number in range(CONNECTOR.refresh.batch)
    ]
    lexicon = lexicons[LEXICONS["refresh"]]
    assert breaches(CONNECTOR.refresh.build("https://pds.example", ids).url.params, lexicon) == []
    assert breaches(CONNECTOR.refresh.build("https://pds.example", [*ids, ids[0]]).url.params, lexicon) == [
        "uris: 26 values"
    ]


def test_stream_keeps_to_the_official_lexicon(lexicons: dict[str, Any]) -> None:
    lexicon, url = lexicons[LEXICONS["firehose"]], httpx.URL(stream_url("https://relay.example", 42))
    assert (url.path, lexicon["type"]) == (f"/xrpc/{LEXICONS['firehose']}", "subscription")
    assert breaches(url.params, lexicon) == []
    assert {error["name"] for error in lexicon["errors"]} == {"FutureCursor", "ConsumerTooSlow"}


def test_sign_in_keeps_to_the_official_lexicon(lexicons: dict[str, Any]) -> None:
    assert CONNECTOR.auth is not None
    assert CONNECTOR.auth.build_sign_in is not None
    request = CONNECTOR.auth.build_sign_in("https://pds.example", {"identifier": "collector.example", "password": "p"})
    lexicon = lexicons[LEXICONS["sign-in"]]
    schema, body = lexicon["input"]["schema"], json.loads(request.content)
    assert (request.url.path, request.method, lexicon["type"]) == (f"/xrpc/{LEXICONS['sign-in']}", "POST", "procedure")
    assert set(schema["required"]) <= set(body) <= set(schema["properties"])
    assert request.headers["content-type"] == lexicon["input"]["encoding"]

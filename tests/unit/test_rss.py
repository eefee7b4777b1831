"""RSS and Atom: recorded-style invented pages against goldens, and what a feed may do wrong.

Goldens are rewritten only by ``SCREENER_TEST_WRITE_GOLDENS=1 pytest tests/unit/test_rss.py``.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from screener.collect.connector import Connector, Page, Query, Validators
from screener.collect.registry import CONNECTORS
from screener.collect.rss import RssConnector, plain_text
from screener.errors import ParseError, TerminalSourceError
from screener.records import DiscardReason

PAGES = Path(__file__).resolve().parents[1] / "sources" / "rss"
QUERY = Query("rss", "https://union.example/feed.xml", "TH", "poultry", "th")
COLLECTED = datetime(2026, 3, 2, tzinfo=UTC)


def parse(body: bytes) -> Page:
    return RssConnector().parse_page(body, QUERY, COLLECTED)


@pytest.mark.parametrize("name", ["rss2", "atom"])
def test_page_is_read_as_its_golden_says(name: str) -> None:
    page = parse((PAGES / f"{name}.xml").read_bytes())
    found = json.loads(json.dumps(asdict(page), default=lambda moment: moment.isoformat(), ensure_ascii=False))
    golden = PAGES / f"{name}.expected.json"
    if os.environ.get("SCREENER_TEST_WRITE_GOLDENS"):
        golden.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(golden.read_text(encoding="utf-8"))


def test_page_is_parsed_the_same_way_twice() -> None:
    body = (PAGES / "rss2.xml").read_bytes()
    assert parse(body) == parse(body)


def test_entry_without_words_is_quarantined_with_its_number() -> None:
    (entry,) = parse((PAGES / "rss2.xml").read_bytes()).rejected
    assert (entry.reason, entry.where) == (DiscardReason.NO_TEXT, "https://union.example/feed.xml#entry4")


def test_html_page_is_a_parse_error_that_says_where_the_feed_is() -> None:
    with pytest.raises(
        ParseError, match=r"https://union\.example/feed\.xml: is an HTML page, not a feed; .*rel=alternate"
    ):
        parse((PAGES / "page.html").read_bytes())


@pytest.mark.parametrize("body", [b"", b"{}", b"\x00\xff\xfe", b"plain words"])
def test_something_else_is_a_parse_error(body: bytes) -> None:
    with pytest.raises(ParseError, match="is no RSS or Atom, not a feed"):
        parse(body)


def test_damaged_feed_is_a_parse_error() -> None:
    with pytest.raises(ParseError, match="feed is damaged"):
        parse((PAGES / "damaged.xml").read_bytes())


def test_body_that_is_the_name_of_a_file_opens_no_file() -> None:
    with pytest.raises(ParseError):
        parse(str(PAGES / "rss2.xml").encode())


@pytest.mark.parametrize(
    ("stated", "hint"), [("th-TH", "th"), ("jp", "th"), ("Thai", "th"), ("", "th"), ("en-us", "en")]
)
def test_wrong_language_of_a_feed_costs_no_posts(stated: str, hint: str) -> None:
    body = (PAGES / "rss2.xml").read_bytes().replace(b"th-TH", stated.encode())
    assert {post.language_hint for post in parse(body).posts} == {hint}


def test_build_request_is_conditional_where_the_last_answer_allows() -> None:
    bare = RssConnector().build_request(QUERY, None, Validators())
    assert bare.method == "GET"
    assert not {"if-none-match", "if-modified-since"} & set(bare.headers)
    asked = RssConnector().build_request(QUERY, None, Validators('"abc"', "Tue, 03 Feb 2026 08:00:00 GMT"))
    assert asked.headers["if-none-match"] == '"abc"'
    assert asked.headers["if-modified-since"] == "Tue, 03 Feb 2026 08:00:00 GMT"


def test_build_request_refuses_an_impossible_address() -> None:
    with pytest.raises(TerminalSourceError, match=r"http://\[::1"):
        RssConnector().build_request(Query("rss", "http://[::1", "TH", None), None, Validators())


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a</p><p>b</p>", "a b"),
        ("a &amp; b", "a & b"),
        ("  a\n\tb ", "a b"),
        ("2 < 3", "2 < 3"),
        ("", ""),
        ("<br/>", ""),
    ],
)
def test_plain_text(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize("kind", CONNECTORS)
def test_every_connector_has_recorded_pages_and_says_where_it_comes_from(kind: str) -> None:
    connector: Connector = CONNECTORS[kind]
    assert connector.name == kind
    folder = PAGES.parent / kind
    assert list(folder.glob("*.expected.json"))
    module = __import__(type(connector).__module__, fromlist=["__doc__"])
    assert all(word in module.__doc__ for word in ("Platform:", "Terms:", "Rate limits:", "Known gaps:"))

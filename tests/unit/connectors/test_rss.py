"""RSS and Atom: invented pages against goldens, and what a feed may do wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import SOURCES, check_golden, read

from screener.collect.connector import Page, Query
from screener.collect.connectors.rss import CONNECTOR
from screener.errors import NoDataError, ParseError, RefusedError, TerminalSourceError
from screener.records import DiscardReason, RawPost

PAGES = SOURCES / "rss"
QUERY = Query("rss", "feed", "https://union.example/feed.xml", "TH", "poultry", "th")
ITEM = re.compile(rb"<item>.*?</item>", re.DOTALL)


def parse(body: bytes | str, query: Query = QUERY, **answered: object) -> Page:
    return read(CONNECTOR, query, body, **answered)  # type: ignore[arg-type]


def feed(*items: str, language: str = "") -> str:
    return f'<rss version="2.0"><channel><language>{language}</language>{"".join(items)}</channel></rss>'


def one(item: str, query: Query = QUERY) -> RawPost:
    (post,) = parse(feed(f"<item>{item}</item>"), query).posts
    return post


@pytest.mark.parametrize("name", ["rss2", "atom", "full"])
def test_page_is_read_as_its_golden_says(name: str) -> None:
    check_golden(CONNECTOR, PAGES / f"{name}.xml", QUERY)


def test_page_is_parsed_the_same_way_twice() -> None:
    body = (PAGES / "rss2.xml").read_bytes()
    assert parse(body) == parse(body)


@pytest.mark.parametrize("name", ["rss2", "full"])
def test_order_of_a_feed_changes_no_post(name: str) -> None:
    body = (PAGES / f"{name}.xml").read_bytes()
    turned = ITEM.sub(b"", body).replace(b"</channel>", b"".join(reversed(ITEM.findall(body))) + b"</channel>")
    assert parse(turned).posts == tuple(reversed(parse(body).posts))


def test_a_feed_is_one_page_of_a_source_that_is_asked_conditionally() -> None:
    endpoint = CONNECTOR.endpoints["feed"]
    assert (endpoint.asks, endpoint.is_conditional, endpoint.is_windowed) == ("target", True, False)
    assert parse((PAGES / "rss2.xml").read_bytes()).next_cursor is None


def test_request_goes_to_the_target_as_it_is_written() -> None:
    target = "https://union.example/?feed=rss2&tag=%E0%B9%84%E0%B8%81%E0%B9%88"
    request = CONNECTOR.build_request(replace(QUERY, target=target), None)
    assert (request.method, str(request.url)) == ("GET", target)


def test_request_to_an_impossible_address_is_refused() -> None:
    with pytest.raises(TerminalSourceError, match=r"http://\[::1"):
        CONNECTOR.build_request(replace(QUERY, target="http://[::1"), None)


def test_entry_without_words_is_quarantined_with_its_number() -> None:
    (entry,) = parse((PAGES / "rss2.xml").read_bytes()).rejected
    assert (entry.reason, entry.where) == (DiscardReason.NO_TEXT, "https://union.example/feed.xml#entry4")


def test_full_text_is_preferred_over_the_summary() -> None:
    (first, *_) = parse((PAGES / "full.xml").read_bytes()).posts
    assert "three months’ wages" in first.text
    assert "[…]" not in first.text


def test_summary_stands_in_for_a_full_text_without_words() -> None:
    (_, photo, *_) = parse((PAGES / "full.xml").read_bytes()).posts
    assert photo.text == "Photo of the week\nThe gate of the plant, closed."


def test_title_that_begins_the_text_is_not_said_twice() -> None:
    post = one(
        "<title>They keep our passports</title><description>They keep our passports in the office.</description>"
    )
    assert post.text == "They keep our passports in the office."


def test_links_are_resolved_against_the_feed() -> None:
    assert one("<title>x</title><link>/news/1</link>").url == "https://union.example/news/1"


def test_bare_guid_of_one_site_is_not_that_of_another() -> None:
    item = '<title>x</title><guid isPermaLink="false">17</guid>'
    elsewhere = replace(QUERY, target="https://paper.example/feed.xml")
    assert one(item).native_id == "union.example/17"
    assert one(item, elsewhere).native_id == "paper.example/17"


def test_two_feeds_of_a_site_give_a_post_the_same_id() -> None:
    item = '<title>x</title><guid isPermaLink="false">17</guid>'
    assert one(item).native_id == one(item, replace(QUERY, target="https://union.example/tag/wages/feed")).native_id


@pytest.mark.parametrize("guid", ["https://union.example/?p=17", "tag:union.example,2026:17", "urn:uuid:17"])
def test_guid_that_is_unique_in_the_world_stays_as_it_is(guid: str) -> None:
    assert one(f'<title>x</title><guid isPermaLink="false">{guid}</guid>').native_id == guid


def test_author_is_told_apart_from_the_same_name_on_another_site() -> None:
    item = "<title>x</title><author>Admin</author>"
    assert one(item).author == "union.example/Admin"
    assert one(item, replace(QUERY, target="https://paper.example/feed.xml")).author == "paper.example/Admin"


@pytest.mark.parametrize(
    ("dates", "created_at", "edited_at"),
    [
        ("<published>2026-02-03T08:00:00Z</published><updated>2026-02-04T08:00:00Z</updated>", (2026, 2, 3, 8), (2026, 2, 4, 8)),
        ("<published>2026-02-03T08:00:00Z</published><updated>2026-02-03T08:00:00Z</updated>", (2026, 2, 3, 8), None),
        ("<published>2026-02-03T08:00:00Z</published><updated>2026-02-01T08:00:00Z</updated>", (2026, 2, 3, 8), None),
        ("<updated>2026-02-04T08:00:00Z</updated>", (2026, 2, 4, 8), None),
        ("<published>2026-02-03T08:00:00Z</published>", (2026, 2, 3, 8), None),
        ("<published>2100-01-01T08:00:00+07:00</published>", (2100, 1, 1, 1), None),
        ("<published>yesterday</published>", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_times_pass_on_as_the_feed_says_them(
    dates: str, created_at: tuple[int, ...] | None, edited_at: tuple[int, ...] | None
) -> None:
    entry = f"<entry><id>urn:1</id><title>x</title>{dates}</entry>"
    (post,) = parse(f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>').posts
    moments = [datetime(*at, tzinfo=UTC) if at else None for at in (created_at, edited_at)]  # type: ignore[misc, arg-type]
    assert [post.created_at, post.edited_at] == moments


@pytest.mark.parametrize(
    ("stated", "hint"), [("th-TH", "th"), ("jp", "th"), ("Thai", "th"), ("", "th"), ("en-us", "en")]
)
def test_wrong_language_of_a_feed_costs_no_posts(stated: str, hint: str) -> None:
    body = (PAGES / "rss2.xml").read_bytes().replace(b"th-TH", stated.encode())
    assert {post.language_hint for post in parse(body).posts} == {hint}


def test_html_page_is_a_parse_error_that_says_where_the_feed_is() -> None:
    told = r"https://union\.example/feed\.xml: is an HTML page, not a feed; .*rel=alternate"
    with pytest.raises(ParseError, match=told):
        parse((PAGES / "page.html").read_bytes())


@pytest.mark.parametrize("body", [b"", b"{}", b"\x00\xff\xfe", b"plain words"])
def test_something_else_is_a_parse_error(body: bytes) -> None:
    with pytest.raises(ParseError, match="is no RSS or Atom, not a feed"):
        parse(body)


def test_damaged_feed_is_a_parse_error() -> None:
    with pytest.raises(ParseError, match="feed is damaged"):
        parse((PAGES / "damaged.xml").read_bytes())


@pytest.mark.parametrize("reference", ["&#1114112;", "&#99999999999;"])
def test_character_that_does_not_exist_is_a_parse_error(reference: str) -> None:
    with pytest.raises(ParseError, match="feed is damaged"):
        parse(feed(f"<item><title>a{reference}&nbsp;b</title></item>"))


def test_feed_without_entries_has_no_posts() -> None:
    assert parse(feed()) == Page(())


def test_feed_without_entries_in_a_mislabelled_encoding_is_not_damaged() -> None:
    title = "<title>Gewerkschaft für alle</title>".encode("windows-1252")
    body = b'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>' + title + b"</channel></rss>"
    assert parse(body) == Page(())


@pytest.mark.parametrize(
    ("declared", "stated", "written"),
    [
        ("windows-1251", "utf-8", "windows-1251"),
        ("windows-1251", "iso-8859-1", "windows-1251"),
        ("utf-8", "iso-8859-1", "utf-8"),
        ("", "windows-1251", "windows-1251"),
        ("", "iso-8859-1", "utf-8"),
        ("", "", "utf-8"),
    ],
)
def test_encoding_of_the_file_counts_more_than_that_of_the_web_server(declared: str, stated: str, written: str) -> None:
    xml = f'<?xml version="1.0" encoding="{declared}"?>' if declared else '<?xml version="1.0"?>'
    body = (xml + feed("<item><title>Нам не платят зарплату</title></item>")).encode(written)
    headers = {"content-type": f"text/xml; charset={stated}" if stated else "text/xml"}
    assert [post.text for post in parse(body, headers=headers).posts] == ["Нам не платят зарплату"]


def test_body_that_is_the_name_of_a_file_opens_no_file() -> None:
    with pytest.raises(ParseError):
        parse(str(PAGES / "rss2.xml"))


def test_entity_bomb_is_not_unfolded() -> None:
    entities = "".join(f'<!ENTITY a{i} "&a{i - 1};&a{i - 1};">' for i in range(1, 30))
    bomb = f'<!DOCTYPE rss [<!ENTITY a0 "aaaaaaaa">{entities}]>' + feed("<item><title>&a29;</title></item>")
    assert all(len(post.text) < 100 for post in parse(bomb).posts)


def test_file_of_this_machine_is_not_read_through_an_entity(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not for feeds", encoding="utf-8")
    doctype = f'<!DOCTYPE rss [<!ENTITY leak SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    page = parse(doctype + feed("<item><title>a &leak; b</title></item>"))
    assert all("not for feeds" not in post.text for post in page.posts)


@pytest.mark.parametrize(
    ("status", "error"), [(401, RefusedError), (403, RefusedError), (404, NoDataError), (410, NoDataError)]
)
def test_status_says_whether_a_feed_is_closed_or_gone(status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"HTTP {status}"):
        parse((PAGES / "page.html").read_bytes(), status=status)


@given(st.binary(max_size=300), st.integers(0, 2000), st.integers(0, 40))
def test_damage_anywhere_costs_at_most_the_page(noise: bytes, at: int, cut: int) -> None:
    whole = (PAGES / "rss2.xml").read_bytes()
    try:
        page = parse(whole[:at] + noise + whole[at + cut :])
    except ParseError:
        return
    assert all(post.text and post.native_id for post in page.posts)

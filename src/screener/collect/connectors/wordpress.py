"""WordPress sites of unions, NGOs and labour media, asked over the REST API that each of them brings along.

Platform: any WordPress 4.9.8 (2018) or later. API: https://developer.wordpress.org/rest-api/reference/posts/ and
https://developer.wordpress.org/rest-api/using-the-rest-api/pagination/. Measured against a real WordPress 6.1.
Terms: what it gives without signing in is what the site shows every visitor; the words stay their authors'. There are no
terms of a platform: whoever adds a site reads its own terms and its robots.txt first (some disallow /wp-json/).
Rate limits: none stated; the client keeps its distance between requests, and a page holds 100 posts.
Country, language: by the list of sites alone. A ``lang`` field, which Polylang Pro adds, goes before the target's language.
Search: all words must occur, in title, text or excerpt, also inside longer words; case and accents are alike.
Ten words or more are looked for as one phrase.
Known gaps: comments and other post types are not asked for; nor are sites hosted by wordpress.com itself, whose API is
elsewhere (their feeds can be read); a page builder may leave its ``[shortcodes]`` in the text; one signature (*admin*) often
stands for a whole editorial team.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx

from screener.collect.connector import (
    Connector,
    Endpoint,
    Page,
    Query,
    Refresh,
    read_json,
    require_ok,
)
from screener.collect.connectors.wordpress_records import FIELDS, PROBLEMS, number_of, read_record, site_of, text_of
from screener.collect.normalise import WEB_BORN
from screener.errors import NoDataError, ParseError, TerminalSourceError
from screener.records import DiscardReason, Quarantined, RawPost

_PAGE_SIZE = 100
_ROUTE = "/wp/v2/posts"
_PAST_THE_END = "rest_post_invalid_page_number"
_SLACK = timedelta(minutes=61)
"""Sites compare local times, and an hour of those comes twice when summer time ends; the edges of a span are left out.

The runner checks the time again.
"""
_EXCERPT = 120


def build_request(query: Query, cursor: str | None) -> httpx.Request:
    """One page of the site's posts in the span, or of those that hold all words.

    Ordered by number: posts that came out in the same second (an import) have no order by date, and paging would lose some.
    Raises ``TerminalSourceError`` for an address that none could ask.
    """
    asked = {"per_page": str(_PAGE_SIZE), "page": cursor or "1", "orderby": "id", "order": "desc", "_fields": FIELDS}
    if query.words:
        asked["search"] = " ".join(word.lstrip("-") for word in query.words.split())  # -word would exclude it
    if query.span:
        asked["after"] = f"{query.span.start - _SLACK:%Y-%m-%dT%H:%M:%SZ}"
        asked["before"] = f"{query.span.end + _SLACK:%Y-%m-%dT%H:%M:%SZ}"
    return _request(query.target, asked)


def parse_page(response: httpx.Response, query: Query) -> Page:
    """Posts of a page; ``400`` past the last page is its empty end. Posts behind a password are set aside."""
    if response.status_code == 400 and _error_code(response) == _PAST_THE_END:
        return Page(())
    items = _items(response)
    site, hint = _site(query.target), query.language if query.endpoint == "posts" else None
    posts: list[RawPost] = []
    rejected: list[Quarantined] = []
    for position, item in enumerate(items, start=1):
        found = read_record(item, site, hint)
        if isinstance(found, RawPost):
            posts.append(found)
        else:
            where = f"{query.target}#page{_page_number(response)}-post{position}"
            rejected.append(Quarantined(query.source, where, found, PROBLEMS[found], text_of(item)[:_EXCERPT]))
    return Page(tuple(posts), tuple(rejected), next_cursor=_next_cursor(response, len(items)))


def build_refresh(target: str, native_ids: Sequence[str]) -> httpx.Request:
    """A request for these posts by their numbers; the site leaves out what is deleted or withdrawn.

    Raises ``TerminalSourceError`` for posts of another site: their numbers are other posts here.
    """
    if any(site_of(native_id) != _site(target) for native_id in native_ids):
        raise TerminalSourceError(f"{target}: can't tell whether posts of another site still stand")
    numbers = ",".join(map(number_of, native_ids))
    return _request(target, {"include": numbers, "per_page": str(_PAGE_SIZE), "_fields": FIELDS})


def parse_refresh(response: httpx.Response, native_ids: Sequence[str]) -> Page:
    """Those of the posts that still stand; one that lost its text or was put behind a password is gone.

    Raises ``ParseError`` where the answer isn't about the posts asked for: nothing must be taken for deleted because of that.
    """
    asked, posts = set(native_ids), []
    for item in _items(response):
        found = read_record(item, site_of(native_ids[0]), None)
        if isinstance(found, RawPost) and found.native_id in asked:
            posts.append(found)
        elif found is not DiscardReason.NO_TEXT:
            raise ParseError(str(response.request.url), "answered with something else than the posts asked for")
    return Page(tuple(posts))


def _request(target: str, asked: Mapping[str, str]) -> httpx.Request:
    """A site without pretty permalinks answers at ``?rest_route=`` only; its target ends so."""
    try:
        url = httpx.URL(target)
    except httpx.InvalidURL as error:
        raise TerminalSourceError(f"{target}: {error}") from error
    if "rest_route" in url.params:
        url = url.copy_set_param("rest_route", _ROUTE)
    else:
        url = url.copy_with(path=f"{url.path.rstrip('/')}/wp-json{_ROUTE}")
    return httpx.Request("GET", url.copy_merge_params(dict(asked)), headers={"Accept": "application/json"})


def _items(response: httpx.Response) -> list[Any]:
    where = str(response.request.url)
    if response.status_code == 404:
        hint = "a site without pretty permalinks needs '/?rest_route=' at the end of its address, one in a folder the folder"
        raise NoDataError(f"{where}: HTTP 404, no REST API here; {hint}")
    require_ok(response)
    items: list[Any] = read_json(response, list)
    if any("slug" in item for item in items if isinstance(item, dict)):
        # not among FIELDS: some web servers keep the query from WordPress, and every page would be the same, found by any words
        raise TerminalSourceError(
            f"{where}: the site doesn't read what it is asked for (or is older than WordPress 4.9.8)"
        )
    return items


def _error_code(response: httpx.Response) -> object:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return body.get("code") if isinstance(body, dict) else None


def _site(target: str) -> str:
    """The site's name in ids: without the scheme, so that a move to https makes no second post of each."""
    url = httpx.URL(target)
    return f"{url.netloc.decode('ascii')}{url.path.rstrip('/')}"


def _page_number(response: httpx.Response) -> int:
    return int(response.request.url.params.get("page", "1"))


def _next_cursor(response: httpx.Response, n_items: int) -> str | None:
    """The next page's number; where a proxy took the count of pages away, a full page has a next one."""
    page = _page_number(response)
    pages = response.headers.get("x-wp-totalpages", "")
    has_more = page < int(pages) if re.fullmatch(r"\d{1,9}", pages) else n_items >= _PAGE_SIZE
    return str(page + 1) if has_more else None


CONNECTOR = Connector(
    kind="wordpress",
    endpoints={
        "search": Endpoint(asks="words", page_size=_PAGE_SIZE, is_windowed=True, is_newest_first=False),
        "posts": Endpoint(asks="target", page_size=_PAGE_SIZE, is_windowed=True, is_newest_first=False),
    },
    born=WEB_BORN,  # sites keep the dates of what they moved over from before there was WordPress
    build_request=build_request,
    parse_page=parse_page,
    refresh=Refresh(batch=_PAGE_SIZE, build=build_refresh, parse=parse_refresh, by_address=True, group=site_of),
)

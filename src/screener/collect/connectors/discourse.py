"""Discourse: a forum's newest posts, and posts found by words.

Platform: forums that run Discourse, each with rules and an administration of its own. Reference: https://docs.discourse.org
and, for what it doesn't say, the source (discourse/discourse: ``posts_controller``, ``search_controller``, ``lib/search``).

Terms: every forum has its own (``/tos``, ``/guidelines``); read them and its robots.txt before adding a target. Only what a
visitor without an account sees is asked for, so no credentials are taken: with them the same addresses would show closed
categories. Limits: set by each administration; an anonymous visitor's searches are limited by the minute (429).
There is no country and no language: a target may state both.

A post is called ``host/number``. Its author is the user name, the only name that all endpoints give. The topic's title
belongs to its first post. Quotations, previews of links and captions that the forum puts into the HTML are not the author's
words: quotations are marked with ``> ``, the rest is left out. What is flagged, hidden or deleted is gone.

``posts``: all public posts, newest first. Older versions answer ``before`` with the fifty *numbers* up to and with it, so a
page may be short or empty though there is more below; newer ones with fifty posts below it. Which of both it is shows where
nothing lies below ``before``: older versions repeat the post itself. The cursor is ``before``, with a zero in front (which means
nothing to the server) where fifty numbers were passed over for that reason, so that an empty page isn't the end there.

``search``: by day (UTC, not verified), fifty a page and ten pages; a day is the least that can be asked for. It gives an *excerpt* (``blurb``, about 300 characters around
the words) of one post a topic; the first refresh brings the whole text. A forum under load answers 200 with an error inside.

Known gaps: search finds one post of a topic, and no more than 500 a day. Which post is answered is told by its place in the
topic only, not by its number. An older Discourse whose fifty newest posts are all private seems to have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any

import httpx

from screener.collect.connector import Connector, Endpoint, Page, Query, Refresh, read_json, require_ok
from screener.collect.connectors.discourse_records import is_a_persons, is_off, number, place_of, read_post, titles
from screener.errors import ParseError, TerminalSourceError, TransientSourceError
from screener.records import DiscardReason, Quarantined, RawPost, Span

KIND = "discourse"
_PAGE, _LAST_PAGE = 50, 10


def build_request(query: Query, cursor: str | None) -> httpx.Request:
    """One page, newest first."""
    if query.endpoint == "posts":
        return httpx.Request("GET", f"{query.target}/posts.json", params={"before": cursor} if cursor else {})
    words = f'"{query.words}"' if " " in query.words and '"' not in query.words else query.words
    asked = " ".join([words, "order:latest", *_days(query.span)])
    return httpx.Request("GET", f"{query.target}/search.json", params={"q": asked, "page": cursor or "1"})


def parse_page(response: httpx.Response, query: Query) -> Page:
    """Public posts; raises ``RefusedError`` for a forum that is for members only."""
    require_ok(response)
    body, where = read_json(response), str(response.request.url)
    if query.endpoint == "posts":
        records = _list(body, "latest_posts", where)
        return _page(records, {}, query, _next_before(response.request, records))
    found = body.get("grouped_search_result")
    if isinstance(found, dict) and found.get("error"):
        raise TransientSourceError(f"{where}: the forum is too busy to search")
    records, page = _list(body, "posts", where), int(response.request.url.params["page"])
    has_more = isinstance(found, dict) and found.get("more_full_page_results") is True and bool(records)
    if not has_more or page < _LAST_PAGE:
        return _page(records, titles(body), query, str(page + 1) if has_more else None)
    # a day and less is not called capped: it can't be cut further, and every piece of it would give the same ten pages
    can_be_cut = query.span is not None and query.span.end - query.span.start > timedelta(days=1)
    return _page(records, titles(body), query, None, is_capped=can_be_cut)


def build_refresh(target: str, native_ids: Sequence[str]) -> httpx.Request:
    """Does this one post still stand? Asked as ``posts`` is, for a single post's own address gives no title.

    Raises ``TerminalSourceError`` for a post of another forum.
    """
    place, post_id = _split(native_ids[0])
    if place != place_of(target):
        raise TerminalSourceError(f"{target}: a post of {place} can only be asked for there")
    return httpx.Request("GET", f"{target}/posts.json", params={"before": str(post_id + 1)})


def parse_refresh(response: httpx.Response, native_ids: Sequence[str]) -> Page:
    """The post, edited or not; an empty page if it is gone, hidden, or in a closed category now."""
    require_ok(response)
    where, (place, post_id) = str(response.request.url), _split(native_ids[0])
    records = _list(read_json(response), "latest_posts", where)
    if any(found > post_id + 1 for found in _numbers(records)):
        raise ParseError(where, "newer posts were answered than asked for")
    asked = [record for record in records if _numbers([record]) == [post_id]]
    page = _page(asked, {}, Query(KIND, "posts", f"https://{place}"), None)
    if any(record.reason is not DiscardReason.NO_TEXT for record in page.rejected):
        raise ParseError(where, f"the post {page.rejected[0].detail}")
    return Page(page.posts)


def _page(
    records: list[Any], topic_titles: dict[int, str], query: Query, following: str | None, *, is_capped: bool = False
) -> Page:
    posts: list[RawPost] = []
    rejected: list[Quarantined] = []
    gone: list[str] = []
    for count, record in enumerate(records, start=1):
        where = f"{query.target}#post{count}"
        found = number(record.get("id")) if isinstance(record, dict) else None
        if found is None:
            rejected.append(Quarantined(query.source, where, DiscardReason.NO_ID, "has no id", ""))
        elif is_off(record):
            gone.append(f"{place_of(query.target)}/{found}")
        elif is_a_persons(record):
            post = read_post(record, found, topic_titles, query.target, query.source, where)
            if isinstance(post, RawPost):
                posts.append(post)
            else:
                rejected.append(post)
    n_skipped = len(records) - len(posts) - len(rejected) if records else _PAGE if following else 0
    return Page(tuple(posts), tuple(rejected), following, gone=tuple(gone), n_skipped=n_skipped, is_capped=is_capped)


def _next_before(request: httpx.Request, records: list[Any]) -> str | None:
    numbers, asked = _numbers(records), request.url.params.get("before", "")
    lowest, before = min(numbers, default=0), int(asked or 0)
    if numbers and (not asked or lowest < before):
        return str(lowest)
    is_passing_over = lowest == before if numbers else asked.startswith("0")
    return f"0{before - _PAGE}" if is_passing_over and before > _PAGE else None


def _days(span: Span | None) -> list[str]:
    """The days that the span touches: the forum takes no times of the day."""
    if span is None:
        return []
    end = span.end.date() + timedelta(days=0 if span.end.time() == time() else 1)
    return [f"after:{span.start.date()}", f"before:{end}"]


def _list(body: dict[str, Any], key: str, where: str) -> list[Any]:
    records = body.get(key)
    if not isinstance(records, list):
        raise ParseError(where, f"no list of {key} in the answer")
    return records


def _numbers(records: list[Any]) -> list[int]:
    found = [number(record.get("id")) for record in records if isinstance(record, dict)]
    return [post_id for post_id in found if post_id is not None]


def _split(native_id: str) -> tuple[str, int]:
    place, _, post_id = native_id.rpartition("/")
    return place, int(post_id)


CONNECTOR = Connector(
    kind=KIND,
    endpoints={
        "posts": Endpoint(asks="target", page_size=_PAGE),
        "search": Endpoint(asks="words", page_size=_PAGE, is_windowed=True),
    },
    born=date(1990, 1, 1),  # forums bring their posts along from older software, dates included
    build_request=build_request,
    parse_page=parse_page,
    refresh=Refresh(batch=1, build=build_refresh, parse=parse_refresh, by_address=True),
)

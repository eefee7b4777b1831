"""Lemmy, PieFed and the servers that speak Lemmy's API: posts and comments found by words, and a server's newest posts.

Platform: forums of the fediverse, each server with rules and an administration of its own. Reference: version 3 of the API,
https://join-lemmy.org/api/ (read as the types of LemmyNet/lemmy-js-client) and, for PieFed, its OpenAPI file (read in
theatl-social/pyfedi). A target is a server; where its API has another version than ``v3``, that is said at the end:
``https://piefed.example?api=alpha``.

Terms: every server has its own; read them and its robots.txt before adding a target. Large servers are reported to ask there for
a minute between requests (``Crawl-delay: 60``; not verified), which the shipped config keeps. Limits: set by each administration.
There is no country. Languages are numbers that mean something else on each server, so they are no hint here.

**Only a server's own people are taken**: those posts whose ``ap_id`` (the native id: the same through every endpoint)
lies on the server asked. Copies of other servers' posts can be found there too, but whether they still stand can only be
asked at their origin, and deletions must be followed. Reading a closed server through its neighbours is left alone as well.

The text of a post is its title and its body, as its author wrote them: Markdown. ``deleted`` and ``removed`` are gone; what is
shared by a link only (``url``) is a post if it has a title. A comment's ``thread`` is its post; ``reply_to`` is known for
comments on the post itself only, for of other parents the API gives just a local number.

Known gaps: PieFed searches no comments. A page number moves on when new posts come in between two requests: some posts are
then seen twice; one is missed only if another was deleted meanwhile. ``next_page`` is not trusted: PieFed says ``null`` though there is a next page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import httpx

from screener.collect.connector import Connector, Endpoint, Page, Query, Refresh, read_json, require_ok
from screener.collect.connectors.lemmy_records import host_of, published, read_view
from screener.collect.json_values import table, word
from screener.errors import ParseError, RefusedError, TerminalSourceError, TransientSourceError
from screener.records import DiscardReason

KIND = "lemmy"
_PAGE, _LAST_PAGE = 50, 100
"""A server that ignores ``page`` repeats its first one for ever; a hundred pages are more than a phrase should find."""
_OWN_NUMBER = re.compile(r"/(?:post|comment|c/[^/]+/p)/(?P<number>\d+)(?:/[^/]*)?$")
"""Where an ``ap_id`` holds the number that its own server knows the post by."""
_GONE = frozenset({"couldnt_find_post", "couldnt_find_comment", "not_found", "Not found"})
_REFUSED = frozenset({"instance_is_private", "not_logged_in", "incorrect_login"})


def build_request(query: Query, cursor: str | None) -> httpx.Request:
    """One page, newest first; the cursor is the number of the page."""
    asked = {"sort": "New", "limit": str(_PAGE), "page": cursor or "1"}
    if query.endpoint == "posts":
        return httpx.Request("GET", f"{_api(query.target)}/post/list", params={"type_": "All", **asked})
    kind = "Comments" if query.endpoint == "search_comments" else "Posts"
    return httpx.Request("GET", f"{_api(query.target)}/search", params={"q": query.words, "type_": kind, **asked})


def parse_page(response: httpx.Response, query: Query) -> Page:
    """Posts or comments of the server's own people; raises ``RefusedError`` for a server that shows them to members only."""
    _require_good(response)
    kind = "comment" if query.endpoint == "search_comments" else "post"
    views = read_json(response).get(f"{kind}s")
    if not isinstance(views, list):
        raise ParseError(str(response.request.url), f"no list of {kind}s in the answer")
    pages = [
        read_view(view, kind, query.target, query.source, f"{query.target}#{kind}{n}")
        for n, view in enumerate(views, start=1)
    ]
    posts = tuple(post for part in pages for post in part.posts)
    rejected = tuple(record for part in pages for record in part.rejected)
    page, has_more = int(response.request.url.params["page"]), _has_more(views, kind, query)
    return Page(
        posts,
        rejected,
        next_cursor=str(page + 1) if has_more and page < _LAST_PAGE else None,
        gone=tuple(native_id for part in pages for native_id in part.gone),
        gone_authors=tuple(dict.fromkeys(author for part in pages for author in part.gone_authors)),
        n_skipped=len(views) - len(posts) - len(rejected),
        is_capped=has_more and page >= _LAST_PAGE,
    )


def _has_more(views: list[Any], kind: str, query: Query) -> bool:
    """A full page that doesn't lie wholly before the span: the runner sees that by the posts, but all may be other servers'."""
    times = [moment for view in views if (moment := published(view, kind))]
    is_past = query.span is not None and bool(times) and max(times) < query.span.start
    return len(views) >= _PAGE and not is_past


def build_refresh(target: str, native_ids: Sequence[str]) -> httpx.Request:
    """Does this one post or comment still stand? Raises ``TerminalSourceError`` for one that this server can't be asked for."""
    found = _OWN_NUMBER.search(native_ids[0])
    if found is None or host_of(native_ids[0]) != host_of(target):
        raise TerminalSourceError(
            f"{target}: a post of {host_of(native_ids[0])} can't be asked for by its address here"
        )
    return httpx.Request("GET", f"{_api(target)}/{_kind(native_ids[0])}", params={"id": found["number"]})


def parse_refresh(response: httpx.Response, native_ids: Sequence[str]) -> Page:
    """The post, edited or not; an empty page if the server says that it has no such post, or that it was deleted.

    Only the API's own words mean gone, not the status: Lemmy and PieFed say so with 400, as they say much else.
    """
    if _problem(response) in _GONE:
        return Page(())
    _require_good(response)
    native_id, where = native_ids[0], str(response.request.url)
    kind = _kind(native_id)
    page = read_view(read_json(response).get(f"{kind}_view"), kind, native_id, KIND, where)
    if page.rejected and page.rejected[0].reason is not DiscardReason.NO_TEXT:
        raise ParseError(where, f"the {kind} {page.rejected[0].detail}")
    if any(post.native_id != native_id for post in page.posts):
        raise ParseError(where, f"another {kind} was answered than asked for")
    return Page(page.posts, gone_authors=page.gone_authors)


def _require_good(response: httpx.Response) -> None:
    """Lemmy says with status 400 what others say with 401 and 429."""
    where, problem = str(response.request.url), _problem(response)
    if problem in _REFUSED:
        raise RefusedError(f"{where}: HTTP {response.status_code} ({problem})")
    if problem == "rate_limit_error":
        raise TransientSourceError(f"{where}: HTTP {response.status_code} ({problem})")
    require_ok(response)


def _problem(response: httpx.Response) -> str:
    """Lemmy's word for the error, or PieFed's; empty for a good answer and for what is no JSON."""
    if response.status_code < 400:
        return ""
    try:
        body = table(json.loads(response.content))
    except (ValueError, RecursionError):
        return ""
    return word(body.get("error")) or word(body.get("status")) or ""


def _api(target: str) -> str:
    server, _, version = target.partition("?api=")
    return f"{server.rstrip('/')}/api/{version or 'v3'}"


def _kind(native_id: str) -> str:
    return "comment" if "/comment/" in native_id else "post"


CONNECTOR = Connector(
    kind=KIND,
    endpoints={
        "search": Endpoint(asks="words", page_size=_PAGE),
        "search_comments": Endpoint(asks="words", page_size=_PAGE),
        "posts": Endpoint(asks="target", page_size=_PAGE),
    },
    born=date(2019, 4, 1),
    build_request=build_request,
    parse_page=parse_page,
    refresh=Refresh(batch=1, build=build_refresh, parse=parse_refresh, by_address=True),
)

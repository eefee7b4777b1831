"""Mastodon and the servers that speak its API: posts by hashtag, of one server's own timeline, and by words.

Platform: Mastodon, GoToSocial, Takahē, Akkoma and others, each server with rules and an administration of its own. Reference:
https://docs.joinmastodon.org/methods/timelines/, .../search/, .../statuses/ (read in the repository mastodon/documentation).

Terms: every server has its own (``mastodon_rules`` reads how many rules it states); read them before adding a target. What
binds all of them here: the account's wishes (below), the timeline access that Mastodon 4.5 announces, and deletions, for
which each post is asked for again. Limits: 300 requests in 5 minutes an address and an account
(https://docs.joinmastodon.org/api/rate-limits/), 40 statuses a page. There is no country: choose servers of a country, or
let the watch's words tell it. ``language`` is what the author's app said, ``null`` on Takahē.

**Only a server's own people are taken** (``local=true``, checked again here), and a post is called ``host/status id``.
The federated ``uri`` would name a post alike on all servers, but no server can be asked for it without a user's token; a copy
seen elsewhere could then neither be refreshed nor placed in its thread, and reading a closed server's posts through an open
neighbour would get round its refusal. Each post is seen at its origin alone, so nothing is counted twice either. The price is
reach: what is not a target is not seen. Ids aren't made from times to bound a window: only Mastodon's own carry one.

**Who is taken**: ``public`` posts only; ``unlisted`` ("quiet public") ones are out of live feeds and search by their
author's choice (https://docs.joinmastodon.org/user/posting/#unlisted). ``noindex`` says no to indexing and is obeyed always.
``indexable`` and ``discoverable`` are about finding public posts by their words and about discovery services, and the
documentation asks tools to respect them (https://docs.joinmastodon.org/spec/activitypub/#indexable-flag, #discoverability-flag):
where one is false, nothing is taken from the timeline or the search. A hashtag is how an author makes a post "discoverable to
anyone searching for that hashtag" (.../user/posting/#hashtags), so tagged posts are taken under the tag asked for. Bots are kept.

Known gaps: a server without Elasticsearch answers every search for statuses with nothing, one with a switched-off timeline
may do so too (see ``mastodon_rules``); search pages by ``offset``, which needs a *user's* token. Takahē cuts
hashtags at combining marks, so such tags find nothing there, and answers 500 for a deleted post, so deletions can't be
learned there. GoToSocial's accounts are not ``discoverable`` unless they ask for it: hashtags only. Polls' options are answers offered, not words said, and are left out; so are descriptions of pictures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import parse_qs, quote

import httpx

from screener.collect.connector import Auth, Connector, Endpoint, Page, Query, Refresh, Rules, read_json, require_ok
from screener.collect.connectors.mastodon_records import (
    KIND,
    is_status,
    may_read,
    name,
    original,
    place_of,
    read_status,
    tagged,
    time_of,
)
from screener.collect.connectors.mastodon_rules import build_instance_request, closed_endpoints
from screener.collect.text import find_tags
from screener.errors import ParseError, RefusedError, TerminalSourceError
from screener.records import DiscardReason, Quarantined, RawPost

_PAGE = 40
_LAST_OFFSET = 4000
"""A server that ignores ``offset`` repeats its first page for ever; a hundred pages are more than a phrase should find."""


def build_request(query: Query, cursor: str | None) -> httpx.Request:
    """One page, newest first; the cursor is the id to go on below, for a search the number of results to skip."""
    asked = {"limit": str(_PAGE)}
    if query.endpoint == "search":
        words = f'"{query.words}"' if " " in query.words and '"' not in query.words else query.words
        asked |= {"q": words, "type": "statuses"} | ({"offset": cursor} if cursor else {})
        return httpx.Request("GET", f"{query.target}/api/v2/search", params=asked)
    name = f"tag/{quote(query.words.lstrip('#＃'), safe='')}" if query.endpoint == "tag" else "public"
    asked |= {"local": "true"} | ({"max_id": cursor} if cursor else {})
    return httpx.Request("GET", f"{query.target}/api/v1/timelines/{name}", params=asked)


def parse_page(response: httpx.Response, query: Query) -> Page:
    """Public posts of the server's own people; raises ``RefusedError`` where a token is wanted or wrong."""
    _require_open(response)
    if query.endpoint != "search":
        statuses: Any = read_json(response, list)
        return _page(statuses, query, _next_id(response, statuses))
    statuses = read_json(response).get("statuses")
    if not isinstance(statuses, list):
        raise ParseError(str(response.request.url), "no list of statuses in the answer")
    offset = _next_offset(response.request, len(statuses))
    is_capped = offset > _LAST_OFFSET
    return _page(statuses, query, str(offset) if 0 < offset <= _LAST_OFFSET else None, is_capped=is_capped)


def build_refresh(target: str, native_ids: Sequence[str]) -> httpx.Request:
    """Does this one post still stand?

    One by one: ``GET /api/v1/statuses?id[]=`` came with Mastodon 4.3, and a server that doesn't know it may answer with an
    empty list, which would mean that all are deleted. Raises ``TerminalSourceError`` for a post of another server.
    """
    place, _, status_id = native_ids[0].rpartition("/")
    if place != place_of(target):
        raise TerminalSourceError(f"{target}: a post of {place} can only be asked for there")
    return httpx.Request("GET", f"{target}/api/v1/statuses/{quote(status_id, safe='')}")


def parse_refresh(response: httpx.Response, native_ids: Sequence[str]) -> Page:
    """The post, edited or not; an empty page if it is gone, or no longer public, or its author wants no indexing any more.

    404 means gone only if the API says it: behind a web server's own error page there may be no API at all.
    """
    if response.status_code in {404, 410} and "error" in _body(response):
        return Page(())
    _require_open(response)
    status, where, place = read_json(response), str(response.request.url), native_ids[0].rpartition("/")[0]
    post = read_status(status, place, KIND, where)
    if isinstance(post, Quarantined):
        if post.reason is DiscardReason.NO_TEXT:
            return Page(())
        raise ParseError(where, f"the status {post.detail}")
    if post.native_id not in native_ids:
        raise ParseError(where, "another status was answered than asked for")
    has_tags = bool(status.get("tags") or find_tags(post.text))
    return Page((post,) if may_read(status, place, by_tag=has_tags) else ())


def _page(statuses: list[Any], query: Query, following: str | None, *, is_capped: bool = False) -> Page:
    posts: list[RawPost] = []
    rejected: list[Quarantined] = []
    place, is_tag = place_of(query.target), query.endpoint == "tag"
    times = [moment for record in statuses if (moment := time_of(record))]
    if query.span and times and max(times) < query.span.start:
        following, is_capped = None, False  # the runner would see it by the posts, but all of them may be withheld
    for number, record in enumerate(statuses, start=1):
        status = original(record)
        if is_status(status) and not may_read(status, place, by_tag=is_tag):
            continue  # before it is read: a post that may not be taken must not leave an excerpt in quarantine
        post = read_status(status, place, query.source, f"{query.target}#status{number}")
        if isinstance(post, Quarantined):
            rejected.append(post)
        elif not is_tag or tagged(status, post.text, query.words):
            posts.append(post)
    n_skipped = len(statuses) - len(posts) - len(rejected)
    return Page(tuple(posts), tuple(rejected), following, n_skipped=n_skipped, is_capped=is_capped)


def _next_offset(request: httpx.Request, n_found: int) -> int:
    """0 after the last page. Half a page is taken for a full one: servers drop limited accounts after they have counted."""
    return int(request.url.params.get("offset", "0")) + _PAGE if n_found >= _PAGE // 2 else 0


def _next_id(response: httpx.Response, statuses: list[Any]) -> str | None:
    """The ``max_id`` of the ``Link``, whose host and scheme may lie; without a ``Link``, the id of the last status."""
    if not statuses:
        return None
    link = response.links.get("next", {}).get("url", "")
    given = parse_qs(link.partition("?")[2]).get("max_id", [""])[0]
    last = statuses[-1].get("id") if isinstance(statuses[-1], dict) else None
    following = given or (name(last) if link or "link" not in response.headers else None)
    return None if following == response.request.url.params.get("max_id") else following


def _require_open(response: httpx.Response) -> None:
    """Statuses by which servers say that a token is wanted or wrong, then what every error status means."""
    status, said = response.status_code, response.content[:500].decode("utf-8", "replace").lower()
    wants_token = status in {401, 403} or (status == 422 and "authenticated" in said)
    if wants_token or (status == 400 and "token" in said):
        told = "a valid token of an account or app on this server is needed here"
        raise RefusedError(f"{response.request.url}: HTTP {status}; {told}")
    require_ok(response)


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


CONNECTOR = Connector(
    kind=KIND,
    endpoints={
        "tag": Endpoint(asks="tags", page_size=_PAGE),
        "public": Endpoint(asks="target", page_size=_PAGE),
        "search": Endpoint(asks="words", page_size=_PAGE, needs=("token",)),
    },
    born=date(2016, 3, 16),
    build_request=build_request,
    parse_page=parse_page,
    auth=Auth(),
    refresh=Refresh(batch=1, build=build_refresh, parse=parse_refresh, by_address=True),
    rules=Rules(build=build_instance_request, parse=closed_endpoints),
)

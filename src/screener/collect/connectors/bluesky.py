"""Bluesky: posts found by phrase, by hashtag and by author, through the ``app.bsky`` API of the AT Protocol.

Platform: Bluesky, and every AT Protocol network with an AppView. Reference: https://docs.bsky.app/docs/category/http-reference;
requests are checked in ``tests/servers`` against the official lexicons.

Terms: https://bsky.social/about/support/tos (not verified) and https://docs.bsky.app/docs/support/developer-guidelines: contact
data that answers, reasonable security, and a way to delete what its author deleted. The sync specification
(https://atproto.com/specs/sync) expects deletions and account states to be followed soon: refresh and firehose do so. Staff
ask not to fill a collection with ``searchPosts`` (https://github.com/bluesky-social/atproto/issues/3423): a few phrases a
watch, and the firehose for more.

Limits: 3,000 requests in 5 minutes an address, 30 sign-ins in 5 minutes and 300 a day an account
(https://docs.bsky.app/docs/advanced-guides/rate-limits), 100 posts a page, 25 posts a refresh. Search stops after 10,000 results
(OpenSearch's window; not verified).

Signing in: search needs an account with an app password, asked at the account's own server (PDS) or at
``https://bsky.social``; anonymous search is often off, and 403 from the second page on. Author feeds and refreshes need no
account at an AppView (``https://public.api.bsky.app``), at a PDS they do.

Country and language: there is no country, only the watch's words tell it. ``lang`` filters by what the author's
app said; it is asked for with phrases in languages of two letters, and nothing is thrown away for it afterwards.

Known gaps: authors who ask to be shown to signed-in people only (label ``!no-unauthenticated``,
https://docs.bsky.app/docs/advanced-guides/moderation) are left out without a trace, for our readers aren't signed in. Who blocks
the collecting account is invisible to it. Words in pictures and their descriptions are not read. Posts brought along from
elsewhere carry dates before the network began. The official app ends a hashtag at a zero-width (non-)joiner.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import httpx

from screener.collect.connector import Auth, Connector, Endpoint, Page, Query, Refresh, Token, read_json, require_ok
from screener.collect.connectors.bluesky_records import (
    KIND,
    PROBLEMS,
    carries_tag,
    is_did,
    is_hidden,
    quarantine,
    read_view,
)
from screener.collect.json_values import inside, word
from screener.errors import NoDataError, ParseError, RefusedError
from screener.records import DiscardReason, Quarantined, RawPost

_PAGE, _BATCH, _CAP = 100, 25, 10_000
_NO_TOKEN = frozenset({"InvalidToken", "ExpiredToken"})
"""Errors that come with status 400 and mean 401."""
_BLOCKS = frozenset({"BlockedActor", "BlockedByActor"})
"""The author and the collecting account: nothing that speaks against the next author, as a refusal would."""
_TOKEN_SECONDS = 1200.0
"""Kept for a token that says nothing of its life: tokens are opaque by the specification, 300 sign-ins a day the limit."""


def build_request(query: Query, cursor: str | None) -> httpx.Request:
    """One page of a search or of an author's feed, newest first."""
    if query.endpoint == "authors":
        name, asked = "getAuthorFeed", {"actor": query.words, "filter": "posts_with_replies"}
    elif query.endpoint == "tags":
        name, asked = "searchPosts", {"q": f"#{query.words}", "tag": query.words, "sort": "latest"}
    else:
        name, asked = "searchPosts", {"q": query.words, "sort": "latest"}
        if query.language and len(query.language) == 2:
            asked["lang"] = query.language
    if query.span and name == "searchPosts":
        asked |= {"since": _stamp(query.span.start), "until": _stamp(query.span.end)}
    asked |= {"limit": str(_PAGE)} if cursor is None else {"limit": str(_PAGE), "cursor": cursor}
    return httpx.Request("GET", f"{query.target}/xrpc/app.bsky.feed.{name}", params=asked)


def parse_page(response: httpx.Response, query: Query) -> Page:
    """Posts of one page; raises ``RefusedError``, ``NoDataError`` and ``ParseError`` as every connector does.

    An author who is deactivated, taken down or unknown is one and the same answer. Named by DID, the posts we hold of
    theirs are gone with them; a handle may as well be mistyped or have moved, which is ``NoDataError``.
    """
    if query.endpoint == "authors" and _problem(response) == ("InvalidRequest", "Profile not found"):
        if not is_did(query.words):
            raise NoDataError(f"{response.request.url}: no such author, or the account is not active")
        return Page((), gone_authors=(query.words,))
    body = _answer(response)
    posts: list[RawPost] = []
    rejected: list[Quarantined] = []
    n_items, views = _views(response, body, query.endpoint)
    for place, view in enumerate(view for view in views if not is_hidden(view)):
        post = read_view(view)
        if isinstance(post, DiscardReason):
            rejected.append(quarantine(post, query.source, f"{query.target}#post{place}", inside(view, "record")))
        elif query.endpoint != "tags" or carries_tag(view, post.text, query.words):
            posts.append(post)
    following, hits = word(body, "cursor"), body.get("hitsTotal")
    is_capped = following is None and isinstance(hits, int) and hits >= _CAP
    n_skipped = n_items - len(posts) - len(rejected)
    return Page(tuple(posts), tuple(rejected), next_cursor=following, n_skipped=n_skipped, is_capped=is_capped)


def build_sign_in(target: str, credentials: Mapping[str, str]) -> httpx.Request:
    """A session for an app password."""
    given = {name: credentials[name] for name in ("identifier", "password")}
    return httpx.Request("POST", f"{target}/xrpc/com.atproto.server.createSession", json=given)


def parse_sign_in(response: httpx.Response) -> Token:
    """The access token and how long it is good for; raises ``RefusedError`` for wrong credentials."""
    value = word(_answer(response), "accessJwt")
    if value is None:
        raise ParseError(str(response.request.url), "no accessJwt in the answer")
    return Token(value, _lifetime(value))


def build_refresh(target: str, native_ids: Sequence[str]) -> httpx.Request:
    """Which of these posts still stand."""
    return httpx.Request("GET", f"{target}/xrpc/app.bsky.feed.getPosts", params={"uris": list(native_ids)})


def parse_refresh(response: httpx.Response, native_ids: Sequence[str]) -> Page:
    """The posts that stand; deleted ones and those of inactive accounts are silently left out of the answer.

    So are, here, posts whose author has since asked not to be shown, and those edited to have no text. One that can't be read
    spoils the page: to take it for deleted would empty the lake on the day the API changes.
    """
    posts: list[RawPost] = []
    for view in _views(response, _answer(response), "refresh")[1]:
        post = read_view(view)
        if isinstance(post, RawPost):
            posts += [post] if post.native_id in native_ids and not is_hidden(view) else []
        elif post is not DiscardReason.NO_TEXT:
            raise ParseError(str(response.request.url), f"a post can't be read: {PROBLEMS[post]}")
    return Page(tuple(posts))


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _answer(response: httpx.Response) -> dict[str, Any]:
    """The JSON of a good answer; raises what a bad one means."""
    error, message = _problem(response)
    if response.status_code == 403 and not error:
        raise RefusedError(f"{response.request.url}: HTTP 403; sign in: anonymous requests are not served here")
    if response.status_code == 400 and error in _NO_TOKEN | _BLOCKS:
        meant = RefusedError if error in _NO_TOKEN else NoDataError
        raise meant(f"{response.request.url}: {error} ({message[:120]})")
    require_ok(response)
    body: dict[str, Any] = read_json(response)
    return body


def _problem(response: httpx.Response) -> tuple[str, str]:
    """Name and message of an XRPC error, empty where there is none or the answer is a page of a proxy before the server."""
    if response.status_code < 400:
        return "", ""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return "", ""
    return word(body, "error") or "", word(body, "message") or ""


def _views(response: httpx.Response, body: dict[str, Any], endpoint: str) -> tuple[int, list[object]]:
    """How many items a page has, and its post views. Items of a feed with a reason are reposts, or pinned posts out of the order of time."""
    name = "feed" if endpoint == "authors" else "posts"
    items = body.get(name)
    if not isinstance(items, list):
        raise ParseError(str(response.request.url), f"no list of {name}")
    if endpoint != "authors":
        return len(items), items
    return len(items), [inside(item, "post") for item in items if not inside(item, "reason")]


def _lifetime(token: str) -> float:
    """Seconds that a JWT says it lives, by its own clock; its signature is the server's business."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        seconds = float(claims["exp"]) - float(claims["iat"])
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return _TOKEN_SECONDS
    return seconds if seconds > 0 else _TOKEN_SECONDS


_SIGNED_IN = ("identifier", "password")
CONNECTOR = Connector(
    kind=KIND,
    endpoints={
        "search": Endpoint("words", _PAGE, is_windowed=True, cap=_CAP, needs=_SIGNED_IN),
        "tags": Endpoint("tags", _PAGE, is_windowed=True, cap=_CAP, needs=_SIGNED_IN),
        "authors": Endpoint("target", _PAGE),
        "firehose": Endpoint("stream", 1, is_newest_first=False),
    },
    born=date(2022, 11, 1),
    build_request=build_request,
    parse_page=parse_page,
    auth=Auth(build_sign_in=build_sign_in, parse_sign_in=parse_sign_in),
    refresh=Refresh(_BATCH, build_refresh, parse_refresh),
)

"""Reddit: submissions found by phrase, and the newest submissions and comments of chosen subreddits, through the Data API.

Platform: Reddit. Reference: https://www.reddit.com/dev/api; answers are read in ``tests/servers`` as real servers gave them.

Terms: since November 2025 nobody may read through the API without Reddit's prior approval (Responsible Builder Policy,
https://support.reddithelp.com/hc/articles/42728983564564): researchers apply, and the operator states the approval in the
source's TOML. The Data API Wiki (https://support.reddithelp.com/hc/articles/16160319875092) asks for an honest User-Agent and that
what was deleted on Reddit is deleted by everybody who holds it, with everything that names its author.

Limits: 100 requests a minute for a client id, averaged over ten minutes; 100 records a page, and no list goes past about 1,000
records (https://www.reddit.com/r/redditdev/wiki/api/faq).

Country and language: neither can be asked for, and no post tells them. Subreddits of a country or trade do (``new`` and
``comments``, one target each).

Known gaps: search finds submissions only, never comments. Posts marked as adult are not served. What moderators removed and what
its author deleted look alike: both are gone. Text is Markdown as typed.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import httpx

from screener.collect.connector import Auth, Connector, Endpoint, Page, Query, Refresh, Token, read_json, require_ok
from screener.collect.connectors.reddit_records import (
    PROBLEMS,
    fullname,
    gone_name,
    read_record,
    records,
    text_of,
)
from screener.collect.json_values import inside, word
from screener.errors import NoDataError, ParseError, RefusedError
from screener.records import DiscardReason, Quarantined, RawPost

KIND = "reddit"
_PAGE, _CAP = 100, 1000
_NEARLY_CAP = 950
"""A list that ends after so many records has hit the limit of 1,000: records that were removed are not filled up."""
_YEAR = 366 * 86400
_SUBREDDIT = re.compile(r"[A-Za-z0-9_]{2,21}")


def build_request(query: Query, cursor: str | None) -> httpx.Request:
    """One page, newest first. The cursor is the last fullname and how many records came before it, as the API counts."""
    asked = {"limit": str(_PAGE), "raw_json": "1"}  # raw_json: without it, texts come with & and < escaped
    if cursor is not None:
        asked["after"], _, asked["count"] = cursor.partition(":")
    if query.endpoint == "search":
        asked |= {"q": query.words, "sort": "new", "type": "link"}
        return httpx.Request("GET", f"{query.target}/search", params=asked)
    if not _SUBREDDIT.fullmatch(query.words):
        raise NoDataError(f"'{query.words[:40]}' is no name of a subreddit")
    return httpx.Request("GET", f"{query.target}/r/{query.words}/{query.endpoint}", params=asked)


def parse_page(response: httpx.Response, query: Query) -> Page:
    """Posts of one page; raises ``RefusedError`` (private, quarantined), ``NoDataError`` (banned, unknown) and ``ParseError``."""
    listing = _listing(response)
    posts: list[RawPost] = []
    rejected: list[Quarantined] = []
    gone: list[str] = []
    for place, data in enumerate(records(listing["children"])):
        if name := gone_name(data):
            gone.append(name)
        elif isinstance(found := read_record(data), RawPost):
            posts.append(found)
        else:
            where = f"{query.target}#{query.endpoint}{place}"
            rejected.append(Quarantined(query.source, where, found, PROBLEMS[found], text_of(data)[:120]))
    after, n_listed = fullname(listing, "after"), _n_before(response) + len(listing["children"])
    if listing.get("after") and not after:
        raise ParseError(str(response.request.url), "'after' is no fullname")
    return Page(
        posts=tuple(posts),
        rejected=tuple(rejected),
        next_cursor=f"{after}:{n_listed}" if after else None,
        gone=tuple(gone),
        is_capped=not after and n_listed >= _NEARLY_CAP,
    )


def build_sign_in(target: str, credentials: Mapping[str, str]) -> httpx.Request:
    """A token for the client itself, without any user: ``identifier`` is the client's id, ``password`` its secret."""
    pair = f"{credentials['identifier']}:{credentials['password']}".encode()
    address = f"{target.replace('://oauth.', '://www.', 1)}/api/v1/access_token"
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return httpx.Request("POST", address, headers=headers, data={"grant_type": "client_credentials"})


def parse_sign_in(response: httpx.Response) -> Token:
    """The token; raises ``RefusedError`` for wrong credentials, which Reddit also answers with status 200."""
    require_ok(response)
    body = read_json(response)
    if error := body.get("error"):
        raise RefusedError(f"{response.request.url}: {str(error)[:120]}")
    value, seconds = word(body, "access_token"), body.get("expires_in")
    if not value or not isinstance(seconds, int | float) or not 0 < seconds < _YEAR:
        raise ParseError(str(response.request.url), "no access_token, or none that says how long it is good for")
    return Token(value, float(seconds))


def build_refresh(target: str, native_ids: Sequence[str]) -> httpx.Request:
    """Which of these submissions and comments still stand."""
    return httpx.Request("GET", f"{target}/api/info", params={"id": ",".join(native_ids), "raw_json": "1"})


def parse_refresh(response: httpx.Response, native_ids: Sequence[str]) -> Page:
    """The posts that stand; what is deleted comes as an empty shell or not at all.

    One that can't be read raises ``ParseError``: taken for deleted, it would empty the lake on the day that the API changes.
    """
    posts: list[RawPost] = []
    for data in records(_listing(response)["children"]):
        if gone_name(data):
            continue
        found = read_record(data)
        if isinstance(found, RawPost):
            posts += [found] if found.native_id in native_ids else []
        elif found is not DiscardReason.NO_TEXT:
            raise ParseError(str(response.request.url), f"a post has {PROBLEMS[found]}")
    return Page(tuple(posts))


def _listing(response: httpx.Response) -> dict[str, Any]:
    """The list that a good answer holds; raises what a bad one means. An unknown subreddit leads to a list of subreddits."""
    reason = _reason(response)
    if reason in {"private", "quarantined", "gold_only"}:
        raise RefusedError(f"{response.request.url}: the subreddit is {reason}")
    if reason == "banned":
        raise NoDataError(f"{response.request.url}: the subreddit is banned")
    require_ok(response)
    listing = inside(read_json(response), "data")
    if not isinstance(listing, dict) or not isinstance(listing.get("children"), list):
        raise ParseError(str(response.request.url), "no Listing")
    if {word(child, "kind") for child in listing["children"]} == {"t5"}:
        raise NoDataError(f"{response.request.url}: no such subreddit")
    return listing


def _reason(response: httpx.Response) -> str:
    if response.status_code < 400:
        return ""
    try:
        return word(json.loads(response.content), "reason") or ""
    except (ValueError, RecursionError):
        return ""


def _n_before(response: httpx.Response) -> int:
    """How many records the pages before this one listed, as the request says."""
    count = response.request.url.params.get("count", "")
    return int(count) if count.isascii() and count.isdigit() and len(count) < 7 else 0


_SIGNED_IN = ("identifier", "password")
CONNECTOR = Connector(
    kind=KIND,
    endpoints={
        "search": Endpoint("words", _PAGE, cap=_CAP, max_characters=512, needs=_SIGNED_IN),
        "new": Endpoint("target", _PAGE, cap=_CAP, needs=_SIGNED_IN),
        "comments": Endpoint("target", _PAGE, cap=_CAP, needs=_SIGNED_IN),
    },
    born=date(2005, 6, 23),
    build_request=build_request,
    parse_page=parse_page,
    auth=Auth(build_sign_in=build_sign_in, parse_sign_in=parse_sign_in),
    refresh=Refresh(_PAGE, build_refresh, parse_refresh),
    needs_approval=True,
)

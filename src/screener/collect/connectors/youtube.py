"""YouTube: videos found by phrase and the comments under them, through the Data API v3.

Platform: YouTube. Reference: https://developers.google.com/youtube/v3/docs; every request is checked in ``tests/servers``
against the official discovery document (revision 20261104).

Terms: https://developers.google.com/youtube/terms/developer-policies: what the API gave may be stored for 30 days at most
unless it is asked for again (section III.E.4.d), so ``refresh_days`` stays below 30 and ``keep_days`` removes what is older all the
same. Derived metrics need YouTube's leave (III.E.4.h), so the operator must state it before this source runs; docs/sources.md.
What is gone from YouTube goes here too.

Limits (https://developers.google.com/youtube/v3/determine_quota_cost): new projects have 100 ``search.list`` calls a day and
10,000 units a day for everything else, older ones 10,000 units in all with ``search.list`` at 100; counted at 100 units,
10,000 a day stay within both. The day begins at midnight Pacific time. A search ends after about 500 videos (documented for
channels, otherwise not verified). The key travels in a header, so that it never stands in an address or a log.

Country and language: neither can be asked for. ``regionCode`` means *viewable in*, not *made in*, and is left out;
``relevanceLanguage`` only moves videos of that language up. The watch's words tell the country.

Videos are posts of their channel: title and description, mostly of broadcasters, sellers and recruiters. Workers speak in the
comments, so each video found leads to its comments, and each thread that shows only some of its replies to the rest.

Known gaps: speech in a video is not read. Comments are asked for only while a search finds their video, so
``overlap_hours`` says how long a video's comments are followed. Descriptions are cut short in search results until the
first refresh. Phrases are not joined with ``|``: the reference shows it between single words only (``boating|sailing``), and in
quotation marks a phrase would have to stand word by word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from screener.collect.connector import Auth, Connector, Endpoint, Page, Query, Refresh, read_json, require_ok
from screener.collect.connectors.youtube_records import (
    PROBLEMS,
    follow_ups,
    items,
    read_comment,
    read_item,
    read_video,
)
from screener.collect.json_values import inside, word
from screener.errors import BudgetSpentError, NoDataError, ParseError, RefusedError, TerminalSourceError
from screener.records import DiscardReason, Quarantined, RawPost

KIND = "youtube"
_CAP = 450
"""Searches end a little before or after 500 videos; a window that gave so many is cut, so that none passes for complete."""
_BATCH = 20
"""``maxResults`` can't be given with ids and is 20 for comments: a longer batch might come back cut, as if posts were gone."""
_SPENT = frozenset(
    {"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg", "rateLimitExceeded", "userRateLimitExceeded"}
)
_WRONG_KEY = frozenset({"keyInvalid", "keyExpired", "API_KEY_INVALID", "API_KEY_EXPIRED"})
_NOT_THERE = frozenset({"videoNotFound", "commentNotFound", "commentThreadNotFound", "parentCommentNotFound"})


def build_request(query: Query, cursor: str | None) -> httpx.Request:
    """One page of a search (videos), of a video's comment threads, or of a thread's replies."""
    if query.endpoint == "comments":
        asked = {"part": "snippet,replies", "videoId": query.words, "order": "time", "maxResults": "100"}
        return _get(query.target, "commentThreads", asked | {"textFormat": "plainText"}, cursor)
    if query.endpoint == "replies":
        asked = {"part": "snippet", "parentId": query.words, "maxResults": "100", "textFormat": "plainText"}
        return _get(query.target, "comments", asked, cursor)
    asked = {"part": "snippet", "type": "video", "order": "date", "maxResults": "50", "q": query.words}
    if language := _relevance(query.language):
        asked["relevanceLanguage"] = language
    if query.span:  # to whole seconds, outwards: the runner checks the time of every video again
        asked["publishedAfter"] = _stamp(query.span.start)
        asked["publishedBefore"] = _stamp(query.span.end + timedelta(microseconds=999_999))
    return _get(query.target, "search", asked, cursor)


def parse_page(response: httpx.Response, query: Query) -> Page:
    """Posts of one page and the queries that it leads to.

    Raises ``BudgetSpentError`` where the quota is spent, ``NoDataError`` where comments are switched off, ``RefusedError`` for a
    wrong key, ``ParseError``. A video or thread that is not there any more is ``gone``.
    """
    if query.endpoint != "search" and _reasons(response) & _NOT_THERE:
        kind = "video" if query.endpoint == "comments" else "comment"
        return Page((), gone=(f"{kind}:{query.words}",))
    body = _answer(response)
    posts: list[RawPost] = []
    rejected: list[Quarantined] = []
    led_to: list[Query] = []
    for place, item in enumerate(_list(response, body)):
        for found, text in read_item(item, query.endpoint):
            if isinstance(found, RawPost):
                posts.append(found)
            else:
                where = f"{query.target}#{query.endpoint}{place}"
                rejected.append(Quarantined(query.source, where, found, PROBLEMS[found], text[:120]))
        led_to += follow_ups(item, query)
    return Page(tuple(posts), tuple(rejected), _cursor(response, body), follow_ups=tuple(led_to))


def build_refresh(target: str, native_ids: Sequence[str]) -> httpx.Request:
    """Which of these videos, or of these comments, still stand.

    They are asked for in two places, so a batch is of one kind; a mixed one raises ``TerminalSourceError``, for what was not
    asked for must not pass for gone.
    """
    kinds = {kind_of(native_id) for native_id in native_ids}
    if kinds not in ({"video"}, {"comment"}):
        raise TerminalSourceError("videos and comments can't be asked for in one request")
    asked = {"part": "snippet", "id": ",".join(native_id.partition(":")[2] for native_id in native_ids)}
    if kinds == {"video"}:
        return _get(target, "videos", asked, None)
    return _get(target, "comments", asked | {"textFormat": "plainText"}, None)


def parse_refresh(response: httpx.Response, native_ids: Sequence[str]) -> Page:
    """The posts that stand; deleted and private ones are silently left out of the answer.

    An answer that is not whole, or holds a post that can't be read, raises ``ParseError``: taken for deletions, it would empty
    the lake on the day that the API changes.
    """
    body = _answer(response)
    where = str(response.request.url)
    if word(body, "nextPageToken"):
        raise ParseError(where, "the answer was cut, so what is missing in it is not known to be gone")
    read = read_video if kind_of(native_ids[0]) == "video" else read_comment
    posts: list[RawPost] = []
    for item in _list(response, body):
        found = read(item)
        if isinstance(found, RawPost):
            posts += [found] if found.native_id in native_ids else []
        elif found is not DiscardReason.NO_TEXT:
            raise ParseError(where, f"a post has {PROBLEMS[found]}")
    return Page(tuple(posts))


def kind_of(native_id: str) -> str:
    """What a native id names: ``video`` or ``comment``, which are refreshed apart."""
    return native_id.partition(":")[0]


def _get(target: str, name: str, asked: Mapping[str, str], cursor: str | None) -> httpx.Request:
    paged = {**asked} | ({} if cursor is None else {"pageToken": cursor})
    return httpx.Request("GET", f"{target}/youtube/v3/{name}", params=paged)


def _relevance(language: str | None) -> str | None:
    """ISO 639-1 as the parameter wants it; Chinese is asked for by script, longer codes not at all."""
    plain = (language or "").partition("-")[0]
    if plain == "zh":
        return "zh-Hans"
    return plain if len(plain) == 2 else None


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _reasons(response: httpx.Response) -> frozenset[str]:
    """Names that an error answer gives itself, in the old place (``errors``) and in the new one (``details``)."""
    if response.status_code < 400:
        return frozenset()
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return frozenset()
    told = [one for name in ("errors", "details") for one in items(inside(body, "error", name))]
    return frozenset(reason for one in told if (reason := word(one, "reason")))


def _answer(response: httpx.Response) -> dict[str, Any]:
    """The JSON of a good answer; raises what a bad one means."""
    reasons = _reasons(response)
    told = f"{response.request.url}: HTTP {response.status_code} ({', '.join(sorted(reasons))[:120]})"
    if reasons & _SPENT:
        raise BudgetSpentError(f"{told}; the quota's day begins at midnight Pacific time")
    if "commentsDisabled" in reasons:
        raise NoDataError(told)
    if reasons & _WRONG_KEY or (reasons and response.status_code in {401, 403}):
        raise RefusedError(told)
    require_ok(response)
    body: dict[str, Any] = read_json(response)
    return body


def _cursor(response: httpx.Response, body: dict[str, Any]) -> str | None:
    token = word(body, "nextPageToken")
    if token and not token.isascii():
        raise ParseError(str(response.request.url), "nextPageToken is no token")
    return token


def _list(response: httpx.Response, body: dict[str, Any]) -> list[object]:
    found = body.get("items", [])
    if not isinstance(found, list) or not (word(body, "kind") or "").startswith("youtube#"):
        raise ParseError(str(response.request.url), "no list of the YouTube Data API")
    return found


_KEY = ("key",)
CONNECTOR = Connector(
    kind=KIND,
    endpoints={
        "search": Endpoint("words", 50, is_windowed=True, cap=_CAP, units=100, needs=_KEY),
        "comments": Endpoint("target", 100, needs=_KEY, led_to=True),
        "replies": Endpoint("target", 100, is_newest_first=False, needs=_KEY, led_to=True),
    },
    born=date(2005, 4, 23),
    build_request=build_request,
    parse_page=parse_page,
    auth=Auth(credential="key", header="X-Goog-Api-Key", prefix=""),
    needs_approval=True,
    refresh=Refresh(_BATCH, build_refresh, parse_refresh, group=kind_of),
)

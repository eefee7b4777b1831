"""Media Cloud: headlines of news of chosen collections of outlets. Context beside the posts, never a worker's voice.

Platform: Media Cloud, API of https://search.mediacloud.org. Reference: its own client and server
(https://github.com/mediacloud/api-client 5.2.0, https://github.com/mediacloud/web-search); no recording exists, and no request
of this connector was ever answered by the real service.

Terms: https://mediacloud.org/documentation/faqs: lists of stories may be downloaded; their texts are not given out, for the
copyright is the publishers'. An account with a token is needed; its terms of use were not verified.

Limits: two requests a minute for ordinary accounts in the server's published code (its client would go up to ten where the
server allows), a quota a week that each account's profile tells, 1,000 stories a page.

Country and language: by collection. A target is the page of one collection, as the browser shows it
(``https://search.mediacloud.org/collections/34412118`` is India's national one); most countries have a national collection. The
language of a story is a guess of Media Cloud.

Known gaps: no text but the headline. Dates are days without a time, so ``overlap_hours`` of less than a day would lose stories.
Pages come in the order in which stories were indexed. How words of Thai, Lao, Khmer or Burmese are told apart is not known.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import httpx

from screener.collect.connector import Auth, Connector, Endpoint, Page, Query, known_hint, read_json, require_ok
from screener.collect.json_values import word
from screener.collect.normalise import parse_time
from screener.collect.text import html_to_text
from screener.errors import BudgetSpentError, NoDataError, ParseError, TerminalSourceError, TransientSourceError
from screener.records import DiscardReason, Quarantined, RawPost

KIND = "mediacloud"
_PAGE = 1000
_ANY_OF = " OR "
_COLLECTION = re.compile(r"(?P<base>https?://[^/]+)/collections/(?P<id>\d+)")
_OPERATORS = re.compile(r'[-+=&|><!(){}\[\]^"~*?:\\/#]')
"""Characters that mean something to Elasticsearch; ``#`` finds nothing."""
_PROBLEMS = {
    DiscardReason.NOT_AN_OBJECT: "no story",
    DiscardReason.NO_ID: "no id",
    DiscardReason.NO_TEXT: "no title",
    DiscardReason.BAD_TIME: "publish_date is no day",
}


def build_request(query: Query, cursor: str | None) -> httpx.Request:
    """One page of the stories of a collection; raises ``TerminalSourceError`` if the target is not a collection's page."""
    collection = _COLLECTION.fullmatch(query.target)
    if not collection:
        raise TerminalSourceError(f"{query.target}: is not the page of a collection (https://.../collections/NUMBER)")
    asked = {
        "q": _lucene(query.words),
        "cs": collection["id"],
        "platform": "onlinenews-mediacloud",
        "page_size": str(_PAGE),
    }
    if query.span:  # whole days, both ends in
        asked["start"] = query.span.start.date().isoformat()
        asked["end"] = (query.span.end - timedelta(microseconds=1)).date().isoformat()
    if cursor is not None:
        asked["pagination_token"] = cursor
    return httpx.Request("GET", f"{collection['base']}/api/search/story-list", params=asked)


def parse_page(response: httpx.Response, query: Query) -> Page:
    """Stories of one page; raises ``BudgetSpentError`` for a spent week's quota, ``TransientSourceError`` if told to come again."""
    body = _answer(response)
    stories, token = body.get("stories"), body.get("pagination_token")
    if not isinstance(stories, list) or not (token is None or (isinstance(token, str) and token.isascii())):
        raise ParseError(str(response.request.url), "no list of stories with its pagination_token")
    posts: list[RawPost] = []
    rejected: list[Quarantined] = []
    for place, story in enumerate(stories):
        found = _read(story)
        if isinstance(found, RawPost):
            posts.append(found)
        else:
            where = f"{query.target}#story{place}"
            rejected.append(
                Quarantined(query.source, where, found, _PROBLEMS[found], (word(story, "title") or "")[:120])
            )
    return Page(tuple(posts), tuple(rejected), next_cursor=token or None)


def _lucene(words: str) -> str:
    """Phrases as a query: all words of one must stand in the story, and any of several phrases is enough."""
    cleaned = (" ".join(_OPERATORS.sub(" ", phrase).split()).lower() for phrase in words.split(_ANY_OF))
    phrases = [phrase for phrase in cleaned if phrase]
    if not phrases:
        raise NoDataError(f"'{words[:80]}' has no words to search for")
    return phrases[0] if len(phrases) == 1 else f"({_ANY_OF.join(f'({phrase})' for phrase in phrases)})"


def _answer(response: httpx.Response) -> dict[str, Any]:
    """The JSON of a good answer. A bad one has status 400 whatever happened, and says in a ``note`` what."""
    if response.status_code == 400:
        body = read_json(response)
        note = (word(body, "note") or "")[:120]
        told = f"{response.request.url}: {note}"
        if "quota" in note:
            raise BudgetSpentError(told)
        raise TransientSourceError(told) if body.get("temporary") is True else TerminalSourceError(told)
    require_ok(response)
    answer: dict[str, Any] = read_json(response)
    return answer


def _read(story: object) -> RawPost | DiscardReason:
    if not isinstance(story, dict):
        return DiscardReason.NOT_AN_OBJECT
    native_id, title, day = (
        (word(story, "id") or ""),
        html_to_text(word(story, "title") or ""),
        story.get("publish_date"),
    )
    if not native_id or not title:
        return DiscardReason.NO_TEXT if native_id else DiscardReason.NO_ID
    try:
        created_at = None if day is None else parse_time(word(story, "publish_date") or "")
    except (ValueError, OverflowError):
        return DiscardReason.BAD_TIME
    return RawPost(
        native_id=native_id,
        text=title,
        created_at=created_at,
        author=word(story, "media_url"),
        url=word(story, "url"),
        language_hint=known_hint(word(story, "language") or ""),
    )


CONNECTOR = Connector(
    kind=KIND,
    endpoints={
        "search": Endpoint(
            "words",
            _PAGE,
            is_windowed=True,
            is_newest_first=False,
            any_of=_ANY_OF,
            max_characters=1000,
            needs=("token",),
        )
    },
    born=date(2008, 1, 1),
    build_request=build_request,
    parse_page=parse_page,
    auth=Auth(prefix="Token "),
)

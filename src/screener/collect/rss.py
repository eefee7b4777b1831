"""RSS and Atom feeds of unions, NGOs, labour media and authorities.

Platform: any web site with a feed. Formats: https://www.rssboard.org/rss-specification, RFC 4287 (Atom).
Terms: a feed is published to be read by programs; each entry in ``config/sources/rss.toml`` says why it is there.
Rate limits: none stated by the formats; the runner keeps one request a second to a host and asks conditionally
(RFC 9110, section 13: ``If-None-Match``, ``If-Modified-Since``), so an unchanged feed costs 304 and no body.
Country, sector, language: fixed per feed in the TOML; ``xml:lang`` / ``<language>`` is kept as a hint.
Known gaps: a feed holds only its newest 10-50 entries, so a feed that is not asked for weeks loses the rest for good.
"""

from __future__ import annotations

import calendar
import hashlib
import html
import io
import re
import warnings
from datetime import UTC, datetime
from typing import Any

import feedparser
import httpx

from screener.codes import parse_language
from screener.collect.connector import Page, Query, Validators
from screener.errors import ParseError, TerminalSourceError, UnknownCodeError
from screener.records import DiscardReason, Quarantined, RawPost

_TAG = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"\s+")
_ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.8"


class RssConnector:
    """Feeds, one page each: a feed has no cursor."""

    name = "rss"

    def build_request(self, query: Query, cursor: str | None, validators: Validators) -> httpx.Request:
        """A conditional GET of the feed."""
        del cursor  # a feed is a single page
        headers = {"Accept": _ACCEPT}
        if validators.etag:
            headers["If-None-Match"] = validators.etag
        if validators.last_modified:
            headers["If-Modified-Since"] = validators.last_modified
        try:
            return httpx.Request("GET", query.url, headers=headers)
        except httpx.InvalidURL as error:
            raise TerminalSourceError(f"{query.url}: {error}") from error

    def parse_page(self, body: bytes, query: Query, collected_at: datetime) -> Page:
        """Entries as posts: title and summary as one text, HTML removed."""
        del collected_at  # an entry without a date stays undated
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # feedparser 6 maps 'updated' to 'published' with a warning
            parsed = feedparser.parse(
                io.BytesIO(body)
            )  # of bare bytes feedparser first tries to open a file of that name
        if not parsed.get("version"):  # an empty body leaves no such key
            kind = (
                "an HTML page"
                if body.lstrip()[:200].lower().startswith((b"<!doctype html", b"<html"))
                else "no RSS or Atom"
            )
            raise ParseError(query.url, f"is {kind}, not a feed; look for its feed address (link rel=alternate)")
        if parsed.bozo and not parsed.entries:
            raise ParseError(query.url, f"feed is damaged: {parsed.get('bozo_exception', 'no entries')}")
        hint = _known(parsed.feed.get("language")) or query.language
        posts: list[RawPost] = []
        rejected: list[Quarantined] = []
        for number, entry in enumerate(parsed.entries, start=1):
            post = _to_raw(entry, hint)
            if post is None:
                where = f"{query.url}#entry{number}"
                rejected.append(
                    Quarantined(query.source, where, DiscardReason.NO_TEXT, "entry has neither title nor summary", "")
                )
            else:
                posts.append(post)
        return Page(tuple(posts), tuple(rejected))


def _to_raw(entry: Any, language: str | None) -> RawPost | None:
    parts = (plain_text(entry.get("title", "")), plain_text(entry.get("summary", "")))
    text = "\n".join(dict.fromkeys(part for part in parts if part))
    if not text:
        return None
    link = entry.get("link")
    native_id = entry.get("id") or link or hashlib.sha256(text.encode()).hexdigest()
    stamp = entry.get("published_parsed") or entry.get("updated_parsed")
    created_at = datetime.fromtimestamp(calendar.timegm(stamp), UTC) if stamp else None
    return RawPost(
        native_id=native_id,
        text=text,
        created_at=created_at,
        author=entry.get("author") or None,
        url=link,
        language_hint=language,
    )


def _known(language: str | None) -> str | None:
    """Feeds write anything into <language>; only a known code is a hint, for a wrong one must not cost the posts."""
    try:
        return parse_language(language) if language else None
    except UnknownCodeError:
        return None


def plain_text(markup: str) -> str:
    """Text of an HTML fragment: tags dropped, entities resolved, white space folded."""
    return _SPACE.sub(" ", html.unescape(_TAG.sub(" ", markup))).strip()

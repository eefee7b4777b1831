"""RSS and Atom feeds of unions, NGOs, labour media and authorities.

Platform: any web site with a feed. Formats: https://www.rssboard.org/rss-specification, RFC 4287 (Atom).
Terms: a feed is published to be read by programs; the words stay their authors'. Whoever adds a feed checks the site's
terms and robots.txt first, and says in the target's ``reason`` why it is there.
Rate limits: none stated by the formats; the client keeps one request a second to a host and asks conditionally
(RFC 9110, section 13), so an unchanged feed costs 304 and no body.
Country, sector, language: those of the target; ``xml:lang``, ``<language>`` and ``dc:language`` go before the target's as a hint.
Known gaps: a feed holds only its newest 10-50 entries, so one that is not asked for weeks loses the rest for good; it never
says what was deleted; many carry only the beginning of each text.
"""

from __future__ import annotations

import calendar
import hashlib
import io
import re
from datetime import UTC, datetime
from typing import Any

import feedparser
import httpx
from feedparser.exceptions import CharacterEncodingOverride

from screener.collect.connector import Connector, Endpoint, Page, Query, known_hint, require_ok
from screener.collect.normalise import WEB_BORN
from screener.collect.text import html_to_text
from screener.errors import ParseError, TerminalSourceError
from screener.records import DiscardReason, Quarantined, RawPost

_ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.8"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
"""An identifier with a scheme (https:, tag:, urn:) is unique in the world, RFC 3986; any other only on its own site."""
_FEEDPARSER_FAILS = (ValueError, TypeError, LookupError, OverflowError)
"""What feedparser 6.0.14 was seen to raise on broken feeds, e.g. for a character reference beyond Unicode."""
_ENCODING = re.compile(rb"^\s*<\?xml[^>]*\bencoding\s*=")


def build_request(query: Query, cursor: str | None) -> httpx.Request:
    """A GET of the feed; raises ``TerminalSourceError`` for an address that none could ask."""
    del cursor  # a feed is a single page
    try:
        return httpx.Request("GET", query.target, headers={"Accept": _ACCEPT})
    except httpx.InvalidURL as error:
        raise TerminalSourceError(f"{query.target}: {error}") from error


def parse_page(response: httpx.Response, query: Query) -> Page:
    """Entries as posts: title and full text (or summary) as one text, HTML removed."""
    require_ok(response)
    parsed = _parse(response, query.target)
    hint = known_hint(parsed.feed.get("language")) or query.language
    host = httpx.URL(query.target).host
    posts: list[RawPost] = []
    rejected: list[Quarantined] = []
    for number, entry in enumerate(parsed.entries, start=1):
        post = _to_raw(entry, host, hint)
        if post is None:
            where = f"{query.target}#entry{number}"
            problem = "entry has neither title nor text"
            rejected.append(Quarantined(query.source, where, DiscardReason.NO_TEXT, problem, ""))
        else:
            posts.append(post)
    return Page(tuple(posts), tuple(rejected))


def _parse(response: httpx.Response, where: str) -> Any:
    headers = {"content-type": _content_type(response), "content-location": where}
    body = io.BytesIO(response.content)  # of bare bytes feedparser would first try to open a file of that name
    try:
        parsed = feedparser.parse(body, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    except _FEEDPARSER_FAILS as error:
        raise ParseError(where, f"feed is damaged: {type(error).__name__}: {error}") from error
    if not parsed.get("version"):  # an empty body leaves no such key
        is_html = response.content.lstrip()[:200].lower().startswith((b"<!doctype html", b"<html"))
        kind = "an HTML page" if is_html else "no RSS or Atom"
        raise ParseError(where, f"is {kind}, not a feed; look for its feed address (link rel=alternate)")
    if parsed.bozo and not parsed.entries and not isinstance(parsed.bozo_exception, CharacterEncodingOverride):
        raise ParseError(where, f"feed is damaged: {parsed.bozo_exception}")
    return parsed


def _content_type(response: httpx.Response) -> str:
    """The type to read a body by. The header's charset is believed only where the XML declares none and isn't UTF-8.

    Web servers add a charset to every text file that they hand out, so the file itself knows better.
    """
    try:
        response.content.decode("utf-8")
    except UnicodeDecodeError:
        if not _ENCODING.match(response.content):
            return f"application/xml; charset={response.charset_encoding or 'utf-8'}"
    return "application/xml"


def _to_raw(entry: Any, host: str, language: str | None) -> RawPost | None:
    title = html_to_text(entry.get("title") or "")
    bodies = (html_to_text(body) for body in _bodies(entry))
    body = next(filter(None, bodies), "")
    text = body if body.startswith(title) else f"{title}\n{body}".strip()
    if not text:
        return None
    author, link = entry.get("author"), entry.get("link") or ""
    published, updated = _time(entry, "published_parsed"), _time(entry, "updated_parsed")
    return RawPost(
        native_id=_on_site(host, entry.get("id") or link or hashlib.sha256(text.encode()).hexdigest()),
        text=text,
        created_at=published or updated,
        author=_on_site(host, author) if author else None,
        url=link if link.startswith(("http://", "https://")) else None,
        language_hint=known_hint(entry.get("language")) or language,
        edited_at=updated if published and updated and updated > published else None,
    )


def _bodies(entry: Any) -> list[str]:
    """What an entry says, fullest first."""
    contents = [part.get("value") for part in entry.get("content", ())]
    return [body for body in (*contents, entry.get("summary")) if body]


def _on_site(host: str, name: str) -> str:
    """A name that is unique beyond its site: ``17`` or ``Admin`` of one feed is not that of another."""
    return name if _ADDRESS.fullmatch(name) else f"{host}/{name}"


def _time(entry: Any, key: str) -> datetime | None:
    """A time in UTC; one that no calendar has is as good as none."""
    if key not in entry or not entry[key]:  # asked without ``in``, feedparser passes 'published' off as 'updated'
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(entry[key]), UTC)
    except (ValueError, OverflowError, OSError):
        return None


CONNECTOR = Connector(
    kind="rss",
    endpoints={"feed": Endpoint(asks="target", page_size=50, is_conditional=True)},
    born=WEB_BORN,  # sites keep the dates of what they moved over from before there were feeds
    build_request=build_request,
    parse_page=parse_page,
)

"""Pure: posts out of what WordPress's REST API says of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from screener.collect.connector import known_hint
from screener.collect.json_values import inside
from screener.collect.normalise import parse_time
from screener.collect.text import html_to_text
from screener.records import DiscardReason, RawPost

FIELDS = "id,date_gmt,modified_gmt,link,title,content,excerpt,author,lang"
"""What is asked for of each post: a tenth of what there is (https://developer.wordpress.org/rest-api/reference/posts/#schema)."""

PROBLEMS = {
    DiscardReason.NOT_AN_OBJECT: "a post is a JSON object",
    DiscardReason.NO_ID: "post has no number",
    DiscardReason.NO_TEXT: "post has no text, or is behind a password",
    DiscardReason.BAD_TIME: "date_gmt or modified_gmt is no time",
}
"""Why a record can't be read."""


def read_record(item: Any, site: str, language: str | None) -> RawPost | DiscardReason:
    """The post, or why it can't be read. ``site`` makes its ids unique: numbers of posts and authors begin at 1 on every site."""
    if not isinstance(item, dict):
        return DiscardReason.NOT_AN_OBJECT
    number, author, link = item.get("id"), item.get("author"), item.get("link")
    if type(number) is not int:
        return DiscardReason.NO_ID
    text = text_of(item)
    if not text:
        return DiscardReason.NO_TEXT
    try:
        created_at, modified_at = _time(item.get("date_gmt")), _time(item.get("modified_gmt"))
    except ValueError:
        return DiscardReason.BAD_TIME
    return RawPost(
        native_id=f"{site}/?p={number}",
        text=text,
        created_at=created_at,
        author=f"{site}/?author={author}" if type(author) is int and author else None,
        url=link if isinstance(link, str) else None,
        language_hint=known_hint(item.get("lang")) or language,
        edited_at=modified_at if created_at and modified_at and modified_at > created_at else None,
    )


def text_of(item: Any) -> str:
    """Title and content (or excerpt, where a site gives away no more); empty if the post is closed or no post."""
    if not isinstance(item, dict) or inside(item, "content", "protected") is True:
        return ""
    title = _rendered(item, "title")
    body = _rendered(item, "content") or _rendered(item, "excerpt")
    return body if body.startswith(title) else f"{title}\n{body}".strip()


def number_of(native_id: str) -> str:
    """The number that the site knows a post by."""
    return native_id.rpartition("/?p=")[2]


def site_of(native_id: str) -> str:
    """The site that a post's native id begins with."""
    return native_id.rpartition("/?p=")[0]


def _rendered(item: Mapping[str, Any], name: str) -> str:
    rendered = inside(item, name, "rendered")
    return html_to_text(rendered) if isinstance(rendered, str) else ""


def _time(value: object) -> datetime | None:
    """A ``_gmt`` time: UTC, written without a zone; raises ``ValueError``."""
    return parse_time(str(value)) if value else None

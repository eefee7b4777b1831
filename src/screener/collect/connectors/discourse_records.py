"""Pure: what one post of a Discourse forum says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from screener.collect.normalise import parse_time
from screener.collect.text import html_to_text
from screener.records import DiscardReason, Quarantined, RawPost

_EXCERPT = 120
_REGULAR = 1
"""Type of what people write; moderators' notes, small actions and whispers have others."""
_SOFTWARE = frozenset({"system", "discobot"})
"""Names under which the forum itself writes."""
_NOT_THE_AUTHORS = "aside.quote > .title, aside.onebox, .lightbox-wrapper .meta"


def is_off(record: dict[str, Any]) -> bool:
    """Deleted, or flagged and hidden from visitors."""
    return any(record.get(key) for key in ("hidden", "cooked_hidden", "user_deleted", "deleted_at"))


def is_a_persons(record: dict[str, Any]) -> bool:
    """Written by somebody, not by the forum."""
    return record.get("post_type", _REGULAR) == _REGULAR and _word(record.get("username")) not in _SOFTWARE


def read_post(
    record: dict[str, Any], post_id: int, topic_titles: dict[int, str], target: str, source: str, where: str
) -> RawPost | Quarantined:
    """The post, or why it can't be read; a first post begins with its topic's title, its own or the one listed beside it."""
    said = _text(_word(record.get("cooked")) or _word(record.get("blurb")) or "")
    topic, position, place = number(record.get("topic_id")), number(record.get("post_number")), place_of(target)
    title = (_word(record.get("topic_title")) or topic_titles.get(topic or 0)) if position == 1 else None
    text, created_at = f"{title}\n\n{said}" if title else said, _time(record.get("created_at"))
    if not said:
        return Quarantined(source, where, DiscardReason.NO_TEXT, "has no text", "")
    if created_at is None:
        return Quarantined(source, where, DiscardReason.BAD_TIME, "has no time that can be read", text[:_EXCERPT])
    author, version = _word(record.get("username")), number(record.get("version"))
    return RawPost(
        native_id=f"{place}/{post_id}",
        text=text,
        created_at=created_at,
        author=f"{place}/{author.lower()}" if author else None,
        url=f"{target}/t/{topic}/{position}" if topic and position else None,
        edited_at=_time(record.get("updated_at")) if version and version > 1 else None,
    )


def place_of(target: str) -> str:
    """A forum's address without its scheme: the first part of the native ids of its posts."""
    return target.partition("://")[2].rstrip("/").lower()


def titles(body: dict[str, Any]) -> dict[int, str]:
    """Titles by topic number, as a search lists them."""
    topics = body.get("topics")
    found = [topic for topic in topics if isinstance(topic, dict)] if isinstance(topics, list) else []
    return {topic: title for t in found if (topic := number(t.get("id"))) and (title := _word(t.get("title")))}


def _text(cooked: str) -> str:
    """The author's words in a post's HTML."""
    if "<aside" not in cooked and "lightbox" not in cooked:
        return html_to_text(cooked)
    page = LexborHTMLParser(cooked)
    for node in page.css(_NOT_THE_AUTHORS):
        node.decompose()
    return html_to_text((page.body.html if page.body else None) or "")


def number(value: object) -> int | None:
    """The number, if it is one that counts something."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _word(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _time(value: object) -> datetime | None:
    try:
        return parse_time(_word(value) or "")
    except (ValueError, OverflowError):
        return None

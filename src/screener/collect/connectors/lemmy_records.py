"""Pure: what one view of a post or comment says, in the words of Lemmy and of PieFed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from screener.collect.connector import Page
from screener.collect.json_values import table, word
from screener.collect.normalise import parse_time
from screener.records import DiscardReason, Quarantined, RawPost

_EXCERPT = 120


def read_view(view: Any, kind: str, target: str, source: str, where: str) -> Page:
    """What one view says, as a page of its own: a post, a deletion, a record to set aside, or nothing that is taken here."""
    record, creator = table(table(view).get(kind)), table(table(view).get("creator"))
    ap_id, author = word(record.get("ap_id")), word(creator.get("actor_id"))
    if ap_id is None:
        return Page((), (Quarantined(source, where, DiscardReason.NO_ID, "has no ap_id", ""),))
    if host_of(ap_id) != host_of(target):
        return Page(())
    if creator.get("deleted") is True:
        return Page((), gone=(ap_id,), gone_authors=(author,) if author else ())
    if record.get("deleted") is True or record.get("removed") is True:
        return Page((), gone=(ap_id,))
    parts = [word(record.get(key)) for key in ("name", "title", "body", "content")]
    text = "\n\n".join(part.strip() for part in parts if part and part.strip())
    created_at = published(view, kind)
    if not text:
        return Page((), (Quarantined(source, where, DiscardReason.NO_TEXT, "has neither title nor text", ""),))
    if created_at is None:
        told = "has no time that can be read"
        return Page((), (Quarantined(source, where, DiscardReason.BAD_TIME, told, text[:_EXCERPT]),))
    thread = word(table(table(view).get("post")).get("ap_id")) if kind == "comment" else None
    is_on_post = str(record.get("path")).count(".") == 1
    post = RawPost(
        native_id=ap_id,
        text=text,
        created_at=created_at,
        author=author,
        url=ap_id,
        reply_to=thread if is_on_post else None,
        thread=thread,
        edited_at=_time(record.get("updated")),
    )
    return Page((post,))


def published(view: Any, kind: str) -> datetime | None:
    """When it was written, ``None`` if that can't be read."""
    return _time(table(table(view).get(kind)).get("published"))


def host_of(address: str) -> str:
    """Host and port; empty where there are none."""
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


def _time(value: object) -> datetime | None:
    """Lemmy before 0.19 writes no zone; it means UTC."""
    try:
        return parse_time(word(value) or "")
    except (ValueError, OverflowError):
        return None

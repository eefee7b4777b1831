"""Pure: YouTube videos, comments and replies out of the resources of the Data API, and what each of them leads to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from screener.collect.connector import Query, known_hint
from screener.collect.json_values import inside, word
from screener.collect.normalise import parse_time
from screener.collect.text import html_to_text
from screener.records import DiscardReason, RawPost

PROBLEMS = {
    DiscardReason.NO_ID: "no id of a video or comment",
    DiscardReason.NO_TEXT: "no text",
    DiscardReason.BAD_TIME: "publishedAt is no time",
}
"""Why a resource can't be read."""

_ID = re.compile(r"[A-Za-z0-9_.-]+")
"""Ids of videos and comments; a reply's is that of its thread, a dot, and its own."""

Found = RawPost | DiscardReason


def read_item(item: object, endpoint: str) -> Iterator[tuple[Found, str]]:
    """What an item of a list holds: the post, or why it can't be read, and its text for the quarantine."""
    if endpoint == "search":
        yield _read_found(item)
        return
    comments = [item]
    if endpoint == "comments":
        comments = [inside(item, "snippet", "topLevelComment"), *items(inside(item, "replies", "comments"))]
    for comment in comments:
        yield read_comment(comment), _comment_text(comment)


def follow_ups(item: object, query: Query) -> Iterator[Query]:
    """Comments of a video found; replies of a thread that shows only some of them."""
    if query.endpoint == "search" and (video := ident(item, "id", "videoId")):
        yield replace(query, endpoint="comments", words=video)
    top = ident(item, "snippet", "topLevelComment", "id")
    n_replies = inside(item, "snippet", "totalReplyCount")
    n_shown = len(items(inside(item, "replies", "comments")))
    if query.endpoint == "comments" and top and isinstance(n_replies, int) and n_replies > n_shown:
        yield replace(query, endpoint="replies", words=top)


def read_video(item: object) -> Found:
    """A video as ``videos.list`` gives it: plain text, with the whole description."""
    title, more = word(item, "snippet", "title") or "", word(item, "snippet", "description") or ""
    return _video(item, ident(item, "id"), f"{title}\n\n{more}".strip())


def read_comment(item: object) -> Found:
    """A comment or reply. A comment answers its video; a thread begins with a comment, for a video has thousands of threads."""
    comment, text, created_at = ident(item, "id"), _comment_text(item), _time(item, "publishedAt")
    if not comment or not text or created_at is None:
        return _problem(comment, text)
    video, parent = ident(item, "snippet", "videoId"), ident(item, "snippet", "parentId")
    edited_at = _time(item, "updatedAt")
    return RawPost(
        native_id=f"comment:{comment}",
        text=text,
        created_at=created_at,
        author=word(item, "snippet", "authorChannelId", "value"),
        url=f"https://www.youtube.com/watch?v={video}&lc={comment}" if video else None,
        reply_to=f"comment:{parent}" if parent else f"video:{video}" if video else None,
        thread=f"comment:{parent}" if parent else None,
        edited_at=edited_at if edited_at != created_at else None,
    )


def ident(value: object, *path: str) -> str | None:
    """The id at this path, ``None`` if there is none: ids go back into addresses, several to a list, so their form is checked."""
    found = word(value, *path)
    return found if found and _ID.fullmatch(found) else None


def items(value: object) -> list[object]:
    """The list, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def _read_found(item: object) -> tuple[Found, str]:
    """A search result. Only here are title and description escaped for HTML (``&#39;``)."""
    title = html_to_text(word(item, "snippet", "title") or "")
    more = html_to_text(word(item, "snippet", "description") or "")
    return _video(item, ident(item, "id", "videoId"), f"{title}\n\n{more}".strip()), title


def _video(item: object, video: str | None, text: str) -> Found:
    created_at = _time(item, "publishedAt")
    if not video or not text or created_at is None:
        return _problem(video, text)
    return RawPost(
        native_id=f"video:{video}",
        text=text,
        created_at=created_at,
        author=word(item, "snippet", "channelId"),
        url=f"https://www.youtube.com/watch?v={video}",
        language_hint=known_hint(word(item, "snippet", "defaultLanguage")),
    )


def _problem(found: str | None, text: str) -> DiscardReason:
    if not found:
        return DiscardReason.NO_ID
    return DiscardReason.BAD_TIME if text else DiscardReason.NO_TEXT


def _comment_text(item: object) -> str:
    """As typed where the API gives it; ``textDisplay`` puts titles in place of links. Both are plain text, not HTML."""
    return (word(item, "snippet", "textOriginal") or word(item, "snippet", "textDisplay") or "").strip()


def _time(item: object, name: str) -> datetime | None:
    try:
        return parse_time(word(item, "snippet", name) or "")
    except (ValueError, OverflowError):
        return None

"""Pure: where the records of platforms, as other tools capture them, hold what a post needs.

A shape is data: dotted paths into a record, and of several the first that holds something counts. Field names were learnt from
4CAT's importers (``datasources/*/search_*.py``) and Zeeschuimer's modules (both MPL-2.0; no code of theirs is here), those of
TikTok's and Threads' privacy marks and of X's long posts from other public readers of the same records.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from screener.collect.connector import known_hint
from screener.collect.normalise import parse_time
from screener.records import UNDETERMINED, DiscardReason, RawPost

_NOTHING = frozenset({"", "0", "undefined", "$undefined", "REDACTED", "[deleted]", "[removed]"})
"""What exporters and platforms write where there is nothing. One *REDACTED* taken for an author would join all voices into one."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a record is no post."""

    reason: DiscardReason
    detail: str


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a kind of record holds what. ``titles`` go above the text; ``escaped`` is text in which ``&amp;`` stands for ``&``.

    ``closed`` holds true in records that not everybody could see: what a logged-in browser is shown is not all public.
    ``unfold`` brings a record into the form that the paths walk, first of all.
    """

    source: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    times: tuple[str, ...]
    authors: tuple[str, ...]
    titles: tuple[str, ...] = ()
    escaped: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    unfold: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda record: record


def read_record(record: Mapping[str, Any], shape: Shape) -> RawPost | Refused:
    """The post that a record of this shape holds, or why it holds none; never raises, whatever the record is."""
    record = shape.unfold(record)
    if any(value_at(record, path) is True for path in shape.closed):
        return Refused(DiscardReason.BAD_ROW, "not public: its author or its platform keeps it from the public")
    if (native_id := word_at(record, shape.ids)) is None:
        return Refused(DiscardReason.NO_ID, f"'{shape.ids[0]}' is missing or empty")
    if (text := _text(record, shape)) is None:
        return Refused(DiscardReason.NO_TEXT, f"'{(*shape.texts, *shape.escaped)[0]}' is missing or empty")
    try:
        created_at = _time(word_at(record, shape.times))
    except (ValueError, OverflowError, OSError) as error:
        return Refused(DiscardReason.BAD_TIME, f"'{shape.times[0]}': {error}")
    thread, reply_to, quoted = (word_at(record, paths) for paths in (shape.threads, shape.replies, shape.quoted))
    hint = known_hint(word_at(record, shape.languages))
    return RawPost(
        native_id=native_id, text=text, created_at=created_at, author=word_at(record, shape.authors),
        language_hint=None if hint == UNDETERMINED else hint, thread=None if thread == native_id else thread,
        reply_to=reply_to, quoted=quoted,
    )  # fmt: skip


def value_at(record: object, path: str) -> object:
    """What stands at a dotted path; ``None`` if the path leads nowhere."""
    found = record
    for key in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(key)
        elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found


def word_at(record: object, paths: tuple[str, ...]) -> str | None:
    """The first string or number at one of the paths that says something."""
    for path in paths:
        value = value_at(record, path)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            word = str(value).strip()
            if word not in _NOTHING:
                return word
    return None


def _text(record: Mapping[str, Any], shape: Shape) -> str | None:
    title, text = word_at(record, shape.titles), word_at(record, shape.texts)
    if text is None and (escaped := word_at(record, shape.escaped)) is not None:
        text = html.unescape(escaped)
    if title is None or (text is not None and title in text):
        return text
    return f"{title}\n\n{text}" if text else title


def _time(word: str | None) -> datetime | None:
    """The time, by ISO 8601 and epochs or as X writes it: ``Wed Oct 10 20:19:24 +0000 2018``."""
    if word is None:
        return None
    return parse_time(parsedate_to_datetime(word).isoformat() if word[0].isalpha() else word)


def _tweet(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The post itself: X nests some once more, and a repost holds the post that it repeats."""
    legacy = record.get("legacy")
    if isinstance(legacy, Mapping) and ("retweeted_status_result" in legacy or "retweeted_status_id_str" in legacy):
        original = value_at(legacy, "retweeted_status_result.result")
        return _tweet_itself(original) if isinstance(original, Mapping) else {}
    return _tweet_itself(record)


def _tweet_itself(record: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = record.get("tweet")
    return inner if isinstance(inner, Mapping) else record


def _threads_post(record: Mapping[str, Any]) -> Mapping[str, Any]:
    original = value_at(record, "text_post_app_info.share_info.reposted_post")
    return original if isinstance(original, Mapping) else record


def _linkedin_post(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the number in the activity's name as id; its upper bits are the time, in milliseconds, that LinkedIn gives nowhere else."""
    named = word_at(record, ("updateMetadata.urn", "preDashEntityUrn", "id")) or ""
    number = re.search(r"urn:li:activity:(\d{1,19})", named, re.ASCII)
    profile = (word_at(record, ("actor.navigationContext.actionTarget",)) or "").partition("?")[0]
    known = {"number": number[1], "time": int(number[1]) >> 22} if number else {}
    return {**record, "profile": profile, **known}


def _rednote(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The note, which pages wrap in one way and lists in another."""
    inner = record.get("note_card") or record.get("note")
    outer = {key: record[key] for key in ("id", "time") if key in record}
    return {**outer, **inner, **{k: v for k, v in outer.items() if k == "id"}} if isinstance(inner, Mapping) else record


_X = Shape(
    "x", ids=("rest_id", "legacy.id_str"), texts=("note_tweet.note_tweet_results.result.text",), escaped=("legacy.full_text",),
    times=("legacy.created_at",), authors=("legacy.user_id_str", "user.id_str"), threads=("legacy.conversation_id_str",),
    replies=("legacy.in_reply_to_status_id_str",), quoted=("legacy.quoted_status_id_str",), languages=("legacy.lang",),
    closed=("core.user_results.result.legacy.protected", "core.user_results.result.privacy.protected", "user.protected"),
    unfold=_tweet,
)  # fmt: skip
_THREADS = Shape(
    "threads", ids=("code",), texts=("caption.text",), times=("taken_at",), authors=("user.pk", "user.id"),
    quoted=("text_post_app_info.share_info.quoted_post.code",),
    closed=("user.text_post_app_is_private", "user.is_private"), unfold=_threads_post,
)  # fmt: skip

SHAPES: Mapping[str, Shape] = {
    "douyin.com": Shape(
        "douyin", ids=("aweme_id", "awemeId"), texts=("desc",), times=("create_time", "createTime"),
        authors=("author_user_id", "authorUserId", "author.uid", "authorInfo.uid"),
    ),
    "instagram.com": Shape(
        "instagram", ids=("code", "shortcode"), texts=("caption.text", "edge_media_to_caption.edges.0.node.text"),
        times=("taken_at", "taken_at_timestamp"), authors=("user.id", "user.pk", "owner.id", "owner.pk"),
        closed=("user.is_private", "owner.is_private"),
    ),
    "linkedin.com": Shape(
        "linkedin", ids=("number",), texts=("commentary.text.text",), times=("time",), authors=("profile",),
        unfold=_linkedin_post,
    ),
    "threads.com": _THREADS,
    "threads.net": _THREADS,
    "tiktok-comments": Shape(
        "tiktok", ids=("cid",), texts=("text",), times=("create_time",), authors=("user.uid", "user.unique_id"),
        threads=("aweme_id",), replies=("reply_id", "aweme_id"), languages=("comment_language",),
    ),
    "tiktok.com": Shape(
        "tiktok", ids=("id",), texts=("desc",), times=("createTime",), authors=("author.id", "author"),
        closed=("privateItem", "secret", "forFriend", "author.privateAccount", "author.secret"),
    ),
    "twitter.com": _X,
    "x.com": _X,
    "xiaohongshu-comments": Shape(
        "xiaohongshu", ids=("id",), texts=("content",), times=("create_time",), threads=("note_id",),
        authors=("user_info.user_id", "user_info.nickname"),
    ),
    "xiaohongshu.com": Shape(
        "xiaohongshu", ids=("id", "note_id"), titles=("display_title", "title"), texts=("desc",), times=("time",),
        authors=("user.user_id", "user.userId", "user.nickname", "author_name"), unfold=_rednote,
    ),
}  # fmt: skip
"""Zeeschuimer's name of a platform, to the shape of its records."""

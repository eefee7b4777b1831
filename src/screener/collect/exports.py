"""Pure: records that researchers already have, exported from 4CAT (CSV, NDJSON) or Zeeschuimer (NDJSON), as posts.

Tools: 4CAT, a capture and analysis toolkit (https://github.com/digitalmethodsinitiative/4cat); Zeeschuimer, a browser
extension that keeps what platforms show to the person who browses (https://github.com/digitalmethodsinitiative/zeeschuimer).
Terms: researchers collected under terms of their own, which are theirs to state in the source's TOML ``note``. Some platforms
forbid what these tools do, except to those whom they or the law admit; nothing here checks that.
Public or not: records that say they are not public are refused. LinkedIn and Douyin records don't say; Facebook's, where
groups and friends are the rule, don't either, so those that a browser was shown are refused.
Sources: each post keeps its platform as its source, so that one exported twice, or by both tools, is one post.
Country and sector: not in the records (where an account or an upload sits is not where the work is), so the TOML states them.
Known gaps: 4CAT hashes authors anew for each dataset that it pseudonymises, so one voice may count as two across files. 4CAT's
``timestamp`` is in its server's zone for some platforms, so ``unix_timestamp`` goes first. Instagram's grids hold neither time
nor author. Pseudonymised or not, 4CAT mostly knows a handle where Zeeschuimer knows an account's number.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from screener.collect.export_shapes import SHAPES, Refused, Shape, read_record, value_at, word_at
from screener.records import DiscardReason, RawPost
from screener.settings.sources import Export

Exported = tuple[str | None, RawPost] | Refused
"""The platform (``None`` where the record doesn't tell it) and its post, or why there is none."""

_ROW = Shape(
    "", ids=("id",), titles=("subject", "title"), texts=("body",), times=("unix_timestamp", "timestamp"),
    authors=("author_id", "author_user_id", "author"), threads=("thread_id",), quoted=("quote_tweet_id",),
    languages=("language_guess",),
)  # fmt: skip
_ADDRESSES = ("url", "link", "post_url", "tiktok_url")
_HOSTS = {name: shape.source for name, shape in SHAPES.items() if "." in name}
_LONG_ID = 8
"""Characters from which an id doesn't stand in another page's address by chance; the platforms' own have eleven or more."""
_THREADED = frozenset({"reddit", "tiktok", "x", "xiaohongshu"})
"""Where 4CAT's ``thread_id`` is the post that began the thread; elsewhere it may be a chat, a channel or a group."""


def read_zeeschuimer(record: Mapping[str, Any]) -> Exported:
    """One line of a Zeeschuimer export: an envelope that names the platform around the platform's own record."""
    platform, data = record.get("source_platform"), record.get("data")
    shape = SHAPES.get(platform) if isinstance(platform, str) else None
    if shape is None:
        told = f"no reader for platform {platform!r:.60}; there are readers for {', '.join(SHAPES)}"
        return Refused(DiscardReason.BAD_ROW, told)
    if not isinstance(data, Mapping):
        return Refused(DiscardReason.BAD_ROW, f"'data' must be an object, got {type(data).__name__}")
    found = read_record(data, shape)
    return found if isinstance(found, Refused) else (shape.source, found)


def read_4cat(row: Mapping[str, Any]) -> Exported:
    """One row of 4CAT's CSV, or one line of its NDJSON: its own columns, or a platform's record that Zeeschuimer sent it."""
    imported = row.get("__import_meta")
    if isinstance(imported, Mapping):
        return read_zeeschuimer({**imported, "data": row})
    if "body" not in row:
        return Refused(DiscardReason.BAD_ROW, "no 'body': this is raw data of a platform; export it from 4CAT as CSV")
    if row.get("is_retweet") == "yes":
        return Refused(DiscardReason.BAD_ROW, "a repost, without the id of what it repeats")
    if "is_in_group" in row:
        return Refused(
            DiscardReason.BAD_ROW, "from Facebook as a browser showed it: no telling if everybody could see it"
        )
    platform, found = _platform(row), read_record(_without_kinds(row), _ROW)
    return found if isinstance(found, Refused) else (platform, _settled(found, row, platform))


READERS: Mapping[Export, Callable[[Mapping[str, Any]], Exported]] = {"4cat": read_4cat, "zeeschuimer": read_zeeschuimer}
CSV_COLUMNS: Mapping[Export, tuple[str, ...]] = {"4cat": ("id", "body")}
"""Columns that a CSV file must have, for the tools that write some; Zeeschuimer's CSV has 4CAT's columns."""


def _without_kinds(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the *subject* of Douyin rows, which is the kind of the post and none of its words."""
    return {key: value for key, value in row.items() if key != "subject" or value not in ("Post", "Stream")}


def _platform(row: Mapping[str, Any]) -> str | None:
    """By columns that one platform alone has, else by the address of the post: its own, for it holds an id of the row."""
    if "subreddit" in row or "chat" in row:
        return "reddit" if "subreddit" in row else "telegram"
    if (word_at(row, ("id",)) or "").startswith("at://"):
        return "bluesky"
    ids = [word_at(row, (name,)) or "" for name in ("id", "post_id", "thread_id")]
    for name in _ADDRESSES:
        address = value_at(row, name)
        host = re.match(r"https?://(?:www\.)?([^/]+)/", address) if isinstance(address, str) else None
        if host and any(len(known) >= _LONG_ID and known in host.string for known in ids) and host[1] in _HOSTS:
            return _HOSTS[host[1]]
    return None


def _settled(post: RawPost, row: Mapping[str, Any], platform: str | None) -> RawPost:
    """What holds for one platform only: Telegram counts messages by chat, and X escapes its texts."""
    if platform not in _THREADED:
        post = replace(post, thread=None)
    if platform == "x":
        return replace(post, text=html.unescape(post.text))
    chat = word_at(row, ("chat",))
    if platform == "telegram" and chat and chat not in post.native_id:
        return replace(post, native_id=f"{chat}/{post.native_id}")
    return post

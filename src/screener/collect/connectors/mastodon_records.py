"""Pure: what one status of the Mastodon API says, whether it may be read, and whether it carries a hashtag."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from screener.collect.connector import known_hint
from screener.collect.json_values import table, word
from screener.collect.normalise import parse_time
from screener.collect.text import find_tags, fold_tag, has_tag, html_to_text
from screener.records import DiscardReason, Quarantined, RawPost

KIND = "mastodon"
_EXCERPT = 120


def name(value: object) -> str | None:
    """An id: text by the documentation, a number in some forks."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else word(value)


def place_of(target: str) -> str:
    """A server's address without its scheme: the first part of the native ids of its posts."""
    return target.partition("://")[2].rstrip("/").lower()


def original(record: Any) -> Any:
    """The status itself, or the one that a pure repost repeats."""
    return table(record).get("reblog") or record


def is_status(record: Any) -> bool:
    """Whether it says enough to tell who may read it."""
    return isinstance(record, dict) and isinstance(record.get("account"), dict) and bool(word(record.get("visibility")))


def read_status(status: Any, place: str, source: str, where: str) -> RawPost | Quarantined:
    """The post, or why it can't be read. A content warning is the author's own summary and comes first."""
    if not isinstance(status, dict):
        return Quarantined(source, where, DiscardReason.NOT_AN_OBJECT, f"is a {type(status).__name__}", "")
    parts = ((word(status.get("spoiler_text")) or "").strip(), html_to_text(word(status.get("content")) or ""))
    text = "\n\n".join(part for part in parts if part)
    created_at, account = time_of(status), table(status.get("account"))
    reason = _problem(status, text, created_at)
    if reason:
        return Quarantined(source, where, reason, _TOLD[reason], text[:_EXCERPT])
    author = name(account.get("id"))
    return RawPost(
        native_id=f"{place}/{name(status.get('id'))}",
        text=text,
        created_at=created_at,
        author=f"{place}/{author}" if author else word(account.get("uri")) or word(account.get("url")),
        url=word(status.get("url")),
        language_hint=known_hint(status.get("language")),
        reply_to=_beside(place, status.get("in_reply_to_id")),
        quoted=_beside(place, *_quoted(status)),
        edited_at=time_of(status, "edited_at"),
    )


def may_read(status: Any, place: str, *, by_tag: bool) -> bool:
    """Public, of the server's own people, and nothing that the account says speaks against it (see ``mastodon``).

    ``by_tag``: the author's hashtag led to the post, which stands for ``indexable`` and ``discoverable``.
    """
    account = table(table(status).get("account"))
    if table(status).get("visibility") != "public" or account.get("noindex") is True:
        return False
    is_found_by_words = account.get("indexable") is not False and account.get("discoverable") is not False
    return (by_tag or is_found_by_words) and _is_local(status, account, place)


def tagged(status: dict[str, Any], text: str, tag: str) -> bool:
    """True if the post carries the tag in its text, or in its list of tags unless the list has it cut.

    Servers cut tags at combining marks (``শ্রমিক`` becomes ``শ``), so a listed tag is no proof where the text holds a longer
    one that goes on with a mark; other servers' markup may lack the ``#``, so the list counts otherwise.
    """
    wanted = fold_tag(tag.lstrip("#＃"))
    if has_tag(text, wanted):
        return True
    tags = status.get("tags")
    listed = {fold_tag(word(table(item).get("name")) or "") for item in (tags if isinstance(tags, list) else [])}
    longer = [found[len(wanted)] for found in find_tags(text) if found.startswith(wanted) and found != wanted]
    return wanted in listed and not any(unicodedata.category(char).startswith("M") for char in longer)


_TOLD = {
    DiscardReason.NO_ID: "has no id",
    DiscardReason.BAD_ROW: "has no account or visibility",
    DiscardReason.NO_TEXT: "has no text",
    DiscardReason.BAD_TIME: "has no time that can be read",
}


def _problem(status: dict[str, Any], text: str, created_at: datetime | None) -> DiscardReason | None:
    if name(status.get("id")) is None:
        return DiscardReason.NO_ID
    if not is_status(status):
        return DiscardReason.BAD_ROW
    if not text:
        return DiscardReason.NO_TEXT
    return DiscardReason.BAD_TIME if created_at is None else None


def _is_local(status: dict[str, Any], account: dict[str, Any], place: str) -> bool:
    """``acct`` of a local account has no domain by the documentation; Takahē's has, so the ``uri`` counts too."""
    acct = word(account.get("acct"))
    return (acct is not None and "@" not in acct) or _host(word(status.get("uri")) or "") == place.partition("/")[0]


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


def _quoted(status: dict[str, Any]) -> tuple[object, ...]:
    """Where the quoted status may be named: Mastodon 4.4 nests it, shallow quotes and older forks give the id."""
    quote = table(status.get("quote"))
    nested = table(quote.get("quoted_status")).get("id")
    return nested, quote.get("quoted_status_id"), quote.get("id"), status.get("quote_id")


def _beside(place: str, *ids: object) -> str | None:
    """Native id of another status of the same server: the first id that is one."""
    return next((f"{place}/{found}" for found in map(name, ids) if found), None)


def time_of(record: Any, key: str = "created_at") -> datetime | None:
    """The time, ``None`` if there is none that can be read."""
    try:
        return parse_time(word(table(record).get(key)) or "")
    except (ValueError, OverflowError):
        return None

"""Pure: a Bluesky post out of its record, which the API and the firehose carry alike (lexicon ``app.bsky.feed.post``)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TypeGuard

from screener.collect.connector import known_hint
from screener.collect.json_values import inside, word
from screener.collect.normalise import parse_time
from screener.collect.text import fold_tag, has_tag
from screener.records import DiscardReason, Quarantined, RawPost

KIND = "bluesky"
COLLECTION = "app.bsky.feed.post"
_DID = re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]+")
_POST = re.compile(rf"at://(?P<did>{_DID.pattern})/{re.escape(COLLECTION)}/[a-zA-Z0-9._:~-]+")
_HIDDEN = "!no-unauthenticated"
PROBLEMS = {
    DiscardReason.NOT_AN_OBJECT: "no post record",
    DiscardReason.NO_ID: "no at:// address of a post",
    DiscardReason.NO_TEXT: "no text",
    DiscardReason.BAD_ROW: "the record is not in the frame that announces it",
}


def read_record(uri: object, record: object, seen_at: datetime | None) -> RawPost | DiscardReason:
    """A post from its record, or why there is none; the API and the firehose carry the same records.

    The author's app writes ``createdAt`` as it likes, so a post is never newer than when it was ``seen_at``
    (https://docs.bsky.app/docs/advanced-guides/timestamps). Posts are plain text: ``<`` and ``&`` in it are meant so.
    """
    address = _POST.fullmatch(uri) if isinstance(uri, str) else None
    if not address:
        return DiscardReason.NO_ID
    if not isinstance(record, dict):
        return DiscardReason.NOT_AN_OBJECT
    text = word(record, "text") or ""
    if not text.strip():
        return DiscardReason.NO_TEXT
    languages = record.get("langs")
    hints = map(known_hint, languages if isinstance(languages, list) else [])
    return RawPost(
        native_id=address[0],
        text=text,
        created_at=min(filter(None, (read_time(record.get("createdAt")), seen_at)), default=None),
        author=address["did"],
        language_hint=next(filter(None, hints), None),
        reply_to=_address(record, "reply", "parent", "uri"),
        thread=_address(record, "reply", "root", "uri"),
        quoted=_address(record, "embed", "record", "uri") or _address(record, "embed", "record", "record", "uri"),
    )


def read_view(view: object) -> RawPost | DiscardReason:
    """A post from what the API shows of it (lexicon ``app.bsky.feed.defs#postView``), or why there is none."""
    return read_record(inside(view, "uri"), inside(view, "record"), read_time(inside(view, "indexedAt")))


def read_time(value: object) -> datetime | None:
    """A time in UTC, ``None`` if it can't be read: a wrong one must not cost the post."""
    try:
        return parse_time(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def quarantine(reason: DiscardReason, source: str, where: str, record: object) -> Quarantined:
    """The ledger's entry for a record that could not be read; shows its text, never whose it is."""
    return Quarantined(source, where, reason, PROBLEMS[reason], (word(record, "text") or "")[:120])


def is_did(value: object) -> TypeGuard[str]:
    """True for an account's permanent name; handles come and go."""
    return isinstance(value, str) and _DID.fullmatch(value) is not None


def is_hidden(view: object) -> bool:
    """True if the author wants to be shown to signed-in people only."""
    labels = [inside(view, "author", "labels"), inside(view, "labels")]
    return any(
        inside(label, "val") == _HIDDEN and inside(label, "neg") is not True
        for given in labels
        for label in (given if isinstance(given, list) else [])
    )


def carries_tag(view: object, text: str, tag: str) -> bool:
    """True if the text carries the hashtag, or the author added it beside the text."""
    beside = inside(view, "record", "tags")
    added = beside if isinstance(beside, list) else []
    return has_tag(text, tag) or any(isinstance(one, str) and fold_tag(one) == fold_tag(tag) for one in added)


def is_post(address: str) -> bool:
    """True for the address of a post, with the account's DID in it."""
    return _POST.fullmatch(address) is not None


def _address(record: object, *path: str) -> str | None:
    """The address at this path if it is a post's; feeds, lists and people are quoted too."""
    uri = word(record, *path)
    return uri if uri and is_post(uri) else None

"""Pure: Reddit submissions and comments out of the things of a Listing, and which of them are gone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from screener.collect.json_values import inside, word
from screener.collect.normalise import parse_time
from screener.records import DiscardReason, RawPost

PROBLEMS = {
    DiscardReason.NOT_AN_OBJECT: "no submission or comment",
    DiscardReason.NO_ID: "no fullname",
    DiscardReason.NO_TEXT: "no text",
    DiscardReason.BAD_TIME: "created_utc is no time",
}
"""Why a record can't be read."""

_FULLNAME = re.compile(r"t[1-9]_[0-9a-z]+")
_EMPTIED = re.compile(r"\[ ?(deleted|removed)( by [^\]]*)? ?\]", re.IGNORECASE)
"""What stands in place of a text or name that is gone: ``[deleted]``, ``[removed]``, ``[ Removed by Reddit ]``."""


def records(children: Iterable[object]) -> Iterator[object]:
    """Submissions (``t3``) and comments (``t1``) of a list.

    A crosspost repeats another submission: that one is taken, under its own id and author, and the crosspost is not. A crosspost
    that doesn't carry it, and the place holder of comments not shown (``more``), are no posts.
    """
    for child in children:
        data, kind = inside(child, "data"), word(child, "kind")
        originals = inside(data, "crosspost_parent_list")
        if isinstance(originals, list) and originals:
            yield originals[0]
        elif kind != "more" and not word(data, "crosspost_parent"):
            yield data if kind in {"t1", "t3"} else None


def gone_name(data: object) -> str | None:
    """The fullname of a record whose text, title or author is deleted or removed; ``None`` if it stands."""
    parts = [word(data, "author") or "", *_parts(data)]
    is_emptied = any(_EMPTIED.fullmatch(part) for part in parts) or inside(data, "removed_by_category")
    return fullname(data, "name") if is_emptied else None


def read_record(data: object) -> RawPost | DiscardReason:
    """The post, or why it can't be read."""
    if not isinstance(data, dict):
        return DiscardReason.NOT_AN_OBJECT
    name, text, created_at = fullname(data, "name"), text_of(data), _time(data.get("created_utc"))
    if not name:
        return DiscardReason.NO_ID
    if not text or created_at is None:
        return DiscardReason.BAD_TIME if text else DiscardReason.NO_TEXT
    link = word(data, "permalink")
    return RawPost(
        native_id=name,
        text=text,
        created_at=created_at,
        author=word(data, "author_fullname") or word(data, "author"),
        url=f"https://www.reddit.com{link}" if link else None,
        reply_to=fullname(data, "parent_id"),
        thread=fullname(data, "link_id"),
        edited_at=_time(data.get("edited")),
    )


def text_of(data: object) -> str:
    """Title and text of a submission, or the body of a comment; Markdown as typed."""
    return "\n\n".join(_parts(data))


def fullname(value: object, name: str) -> str | None:
    """The fullname under this name, ``None`` for anything else: they go back into addresses, several to a list."""
    found = word(value, name)
    return found if found and _FULLNAME.fullmatch(found) else None


def _parts(data: object) -> list[str]:
    found = (word(data, name) for name in ("title", "selftext", "body"))
    return [part.strip() for part in found if part and part.strip()]


def _time(value: object) -> datetime | None:
    """Epoch seconds. ``edited`` is ``false`` for what never was, and in old records only ``true``: both are no time."""
    if not isinstance(value, int | float):
        return None
    try:
        return parse_time(value)
    except (ValueError, OverflowError, OSError):
        return None

"""Pure: the posts of one page, normalised, counted and told apart from those already taken."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from screener.collect.normalise import Intake, clean_text, to_post
from screener.records import Gap, Post, Quarantined, RawPost, Span, Window
from screener.scrub import scrub

KEPT_PER_REASON = 200
"""Quarantine entries kept per unit and reason; the count goes on. Two hundred show a pattern, two million fill a disk."""


@dataclass
class Outcome:
    """What came of one unit (a file, or a query): counts, quarantined records, gaps."""

    n_read: int = 0
    n_posts: int = 0
    n_duplicates: int = 0
    n_outside_window: int = 0
    n_unchanged: int = 0
    discards: Counter[str] = field(default_factory=Counter)
    quarantined: list[Quarantined] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    is_terminal: bool = True
    """Whether a failure would come again; a transient one may pass."""
    keeps_excerpts: bool = True
    """Whether quarantine may hold words of a record: of a platform's posts it may not, for deletions could not find them."""

    def reject(self, entry: Quarantined) -> None:
        """Count a refused record, keep the first ones, without what points at a person or what no database takes."""
        self.discards[entry.reason] += 1
        if self.discards[entry.reason] <= KEPT_PER_REASON:
            excerpt = scrub(clean_text(entry.excerpt)).text if self.keeps_excerpts else ""
            self.quarantined.append(replace(entry, detail=clean_text(entry.detail), excerpt=excerpt))

    def take(self, post: Post | Quarantined, seen: set[bytes], window: Window | Span) -> Post | None:
        """The post if it is new to this run and inside the window, else ``None``; either way it is counted."""
        if isinstance(post, Quarantined):
            self.reject(post)
        elif (key := bytes.fromhex(post.post_id)) in seen:
            self.n_duplicates += 1
        elif not window.contains(post.created_at):
            self.n_outside_window += 1
        else:
            seen.add(key)
            self.n_posts += 1
            return post
        return None


def take_page(
    records: Iterable[RawPost], rejected: Iterable[Quarantined], intake: Intake, outcome: Outcome, seen: set[bytes],
    span: Span, *, where: str,
) -> list[Post]:  # fmt: skip
    """New posts of one page. ``where`` names the page in quarantine, without anything that points at a person."""
    taken: list[Post] = []
    for entry in rejected:
        outcome.n_read += 1
        outcome.reject(entry)
    for number, raw in enumerate(records, start=1):
        outcome.n_read += 1
        post = outcome.take(to_post(raw, intake, where=f"{where} entry {number}"), seen, span)
        if post is not None:
            taken.append(post)
    return taken


def page_name(source: str, endpoint: str, watch: str, cursor: str | None) -> str:
    """How a page is named in quarantine: cursors may hold ids of posts, so only their hash stands there."""
    page = hashlib.sha256(cursor.encode("utf-8", "replace")).hexdigest()[:8] if cursor else "first"
    return f"{source} {endpoint} {watch} page {page}"

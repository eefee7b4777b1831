"""Honours deletions: whatever was deleted at its source leaves lake, evidence, review queue and drafts within one pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from screener.collect.keyed import post_token
from screener.records import Erasure, Partition, Tombstone
from screener.store import erasing, lake_queries, retention
from screener.store.database import Engine, reading, writing
from screener.store.lake import COLLECTED, Lake, Part, posts_from
from screener.store.spool import Spool, write_part
from screener.workdir import Workdir

_DERIVED = ("languages", "signals", "cells")
_LONG_AGO = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Erased:
    """How much left each place."""

    n_tombstones: int
    n_posts: int
    n_evidence: int
    n_review_items: int
    n_review_texts: int


def apply_tombstones(lake: Lake, engine: Engine, workdir: Workdir, *, now: datetime) -> Erased:
    """Apply all deletions heard of and not applied yet; started again after a crash it goes on.

    Texts leave the results store first, then the lake, and only then are the deletions marked as applied: whatever is
    interrupted is done again. A draft may quote what was deleted, so drafts go too; the next run makes them anew.
    """
    with reading(engine) as connection:
        pending = erasing.pending_tombstones(connection)
    totals: list[Erased] = []
    for source in sorted({stone.source for stone in pending}):
        stones = [stone for stone in pending if stone.source == source]
        totals.append(_erase_source(lake, engine, workdir, source, stones, now))
    return Erased(*(sum(getattr(one, name) for one in totals) for name in Erased.__slots__))


def _erase_source(
    lake: Lake, engine: Engine, workdir: Workdir, source: str, stones: Sequence[Tombstone], now: datetime
) -> Erased:
    _drop_spooled(workdir, stones)
    by_place = _places(lake, source, stones)
    post_ids = {post_id for ids in by_place.values() for post_id in ids} | {s.post_id for s in stones if s.post_id}
    with writing(engine) as connection:
        removed = retention.remove_texts(connection, before=_LONG_AGO, post_ids=post_ids)
    if by_place:
        for draft in (workdir.root / "drafts").glob("*.json"):
            draft.unlink()
    n_posts = sum(_erase_part(lake, place, ids) for place, ids in sorted(by_place.items()))
    erased = Erased(len(stones), n_posts, removed.n_evidence, removed.n_review_items, removed.n_review_texts)
    key = workdir.pseudonym_key()
    also = [Tombstone(post_token(key, post_id), source) for post_id in post_ids]
    with writing(engine) as connection:
        erasing.add_tombstones(connection, also, now=now)
        erasing.mark_applied(connection, [stone.token for stone in (*stones, *also)], now=now)
        if any((erased.n_posts, erased.n_evidence, erased.n_review_items, erased.n_review_texts)):
            erasing.log_erasure(connection, _log_entry(erased, source, now))
    return erased


def _log_entry(erased: Erased, source: str, now: datetime) -> Erasure:
    return Erasure(
        now, source, "deletion", n_tombstones=erased.n_tombstones, n_posts=erased.n_posts, n_evidence=erased.n_evidence,
        n_review_items=erased.n_review_items, n_review_texts=erased.n_review_texts,
    )  # fmt: skip


def _places(lake: Lake, source: str, stones: Sequence[Tombstone]) -> dict[Partition, set[str]]:
    found: dict[Partition, set[str]] = defaultdict(set)
    posts = [stone.post_id for stone in stones if stone.post_id]
    authors = [stone.author for stone in stones if stone.author]
    for post_id, place in (
        *(lake_queries.locate(lake, source, posts) if posts else ()),
        *(lake_queries.locate_authors(lake, source, authors) if authors else ()),
    ):
        found[place].add(post_id)
    return found


def _drop_spooled(workdir: Workdir, stones: Sequence[Tombstone]) -> None:
    """A run that was killed may have left pages of these posts; they are taken out before anybody merges them."""
    posts, authors = {stone.post_id for stone in stones}, {stone.author for stone in stones if stone.author}
    Spool(workdir.root / "spool").drop(lambda post: post.post_id in posts or post.author in authors)


def _erase_part(lake: Lake, place: Partition, ids: set[str]) -> int:
    """Rewrite or remove the part, and its counterparts in the other layers with it: the next run makes those anew."""
    part = Part(place, COLLECTED)
    before = posts_from(lake.read("posts", part), place)
    after = [post for post in before if post.post_id not in ids]
    for layer in _DERIVED:
        if lake.file(layer, part).exists():
            lake.remove(layer, part)
    write_part(lake, part, after)
    return len(before) - len(after)

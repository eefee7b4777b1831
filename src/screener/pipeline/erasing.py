"""Honours deletions: whatever was deleted at its source leaves lake, evidence, review queue and drafts within one pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from screener.collect.keyed import post_token
from screener.records import Erasure, Partition, Tombstone
from screener.store import erasing, lake_queries, retention
from screener.store.database import Engine, forget_deleted_pages, reading, writing
from screener.store.lake import COLLECTED, Lake, Part, content_fingerprint, posts_from, posts_table
from screener.store.spool import Spool, write_part
from screener.workdir import Workdir

_DERIVED = ("languages", "signals", "cells")
_LONG_AGO = date(1900, 1, 1)


DOUBTED_FROM = 20
"""So many posts to erase at once, and their share of the source can be judged."""
DOUBTED_SHARE = 0.5
"""More of a source's posts than this gone at once is a broken answer, or a moved server, until somebody says it isn't: nothing is
erased on doubt. In a year a few per cent of posts go; a platform that loses half of them in a day has lost its index."""


def doubt(n_gone: int, n_all: int) -> str | None:
    """Why so many deletions at once are not believed, ``None`` if they are."""
    if n_gone < DOUBTED_FROM or n_gone <= DOUBTED_SHARE * n_all:
        return None
    return (
        f"{n_gone:,} of {n_all:,} posts are said to be gone; nothing was erased. Look whether the source has moved or lost its index; "
        "`screener housekeeping --refresh --all --believe` asks again and erases"
    )


@dataclass
class Erased:
    """How much left each place, and deletions that were put off because they were doubted."""

    n_tombstones: int = 0
    n_posts: int = 0
    n_evidence: int = 0
    n_review_items: int = 0
    n_review_texts: int = 0
    warnings: list[str] = field(default_factory=list)

    def __iadd__(self, other: Erased) -> Erased:
        """The sum over two sources."""
        for name in ("n_tombstones", "n_posts", "n_evidence", "n_review_items", "n_review_texts"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.warnings += other.warnings
        return self


def apply_tombstones(lake: Lake, engine: Engine, workdir: Workdir, *, now: datetime, believe: bool = False) -> Erased:
    """Apply all deletions heard of and not applied yet; started again after a crash it goes on.

    Texts leave the results store first, then the lake, and only then are the deletions marked as applied: whatever is
    interrupted is done again. A draft may quote what was deleted, so drafts go too; the next run makes them anew. If more
    than half of a source would go, nothing does, and a warning asks a person; ``believe`` is that person's answer.
    """
    _drop_unfinished(lake, workdir)
    with reading(engine) as connection:
        pending = erasing.pending_tombstones(connection)
    total = Erased()
    for source in sorted({stone.source for stone in pending}):
        stones = [stone for stone in pending if stone.source == source]
        total += _erase_source(lake, engine, workdir, source, stones, now, believe=believe)
    if total.n_tombstones:
        forget_deleted_pages(engine)
    return total


def _drop_unfinished(lake: Lake, workdir: Workdir) -> None:
    """Files that a kill left half-written hold texts that nobody would ever find again."""
    for left in (*lake.root.rglob(".*.parquet.*"), *(workdir.root / "drafts").glob("*.new")):
        left.unlink()


def _erase_source(
    lake: Lake, engine: Engine, workdir: Workdir, source: str, stones: Sequence[Tombstone], now: datetime, *, believe: bool
) -> Erased:  # fmt: skip
    by_place = _places(lake, source, stones)
    gone = {post_id for ids in by_place.values() for post_id in ids}
    told = doubt(len(gone), lake_queries.count_posts_of(lake, source)) if len(gone) >= DOUBTED_FROM else None
    if told is not None and not believe:
        with writing(engine) as connection:
            erasing.drop_pending(connection, [stone.token for stone in stones])
        return Erased(warnings=[f"{source}: {told}"])
    _drop_spooled(workdir, stones)
    post_ids = gone | {stone.post_id for stone in stones if stone.post_id}
    with writing(engine) as connection:
        removed = retention.remove_texts(connection, before=_LONG_AGO, post_ids=post_ids)
    if by_place:
        for draft in (workdir.root / "drafts").glob("*"):
            draft.unlink()
    n_posts = sum(erase_from_part(lake, Part(place, COLLECTED), ids) for place, ids in sorted(by_place.items()))
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


def erase_from_part(lake: Lake, part: Part, ids: set[str]) -> int:
    """Take posts out of the part and of its counterparts in the other layers; returns how many went.

    The counterparts keep their fingerprint, so the next run makes them anew; until then the posts that stay are counted.
    """
    before = posts_from(lake.read("posts", part), part.partition)
    after = [post for post in before if post.post_id not in ids]
    for layer in _DERIVED:
        fingerprint = lake.fingerprint(layer, part)
        if fingerprint is None:
            continue
        table = lake.read(layer, part)
        kept = table.filter(pc.invert(pc.is_in(table["post_id"], pa.array(sorted(ids), pa.string()))))
        if after:
            lake.write(layer, part, kept, fingerprint)
        else:
            lake.remove(layer, part)
    if part.name == COLLECTED:
        write_part(lake, part, after)
    elif after:
        lake.write("posts", part, posts_table(after), content_fingerprint(after))
    else:
        lake.remove("posts", part)
    return len(before) - len(after)

"""Pages on their way into the lake: each is kept as a file at once, and many are merged into the lake's parts together.

Writing a page beside the lake costs a millisecond; merging it into the days that it touches costs a rewrite of each. A run
that is killed leaves files behind, whole ones only, and the next one merges them first. Merging twice changes nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from screener.records import UNKNOWN_COUNTRY, UNSPECIFIED_SECTOR, Partition, Post
from screener.store import lake_queries
from screener.store.lake import (
    COLLECTED,
    POSTS,
    Lake,
    Part,
    content_fingerprint,
    post_from_row,
    posts_from,
    posts_table,
)

_PLACE = ("source", "country", "sector")
_Key = tuple[str, str, str]
"""Post id, country and sector: a post found for two watches lies in both."""
_SPOOLED = pa.schema([*POSTS, *((name, pa.string()) for name in _PLACE)])


@dataclass
class Spool:
    """Posts that are kept but not yet in the lake; safe for several threads."""

    root: Path
    n_posts: int = 0
    _n_files: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, posts: Sequence[Post]) -> None:
        """Keep the posts of one page; they are on disk when this returns."""
        if not posts:
            return
        with self._lock:
            self._n_files += 1
            number = self._n_files
            self.n_posts += len(posts)
        self.root.mkdir(parents=True, exist_ok=True)
        # names sort by time: of two versions of a post the later one counts
        self._write(self.root / f"{time.time_ns():020d}-{os.getpid()}-{number:06d}.parquet", posts)

    def files(self) -> list[Path]:
        """What waits to be merged, oldest first."""
        return sorted(self.root.glob("*.parquet"))

    def drop(self, which: Callable[[Post], bool]) -> None:
        """Take posts out again before they are merged."""
        for path in self.files():
            posts = list(_read(path))
            kept = [post for post in posts if not which(post)]
            if not kept:
                path.unlink()
            elif len(kept) < len(posts):
                self._write(path, kept)

    def _write(self, path: Path, posts: Sequence[Post]) -> None:
        rows = [{name: getattr(post, name) for name in _SPOOLED.names} for post in posts]
        temporary = path.with_suffix(".part")
        pq.write_table(pa.Table.from_pylist(rows, schema=_SPOOLED), temporary, compression="zstd")
        temporary.replace(path)


@dataclass
class Merged:
    """What a merge did, in posts."""

    n_new: int = 0
    n_edited: int = 0
    n_known: int = 0
    n_deleted_before: int = 0
    new_by_source: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: Merged) -> Merged:
        """The sum of two merges."""
        self.n_new += other.n_new
        self.n_edited += other.n_edited
        self.n_known += other.n_known
        self.n_deleted_before += other.n_deleted_before
        self.new_by_source.update(other.new_by_source)
        return self


def merge(
    lake: Lake, spool: Spool, *, chunk_posts: int, is_deleted: Callable[[Post], bool] = lambda post: False
) -> Merged:
    """Everything in the spool into the lake; the files go when their posts are in their parts."""
    report = Merged()
    for cut_off in spool.root.glob("*.part"):  # a write that a kill broke off; the page is asked for again
        cut_off.unlink()
    for files in _chunks(spool.files(), chunk_posts):
        newest: dict[tuple[str, str | None, str | None, str], Post] = {}
        for file in files:
            for post in _read(file):
                newest[post.source, post.country, post.sector, post.post_id] = post
        kept = [post for post in newest.values() if not is_deleted(post)]
        report.n_deleted_before += len(newest) - len(kept)
        for source in sorted({post.source for post in kept}):
            _merge_source(lake, source, [post for post in kept if post.source == source], report)
        for file in files:
            file.unlink()
    spool.n_posts = 0
    return report


def _chunks(files: list[Path], chunk_posts: int) -> Iterator[list[Path]]:
    chunk: list[Path] = []
    n_posts = 0
    for file in files:
        chunk.append(file)
        n_posts += pq.read_metadata(file).num_rows
        if n_posts >= chunk_posts:
            yield chunk
            chunk, n_posts = [], 0
    if chunk:
        yield chunk


def _read(file: Path) -> Iterator[Post]:
    with pq.ParquetFile(file) as parquet:
        for row in parquet.read().to_pylist():
            place = Partition(row["source"], row["country"] or UNKNOWN_COUNTRY, row["sector"] or UNSPECIFIED_SECTOR, "")
            yield post_from_row(row, place)


def _merge_source(lake: Lake, source: str, posts: list[Post], report: Merged) -> None:
    """Posts into their parts. A post whose day has changed leaves its earlier part: it must not lie there twice."""
    incoming: dict[Partition, dict[str, Post]] = {}
    arriving: dict[_Key, Partition] = {}
    for post in posts:
        incoming.setdefault(post.partition, {})[post.post_id] = post
        arriving[post.post_id, post.partition.country, post.partition.sector] = post.partition
    leaving: dict[Partition, set[str]] = {}
    known: set[_Key] = set()
    for post_id, place in lake_queries.locate(lake, source, sorted({post.post_id for post in posts})):
        key = (post_id, place.country, place.sector)
        if key in arriving:
            known.add(key)
            if arriving[key] != place:
                leaving.setdefault(place, set()).add(post_id)
    for partition in sorted({*incoming, *leaving}):
        _merge_part(lake, partition, incoming.get(partition, {}), leaving.get(partition, set()), known, report)


def _merge_part(
    lake: Lake, partition: Partition, incoming: dict[str, Post], leaving: set[str], known: set[_Key], report: Merged
) -> None:  # fmt: skip
    part = Part(partition, COLLECTED)
    there = lake.fingerprint("posts", part) is not None
    before = {post.post_id: post for post in posts_from(lake.read("posts", part), partition)} if there else {}
    after = {post_id: post for post_id, post in before.items() if post_id not in leaving}
    for post_id, post in incoming.items():
        earlier = before.get(post_id)
        if (post_id, partition.country, partition.sector) not in known:
            report.n_new += 1
            report.new_by_source[partition.source] += 1
        elif earlier is not None and (
            _is_cut(post.text, earlier.text) or content_fingerprint([earlier]) == content_fingerprint([post])
        ):
            report.n_known += 1
            continue  # the lake keeps when it was first collected
        else:
            report.n_edited += 1
        after[post_id] = post
    write_part(lake, part, list(after.values()))


def _is_cut(text: str, earlier: str) -> bool:
    """True if the text is the beginning of the one that is there: lists and searches of some sources cut texts short."""
    begun = text.rstrip(" .…")
    return text.endswith(("…", "...")) and len(begun) < len(earlier) and earlier.startswith(begun)


def write_part(lake: Lake, part: Part, posts: Sequence[Post]) -> None:
    """Put exactly these posts into the part, by id; an empty part goes, an unchanged one is left alone."""
    ordered = sorted(posts, key=lambda post: post.post_id)
    if not ordered:
        lake.remove("posts", part)
        return
    fingerprint = content_fingerprint(ordered)
    if lake.fingerprint("posts", part) != fingerprint:
        lake.write("posts", part, posts_table(ordered), fingerprint)

"""The lake: Parquet parts on disk, one folder per layer, partitioned source / country / sector / day.

Layers: ``posts`` (from collect), then ``languages``, ``signals`` and ``cells``, whose parts mirror the parts of
``posts`` one to one. Every part carries a fingerprint in its footer: for posts a hash of the content, for the other
layers the hash of *input part + version of the stage*. A stage that is started again skips parts whose fingerprint
still fits, so a killed run resumes and an unchanged one is free. Files are written beside their place and renamed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from screener.records import UNKNOWN_COUNTRY, UNSPECIFIED_SECTOR, Partition, Post
from screener.store.times import as_utc

FINGERPRINT = b"screener.fingerprint"
COLLECTED = "collected.parquet"
"""Name of the part that holds what was asked for over the network; parts from files are named after their file."""
_TIME = pa.timestamp("us", tz="UTC")

POSTS = pa.schema(
    [
        ("post_id", pa.string()),
        ("text", pa.string()),
        ("created_at", _TIME),
        ("author", pa.string()),
        ("language_hint", pa.string()),
        ("collected_at", _TIME),
        ("run_id", pa.string()),
        ("invented", pa.bool_()),
        ("reply_to_id", pa.string()),
        ("thread_id", pa.string()),
        ("quoted_id", pa.string()),
        ("edited_at", _TIME),
        ("sealed_id", pa.binary()),
        ("is_news", pa.bool_()),
        ("asked_in", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One Parquet file of the lake, addressed by partition and name; the same address in every layer."""

    partition: Partition
    name: str

    @property
    def path(self) -> str:
        """Path relative to the layer's folder."""
        return f"{self.partition.path}/{self.name}"


class Lake:
    """Reads and writes parts; knows nothing of what they mean."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, layer: str, part: Part) -> Path:
        """Where the part lies."""
        return self.root / layer / part.path

    def parts(self, layer: str) -> list[Part]:
        """All parts of a layer, in a stable order."""
        base = self.root / layer
        return sorted(
            _parse_part(path.relative_to(base)) for path in base.glob("source=*/country=*/sector=*/day=*/*.parquet")
        )

    def fingerprint(self, layer: str, part: Part) -> str | None:
        """The part's fingerprint, ``None`` if there is no such part."""
        path = self.file(layer, part)
        if not path.exists():
            return None
        metadata = pq.read_schema(path).metadata or {}
        return bytes(metadata.get(FINGERPRINT, b"")).decode() or None

    def read(self, layer: str, part: Part, columns: Sequence[str] | None = None) -> pa.Table:
        """The part as a table, or only these of its columns; hive columns are not included."""
        with pq.ParquetFile(self.file(layer, part)) as file:
            return file.read(columns=columns)

    def write(self, layer: str, part: Part, table: pa.Table, fingerprint: str) -> None:
        """Put the part in its place in one rename; an earlier one of the same name is replaced."""
        path = self.file(layer, part)
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {**(table.schema.metadata or {}), FINGERPRINT: fingerprint.encode()}
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")
        temporary.replace(path)

    def remove(self, layer: str, part: Part) -> None:
        """Take the part away, and folders it leaves empty."""
        path = self.file(layer, part)
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self.root / layer or (folder.exists() and any(folder.iterdir())):
                break
            if folder.exists():
                folder.rmdir()

    def stale(self, layer: str, version: str) -> Iterator[tuple[Part, str]]:
        """Parts of ``posts`` whose counterpart in ``layer`` is missing or outdated, with the fingerprint it must get.

        Counterparts of parts that are gone are removed first: what was withdrawn must not be counted.
        """
        wanted = self.parts("posts")
        for gone in set(self.parts(layer)) - set(wanted):
            self.remove(layer, gone)
        for part in wanted:
            fingerprint = derived_fingerprint(self.fingerprint("posts", part) or "", version)
            if self.fingerprint(layer, part) != fingerprint:
                yield part, fingerprint

    def glob(self, layer: str) -> str:
        """Pattern for DuckDB's ``read_parquet``."""
        return str(self.root / layer / "*" / "*" / "*" / "*" / "*.parquet")


def derived_fingerprint(input_fingerprint: str, version: str) -> str:
    """Fingerprint of a stage's output: same input and same version give the same value."""
    return hashlib.sha256(f"{input_fingerprint}\n{version}".encode()).hexdigest()


def _parse_part(relative: Path) -> Part:
    source, country, sector, day, name = relative.parts
    return Part(Partition(*(piece.split("=", 1)[1] for piece in (source, country, sector, day))), name)


class PostWriter:
    """Writes one unit's posts, chunk by chunk, and at the end removes what an earlier pass of the unit left over.

    A *unit* is what is collected as a whole (a file, a feed). Its parts are named after it, so collecting the unit
    again replaces exactly its own parts and nothing of its neighbours.
    """

    def __init__(self, lake: Lake, unit: str, *, chunk_posts: int) -> None:
        self.lake, self.unit, self.chunk_posts = lake, unit, chunk_posts
        self._buffer: list[Post] = []
        self._chunk = 0
        self._written: set[Part] = set()
        self.n_posts = 0

    def add(self, post: Post) -> None:
        """Buffer one post, writing when the chunk is full."""
        self._buffer.append(post)
        self.n_posts += 1
        if len(self._buffer) >= self.chunk_posts:
            self.flush()

    def close(self) -> None:
        """Write the rest and remove the unit's leftovers; only now is the unit complete."""
        self.flush()
        for part in self.lake.parts("posts"):
            if part.name.startswith(f"{self.unit}-") and part not in self._written:
                self.lake.remove("posts", part)

    def flush(self) -> None:
        """Write what is buffered."""
        by_partition: dict[Partition, list[Post]] = {}
        for post in self._buffer:
            by_partition.setdefault(post.partition, []).append(post)
        for partition, posts in sorted(by_partition.items()):
            part = Part(partition, f"{self.unit}-{self._chunk:05d}.parquet")
            table = posts_table(posts)
            fingerprint = content_fingerprint(posts)
            if self.lake.fingerprint("posts", part) != fingerprint:
                self.lake.write("posts", part, table, fingerprint)
            self._written.add(part)
        self._buffer = []
        self._chunk += 1


def content_fingerprint(posts: Iterable[Post]) -> str:
    """Hash of what the posts say; when and by which run they were collected does not change it."""
    digest = hashlib.sha256()
    for post in posts:
        digest.update(
            repr(
                (
                    post.post_id,
                    post.text,
                    post.created_at,
                    post.author,
                    post.language_hint,
                    post.invented,
                    post.is_news,
                )
            ).encode()
        )
    return digest.hexdigest()


def posts_table(posts: list[Post]) -> pa.Table:
    """Posts of one partition as a table."""
    return pa.Table.from_pylist([{name: getattr(post, name) for name in POSTS.names} for post in posts], schema=POSTS)


def posts_from(table: pa.Table, partition: Partition) -> list[Post]:
    """The records behind a part of ``posts``; columns that an older part lacks are unknown."""
    return [post_from_row(row, partition) for row in table.to_pylist()]


def post_from_row(row: dict[str, Any], partition: Partition) -> Post:
    """The record behind one row."""
    return Post(
        post_id=row["post_id"],
        source=partition.source,
        text=row["text"],
        collected_at=as_utc(row["collected_at"]),
        run_id=row["run_id"],
        created_at=_maybe_utc(row["created_at"]),
        author=row["author"],
        country=None if partition.country == UNKNOWN_COUNTRY else partition.country,
        sector=None if partition.sector == UNSPECIFIED_SECTOR else partition.sector,
        language_hint=row["language_hint"],
        invented=row["invented"],
        reply_to_id=row.get("reply_to_id"),
        thread_id=row.get("thread_id"),
        quoted_id=row.get("quoted_id"),
        edited_at=_maybe_utc(row.get("edited_at")),
        sealed_id=row.get("sealed_id"),
        is_news=bool(row.get("is_news")),
        asked_in=row.get("asked_in"),
    )


def _maybe_utc(value: datetime | None) -> datetime | None:
    return as_utc(value) if value else None

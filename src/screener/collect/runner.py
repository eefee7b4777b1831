"""Runs sources: reads, normalises, deduplicates, writes parts, and remembers what was refused or missing."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from screener.collect.connector import Connector, Query, Validators
from screener.collect.file_drop import is_readable_name, read_records
from screener.collect.http import PoliteClient
from screener.collect.normalise import Intake, clean_text, slug, to_post
from screener.errors import ParseError, SourceError, TransientSourceError
from screener.records import Gap, Post, Quarantined, Window
from screener.scrub import scrub
from screener.settings.schemas import ColumnMap, Feed

KEPT_PER_REASON = 200
"""Quarantine entries kept per unit and reason; the count goes on. Two hundred show a pattern, two million fill a disk."""
_NOT_MODIFIED = 304


class Sink(Protocol):
    """Where posts of a unit go; the lake's ``PostWriter``."""

    def add(self, post: Post) -> None:
        """Take one post."""

    def flush(self) -> None:
        """Write what was taken so far; what an earlier pass left stays."""

    def close(self) -> None:
        """The unit is complete: what an earlier pass left over goes."""


@dataclass
class Outcome:
    """What came of one unit: counts, quarantined records, gaps and the validators for next time."""

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
    validators: Validators | None = None

    def reject(self, entry: Quarantined) -> None:
        """Count a refused record, keep the first ones, without what points at a person or what no database takes."""
        self.discards[entry.reason] += 1
        if self.discards[entry.reason] <= KEPT_PER_REASON:
            excerpt = scrub(clean_text(entry.excerpt)).text
            self.quarantined.append(replace(entry, detail=clean_text(entry.detail), excerpt=excerpt))


def unit_id(kind: str, address: str) -> str:
    """Name of a unit in the lake: same address, same name."""
    return f"{kind}{hashlib.sha256(address.encode()).hexdigest()[:12]}"


def list_files(patterns: Iterable[str], base: Path) -> list[Path]:
    """Readable files behind the patterns (a file, a folder, or a glob), sorted, each once."""
    found: set[Path] = set()
    for pattern in patterns:
        path = Path(pattern) if Path(pattern).is_absolute() else base / pattern
        if path.is_file():
            found.add(path)
        elif path.is_dir():
            found.update(p for p in path.rglob("*") if p.is_file() and is_readable_name(p))
        else:
            found.update(p for p in Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))) if p.is_file())
    return sorted(found)


def collect_file(
    path: Path,
    columns: ColumnMap,
    intake: Intake,
    sink: Sink,
    *,
    window: Window,
    progress: Callable[[int], None] = lambda n: None,
) -> Outcome:
    """One file into the lake. A file that breaks off keeps its good records and leaves a failure and a gap."""
    outcome = Outcome()
    seen: set[bytes] = set()
    try:
        for record in read_records(path, columns, intake.source):
            outcome.n_read += 1
            progress(1)
            if isinstance(record, Quarantined):
                outcome.reject(record)
                continue
            where, raw, named_source = record
            chosen = replace(intake, source=slug(named_source)) if named_source else intake
            _take(to_post(raw, chosen, where=where), outcome, sink, seen, window)
    except ParseError as error:
        outcome.failures.append(str(error))
        outcome.gaps.append(Gap(intake.source, "", window, str(error)))
        sink.flush()  # not close: posts of an earlier, whole version of the file must not go
    else:
        sink.close()
    return outcome


def _take(post: Post | Quarantined, outcome: Outcome, sink: Sink, seen: set[bytes], window: Window) -> None:
    if isinstance(post, Quarantined):
        outcome.reject(post)
    elif (key := bytes.fromhex(post.post_id)) in seen:
        outcome.n_duplicates += 1
    elif not window.contains(post.created_at):
        outcome.n_outside_window += 1
    else:
        seen.add(key)
        outcome.n_posts += 1
        sink.add(post)


def feed_queries(source: str, feeds: Iterable[Feed]) -> Iterator[Query]:
    """One query per feed."""
    for feed in feeds:
        yield Query(source, feed.url, feed.country, feed.sector, feed.language)


def collect_query(
    connector: Connector, query: Query, intake: Intake, client: PoliteClient, sink: Sink, *,
    window: Window, validators: Validators, earlier: Iterable[Post],
) -> Outcome:  # fmt: skip
    """All pages of one query, merged with what the lake already has of it (a feed forgets, the lake must not).

    A source that fails leaves a gap and its earlier posts untouched.
    """
    outcome = Outcome()
    seen: set[bytes] = set()
    intake = replace(intake, country=query.country, sector=query.sector)
    fresh: list[Post] = []
    cursor: str | None = None
    try:
        while True:
            response = client.send(connector.build_request(query, cursor, validators))
            if response.status_code == _NOT_MODIFIED:
                outcome.n_unchanged, outcome.validators = 1, validators
                return outcome
            page = connector.parse_page(response.content, query, intake.collected_at)
            outcome.validators = Validators(response.headers.get("etag"), response.headers.get("last-modified"))
            for entry in page.rejected:
                outcome.reject(entry)
            for number, raw in enumerate(page.posts, start=1):
                outcome.n_read += 1
                _take(to_post(raw, intake, where=f"{query.url}#entry{number}"), outcome, _Buffer(fresh), seen, window)
            if (cursor := page.next_cursor) is None:
                break
        if outcome.n_outside_window:  # another window may need what this one left: the next answer must not be a 304
            outcome.validators = Validators()
    except (SourceError, ParseError) as error:
        outcome.is_terminal = not isinstance(error, TransientSourceError)
        outcome.failures.append(str(error))
        outcome.gaps.append(Gap(query.source, f"{query.country}/{query.sector}", window, str(error)))
        outcome.validators = None
        return outcome
    _merge(fresh, earlier, sink)
    return outcome


def _merge(fresh: list[Post], earlier: Iterable[Post], sink: Sink) -> None:
    newest = {post.post_id: post for post in (*earlier, *fresh)}
    for post in sorted(newest.values(), key=lambda post: (post.partition, post.post_id)):
        sink.add(post)
    sink.close()


class _Buffer:
    """A sink that only holds posts, so that a failing page leaves the lake as it was."""

    def __init__(self, posts: list[Post]) -> None:
        self.posts = posts

    def add(self, post: Post) -> None:
        self.posts.append(post)

    def flush(self) -> None:
        raise AssertionError("a buffer is merged, never written")

    def close(self) -> None:
        raise AssertionError("a buffer is merged, never closed")

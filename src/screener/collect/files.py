"""Files into the lake, and the sink that takes them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from screener.collect.file_drop import Layout, is_readable_name, read_records
from screener.collect.normalise import Intake, slug, to_post
from screener.collect.taking import Outcome
from screener.errors import ParseError
from screener.records import Gap, Post, Quarantined, Window


class Sink(Protocol):
    """Where posts of a unit go; the lake's ``PostWriter``."""

    def add(self, post: Post) -> None:
        """Take one post."""

    def flush(self) -> None:
        """Write what was taken so far; what an earlier pass left stays."""

    def close(self) -> None:
        """The unit is complete: what an earlier pass left over goes."""


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
    layout: Layout,
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
        for record in read_records(path, layout, intake.source):
            outcome.n_read += 1
            progress(1)
            if isinstance(record, Quarantined):
                outcome.reject(record)
                continue
            where, raw, named_source = record
            chosen = replace(intake, source=slug(named_source)) if named_source else intake
            post = outcome.take(to_post(raw, chosen, where=where), seen, window)
            if post is not None:
                sink.add(post)
    except ParseError as error:
        outcome.failures.append(str(error))
        outcome.gaps.append(Gap(intake.source, "", window, str(error)))
        sink.flush()  # not close: posts of an earlier, whole version of the file must not go
    else:
        sink.close()
    return outcome

"""Columnar questions to the lake, answered by DuckDB in memory: nothing is locked, and DuckDB bounds its own memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from screener.errors import StoreError
from screener.records import (
    UNDATED,
    UNDETERMINED,
    Partition,
    ScreenedPost,
    Window,
)
from screener.store.lake import COLLECTED, Lake, post_from_row
from screener.store.layers import classification

_LAYERS = ("posts", "languages", "signals", "cells")
_SCAN = (
    "SELECT * FROM read_parquet($files, hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
)
"""Partition columns stay text: a sector or day must never be guessed to be a number or a date."""
_LATER = " UNION ALL BY NAME SELECT false AS is_news, NULL::VARCHAR AS asked_in WHERE false"
"""Columns of ``posts`` that parts written by the first version lack."""
_INSIDE = (
    "(p.created_at IS NULL OR (p.created_at >= coalesce($start, DATE '1900-01-01') AND p.created_at < coalesce($end, DATE '2999-01-01')))"
    " AND NOT coalesce(p.is_news, false)"
)
"""Inside the window, and no news: what a newspaper writes is context, nobody's voice and no part of a denominator."""
_PLACE = "(post_id, source, country, sector, day)"

_CELLS = f"""
SELECT c.cell_country, c.cell_sector, count(DISTINCT post_id) AS n_posts,
       count(DISTINCT post_id) FILTER (p.created_at IS NULL) AS n_undated,
       count(DISTINCT source) AS n_sources, count(DISTINCT strftime(p.created_at, '%G-%V')) AS n_weeks,
       list(DISTINCT l.language) AS languages, bool_or(p.invented) AS invented
FROM cells c JOIN posts p USING {_PLACE} JOIN languages l USING {_PLACE}
WHERE {_INSIDE} GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  (only constants of this module)

_TOTALS = f"""
SELECT count(DISTINCT post_id) AS n_posts, count(DISTINCT post_id) FILTER (s.relevant) AS n_relevant,
       count(DISTINCT post_id) FILTER (l.language = '{UNDETERMINED}') AS n_undetermined,
       min(p.created_at)::DATE AS first_day, max(p.created_at)::DATE AS last_day
FROM posts p JOIN languages l USING {_PLACE} JOIN signals s USING {_PLACE} WHERE {_INSIDE}
"""  # noqa: S608

_COLUMNS = "post_id, source, country, sector, p.text, p.created_at, p.author, p.language_hint, p.collected_at, p.run_id, p.invented, l.language"
_ANSWERS = "s.relevant, s.relevance, s.voice, s.positive, s.signals, s.flagged, s.evidence, s.gated, s.supported"

_RELEVANT = f"""
SELECT DISTINCT ON (c.cell_country, c.cell_sector, post_id) c.cell_country, c.cell_sector, {_COLUMNS}, {_ANSWERS}
FROM cells c JOIN posts p USING {_PLACE} JOIN languages l USING {_PLACE} JOIN signals s USING {_PLACE}
WHERE s.relevant AND {_INSIDE} ORDER BY c.cell_country, c.cell_sector, post_id, source, country, sector, day
"""  # noqa: S608

_REVIEWABLE = f"""
WITH screened AS (
  SELECT DISTINCT ON (post_id) {_COLUMNS}, {_ANSWERS}
  FROM posts p JOIN languages l USING {_PLACE} JOIN signals s USING {_PLACE}
  WHERE {_INSIDE} ORDER BY post_id, source, country, sector, day)
SELECT * FROM (SELECT * FROM screened ORDER BY sha256($seed || ':' || post_id) LIMIT $audit)
UNION
SELECT * FROM (SELECT * FROM screened ORDER BY abs(relevance - 0.5), post_id LIMIT $unsure)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class CellRow:
    """Counts of one cell over all its posts, relevant or not. ``n_weeks`` counts ISO weeks that have a post."""

    country: str
    sector: str
    n_posts: int
    n_undated: int
    n_sources: int
    n_weeks: int
    languages: frozenset[str]
    invented: bool


@dataclass(frozen=True, slots=True)
class LakeTotals:
    """Counts over the window, and the days between which dated posts lie."""

    n_posts: int
    n_relevant: int
    n_undetermined: int
    first_day: date | None
    last_day: date | None


def count_cells(lake: Lake, window: Window) -> list[CellRow]:
    """Counts per cell, each post once per cell."""
    return [_cell(row) for row in _rows(lake, _CELLS, window)]


def _cell(row: dict[str, Any]) -> CellRow:
    return CellRow(
        row["cell_country"], row["cell_sector"], row["n_posts"], row["n_undated"], row["n_sources"], row["n_weeks"],
        frozenset(row["languages"]), row["invented"],
    )  # fmt: skip


def lake_totals(lake: Lake, window: Window) -> LakeTotals:
    """Counts over everything in the window, attributed to a cell or not."""
    for row in _rows(lake, _TOTALS, window):
        return LakeTotals(**row)
    return LakeTotals(0, 0, 0, None, None)


def relevant_posts(lake: Lake, window: Window) -> dict[tuple[str, str], list[ScreenedPost]]:
    """Relevant posts by cell, sorted by id within it."""
    cells: dict[tuple[str, str], list[ScreenedPost]] = {}
    for row in _rows(lake, _RELEVANT, window):
        cells.setdefault((row["cell_country"], row["cell_sector"]), []).append(_screened(row))
    return cells


def reviewable_posts(lake: Lake, window: Window, *, seed: int, n_audit: int, n_active: int) -> list[ScreenedPost]:
    """The random and the least certain posts of the window, enough of each for the review queue."""
    extra = {"seed": str(seed), "audit": n_audit, "unsure": n_audit + n_active}
    return [_screened(row) for row in _rows(lake, _REVIEWABLE, window, **extra)]


def text_and_language(lake: Lake, post_id: str) -> tuple[str, str] | None:
    """Text and detected language of one post, ``None`` if the lake holds no such post with a language."""
    query = f"SELECT p.text, l.language FROM posts p JOIN languages l USING {_PLACE} WHERE post_id = $post_id LIMIT 1"  # noqa: S608
    layers = ("posts", "languages")
    if not all(lake.parts(layer) for layer in layers):
        return None
    with _connected(lake, layers) as connection:
        row = connection.execute(query, {"post_id": post_id}).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def locate(lake: Lake, source: str, post_ids: Sequence[str]) -> list[tuple[str, Partition]]:
    """Where posts of a source lie that were asked for over the network; one post may lie in several partitions."""
    return [(row[0], Partition(*row[1:])) for row in _collected(lake, source, _LOCATE, {"ids": list(post_ids)})]


def locate_authors(lake: Lake, source: str, authors: Sequence[str]) -> list[tuple[str, Partition]]:
    """The same for all posts of these pseudonyms."""
    return [(row[0], Partition(*row[1:])) for row in _collected(lake, source, _LOCATE_AUTHORS, {"ids": list(authors)})]


def authors_in(lake: Lake, source: str, authors: Sequence[str]) -> frozenset[str]:
    """Those of the pseudonyms that have a post in the lake."""
    return frozenset(row[0] for row in _collected(lake, source, _AUTHORS_IN, {"ids": list(authors)}))


def count_posts_of(lake: Lake, source: str) -> int:
    """Distinct posts of the source that were asked for over the network."""
    rows = _collected(lake, source, "SELECT count(DISTINCT post_id) FROM posts", {})
    return int(rows[0][0]) if rows else 0


def count_seen(lake: Lake, source: str, days: Sequence[str]) -> dict[tuple[str, str, str, str], int]:
    """Posts of these days by country, sector, language asked in (empty for none) and day."""
    return {row[:4]: row[4] for row in _collected(lake, source, _SEEN, {"days": list(days)})}


def _collected(lake: Lake, source: str, query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    pattern = lake.root / "posts" / f"source={source}" / "*" / "*" / "*" / COLLECTED
    if not any((lake.root / "posts" / f"source={source}").glob(f"*/*/*/{COLLECTED}")):
        return []
    with _connected(lake, ()) as connection:
        connection.sql(_SCAN + _LATER, params={"files": str(pattern)}).create_view("posts")
        return connection.execute(query, parameters).fetchall()


_LOCATE = "SELECT post_id, source, country, sector, day FROM posts WHERE post_id IN (SELECT unnest($ids)) ORDER BY ALL"
_LOCATE_AUTHORS = (
    "SELECT post_id, source, country, sector, day FROM posts WHERE author IN (SELECT unnest($ids)) ORDER BY ALL"
)
_AUTHORS_IN = "SELECT DISTINCT author FROM posts WHERE author IN (SELECT unnest($ids))"
_SEEN = f"""
SELECT country, sector, coalesce(asked_in, ''), CASE WHEN day = '{UNDATED}' THEN strftime(collected_at, '%Y-%m-%d') ELSE day END AS seen_on,
       count(*) FROM posts
WHERE seen_on IN (SELECT unnest($days)) GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  (only constants of this module)
"""An undated post counts on the day that it was collected."""


def _rows(lake: Lake, query: str, window: Window, **extra: Any) -> Iterator[dict[str, Any]]:
    if not all(lake.parts(layer) for layer in _LAYERS):
        return
    with _connected(lake) as connection:
        parameters = {"start": window.start, "end": window.end, **extra}
        for batch in connection.sql(query, params=parameters).to_arrow_reader(5_000):
            yield from batch.to_pylist()


@contextmanager
def _connected(lake: Lake, layers: Sequence[str] = _LAYERS) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with one view per layer."""
    connection = duckdb.connect(":memory:", config={"threads": 2})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        for layer in layers:
            scan = _SCAN + _LATER if layer == "posts" else _SCAN
            connection.sql(scan, params={"files": lake.glob(layer)}).create_view(layer)
        yield connection
    except duckdb.Error as error:
        raise StoreError(f"{lake.root}: the lake can't be read ({str(error).splitlines()[0]})") from error
    finally:
        connection.close()


def _screened(row: dict[str, Any]) -> ScreenedPost:
    place = Partition(row["source"], row["country"], row["sector"], "")
    return ScreenedPost(post_from_row(row, place), row["language"], classification(row))

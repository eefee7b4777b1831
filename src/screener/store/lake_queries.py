"""Columnar questions to the lake, answered by DuckDB in memory: nothing is locked, and DuckDB bounds its own memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

import duckdb

from screener.errors import StoreError
from screener.records import UNDETERMINED, UNKNOWN_COUNTRY, UNSPECIFIED_SECTOR, Post, ScreenedPost, Window
from screener.store.lake import Lake
from screener.store.layers import classification

_LAYERS = ("posts", "languages", "signals", "cells")
_SCAN = "SELECT * FROM read_parquet($files, hive_partitioning = true, hive_types_autocast = false)"
"""Partition columns stay text: a sector or day must never be guessed to be a number or a date."""
_INSIDE = "(p.created_at IS NULL OR (p.created_at >= coalesce($start, DATE '1900-01-01') AND p.created_at < coalesce($end, DATE '2999-01-01')))"
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
            connection.sql(_SCAN, params={"files": lake.glob(layer)}).create_view(layer)
        yield connection
    except duckdb.Error as error:
        raise StoreError(f"{lake.root}: the lake can't be read ({str(error).splitlines()[0]})") from error
    finally:
        connection.close()


def _screened(row: dict[str, Any]) -> ScreenedPost:
    post = Post(
        post_id=row["post_id"], source=row["source"], text=row["text"], collected_at=row["collected_at"].astimezone(UTC), run_id=row["run_id"],
        created_at=row["created_at"].astimezone(UTC) if row["created_at"] else None, author=row["author"],
        country=None if row["country"] == UNKNOWN_COUNTRY else row["country"],
        sector=None if row["sector"] == UNSPECIFIED_SECTOR else row["sector"],
        language_hint=row["language_hint"], invented=row["invented"],
    )  # fmt: skip
    return ScreenedPost(post, row["language"], classification(row))

"""Columnar questions to the lake: each post counts once a cell, windows are half-open, weeks are ISO weeks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from screener.errors import StoreError
from screener.records import Attribution, Evidence, LanguageGuess, ScreenedPost, Voice, Window
from screener.review.select import draw
from screener.store.lake import Lake, PostWriter
from screener.store.lake_queries import CellRow, LakeTotals, count_cells, lake_totals, relevant_posts, reviewable_posts
from screener.store.layers import cells_table, languages_table, signals_table
from screener.workdir import Workdir

Make = Callable[..., ScreenedPost]
OPEN = Window()
TH, ES = ("TH", "poultry"), ("ES", "vegetables")
Fill = Callable[..., Lake]


@pytest.fixture
def lake(workdir: Workdir) -> Lake:
    return Lake(workdir.lake)


def fill(
    lake: Lake, posts: Sequence[ScreenedPost], cells: dict[str, list[tuple[str, str]]] | None = None, unit: str = "unit"
) -> Lake:
    """Writes posts and their counterparts in every layer; a post's cell is its own country and sector unless given by text."""
    writer = PostWriter(lake, unit, chunk_posts=100)
    for screened in posts:
        writer.add(screened.post)
    writer.close()
    by_id = {screened.post.post_id: screened for screened in posts}
    for part in lake.parts("posts"):
        if not part.name.startswith(f"{unit}-"):
            continue
        found = [by_id[post_id] for post_id in lake.read("posts", part)["post_id"].to_pylist()]
        ids = [screened.post.post_id for screened in found]
        lake.write(
            "languages", part, languages_table(ids, [LanguageGuess(s.language, 0.9, "test") for s in found]), "f"
        )
        lake.write("signals", part, signals_table(ids, [s.classification for s in found]), "f")
        rows = [
            (s.post.post_id, Attribution(country, sector, "watch", 1.0))
            for s in found
            for country, sector in (cells or {}).get(
                s.post.text, [(s.post.country, s.post.sector)] if s.post.country and s.post.sector else []
            )
        ]
        lake.write("cells", part, cells_table(rows), "f")
    return lake


def day(month: int, number: int, hour: int = 8) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=UTC)


def test_empty_lake_has_no_answers(lake: Lake) -> None:
    assert count_cells(lake, OPEN) == []
    assert lake_totals(lake, OPEN) == LakeTotals(0, 0, 0, None, None)
    assert relevant_posts(lake, OPEN) == {}
    assert reviewable_posts(lake, OPEN, seed=1, n_audit=5, n_active=5) == []


def test_cells_are_counted(lake: Lake, make_screened: Make) -> None:
    posts = [
        make_screened("a", created_at=day(2, 1), language="th"),  # Sunday of ISO week 5
        make_screened("b", created_at=day(2, 2), language="my"),  # Monday of week 6
        make_screened("c", created_at=day(2, 8, 23), relevant=False, language="und"),  # Sunday of week 6
        make_screened("d", created_at=None, source="other", invented=True),
        make_screened("e", country="ES", sector="vegetables", created_at=day(2, 1)),
        make_screened("f", country="ES", sector=None, created_at=day(2, 1)),
    ]
    assert count_cells(fill(lake, posts), OPEN) == [
        CellRow("ES", "vegetables", 1, 0, 1, 1, frozenset({"en"}), False),
        CellRow("TH", "poultry", 4, 1, 2, 2, frozenset({"th", "my", "und", "en"}), True),
    ]
    assert lake_totals(lake, OPEN) == LakeTotals(6, 5, 1, date(2026, 2, 1), date(2026, 2, 8))


def test_window_is_half_open_and_keeps_the_undated(lake: Lake, make_screened: Make) -> None:
    moments = [day(2, 1, 0), day(2, 2, 0), datetime(2026, 2, 2, 23, 59, 59, 999_999, tzinfo=UTC), day(2, 3, 0), None]
    fill(lake, [make_screened(f"post {number}", created_at=moment) for number, moment in enumerate(moments)])
    for window, expected in (
        (OPEN, 5), (Window(date(2026, 2, 2), date(2026, 2, 3)), 3), (Window(None, date(2026, 2, 2)), 2), (Window(date(2026, 2, 3), None), 2),
    ):  # fmt: skip
        assert lake_totals(lake, window).n_posts == expected
        assert sum(window.contains(moment) for moment in moments) == expected
        assert sum(row.n_posts for row in count_cells(lake, window)) == expected


def test_post_that_two_units_brought_counts_once(lake: Lake, make_screened: Make) -> None:
    post = make_screened("a", labels=("low_pay",))
    for unit in ("one", "two", "three"):
        fill(lake, [post], unit=unit)
    assert [row.n_posts for row in count_cells(lake, OPEN)] == [1]
    assert lake_totals(lake, OPEN).n_posts == 1
    assert [len(found) for found in relevant_posts(lake, OPEN).values()] == [1]
    assert len(reviewable_posts(lake, OPEN, seed=1, n_audit=5, n_active=5)) == 1


def test_relevant_posts_come_back_whole_by_cell(lake: Lake, make_screened: Make) -> None:
    told = make_screened(
        "ไม่ได้รับค่าแรง", labels=("low_pay", "wage_withholding"), author="a1", voice=Voice.REPORT, positive=True, language="th",
        evidence=(Evidence("low_pay", 0, 5, "lexicon"),), language_hint="th", relevance=0.75,
    )  # fmt: skip
    both = make_screened("both", created_at=None, country=None, sector=None)
    fill(lake, [told, both, make_screened("no", relevant=False)], cells={"both": [TH, ES]})
    found = relevant_posts(lake, OPEN)
    assert set(found) == {TH, ES}
    assert sorted(found[TH], key=lambda s: s.post.text) == sorted([told, both], key=lambda s: s.post.text)
    assert found[ES] == [both]
    assert [s.post.post_id for s in found[TH]] == sorted(s.post.post_id for s in found[TH])


def test_gated_posts_keep_no_scores(lake: Lake, make_screened: Make) -> None:
    post = make_screened("a", labels=("low_pay",))
    gated = replace(post, classification=replace(post.classification, gated=True))
    (found,) = relevant_posts(fill(lake, [gated]), OPEN)[TH]
    assert found.classification.signals == ()
    assert found.classification.gated


def test_reviewable_posts_are_the_random_and_the_unsure(lake: Lake, make_screened: Make) -> None:
    posts = [make_screened(f"post {number}", relevance=number / 40, relevant=number > 20) for number in range(40)]
    found = {s.post.post_id for s in reviewable_posts(fill(lake, posts), OPEN, seed=7, n_audit=5, n_active=4)}
    audit = sorted((s.post.post_id for s in posts), key=lambda post_id: draw(post_id, 7))[:5]
    unsure = sorted(posts, key=lambda s: (abs(s.classification.relevance - 0.5), s.post.post_id))[:4]
    assert set(audit) <= found
    assert {s.post.post_id for s in unsure} <= found
    assert len(found) <= 5 + 9


def test_posts_of_no_cell_are_in_the_totals_only(lake: Lake, make_screened: Make) -> None:
    fill(lake, [make_screened("a", country=None, sector=None), make_screened("b")])
    assert [(row.country, row.n_posts) for row in count_cells(lake, OPEN)] == [("TH", 1)]
    assert lake_totals(lake, OPEN).n_posts == 2


def test_damaged_part_is_a_store_error(lake: Lake, make_screened: Make) -> None:
    fill(lake, [make_screened("a")])
    lake.file("signals", lake.parts("signals")[0]).write_bytes(b"PAR1 no longer")
    with pytest.raises(StoreError, match="the lake can't be read"):
        lake_totals(lake, OPEN)

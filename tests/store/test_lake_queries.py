"""Columnar questions to the lake: each post counts once a cell, windows are half-open, weeks are ISO weeks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from screener.errors import StoreError
from screener.records import Attribution, Evidence, LanguageGuess, Partition, Post, ScreenedPost, Voice, Window
from screener.review.select import draw
from screener.store.lake import COLLECTED, Lake, Part, PostWriter
from screener.store.lake_queries import (
    CellRow,
    LakeTotals,
    authors_in,
    count_cells,
    count_seen,
    lake_totals,
    locate,
    locate_authors,
    relevant_posts,
    reviewable_posts,
)
from screener.store.layers import cells_table, languages_table, signals_table
from screener.store.spool import Spool, merge
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


# --- what was asked for over the network


def put(lake: Lake, *posts: Post, chunk_posts: int = 100) -> None:
    spool = Spool(lake.root.parent / "spool")
    spool.put(posts)
    merge(lake, spool, chunk_posts=chunk_posts)


@pytest.fixture
def asked(lake: Lake, make_post: Callable[..., Post]) -> dict[str, Post]:
    """Four posts that were asked for, and one of the same source from a file."""
    posts = {
        "a": make_post("a", author="x", asked_in="th", created_at=day(2, 1)),
        "b": make_post("b", author="y", asked_in="th", created_at=day(2, 1, 23)),
        "c": make_post("c", author="x", asked_in=None, created_at=day(2, 2), country=None, sector=None),
        "d": make_post("d", author=None, created_at=None, source="other"),
        "file": make_post("file", author="x", created_at=day(2, 1)),
    }
    put(lake, *(posts[name] for name in "abcd"))
    writer = PostWriter(lake, "unit", chunk_posts=10)
    writer.add(posts["file"])
    writer.close()
    return posts


def test_questions_about_a_source_of_which_there_is_nothing_have_no_answer(lake: Lake) -> None:
    assert locate(lake, "feed", ["1"]) == locate_authors(lake, "feed", ["x"]) == []
    assert authors_in(lake, "feed", ["x"]) == frozenset()
    assert count_seen(lake, "feed", ["2026-02-01"]) == {}


def test_posts_are_located_in_every_partition_of_their_source(lake: Lake, asked: dict[str, Post]) -> None:
    put(lake, replace(asked["a"], country="ES", sector="vegetables"))
    ids = [post.post_id for post in asked.values()]
    found = locate(lake, "feed", ids)
    twice = [place for post_id, place in found if post_id == asked["a"].post_id]
    assert twice == [
        Partition("feed", "ES", "vegetables", "2026-02-01"),
        Partition("feed", "TH", "poultry", "2026-02-01"),
    ]
    assert {post_id for post_id, _ in found} == {asked[name].post_id for name in "abc"}
    assert locate(lake, "other", ids) == [(asked["d"].post_id, Partition("other", "TH", "poultry", "undated"))]
    assert locate(lake, "feed", []) == []


def test_posts_of_authors_are_located_and_authors_known(lake: Lake, asked: dict[str, Post]) -> None:
    assert {post_id for post_id, _ in locate_authors(lake, "feed", ["x", "nobody"])} == {
        asked["a"].post_id,
        asked["c"].post_id,
    }
    assert authors_in(lake, "feed", ["x", "y", "nobody"]) == {"x", "y"}
    assert authors_in(lake, "other", ["x", "y"]) == frozenset()


def test_posts_are_counted_by_place_language_asked_in_and_day(lake: Lake, asked: dict[str, Post]) -> None:
    del asked
    seen = count_seen(lake, "feed", ["2026-02-01", "2026-02-02", "2026-02-03"])
    assert seen == {("TH", "poultry", "th", "2026-02-01"): 2, ("ZZ", "unspecified", "", "2026-02-02"): 1}
    assert count_seen(lake, "feed", ["2026-02-02"]) == {("ZZ", "unspecified", "", "2026-02-02"): 1}


def test_thousands_of_ids_are_one_question(lake: Lake, asked: dict[str, Post]) -> None:
    ids = [f"{number:032x}" for number in range(20_000)]
    assert len(locate(lake, "feed", [*ids, asked["a"].post_id])) == 1


def test_damaged_part_that_was_asked_for_is_a_store_error(lake: Lake, asked: dict[str, Post]) -> None:
    lake.file("posts", Part(asked["a"].partition, COLLECTED)).write_bytes(b"PAR1 no longer")
    with pytest.raises(StoreError, match="the lake can't be read"):
        locate(lake, "feed", ["1"])


# --- parts of the first version, and news

NEW_COLUMNS = ("reply_to_id", "thread_id", "quoted_id", "edited_at", "sealed_id", "is_news", "asked_in")


def as_the_first_version_wrote(lake: Lake, *parts: Part) -> None:
    for part in parts:
        table = lake.read("posts", part).drop_columns(list(NEW_COLUMNS))
        lake.write("posts", part, table, str(lake.fingerprint("posts", part)))


@pytest.mark.parametrize("n_old", [1, 2], ids=["some", "all"])
def test_parts_of_the_first_version_are_counted_beside_new_ones(lake: Lake, make_screened: Make, n_old: int) -> None:
    fill(lake, [make_screened("a", created_at=day(2, 1)), make_screened("b", created_at=day(2, 2))])
    before = (count_cells(lake, OPEN), lake_totals(lake, OPEN), relevant_posts(lake, OPEN))
    as_the_first_version_wrote(lake, *lake.parts("posts")[:n_old])
    assert (count_cells(lake, OPEN), lake_totals(lake, OPEN), relevant_posts(lake, OPEN)) == before


def test_asked_for_parts_of_the_first_version_are_located(lake: Lake, asked: dict[str, Post]) -> None:
    as_the_first_version_wrote(lake, *(part for part in lake.parts("posts") if part.name == COLLECTED))
    assert [post_id for post_id, _ in locate(lake, "feed", [asked["a"].post_id])] == [asked["a"].post_id]
    assert count_seen(lake, "feed", ["2026-02-01"]) == {("TH", "poultry", "", "2026-02-01"): 2}


def test_news_is_context_and_in_no_count(lake: Lake, make_screened: Make) -> None:
    fill(lake, [make_screened("told"), make_screened("written by a newspaper", is_news=True)])
    assert [row.n_posts for row in count_cells(lake, OPEN)] == [1]
    assert (lake_totals(lake, OPEN).n_posts, lake_totals(lake, OPEN).n_relevant) == (1, 1)
    assert [screened.post.text for screened in relevant_posts(lake, OPEN)[TH]] == ["told"]
    found = reviewable_posts(lake, OPEN, seed=1, n_audit=5, n_active=5)
    assert [screened.post.text for screened in found] == ["told"]

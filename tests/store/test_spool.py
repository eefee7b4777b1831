"""Pages on their way into the lake: nothing is lost by a kill, nothing lies there twice, and merging again changes nothing."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screener.records import LanguageGuess, Partition, Post
from screener.store.lake import COLLECTED, Lake, Part, PostWriter, posts_from
from screener.store.layers import languages_table
from screener.store.spool import Merged, Spool, merge
from screener.workdir import Workdir

Make = Callable[..., Post]
MONDAY = datetime(2026, 2, 2, 8, 30, tzinfo=UTC)
DAY = timedelta(days=1)
CHUNK = 1000


@pytest.fixture
def lake(workdir: Workdir) -> Lake:
    return Lake(workdir.lake)


@pytest.fixture
def spool(workdir: Workdir) -> Spool:
    return Spool(workdir.root / "spool")


def put(lake: Lake, spool: Spool, *pages: Sequence[Post], chunk: int = CHUNK) -> Merged:
    for page in pages:
        spool.put(page)
    return merge(lake, spool, chunk_posts=chunk)


def posts_of(lake: Lake) -> list[Post]:
    found = [post for part in lake.parts("posts") for post in posts_from(lake.read("posts", part), part.partition)]
    return sorted(found, key=lambda post: (post.post_id, str(post.country), str(post.sector), post.text))


def by_id(*posts: Post) -> list[Post]:
    return sorted(posts, key=lambda post: (post.post_id, str(post.country), str(post.sector), post.text))


def days(lake: Lake) -> list[str]:
    return [part.partition.day for part in lake.parts("posts")]


def files(lake: Lake) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in lake.root.rglob("*") if path.is_file()}


# --- kept at once


def test_posts_come_back_from_spool_and_lake_with_everything_that_is_known_of_them(
    lake: Lake, spool: Spool, make_post: Make
) -> None:
    full = make_post(
        "ไม่ได้รับค่าแรง\nline two", author="a" * 32, language_hint="th", reply_to_id="r", thread_id="t", quoted_id="q",
        edited_at=MONDAY, sealed_id=b"\x00\xffsealed", is_news=True, asked_in="my",
    )  # fmt: skip
    bare = make_post("undated, nowhere", created_at=None, country=None, sector=None)
    put(lake, spool, [full, bare])
    assert posts_of(lake) == by_id(full, bare)
    assert {part.name for part in lake.parts("posts")} == {COLLECTED}


def test_page_is_a_file_as_soon_as_it_is_put_and_gone_once_it_is_merged(
    lake: Lake, spool: Spool, make_post: Make
) -> None:
    spool.put([make_post("a"), make_post("b")])
    spool.put([])
    assert len(spool.files()) == 1
    assert spool.n_posts == 2
    assert posts_of(lake) == []
    merge(lake, spool, chunk_posts=CHUNK)
    assert spool.files() == []
    assert spool.n_posts == 0


def test_pages_put_by_several_threads_are_all_kept(lake: Lake, spool: Spool, make_post: Make) -> None:
    pages = [[make_post(f"post {thread} {n}") for n in range(5)] for thread in range(8)]
    threads = [threading.Thread(target=spool.put, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(spool.files()) == 8
    assert spool.n_posts == 40
    merge(lake, spool, chunk_posts=CHUNK)
    assert posts_of(lake) == by_id(*(post for page in pages for post in page))


def test_posts_can_be_taken_out_again_and_the_rest_keeps_its_place(lake: Lake, spool: Spool, make_post: Make) -> None:
    out, old = make_post("out"), make_post("old", name="same")
    spool.put([out])
    spool.put([out, old])
    spool.put([replace(old, text="new")])
    spool.drop(lambda post: post.post_id == out.post_id)
    assert len(spool.files()) == 2
    merge(lake, spool, chunk_posts=CHUNK)
    assert posts_of(lake) == [replace(old, text="new")]


# --- into the lake


def test_merging_the_same_pages_again_changes_nothing(lake: Lake, spool: Spool, make_post: Make) -> None:
    pages = [[make_post("a"), make_post("b", created_at=None)], [make_post("c", country="ES", sector="vegetables")]]
    assert put(lake, spool, *pages) == Merged(n_new=3, new_by_source=Counter(feed=3))
    before = files(lake)
    assert put(lake, spool, *pages) == Merged(n_known=3)
    assert put(lake, spool) == Merged()
    assert files(lake) == before


def test_unchanged_post_keeps_when_and_by_which_run_it_was_first_collected(
    lake: Lake, spool: Spool, make_post: Make
) -> None:
    first = make_post("a")
    put(lake, spool, [first])
    put(lake, spool, [replace(first, collected_at=MONDAY + 30 * DAY, run_id="run-2", asked_in="my")])
    assert posts_of(lake) == [first]
    put(lake, spool, [replace(first, collected_at=MONDAY + 30 * DAY, run_id="run-2"), make_post("b")])
    assert first in posts_of(lake), "not even where its part is written anew"


@pytest.mark.parametrize("chunk", [1, CHUNK])
def test_the_later_version_of_a_post_wins(lake: Lake, spool: Spool, make_post: Make, chunk: int) -> None:
    first = make_post("version 1", name="same")
    versions = [replace(first, text=f"version {n}") for n in range(1, 12)]
    put(lake, spool, *([version] for version in versions), chunk=chunk)
    assert posts_of(lake) == [versions[-1]]
    report = put(lake, spool, [versions[4]])
    assert posts_of(lake) == [versions[4]]
    assert (report.n_new, report.n_edited, report.n_known) == (0, 1, 0)


@pytest.mark.parametrize(
    ("before", "after"),
    [(MONDAY, MONDAY + DAY), (MONDAY + DAY, MONDAY), (None, MONDAY), (MONDAY, None)],
    ids=["later day", "earlier day", "now dated", "no longer dated"],
)
def test_post_whose_day_changed_leaves_its_old_part(
    lake: Lake, spool: Spool, make_post: Make, before: datetime | None, after: datetime | None
) -> None:
    moved, stays = make_post("moves", created_at=before), make_post("stays", created_at=before)
    put(lake, spool, [moved])
    report = put(lake, spool, [replace(moved, created_at=after)])
    assert posts_of(lake) == [replace(moved, created_at=after)]
    assert len(days(lake)) == 1, "the part that it leaves empty goes"
    assert (report.n_new, report.n_edited) == (0, 1)
    put(lake, spool, [moved, stays])
    put(lake, spool, [replace(moved, created_at=after)])
    assert posts_of(lake) == by_id(replace(moved, created_at=after), stays)


def test_post_that_two_watches_found_lies_in_both_and_moves_only_where_it_changed(
    lake: Lake, spool: Spool, make_post: Make
) -> None:
    here = make_post("found twice")
    there = replace(here, country="ES", sector="vegetables")
    assert put(lake, spool, [here], [there]).n_new == 2
    changed = replace(here, created_at=MONDAY + 9 * DAY)
    put(lake, spool, [changed])
    assert posts_of(lake) == by_id(changed, there)


def test_sources_share_a_spool_and_not_their_posts(lake: Lake, spool: Spool, make_post: Make) -> None:
    ours, theirs = make_post("a", name="same", source="forum"), make_post("b", name="same", source="videos")
    report = put(lake, spool, [ours, theirs])
    assert posts_of(lake) == by_id(ours, theirs)
    assert report.new_by_source == {"forum": 1, "videos": 1}


def test_posts_from_files_are_not_touched(lake: Lake, spool: Spool, make_post: Make) -> None:
    writer = PostWriter(lake, "unit", chunk_posts=10)
    writer.add(make_post("same id", name="same"))
    writer.close()
    put(lake, spool, [make_post("same id, asked for", name="same", created_at=MONDAY + DAY)])
    assert sorted(post.text for post in posts_of(lake)) == ["same id", "same id, asked for"]


def test_deleted_posts_are_turned_away_and_counted(lake: Lake, spool: Spool, make_post: Make) -> None:
    deleted, kept = make_post("deleted"), make_post("kept")
    spool.put([deleted, kept])
    spool.put([replace(deleted, text="deleted, edited")])
    report = merge(lake, spool, chunk_posts=CHUNK, is_deleted=lambda post: post.post_id == deleted.post_id)
    assert posts_of(lake) == [kept]
    assert (report.n_new, report.n_deleted_before) == (1, 1)
    assert spool.files() == []


def test_sums_of_merges_add_up() -> None:
    total = Merged(1, 0, 0, 0, Counter(a=1))
    total += Merged(2, 3, 4, 5, Counter(a=1, b=1))
    assert total == Merged(3, 3, 4, 5, Counter(a=2, b=1))


def test_only_parts_with_an_edit_are_stale_for_the_layers_made_from_them(
    lake: Lake, spool: Spool, make_post: Make
) -> None:
    posts = [make_post(f"day {n}", created_at=MONDAY + n * DAY) for n in range(3)]
    put(lake, spool, posts)
    derive(lake)
    put(lake, spool, posts)
    assert list(lake.stale("languages", "1")) == []
    put(lake, spool, [replace(posts[1], text="edited")])
    assert [part.partition.day for part, _ in lake.stale("languages", "1")] == ["2026-02-03"]
    derive(lake)
    put(lake, spool, [replace(posts[0], created_at=MONDAY + 7 * DAY)])
    assert [part.partition.day for part, _ in lake.stale("languages", "1")] == ["2026-02-09"]
    assert lake.parts("languages") == [part for part in lake.parts("posts") if part.partition.day != "2026-02-09"]


def derive(lake: Lake) -> None:
    for part, fingerprint in list(lake.stale("languages", "1")):
        ids = lake.read("posts", part)["post_id"].to_pylist()
        guesses = [LanguageGuess("en", 0.9, "test") for _ in ids]
        lake.write("languages", part, languages_table(ids, guesses), fingerprint)


# --- any pages, any chunks, any kills

_Page = list[tuple[int, int, int, bool]]
pages_of_versions = st.lists(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 2), st.booleans()), min_size=1, max_size=5),
    max_size=5,
)


def a_post(make_post: Make, record: tuple[int, int, int, bool], page: int) -> Post:
    number, version, day, is_other_watch = record
    place = {"country": "ES", "sector": "vegetables"} if is_other_watch else {}
    when = MONDAY + day * DAY if day else None
    collected = MONDAY + page * DAY
    return make_post(f"v{version}", name=str(number), created_at=when, collected_at=collected, **place)


@settings(max_examples=15)
@given(pages=pages_of_versions, chunk=st.integers(1, 9), merged_after=st.sets(st.integers(0, 4)))
def test_lake_holds_the_last_version_of_each_post_however_pages_are_chunked(
    tmp_path_factory: pytest.TempPathFactory, make_post: Make, pages: list[_Page], chunk: int, merged_after: set[int]
) -> None:
    root = tmp_path_factory.mktemp("spool")
    lake, spool = Lake(root / "lake"), Spool(root / "spool")
    last: dict[tuple[str, str | None], tuple[str, datetime | None]] = {}
    for number, page in enumerate(pages):
        posts = [a_post(make_post, record, number) for record in page]
        last |= {(post.post_id, post.country): (post.text, post.created_at) for post in posts}
        spool.put(posts)
        if number in merged_after:
            merge(lake, spool, chunk_posts=chunk)
    report = merge(lake, spool, chunk_posts=chunk)
    found = posts_of(lake)
    assert {(post.post_id, post.country): (post.text, post.created_at) for post in found} == last
    assert len(found) == len(last)
    assert report.n_new + report.n_edited + report.n_known <= sum(map(len, pages))
    before = files(lake)
    merge(lake, spool, chunk_posts=chunk)
    assert files(lake) == before


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the code may catch it."""


def test_what_a_killed_run_left_is_merged_by_the_next(lake: Lake, spool: Spool, make_post: Make) -> None:
    spool.put([make_post("kept before the kill")])
    put(lake, Spool(spool.root), [make_post("of the next run")])
    assert [post.text for post in posts_of(lake)] == [
        post.text for post in by_id(make_post("kept before the kill"), make_post("of the next run"))
    ]


@pytest.mark.parametrize("chunk", [1, CHUNK])
def test_merge_that_is_killed_anywhere_ends_like_an_undisturbed_one(
    tmp_path: Path, make_post: Make, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    old = [make_post(f"post {n}", name=str(n), created_at=MONDAY + n * DAY) for n in range(3)]
    pages = [replace(old[0], created_at=MONDAY + 2 * DAY)], [replace(old[2], created_at=MONDAY), make_post("post 3")]
    calm = Lake(tmp_path / "calm")
    put(calm, Spool(tmp_path / "calm-spool"), old)
    put(calm, Spool(tmp_path / "calm-spool"), *pages)
    kills = 0
    while True:
        lake, spool = Lake(tmp_path / f"killed{kills}"), Spool(tmp_path / f"spool{kills}")
        put(lake, spool, old)
        spool.put(pages[0])
        spool.put(pages[1])
        with monkeypatch.context() as patched:
            kill_at_change(patched, kills)
            was_killed = is_killed(lambda lake=lake, spool=spool: merge(lake, spool, chunk_posts=chunk))
        put(lake, Spool(spool.root))
        assert posts_of(lake) == posts_of(calm)
        assert fingerprints(lake) == fingerprints(calm)
        if not was_killed:
            break
        kills += 1
    assert kills >= 5


def fingerprints(lake: Lake) -> dict[Part, str | None]:
    return {part: lake.fingerprint("posts", part) for part in lake.parts("posts")}


def is_killed(do: Callable[[], object]) -> bool:
    try:
        do()
    except Killed:
        return True
    return False


def kill_at_change(patched: pytest.MonkeyPatch, at: int) -> None:
    """Dies just before the change to the disk with this number: parts written or removed, pages taken away."""
    changes = iter(range(100))

    def dying(change: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object, **options: object) -> object:
            if next(changes) == at:
                raise Killed
            return change(*arguments, **options)

        return run

    for owner, name in ((Path, "replace"), (Path, "unlink")):
        patched.setattr(owner, name, dying(getattr(owner, name)))


def test_page_that_was_being_written_when_the_run_was_killed_is_no_page(
    lake: Lake, spool: Spool, make_post: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.put([make_post("whole")])
    with monkeypatch.context() as patched:
        patched.setattr(pq, "write_table", half_a_file)
        assert is_killed(lambda: spool.put([make_post("half")]))
    assert len(spool.files()) == 1
    put(lake, Spool(spool.root))
    assert [post.text for post in posts_of(lake)] == ["whole"]


def test_nothing_of_a_page_that_was_cut_off_stays_on_disk(
    lake: Lake, spool: Spool, make_post: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(pq, "write_table", half_a_file)
        assert is_killed(lambda: spool.put([make_post("half")]))
    put(lake, Spool(spool.root), [make_post("of the next run")])
    assert list(spool.root.iterdir()) == []


def half_a_file(table: object, where: Path, **options: object) -> None:
    where.write_bytes(b"PAR1 the words of somebody who asked to be for")
    raise Killed


def test_lake_written_before_there_was_a_spool_is_merged_into(lake: Lake, spool: Spool, make_post: Make) -> None:
    """Columns that an older part lacks are unknown."""
    old = make_post("old", created_at=MONDAY)
    part = Part(Partition("feed", "TH", "poultry", "2026-02-02"), COLLECTED)
    put(lake, spool, [old])
    table = lake.read("posts", part).drop_columns(["asked_in", "sealed_id", "is_news", "edited_at", "quoted_id"])
    lake.write("posts", part, table, str(lake.fingerprint("posts", part)))
    put(lake, spool, [make_post("new", created_at=MONDAY, asked_in="th")])
    assert posts_of(lake) == by_id(old, make_post("new", created_at=MONDAY, asked_in="th"))


def test_names_of_pages_sort_by_time_across_processes(spool: Spool, make_post: Make) -> None:
    for n in range(12):
        spool.put([make_post(str(n))])
    assert [path.name for path in spool.files()] == sorted(path.name for path in spool.files())
    assert all(f"-{os.getpid()}-" in path.name for path in spool.files())

"""The lake: parts are whole or absent, a unit replaces itself and nobody else, and stale parts are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.records import Partition, Post
from screener.store.lake import (
    Lake,
    Part,
    PostWriter,
    content_fingerprint,
    derived_fingerprint,
    posts_from,
    posts_table,
)
from screener.workdir import Workdir

Make = Callable[..., Post]
TABLE = pa.table({"post_id": ["1"]})
PART = Part(Partition("feed", "TH", "poultry", "2026-02-03"), "unit-00000.parquet")


@pytest.fixture
def lake(workdir: Workdir) -> Lake:
    return Lake(workdir.lake)


def write(lake: Lake, posts: list[Post], unit: str = "unit", chunk: int = 100) -> PostWriter:
    writer = PostWriter(lake, unit, chunk_posts=chunk)
    for post in posts:
        writer.add(post)
    writer.close()
    return writer


def read(lake: Lake) -> list[Post]:
    return [post for part in lake.parts("posts") for post in posts_from(lake.read("posts", part), part.partition)]


def files(lake: Lake) -> list[str]:
    return sorted(path.name for path in lake.root.rglob("*") if path.is_file())


def test_posts_come_back_as_they_went(lake: Lake, make_post: Make) -> None:
    posts = [
        make_post("ค่าแรง\nsecond line", author="a1", language_hint="th", invented=True),
        make_post("undated", created_at=None, author=None),
        make_post("nowhere", country=None, sector=None, source="other"),
        make_post(
            "answer", author="a1", reply_to_id="r", thread_id="t", quoted_id="q", sealed_id=b"\x00\xff", is_news=True,
            edited_at=datetime(2026, 2, 4, 1, 2, 3, 456_789, tzinfo=UTC), asked_in="my",
        ),
    ]  # fmt: skip
    assert write(lake, posts).n_posts == 4
    assert sorted(read(lake), key=lambda post: post.text) == sorted(posts, key=lambda post: post.text)
    assert [part.partition.path for part in lake.parts("posts")] == [
        "source=feed/country=TH/sector=poultry/day=2026-02-03",
        "source=feed/country=TH/sector=poultry/day=undated",
        "source=other/country=ZZ/sector=unspecified/day=2026-02-03",
    ]


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8"), max_size=20),
            st.none() | st.text(st.characters(codec="utf-8"), min_size=1),
        ),
        max_size=5,
    )
)
def test_table_of_posts_is_reversible(make_post: Make, rows: list[tuple[str, str | None]]) -> None:
    posts = [make_post(text, author=author, name=str(number)) for number, (text, author) in enumerate(rows)]
    assert posts_from(posts_table(posts), PART.partition) == posts


def test_columns_that_an_older_part_lacks_are_unknown(make_post: Make) -> None:
    post = make_post("a", author="a1", asked_in="my", sealed_id=b"x", is_news=True)
    old = posts_table([post]).select(
        ["post_id", "text", "created_at", "author", "language_hint", "collected_at", "run_id", "invented"]
    )
    assert posts_from(old, PART.partition) == [replace(post, asked_in=None, sealed_id=None, is_news=False)]


def test_empty_lake_has_no_parts(lake: Lake) -> None:
    assert lake.parts("posts") == []
    assert lake.fingerprint("posts", PART) is None
    assert list(lake.stale("languages", "1")) == []


def test_part_is_written_in_one_rename(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.write("posts", PART, TABLE, "one")

    def fail(table: pa.Table, where: object, **options: object) -> None:
        where.write_bytes(b"half a file")  # type: ignore[attr-defined]
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        lake.write("posts", PART, TABLE, "two")
    assert lake.fingerprint("posts", PART) == "one"
    assert lake.parts("posts") == [PART]
    assert lake.read("posts", PART).num_rows == 1


def test_unit_collected_again_replaces_its_own_parts_only(lake: Lake, make_post: Make) -> None:
    write(lake, [make_post("a"), make_post("b", created_at=None)], unit="one")
    write(lake, [make_post("c")], unit="two")
    write(lake, [make_post("a"), make_post("d", country="ES", sector="vegetables")], unit="one")
    assert sorted(post.text for post in read(lake)) == ["a", "c", "d"]
    assert not (lake.root / "posts/source=feed/country=TH/sector=poultry/day=undated").exists()


def test_unit_whose_name_begins_like_another_is_another(lake: Lake, make_post: Make) -> None:
    write(lake, [make_post("a")], unit="one")
    write(lake, [make_post("b")], unit="one-more")
    write(lake, [], unit="on")
    assert len(read(lake)) == 2


def test_unit_without_posts_leaves_nothing(lake: Lake, make_post: Make) -> None:
    write(lake, [make_post("a")])
    write(lake, [])
    assert lake.parts("posts") == []
    assert files(lake) == []


def test_leftover_chunks_of_a_longer_pass_are_removed(lake: Lake, make_post: Make) -> None:
    posts = [make_post(f"text {number}") for number in range(5)]
    write(lake, posts, chunk=2)
    assert [part.name for part in lake.parts("posts")] == [f"unit-{number:05d}.parquet" for number in range(3)]
    write(lake, posts[:2], chunk=2)
    assert files(lake) == ["unit-00000.parquet"]


def test_killed_pass_leaves_the_old_parts(lake: Lake, make_post: Make) -> None:
    write(lake, [make_post("old", created_at=None)])
    writer = PostWriter(lake, "unit", chunk_posts=1)
    writer.add(make_post("new"))  # and never closed
    assert sorted(post.text for post in read(lake)) == ["new", "old"]
    write(lake, [make_post("new")])
    assert [post.text for post in read(lake)] == ["new"]


def test_unchanged_part_is_not_written_again(lake: Lake, make_post: Make) -> None:
    post = make_post("a")
    write(lake, [post])
    path = lake.file("posts", lake.parts("posts")[0])
    before = path.stat().st_ino
    write(lake, [replace(post, run_id="run-2", collected_at=datetime(2026, 4, 1, tzinfo=UTC))])
    assert path.stat().st_ino == before
    write(lake, [replace(post, text="changed")])
    assert path.stat().st_ino != before


def test_content_fingerprint_is_of_what_posts_say(make_post: Make) -> None:
    post = make_post("a", author="x")
    same = replace(post, run_id="run-2", collected_at=datetime(2027, 1, 1, tzinfo=UTC), asked_in="my", sealed_id=b"x")
    assert content_fingerprint([post]) == content_fingerprint([same])
    for change in (
        {"text": "b"},
        {"author": None},
        {"created_at": None},
        {"language_hint": "th"},
        {"invented": True},
        {"is_news": True},
        {"post_id": "0"},
    ):
        assert content_fingerprint([replace(post, **change)]) != content_fingerprint([post])
    assert content_fingerprint([post, post]) != content_fingerprint([post])
    assert content_fingerprint(posts_from(posts_table([post]), post.partition)) == content_fingerprint([post])


def test_stale_parts_are_those_missing_or_outdated(lake: Lake, make_post: Make) -> None:
    write(lake, [make_post("a"), make_post("b", created_at=None)])
    stale = list(lake.stale("languages", "v1"))
    assert [part for part, _ in stale] == lake.parts("posts")
    for part, fingerprint in stale:
        lake.write("languages", part, TABLE, fingerprint)
    assert list(lake.stale("languages", "v1")) == []
    assert len(list(lake.stale("languages", "v2"))) == 2
    write(lake, [make_post("a"), make_post("c", created_at=None)])
    assert [part.partition.day for part, _ in lake.stale("languages", "v1")] == ["undated"]


def test_counterparts_of_withdrawn_posts_are_removed(lake: Lake, make_post: Make) -> None:
    write(lake, [make_post("a")])
    for part, fingerprint in list(lake.stale("languages", "v1")):
        lake.write("languages", part, TABLE, fingerprint)
    write(lake, [])
    assert list(lake.stale("languages", "v1")) == []
    assert files(lake) == []


def test_derived_fingerprint_depends_on_input_and_version() -> None:
    assert derived_fingerprint("a", "1") == derived_fingerprint("a", "1")
    assert len({derived_fingerprint("a", "1"), derived_fingerprint("a", "2"), derived_fingerprint("b", "1")}) == 3

"""Files into the lake: what is taken, counted, set aside and left untouched."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from screener.collect.files import collect_file, list_files, unit_id
from screener.collect.normalise import Intake
from screener.collect.taking import KEPT_PER_REASON, Outcome
from screener.records import Post, Window
from screener.settings.sources import ColumnMap

COLUMNS = ColumnMap(
    id="id",
    text="text",
    created_at="created_at",
    author="author",
    country="country",
    sector="sector",
    source="platform",
)
INTAKE = Intake(
    "file-drop", "run-1", datetime(2026, 3, 2, tzinfo=UTC), bytes(32), frozenset({"poultry"}), max_text_characters=1000
)
OPEN = Window()


class Sink:
    """Holds what it is given."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.closed = False
        self.flushed = False

    def flush(self) -> None:
        self.flushed = True

    def add(self, post: Post) -> None:
        assert not self.closed
        self.posts.append(post)

    def close(self) -> None:
        self.closed = True


Take = Callable[..., tuple[Outcome, Sink]]


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Collects records from a JSONL file."""

    def run(*records: object, window: Window = OPEN, intake: Intake = INTAKE) -> tuple[Outcome, Sink]:
        path, sink = tmp_path / "posts.jsonl", Sink()
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return collect_file(path, COLUMNS, intake, sink, window=window), sink

    return run


def record(number: int, **values: object) -> dict[str, object]:
    return {"id": number, "text": f"text {number}", "created_at": "2026-02-03T10:00:00", **values}


def test_everything_that_is_read_is_counted(take: Take) -> None:
    outcome, sink = take(
        record(1),
        record(2),
        record(1),
        record(3, created_at="2025-01-01"),
        record(4, country="Narnia"),
        ["x"],
        window=Window(date(2026, 1, 1)),
    )
    assert (outcome.n_read, outcome.n_posts, outcome.n_duplicates, outcome.n_outside_window) == (6, 2, 1, 1)
    assert outcome.discards == {"unknown-country": 1, "not-an-object": 1}
    assert (sink.closed, sink.flushed) == (True, False)
    assert [post.text for post in sink.posts] == ["text 1", "text 2"]


def test_the_same_file_gives_the_same_posts(take: Take) -> None:
    records = [record(number) for number in range(5)]
    assert take(*records)[1].posts == take(*records)[1].posts


def test_same_id_in_two_platforms_is_two_posts(take: Take) -> None:
    _, sink = take(record(1, platform="Some Forum"), record(1, platform="other"), record(1))
    assert [post.source for post in sink.posts] == ["some-forum", "other", "file-drop"]
    assert len({post.post_id for post in sink.posts}) == 3


def test_quarantine_keeps_the_first_and_counts_the_rest(take: Take) -> None:
    outcome, _ = take(*({"id": number} for number in range(KEPT_PER_REASON + 50)), {"text": "no id"})
    assert outcome.discards == {"no-text": KEPT_PER_REASON + 50, "no-id": 1}
    assert len(outcome.quarantined) == KEPT_PER_REASON + 1


def test_file_that_breaks_off_keeps_its_records_and_leaves_a_gap(tmp_path: Path) -> None:
    path, sink = tmp_path / "posts.csv", Sink()
    path.write_bytes(b'id,text\n1,good\n2,"' + b"x" * 200_000 + b'"\n3,lost\n')
    window = Window(date(2026, 1, 1), date(2026, 2, 1))
    outcome = collect_file(path, COLUMNS, INTAKE, sink, window=window)
    assert [post.text for post in sink.posts] == ["good"]
    assert len(outcome.failures) == len(outcome.gaps) == 1
    assert outcome.gaps[0].window == window
    assert "posts.csv" in outcome.gaps[0].reason
    assert (sink.flushed, sink.closed) == (True, False), "closing would remove posts of an earlier, whole version"


def test_progress_is_told_of_every_record(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text(json.dumps(record(1)) + "\nnull\n")
    steps: list[int] = []
    collect_file(path, COLUMNS, INTAKE, Sink(), window=OPEN, progress=steps.append)
    assert steps == [1, 1]


def test_list_files_takes_files_folders_and_globs_once(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.csv.gz", "notes.txt", "deep/c.ndjson"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [path.relative_to(tmp_path).as_posix() for path in list_files([".", "a.jsonl", "deep/*.ndjson"], tmp_path)]
    assert names == ["a.jsonl", "b.csv.gz", "deep/c.ndjson"]
    assert list_files([str(tmp_path / "notes.txt")], Path("/")) == [tmp_path / "notes.txt"]
    assert list_files(["nowhere/*.jsonl", "nothing.jsonl"], tmp_path) == []


def test_unit_id_depends_on_kind_and_address() -> None:
    assert unit_id("feed", "a") == unit_id("feed", "a")
    assert len({unit_id("feed", "a"), unit_id("feed", "b"), unit_id("file", "a")}) == 3

"""The runner: what it takes, counts, sets aside and leaves untouched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.connector import Page, Query, Validators
from screener.collect.http import PoliteClient
from screener.collect.keyed import post_id
from screener.collect.normalise import Intake
from screener.collect.runner import (
    KEPT_PER_REASON,
    Outcome,
    collect_file,
    collect_query,
    feed_queries,
    list_files,
    unit_id,
)
from screener.errors import ParseError
from screener.records import DiscardReason, Post, Quarantined, RawPost, Window
from screener.settings import Settings
from screener.settings.schemas import ColumnMap, Feed

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
QUERY = Query("rss", "https://union.example/feed.xml", "TH", "poultry", "th")
OPEN = Window()
MOMENTS = st.datetimes(
    datetime.fromisoformat("2025-12-01"), datetime.fromisoformat("2027-01-31"), timezones=st.just(UTC)
)
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


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


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., tuple[Outcome, Sink]]:
    """Collects records from a JSONL file."""

    def run(*records: object, window: Window = OPEN, intake: Intake = INTAKE) -> tuple[Outcome, Sink]:
        path, sink = tmp_path / "posts.jsonl", Sink()
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return collect_file(path, COLUMNS, intake, sink, window=window), sink

    return run


Take = Callable[..., tuple[Outcome, Sink]]


def record(number: int, **values: object) -> dict[str, object]:
    return {"id": number, "text": f"text {number}", "created_at": "2026-02-03T10:00:00", **values}


@given(DAYS, DAYS, DAYS, MOMENTS)
def test_windows_tile_the_time_without_gap_or_overlap(a: date, b: date, c: date, moment: datetime) -> None:
    first, second, third = sorted((a, b, c))
    tiles = (Window(None, first), Window(first, second), Window(second, third), Window(third, None))
    assert sum(tile.contains(moment) for tile in tiles) == 1
    assert Window(first, third).contains(moment) == (tiles[1].contains(moment) or tiles[2].contains(moment))


@given(DAYS, st.integers(0, 60))
def test_window_holds_its_first_moment_and_not_its_end(start: date, days: int) -> None:
    window = Window(start, start + timedelta(days=days))
    first = datetime(start.year, start.month, start.day, tzinfo=UTC)
    assert window.contains(first) == (days > 0)
    assert not window.contains(first + timedelta(days=days))
    assert not window.contains(first - timedelta(microseconds=1))
    assert window.contains(None)


def test_collect_file_counts_everything_that_it_reads(take: Take) -> None:
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
    assert (
        outcome.n_read == outcome.n_posts + outcome.n_duplicates + outcome.n_outside_window + outcome.discards.total()
    )
    assert sink.closed
    assert [post.text for post in sink.posts] == ["text 1", "text 2"]


def test_collect_file_is_idempotent(take: Take) -> None:
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


def test_quarantine_holds_nothing_that_points_at_a_person_or_breaks_a_database() -> None:
    outcome = Outcome()
    outcome.reject(
        Quarantined(
            "s", "f:1", DiscardReason.NOT_JSON, "bad \ud83d", '{"author": "@somebody", "tel": "+66 81 234 5678\x00'
        )
    )
    (entry,) = outcome.quarantined
    entry.detail.encode()
    assert entry.excerpt == '{"author": "[handle]", "tel": "[phone]'


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
    assert list_files(["nowhere/*.jsonl"], tmp_path) == []


def test_unit_id_depends_on_kind_and_address() -> None:
    assert unit_id("feed", "a") == unit_id("feed", "a")
    assert len({unit_id("feed", "a"), unit_id("feed", "b"), unit_id("file", "a")}) == 3


def test_feed_queries_carry_the_feed() -> None:
    feed = Feed(url=QUERY.url, country="TH", sector="poultry", language="th", reason="invented")
    assert list(feed_queries("rss", [feed])) == [QUERY]


class Pages:
    """A connector whose pages are given, and whose cursor is the page's number."""

    name = "pages"

    def __init__(self, *pages: tuple[RawPost, ...] | ParseError) -> None:
        self.pages, self.asked = pages, []

    def build_request(self, query: Query, cursor: str | None, validators: Validators) -> httpx.Request:
        self.asked.append((cursor, validators))
        return httpx.Request("GET", query.url)

    def parse_page(self, body: bytes, query: Query, collected_at: datetime) -> Page:
        number = len(self.asked) - 1
        page = self.pages[number]
        if isinstance(page, ParseError):
            raise page
        return Page(page, next_cursor=str(number + 1) if number + 1 < len(self.pages) else None)


@pytest.fixture
def ask(settings: Settings) -> Iterator[Callable[..., tuple[Outcome, Sink]]]:
    def run(
        connector: Pages,
        *,
        response: httpx.Response | None = None,
        earlier: tuple[Post, ...] = (),
        window: Window = OPEN,
    ) -> tuple[Outcome, Sink]:
        found = response or httpx.Response(200, headers={"ETag": '"new"', "Last-Modified": "today"})
        sink = Sink()
        collect = settings.runtime.collect.model_copy(update={"seconds_between_requests": 0.0})
        with PoliteClient(collect, transport=httpx.MockTransport(lambda request: found)) as client:
            outcome = collect_query(
                connector, QUERY, INTAKE, client, sink, window=window, validators=Validators('"old"'), earlier=earlier
            )
        return outcome, sink

    with stamina.set_testing(True):
        yield run


Ask = Callable[..., tuple[Outcome, Sink]]


def raw(number: int, text: str | None = None, day: int = 3) -> RawPost:
    return RawPost(str(number), text or f"text {number}", datetime(2026, 2, day, tzinfo=UTC), author="somebody")


def test_collect_query_reads_all_pages_once_each(ask: Ask) -> None:
    connector = Pages((raw(1), raw(2)), (raw(2), raw(3)))
    outcome, sink = ask(connector)
    assert [cursor for cursor, _ in connector.asked] == [None, "1"]
    assert (outcome.n_read, outcome.n_posts, outcome.n_duplicates) == (4, 3, 1)
    assert {post.text for post in sink.posts} == {"text 1", "text 2", "text 3"}
    assert {(post.country, post.sector, post.source) for post in sink.posts} == {("TH", "poultry", "file-drop")}
    assert outcome.validators == Validators('"new"', "today")
    assert sink.closed


def test_collect_query_asks_with_the_validators_of_last_time(ask: Ask) -> None:
    connector = Pages(())
    ask(connector)
    assert connector.asked[0][1] == Validators('"old"')


def test_unchanged_source_touches_nothing(ask: Ask) -> None:
    outcome, sink = ask(Pages(()), response=httpx.Response(304))
    assert (outcome.n_unchanged, outcome.validators, outcome.failures) == (1, Validators('"old"'), [])
    assert sink.posts == []
    assert not sink.closed


def test_answer_with_posts_outside_the_window_must_not_become_a_304_for_the_next_window(ask: Ask) -> None:
    outcome, _ = ask(Pages((raw(1, day=3), raw(2, day=9))), window=Window(date(2026, 2, 1), date(2026, 2, 5)))
    assert (outcome.n_posts, outcome.n_outside_window) == (1, 1)
    assert outcome.validators == Validators()


def test_merge_keeps_earlier_posts_and_renews_changed_ones(ask: Ask, make_post: Callable[..., Post]) -> None:
    forgotten = make_post("no longer in the feed", source="file-drop")
    same = replace(make_post("old words", source="file-drop"), post_id=post_id("file-drop", "1"))
    _, sink = ask(Pages((raw(1, "new words"), raw(2))), earlier=(forgotten, same))
    assert sorted(post.text for post in sink.posts) == ["new words", "no longer in the feed", "text 2"]


@pytest.mark.parametrize("pages", [(ParseError("feed", "is damaged"),), ((raw(1),), ParseError("feed", "is damaged"))])
def test_failing_page_leaves_a_gap_and_the_lake_as_it_was(
    ask: Ask, pages: tuple[object, ...], make_post: Callable[..., Post]
) -> None:
    outcome, sink = ask(Pages(*pages), earlier=(make_post(),))  # type: ignore[arg-type]
    assert outcome.failures == ["feed: is damaged"]
    assert [(gap.source, gap.watch) for gap in outcome.gaps] == [("rss", "TH/poultry")]
    assert outcome.validators is None
    assert sink.posts == []
    assert not sink.closed


@pytest.mark.parametrize("status", [404, 503])
def test_failing_source_leaves_a_gap(ask: Ask, status: int) -> None:
    outcome, sink = ask(Pages(()), response=httpx.Response(status))
    assert f"HTTP {status}" in outcome.gaps[0].reason
    assert not sink.closed

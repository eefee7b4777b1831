"""What the tests of walking share: sources in memory, and a walk through one to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from screener.collect.connector import Endpoint, Page, Query
from screener.collect.tasks import Missing, Task, after_page
from screener.records import DiscardReason, Quarantined, RawPost, Span

START = datetime(2026, 2, 3, 10, 0, tzinfo=UTC)
QUERY = Query("feeds", "search", "https://union.example", words="unpaid wages")


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def span(start: float, end: float) -> Span:
    return Span(at(start), at(end))


@dataclass(frozen=True)
class Record:
    """A record of a source: a post, or what a connector rejects or skips."""

    name: str
    second: float
    kind: str = "post"


def posts(*seconds: float) -> tuple[Record, ...]:
    return tuple(Record(f"at {second}", second) for second in seconds)


@dataclass(frozen=True)
class Source:
    """A source in memory, its records in the order in which it gives them. The cursor is the number of records given.

    ``cap``: so many and no more. ``tells``: its page says that it stopped there, else its endpoint's description does.
    ``has_empty_end``: its last cursor leads to an empty page. ``grain``: it widens a window to whole units of so many seconds; a huge one is a source that ignores windows.
    """

    records: tuple[Record, ...]
    page_size: int = 2
    is_windowed: bool = False
    is_newest_first: bool = True
    cap: int | None = None
    tells: bool = False
    has_empty_end: bool = False
    grain: float = 0.25

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            "words", self.page_size, is_windowed=self.is_windowed, is_newest_first=self.is_newest_first,
            cap=None if self.tells else self.cap,
        )  # fmt: skip

    def ask(self, query: Query, cursor: str | None) -> Page:
        assert query.span is not None
        found = [r for r in self.records if not self.is_windowed or self._widened(query.span).contains(at(r.second))]
        shown, begin = found[: self.cap], int(cursor or 0)
        page, end = shown[begin : begin + self.page_size], begin + self.page_size
        has_more = bool(page) if self.has_empty_end else end < len(shown)
        return Page(
            tuple(RawPost(r.name, r.name, at(r.second)) for r in page if r.kind == "post"),
            tuple(
                Quarantined("feeds", r.name, DiscardReason.NO_TEXT, "", "") for r in page if r.kind == "rejected"
            ),
            next_cursor=str(end) if has_more else None,
            n_skipped=sum(r.kind == "skipped" for r in page),
            is_capped=self.tells and not has_more and len(found) > len(shown),
        )  # fmt: skip

    def _widened(self, asked: Span) -> Span:
        unit = timedelta(seconds=self.grain)
        return Span(START + (asked.start - START) // unit * unit, START - (START - asked.end) // unit * unit)


class Askable(Protocol):
    """What a walk needs of a source."""

    @property
    def endpoint(self) -> Endpoint: ...

    def ask(self, query: Query, cursor: str | None) -> Page: ...


@dataclass
class Walked:
    """What came of walking a source to the end."""

    read: set[str] = field(default_factory=set)
    done: list[Span] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    asked: list[tuple[Span, str | None]] = field(default_factory=list)


def walk(source: Askable, wanted: Span, *, at_most: int = 5_000) -> Walked:
    """Follow every task; more pages than ``at_most`` are a walk without end."""
    walked, tasks = Walked(), [Task(QUERY, wanted)]
    while tasks:
        task = tasks.pop(0)
        walked.asked.append((task.span, task.cursor))
        assert len(walked.asked) <= at_most, f"no end: {walked.asked[-5:]}"
        page = source.ask(task.asked, task.cursor)
        walked.read |= {post.native_id for post in page.posts if task.span.contains(post.created_at)}
        then = after_page(task, source.endpoint, page)
        walked.done += then.done
        walked.missing += then.missing
        tasks += then.tasks
    return walked

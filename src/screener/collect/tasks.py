"""Pure: one stretch of one query on its way, and what follows from each page of it.

Three kinds of endpoints have to be walked differently, and none may lose a post in silence:

* one that takes a span and stops at a cap: what is older than the oldest post read becomes a window of its own;
* one that takes a span, stops at a cap, and isn't sorted by time: the window is halved until each half fits;
* one that takes no span: walked from the newest post until a whole page is older than the stretch begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from screener.collect.connector import Endpoint, Page, Query
from screener.collect.windows import halve
from screener.records import GapReason, Span

_TOLERATED = timedelta(days=1)
"""Some sources can be asked for whole days only, by their own clock."""
EMPTY_PAGES = 3
"""So many pages in a row without a record, each with a cursor to another, and the walk has no end."""


@dataclass(frozen=True, slots=True)
class Task:
    """A window of a query with the cursor of its next page. ``n_read`` counts records towards the source's cap.

    ``cursors`` and ``last_page`` (native ids) tell a walk that goes round in circles, ``newer_page``, the first page of the newer
    stretch that this one was cut from, a source that ignores what stretch it is asked for; ``n_past`` counts pages of a single post from
    before the stretch: one may be pinned or badly dated. ``asked_until`` is how far the query had come before this run (``None``: never asked), ``order`` its place in the plan:
    both only decide whose turn it is.
    """

    query: Query
    span: Span
    cursor: str | None = None
    n_read: int = 0
    n_empty: int = 0
    n_unreadable: int = 0
    is_restarted: bool = False
    n_past: int = 0
    cursors: frozenset[str] = frozenset()
    first_page: tuple[str, ...] = ()
    last_page: tuple[str, ...] = ()
    newer_page: tuple[str, ...] = ()
    asked_until: datetime | None = None
    order: int = 0

    @property
    def asked(self) -> Query:
        """The query with this task's stretch of time."""
        return replace(self.query, span=self.span)


@dataclass(frozen=True, slots=True)
class Missing:
    """A stretch of a query that was not answered, and why."""

    query: Query
    span: Span
    reason: GapReason
    detail: str


@dataclass(frozen=True, slots=True)
class Next:
    """What follows from a page: stretches now done, tasks still to do, stretches that can't be had."""

    done: tuple[Span, ...] = ()
    tasks: tuple[Task, ...] = ()
    missing: tuple[Missing, ...] = ()


def after_page(task: Task, endpoint: Endpoint, page: Page) -> Next:
    """What to do after this page of the task."""
    n_records = len(page.posts) + len(page.rejected) + page.n_skipped
    read = replace(task, n_read=task.n_read + n_records, n_unreadable=0, n_empty=0 if n_records else task.n_empty + 1)
    times = [post.created_at for post in page.posts if post.created_at]
    names = tuple(post.native_id for post in page.posts)
    read = replace(read, first_page=task.first_page if task.cursor is not None else names)
    is_elsewhere = endpoint.is_windowed and len(times) > 1 and min(times) >= task.span.end + _TOLERATED
    if is_elsewhere or (task.cursor is None and names and names == task.newer_page):
        told = "the source does not keep to the stretch that it is asked for"
        return Next(missing=(Missing(task.query, task.span, GapReason.ERROR, told),))
    if page.is_capped or (endpoint.cap is not None and read.n_read >= endpoint.cap):
        return _capped(read, endpoint, times)
    is_past = _has_passed(task.span, endpoint, times)
    if page.next_cursor is None or (is_past and (len(times) > 1 or task.n_past)):
        return Next(done=(task.span,))
    is_round = page.next_cursor == task.cursor or page.next_cursor in task.cursors
    if is_round or (names and names == task.last_page) or read.n_empty >= EMPTY_PAGES:
        told = "the source pages without end: its cursor does not move on"
        return Next(missing=(Missing(task.query, task.span, GapReason.ERROR, told),))
    read = replace(
        read,
        n_past=task.n_past + is_past if times else task.n_past,
        cursors=task.cursors | {page.next_cursor},
        last_page=names,
    )
    return Next(tasks=(replace(read, cursor=page.next_cursor),))


def _has_passed(span: Span, endpoint: Endpoint, times: Sequence[datetime]) -> bool:
    """A whole page lies before the stretch; a source that was asked for the stretch alone may have ignored that."""
    return endpoint.is_newest_first and bool(times) and max(times) < span.start


def _capped(task: Task, endpoint: Endpoint, times: Sequence[datetime]) -> Next:
    """``times``: of the last page; what is newer than all of them has been read, for a single post may be badly dated."""
    span = task.span
    fresh = replace(begun_anew(task), is_restarted=task.is_restarted, newer_page=())
    older = replace(fresh, newer_page=task.first_page) if endpoint.is_newest_first else fresh
    if endpoint.is_newest_first and times and (len(times) > 1 or not endpoint.is_windowed):
        # the second that it lies in may hold more than was read, so it is asked again
        edge = max(span.start, min(span.end, max(times).replace(microsecond=0) + timedelta(seconds=1)))
        read, rest = Span(edge, span.end), Span(span.start, edge)
        if not endpoint.is_windowed:
            told = f"the source lists only its newest {task.n_read} records"
            return Next(done=(read,), missing=_missing(task, rest, GapReason.NO_DATA, told))
        if edge < span.end:
            return Next(done=(read,), tasks=(replace(older, span=rest),) if rest.start < rest.end else ())
    if endpoint.is_windowed and (halves := halve(span)) is not None:
        return Next(tasks=(replace(fresh, span=halves[1]), replace(older, span=halves[0])))
    told = f"the source gave {task.n_read} records and no more, and the stretch can't be cut further"
    return Next(missing=(Missing(task.query, span, GapReason.ERROR, told),))


def begun_anew(task: Task) -> Task:
    """The task from its first page on, with nothing remembered of the walk so far."""
    return replace(
        task,
        cursor=None,
        n_read=0,
        n_empty=0,
        n_past=0,
        cursors=frozenset(),
        first_page=(),
        last_page=(),
        is_restarted=True,
    )


def _missing(task: Task, span: Span, reason: GapReason, told: str) -> tuple[Missing, ...]:
    return (Missing(task.query, span, reason, told),) if span.start < span.end else ()

"""Walks many queries at once: whose turn it is, one page at a time, and what becomes of each answer.

Fairness: the next page goes to the watch that has had the fewest requests, then to the query that was asked longest ago. A
host is never asked twice at once, so a slow one holds back only itself. All decisions are taken in one thread; others only
fetch and parse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

import httpx

from screener.collect.connector import Endpoint, Page, Query
from screener.collect.http import PoliteClient
from screener.collect.keeper import Asked, Door, Keeper, Plan, Validators
from screener.collect.normalise import clean_text
from screener.collect.taking import Outcome, page_name, take_page
from screener.collect.tasks import Missing, Task, after_page, begun_anew
from screener.collect.windows import covers
from screener.errors import (
    BudgetSpentError,
    ParseError,
    PausedError,
    RefusedError,
    SourceError,
    TerminalSourceError,
    TransientSourceError,
)
from screener.records import GapReason, Span

REFUSALS = 3
"""So many refusals in a row from one endpoint of one target, and the rest of its queries is not asked: it would be the same."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_NOT_MODIFIED = 304


class Asking:
    """One run over the tasks of all sources."""

    def __init__(
        self, client: PoliteClient, keeper: Keeper, plans: Iterable[Plan], *, concurrency: int, max_unreadable: int,
        progress: Callable[[int], None] = lambda n: None,
    ) -> None:  # fmt: skip
        self._client, self._keeper, self._progress = client, keeper, progress
        self._plans = {plan.name: plan for plan in plans}
        self._concurrency, self._max_unreadable = concurrency, max_unreadable
        self._waiting: list[Task] = []
        self._running: dict[Future[httpx.Response], Task] = {}
        self._refusals: Counter[Door] = Counter()
        self._closed: dict[Door, tuple[GapReason, str]] = {}
        self.asked = Asked()

    def close(self, door: Door, reason: GapReason, told: str) -> None:
        """Leave an endpoint of a target alone: it has said that it won't answer."""
        self._closed[door] = (reason, told)

    def run(self, tasks: Iterable[Task]) -> Asked:
        """Ask until every task is done or has a reason why not."""
        self._waiting = list(tasks)
        self.asked.tasks = list(self._waiting)
        self.asked.queries = {task.query.key: task.query for task in self._waiting}
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="collect") as pool:
            while self._waiting or self._running:
                while len(self._running) < self._concurrency and (task := self._choose()) is not None:
                    self._start(pool, task)
                if self._running:
                    done, _ = wait(self._running, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._settle(self._running.pop(future), future)
        return self.asked

    def _choose(self) -> Task | None:
        """Whose turn it is among those whose host is not being asked; ``None`` if there is none."""
        busy = {_host(task.query) for task in self._running.values()}
        free = [task for task in self._waiting if _host(task.query) not in busy]
        chosen = min(free, key=self._turn, default=None)
        if chosen is not None:
            self._waiting.remove(chosen)
        return chosen

    def _turn(self, task: Task) -> tuple[int, datetime, int]:
        return self.asked.n_requests[task.query.source, task.query.watch], task.asked_until or _NEVER, task.order

    def _start(self, pool: ThreadPoolExecutor, task: Task) -> None:
        plan, query = self._plans[task.query.source], task.query
        closed = self._closed.get(_door(query))
        if closed is not None:
            self._end(task, *closed)
            return
        endpoint = self._endpoint(query)
        try:
            self._keeper.spend(query.source, endpoint.units)
            request = plan.connector.build_request(task.asked, task.cursor)
        except httpx.InvalidURL as error:
            self._keeper.spend(query.source, -endpoint.units)
            self._fail(task, TerminalSourceError(f"{query.target}: {error}"))
            return
        except SourceError as error:
            self._fail(task, error)
            return
        if endpoint.is_conditional and task.cursor is None:
            request.headers.update(self._keeper.conditions(query))
        self.asked.n_requests[query.source, query.watch] += 1
        self._running[pool.submit(self._client.send, request, plan.access_to(query))] = task

    def _settle(self, task: Task, future: Future[httpx.Response]) -> None:
        plan, query = self._plans[task.query.source], task.query
        outcome = self.asked.outcomes[query.key]
        try:
            response = future.result()
        except (BudgetSpentError, PausedError) as error:
            self._keeper.spend(query.source, -self._endpoint(query).units)  # it was never sent
            self.asked.n_requests[query.source, query.watch] -= 1
            self._fail(task, error)
            return
        except (SourceError, ParseError) as error:
            self._fail(task, error)
            return
        if response.status_code == _NOT_MODIFIED and _is_conditional(response.request):
            outcome.n_unchanged = 1
            self.asked.answered[query.key].append(task.span)
            self._keeper.finish(task, None)
            return
        try:
            page = plan.connector.parse_page(response, task.asked)
            _check_cursor(page, task)
        except (SourceError, ParseError) as error:
            self._fail(task, error, is_read=True)
            return
        self._refusals[_door(query)] = 0
        self._keep(task, plan, page, response, outcome)

    def _keep(self, task: Task, plan: Plan, page: Page, response: httpx.Response, outcome: Outcome) -> None:
        query = task.query
        intake = replace(plan.intake, country=query.country, sector=query.sector, asked_in=query.language)
        where = page_name(query.source, query.endpoint, query.watch, task.cursor)
        seen = self.asked.seen[query.source, query.watch]
        posts = take_page(page.posts, page.rejected, intake, outcome, seen, task.span, where=where)
        then = after_page(task, self._endpoint(query), page)
        span = Span(task.span.start, max(task.span.end, plan.until))
        led_to = tuple(
            Task(found, span, asked_until=task.asked_until, order=task.order)
            for found in dict.fromkeys(page.follow_ups)
            if found.endpoint in plan.endpoints and self._is_new(found, span)
        )
        then = replace(then, tasks=(*then.tasks, *led_to))
        validators = Validators(_sendable(response, "etag"), _sendable(response, "last-modified"))
        self._keeper.keep(task, page, posts, then, validators)
        self._progress(len(posts))
        self.asked.answered[query.key] += then.done
        self.asked.missing += then.missing
        self._waiting += then.tasks
        self.asked.tasks += led_to
        self.asked.queries |= {task.query.key: task.query for task in led_to}
        outcome.failures += [gap.detail for gap in then.missing if gap.reason is GapReason.ERROR]

    def _is_new(self, found: Query, span: Span) -> bool:
        """False if what pages led to is asked for already, for the whole of the stretch."""
        if found.key not in self.asked.queries:
            return True
        return not covers([task.span for task in self.asked.tasks if task.query.key == found.key], span)

    def _fail(self, task: Task, error: SourceError | ParseError, *, is_read: bool = False) -> None:
        """Try an unreadable page again, begin anew where a cursor has grown stale, else end the task with its reason.

        ``is_read``: it was the page that said so, with a good status; the client has not tried that again yet.
        """
        door = _door(task.query)
        is_unreadable = isinstance(error, ParseError) or (is_read and isinstance(error, TransientSourceError))
        if is_unreadable and task.n_unreadable + 1 < self._max_unreadable:
            self._waiting.append(replace(task, n_unreadable=task.n_unreadable + 1))
            return
        if isinstance(error, BudgetSpentError):
            self._closed[door] = (GapReason.BUDGET, str(error))
        elif isinstance(error, PausedError):
            self._closed[door] = (GapReason.PAUSED, str(error))
        elif isinstance(error, RefusedError):
            self._refusals[door] += 1
            if self._refusals[door] >= REFUSALS:
                self._closed[door] = (GapReason.REFUSED, str(error))
        elif task.cursor is not None and not task.is_restarted and isinstance(error, TerminalSourceError):
            self._waiting.append(begun_anew(task))
            return
        outcome = self.asked.outcomes[task.query.key]
        outcome.is_terminal = outcome.is_terminal and not isinstance(error, TransientSourceError)
        reason = error.gap if isinstance(error, SourceError) else GapReason.ERROR
        endpoint = self._endpoint(task.query)
        if reason is GapReason.NO_DATA and not (endpoint.led_to or endpoint.asks == "tags"):
            reason = GapReason.ERROR  # an address or an API that should be there is gone: that is no quiet day
        self._end(task, reason, str(error))

    def _endpoint(self, query: Query) -> Endpoint:
        return self._plans[query.source].connector.endpoints[query.endpoint]

    def _end(self, task: Task, reason: GapReason, told: str) -> None:
        missing = Missing(task.query, task.span, reason, clean_text(told))
        if reason is GapReason.NO_DATA:
            self.asked.answered[task.query.key].append(task.span)
        elif reason is not GapReason.BUDGET:  # that is as planned; the ledger and the source's state tell it
            self.asked.outcomes[task.query.key].failures.append(told)
        self.asked.missing.append(missing)
        self._keeper.finish(task, missing)


def _sendable(response: httpx.Response, name: str) -> str | None:
    """A header that can be sent back as it is; servers write anything there."""
    value = response.headers.get(name)
    return value if value and value.isascii() and value.isprintable() else None


def _check_cursor(page: Page, task: Task) -> None:
    """A cursor goes into the store and back into an address: what no text can hold is no cursor."""
    cursor = page.next_cursor or ""
    if clean_text(cursor) != cursor:
        raise ParseError(task.query.target, "its cursor is no text")


def _is_conditional(request: httpx.Request) -> bool:
    return "if-none-match" in request.headers or "if-modified-since" in request.headers


def _host(query: Query) -> str:
    return _host_of(query.target)


@lru_cache(maxsize=4096)
def _host_of(target: str) -> str:
    """Asked for every waiting query each time that a turn is given; a target that is no address has a host of its own."""
    try:
        return httpx.URL(target).host
    except httpx.InvalidURL:
        return target


def _door(query: Query) -> Door:
    return query.source, query.target, query.endpoint

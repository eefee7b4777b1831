"""What the tests of asking share: a source in a few lines, a server, a keeper that writes everything down."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from polite import access, client

from screener.collect.asking import Asking
from screener.collect.connector import Connector, Endpoint, Page, Query, read_json, require_ok
from screener.collect.keeper import Asked, Plan, Validators
from screener.collect.normalise import Intake
from screener.collect.tasks import Missing, Next, Task
from screener.errors import BudgetSpentError, TransientSourceError
from screener.records import DiscardReason, GapReason, Post, Quarantined, RawPost, Span

START = datetime(2026, 2, 3, tzinfo=UTC)
SPAN = Span(START, START + timedelta(days=1))
NOW = datetime(2026, 3, 2, tzinfo=UTC)
SITE = "https://union.example"
INTAKE = Intake("forum", "run-1", NOW, bytes(32), frozenset({"poultry"}), max_text_characters=1000)
Answer = Callable[[httpx.Request], httpx.Response]


def build_request(query: Query, cursor: str | None) -> httpx.Request:
    asked = {"q": query.words} | ({} if cursor is None else {"cursor": cursor})
    return httpx.Request("GET", f"{query.target}/{query.endpoint}", params=asked)


def parse_page(response: httpx.Response, query: Query) -> Page:
    require_ok(response)
    body = read_json(response)
    if body.get("is_busy"):
        raise TransientSourceError("too busy to search")
    return Page(
        tuple(RawPost(name, f"text {name}", START, language_hint="my") for name in body["posts"]),
        tuple(Quarantined("forum", "a record", DiscardReason.NO_TEXT, "", "") for _ in range(body.get("n_empty", 0))),
        next_cursor=body.get("next"),
        follow_ups=tuple(
            replace(query, endpoint="comments", words=words, span=None) for words in body.get("leads_to", [])
        ),
        is_capped=body.get("is_capped", False),
    )


CONNECTOR = Connector(
    "forum",
    {
        "search": Endpoint("words", 2, is_windowed=True, units=100),
        "tags": Endpoint("tags", 2, is_windowed=True),
        "feed": Endpoint("target", 2, is_conditional=True),
        "comments": Endpoint("target", 2, led_to=True),
    },
    date(2010, 1, 1), build_request, parse_page,
)  # fmt: skip


@dataclass
class Notes:
    """A keeper that writes everything down. ``n_units`` are what its source may cost, ``spent`` each cost, also one given back."""

    n_units: int = 1_000_000
    spent: list[int] = field(default_factory=list)
    validators: dict[str, str] = field(default_factory=dict)
    kept: list[tuple[Task, tuple[Post, ...], Next]] = field(default_factory=list)
    said: list[Validators] = field(default_factory=list)
    finished: list[tuple[Task, Missing | None]] = field(default_factory=list)

    def conditions(self, query: Query) -> dict[str, str]:
        return self.validators

    def spend(self, source: str, units: int) -> None:
        if units > self.n_units:
            raise BudgetSpentError(f"{source}: the day's units are spent")
        self.n_units -= units
        self.spent.append(units)

    def keep(self, task: Task, page: Page, posts: Sequence[Post], then: Next, validators: Validators) -> None:
        self.kept.append((task, tuple(posts), then))
        self.said.append(validators)

    def finish(self, task: Task, missing: Missing | None) -> None:
        self.finished.append((task, missing))

    @property
    def posts(self) -> list[Post]:
        return [post for _, posts, _ in self.kept for post in posts]


class Server:
    """Answers every request by ``answer`` and remembers what it was asked for."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)

    @property
    def words(self) -> list[str]:
        return [request.url.params["q"] for request in self.asked]


def page(*names: str, **more: object) -> httpx.Response:
    return httpx.Response(200, json={"posts": names, **more})


def task(
    words: str = "wages", endpoint: str = "search", *, country: str = "TH", target: str = SITE, source: str = "forum",
    **more: Any,
) -> Task:  # fmt: skip
    query = Query(source, endpoint, target, country, "poultry", "th", words)
    return Task(query, SPAN, **more)


def plan(
    max_requests: int = 1000, *, endpoints: Sequence[str] = tuple(CONNECTOR.endpoints), source: str = "forum"
) -> Plan:
    return Plan(
        source, CONNECTOR, replace(INTAKE, source=source),
        lambda query: access(query.target, source=source, max_requests=max_requests),
        endpoints=frozenset(endpoints), until=NOW,
    )  # fmt: skip


def ask(
    answer: Answer, *tasks: Task, notes: Notes | None = None, max_requests: int = 1000, concurrency: int = 1,
    max_unreadable: int = 3, **settings: object,
) -> Asked:  # fmt: skip
    settings = {"max_attempts": 1, "breaker_failures": 100, **settings}
    with client(answer, **settings) as polite:
        asking = Asking(
            polite, notes or Notes(), [plan(max_requests)], concurrency=concurrency, max_unreadable=max_unreadable
        )
        return asking.run(tasks)


def reasons(asked: Asked) -> dict[str, GapReason]:
    return {gap.query.words: gap.reason for gap in asked.missing}


def by_cursor(**pages: httpx.Response) -> Answer:
    """The first page by the name ``first``, later ones by their cursor."""
    return lambda request: pages[request.url.params.get("cursor", "first")]


def endless() -> Answer:
    """Each page leads to another, with a post of its own."""
    numbers = itertools.count()
    return lambda request: page(f"{(n := next(numbers))}", next=f"p{n}")


def video(request: httpx.Request) -> httpx.Response:
    """A search that leads to the comments of what it found."""
    return page("c1") if request.url.path == "/comments" else page("v1", leads_to=["v1"])

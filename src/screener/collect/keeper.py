"""What the walk over many queries is given, what it hands back, and where its progress is kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from screener.collect.access import Access
from screener.collect.connector import Connector, Page, Query
from screener.collect.normalise import Intake
from screener.collect.taking import Outcome
from screener.collect.tasks import Missing, Next, Task
from screener.records import Post, Span

Door = tuple[str, str, str]
"""Source, target and endpoint: what refuses as one."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What an answer said about its own freshness (RFC 9110, section 8.8), for the next conditional request."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One source as it is asked in this run; ``access_to`` gives the way to a query's target.

    Of what pages lead to only ``endpoints`` are followed, and up to ``until``: what was said of an old post may be new.
    """

    name: str
    connector: Connector
    intake: Intake
    access_to: Callable[[Query], Access]
    endpoints: frozenset[str]
    until: datetime


class Keeper(Protocol):
    """Where progress is kept; called from one thread only."""

    def conditions(self, query: Query) -> dict[str, str]:
        """Headers of a conditional request, empty if the answer is wanted whatever it is."""

    def spend(self, source: str, units: int) -> None:
        """Count units of the source's daily quota; raises ``BudgetSpentError`` if they are not to be had."""

    def keep(self, task: Task, page: Page, posts: Sequence[Post], then: Next, validators: Validators) -> None:
        """A page is read: its posts first, then how far the query has come."""

    def finish(self, task: Task, missing: Missing | None) -> None:
        """The task ends here without a page: answered with nothing, unchanged (``None``), or not to be had."""


@dataclass
class Asked:
    """What came of all tasks: an outcome per query, what is missing, posts seen and requests per source and
    watch, and all tasks, those that pages led to as well."""

    queries: dict[str, Query] = field(default_factory=dict)
    seen: dict[tuple[str, str], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    outcomes: dict[str, Outcome] = field(default_factory=lambda: defaultdict(lambda: Outcome(keeps_excerpts=False)))
    answered: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    missing: list[Missing] = field(default_factory=list)
    n_requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    tasks: list[Task] = field(default_factory=list)

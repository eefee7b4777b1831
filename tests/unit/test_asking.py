"""Asking: whose turn it is, what an answer or a refusal leads to, and that every task ends with posts or with a reason."""

from __future__ import annotations

import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from polite import access, client

from screener.collect.asking import REFUSALS, Asked, Asking, Plan, Validators
from screener.collect.connector import Connector, Endpoint, Page, Query, read_json, require_ok
from screener.collect.keyed import post_id
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
    """A keeper that writes everything down. ``n_units`` are what its source may cost."""

    n_units: int = 1_000_000
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
    words: str = "wages", endpoint: str = "search", *, country: str = "TH", target: str = SITE, **more: Any
) -> Task:
    query = Query("forum", endpoint, target, country, "poultry", "th", words)
    return Task(query, SPAN, **more)


def plan(max_requests: int = 1000, *, endpoints: Sequence[str] = tuple(CONNECTOR.endpoints)) -> Plan:
    return Plan(
        "forum", CONNECTOR, INTAKE, lambda query: access(query.target, source="forum", max_requests=max_requests),
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


def test_every_page_is_kept_with_its_posts_and_what_follows() -> None:
    notes, asking = Notes(), task()
    asked = ask(by_cursor(first=page("1", "2", next="p2"), p2=page("2", "3", n_empty=1)), asking, notes=notes)
    assert [post.post_id for post in notes.posts] == [post_id("forum", name) for name in "123"]
    assert [then.done for _, _, then in notes.kept] == [(), (SPAN,)]
    assert (asked.answered, asked.missing) == ({asking.query.key: [SPAN]}, [])
    outcome = asked.outcomes[asking.query.key]
    assert (outcome.n_read, outcome.n_posts, outcome.n_duplicates, outcome.failures) == (5, 3, 1, [])
    assert outcome.discards == {"no-text": 1}
    assert asked.queries == {asking.query.key: asking.query}
    assert asked.n_requests.total() == 2


def test_post_carries_the_watch_and_the_language_that_it_was_asked_for_in() -> None:
    notes = Notes()
    ask(lambda request: page("1"), task(), notes=notes)
    (post,) = notes.posts
    assert (post.country, post.sector, post.asked_in, post.language_hint) == ("TH", "poultry", "th", "my")


def test_post_found_by_two_questions_of_a_watch_is_taken_once_and_for_another_watch_again() -> None:
    notes = Notes()
    ask(lambda request: page("1"), task("wages"), task("passports"), task(country="PK"), notes=notes)
    assert sorted(post.country or "" for post in notes.posts) == ["PK", "TH"]


def test_progress_is_told_after_each_page() -> None:
    steps: list[int] = []
    answer = by_cursor(first=page("1", "2", next="p2"), p2=page("3"))
    with client(answer) as polite:
        Asking(polite, Notes(), [plan()], concurrency=1, max_unreadable=1, progress=steps.append).run([task()])
    assert steps == [2, 1]


def endless() -> Answer:
    """Each page leads to another, with a post of its own."""
    numbers = itertools.count()
    return lambda request: page(f"{(n := next(numbers))}", next=f"p{n}")


@pytest.mark.parametrize("budget", [1, 3, 4, 10, 50])
@pytest.mark.parametrize("concurrency", [1, 3])
def test_watches_take_turns_so_that_a_spent_budget_has_reached_each(budget: int, concurrency: int) -> None:
    tasks = [task(words, country=country) for country in ("TH", "PK", "MY") for words in ("wages", "passports")]
    server = Server(endless())
    asked = ask(server, *tasks, max_requests=budget, concurrency=concurrency)
    assert len(server.asked) == budget
    turns = Counter(gap.query.watch for gap in asked.missing)
    assert turns == {"TH/poultry": 2, "PK/poultry": 2, "MY/poultry": 2}
    assert {gap.reason for gap in asked.missing} == {GapReason.BUDGET}
    counts = [asked.n_requests[f"{country}/poultry"] for country in ("TH", "PK", "MY")]
    assert max(counts) - min(counts) <= 1


def test_one_deep_question_of_a_watch_does_not_keep_another_watch_waiting() -> None:
    server = Server(endless())
    ask(server, task("deep"), task("short", country="PK"), max_requests=6)
    assert server.words.count("short") == 3


def test_question_asked_longest_ago_goes_first_and_one_never_asked_before_it() -> None:
    server = Server(lambda request: page("1"))
    recent, old = task("recent", asked_until=START), task("old", asked_until=START - timedelta(days=9))
    ask(server, recent, old, task("never"))
    assert server.words == ["never", "old", "recent"]


def test_equals_are_asked_in_the_order_of_the_plan() -> None:
    server = Server(lambda request: page("1"))
    ask(server, *(task(f"{place}", order=place) for place in (2, 0, 3, 1)))
    assert server.words == ["0", "1", "2", "3"]


class Crowd:
    """A client that counts how many requests are with a host at once; those to two hosts must meet."""

    def __init__(self) -> None:
        self._lock, self._both = threading.Lock(), threading.Barrier(2)
        self._with_host: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def send(self, request: httpx.Request, access: object) -> httpx.Response:
        with self._lock:
            self._with_host[request.url.host] += 1
            self.most |= self._with_host
        self._both.wait(timeout=5)
        with self._lock:
            self._with_host[request.url.host] -= 1
        return httpx.Response(200, json={"posts": []}, request=request)


def test_host_is_never_asked_twice_at_once_and_two_hosts_are() -> None:
    crowd = Crowd()
    hosts = ("https://one.example", "https://ONE.example/forum", "https://two.example")
    tasks = [task(f"{n}", target=hosts[0] if n % 4 else hosts[1]) for n in range(5)]
    tasks += [task(f"{n}", target=hosts[2]) for n in range(5)]
    asked = Asking(crowd, Notes(), [plan()], concurrency=4, max_unreadable=1).run(tasks)  # type: ignore[arg-type]
    assert crowd.most == {"one.example": 1, "two.example": 1}
    assert len(asked.answered) == 10


@pytest.mark.parametrize(
    ("status", "endpoint", "reason"),
    [
        (403, "search", GapReason.REFUSED),
        (401, "feed", GapReason.REFUSED),
        (400, "search", GapReason.ERROR),
        (503, "search", GapReason.ERROR),
        (302, "search", GapReason.ERROR),
        (404, "feed", GapReason.ERROR),  # an address that we were given: that is no quiet day
    ],
)
def test_task_that_fails_ends_with_its_reason(status: int, endpoint: str, reason: GapReason) -> None:
    notes, asking = Notes(), task(endpoint=endpoint)
    asked = ask(lambda request: httpx.Response(status), asking, notes=notes)
    (gap,) = asked.missing
    assert (gap.query, gap.span, gap.reason) == (asking.query, SPAN, reason)
    assert asked.outcomes[asking.query.key].failures == [gap.detail]
    assert asked.outcomes[asking.query.key].is_terminal == (status != 503)
    assert notes.finished == [(asking, gap)]
    assert asked.answered == {}


@pytest.mark.parametrize("endpoint", ["search", "tags"])
def test_having_no_such_thing_is_an_answer_with_a_reason(endpoint: str) -> None:
    notes, asking = Notes(), task(endpoint=endpoint)
    asked = ask(lambda request: httpx.Response(404), asking, notes=notes)
    assert reasons(asked) == {"wages": GapReason.NO_DATA}
    assert asked.answered == {asking.query.key: [SPAN]}
    assert asked.outcomes[asking.query.key].failures == []
    assert notes.finished == [(asking, asked.missing[0])]


def test_budget_of_the_run_closes_the_door_without_asking() -> None:
    server, notes = Server(lambda request: page("1")), Notes(n_units=10_000)
    asked = ask(server, *(task(f"{n}", order=n) for n in range(9)), max_requests=2, notes=notes)
    assert len(server.asked) == 2
    assert reasons(asked) == {f"{n}": GapReason.BUDGET for n in range(2, 9)}
    assert notes.n_units >= 10_000 - 3 * 100, "what is not asked costs no units"


def test_quota_of_units_closes_what_is_dear_and_leaves_what_is_cheap() -> None:
    server = Server(lambda request: page("1"))
    asked = ask(server, task("a"), task("b", order=1), task("c", "tags", order=2), notes=Notes(n_units=150))
    assert server.words == ["a", "c"]
    assert reasons(asked) == {"b": GapReason.BUDGET}


def test_host_that_is_left_alone_is_a_pause_and_no_error_of_the_rest() -> None:
    server, notes = Server(lambda request: httpx.Response(503)), Notes(n_units=10_000)
    asked = ask(server, *(task(f"{n}", order=n) for n in range(9)), breaker_failures=2, notes=notes)
    assert len(server.asked) == 2
    assert list(reasons(asked).values()) == [GapReason.ERROR] * 2 + [GapReason.PAUSED] * 7
    assert notes.n_units >= 10_000 - 3 * 100, "what is not asked costs no units"
    assert not any(outcome.is_terminal for outcome in list(asked.outcomes.values())[:2])


def test_refusals_in_a_row_close_the_door_of_that_endpoint_at_that_target() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        is_closed = request.url.path == "/search" and request.url.host == "union.example"
        return httpx.Response(403) if is_closed else page("1")

    server = Server(answer)
    tasks = [task(f"{n}", order=n) for n in range(REFUSALS + 4)]
    asked = ask(server, *tasks, task("a", "tags"), task("b", target="https://other.example"))
    assert Counter(request.url.path for request in server.asked if request.url.host == "union.example") == {
        "/search": REFUSALS, "/tags": 1,
    }  # fmt: skip
    assert set(asked.answered) == {task("a", "tags").query.key, task("b", target="https://other.example").query.key}
    assert reasons(asked) == {f"{n}": GapReason.REFUSED for n in range(REFUSALS + 4)}
    assert "HTTP 403" in asked.missing[-1].detail


def test_answer_between_refusals_keeps_the_door_open() -> None:
    server = Server(lambda request: page("1") if request.url.params["q"] in {"2", "5"} else httpx.Response(403))
    asked = ask(server, *(task(f"{n}", order=n) for n in range(8)))
    assert len(server.asked) == 8
    assert len(asked.missing) == 6


@pytest.mark.parametrize("n_broken", [1, 2, 3, 5])
def test_unreadable_page_is_asked_for_again_a_few_times(n_broken: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return page("1") if len(server.asked) > n_broken else httpx.Response(200, content=b"<html>busy")

    server = Server(answer)
    asked = ask(server, task(), max_unreadable=3)
    assert len(server.asked) == min(3, n_broken + 1)
    assert reasons(asked) == ({} if n_broken < 3 else {"wages": GapReason.ERROR})
    assert all("an HTML page" in gap.detail for gap in asked.missing)


def test_unreadable_second_page_is_asked_for_again_by_its_cursor() -> None:
    answers = iter([page("1", next="p2"), httpx.Response(200, content=b"{"), page("2")])
    server, notes = Server(lambda request: next(answers)), Notes()
    assert ask(server, task(), notes=notes).missing == []
    assert [request.url.params.get("cursor") for request in server.asked] == [None, "p2", "p2"]
    assert len(notes.posts) == 2


def test_good_status_that_says_busy_is_asked_for_again_like_an_unreadable_page() -> None:
    server = Server(lambda request: page(is_busy=len(server.asked) < 3))
    assert ask(server, task()).missing == []
    assert len(server.asked) == 3
    always = Server(lambda request: page(is_busy=True))
    asked = ask(always, task(), max_unreadable=2)
    assert (len(always.asked), reasons(asked)) == (2, {"wages": GapReason.ERROR})
    assert not asked.outcomes[task().query.key].is_terminal


def test_door_that_was_closed_before_is_not_knocked_at() -> None:
    server = Server(lambda request: page("1"))
    with client(server) as polite:
        asking = Asking(polite, Notes(), [plan()], concurrency=1, max_unreadable=1)
        asking.close(("forum", SITE, "search"), GapReason.REFUSED, "closed")
        asked = asking.run([task(), task("tag", "tags")])
    assert (server.words, reasons(asked)) == (["tag"], {"wages": GapReason.REFUSED})


def test_stale_cursor_begins_anew_once() -> None:
    answers = iter([httpx.Response(400), page("1", next="p2"), page("2")])
    server, notes = Server(lambda request: next(answers)), Notes()
    assert ask(server, task(cursor="stale", n_read=40), notes=notes).missing == []
    assert [asking.n_read for asking, _, _ in notes.kept] == [0, 1], "the cap is counted from the first page again"
    assert [request.url.params.get("cursor") for request in server.asked] == ["stale", None, "p2"]


def test_cursor_that_goes_stale_again_is_an_error() -> None:
    server = Server(lambda request: httpx.Response(400) if "cursor" in request.url.params else page("1", next="p2"))
    asked = ask(server, task(cursor="stale"))
    assert [request.url.params.get("cursor") for request in server.asked] == ["stale", None, "p2"]
    assert reasons(asked) == {"wages": GapReason.ERROR}


@pytest.mark.parametrize("status", [401, 403, 404, 503])
def test_other_failures_do_not_begin_anew(status: int) -> None:
    server = Server(lambda request: httpx.Response(status))
    ask(server, task(cursor="p2"))
    assert len(server.asked) == 1


def test_pages_read_before_a_failure_are_kept() -> None:
    notes = Notes()
    asked = ask(by_cursor(first=page("1", next="p2"), p2=httpx.Response(503)), task(), notes=notes)
    assert len(notes.posts) == 1
    assert notes.finished[0][0].cursor == "p2", "the next run goes on from here"
    assert asked.answered == {task().query.key: []}


def test_nothing_changed_is_an_answer() -> None:
    server, notes = Server(lambda request: httpx.Response(304)), Notes(validators={"If-None-Match": '"1"'})
    asking = task(endpoint="feed")
    asked = ask(server, asking, notes=notes)
    assert server.asked[0].headers["if-none-match"] == '"1"'
    assert (asked.answered, asked.missing) == ({asking.query.key: [SPAN]}, [])
    assert asked.outcomes[asking.query.key].n_unchanged == 1
    assert notes.finished == [(asking, None)]


def test_what_an_answer_says_of_its_freshness_is_kept() -> None:
    notes = Notes()
    fresh = httpx.Response(200, json={"posts": []}, headers={"ETag": '"2"', "Last-Modified": "today"})
    ask(lambda request: fresh, task(endpoint="feed"), notes=notes)
    ask(lambda request: page("1"), task(endpoint="feed"), notes=notes)
    assert notes.said == [Validators('"2"', "today"), Validators()]


def test_only_the_first_page_of_a_conditional_endpoint_is_asked_for_on_condition() -> None:
    server = Server(lambda request: page("1") if "cursor" in request.url.params else page("2", next="p2"))
    ask(server, task(endpoint="feed"), task("a"), notes=Notes(validators={"If-None-Match": '"1"'}))
    asked = {
        (request.url.path, "cursor" in request.url.params): "if-none-match" in request.headers
        for request in server.asked
    }
    assert asked == {
        ("/feed", False): True,
        ("/feed", True): False,
        ("/search", False): False,
        ("/search", True): False,
    }


def video(request: httpx.Request) -> httpx.Response:
    """A search that leads to the comments of what it found."""
    return page("c1") if request.url.path == "/comments" else page("v1", leads_to=["v1"])


def test_what_a_page_leads_to_is_asked_up_to_now_for_an_old_video_may_have_new_comments() -> None:
    notes, turn = Notes(), {"order": 7, "asked_until": START}
    asking = task(**turn)
    asked = ask(video, asking, notes=notes)
    led_to, up_to_now = replace(asking.query, endpoint="comments", words="v1"), Span(SPAN.start, NOW)
    assert [then.tasks for _, _, then in notes.kept] == [(Task(led_to, up_to_now, **turn),), ()]
    assert asked.answered == {asking.query.key: [SPAN], led_to.key: [up_to_now]}
    assert asked.queries == {asking.query.key: asking.query, led_to.key: led_to}
    assert len(notes.posts) == 2


def test_what_a_page_leads_to_is_left_where_the_source_was_not_to_be_asked_for_it() -> None:
    server = Server(video)
    with client(server) as polite:
        Asking(polite, Notes(), [plan(endpoints=["search"])], concurrency=1, max_unreadable=1).run([task()])
    assert [request.url.path for request in server.asked] == ["/search"]


def test_stretch_that_a_page_says_is_missing_is_told() -> None:
    asked = ask(
        lambda request: page("1", is_capped=True), replace(task(), span=Span(START, START + timedelta(seconds=1)))
    )
    assert reasons(asked) == {"wages": GapReason.ERROR}
    assert "can't be cut further" in asked.missing[0].detail


@pytest.mark.parametrize("wrong", [{"words": "x" * 70_000}, {"target": "https://union.example:port"}])
def test_what_no_address_can_hold_ends_its_own_task_only(wrong: dict[str, str]) -> None:
    asked = ask(lambda request: page("1"), task(**wrong), task("wages", order=1))
    assert [gap.reason for gap in asked.missing] == [GapReason.ERROR]
    assert asked.answered == {task("wages").query.key: [SPAN]}


def test_no_tasks_are_no_requests() -> None:
    assert ask(lambda request: page("1")) == Asked()


@pytest.mark.parametrize("concurrency", [1, 4])
def test_every_task_ends_answered_or_missing_whatever_the_server_does(concurrency: int) -> None:
    answers: dict[str, Callable[[], httpx.Response]] = {
        "good": lambda: page("1"), "gone": lambda: httpx.Response(404), "refused": lambda: httpx.Response(403),
        "busy": lambda: httpx.Response(503), "wrong": lambda: httpx.Response(400), "broken": lambda: httpx.Response(200),
    }  # fmt: skip
    tasks = [
        task(f"{kind} {n}", country=country, target=f"https://{host}.example")
        for kind, n, country, host in itertools.product(answers, range(3), ("TH", "PK"), ("one", "two"))
    ]
    notes = Notes()
    asked = ask(lambda r: answers[r.url.params["q"].split()[0]](), *tasks, notes=notes, concurrency=concurrency)
    spans: dict[str, list[Span]] = defaultdict(list)
    for key, answered in asked.answered.items():
        spans[key] += answered
    for gap in asked.missing:
        spans[gap.query.key] += [gap.span] if gap.reason is not GapReason.NO_DATA else []
    assert spans == {one.query.key: [SPAN] for one in tasks}
    assert len(notes.kept) + len(notes.finished) == len(tasks)

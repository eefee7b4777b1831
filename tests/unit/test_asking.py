"""Asking: whose turn it is, what an answer or a refusal leads to, and that every task ends with posts or with a reason."""

from __future__ import annotations

import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from asking_world import (
    SITE,
    SPAN,
    START,
    Notes,
    Server,
    ask,
    by_cursor,
    endless,
    page,
    plan,
    reasons,
    task,
)
from polite import client

from screener.collect.asking import REFUSALS, Asking
from screener.collect.keeper import Asked
from screener.collect.keyed import post_id
from screener.records import GapReason, Span


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
    counts = [asked.n_requests["forum", f"{country}/poultry"] for country in ("TH", "PK", "MY")]
    assert sum(counts) >= budget
    assert max(counts) - min(counts) <= 1


def test_watches_share_the_budget_of_one_source_evenly_whatever_another_source_asks_for_them() -> None:
    server = Server(endless())
    tasks = [task(f"{n}", "tags", source="big", target="https://big.example") for n in range(3)]
    tasks += [
        task(country, "tags", source="small", target="https://small.example", country=country) for country in ("TH", "PK")
    ]  # fmt: skip
    with client(server) as polite:
        plans = [plan(40, source="big"), plan(6, source="small")]
        Asking(polite, Notes(), plans, concurrency=2, max_unreadable=1).run(tasks)
    small = Counter(request.url.params["q"] for request in server.asked if request.url.host == "small.example")
    assert small == {"TH": 3, "PK": 3}


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


def test_address_is_not_read_anew_each_time_that_a_turn_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [task(f"{n}", target="https://turns.example", order=n) for n in range(60)]
    read, url = [], httpx.URL
    monkeypatch.setattr(httpx, "URL", lambda *args, **more: read.append(args) or url(*args, **more))
    ask(lambda request: page("1"), *tasks)
    assert len(read) <= 2 * len(tasks), "a few thousand waiting queries would each be read a few thousand times"


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


def test_search_that_is_gone_is_an_error_and_no_quiet_day() -> None:
    assert reasons(ask(lambda request: httpx.Response(404), task(endpoint="search"))) == {"wages": GapReason.ERROR}


def test_unknown_hashtag_is_an_answer_with_a_reason() -> None:
    notes, asking = Notes(), task(endpoint="tags")
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
    assert notes.spent == [100, 100, 100, -100], "what was never sent costs no units"


def test_quota_of_units_closes_what_is_dear_and_leaves_what_is_cheap() -> None:
    server, notes = Server(lambda request: page("1")), Notes(n_units=150)
    asked = ask(server, task("a"), task("b", order=1), task("c", "tags", order=2), notes=notes)
    assert server.words == ["a", "c"]
    assert reasons(asked) == {"b": GapReason.BUDGET}
    assert notes.spent == [100, 1], "what was never spent is not given back"


def test_host_that_is_left_alone_is_a_pause_and_no_error_of_the_rest() -> None:
    server, notes = Server(lambda request: httpx.Response(503)), Notes(n_units=10_000)
    asked = ask(server, *(task(f"{n}", order=n) for n in range(9)), breaker_failures=2, notes=notes)
    assert len(server.asked) == 2
    assert list(reasons(asked).values()) == [GapReason.ERROR] * 2 + [GapReason.PAUSED] * 7
    assert notes.spent == [100, 100, 100, -100], "what was never sent costs no units, what failed does"
    assert not any(outcome.is_terminal for outcome in list(asked.outcomes.values())[:2])


def test_units_are_given_back_at_every_target_that_was_not_asked() -> None:
    server, notes = Server(lambda request: page("1")), Notes(n_units=10_000)
    ask(server, *(task(target=f"https://h{n}.example") for n in range(10)), max_requests=2, notes=notes)
    assert (len(server.asked), notes.n_units) == (2, 10_000 - 2 * 100)


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


def test_door_that_was_closed_before_is_not_knocked_at() -> None:
    server = Server(lambda request: page("1"))
    with client(server) as polite:
        asking = Asking(polite, Notes(), [plan()], concurrency=1, max_unreadable=1)
        asking.close(("forum", SITE, "search"), GapReason.REFUSED, "closed")
        asked = asking.run([task(), task("tag", "tags")])
    assert (server.words, reasons(asked)) == (["tag"], {"wages": GapReason.REFUSED})


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

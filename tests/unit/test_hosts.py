"""How the HTTP client treats a host: pace, waits that it asks for, the breaker, and threads that share it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
import stamina
from polite import NOW, URL, Clock, answers, client, get, moved
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from screener.errors import (
    BudgetSpentError,
    PausedError,
    TerminalSourceError,
    TransientSourceError,
)
from screener.records import GapReason


@pytest.fixture(autouse=True)
def no_backoff() -> Iterator[None]:
    """Only what servers ask for and the pace of the source is waited for."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield


def test_requests_to_one_host_are_spaced_and_others_do_not_wait() -> None:
    clock = Clock()
    asking = client(lambda request: httpx.Response(200), clock)
    get(asking, seconds_between_requests=1.0)
    assert clock.slept == []
    clock.time += 0.25
    get(asking, seconds_between_requests=1.0)
    assert clock.slept == [pytest.approx(0.75)]
    get(asking, "https://other.example/", seconds_between_requests=1.0)
    clock.time += 5
    get(asking, seconds_between_requests=1.0)
    assert len(clock.slept) == 1


def test_each_source_has_its_own_pace() -> None:
    clock = Clock()
    asking = client(lambda request: httpx.Response(200), clock)
    get(asking, source="a", seconds_between_requests=1.0)
    get(asking, source="b", seconds_between_requests=5.0)
    get(asking, source="a", seconds_between_requests=1.0)
    assert clock.slept == [5.0, 1.0]


def test_retries_and_redirects_are_spaced_too() -> None:
    clock = Clock()
    asking = client(answers(httpx.Response(503), moved("/new"), httpx.Response(200)), clock)
    get(asking, seconds_between_requests=1.0)
    assert clock.slept == [1.0, 1.0]


def test_back_off_doubles_with_jitter_where_the_server_says_nothing() -> None:
    """GoToSocial's 429 has no Retry-After."""
    clock = Clock()
    asking = client(lambda request: httpx.Response(429), clock, max_attempts=5)
    with stamina.set_testing(False), pytest.raises(TransientSourceError, match="HTTP 429"):
        get(asking)
    assert [low <= waited <= 2 * low for low, waited in zip([1, 2, 4, 8], clock.slept, strict=True)] == [True] * 4
    other = Clock()
    with stamina.set_testing(False), pytest.raises(TransientSourceError):
        get(client(lambda request: httpx.Response(429), other, max_attempts=5))
    assert other.slept != clock.slept


def test_back_off_is_never_longer_than_a_run_may_wait() -> None:
    clock = Clock()
    asking = client(lambda request: httpx.Response(503), clock, max_attempts=6, max_wait_seconds=3.0)
    with stamina.set_testing(False), pytest.raises(TransientSourceError, match="HTTP 503"):
        get(asking)
    assert max(clock.slept) == pytest.approx(3.0)


RESET = NOW + timedelta(seconds=40)
ASKING_40_SECONDS = [
    httpx.Response(429, headers={"Retry-After": "40"}),
    httpx.Response(503, headers={"Retry-After": "40"}),
    httpx.Response(429, headers={"Retry-After": RESET.strftime("%a, %d %b %Y %H:%M:%S GMT")}),
    httpx.Response(429, headers={"X-RateLimit-Reset": RESET.isoformat(), "X-RateLimit-Remaining": "0"}),
    httpx.Response(429, headers={"RateLimit-Reset": str(int(RESET.timestamp())), "RateLimit-Remaining": "0"}),
    httpx.Response(429, headers={"x-ratelimit-reset": "40", "x-ratelimit-remaining": "0.0"}),
    httpx.Response(429, headers={"RateLimit": '"default";r=0;t=40'}),
    httpx.Response(429, json={"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 40_000}),
]


@pytest.mark.parametrize("refusal", ASKING_40_SECONDS)
def test_wait_is_as_long_as_the_server_asks(refusal: httpx.Response) -> None:
    clock = Clock()
    assert get(client(answers(refusal, httpx.Response(200)), clock)).status_code == 200
    assert clock.slept == [pytest.approx(40)]


def test_server_that_asks_for_too_long_a_wait_spends_the_budget_at_once() -> None:
    clock = Clock()
    asking = client(lambda request: httpx.Response(429, headers={"Retry-After": "301"}), clock)
    for url in (URL, "https://union.example/other"):  # the second isn't even sent
        with pytest.raises(BudgetSpentError, match=r"union\.example: asks to wait 301 s.*collect\.max_wait_seconds"):
            get(asking, url)
    assert (clock.slept, asking.n_requests) == ([], {"feeds": 1})
    assert not asking.is_open("union.example")
    clock.time += 10
    with pytest.raises(BudgetSpentError, match="asks to wait 301 s"):
        get(asking)


def test_server_that_asks_for_too_long_a_wait_has_not_failed() -> None:
    asking = client(
        lambda request: httpx.Response(503, headers={"Retry-After": "301"}), max_attempts=1, breaker_failures=1
    )
    with pytest.raises(BudgetSpentError):
        get(asking)
    assert not asking.is_open("union.example")


def test_longest_wait_that_is_allowed_is_waited_for() -> None:
    clock = Clock()
    clock.time = 8000.81  # 300 s later and earlier again is not quite the same time
    refusal = httpx.Response(429, headers={"Retry-After": "300"})
    assert get(client(answers(refusal, httpx.Response(200)), clock)).status_code == 200
    assert clock.slept == [pytest.approx(300)]


@pytest.mark.parametrize("status", [200, 304, 404])
def test_spent_limit_is_waited_for_before_the_next_request(status: int) -> None:
    clock = Clock()
    limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "40"}
    asking = client(answers(httpx.Response(status, headers=limit), httpx.Response(200), httpx.Response(200)), clock)
    get(asking)
    assert clock.slept == []
    get(asking, "https://other.example/")
    assert clock.slept == []
    get(asking)
    assert clock.slept == [40]


@pytest.mark.parametrize("limit", [{"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "40"}, {"X-RateLimit-Remaining": "0"}, {"Retry-After": "40"}])  # fmt: skip
def test_good_answer_with_requests_left_makes_nobody_wait(limit: dict[str, str]) -> None:
    clock = Clock()
    asking = client(lambda request: httpx.Response(200, headers=limit), clock)
    get(asking)
    get(asking)
    assert clock.slept == []


def test_absurd_reset_is_not_waited_for() -> None:
    clock = Clock()
    limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2199-01-01T00:00:00Z"}
    asking = client(lambda request: httpx.Response(200, headers=limit), clock)
    assert get(asking).status_code == 200
    with pytest.raises(BudgetSpentError, match="asks to wait"):
        get(asking)
    assert clock.slept == []


def test_host_that_keeps_failing_is_left_alone_for_a_while() -> None:
    clock = Clock()
    failing = True
    asking = client(lambda request: httpx.Response(503 if failing else 200), clock)
    for n in range(3):
        assert not asking.is_open("union.example"), n
        with pytest.raises(TransientSourceError):
            get(asking)
    assert asking.is_open("union.example")
    assert asking.is_open("Union.Example")
    assert not asking.is_open("other.example")
    with pytest.raises(PausedError, match=r"union\.example: .* another 60 s \(collect\.breaker_seconds\)") as caught:
        get(asking)
    assert caught.value.gap is GapReason.PAUSED
    clock.time += 30
    with pytest.raises(PausedError, match="another 30 s"):
        get(asking)
    assert asking.n_requests == {"feeds": 9}
    clock.time += 30
    failing = False
    assert get(asking).status_code == 200
    failing = True
    with pytest.raises(TransientSourceError, match="503"):
        get(asking)
    assert not asking.is_open("union.example"), "a good answer has wiped out what went before"


def test_paused_host_is_not_tried_again() -> None:
    asking = client(lambda request: httpx.Response(503), max_attempts=2, breaker_failures=1)
    with pytest.raises(TransientSourceError, match="503"):
        get(asking)
    retries: list[RetryDetails] = []
    set_on_retry_hooks([retries.append])
    try:
        with pytest.raises(PausedError):
            get(asking)
    finally:
        set_on_retry_hooks(None)
    assert retries == []


def test_after_the_pause_one_more_failure_is_enough() -> None:
    clock = Clock()
    asking = client(lambda request: httpx.Response(503), clock)
    for _ in range(3):
        with pytest.raises(TransientSourceError, match="503"):
            get(asking)
    clock.time += 60
    with pytest.raises(TransientSourceError, match="503"):
        get(asking)
    assert asking.is_open("union.example")


def test_refusals_and_other_errors_of_ours_are_no_failures_of_the_host() -> None:
    asking = client(lambda request: httpx.Response(404))
    for _ in range(5):
        assert get(asking).status_code == 404
    asking = client(lambda request: moved("https://elsewhere.example/"))
    for _ in range(5):
        with pytest.raises(TerminalSourceError):
            get(asking)
    assert not asking.is_open("union.example")


def test_one_host_is_never_asked_twice_at_once() -> None:
    in_flight, most = [0], [0]

    def handle(request: httpx.Request) -> httpx.Response:
        in_flight[0] += 1
        most[0] = max(most[0], in_flight[0])
        time.sleep(0.002)
        in_flight[0] -= 1
        return httpx.Response(200)

    asking = client(handle)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: get(asking, f"{URL}?page={n}", source=f"source-{n % 3}"), range(12)))
    assert most == [1]
    assert sum(asking.n_requests.values()) == 12


def test_different_hosts_are_asked_at_the_same_time() -> None:
    both = threading.Barrier(2)

    def handle(request: httpx.Request) -> httpx.Response:
        both.wait(timeout=5)  # passes only if the other request is in flight, too
        return httpx.Response(200)

    asking = client(handle)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda host: get(asking, f"https://{host}.example/"), ("union", "ngo")))
    assert [response.status_code for response in found] == [200, 200]


def test_wait_that_one_request_was_asked_for_holds_for_the_threads_beside_it() -> None:
    clock, sent = Clock(), []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(clock.time)
        time.sleep(0.01)  # all threads queue up meanwhile
        return httpx.Response(429, headers={"Retry-After": "40"}) if len(sent) == 1 else httpx.Response(200)

    asking = client(handle, clock)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: get(asking, f"{URL}?page={n}"), range(4)))
    assert sent == [100.0] + [140.0] * 4


def test_threads_that_queue_at_a_host_are_let_go_when_it_is_given_up() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        time.sleep(0.005)
        return httpx.Response(503)

    asking = client(handle, max_attempts=1)

    def work(n: int) -> type[Exception]:
        try:
            get(asking, f"{URL}?page={n}")
        except TransientSourceError as error:
            return type(error)
        raise AssertionError

    with ThreadPoolExecutor(6) as pool:
        kinds = list(pool.map(work, range(6)))
    assert sorted(kind.__name__ for kind in kinds) == ["PausedError"] * 3 + ["TransientSourceError"] * 3
    assert asking.n_requests == {"feeds": 3}

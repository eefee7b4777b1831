"""The HTTP client: what it tries again, what it gives up on, how large, how often and how fast it asks."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator

import httpx
import pytest
import stamina

from screener.collect.http import PoliteClient
from screener.errors import TerminalSourceError, TransientSourceError
from screener.settings import Settings

URL = "https://union.example/feed.xml"
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def no_waiting_between_attempts() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def client(settings: Settings) -> Callable[..., PoliteClient]:
    def make(handler: Handler, clock: Clock | None = None, **values: object) -> PoliteClient:
        clock = clock or Clock()
        collect = settings.runtime.collect.model_copy(update=values)
        return PoliteClient(collect, transport=httpx.MockTransport(handler), sleep=clock.sleep, clock=clock)

    return make


Make = Callable[..., PoliteClient]


def answers(*responses: httpx.Response | Exception) -> Handler:
    remaining = iter(responses)

    def handle(request: httpx.Request) -> httpx.Response:
        response = next(remaining)
        if isinstance(response, Exception):
            raise response
        return response

    return handle


def get(client: PoliteClient, url: str = URL) -> httpx.Response:
    with client:
        return client.send(httpx.Request("GET", url, headers={"If-None-Match": '"1"'}))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_transient_status_is_tried_again(client: Make, status: int) -> None:
    asking = client(answers(httpx.Response(status), httpx.Response(200, content=b"feed", headers={"ETag": '"2"'})))
    response = get(asking)
    assert (response.status_code, response.content, response.headers["etag"]) == (200, b"feed", '"2"')
    assert asking.n_requests == 2


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("garbled")]
)
def test_broken_connection_is_tried_again(client: Make, error: Exception) -> None:
    assert get(client(answers(error, httpx.Response(200)))).status_code == 200


def test_transient_failure_is_raised_after_the_last_try(client: Make) -> None:
    asking = client(lambda request: httpx.Response(503))
    with pytest.raises(TransientSourceError, match=rf"{URL}: HTTP 503"):
        get(asking)
    assert asking.n_requests == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 501])
def test_terminal_status_is_not_tried_again(client: Make, status: int) -> None:
    asking = client(lambda request: httpx.Response(status))
    with pytest.raises(TerminalSourceError, match=f"HTTP {status}"):
        get(asking)
    assert asking.n_requests == 1


def test_body_over_the_limit_is_refused(client: Make) -> None:
    asking = client(lambda request: httpx.Response(200, content=b"x" * 1001), max_page_bytes=1000)
    with pytest.raises(TerminalSourceError, match=r"larger than 1000 bytes \(collect\.max_page_bytes\)"):
        get(asking)
    assert get(client(lambda request: httpx.Response(200, content=b"x" * 1000), max_page_bytes=1000)).status_code == 200


def test_limit_counts_the_unpacked_body(client: Make) -> None:
    bomb = httpx.Response(200, content=gzip.compress(b"x" * 1_000_000), headers={"Content-Encoding": "gzip"})
    with pytest.raises(TerminalSourceError, match="larger than"):
        get(client(answers(bomb), max_page_bytes=10_000))


def test_packed_body_is_unpacked_and_its_headers_no_longer_say_packed(client: Make) -> None:
    packed = httpx.Response(200, content=gzip.compress(b"feed"), headers={"Content-Encoding": "gzip"})
    response = get(client(answers(packed)))
    assert response.content == b"feed"
    assert "content-encoding" not in response.headers


def test_body_that_is_not_packed_as_it_says_is_terminal(client: Make) -> None:
    broken = httpx.Response(200, stream=httpx.ByteStream(b"not gzip"), headers={"Content-Encoding": "gzip"})
    with pytest.raises(TerminalSourceError, match="DecodingError"):
        get(client(answers(broken)))


def test_redirects_are_followed_but_not_for_ever(client: Make) -> None:
    moved = httpx.Response(301, headers={"Location": "https://union.example/new.xml"})
    assert get(client(answers(moved, httpx.Response(200, content=b"new")))).content == b"new"
    with pytest.raises(TerminalSourceError, match="TooManyRedirects"):
        get(client(lambda request: httpx.Response(301, headers={"Location": URL})))


@pytest.mark.parametrize("place", ["ftp://union.example/feed.xml", "https://[::1"])
def test_redirect_to_an_impossible_address_is_an_error_of_the_source(client: Make, place: str) -> None:
    with pytest.raises((TerminalSourceError, TransientSourceError)):
        get(client(lambda request: httpx.Response(301, headers={"Location": place})))


def test_not_modified_is_an_answer(client: Make) -> None:
    assert get(client(answers(httpx.Response(304)))).status_code == 304


def test_budget_of_requests_is_kept(client: Make) -> None:
    asking = client(lambda request: httpx.Response(200), max_requests_per_run=2)
    with asking:
        for _ in range(2):
            asking.send(httpx.Request("GET", URL))
        with pytest.raises(
            TerminalSourceError, match=r"budget of 2 requests per run is spent \(collect\.max_requests_per_run\)"
        ):
            asking.send(httpx.Request("GET", URL))
    assert asking.n_requests == 2


def test_requests_to_one_host_are_spaced_and_others_do_not_wait(client: Make) -> None:
    clock = Clock()
    asking = client(lambda request: httpx.Response(200), clock, seconds_between_requests=1.0)
    with asking:
        asking.send(httpx.Request("GET", URL))
        assert clock.slept == []
        clock.now += 0.25
        asking.send(httpx.Request("GET", URL))
        assert clock.slept == [pytest.approx(0.75)]
        asking.send(httpx.Request("GET", "https://other.example/"))
        clock.now += 5
        asking.send(httpx.Request("GET", URL))
    assert len(clock.slept) == 1


def test_retries_are_spaced_too(client: Make) -> None:
    clock = Clock()
    get(client(answers(httpx.Response(503), httpx.Response(200)), clock, seconds_between_requests=1.0))
    assert clock.slept == [1.0]


def test_request_says_who_asks_and_keeps_its_headers(client: Make, settings: Settings) -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    get(client(handle))
    assert seen[0].headers["user-agent"] == settings.runtime.collect.user_agent
    assert seen[0].headers["if-none-match"] == '"1"'

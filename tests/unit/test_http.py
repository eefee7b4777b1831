"""The HTTP client: what it tries again, what counts as an answer, how large and how often, and where it follows."""

from __future__ import annotations

import contextlib
import gzip
import re
from collections.abc import Iterator

import httpx
import pytest
from polite import SETTINGS, URL, access, answers, client, get, moved

from screener.errors import (
    BudgetSpentError,
    SourceError,
    TerminalSourceError,
    TransientSourceError,
)
from screener.records import GapReason


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 599])
def test_transient_status_is_tried_again(status: int) -> None:
    asking = client(answers(httpx.Response(status), httpx.Response(200, content=b"feed", headers={"ETag": '"2"'})))
    response = get(asking)
    assert (response.status_code, response.content, response.headers["etag"]) == (200, b"feed", '"2"')
    assert asking.n_requests == {"feeds": 2}


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("garbled")]
)
def test_broken_connection_is_tried_again(error: Exception) -> None:
    assert get(client(answers(error, httpx.Response(200)))).status_code == 200


def test_sign_in_and_other_posts_are_tried_again_with_their_body() -> None:
    bodies: list[bytes] = []

    def handle(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(200 if len(bodies) == 2 else 503)

    client(handle).send(httpx.Request("POST", URL, json={"a": 1}), access())
    assert bodies == [b'{"a":1}'] * 2


def test_transient_failure_is_raised_after_the_last_try() -> None:
    asking = client(lambda request: httpx.Response(503, headers={"Retry-After": "7"}))
    with pytest.raises(TransientSourceError, match=rf"{URL}: HTTP 503") as caught:
        get(asking)
    assert asking.n_requests == {"feeds": 3}
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("status", [304, 400, 401, 403, 404, 410, 451])
def test_refusal_is_an_answer_and_not_tried_again(status: int) -> None:
    asking = client(lambda request: httpx.Response(status, json={"message": "no"}))
    response = get(asking)
    assert (response.status_code, response.json(), str(response.request.url)) == (status, {"message": "no"}, URL)
    assert asking.n_requests == {"feeds": 1}


@pytest.mark.parametrize("status", [300, 305, 600, 999])
def test_status_that_means_nothing_here_is_terminal(status: int) -> None:
    with pytest.raises(TerminalSourceError, match=f"HTTP {status}"):
        get(client(lambda request: httpx.Response(status)))


def test_request_says_who_asks_and_keeps_its_headers() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    get(client(handle))
    assert seen[0].headers["user-agent"] == SETTINGS.user_agent
    assert seen[0].headers["if-none-match"] == '"1"'
    assert seen[0].headers["accept-encoding"] == "gzip, deflate"


def test_cookies_are_neither_sent_back_nor_passed_on() -> None:
    seen: list[str | None] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"Set-Cookie": "visitor=1; Path=/"})

    asking = client(handle)
    assert ["set-cookie" in get(asking).headers for _ in range(2)] == [False, False]
    assert seen == [None, None]


def test_body_over_the_limit_is_refused() -> None:
    asking = client(lambda request: httpx.Response(200, content=b"x" * 1001), max_page_bytes=1000)
    with pytest.raises(TerminalSourceError, match=r"larger than 1000 bytes \(collect\.max_page_bytes\)"):
        get(asking)
    assert get(client(lambda request: httpx.Response(200, content=b"x" * 1000), max_page_bytes=1000)).status_code == 200


def test_limit_counts_the_unpacked_body() -> None:
    bomb = httpx.Response(200, content=gzip.compress(b"x" * 1_000_000), headers={"Content-Encoding": "gzip"})
    with pytest.raises(TerminalSourceError, match="larger than"):
        get(client(answers(bomb), max_page_bytes=10_000))


def test_packed_body_is_unpacked_and_its_headers_no_longer_say_packed() -> None:
    packed = httpx.Response(200, content=gzip.compress(b"feed"), headers={"Content-Encoding": "gzip"})
    response = get(client(answers(packed)))
    assert response.content == b"feed"
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize("packing", ["zstd", "br", "gzip, gzip", "gzip,gzip,gzip", "x" * 500])
def test_packing_that_was_not_asked_for_is_not_opened(packing: str) -> None:
    """A few kilobytes of zstd, or of gzip in gzip, unpack to gigabytes before anybody can count them."""
    sent = httpx.Response(200, stream=httpx.ByteStream(b"never read"), headers={"Content-Encoding": packing})
    with pytest.raises(TerminalSourceError, match="not asked for") as caught:
        get(client(answers(sent)))
    assert len(str(caught.value)) < 200


def test_body_that_is_not_packed_as_it_says_is_terminal() -> None:
    broken = httpx.Response(200, stream=httpx.ByteStream(b"not gzip"), headers={"Content-Encoding": "gzip"})
    with pytest.raises(TerminalSourceError, match="DecodingError"):
        get(client(answers(broken)))


@pytest.mark.parametrize(
    "refusal",
    [
        httpx.Response(429, content=b"x" * 1_000_000),
        httpx.Response(429, stream=httpx.ByteStream(b"not gzip"), headers={"Content-Encoding": "gzip"}),
        httpx.Response(429, html="<html>PieFed answers so on its JSON API</html>"),
    ],
    ids=["endless", "garbled", "html"],
)
def test_refusal_stands_whatever_its_body_is(refusal: httpx.Response) -> None:
    asking = client(answers(refusal, httpx.Response(200)), max_page_bytes=1000)
    assert get(asking).status_code == 200
    assert asking.n_requests == {"feeds": 2}


def test_body_of_a_refusal_is_read_for_a_start_only() -> None:
    sent: list[int] = []

    def flood() -> Iterator[bytes]:
        for n in range(100):
            sent.append(n)
            yield b"x" * 65536

    class Flood(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return flood()

    asking = client(answers(httpx.Response(429, stream=Flood()), httpx.Response(200)))
    assert get(asking).status_code == 200
    assert len(sent) <= 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["https://union.example/new.xml", "/new.xml", "//union.example/new.xml", "new.xml"])
def test_redirect_on_the_same_host_is_followed(status: int, place: str) -> None:
    asking = client(answers(moved(place, status), httpx.Response(200, content=b"new")))
    response = get(asking)
    assert (response.content, str(response.request.url)) == (b"new", "https://union.example/new.xml")
    assert response.request.headers["if-none-match"] == '"1"'
    assert asking.n_requests == {"feeds": 2}


def test_redirect_to_https_is_followed() -> None:
    asking = client(answers(moved(URL), httpx.Response(200, content=b"new")))
    assert str(get(asking, "http://union.example/feed.xml").request.url) == URL


def test_redirect_to_https_of_a_private_host_may_change_the_port_to_the_usual_one_only() -> None:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.url} {request.headers['host']}")
        return moved("https://forum.intern/") if request.url.scheme == "http" else httpx.Response(200)

    get(client(handle, private_hosts=("forum.intern",)), "http://forum.intern:8080/")
    assert seen == ["http://forum.intern:8080/ forum.intern:8080", "https://forum.intern/ forum.intern"]
    asking = client(lambda request: moved("https://forum.intern:9443/"), private_hosts=("forum.intern",))
    with pytest.raises(TerminalSourceError, match=r"moved to https://forum\.intern:9443"):
        get(asking, "http://forum.intern:8080/")


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("https://www.union.example/feed.xml?session=planted", "https://www.union.example"),
        ("https://evil.example/", "https://evil.example"),
        ("http://union.example/feed.xml", "http://union.example"),
        ("https://union.example:8443/feed.xml", "https://union.example:8443"),
        ("http://169.254.169.254/latest/meta-data/", "http://169.254.169.254"),
        ("ftp://union.example/feed.xml", "ftp://union.example"),
        ("https://union.example.evil.example/", "https://union.example.evil.example"),
    ],
)
def test_redirect_elsewhere_names_the_place_and_is_not_followed(place: str, named: str) -> None:
    asking = client(lambda request: moved(place))
    with pytest.raises(TerminalSourceError, match=f"union.example: HTTP 301, moved to {re.escape(named)};") as caught:
        get(asking, f"{URL}?q=wages")
    assert "?" not in str(caught.value)
    assert "planted" not in str(caught.value)
    assert asking.n_requests == {"feeds": 1}


def test_redirect_with_a_user_name_is_not_followed() -> None:
    with pytest.raises(TerminalSourceError, match="user name or password") as caught:
        get(client(lambda request: moved("https://mira:planted@union.example/")))
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("place", ["https://[::1", None])
def test_redirect_to_an_impossible_place_is_an_error_of_the_source(place: str | None) -> None:
    with pytest.raises(SourceError):
        get(client(lambda request: moved(place)))


def test_redirects_are_not_followed_for_ever() -> None:
    asking = client(lambda request: moved(URL))
    with pytest.raises(TerminalSourceError, match="more than 5 redirects"):
        get(asking)
    assert asking.n_requests == {"feeds": 6}


def test_redirect_of_a_post_is_not_followed() -> None:
    asking = client(lambda request: moved("/new", 307))
    with pytest.raises(TerminalSourceError, match="a redirect that can't be followed"):
        asking.send(httpx.Request("POST", URL, json={"password": "planted"}), access())
    assert asking.n_requests == {"feeds": 1}


@pytest.mark.parametrize("status", [200, 503])
def test_budget_of_the_source_is_kept_retries_included(status: int) -> None:
    asking = client(lambda request: httpx.Response(status), max_attempts=2, breaker_failures=9)
    for _ in range(4 // 2 if status == 503 else 4):
        with contextlib.suppress(TransientSourceError):
            get(asking, max_requests=4)
    told = r"feeds: its budget of 4 requests per run is spent \(limits\.max_requests_per_run\)"
    with pytest.raises(BudgetSpentError, match=told) as caught:
        get(asking, "https://other.example/", max_requests=4)
    assert asking.n_requests == {"feeds": 4}
    assert caught.value.gap is GapReason.BUDGET
    assert get(client(lambda request: httpx.Response(200)), source="other", max_requests=4).status_code == 200


def test_budget_of_all_sources_is_kept() -> None:
    asking = client(lambda request: httpx.Response(200), max_requests_per_run=2)
    get(asking, source="a")
    get(asking, source="b")
    with pytest.raises(
        BudgetSpentError, match=r"budget of 2 requests per run is spent \(collect\.max_requests_per_run\)"
    ):
        get(asking, source="c")
    assert asking.n_requests == {"a": 1, "b": 1}

"""The HTTP client on real connections: cut, reset, dripping, endless and misdirected answers of a server on this machine."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable

import httpx
import pytest
from polite import get, local, say, server

from screener.errors import TerminalSourceError, TransientSourceError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def reset(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_real_answer_is_read() -> None:
    with server(say(OK)) as url:
        assert get(local(), url).content == b"ok"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), "RemoteProtocolError: .*without sending complete"),
        (say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf"), "RemoteProtocolError: .*incomplete"),
        (say(b"HTTP/1.1 200 OK\r\nContent-Le"), "RemoteProtocolError"),
        (say(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "RemoteProtocolError: illegal"),
        (say(), "RemoteProtocolError: Server disconnected"),
        (reset, "ReadError"),
    ],
    ids=["cut body", "cut chunk", "cut headers", "no HTTP", "silence", "reset"],
)
def test_broken_answer_is_transient(answer: Callable[[socket.socket, bytes], None], problem: str) -> None:
    asking = local()
    with server(answer) as url, pytest.raises(TransientSourceError, match=problem):
        get(asking, url)
    assert asking.n_requests == {"feeds": 2}


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"x"] * 100],
        [b"HTTP/1.1 200 OK\r\n", *[b"X-Drip: x\r\n"] * 100],
    ],
    ids=["body", "headers"],
)
def test_answer_that_drips_in_ends_with_the_time_cap(parts: list[bytes]) -> None:
    """Each byte comes well within the time-out of a read; only the sum is too long."""
    asking = local(max_seconds_per_request=0.1, timeout_seconds=1.0, max_attempts=1)
    started = time.monotonic()
    with server(say(*parts, pause=0.02)) as url, pytest.raises(TransientSourceError, match="ReadTimeout"):
        get(asking, url)
    assert time.monotonic() - started < 3


def test_silent_server_ends_with_the_time_out() -> None:
    def wait(connection: socket.socket, request: bytes) -> None:
        connection.recv(1)

    with server(wait) as url, pytest.raises(TransientSourceError, match="ReadTimeout"):
        get(local(timeout_seconds=0.05, max_attempts=1), url)


def test_body_without_an_end_is_cut_off_at_the_limit() -> None:
    def flood(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with server(flood) as url, pytest.raises(TerminalSourceError, match="larger than 100000 bytes"):
        get(local(max_page_bytes=100_000), url)


def test_nobody_there_is_transient() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransientSourceError, match="ConnectError"):
        get(local(max_attempts=1), f"http://127.0.0.1:{port}/")


def test_own_machine_is_not_asked_unless_it_is_named() -> None:
    asked: list[bytes] = []
    with server(lambda connection, request: asked.append(request)) as url:
        port = httpx.URL(url).port
        for inward in (url, f"http://localhost:{port}/", "http://127.1/"):
            with pytest.raises(TerminalSourceError):
                get(local(private_hosts=()), inward)
    assert asked == []


def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    with server(lambda connection, request: asked.append(request)) as proxy, server(say(OK)) as url:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert get(local(), url).content == b"ok"
    assert asked == []

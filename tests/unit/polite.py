"""What the tests of the HTTP client share: clients with a clock of their own, and a server on this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from screener.collect.access import Access
from screener.collect.http import PoliteClient
from screener.settings.schemas import CollectSettings

URL = "https://union.example/feed.xml"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_CONFIG = Path(__file__).resolve().parents[2] / "config" / "screener.toml"
SETTINGS = CollectSettings(**tomllib.loads(_CONFIG.read_text(encoding="utf-8"))["collect"]).model_copy(
    update={"max_attempts": 3, "max_wait_seconds": 300.0, "breaker_failures": 3, "breaker_seconds": 60.0}
)
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.time, self.slept = 100.0, []

    def __call__(self) -> float:
        return self.time

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.time - 100.0)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def client(handler: Handler | None, clock: Clock | None = None, **values: object) -> PoliteClient:
    """A client that answers from the handler; without one it really connects, and is to be closed."""
    clock = clock or Clock()
    transport = httpx.MockTransport(handler) if handler else None
    collect = SETTINGS.model_copy(update=values)
    return PoliteClient(collect, transport=transport, sleep=clock.sleep, clock=clock, now=clock.now)


def local(**values: object) -> PoliteClient:
    """A client that may ask this machine."""
    return client(None, **{"private_hosts": ("127.0.0.1",), "max_attempts": 2, **values})


def access(target: str = URL, **values: object) -> Access:
    """The way to a source without limits that matter."""
    filled = {"source": "feeds", "seconds_between_requests": 0.0, "max_requests": 100, **values}
    return Access(target=target, **filled)  # type: ignore[arg-type]


def answers(*responses: httpx.Response | Exception) -> Handler:
    """A server that gives these answers one after the other."""
    remaining = iter(responses)

    def handle(request: httpx.Request) -> httpx.Response:
        response = next(remaining)
        if isinstance(response, Exception):
            raise response
        return response

    return handle


def moved(place: str | None, status: int = 301) -> httpx.Response:
    """A redirect."""
    return httpx.Response(status, headers={"Location": place} if place else {})


def get(client: PoliteClient, url: str = URL, **values: object) -> httpx.Response:
    """Ask once, with a header of a conditional request."""
    return client.send(httpx.Request("GET", url, headers={"If-None-Match": '"1"'}), access(url, **values))


@contextlib.contextmanager
def server(answer: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """Address of a server that reads a request and leaves the connection to ``answer``, once per connection."""
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                connection.settimeout(2)
                with connection, contextlib.suppress(OSError):
                    answer(connection, connection.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.02)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/feed"
        finally:
            stop.set()
            thread.join(timeout=5)


def say(*parts: bytes, pause: float = 0.0) -> Callable[[socket.socket, bytes], None]:
    def answer(connection: socket.socket, request: bytes) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)

    return answer

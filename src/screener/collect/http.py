"""The one HTTP client of collect: polite, bounded, retrying what may pass and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

import httpx
import stamina

from screener.errors import TerminalSourceError, TransientSourceError
from screener.settings.schemas import CollectSettings

_RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass
class PoliteClient:
    """Spaces requests per host, retries transient failures with back-off and jitter, caps the body's size.

    ``transport`` lets tests answer without a network; ``sleep`` and ``clock`` are arguments for the same reason.
    """

    settings: CollectSettings
    transport: httpx.BaseTransport | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    n_requests: int = 0
    _last: dict[str, float] = field(default_factory=dict)
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Open the connection pool."""
        self._client = httpx.Client(
            headers={"User-Agent": self.settings.user_agent},
            timeout=self.settings.timeout_seconds,
            follow_redirects=True,
            transport=self.transport,
        )

    def __enter__(self) -> PoliteClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, request: httpx.Request) -> httpx.Response:
        """The answer with its body read; raises ``TransientSourceError`` after the last try, ``TerminalSourceError`` at once."""
        for attempt in stamina.retry_context(
            on=TransientSourceError, attempts=self.settings.max_attempts, wait_initial=1.0, wait_max=30.0
        ):
            with attempt:
                return self._send_once(request)
        raise AssertionError("unreachable: retry_context returns or raises")

    def _send_once(self, request: httpx.Request) -> httpx.Response:
        if self.n_requests >= self.settings.max_requests_per_run:
            raise TerminalSourceError(
                f"budget of {self.settings.max_requests_per_run} requests per run is spent (collect.max_requests_per_run)"
            )
        self._wait_for(request.url.host)
        self.n_requests += 1
        request.headers.setdefault("User-Agent", self.settings.user_agent)
        try:
            with self._client.stream(request.method, request.url, headers=request.headers) as response:
                self._check(response)
                content = self._read(response)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.DecodingError, httpx.TooManyRedirects) as error:
            raise TerminalSourceError(f"{request.url}: {type(error).__name__}: {error}") from error
        except httpx.TransportError as error:
            raise TransientSourceError(f"{request.url}: {type(error).__name__}: {error}") from error
        return httpx.Response(response.status_code, headers=_plain(response.headers), content=content, request=request)

    def _wait_for(self, host: str) -> None:
        due = self._last.get(host, float("-inf")) + self.settings.seconds_between_requests
        if (rest := due - self.clock()) > 0:
            self.sleep(rest)
        self._last[host] = self.clock()

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in _RETRY_STATUS:
            raise TransientSourceError(f"{response.url}: HTTP {status}")
        if status >= 400:
            raise TerminalSourceError(f"{response.url}: HTTP {status}")

    def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self.settings.max_page_bytes:
                raise TerminalSourceError(
                    f"{response.url}: body is larger than {self.settings.max_page_bytes} bytes (collect.max_page_bytes)"
                )
        return bytes(body)


def _plain(headers: httpx.Headers) -> httpx.Headers:
    """Headers without those that describe the wire form: the body is already decoded."""
    return httpx.Headers(
        [
            (k, v)
            for k, v in headers.items()
            if k.lower() not in {"content-encoding", "content-length", "transfer-encoding"}
        ]
    )

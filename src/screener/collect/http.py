"""The one HTTP client of collect: polite, bounded, retrying what may pass and nothing else.

What it promises, whatever a source does:

* A host gets one request at a time, at the source's pace, and none while it asks for a rest (:mod:`.limits`, :mod:`.hosts`).
* A request ends: retries, waits, redirects, seconds, bytes and requests per run all have a limit.
* Only public addresses are asked (:mod:`.guard`), and a redirect never leads to another host.
* Credentials go to the target's own origin and nowhere else (:mod:`.access`).

Sleeping goes through ``sleep`` alone. stamina counts the attempts and reckons the back-off; the waiting itself is the host's,
because other threads must wait for it as well.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType

import httpx
import stamina

from screener.collect.access import Access, Credential, Sessions, is_stale, shown, strike_out
from screener.collect.answers import ACCEPT_ENCODING, REDIRECT, read_body, redirected
from screener.collect.guard import GuardedTransport, check_url, time_cap
from screener.collect.hosts import Host
from screener.collect.limits import read_limits
from screener.errors import BudgetSpentError, PausedError, TerminalSourceError, TransientSourceError
from screener.settings.schemas import CollectSettings

_MAX_REDIRECTS = 5
_LAST_BACKOFF = 30.0
"""Seconds that the wait before a retry doubles up to; a random share of as much again is added."""
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding", "set-cookie"})


class PoliteClient:
    """Sends requests for all sources; thread-safe, to be closed (a context manager).

    ``transport`` lets tests answer without a network; ``sleep``, ``clock`` (seconds) and ``now`` are arguments for the same
    reason.
    """

    def __init__(
        self, settings: CollectSettings, *, transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._settings, self._sleep, self._clock, self._now = settings, sleep, clock, now
        self._client = _open_client(settings, transport)
        self._sessions = Sessions(
            lambda request, access: self._ask(request, access, None), clock, settings.private_hosts
        )
        self._hosts: dict[str, Host] = {}
        self._n_requests: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __enter__(self) -> PoliteClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    @property
    def n_requests(self) -> dict[str, int]:
        """Requests sent so far by source; sign-ins, redirects and retries count."""
        with self._lock:
            return dict(self._n_requests)

    def is_open(self, host: str) -> bool:
        """True if the host failed so often that it is left alone for now."""
        with self._lock:
            known = self._hosts.get(host.lower())
        return known is not None and known.breaker.rest > 0

    def forget(self, access: Access) -> None:
        """Throw away what was signed in for; the next request signs in anew."""
        self._sessions.forget(access)

    def send(self, request: httpx.Request, access: Access) -> httpx.Response:
        """The answer, its body read and unpacked: 2xx, 304, and 4xx other than 408, 425 and 429.

        Raises ``TransientSourceError`` after the last attempt, ``PausedError`` if the host is left alone, ``BudgetSpentError``
        if our limit or the server's is spent, ``RefusedError`` if signing in fails, ``TerminalSourceError`` for other answers.
        """
        credential = self._sessions.credential(access, request.url)
        response = self._ask(request, access, credential)
        was_redirected = response.request is not request  # and therefore went without the credential
        if credential is None or was_redirected or not is_stale(response):
            return response
        renewed = self._sessions.renew(access, credential)
        if renewed is None:
            return response
        response = self._ask(request, access, renewed)
        if is_stale(response):
            self._sessions.give_up_renewing(access)
        return response

    def _ask(self, request: httpx.Request, access: Access, credential: Credential | None) -> httpx.Response:
        """The answer after as many attempts as it takes; only what failed to the last one counts for the breaker."""
        host = self._host(request.url.host)
        try:
            response = self._persist(request, access, credential)
        except PausedError:
            raise
        except TransientSourceError:
            host.breaker.fail()
            raise
        host.breaker.succeed()
        return response

    def _persist(self, request: httpx.Request, access: Access, credential: Credential | None) -> httpx.Response:
        for attempt in stamina.retry_context(
            on=_retry_at_once, attempts=self._settings.max_attempts, timeout=None,
            wait_initial=self._settings.backoff_seconds, wait_max=_LAST_BACKOFF,
        ):  # fmt: skip
            backoff = attempt.next_wait * random.uniform(1, 2)  # noqa: S311  (spreads retries, guards nothing)
            with attempt:
                return self._follow(request, access, credential, backoff)
        raise AssertionError("unreachable: retry_context returns or raises")

    def _follow(
        self, request: httpx.Request, access: Access, credential: Credential | None, backoff: float
    ) -> httpx.Response:
        """The answer at the end of the redirects; what has been redirected carries no credential any more."""
        for _ in range(_MAX_REDIRECTS + 1):
            check_url(request.url, self._settings.private_hosts)
            response = self._take_turn(request, access, credential, backoff)
            if response.status_code not in REDIRECT:
                return response
            request, credential = redirected(request, response), None
        raise TerminalSourceError(f"{shown(request.url)}: more than {_MAX_REDIRECTS} redirects")

    def _take_turn(
        self, request: httpx.Request, access: Access, credential: Credential | None, backoff: float
    ) -> httpx.Response:
        host = self._host(request.url.host)
        with host.turn(pause=access.seconds_between_requests, backoff=backoff, spend=lambda: self._spend(access)):
            response = self._exchange(request, access, credential)
            limits = read_limits(response.headers, None, self._now())
            if limits.remaining == 0 and limits.resets_in:
                host.hold(limits.resets_in)
            return response

    def _exchange(self, request: httpx.Request, access: Access, credential: Credential | None) -> httpx.Response:
        """One request and its answer. No error of httpx is kept as a cause: it holds the request with its credential."""
        where = shown(request.url)
        outgoing = self._client.build_request(
            request.method, request.url, headers=request.headers, content=request.content
        )
        if credential is not None:
            outgoing.headers[credential.header] = credential.value
        seconds, max_bytes = self._settings.max_seconds_per_request, self._settings.max_page_bytes
        try:
            with time_cap(seconds), closing(self._client.send(outgoing, stream=True)) as got:
                content = read_body(got, where, max_bytes=max_bytes, now=self._now())
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:  # h11 quotes the header that it refuses
            raise TerminalSourceError(f"{where}: {type(error).__name__}") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            kind = TerminalSourceError if isinstance(error, httpx.DecodingError) else TransientSourceError
            told = strike_out(str(error).encode(), access, credential).decode()
            raise kind(f"{where}: {type(error).__name__}: {told:.200}") from None
        if got.status_code >= 400:
            content = strike_out(content, access, credential)
        headers = [
            (name, value) for name, value in got.headers.raw if name.decode("latin-1").lower() not in _OF_THE_WIRE
        ]
        return httpx.Response(got.status_code, headers=headers, content=content, request=request)

    def _host(self, name: str) -> Host:
        with self._lock:
            if name not in self._hosts:
                self._hosts[name] = Host(name, self._settings, self._sleep, self._clock)
            return self._hosts[name]

    def _spend(self, access: Access) -> None:
        """Count one request, or raise ``BudgetSpentError`` naming the key that forbids it."""
        total = self._settings.max_requests_per_run
        with self._lock:
            if self._n_requests[access.source] >= access.max_requests:
                told = f"{access.max_requests} requests per run is spent (limits.max_requests_per_run)"
                raise BudgetSpentError(f"{access.source}: its budget of {told}")
            if self._n_requests.total() >= total:
                raise BudgetSpentError(f"budget of {total} requests per run is spent (collect.max_requests_per_run)")
            self._n_requests[access.source] += 1


def _open_client(settings: CollectSettings, transport: httpx.BaseTransport | None) -> httpx.Client:
    """httpx as a courier without initiative: no proxies or .netrc of the environment, no cookies, no redirects."""
    # At DEBUG httpcore writes the headers of answers into the log, where sign-ins put cookies and tokens.
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    # stamina would tell each retry on stdout, in the midst of an answer that a program reads; what fails for good is reported.
    stamina.instrumentation.set_on_retry_hooks([])
    return httpx.Client(
        transport=transport or GuardedTransport(settings.private_hosts),
        headers={"User-Agent": settings.user_agent, "Accept-Encoding": ACCEPT_ENCODING},
        timeout=settings.timeout_seconds,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


def _retry_at_once(error: Exception) -> float | bool:
    """What is tried again; without a wait of stamina's own, for the host makes the next turn wait."""
    return 0.0 if isinstance(error, TransientSourceError) and not isinstance(error, PausedError) else False

"""One host: whose turn it is, when it may be asked again, and whether it is left alone."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from screener.errors import BudgetSpentError, PausedError, TransientSourceError
from screener.settings.schemas import CollectSettings


class Breaker:
    """Opens after ``breaker_failures`` failures in a row, for ``breaker_seconds``; then one more failure opens it again.

    Not pybreaker (1.4): it reads the system's clock itself, so a changed clock changes the pause and a test has to wait for
    it, and it holds its lock during the call, here through minutes of retries, while others only want to know its state.
    """

    def __init__(self, settings: CollectSettings, clock: Callable[[], float]) -> None:
        self._max, self._seconds, self._clock = settings.breaker_failures, settings.breaker_seconds, clock
        self._lock = threading.Lock()
        self._n_failures = 0
        self._opened_at = -math.inf

    @property
    def rest(self) -> float:
        """Seconds until it closes; 0 if it isn't open."""
        return max(0.0, self._opened_at + self._seconds - self._clock())

    def fail(self) -> None:
        """Count a failure."""
        with self._lock:
            self._n_failures += 1
            if self._n_failures >= self._max:
                self._opened_at = self._clock()

    def succeed(self) -> None:
        """The host works: earlier failures no longer count."""
        with self._lock:
            self._n_failures = 0


class Host:
    """One host, asked by one thread at a time and not before its time."""

    def __init__(
        self, name: str, settings: CollectSettings, sleep: Callable[[float], None], clock: Callable[[], float]
    ) -> None:
        self._name, self._settings, self._sleep, self._clock = name, settings, sleep, clock
        self._lock = threading.Lock()
        self._asked_at = -math.inf
        self._held_until = -math.inf
        self.breaker = Breaker(settings, clock)

    @contextmanager
    def turn(self, *, pause: float, backoff: float, spend: Callable[[], None]) -> Iterator[None]:
        """Wait for the turn, then hold the host for the block; at least ``pause`` seconds lie between two turns.

        After a transient failure in the block nobody gets a turn for as long as the server asked, or for ``backoff`` seconds if
        that is longer. ``spend`` is called once the turn is certain. Raises ``PausedError`` if the breaker is open and
        ``BudgetSpentError`` if the server asks to wait longer than ``max_wait_seconds``.
        """
        with self._lock:
            if self.breaker.rest:
                told = f"left alone for another {self.breaker.rest:.0f} s (collect.breaker_seconds)"
                raise PausedError(f"{self._name}: failed too often; {told}")
            self._check_wait(self._held_until - self._clock())
            spend()
            self._wait(pause)
            try:
                yield
            except TransientSourceError as error:
                self.hold(max(error.retry_after or 0.0, min(backoff, self._settings.max_wait_seconds)))
                self._check_wait(error.retry_after or 0.0)
                raise

    def hold(self, seconds: float) -> None:
        """Nobody gets a turn for so long; called from within one."""
        self._held_until = max(self._held_until, self._clock() + seconds)

    def _check_wait(self, seconds: float) -> None:
        allowed = self._settings.max_wait_seconds
        if round(seconds, 3) > allowed:  # a sum of clock times is off by a hair
            told = f"longer than the {allowed:g} s of collect.max_wait_seconds"
            raise BudgetSpentError(f"{self._name}: asks to wait {seconds:.0f} s, {told}") from None

    def _wait(self, pause: float) -> None:
        rest = max(self._held_until, self._asked_at + pause) - self._clock()
        if rest > 0:
            self._sleep(rest)
        self._asked_at = self._clock()

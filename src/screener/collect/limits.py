"""Pure: what a server says about its rate limit, in all the dialects that the sources speak.

* ``Retry-After`` as seconds or as an HTTP date (RFC 9110, section 10.2.3).
* ``X-RateLimit-Remaining`` and ``-Reset``: the reset is a timestamp in ISO 8601 (Mastodon, GoToSocial), epoch seconds
  (GitHub; X, which writes ``X-Rate-Limit``), or seconds left, both numbers being floats (Reddit).
* ``RateLimit-Remaining`` and ``-Reset``: epoch seconds (AT Protocol, ``packages/xrpc-server/src/rate-limiter.ts``) or
  seconds left (IETF draft-ietf-httpapi-ratelimit-headers-03 to -06).
* ``RateLimit: limit=100, remaining=50, reset=5`` (draft -07) and ``RateLimit: "default";r=50;t=30`` (the drafts after it).
* ``retry_after_ms`` (Matrix) or ``retry_after`` in seconds, in the JSON body of a refusal.

What can't be read counts as not said: a header must never stop a run by itself.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FAMILIES = ("ratelimit-", "x-ratelimit-", "x-rate-limit-")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_PARAMETER = re.compile(r"([a-z]+)\s*=\s*(-?[0-9]+)")
_FIRST_EPOCH = 1e9
"""A larger number is a moment (from 2001 on), a smaller one seconds left: nobody asks to wait for 31 years."""
_FIRST_EPOCH_MS = 1e11
"""A moment in milliseconds; as seconds it would lie beyond the year 5138."""
_LAST_EPOCH_MS = 1e14
"""The same year in milliseconds; what is larger is no time at all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer says: requests left, seconds until there are more, seconds to wait before asking again.

    ``None`` is *not said*. Nothing here is negative; a moment that has passed is 0. No upper bound: the caller has one.
    """

    remaining: int | None = None
    resets_in: float | None = None
    retry_after: float | None = None

    def wait_after(self, status: int) -> float | None:
        """Seconds that a refusal with this status asks to wait; a reset counts only if the limit is what stopped us."""
        if self.retry_after is not None:
            return self.retry_after
        return self.resets_in if status == 429 or self.remaining == 0 else None


def read_limits(headers: Mapping[str, str], body: bytes | None, now: datetime) -> Limits:
    """The limits that an answer states. ``body`` is given for refusals only: a page of posts may hold the same words.

    Of several limits the tightest counts: fewest requests left, then the longest wait. ``now`` carries a time zone.
    """
    said = {name.lower(): value for name, value in headers.items()}
    remaining, resets_in = _tightest(_windows(said, now))
    retry_after = _seconds_until(said.get("retry-after"), now)
    return Limits(remaining, resets_in, _retry_in_body(body) if retry_after is None else retry_after)


Window = tuple[int | None, float | None]


def _windows(said: Mapping[str, str], now: datetime) -> Iterator[Window]:
    """Each limit as requests left and seconds to its reset, in whatever form it is written."""
    for family in _FAMILIES:
        yield _count(said.get(f"{family}remaining")), _seconds_until(said.get(f"{family}reset"), now)
    combined = _QUOTED.sub("", said.get("ratelimit", "").lower())
    whole = dict(_PARAMETER.findall(combined))
    if "remaining" in whole:
        yield _count(whole["remaining"]), _seconds_until(whole.get("reset"), now)
    for item in combined.split(","):
        parameters = dict(_PARAMETER.findall(item))
        if "r" in parameters:
            yield _count(parameters["r"]), _seconds_until(parameters.get("t"), now)


def _tightest(windows: Iterator[Window]) -> Window:
    def tightness(window: Window) -> tuple[float, float]:
        remaining, resets_in = window
        return math.inf if remaining is None else remaining, -(resets_in or 0.0)

    return min(windows, key=tightness, default=(None, None))


def _count(text: str | None) -> int | None:
    number = _number(text)
    return None if number is None else int(max(0.0, number))


def _seconds_until(text: str | None, now: datetime) -> float | None:
    """Seconds from now to a reset; whether a number is a moment or a duration is told by its size."""
    number = _number(text)
    if number is None:
        moment = _moment(text or "")
        return None if moment is None else max(0.0, (moment - now).total_seconds())
    if number < _FIRST_EPOCH:
        return max(0.0, number)
    if number >= _LAST_EPOCH_MS:
        return None
    return max(0.0, (number / 1000 if number >= _FIRST_EPOCH_MS else number) - now.timestamp())


def _number(text: str | None) -> float | None:
    """A plain decimal number; not what else ``float`` takes (``nan``, ``1_000``, digits of other scripts)."""
    if text is None or not _NUMBER.fullmatch(text.strip()):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _moment(text: str) -> datetime | None:
    """A moment written as ISO 8601 or as an HTTP date; without a zone it is UTC, as RFC 9110 has it."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text.strip())
        except (ValueError, OverflowError):
            continue
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return None


def _retry_in_body(body: bytes | None) -> float | None:
    try:
        told = json.loads(body or b"null")
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    for key, unit in (("retry_after_ms", 1000), ("retry_after", 1)):
        value = told.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LAST_EPOCH_MS:
            return max(0.0, value / unit)
    return None

"""Rate limits as servers state them: every dialect, and nonsense that must not stop a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.limits import Limits, read_limits

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())

moments = st.integers(1_577_836_800, 4_102_444_800).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)  # 2020 to 2100
waits = st.integers(0, 30 * 24 * 3600)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "120"}, Limits(retry_after=120)),
        ({"Retry-After": "Mon, 02 Mar 2026 12:02:00 GMT"}, Limits(retry_after=120)),
        ({"Retry-After": "Monday, 02-Mar-26 12:02:00 GMT"}, Limits(retry_after=120)),
        ({"Retry-After": "Mon Mar  2 12:02:00 2026"}, Limits(retry_after=120)),
        ({"X-RateLimit-Remaining": "299", "X-RateLimit-Reset": "2026-03-02T12:04:35.000Z"}, Limits(299, 275)),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-03-02T12:04:35.130372Z"}, Limits(0, 275.130372)),
        ({"x-rate-limit-remaining": "449", "x-rate-limit-reset": str(EPOCH + 900)}, Limits(449, 900)),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(EPOCH + 60)}, Limits(0, 60)),
        ({"x-ratelimit-remaining": "595.0", "x-ratelimit-reset": "598", "x-ratelimit-used": "5"}, Limits(595, 598)),
        ({"RateLimit-Limit": "3000", "RateLimit-Remaining": "0", "RateLimit-Reset": str(EPOCH + 288)}, Limits(0, 288)),
        ({"RateLimit-Limit": "100", "RateLimit-Remaining": "50", "RateLimit-Reset": "30"}, Limits(50, 30)),
        ({"RateLimit": "limit=100, remaining=50, reset=5"}, Limits(50, 5)),
        ({"RateLimit": '"default";r=50;t=30'}, Limits(50, 30)),
        ({"RateLimit": '"default";t=30;r=50'}, Limits(50, 30)),
        ({"RateLimit": '"default";r=50'}, Limits(50, None)),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str((EPOCH + 60) * 1000)}, Limits(0, 60)),
        ({}, Limits()),
    ],
)  # fmt: skip
def test_every_dialect_says_the_same_thing(headers: dict[str, str], expected: Limits) -> None:
    read = read_limits(headers, None, NOW)
    assert (read.remaining, read.retry_after) == (expected.remaining, expected.retry_after)
    assert read.resets_in == pytest.approx(expected.resets_in)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b'{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":2500}', 2.5),
        (b'{"message":"You are being rate limited.","retry_after":64.57}', 64.57),
        (b'{"retry_after":-3}', 0),
        (b'{"retry_after":true}', None),
        (b'{"retry_after":"soon"}', None),
        (b'{"retry_after":NaN}', None),
        (b'{"retry_after":1' + b"0" * 400 + b"}", None),
        (b'["retry_after"]', None),
        (b'"retry_after"', None),
        (b'{"retry_after":', None),
        (b"[" * 100_000, None),
        (b"<html>429 Too Many Requests</html>", None),
        (b"\xff\xfe\x00", None),
        (b"", None),
    ],
)  # fmt: skip
def test_waiting_time_is_read_from_a_json_body(body: bytes, seconds: float | None) -> None:
    assert read_limits({}, body, NOW).retry_after == seconds


def test_header_counts_before_the_body() -> None:
    assert read_limits({"Retry-After": "7"}, b'{"retry_after_ms": 1000}', NOW).retry_after == 7


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"RateLimit": '"burst";r=0;t=10, "daily";r=900;t=36000'}, Limits(0, 10)),
        ({"RateLimit": '"a";r=0;t=10, "b";r=0;t=60, "c";r=1;t=999'}, Limits(0, 60)),
        ({"RateLimit": '"r=0;t=9,x";r=50;t=30'}, Limits(50, 30)),
        ({"X-RateLimit-Remaining": "10", "X-RateLimit-Reset": "5", "RateLimit": '"x";r=2;t=7'}, Limits(2, 7)),
        ({"X-RateLimit-Reset": "5"}, Limits(None, 5)),
        ({"X-RateLimit-Reset": "5", "RateLimit-Remaining": "3"}, Limits(3, None)),
    ],
)  # fmt: skip
def test_tightest_of_several_limits_counts(headers: dict[str, str], expected: Limits) -> None:
    assert read_limits(headers, None, NOW) == expected


@pytest.mark.parametrize(
    "nonsense",
    ["", "soon", "nan", "inf", "-inf", "1e3", "1_000", "0x10", "١٢", "9" * 5000, "1" + "0" * 14, "0, 59", "\x00"],
)
def test_nonsense_counts_as_not_said(nonsense: str) -> None:
    headers = {"Retry-After": nonsense, "X-RateLimit-Reset": nonsense}
    assert read_limits(headers, None, NOW) == Limits()


@pytest.mark.parametrize("passed", ["-5", str(EPOCH - 10), str((EPOCH - 10) * 1000), "2026-03-02T11:59:00Z", "Mon, 02 Mar 2026 11:00:00 GMT"])  # fmt: skip
def test_what_has_passed_is_zero(passed: str) -> None:
    headers = {"Retry-After": passed, "X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": passed}
    assert read_limits(headers, None, NOW) == Limits(0, 0, 0)


@pytest.mark.parametrize(
    ("limits", "status", "expected"),
    [
        (Limits(), 429, None),
        (Limits(299, 275), 429, 275),
        (Limits(0, 275), 503, 275),
        (Limits(299, 275), 503, None),
        (Limits(0, 275, 3), 429, 3),
        (Limits(retry_after=3), 503, 3),
    ],
)
def test_reset_is_waited_for_only_if_the_limit_stopped_us(limits: Limits, status: int, expected: float | None) -> None:
    assert limits.wait_after(status) == expected


@given(moments, waits)
def test_numbers_are_told_apart_by_their_size(now: datetime, wait: int) -> None:
    reset = now + timedelta(seconds=wait)
    for written in (f"{wait}", f"{wait}.0", f"{reset.timestamp():.3f}", f"{int(reset.timestamp() * 1000)}"):
        read = read_limits({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": written}, None, now)
        assert read.resets_in == pytest.approx(wait, abs=0.01)


@given(moments, waits, st.integers(-14, 14))
def test_moments_are_read_in_any_zone_and_form(now: datetime, wait: int, zone: int) -> None:
    reset = now + timedelta(seconds=wait)
    elsewhere = reset.astimezone(timezone(timedelta(hours=zone)))
    forms = (
        reset.isoformat(),
        elsewhere.isoformat(),
        reset.replace(tzinfo=None).isoformat(),
        format_datetime(elsewhere),
    )
    for written in forms:
        assert read_limits({"Retry-After": written}, None, now).retry_after == pytest.approx(wait, abs=1)


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit"]),
        st.one_of(st.text(), st.text("0123456789-+.:TZrt=;, \"GMTaeionMr"), st.integers().map(str), st.floats().map(str)),
    ),
    st.one_of(st.none(), st.binary()),
)  # fmt: skip
def test_whatever_a_server_writes_is_read_without_an_error_or_a_negative(
    headers: dict[str, str], body: bytes | None
) -> None:
    read = read_limits(headers, body, NOW)
    assert all(value is None or value >= 0 for value in (read.remaining, read.resets_in, read.retry_after))

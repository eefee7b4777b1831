"""Health of a source: silence is heard within one run, each failure has its own name, and holidays raise no alarm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.health import ALARMING, ENOUGH_EXPECTED, HEARTBEAT, QUIET_BELOW, Health, State, judge
from screener.records import GapReason, LedgerDay, SourceRun

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RUN = SourceRun("run-2", "forum", NOW, n_requests=12, n_read=90, n_new_posts=40, n_asked=10, n_answered=10)
BEFORE = replace(RUN, run_id="run-1", asked_at=NOW - timedelta(days=1))
LAST_WEEK = range(1, 8)


def failed(reason: GapReason, n_answered: int = 0, **values: object) -> SourceRun:
    run = replace(RUN, n_answered=n_answered, n_read=n_answered, reason=reason, error="what the source said")
    return replace(run, **values)  # type: ignore[arg-type]


def days(
    n_seen: int | None, n_expected: float | None = None, *, language: str | None = "my", ago: Sequence[int] = LAST_WEEK
) -> list[LedgerDay]:
    reason = None if n_seen else GapReason.NO_DATA
    return [
        LedgerDay("forum", "TH", "poultry", language, NOW.date() - timedelta(days=n), n_seen, n_expected, 4, 4, reason)
        for n in ago
    ]


def health(
    *runs: SourceRun, week: Sequence[LedgerDay] = (), last_answer: timedelta | None = timedelta(0), is_enabled: bool = True,
    minimum: int = 0,
) -> Health:  # fmt: skip
    return judge(
        "forum", is_enabled=is_enabled, runs=runs, days=week, last_answer=None if last_answer is None else NOW - last_answer,
        now=NOW, min_posts_per_week=minimum,
    )  # fmt: skip


def test_source_that_answers_is_good_and_says_what_it_gave() -> None:
    found = health(RUN, BEFORE, week=days(20, 20.0))
    assert found == Health(
        "forum",
        State.GOOD,
        "10 of 10 queries answered",
        NOW,
        n_week=140,
        n_expected=140.0,
        n_requests=12,
        n_new_posts=40,
    )
    assert not found.is_alarming


def test_source_that_is_switched_off_is_off_whatever_its_past() -> None:
    found = health(failed(GapReason.ERROR), is_enabled=False, last_answer=None)
    assert (found.state, found.is_alarming) == (State.OFF, False)


def test_source_that_was_never_asked_says_so() -> None:
    found = health(last_answer=None)
    assert (found.state, found.is_alarming) == (State.NEVER_ASKED, False)


def test_source_that_falls_silent_is_heard_in_the_very_next_run() -> None:
    found = health(replace(RUN, n_read=0, n_new_posts=0), BEFORE, week=days(20, 20.0))
    assert found.state is State.QUIET
    assert found.is_alarming
    assert "no new post since 2026-03-01 12:00 UTC, where about 20 were due" in found.told


def test_silence_is_still_told_of_in_the_second_silent_run_and_after_one_that_failed() -> None:
    silent = replace(RUN, n_read=0, n_new_posts=0)
    unanswered = replace(failed(GapReason.ERROR), n_read=0, n_new_posts=0)
    for before in ([silent], [silent, silent], [unanswered]):
        found = health(silent, *before, BEFORE, week=days(20, 20.0))
        assert found.state is State.QUIET
        assert "since 2026-03-01 12:00" in found.told


def test_source_that_never_gave_a_post_has_not_fallen_silent() -> None:
    silent = replace(RUN, n_read=0, n_new_posts=0)
    assert health(silent, silent, week=days(20, 20.0)).state is State.GOOD


def test_source_that_only_repeats_itself_is_quiet_as_soon_as_three_new_posts_were_due() -> None:
    repeating = replace(RUN, n_new_posts=0)
    assert health(repeating, BEFORE, week=days(20, 20.0)).state is State.QUIET
    assert health(repeating, BEFORE, week=days(2, 2.0)).state is State.GOOD


@pytest.mark.parametrize(("n_seen", "state"), [(4, State.QUIET), (5, State.GOOD), (None, State.QUIET)])
def test_week_far_below_what_is_expected_is_quiet(n_seen: int | None, state: State) -> None:
    assert QUIET_BELOW == 0.25
    found = health(RUN, BEFORE, week=days(n_seen, 20.0))
    assert found.state is state
    assert found.n_week == (n_seen and n_seen * 7)


def test_few_expected_posts_prove_nothing() -> None:
    assert health(RUN, BEFORE, week=days(None, ENOUGH_EXPECTED / 7 - 0.01)).state is State.GOOD
    assert health(RUN, BEFORE, week=days(None, ENOUGH_EXPECTED / 7 + 0.01)).state is State.QUIET


def test_posts_of_which_nothing_was_expected_do_not_hide_silence() -> None:
    week = days(None, 20.0, language="my") + days(40, None, language="th")
    found = health(RUN, BEFORE, week=week)
    assert (found.state, found.quiet_in) == (State.QUIET, ("my",))
    assert "0 posts where about 140 were expected" in found.told


def test_a_holiday_is_no_silence() -> None:
    week = days(None, 20.0, ago=[1]) + days(20, 20.0, ago=range(2, 8))
    assert health(RUN, BEFORE, week=week).state is State.GOOD


def test_only_the_last_seven_full_days_count() -> None:
    today_and_earlier = days(500, 500.0, ago=[0, 8, 9])
    found = health(RUN, BEFORE, week=days(2, 20.0) + today_and_earlier)
    assert (found.state, found.n_week, found.n_expected) == (State.QUIET, 14, 140.0)


def test_less_than_the_minimum_volume_is_quiet_from_the_second_run_on() -> None:
    week = days(1)
    assert health(RUN, BEFORE, week=week, minimum=8).state is State.QUIET
    assert health(RUN, BEFORE, week=week, minimum=7).state is State.GOOD
    assert health(RUN, week=week, minimum=8).state is State.GOOD


def test_language_that_falls_silent_while_others_speak_is_named() -> None:
    week = days(None, 10.0, language="my") + days(50, 50.0, language="th") + days(None, 1.0, language="km")
    found = health(RUN, BEFORE, week=week)
    assert (found.state, found.quiet_in) == (State.GOOD, ("my",))
    assert found.is_alarming


def test_days_of_no_language_are_no_silent_language() -> None:
    assert health(RUN, BEFORE, week=days(None, 1.0, language=None) + days(40, 40.0)).quiet_in == ()


REASONS = [
    (GapReason.ERROR, State.FAILING),
    (GapReason.REFUSED, State.REFUSED),
    (GapReason.BUDGET, State.BUDGET),
    (GapReason.PAUSED, State.PAUSED),
]


@pytest.mark.parametrize(("reason", "state"), REASONS)
@pytest.mark.parametrize("last_answer", [timedelta(hours=20), timedelta(days=9), None])
def test_run_without_an_answer_is_named_by_its_reason(
    reason: GapReason, state: State, last_answer: timedelta | None
) -> None:
    found = health(failed(reason), BEFORE, week=days(20, 20.0), last_answer=last_answer)
    assert found.state is state
    assert "what the source said" in found.told
    assert found.is_alarming == (state is not State.BUDGET), "a spent budget is what was agreed"


def test_source_that_can_not_be_asked_any_more_is_refused_at_once() -> None:
    refused = failed(GapReason.REFUSED, n_requests=0, n_new_posts=0, n_asked=0)
    found = health(refused, BEFORE, week=days(20, 20.0), last_answer=timedelta(days=1))
    assert (found.state, found.is_alarming) == (State.REFUSED, True)


@pytest.mark.parametrize(("reason", "state"), REASONS)
def test_run_is_named_by_its_reason_if_less_than_half_was_answered(reason: GapReason, state: State) -> None:
    assert health(failed(reason, n_answered=4), BEFORE, week=days(20, 20.0)).state is state
    assert health(failed(reason, n_answered=5), BEFORE, week=days(20, 20.0)).state is State.GOOD


def test_source_that_has_nothing_is_not_failing() -> None:
    assert health(failed(GapReason.NO_DATA, n_answered=1), week=days(20, 20.0)).state is State.GOOD


@pytest.mark.parametrize("last_answer", [HEARTBEAT + timedelta(minutes=1), None])
def test_source_that_nobody_asks_any_more_is_stale(last_answer: timedelta | None) -> None:
    found = health(RUN, BEFORE, week=days(20, 20.0), last_answer=last_answer)
    assert (found.state, found.is_alarming) == (State.STALE, True)
    assert "is collecting still scheduled?" in found.told
    assert "2026-02-28 11:59 UTC" in found.told if last_answer else "no answer ever" in found.told


def test_run_that_failed_in_part_long_ago_is_stale_before_all_else() -> None:
    found = health(failed(GapReason.ERROR, n_answered=4), BEFORE, last_answer=timedelta(days=9))
    assert found.state is State.STALE


def test_heartbeat_may_be_two_days_old() -> None:
    assert health(RUN, BEFORE, week=days(20, 20.0), last_answer=HEARTBEAT).state is State.GOOD


RUNS = st.builds(
    replace, st.just(RUN), n_read=st.integers(0, 5), n_answered=st.integers(0, 10), reason=st.none() | st.sampled_from(GapReason)
)  # fmt: skip


@given(
    st.lists(RUNS, max_size=3), st.none() | st.integers(1, 9), st.none() | st.floats(0, 50),
    st.none() | st.integers(0, 96).map(lambda hours: timedelta(hours=hours)), st.integers(0, 50),
)  # fmt: skip
def test_every_source_has_one_state_and_words_for_it(
    runs: list[SourceRun], n_seen: int | None, n_expected: float | None, last_answer: timedelta | None, minimum: int
) -> None:
    found = health(*runs, week=days(n_seen, n_expected), last_answer=last_answer, minimum=minimum)
    assert found.told
    assert found.n_week != 0
    assert found.is_alarming == (found.state in ALARMING or bool(found.quiet_in))
    if runs and last_answer is not None and last_answer > HEARTBEAT:
        assert found.state not in {State.GOOD, State.QUIET}

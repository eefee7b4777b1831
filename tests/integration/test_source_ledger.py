"""What is said where nothing came: the gap ledger, the quarantine, and the health of sources."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest

from integration.collector import DAY, HOUR, NOW, Collector, counts, rss, source, wordpress, youtube
from integration.sites import Answer, Asked, Feed, WordPress, Written, YouTube, as_json, serving
from screener.collect.health import State
from screener.errors import SourceError
from screener.pipeline.collect import collected_days, run_collect
from screener.pipeline.context import open_context
from screener.records import DiscardReason, GapReason, Window
from screener.store import runs

Over = Callable[..., Collector]


# --- the gap ledger


def test_ledger_tells_what_was_seen_and_that_silence_is_no_zero(over: Over, site: WordPress) -> None:
    one = over(wordpress(site, lookback_days=3))
    one.collect()
    found = one.days
    assert sorted(found) == [NOW.date() - n * DAY for n in (3, 2, 1, 0)]
    assert found[NOW.date()].n_seen == 10
    assert found[NOW.date()].reason is None
    for quiet in (3, 2, 1):
        row = found[NOW.date() - quiet * DAY]
        assert (row.n_seen, row.reason, row.n_asked, row.n_answered) == (None, GapReason.NO_DATA, 1, 1)
    assert all(row.n_seen != 0 for row in found.values())
    assert {(row.country, row.sector, row.language) for row in found.values()} == {("TH", "poultry", "en")}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(status=403), GapReason.REFUSED),
        (Answer(status=503), GapReason.ERROR),
        (Answer(b"<html>moved</html>"), GapReason.ERROR),
        (Answer(status=404), GapReason.ERROR),
        (Answer(status=301, headers={"Location": "https://elsewhere.example/"}), GapReason.ERROR),
    ],
    ids=["refused", "down", "HTML", "gone", "moved"],
)
def test_stretch_that_was_not_answered_has_its_reason(
    over: Over, site: WordPress, answer: Answer, reason: GapReason
) -> None:
    one = over(wordpress(site, lookback_days=1))
    site.instead = lambda asked: answer
    with pytest.raises(SourceError, match="nothing could be collected"):
        one.collect()
    rows = one.days.values()
    assert {(row.n_seen, row.n_answered, row.reason) for row in rows} == {(None, 0, reason)}
    assert all(row.detail for row in rows)
    (gap,) = one.read(runs.list_gaps, one.run_ids[-1])
    assert gap.reason.startswith(f"{reason}: ")


def test_stretch_that_the_budget_left_has_that_reason_and_is_filled_by_the_next_run(
    over: Over, site: WordPress
) -> None:
    one = over(wordpress(site, lookback_days=1))
    one.limit(max_requests_per_run=1)
    one.collect_some()
    assert {row.reason for row in one.days.values()} == {GapReason.BUDGET}
    one.limit(max_requests_per_run=100)
    one.collect()
    assert one.days[NOW.date()].reason is None


def test_host_that_fails_again_and_again_is_left_alone_and_the_ledger_says_so(over: Over) -> None:
    sites = [WordPress() for _ in range(5)]
    for site in sites:
        site.instead = lambda asked: Answer(status=500)
    with serving(*sites):
        one = over(source("wordpress", *(site.url for site in sites), lookback_days=1), breaker_failures=2)
        one.collect_some()
        asked = [len(site.take()) for site in sites]
    assert asked == [1, 1, 0, 0, 0], "one host, though five addresses of it"
    (row, *_) = one.days.values()
    assert (row.n_asked, row.n_answered) == (5, 0)
    assert {gap.reason.partition(":")[0] for gap in one.read(runs.list_gaps, one.run_ids[-1])} == {"error", "paused"}


def test_feed_is_silent_only_about_days_that_it_speaks_of(over: Over, feed: Feed) -> None:
    one = over(rss(feed, lookback_days=90))
    one.collect()
    assert min(one.days) == (NOW - 7 * DAY).date()


def test_gap_of_a_backfill_ends_where_the_backfill_does(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    site.instead = lambda asked: Answer(status=503)
    one.collect_some(asked_for=Window(date(2026, 2, 1), date(2026, 3, 1)))
    (gap,) = one.read(runs.list_gaps, one.run_ids[-1])
    assert gap.window == Window(date(2026, 2, 1), date(2026, 3, 1))


def test_backfill_writes_the_days_that_were_asked_for_however_old(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    one.collect(asked_for=Window(date(2025, 6, 1), date(2025, 6, 4)))
    assert sorted(one.days) == [date(2025, 6, day) for day in (1, 2, 3)]


# --- quarantine


def test_quarantine_of_several_passes_adds_up_and_nothing_stands_twice(over: Over, site: WordPress) -> None:
    for number in (2, 5, 8):
        site.posts[number] = replace(site.posts[number], text="")
    one = over(wordpress(site, overlap_hours=24))
    one.limit(max_requests_per_run=2)
    for _ in range(4):  # the last one finds nothing new, and reads what the overlap holds
        with (
            open_context(one.settings, one.workdir, arguments="killed twice", now=NOW) as context,
            suppress(SourceError),
        ):
            run_collect(context, one.settings.sources, days=collected_days(context))
    found = one.read(runs.list_quarantine, context.run.run_id)
    assert [entry.reason for entry in found] == [DiscardReason.NO_TEXT] * 3
    assert len({entry.where for entry in found}) == 3
    assert len(one.texts) == 7


def test_record_that_cannot_be_read_costs_no_other(over: Over, site: WordPress) -> None:
    site.posts[4] = replace(site.posts[4], at=NOW + 30 * DAY)
    site.posts[7] = replace(site.posts[7], text="x" * 30_000)
    one = over(wordpress(site, lookback_days=30))
    site.instead = without_window(site)
    report = one.collect()
    assert dict(report.discards) == {"future-time": 1, "too-long": 1}
    assert len(one.texts) == 8


def without_window(site: WordPress) -> Callable[[Asked], Answer]:
    """As a site that ignores the stretch of time it is asked for."""
    return lambda asked: site.answer(replace(asked, params={"page": asked.params["page"]}))


# --- health


def test_source_that_goes_quiet_is_told_by_the_run_in_which_it_does(over: Over, site: WordPress) -> None:
    site.posts = {number: Written(f"post {number}", NOW - number * 4 * HOUR) for number in range(1, 43)}
    one = over(wordpress(site))
    one.collect()
    assert one.health == {"wordpress": State.GOOD}
    site.posts.clear()
    one.now += DAY
    report = one.collect()
    assert one.health == {"wordpress": State.QUIET}
    assert any(told.startswith("wordpress is quiet: ") for told in report.warnings)


def test_source_with_fewer_posts_than_wanted_is_quiet(over: Over, site: WordPress) -> None:
    one = over(wordpress(site, min_posts_per_week=50, overlap_hours=48))
    one.collect()
    one.now += DAY
    one.collect()
    assert one.health == {"wordpress": State.QUIET}


@pytest.mark.parametrize(
    ("answer", "state"),
    [(Answer(status=403), State.REFUSED), (Answer(status=503), State.FAILING), (as_json({}), State.FAILING)],
    ids=["refused", "down", "changed API"],
)
def test_source_that_stops_answering_is_told_within_one_run(
    over: Over, site: WordPress, feed: Feed, answer: Answer, state: State
) -> None:
    one = over(wordpress(site), rss(feed))
    one.collect()
    site.instead = lambda asked: answer
    one.now += DAY
    report = one.collect()
    assert one.health == {"wordpress": state, "rss": State.GOOD}
    assert any(told.startswith(f"wordpress is {state}: ") for told in report.warnings)


def test_source_that_nobody_collects_any_more_goes_stale(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    one.collect()
    one.now += 3 * DAY
    assert one.health == {"wordpress": State.STALE}


def test_one_broken_source_does_not_stop_the_others(over: Over, site: WordPress, feed: Feed) -> None:
    one = over(wordpress(site), rss(feed))
    site.instead = lambda asked: Answer(status=500)
    report = one.collect()
    assert one.texts == ["entry a", "entry b"]
    assert counts(report)["failures"] == 1
    assert any("HTTP 500" in told for told in report.warnings)


def test_source_without_its_credentials_is_refused_by_the_name_of_the_variable(
    over: Over, videos: YouTube, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIDEOS_KEY")
    one = over(youtube(videos), rss(feed))
    report = one.collect()
    assert videos.take() == []
    assert any("VIDEOS_KEY is not set" in told for told in report.warnings)
    assert one.health == {"youtube": State.REFUSED, "rss": State.GOOD}
    rows = one.rows("SELECT DISTINCT reason, n_seen, n_answered FROM source_days WHERE source = 'youtube'")
    assert rows == [("refused", None, 0)], "what could not be asked is missing, and no silence"
    assert one.texts == ["entry a", "entry b"]


def test_source_that_lost_its_credentials_is_refused_from_that_run_on(
    over: Over, videos: YouTube, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = over(youtube(videos))
    one.collect()
    monkeypatch.delenv("VIDEOS_KEY")
    one.now += HOUR
    one.collect_some()
    assert one.health == {"youtube": State.REFUSED}


def test_site_that_writes_once_a_week_is_not_quiet_on_the_days_between(over: Over, site: WordPress) -> None:
    site.posts = {n: Written(f"post {n}", NOW - (7 * n - 2) * DAY) for n in range(1, 5)}
    one = over(wordpress(site, min_posts_per_week=1))
    one.collect()
    for _ in range(2):
        one.now += DAY
        one.collect()
        assert one.health == {"wordpress": State.GOOD}


def test_backfill_of_empty_days_makes_no_source_quiet(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    one.collect()
    one.now += HOUR
    one.collect(asked_for=Window(date(2026, 1, 1), date(2026, 1, 3)))
    assert one.health == {"wordpress": State.GOOD}


def test_source_that_stays_silent_stays_quiet(over: Over, site: WordPress) -> None:
    site.posts = {number: Written(f"post {number}", NOW - number * 4 * HOUR) for number in range(1, 43)}
    one = over(wordpress(site, min_posts_per_week=1))
    one.collect()
    site.posts.clear()
    for _ in range(4):
        one.now += DAY
        one.collect()
        assert one.health == {"wordpress": State.QUIET}

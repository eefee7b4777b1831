"""Collecting from servers: what is asked, what is kept, and what is asked again."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from integration.collector import DAY, HOUR, NOW, Collector, counts, rss, source, wordpress, youtube
from integration.sites import Answer, Asked, Bluesky, Feed, Site, WordPress, Written, YouTube, as_json, serving
from screener.classify.classifier import Classifier
from screener.collect.health import State
from screener.pipeline.collect import collected_days, run_collect
from screener.pipeline.context import open_context
from screener.pipeline.screen import run_classify, run_detect_language
from screener.records import GapReason, Post, Window
from screener.store import collecting, runs
from screener.store.spool import Spool

Over = Callable[..., Collector]
FEB = Window(date(2026, 2, 1), date(2026, 3, 1))
ALL = [f"post {number:02d}" for number in range(1, 11)]


def pages(site: Site) -> list[str]:
    """Numbers of the pages that were asked for since the last time."""
    return [asked.params.get("page", "") for asked in site.take()]


# --- what is asked, and what is asked again


def test_all_pages_are_walked_and_every_post_is_kept_once(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    told = counts(one.collect())
    assert one.texts == ALL
    assert pages(site) == ["1", "2", "3", "4"]
    assert (told["read"], told["new_posts"], told["requests"], told["failures"]) == (10, 10, 4, 0)
    assert Spool(one.workdir.root / "spool").files() == []


def test_collecting_again_asks_for_the_overlap_alone_and_changes_nothing(over: Over, site: WordPress) -> None:
    one = over(wordpress(site, overlap_hours=2))
    one.collect()
    before, posts = one.parts, one.posts
    site.take()
    one.now += HOUR / 2
    told = counts(one.collect())
    (asked,) = site.take()
    edge = f"{NOW - 2 * HOUR - timedelta(minutes=61):%Y-%m-%dT%H:%M:%SZ}"
    assert asked.params["after"] == edge, "two hours, and the slack that the connector adds"
    assert (told["new_posts"], told["edited_posts"]) == (0, 0)
    assert told["known_posts"] == 2
    assert (one.parts, one.posts) == (before, posts), "when a post was first collected stays, too"


def test_two_working_directories_end_with_the_same_lake(
    over: Over, site: WordPress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCREENER_PSEUDONYM_KEY", "ab" * 32)
    at_once, in_steps = over(wordpress(site)), over(wordpress(site), folder="two", chunk_posts=2)
    at_once.collect()
    in_steps.limit(max_requests_per_run=1)
    for _ in range(5):
        in_steps.collect_some()
    assert in_steps.parts == at_once.parts


def test_post_that_the_source_shows_late_is_found_by_the_overlap(over: Over, site: WordPress) -> None:
    one = over(wordpress(site, overlap_hours=24))
    one.collect()
    site.posts[11] = Written("written before the run, shown after it", NOW - 5 * HOUR)
    one.now += DAY / 2
    one.collect()
    assert "written before the run, shown after it" in one.texts


def test_budget_that_ends_in_the_middle_is_gone_on_with_at_the_next_page(over: Over, site: WordPress) -> None:
    one = over(wordpress(site, overlap_hours=0))
    one.limit(max_requests_per_run=2)
    one.collect_some()
    assert pages(site) == ["1", "2"]
    assert len(one.texts) == 6
    one.collect_some()
    assert pages(site) == ["3", "4"], "no page is asked twice"
    assert one.texts == ALL
    assert len(one.posts) == 10


def test_run_that_kept_posts_before_its_budget_ended_did_not_fail(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    one.limit(max_requests_per_run=2)
    assert counts(one.collect())["new_posts"] == 6


def test_walk_that_an_error_cut_off_is_gone_on_with_at_the_page_that_failed(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    site.instead = lambda asked: Answer(status=503) if asked.params["page"] == "3" else None
    one.collect_some()
    assert len(one.texts) == 6
    site.instead = lambda asked: None
    site.take()
    one.collect()
    assert pages(site)[:2] == ["3", "4"]
    assert one.texts == ALL


def test_program_that_dies_in_the_middle_of_a_walk_loses_nothing(
    over: Over, site: WordPress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a kill between the posts of a page and its cursor: the page is asked again, and nothing stands twice."""
    one = over(wordpress(site))
    with monkeypatch.context() as patched:
        die_at_page(patched, 3)
        with pytest.raises(KeyboardInterrupt):
            one.collect()
    assert pages(site) == ["1", "2", "3"]
    one.collect()
    assert pages(site)[:2] == ["3", "4"]
    assert one.texts == ALL


def die_at_page(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The program ends when it has kept the posts of its n-th page, and before it knows so."""
    put, kept = Spool.put, []

    def put_and_die(spool: Spool, posts: Sequence[Post]) -> None:
        put(spool, posts)
        kept.append(len(posts))
        if len(kept) == number:
            raise KeyboardInterrupt

    monkeypatch.setattr(Spool, "put", put_and_die)


def test_backfill_is_bounded_and_resumed_by_the_same_command(over: Over, site: WordPress) -> None:
    for number in range(1, 11):
        site.posts[number] = Written(f"post {number:02d}", datetime(2026, 2, 1, tzinfo=UTC) + (number - 1) * DAY)
    site.posts[99] = Written("in March", NOW - HOUR)
    one = over(wordpress(site, overlap_hours=0))
    one.limit(max_requests_per_run=1)
    for _ in range(4):
        one.collect_some(asked_for=FEB)
        one.now += DAY
    assert pages(site) == ["1", "2", "3", "4"]
    assert one.texts == ALL
    one.collect_some(asked_for=FEB)
    assert pages(site) == [], "what was covered before is not asked again"


def test_backfill_that_is_complete_is_no_failure(over: Over, site: WordPress) -> None:
    one = over(wordpress(site, overlap_hours=0, min_posts_per_week=50))
    for _ in range(2):
        one.collect()
        one.now += HOUR
    for _ in range(2):
        assert counts(one.collect(asked_for=Window(date(2026, 2, 10), date(2026, 2, 12))))["failures"] == 0


def test_run_after_a_backfill_asks_only_for_what_that_left(over: Over, site: WordPress) -> None:
    site.posts[11] = Written("in February", datetime(2026, 2, 10, tzinfo=UTC))
    one = over(wordpress(site, lookback_days=60, overlap_hours=0))
    one.collect(asked_for=FEB)
    site.take()
    one.collect()
    asked = {(asked.params["after"][:10], asked.params["before"][:10]) for asked in site.take()}
    assert asked == {("2026-01-01", "2026-02-01"), ("2026-02-28", "2026-03-02")}


def test_backfill_reaches_no_further_than_texts_are_kept(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    site.posts[1] = Written("too old to be kept", NOW - 400 * DAY)
    one.collect(asked_for=Window(date(2020, 1, 1), None))
    assert site.take()[0].params["after"].startswith("2025-03-01")
    assert "too old to be kept" not in one.texts


def test_source_that_was_down_for_days_is_not_asked_once_for_each_of_them(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    one.collect()
    site.instead = lambda asked: Answer(status=503)
    for _ in range(5):
        one.now += DAY
        one.collect_some()
    site.take()
    one.now += DAY
    site.instead = lambda asked: None
    site.posts[11] = Written("written meanwhile", NOW + 2 * DAY)
    one.collect()
    assert "written meanwhile" in one.texts
    assert len(one.days) == 31 + 6
    assert all(row.reason in {None, GapReason.NO_DATA} for row in one.days.values())


def test_stretches_that_were_never_begun_are_asked_as_one(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    one.collect()
    site.instead = lambda asked: Answer(status=503)
    for _ in range(5):
        one.now += DAY
        one.collect_some()
    site.take()
    site.instead = lambda asked: None
    one.now += DAY
    one.collect()
    assert len(site.take()) == 1


def test_emptied_lake_is_filled_again(over: Over, site: WordPress, feed: Feed) -> None:
    one = over(wordpress(site), rss(feed))
    one.collect()
    before = one.texts
    shutil.rmtree(one.workdir.lake)
    one.now += HOUR
    one.collect()
    assert one.texts == before
    assert len(before) == 12


def test_source_that_found_nothing_so_far_goes_on_where_its_budget_ended(over: Over) -> None:
    silent, speaks = [WordPress() for _ in range(3)], WordPress()
    speaks.posts = {1: Written("the only post", NOW - HOUR)}
    with serving(*silent, speaks):
        one = over(source("wordpress", *(site.url for site in (*silent, speaks)), overlap_hours=0))
        one.limit(max_requests_per_run=2)
        for _ in range(2):
            one.collect_some()
            one.now += HOUR
    assert one.texts == ["the only post"]


def test_lake_that_was_emptied_is_filled_again_by_a_backfill_too(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    today = Window(NOW.date() - DAY, NOW.date() + DAY)
    one.collect(asked_for=today)
    assert one.texts == ALL
    shutil.rmtree(one.workdir.lake)
    one.collect(asked_for=today)
    assert one.texts == ALL


# --- conditional requests


def test_feed_that_has_not_changed_is_not_read_again(over: Over, feed: Feed) -> None:
    one = over(rss(feed))
    one.collect()
    before = one.parts
    (first,) = feed.take()
    one.now += DAY
    told = counts(one.collect())
    (second,) = feed.take()
    assert "if-none-match" not in first.headers
    assert second.headers["if-none-match"].startswith('"')
    assert (told["unchanged"], told["read"], told["new_posts"]) == (1, 0, 0)
    assert one.parts == before
    assert one.health == {"rss": State.GOOD}, "unchanged is an answer"


def test_feed_that_has_changed_is_read_again(over: Over, feed: Feed) -> None:
    one = over(rss(feed))
    one.collect()
    feed.entries["c"] = Written("entry c", NOW + HOUR)
    one.now += DAY
    assert counts(one.collect())["new_posts"] == 1
    assert one.texts == ["entry a", "entry b", "entry c"]


def test_validators_of_a_backfill_are_not_kept(over: Over, feed: Feed) -> None:
    """A backfill takes a part of the feed; the next run needs the rest of the same page."""
    feed.entries["old"] = Written("entry old", NOW - 20 * DAY)
    one = over(rss(feed))
    one.collect(asked_for=Window(date(2026, 2, 1), date(2026, 2, 20)))
    assert one.texts == ["entry old"]
    one.collect()
    assert [("if-none-match" in asked.headers) for asked in feed.take()] == [False, False]
    assert one.texts == ["entry a", "entry b", "entry old"]


def test_backfill_asks_for_the_feed_whatever_an_earlier_run_has_seen_of_it(over: Over, feed: Feed) -> None:
    feed.entries["old"] = Written("entry old", NOW - 60 * DAY)
    one = over(rss(feed))
    one.collect()
    one.collect(asked_for=Window(date(2025, 12, 1), None))
    assert one.texts == ["entry a", "entry b", "entry old"]


def test_validators_of_a_feed_that_could_not_be_read_are_not_kept(over: Over, feed: Feed) -> None:
    one = over(rss(feed))
    feed.instead = lambda asked: Answer(b"<html>down for maintenance</html>", headers={"ETag": '"maintenance"'})
    one.collect_some()
    feed.instead = lambda asked: None
    one.collect()
    assert all("if-none-match" not in asked.headers for asked in feed.take())
    assert one.texts == ["entry a", "entry b"]


def test_entry_dated_after_the_run_began_is_taken_by_the_next(over: Over, feed: Feed) -> None:
    """Sites write local time as UTC, and runs take hours: such an entry is of the future only for a while."""
    feed.entries["soon"] = Written("entry soon", NOW + HOUR)
    one = over(rss(feed))
    one.collect()
    one.now += DAY
    one.collect()
    assert "entry soon" in one.texts


@pytest.mark.parametrize("header", ["ETag", "Server"])
def test_header_that_is_no_ascii_stops_nothing(over: Over, feed: Feed, header: str) -> None:
    body = feed.answer(Asked("GET", "/", {}, {})).body
    feed.instead = lambda asked: Answer(body, headers={header: '"é"'})
    one = over(rss(feed))
    one.collect()
    one.now += DAY
    one.collect()
    assert one.texts == ["entry a", "entry b"]


def test_cursor_that_no_store_takes_stops_only_its_query(
    over: Over, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKY_PASSWORD", "invented")
    sky = Bluesky("invented", "token")
    sky.posts = {"p1": Written("from the sky", NOW - HOUR)}
    sky.instead = lambda asked: (
        as_json(json.loads(sky.answer(asked).body) | {"cursor": "\ud800"}) if "search" in asked.path else None
    )
    with serving(sky):
        signed_in = {"identifier": "SKY_PASSWORD", "password": "SKY_PASSWORD"}
        one = over(rss(feed), source("bluesky", sky.url, endpoints=("search",), credentials=signed_in))
        one.collect()
    assert "entry a" in one.texts


# --- edits


def test_edited_post_replaces_its_version_and_is_classified_again(
    over: Over, site: WordPress, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.posts = {n: Written(f"they keep our passports {n}", NOW - n * DAY) for n in (1, 2)}
    one = over(wordpress(site, overlap_hours=72))
    classifier = Classifier.from_settings(one.settings)
    monkeypatch.setattr(Classifier, "from_settings", lambda settings: classifier)  # loading it twice takes seconds

    def run() -> list[dict[str, int]]:
        with open_context(one.settings, one.workdir, arguments=str(one.now), now=one.now) as context:
            run_collect(context, one.settings.sources, days=collected_days(context))
            return [counts(run_detect_language(context)), counts(run_classify(context))]

    assert [told["done"] for told in run()] == [2, 2]
    one.now += HOUR
    assert [told["done"] for told in run()] == [0, 0]
    site.posts[2] = replace(site.posts[2], text="the boss gave our passports back")
    one.now += HOUR
    assert [(told["done"], told["skipped"]) for told in run()] == [(1, 1), (1, 1)]
    assert one.texts == ["the boss gave our passports back", "they keep our passports 1"]
    assert len(one.lake.parts("signals")) == 2


def test_post_that_its_source_now_dates_otherwise_moves(over: Over, site: WordPress) -> None:
    one = over(wordpress(site, overlap_hours=72))
    one.collect()
    site.posts[10] = replace(site.posts[10], at=NOW - 30 * HOUR)
    one.now += HOUR
    assert counts(one.collect())["edited_posts"] == 1
    assert one.texts == ALL
    assert one.posts[-1].created_at == NOW - 30 * HOUR


# --- follow-ups and quota


def test_pages_lead_to_queries_that_are_asked_in_the_same_run(over: Over, videos: YouTube) -> None:
    one = over(youtube(videos))
    one.collect()
    assert one.texts == [*(f"comment {n}" for n in range(3)), *(f"video {n}" for n in range(3))]
    assert [asked.path.rpartition("/")[2] for asked in videos.take()] == ["search", *["commentThreads"] * 3]


@pytest.mark.parametrize("end", ["budget", "kill"])
def test_what_pages_led_to_is_not_lost_when_the_budget_ends_or_the_program_dies(
    over: Over, videos: YouTube, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    one = over(youtube(videos, overlap_hours=0), concurrency=1)
    if end == "budget":
        one.limit(max_requests_per_run=2)
        one.collect()
        one.limit(max_requests_per_run=10)
    else:
        with monkeypatch.context() as patched:
            die_at_page(patched, 2)
            with pytest.raises(KeyboardInterrupt):
                one.collect()
    begun = one.read(collecting.open_questions, "youtube")
    assert len(begun) == (2 if end == "budget" else 3)
    videos.take()
    videos.videos.clear()  # no search finds them any more: only what was remembered leads there
    one.collect()
    asked = Counter(asked.params.get("videoId") for asked in videos.take() if "videoId" in asked.params)
    assert asked == {(window.question or {})["words"]: 1 for window in begun}
    assert [text for text in one.texts if text.startswith("comment")] == ["comment 0", "comment 1", "comment 2"]
    assert one.read(collecting.open_questions, "youtube") == []


def test_comments_that_are_switched_off_are_no_failure_and_not_asked_for_again(over: Over, videos: YouTube) -> None:
    del videos.comments["v1"]
    one = over(youtube(videos, overlap_hours=0))
    assert counts(one.collect())["failures"] == 0
    videos.take()
    one.now += HOUR
    one.collect()
    assert all(asked.path.endswith("/search") for asked in videos.take())


def test_units_of_a_day_are_spent_once_and_come_back_with_the_sources_day(over: Over, videos: YouTube) -> None:
    one = over(youtube(videos, limits={"max_units_per_day": 102, "quota_timezone": "America/Los_Angeles"}))
    one.collect()
    assert len(videos.take()) == 3, "a search of 100 units and two lists of one each"
    one.now += 18 * HOUR  # still March 2 in California
    one.collect_some()
    assert videos.take() == []
    assert one.read(collecting.spent_units, "youtube", date(2026, 3, 2)) == 102
    assert one.health == {"youtube": State.BUDGET}
    one.now += 3 * HOUR
    one.collect()
    assert 100 <= one.read(collecting.spent_units, "youtube", date(2026, 3, 3)) <= 102
    assert [text for text in one.texts if text.startswith("comment")] == ["comment 0", "comment 1", "comment 2"]


def test_comments_left_from_the_last_run_are_asked_for_once_though_a_search_leads_there_again(
    over: Over, videos: YouTube
) -> None:
    one = over(youtube(videos, overlap_hours=24), concurrency=1)
    one.limit(max_requests_per_run=1)
    one.collect()
    one.limit(max_requests_per_run=100)
    videos.take()
    one.now += HOUR
    one.collect()
    asked = Counter(asked.params.get("videoId", "search") for asked in videos.take())
    assert asked == {"search": 1, "v0": 1, "v1": 1, "v2": 1}


def test_quota_that_is_spent_is_no_failed_run(over: Over, videos: YouTube) -> None:
    one = over(youtube(videos, limits={"max_units_per_day": 110}))
    one.collect()
    videos.take()
    one.now += HOUR
    report = one.collect()
    assert videos.take() == []
    assert any("max_units_per_day" in told for told in report.warnings)


# --- several targets and sources


def test_targets_of_a_source_are_asked_each_for_its_own_and_same_numbers_are_two_posts(over: Over) -> None:
    here, there = WordPress(), WordPress()
    here.posts, there.posts = {1: Written("here", NOW - HOUR)}, {1: Written("there", NOW - HOUR)}
    with serving(here, there):
        places = [{"url": here.url}, {"url": there.url, "country": "ES", "sector": "vegetables", "language": "es"}]
        one = over(source("wordpress", *places))
        one.collect()
    assert [(post.text, post.country, post.asked_in) for post in one.posts] == [
        ("here", "TH", "en"),
        ("there", "ES", "es"),
    ]
    assert len({post.post_id for post in one.posts}) == 2


def test_post_found_by_two_endpoints_is_one(over: Over, site: WordPress) -> None:
    site.posts[11] = Written("factory wages", NOW - HOUR)
    one = over(wordpress(site, endpoints=("posts", "search")))
    told = counts(one.collect())
    assert one.texts.count("factory wages") == 1
    assert told["duplicates"] == 1


def test_budget_of_all_sources_together_is_kept(over: Over, site: WordPress, feed: Feed) -> None:
    one = over(wordpress(site), rss(feed), max_requests_per_run=2)
    report = one.collect()
    assert len(site.take()) + len(feed.take()) == 2
    assert any("collect.max_requests_per_run" in told for told in report.warnings)


def test_run_that_was_killed_days_ago_and_is_resumed_loses_nothing_of_the_days_between(over: Over, feed: Feed) -> None:
    one = over(rss(feed))
    with open_context(one.settings, one.workdir, arguments="collect", now=NOW):
        pass  # killed before it asked
    feed.entries["later"] = Written("entry later", NOW + 3 * DAY)
    for day in (4, 5):
        now = NOW + day * DAY
        with open_context(one.settings, one.workdir, arguments="collect" if day == 4 else "next", now=now) as context:
            run_collect(context, one.settings.sources, days=collected_days(context))
        one.write(runs.finish_run, context.run.run_id, status=runs.COLLECTED, now=now)
    assert "entry later" in one.texts


def test_report_is_kept_with_the_run(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    told = counts(one.collect())
    run = one.read(runs.get_run, one.run_ids[0])
    assert run is not None
    assert (run.status, run.report["collect"]) == (runs.COLLECTED, told)
    assert one.read(runs.latest_run) is None, "a run that only collected has no figures"

"""Asking at its edges: pages that can't be read, cursors gone stale, what a page leads to, and what no source should answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from asking_world import (
    NOW,
    SPAN,
    START,
    Notes,
    Server,
    ask,
    by_cursor,
    page,
    plan,
    reasons,
    task,
    video,
)
from polite import client

from screener.collect.asking import Asking
from screener.collect.keeper import Validators
from screener.collect.tasks import Task
from screener.records import GapReason, Span


@pytest.mark.parametrize("n_broken", [1, 2, 3, 5])
def test_unreadable_page_is_asked_for_again_a_few_times(n_broken: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return page("1") if len(server.asked) > n_broken else httpx.Response(200, content=b"<html>busy")

    server = Server(answer)
    asked = ask(server, task(), max_unreadable=3)
    assert len(server.asked) == min(3, n_broken + 1)
    assert reasons(asked) == ({} if n_broken < 3 else {"wages": GapReason.ERROR})
    assert all("an HTML page" in gap.detail for gap in asked.missing)


def test_unreadable_second_page_is_asked_for_again_by_its_cursor() -> None:
    answers = iter([page("1", next="p2"), httpx.Response(200, content=b"{"), page("2")])
    server, notes = Server(lambda request: next(answers)), Notes()
    assert ask(server, task(), notes=notes).missing == []
    assert [request.url.params.get("cursor") for request in server.asked] == [None, "p2", "p2"]
    assert len(notes.posts) == 2


def test_good_status_that_says_busy_is_asked_for_again_like_an_unreadable_page() -> None:
    server = Server(lambda request: page(is_busy=len(server.asked) < 3))
    assert ask(server, task()).missing == []
    assert len(server.asked) == 3
    always = Server(lambda request: page(is_busy=True))
    asked = ask(always, task(), max_unreadable=2)
    assert (len(always.asked), reasons(asked)) == (2, {"wages": GapReason.ERROR})
    assert not asked.outcomes[task().query.key].is_terminal


def test_stale_cursor_begins_anew_once() -> None:
    answers = iter([httpx.Response(400), page("1", next="p2"), page("2")])
    server, notes = Server(lambda request: next(answers)), Notes()
    assert ask(server, task(cursor="stale", n_read=40), notes=notes).missing == []
    assert [asking.n_read for asking, _, _ in notes.kept] == [0, 1], "the cap is counted from the first page again"
    assert [request.url.params.get("cursor") for request in server.asked] == ["stale", None, "p2"]


def test_cursor_that_goes_stale_again_is_an_error() -> None:
    server = Server(lambda request: httpx.Response(400) if "cursor" in request.url.params else page("1", next="p2"))
    asked = ask(server, task(cursor="stale"))
    assert [request.url.params.get("cursor") for request in server.asked] == ["stale", None, "p2"]
    assert reasons(asked) == {"wages": GapReason.ERROR}


@pytest.mark.parametrize("status", [401, 403, 503])
def test_other_failures_do_not_begin_anew(status: int) -> None:
    server = Server(lambda request: httpx.Response(status))
    ask(server, task(cursor="p2"))
    assert len(server.asked) == 1


def test_pages_read_before_a_failure_are_kept() -> None:
    notes = Notes()
    asked = ask(by_cursor(first=page("1", next="p2"), p2=httpx.Response(503)), task(), notes=notes)
    assert len(notes.posts) == 1
    assert notes.finished[0][0].cursor == "p2", "the next run goes on from here"
    assert asked.answered == {task().query.key: []}


def test_nothing_changed_is_an_answer() -> None:
    server, notes = Server(lambda request: httpx.Response(304)), Notes(validators={"If-None-Match": '"1"'})
    asking = task(endpoint="feed")
    asked = ask(server, asking, notes=notes)
    assert server.asked[0].headers["if-none-match"] == '"1"'
    assert (asked.answered, asked.missing) == ({asking.query.key: [SPAN]}, [])
    assert asked.outcomes[asking.query.key].n_unchanged == 1
    assert notes.finished == [(asking, None)]


@pytest.mark.parametrize("endpoint", ["search", "feed"])
def test_nothing_changed_is_no_answer_where_nothing_was_said_of_before(endpoint: str) -> None:
    asked = ask(lambda request: httpx.Response(304), task(endpoint=endpoint))
    assert reasons(asked) == {"wages": GapReason.ERROR}
    assert (asked.answered, asked.outcomes[task(endpoint=endpoint).query.key].n_unchanged) == ({}, 0)


def test_what_an_answer_says_of_its_freshness_is_kept() -> None:
    notes = Notes()
    fresh = httpx.Response(200, json={"posts": []}, headers={"ETag": '"2"', "Last-Modified": "today"})
    ask(lambda request: fresh, task(endpoint="feed"), notes=notes)
    ask(lambda request: page("1"), task(endpoint="feed"), notes=notes)
    assert notes.said == [Validators('"2"', "today"), Validators()]


def test_only_the_first_page_of_a_conditional_endpoint_is_asked_for_on_condition() -> None:
    server = Server(lambda request: page("1") if "cursor" in request.url.params else page("2", next="p2"))
    ask(server, task(endpoint="feed"), task("a"), notes=Notes(validators={"If-None-Match": '"1"'}))
    asked = {
        (request.url.path, "cursor" in request.url.params): "if-none-match" in request.headers
        for request in server.asked
    }
    assert asked == {
        ("/feed", False): True,
        ("/feed", True): False,
        ("/search", False): False,
        ("/search", True): False,
    }


def test_what_a_page_leads_to_is_asked_up_to_now_for_an_old_video_may_have_new_comments() -> None:
    notes, turn = Notes(), {"order": 7, "asked_until": START}
    asking = task(**turn)
    asked = ask(video, asking, notes=notes)
    led_to, up_to_now = replace(asking.query, endpoint="comments", words="v1"), Span(SPAN.start, NOW)
    assert [then.tasks for _, _, then in notes.kept] == [(Task(led_to, up_to_now, **turn),), ()]
    assert asked.answered == {asking.query.key: [SPAN], led_to.key: [up_to_now]}
    assert asked.queries == {asking.query.key: asking.query, led_to.key: led_to}
    assert asked.tasks == [asking, Task(led_to, up_to_now, **turn)], "the ledger speaks of what was led to as well"
    assert len(notes.posts) == 2


def test_what_a_page_leads_to_is_left_where_the_source_was_not_to_be_asked_for_it() -> None:
    server = Server(video)
    with client(server) as polite:
        Asking(polite, Notes(), [plan(endpoints=["search"])], concurrency=1, max_unreadable=1).run([task()])
    assert [request.url.path for request in server.asked] == ["/search"]


def test_what_two_pages_lead_to_is_asked_once() -> None:
    server = Server(video)
    asked = ask(server, task("a"), task("b"))
    assert [request.url.path for request in server.asked].count("/comments") == 1
    assert [asking.query.words for asking in asked.tasks] == ["a", "b", "v1"]


def test_what_a_page_led_to_and_is_gone_is_no_error() -> None:
    asked = ask(lambda r: httpx.Response(404) if r.url.path == "/comments" else video(r), task())
    assert reasons(asked) == {"v1": GapReason.NO_DATA}
    assert [outcome.failures for outcome in asked.outcomes.values()] == [[], []]


def test_page_that_is_the_same_for_ever_ends_long_before_the_budget() -> None:
    server = Server(lambda request: page("1", next=f"p{len(server.asked)}"))
    asked = ask(server, task())
    assert (len(server.asked), reasons(asked)) == (2, {"wages": GapReason.ERROR})
    assert "pages without end" in asked.missing[0].detail


def test_stretch_that_a_page_says_is_missing_is_told() -> None:
    asked = ask(
        lambda request: page("1", is_capped=True), replace(task(), span=Span(START, START + timedelta(seconds=1)))
    )
    assert reasons(asked) == {"wages": GapReason.ERROR}
    (gap,) = asked.missing
    assert "can't be cut further" in gap.detail
    assert asked.outcomes[gap.query.key].failures == [gap.detail]


def test_stretch_that_a_source_no_longer_lists_is_told_and_no_failure() -> None:
    asked = ask(lambda request: page("1", is_capped=True), replace(task(endpoint="feed"), span=Span(START, NOW)))
    (gap,) = asked.missing
    assert (gap.reason, gap.span.start) == (GapReason.NO_DATA, START)
    assert asked.outcomes[gap.query.key].failures == []


@pytest.mark.parametrize("wrong", [{"words": "x" * 70_000}, {"target": "https://union.example:port"}])
def test_what_no_address_can_hold_ends_its_own_task_only(wrong: dict[str, str]) -> None:
    asked = ask(lambda request: page("1"), task(**wrong), task("wages", order=1))
    assert [gap.reason for gap in asked.missing] == [GapReason.ERROR]
    assert asked.answered == {task("wages").query.key: [SPAN]}


def test_walk_that_begins_anew_may_meet_its_old_cursors_again() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        cursor = request.url.params.get("cursor")
        if cursor == "p3" and sum("cursor=p3" in str(asked.url) for asked in server.asked) == 1:
            return httpx.Response(400)
        following = {None: "p2", "p2": "p3", "p3": None}[cursor]
        return page(f"{cursor}", next=following) if following else page(f"{cursor}")

    server = Server(answer)
    asked = ask(server, task())
    assert [request.url.params.get("cursor") for request in server.asked] == [None, "p2", "p3", None, "p2", "p3"]
    assert reasons(asked) == {}

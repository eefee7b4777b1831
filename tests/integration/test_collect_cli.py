"""Collecting from the command line: plans, health, secrets, and a program that is killed."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from integration.sites import Answer, Asked, Bluesky, Mastodon, Site, WordPress, Written, as_json, serving
from screener.cli import app
from screener.records import Post
from servers.collecting import Place, keep_watches, make_place, posts_of

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
KEY = "ab" * 32


@pytest.fixture
def site() -> Iterator[WordPress]:
    """Nine posts of the last nine hours, three a page."""
    site = WordPress()
    site.posts = {number: Written(f"post {number}", NOW - (10 - number) * HOUR) for number in range(1, 10)}
    with serving(site):
        yield site


def target(site: Site, **values: object) -> dict[str, object]:
    return {"url": site.url, "country": "TH", "sector": "poultry", "reason": "invented", **values}


def source(kind: str, site: Site, *endpoints: str, **values: object) -> dict[str, object]:
    return {"kind": kind, "name": kind, "endpoints": list(endpoints), "targets": [target(site)], **values}


def at(folder: Path, *sources: dict[str, object], **collect: object) -> Place:
    place = make_place(folder, *sources, **{"max_attempts": 1, "max_wait_seconds": 0.05, **collect})
    keep_watches(place.config, ("TH", "poultry"))
    return place


def screener(place: Place, *arguments: str) -> Result:
    """A command in this process."""
    options = place.arguments
    if arguments[:2] in {("sources", "check"), ("sources", "list")}:  # they look at no working directory
        options = ["--config", str(place.config)]
    return CliRunner().invoke(app, [*arguments, *options])


def said(result: Result) -> str:
    """All output on one line, so that wrapping does not hide words."""
    return " ".join(result.output.split())


# --- plans


def test_plan_asks_nothing_and_says_what_would_be_asked_at_what_cost(tmp_path: Path, site: WordPress) -> None:
    place = at(tmp_path, source("wordpress", site, "posts", "search"))
    result = screener(place, "collect", "--plan")
    assert result.exit_code == 0, result.output
    assert "at least 5 of 5,000 requests a run" in said(result)
    assert "poultry" in said(result)
    told = json.loads(screener(place, "collect", "--plan", "--format", "json").stdout)
    assert [(one["source"], one["n_queries"], one["not_asked"]) for one in told] == [("wordpress", 5, None)]
    assert {query["language"] for query in told[0]["queries"]} == {None, "th", "my", "km", "lo"}
    assert site.take() == []
    assert not place.workdir.lake.exists()


def test_plan_names_the_variable_that_is_missing_and_the_days_of_a_backfill(tmp_path: Path, site: WordPress) -> None:
    place = at(tmp_path, source("mastodon", site, "search", credentials={"token": "NO_SUCH_TOKEN"}))
    assert "NO_SUCH_TOKEN is not set" in said(screener(place, "collect", "--plan"))
    since = (NOW - timedelta(days=60)).date()
    (told,) = json.loads(
        screener(
            place, "collect", "--plan", "--format", "json", "--since", str(since), "--until", str(NOW.date())
        ).stdout
    )
    assert (told["since"][:10], told["until"][:10]) == (str(since), str(NOW.date()))
    assert site.take() == []


def test_plan_warns_of_more_than_the_budget(tmp_path: Path, site: WordPress) -> None:
    limits = {"max_requests_per_run": 2, "seconds_between_requests": 0.0}
    place = at(tmp_path, source("wordpress", site, "search", limits=limits))
    assert "more than the budget of one run" in said(screener(place, "collect", "--plan"))


# --- collecting


def test_collect_says_what_came_and_a_second_time_nothing_is_new(tmp_path: Path, site: WordPress) -> None:
    place = at(tmp_path, source("wordpress", site, "posts"))
    first, second = screener(place, "collect"), screener(place, "collect")
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert "new posts 9" in said(first)
    assert "new posts 0" in said(second)
    assert len(posts_of(place.workdir)) == 9


def test_collect_of_one_source_leaves_the_others_alone(tmp_path: Path, site: WordPress) -> None:
    other = WordPress()
    with serving(other):
        place = at(tmp_path, source("wordpress", site, "posts"), source("wordpress", other, "posts", name="other"))
        assert screener(place, "collect", "--source", "wordpress").exit_code == 0
        assert other.take() == []
    refused = screener(place, "collect", "--source", "nowhere")
    assert refused.exit_code == 2
    assert "not among the enabled sources: other, wordpress" in said(refused)


def test_collect_fails_if_nobody_answers(tmp_path: Path, site: WordPress) -> None:
    site.instead = lambda asked: Answer(status=503)
    result = screener(at(tmp_path, source("wordpress", site, "posts")), "collect")
    assert result.exit_code == 1
    assert "nothing could be collected" in said(result)
    assert "Traceback" not in result.output


def test_run_that_only_collected_gives_no_figures(tmp_path: Path, site: WordPress) -> None:
    place = at(tmp_path, source("wordpress", site, "posts"))
    assert screener(place, "collect").exit_code == 0
    (answer,) = json.loads(
        screener(place, "risk", "--country", "TH", "--sector", "poultry", "--format", "json").stdout
    )["answers"]
    assert answer["band"] == "insufficient_evidence"
    assert answer["run_id"] is None


def test_housekeeping_refreshes_and_says_what_it_did(tmp_path: Path, site: WordPress) -> None:
    place = at(tmp_path, source("wordpress", site, "posts", refresh_days=1))
    screener(place, "collect")
    del site.posts[9]
    result = screener(place, "housekeeping", "--refresh", "--all")
    assert result.exit_code == 0, result.output
    assert "refreshed 9, found gone 1, deletions 1, posts deleted 1" in said(result)
    assert len(posts_of(place.workdir)) == 8


# --- health


def test_status_tells_of_a_source_that_is_quiet_and_fails_if_asked_to(tmp_path: Path, site: WordPress) -> None:
    off = source("wordpress", site, "posts", name="switched-off", enabled=False)
    place = at(tmp_path, source("wordpress", site, "posts", min_posts_per_week=1000), off)
    assert "enabled, and not asked yet" in said(screener(place, "sources", "status"))
    screener(place, "collect")
    good = screener(place, "sources", "status", "--fail")
    assert good.exit_code == 0
    assert "good" in said(good)
    assert "switched-off" not in said(good)
    assert "switched-off" in said(screener(place, "sources", "status", "--all"))
    collected = screener(place, "collect")
    assert "warning: wordpress is quiet" in said(collected)
    shown, failing = screener(place, "sources", "status"), screener(place, "sources", "status", "--fail")
    assert (shown.exit_code, failing.exit_code) == (0, 1)
    assert "quiet" in said(shown)
    (told,) = json.loads(screener(place, "sources", "status", "--format", "json").stdout)
    assert (told["source"], told["state"]) == ("wordpress", "quiet")


def test_check_asks_each_door_once_and_keeps_nothing(tmp_path: Path, site: WordPress) -> None:
    place = at(tmp_path, source("wordpress", site, "posts", "search", enabled=False))
    result = screener(place, "sources", "check", "wordpress")
    assert result.exit_code == 0, result.output
    assert len(site.take()) == 2
    assert not place.workdir.lake.exists()
    site.instead = lambda asked: Answer(status=403)
    refused = screener(place, "sources", "check", "wordpress")
    assert refused.exit_code == 1
    assert "HTTP 403" in said(refused)
    assert screener(place, "sources", "check", "nowhere").exit_code == 2
    assert screener(place, "sources", "check").exit_code == 2


# --- secrets

SECRETS = {
    "SKY_IDENTIFIER": "collector.of-nobody.example",
    "SKY_PASSWORD": "pass-word-of-nobody",
    "FED_TOKEN": "token-of-nobody",
}
SIGNED_IN = "jwt-of-nobody"


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Bluesky, Mastodon]]:
    """Two servers that want credentials; their secrets are set."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    sky, fed = Bluesky(SECRETS["SKY_PASSWORD"], SIGNED_IN), Mastodon(SECRETS["FED_TOKEN"])
    sky.posts, fed.posts = {"p1": Written("from the sky", NOW - HOUR)}, {7: Written("from a server", NOW - HOUR)}
    with serving(sky, fed):
        yield sky, fed


def of_both(sky: Bluesky, fed: Mastodon) -> list[dict[str, object]]:
    signed_in = {"identifier": "SKY_IDENTIFIER", "password": "SKY_PASSWORD"}
    return [
        source("bluesky", sky, "search", credentials=signed_in, refresh_days=1),
        source("mastodon", fed, "public", credentials={"token": "FED_TOKEN"}, refresh_days=1),
    ]


def leaks(place: Place, results: list[Result], log: pytest.LogCaptureFixture, *words: str) -> list[str]:
    """Where any of the words can be read: files, output, log, tracebacks."""
    held = {str(path): path.read_bytes() for path in place.workdir.root.rglob("*") if path.is_file()}
    held |= {f"output {n}": f"{result.output}{result.exception!r}".encode() for n, result in enumerate(results)}
    held["log"] = log.text.encode()
    return [where for where, content in held.items() if any(word.encode() in content for word in words)]


def everything(place: Place) -> list[Result]:
    """Every command that speaks with sources or about them."""
    commands = (
        ("collect", "--plan", "--format", "json"), ("collect",), ("housekeeping", "--refresh", "--all"), ("sources", "check", "bluesky"),
        ("sources", "status", "--all", "--format", "json"), ("sources", "list"), ("db", "problems"),
    )  # fmt: skip
    results = [screener(place, *command) for command in commands]
    assert all(result.exit_code in {0, 1} for result in results), "none was given wrongly"
    return results


def echo(status: int) -> Callable[[Asked], Answer]:
    """A server that sends back all that it was sent, wherever it can."""

    def answer(asked: Asked) -> Answer:
        told = f"{asked.headers.get('authorization')} {asked.body.decode()}"
        place = f"http://127.0.0.1/?token={asked.headers.get('authorization', '').rpartition(' ')[2]}"
        return as_json({"error": told, "message": told, "error_description": told}, status, Location=place)

    return answer


def test_credentials_let_in_and_stay_out_of_files_output_and_log(
    tmp_path: Path, closed: tuple[Bluesky, Mastodon], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    place = at(tmp_path, *of_both(*closed))
    results = everything(place)
    assert sorted(post.text for post in posts_of(place.workdir)) == ["from a server", "from the sky"]
    assert leaks(place, results, caplog, *SECRETS.values(), SIGNED_IN) == []
    assert "SKY_PASSWORD" in said(screener(place, "sources", "list")), "the name is told, the value is not"


@pytest.mark.parametrize(
    ("signs_in", "status"),
    [
        (True, 200),
        (True, 400),
        (True, 401),
        (True, 403),
        (True, 500),
        (False, 200),
        (False, 302),
        (False, 401),
        (False, 422),
    ],
)
def test_secrets_that_a_server_sends_back_are_nowhere(
    tmp_path: Path, closed: tuple[Bluesky, Mastodon], caplog: pytest.LogCaptureFixture, *, signs_in: bool, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    sky, fed = closed
    place, sent_back = at(tmp_path, *of_both(sky, fed)), echo(status)
    sky.instead = lambda asked: None if signs_in and asked.path.endswith("createSession") else sent_back(asked)
    fed.instead = sent_back
    results = everything(place)
    assert sky.asked
    assert fed.asked
    assert leaks(place, results, caplog, *SECRETS.values(), SIGNED_IN) == []


def test_secret_that_json_writes_otherwise_is_struck_out_too(
    tmp_path: Path, closed: tuple[Bluesky, Mastodon], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKY_PASSWORD", 'with "quotes" of-nobody-else')
    sky, fed = closed
    sky.instead = echo(401)
    place = at(tmp_path, *of_both(sky, fed))
    assert leaks(place, everything(place), caplog, "of-nobody-else") == []


# --- kills


def lake_of(place: Place) -> list[Post]:
    """Posts without what depends on the run that collected them."""
    found = [replace(post, run_id="", collected_at=NOW, sealed_id=None) for post in posts_of(place.workdir)]
    return sorted(found, key=lambda post: post.post_id)


def test_program_that_is_killed_again_and_again_ends_with_the_lake_of_an_undisturbed_one(
    tmp_path: Path, site: WordPress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCREENER_PSEUDONYM_KEY", KEY)
    calm, killed = (at(tmp_path / name, source("wordpress", site, "posts")) for name in ("calm", "killed"))
    assert screener(calm, "collect").exit_code == 0
    site.take()
    assert [collect_and_kill(killed, site, after) for after in (2, 2)] == [-signal.SIGKILL] * 2
    kept = list((killed.workdir.root / "spool").glob("*.parquet"))
    assert kept, "what was read before the kill is on disk"
    assert screener(killed, "collect").exit_code == 0
    assert lake_of(killed) == lake_of(calm)
    assert [asked.params["page"] for asked in site.take()] == ["1", "2", "2", "3", "3"]


def collect_and_kill(place: Place, site: WordPress, after: int) -> int:
    """The exit status of a run that is killed while it waits for its n-th answer."""
    command = [sys.executable, "-m", "screener", "collect", *place.arguments]
    with subprocess.Popen(
        command, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        answered: list[Asked] = []

        def kill(asked: Asked) -> None:
            answered.append(asked)
            if len(answered) == after:
                process.kill()
                process.wait()

        site.instead = kill
        process.wait(timeout=30)
    site.instead = lambda asked: None
    return process.returncode

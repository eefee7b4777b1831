"""A real WordPress end to end behind a faulty line: 2,000 posts once each, unchanged feeds, edits, deletions, and kills."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fault_proxy
import pytest
from collecting import Place, make_place, posts_of
from fault_proxy import FaultProxy
from wordpress_server import INSTALLED, Site, wordpress

from screener.collect.keyed import post_id
from screener.store.lake import Lake
from screener.workdir import Workdir

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(
        not (INSTALLED.exists() and fault_proxy.is_installed()), reason="needs tests/servers/install.sh"
    ),
]

N_POSTS, N_KILLS = 2000, 20
ENVIRONMENT = os.environ | {"SCREENER_PSEUDONYM_KEY": "5c" * 32}


@dataclass
class World:
    """The site, its posts' numbers, and the faulty line to it."""

    site: Site
    numbers: list[int]
    line: FaultProxy

    def sources(self, **more: Any) -> list[dict[str, Any]]:
        target = {
            "url": self.line.address,
            "country": "BD",
            "sector": "textiles-garments",
            "language": "en",
            "reason": "The site under test.",
        }
        posts = {
            "kind": "wordpress", "name": "wordpress", "endpoints": ["posts"], "lookback_days": 365, "refresh_days": 30, "targets": [target],
        }  # fmt: skip
        feed = {
            "kind": "rss",
            "name": "rss",
            "endpoints": ["feed"],
            "targets": [target | {"url": f"{self.site.address}/feed/"}],
        }
        return [posts | more, feed]

    def ids(self, numbers: list[int]) -> set[str]:
        place = self.line.address.partition("://")[2]
        return {post_id("wordpress", f"{place}/?p={number}") for number in numbers}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with wordpress() as site:
        numbers = site.fill(N_POSTS, minutes_apart=20)
        with FaultProxy(site.address) as line:
            yield World(site, numbers, line)


@pytest.fixture(scope="module")
def place(world: World, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return make_place(tmp_path_factory.mktemp("wordpress"), *world.sources(), backoff_seconds=0.1)


def start(place: Place, *command: str, errors: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "screener", *command, *place.arguments], env=ENVIRONMENT, start_new_session=True, text=True,
        stdout=subprocess.DEVNULL, stderr=errors,
    )  # fmt: skip


def run(place: Place, *command: str) -> str:
    process = start(place, *command, errors=subprocess.PIPE)
    _, told = process.communicate(timeout=600)
    assert process.returncode == 0, told[-3000:]
    return told


def of_wordpress(place: Place) -> list[Any]:
    return [post for post in posts_of(place.workdir) if post.source == "wordpress"]


def contents(workdir: Workdir) -> dict[str, str | None]:
    """Fingerprints of all parts: what the posts say, not when they were collected."""
    lake = Lake(workdir.lake)
    return {
        part.path: lake.fingerprint("posts", part)
        for part in lake.parts("posts")
        if part.partition.source == "wordpress"
    }


def test_every_post_is_collected_once(world: World, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    told = run(place, "collect")
    with capsys.disabled():
        print(f"\nWordPress: {len(of_wordpress(place))} posts in {time.monotonic() - began:.0f} s; {told.strip()}")
    found = Counter(post.post_id for post in of_wordpress(place))
    assert found == Counter(world.ids(world.numbers))


def test_second_run_gets_nothing_new_and_no_feed(place: Place) -> None:
    told = run(place, "collect")
    assert "unchanged 1" in told
    assert "new posts 0, edited posts 0" in told


def test_edits_replace_and_deletions_erase(world: World, place: Place) -> None:
    edited, deleted = world.numbers[100:120], world.numbers[500:510]
    for number in edited:
        world.site.edit(number, f"the owner has paid at last, says number {number}")
    for number in deleted:
        world.site.delete(number)
    told = run(place, "housekeeping", "--refresh", "--all")
    posts = {post.post_id: post for post in of_wordpress(place)}
    assert posts.keys() == world.ids([number for number in world.numbers if number not in deleted]), told
    assert all("paid at last" in posts[one].text for one in world.ids(edited))
    run(place, "collect")
    assert not world.ids(deleted) & {post.post_id for post in of_wordpress(place)}


def test_killed_runs_end_with_the_lake_of_a_calm_one(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calm = make_place(tmp_path / "calm", *world.sources()[:1], backoff_seconds=0.1)
    killed = make_place(tmp_path / "killed", *world.sources()[:1], backoff_seconds=0.1)
    began = time.monotonic()
    run(calm, "collect")
    lasts = time.monotonic() - began
    moments, rng = [], random.Random(7)
    for _ in range(N_KILLS):
        process, moment = start(killed, "collect"), rng.uniform(0.8, 0.8 + lasts / 4)
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        moments.append(round(moment, 1))
    run(killed, "collect")
    with capsys.disabled():
        print(f"\nkilled after {moments} s, a calm run lasts {lasts:.1f} s")
    assert contents(killed.workdir) == contents(calm.workdir)
    assert not list((killed.workdir.root / "spool").glob("*"))

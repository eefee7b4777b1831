"""The Mastodon API end to end behind a faulty line: every post of a server once, then deletions learnt by asking again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import fault_proxy
import pytest
from atproto_servers import free_port
from collecting import Place, make_place, posts_of
from fault_proxy import FaultProxy
from mastodon_mock_server import MockServer, mastodon_mock, token_of

from screener.collect.keyed import post_id

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(not fault_proxy.is_installed(), reason="needs tests/servers/install.sh"),
]

N_POSTS = 1000
SERIES = "ok,429,ok,503,ok,reset,ok,html,ok,cut,ok,slow"
REFRESH_DAYS = 7


@dataclass
class World:
    server: MockServer
    line: FaultProxy
    place: Place
    written: list[str]

    def id_of(self, number: str) -> str:
        return post_id("mastodon", f"{self.line.address.partition('://')[2]}/{number}")

    def found(self) -> Counter[str]:
        return Counter(post.post_id for post in posts_of(self.place.workdir))

    def run(self, *command: str) -> str:
        env = os.environ | {"SCREENER_PSEUDONYM_KEY": "5c" * 32, "MOCK_TOKEN": token_of("mina")}
        done = subprocess.run(  # noqa: PLW1510  (its status is what is looked at)
            [sys.executable, "-m", "screener", *command, *self.place.arguments], env=env, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stderr


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    port = free_port()
    with mastodon_mock(domain=f"127.0.0.1:{port}") as server, FaultProxy(server.address, SERIES, port=port) as line:
        written = [
            server.post(f"Day {day} without pay, and the doors are locked #LabourRights") for day in range(N_POSTS)
        ]
        target = {
            "url": line.address,
            "country": "BD",
            "sector": "textiles-garments",
            "language": "en",
            "reason": "The server under test.",
        }
        source = {
            "kind": "mastodon", "name": "mastodon", "endpoints": ["public"], "refresh_days": REFRESH_DAYS, "targets": [target],
            "credentials": {"token": "MOCK_TOKEN"},
        }  # fmt: skip
        place = make_place(tmp_path_factory.mktemp("mastodon"), source, backoff_seconds=0.1)
        yield World(server, line, place, written)


def test_every_post_is_collected_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    told = world.run("collect")
    with capsys.disabled():
        print(f"\nMastodon: {told.strip()}")
    assert world.found() == Counter(map(world.id_of, world.written))


def test_second_run_adds_nothing(world: World) -> None:
    assert "new posts 0, edited posts 0" in world.run("collect")


def test_deleted_and_edited_posts_are_learnt_of_when_their_turn_comes(world: World) -> None:
    turn = datetime.now(UTC).date().toordinal() % REFRESH_DAYS
    due = [number for number in world.written if int(world.id_of(number)[:8], 16) % REFRESH_DAYS == turn]
    deleted, edited = due[:30], due[30:40]
    for number in deleted:
        world.server.delete(number)
    for number in edited:
        world.server.edit(number, "They have paid at last #LabourRights")
    told = world.run("housekeeping", "--refresh")
    assert f"refreshed {len(due)}, found gone 30" in told
    kept = [number for number in world.written if number not in deleted]
    assert world.found() == Counter(map(world.id_of, kept))
    texts = {post.post_id: post.text for post in posts_of(world.place.workdir)}
    assert {texts[world.id_of(number)] for number in edited} == {"They have paid at last #LabourRights"}

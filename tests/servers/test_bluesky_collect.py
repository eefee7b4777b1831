"""Bluesky end to end: 5,000 posts of a real network behind a faulty line, each collected once; then deletions, honoured everywhere."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fault_proxy
import pytest
from atproto_network import PASSWORD, Account, AtprotoNetwork, is_installed, post
from collecting import Place, keep_watches, make_place, posts_of
from fault_proxy import FaultProxy

from screener.collect.keyed import post_id
from screener.collect.phrases import words_of
from screener.settings import load_settings
from screener.store.database import open_store, reading, store_url
from screener.store.erasing import list_erasures
from screener.store.results import list_evidence
from screener.store.reviews import list_items
from screener.store.runs import latest_run

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(not (is_installed() and fault_proxy.is_installed()), reason="needs tests/servers/install.sh"),
]

WATCH = ("MY", "examination-gloves")
N_ACCOUNTS, N_EACH = 50, 100
NOW = datetime.now(UTC).replace(microsecond=0)
TOLD = "they keep our passports in the office and have not paid our wages for three months, says worker number"


@dataclass
class World:
    """The network, what was written to it, and where it is collected."""

    network: AtprotoNetwork
    place: Place
    accounts: list[Account]
    addresses: dict[str, list[str]]
    noise: list[str]

    @property
    def wanted(self) -> set[str]:
        return {post_id("bluesky", address) for addresses in self.addresses.values() for address in addresses}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        env = os.environ | {
            "SKY_IDENTIFIER": "collector.test",
            "SKY_PASSWORD": PASSWORD,
            "SCREENER_PSEUDONYM_KEY": "5c" * 32,
        }
        done = subprocess.run(  # noqa: PLW1510  (its status is what is looked at)
            [sys.executable, "-m", "screener", *command, *self.place.arguments], env=env, capture_output=True, text=True, timeout=1200,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done


def texts(folder: Path) -> dict[str, list[str]]:
    """Posts that search finds, that only the firehose finds, and that only a look at the author finds, in nine languages."""
    place = make_place(folder)
    keep_watches(place.config, WATCH)
    settings = load_settings(place.config)
    phrases = [words.phrases[0] for words in words_of(settings.watches[0], settings)]
    assert len({words.language for words in words_of(settings.watches[0], settings)}) >= 8
    turns = itertools.cycle(phrases)
    found = {"searched": [f"{next(turns)} {TOLD} {n}" for n in range(3000)]}
    # search looks for the phrase as it stands; all of its words in another order answer to the watch, too
    found["streamed"] = [" , ".join(reversed(next(turns).split())) + f" ; {TOLD} {n}" for n in range(1000)]
    found["followed"] = [f"{TOLD} {n}" for n in range(1000)]
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("sky")
    written = texts(folder / "words")
    with AtprotoNetwork(rate_limits=True) as network, FaultProxy(network.pds) as line:
        network.create_account("collector")
        accounts = [network.create_account(f"worker{n}") for n in range(N_ACCOUNTS)]
        ages = itertools.count()

        def record(text: str) -> dict[str, object]:
            return post(text, created_at=NOW - timedelta(minutes=1 + next(ages) * 7))

        kinds = [("searched", 0, 30), ("streamed", 30, 40), ("followed", 40, 50)]
        addresses: dict[str, list[str]] = {}
        for kind, first, last in kinds:
            shares = [written[kind][n :: last - first] for n in range(last - first)]
            for account, share in zip(accounts[first:last], shares, strict=True):
                addresses[account.did] = network.write_posts(account, [record(text) for text in share])
        noisy = network.create_account("noisy")
        noise = network.write_posts(noisy, [record(f"what a lovely cat {n}") for n in range(300)])
        network.wait_indexed(N_ACCOUNTS * N_EACH + 300, seconds=120)
        followed = [
            {
                "url": line.address, "endpoints": ["authors"], "place": account.did, "country": WATCH[0], "sector": WATCH[1],
                "reason": "Someone whom the test follows.",
            }
            for account in accounts[40:50]
        ]  # fmt: skip
        source = {
            "kind": "bluesky", "name": "bluesky", "endpoints": ["search", "authors", "firehose"], "refresh_days": 7,
            "credentials": {"identifier": "SKY_IDENTIFIER", "password": "SKY_PASSWORD"},
            "targets": [
                {"url": line.address, "endpoints": ["search"], "reason": "The network under test."},
                {"url": network.pds, "endpoints": ["firehose"], "place": "all", "reason": "Its stream, from the start."},
                *followed,
            ],
        }  # fmt: skip
        place = make_place(folder / "collect", source, backoff_seconds=0.1)
        keep_watches(place.config, WATCH)
        yield World(network, place, accounts, addresses, noise)


def test_every_post_is_collected_once_through_a_faulty_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    done = world.run("collect")
    took = time.monotonic() - began
    found = Counter(one.post_id for one in posts_of(world.place.workdir))
    with capsys.disabled():
        print(f"\nBluesky: {len(found)} posts in {took:.0f} s; {done.stderr.strip()}")
    assert not world.wanted - found.keys(), "posts were lost"
    assert not found.keys() - world.wanted, "posts came that no watch asks for"
    assert max(found.values()) == 1, "posts lie in the lake twice"


def test_asking_again_adds_nothing(world: World) -> None:
    before = {(one.post_id, one.text) for one in posts_of(world.place.workdir)}
    world.run("collect")
    assert {(one.post_id, one.text) for one in posts_of(world.place.workdir)} == before


def test_what_is_deleted_leaves_every_store(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run = json.loads(world.run("run", "--format", "json").stdout)
    assert run["indicators"]
    gone = [address for account in world.accounts[:10] for address in world.addresses[account.did][:10]]
    for account in world.accounts[:10]:
        for address in world.addresses[account.did][:10]:
            world.network.delete_post(account, address)
    world.network.deactivate(world.accounts[12])
    gone += world.addresses[world.accounts[12].did]
    assert len(gone) == 200
    ids = {post_id("bluesky", address) for address in gone}
    assert ids & _ids_in_store(world), "nothing of what is deleted was in the store to begin with"
    began = time.monotonic()
    world.run("collect")
    world.run("housekeeping")
    took = time.monotonic() - began
    assert {one.post_id for one in posts_of(world.place.workdir)} == world.wanted - ids
    assert not ids & _ids_in_store(world)
    assert not any(gone_id.encode() in path.read_bytes() for path in _files(world) for gone_id in sorted(ids)[:20])
    engine = open_store(store_url(world.place.workdir))
    with reading(engine) as connection:
        log = list_erasures(connection)
    engine.dispose()
    assert sum(entry.n_posts for entry in log) == 200
    assert not any(gone_id in repr(log) for gone_id in ids)
    with capsys.disabled():
        print(f"\nBluesky: 200 posts deleted, all gone {took:.0f} s later; {log}")
    world.run("collect")
    assert not ids & {one.post_id for one in posts_of(world.place.workdir)}, "a deleted post came back"


def _ids_in_store(world: World) -> set[str]:
    """Posts in evidence and review queue, with texts."""
    engine = open_store(store_url(world.place.workdir))
    with reading(engine) as connection:
        run = latest_run(connection)
        assert run is not None
        quoted = {row.post_id for row in list_evidence(connection, run.run_id, limit=100_000)}
        queued = {item.post_id for item in list_items(connection) if item.text}
    engine.dispose()
    return quoted | queued


def _files(world: World) -> list[Path]:
    return [
        path for path in world.place.workdir.root.rglob("*") if path.is_file() and path.suffix in {".parquet", ".json"}
    ]

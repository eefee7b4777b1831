"""Listening to a stream on this machine: where it is gone on with, what is deleted, and what is said when it breaks off."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import libipld
import pytest
from websockets.sync.server import ServerConnection, serve

from integration.collector import DAY, HOUR, NOW, Collector, counts, source
from screener.collect.health import State
from screener.records import GapReason
from screener.settings.sources import ApiSource
from screener.store import runs

Over = Callable[..., Collector]
DID = "did:plc:sewingunionexample2222"
WAGES = "the factory did not pay our wages"


@dataclass
class Stream:
    """A relay: whoever names a cursor gets all events after it, others those from now on, which is the last one here.

    Listeners leave when an event is as late as their run, so the last one of a test is.
    """

    events: dict[int, bytes] = field(default_factory=dict)
    cursors: list[str] = field(default_factory=list)
    url: str = ""
    breaks: bool = False

    def write(self, seq: int, text: str, at: datetime) -> None:
        stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        record = {"$type": "app.bsky.feed.post", "text": text, "langs": ["en"], "createdAt": stamp}
        self._commit(seq, {"action": "create", "path": f"app.bsky.feed.post/p{seq}"}, at, record)

    def delete(self, seq: int, written: int, at: datetime) -> None:
        self._commit(seq, {"action": "delete", "path": f"app.bsky.feed.post/p{written}"}, at, None)

    def _commit(self, seq: int, op: dict[str, Any], at: datetime, record: dict[str, Any] | None) -> None:
        block = libipld.encode_dag_cbor(record or {})
        cid = b"\x01\x71\x12\x20" + hashlib.sha256(block).digest()
        sections = [libipld.encode_dag_cbor({"version": 1, "roots": [cid]}), cid + block]
        blocks = b"".join(_varint(len(section)) + section for section in sections)
        payload = {
            "seq": seq, "repo": DID, "time": f"{at:%Y-%m-%dT%H:%M:%S.000Z}", "ops": [op | {"cid": cid if record else None}],
            "blocks": blocks, "tooBig": False,
        }  # fmt: skip
        self.events[seq] = libipld.encode_dag_cbor({"op": 1, "t": "#commit"}) + libipld.encode_dag_cbor(payload)

    def answer(self, connection: ServerConnection) -> None:
        """All that came after the cursor, then what comes next."""
        cursor = (connection.request.path if connection.request else "").partition("cursor=")[2]
        self.cursors.append(cursor)
        for seq, event in sorted(self.events.items()):
            if seq > int(cursor or max(self.events) - 1):
                connection.send(event)
        if self.breaks:
            connection.socket.close()


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])


@pytest.fixture
def stream() -> Iterator[Stream]:
    stream = Stream()
    with serve(stream.answer, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stream.url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        yield stream
        server.shutdown()


def firehose(stream: Stream, place: str | None = None) -> ApiSource:
    return source("bluesky", {"url": stream.url, "place": place}, endpoints=("firehose",))


def test_posts_that_answer_to_a_watch_are_kept_and_the_next_run_goes_on_after_them(over: Over, stream: Stream) -> None:
    stream.write(1, WAGES, NOW - 2 * HOUR)
    stream.write(2, "what a sunset", NOW)
    one = over(firehose(stream, "all"))
    one.collect()
    assert [(post.text, post.country, post.sector, post.asked_in) for post in one.posts] == [
        (WAGES, "TH", "poultry", "en")
    ]
    stream.write(3, f"{WAGES} again", NOW + HOUR)
    stream.write(4, "what a sunrise", NOW + DAY)
    one.now += DAY
    assert counts(one.collect())["new_posts"] == 1
    assert stream.cursors == ["0", "2"]
    assert one.texts == [WAGES, f"{WAGES} again"]


def test_post_that_the_stream_deletes_goes(over: Over, stream: Stream) -> None:
    stream.write(1, WAGES, NOW - 2 * HOUR)
    stream.write(2, f"{WAGES} too", NOW)
    one = over(firehose(stream, "all"))
    one.collect()
    stream.delete(3, 1, NOW + HOUR)
    stream.delete(4, 999, NOW + DAY)
    one.now += DAY
    assert counts(one.collect())["deleted_posts"] == 1
    assert one.texts == [f"{WAGES} too"]
    assert one.rows("SELECT count(*) FROM tombstones") == [(1,)], "posts that are not here are nobody's business"


def test_stream_that_breaks_off_leaves_what_was_heard_and_is_told(over: Over, stream: Stream) -> None:
    stream.write(1, WAGES, NOW - HOUR)
    stream.breaks = True
    one = over(firehose(stream, "all"))
    report = one.collect()
    assert any("the stream broke off" in told for told in report.warnings)
    assert one.texts == [WAGES]
    assert one.health == {"bluesky": State.FAILING}


def test_stretch_that_was_not_heard_stands_in_ledger_and_gaps(over: Over, stream: Stream) -> None:
    stream.write(1, WAGES, NOW)
    one = over(firehose(stream, "all"))
    one.collect()
    stream.write(2, WAGES, NOW + HOUR)
    stream.breaks = True
    one.now += DAY
    one.collect_some()
    assert {gap.reason.partition(":")[0] for gap in one.read(runs.list_gaps, one.run_ids[-1])} == {GapReason.ERROR}
    assert {row.reason for row in one.days.values()} >= {GapReason.ERROR}


def test_listener_that_heard_nothing_of_interest_goes_on_where_it_stopped(over: Over, stream: Stream) -> None:
    stream.write(1, "what a sunset", NOW + HOUR)
    one = over(firehose(stream))
    one.collect()
    stream.write(2, WAGES, NOW + 2 * HOUR)
    stream.write(3, "what a sunrise", NOW + 2 * DAY)
    one.now += DAY
    one.collect()
    assert one.texts == [WAGES]

"""The firehose: frames put together here, byte by byte as the specification says, and what may be wrong with them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import libipld
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.connectors.bluesky_firehose import Event, parse_frame, stream_url
from screener.errors import ParseError
from screener.records import DiscardReason, RawPost

DID = "did:plc:sewingunionexample2222"
TIME = "2026-02-27T09:15:06.402Z"
SEEN = datetime(2026, 2, 27, 9, 15, 6, 402000, tzinfo=UTC)
PATH = "app.bsky.feed.post/3lnunpaid0001"
ADDRESS = f"at://{DID}/{PATH}"
RECORD = {
    "$type": "app.bsky.feed.post", "text": "তিন মাসের বেতন বকেয়া", "langs": ["bn"], "createdAt": "2026-02-27T09:15:04Z",
    "reply": {"parent": {"uri": f"at://{DID}/app.bsky.feed.post/up"}, "root": {"uri": f"at://{DID}/app.bsky.feed.post/top"}},
    "embed": {"$type": "app.bsky.embed.record", "record": {"uri": f"at://{DID}/app.bsky.feed.post/quoted"}},
}  # fmt: skip


def frame(kind: str | None, payload: object, *, op: object = 1) -> bytes:
    header = {"op": op} | ({} if kind is None else {"t": kind})
    return libipld.encode_dag_cbor(header) + libipld.encode_dag_cbor(payload)


def varint(number: int) -> bytes:
    """Unsigned LEB128, as CAR files write lengths."""
    *low, last = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([*(part | 0x80 for part in low), last])


def cid_of(block: bytes) -> bytes:
    """CID version 1: DAG-CBOR, SHA-256."""
    return b"\x01\x71\x12\x20" + hashlib.sha256(block).digest()


def car(*blocks: bytes) -> bytes:
    header = libipld.encode_dag_cbor({"version": 1, "roots": [cid_of(b"commit")]})
    sections = [header, *(cid_of(block) + block for block in blocks)]
    return b"".join(varint(len(section)) + section for section in sections)


def op(action: str, path: str = PATH, record: object = RECORD) -> dict[str, Any]:
    cid = None if action == "delete" else cid_of(libipld.encode_dag_cbor(record))
    return {"action": action, "path": path, "cid": cid}


def commit(*ops: object, records: tuple[object, ...] = (RECORD,), **more: object) -> bytes:
    slices = car(*(libipld.encode_dag_cbor(record) for record in records))
    return frame(
        "#commit", {"seq": 7, "repo": DID, "time": TIME, "ops": list(ops), "blocks": slices, "tooBig": False} | more
    )


def reasons(event: Event) -> list[DiscardReason]:
    return [entry.reason for entry in event.rejected]


def test_new_post_is_read_with_its_account_time_and_places() -> None:
    expected = RawPost(
        ADDRESS, "তিন মাসের বেতন বকেয়া", datetime(2026, 2, 27, 9, 15, 4, tzinfo=UTC), DID, language_hint="bn",
        reply_to=f"at://{DID}/app.bsky.feed.post/up", thread=f"at://{DID}/app.bsky.feed.post/top",
        quoted=f"at://{DID}/app.bsky.feed.post/quoted",
    )  # fmt: skip
    assert parse_frame(commit(op("create"))) == Event(7, SEEN, posts=(expected,))


def test_post_from_the_future_has_the_time_of_its_frame() -> None:
    late = RECORD | {"createdAt": "2031-01-01T00:00:00Z"}
    (post,) = parse_frame(commit(op("create", record=late), records=(late,))).posts
    assert post.created_at == SEEN


def test_edited_post_says_when() -> None:
    (post,) = parse_frame(commit(op("update"))).posts
    assert post.edited_at == SEEN


def test_deleted_post_is_gone() -> None:
    assert parse_frame(commit(op("delete"), records=())) == Event(7, SEEN, gone=(ADDRESS,))


def test_likes_follows_and_profiles_are_passed_over() -> None:
    others = [
        op(action, f"app.bsky.{name}/3ln")
        for action in ("create", "delete")
        for name in ("feed.like", "graph.follow", "feed.postgate")
    ]
    assert parse_frame(commit(*others)) == Event(7, SEEN)


def test_post_and_deletion_of_one_commit_both_count() -> None:
    event = parse_frame(
        commit(op("create"), op("create", "app.bsky.feed.like/3ln"), op("delete", "app.bsky.feed.post/old"))
    )
    assert [post.native_id for post in event.posts] == [ADDRESS]
    assert event.gone == (f"at://{DID}/app.bsky.feed.post/old",)


def test_post_without_text_is_passed_over() -> None:
    picture = RECORD | {"text": ""}
    assert parse_frame(commit(op("create", record=picture), records=(picture,))) == Event(7, SEEN)


@pytest.mark.parametrize("status", ["deleted", "deactivated", "takendown", "suspended", None, "a state not known yet"])
def test_account_that_is_closed_is_gone(status: str | None) -> None:
    told = {"seq": 8, "did": DID, "time": TIME, "active": False} | ({} if status is None else {"status": status})
    assert parse_frame(frame("#account", told)) == Event(8, SEEN, gone_authors=(DID,))


@pytest.mark.parametrize(
    "told",
    [{"active": True}, {"active": False, "status": "desynchronized"}, {"active": False, "status": "throttled"}, {}],
)
def test_account_that_is_open_or_in_trouble_between_servers_stays(told: dict[str, object]) -> None:
    assert parse_frame(frame("#account", {"seq": 8, "did": DID, "time": TIME, **told})) == Event(8, SEEN)


def test_tombstone_of_older_relays_is_gone_too() -> None:
    assert parse_frame(frame("#tombstone", {"seq": 8, "did": DID, "time": TIME})).gone_authors == (DID,)


@pytest.mark.parametrize("error", ["FutureCursor", "ConsumerTooSlow"])
def test_error_frame_ends_the_stream_with_its_name(error: str) -> None:
    assert parse_frame(frame(None, {"error": error, "message": "..."}, op=-1)) == Event(None, None, error=error)


def test_outdated_cursor_says_that_a_stretch_was_lost() -> None:
    told = frame("#info", {"name": "OutdatedCursor", "message": "..."})
    assert parse_frame(told) == Event(None, None, notice="OutdatedCursor")


@pytest.mark.parametrize(
    ("kind", "number"), [("#identity", 1), ("#sync", 1), ("#handle", 1), ("#new", 1), ("#commit", 2)]
)
def test_frames_of_no_use_or_not_known_yet_only_move_the_cursor(kind: str, number: int) -> None:
    assert parse_frame(frame(kind, {"seq": 9, "did": DID, "time": TIME}, op=number)) == Event(9, SEEN)


@pytest.mark.parametrize(
    "more", [{"blocks": b""}, {"blocks": None}, {"blocks": car()}, {"blocks": car(b"\xff")}, {"blocks": commit(op("create"))[:-9]}]
)  # fmt: skip
def test_commit_whose_blocks_are_missing_or_damaged_costs_its_posts_but_not_its_deletions(
    more: dict[str, object],
) -> None:
    event = parse_frame(commit(op("create"), op("delete", "app.bsky.feed.post/old"), **more))
    assert (event.seq, event.posts, reasons(event)) == (7, (), [DiscardReason.BAD_ROW])
    assert event.gone == (f"at://{DID}/app.bsky.feed.post/old",)


def test_commit_too_big_for_the_stream_is_counted() -> None:
    event = parse_frame(commit(tooBig=True, records=()))
    assert reasons(event) == [DiscardReason.BAD_ROW]
    assert (event.rejected[0].source, event.rejected[0].where) == ("bluesky", "firehose#seq7")
    assert "did:" not in repr(event.rejected)


@pytest.mark.parametrize(
    ("odd", "more", "reason"),
    [
        ({"cid": None}, {}, DiscardReason.BAD_ROW),
        ({"cid": "bafy"}, {}, DiscardReason.BAD_ROW),
        ({}, {"repo": 3}, DiscardReason.NO_ID),
        ({"path": "app.bsky.feed.post/"}, {}, DiscardReason.NO_ID),
        ({"path": "app.bsky.feed.post/a/b"}, {}, DiscardReason.NO_ID),
    ],
)
def test_operation_that_cannot_be_read_is_rejected(
    odd: dict[str, object], more: dict[str, object], reason: DiscardReason
) -> None:
    event = parse_frame(commit(op("create") | odd, **more))
    assert (event.posts, reasons(event)) == ((), [reason])


def test_block_that_is_no_record_is_rejected() -> None:
    event = parse_frame(commit(op("create", record=["text"]), records=(["text"],)))
    assert reasons(event) == [DiscardReason.NOT_AN_OBJECT]


def test_deletion_in_an_account_without_a_did_names_nothing() -> None:
    assert parse_frame(commit(op("delete"), repo="handle.example")).gone == ()


@pytest.mark.parametrize(
    "damaged",
    [
        b"", b"\xa1", b"<html>", libipld.encode_dag_cbor({"op": 1, "t": "#commit"}), frame("#commit", {}) + b"\xa0",
        frame("#commit", []), frame("#commit", {"time": TIME}), frame("#commit", {"seq": "7"}), frame("#commit", {"seq": True}),
        frame("#account", {"seq": 0}), frame("#account", {"seq": -1}), b"\x81" * 100_000, commit(op("create"))[:-1],
    ],
)  # fmt: skip
def test_damaged_frame_is_a_parse_error(damaged: bytes) -> None:
    with pytest.raises(ParseError, match="firehose frame"):
        parse_frame(damaged)


@pytest.mark.parametrize(
    ("target", "seq", "url"),
    [
        ("https://relay.example", None, "wss://relay.example/xrpc/com.atproto.sync.subscribeRepos"),
        ("https://relay.example", 0, "wss://relay.example/xrpc/com.atproto.sync.subscribeRepos?cursor=0"),
        ("http://127.0.0.1:2583", 42, "ws://127.0.0.1:2583/xrpc/com.atproto.sync.subscribeRepos?cursor=42"),
    ],
)
def test_stream_is_at_the_targets_own_host(target: str, seq: int | None, url: str) -> None:
    assert stream_url(target, seq) == url


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=6))
def test_frame_with_any_bytes_exchanged_is_an_event_or_a_parse_error(place: int, bytes_: bytes) -> None:
    whole = commit(op("create"), op("delete", "app.bsky.feed.post/old"))
    place %= len(whole)
    try:
        event = parse_frame(whole[:place] + bytes_ + whole[place + len(bytes_) :])
    except ParseError:
        return
    assert isinstance(event, Event)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=6) | st.binary(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(["seq", "repo", "did", "time", "ops", "blocks", "tooBig", "active", "status"]),
    VALUES,
    st.sampled_from(["#commit", "#account", "#info"]),
)
def test_whatever_stands_in_a_frame_only_known_errors_come_out(key: str, value: object, kind: str) -> None:
    payload = {
        "seq": 7,
        "repo": DID,
        "did": DID,
        "time": TIME,
        "ops": [op("create")],
        "blocks": car(),
        "active": False,
    } | {key: value}
    try:
        event = parse_frame(frame(kind, payload))
    except ParseError:
        assert key == "seq"
        return
    assert isinstance(event, Event)

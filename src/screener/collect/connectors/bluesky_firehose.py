"""Bluesky's firehose: one frame of ``com.atproto.sync.subscribeRepos`` becomes the posts and the deletions it tells of.

Reference: https://atproto.com/specs/event-stream and https://atproto.com/specs/sync; terms as in
:mod:`screener.collect.connectors.bluesky`. It is public, carries every post of the network (or of one server), and is the only
source that tells of deletions and closed accounts at once, as the sync specification expects us to follow them.

Known gaps: signatures and hashes are not checked, the relay is trusted as an API is. Posts without text are passed over. A
frame doesn't say whether its author wants to be shown to signed-in people only; the next refresh of the post leaves it out.
``#sync`` frames announce a state that the stream doesn't carry: what was posted or deleted in between is learnt from a refresh.
On one server's own stream a moved account ends as *deactivated*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import libipld

from screener.collect.connectors.bluesky_records import (
    COLLECTION,
    KIND,
    is_did,
    is_post,
    quarantine,
    read_record,
    read_time,
)
from screener.collect.json_values import inside, word
from screener.errors import ParseError
from screener.records import DiscardReason, Quarantined, RawPost

_STILL_THERE = frozenset({"desynchronized", "throttled"})
"""States of an inactive account that are trouble between servers, nothing that its owner or a moderator decided."""


@dataclass(frozen=True, slots=True)
class Event:
    """What one frame says. ``seq`` is the cursor to go on from, ``None`` in frames that have none.

    ``gone`` are addresses of deleted posts, ``gone_authors`` DIDs of accounts that are deleted, deactivated, taken down or
    suspended. ``error`` ends the stream: *FutureCursor* (the server counts anew, so our cursor means nothing to it any
    more) or *ConsumerTooSlow* (connect again). ``notice`` doesn't; *OutdatedCursor* says that a stretch was lost.
    """

    seq: int | None
    time: datetime | None
    posts: tuple[RawPost, ...] = ()
    rejected: tuple[Quarantined, ...] = ()
    gone: tuple[str, ...] = ()
    gone_authors: tuple[str, ...] = ()
    error: str | None = None
    notice: str | None = None


def stream_url(target: str, seq: int | None) -> str:
    """Where to listen: ``https`` becomes ``wss``, ``http`` ``ws``. From ``seq`` on, 0 for all that is kept, ``None`` for now."""
    cursor = "" if seq is None else f"?cursor={seq}"
    return f"ws{target.removeprefix('http')}/xrpc/com.atproto.sync.subscribeRepos{cursor}"


def parse_frame(frame: bytes, source: str = KIND) -> Event:
    """The event in a frame; raises ``ParseError`` for one that is damaged, after which the stream can't be trusted.

    Kinds of frames that we have no use for, or don't know yet, become events with nothing but their ``seq``.
    """
    header, body = _decode(frame)
    if header.get("op") == -1:
        return Event(None, None, error=word(body, "error") or "unnamed error")
    kind, seq = word(header, "t"), body.get("seq")
    if kind == "#info":
        return Event(None, None, notice=word(body, "name") or "unnamed notice")
    is_counted = type(seq) is int and seq > 0
    event = Event(seq if is_counted else None, read_time(body.get("time")))
    if header.get("op") != 1 or kind not in {"#commit", "#account", "#tombstone"}:
        return event
    if not is_counted:
        raise ParseError("firehose frame", f"{kind} without a seq")
    if kind == "#commit":
        return _commit(event, body, source)
    did = body.get("did")
    is_gone = kind == "#tombstone" or (body.get("active") is False and word(body, "status") not in _STILL_THERE)
    return replace(event, gone_authors=(did,)) if is_gone and is_did(did) else event


def _decode(frame: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        parts = libipld.decode_dag_cbor_multi(frame)
    except (ValueError, RecursionError) as error:
        raise ParseError("firehose frame", f"no DAG-CBOR ({error})") from error
    if len(parts) != 2 or not all(isinstance(part, dict) for part in parts):
        raise ParseError("firehose frame", "needs two objects, a header and a payload")
    return parts[0], parts[1]


def _commit(event: Event, body: dict[str, Any], source: str) -> Event:
    """Posts made, edited and deleted in one account's repository; likes, follows and the rest are not even decoded."""
    posts: list[RawPost] = []
    gone: list[str] = []
    reasons = [DiscardReason.BAD_ROW] if body.get("tooBig") is True else []
    ops = body.get("ops")
    touched = [op for op in ops if _touches_post(op)] if isinstance(ops, list) else []
    blocks = _blocks(body) if any(op.get("action") != "delete" for op in touched) else {}
    for op in touched:
        address = f"at://{body.get('repo')}/{op['path']}"
        if op.get("action") == "delete":
            gone += [address] if is_post(address) else []
            continue
        post = _read_op(event, address, op, blocks)
        if isinstance(post, RawPost):
            posts.append(post)
        elif post is not DiscardReason.NO_TEXT:
            reasons.append(post)
    rejected = tuple(quarantine(reason, source, f"firehose#seq{event.seq}", None) for reason in reasons)
    return replace(event, posts=tuple(posts), gone=tuple(gone), rejected=rejected)


def _touches_post(op: object) -> bool:
    return (word(op, "path") or "").startswith(f"{COLLECTION}/")


def _blocks(body: dict[str, Any]) -> dict[bytes, Any]:
    """Records by CID; none if the slice is missing or damaged, which costs its posts but not the stream."""
    car = body.get("blocks")
    try:
        return dict(libipld.decode_car(car)[1]) if isinstance(car, bytes) else {}
    except (ValueError, RecursionError):
        return {}


def _read_op(event: Event, address: str, op: object, blocks: dict[bytes, Any]) -> RawPost | DiscardReason:
    cid = inside(op, "cid")
    record = blocks.get(cid) if isinstance(cid, bytes) else None
    if record is None:
        return DiscardReason.BAD_ROW
    post = read_record(address, record, event.time)
    if isinstance(post, RawPost) and inside(op, "action") == "update":
        return replace(post, edited_at=event.time)
    return post

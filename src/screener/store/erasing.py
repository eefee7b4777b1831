"""Deletions heard of, and the log that says they were honoured without saying what was deleted.

A tombstone holds the id of a post (or the pseudonym of an author) only until it is applied. After that a keyed token is left,
by which the same post is turned away if a source's search still serves it; the token can't be turned back into an id.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from screener.records import Erasure, Tombstone
from screener.store.tables import erasures, tombstones
from screener.store.times import as_utc

_IDS = 500


def add_tombstones(connection: Connection, found: Iterable[Tombstone], *, now: datetime) -> int:
    """Remember deletions; those known already are applied once more. Returns how many are new."""
    by_token = {stone.token: stone for stone in found}
    known: set[str] = set()
    tokens = list(by_token)
    for first in range(0, len(tokens), _IDS):
        query = select(tombstones.c.token).where(tombstones.c.token.in_(tokens[first : first + _IDS]))
        known |= set(connection.execute(query).scalars())
    rows = [
        {"token": s.token, "source": s.source, "post_id": s.post_id, "author": s.author, "received_at": now}
        for token, s in by_token.items()
        if token not in known
    ]
    if rows:
        connection.execute(insert(tombstones), rows)
    for token in known:  # a post that got in again all the same must be found again
        again = {"post_id": by_token[token].post_id, "author": by_token[token].author, "applied_at": None}
        if again["post_id"] or again["author"]:
            connection.execute(update(tombstones).where(tombstones.c.token == token).values(again))
    return len(rows)


def pending_tombstones(connection: Connection) -> list[Tombstone]:
    """Deletions that were not applied yet."""
    query = select(tombstones).where(tombstones.c.applied_at.is_(None)).order_by(tombstones.c.token)
    return [Tombstone(r["token"], r["source"], r["post_id"], r["author"]) for r in connection.execute(query).mappings()]


def known_tokens(connection: Connection, source: str) -> frozenset[str]:
    """Tokens of everything of this source that is deleted."""
    return frozenset(connection.execute(select(tombstones.c.token).where(tombstones.c.source == source)).scalars())


def drop_pending(connection: Connection, tokens: Iterable[str]) -> None:
    """Deletions that are not believed: they must not be applied later by themselves, when the lake has grown."""
    chosen = list(tokens)
    for first in range(0, len(chosen), _IDS):
        connection.execute(delete(tombstones).where(tombstones.c.token.in_(chosen[first : first + _IDS])))


def mark_applied(connection: Connection, tokens: Iterable[str], *, now: datetime) -> None:
    """The deletions are done: forget which posts and authors they were about."""
    chosen = list(tokens)
    for first in range(0, len(chosen), _IDS):
        where = tombstones.c.token.in_(chosen[first : first + _IDS])
        connection.execute(update(tombstones).where(where).values(post_id=None, author=None, applied_at=now))


def forget_tombstones(connection: Connection, *, before: datetime) -> int:
    """Delete tokens of deletions so old that no text from then may be in the lake anyway."""
    return connection.execute(delete(tombstones).where(tombstones.c.applied_at < before)).rowcount


def log_erasure(connection: Connection, erasure: Erasure) -> None:
    """Say that something was erased, when, of which source and how much; never what."""
    values = {
        "erased_at": erasure.erased_at, "source": erasure.source, "cause": erasure.cause, "n_tombstones": erasure.n_tombstones,
        "n_posts": erasure.n_posts, "n_evidence": erasure.n_evidence, "n_review_items": erasure.n_review_items,
        "n_review_texts": erasure.n_review_texts,
    }  # fmt: skip
    connection.execute(insert(erasures).values(values))


def list_erasures(connection: Connection, limit: int = 100) -> list[Erasure]:
    """The erasure log, newest first."""
    query = select(erasures).order_by(erasures.c.erasure_id.desc()).limit(limit)
    return [
        Erasure(
            as_utc(r["erased_at"]), r["source"], r["cause"], n_tombstones=r["n_tombstones"], n_posts=r["n_posts"],
            n_evidence=r["n_evidence"], n_review_items=r["n_review_items"], n_review_texts=r["n_review_texts"],
        )
        for r in connection.execute(query).mappings()
    ]  # fmt: skip

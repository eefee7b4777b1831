"""Tombstones until they are applied, tokens after that, and a log that says how much and never what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from screener.collect.keyed import post_token, tombstone_of_author, tombstone_of_post
from screener.records import Erasure, Tombstone
from screener.store import erasing
from screener.store.database import Connection

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
SECRET = bytes(range(32))
POST, AUTHOR = tombstone_of_post(SECRET, "forum", "forum.example/1"), tombstone_of_author(SECRET, "forum", "did:1")
ERASURE = Erasure(NOW, "forum", "deletion", n_tombstones=2, n_posts=3, n_evidence=1, n_review_items=1, n_review_texts=0)


def everything(connection: Connection, table: str) -> str:
    return " ".join(str(row) for row in connection.execute(text(f"SELECT * FROM {table}")).all())


def by_token(*stones: Tombstone) -> list[Tombstone]:
    return sorted(stones, key=lambda stone: stone.token)


def test_deletions_wait_until_they_are_applied(connection: Connection) -> None:
    assert erasing.pending_tombstones(connection) == []
    assert erasing.add_tombstones(connection, [POST, AUTHOR, POST], now=NOW) == 2
    assert erasing.pending_tombstones(connection) == by_token(POST, AUTHOR)
    assert erasing.add_tombstones(connection, [], now=NOW) == 0


def test_deletion_heard_of_twice_is_one(connection: Connection) -> None:
    erasing.add_tombstones(connection, [POST], now=NOW)
    assert erasing.add_tombstones(connection, [POST, AUTHOR], now=LATER) == 1
    assert connection.execute(text("SELECT count(*) FROM tombstones")).scalar_one() == 2


def test_applied_deletion_keeps_a_token_and_forgets_whom_it_was_about(connection: Connection) -> None:
    erasing.add_tombstones(connection, [POST, AUTHOR], now=NOW)
    erasing.mark_applied(connection, [POST.token, AUTHOR.token], now=NOW)
    assert erasing.pending_tombstones(connection) == []
    assert erasing.known_tokens(connection, "forum") == {POST.token, AUTHOR.token}
    left = everything(connection, "tombstones")
    assert POST.post_id not in left
    assert AUTHOR.author not in left
    assert post_token(bytes(32), str(POST.post_id)) != POST.token, "without the key the token is no way back"


def test_deletion_heard_of_again_after_it_was_applied_is_applied_once_more(connection: Connection) -> None:
    """The post may have got in again meanwhile; what stays in the end is the token alone."""
    erasing.add_tombstones(connection, [POST, AUTHOR], now=NOW)
    erasing.mark_applied(connection, [POST.token, AUTHOR.token], now=NOW)
    assert erasing.add_tombstones(connection, [POST], now=LATER) == 0
    assert erasing.pending_tombstones(connection) == [POST]
    erasing.mark_applied(connection, [POST.token], now=LATER)
    assert erasing.pending_tombstones(connection) == []
    assert str(POST.post_id) not in everything(connection, "tombstones")


def test_token_without_an_id_brings_no_deletion_back(connection: Connection) -> None:
    """Tokens of an author's posts are kept beside the author's own; there is nothing to be found by them."""
    erasing.add_tombstones(connection, [POST], now=NOW)
    erasing.mark_applied(connection, [POST.token], now=NOW)
    erasing.add_tombstones(connection, [replace(POST, post_id=None)], now=LATER)
    assert erasing.pending_tombstones(connection) == []


def test_tokens_are_those_of_one_source_applied_or_not(connection: Connection) -> None:
    elsewhere = tombstone_of_post(SECRET, "videos", "video:1")
    erasing.add_tombstones(connection, [POST, AUTHOR, elsewhere], now=NOW)
    erasing.mark_applied(connection, [AUTHOR.token], now=NOW)
    assert erasing.known_tokens(connection, "forum") == {POST.token, AUTHOR.token}
    assert erasing.known_tokens(connection, "nowhere") == frozenset()


def test_tokens_go_when_no_text_of_their_time_may_be_in_the_lake_and_pending_ones_never(connection: Connection) -> None:
    young = replace(POST, token="young")
    erasing.add_tombstones(connection, [POST, AUTHOR, young], now=NOW)
    erasing.mark_applied(connection, [POST.token], now=NOW)
    erasing.mark_applied(connection, [young.token], now=LATER)
    assert erasing.forget_tombstones(connection, before=LATER) == 1
    assert erasing.known_tokens(connection, "forum") == {AUTHOR.token, young.token}


def test_thousands_of_deletions_go_through(connection: Connection) -> None:
    stones = [tombstone_of_post(SECRET, "forum", str(number)) for number in range(1300)]
    assert erasing.add_tombstones(connection, stones, now=NOW) == 1300
    assert erasing.add_tombstones(connection, stones, now=NOW) == 0
    erasing.mark_applied(connection, [stone.token for stone in stones], now=NOW)
    assert erasing.pending_tombstones(connection) == []
    assert len(erasing.known_tokens(connection, "forum")) == 1300


def test_log_tells_how_much_newest_first(connection: Connection) -> None:
    erasing.log_erasure(connection, ERASURE)
    erasing.log_erasure(connection, replace(ERASURE, source="videos", erased_at=LATER))
    assert erasing.list_erasures(connection) == [replace(ERASURE, source="videos", erased_at=LATER), ERASURE]
    assert erasing.list_erasures(connection, limit=1) == [replace(ERASURE, source="videos", erased_at=LATER)]


def test_log_has_no_column_in_which_an_id_could_stand(connection: Connection) -> None:
    erasing.log_erasure(connection, ERASURE)
    (row,) = connection.execute(text("SELECT * FROM erasures")).mappings()
    words = {name for name, value in row.items() if isinstance(value, str) and name != "erased_at"}
    assert words == {"source", "cause"}
    assert all(name.startswith("n_") or name in {"erasure_id", "erased_at", "source", "cause"} for name in row)

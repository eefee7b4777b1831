"""What is made with the workdir's key: the same again with it, and of no use without it."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.keyed import (
    author_token,
    post_id,
    post_token,
    pseudonym,
    seal,
    tombstone_of_author,
    tombstone_of_post,
    unseal,
)
from screener.errors import ConfigError

KEY = bytes(range(32))
KEYS = st.binary(min_size=32, max_size=32)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@given(KEYS, KEYS, ANY_TEXT)
def test_pseudonym_is_keyed_and_stable(key: bytes, other: bytes, author: str) -> None:
    made = pseudonym(key, "feed", author)
    assert made == pseudonym(key, "feed", author)
    assert len(made) == 32
    assert set(made) <= set("0123456789abcdef")
    assert (made == pseudonym(other, "feed", author)) == (key == other)
    assert made != pseudonym(key, "other-source", author)


def test_what_lies_in_lakes_does_not_change_between_versions() -> None:
    assert pseudonym(KEY, "feed", "@somebody") == "8ddf8ce91c19fb3b0a31166148750414"
    assert post_id("feed", "42") == "8b3ee7648c188f90b8d574e540185a7c"
    assert unseal(KEY, bytes.fromhex("7a14bb1d8af6d45bf590f94f2b61b518de87")) == "42"
    assert post_token(KEY, "p") == hmac.new(KEY, b"deleted post\0p", hashlib.sha256).hexdigest()
    assert author_token(KEY, "a") == hmac.new(KEY, b"deleted author\0a", hashlib.sha256).hexdigest()


@given(KEYS, ANY_TEXT)
def test_sealed_id_opens_again_and_is_sealed_the_same_way_each_time(key: bytes, native_id: str) -> None:
    sealed = seal(key, native_id)
    assert unseal(key, sealed) == native_id
    assert seal(key, native_id) == sealed


@given(ANY_TEXT.filter(lambda text: len(text) > 3))
def test_sealed_id_shows_nothing_of_the_id(native_id: str) -> None:
    sealed = seal(KEY, native_id)
    assert native_id.encode("utf-8", "surrogatepass") not in sealed
    assert sealed != seal(KEY, native_id + "x")


@given(KEYS, ANY_TEXT)
def test_sealed_id_does_not_open_with_another_key(key: bytes, native_id: str) -> None:
    other = bytes([key[0] ^ 1]) + key[1:]
    with pytest.raises(ConfigError, match=r"pseudonym\.key: key: is not the one"):
        unseal(other, seal(key, native_id))


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(16), seal(KEY, "42")[:-1], b"\x00" + seal(KEY, "42")])
def test_damaged_sealed_id_is_refused_like_a_wrong_key(sealed: bytes) -> None:
    with pytest.raises(ConfigError):
        unseal(KEY, sealed)


@given(KEYS, KEYS, st.text("0123456789abcdef", min_size=32, max_size=32))
def test_token_of_what_is_deleted_can_not_be_made_without_the_key(key: bytes, other: bytes, identity: str) -> None:
    for token in (post_token, author_token):
        assert token(key, identity) == token(key, identity)
        assert (token(key, identity) == token(other, identity)) == (key == other)
        assert identity not in token(key, identity)
        assert token(key, identity) != hashlib.sha256(identity.encode()).hexdigest()
    assert post_token(key, identity) != author_token(key, identity)


def test_tombstones_name_what_is_to_go_and_keep_only_the_token() -> None:
    post = tombstone_of_post(KEY, "feed", "42")
    assert (post.source, post.post_id, post.author) == ("feed", post_id("feed", "42"), None)
    assert post.token == post_token(KEY, post_id("feed", "42"))
    author = tombstone_of_author(KEY, "feed", "@somebody")
    assert (author.source, author.post_id, author.author) == ("feed", None, pseudonym(KEY, "feed", "@somebody"))
    assert author.token == author_token(KEY, pseudonym(KEY, "feed", "@somebody"))

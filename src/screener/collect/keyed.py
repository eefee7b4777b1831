"""Pure: everything made with the workdir's secret key: pseudonyms, tokens of what is deleted, sealed ids."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from screener.errors import ConfigError
from screener.records import Tombstone


def pseudonym(key: bytes, source: str, author: str) -> str:
    """Keyed pseudonym of an author within a source (HMAC-SHA-256, RFC 2104), 32 hex digits.

    Keyed, because a bare hash of a public handle is undone by hashing all public handles.
    """
    return _mac(key, f"{source}\0{author}")[:32]


def post_id(source: str, native_id: str) -> str:
    """Stable id of a post: a hash of source and native id, 32 hex digits."""
    return hashlib.sha256(f"{source}\0{native_id}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def post_token(key: bytes, post: str) -> str:
    """What stays of a deleted post's id: enough to know the post again, useless without the key."""
    return _mac(key, f"deleted post\0{post}")


def author_token(key: bytes, author: str) -> str:
    """The same for the pseudonym of an author whose account is gone."""
    return _mac(key, f"deleted author\0{author}")


def tombstone_of_post(key: bytes, source: str, native_id: str) -> Tombstone:
    """The deletion of one post."""
    found = post_id(source, native_id)
    return Tombstone(post_token(key, found), source, post_id=found)


def tombstone_of_author(key: bytes, source: str, author: str) -> Tombstone:
    """The deletion of an account: all its posts go."""
    found = pseudonym(key, source, author)
    return Tombstone(author_token(key, found), source, author=found)


def seal(key: bytes, native_id: str) -> bytes:
    """The native id, encrypted (AES-SIV, RFC 5297): only a refresh pass opens it, to ask whether the post still stands.

    A native id leads to its author, so it may not lie in the lake in the clear. SIV needs no random number: the same id is
    sealed the same way, so two runs over the same posts leave the same lake.
    """
    return _cipher(key).encrypt(native_id.encode("utf-8", "surrogatepass"), None)


def unseal(key: bytes, sealed: bytes) -> str:
    """The native id; raises ``ConfigError`` if it was sealed with another key."""
    try:
        return _cipher(key).decrypt(sealed, None).decode("utf-8", "surrogatepass")
    except InvalidTag as error:
        raise ConfigError("pseudonym.key", "key", "is not the one that the lake was written with") from error


def _mac(key: bytes, message: str) -> str:
    return hmac.new(key, message.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


@lru_cache(maxsize=4)
def _cipher(key: bytes) -> AESSIV:
    """A key of its own, derived (HKDF, RFC 5869): one secret must not serve two algorithms."""
    return AESSIV(HKDF(SHA256(), length=64, salt=None, info=b"screener sealed ids").derive(key))

"""How a source is reached: its pace, its budget, its credentials, and the sign-ins that turn those into tokens.

A credential is added to a request when it leaves, as a header, and only if scheme, host and port are the target's own.
It is in no error, no ``repr`` and no log: what a server echoes of it is struck out, too.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx

from screener.collect.connector import Auth
from screener.collect.guard import is_private_host
from screener.errors import RefusedError, TerminalSourceError

_SHARE_OF_LIFE = 0.9
"""A token is renewed before it expires: a request may wait minutes for its turn, and clocks differ."""
_STALE = frozenset({"ExpiredToken", "InvalidToken"})
"""What AT Protocol servers answer with status 400 where others say 401."""
_USERINFO = re.compile(r"(?<=//)[^/?#@]*@")
_SECRET_PARAMETER = re.compile(
    r"(?i)([?&](?:[^=&#]*(?:token|secret|passw|credential|signature|api[_-]?key)[^=&#]*|key|auth|sig|pwd|session)=)[^&#]*"
)
_MIN_STRUCK_OUT = 6
"""Shorter secrets are not looked for in what a server says: a handle such as ``io`` would tear every second word."""


@dataclass(frozen=True, slots=True)
class Access:
    """How one source is reached at one target.

    ``target`` is the base URL or feed URL of the query. ``max_requests`` is per run, for all targets of the source together,
    retries and sign-ins included. ``secrets`` are by name (identifier, password, token, key); a ``repr`` doesn't show them.
    """

    source: str
    target: str
    seconds_between_requests: float
    max_requests: int
    auth: Auth | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Credential:
    """A header that lets a request in."""

    header: str
    value: str = field(repr=False)


@dataclass
class _Session:
    """What is known of one source at one target; the lock is held while signing in, so that others wait for the token."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    credential: Credential | None = None
    expires_at: float = 0.0
    refusal: TerminalSourceError | None = None
    renewal_is_vain: bool = False


class Sessions:
    """Credentials of all sources, signed in where that is needed: once per source and target, until the token expires.

    ``send`` sends a sign-in with the client's usual care and without credentials of its own. Thread-safe.
    """

    def __init__(
        self, send: Callable[[httpx.Request, Access], httpx.Response], clock: Callable[[], float],
        private_hosts: Collection[str],
    ) -> None:  # fmt: skip
        self._send, self._clock, self._private_hosts = send, clock, private_hosts
        self._sessions: dict[tuple[str, str], _Session] = {}
        self._lock = threading.Lock()

    def credential(self, access: Access, url: httpx.URL) -> Credential | None:
        """What to add to a request for this address; ``None`` if nothing is known or the address isn't the target's.

        Raises what a sign-in raises, and ``RefusedError`` if the credential would travel in the open.
        """
        auth = access.auth
        if auth is None or not access.secrets or _origin(url) != _origin(httpx.URL(access.target)):
            return None
        self._check_sealed(access, url)
        if auth.build_sign_in is None:
            value = access.secrets.get(auth.credential)
            return _carried(access, auth, value) if value else None
        session = self._session(access)
        with session.lock:
            if session.credential is None or self._clock() >= session.expires_at:
                self._sign_in(access, auth, session)
            return session.credential

    def renew(self, access: Access, refused: Credential) -> Credential | None:
        """Another credential after one was refused; ``None`` if there is none to be had.

        Whoever comes second gets the token that the first has just signed in for.
        """
        if access.auth is None or access.auth.build_sign_in is None:
            return None
        session = self._session(access)
        with session.lock:
            if session.credential is None or session.credential == refused:
                if session.renewal_is_vain:
                    return None
                self._sign_in(access, access.auth, session)
            return session.credential

    def give_up_renewing(self, access: Access) -> None:
        """A new token was refused like the old one: the answer isn't about the token, so don't sign in for it again."""
        self._session(access).renewal_is_vain = True

    def forget(self, access: Access) -> None:
        """The next request signs in anew."""
        with self._lock:
            self._sessions.pop((access.source, access.target), None)

    def _session(self, access: Access) -> _Session:
        with self._lock:
            return self._sessions.setdefault((access.source, access.target), _Session())

    def _sign_in(self, access: Access, auth: Auth, session: _Session) -> None:
        """A wrong password is wrong all run long; asking again would only get the account locked."""
        if session.refusal is not None:
            raise type(session.refusal)(*session.refusal.args)
        if auth.build_sign_in is None or auth.parse_sign_in is None:
            raise TypeError(f"{access.source}: a sign-in is both built and parsed")
        session.credential = None
        request = auth.build_sign_in(access.target, access.secrets)
        self._check_sealed(access, request.url)
        response = self._send(request, access)
        try:
            token = auth.parse_sign_in(response)
        except TerminalSourceError as error:
            session.refusal = type(error)(*error.args)  # without the frames of this one
            raise
        session.credential = _carried(access, auth, token.value)
        session.expires_at = self._clock() + token.expires_in * _SHARE_OF_LIFE

    def _check_sealed(self, access: Access, url: httpx.URL) -> None:
        if url.scheme != "https" and not is_private_host(url.host, self._private_hosts):
            raise RefusedError(
                f"{access.source}: credentials are not sent over plain http to {url.host}; use its https address"
            )


def is_stale(response: httpx.Response) -> bool:
    """True if the answer says that a credential isn't good (any more)."""
    if response.status_code != 400:
        return response.status_code == 401
    try:
        told = json.loads(response.content)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and str(told.get("error")) in _STALE


def shown(url: httpx.URL) -> str:
    """The address as errors show it: without a user name, and without the values of parameters that look like credentials."""
    return _SECRET_PARAMETER.sub(r"\1***", _USERINFO.sub("", str(url)))


def strike_out(text: bytes, access: Access, credential: Credential | None) -> bytes:
    """The text without the secrets of this access; servers do echo what they were sent."""
    prefix = access.auth.prefix if access.auth else ""
    secrets = {*access.secrets.values(), *((credential.value.removeprefix(prefix),) if credential else ())}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MIN_STRUCK_OUT:
            for form in _ways_to_write(secret):
                text = text.replace(form.encode("utf-8", "surrogatepass"), b"***")
    return text


def _ways_to_write(secret: str) -> list[str]:
    """As it is, in JSON, in JSON within JSON (a server that quotes what it was sent), and in an address; longest first."""
    in_json = json.dumps(secret)[1:-1]
    ways = {
        secret,
        in_json,
        json.dumps(in_json)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
    }
    return sorted(ways, key=len, reverse=True)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _carried(access: Access, auth: Auth, value: str) -> Credential:
    """The credential as a header; a value that no header can carry would come back in the error of a library."""
    if not (value.isascii() and value.isprintable()):
        raise RefusedError(f"{access.source}: the credential holds characters that no header can carry")
    return Credential(auth.header, f"{auth.prefix}{value}")

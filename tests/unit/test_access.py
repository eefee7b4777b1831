"""Credentials: where they go, when a source is signed in to, and that nothing shows them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from screener.collect.access import Access, Credential, Sessions, is_stale, shown, strike_out
from screener.collect.connector import Auth, Token, read_json, require_ok
from screener.errors import ParseError, RefusedError, TransientSourceError

TARGET = "https://social.example"
SECRETS = {"identifier": "mira.example", "password": "planted-password"}
HERE = httpx.URL(f"{TARGET}/search?q=wages")


def build_sign_in(target: str, credentials: Mapping[str, str]) -> httpx.Request:
    return httpx.Request("POST", f"{target}/session", json=dict(credentials))


def parse_sign_in(response: httpx.Response) -> Token:
    require_ok(response)
    return Token(read_json(response)["token"], expires_in=1000.0)


SIGN_IN = Auth(build_sign_in=build_sign_in, parse_sign_in=parse_sign_in)


class Server:
    """Answers sign-ins with token-1, token-2 and so on, or with what it was given; time passes only when told."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.requests, self.now = list(answers), [], 0.0

    def __call__(self, request: httpx.Request, access: Access) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else httpx.Response(200, json={"token": f"token-{self.n}"})
        if isinstance(answer, Exception):
            raise answer
        answer.request = request
        return answer

    @property
    def n(self) -> int:
        return len(self.requests)

    def sessions(self, *private_hosts: str) -> Sessions:
        return Sessions(self, lambda: self.now, private_hosts)


def access(auth: Auth | None = SIGN_IN, target: str = TARGET, source: str = "social", **secrets: str) -> Access:
    return Access(source, target, 1.0, 100, auth, secrets or SECRETS)


def value(credential: Credential | None) -> str | None:
    return credential and credential.value


def test_repr_shows_no_secret() -> None:
    known = access()
    for text in (repr(known), str(known), f"{known}", repr(Credential("Authorization", "Bearer planted-token"))):
        assert "planted" not in text
        assert "mira" not in text


def test_plain_credential_is_sent_as_its_header() -> None:
    assert Server().sessions().credential(access(Auth(), token="abc"), HERE) == Credential(
        "Authorization", "Bearer abc"
    )
    keyed = Auth(credential="key", header="X-Goog-Api-Key", prefix="")
    assert Server().sessions().credential(access(keyed, key="abc"), HERE) == Credential("X-Goog-Api-Key", "abc")


def test_without_credentials_the_source_is_asked_without() -> None:
    sessions = Server().sessions()
    assert sessions.credential(Access("social", TARGET, 1.0, 100, SIGN_IN), HERE) is None
    assert sessions.credential(access(None), HERE) is None
    assert sessions.credential(access(Auth(credential="key"), token="abc"), HERE) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/search",
        "https://social.example.evil.example/search",
        "https://sub.social.example/search",
        "https://social.example:8443/search",
        "http://social.example/search",
    ],
)
def test_credential_goes_to_the_own_origin_only(url: str) -> None:
    server = Server()
    for auth in (SIGN_IN, Auth()):
        assert server.sessions().credential(access(auth, token="abc"), httpx.URL(url)) is None
    assert server.n == 0


def test_default_port_is_the_same_origin() -> None:
    held = Server().sessions().credential(access(Auth(), "https://social.example:443", token="abc"), HERE)
    assert value(held) == "Bearer abc"


@pytest.mark.parametrize("auth", [SIGN_IN, Auth(credential="password")])
def test_credential_never_travels_in_the_open(auth: Auth) -> None:
    server, url = Server(), httpx.URL("http://social.example/search")
    with pytest.raises(RefusedError, match=r"social: credentials are not sent over plain http to social\.example"):
        server.sessions().credential(access(auth, "http://social.example"), url)
    assert server.n == 0
    assert server.sessions("social.example").credential(access(auth, "http://social.example"), url) is not None


def test_sign_in_never_travels_in_the_open() -> None:
    def build(target: str, credentials: Mapping[str, str]) -> httpx.Request:
        return build_sign_in("http://login.example", credentials)

    server = Server()
    with pytest.raises(RefusedError, match=r"plain http to login\.example"):
        server.sessions().credential(access(Auth(build_sign_in=build, parse_sign_in=parse_sign_in)), HERE)
    assert server.n == 0


@pytest.mark.parametrize("secret", ["planted\r\nX-Evil: 1", "planted\n", "plantéd", "planted\x00"])
def test_credential_that_no_header_can_carry_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(RefusedError, match="social: the credential holds characters") as caught:
        Server().sessions().credential(access(Auth(), token=secret), HERE)
    assert "plant" not in str(caught.value)


def test_signed_in_once_per_source_and_target() -> None:
    server = Server()
    sessions = server.sessions()
    for _ in range(3):
        assert value(sessions.credential(access(), HERE)) == "Bearer token-1"
    elsewhere = access(target="https://second.example")
    assert value(sessions.credential(elsewhere, httpx.URL("https://second.example/"))) == "Bearer token-2"
    assert value(sessions.credential(access(source="other"), HERE)) == "Bearer token-3"
    assert value(sessions.credential(access(), HERE)) == "Bearer token-1"


def test_token_is_renewed_before_it_expires() -> None:
    server = Server()
    sessions = server.sessions()
    sessions.credential(access(), HERE)
    server.now = 899.0
    assert value(sessions.credential(access(), HERE)) == "Bearer token-1"
    server.now = 900.0
    assert value(sessions.credential(access(), HERE)) == "Bearer token-2"
    server.now = 1799.0
    assert value(sessions.credential(access(), HERE)) == "Bearer token-2"


def test_refused_token_is_renewed_once_by_whoever_comes_first() -> None:
    server = Server()
    sessions = server.sessions()
    first = sessions.credential(access(), HERE)
    assert first is not None
    assert value(sessions.renew(access(), first)) == "Bearer token-2"
    assert value(sessions.renew(access(), first)) == "Bearer token-2"
    assert value(sessions.credential(access(), HERE)) == "Bearer token-2"
    assert server.n == 2


def test_plain_credential_can_not_be_renewed() -> None:
    held = Credential("Authorization", "Bearer abc")
    assert Server().sessions().renew(access(Auth(), token="abc"), held) is None
    assert Server().sessions().renew(access(None), held) is None


def test_renewal_that_did_not_help_is_not_repeated() -> None:
    server = Server()
    sessions = server.sessions()
    first = sessions.credential(access(), HERE)
    second = sessions.renew(access(), first)
    sessions.give_up_renewing(access())
    assert sessions.renew(access(), second) is None
    assert value(sessions.renew(access(), first)) == "Bearer token-2"
    server.now = 5000.0
    assert value(sessions.credential(access(), HERE)) == "Bearer token-3", "expiry is another reason to sign in"


def test_forgotten_session_is_signed_in_anew() -> None:
    server = Server()
    sessions = server.sessions()
    sessions.credential(access(), HERE)
    sessions.forget(access())
    sessions.forget(access(source="never seen"))
    assert value(sessions.credential(access(), HERE)) == "Bearer token-2"


def test_refused_sign_in_is_not_tried_again() -> None:
    """Every further try with a wrong password brings the account nearer to being locked."""
    server = Server(httpx.Response(401, json={"message": "Invalid identifier or password"}))
    sessions = server.sessions()
    for _ in range(3):
        with pytest.raises(RefusedError, match="HTTP 401 \\(Invalid identifier or password\\)"):
            sessions.credential(access(), HERE)
    assert server.n == 1
    sessions.forget(access())
    assert value(sessions.credential(access(), HERE)) == "Bearer token-2"


@pytest.mark.parametrize(
    ("answer", "error"),
    [(TransientSourceError("HTTP 503"), TransientSourceError), (httpx.Response(200, html="<html>"), ParseError)],
)
def test_sign_in_that_failed_for_another_reason_is_tried_again(
    answer: httpx.Response | Exception, error: type[Exception]
) -> None:
    sessions = Server(answer).sessions()
    with pytest.raises(error):
        sessions.credential(access(), HERE)
    assert value(sessions.credential(access(), HERE)) == "Bearer token-2"


@pytest.mark.parametrize("how", ["first", "renewal"])
def test_threads_that_race_sign_in_once(how: str) -> None:
    server = Server()
    start = threading.Barrier(8)

    def slow(request: httpx.Request, access: Access) -> httpx.Response:
        time.sleep(0.02)
        return server(request, access)

    sessions = Sessions(slow, lambda: 0.0, ())
    refused = sessions.credential(access(), HERE) if how == "renewal" else None

    def work(_: int) -> Credential | None:
        start.wait(timeout=5)
        return sessions.renew(access(), refused) if refused else sessions.credential(access(), HERE)

    with ThreadPoolExecutor(8) as pool:
        held = set(pool.map(work, range(8)))
    assert len(held) == 1
    assert server.n == (2 if how == "renewal" else 1)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (httpx.Response(401), True),
        (httpx.Response(400, json={"error": "ExpiredToken", "message": "Token has expired"}), True),
        (httpx.Response(400, json={"error": "InvalidToken"}), True),
        (httpx.Response(400, json={"error": "InvalidRequest"}), False),
        (httpx.Response(400, json=["ExpiredToken"]), False),
        (httpx.Response(400, json={"error": ["ExpiredToken"]}), False),
        (httpx.Response(400, text="ExpiredToken"), False),
        (httpx.Response(400, content=b"[" * 100_000), False),
        (httpx.Response(403), False),
        (httpx.Response(200, json={"error": "ExpiredToken"}), False),
    ],
)
def test_stale_credential_is_recognised(response: httpx.Response, expected: bool) -> None:
    assert is_stale(response) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/feed?q=wages&page=2", "https://a.example/feed?q=wages&page=2"),
        ("https://a.example/?q=x&key=planted", "https://a.example/?q=x&key=***"),
        ("https://a.example/?api_key=planted&q=x", "https://a.example/?api_key=***&q=x"),
        ("https://a.example/?apiKey=planted", "https://a.example/?apiKey=***"),
        ("https://a.example/?access_token=planted#top", "https://a.example/?access_token=***#top"),
        ("https://a.example/?Client-Secret=planted&x=1", "https://a.example/?Client-Secret=***&x=1"),
        ("https://a.example/?auth=planted&sig=planted", "https://a.example/?auth=***&sig=***"),
        ("https://mira:planted@a.example/x", "https://a.example/x"),
        ("https://planted@a.example/x@y", "https://a.example/x@y"),
        ("https://a.example/?keywords=wages&author=mira", "https://a.example/?keywords=wages&author=mira"),
        ("https://a.example/?q=/planted@b", "https://a.example/?q=/planted@b"),
    ],
)
def test_address_is_shown_without_what_could_be_secret(url: str, expected: str) -> None:
    assert shown(httpx.URL(url)) == expected


def test_what_a_server_echoes_is_struck_out() -> None:
    echo = b'{"message":"Bearer planted-token of mira.example with planted-password is no good, io"}'
    held = Credential("Authorization", "Bearer planted-token")
    told = strike_out(echo, access(identifier="mira.example", password="planted-password", key="io"), held)
    assert told == b'{"message":"Bearer *** of *** with *** is no good, io"}'
    assert strike_out(echo, access(None), None) == echo.replace(b"mira.example", b"***").replace(
        b"planted-password", b"***"
    )


def test_longer_secret_is_struck_out_whole_where_it_holds_a_shorter_one() -> None:
    assert strike_out(b"planted-and-more", access(None, a="planted", b="planted-and-more"), None) == b"***"

"""Signing in through the HTTP client, and that nothing it does or says shows a secret."""

from __future__ import annotations

import logging
import socket
import traceback
from collections.abc import Callable, Mapping

import httpx
import pytest
from polite import URL, access, answers, client, get, local, moved, server

from screener.collect.connector import Auth, Token, read_json, require_ok
from screener.collect.http import PoliteClient
from screener.errors import BudgetSpentError, RefusedError, SourceError, TerminalSourceError

SECRETS = {"identifier": "planted-name", "password": "planted-password"}
TARGET = "https://social.example"
SEARCH = f"{TARGET}/search?q=wages"


def build_sign_in(target: str, credentials: Mapping[str, str]) -> httpx.Request:
    return httpx.Request("POST", f"{target}/session", json=dict(credentials))


def parse_sign_in(response: httpx.Response) -> Token:
    require_ok(response)
    return Token(read_json(response)["token"], expires_in=1000.0)


SIGN_IN = Auth(build_sign_in=build_sign_in, parse_sign_in=parse_sign_in)


class Social:
    """A server that hands out planted-token-1, -2 and so on and takes those in ``good``; it echoes whatever it is sent."""

    def __init__(self, *good: int, refusal: httpx.Response | None = None) -> None:
        self.good, self.n, self.seen = {f"Bearer planted-token-{n}" for n in good}, 0, []
        self.refusal = refusal

    def __call__(self, request: httpx.Request) -> httpx.Response:
        held = request.headers.get("authorization")
        self.seen.append((request.method, request.url.path, held))
        if request.url.path == "/session":
            self.n += 1
            token = {"token": f"planted-token-{self.n}"}
            return httpx.Response(200, json=token, headers={"Set-Cookie": "sid=planted-cookie"})
        if request.url.path == "/old":
            return moved("/new")
        return httpx.Response(200) if held in self.good else self.refusal or httpx.Response(401, json={"error": held})


def search(client: PoliteClient, url: str = SEARCH, **values: object) -> httpx.Response:
    filled = {"auth": SIGN_IN, "secrets": SECRETS, "source": "social", **values}
    return client.send(httpx.Request("GET", url), access(TARGET, **filled))


def test_source_is_signed_in_to_once_and_the_sign_in_counts() -> None:
    social = Social(1)
    asking = client(social)
    for _ in range(3):
        assert search(asking).status_code == 200
    assert social.seen[0] == ("POST", "/session", None)
    assert social.seen[1:] == [("GET", "/search", "Bearer planted-token-1")] * 3
    assert asking.n_requests == {"social": 4}


@pytest.mark.parametrize(
    "refusal",
    [httpx.Response(401), httpx.Response(400, json={"error": "ExpiredToken", "message": "Token has expired"})],
)
def test_refused_token_is_renewed_and_the_request_sent_again(refusal: httpx.Response) -> None:
    social = Social(2, refusal=refusal)
    assert search(client(social)).status_code == 200
    assert [held for _, path, held in social.seen if path == "/search"] == [
        "Bearer planted-token-1", "Bearer planted-token-2",
    ]  # fmt: skip


def test_source_that_refuses_every_token_is_signed_in_to_twice_at_most() -> None:
    social = Social()
    asking = client(social)
    assert [search(asking).status_code for _ in range(4)] == [401] * 4
    assert social.n == 2


def test_client_can_be_told_to_sign_in_again() -> None:
    social = Social(1, 2)
    asking = client(social)
    search(asking)
    asking.forget(access(TARGET, source="social"))
    search(asking)
    assert social.n == 2


def test_sign_in_goes_to_its_own_budget_and_host_rules() -> None:
    with pytest.raises(BudgetSpentError, match="social: its budget of 1 requests"):
        search(client(Social(1)), max_requests=1)
    inward = Auth(
        build_sign_in=lambda target, known: httpx.Request("POST", "https://10.0.0.1/"), parse_sign_in=parse_sign_in
    )
    with pytest.raises(TerminalSourceError, match="not an address on the public internet"):
        search(client(Social(1)), auth=inward)


def test_credential_is_dropped_on_a_redirect_and_that_is_no_reason_to_sign_in_again() -> None:
    social = Social(1)
    assert search(client(social), f"{TARGET}/old").status_code == 401
    assert social.seen[1:] == [("GET", "/old", "Bearer planted-token-1"), ("GET", "/new", None)]


def test_credential_is_not_sent_to_another_host() -> None:
    social = Social(1)
    search(client(social), "https://social.example.evil.example/search")
    assert social.seen == [("GET", "/search", None)]


def test_wrong_password_is_refused_once_for_all() -> None:
    asking = client(lambda request: httpx.Response(401, json={"message": "no planted-name with planted-password"}))
    for _ in range(3):
        with pytest.raises(RefusedError, match=r"HTTP 401 \(no \*\*\* with \*\*\*\)"):
            search(asking)
    assert asking.n_requests == {"social": 1}


class Told:
    """All that a run could have shown to anybody: log records of every level, standard output, errors, requests."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
        self.caplog, self.capfd, self.texts = caplog, capfd, []

    def error(self, error: BaseException) -> None:
        chain = [error, error.__cause__, *(a for a in error.args if isinstance(a, BaseException))]
        self.texts += ["".join(traceback.format_exception(error)), *map(repr, chain), *map(str, chain)]

    def all(self) -> str:
        printed = self.capfd.readouterr()
        records = [f"{record.getMessage()} {record.__dict__}" for record in self.caplog.records]
        return "\n".join([*self.texts, *records, printed.out, printed.err])


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    monkeypatch.setattr(logging.getLogger("httpx"), "disabled", False)  # Airflow's own logging config switches it off
    return Told(caplog, capfd)


def fail(error: Exception) -> httpx.Response:
    raise error


@pytest.mark.parametrize(
    "answer",
    [
        lambda token: httpx.Response(403, json={"message": f"{token} of planted-name: not with planted-password"}),
        lambda token: httpx.Response(401, text=f"{token} has expired"),
        lambda token: httpx.Response(503, text=token),
        lambda token: httpx.Response(301, headers={"Location": f"https://evil.example/?token={token}"}),
        lambda token: httpx.Response(200, stream=httpx.ByteStream(b"x"), headers={"Content-Encoding": token}),
        lambda token: fail(httpx.LocalProtocolError(f"Illegal header value b'Bearer {token}'")),
        lambda token: fail(httpx.RemoteProtocolError(f"illegal status line: b'{token} planted-password'")),
    ],
    ids=["403", "401", "503", "redirect", "packing", "header", "garbled"],
)
def test_no_secret_is_shown_whatever_goes_wrong(told: Told, answer: Callable[[str], httpx.Response]) -> None:
    social = Social()

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/session":
            return social(request)
        return answer(request.headers["authorization"].removeprefix("Bearer "))

    asking = client(handle)
    try:
        response = search(asking)
        told.texts += [response.text, repr(response), repr(response.request), str(dict(response.request.headers))]
        require_ok(response)
    except SourceError as error:
        told.error(error)
    told.texts += [repr(access(auth=SIGN_IN, secrets=SECRETS)), str(vars(asking))]
    shown = told.all()
    assert "HTTP Request: POST" in shown, "the log was captured"
    assert "Traceback" in shown, "something has gone wrong"
    assert "planted" not in shown


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(503), httpx.Response(301), httpx.Response(999), httpx.Response(200, content=b"x" * 11), httpx.ReadTimeout("slow")],
    ids=["transient", "redirect", "odd", "large", "broken"],
)  # fmt: skip
def test_errors_name_the_address_without_credentials_in_its_query(answer: httpx.Response | Exception) -> None:
    asking = client(answers(answer), max_attempts=1, max_page_bytes=10)
    with pytest.raises(SourceError, match=r"union\.example") as caught:
        get(asking, f"{URL}?q=wages&api_key=planted")
    assert "planted" not in str(caught.value)


def test_log_at_its_loudest_shows_no_secret_of_a_real_exchange(told: Told) -> None:
    seen: list[bytes] = []

    def answer(connection: socket.socket, request: bytes) -> None:
        if b"\r\n\r\n{" not in request and request.startswith(b"POST"):
            request += connection.recv(65536)
        seen.append(request)
        body = b'{"token":"planted-token-1"}' if request.startswith(b"POST") else b"{}"
        head = b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=planted-cookie\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        connection.sendall(head % len(body) + body)

    with server(answer) as url:
        asking = local()
        target = url.removesuffix("/feed")
        known = access(target, auth=SIGN_IN, secrets=SECRETS)
        assert asking.send(httpx.Request("GET", f"{target}/search"), known).status_code == 200
    assert b"planted-password" in seen[0]
    assert b"Authorization: Bearer planted-token-1" in seen[1]
    shown = told.all()
    assert "HTTP Request: POST" in shown
    assert "planted" not in shown

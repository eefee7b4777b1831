"""A mock Mastodon that nobody here wrote (PyPI ``mastodon_mock``, MIT), on a free loopback port, for as long as a ``with`` block lasts.

It runs from a virtual environment of its own under ``.servers/``, installed once by the repository's uv, and forgets everything
when it ends. It has no rate limits and is no proof of filtering: its hashtag timeline ignores ``local``, what it calls remote
has its own address in ``uri``, search ignores ``offset``, and hashtags outside ASCII that have posts are answered with 500.

    with mastodon_mock() as server:
        number = server.post("Unpaid again #LabourRights")
        httpx.get(server.address + "/api/v1/timelines/tag/labourrights")
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import tomli_w

ENVIRONMENT = Path(__file__).resolve().parents[2] / ".servers" / "mastodon_mock"
_PACKAGE = "mastodon_mock==0.6.1"
_START_SECONDS = 30
PEOPLE = ("mina", "ravi")
"""Its accounts, each with a token of its own."""


@dataclass(frozen=True, slots=True)
class MockServer:
    """A running mock. ``address`` has no slash at the end; numbers are status ids as the API writes them."""

    address: str
    database: Path

    def post(self, text: str, *, author: str = PEOPLE[0], **fields: Any) -> str:
        """Write a status as its author would, now; returns its number."""
        return str(self._send("POST", "/api/v1/statuses", author, {"status": text, **fields})["id"])

    def delete(self, number: str, *, author: str = PEOPLE[0]) -> None:
        """Delete a status as its author would."""
        self._send("DELETE", f"/api/v1/statuses/{number}", author)

    def edit(self, number: str, text: str, *, author: str = PEOPLE[0]) -> None:
        """Change a status as its author would."""
        self._send("PUT", f"/api/v1/statuses/{number}", author, {"status": text})

    def wish(self, author: str, **flags: bool) -> None:
        """Set ``indexable`` or ``discoverable`` of an account; the mock has no request for the first."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection, connection:
            for name, value in flags.items():
                connection.execute(f"update accounts set {name} = ? where username = ?", (value, author))

    def _send(self, method: str, path: str, author: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token_of(author)}"}
        response = httpx.request(method, self.address + path, headers=headers, data=fields, timeout=30)
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found


def token_of(author: str) -> str:
    """The token that signs this account in."""
    return f"{author}-token"


@contextlib.contextmanager
def mastodon_mock(domain: str | None = None) -> Iterator[MockServer]:
    """A fresh mock without statuses, whose accounts may be found by words. ``domain`` is how it calls itself behind a proxy."""
    python = _installed()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="screener-mastodon-") as folder:
        config = Path(folder) / "mock.toml"
        database = Path(folder) / "mock.db"
        config.write_text(tomli_w.dumps(_config(host, domain or host, database)), encoding="utf-8")
        log = Path(folder) / "mock.log"
        command = [str(python), "-m", "mastodon_mock", "serve", "--config", str(config), "--log-level", "warning"]
        with _running(command, log):
            server = MockServer(f"http://{host}", database)
            _wait(server, log)
            for author in PEOPLE:
                server.wish(author, indexable=True, discoverable=True)
            yield server


def _installed() -> Path:
    python = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / "bin" / "mastodon_mock").exists():
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, _PACKAGE], check=True)
    return python


def _config(host: str, domain: str, database: Path) -> dict[str, Any]:
    people = [{"username": name, "access_token": token_of(name)} for name in PEOPLE]
    return {
        "domain": domain,
        "database": {"path": str(database)},
        "server": {"host": "127.0.0.1", "port": int(host.rpartition(":")[2])},
        "seed": {"accounts": people},
    }


@contextlib.contextmanager
def _running(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def _wait(server: MockServer, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{server.address}/api/v2/instance").status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(
        f"mastodon_mock did not start within {_START_SECONDS} s: {log.read_text(errors='replace')[-2000:]}"
    )

"""A real AT Protocol network (PDS and app.bsky AppView) on loopback, with PostgreSQL and Redis of its own, thrown away at the end.

Installed by ``tests/servers/atproto/install.sh``. Its search knows no words, tags, languages or times: it looks for the very
characters of ``q`` in the text and ignores the other filters, so nothing here proves what Bluesky's servers filter.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from atproto_servers import free_port, postgres_programs, program, start_postgres, start_redis, stop

SCRIPTS = Path(__file__).resolve().parent / "atproto"
INSTALLED = Path(os.environ.get("SCREENER_TEST_ATPROTO", SCRIPTS.parents[2] / ".servers" / "atproto"))
NODE = INSTALLED / "node" / "node_modules" / ".bin" / "node"
PASSWORD = "only for this network"
_POST = "app.bsky.feed.post"
_START_SECONDS = 90
_WRITES = 100


def is_installed() -> bool:
    """True if everything that the network is made of is there."""
    return NODE.exists() and shutil.which("redis-server") is not None and postgres_programs() is not None


def run_script(name: str, *arguments: str) -> str:
    """What a script of ``tests/servers/atproto`` prints, run with the installed packages at hand."""
    command = [str(NODE), "--input-type=module", "-", *arguments]
    with (SCRIPTS / name).open("rb") as script:
        done = subprocess.run(command, stdin=script, cwd=INSTALLED / "network", stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


@dataclass(frozen=True)
class Account:
    """An account on the network's PDS. ``headers`` sign its requests in."""

    did: str
    handle: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def post(
    text: str, *, langs: Sequence[str] = ("en",), created_at: datetime | None = None, **more: Any
) -> dict[str, Any]:
    """A post's record; ``more`` are further fields of the lexicon (reply, embed, tags, labels)."""
    created = (created_at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds")
    return {"$type": _POST, "text": text, "langs": list(langs), "createdAt": created.replace("+00:00", "Z"), **more}


class AtprotoNetwork:
    """Context manager: ``pds`` and ``appview`` are base addresses once it is entered (about 10 s)."""

    pds: str
    appview: str

    def __init__(self, *, rate_limits: bool = False) -> None:
        self.rate_limits = rate_limits
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> AtprotoNetwork:
        with contextlib.ExitStack() as starting:
            folder = Path(
                starting.enter_context(tempfile.TemporaryDirectory(prefix="atproto-", ignore_cleanup_errors=True))
            )
            self._database = start_postgres(folder, starting)
            redis = start_redis(folder, starting)
            self.pds, self.appview = self._start_node(folder, redis, starting)
            self._http = starting.enter_context(httpx.Client(timeout=30, trust_env=False))
            self._closing = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def call(self, name: str, account: Account | None = None, /, **body: Any) -> dict[str, Any]:
        """What an XRPC procedure of the PDS answers; an error fails the test."""
        headers = account.headers if account else {}
        answer = self._http.post(f"{self.pds}/xrpc/{name}", json=body, headers=headers)
        assert answer.status_code == 200, f"{name}: {answer.status_code} {answer.text[:300]}"
        return dict(answer.json()) if answer.content else {}

    def create_account(self, name: str) -> Account:
        """A new account ``name.test`` with ``PASSWORD``."""
        made = self.call(
            "com.atproto.server.createAccount", handle=f"{name}.test", email=f"{name}@mail.example", password=PASSWORD
        )
        return Account(made["did"], made["handle"], made["accessJwt"])

    def write_posts(self, account: Account, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Write the posts in as few commits as the server takes; returns their addresses in the same order."""
        addresses: list[str] = []
        for start in range(0, len(records), _WRITES):
            writes = [
                {"$type": "com.atproto.repo.applyWrites#create", "collection": _POST, "value": record}
                for record in records[start : start + _WRITES]
            ]
            made = self.call("com.atproto.repo.applyWrites", account, repo=account.did, writes=writes)
            addresses += [result["uri"] for result in made["results"]]
        return addresses

    def delete_post(self, account: Account, address: str) -> None:
        """Delete the post; the AppView learns of it a moment later."""
        rkey = address.rpartition("/")[2]
        self.call("com.atproto.repo.deleteRecord", account, repo=account.did, collection=_POST, rkey=rkey)

    def deactivate(self, account: Account) -> None:
        """Deactivate the account, as its owner can in the app's settings."""
        self.call("com.atproto.server.deactivateAccount", account)

    def wait_indexed(self, n_posts: int, seconds: float = 30) -> None:
        """Until the AppView holds exactly so many posts of all accounts together."""
        deadline = time.monotonic() + seconds
        while (found := self._count_posts()) != n_posts:
            assert time.monotonic() < deadline, f"{found} posts indexed after {seconds:.0f} s, {n_posts} wanted"
            time.sleep(0.1)

    def _count_posts(self) -> int:
        asked = [program("psql"), "-tA", self._database, "-c", "select count(*) from appview_bsky.post"]
        return int(subprocess.run(asked, stdout=subprocess.PIPE, check=True).stdout)

    def _start_node(self, folder: Path, redis: int, starting: contextlib.ExitStack) -> tuple[str, str]:
        env = os.environ | {
            "DB_POSTGRES_URL": self._database,
            "DB_POSTGRES_SCHEMA": "bsky",
            "REDIS_HOST": f"127.0.0.1:{redis}",
            "RATE_LIMITS": "1" if self.rate_limits else "0",
            "LOG_ENABLED": "false",
            "TMPDIR": str(folder),
        }
        env |= {name: str(free_port()) for name in ("PLC_PORT", "PDS_PORT", "APPVIEW_PORT")}
        told, log = folder / "told", folder / "log"
        command = [str(NODE), "--input-type=module", "-"]
        with (SCRIPTS / "launch.mjs").open("rb") as script, told.open("wb") as out, log.open("wb") as err:
            node = subprocess.Popen(command, stdin=script, stdout=out, stderr=err, env=env, cwd=INSTALLED / "network")
        starting.callback(stop, node, signal.SIGKILL)  # nothing of it is to be kept
        deadline = time.monotonic() + _START_SECONDS
        while not told.read_bytes().endswith(b"}\n"):
            assert node.poll() is None, log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < deadline, f"no network after {_START_SECONDS} s"
            time.sleep(0.1)
        addresses = json.loads(told.read_text().splitlines()[-1])
        pds, appview = (addresses[name].replace("localhost", "127.0.0.1") for name in ("pds", "appview"))
        return pds, appview

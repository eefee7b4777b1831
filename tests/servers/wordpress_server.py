"""A real WordPress of its own on a free loopback port, for as long as a ``with`` block lasts.

Needs the Debian packages wordpress, mariadb-server, php-cli, php-mysql, php-xml, php-curl and php-mbstring. Runs as any
user: MariaDB listens on a socket in a folder that only this user may enter, and asks for no password.

    with wordpress() as site:
        numbers = site.fill(1000)
        httpx.get(site.address + "/wp-json/wp/v2/posts")
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

INSTALLED = Path("/usr/share/wordpress")
_SCRIPTS = Path(__file__).resolve().parent / "wordpress"
_START_SECONDS = 60

TEXTS = (
    ("Overtime without pay", "<p>We sewed until midnight for three weeks &amp; saw no overtime pay.</p>"),
    ("คนงานโรงงานไก่รอค่าแรง", "<p>ไม่ได้รับค่าแรงสามเดือน และหัวหน้าเก็บหนังสือเดินทางไว้</p>"),
    ("বকেয়া বেতন", "<p>পোশাক শ্রমিকদের তিন মাসের বেতন বকেয়া।</p>"),
    ("جوازات محتجزة", "<p>صاحب العمل يحتفظ بجوازات عمال البناء.</p>"),
    ("बकाया मज़दूरी", "<p>ईंट भट्ठे पर मज़दूरी दो महीने से नहीं मिली।</p>"),
    ("Huelga en el invernadero", "<p>No nos pagan las horas extra. <strong>Veinte</strong> en una casa.</p>"),
    ("Lương tháng bị nợ", "<p>Công nhân may chờ lương từ tháng trước.</p>"),
    ("လုပ်ခ မရသေး", "<p>အထည်ချုပ်စက်ရုံမှာ လုပ်ခ မရသေးပါ။</p>"),
    ("A recipe for Sunday", "<p>Rice, beans, a little patience.</p>"),
)
"""Invented titles and texts, in turn, for :meth:`Site.fill`."""


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post to insert; ``published`` is when it came out, ``password`` closes it to readers."""

    title: str
    content: str
    published: datetime
    password: str = ""
    author: int = 1


@dataclass(frozen=True, slots=True)
class Site:
    """A running WordPress. ``address`` has no slash at the end; post numbers are WordPress's own."""

    address: str
    folder: Path

    def insert(self, posts: Sequence[NewPost]) -> list[int]:
        """Insert the posts through WordPress itself; returns their numbers in the same order."""
        records = [asdict(post) | {"published": post.published.astimezone(UTC).isoformat()} for post in posts]
        numbers: list[int] = self._manage("insert", records)
        return numbers

    def fill(self, n: int, *, last: datetime | None = None, minutes_apart: float = 60.0) -> list[int]:
        """Insert ``n`` invented posts in several languages, the newest at ``last`` (default: an hour ago)."""
        newest = last or datetime.now(UTC) - timedelta(hours=1)
        moments = (newest - timedelta(minutes=minutes_apart) * i for i in reversed(range(n)))
        posts = [
            NewPost(f"{TEXTS[i % len(TEXTS)][0]} {i}", TEXTS[i % len(TEXTS)][1], at) for i, at in enumerate(moments)
        ]
        return self.insert(posts)

    def edit(self, number: int, content: str) -> None:
        """Change a post's text as its author would, now."""
        self._manage("edit", {"number": number, "content": content})

    def delete(self, number: int) -> None:
        """Delete a post for good, past the trash."""
        self._manage("delete", {"number": number})

    def clear(self) -> None:
        """Delete all posts."""
        self._manage("clear", None)

    def set_option(self, name: str, value: str) -> None:
        """Set one of WordPress's options, e.g. ``timezone_string`` or ``permalink_structure``."""
        self._manage("option", {"name": name, "value": value})

    @contextlib.contextmanager
    def plain_permalinks(self) -> Iterator[None]:
        """The site as it is where the web server has no rewrite rules, for as long as the block lasts."""
        flag = self.folder / "plain-permalinks"
        flag.touch()
        self.set_option("permalink_structure", "")
        try:
            yield
        finally:
            flag.unlink()
            self.set_option("permalink_structure", "/%postname%/")

    @contextlib.contextmanager
    def plugin(self, code: str) -> Iterator[None]:
        """PHP that the site runs as a plugin for as long as the block lasts."""
        file = self.folder / "site" / "wp-content" / "mu-plugins" / "test.php"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"<?php {code}", encoding="utf-8")
        try:
            yield
        finally:
            file.unlink()

    def _manage(self, action: str, argument: Any) -> Any:
        command = ["php", str(_SCRIPTS / "manage.php"), str(self.folder / "site"), self.address, action]
        done = subprocess.run(command, input=json.dumps(argument), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"WordPress: {action}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)


@contextlib.contextmanager
def wordpress(path: str = "") -> Iterator[Site]:
    """A fresh WordPress with pretty permalinks and no post; ``path`` such as ``/blog`` puts it below the host's root."""
    folder = Path(tempfile.mkdtemp(prefix="screener-wordpress-"))
    try:
        with _mariadb(folder), _php(folder, path) as address:
            site = Site(address, folder)
            site._manage("install", None)
            yield site
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _mariadb(folder: Path) -> Iterator[None]:
    data, door = folder / "data", folder / "db.sock"
    as_me = ["--no-defaults", f"--user={getpass.getuser()}", f"--datadir={data}"]
    subprocess.run(["mariadb-install-db", *as_me, "--skip-test-db"], check=True, capture_output=True)
    fast = ["--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"]
    server = ["/usr/sbin/mariadbd", *as_me, f"--socket={door}", "--skip-networking", "--skip-grant-tables", *fast]
    client = ["mariadb", "--no-defaults", f"--socket={door}", "-e", "create database wp character set utf8mb4"]
    log = folder / "mariadb.log"
    with _running(server, log):
        _wait("MariaDB", log, lambda: subprocess.run(client, capture_output=True, check=False).returncode == 0)
        yield


@contextlib.contextmanager
def _php(folder: Path, path: str) -> Iterator[str]:
    site, root = folder / "site", folder / "root"
    shutil.copytree(INSTALLED, site, ignore=lambda at, names: [n for n in names if n in {"wp-config.php", ".htaccess"}])
    shutil.copy(_SCRIPTS / "config.php", site / "wp-config.php")
    (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
    (root / path.lstrip("/") if path else root).symlink_to(site)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    router = str(_SCRIPTS / "router.php")
    log = folder / "php.log"
    with _running(["php", "-S", host, "-t", str(root), router], log, {"SITE_PATH": path}):
        _wait("PHP", log, lambda: httpx.get(f"http://{host}{path}/readme.html").status_code == 200)
        yield f"http://{host}{path}"


@contextlib.contextmanager
def _running(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """A server process with all it starts, ended with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **(environment or {})}, start_new_session=True
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def _wait(name: str, log: Path, answers: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if answers():
                return
        time.sleep(0.1)
    raise RuntimeError(f"{name} did not start within {_START_SECONDS} s: {log.read_text(errors='replace')[-2000:]}")

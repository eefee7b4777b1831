"""Invented sources on this machine, and collectors of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from integration.collector import DAY, HOUR, NOW, Collector
from integration.sites import Feed, Lemmy, WordPress, Written, YouTube, serving
from screener.settings import Settings
from screener.settings.sources import Source


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """Reading all certificates takes longer than a run here; nothing speaks TLS with these servers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx, "create_ssl_context", functools.cache(httpx.create_ssl_context))
        yield


@pytest.fixture
def over(settings: Settings, tmp_path: Path) -> Callable[..., Collector]:
    """A collector of these sources in a working directory of its own."""

    def make(*sources: Source, folder: str = "one", **collect: object) -> Collector:
        return Collector.over(settings, tmp_path / folder, *sources, **collect)

    return make


@pytest.fixture
def site() -> Iterator[WordPress]:
    """Ten posts, one an hour, three a page: four pages."""
    site = WordPress()
    site.posts = {number: Written(f"post {number:02d}", NOW - (11 - number) * HOUR) for number in range(1, 11)}
    with serving(site):
        yield site


@pytest.fixture
def feed() -> Iterator[Feed]:
    feed = Feed()
    feed.entries = {name: Written(f"entry {name}", NOW - DAY) for name in "ab"}
    with serving(feed):
        yield feed


@pytest.fixture
def videos(monkeypatch: pytest.MonkeyPatch) -> Iterator[YouTube]:
    """Three videos with a comment each; the key is set."""
    monkeypatch.setenv("VIDEOS_KEY", "invented-key-of-the-tests")
    site = YouTube()
    site.videos = {f"v{n}": Written(f"video {n}", NOW - 2 * HOUR) for n in range(3)}
    site.comments = {f"v{n}": {f"c{n}": Written(f"comment {n}", NOW - HOUR, n)} for n in range(3)}
    with serving(site):
        yield site


@pytest.fixture
def forum() -> Iterator[Lemmy]:
    """Six posts of three authors."""
    forum = Lemmy()
    forum.posts = {n: Written(f"post {n}", NOW - n * HOUR, author=n % 3) for n in range(1, 7)}
    with serving(forum):
        yield forum

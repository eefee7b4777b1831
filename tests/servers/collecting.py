"""A config of its own for a test that collects: the shipped one, with exactly the sources that the test writes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from screener.records import Post
from screener.store.lake import Lake, posts_from
from screener.workdir import Workdir

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE: dict[str, Any] = {
    "enabled": True, "lookback_days": 30, "overlap_hours": 1, "refresh_days": 0, "min_posts_per_week": 1,
    "limits": {"max_requests_per_run": 5000, "seconds_between_requests": 0.0},
}  # fmt: skip
LOOPBACK = {"private_hosts": ["127.0.0.1", "localhost"], "phrases_per_language": 1, "tags_per_language": 1}


@dataclass(frozen=True)
class Place:
    """Config and working directory of one test."""

    config: Path
    workdir: Workdir

    @property
    def arguments(self) -> list[str]:
        return ["--config", str(self.config), "--workdir", str(self.workdir.root)]


def make_place(folder: Path, *sources: dict[str, Any], **collect: Any) -> Place:
    """A copy of the shipped config in which only these sources stand, allowed to ask this machine."""
    config = folder / "config"
    shutil.copytree(REPOSITORY / "config", config)
    for path in (config / "sources").glob("*.toml"):
        path.unlink()
    for source in sources:
        filled = SOURCE | source
        (config / "sources" / f"{filled['name']}.toml").write_text(tomli_w.dumps(filled), encoding="utf-8")
    set_collect(config, **(LOOPBACK | collect))
    return Place(config, Workdir(folder / "var").ensure())


def set_collect(config: Path, **values: Any) -> None:
    """Change keys of ``[collect]`` in ``screener.toml``."""
    import tomllib

    path = config / "screener.toml"
    settings = tomllib.loads(path.read_text(encoding="utf-8"))
    settings["collect"] |= values
    path.write_text(tomli_w.dumps(settings), encoding="utf-8")


def keep_watches(config: Path, *watches: tuple[str, str]) -> None:
    """Leave only these watches (country, sector)."""
    import tomllib

    path = config / "watches.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8"))["watches"]
    kept = [watch for watch in found if (watch["country"], watch["sector"]) in watches]
    path.write_text(tomli_w.dumps({"watches": kept}), encoding="utf-8")


def posts_of(workdir: Workdir) -> list[Post]:
    """Everything in the lake, a post as often as it lies there."""
    lake = Lake(workdir.lake)
    return [post for part in lake.parts("posts") for post in posts_from(lake.read("posts", part), part.partition)]

"""Demonstration posts: invented, twelve weeks from 24 August 2026, all watches, most of it noise.

They show how the screener works where no source is configured, and are marked as invented wherever they show. Nothing
in them happened, and no figure made from them says anything about the world.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def write_demo_file(folder: Path) -> Path:
    """Unpack the demonstration posts into ``folder`` for the file connector; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "invented-posts.jsonl"
    content = (files("screener.demo") / "posts.jsonl").read_bytes()
    if not target.exists() or target.read_bytes() != content:
        temporary = target.with_suffix(".new")
        temporary.write_bytes(content)
        temporary.replace(target)
    return target

"""A small world for DAG tests: sixty invented posts and a copy of the config that reads them."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
WORK = ("They have not paid our wages since March.", "หัวหน้ายึดพาสปอร์ตไว้")
DAILY = ("Best chicken rice near the market, open until ten.", "What a match last night!", "วันนี้ฝนตกทั้งวันเลย")
"""Most posts are noise, here as in the world; it also keeps the tests fast, for only what speaks of work is encoded."""


def invented_posts(n_posts: int = 60, *, first_day: date) -> list[dict[str, str]]:
    """Posts from Thai poultry plants that never were, spread over two weeks."""
    return [
        {
            "id": f"invented-{number}",
            "text": WORK[number % len(WORK)] if number % 15 == 0 else f"{DAILY[number % len(DAILY)]} ({number})",
            "created_at": f"{first_day + timedelta(days=number % 14)}T08:00:00Z",
            "author": f"invented-author-{number % 25}",
            "country": "TH",
            "sector": "poultry",
        }
        for number in range(n_posts)
    ]


def write_config(folder: Path, posts: Path) -> Path:
    """The shipped config with the file-drop source switched on and pointed at ``posts``."""
    config = folder / "config"
    shutil.copytree(REPOSITORY / "config", config)
    source = config / "sources" / "file-drop.toml"
    text = source.read_text().replace("enabled = false", "enabled = true").replace('"var/drop"', json.dumps(str(posts)))
    source.write_text(text)
    return config


def write_posts(path: Path, posts: list[dict[str, str]]) -> Path:
    """Posts as JSONL."""
    path.write_text("".join(json.dumps(post, ensure_ascii=False) + "\n" for post in posts))
    return path

"""Kills runs with SIGKILL at random moments and compares what comes out in the end with an undisturbed run.

usage: killing.py INPUT [KILLS]     prints a line per kill and `equal` or what differs; exit status 1 if anything does
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from screener.store.database import open_store, reading, store_url
from screener.store.lake import Lake
from screener.store.results import list_evidence, list_indicators
from screener.store.reviews import list_items
from screener.store.runs import count_quarantine, latest_run
from screener.workdir import Workdir

KEY = "00" * 32
"""One pseudonym key for both runs, else no author could be compared."""


def command(source: Path, workdir: Path) -> list[str]:
    """The run, as a user starts it."""
    return [
        sys.executable,
        "-m",
        "screener",
        "run",
        "--input",
        str(source),
        "--workdir",
        str(workdir),
        "--format",
        "json",
    ]


def start(source: Path, workdir: Path) -> subprocess.Popen[bytes]:
    """A run in a process group of its own."""
    environment = {**os.environ, "SCREENER_PSEUDONYM_KEY": KEY}
    return subprocess.Popen(
        command(source, workdir),
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def outcome(workdir: Path) -> dict[str, Any]:
    """Everything a run leaves that may not depend on how often it was killed."""
    place, lake = Workdir(workdir), Lake(Workdir(workdir).lake)
    engine = open_store(store_url(place))
    with reading(engine) as connection:
        run = latest_run(connection)
        assert run is not None, "no run finished"
        found = {
            "indicators": [(row.indicator, row.versions) for row in list_indicators(connection, run.run_id)],
            "evidence": list_evidence(connection, run.run_id, limit=100_000),
            "review": list_items(connection),
            "quarantine": count_quarantine(connection, run.run_id),
        }
    engine.dispose()
    layers = ("posts", "languages", "signals", "cells")
    return found | {layer: {part: lake.fingerprint(layer, part) for part in lake.parts(layer)} for layer in layers}


def kill_and_resume(source: Path, workdir: Path, *, kills: int, lasts: float, seed: int = 0) -> list[float]:
    """Start, kill at a random moment, start again, ``kills`` times; then let a run finish. Returns the moments in seconds."""
    rng = random.Random(seed)
    moments = []
    for _ in range(kills):
        process, moment = start(source, workdir), rng.uniform(0.3, max(lasts / 2, 2.0))
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        moments.append(round(moment, 2))
    assert start(source, workdir).wait() == 0, "the last run failed"
    return moments


def compare(source: Path, folder: Path, kills: int) -> tuple[list[str], list[float]]:
    """Names of what differs (empty is good), and the moments of the kills."""
    began = time.monotonic()
    assert start(source, folder / "calm").wait() == 0, "the undisturbed run failed"
    moments = kill_and_resume(source, folder / "killed", kills=kills, lasts=time.monotonic() - began)
    calm, killed = outcome(folder / "calm"), outcome(folder / "killed")
    return [name for name in calm if calm[name] != killed[name]], moments


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        differing, at = compare(Path(sys.argv[1]), Path(made), int(sys.argv[2]) if len(sys.argv) > 2 else 10)
    print(json.dumps({"killed_at_seconds": at, "differing": differing}))
    print("equal" if not differing else f"differs: {differing}")
    sys.exit(bool(differing))

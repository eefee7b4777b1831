"""PostgreSQL and Redis for one test run: on free ports of loopback, in a folder that is thrown away."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path


def free_port() -> int:
    """A port of this machine that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_programs() -> Path | None:
    """The folder of Debian's newest PostgreSQL."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def program(name: str) -> str:
    """One of its programs."""
    programs = postgres_programs()
    assert programs is not None
    return str(programs / name)


def start_postgres(folder: Path, starting: contextlib.ExitStack) -> str:
    """The address of a database that trusts whoever reaches it, and forgets all."""
    place = folder / "postgres"
    place.mkdir()
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    if user:
        folder.chmod(0o711)
        shutil.chown(place, user, user)
    data, port = str(place / "data"), str(free_port())
    make = [program("initdb"), "-D", data, "-A", "trust", "-U", "screener", "-E", "UTF8", "--no-sync"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd=place, user=user)
    serve = [program("postgres"), "-D", data, "-p", port, "-h", "127.0.0.1", "-k", str(place), "-F"]
    server = subprocess.Popen(serve, cwd=place, stderr=subprocess.DEVNULL, user=user)
    starting.callback(stop, server, signal.SIGQUIT)  # PostgreSQL's immediate shutdown
    _wait_until([program("pg_isready"), "-h", "127.0.0.1", "-p", port], server)
    return f"postgresql://screener@127.0.0.1:{port}/postgres"


def start_redis(folder: Path, starting: contextlib.ExitStack) -> int:
    """The port of a Redis that keeps nothing."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    starting.callback(stop, server, signal.SIGKILL)
    _wait_until(["redis-cli", "-p", str(port), "ping"], server)
    return port


def _wait_until(is_up: list[str], process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        if subprocess.run(is_up, check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError(f"{process.args!r} is not up after 10 s")


def stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """End a process that was started here, and wait for it."""
    process.send_signal(how)
    process.wait(timeout=20)

"""Airflow with these DAGs on one machine, for trying out and for the tests: SQLite, no login, this machine only.

``python dags/_standalone.py --port 8080`` runs until Ctrl-C. Airflow's own ``standalone`` must be stopped with care: a
signal to all of its processes at once, which is what Ctrl-C sends, can leave its scheduler waiting for ever.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
AIRFLOW = Path(sys.executable).with_name("airflow")
Process = subprocess.Popen[bytes]


def environment(home: Path, port: int) -> dict[str, str]:
    """The environment of a standalone Airflow; the caller's own Airflow settings don't leak in."""
    address = f"http://127.0.0.1:{port}"
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
    own.pop("PYTHONDONTWRITEBYTECODE", None)  # without compiled files every task starts two seconds later
    return own | {
        "PATH": f"{AIRFLOW.parent}{os.pathsep}{own.get('PATH', '')}",  # standalone starts its parts as "airflow"
        "SCREENER_WORKDIR": own.get("SCREENER_WORKDIR", str(REPOSITORY / "var")),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
    }


def start(env: dict[str, str], log: int | None = None) -> Process:
    """Airflow in a session of its own, so that signals reach it only from ``stop``."""
    command = [str(AIRFLOW), "standalone"]
    return subprocess.Popen(command, env=env, cwd=REPOSITORY, stdout=log, stderr=log, start_new_session=True)  # noqa: S603


def stop(process: Process) -> None:
    """INT to the parent, which stops its parts; TERM and then KILL to the group for what is left of it."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if _ended(process, 15):
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
    _ended(process, 15)


def members(group: int) -> list[int]:
    """Processes of the group that still live; a zombie does nothing and waits only to be counted by its parent."""
    listing = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout  # noqa: S607
    rows = [line.split() for line in listing.splitlines()]
    return [int(pid) for pid, pgid, state in rows if int(pgid) == group and not state.startswith("Z")]


def _ended(process: Process, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while members(process.pid) and time.monotonic() < deadline:
        process.poll()
        time.sleep(0.2)
    return not members(process.pid)


def main() -> None:
    """Run until Ctrl-C or until Airflow ends by itself."""
    parser = argparse.ArgumentParser(description="Airflow with the DAGs of this folder, on this machine only.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--home", type=Path, default=REPOSITORY / ".airflow")
    options = parser.parse_args()
    process = start(environment(options.home.resolve(), options.port))
    sys.stderr.write(f"Airflow: http://127.0.0.1:{options.port} (answers in half a minute; Ctrl-C stops it)\n")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        process.wait()
    except KeyboardInterrupt:
        sys.stderr.write("stopping ...\n")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C would leave parts behind
        stop(process)


if __name__ == "__main__":
    main()

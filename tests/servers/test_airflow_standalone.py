"""A real ``airflow standalone`` screens Thailand: started, asked over its REST API, and stopped without leftovers."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

pytest.importorskip("airflow")
pytestmark = [pytest.mark.servers, pytest.mark.filterwarnings("ignore")]

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "tests" / "dags"))

from invented import invented_posts, write_config, write_posts  # noqa: E402

from screener.pipeline import STAGES  # noqa: E402
from screener.pipeline.context import open_reader  # noqa: E402
from screener.settings import load_settings  # noqa: E402
from screener.store import results, runs  # noqa: E402
from screener.store.database import reading  # noqa: E402
from screener.workdir import Workdir  # noqa: E402

AIRFLOW = Path(sys.executable).with_name("airflow")
START_SECONDS, RUN_SECONDS, STOP_SECONDS = 180, 240, 10
STANDING = ("metadatabase", "scheduler", "triggerer", "dag_processor")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, answer: Callable[[], object], seconds: float, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"airflow ended with {process.returncode} while waiting for {what}"
        with contextlib.suppress(httpx.TransportError, KeyError, ValueError):
            if answer():
                return
        time.sleep(0.5)
    raise AssertionError(f"no {what} after {seconds:.0f} s")


def group_members(group: int) -> list[int]:
    """Processes of the group that still live; zombies wait for a parent and do nothing."""
    listing = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return [int(pid) for pid, pgid, stat in rows if int(pgid) == group and not stat.startswith("Z")]


def stop(process: subprocess.Popen[bytes]) -> None:
    """INT to the parent, TERM to the group, KILL to what is left: TERM alone leaves children behind."""
    process.send_signal(signal.SIGINT)
    for sign, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        deadline = time.monotonic() + 3
        while group_members(process.pid) and time.monotonic() < deadline:
            time.sleep(0.2)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        deadline = time.monotonic() + seconds
        while group_members(process.pid) and time.monotonic() < deadline:
            time.sleep(0.2)
    process.wait(timeout=STOP_SECONDS)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    first_day = datetime.now(UTC).date() - timedelta(days=30)
    write_config(tmp_path, write_posts(tmp_path / "posts.jsonl", invented_posts(first_day=first_day)))
    return tmp_path


@pytest.fixture
def airflow(world: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """A client of a healthy standalone Airflow, logged in."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    clean = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("AIRFLOW", "_AIRFLOW")) and k != "PYTHONDONTWRITEBYTECODE"
    }
    env = clean | {
        "PATH": f"{AIRFLOW.parent}{os.pathsep}{os.environ['PATH']}",  # standalone starts its parts as "airflow"
        "AIRFLOW_HOME": str(world / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API_AUTH__JWT_SECRET": "x" * 64,
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "SCREENER_CONFIG": str(world / "config"),
        "SCREENER_WORKDIR": str(world / "work"),
    }
    subprocess.run(
        [AIRFLOW, "db", "migrate"], env=env, cwd=REPOSITORY, check=True, capture_output=True, timeout=START_SECONDS
    )
    with (world / "standalone.log").open("wb") as log:
        process = subprocess.Popen(
            [AIRFLOW, "standalone"], env=env, cwd=REPOSITORY, stdout=log, stderr=log, start_new_session=True
        )
    try:
        with httpx.Client(base_url=address, timeout=10) as client:

            def healthy() -> bool:
                health = client.get("/api/v2/monitor/health").json()
                return all(health[name]["status"] == "healthy" for name in STANDING)

            started = time.monotonic()
            wait_for("healthy airflow", healthy, START_SECONDS, process)
            client.headers["Authorization"] = f"Bearer {client.get('/auth/token').json()['access_token']}"
            wait_for(
                "DAG screen_th", lambda: client.get("/api/v2/dags/screen_th").status_code == 200, START_SECONDS, process
            )
            print(f"\nairflow healthy with its DAGs after {time.monotonic() - started:.1f} s")
            yield client, process
    except BaseException:
        print((world / "standalone.log").read_text(errors="replace")[-6000:])
        raise
    finally:
        stop(process)
    assert group_members(process.pid) == []


def test_standalone_airflow_runs_a_country_to_figures_in_the_store(airflow, world, monkeypatch):
    client, process = airflow
    assert client.patch("/api/v2/dags/screen_th", json={"is_paused": False}).status_code == 200
    refused = client.post("/api/v2/dags/screen_th/dagRuns", json={"logical_date": None, "conf": {"since": "last week"}})
    assert refused.status_code == 400
    started = time.monotonic()
    answer = client.post("/api/v2/dags/screen_th/dagRuns", json={"logical_date": None, "conf": {}})
    assert answer.status_code == 200, answer.text
    run_id = answer.json()["dag_run_id"]
    address = f"/api/v2/dags/screen_th/dagRuns/{run_id}"
    wait_for("finished run", lambda: client.get(address).json()["state"] in {"success", "failed"}, RUN_SECONDS, process)
    tasks = client.get(f"{address}/taskInstances").json()["task_instances"]
    print(f"\nDAG run done after {time.monotonic() - started:.1f} s")
    assert {task["task_id"]: task["state"] for task in tasks} == dict.fromkeys(STAGES, "success")

    monkeypatch.setenv("SCREENER_CONFIG", str(world / "config"))
    with open_reader(load_settings(), Workdir(world / "work")) as engine, reading(engine) as connection:
        run = runs.latest_run(connection)
        assert run is not None
        cells = {
            (r.indicator.country, r.indicator.sector): r.indicator
            for r in results.list_indicators(connection, run.run_id)
        }
    assert run.run_id.startswith("screen_th-")
    assert tuple(run.report) == STAGES
    assert cells["TH", "poultry"].n_posts == len(invented_posts(first_day=datetime.now(UTC).date()))

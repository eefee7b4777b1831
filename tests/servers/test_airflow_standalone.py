"""A real ``airflow standalone`` screens two countries at once: started, asked over its REST API, and stopped without leftovers."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

pytest.importorskip("airflow")
pytestmark = [pytest.mark.servers, pytest.mark.filterwarnings("ignore")]

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path += [str(REPOSITORY / "tests" / "dags"), str(REPOSITORY / "dags")]

from invented import invented_posts, write_config, write_posts  # noqa: E402

import _standalone  # noqa: E402
from screener.pipeline import STAGES  # noqa: E402
from screener.pipeline.context import open_reader  # noqa: E402
from screener.settings import load_settings  # noqa: E402
from screener.store import results, runs, tables  # noqa: E402
from screener.store.database import reading  # noqa: E402
from screener.workdir import Workdir  # noqa: E402

START_SECONDS, RUN_SECONDS = 180, 240
DAGS = ("screen_my", "screen_th")
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


@pytest.fixture
def world(tmp_path: Path) -> Path:
    first_day = datetime.now(UTC).date() - timedelta(days=30)
    write_config(tmp_path, write_posts(tmp_path / "posts.jsonl", invented_posts(first_day=first_day)))
    return tmp_path


@pytest.fixture
def airflow(world: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """A client of a healthy standalone Airflow, logged in."""
    port = free_port()
    env = _standalone.environment(world / "airflow", port) | {
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",  # only the runs of the test
        "SCREENER_CONFIG": str(world / "config"),
        "SCREENER_WORKDIR": str(world / "work"),
    }
    with (world / "standalone.log").open("wb") as log:
        process = _standalone.start(env, log.fileno())
    try:
        with httpx.Client(base_url=env["AIRFLOW__API__BASE_URL"], timeout=10) as client:

            def healthy() -> bool:
                health = client.get("/api/v2/monitor/health").json()
                return all(health[name]["status"] == "healthy" for name in STANDING)

            started = time.monotonic()
            wait_for("healthy airflow", healthy, START_SECONDS, process)
            client.headers["Authorization"] = f"Bearer {client.get('/auth/token').json()['access_token']}"
            known = [f"/api/v2/dags/{dag}" for dag in DAGS]
            wait_for("DAGs", lambda: all(client.get(dag).status_code == 200 for dag in known), START_SECONDS, process)
            print(f"\nairflow healthy with its DAGs after {time.monotonic() - started:.1f} s")
            yield client, process
    except BaseException:
        print((world / "standalone.log").read_text(errors="replace")[-6000:])
        raise
    finally:
        started = time.monotonic()
        _standalone.stop(process)
        print(f"\nstopped after {time.monotonic() - started:.1f} s")
    assert _standalone.members(process.pid) == []


def test_standalone_airflow_runs_two_countries_at_once_to_figures_in_the_store(airflow, world, monkeypatch):
    client, process = airflow
    for dag in DAGS:
        assert client.patch(f"/api/v2/dags/{dag}", json={"is_paused": False}).status_code == 200
    refused = client.post(
        f"/api/v2/dags/{DAGS[0]}/dagRuns", json={"logical_date": None, "conf": {"since": "last week"}}
    )
    assert refused.status_code == 400
    started = time.monotonic()
    addresses = [trigger(client, dag) for dag in DAGS]

    def over() -> bool:
        return all(client.get(address).json()["state"] in {"success", "failed"} for address in addresses)

    wait_for("end of the runs", over, RUN_SECONDS, process)
    print(f"\ntwo DAG runs done after {time.monotonic() - started:.1f} s")
    for address in addresses:
        tasks = client.get(f"{address}/taskInstances").json()["task_instances"]
        print({task["task_id"]: round(task["duration"] or 0, 1) for task in tasks})
        assert {task["task_id"]: task["state"] for task in tasks} == dict.fromkeys(STAGES, "success")
        assert {task["try_number"] for task in tasks} == {1}

    monkeypatch.setenv("SCREENER_CONFIG", str(world / "config"))
    n_posts = len(invented_posts(first_day=datetime.now(UTC).date()))
    for dag, (run, indicators) in zip(DAGS, stored_runs(world), strict=True):
        cells = {(row.indicator.country, row.indicator.sector): row.indicator for row in indicators}
        assert (run.run_id.rpartition("-")[0], run.status, tuple(run.report)) == (dag, runs.SUCCESS, STAGES)
        assert cells["TH", "poultry"].n_posts == n_posts


def trigger(client: httpx.Client, dag: str) -> str:
    """Start a run of the DAG; returns its address."""
    answer = client.post(f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None, "conf": {}})
    assert answer.status_code == 200, answer.text
    return f"/api/v2/dags/{dag}/dagRuns/{answer.json()['dag_run_id']}"


def stored_runs(world: Path) -> list[tuple[runs.Run, list[results.PublishedIndicator]]]:
    """Runs in the results store with their indicators, in the order of ``DAGS``."""
    with open_reader(load_settings(), Workdir(world / "work")) as engine, reading(engine) as connection:
        ids = connection.execute(select(tables.runs.c.run_id)).scalars().all()
        found = [run for run_id in ids if (run := runs.get_run(connection, run_id))]
        found.sort(key=lambda run: DAGS.index(run.run_id.rpartition("-")[0]))
        return [(run, results.list_indicators(connection, run.run_id)) for run in found]

"""One country's DAG for real, in this process, on SQLite, over sixty invented posts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("airflow")
pytestmark = pytest.mark.filterwarnings("ignore")  # airflow's own

from invented import invented_posts, write_config, write_posts  # noqa: E402

import _airflow  # noqa: E402
from screener.pipeline import STAGES  # noqa: E402
from screener.pipeline.context import open_reader  # noqa: E402
from screener.settings import load_settings  # noqa: E402
from screener.store import results, runs  # noqa: E402
from screener.store.database import reading  # noqa: E402
from screener.store.lake import Lake, PostWriter  # noqa: E402
from screener.workdir import Workdir  # noqa: E402

DAGS = Path(__file__).resolve().parents[2] / "dags"
FIRST_DAY = datetime.now(UTC).date() - timedelta(days=30)
NOW = datetime.now(UTC)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Config, posts and working directory of a test, where the DAG's tasks find them."""
    posts = write_posts(tmp_path / "posts.jsonl", invented_posts(first_day=FIRST_DAY))
    monkeypatch.setenv("SCREENER_CONFIG", str(write_config(tmp_path, posts)))
    monkeypatch.setenv("SCREENER_WORKDIR", str(tmp_path / "work"))
    for name, value in {"retries": 1, "retry_delay": timedelta(0), "retry_exponential_backoff": 0}.items():
        monkeypatch.setitem(_airflow.DEFAULTS, name, value)  # a task that fails must not make the test wait
    return tmp_path


def load_dag(dag_id: str):
    """The DAG, parsed under the test's config."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAGS), bundle_path=DAGS, bundle_name="dags-folder")
    assert bag.import_errors == {}
    return bag.dags[dag_id]


def states(dag_run) -> dict[str, str]:
    return {task.task_id: str(task.state) for task in dag_run.get_task_instances()}


def stored(world: Path):
    """Runs by id and their indicators, straight from the results store."""
    with open_reader(load_settings(), Workdir(world / "work")) as engine, reading(engine) as connection:
        found = [
            run for status in (runs.SUCCESS, runs.FAILED, runs.RUNNING) if (run := runs.latest_run(connection, status))
        ]
        return found, {run.run_id: results.list_indicators(connection, run.run_id) for run in found}


def test_country_dag_ends_with_figures_in_the_store_and_a_second_run_does_nothing_twice(airflow_database, world):
    first = load_dag("screen_th").test(logical_date=NOW)
    assert states(first) == dict.fromkeys(STAGES, "success")
    [run], indicators = stored(world)
    assert (run.status, run.run_id[:10], run.error) == (runs.SUCCESS, "screen_th-", None)
    assert tuple(run.report) == STAGES
    assert run.report["collect"]["posts"] == run.report["classify"]["done"] == 60
    cells = {(row.indicator.country, row.indicator.sector): row.indicator for row in indicators[run.run_id]}
    assert cells["TH", "poultry"].n_posts == 60

    second = load_dag("screen_th").test(logical_date=NOW + timedelta(seconds=1))
    assert str(second.state) == "success"
    runs_, _ = stored(world)
    assert runs_[0].run_id != run.run_id
    assert (runs_[0].report["classify"]["done"], runs_[0].report["classify"]["skipped"]) == (0, 60)


def test_parameters_bound_the_figures_and_choose_the_sources_and_leave_the_lake_whole(airflow_database, world):
    sources = world / "config" / "sources"
    second = (sources / "file-drop.toml").read_text().replace('name = "file-drop"', 'name = "second"')
    (sources / "second.toml").write_text(second)
    until = FIRST_DAY + timedelta(days=7)
    chosen = {"since": str(FIRST_DAY), "until": str(until), "sources": ["second"]}
    done = load_dag("screen_th").test(logical_date=NOW, run_conf=chosen)
    assert str(done.state) == "success"
    [run], indicators = stored(world)
    assert (run.report["collect"]["units"], run.report["collect"]["posts"]) == (1, 60)
    [cell] = [
        row.indicator
        for row in indicators[run.run_id]
        if (row.indicator.country, row.indicator.sector) == ("TH", "poultry")
    ]
    inside = sum(date.fromisoformat(post["created_at"][:10]) < until for post in invented_posts(first_day=FIRST_DAY))
    assert (cell.n_posts, cell.period_start, cell.period_end) == (inside, FIRST_DAY, until)


def test_failed_data_assertion_fails_without_retry_and_closes_the_run_as_failed(airflow_database, world):
    write_posts(world / "posts.jsonl", invented_posts(5, first_day=FIRST_DAY))
    done = load_dag("screen_th").test(logical_date=NOW)
    assert str(done.state) == "failed"
    assert states(done)["publish"] == "failed"
    assert states(done)["review"] == "upstream_failed"
    [publish] = [task for task in done.get_task_instances() if task.task_id == "publish"]
    assert publish.try_number == 1
    [run], indicators = stored(world)
    assert run.status == runs.FAILED
    assert "only 5 posts" in run.error
    assert indicators[run.run_id] == []


def test_a_source_that_fails_stays_red_and_does_not_stop_the_others(airflow_database, world):
    sources = world / "config" / "sources"
    broken = (sources / "file-drop.toml").read_text().replace('name = "file-drop"', 'name = "gone"')
    (sources / "gone.toml").write_text(broken.replace("posts.jsonl", "no-such-file.jsonl"))
    done = load_dag("screen_th").test(logical_date=NOW)
    collected = sorted(str(task.state) for task in done.get_task_instances() if task.task_id == "collect")
    assert collected == ["failed", "success"]
    assert states(done) | {"collect": ""} == dict.fromkeys(STAGES, "success") | {"collect": ""}
    [run], _ = stored(world)
    assert (run.status, run.report["collect"]["posts"]) == (runs.SUCCESS, 60)


def test_housekeeping_dag_deletes_what_is_too_old(airflow_database, world, make_post):
    lake = Lake(world / "work" / "lake")
    writer = PostWriter(lake, "file1", chunk_posts=10)
    for text, days in (("old", 366), ("young", 364)):
        writer.add(make_post(text, created_at=NOW - timedelta(days=days)))
    writer.close()
    assert str(load_dag("housekeeping").test(logical_date=NOW).state) == "success"
    assert [lake.read("posts", part)["text"].to_pylist() for part in lake.parts("posts")] == [["young"]]

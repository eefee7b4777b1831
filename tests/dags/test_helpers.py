"""Errors, run ids, windows and keys: what the DAG files share."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("airflow")
pytestmark = pytest.mark.filterwarnings("ignore")  # airflow's own

import _airflow  # noqa: E402
import _report  # noqa: E402
from screener import errors  # noqa: E402
from screener.records import StageReport, Window  # noqa: E402

SAMPLES = {
    errors.ConfigError: errors.ConfigError("screener.toml", "key", "is wrong"),
    errors.UnknownCodeError: errors.UnknownCodeError("country", "XX", ["TH"]),
    errors.ParseError: errors.ParseError("file", "is cut off"),
}
FINAL = {
    "UsageError", "ConfigError", "UnknownCodeError", "TerminalSourceError", "RefusedError", "NoDataError",
    "BudgetSpentError", "ParseError", "ModelError", "AssertionFailed", "ReviewError",
}  # fmt: skip


def all_errors(base=errors.ScreenerError):
    for one in base.__subclasses__():
        yield one
        yield from all_errors(one)


@pytest.mark.parametrize("kind", sorted(set(all_errors()), key=lambda kind: kind.__name__))
def test_every_error_of_ours_is_either_final_or_left_to_the_retries(kind):
    from airflow.sdk.exceptions import AirflowFailException

    error = SAMPLES.get(kind) or kind("what happened")
    expected = AirflowFailException if kind.__name__ in FINAL else kind
    with pytest.raises(expected) as caught, _airflow.translated():
        raise error
    assert str(error) in str(caught.value)


def test_other_errors_pass_through():
    with pytest.raises(ZeroDivisionError), _airflow.translated():
        raise ZeroDivisionError


def context(**values):
    return {"dag": SimpleNamespace(dag_id="screen_th"), "run_id": "manual__1", "params": {}, **values}


def test_run_id_is_the_same_for_every_attempt_and_fits_the_store():
    one = _airflow.run_id_of(context())
    assert one == _airflow.run_id_of(context(try_number=2))
    assert one != _airflow.run_id_of(context(run_id="manual__2"))
    assert one != _airflow.run_id_of(context(dag=SimpleNamespace(dag_id="screen_my")))
    assert len(one) <= 40


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Window(None, None)),
        ({"data_interval_end": datetime(2026, 3, 2, tzinfo=UTC)}, Window(None, date(2026, 3, 2))),
        ({"data_interval_end": None, "params": {"since": None, "until": None}}, Window(None, None)),
        (
            {
                "data_interval_end": datetime(2026, 3, 2, tzinfo=UTC),
                "params": {"since": "2026-01-05", "until": "2026-02-02"},
            },
            Window(date(2026, 1, 5), date(2026, 2, 2)),
        ),
    ],
)
def test_figures_cover_the_parameters_else_all_to_the_end_of_the_data_interval(values, expected):
    assert _airflow.figures_window(context(**values)) == expected


def test_tasks_hand_on_keys_and_counts_only():
    run = SimpleNamespace(run=SimpleNamespace(run_id="r"))
    report = StageReport("collect", (("posts", 3),), (("bad-time", 1),), ("a warning",))
    assert _report.keys(run, report) == {"run_id": "r", "counts": {"posts": 3, "discarded bad-time": 1}}


def test_only_the_dags_import_airflow():
    sources = Path(__file__).resolve().parents[2] / "src"
    named = [
        path
        for path in sources.rglob("*.py")
        if "import airflow" in (text := path.read_text()) or "from airflow" in text
    ]
    assert named == []
    code = "import sys, screener.pipeline, screener.cli; sys.exit(any(name.split('.')[0] == 'airflow' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Airflow for these tests alone: its home is a temporary folder, set before anything imports airflow."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

DAGS = Path(__file__).resolve().parents[2] / "dags"

_home = tempfile.mkdtemp(prefix="screener-airflow-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ.update(
    {
        "AIRFLOW_HOME": _home,
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_home}/airflow.db",
        "AIRFLOW__API_AUTH__JWT_SECRET": "x" * 64,
    }
)
sys.path.append(str(DAGS))  # as Airflow does with the folder of a DAG bundle


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's own tables."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="session")
def dag_bag(airflow_database: None):
    """All DAG files, parsed as the DAG processor does."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(DAGS), bundle_path=DAGS, bundle_name="dags-folder")

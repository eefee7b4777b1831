"""A results store for each test: on SQLite always, on PostgreSQL where ``SCREENER_TEST_POSTGRES`` names a database (``-m servers``)."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from screener.store.database import Connection, Engine, make_engine, open_store, store_url, writing
from screener.workdir import Workdir


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once and copied for each test."""
    path = tmp_path_factory.mktemp("store") / "results.db"
    open_store(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def engine(request: pytest.FixtureRequest, tmp_path: Path, empty_sqlite: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        made = open_store(f"sqlite:///{shutil.copy(empty_sqlite, tmp_path / 'results.db')}")
        yield made
        made.dispose()
        return
    url = os.environ.get("SCREENER_TEST_POSTGRES")
    if not url:
        pytest.skip("SCREENER_TEST_POSTGRES names no database")
    url = store_url(Workdir(tmp_path), url)
    admin, schema = make_engine(url), f"test_{uuid.uuid4().hex[:12]}"
    with admin.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    made = open_store(f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}")
    yield made
    made.dispose()
    with admin.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    admin.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with writing(engine) as opened:
        yield opened

"""Opens the results store: SQLite (WAL) in the workdir by default, PostgreSQL by URL; migrates it by Alembic."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from screener.errors import ConfigError, StoreError
from screener.workdir import Workdir

__all__ = [
    "Connection", "Engine", "check_integrity", "forget_deleted_pages", "make_engine", "open_store", "reading", "schema_state", "store_url", "translated", "writing",
]  # fmt: skip
"""With SQLAlchemy's own types, so that nobody outside ``store`` imports it."""

URL_VARIABLE = "SCREENER_STORE_URL"
_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MS = 15_000
_PRAGMAS = (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON")


def store_url(workdir: Workdir, configured: str = "") -> str:
    """Address of the store: environment first, then config, then SQLite in the workdir.

    ``postgresql://`` is written out as ``postgresql+psycopg2://``: SQLAlchemy 2.1 reads the short form as psycopg 3.
    """
    url = os.environ.get(URL_VARIABLE) or configured or workdir.store_url
    for short in ("postgresql://", "postgres://"):
        url = url.replace(short, "postgresql+psycopg2://", 1) if url.startswith(short) else url
    return url


def open_store(url: str) -> Engine:
    """Engine on a store that exists and has this code's schema; makes or upgrades it. Raises ``StoreError``."""
    engine = make_engine(url)
    with translated(url):
        _migrate(engine, url)
    return engine


def make_engine(url: str) -> Engine:
    """Engine without touching the database; raises ``ConfigError`` for a malformed URL."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise ConfigError(
            "store", "url", f"{error}", legal=["sqlite:///FILE", "postgresql+psycopg2://USER@HOST/DB"]
        ) from error
    if engine.dialect.name == "sqlite":
        _tune_sqlite(engine)
    return engine


def _tune_sqlite(engine: Engine) -> None:
    """WAL for readers beside a writer, and BEGIN IMMEDIATE: a deferred read-then-write fails at once under load."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        del record
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute("PRAGMA " + pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        mode = "BEGIN" if connection.get_execution_options().get("read_only") else "BEGIN IMMEDIATE"
        connection.exec_driver_sql(mode)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads: never waits for the writer."""
    with (
        translated(str(engine.url)),
        engine.connect().execution_options(read_only=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all or nothing."""
    with translated(str(engine.url)), engine.begin() as connection:
        yield connection


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Driver errors as ``StoreError`` with what to do about them."""
    try:
        yield
    except OperationalError as error:
        place = make_url(url).render_as_string(hide_password=True)
        if "locked" in str(error):
            raise StoreError(
                f"{place}: locked by another process for over {_BUSY_MS // 1000} s; wait for it or stop it"
            ) from error
        raise StoreError(f"{place}: can't be used ({_first_line(error)})") from error
    except DBAPIError as error:
        raise StoreError(f"{make_url(url).render_as_string(hide_password=True)}: {_first_line(error)}") from error


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]


def _alembic(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def schema_state(engine: Engine) -> tuple[str | None, str]:
    """Revision that the store has and the one that this code needs."""
    script = ScriptDirectory.from_config(_alembic(str(engine.url)))
    with engine.connect().execution_options(read_only=True) as connection:  # readers must not wait for a writer
        current = MigrationContext.configure(connection).get_current_revision()
    return current, script.get_current_head() or ""


def _migrate(engine: Engine, url: str) -> None:
    current, head = schema_state(engine)
    if current == head:
        return
    script = ScriptDirectory.from_config(_alembic(url))
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"{make_url(url).render_as_string(hide_password=True)}: has schema {current}, newer than this code ({head}); "
            "update screener, or give another --workdir"
        )
    config = _alembic(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def forget_deleted_pages(engine: Engine) -> None:
    """Take what was deleted out of SQLite's write-ahead log, too; PostgreSQL's own vacuum does it there."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            raw = connection.connection.cursor()
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def check_integrity(engine: Engine) -> list[str]:
    """Problems of the store itself; an empty list is good. For SQLite its own check, for PostgreSQL a read of every table."""
    from screener.store.tables import metadata

    problems: list[str] = []
    current, head = schema_state(engine)
    if current != head:
        problems.append(f"schema is {current}, this code needs {head}")
    with reading(engine) as connection:
        if engine.dialect.name == "sqlite":
            problems += [row[0] for row in connection.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
        for table in metadata.sorted_tables:
            connection.execute(table.select().limit(1)).all()
    return problems

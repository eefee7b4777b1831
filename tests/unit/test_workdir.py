"""Workdir: the folder and the pseudonym key, which is made once, kept private, and never silently replaced."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from screener.errors import ConfigError, UsageError
from screener.workdir import KEY_VARIABLE, Workdir


def test_folder_is_made_on_first_use_only(tmp_path: Path) -> None:
    workdir = Workdir(tmp_path / "deep" / "var")
    assert not workdir.root.exists()
    assert workdir.ensure() is workdir
    assert workdir.root.is_dir()
    assert workdir.lake.parent == workdir.demo.parent == workdir.root
    assert workdir.store_url == f"sqlite:///{workdir.root}/results.db"


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    with pytest.raises(UsageError, match="--workdir"):
        Workdir(tmp_path / "var").ensure()
    with pytest.raises(UsageError, match="--workdir"):
        Workdir(tmp_path / "var" / "below").ensure()


def test_key_is_made_once_and_private(workdir: Workdir) -> None:
    key = workdir.pseudonym_key()
    assert len(key) == 32
    assert Workdir(workdir.root).pseudonym_key() == key
    assert stat.S_IMODE((workdir.root / "pseudonym.key").stat().st_mode) == 0o600
    assert [path.name for path in workdir.root.iterdir()] == ["pseudonym.key"]


def test_two_workdirs_have_two_keys(tmp_path: Path) -> None:
    assert Workdir(tmp_path / "a").pseudonym_key() != Workdir(tmp_path / "b").pseudonym_key()


def test_first_of_two_processes_wins(workdir: Workdir, monkeypatch: pytest.MonkeyPatch) -> None:
    first = workdir.pseudonym_key()
    monkeypatch.setattr(Path, "exists", lambda path: False)  # the other process looked before the key was there
    assert workdir.pseudonym_key() == first


def test_key_of_the_environment_comes_first_and_makes_no_file(
    workdir: Workdir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "ab" * 32)
    assert workdir.pseudonym_key() == b"\xab" * 32
    assert not (workdir.root / "pseudonym.key").exists()


@pytest.mark.parametrize(
    ("value", "problem"), [("xyz", "is not hexadecimal"), ("ab" * 31, "has 31 bytes, needs at least 32")]
)
def test_bad_key_of_the_environment_is_refused_and_not_shown(
    workdir: Workdir, monkeypatch: pytest.MonkeyPatch, value: str, problem: str
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, value)
    with pytest.raises(ConfigError, match=f"{KEY_VARIABLE}: {problem}") as caught:
        workdir.pseudonym_key()
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "too short"), (b"ab" * 8, "too short"), (b"not hex at all", "is damaged"), (b"\xff\x00", "is damaged")],
)
def test_damaged_key_is_refused_and_left_as_it_is(workdir: Workdir, content: bytes, problem: str) -> None:
    path = workdir.root / "pseudonym.key"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"pseudonym\.key: key: .*{problem}.*restore it from a backup"):
        workdir.pseudonym_key()
    assert path.read_bytes() == content


def test_missing_key_beside_a_filled_lake_is_refused(workdir: Workdir) -> None:
    workdir.pseudonym_key()
    (workdir.root / "pseudonym.key").unlink()
    (workdir.lake / "posts" / "source=feed").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"pseudonym\.key: key: is missing, but the lake holds authors"):
        workdir.pseudonym_key()

"""Writes a new source into a source checkout: connector, config, recorded pages and tests that pass from the first day."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from screener.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9]{1,29}")
_KINDS = re.compile(r'(?<=^KINDS = \(\n)(?:    "\w+",\n)+(?=\)\n)', re.MULTILINE)
_KINDS_FILE = Path("src/screener/settings/sources.py")
_PAGES = ("page1.json", "page1.expected.json", "page2.json", "page2.expected.json", "refused.json")


def find_checkout(start: Path) -> Path:
    """The source checkout that ``start`` lies in; raises ``UsageError`` outside of one."""
    for folder in (start, *start.parents):
        if (folder / _KINDS_FILE).is_file() and (folder / "tests").is_dir():
            return folder
    raise UsageError(
        f"{start} is not inside a source checkout, and a new source is code with tests; "
        "clone the repository, run `make install` there, and start the command inside it"
    )


def scaffold(checkout: Path, config: Path, name: str) -> list[Path]:
    """Write the files of a new source of this name and return their paths, the changed list of kinds last.

    Nothing is written over. Raises ``UsageError`` where the name can't be one, or something of that name is there; then
    nothing has changed.
    """
    _check_name(name)
    texts = dict(_texts(checkout, config, name))
    _check_free(checkout, name, texts)
    kinds = checkout / _KINDS_FILE
    changed = _with_kind(kinds, name)
    written: list[Path] = []
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as stream:
                written.append(path)
                stream.write(text)
        kinds.write_text(changed, encoding="utf-8")
    except OSError as error:
        for path in written:
            path.unlink()
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    return [*written, kinds]


def _check_name(name: str) -> None:
    if name == "file":
        raise UsageError("'file' is the kind of posts that people put into a folder; choose another name")
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(
            f"'{name}' can't be a source's name: it becomes a Python module, so 2 to 30 small letters and digits, "
            "a letter first, and no word of the language"
        )


def _check_free(checkout: Path, name: str, texts: Mapping[Path, str]) -> None:
    """pytest wants every test file to have a name of its own, whatever folder it lies in."""
    package = checkout / "src/screener/collect/connectors" / name
    for path in (*texts, package, *(checkout / "tests").rglob(f"test_{name}.py")):
        if path.exists():
            raise UsageError(f"{path} is already there; choose another name, nothing was written")


def _texts(checkout: Path, config: Path, name: str) -> Iterator[tuple[Path, str]]:
    pages = checkout / "tests/sources" / name
    places = {
        "connector.py": checkout / f"src/screener/collect/connectors/{name}.py",
        "source.toml": config / "sources" / f"{name}.toml",
        "test.py": checkout / f"tests/unit/connectors/test_{name}.py",
        **{page: pages / page for page in _PAGES},
    }
    for template, path in places.items():
        text = files("screener.cli").joinpath("source_template", f"{template}.txt").read_text(encoding="utf-8")
        yield path, Template(text).substitute(name=name, capitals=name.upper())


def _with_kind(path: Path, name: str) -> str:
    """The file with the name among its kinds, in order."""
    text = path.read_text(encoding="utf-8")
    found = _KINDS.search(text)
    if found is None:
        raise UsageError(f"{path}: KINDS is not written one kind a line, so '{name}' can't be added to it")
    lines = found[0].splitlines(keepends=True)
    if (line := f'    "{name}",\n') in lines:
        raise UsageError(f"{path}: there is a kind '{name}' already")
    return text[: found.start()] + "".join(sorted([*lines, line])) + text[found.end() :]

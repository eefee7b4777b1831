"""Documents tell the present state: commands, labels, sectors and stages are all in them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from screener.pipeline import STAGES
from screener.settings import Settings

ROOT = Path(__file__).parents[2]


def generated_commands() -> str:
    """Help of all commands as Markdown, by typer's own generator."""
    arguments = [
        sys.executable,
        "-m",
        "typer",
        "screener.cli",
        "utils",
        "docs",
        "--name",
        "screener",
        "--title",
        "Commands",
    ]
    made = subprocess.run(
        arguments, capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, "COLUMNS": "120"}
    )
    return re.sub(r"&#x27;", "'", made.stdout)


def test_cli_reference_is_current() -> None:
    """``UPDATE_DOCS=1 make test`` writes it anew."""
    page, made = ROOT / "docs" / "cli.md", generated_commands()
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(made, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == made, "docs/cli.md is stale: UPDATE_DOCS=1 make test"


def test_every_command_has_help() -> None:
    """A command that says nothing teaches nothing."""
    entries = re.findall(r"^\* `([\w-]+)`:(.*)$", generated_commands(), flags=re.MULTILINE)
    assert entries
    assert [name for name, words in entries if not words.strip()] == []


@pytest.mark.parametrize("stage", STAGES)
def test_readme_names_every_stage(stage: str) -> None:
    """The stages are the words a newcomer searches for."""
    assert f"| {stage} |" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_links_of_documents_lead_somewhere() -> None:
    """Relative links of all documents."""
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "models").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert broken == []


def test_methodology_version_is_documented(settings: Settings) -> None:
    """The version on published rows is the one that the document describes."""
    title = (ROOT / "docs" / "methodology.md").read_text(encoding="utf-8").splitlines()[0]
    assert title == f"# Methodology {settings.runtime.aggregate.methodology_version}"

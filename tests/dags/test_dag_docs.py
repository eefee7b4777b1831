"""``docs/dags.md`` is made of the DAG files' docstrings; ``UPDATE_DOCS=1 pytest tests/dags/test_dag_docs.py`` writes it anew."""

from __future__ import annotations

import ast
import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "dags.md"
HEAD = """# The DAGs

Made from the docstrings in `dags/`, which Airflow shows too; do not edit here. After a change run
`UPDATE_DOCS=1 pytest tests/dags/test_dag_docs.py`.

To try them on one machine: `make airflow`, then open the address it prints.
"""


def made_page() -> str:
    """One section per DAG file, in the order of their names; no airflow is needed to read them."""
    sections = [HEAD]
    for path in sorted((REPOSITORY / "dags").glob("[a-z]*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert text, f"dags/{path.name} has no docstring"
        sections.append(f"## {path.stem}\n\n[`dags/{path.name}`](../dags/{path.name})\n\n{text}\n")
    return "\n".join(sections)


def test_page_says_what_the_docstrings_say():
    if os.environ.get("UPDATE_DOCS"):
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(made_page(), encoding="utf-8")
    assert PAGE.exists()
    assert PAGE.read_text(encoding="utf-8") == made_page(), (
        "stale; run UPDATE_DOCS=1 pytest tests/dags/test_dag_docs.py"
    )

"""A run that is killed at any point and started again ends with the results of an undisturbed one."""

from pathlib import Path

from integration.killing import compare
from screener.demo import write_demo_file


def test_killed_run_resumes_to_equal_results(tmp_path: Path) -> None:
    """Three kills here; ``python tests/integration/killing.py INPUT 10`` does more."""
    lines = write_demo_file(tmp_path).read_text(encoding="utf-8").splitlines(keepends=True)
    source = tmp_path / "posts.jsonl"
    source.write_text("".join(lines[::12]) + '{"id": "broken\n', encoding="utf-8")
    differing, moments = compare(source, tmp_path, kills=3)
    assert differing == [], f"differs after kills at {moments} s"

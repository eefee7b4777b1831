"""``evaluate``, ``tune``, ``compare``, ``explain`` and ``train`` as analysts meet them: figures, hints, and refusals."""

from __future__ import annotations

import importlib.util
import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.test_cli import LABELS, said, screener
from screener.settings import load_settings
from screener.store.lake import Lake, posts_from

LABEL = "low_pay"
REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = REPOSITORY / "config"
MODEL = REPOSITORY / "models" / load_settings(CONFIG).runtime.classify.model
NUMBER = "+66 81 234 5678"
UNPAID = "The boss has not given us any money since January"


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty labelled posts, 20 of them with the label that is tuned."""
    lines = (
        (REPOSITORY / "tests" / "evaluation" / "signals.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    )
    told = [line for line in lines if LABEL in json.loads(line)["signals"]]
    others = [line for line in lines if line not in told]
    file = tmp_path_factory.mktemp("labelled") / "posts.jsonl"
    file.write_text("".join((told[::3] + others[::20])[:64]), encoding="utf-8")
    return file


@pytest.fixture
def folder(tmp_path: Path, labelled: Path) -> Path:
    """A folder with labelled posts, an empty file, a folder that holds no model, and a workdir without posts."""
    (tmp_path / "labelled.jsonl").write_bytes(labelled.read_bytes())
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "no-model").mkdir()
    return tmp_path


@pytest.fixture
def copied_config(tmp_path: Path) -> Callable[[str], Path]:
    """Copies ``config/`` and puts a line under its thresholds."""

    def put(line: str) -> Path:
        config = shutil.copytree(CONFIG, tmp_path / "config")
        file = config / "screener.toml"
        head = "[classify.thresholds]\n"
        text = file.read_text(encoding="utf-8")
        assert text.count(head) == 1
        file.write_text(text.replace(head, f"{head}{line}\n"), encoding="utf-8")
        return config

    return put


def one_line(text: str) -> bool:
    """True if a message, wherever the console wrapped it, is one line and no traceback."""
    return len(text.strip().splitlines()) == 1 and text.startswith("screener: ") and "Traceback" not in text


def test_evaluate_prints_figures_and_writes_a_report(labelled: Path, tmp_path: Path) -> None:
    report = tmp_path / "made" / "report.html"
    result = screener("evaluate", "--labels", labelled, "--report", report, "--format", "json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    n = len(labelled.read_text(encoding="utf-8").splitlines())
    assert (found["n_posts"], found["n_cross_validated"]) == (n, 0)
    assert found["relevance"]["f1"] > 0.7
    assert {row["name"] for row in found["by_label"]} == set(load_settings(CONFIG).label_ids)
    assert len(found["by_label"]) == LABELS
    assert {row["name"]: row["n"] for row in found["by_label"]}[LABEL] == 24
    page = report.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert f"on {n} posts</h1>" in page
    assert f"report written to {report}" in said(result)


def test_evaluate_prints_markdown_to_a_pipe(labelled: Path) -> None:
    result = screener("evaluate", "--labels", labelled)
    assert result.exit_code == 0, result.output
    assert f"| {LABEL} | 24 |" in result.stdout
    assert "| relevance |" in result.stdout


def test_posts_that_the_model_learned_from_are_counted(tmp_path: Path) -> None:
    source = next((REPOSITORY / "src" / "screener" / "training" / "posts").glob("*.jsonl"))
    file = tmp_path / "own.jsonl"
    file.write_text("".join(source.read_text(encoding="utf-8").splitlines(keepends=True)[:20]), encoding="utf-8")
    found = json.loads(screener("evaluate", "--labels", file, "--format", "json").stdout)
    assert found["n_cross_validated"] == found["n_posts"] == 20


@pytest.mark.parametrize("name", [LABEL, "relevance"])
def test_tune_ends_with_a_line_for_the_config(labelled: Path, name: str, copied_config: Callable[[str], Path]) -> None:
    result = screener("tune", "--labels", labelled, "--name", name)
    assert result.exit_code == 0, result.output
    assert f"of {len(labelled.read_text(encoding='utf-8').splitlines())} posts" in said(result)
    assert "* costs least" in said(result)
    last = result.stdout.rstrip().splitlines()[-1]
    (entry,) = tomllib.loads(last).items()
    assert entry[0] == name
    assert 0.05 <= entry[1]["default"] <= 0.95
    settings = load_settings(copied_config(last))
    assert settings.runtime.classify.thresholds[name] == entry[1]


def test_tune_changes_no_threshold_on_a_handful_of_posts(labelled: Path) -> None:
    result = screener("tune", "--labels", labelled, "--name", LABEL, "--language", "th")
    assert result.exit_code == 0, result.output
    assert "too few to change a threshold on" in said(result)
    assert f"{LABEL} = " not in result.stdout


def test_costly_false_alarms_ask_for_a_higher_threshold(labelled: Path) -> None:
    low, high = (
        json.loads(screener("tune", "--labels", labelled, "--false-alarm-cost", cost, "--format", "json").stdout)
        for cost in (0, 50)
    )
    assert low["name"] == "relevance"
    assert low["n_true"] == high["n_true"]
    assert [choice["n_found"] for choice in low["choices"]] == [choice["n_found"] for choice in high["choices"]]
    assert low["cheapest"]["threshold"] < high["cheapest"]["threshold"]


def test_model_differs_from_itself_by_nothing(labelled: Path) -> None:
    result = screener("compare", MODEL, MODEL, "--labels", labelled, "--draws", 100)
    assert result.exit_code == 0, result.output
    assert f"A: {MODEL}; B: {MODEL}" in said(result)
    assert "+0.000 to +0.000" in said(result)
    rows = json.loads(
        screener("compare", MODEL, MODEL, "--labels", labelled, "--draws", 100, "--format", "json").stdout
    )
    assert {"relevance", "signals (micro)", LABEL} <= {row["name"] for row in rows}
    assert {(row["difference"], row["low"], row["high"], row["verdict"]) for row in rows} == {(0, 0, 0, "can't say")}


@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize("marks", ["", "[/b] [phone] "], ids=["plain", "markup"])
def test_explanation_shows_no_telephone_number(output: str, marks: str) -> None:
    result = screener("explain", "--text", f"{marks}{UNPAID}, call me {NUMBER}", "--format", output)
    assert result.exit_code == 0, result.output
    assert "wage_withholding" in said(result)
    assert "call me [phone]" in said(result)
    assert "5678" not in said(result)
    assert marks.strip() in said(result)


def test_explanation_as_json_has_its_parts() -> None:
    result = screener("explain", "--text", UNPAID, "--language", "en", "--format", "json")
    found = json.loads(result.stdout)
    assert found["summary"].startswith("en: relevant")
    lines = {line["name"]: line for line in found["lines"]}
    assert set(lines["relevance"]) == {"name", "probability", "threshold", "flagged", "because"}
    assert lines["wage_withholding"]["flagged"]
    assert lines["wage_withholding"]["probability"] >= lines["wage_withholding"]["threshold"]


def test_text_that_says_nothing_is_explained_by_the_gate() -> None:
    result = screener("explain", "--text", "")
    assert result.exit_code == 0, result.output
    assert "dropped by the gate" in said(result)


@pytest.mark.parametrize("later", [("classify", "aggregate"), ()], ids=["whole-run", "language-only"])
def test_post_of_the_lake_is_explained(tmp_path: Path, later: tuple[str, ...]) -> None:
    file, work = tmp_path / "posts.jsonl", tmp_path / "work"
    file.write_text(json.dumps({"id": "1", "text": f"{UNPAID}, call me {NUMBER}"}) + "\n", encoding="utf-8")
    for command in (["collect", "--input", file], ["detect-language"], *([stage] for stage in later)):
        assert screener(*command, "--workdir", work).exit_code == 0
    lake = Lake(work / "lake")
    (post,) = [post for part in lake.parts("posts") for post in posts_from(lake.read("posts", part), part.partition)]
    result = screener("explain", post.post_id, "--workdir", work)
    assert result.exit_code == 0, result.output
    assert "en: relevant" in said(result)
    assert "call me [phone]" in said(result)
    assert "5678" not in said(result)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("tune --labels labelled.jsonl --name flying", "--name flying: unknown; legal values: relevance, "),
        ("tune --labels labelled.jsonl --language xx-yy", "xx-yy"),
        ("tune --labels labelled.jsonl --language fi", "labelled.jsonl: no labelled posts in fi"),
        ("tune --labels nowhere.jsonl", "--labels nowhere.jsonl: no such file"),
        ("tune --labels empty.jsonl", "empty.jsonl: no labelled posts"),
        ("evaluate --labels empty.jsonl", "empty.jsonl: no labelled posts"),
        ("evaluate --labels nowhere.jsonl", "--labels nowhere.jsonl: no such file"),
        ("evaluate --labels labelled.jsonl --languages labelled.jsonl", "either --labels"),
        ("evaluate --labels labelled.jsonl --report empty.jsonl/made/report.html", "can't be written"),
        ("evaluate --labels labelled.jsonl --report empty.jsonl/report.html", "can't be written"),
        ("evaluate --labels labelled.jsonl --report no-model", "no-model"),
        ("compare no-model no-model --labels empty.jsonl", "empty.jsonl: no labelled posts"),
        ("explain", "either the id of a post or --text"),
        ("explain 12ab --text words --workdir work", "either the id of a post or --text"),
        ("explain 12ab --workdir work", "post '12ab' is not in the lake"),
        ("explain --text words --language xx-yy", "xx-yy"),
        ("train --labels nowhere.jsonl", "--labels nowhere.jsonl: no such file"),
        ("train --posts nowhere", "--posts nowhere: no such folder"),
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_two_and_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, words: str
) -> None:
    if arguments.startswith("train"):
        pytest.importorskip("torch")
    monkeypatch.chdir(folder)
    result = screener(*arguments.split(), "--config", CONFIG)
    assert result.exit_code == 2, (result.output, result.exception)
    assert one_line(result.stderr), result.stderr
    assert words in result.stderr


@pytest.mark.parametrize("command", ["compare no-model no-model", "evaluate --model no-model", "tune --model no-model"])
def test_folder_without_a_model_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(folder)
    result = screener(*command.split(), "--labels", "labelled.jsonl", "--config", CONFIG)
    assert result.exit_code == 1, result.output
    assert one_line(result.stderr), result.stderr
    assert "no-model: no model here (meta.json is missing)" in result.stderr


def test_report_that_cannot_be_written_leaves_nothing(folder: Path) -> None:
    result = screener("evaluate", "--labels", folder / "labelled.jsonl", "--report", folder / "empty.jsonl" / "r.html")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert (folder / "empty.jsonl").read_bytes() == b""


@pytest.mark.parametrize("below", ["m", "signals/4"])
def test_train_into_a_folder_that_cannot_be_made_is_refused_at_once(folder: Path, below: str) -> None:
    pytest.importorskip("torch")
    target = folder / "empty.jsonl" / below
    result = screener("train", "--out", target, "--workdir", folder / "work")
    assert result.exit_code == 2, result.output
    assert one_line(result.stderr), result.stderr
    assert f"{target}: can't be written" in result.stderr
    assert not (folder / "work").exists()


def test_train_without_pytorch_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else find(name, *rest))
    result = screener("train", "--out", folder / "m", "--workdir", folder / "work")
    assert result.exit_code == 2, result.output
    assert one_line(result.stderr), result.stderr
    assert "screener[finetune]" in result.stderr
    assert not (folder / "m").exists()

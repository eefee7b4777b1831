"""The command line as users meet it: contracts of files, exit statuses, and messages that say what to do."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from screener.cli import app
from screener.demo import write_demo_file
from screener.settings import load_settings
from screener.store.lake import Lake, posts_from

LABELS = 19


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One in eight of the demonstration posts."""
    folder = tmp_path_factory.mktemp("demo")
    lines = write_demo_file(folder).read_text(encoding="utf-8").splitlines(keepends=True)
    file = folder / "posts.jsonl"
    file.write_text("".join(lines[::16]), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> Path:
    """A workdir after a run on those posts."""
    folder = tmp_path_factory.mktemp("work")
    result = screener("run", "--input", demo, "--workdir", folder)
    assert result.exit_code == 0, result.output
    return folder


def screener(*arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def said(result: Result) -> str:
    """All output on one line, so that wrapping does not hide words."""
    return " ".join(result.output.split())


def test_run_prints_a_table_and_what_to_do_next(workdir: Path, demo: Path) -> None:
    result = screener("run", "--input", demo, "--workdir", workdir)
    assert result.exit_code == 0
    assert "Risk indicators by country and sector" in said(result)
    assert "screener serve" in said(result)
    assert "insufficient evidence" in said(result)


def test_second_run_does_no_work_twice(workdir: Path, demo: Path) -> None:
    result = screener("run", "--input", demo, "--workdir", workdir, "--format", "json")
    stages = {stage["stage"]: dict(stage["counts"]) for stage in json.loads(result.stdout)["stages"]}
    assert stages["classify"]["done"] == 0
    assert stages["classify"]["skipped"] == stages["collect"]["posts"]


def test_without_a_source_the_demonstration_is_collected_and_marked(tmp_path: Path) -> None:
    result = screener("collect", "--workdir", tmp_path)
    assert result.exit_code == 0, result.output
    lake = Lake(tmp_path / "lake")
    posts = [post for part in lake.parts("posts") for post in posts_from(lake.read("posts", part), part.partition)]
    assert len(posts) >= 3000
    assert all(post.invented and post.author for post in posts)
    watched = {(watch.country, watch.sector) for watch in load_settings().watches}
    assert {(post.country, post.sector) for post in posts} == watched


def test_every_watch_is_in_the_answer(workdir: Path) -> None:
    result = screener("risk", "--sector", "poultry", "--country", "TH", "--workdir", workdir, "--format", "json")
    found = json.loads(result.stdout)["answers"]
    assert [(answer["country"], answer["sector"]) for answer in found] == [("TH", "poultry")]
    assert "draft" in found[0]["caveats"]


def test_unwatched_cell_is_insufficient_never_low(workdir: Path) -> None:
    result = screener("risk", "--sector", "seafaring", "--country", "SE", "--workdir", workdir, "--format", "json")
    (answer,) = json.loads(result.stdout)["answers"]
    assert answer["band"] == "insufficient_evidence"
    assert {"silence", "not_watched"} <= set(answer["caveats"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["risk", "--country", "XX", "--sector", "poultry"], "unknown country code"),
        (["risk", "--country", "TH", "--sector", "poltry"], "did you mean poultry"),
        (["risk", "--country", "TH"], "give either a sector"),
        (["risk", "--cpv", "12"], "eight digits"),
        (["risk", "--country", "TH", "--sector", "poultry", "--language", "fi"], "legal values: en, sv"),
        (["run", "--input", "nowhere.jsonl"], "no such file"),
        (["run", "--since", "yesterday"], "YYYY-MM-DD"),
        (["run", "--since", "2026-02-01", "--until", "2026-01-01"], "half-open"),
        (["classify", "nowhere.jsonl", "--out", "x"], "no such file"),
        (["evaluate"], "either --labels"),
        (["evaluate", "--languages", "nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["evaluate", "--languages", "pyproject.toml", "--posts", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_wrong_usage_ends_with_two_and_says_why(tmp_path: Path, arguments: list[str], words: str) -> None:
    extra = [] if arguments[0] == "evaluate" else ["--workdir", str(tmp_path)]
    result = screener(*arguments, *extra)
    assert result.exit_code == 2, result.output
    assert words in said(result)


def test_config_with_a_typo_names_file_and_key(tmp_path: Path) -> None:
    shutil.copytree("config", tmp_path / "config")
    file = tmp_path / "config" / "screener.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("min_voices", "min_voice"), encoding="utf-8")
    result = screener("config", "check", "--config", tmp_path / "config")
    assert result.exit_code == 2
    assert "screener.toml" in said(result)
    assert "min_voice" in said(result)
    assert "min_voices" in said(result)


def test_bad_records_go_to_quarantine_and_good_ones_stay(tmp_path: Path, demo: Path) -> None:
    file = tmp_path / "mixed.jsonl"
    bad = [
        "{broken",
        '{"id": 1}',
        '{"id": 2, "text": "x", "country": "Q9"}',
        '{"id": 3, "text": "x", "sector": "moon"}',
    ]
    file.write_bytes(demo.read_bytes() + "\n".join(bad).encode() + b'\n{"id": 4, "text": "\xff"}\n')
    result = screener("run", "--input", file, "--workdir", tmp_path / "w", "--format", "json")
    assert result.exit_code == 0, result.output
    (collect,) = [stage for stage in json.loads(result.stdout)["stages"] if stage["stage"] == "collect"]
    assert dict(collect["discards"]) == {
        "no-text": 1,
        "not-json": 1,
        "not-utf8": 1,
        "unknown-country": 1,
        "unknown-sector": 1,
    }
    listed = said(screener("db", "problems", "--workdir", tmp_path / "w"))
    assert "quarantine not-json: 1" in listed
    assert f"mixed.jsonl:{len(demo.read_bytes().splitlines()) + 1}: not-json" in listed


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("posts.csv", b"number,words\n1,hello\n", "column 'id'"),
        ("posts.jsonl", "å".encode("utf-16"), "UTF-16"),
        ("posts.jsonl.gz", b"\x1f\x8b\x08\x00damaged", "damaged"),
    ],
)
def test_unreadable_file_fails_with_one(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    result = screener("run", "--input", tmp_path / name, "--workdir", tmp_path / "w")
    assert result.exit_code == 1, result.output
    assert words in said(result)


def test_empty_file_stops_before_publishing(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_bytes(b"")
    result = screener("run", "--input", tmp_path / "posts.jsonl", "--workdir", tmp_path / "w")
    assert result.exit_code == 1
    assert "only 0 posts" in said(result)


def test_store_that_is_newer_than_the_code_is_refused(tmp_path: Path) -> None:
    assert screener("db", "upgrade", "--workdir", tmp_path).exit_code == 0
    with sqlite3.connect(tmp_path / "results.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    result = screener("risk", "--sector", "poultry", "--workdir", tmp_path)
    assert result.exit_code == 1
    assert "newer than this code" in said(result)


@pytest.mark.parametrize("file", ["encoder.onnx", "calibration.skops"])
def test_model_that_was_tampered_with_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo: Path, file: str
) -> None:
    shutil.copytree("models", tmp_path / "models")
    shutil.copytree("config", tmp_path / "config")
    artifact = tmp_path / "models" / load_settings().runtime.classify.model / file
    content = bytearray(artifact.read_bytes())
    content[len(content) // 2] ^= 1
    artifact.write_bytes(content)
    monkeypatch.chdir(tmp_path)
    result = screener("classify", demo, "--out", tmp_path / "out.jsonl")
    assert result.exit_code == 1
    assert f"{file}: checksum" in said(result)
    assert "the file was changed" in said(result)
    assert not (tmp_path / "out.jsonl").exists()


def test_detect_language_contract(tmp_path: Path, demo: Path) -> None:
    out = tmp_path / "languages.jsonl"
    assert screener("detect-language", demo, "--out", out, "--country", "TH").exit_code == 0
    asked, got = _lines(demo), _lines(out)
    assert [line["id"] for line in got] == [line["id"] for line in asked]
    assert all(
        set(line) == {"id", "language", "confidence", "method", "mixed_with"} and 0 <= line["confidence"] <= 1
        for line in got
    )


def test_evaluate_languages_measures_a_file(tmp_path: Path) -> None:
    rows = [
        ("th", "โรงงานไม่จ่ายค่าจ้างสองเดือนแล้วครับ"),
        ("sv", "Chefen har inte betalat ut lönen på två månader"),
        ("sv", "ok"),
    ]
    file, report = tmp_path / "known.jsonl", tmp_path / "languages.md"
    lines = [
        json.dumps({"id": str(n), "lang": lang, "text": text, "kind": "tweet"}) for n, (lang, text) in enumerate(rows)
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    result = screener("evaluate", "--languages", file, "--report", report)
    assert result.exit_code == 0, said(result)
    assert "None of them is in the training set." in result.stdout
    assert "| **th** | 1 | 1.000 | 1.000 | 1.000 |" in result.stdout
    assert "| sv | 2 | 1.000 | 0.500 | 0.667 |" in result.stdout
    assert "What the later stages know of each language" in report.read_text(encoding="utf-8")
    scores = json.loads(screener("evaluate", "--languages", file, "--format", "json").stdout)
    assert [score["language"] for score in scores["known.jsonl"]] == ["sv", "th"]


def test_classify_contract(tmp_path: Path, demo: Path) -> None:
    few, out = tmp_path / "few.jsonl", tmp_path / "signals.jsonl"
    few.write_text("".join(demo.read_text(encoding="utf-8").splitlines(keepends=True)[:60]), encoding="utf-8")
    assert screener("classify", few, "--out", out).exit_code == 0
    texts = {line["id"]: line["text"] for line in _lines(few)}
    got = _lines(out)
    assert [line["id"] for line in got] == list(texts)
    keys = {"id", "language", "relevant", "relevance", "voice", "positive", "signals", "flagged", "evidence", "unsupported"}  # fmt: skip
    for line in got:
        assert set(line) == keys
        assert isinstance(line["unsupported"], bool)
        assert len(line["signals"]) == LABELS
        assert {span["label"] for span in line["evidence"]} <= set(line["flagged"]) <= set(line["signals"])
        assert all(0 <= span["start"] < span["end"] <= len(texts[line["id"]]) for span in line["evidence"])


def test_lines_that_cannot_be_read_fail_the_command_but_keep_the_rest(tmp_path: Path) -> None:
    file, out = tmp_path / "posts.jsonl", tmp_path / "out.jsonl"
    file.write_text(
        '{"id": "a", "text": "hello there my friend"}\nnonsense\n{"id": "b", "text": 7}\n', encoding="utf-8"
    )
    result = screener("detect-language", file, "--out", out)
    assert result.exit_code == 1
    assert "posts.jsonl:2" in said(result)
    assert [line["id"] for line in _lines(out)] == ["a"]


def test_review_from_queue_to_training_file_and_release(workdir: Path, tmp_path: Path) -> None:
    for _ in range(20):
        shown = screener(
            "review", "next", "--reviewer", "ab", "--stratum", "audit", "--workdir", workdir, "--format", "json"
        )
        item = json.loads(shown.stdout)
        assert "proposed" not in item, "a reviewer must not see what the model thinks"
        decided = screener(
            "review", "decide", item["item_id"], "--reviewer", "ab", "--not-relevant", "--workdir", workdir
        )
        assert decided.exit_code == 0, decided.output
    early = screener("review", "decide", item["item_id"], "--reviewer", "ab", "--relevant", "--workdir", workdir)
    assert early.exit_code == 1
    assert "has a voice" in said(early)
    file = tmp_path / "decisions.jsonl"
    assert screener("review", "export", file, "--workdir", workdir).exit_code == 0
    assert len(_lines(file)) == 20
    assert screener("review", "import", file, "--workdir", workdir).exit_code == 0
    released = screener("release", "create", "--signed-by", "Expert group", "--workdir", workdir)
    assert released.exit_code == 0, released.output
    again = screener("release", "create", "--signed-by", "Expert group", "--workdir", workdir)
    assert again.exit_code == 1
    answer = json.loads(screener("risk", "--sector", "poultry", "--workdir", workdir, "--format", "json").stdout)[
        "answers"
    ][0]
    assert answer["release"]["signed_by"] == "Expert group"
    assert "draft" not in answer["caveats"]


def test_release_without_judged_sample_is_refused(tmp_path: Path, demo: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(demo.read_text(encoding="utf-8").splitlines(keepends=True)[:40]), encoding="utf-8")
    assert screener("run", "--input", few, "--workdir", tmp_path / "w").exit_code == 0
    result = screener("release", "create", "--signed-by", "Expert group", "--workdir", tmp_path / "w")
    assert result.exit_code == 1
    assert "audit items" in said(result)


def _lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

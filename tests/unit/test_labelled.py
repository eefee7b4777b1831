"""Labelled posts: read strictly, each mistake with file, line, key and legal values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from screener.classify.labelled import own_posts, read_labelled
from screener.errors import ParseError
from screener.records import Voice
from screener.settings import Settings

LABELS = ("low_pay", "deception")
GOOD = {
    "id": 7,
    "text": "ค่าแรงต่ำ",
    "lang": "th-TH",
    "source": "invented",
    "relevant": True,
    "voice": "testimony",
    "signals": ["low_pay"],
    "positive": False,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "posts.jsonl"


def test_good_line_becomes_a_post(file: Path) -> None:
    file.write_text("\n" + json.dumps(GOOD, ensure_ascii=False) + "\n", encoding="utf-8")
    (post,) = read_labelled(file, LABELS)
    assert (post.post_id, post.language, post.voice, post.signals, post.relevant) == (
        "7",
        "th",
        Voice.TESTIMONY,
        ("low_pay",),
        True,
    )


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"signals": ["low_pai"]}, "unknown label 'low_pai'; legal values: low_pay, deception"),
        ({"signals": "low_pay"}, "signals: list needed"),
        ({"signals": [1, "x"]}, "unknown label '1'"),
        ({"voice": "nobody"}, "'nobody' is not a valid Voice"),
        ({"lang": "klingon"}, "unknown language code"),
        ({"lang": None}, "lang: str needed"),
        ({"text": None}, "text: str needed"),
        ({"relevant": "no"}, "relevant: bool needed, got 'no'"),
        ({"positive": 0}, "positive: bool needed, got 0"),
    ],
)
def test_mistake_names_line_and_key(file: Path, values: dict[str, object], problem: str) -> None:
    file.write_text(json.dumps(GOOD) + "\n" + json.dumps(GOOD | values) + "\n")
    with pytest.raises(ParseError) as caught:
        list(read_labelled(file, LABELS))
    assert str(caught.value).startswith(f"{file}:2: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize("key", ["id", "text", "lang", "relevant", "voice", "signals", "positive"])
def test_missing_key_is_named_with_those_needed(file: Path, key: str) -> None:
    file.write_text(json.dumps({name: value for name, value in GOOD.items() if name != key}))
    with pytest.raises(ParseError, match=f"key '{key}' is missing; needed: id, text"):
        list(read_labelled(file, LABELS))


@pytest.mark.parametrize("line", ["[]", "{", '"text"', "7", "[" * 100_000])
def test_line_that_is_no_object_is_refused(file: Path, line: str) -> None:
    file.write_text(line)
    with pytest.raises(ParseError, match=r"posts\.jsonl:1"):
        list(read_labelled(file, LABELS))


def test_file_that_is_missing_or_not_utf8_is_refused(file: Path) -> None:
    with pytest.raises(ParseError, match="can't be read"):
        list(read_labelled(file, LABELS))
    file.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ParseError, match="can't be read"):
        list(read_labelled(file, LABELS))


def test_own_posts_follow_the_taxonomy(settings: Settings) -> None:
    posts = own_posts(settings.label_ids)
    assert len(posts) > 1000
    assert len({post.post_id for post in posts}) == len(posts)
    assert all(post.relevant or not post.signals for post in posts)

"""Labelled posts: the project's own invented ones and files given with ``--labels``, read strictly."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from screener.codes import parse_language
from screener.errors import ParseError, ScreenerError
from screener.records import Voice


@dataclass(frozen=True, slots=True)
class LabelledPost:
    """A text with a person's answers to the guide's four questions."""

    post_id: str
    text: str
    language: str
    source: str
    relevant: bool
    voice: Voice
    signals: tuple[str, ...]
    positive: bool


def own_posts(labels: Sequence[str]) -> list[LabelledPost]:
    """The invented posts that ship with the package."""
    folder = files("screener.training") / "posts"
    found = [Path(str(entry)) for entry in folder.iterdir() if entry.name.endswith(".jsonl")]
    return [post for path in sorted(found) for post in read_labelled(path, labels)]


def read_labelled(path: Path, labels: Sequence[str]) -> Iterator[LabelledPost]:
    """Posts of a JSONL file in the guide's record format; raises ``ParseError`` with file, line, key and legal values."""
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield _parse(line, f"{path}:{number}", labels)
    except (OSError, UnicodeDecodeError) as error:
        raise ParseError(str(path), f"can't be read ({error})") from error


def _parse(line: str, where: str, labels: Sequence[str]) -> LabelledPost:
    try:
        record = json.loads(line)
        signals = tuple(record["signals"])
        post = LabelledPost(
            str(record["id"]), str(record["text"]), parse_language(record["lang"]), str(record.get("source", "unknown")),
            bool(record["relevant"]), Voice(record["voice"]), signals, bool(record["positive"]),
        )  # fmt: skip
    except KeyError as error:
        raise ParseError(where, f"key {error} is missing; needed: id, text, lang, relevant, voice, signals, positive") from error
    except (ValueError, TypeError, AttributeError, ScreenerError) as error:
        raise ParseError(where, str(error)) from error
    if unknown := set(signals) - set(labels):
        raise ParseError(where, f"signals: unknown label '{min(unknown)}'; legal values: {', '.join(labels)}")
    return post

"""Labelled posts: the project's own invented ones and files given with ``--labels``, read strictly."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from screener.codes import parse_language
from screener.errors import ParseError, ScreenerError
from screener.records import Voice

Value = TypeVar("Value")


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
        signals = tuple(_typed(record, "signals", list))
        post = LabelledPost(
            str(record["id"]), _typed(record, "text", str), parse_language(_typed(record, "lang", str)), str(record.get("source", "unknown")),
            _typed(record, "relevant", bool), Voice(record["voice"]), signals, _typed(record, "positive", bool),
        )  # fmt: skip
    except KeyError as error:
        raise ParseError(where, f"key {error} is missing; needed: id, text, lang, relevant, voice, signals, positive") from error
    except (ValueError, TypeError, AttributeError, RecursionError, ScreenerError) as error:
        raise ParseError(where, str(error)) from error
    if unknown := [label for label in signals if label not in labels]:
        raise ParseError(where, f"signals: unknown label '{unknown[0]}'; legal values: {', '.join(labels)}")
    return post


def _typed(record: dict[str, Any], key: str, kind: type[Value]) -> Value:
    """The value if it is of this kind; ``"no"`` is no answer to a yes-no question, though Python takes it for true."""
    value = record[key]
    if not isinstance(value, kind):
        raise TypeError(f"{key}: {kind.__name__} needed, got {value!r:.40}")
    return value

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


INVENTED = "invented"
"""Source of the posts that the project wrote itself."""
PRESUMED = "posts-presumed"
"""Source of real posts that nobody read: fits scored them so low that they are taken as irrelevant."""


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
    family: str = ""
    """Posts that are translations of one another share a family; empty for the others."""


def own_posts(labels: Sequence[str]) -> list[LabelledPost]:
    """The invented posts that ship with the package."""
    folder = files("screener.training") / "posts"
    found = [Path(str(entry)) for entry in folder.iterdir() if entry.name.endswith(".jsonl")]
    return [post for path in sorted(found) for post in read_labelled(path, labels)]


def read_labelled(path: Path, labels: Sequence[str], texts: Mapping[str, str] | None = None) -> Iterator[LabelledPost]:
    """Posts of a JSONL file in the guide's record format; raises ``ParseError`` with file, line, key and legal values.

    Labels that were committed by post id, without the text, take it from ``texts``; those whose text is not at hand
    are left out.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip() and (post := _parse(line, f"{path}:{number}", labels, texts)):
                    yield post
    except (OSError, UnicodeDecodeError) as error:
        raise ParseError(str(path), f"can't be read ({error})") from error


def labels_by_id() -> Path:
    """Labels of real posts by post id, without text: they state exactly what the shipped model was trained on."""
    return Path(str(files("screener.training") / "real_labels.jsonl"))


def read_texts(folder: Path) -> dict[str, str]:
    """Texts by id of all JSONL files in a folder; raises ``ParseError`` at a line that is not an object with id and text."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                try:
                    record = json.loads(line)
                    found[str(record["id"])] = _typed(record, "text", str)
                except (KeyError, ValueError, TypeError) as error:
                    raise ParseError(f"{path}:{number}", f"an object with id and text is needed ({error})") from error
    return found


def _parse(line: str, where: str, labels: Sequence[str], texts: Mapping[str, str] | None) -> LabelledPost | None:
    try:
        record = json.loads(line)
        if texts is not None and "text" not in record:
            if str(record["id"]) not in texts:
                return None
            record["text"] = texts[str(record["id"])]
        signals = tuple(_typed(record, "signals", list))
        post = LabelledPost(
            str(record["id"]), _typed(record, "text", str), parse_language(_typed(record, "lang", str)), str(record.get("source", "unknown")),
            _typed(record, "relevant", bool), Voice(record["voice"]), signals, _typed(record, "positive", bool), str(record.get("family", "")),
        )  # fmt: skip
    except KeyError as error:
        raise ParseError(
            where, f"key {error} is missing; needed: id, text, lang, relevant, voice, signals, positive"
        ) from error
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

"""What the n-gram model learns from: the project's own posts, and material that the caller names. Reads files, strictly.

Real posts give the registers, invented ones the languages and topics that real sets lack, word frequencies the
European languages that only have to be told from the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from screener.codes import is_language, parse_language
from screener.detect_language.reading import read
from screener.detect_language.scripts import ROMANISED
from screener.errors import ModelError, ParseError, ScreenerError
from screener.records import UNDETERMINED

WEIGHTS = {"labelled": 2.0, "invented": 2.5, "hinted": 1.0, "parallel": 0.7, "frequencies": 0.6}
"""Weight of an example by kind of source. Invented posts weigh more because they are few and cover the world outside the
collections; word lists less because they have no sentences. Doubling or halving any moved macro-F1 by less than 0.005."""
_MAX_PER_HINT = 2_500
_MAX_ENGLISH = 6_500
"""English is confused with all romanised and mixed languages, so it needs more."""
_PARALLEL_SENTENCE = re.compile(r"(?<=[.!?]) ")
_MIN_SENTENCE, _MAX_SENTENCE = 20, 200
_FREQUENCY_LISTS = {
    "nl": "nl", "cs": "cs", "pl": "pl", "hu": "hu", "lv": "lv", "nb": "no", "sk": "sk", "ro": "ro", "lt": "lt", "sl": "sl", "sh": "hr",
    "da": "da", "fi": "fi", "is": "is", "ca": "ca", "mk": "mk", "bg": "bg", "uk": "uk", "ru": "ru", "fa": "fa", "ur": "ur", "id": "id",
    "ms": "ms", "fil": "tl", "sv": "sv", "tr": "tr", "en": "en", "es": "es", "fr": "fr", "de": "de", "it": "it", "pt": "pt", "vi": "vi",
    "ar": "ar", "hi": "hi",
}  # fmt: skip
"""wordfreq's list -> the project's language."""
_FREQUENCY_TEXTS = {
    "ms": 1_500,
    "tl": 1_500,
    "sv": 1_200,
    "id": 800,
    "ur": 800,
    "fa": 1_000,
    "ru": 2_000,
    "uk": 1_200,
    "hi": 1_000,
}
_FREQUENCY_DEFAULT = 600


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its language; ``kind`` is the kind of source, a key of ``WEIGHTS``."""

    text: str
    language: str
    kind: str
    post_id: str = ""
    register: str = ""


def fold(text: str) -> str:
    """Letters and digits only, lower case, without masks: copies of a post fall together."""
    return re.sub(r"\W+|user|url", "", text.lower())


def romanised_form(language: str, script: str) -> str:
    """``ar-Latn`` for Arabic in Latin letters, the language itself where it has no such form."""
    return ROMANISED.get(language, language) if script == "Latn" else language


def own_examples() -> list[Example]:
    """The invented posts that ship with the package: those written for languages, and those of the classifier that are listed by id.

    The list is short on purpose: with all posts of the classifier Roman Urdu fell from F1 0.89 to 0.86, since they outweigh
    real posts.
    """
    root = Path(str(files("screener.training")))
    listed = set((root / "language_posts.txt").read_text(encoding="utf-8").split())
    return [
        Example(record["text"], parse_language(record["lang"]), "invented")
        for folder in ("posts", "languages")
        for path in sorted((root / folder).glob("*.jsonl"))
        for _, record in _records(path)
        if folder == "languages" or record["id"] in listed
    ]


@cache
def corrections() -> dict[str, str]:
    """Post id -> language, for labelled posts whose given language a reader found to be wrong; ids only, no text."""
    path = Path(str(files("screener.training") / "language_corrections.json"))
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def labelled_examples(path: Path) -> list[Example]:
    """Posts of a JSONL file with text and lang; raises ``ParseError`` with file, line and key."""
    found = []
    for where, record in _records(path):
        try:
            language = parse_language(record["lang"])
            register = str(record.get("kind", ""))
            found.append(Example(str(record["text"]), language, "labelled", str(record.get("id", where)), register))
        except (KeyError, TypeError) as error:
            raise ParseError(where, f"key {error} is missing; needed: text, lang") from error
        except ScreenerError as error:
            raise ParseError(where, str(error)) from error
    return found


def hinted_examples(folder: Path, *, without: Sequence[Example]) -> list[Example]:
    """Posts of a folder's JSONL files whose source says the language (``lang_hint``), at most 2,500 a language.

    Copies of the posts in ``without`` are left out, also those that share the first 30 letters: those posts are for
    measuring.
    """
    seen = {fold(example.text) for example in without}
    openings = {text[:30] for text in seen if len(text) >= 30}
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        for _, record in _records(path):
            hint, text = record.get("lang_hint"), str(record.get("text", ""))
            folded = fold(text)
            if not hint or folded in seen or (len(folded) >= 30 and folded[:30] in openings):
                continue
            language = str(hint).split("-")[0] if not is_language(str(hint)) else parse_language(str(hint))
            seen.add(folded)
            if is_language(language):
                found.append(Example(text, parse_language(language), "hinted", str(record.get("id", ""))))
    return _capped(found)


def _capped(examples: Sequence[Example]) -> list[Example]:
    """At most so many a language, evenly spaced so that every source keeps its part."""
    by_language: dict[str, list[Example]] = {}
    for example in examples:
        by_language.setdefault(example.language, []).append(example)
    kept: list[Example] = []
    for language, group in sorted(by_language.items()):
        step = max(1.0, len(group) / (_MAX_ENGLISH if language == "en" else _MAX_PER_HINT))
        kept.extend(group[int(position * step)] for position in range(int(len(group) / step)))
    return kept


def parallel_examples(path: Path, *, plenty: frozenset[str]) -> list[Example]:
    """Sentences of a JSONL file whose objects hold lists of paragraphs by language code; other keys are skipped.

    Every sixth sentence only where the language is in ``plenty``, that is, has posts already.
    """
    found: list[Example] = []
    for _, record in _records(path):
        for key, paragraphs in record.items():
            if is_language(key) and isinstance(paragraphs, list):
                sentences = (part for paragraph in paragraphs for part in _PARALLEL_SENTENCE.split(str(paragraph)))
                kept = [Example(s[:_MAX_SENTENCE], key, "parallel") for s in sentences if len(s) >= _MIN_SENTENCE]
                found += kept[::6] if key in plenty else kept
    return found


def frequency_examples(seed: int = 0) -> list[Example]:
    """Word salads drawn from wordfreq's lists (web, subtitles, Twitter); raises ``ModelError`` if it isn't installed."""
    try:
        import wordfreq
    except ImportError as error:
        raise ModelError("training needs the package wordfreq: install screener with the extra 'train'") from error
    import numpy as np

    random = np.random.default_rng(seed)
    found = []
    for name, language in _FREQUENCY_LISTS.items():
        listed = wordfreq.get_frequency_dict(name, "best")
        words = [word for word in listed if not any(char.isdigit() for char in word)][:40_000]
        shares = np.array([listed[word] for word in words])
        # some weight for rare words: by frequency alone half of all texts would be function words only
        chances = 0.85 * shares / shares.sum() + 0.15 * np.sqrt(shares) / np.sqrt(shares).sum()
        for _ in range(_FREQUENCY_TEXTS.get(language, _FREQUENCY_DEFAULT)):
            length = int(np.clip(random.gamma(2, 6), 2, 30))
            drawn = random.choice(len(words), length, p=chances)
            found.append(Example(" ".join(words[i] for i in drawn), language, "frequencies"))
    return found


def corrected(examples: Sequence[Example]) -> list[Example]:
    """The examples with the readers' corrections; those that a reader called undeterminable are dropped."""
    better = corrections()
    found = [replace(example, language=better.get(example.post_id, example.language)) for example in examples]
    return [example for example in found if example.language != UNDETERMINED]


def read_language(example: Example) -> str:
    """The language that a reader found, else the given one; in Latin letters as its romanised form."""
    script = read(example.text).script
    return corrections().get(example.post_id) or romanised_form(example.language, script)


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and object of each line; raises ``ParseError``."""
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    record = json.loads(line)
                    if not isinstance(record, dict):
                        raise ParseError(f"{path}:{number}", "an object is needed")
                    yield f"{path}:{number}", record
    except (OSError, ValueError) as error:
        raise ParseError(str(path), f"can't be read as JSONL ({error})") from error

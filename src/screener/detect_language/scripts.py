"""Unicode scripts of a text, and what a script alone says about the language."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RANGES = (
    ("Latn", 0x41, 0x5A), ("Latn", 0x61, 0x7A), ("Latn", 0xC0, 0x24F), ("Latn", 0x250, 0x2AF), ("Latn", 0x1E00, 0x1EFF),
    ("Grek", 0x370, 0x3FF), ("Grek", 0x1F00, 0x1FFF), ("Cyrl", 0x400, 0x52F), ("Armn", 0x530, 0x58F),
    ("Hebr", 0x590, 0x5FF), ("Arab", 0x620, 0x65F), ("Arab", 0x66E, 0x6EF), ("Arab", 0x6FA, 0x6FF), ("Arab", 0x750, 0x77F),
    ("Thaa", 0x780, 0x7BF), ("Deva", 0x900, 0x965), ("Deva", 0x970, 0x97F), ("Beng", 0x980, 0x9E5), ("Beng", 0x9F0, 0x9FF),
    ("Guru", 0xA00, 0xA7F), ("Gujr", 0xA80, 0xAFF), ("Orya", 0xB00, 0xB7F), ("Taml", 0xB80, 0xBFF), ("Telu", 0xC00, 0xC7F),
    ("Knda", 0xC80, 0xCFF), ("Mlym", 0xD00, 0xD7F), ("Sinh", 0xD80, 0xDFF), ("Thai", 0xE01, 0xE3A), ("Thai", 0xE40, 0xE4E),
    ("Laoo", 0xE80, 0xEFF), ("Tibt", 0xF00, 0xFFF), ("Mymr", 0x1000, 0x109F), ("Geor", 0x10A0, 0x10FF), ("Hang", 0x1100, 0x11FF),
    ("Ethi", 0x1200, 0x139F), ("Khmr", 0x1780, 0x17FF), ("Mong", 0x1800, 0x18AF), ("Kana", 0x3041, 0x309F),
    ("Kana", 0x30A1, 0x30FA), ("Hani", 0x3400, 0x4DBF), ("Hani", 0x4E00, 0x9FFF), ("Mymr", 0xA9E0, 0xA9FF), ("Mymr", 0xAA60, 0xAA7F),
    ("Ethi", 0x2D80, 0x2DDF), ("Hang", 0xAC00, 0xD7A3),
)  # fmt: skip
"""Letters and vowel signs by code point, inclusive; digits and punctuation of the blocks are left out."""

OWNED = {
    "Thai": "th", "Laoo": "lo", "Mymr": "my", "Khmr": "km", "Sinh": "si", "Taml": "ta", "Telu": "te", "Mlym": "ml",
    "Gujr": "gu", "Knda": "kn", "Guru": "pa", "Orya": "or", "Hang": "ko", "Kana": "ja", "Hani": "zh", "Grek": "el",
    "Hebr": "he", "Geor": "ka", "Armn": "hy", "Thaa": "dv", "Tibt": "bo", "Beng": "bn",
}  # fmt: skip
"""Scripts that one language of the project writes; the others need a look at letters or n-grams."""


def codes(text: str) -> frozenset[str]:
    """The language codes in a line of them."""
    return frozenset(text.split())


SHARED = {
    "Latn": codes(
        "en es pt fr de it nl sv no da fi is pl cs sk sl hr sr ro hu lt lv et sq tr az uz vi id ms jv su tl ceb sw ha yo ig so om rw ts tw pcm "
        "zu xh sn st tn ny lg ln wo mg af ca eu gl cy ga ht ku mt hi-Latn ur-Latn ar-Latn"
    ),
    "Arab": codes("ar fa ur ug ps sd ku"),
    "Cyrl": codes("ru uk bg sr mk be kk ky mn tg uz tt"),
    "Deva": codes("hi ne mr"),
    "Ethi": codes("am ti"),
}
"""Scripts that several languages write -> those languages; a vote never leaves them."""

ROMANISED = {"ar": "ar-Latn", "hi": "hi-Latn", "ur": "ur-Latn"}
"""Language -> its form in Latin letters, which is a language of its own here."""

_DENSITY = {"Hani": 3.0, "Kana": 2.0, "Hang": 2.5, "Ethi": 2.0}
"""Sounds that a character of the script writes, against one Latin letter."""
_NOT_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())
_FOREIGN_BONUS = 2.0
"""Latin names, brands and tags stand in posts of every language; the reverse is rare."""


@cache
def _table() -> tuple[list[str], NDArray[np.uint8]]:
    """Script names by number (0 is no script) and the number of every code point of the BMP."""
    import numpy as np

    names = ["", *dict.fromkeys(name for name, _, _ in _RANGES)]
    table = np.zeros(0x10000, dtype=np.uint8)
    for name, first, last in _RANGES:
        table[first : last + 1] = names.index(name)
    table[[0xD7, 0xF7]] = 0
    return names, table


def count_scripts(text: str) -> dict[str, int]:
    """Letters per ISO 15924 script in a cleaned text; code points beyond the BMP count as none."""
    if text.isascii():
        letters = len(text.encode().translate(None, _NOT_LETTERS))
        return {"Latn": letters} if letters else {}
    import numpy as np

    names, table = _table()
    units = np.frombuffer(text.encode("utf-16-le", "replace"), dtype="<u2")
    counts = np.bincount(table[units])
    return {names[number]: int(counts[number]) for number in counts.nonzero()[0] if number}


def main_script(counts: dict[str, int]) -> str:
    """The script that carries the message, empty if there are no letters; other scripts win over Latin early."""
    if len(counts) <= 1:
        return next(iter(counts), "")
    return max(counts, key=lambda name: _mass(name, counts[name]))


def _mass(script: str, letters: int) -> float:
    return letters * _DENSITY.get(script, 1.0) * (1.0 if script == "Latn" else _FOREIGN_BONUS)


_LATIN_WORDS = re.compile(r"[a-z0-9à-ɏ]+")


def own_words(text: str, script: str) -> str:
    """A cleaned text without the Latin words and the digits, where another script carries it."""
    return text if script == "Latn" else " ".join(_LATIN_WORDS.sub(" ", text).split())


def latin_words(text: str) -> str:
    """The Latin words of a cleaned text."""
    return " ".join(_LATIN_WORDS.findall(text))

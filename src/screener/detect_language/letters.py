"""What single letters say where a script is shared: letters that one language alone writes, or writes all the time."""

from __future__ import annotations

import re

from screener.detect_language.scripts import OWNED

_JAPANESE_KANJI = frozenset("込働畑辻峠匂枠働円図広実対売読駅仏拝桜沢浜渋労従経続収発験戦単済県団")
"""Characters made or simplified in Japan; a Chinese text has its own forms of them."""
_MIN_KANA_SHARE = 0.1
"""Chinese posts write the odd の for effect; a Japanese sentence is one third kana or more."""

_DISTINCTIVE = (
    ("as", "Beng", re.compile("[ৰৱ]"), 0.02),
    ("ti", "Ethi", re.compile("[ኣቐቑቒቓቔቕቖ]"), 0.04),
)
"""Language, script, its letters, and the share of all letters from which they prove it: a third of what running text has,
so that one quoted name does not decide. In Arabic and Cyrillic scripts the n-gram model does as well or better."""


def by_letters(script: str, counts: dict[str, int], text: str) -> str | None:
    """The language that the letters prove, ``None`` where n-grams must tell."""
    if script in {"Hani", "Kana"}:
        return _han_or_kana(counts, text)
    found = _distinctive(script, counts.get(script, 0), text)
    return found or OWNED.get(script)


def _han_or_kana(counts: dict[str, int], text: str) -> str:
    kana, han = counts.get("Kana", 0), counts.get("Hani", 0)
    if kana >= _MIN_KANA_SHARE * (kana + han) or (kana and not _JAPANESE_KANJI.isdisjoint(text)):
        return "ja"
    return "zh" if sum(char in _JAPANESE_KANJI for char in text) < 2 else "ja"


def _distinctive(script: str, letters: int, text: str) -> str | None:
    for language, owner, pattern, share in _DISTINCTIVE:
        if owner == script and len(pattern.findall(text)) >= share * letters:
            return language
    return None

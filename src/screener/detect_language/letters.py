"""What single letters say where a script is shared: letters that one language alone writes, or writes all the time."""

from __future__ import annotations

import re

from screener.detect_language.scripts import OWNED

_JAPANESE_KANJI = frozenset("込働畑辻峠匂枠働円図広実対売読駅仏拝桜沢浜渋労従経続収発験戦単済県団")
"""Characters made or simplified in Japan; a Chinese text has its own forms of them."""
_MIN_KANA_SHARE = 0.1
"""Chinese posts write the odd の for effect; a Japanese sentence is one third kana or more."""

_DISTINCTIVE = (
    ("ug", "Arab", re.compile("[ۇۈۋڭېۆەئ]"), 0.12),
    ("ku", "Arab", re.compile("[ڕڵێۆە]"), 0.15),
    ("ur", "Arab", re.compile("[ٹڈڑںےہھ]"), 0.06),
    ("sd", "Arab", re.compile("[ڀٺٽڦڄڃڇڊڏڍڳڱڻ]"), 0.04),
    ("ps", "Arab", re.compile("[ټډړږښڼۍې]"), 0.04),
    ("as", "Beng", re.compile("[ৰৱ]"), 0.02),
    ("ti", "Ethi", re.compile("[ኣቐቑቒቓቔቕቖ]"), 0.04),
    ("uk", "Cyrl", re.compile("[іїєґ]"), 0.025),
    ("sr", "Cyrl", re.compile("[ђћјљњџ]"), 0.03),
    ("kk", "Cyrl", re.compile("[әғқңұһ]"), 0.05),
)
"""Language, script, its letters, and the share of all letters from which they prove it.

Shares lie at about a third of what running text has, so that one quoted name does not decide. The Uyghur test comes
before the Kurdish one, with which it shares ۆ, ە and ئ, and needs a letter that Kurdish lacks.
"""
_UYGHUR_PROOF = re.compile("[ۇۈۋڭې]")
_NOT_UKRAINIAN = re.compile("[ўэыәғқ]")
_MACEDONIAN = re.compile("[ѓќѕ]")


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
        if owner != script or len(pattern.findall(text)) < share * letters:
            continue
        if not _contradicted(language, text):
            return language
    return None


def _contradicted(language: str, text: str) -> bool:
    """True where a neighbour's letters show that the same letters mean another language."""
    if language == "ug":
        return not _UYGHUR_PROOF.search(text)
    if language == "uk":
        return bool(_NOT_UKRAINIAN.search(text))
    return language == "sr" and bool(_MACEDONIAN.search(text))

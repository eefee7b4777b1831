"""Text cleaning for language identification only: the stored post keeps its text, offsets never refer to this one."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_MASK = re.compile(
    r"https?\b:?\S*|www\.\S+|\S+@\S+\.\w+|@\s?\w+|\[[A-Z]{2,12}\]|\b(?:USER(?:NAME)?|URL|HTTPURL|RT)\b|\A\s*rt\b"
    r"|(?:\\x[0-9a-fA-F]{2})+|&(?:amp|lt|gt|quot|nbsp|#\d+);|\b\w+\.(?:com|org|net|co)\b\S*"
)
"""Addresses, the masks that collections put in their place, and escaped bytes; they read as English or as nothing."""
_CAMEL = re.compile(r"(?<=[a-zß-ÿ])(?=[A-Z])")
_HASHTAG = re.compile(r"[#＃](\w+)")
_NOISE = re.compile("[^\\w\\s'’ʻ\u0300-\u036f\u0590-\u1cff\u200c\u200d\ua8e0-\uabff,.!?]|_")
"""Emoji, symbols and most punctuation; what stays includes the combining vowel signs that ``\\w`` leaves out."""
_DIGITS = re.compile(r"\d+")
_STRETCHED = re.compile(r"(\w)\1{2,}")
_MAX_CHARACTERS = 400
"""A language shows within the first sentences; longer input only costs time."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One text in the two forms that the steps read, both lower case and NFKC.

    ``words`` keeps digits, because chat spelling writes letters with them (``3la``); ``letters`` has none.
    """

    words: str
    letters: str


def clean(text: str) -> Cleaned:
    """The text without addresses, masks, mentions, emoji and symbols; hashtags split into words.

    NFKC and not NFC, because it also folds the presentation forms that old Urdu keyboards write. Idempotent on
    ``words``; never raises, lone surrogates become U+FFFD and then blanks.
    """
    text = _normalise(text[: 2 * _MAX_CHARACTERS])
    text = _MASK.sub(" ", text)
    if "#" in text:
        text = _HASHTAG.sub(_split_hashtag, text)
    text = _STRETCHED.sub(r"\1\1", _NOISE.sub(" ", text))
    words = " ".join(text.split()).lower()[:_MAX_CHARACTERS]
    return Cleaned(words=words, letters=" ".join(_DIGITS.sub(" ", words).split()))


def _normalise(text: str) -> str:
    if text.isascii():
        return text
    repaired = text.encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFKC", repaired)


def _split_hashtag(match: re.Match[str]) -> str:
    """``#UnpaidWages`` -> ``Unpaid Wages``: a sentence often stands in its tags."""
    return f" {_CAMEL.sub(' ', match[1])} "

"""Text cleaning for language identification only: the stored post keeps its text, offsets never refer to this one."""

from __future__ import annotations

import re
import unicodedata

_MASK = re.compile(
    r"https?\b:?[!-~]*|www\.[!-~]+|@ user\b|@\w+|\[[A-Z]{2,12}\]|(?:\\x[0-9a-fA-F]{2})+|&(?:amp|lt|gt|quot|nbsp|#\d+);"
)
"""Addresses, mentions, and escaped bytes; they read as English or as nothing. Every branch starts with a plain
character, which lets the expression skip text that has none of them."""
_MASK_WORDS = ("USER", "URL", "RT", "rt")
_MASK_WORD = re.compile(r"\b(?:USER(?:NAME)?|URL|HTTPURL|RT)\b|\A\s*rt\b")
"""What collections put in the place of names and links."""
_MAIL_SIGN, _MAIL = re.compile(r"[!-~]@[!-~]"), re.compile(r"[\w.%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}", re.ASCII)
_SITE_SIGN, _SITE = (
    re.compile(r"\.(?:com|org|net|co)\b", re.ASCII),
    re.compile(r"[A-Za-z0-9-]+\.(?:com|org|net|co)\b[!-~]*", re.ASCII),
)
"""Looked for only where the sign is seen: trying every word of every post would take half of the cleaning's time. All of
ASCII only, because Chinese, Japanese or Thai go on without a blank."""
_CAMEL = re.compile(r"(?<=[a-zß-ÿ])(?=[A-Z])")
_HASHTAG = re.compile(r"[#＃](\w+)")
_NOISE = re.compile("[^\\w\\s\u0300-\u036f\u0590-\u1cff\u200c\u200d\ua8e0-\uabff]|[_\u02bb\u02bc]")
"""Emoji, symbols, punctuation and apostrophes; what stays includes the vowel signs that ``\\w`` leaves out."""
_STRETCHED_SIGN = re.compile(r"(.)\1\1")
_STRETCHED = re.compile(r"(\w)\1{2,}")
_MAX_RAW, _MAX_CHARACTERS = 4_000, 400
"""A language shows within the first sentences; longer input only costs time. The raw limit leaves room for links."""


def clean(text: str) -> str:
    """The text without addresses, masks, mentions, emoji and symbols; hashtags split into words; lower case and NFKC.

    Digits stay, because chat spelling writes letters with them (``3la``). NFKC and not NFC, because it also folds the
    presentation forms that old Urdu keyboards write. Words are one blank apart. Never raises: lone surrogates become
    blanks.
    """
    text = _normalise(text[:_MAX_RAW])
    if _MAIL_SIGN.search(text):
        text = _MAIL.sub(" ", text)
    text = _MASK.sub(" ", text)
    if _SITE_SIGN.search(text):
        text = _SITE.sub(" ", text)
    if any(word in text for word in _MASK_WORDS):
        text = _MASK_WORD.sub(" ", text)
    if "#" in text or "＃" in text:
        text = _HASHTAG.sub(_split_hashtag, text)
    text = _NOISE.sub(" ", text)
    if _STRETCHED_SIGN.search(text):
        text = _STRETCHED.sub(r"\1\1", text)
    return " ".join(text.lower().split())[:_MAX_CHARACTERS].rstrip()


def _normalise(text: str) -> str:
    if text.isascii():
        return text
    repaired = text.encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFKC", repaired)


def _split_hashtag(match: re.Match[str]) -> str:
    """``#UnpaidWages`` -> ``Unpaid Wages``: a sentence often stands in its tags."""
    return f" {_CAMEL.sub(' ', match[1])} "

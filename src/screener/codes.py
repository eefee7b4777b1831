"""Country, sector and language codes: parse and normalise, in one place.

Countries are ISO 3166-1 alpha-2 (from the IANA/ISO list that Babel carries), languages BCP 47 as far as the
project tells them apart, see ``LANGUAGES``.
"""

from __future__ import annotations

from functools import cache

from screener.errors import UnknownCodeError
from screener.records import UNDETERMINED, UNKNOWN_COUNTRY

ALIASES = {
    "zh-cn": "zh", "zh-tw": "zh", "zh-hans": "zh", "zh-hant": "zh", "fil": "tl", "iw": "he", "in": "id",
    "nb": "no", "nn": "no", "prs": "fa", "zlm": "ms", "zsm": "ms", "kmr": "ku",
}  # fmt: skip
"""What libraries and sources call a language -> what the project calls it (lower case keys)."""

SCRIPT_VARIANTS = ("hi-Latn", "ur-Latn", "ar-Latn")
"""Romanised chat forms that count as languages of their own: other readers, other lexicons."""


@cache
def countries() -> frozenset[str]:
    """All alpha-2 codes of territories that CLDR names, ``ZZ`` (unknown) left out."""
    from babel import Locale

    return frozenset(
        code
        for code in map(str, Locale("en").territories)
        if len(code) == 2 and code.isalpha() and code not in {"ZZ", "EU", "UN", "EZ", "XA", "XB", "QO"}
    )


def parse_country(value: str) -> str:
    """Upper-case alpha-2 code; raises ``UnknownCodeError`` with near matches."""
    code = value.strip().upper()
    if code == UNKNOWN_COUNTRY or code in countries():
        return code
    raise UnknownCodeError("country code (ISO 3166-1 alpha-2)", value, countries())


@cache
def languages() -> frozenset[str]:
    """All two- and three-letter codes CLDR names, with the romanised forms and ``und``."""
    from babel import Locale

    plain = {code for code in map(str, Locale("en").languages) if code.isalpha() and len(code) in (2, 3)}
    return frozenset(plain | set(SCRIPT_VARIANTS) | {UNDETERMINED})


def parse_language(value: str) -> str:
    """The project's code for a language tag: region dropped, romanised forms kept, aliases resolved.

    Idempotent. ``ar-MA`` -> ``ar``, ``zh-cn`` -> ``zh``, ``hi-latn`` -> ``hi-Latn``.
    """
    tag = value.strip().replace("_", "-")
    lowered = tag.lower()
    if lowered in ALIASES:
        return ALIASES[lowered]
    base, *rest = lowered.split("-")
    base = ALIASES.get(base, base)
    if "latn" in rest and f"{base}-Latn" in SCRIPT_VARIANTS:
        return f"{base}-Latn"
    if base in languages():
        return base
    raise UnknownCodeError("language code (BCP 47)", value, languages())


def is_language(value: str) -> bool:
    """True if this is a language code as the project writes it."""
    return value in languages() and value not in ALIASES


def country_name(code: str, locale: str = "en") -> str:
    """Country name in the reader's language (CLDR), the code itself if CLDR has none."""
    from babel import Locale

    return str(Locale(locale).territories.get(code, code))


def language_name(code: str, locale: str = "en") -> str:
    """Language name in the reader's language (CLDR); romanised forms say so."""
    from babel import Locale

    base, _, script = code.partition("-")
    name = str(Locale(locale).languages.get(base, base))
    roman = {"en": "romanised", "sv": "latinsk skrift"}.get(locale, "Latin script")
    return f"{name} ({roman})" if script == "Latn" else name

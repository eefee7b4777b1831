"""Which languages to expect before reading a text: those of the post's country and of the watch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, lru_cache

from screener.codes import parse_language
from screener.detect_language.scripts import ROMANISED
from screener.errors import UnknownCodeError

_OFFICIAL, _EXPECTED = 0.7, 1.0
"""Least weight of an official language, and weight of a language that the watch names."""


@lru_cache(maxsize=4096)
def prior(country: str | None, expected: tuple[str, ...]) -> Mapping[str, float]:
    """Language -> weight in 0..1; empty if nothing is known beforehand.

    A country's languages weigh the square root of the share of people who use them (CLDR, through Babel), because
    small languages are what the screening looks for. A romanised form weighs as much as its language.
    """
    weights = dict(_territory(country)) if country else {}
    for language in expected:
        weights[language] = _EXPECTED
    for language, form in ROMANISED.items():
        if language in weights:
            weights[form] = max(weights.get(form, 0.0), weights[language])
    return weights


@cache
def _territory(country: str) -> Mapping[str, float]:
    """Weights of a country's languages; empty for codes that CLDR does not know, such as ``ZZ``."""
    from babel.languages import get_territory_language_info

    weights: dict[str, float] = {}
    for tag, info in get_territory_language_info(country).items():
        code = _code(tag)
        if code is not None:
            share = float(info["population_percent"] or 0.0) / 100
            least = _OFFICIAL if str(info["official_status"]).endswith("official") else 0.0
            weights[code] = max(weights.get(code, 0.0), least, min(1.0, math.sqrt(share)))
    return weights


def _code(tag: str) -> str | None:
    """The project's code for a CLDR tag; ``None`` for a tag that it has no code for."""
    try:
        return parse_language(tag)
    except UnknownCodeError:
        return None

"""The reader's language: which one it is, and texts, numbers, dates and names in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from screener.codes import country_name, language_name
from screener.settings.schemas import BilingualText
from screener.words.catalogue import CATALOGUE

LANGUAGES = ("en", "sv")
LANGUAGE_NAMES = {"en": "English", "sv": "Svenska"}
_LOCALES = {"en": "en_GB", "sv": "sv_SE"}
_CERTAINTY = ((0.95, "near_certain"), (0.8, "very_likely"), (0.66, "likely"), (0.5, "even"), (0.0, "weak"))
"""Verbal scale for a probability, with the edges that IPCC (2010) uses for *very likely* and *likely* rounded down."""


def choose_language(query: str | None, cookie: str | None, accept: str | None) -> str:
    """The language asked for in the address, else kept in the cookie, else preferred by the browser, else English."""
    for wish in (query, cookie):
        if wish in LANGUAGES:
            return str(wish)
    return next((code for code in _accepted(accept or "") if code in LANGUAGES), "en")


def _accepted(header: str) -> list[str]:
    """Base languages of an ``Accept-Language`` header, most wanted first."""
    wishes = []
    for part in header.split(","):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        if weight > 0:
            wishes.append((-weight, tag.partition("-")[0].lower()))
    return [code for _, code in sorted(wishes, key=lambda wish: wish[0])]


@dataclass(frozen=True, slots=True)
class Words:
    """Everything a page says, bound to one language."""

    lang: str

    def text(self, key: str, **values: object) -> str:
        """The sentence of this key, its placeholders filled."""
        return CATALOGUE[self.lang][key].format(**values)

    def has(self, key: str) -> bool:
        """True if there is a sentence of this key."""
        return key in CATALOGUE[self.lang]

    def of(self, text: BilingualText) -> str:
        """The side of a configured text that this reader wants."""
        return str(getattr(text, self.lang))

    def number(self, value: float, decimals: int = 0) -> str:
        """A number with the language's decimal mark and a fixed count of decimals."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        return str(format_decimal(value, format=pattern, locale=_LOCALES[self.lang]))

    def percent(self, share: float) -> str:
        """A share 0..1 as a whole percentage."""
        return str(format_percent(share, format=None, locale=_LOCALES[self.lang]))

    def day(self, day: date | datetime) -> str:
        """A day as people write it."""
        return str(format_date(day, format="medium", locale=_LOCALES[self.lang]))

    def period(self, start: date | None, end: date | None) -> str:
        """A half-open period, its last day included as readers expect."""
        if start is None or end is None:
            return self.text("no_period")
        return f"{self.day(start)} – {self.day(end - timedelta(days=1))}"

    def week(self, week: str | None) -> str:
        """An ISO week such as ``2026-W34``."""
        if week is None:
            return self.text("undated")
        year, _, number = week.partition("-W")
        return self.text("week", week=int(number), year=year)

    def band(self, band: str) -> str:
        """Name of a band."""
        return self.text(f"band_{band}")

    def certainty(self, probability: float) -> str:
        """A probability in words."""
        return self.text("certainty_" + next(name for edge, name in _CERTAINTY if probability >= edge))

    def country(self, code: str) -> str:
        """Name of a country."""
        return country_name(code, self.lang)

    def language(self, code: str) -> str:
        """Name of a language."""
        return language_name(code, self.lang)

    def languages(self, codes: tuple[str, ...]) -> str:
        """Names of languages in one line, or the word for none."""
        return ", ".join(sorted(self.language(code) for code in codes)) or self.text("nobody")

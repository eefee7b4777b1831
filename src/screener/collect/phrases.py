"""Pure: the words of a watch, in each language of its workers. They come from the watchlist, the sectors and the lexicons.

A watch's own queries come first; generated phrases fill up to the limits of ``config/screener.toml`` (``[collect]``). They pair
a sector term with a lexicon phrase, as people write the watch's own: sector words alone bring adverts and recipes.
Languages and countries: CLDR through Babel. Known gap: CLDR's names are the long ones, and few people who post from the
United Arab Emirates write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TypeVar

from screener.codes import country_name, parse_language
from screener.collect.text import fold_tag, has_tag
from screener.errors import UnknownCodeError
from screener.records import Watch
from screener.settings import Settings

_WORLD_LANGUAGE = 8
"""Official in so many countries, a language says nothing of any one of them: English, French, Arabic, Spanish, Portuguese."""
_COMMON = 50.0
"""Percent of a country's people who use a language, from which it is at home there without being official."""
_FALLBACK = "en"

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Words:
    """What one watch is asked in one language; the watch's own phrases and tags stand first."""

    language: str
    phrases: tuple[str, ...]
    tags: tuple[str, ...]


def words_of(watch: Watch, settings: Settings) -> tuple[Words, ...]:
    """Phrases and hashtags of a watch, for each language of its workers.

    The round of the labels goes on from one language to the next, so that a watch asks for all labels although no language
    has room for them. Tags are generated only in languages at home in the country: a tag can't name the country beside it.
    """
    limits = settings.runtime.collect
    found: list[Words] = []
    turn = 0
    for language in watch.expected_languages:
        own, own_tags = own_words(watch, language)
        phrases = _fill(own, _generated(watch, language, own, turn, settings), limits.phrases_per_language)
        turn += max(0, len(phrases) - len(own))
        terms = _terms(watch, language, settings) if _is_at_home(language, watch.country) else ()
        made = (tag for tag in map(_as_tag, terms) if has_tag(f"#{tag}", tag))
        found.append(Words(language, phrases, _unlike([*own_tags, *made])[: limits.tags_per_language]))
    return tuple(found)


def own_words(watch: Watch, language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Phrases and tags of the watch's own queries. A query of a tag and words is a phrase too, the tag as a word of it."""
    phrases: list[str] = []
    tags: list[str] = []
    for query in dict(watch.queries).get(language, ()):
        parts = query.split()
        marked = [part.strip("#＃") for part in parts if part[0] in "#＃"]
        marked = [tag for tag in marked if has_tag(f"#{tag}", tag)]
        tags += marked
        if len(marked) < len(parts):
            phrases.append(" ".join(re.sub("[#＃_]", " ", query).split()))
    return _unlike(phrases), _unlike(tags)


def _generated(watch: Watch, language: str, own: Sequence[str], turn: int, settings: Settings) -> Iterator[str]:
    """Sector terms x label phrases, then x work words; the country's name where the language is not at home."""
    lexicons = {lexicon.language: lexicon for lexicon in settings.lexicons}
    lexicon = lexicons.get(language) or lexicons.get(_FALLBACK)
    terms = _terms(watch, language, settings)
    if lexicon is None or not terms:
        return
    name = "" if _is_at_home(language, watch.country) else _country_name(watch.country, language)
    labels = [label for label in settings.label_ids if lexicon.labels.get(label)]
    start = turn % len(labels) if labels else 0
    # what the watch's own queries ask for has had its turn
    queries = "\n".join(map(_fold, own))
    asked = {label for label in labels if any(_fold(phrase) in queries for phrase in lexicon.labels[label])}
    order = sorted([*labels[start:], *labels[:start]], key=lambda label: label in asked)
    tellings = chain(in_turn([lexicon.labels[label] for label in order]), lexicon.work)
    for number, telling in enumerate(tellings):
        phrase = f"{terms[number % len(terms)]} {telling}"
        yield phrase if _fold(name) in _fold(phrase) else f"{phrase} {name}"


def _fill(own: Sequence[str], generated: Iterable[str], limit: int) -> tuple[str, ...]:
    """The own phrases, then generated ones that would find more: one that holds all words of another finds only its posts."""
    kept = list(own[:limit])
    known = [_fold(phrase).split() for phrase in kept]
    for phrase in generated:
        if len(kept) >= limit:
            break
        folded = _fold(phrase)
        if not any(all(_holds(folded, word) for word in words) for words in known):
            kept.append(phrase)
            known.append(folded.split())
    return tuple(kept)


def _holds(folded: str, word: str) -> bool:
    """True if the word is one of the text's, or stands within it: many scripts put no spaces between words."""
    return word in folded.split() or (not word.isascii() and word in folded)


def _terms(watch: Watch, language: str, settings: Settings) -> tuple[str, ...]:
    """The sector's terms; English ones where the language has none, for factories' names are often English."""
    terms = settings.sector(watch.sector).terms
    return terms.get(language) or terms.get(_FALLBACK, ())


def _as_tag(term: str) -> str:
    """A term as people write it in a hashtag: joined, in Arabic script by underscores, for its letters would run together."""
    return "_".join(term.split()) if any("\u0600" <= char <= "\u06ff" for char in term) else "".join(term.split())


def in_turn(lanes: Sequence[Sequence[Item]]) -> Iterator[Item]:
    """The first of each lane, then the second of each, and so on."""
    for turn in range(max(map(len, lanes), default=0)):
        yield from (lane[turn] for lane in lanes if turn < len(lane))


def _unlike(texts: Iterable[str]) -> tuple[str, ...]:
    """Without blank ones, and those that differ from an earlier one only in case or spaces."""
    kept: dict[str, str] = {}
    for text in texts:
        kept.setdefault(_fold(text), text)
    kept.pop("", None)
    return tuple(kept.values())


def _fold(text: str) -> str:
    return " ".join(fold_tag(text).split())


def _is_at_home(language: str, country: str) -> bool:
    """True if a text's language by itself tells the country well enough: one of its own, and not one of half the world."""
    base = language.partition("-")[0]
    official = [territory for territory, is_official in _territories().get(base, {}).items() if is_official]
    return country in _territories().get(base, {}) and len(official) < _WORLD_LANGUAGE


@cache
def _territories() -> Mapping[str, Mapping[str, bool]]:
    """Language -> the territories where it is at home -> whether it is official in the whole of it."""
    from babel.core import get_global

    found: dict[str, dict[str, bool]] = {}
    for territory, languages in get_global("territory_languages").items():
        for tag, known in languages.items():
            status = known["official_status"]
            if status is not None or known["population_percent"] >= _COMMON:
                is_official = status in {"official", "de_facto_official"}
                for code in _codes(tag):
                    found.setdefault(code, {})[territory] = is_official or found.get(code, {}).get(territory, False)
    return found


def _codes(tag: str) -> tuple[str, ...]:
    """The project's code for a CLDR tag, none for a tag that it has no code for."""
    try:
        return (parse_language(tag).partition("-")[0],)
    except UnknownCodeError:
        return ()


@cache
def _country_name(country: str, language: str) -> str:
    """The country's name in a language; in English for romanised ones, and where CLDR knows no better."""
    from babel import Locale, UnknownLocaleError

    try:
        name = None if "-" in language else Locale.parse(language).territories.get(country)
    except UnknownLocaleError:
        name = None
    return str(name or country_name(country))

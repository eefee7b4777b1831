"""The starter list: the addresses that ship for feeds, WordPress sites and servers are in order. None is asked here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from screener.settings import Settings
from screener.settings.sources import ApiSource, Target

_SITES = ("rss", "wordpress")
_LISTED = (*_SITES, "mastodon")
_FEWEST_WORDS = 5
_FIRM = re.compile(r"(?:corp|group|holdings?|gmbh|ltd|llc|inc|logistics|pharma|foods|gloves|careers|jobs)(?:-|\.|$)")
"""Endings of a host's words by which firms, recruiters and job boards give themselves away."""
_HOW_KNOWN = {"seen", "usual place, not fetched"}


def sources(settings: Settings, kinds: tuple[str, ...]) -> list[ApiSource]:
    return [source for source in settings.sources if isinstance(source, ApiSource) and source.kind in kinds]


def targets(settings: Settings, kinds: tuple[str, ...] = _LISTED) -> Iterator[Target]:
    return chain.from_iterable(source.targets for source in sources(settings, kinds))


def host(target: Target) -> str:
    return (urlsplit(target.url).hostname or "").removeprefix("www.")


def address(target: Target) -> str:
    """What two spellings of one address have in common."""
    parts = urlsplit(target.url)
    return f"{host(target)}{parts.path.rstrip('/').removesuffix('/feed')}?{parts.query}"


def expected_languages(settings: Settings, country: str | None) -> set[str]:
    """Languages of the workers in a country; in any of them where none is named. English is read everywhere."""
    watched = [watch for watch in settings.watches if country in {None, watch.country}]
    return {"en", *chain.from_iterable(watch.expected_languages for watch in watched)}


def test_nothing_is_asked_until_an_operator_enables_it(settings: Settings) -> None:
    assert [source.name for source in sources(settings, _LISTED) if source.enabled] == []


def test_every_watched_country_has_a_site_to_ask_besides_the_news(settings: Settings) -> None:
    served = {t.country for source in sources(settings, _SITES) if not source.is_news for t in source.targets}
    assert sorted({watch.country for watch in settings.watches} - served) == []


def test_every_entry_says_why_it_is_there(settings: Settings) -> None:
    assert [target.url for target in targets(settings) if len(target.reason.split()) < _FEWEST_WORDS] == []
    reasons = Counter(target.reason for target in targets(settings))
    assert [reason for reason, n in reasons.items() if n > 1] == []


def test_every_address_is_encrypted(settings: Settings) -> None:
    assert [target.url for target in targets(settings) if urlsplit(target.url).scheme != "https"] == []


def test_no_address_stands_twice(settings: Settings) -> None:
    found = Counter(address(target) for target in targets(settings))
    assert [where for where, n in found.items() if n > 1] == []


def test_a_site_is_asked_by_feed_or_by_wordpress_but_not_by_both(settings: Settings) -> None:
    feeds, sites = ({host(target) for target in targets(settings, (kind,))} for kind in _SITES)
    assert sorted(feeds & sites) == []


def test_every_country_named_is_watched(settings: Settings) -> None:
    watched = {None, *(watch.country for watch in settings.watches)}
    assert [target.url for target in targets(settings) if target.country not in watched] == []


def test_every_sector_named_is_watched_there(settings: Settings) -> None:
    watched = {pair for watch in settings.watches for pair in ((watch.country, watch.sector), (None, watch.sector))}
    named = [target for target in targets(settings) if target.sector is not None]
    assert [target.url for target in named if (target.country, target.sector) not in watched] == []


def test_every_language_named_is_one_that_workers_there_speak_or_english(settings: Settings) -> None:
    strange = [
        (target.url, target.language)
        for target in targets(settings)
        if target.language is not None and target.language not in expected_languages(settings, target.country)
    ]
    assert strange == []


def test_no_firm_speaks_for_its_own_workers(settings: Settings) -> None:
    assert [target.url for target in targets(settings) if _FIRM.search(host(target))] == []


@pytest.mark.parametrize("name", ["rubber-gloves.example", "acmegroup.example", "acme-holding.example", "jobs.example"])
def test_a_firm_gives_itself_away(name: str) -> None:
    assert _FIRM.search(name)


def test_every_entry_says_how_its_address_is_known(settings: Settings, config_folder: Path) -> None:
    for source in sources(settings, _LISTED):
        text = (config_folder / "sources" / f"{source.name}.toml").read_text(encoding="utf-8")
        known = dict(re.findall(r'^url = "([^"]+)"(?:[ ]+# ?(.*))?$', text, re.MULTILINE))
        assert [target.url for target in source.targets if known.get(target.url) not in _HOW_KNOWN] == []

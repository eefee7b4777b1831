"""Pure: which questions a source is asked, in which order, what they cost at least, and why a source can't be asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from screener.collect.connector import Connector, Endpoint, Query
from screener.collect.phrases import Words, in_turn, own_words, words_of
from screener.collect.text import fold_tag
from screener.errors import ConfigError
from screener.records import Span, Watch
from screener.settings import Settings
from screener.settings.sources import ApiSource, Target

__all__ = ["Cost", "Words", "cost_of", "plan_source", "why_not", "words_of"]

_Turn = tuple[bool, int, Query]
"""Whether the words were generated, their place among those of their language, and the question."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The least that a plan costs its source: a query is one request or more; units count against its quota."""

    n_queries: int
    n_requests_at_least: int
    units_at_least: int


def plan_source(
    source: ApiSource, connector: Connector, settings: Settings, *, country: str | None, span: Span | None
) -> Iterator[Query]:
    """Every question to a source, in the order to ask them; raises ``ConfigError`` for an unknown endpoint.

    The watches take turns, so that a budget that is soon spent still reaches each; within a watch its own words go before
    generated ones, and its languages take turns. ``country`` narrows the plan to the watches of one country; targets that name
    no country stay. What only pages lead to is not planned.
    """
    watches = [watch for watch in settings.watches if country in {None, watch.country}]
    words = {watch: (*words_of(watch, settings), *_in_translation(source, watch, settings)) for watch in watches}
    lanes: dict[str, list[_Turn]] = {}
    for name, endpoint, target in _asked(source, connector):
        base = target.url if endpoint.is_conditional else target.url.rstrip("/")  # a feed's address is what it is
        bare = Query(source.name, name, base, span=span)
        if endpoint.asks in {"words", "tags"}:
            found = _ask_words(bare, endpoint, target, words)
        else:
            found = _ask_target(bare, target, country)
        for turn in found:
            lanes.setdefault(turn[2].watch, []).append(turn)
    ordered = (sorted(lane, key=lambda turn: turn[:2]) for lane in lanes.values())
    return in_turn([list(dict.fromkeys(query for *_, query in lane)) for lane in ordered])


def cost_of(queries: Iterable[Query], connector: Connector) -> Cost:
    """What a plan of one source costs at least; further pages and follow-ups come on top."""
    units = [connector.endpoints[query.endpoint].units for query in queries]
    return Cost(len(units), len(units), sum(units))


def why_not(source: ApiSource, connector: Connector, secrets_present: frozenset[str]) -> str | None:
    """Why a source can't be asked at all, ``None`` if it can.

    ``secrets_present`` are names of environment variables that are set; no value of one comes near this function.
    """
    file = _file(source)
    if not source.enabled:
        return f"switched off ({file}, enabled)"
    if connector.needs_approval and not source.approval:
        return f"the platform must approve of the use first ({file}, approval)"
    if not source.targets:
        return f"no targets ({file}, targets)"
    try:
        asked = list(_asked(source, connector))
    except ConfigError as error:
        return str(error)
    if not asked:
        return f"no target has an endpoint that can be asked ({file}, endpoints)"
    lacking = [_lacks(source, target, endpoint, secrets_present) for _, endpoint, target in asked]
    return None if None in lacking else lacking[0]


def _in_translation(source: ApiSource, watch: Watch, settings: Settings) -> Iterator[Words]:
    """Words in the language of a news index that holds translations only: there it stands for what the workers speak."""
    for language in dict.fromkeys(target.language for target in source.targets):
        if source.is_news and language and language not in watch.expected_languages:
            alone = replace(watch, languages=(language,), migrant_languages=(), queries=())
            yield from words_of(alone, settings)


def _ask_target(bare: Query, target: Target, country: str | None) -> Iterator[_Turn]:
    if country is None or target.country in {None, country}:
        at = (target.country, target.sector, target.language)
        yield False, 0, replace(bare, country=at[0], sector=at[1], language=at[2], words=target.place or "")


def _ask_words(
    bare: Query, endpoint: Endpoint, target: Target, words: Mapping[Watch, tuple[Words, ...]]
) -> Iterator[_Turn]:
    for watch, found in words.items():
        if target.country not in {None, watch.country} or target.sector not in {None, watch.sector}:
            continue
        asked: set[str] = set()
        for spoken in found:
            if target.language in {None, spoken.language}:
                known = replace(bare, country=watch.country, sector=watch.sector, language=spoken.language)
                phrases, tags = own_words(watch, spoken.language)
                if endpoint.asks == "words":
                    groups, own = _grouped(spoken.phrases, endpoint), phrases
                else:  # a tag is the same question in every language
                    groups, own = [[tag] for tag in spoken.tags if fold_tag(tag) not in asked], tags
                    asked.update(map(fold_tag, spoken.tags))
                for turn, group in enumerate(groups):
                    yield group[0] not in own, turn, replace(known, words=_join(group, endpoint))


def _grouped(phrases: Sequence[str], endpoint: Endpoint) -> list[list[str]]:
    """Phrases that are asked for together: each alone, or as many as the endpoint takes at once; none is cut."""
    groups: list[list[str]] = []
    for phrase in phrases:
        fits = endpoint.any_of and groups and len(_join([*groups[-1], phrase], endpoint)) <= endpoint.max_characters
        if fits:
            groups[-1].append(phrase)
        else:
            groups.append([phrase])
    return groups


def _join(group: Sequence[str], endpoint: Endpoint) -> str:
    if len(group) == 1:
        return group[0]
    quoted = (f'"{phrase}"' if " " in phrase else phrase for phrase in (p.replace('"', "") for p in group))
    return f" {(endpoint.any_of or '').strip()} ".join(quoted)


def _asked(source: ApiSource, connector: Connector) -> Iterator[tuple[str, Endpoint, Target]]:
    """Each endpoint to ask with each target to ask it at; raises ``ConfigError`` for an unknown one."""
    legal = sorted(connector.endpoints)
    named = [("endpoints", source.endpoints)]
    named += [(f"targets.{number}.endpoints", target.endpoints) for number, target in enumerate(source.targets)]
    for key, endpoints in named:
        if unknown := [name for name in endpoints if name not in connector.endpoints]:
            raise ConfigError(_file(source), key, f"'{unknown[0]}' is unknown", legal=legal)
    for name in dict.fromkeys(source.endpoints):
        for target in source.targets:
            if not connector.endpoints[name].led_to and name in (target.endpoints or source.endpoints):
                yield name, connector.endpoints[name], target


def _lacks(source: ApiSource, target: Target, endpoint: Endpoint, secrets_present: frozenset[str]) -> str | None:
    for credential in endpoint.needs:
        variable = getattr(target.credentials, credential) or getattr(source.credentials, credential)
        if variable is None:
            return (
                f"'{credential}' is needed: name its environment variable ({_file(source)}, credentials.{credential})"
            )
        if variable not in secrets_present:
            return f"environment variable {variable} is not set ({_file(source)}, credentials.{credential})"
    return None


def _file(source: ApiSource) -> str:
    return f"config/sources/{source.name}.toml"

"""What watches ask of sources: their words in every language, the order of questions, and why a source can't be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.connector import Connector, Endpoint, Page, Query
from screener.collect.queries import Cost, Words, cost_of, plan_source, why_not, words_of
from screener.collect.text import fold_tag
from screener.errors import ConfigError
from screener.records import Span, Watch
from screener.settings import Settings
from screener.settings.sources import ApiSource

SPAN = Span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
ENDPOINTS = {
    "search": Endpoint("words", 25, units=100),
    "joined": Endpoint("words", 25, any_of="OR", max_characters=120),
    "tagged": Endpoint("tags", 40, needs=("token",)),
    "feed": Endpoint("target", 40),
    "listen": Endpoint("stream", 1),
    "comments": Endpoint("words", 40, led_to=True),
}


def connector(*, needs_approval: bool = False, endpoints: Mapping[str, Endpoint] | None = None) -> Connector:
    def build(query: Query, cursor: str | None) -> httpx.Request:
        raise AssertionError("planning asks nobody")

    def parse(response: httpx.Response, query: Query) -> Page:
        raise AssertionError("planning reads nothing")

    chosen = ENDPOINTS if endpoints is None else endpoints
    return Connector("bluesky", chosen, date(2020, 1, 1), build, parse, needs_approval=needs_approval)


def source(*endpoints: str, targets: list[dict[str, Any]] | None = None, **values: Any) -> ApiSource:
    given = [{"url": "https://one.example"}] if targets is None else targets
    return ApiSource.model_validate(
        {
            "kind": "bluesky",
            "name": "invented",
            "enabled": True,
            "endpoints": endpoints,
            "targets": [{"reason": "invented", **target} for target in given],
            "limits": {"max_requests_per_run": 10, "seconds_between_requests": 0},
            "lookback_days": 1,
            "overlap_hours": 1,
            "refresh_days": 0,
            "min_posts_per_week": 0,
            **values,
        }
    )


def plan(chosen: ApiSource, settings: Settings, country: str | None = None) -> list[Query]:
    return list(plan_source(chosen, connector(), settings, country=country, span=SPAN))


def of(settings: Settings, watch: Watch, language: str) -> Words:
    return next(words for words in words_of(watch, settings) if words.language == language)


def watch_of(settings: Settings, key: str) -> Watch:
    return next(watch for watch in settings.watches if watch.key == key)


def limited(settings: Settings, phrases: int, tags: int = 4) -> Settings:
    collect = settings.runtime.collect.model_copy(update={"phrases_per_language": phrases, "tags_per_language": tags})
    return replace(settings, runtime=settings.runtime.model_copy(update={"collect": collect}))


def made(settings: Settings, watch: Watch, language: str) -> list[str]:
    """Phrases that are not the watch's own."""
    own = len([query for query in dict(watch.queries)[language] if len(query.split()) > query.count("#")])
    return list(of(settings, watch, language).phrases[own:])


# --- words -----------------------------------------------------------------------------------------------------------


def test_own_queries_come_first_and_a_tag_is_a_word_of_its_phrase_too(settings: Settings) -> None:
    words = of(settings, watch_of(settings, "TH/poultry"), "th")
    assert words.phrases[0] == "โรงงานไก่ ค่าแรง"
    assert words.phrases[5] == "แรงงานข้ามชาติ โรงงานไก่"
    assert words.tags[0] == "แรงงานข้ามชาติ"


def test_tag_alone_is_no_phrase_and_underscores_are_spaces_in_one(settings: Settings) -> None:
    chinese = of(settings, watch_of(settings, "CN/pharmaceuticals"), "zh")
    assert "药厂上班" in chinese.tags
    assert "药厂上班" not in chinese.phrases
    arabic = of(settings, watch_of(settings, "QA/construction"), "ar")
    assert "عمال قطر أجور" in arabic.phrases
    assert arabic.tags == ("عمال_قطر",)


@pytest.mark.parametrize(
    ("key", "language", "name"),
    [
        ("TH/poultry", "my", "ထိုင်း"),
        ("TH/poultry", "lo", "ໄທ"),
        ("MY/examination-gloves", "hi", "मलेशिया"),
        ("MY/examination-gloves", "en", "malaysia"),
        ("ES/vegetables", "es", "españa"),
        ("ES/vegetables", "ar", "إسبانيا"),
        ("PL/road-freight", "tl", "poland"),
        ("BD/textiles-garments", "en", "bangladesh"),
    ],
)
def test_generated_phrases_name_the_country_where_the_language_does_not_tell_it(
    settings: Settings, key: str, language: str, name: str
) -> None:
    phrases = made(settings, watch_of(settings, key), language)
    assert phrases
    assert all(fold_tag(phrase).count(name) == 1 for phrase in phrases)


@pytest.mark.parametrize(
    ("key", "language", "name"),
    [
        ("TH/poultry", "th", "ไทย"),
        ("CN/electronics", "zh", "中国"),
        ("IN/pharmaceuticals", "ta", "இந்தியா"),
        ("IN/pharmaceuticals", "hi-Latn", "bharat"),
        ("PK/surgical-instruments", "ur-Latn", "pakistan"),
        ("PH/seafaring", "tl", "pilipinas"),
        ("DE/warehousing", "de", "deutschland"),
    ],
)
def test_people_do_not_name_their_own_country_in_its_own_language(
    settings: Settings, key: str, language: str, name: str
) -> None:
    phrases = made(settings, watch_of(settings, key), language)
    assert phrases
    assert not any(name in fold_tag(phrase) for phrase in phrases)


def labels_of(settings: Settings, language: str, phrases: list[str]) -> list[str]:
    lexicon = next(lexicon for lexicon in settings.lexicons if lexicon.language == language)
    return [
        next(label for label, told in lexicon.labels.items() if any(phrase.endswith(f" {one}") for one in told))
        for phrase in phrases
    ]


def test_every_label_gets_a_turn_before_one_gets_two(settings: Settings) -> None:
    many = limited(settings, 45)
    found = labels_of(many, "th", made(many, watch_of(settings, "TH/poultry"), "th"))
    n = len(settings.label_ids)
    assert set(found[:n]) == set(settings.label_ids)
    assert len(found) > n


def test_work_words_come_after_the_labels_and_the_limit_may_stay_unmet(settings: Settings) -> None:
    lexicons = tuple(
        lexicon.model_copy(update={"labels": {"low_pay": ("ค่าแรงต่ำ",)}, "work": ("คนงาน",)})
        for lexicon in settings.lexicons
        if lexicon.language == "th"
    )
    watch = replace(watch_of(settings, "TH/poultry"), migrant_languages=(), queries=(("th", ("#ไก่",)),))
    (words,) = words_of(watch, replace(settings, lexicons=lexicons))
    assert [phrase.split()[1] for phrase in words.phrases] == ["ค่าแรงต่ำ", "คนงาน"]


def test_languages_of_a_watch_share_the_round_of_labels(settings: Settings) -> None:
    watch = watch_of(settings, "TH/poultry")
    thai = labels_of(settings, "th", made(settings, watch, "th"))
    burmese = [phrase.removesuffix(" ထိုင်း") for phrase in made(settings, watch, "my")]
    assert set(thai).isdisjoint(labels_of(settings, "my", burmese))


def test_label_that_an_own_query_asks_for_waits(settings: Settings) -> None:
    lexicon = next(lexicon for lexicon in settings.lexicons if lexicon.language == "th")
    first = settings.label_ids[0]
    asked = replace(
        watch_of(settings, "TH/poultry"),
        migrant_languages=(),
        queries=(("th", (f"ฟาร์ม {lexicon.labels[first][0]}",)),),
    )
    n = len(settings.label_ids)
    found = labels_of(settings, "th", list(of(limited(settings, n + 1), asked, "th").phrases[1:]))
    assert found.index(first) == n - 1


def test_phrase_that_only_narrows_another_is_left_out(settings: Settings) -> None:
    lexicon = next(lexicon for lexicon in settings.lexicons if lexicon.language == "th")
    term = settings.sector("poultry").terms["th"][0]
    label = settings.label_ids[1]
    watch = replace(watch_of(settings, "TH/poultry"), migrant_languages=(), queries=(("th", (term,)),))
    phrases = of(limited(settings, 40), watch, "th").phrases
    assert phrases[0] == term
    assert len(phrases) > 10
    assert not any(term in phrase for phrase in phrases[1:])
    assert lexicon.labels[label]


def test_language_without_terms_or_lexicon_is_asked_with_english_ones(settings: Settings) -> None:
    poultry = settings.sector("poultry")
    assert "ar-Latn" not in poultry.terms
    watch = Watch("TH", "poultry", ("ar-Latn", "eu"), (), (("ar-Latn", ("a b",)), ("eu", ("c d",))))
    romanised, basque = words_of(watch, settings)
    lexicons = {lexicon.language: lexicon for lexicon in settings.lexicons}
    assert "eu" not in lexicons
    assert (
        romanised.phrases[1]
        == f"{poultry.terms['en'][0]} {lexicons['ar-Latn'].labels[settings.label_ids[0]][0]} Thailand"
    )
    assert all(phrase.endswith(" Thailandia") for phrase in basque.phrases[1:])
    assert basque.phrases[1].startswith(poultry.terms["en"][0])


def test_tags_are_made_only_where_the_language_tells_the_country(settings: Settings) -> None:
    watch = watch_of(settings, "PK/surgical-instruments")
    assert of(settings, watch, "ur").tags[1] == "سرجیکل_فیکٹری"  # joined letters would make another word
    assert of(settings, watch, "ur-Latn").tags[0] == "surgicalfactory"
    assert of(settings, watch, "en").tags == ("Sialkot",)


def test_term_that_no_hashtag_can_hold_makes_none(settings: Settings) -> None:
    watch = Watch("FR", "poultry", ("it",), (), (("it", ("a b",)),))
    terms = {"it": ("operai dell'allevamento", "macello")}
    sectors = (settings.sector("poultry").model_copy(update={"terms": terms}),)
    italian = replace(watch, country="IT")
    assert words_of(italian, replace(settings, sectors=sectors))[0].tags == ("macello",)


def test_every_shipped_watch_is_asked_to_the_limit_in_every_language(settings: Settings) -> None:
    for watch in settings.watches:
        found = words_of(watch, settings)
        assert tuple(words.language for words in found) == watch.expected_languages
        assert {len(words.phrases) for words in found} == {settings.runtime.collect.phrases_per_language}
        assert words_of(watch, settings) == found


query = st.lists(
    st.sampled_from(["#gloves", "#Gloves", "#a_b", "#", "＃手套", "factory", "Factory", "gaji", "ไก่", "it's"]),
    max_size=4,
).map(" ".join)


@st.composite
def watches(draw: st.DrawFn) -> Watch:
    languages = draw(
        st.lists(st.sampled_from(["th", "my", "en", "ar", "hi-Latn", "ar-Latn", "eu", "zh"]), min_size=1, unique=True)
    )
    cut = draw(st.integers(0, len(languages)))
    queries = tuple((language, tuple(draw(st.lists(query, max_size=6)))) for language in languages)
    country = draw(st.sampled_from(["TH", "AE", "CN", "ES", "ZZ"]))
    sector = draw(st.sampled_from(["poultry", "ports", "examination-gloves"]))
    return Watch(country, sector, tuple(languages[:cut]), tuple(languages[cut:]), queries)


@given(watches(), st.integers(1, 40), st.integers(1, 6))
def test_limits_hold_nothing_stands_twice_and_own_words_are_first(
    settings: Settings, watch: Watch, n_phrases: int, n_tags: int
) -> None:
    found = words_of(watch, limited(settings, n_phrases, n_tags))
    assert tuple(words.language for words in found) == watch.expected_languages
    for words in found:
        assert len(words.phrases) <= n_phrases
        assert len(words.tags) <= n_tags
        for texts in (words.phrases, words.tags):
            assert len({" ".join(fold_tag(text).split()) for text in texts}) == len(texts)
        assert all(phrase == " ".join(phrase.split()) != "" and "#" not in phrase for phrase in words.phrases)
        assert not any("#" in tag or " " in tag for tag in words.tags)
        own = [fold_tag(text).replace("#", "").replace("＃", "") for text in dict(watch.queries)[words.language]]
        is_own = [any(fold_tag(phrase).split() == q.replace("_", " ").split() for q in own) for phrase in words.phrases]
        assert is_own == sorted(is_own, reverse=True)


# --- plan ------------------------------------------------------------------------------------------------------------


def test_plan_reaches_every_watch_before_one_is_asked_twice(settings: Settings) -> None:
    queries = plan(
        source("search", "tagged", targets=[{"url": "https://a.example"}, {"url": "https://b.example"}]), settings
    )
    n = len(settings.watches)
    assert {asked.watch for asked in islice(queries, n)} == {watch.key for watch in settings.watches}
    assert len({asked.key for asked in queries}) == len(queries)
    assert {asked.span for asked in queries} == {SPAN}


def test_own_words_go_before_generated_ones_and_languages_take_turns(settings: Settings) -> None:
    queries = [asked for asked in plan(source("search"), settings) if asked.watch == "TH/poultry"]
    assert [asked.language for asked in queries[:4]] == ["th", "my", "km", "lo"]
    own = {
        phrase
        for language in ("th", "my", "km", "lo")
        for phrase in dict(watch_of(settings, "TH/poultry").queries)[language]
    }
    is_own = [asked.words in own for asked in queries if "แรงงานข้ามชาติ" not in asked.words]
    assert is_own == sorted(is_own, reverse=True)
    assert sum(is_own) == len(own) - 1


def test_country_narrows_to_its_watches_and_leaves_targets_that_name_none(settings: Settings) -> None:
    targets = [
        {"url": "https://th.example", "country": "TH"},
        {"url": "https://my.example", "country": "MY"},
        {"url": "https://any.example"},
    ]
    queries = plan(source("search", "feed", targets=targets), settings, "TH")
    assert {(asked.endpoint, asked.target, asked.country) for asked in queries} == {
        ("search", "https://th.example", "TH"),
        ("search", "https://any.example", "TH"),
        ("feed", "https://th.example", "TH"),
        ("feed", "https://any.example", None),
    }


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"country": "MY", "sector": "electronics", "language": "ne"}, {("MY/electronics", "ne")}),
        ({"country": "CN", "language": "ug"}, {("CN/textiles-garments", "ug"), ("CN/protective-equipment", "ug")}),
        ({"sector": "seafaring"}, {("PH/seafaring", "tl"), ("PH/seafaring", "en")}),
        ({"country": "SE"}, set()),
    ],
)
def test_target_is_asked_only_for_its_own_country_sector_and_language(
    settings: Settings, target: dict[str, str], expected: set[tuple[str, str]]
) -> None:
    queries = plan(source("search", targets=[{"url": "https://one.example", **target}]), settings)
    assert {(asked.watch, asked.language) for asked in queries} == expected


def test_target_and_stream_are_asked_once_for_their_place(settings: Settings) -> None:
    place = {
        "url": "https://one.example",
        "place": "dock-workers",
        "country": "AE",
        "sector": "ports",
        "language": "ar",
    }
    feed, listen = plan(source("feed", "listen", targets=[place]), settings)
    assert (feed.endpoint, feed.words, feed.watch, feed.language) == ("feed", "dock-workers", "AE/ports", "ar")
    assert (listen.endpoint, listen.words) == ("listen", "dock-workers")


def test_target_may_narrow_the_endpoints(settings: Settings) -> None:
    targets = [{"url": "https://a.example", "endpoints": ["feed"]}, {"url": "https://b.example"}]
    queries = plan(source("listen", "feed", targets=targets), settings)
    assert [(asked.endpoint, asked.target) for asked in queries] == [
        ("listen", "https://b.example"),
        ("feed", "https://a.example"),
        ("feed", "https://b.example"),
    ]


def test_what_only_pages_lead_to_is_not_planned(settings: Settings) -> None:
    assert plan(source("comments"), settings) == []


def test_tag_of_two_languages_is_asked_once_a_watch(settings: Settings) -> None:
    queries = (("en", ("#Strike a",)), ("tl", ("#strike b",)))
    watch = replace(watch_of(settings, "PH/seafaring"), queries=queries)
    found = plan(source("tagged"), replace(settings, watches=(watch,)))
    assert [asked.words for asked in found if fold_tag(asked.words) == "strike"] == ["strike"]


@pytest.mark.parametrize(
    ("endpoints", "targets", "key"),
    [
        (("search", "serch"), [{"url": "https://one.example"}], "endpoints"),
        (
            ("search",),
            [{"url": "https://a.example"}, {"url": "https://b.example", "endpoints": ["serch"]}],
            "targets.1.endpoints",
        ),
    ],
)
def test_unknown_endpoint_names_file_key_and_legal_values(
    settings: Settings, endpoints: tuple[str, ...], targets: list[dict[str, Any]], key: str
) -> None:
    chosen = source(*endpoints, targets=targets)
    with pytest.raises(
        ConfigError, match=r"config/sources/invented\.toml: .*'serch'.*legal values: .*search, tagged"
    ) as caught:
        plan_source(chosen, connector(), settings, country=None, span=SPAN)
    assert caught.value.key == key
    assert why_not(chosen, connector(), frozenset()) == str(caught.value)


def pieces(words: str) -> Iterator[str]:
    for piece in words.split(" OR "):
        yield piece.strip('"')


def test_phrases_are_joined_up_to_the_limit_quoted_and_whole(settings: Settings) -> None:
    for country in ("TH", "PK"):
        single, joined = (plan(source(endpoint), settings, country) for endpoint in ("search", "joined"))
        assert len(joined) < len(single) / 2
        assert all(len(asked.words) <= 120 for asked in joined)
        assert {piece for asked in joined for piece in pieces(asked.words)} == {asked.words for asked in single}
        assert any(asked.words.startswith('"') and '" OR "' in asked.words for asked in joined)


@given(
    st.lists(st.text('ab "', min_size=1, max_size=30).map(str.strip).filter(bool), min_size=1, max_size=8),
    st.integers(1, 80),
)
def test_joined_question_is_within_the_limit_or_one_phrase(settings: Settings, phrases: list[str], limit: int) -> None:
    watch = Watch("TH", "poultry", ("th",), (), (("th", tuple(phrases)),))
    chosen = connector(endpoints={"joined": Endpoint("words", 25, any_of=" | ", max_characters=limit)})
    one = replace(limited(settings, len(phrases)), watches=(watch,))
    known = words_of(watch, one)[0].phrases
    queries = list(plan_source(source("joined"), chosen, one, country=None, span=None))
    for asked in queries:
        assert len(asked.words) <= limit or asked.words in known
    whole = [piece.strip('"') for asked in queries for piece in (asked.words.split(" | "))]
    assert sorted(p.replace('"', "") for p in whole) == sorted(p.replace('"', "") for p in known)


def test_cost_counts_at_least_one_request_a_query(settings: Settings) -> None:
    queries = plan(source("search", "feed"), settings, "VN")
    n = len(queries)
    assert cost_of(queries, connector()) == Cost(n, n, 100 * (n - 1) + 1)
    assert cost_of([], connector()) == Cost(0, 0, 0)


# --- why not ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        (source("search", enabled=False), "switched off (config/sources/invented.toml, enabled)"),
        (source("search", targets=[]), "no targets"),
        (source("comments"), "no target has an endpoint that can be asked"),
        (source("search", targets=[{"url": "https://a.example", "endpoints": ["feed"]}]), "no target has an endpoint"),
        (
            source("tagged"),
            "'token' is needed: name its environment variable (config/sources/invented.toml, credentials.token)",
        ),
        (source("tagged", credentials={"token": "INVENTED_TOKEN"}), "environment variable INVENTED_TOKEN is not set"),
    ],
)
def test_source_that_cannot_be_asked_says_why(chosen: ApiSource, reason: str) -> None:
    assert reason in str(why_not(chosen, connector(), frozenset({"OTHER_TOKEN"})))


def test_source_is_asked_if_something_of_it_can_be() -> None:
    token = {"credentials": {"token": "INVENTED_TOKEN"}}
    assert why_not(source("search"), connector(), frozenset()) is None
    assert why_not(source("tagged", "feed"), connector(), frozenset()) is None
    assert why_not(source("tagged", **token), connector(), frozenset({"INVENTED_TOKEN"})) is None
    own = [{"url": "https://one.example", **token}]
    assert why_not(source("tagged", targets=own), connector(), frozenset({"INVENTED_TOKEN"})) is None


def test_approval_must_be_stated_where_a_platform_asks_for_it() -> None:
    strict = connector(needs_approval=True)
    assert "approve" in str(why_not(source("search"), strict, frozenset()))
    assert why_not(source("search", approval="granted 2026-01-01"), strict, frozenset()) is None

"""How the sources are doing, on the page and in the API: silence must be seen, and never pass for safety."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html import escape

import pytest
from invented_ledger import ALARMING, HOSTILE, SOURCES, STATES, fill_ledger, with_sources
from invented_store import NOW, fill
from starlette.testclient import TestClient
from test_pages import Tree

from screener.collect.health import ALARMING as ALARMING_STATES
from screener.collect.health import Health, State
from screener.pipeline.health import SourceHealth
from screener.records import GapReason, LedgerDay, SourceRun
from screener.serve import models, site
from screener.serve.app import create_app
from screener.serve.sources import CELL_KINDS, DAYS_SHOWN, ROWS_SHOWN, Cell, SourceView, build_sources, names_alarming
from screener.settings import Settings
from screener.store import ledger
from screener.store.database import open_store, store_url, writing
from screener.words.catalogue import CATALOGUE
from screener.words.language import LANGUAGES, Words
from screener.workdir import Workdir

TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def watched(workdir: Workdir, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A server whose sources are in every state there is."""
    monkeypatch.setattr(site.Site, "now", lambda self: NOW)
    fill(workdir, settings)
    fill_ledger(workdir, settings, now=NOW)
    app = create_app(with_sources(settings), workdir)
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        yield client


def row(day: date = YESTERDAY, **changes: object) -> LedgerDay:
    values: dict = {
        "source": "bluesky", "country": "TH", "sector": "poultry", "language": "th", "day": day, "n_seen": None,
        "n_expected": None, "n_asked": 2, "n_answered": 2, "reason": None, **changes,
    }  # fmt: skip
    return LedgerDay(**values)


def one(settings: Settings, *rows: LedgerDay, lang: str = "en", health: Health | None = None) -> SourceView:
    found = SourceHealth(health or Health("bluesky", State.GOOD, "told"), "bluesky", is_news=False, days=rows)
    (view,) = build_sources([found], settings, Words(lang), today=TODAY).on
    return view


def section(body: str, name: str) -> str:
    """The ledger of one source."""
    start = body.index(f'id="source-{name}"')
    return body[start : body.index("</details>", start)]


# What the page is built from


@pytest.mark.parametrize(
    ("changes", "kind", "posts", "fault"),
    [
        ({"n_seen": 7}, "seen", "7", None),
        ({"n_seen": 1840}, "seen", "1,840", None),
        ({"n_seen": 7, "reason": GapReason.ERROR}, "seen", "7", GapReason.ERROR),
        ({"n_seen": 7, "reason": GapReason.NO_DATA}, "seen", "7", None),
        ({"n_seen": 0}, "no-data", "", None),
        ({}, "no-data", "", None),
        *(({"reason": reason}, str(reason), "", None) for reason in GapReason),
    ],
)
def test_a_day_shows_its_posts_or_why_there_are_none(
    settings: Settings, changes: dict, kind: str, posts: str, fault: GapReason | None
) -> None:
    cell = one(settings, row(**changes)).rows[0].cells[0]
    assert (cell.kind, cell.posts, cell.fault) == (kind, posts, fault)
    assert ("posts: " in cell.title) == bool(posts)  # no data is never told as zero


def test_a_day_without_a_row_was_not_asked_and_is_not_zero(settings: Settings) -> None:
    cells = one(settings, row(n_seen=3)).rows[0].cells
    assert len(cells) == DAYS_SHOWN
    assert [cell.kind for cell in cells] == ["seen"] + ["not-asked"] * (DAYS_SHOWN - 1)
    assert cells[1] == Cell("not-asked", title="28 Sept 2026: Not asked")


def test_a_cell_tells_all_that_the_ledger_knows_of_its_day(settings: Settings) -> None:
    fault = row(n_seen=3, n_expected=5.5, n_answered=1, reason=GapReason.BUDGET)
    (english,), (swedish,) = (one(settings, fault, lang=lang).rows for lang in LANGUAGES)
    assert english.cells[0].title == "29 Sept 2026: posts: 3, Budget spent, about 6 expected, 1 of 2 queries answered"
    assert (
        swedish.cells[0].title == "29 sep. 2026: inlägg: 3, Budgeten slut, omkring 6 väntade, 1 av 2 frågor besvarade"
    )


def test_only_full_days_of_two_weeks_are_shown(settings: Settings) -> None:
    first = TODAY - timedelta(days=DAYS_SHOWN)
    assert one(settings, row(TODAY, n_seen=1), row(first - timedelta(days=1), n_seen=1)).rows == ()
    cells = one(settings, row(first, n_seen=4)).rows[0].cells
    assert cells[-1].posts == "4"


@pytest.mark.parametrize(
    ("changes", "watch", "language"),
    [
        ({}, "Poultry in Thailand", "Thai"),
        ({"sector": None}, "Thailand, any sector", "Thai"),
        ({"country": None}, "Poultry, any country", "Thai"),
        ({"country": None, "sector": None, "language": None}, "Any country and sector", "any language"),
        ({"sector": "dropped-since"}, "dropped-since in Thailand", "Thai"),
    ],
)
def test_a_row_names_what_was_asked_about(settings: Settings, changes: dict, watch: str, language: str) -> None:
    found = one(settings, row(**changes)).rows[0]
    assert (found.watch, found.language) == (watch, language)


def test_rows_with_faults_come_first_then_silent_ones(settings: Settings) -> None:
    fine = [row(TODAY - timedelta(days=ago), n_seen=3, language="lo") for ago in range(1, 15)]
    partly = [
        replace(fine[0], language="my", reason=GapReason.ERROR),
        *(replace(day, language="my") for day in fine[1:]),
    ]
    silent = [row(day.day, language="km") for day in fine]
    failing = [row(day.day, language="th", reason=GapReason.REFUSED) for day in fine]
    view = one(settings, *fine, *silent, *partly, *failing)
    assert [found.language for found in view.rows] == ["Thai", "Burmese", "Khmer", "Lao"]


def test_rows_are_limited_and_the_rest_is_counted(settings: Settings) -> None:
    rows = [row(country=watch.country, sector=watch.sector, language=language)
            for watch in settings.watches for language in watch.expected_languages]  # fmt: skip
    view = one(settings, *rows)
    assert (len(view.rows), view.n_more) == (ROWS_SHOWN, len(rows) - ROWS_SHOWN)
    assert one(settings, *rows[:ROWS_SHOWN]).n_more == 0


def test_causes_are_counted_the_most_frequent_first(settings: Settings) -> None:
    days = [row(TODAY - timedelta(days=ago), reason=GapReason.ERROR, detail="HTTP 503") for ago in (1, 2, 3, 40)]
    refused = row(language="my", reason=GapReason.REFUSED, detail="HTTP 403")
    found = one(settings, refused, *days, row(language="km", n_seen=3)).causes
    assert [(cause.reason, cause.detail, cause.n) for cause in found] == [
        ("error", "HTTP 503", 3),
        ("refused", "HTTP 403", 1),
    ]


def test_sources_in_need_of_attention_come_first_and_those_switched_off_apart(settings: Settings) -> None:
    found = [
        SourceHealth(Health(name, state, ""), "rss", is_news=False, days=())
        for name, state in zip("abcdefghi", State, strict=True)
    ]
    view = build_sources(found, settings, Words("en"), today=TODAY)
    states = [source.health.state for source in (*view.on, *view.off)]
    assert set(states[: len(ALARMING_STATES)]) == ALARMING_STATES
    assert states[0] is State.STALE
    assert states[-1] is State.OFF
    assert names_alarming(found) == tuple(source.health.source for source in view.alarming)


def test_a_source_silent_in_one_language_does_not_pass_for_good(settings: Settings) -> None:
    view = one(settings, health=Health("bluesky", State.GOOD, "told", quiet_in=("my", "km")))
    assert (view.shown, view.quiet_in) == ("partly-silent", "Burmese, Khmer")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_state_and_kind_of_day_has_words_and_a_sign(lang: str, watched: TestClient) -> None:
    body = watched.get("/sources").text
    states = {*State, "partly-silent"}
    assert {f"source_state_{state}" for state in states} <= set(CATALOGUE[lang])
    assert {f"source_means_{state}" for state in states - {State.OFF}} <= set(CATALOGUE[lang])
    assert {f"gap_{kind}" for kind in CELL_KINDS} <= set(CATALOGUE[lang])
    signs = set(re.findall(r'<symbol id="sign-([\w-]+)"', body))
    assert signs >= {str(state) for state in states} | set(CELL_KINDS) - {"seen"}
    assert set(re.findall(r'"#sign-([\w-]+)"', body)) <= signs


# The page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_is_well_formed_and_reaches_nowhere(watched: TestClient, lang: str) -> None:
    reply = watched.get("/sources", headers={"Accept-Language": lang})
    tree = Tree()
    tree.feed(reply.text)
    assert tree.open == []
    assert len(tree.ids) == len(set(tree.ids))
    assert tree.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(tree.headings, tree.headings[1:], strict=False))
    assert f'<html lang="{lang}">' in reply.text
    anchors = {link[1:] for link in tree.links if link.startswith("#")}
    assert anchors <= set(tree.ids)
    assert {watched.get(link).status_code for link in tree.links if link.startswith("/")} == {200}


@pytest.mark.parametrize(("lang", "told"), [("en", "6 sources need attention"), ("sv", "6 källor behöver ses över")])
def test_page_and_overview_raise_the_alarm(watched: TestClient, lang: str, told: str) -> None:
    page = watched.get(f"/sources?lang={lang}").text
    alarm = page[page.index('role="alert"') : page.index("</section>")]
    assert told in alarm
    assert set(re.findall(r'href="#source-([\w-]+)"', alarm)) == ALARMING
    overview = watched.get(f"/?lang={lang}").text
    banner = overview[overview.index('role="status"') : overview.index("</p>", overview.index('role="status"'))]
    assert told in banner
    assert 'href="/sources"' in banner
    assert all(name in banner for name in ALARMING)


def test_one_source_is_one_source(workdir: Workdir, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.Site, "now", lambda self: NOW)
    sources = tuple(s.model_copy(update={"enabled": s.name == "rss"}) for s in settings.sources)
    fill_ledger(workdir, settings, now=NOW)
    with TestClient(create_app(replace(settings, sources=sources), workdir), base_url="http://127.0.0.1") as client:
        assert "1 source needs attention" in client.get("/").text
        assert "1 källa behöver ses över" in client.get("/sources?lang=sv").text


def test_every_source_is_shown_in_its_state(watched: TestClient) -> None:
    body = watched.get("/sources").text
    table = body[body.index('<table class="list health"') : body.index("</table>")]
    found = dict(re.findall(r'scope="row">([\w-]+).*?badge state-([\w-]+)"', table, re.DOTALL))
    assert found == STATES
    off = body[body.index('<details class="off">') : body.index("</details>")]
    assert "2 sources are switched off" in off
    assert set(re.findall(r'scope="row">([\w-]+)', off)) == {"gdelt", "mediacloud"}
    assert "open" not in off.partition(">")[0]


def test_figures_follow_the_language_and_unknown_is_not_zero(watched: TestClient) -> None:
    english, swedish = (watched.get(f"/sources?lang={lang}").text for lang in LANGUAGES)
    assert "30 Sept 2026 05:00 UTC" in english
    assert "30 sep. 2026 05:00 UTC" in swedish
    assert "4,496" in english
    assert "4\u00a0496" in swedish
    for part in ("no data", "not known yet", "never"):
        assert part in english
    assert re.search(r">\s*0\s*<", english) is None


def test_news_is_marked_as_context_and_nothing_else_is(watched: TestClient, settings: Settings) -> None:
    heads = re.findall(r'scope="row">([\w-]+)(.*?)</th>', watched.get("/sources").text, re.DOTALL)
    marked = {name for name, rest in heads if "News: context, never counted as a voice" in rest}
    assert marked == {source.name for source in settings.sources if getattr(source, "is_news", False)} != set()


def test_page_says_what_silence_means(watched: TestClient, empty: TestClient) -> None:
    for client in (watched, empty):
        assert "No data is not zero." in client.get("/sources?lang=en").text
        assert "Inga data är inte noll." in client.get("/sources?lang=sv").text


def test_ledger_is_a_table_that_a_keyboard_can_scroll(watched: TestClient) -> None:
    found = section(watched.get("/sources").text, "bluesky")
    assert '<div class="days-scroll" role="region" aria-labelledby="days-bluesky" tabindex="0">' in found
    assert (
        '<caption id="days-bluesky"><span>bluesky: posts per day, the newest first, 16 Sept 2026 – 29 Sept 2026'
        in found
    )
    assert found.count('<th scope="row">') == ROWS_SHOWN
    assert "less trouble that are left out here: 24." in found
    assert found.count("<td ") == ROWS_SHOWN * DAYS_SHOWN


def test_every_cell_without_posts_has_a_sign_a_title_and_words(watched: TestClient) -> None:
    body = watched.get("/sources").text
    cells = re.findall(r'<td class="gap-([\w-]+)( partly)?" title="([^"]+)">(.*?)</td>', body, re.DOTALL)
    assert {kind for kind, *_ in cells} == set(CELL_KINDS) - {"refused"}
    for kind, partly, title, inner in cells:
        assert title
        assert ("<svg" in inner and 'class="vh"' in inner) == bool(partly or kind != "seen")


def test_ledgers_of_sources_in_need_are_open_and_others_are_not(watched: TestClient) -> None:
    body = watched.get("/sources").text
    found = re.findall(r'<details class="ledger" id="source-([\w-]+)"( open)?>', body)
    assert {name for name, is_open in found if is_open} == ALARMING
    assert {name for name, _ in found} == set(STATES)
    assert "Nothing was asked about these days" in section(body, "reddit")


def test_what_a_source_said_comes_back_escaped_and_marked_as_english(watched: TestClient) -> None:
    body = watched.get("/sources?lang=sv").text
    assert "<script" not in body
    assert f'<span lang="en">{escape(HOSTILE)}</span>' in body
    assert f'lang="en">3 of 14 queries answered: {escape(HOSTILE)}</span>' in body
    assert "rutor: " in section(body, "bluesky")


def test_empty_store_says_that_demonstration_posts_are_used(empty: TestClient) -> None:
    body = empty.get("/sources").text
    assert "uses its demonstration posts" in body
    assert "11 sources are switched off" in body
    assert 'role="alert"' not in body
    assert "demonstrationsinlägg" in empty.get("/sources?lang=sv").text
    assert 'role="status"' not in empty.get("/").text


def test_files_that_are_read_are_named_and_end_the_demonstration(workdir: Workdir, settings: Settings) -> None:
    sources = tuple(s.model_copy(update={"enabled": s.name in {"file-drop", "demo"}}) for s in settings.sources)
    with TestClient(create_app(replace(settings, sources=sources), workdir), base_url="http://127.0.0.1") as client:
        body = client.get("/sources").text
    assert "also read from files (file-drop)" in body
    assert "demonstration posts" not in body


def test_navigation_leads_to_the_page(watched: TestClient) -> None:
    assert '<a href="/sources">Sources</a>' in watched.get("/").text
    assert '<a href="/sources" aria-current="page">Källor</a>' in watched.get("/sources?lang=sv").text


# Freshness


def test_health_is_read_once_for_many_replies_and_not_for_pages_without_it(
    watched: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "FRESH_SECONDS", 60.0)
    asked = []
    inner = site.source_health
    monkeypatch.setattr(site, "source_health", lambda *args, **named: asked.append(1) or inner(*args, **named))
    for address in ("/method", "/cell/TH/poultry", "/v1/indicators"):
        watched.get(address)
    assert asked == []
    for address in ("/sources", "/sources?lang=sv", "/", "/v1/sources"):
        watched.get(address)
    assert len(asked) == 1


def test_health_that_changes_without_a_new_run_of_figures_is_seen(
    workdir: Workdir, watched: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "FRESH_SECONDS", 0.0)
    before = {address: watched.get(address).headers["etag"] for address in ("/", "/sources", "/v1/sources")}
    assert {address: watched.get(address).headers["etag"] for address in before} == before
    engine = open_store(store_url(workdir))
    with writing(engine) as connection:
        run = SourceRun("run-3", "mastodon", NOW, n_requests=1, n_read=0, n_new_posts=0, n_asked=9, n_answered=0,
                        reason=GapReason.REFUSED, error="HTTP 401")  # fmt: skip
        ledger.save_source_run(connection, run)
    engine.dispose()
    assert "7 sources need attention" in watched.get("/").text
    for address, etag in before.items():
        assert watched.get(address, headers={"If-None-Match": etag}).status_code == 200


# The API


def test_api_tells_the_health_of_every_source(watched: TestClient) -> None:
    found = {s.source: s for s in models.SourcesResponse.model_validate_json(watched.get("/v1/sources").text).sources}
    assert set(found) == {*STATES, "gdelt", "mediacloud"}
    assert {name for name, source in found.items() if source.is_alarming} == ALARMING
    rss = found["rss"]
    assert (rss.state, rss.quiet_in, rss.told) == ("good", ["my"], "14 of 14 queries answered")
    assert rss.n_week is not None
    assert found["reddit"].n_week is None
    assert found["reddit"].last_answer is None
    assert found["news"].is_news
    assert found["gdelt"].state == "off"


def test_api_names_every_state_and_reason_there_is() -> None:
    assert set(models.SourceState.__args__) == set(State)
    assert set(models.GapReason.__args__) == set(GapReason)


def test_api_gives_the_ledger_of_two_weeks_unless_told_otherwise(watched: TestClient) -> None:
    found = models.SourceDaysResponse.model_validate_json(watched.get("/v1/sources/bluesky/days").text)
    assert (found.since, found.until) == (TODAY - timedelta(days=14), TODAY + timedelta(days=1))
    assert {day.day for day in found.days} == {TODAY - timedelta(days=ago) for ago in range(15)}
    failed = next(day for day in found.days if day.reason == "error" and day.n_seen is None)
    assert (failed.n_asked, failed.n_answered, failed.detail) == (4, 1, HOSTILE)


def test_api_gives_the_ledger_of_the_days_asked_for(watched: TestClient) -> None:
    found = watched.get("/v1/sources/rss/days?since=2026-09-20&until=2026-09-21").json()
    assert {day["day"] for day in found["days"]} == {"2026-09-20"}
    assert all(day["n_seen"] != 0 for day in found["days"])
    assert watched.get("/v1/sources/lemmy/days").json()["days"] == []


@pytest.mark.parametrize(
    ("address", "status", "part", "legal"),
    [
        ("/v1/sources/blusky/days", 404, "did you mean bluesky", "bluesky"),
        ("/v1/sources/demo/days", 404, "'demo'", "rss"),
        ("/v1/sources/rss/days?since=2026-09-20&until=2026-09-20", 400, "'since'", None),
        ("/v1/sources/rss/days?since=2025-09-20", 400, "92 days", None),
        ("/v1/sources/rss/days?since=yesterday", 422, "since", None),
        ("/v1/sources/rss", 404, "not found", None),
    ],
)
def test_api_errors_have_the_shape_of_all_others(
    watched: TestClient, address: str, status: int, part: str, legal: str | None
) -> None:
    reply = watched.get(address)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    problem = models.Problem.model_validate_json(reply.text)
    assert part in problem.detail
    assert legal is None or legal in (problem.legal or [])


@pytest.mark.parametrize("address", ["/sources", "/v1/sources", "/v1/sources/bluesky/days"])
def test_etag_answers_304(watched: TestClient, address: str) -> None:
    etag = watched.get(address).headers["etag"]
    assert watched.get(address, headers={"If-None-Match": etag}).status_code == 304


def test_invented_sources_are_in_the_states_they_claim() -> None:
    assert set(SOURCES) | {"lemmy"} == set(STATES)

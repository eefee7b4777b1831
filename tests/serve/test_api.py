"""The JSON routes: answers, filters, errors in one shape, conditional requests."""

from __future__ import annotations

import pytest
from invented_store import FIGURES, RUN_ID, VERSIONS, fill, quote
from starlette.testclient import TestClient

from screener.errors import ReviewError, StoreError
from screener.serve import models, site
from screener.settings import Settings
from screener.store import results
from screener.store.database import open_store, store_url, writing
from screener.workdir import Workdir


def test_healthz_names_run_and_status(client: TestClient) -> None:
    reply = client.get("/healthz")
    assert reply.status_code == 200
    assert reply.json() == {
        "store": "reachable",
        "run_id": RUN_ID,
        "status": "draft",
        "release_id": None,
        "version": "0.1.0",
    }
    assert reply.headers["cache-control"] == "no-store"


def test_healthz_of_a_release_and_of_an_empty_store(released: TestClient) -> None:
    assert released.get("/healthz").json()["status"] == "released"


def test_healthz_before_the_first_run(empty: TestClient) -> None:
    assert empty.get("/healthz").json()["status"] == "empty"


def test_healthz_says_503_when_the_store_fails(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object) -> str:
        raise StoreError("sqlite:////secret/place/results.db: can't be used")

    monkeypatch.setattr(site.Site, "current_run_id", broken)
    reply = client.get("/healthz")
    assert reply.status_code == 503
    assert reply.headers["content-type"] == "application/problem+json"
    assert "secret" not in reply.text


def test_risk_answers_a_sector(client: TestClient) -> None:
    reply = client.get("/v1/risk", params={"country": "th", "sector": "poultry"})
    (answer,) = models.RiskResponse.model_validate_json(reply.text).answers
    assert (answer.country, answer.sector, answer.band, answer.index) == ("TH", "poultry", "high", 47.2)
    assert (answer.index_low, answer.index_high) == (38.4, 56.0)
    assert answer.coverage is not None
    assert answer.coverage.languages_missing
    assert [caveat.key for caveat in answer.caveats] == ["invented", "draft", "uncorrected"]
    assert answer.top_labels[0].label == "wage_withholding"
    assert answer.versions is not None
    assert answer.versions.model == VERSIONS.model


def test_risk_takes_several_countries_highest_first(client: TestClient) -> None:
    answers = client.get("/v1/risk?country=BD&country=CN&sector=textiles-garments").json()["answers"]
    assert [answer["country"] for answer in answers] == ["CN", "BD"]


def test_risk_by_cpv_answers_every_sector_below(client: TestClient) -> None:
    answers = client.get("/v1/risk?country=MY&cpv=33140000-3").json()["answers"]
    found = {answer["sector"]: answer["band"] for answer in answers}
    assert found["examination-gloves"] == "severe"
    assert found["disposable-textiles"] == "insufficient_evidence"


def test_risk_without_country_answers_all_that_are_watched(client: TestClient, settings: Settings) -> None:
    answers = client.get("/v1/risk?sector=electronics").json()["answers"]
    assert {a["country"] for a in answers} == {w.country for w in settings.watches if w.sector == "electronics"}


@pytest.mark.parametrize(
    ("lang", "band", "text"), [("en", "High", "Draft: no expert"), ("sv", "Hög", "Utkast: inga experter")]
)
def test_risk_speaks_both_languages(client: TestClient, lang: str, band: str, text: str) -> None:
    (answer,) = client.get(f"/v1/risk?country=TH&sector=poultry&lang={lang}").json()["answers"]
    assert answer["band_name"] == band
    assert any(caveat["text"].startswith(text) for caveat in answer["caveats"])


def test_risk_of_an_unwatched_cell_is_insufficient_never_low(client: TestClient) -> None:
    (answer,) = client.get("/v1/risk?country=SE&sector=poultry").json()["answers"]
    assert answer["band"] == "insufficient_evidence"
    assert answer["index"] is None
    assert {"silence", "not_watched"} <= {caveat["key"] for caveat in answer["caveats"]}


def test_risk_of_a_release_carries_it(released: TestClient) -> None:
    (answer,) = released.get("/v1/risk?country=TH&sector=poultry").json()["answers"]
    assert answer["release"]["signed_by"] == "Expert group"
    assert [caveat["key"] for caveat in answer["caveats"]] == ["uncorrected"]


def test_indicators_leave_out_what_is_no_figure_for_buyers(client: TestClient) -> None:
    body = client.get("/v1/indicators").json()
    assert body["status"] == "draft"
    found = {(one["country"], one["sector"]) for one in body["indicators"]}
    assert found >= set(FIGURES)
    assert ("ZZ", "unspecified") not in found


def test_indicators_narrow_by_country_sector_and_band(client: TestClient) -> None:
    def keys(query: str) -> set[tuple[str, str]]:
        return {(one["country"], one["sector"]) for one in client.get(f"/v1/indicators?{query}").json()["indicators"]}

    assert keys("country=cn") == {("CN", "textiles-garments"), ("CN", "gig-delivery")}
    assert keys("sector=poultry") == {("TH", "poultry")}
    assert keys("band=low") == {("DE", "warehousing")}
    assert keys("country=CN&band=low") == set()


def test_indicators_keep_small_labels_hidden(client: TestClient) -> None:
    (cell,) = client.get("/v1/indicators?country=TH&lang=sv").json()["indicators"]
    (label,) = [one for one in cell["labels"] if one["label"] == "child_labour"]
    assert label == {
        "label": "child_labour", "name": "Barnarbete", "n_voices": None, "share": None, "share_low": None, "share_high": None, "suppressed": True,
    }  # fmt: skip


def test_evidence_narrows_by_label_and_limit(client: TestClient) -> None:
    assert len(client.get("/v1/evidence").json()["evidence"]) == 5
    assert len(client.get("/v1/evidence?limit=2").json()["evidence"]) == 2
    (quoted,) = client.get("/v1/evidence?country=TH&sector=poultry&label=excessive_overtime").json()["evidence"]
    (span,) = quoted["spans"]
    assert quoted["text"][span["start"] : span["end"]] == "១៤ ម៉ោង"
    assert client.get("/v1/evidence?country=MY").json()["evidence"] == []


def test_empty_store_answers_without_figures(empty: TestClient) -> None:
    assert empty.get("/v1/indicators").json() == {"status": "empty", "run_id": None, "release": None, "indicators": []}
    assert empty.get("/v1/risk?country=TH&sector=poultry").json()["answers"][0]["band"] == "insufficient_evidence"


@pytest.mark.parametrize(
    ("address", "status", "part", "legal"),
    [
        ("/v1/risk?country=XX&sector=poultry", 404, "'XX'", "TH"),
        ("/v1/risk?country=TH&sector=poltry", 404, "did you mean poultry", "poultry"),
        ("/v1/risk?country=TH&cpv=99000000", 404, "99000000", "33600000"),
        ("/v1/indicators?sector=nope", 404, "nope", "vegetables"),
        ("/v1/evidence?label=nope", 404, "nope", "debt_bondage"),
        ("/v1/risk?country=TH", 400, "'sector' or 'cpv'", None),
        ("/v1/risk?country=TH&sector=poultry&cpv=33140000", 400, "'sector' or 'cpv'", None),
        ("/v1/risk?country=TH&cpv=331", 422, "cpv", None),
        ("/v1/risk?sector=poultry&lang=fi", 422, "'en' or 'sv'", None),
        ("/v1/indicators?band=terrible", 422, "'severe'", None),
        ("/v1/evidence?limit=100000", 422, "limit", None),
        ("/v1/nothing", 404, "/v1/nothing", None),
    ],
)
def test_errors_have_one_shape(client: TestClient, address: str, status: int, part: str, legal: str | None) -> None:
    reply = client.get(address)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    problem = models.Problem.model_validate_json(reply.text)
    assert problem.status == status
    assert part in problem.detail
    assert problem.instance == address
    assert legal is None or legal in (problem.legal or [])


def test_wrong_method_says_which_is_right(client: TestClient) -> None:
    reply = client.post("/v1/risk")
    assert reply.status_code == 405
    assert reply.headers["allow"] == "GET"


@pytest.mark.parametrize(
    "address",
    ["/v1/risk?country=TH&sector=poultry", "/v1/indicators", "/v1/evidence", "/", "/cell/TH/poultry", "/method"],
)
def test_etag_answers_304(client: TestClient, address: str) -> None:
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_etag_changes_with_the_release(
    workdir: Workdir, settings: Settings, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "FRESH_SECONDS", 0.0)
    before = client.get("/v1/indicators").headers["etag"]
    assert client.get("/v1/indicators").headers["etag"] == before
    release(workdir)
    assert client.get("/v1/indicators").headers["etag"] != before


def test_figures_of_a_run_that_is_published_again_are_seen(
    workdir: Workdir, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "FRESH_SECONDS", 0.0)
    before = client.get("/v1/evidence").headers["etag"]
    engine = open_store(store_url(workdir))
    with writing(engine) as connection:
        results.replace_results(connection, RUN_ID, [], [quote("f" * 32, "en", "no salary", "no salary")], VERSIONS)
    engine.dispose()
    after = client.get("/v1/evidence")
    assert after.headers["etag"] != before
    assert len(after.json()["evidence"]) == 1


def test_replies_are_made_once_for_many_readers(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "FRESH_SECONDS", 60.0)
    asked = []
    inner = site.answers.ask_risk
    monkeypatch.setattr(site.answers, "ask_risk", lambda *args, **named: asked.append(1) or inner(*args, **named))
    for _ in range(5):
        assert client.get("/v1/risk?country=TH&sector=poultry").status_code == 200
    assert len(asked) == 1


def release(workdir: Workdir) -> None:
    from invented_store import NOW

    from screener.store import reviews

    engine = open_store(store_url(workdir))
    with writing(engine) as connection:
        reviews.add_release(connection, reviews.Release("r1", RUN_ID, "Expert group", NOW, "0" * 64, "{}"))
    engine.dispose()


def test_fill_is_refused_after_release(workdir: Workdir, settings: Settings) -> None:
    fill(workdir, settings, released=True)
    engine = open_store(store_url(workdir))
    with pytest.raises(ReviewError, match="released"), writing(engine) as connection:
        results.replace_results(connection, RUN_ID, [], [], VERSIONS)
    engine.dispose()

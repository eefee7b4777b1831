"""The API description is complete: it is the only documentation a program has."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from screener.serve import models


@pytest.fixture
def description(client: TestClient) -> dict:
    return client.get("/openapi.json").json()


def test_description_introduces_itself(description: dict) -> None:
    assert description["info"]["title"] == "Screener"
    assert "insufficient_evidence" in description["info"]["description"]


def test_description_lists_exactly_the_json_routes(description: dict) -> None:
    assert set(description["paths"]) == {
        "/healthz",
        "/v1/risk",
        "/v1/indicators",
        "/v1/evidence",
        "/v1/sources",
        "/v1/sources/{name}/days",
    }


def test_every_route_and_parameter_is_described(description: dict) -> None:
    for path, route in description["paths"].items():
        get = route["get"]
        assert get["summary"], path
        assert get["description"], path
        assert all(parameter["description"] for parameter in get.get("parameters", [])), path
        assert {"200", "404", "422", "503"} <= set(get["responses"]), path


def test_every_answer_has_an_example_of_its_own_shape(description: dict) -> None:
    for name in (
        "Health",
        "RiskResponse",
        "IndicatorsResponse",
        "EvidenceResponse",
        "SourcesResponse",
        "SourceDaysResponse",
        "Problem",
    ):
        assert description["components"]["schemas"][name]["examples"], name
        model = getattr(models, name)  # FastAPI drops nulls from the description, so the shape is checked at the source
        (example,) = model.model_config["json_schema_extra"]["examples"]
        model.model_validate(example)


def test_every_route_answers_with_a_named_shape(description: dict) -> None:
    for path, route in description["paths"].items():
        shape = route["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert description["components"]["schemas"][shape]["examples"], path


def test_evidence_warns_that_it_is_for_experts(description: dict) -> None:
    text = description["paths"]["/v1/evidence"]["get"]["description"]
    assert "experts only" in text
    assert "127.0.0.1" in text


def test_description_is_readable_without_a_third_party(client: TestClient, description: dict) -> None:
    page = client.get("/docs").text
    assert all(f"GET {path}" in page for path in description["paths"])
    assert "http" not in page
    assert client.get("/redoc").status_code == 404

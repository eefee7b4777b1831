"""JSON routes. ``/v1`` stays stable; a change that breaks clients gets a new prefix."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from screener import __version__
from screener.codes import parse_country
from screener.errors import UnknownCodeError, UsageError
from screener.pipeline.health import LOOKED_AT, SourceHealth
from screener.records import LabelShare
from screener.risk import TEXTS, RiskAnswer
from screener.serve import models
from screener.serve.site import Site, Snapshot, answer, site_of
from screener.settings import Settings
from screener.settings.sources import ApiSource
from screener.store.results import PublishedIndicator
from screener.words.language import Words

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "model": models.Problem, "content": {"application/problem+json": {}}}
    for status, text in (
        (400, "Parameters that don't go together"),
        (404, "Unknown country, sector, CPV or label code, or source; `legal` lists those that exist"),
        (422, "A parameter of the wrong form"),
        (503, "The results store can't be read"),
    )
}
MOST_LEDGER_DAYS = 92
"""Days of a ledger in one reply: a quarter of a source that is asked about every watch is some ten thousand rows."""
router = APIRouter(responses=PROBLEMS)

Country = Annotated[str | None, Query(description="ISO 3166-1 alpha-2 code", examples=["TH"])]
SectorSlug = Annotated[str | None, Query(description="Slug of a sector on the watchlist", examples=["poultry"])]
Language = Annotated[models.Lang, Query(description="Language of names and caveats")]


@router.get(
    "/healthz", response_model=models.Health, tags=["operation"], summary="Is the store reachable, and what is current?"
)
def health(request: Request) -> Response:
    """Asks the store itself, past every cache: 503 if it can't be read."""
    site = site_of(request)
    run_id, snapshot = site.current_run_id(), site.snapshot()
    release_id = snapshot.release.release_id if snapshot.release else None
    found = models.Health(
        store="reachable", run_id=run_id, status=snapshot.status, release_id=release_id, version=__version__
    )
    return Response(found.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get(
    "/v1/risk", response_model=models.RiskResponse, tags=["risk"], summary="What is the risk for a sector or CPV code?"
)
async def risk(
    request: Request,
    country: Annotated[
        list[str] | None,
        Query(description="One or more countries; without one, all that are watched", examples=[["TH", "MY"]]),
    ] = None,
    sector: SectorSlug = None,
    cpv: Annotated[
        str | None,
        Query(
            description="CPV 2008 code; check digit optional. A broad code is answered by every sector below it",
            pattern=r"^\d{8}(-\d)?$",
            examples=["33140000"],
        ),
    ] = None,
    lang: Language = "en",
) -> Response:
    """Give either a sector or a CPV code. Too little evidence is answered with the band insufficient_evidence, never with low."""
    if (sector is None) == (cpv is None):
        raise UsageError("give either 'sector' or 'cpv'")
    site = site_of(request)

    def make(snapshot: Snapshot) -> bytes:
        found = site.risk(snapshot, country or [], sector, cpv)
        return _bytes(models.RiskResponse(answers=[risk_model(one, site.settings, Words(lang)) for one in found]))

    return await _answer(request, make)


@router.get(
    "/v1/indicators", response_model=models.IndicatorsResponse, tags=["risk"], summary="All figures of the current run"
)
async def indicators(
    request: Request, country: Country = None, sector: SectorSlug = None,
    band: Annotated[models.Band | None, Query(description="Only this band")] = None, lang: Language = "en",
) -> Response:  # fmt: skip
    """Figures of every watched country and sector and of those that posts spoke of, narrowed by the parameters."""
    site = site_of(request)
    wanted = (_country(country), _sector(site, sector), band)

    def make(snapshot: Snapshot) -> bytes:
        found = [_indicator_model(row, site.settings, lang) for row in snapshot.rows if _fits(row, *wanted)]
        return _bytes(models.IndicatorsResponse(**_envelope(snapshot), indicators=found))

    return await _answer(request, make)


@router.get(
    "/v1/evidence",
    response_model=models.EvidenceResponse,
    tags=["evidence"],
    summary="Scrubbed posts behind the figures, for experts",
)
async def evidence(
    request: Request, country: Country = None, sector: SectorSlug = None,
    label: Annotated[str | None, Query(description="Only posts with a passage for this label", examples=["wage_withholding"])] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="At most so many posts")] = 50,
) -> Response:  # fmt: skip
    """For experts only: handles, links, numbers and titled names are taken out, but a text can still be recognised.

    Access control comes in a later release; that is why the server of this release binds to 127.0.0.1 only. Do not put it
    behind a public proxy. Cells whose figures are suppressed show no posts.
    """
    site = site_of(request)
    wanted = (_country(country), _sector(site, sector), _label(site, label))

    def make(snapshot: Snapshot) -> bytes:
        found = [models.EvidenceModel.model_validate(row) for row in site.evidence(snapshot, *wanted, limit)]
        return _bytes(models.EvidenceResponse(**_envelope(snapshot), evidence=found))

    return await _answer(request, make)


@router.get(
    "/v1/sources", response_model=models.SourcesResponse, tags=["operation"], summary="How is each source doing?"
)
async def sources(request: Request) -> Response:
    """When each source last answered, what it gave in a week, what was expected, and whether it fell silent.

    A quiet source lowers the coverage of the figures. It is never a sign that the risk is low.
    """
    site = site_of(request)

    def make(snapshot: Snapshot) -> bytes:
        return _bytes(models.SourcesResponse(sources=[_source_model(one) for one in site.sources(snapshot)]))

    return await _answer(request, make)


@router.get(
    "/v1/sources/{name}/days",
    response_model=models.SourceDaysResponse,
    tags=["operation"],
    summary="What did a source miss, and why?",
)
async def source_days(
    request: Request,
    name: Annotated[str, Path(description="Name of a source", examples=["bluesky"])],
    since: Annotated[date | None, Query(description="First day; two weeks ago if left out")] = None,
    until: Annotated[date | None, Query(description="First day after the last; tomorrow if left out")] = None,
) -> Response:  # fmt: skip
    """The gap ledger: each watch, language and day that the source was asked about, at most 92 days in one reply."""
    site = site_of(request)
    names = [source.name for source in site.settings.sources if isinstance(source, ApiSource)]
    if name not in names:
        raise UnknownCodeError("source", name, names)
    today = site.now().date()
    first, end = since or today - LOOKED_AT, until or today + timedelta(days=1)
    if not timedelta() < end - first <= timedelta(days=MOST_LEDGER_DAYS):
        raise UsageError(f"'until' must lie after 'since', by at most {MOST_LEDGER_DAYS} days")

    def make(snapshot: Snapshot) -> bytes:
        del snapshot
        found = [models.SourceDayModel.model_validate(row) for row in site.source_days(name, first, end)]
        return _bytes(models.SourceDaysResponse(source=name, since=first, until=end, days=found))

    return await _answer(request, make)


def risk_model(one: RiskAnswer, settings: Settings, words: Words) -> models.RiskAnswerModel:
    """An answer with its names and caveats spelled out."""
    names = {
        "country_name": words.country(one.country), "sector_name": words.of(settings.sector(one.sector).name), "band_name": words.band(one.band),
        "top_labels": _labels(one.top_labels, settings, words.lang),
        "caveats": [models.CaveatModel(key=key, text=TEXTS[key][words.lang]) for key in one.caveats],
    }  # fmt: skip
    plain = {name: getattr(one, name) for name in models.RiskAnswerModel.model_fields if name not in names}
    return models.RiskAnswerModel.model_validate({**plain, **names})


def _indicator_model(row: PublishedIndicator, settings: Settings, lang: str) -> models.IndicatorModel:
    made = {"labels": _labels(row.indicator.labels, settings, lang), "versions": row.versions}
    plain = {name: getattr(row.indicator, name) for name in models.IndicatorModel.model_fields if name not in made}
    return models.IndicatorModel.model_validate({**plain, **made})


def _source_model(one: SourceHealth) -> models.SourceModel:
    own = {"kind": one.kind, "is_news": one.is_news}
    plain = {name: getattr(one.health, name) for name in models.SourceModel.model_fields if name not in own}
    return models.SourceModel.model_validate({**plain, **own})


def _labels(shares: tuple[LabelShare, ...], settings: Settings, lang: str) -> list[models.LabelShareModel]:
    names = {label.id: Words(lang).of(label.name) for label in settings.labels}
    found = []
    for share in shares:
        plain = {field: getattr(share, field) for field in models.LabelShareModel.model_fields if field != "name"}
        found.append(models.LabelShareModel(**plain, name=names.get(share.label, share.label)))
    return found


def _fits(row: PublishedIndicator, country: str | None, sector: str | None, band: str | None) -> bool:
    cell = row.indicator
    return country in (None, cell.country) and sector in (None, cell.sector) and band in (None, cell.band)


def _country(value: str | None) -> str | None:
    return parse_country(value) if value is not None else None


def _sector(site: Site, value: str | None) -> str | None:
    return site.settings.sector(value).slug if value is not None else None


def _label(site: Site, value: str | None) -> str | None:
    if value is not None and value not in site.settings.label_ids:
        raise UnknownCodeError("label", value, site.settings.label_ids)
    return value


def _envelope(snapshot: Snapshot) -> dict[str, Any]:
    return {"status": snapshot.status, "run_id": snapshot.run_id, "release": snapshot.release}


def _bytes(model: models.Model) -> bytes:
    return model.model_dump_json().encode()


async def _answer(request: Request, make: Callable[[Snapshot], bytes]) -> Response:
    return await answer(request, f"{request.url.path}?{request.url.query}", "application/json", make)

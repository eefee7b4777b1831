"""HTML routes: they gather, a pure module arranges, a template shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from screener.codes import parse_country
from screener.collect.health import HEARTBEAT
from screener.errors import UnknownCodeError
from screener.records import UNKNOWN_COUNTRY
from screener.risk import TEXTS
from screener.risk import answer as risk_answer
from screener.serve.cell import evidence_card, label_table
from screener.serve.matrix import build_overview, countries_of, empty_cell
from screener.serve.rendering import remember_language, render, words_for
from screener.serve.site import Site, Snapshot, answer, site_of
from screener.serve.sources import CELL_KINDS, build_sources, names_alarming
from screener.words.language import Words

EVIDENCE_SHOWN = 30
"""Posts on a page: as many as an expert reads in one sitting; the JSON holds more."""
router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
async def overview(request: Request, country: str = "", sector: str = "") -> Response:
    """The matrix; a form sends empty fields for *all*."""
    site = site_of(request)
    code = _country(country) if country else None
    slug = site.settings.sector(sector).slug if sector else None

    def make(snapshot: Snapshot, words: Words) -> bytes:
        """The page, made from one snapshot."""
        cells = [row.indicator for row in snapshot.rows]
        view = build_overview(cells, site.settings, words, country=code, sector=slug)
        return render(
            request,
            "overview.html",
            words,
            view=view,
            snapshot=snapshot,
            settings=site.settings,
            country=code,
            sector=slug,
            alarming=names_alarming(site.sources(snapshot)),
        )

    return await _page(request, make)


@router.api_route("/cell/{country}/{sector}", methods=["GET", "HEAD"])
async def cell(request: Request, country: str, sector: str, label: str = "") -> Response:
    """One country and sector; also for pairs that nobody watches, since silence must be answered too."""
    site, code = site_of(request), _country(country)
    slug = site.settings.sector(sector).slug
    if label and label not in site.settings.label_ids:
        raise UnknownCodeError("label", label, site.settings.label_ids)
    if code != country:
        return RedirectResponse(request.url.replace(path=f"/cell/{code}/{slug}"), status_code=308)

    def make(snapshot: Snapshot, words: Words) -> bytes:
        return _cell_body(request, site, snapshot, words, (code, slug, label))

    return await _page(request, make)


@router.api_route("/sources", methods=["GET", "HEAD"])
async def sources(request: Request) -> Response:
    """How each source is doing, and where there are gaps: silence must not pass for safety."""
    site = site_of(request)

    def make(snapshot: Snapshot, words: Words) -> bytes:
        view = build_sources(site.sources(snapshot), site.settings, words, today=site.now().date())
        return render(
            request, "sources.html", words, view=view, kinds=CELL_KINDS, stale_hours=HEARTBEAT // timedelta(hours=1)
        )

    return await _page(request, make)


@router.api_route("/method", methods=["GET", "HEAD"])
async def method(request: Request) -> Response:
    """How to read the figures, from the same settings that made them."""
    site = site_of(request)

    def make(snapshot: Snapshot, words: Words) -> bytes:
        return render(request, "method.html", words, snapshot=snapshot, settings=site.settings)

    return await _page(request, make)


@router.api_route("/docs", methods=["GET", "HEAD"])
async def docs(request: Request) -> Response:
    """The API description for people, from the same source as ``/openapi.json``; the usual viewers load from third parties."""
    description = request.app.openapi()

    def make(snapshot: Snapshot, words: Words) -> bytes:
        return render(request, "docs.html", words, snapshot=snapshot, api=description)

    return await _page(request, make)


def problem_page(request: Request, status: int, error: UnknownCodeError | None) -> Response:
    """An error in the reader's language, with ways on."""
    words, settings = words_for(request), site_of(request).settings
    title = f"error_title_{status}"
    body = render(
        request, "problem.html", words, status=status, title=words.text(title if words.has(title) else "error_title_500"),
        text=_explain(words, status, error), settings=settings, countries=countries_of((w.country for w in settings.watches), words),
    )  # fmt: skip
    return remember_language(
        request, Response(body, status, media_type="text/html", headers={"Cache-Control": "no-store"})
    )


def _explain(words: Words, status: int, error: UnknownCodeError | None) -> str:
    if error is not None:
        return words.text("error_" + error.kind.partition(" ")[0], value=error.value)
    return words.text("error_later" if status >= 500 else "error_address")


def _cell_body(request: Request, site: Site, snapshot: Snapshot, words: Words, asked: tuple[str, str, str]) -> bytes:
    country, sector, label = asked
    row = snapshot.row(country, sector)
    told = risk_answer(
        row.indicator if row else None, country=country, sector=sector, matched_by="page", run_id=snapshot.run_id, release=snapshot.release,
        watched=site.settings.watch(country, sector) is not None, versions=row.versions if row else None,
    )  # fmt: skip
    indicator = row.indicator if row else empty_cell(country, sector)
    quotes = site.evidence(snapshot, country, sector, label or None, EVIDENCE_SHOWN)
    return render(
        request, "cell.html", words, told=told, indicator=indicator, labels=label_table(indicator, site.settings, words),
        cards=[evidence_card(quote, site.settings, words) for quote in quotes], label=label, settings=site.settings, snapshot=snapshot,
        caveats=[TEXTS[key][words.lang] for key in told.caveats], sector_name=words.of(site.settings.sector(sector).name),
        shown_limit=EVIDENCE_SHOWN, rules=site.settings.runtime.aggregate,
    )  # fmt: skip


def _country(value: str) -> str:
    """A real country; *unknown* has no page."""
    code = parse_country(value)
    if code == UNKNOWN_COUNTRY:
        raise UnknownCodeError("country code", value, ())
    return code


async def _page(request: Request, make: Callable[[Snapshot, Words], bytes]) -> Response:
    words = words_for(request)
    key = f"{words.lang} {request.url.path}?{request.url.query}"
    return remember_language(request, await answer(request, key, "text/html", lambda snapshot: make(snapshot, words)))

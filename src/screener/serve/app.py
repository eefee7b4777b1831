"""Puts the web part together. It listens nowhere by itself: ``screener serve`` binds it to 127.0.0.1."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import ExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from screener import __version__
from screener.serve import api, pages
from screener.serve.problems import add_handlers
from screener.serve.rendering import STATIC
from screener.serve.security import SecurityMiddleware
from screener.serve.site import Site
from screener.settings import Settings
from screener.workdir import Workdir

DESCRIPTION = """Labour-rights risk by country and sector, built from public posts.

* An answer is about a **country and a sector**, never about a person, a workplace or a supplier.
* `insufficient_evidence` is not `low`: silence can mean that workers cannot speak, or that they are not heard.
* Every figure has a 95 % interval and names the run, release and versions that made it. Cite them together.
* While `release` is null the figures are a draft that no expert group has signed off.
* Errors are problem details (RFC 9457). Replies carry an `ETag`; send it back in `If-None-Match`.
* This release has no access control and binds to 127.0.0.1 only.
"""
_TAGS = [
    {"name": "risk", "description": "Figures for buyers"},
    {"name": "evidence", "description": "Texts for experts"},
    {"name": "operation", "description": "For those who run the server"},
]


def create_app(settings: Settings, workdir: Workdir, *, hosts: Collection[str] = ()) -> FastAPI:
    """The dashboard and API on a workdir's results store, opened once while the server lives.

    Args:
        settings: The configuration the figures were made with.
        workdir: Where the results store lies, unless config or environment names another.
        hosts: Domain names under which the server may be asked for, besides addresses and one-word names.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            app.state.site = Site(settings, workdir, stack)
            yield

    app = FastAPI(
        title="Screener", version=__version__, summary="Labour-rights risk indicators per country and sector", description=DESCRIPTION,
        openapi_tags=_TAGS, docs_url=None, redoc_url=None, lifespan=lifespan,
    )  # fmt: skip
    app.add_middleware(SecurityMiddleware, hosts=hosts)
    add_handlers(app)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app

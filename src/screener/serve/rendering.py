"""Templates bound to the reader's language: one environment, autoescape always on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from screener.words.language import LANGUAGE_NAMES, LANGUAGES, Words, choose_language

HERE = Path(__file__).parent
STATIC = HERE / "static"
LANGUAGE_COOKIE = "lang"
_YEAR_SECONDS = 31_536_000


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["style_version"] = hashlib.sha256((STATIC / "screener.css").read_bytes()).hexdigest()[:10]
    environment.filters["pretty"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False)
    return environment


def words_for(request: Request) -> Words:
    """The language of this request."""
    return Words(
        choose_language(
            request.query_params.get("lang"),
            request.cookies.get(LANGUAGE_COOKIE),
            request.headers.get("accept-language"),
        )
    )


def render(request: Request, template: str, words: Words, **values: object) -> bytes:
    """A whole page."""
    page = _environment().get_template(template)
    return page.render(
        w=words, t=words.text, path=request.url.path, languages=_switch(request, words), **values
    ).encode()


def remember_language(request: Request, response: Response) -> Response:
    """Keep a language that was asked for in the address; the cookie holds nothing else."""
    wish = request.query_params.get("lang")
    if wish in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, str(wish), max_age=_YEAR_SECONDS, httponly=True, samesite="lax")
    return response


def _switch(request: Request, words: Words) -> Sequence[dict[str, object]]:
    """Links to the same page in each language."""
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return [
        {
            "code": code,
            "name": LANGUAGE_NAMES[code],
            "current": code == words.lang,
            "href": "?" + urlencode([*kept, ("lang", code)]),
        }
        for code in LANGUAGES
    ]

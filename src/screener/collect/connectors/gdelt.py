"""GDELT: headlines of news in a country, from the DOC 2.0 API. Context beside the posts, never a worker's voice.

Platform: The GDELT Project. Reference: https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/. No machine-readable contract and no
recording exists, so what errors look like is known from published test material of others: sentences with status 200.

Terms: https://www.gdeltproject.org/about.html#termsofuse: free for any use, with a citation and a link (not verified).
Headlines and addresses are the publishers'; no article is fetched.

Limits: one request in five seconds for everybody, and refusals when the service is busy, whoever asks; for more, the makers
point to their bulk files. At most 250 articles an answer and no further page: the runner cuts a full window. Only the last
three months can be asked for.

Country and language: ``sourcecountry`` is the country of the outlet, as a FIPS 10-4 code (not ISO: Vietnam is VM). The index holds
English machine translations of some 65 languages, and searching in other languages has ended
(https://blog.gdeltproject.org/updates-doc-2-0-api/): ask English phrases only; they find articles in every language.

Known gaps: no text but the headline. All words of a phrase must stand in an article, in any order; several phrases can't be
joined, for ``OR`` takes single words and exact quotations only. The time is when GDELT saw the article, by quarter hours.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import httpx

from screener.collect.connector import Connector, Endpoint, Page, Query, known_hint, read_json, require_ok
from screener.collect.connectors.gdelt_codes import country_of, fips_of, language_of
from screener.collect.json_values import word
from screener.collect.normalise import parse_time
from screener.collect.text import html_to_text
from screener.errors import NoDataError, ParseError, TerminalSourceError, TransientSourceError
from screener.records import DiscardReason, Quarantined, RawPost

KIND = "gdelt"
_CAP = 250
_SHORTEST = 3
"""Letters of a word: shorter ones are refused with the whole query ("too short, too long or too common")."""
_PAUSE_SECONDS = 6.0
_PROBLEMS = {
    DiscardReason.NOT_AN_OBJECT: "no article",
    DiscardReason.NO_ID: "no address",
    DiscardReason.NO_TEXT: "no title",
    DiscardReason.BAD_TIME: "seendate is no time",
}


def build_request(query: Query, _cursor: str | None) -> httpx.Request:
    """The newest articles of a window; there is only one page.

    Raises ``NoDataError`` for what the index can't find: another language than English, a country that it has no code for.
    """
    if query.language is not None and query.language != "en":
        raise NoDataError(f"GDELT searches English translations; a phrase in '{query.language}' finds nothing")
    wanted = [word for word in re.findall(r"[^\W_]+", query.words.lower()) if len(word) >= _SHORTEST]
    if not wanted:
        raise NoDataError(f"no word of '{query.words[:80]}' is long enough for GDELT")
    if query.country is not None:
        wanted.append(f"sourcecountry:{fips_of(query.country)}")
    asked = {
        "query": " ".join(wanted),
        "mode": "artlist",
        "format": "json",
        "sort": "datedesc",
        "maxrecords": str(_CAP),
    }
    if query.span:  # to whole seconds, outwards: the runner checks the time of every article again
        asked["startdatetime"] = _stamp(query.span.start - timedelta(seconds=1))
        asked["enddatetime"] = _stamp(query.span.end + timedelta(microseconds=999_999))
    return httpx.Request("GET", f"{query.target}/api/v2/doc/doc", params=asked)


def parse_page(response: httpx.Response, query: Query) -> Page:
    """Articles of the answer; none is an empty object. Sentences in its place are errors, see ``_refuse``."""
    require_ok(response)
    _refuse(response)
    body = read_json(_repaired(response))
    articles = body.get("articles", None if body else [])
    if not isinstance(articles, list):
        raise ParseError(str(response.request.url), "no list of articles")
    posts: list[RawPost] = []
    rejected: list[Quarantined] = []
    for place, article in enumerate(articles):
        found = _read(article)
        if isinstance(found, RawPost):
            posts.append(found)
        else:
            where = f"{query.target}#article{place}"
            rejected.append(
                Quarantined(query.source, where, found, _PROBLEMS[found], (word(article, "title") or "")[:120])
            )
    return Page(tuple(posts), tuple(rejected))


def _refuse(response: httpx.Response) -> None:
    """Raise what a sentence in place of JSON means: ``TransientSourceError`` if it asks for patience, else terminal."""
    told = response.content[:400].decode("utf-8", "replace").strip()
    if "limit requests to" in told and not told.startswith("{"):
        raise TransientSourceError(f"{response.request.url}: asks for fewer requests", retry_after=_PAUSE_SECONDS)
    if told[:1].isalpha():
        raise TerminalSourceError(f"{response.request.url}: {told.splitlines()[0][:120]}")


def _repaired(response: httpx.Response) -> httpx.Response:
    """The answer with its slips mended: titles come with bare backslashes and control characters, which JSON doesn't allow."""
    spaced = re.sub(rb"[\x00-\x1f]", b" ", response.content)
    mended = re.sub(
        rb'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\', lambda found: found[0] if found[0][1:] else rb"\\", spaced
    )
    return httpx.Response(response.status_code, content=mended, request=response.request)


def _read(article: object) -> RawPost | DiscardReason:
    if not isinstance(article, dict):
        return DiscardReason.NOT_AN_OBJECT
    address, title = (word(article, "url") or ""), html_to_text(word(article, "title") or "")
    if not address or not title:
        return DiscardReason.NO_TEXT if address else DiscardReason.NO_ID
    try:
        created_at = parse_time(word(article, "seendate") or "")
    except (ValueError, OverflowError):
        return DiscardReason.BAD_TIME
    return RawPost(
        native_id=address,
        text=title,
        created_at=created_at,
        author=word(article, "domain"),
        url=address,
        country=country_of(word(article, "sourcecountry") or ""),
        language_hint=known_hint(language_of(word(article, "language") or "")),
    )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


CONNECTOR = Connector(
    kind=KIND,
    endpoints={"search": Endpoint("words", _CAP, is_windowed=True, cap=_CAP, max_characters=200)},
    born=date(2017, 1, 1),
    build_request=build_request,
    parse_page=parse_page,
)

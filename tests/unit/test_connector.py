"""What all connectors share: what a status means, JSON that is none, language tags of sources, and the name of a question."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.codes import is_language
from screener.collect.connector import Query, Token, known_hint, read_json, require_ok
from screener.errors import NoDataError, ParseError, RefusedError, SourceError, TerminalSourceError
from screener.records import GapReason, Span

URL = "https://union.example/api/search?q=wages"
QUERY = Query("forum", "search", "https://union.example", "TH", "poultry", "th", "ค่าจ้าง")
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def answer(body: bytes | object = b"", status: int = 200) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, request=httpx.Request("GET", URL))


@pytest.mark.parametrize("status", [200, 204, 304])
def test_good_status_passes(status: int) -> None:
    require_ok(answer(status=status))


@pytest.mark.parametrize(
    ("status", "kind", "gap"),
    [
        (400, TerminalSourceError, GapReason.ERROR),
        (401, RefusedError, GapReason.REFUSED),
        (403, RefusedError, GapReason.REFUSED),
        (404, NoDataError, GapReason.NO_DATA),
        (407, RefusedError, GapReason.REFUSED),
        (410, NoDataError, GapReason.NO_DATA),
        (422, TerminalSourceError, GapReason.ERROR),
        (451, RefusedError, GapReason.REFUSED),
    ],
)
def test_error_status_is_raised_as_what_it_means(status: int, kind: type[SourceError], gap: GapReason) -> None:
    with pytest.raises(SourceError) as caught:
        require_ok(answer(status=status))
    assert (type(caught.value), caught.value.gap) == (kind, gap)
    assert str(caught.value) == f"{URL}: HTTP {status}"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"message": "no such tag"}, " (no such tag)"),
        ({"error": "gone"}, " (gone)"),
        ({"error_description": "token has expired", "error": "invalid"}, " (token has expired)"),
        ({"message": "x" * 1000}, f" ({'x' * 120})"),
        ({"error": {"code": 403}}, ""),
        ({"message": ""}, ""),
        (["error"], ""),
        (b"<html>403</html>", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_error_says_what_the_source_says_if_it_says_it_in_json(body: object, told: str) -> None:
    with pytest.raises(RefusedError) as caught:
        require_ok(answer(body, status=403))
    assert str(caught.value) == f"{URL}: HTTP 403{told}"


@given(ANY_JSON)
def test_any_json_of_an_error_is_an_error(body: object) -> None:
    with pytest.raises(TerminalSourceError):
        require_ok(answer(body, status=400))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"<!DOCTYPE html><html>", "answered with an HTML page"),
        (b" \n<HTML lang='en'>", "answered with an HTML page"),
        (b'{"posts": [', "answered with no JSON"),
        (b"", "answered with no JSON"),
        (b"\xff\xfe\x00", "answered with no JSON"),
        (b"[" * 100_000, "answered with no JSON"),
        (b"9" * 10_000, "answered with no JSON"),
        (b"[]", "a JSON dict is needed, got list"),
        (b"null", "a JSON dict is needed, got NoneType"),
    ],
)
def test_what_is_no_json_of_the_right_kind_is_a_parse_error_with_its_place(body: bytes, problem: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_json(answer(body))
    assert caught.value.where == URL
    assert caught.value.problem.startswith(problem)


def test_json_is_read_as_it_is() -> None:
    assert read_json(answer(b'\xef\xbb\xbf{"text": "\xe0\xb8\x84"}')) == {"text": "ค"}
    assert read_json(answer(b"[1]"), list) == [1]
    with pytest.raises(ParseError, match="a JSON list is needed, got dict"):
        read_json(answer(b"{}"), list)


@given(st.binary(max_size=40))
def test_any_bytes_are_json_or_a_parse_error(body: bytes) -> None:
    with contextlib.suppress(ParseError):
        assert isinstance(read_json(answer(body)), dict)


@pytest.mark.parametrize(
    ("tag", "hint"),
    [("th", "th"), ("en-US", "en"), ("zh_CN", "zh"), ("hi-latn", "hi-Latn"), ("TL", "tl"), (" my ", "my")],
)
def test_language_tag_of_a_source_is_a_hint(tag: str, hint: str) -> None:
    assert known_hint(tag) == hint


@pytest.mark.parametrize(
    "tag", [None, "", "klingon", "other", "und", "mul", "zxx", "mis", "UND", 7, ["th"], {"code": "th"}, True]
)
def test_tag_that_is_no_language_is_no_hint(tag: object) -> None:
    assert known_hint(tag) is None


@given(st.text(st.characters(exclude_categories=()), max_size=20) | ANY_JSON)
def test_any_tag_is_a_language_or_no_hint(tag: object) -> None:
    assert (hint := known_hint(tag)) is None or is_language(hint)


def test_question_keeps_its_name_whatever_stretch_it_is_asked_for() -> None:
    moment = datetime(2026, 2, 3, tzinfo=UTC)
    assert replace(QUERY, span=Span(moment, moment)).key == QUERY.key
    assert QUERY.key == "67de461cb8509302e923ec1ad02aab92", "windows and cursors of earlier versions are kept under it"


@pytest.mark.parametrize("field", ["source", "endpoint", "target", "country", "sector", "language", "words"])
def test_another_question_has_another_name(field: str) -> None:
    assert replace(QUERY, **{field: "other"}).key != QUERY.key


def test_question_without_country_is_not_that_of_an_empty_one() -> None:
    assert replace(QUERY, country=None).key != replace(QUERY, country="").key
    assert (QUERY.watch, replace(QUERY, country=None, sector=None).watch) == ("TH/poultry", "*/*")


def test_token_is_not_shown() -> None:
    assert "very-secret" not in repr(Token("very-secret", 60.0))

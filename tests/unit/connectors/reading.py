"""Recorded (invented) pages and what a connector must read out of them.

A page ``NAME.json`` or ``NAME.xml`` in ``tests/sources/KIND/`` has its golden ``NAME.expected.json`` beside it; in it, what is
unknown or empty is left out. Goldens are rewritten only by ``SCREENER_TEST_WRITE_GOLDENS=1 pytest tests/unit/connectors``.

    def test_page_is_read_as_its_golden_says() -> None:
        check_golden(CONNECTOR, PAGES / "search.json", QUERY)
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from screener.collect.connector import Connector, Page, Query

SOURCES = Path(__file__).resolve().parents[2] / "sources"
"""Folder of the recorded pages, one folder per kind."""


def answer(
    request: httpx.Request, body: bytes | str | list[Any] | dict[str, Any], *, status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:  # fmt: skip
    """An answer to a connector's own request, as the client hands it over: read, unpacked. Lists and dicts become JSON."""
    content = json.dumps(body, ensure_ascii=False) if isinstance(body, list | dict) else body
    return httpx.Response(status, headers=headers, content=content, request=request)


def read(
    connector: Connector, query: Query, body: bytes | str | list[Any] | dict[str, Any], *, cursor: str | None = None,
    status: int = 200, headers: Mapping[str, str] | None = None,
) -> Page:  # fmt: skip
    """The page that the connector makes of this answer to its request for the query."""
    request = connector.build_request(query, cursor)
    return connector.parse_page(answer(request, body, status=status, headers=headers), query)


def check_golden(
    connector: Connector, recorded: Path, query: Query, *, cursor: str | None = None, headers: Mapping[str, str] | None = None
) -> Page:  # fmt: skip
    """Read the recorded page and compare all of it with its golden; returns the page for further questions."""
    page = read(connector, query, recorded.read_bytes(), cursor=cursor, headers=headers)
    check_against(page, recorded.with_name(f"{recorded.stem}.expected.json"))
    return page


def check_against(page: Page, golden: Path) -> None:
    """Compare a page with a golden, whatever way it was read (a refresh, a stream)."""
    found = json.loads(json.dumps(_known(asdict(page)), default=datetime.isoformat, ensure_ascii=False))
    if os.environ.get("SCREENER_TEST_WRITE_GOLDENS") == "1":
        golden.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(golden.read_text(encoding="utf-8"))


def _known(value: Any) -> Any:
    """The value without fields that say nothing, so that a golden shows what a page is about."""
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items() if item not in (None, (), "", False)}
    return [_known(item) for item in value] if isinstance(value, tuple | list) else value

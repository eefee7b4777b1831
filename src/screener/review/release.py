"""Pure: a signed-off run becomes an immutable release: its exact JSON and the checksum of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from screener.errors import ReviewError
from screener.records import Indicator, Versions


def release_content(run_id: str, indicators: Sequence[tuple[Indicator, Versions]]) -> str:
    """Canonical JSON of all indicators of a run: same figures, same bytes."""
    rows = [{**asdict(indicator), "versions": asdict(versions)} for indicator, versions in indicators]
    return json.dumps(
        {"run_id": run_id, "indicators": rows}, sort_keys=True, ensure_ascii=False, indent=1, default=_plain
    )


def content_sha256(content: str) -> str:
    """Checksum that a statement can cite."""
    return hashlib.sha256(content.encode()).hexdigest()


def check_release(
    indicators: Sequence[Indicator], *, signed_by: str, n_audit_decisions: int, min_audit_decisions: int
) -> None:
    """Raise ``ReviewError`` unless the run may be released: it has figures, a signer, and a judged random sample."""
    if not indicators:
        raise ReviewError("the run has no indicators; run `screener run` first")
    if not signed_by.strip():
        raise ReviewError("a release needs the name of who signs it (--signed-by)")
    if n_audit_decisions < min_audit_decisions:
        raise ReviewError(
            f"{n_audit_decisions} audit items are judged, {min_audit_decisions} are needed (review.min_audit_decisions); "
            "go on with `screener review next`"
        )


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a release")

"""Pure: decisions as lines of a file, in the guide's record format, so that training reads them as they are."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from screener.errors import ParseError
from screener.records import Decision, ReviewItem, Voice


def decision_line(item: ReviewItem, decision: Decision) -> dict[str, Any]:
    """A labelled post: what the guide's record format asks for, and who decided on which sample."""
    return {
        "id": item.item_id, "text": item.text, "lang": item.language, "source": f"review-{item.stratum}",
        "relevant": decision.relevant, "voice": str(decision.voice), "signals": list(decision.signals), "positive": decision.positive,
        "reviewer": decision.reviewer, "stratum": item.stratum, "unsure": decision.unsure, "note": decision.note,
        "decided_at": decision.decided_at.isoformat(), "model_version": item.model_version, "taxonomy_version": item.taxonomy_version,
    }  # fmt: skip


def parse_decision(line: str, where: str) -> Decision:
    """The decision of a line; raises ``ParseError`` with the key that is missing or wrong."""
    try:
        row = json.loads(line)
        return Decision(
            item_id=str(row["id"]), reviewer=str(row["reviewer"]), relevant=bool(row["relevant"]), voice=Voice(row["voice"]),
            signals=tuple(row["signals"]), positive=bool(row["positive"]), decided_at=datetime.fromisoformat(row["decided_at"]),
            note=row.get("note"), unsure=bool(row.get("unsure", False)),
        )  # fmt: skip
    except KeyError as error:
        raise ParseError(
            where, f"key {error} is missing; needed: id, reviewer, relevant, voice, signals, positive, decided_at"
        ) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ParseError(where, str(error)) from error

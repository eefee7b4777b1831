"""What the stages after collect keep in the lake: schemas, and rows to records and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from screener.records import Attribution, Classification, Evidence, LanguageGuess, Voice

LANGUAGES = pa.schema(
    [
        ("post_id", pa.string()),
        ("language", pa.string()),
        ("confidence", pa.float32()),
        ("method", pa.string()),
        ("mixed_with", pa.string()),
    ]
)

_SPAN = pa.struct([("label", pa.string()), ("start", pa.int32()), ("end", pa.int32()), ("found_by", pa.string())])
_SIGNAL = pa.struct([("label", pa.string()), ("probability", pa.float32())])
SIGNALS = pa.schema(
    [
        ("post_id", pa.string()),
        ("relevant", pa.bool_()),
        ("relevance", pa.float32()),
        ("voice", pa.string()),
        ("positive", pa.bool_()),
        ("signals", pa.list_(_SIGNAL)),
        ("flagged", pa.list_(pa.string())),
        ("evidence", pa.list_(_SPAN)),
        ("gated", pa.bool_()),
        ("supported", pa.bool_()),
    ]
)

CELLS = pa.schema(
    [
        ("post_id", pa.string()),
        ("cell_country", pa.string()),  # not "country": that column comes from the partition
        ("cell_sector", pa.string()),
        ("basis", pa.string()),
        ("confidence", pa.float32()),
    ]
)


def languages_table(ids: Sequence[str], guesses: Sequence[LanguageGuess]) -> pa.Table:
    """Language guesses of one part."""
    rows = [{"post_id": i, **asdict(guess)} for i, guess in zip(ids, guesses, strict=True)]
    return pa.Table.from_pylist(rows, schema=LANGUAGES)


def signals_table(ids: Sequence[str], answers: Sequence[Classification]) -> pa.Table:
    """Classifications of one part. Scores of gated posts are not stored: they are all zero."""
    return pa.Table.from_pylist(
        [_signals_row(i, answer) for i, answer in zip(ids, answers, strict=True)], schema=SIGNALS
    )


def _signals_row(post_id: str, answer: Classification) -> dict[str, Any]:
    return {
        "post_id": post_id, "relevant": answer.relevant, "relevance": answer.relevance, "voice": str(answer.voice), "positive": answer.positive,
        "signals": [] if answer.gated else [{"label": label, "probability": p} for label, p in answer.signals],
        "flagged": list(answer.flagged), "evidence": [asdict(span) for span in answer.evidence], "gated": answer.gated,
        "supported": answer.supported,
    }  # fmt: skip


def classification(row: dict[str, Any]) -> Classification:
    """The record behind a row of ``signals``."""
    return Classification(
        relevant=row["relevant"], relevance=round(row["relevance"], 4), voice=Voice(row["voice"]), positive=row["positive"],
        signals=tuple((signal["label"], round(signal["probability"], 4)) for signal in row["signals"]),
        flagged=tuple(row["flagged"]), evidence=tuple(Evidence(**span) for span in row["evidence"]), gated=row["gated"],
        supported=row["supported"],
    )  # fmt: skip


def cells_table(rows: Sequence[tuple[str, Attribution]]) -> pa.Table:
    """Attributions of one part; a post may have several, or none."""
    values = [
        {"post_id": i, "cell_country": c.country, "cell_sector": c.sector, "basis": c.basis, "confidence": c.confidence}
        for i, c in rows
    ]
    return pa.Table.from_pylist(values, schema=CELLS)

"""Review items, decisions and releases in the results store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from screener.errors import ReviewError
from screener.records import Classification, Decision, Evidence, ReviewItem, Voice
from screener.store.tables import releases, review_decisions, review_items


@dataclass(frozen=True, slots=True)
class Release:
    """An immutable, signed-off set of indicators; ``content`` is its exact JSON, ``content_sha256`` its checksum."""

    release_id: str
    run_id: str
    signed_by: str
    released_at: datetime
    content_sha256: str
    content: str
    note: str | None = None


def add_items(connection: Connection, run_id: str, items: Iterable[ReviewItem], *, now: datetime) -> int:
    """Queue items that are not there yet; an item's id changes with text, model or taxonomy, so those come again.

    An active item that the random draw hits later joins the audit, else the audit would lack the uncertain posts.
    """
    rows = [_item_row(run_id, item, now) for item in items]
    known = set(
        connection.execute(
            select(review_items.c.item_id).where(review_items.c.item_id.in_([r["item_id"] for r in rows]))
        ).scalars()
    )
    fresh = [row for row in rows if row["item_id"] not in known]
    if fresh:
        connection.execute(insert(review_items), fresh)
    drawn = [row["item_id"] for row in rows if row["stratum"] == "audit"]
    connection.execute(update(review_items).where(review_items.c.item_id.in_(drawn)).values(stratum="audit"))
    return len(fresh)


def next_item(
    connection: Connection,
    reviewer: str,
    *,
    languages: Sequence[str] = (),
    country: str | None = None,
    stratum: str | None = None,
) -> ReviewItem | None:
    """The oldest item that this reviewer has not judged, in the given languages; audit items come first."""
    done = select(review_decisions.c.item_id).where(review_decisions.c.reviewer == reviewer)
    query = select(review_items).where(review_items.c.item_id.not_in(done), review_items.c.text != "")
    if languages:
        query = query.where(review_items.c.language.in_(languages))
    if country:
        query = query.where(review_items.c.country == country)
    if stratum:
        query = query.where(review_items.c.stratum == stratum)
    query = query.order_by(review_items.c.stratum.desc(), review_items.c.added_at, review_items.c.item_id).limit(1)
    row = connection.execute(query).mappings().first()
    return _item(dict(row)) if row else None


def get_item(connection: Connection, item_id: str) -> ReviewItem:
    """The item of this id; raises ``ReviewError``."""
    row = connection.execute(select(review_items).where(review_items.c.item_id == item_id)).mappings().first()
    if not row:
        raise ReviewError(f"no review item '{item_id}'; `screener review next` shows one, with its id")
    return _item(dict(row))


def list_items(connection: Connection) -> list[ReviewItem]:
    """The whole queue, in a stable order."""
    query = select(review_items).order_by(review_items.c.item_id)
    return [_item(dict(row)) for row in connection.execute(query).mappings()]


def save_decision(connection: Connection, decision: Decision) -> None:
    """Keep a decision; the same reviewer's earlier one on the item is replaced."""
    get_item(connection, decision.item_id)
    same = (review_decisions.c.item_id == decision.item_id) & (review_decisions.c.reviewer == decision.reviewer)
    connection.execute(delete(review_decisions).where(same))
    connection.execute(insert(review_decisions).values(_decision_row(decision)))


def list_decisions(connection: Connection) -> list[tuple[ReviewItem, Decision]]:
    """All decisions with their items, in the order they were made."""
    items = {item.item_id: item for item in list_items(connection)}
    query = select(review_decisions).order_by(review_decisions.c.decided_at, review_decisions.c.decision_id)
    decisions = (_decision(dict(row)) for row in connection.execute(query).mappings())
    return [(items[decision.item_id], decision) for decision in decisions]


def queue_counts(connection: Connection) -> dict[str, int]:
    """Items and decisions, by stratum."""
    totals = connection.execute(select(review_items.c.stratum, func.count()).group_by(review_items.c.stratum))
    counts = {f"{stratum}_items": count for stratum, count in totals}
    return counts | {"decisions": connection.execute(select(func.count()).select_from(review_decisions)).scalar_one()}


def add_release(connection: Connection, release: Release) -> None:
    """Keep a release for good; a run is released once."""
    if connection.execute(select(releases.c.release_id).where(releases.c.run_id == release.run_id)).first():
        raise ReviewError(f"run {release.run_id} is already released")
    connection.execute(insert(releases).values(asdict(release)))


@dataclass(frozen=True, slots=True)
class Signed:
    """A release without its content: what an answer cites."""

    release_id: str
    run_id: str
    signed_by: str
    released_at: datetime
    content_sha256: str


def latest_release(connection: Connection) -> Signed | None:
    """The newest release."""
    columns = (releases.c[name] for name in Signed.__dataclass_fields__)
    query = select(*columns).order_by(releases.c.released_at.desc(), releases.c.release_id.desc())
    row = connection.execute(query).mappings().first()
    return Signed(**dict(row) | {"released_at": _utc(row["released_at"])}) if row else None


def list_releases(connection: Connection) -> list[Release]:
    """All releases, newest first."""
    rows = connection.execute(select(releases).order_by(releases.c.released_at.desc())).mappings()
    return [_release(dict(row)) for row in rows]


def _item_row(run_id: str, item: ReviewItem, now: datetime) -> dict[str, Any]:
    row = asdict(item) | {"run_id": run_id, "added_at": now, "is_invented": item.invented}
    row.pop("invented")
    return row


def _item(row: dict[str, Any]) -> ReviewItem:
    for column in ("run_id", "added_at"):
        row.pop(column)
    return ReviewItem(invented=row.pop("is_invented"), proposed=_classification(row.pop("proposed")), **row)


def _classification(values: dict[str, Any]) -> Classification:
    return Classification(
        **values
        | {
            "voice": Voice(values["voice"]),
            "signals": tuple((label, score) for label, score in values["signals"]),
            "flagged": tuple(values["flagged"]),
            "evidence": tuple(Evidence(**span) for span in values["evidence"]),
        }
    )


def _decision_row(decision: Decision) -> dict[str, Any]:
    return {
        "item_id": decision.item_id, "reviewer": decision.reviewer, "is_relevant": decision.relevant, "voice": str(decision.voice),
        "signals": list(decision.signals), "is_positive": decision.positive, "is_unsure": decision.unsure,
        "note": decision.note, "decided_at": decision.decided_at,
    }  # fmt: skip


def _decision(row: dict[str, Any]) -> Decision:
    return Decision(
        item_id=row["item_id"], reviewer=row["reviewer"], relevant=row["is_relevant"], voice=Voice(row["voice"]),
        signals=tuple(row["signals"]), positive=row["is_positive"], unsure=row["is_unsure"], note=row["note"],
        decided_at=_utc(row["decided_at"]),
    )  # fmt: skip


def _release(row: dict[str, Any]) -> Release:
    return Release(**row | {"released_at": _utc(row["released_at"])})


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value

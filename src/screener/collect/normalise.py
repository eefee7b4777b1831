"""Pure: a raw record becomes a post, or a quarantine entry with a reason. Here authors become pseudonyms."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from screener.codes import parse_country, parse_language
from screener.errors import UnknownCodeError
from screener.records import DiscardReason, Post, Quarantined, RawPost

_CLOCK_SKEW = timedelta(days=1)
"""Sources and we disagree about time zones and clocks; a post from further ahead has a wrong date."""
_FIRST_YEAR = 1990
"""The web had no posts before; feeds write year 1 or 1970 for a date that they do not know."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_EXCERPT = 120


@dataclass(frozen=True, slots=True)
class Intake:
    """What normalisation needs to know of the run and the source."""

    source: str
    run_id: str
    collected_at: datetime
    key: bytes
    sectors: Collection[str]
    max_text_characters: int
    country: str | None = None
    sector: str | None = None
    invented: bool = False


def clean_text(text: str) -> str:
    """NFC, without control characters and lone surrogates: every later offset counts in this text."""
    repaired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFC", _CONTROL.sub("", repaired)).strip()


def pseudonym(key: bytes, source: str, author: str) -> str:
    """Keyed pseudonym of an author within a source (HMAC-SHA-256, RFC 2104), 32 hex digits.

    Keyed, because a bare hash of a public handle is undone by hashing all public handles.
    """
    return hmac.new(key, f"{source}\0{author}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def post_id(source: str, native_id: str) -> str:
    """Stable id of a post: a hash of source and native id, 32 hex digits."""
    return hashlib.sha256(f"{source}\0{native_id}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def to_post(raw: RawPost, intake: Intake, *, where: str) -> Post | Quarantined:
    """The post for the lake; codes are checked strictly, an unknown one never falls to a default."""

    def reject(reason: DiscardReason, detail: str) -> Quarantined:
        return Quarantined(intake.source, where, reason, detail, raw.text[:_EXCERPT])

    text = clean_text(raw.text)
    if not text:
        return reject(DiscardReason.NO_TEXT, "text is empty")
    if len(text) > intake.max_text_characters:
        return reject(DiscardReason.TOO_LONG, f"{len(text)} characters, at most {intake.max_text_characters}")
    if raw.created_at and raw.created_at > intake.collected_at + _CLOCK_SKEW:
        return reject(
            DiscardReason.FUTURE_TIME, f"created_at {raw.created_at.isoformat()} lies ahead of the collection"
        )
    if raw.created_at and raw.created_at.year < _FIRST_YEAR:
        return reject(DiscardReason.BAD_TIME, f"created_at {raw.created_at.isoformat()} is before there were posts")
    try:
        country = parse_country(raw.country) if raw.country else intake.country
    except UnknownCodeError as error:
        return reject(DiscardReason.UNKNOWN_COUNTRY, str(error))
    sector = raw.sector or intake.sector
    if sector is not None and sector not in intake.sectors:
        return reject(DiscardReason.UNKNOWN_SECTOR, str(UnknownCodeError("sector", sector, intake.sectors)))
    try:
        hint = parse_language(raw.language_hint) if raw.language_hint else None
    except UnknownCodeError as error:
        return reject(DiscardReason.UNKNOWN_LANGUAGE, str(error))
    return Post(
        post_id=post_id(intake.source, raw.native_id),
        source=intake.source,
        text=text,
        collected_at=intake.collected_at,
        run_id=intake.run_id,
        created_at=raw.created_at,
        author=pseudonym(intake.key, intake.source, raw.author) if raw.author else None,
        country=country,
        sector=sector,
        language_hint=hint,
        invented=intake.invented,
    )


def parse_time(value: str | int | float) -> datetime:
    """UTC time from ISO 8601 (date or date-time; without zone it is taken as UTC) or epoch seconds or milliseconds.

    Raises ``ValueError`` for anything else, and for years before 1990: the web had no posts then, so it is a mistake.
    """
    if isinstance(value, str) and not re.fullmatch(r"-?\d{9,13}(\.\d+)?", value.strip()):
        moment = datetime.fromisoformat(value.strip())
    else:
        seconds = float(value)
        moment = datetime.fromtimestamp(seconds / 1000 if abs(seconds) > 1e11 else seconds, UTC)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if moment.year < _FIRST_YEAR:
        raise ValueError(f"{moment.date().isoformat()} is before there were posts")
    return moment


def slug(value: str) -> str:
    """A source name that is safe as a folder: at most 60 lower case letters, digits, hyphens.

    A name without Latin letters becomes a hash of itself, so that two of them stay two sources.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", value.lower())[:60].strip("-")
    return plain or f"source-{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:8]}"

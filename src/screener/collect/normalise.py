"""Pure: a raw record becomes a post, or a quarantine entry with a reason. Here authors become pseudonyms."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from screener.codes import parse_country, parse_language
from screener.collect.keyed import post_id, pseudonym, seal
from screener.errors import UnknownCodeError
from screener.records import DiscardReason, Post, Quarantined, RawPost

_CLOCK_SKEW = timedelta(days=1)
"""Sources and we disagree about time zones and clocks; a post from further ahead has a wrong date."""
_FIRST_YEAR = 1990
"""The web had no posts before; feeds write year 1 or 1970 for a date that they do not know."""
WEB_BORN = date(_FIRST_YEAR, 1, 1)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_EXCERPT = 120


@dataclass(frozen=True, slots=True)
class Intake:
    """What normalisation needs to know of the run, the source, and the query that found the posts.

    ``born``: the platform had no posts before this day. ``seals_ids``: the source can be asked again whether a post stands.
    """

    source: str
    run_id: str
    collected_at: datetime
    key: bytes
    sectors: Collection[str]
    max_text_characters: int
    country: str | None = None
    sector: str | None = None
    invented: bool = False
    born: date = WEB_BORN
    is_news: bool = False
    asked_in: str | None = None
    seals_ids: bool = False


def clean_text(text: str) -> str:
    """NFC, without control characters and lone surrogates: every later offset counts in this text."""
    repaired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFC", _CONTROL.sub("", repaired)).strip()


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
    if raw.created_at and raw.created_at.date() < intake.born:
        told = f"created_at {raw.created_at.isoformat()} is before there were posts here ({intake.born})"
        return reject(DiscardReason.BAD_TIME, told)
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
        reply_to_id=post_id(intake.source, raw.reply_to) if raw.reply_to else None,
        thread_id=post_id(intake.source, raw.thread) if raw.thread else None,
        quoted_id=post_id(intake.source, raw.quoted) if raw.quoted else None,
        edited_at=raw.edited_at,
        sealed_id=seal(intake.key, raw.native_id) if intake.seals_ids else None,
        is_news=intake.is_news,
        asked_in=intake.asked_in,
    )


def parse_time(value: str | int | float) -> datetime:
    """UTC time from ISO 8601 (date or date-time; without zone it is taken as UTC) or epoch seconds or milliseconds.

    Raises ``ValueError`` for anything else, for what no calendar holds, and for years before 1990: the web had no posts then.
    """
    try:
        moment = _moment(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{value} is no moment in UTC") from error
    if moment.year < _FIRST_YEAR:
        raise ValueError(f"{moment.date().isoformat()} is before there were posts")
    return moment


def _moment(value: str | int | float) -> datetime:
    if isinstance(value, str) and not re.fullmatch(r"-?\d{9,13}(\.\d+)?", value.strip()):
        return datetime.fromisoformat(value.strip())
    seconds = float(value)
    return datetime.fromtimestamp(seconds / 1000 if abs(seconds) > 1e11 else seconds, UTC)


def slug(value: str) -> str:
    """A source name that is safe as a folder: at most 60 lower case letters, digits, hyphens.

    A name without Latin letters becomes a hash of itself, so that two of them stay two sources.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", value.lower())[:60].strip("-")
    return plain or f"source-{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:8]}"

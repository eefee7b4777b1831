"""Frozen records that pass between stages; no dict does. ``None`` means unknown, an empty string never does.

All times are timezone-aware UTC. All text positions are offsets in characters (code points), half-open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

UNKNOWN_COUNTRY = "ZZ"
"""User-assigned ISO 3166-1 code that stands for *country unknown* in partitions and cells (CLDR uses it so)."""
UNSPECIFIED_SECTOR = "unspecified"
"""Stands for *no sector could be attributed*; never a risk figure for buyers."""
UNDETERMINED = "und"
"""ISO 639-2 code for a language that could not be told."""
UNDATED = "undated"
"""Day partition of posts whose source gave no time."""


class Voice(StrEnum):
    """Who speaks in a post (annotation guide, question 2)."""

    TESTIMONY = "testimony"
    REPORT = "report"
    OPINION = "opinion"
    ADVERT = "advert"
    NONE = "none"


class DiscardReason(StrEnum):
    """Why a record went to quarantine; a closed list, counted in every run report."""

    NOT_JSON = "not-json"
    NOT_AN_OBJECT = "not-an-object"
    NOT_UTF8 = "not-utf8"
    TOO_LONG = "too-long"
    NO_TEXT = "no-text"
    NO_ID = "no-id"
    BAD_TIME = "bad-time"
    FUTURE_TIME = "future-time"
    UNKNOWN_COUNTRY = "unknown-country"
    UNKNOWN_SECTOR = "unknown-sector"
    UNKNOWN_LANGUAGE = "unknown-language"
    BAD_ROW = "bad-row"


@dataclass(frozen=True, slots=True)
class Watch:
    """One country x sector under observation, with the words that find its workers."""

    country: str
    sector: str
    languages: tuple[str, ...]
    migrant_languages: tuple[str, ...]
    queries: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def key(self) -> str:
        """Readable key, e.g. ``TH/poultry``."""
        return f"{self.country}/{self.sector}"

    @property
    def expected_languages(self) -> tuple[str, ...]:
        """Local languages first, then those of migrant workers."""
        return self.languages + self.migrant_languages


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open span of days ``[start, end)`` in UTC; ``None`` on either side is open."""

    start: date | None = None
    end: date | None = None

    def contains(self, moment: datetime | None) -> bool:
        """True if the moment lies inside; an undated post lies inside every window."""
        if moment is None:
            return True
        day = moment.date()
        return (self.start is None or day >= self.start) and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class RawPost:
    """A post as a connector read it, before pseudonymisation; it never leaves ``collect``."""

    native_id: str
    text: str
    created_at: datetime | None = None
    author: str | None = None
    url: str | None = None
    country: str | None = None
    sector: str | None = None
    language_hint: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A public message in the lake. ``author`` is a keyed pseudonym; ``post_id`` a hash of source and native id."""

    post_id: str
    source: str
    text: str
    collected_at: datetime
    run_id: str
    created_at: datetime | None = None
    author: str | None = None
    country: str | None = None
    sector: str | None = None
    language_hint: str | None = None
    invented: bool = False

    @property
    def partition(self) -> Partition:
        """Where the post lies in the lake."""
        day = self.created_at.date().isoformat() if self.created_at else UNDATED
        return Partition(self.source, self.country or UNKNOWN_COUNTRY, self.sector or UNSPECIFIED_SECTOR, day)


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """Key of one lake folder: source / country / sector / day."""

    source: str
    country: str
    sector: str
    day: str

    @property
    def path(self) -> str:
        """Hive-style relative folder, so that DuckDB and Polars can prune by it."""
        return f"source={self.source}/country={self.country}/sector={self.sector}/day={self.day}"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that can't be judged: where it stood, why, and the start of its raw form."""

    source: str
    where: str
    reason: DiscardReason
    detail: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that a source should have answered for and did not."""

    source: str
    watch: str
    window: Window
    reason: str


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """Language of one text. ``method`` names the step that decided; ``language`` may be ``und``.

    ``confidence`` is the probability 0..1 that the language is right; ``mixed_with`` is the second language of a mixed
    post, ``None`` for a plain one.
    """

    language: str
    confidence: float
    method: str
    mixed_with: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The span ``text[start:end]`` that speaks for a label, and what found it (``lexicon`` or ``model``)."""

    label: str
    start: int
    end: int
    found_by: str


@dataclass(frozen=True, slots=True)
class Scores:
    """What the model thinks of one post, before any threshold. Probabilities in 0..1."""

    relevance: float
    voice: Voice
    positive: float
    signals: tuple[tuple[str, float], ...]
    gated: bool
    """True if the cheap gate dropped the post, so the encoder never saw it."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What was decided about one post: the scores, the thresholds applied, the evidence."""

    relevant: bool
    relevance: float
    voice: Voice
    positive: bool
    signals: tuple[tuple[str, float], ...]
    flagged: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    gated: bool = False
    supported: bool = True
    """False in a language that the model did not learn: it answers all the same, but what speaks for a label counts half."""


@dataclass(frozen=True, slots=True)
class ScreenedPost:
    """A relevant post with everything the later stages need, joined from the lake."""

    post: Post
    language: str
    classification: Classification


@dataclass(frozen=True, slots=True)
class Attribution:
    """Which cell a post speaks of. ``basis`` is ``watch`` (the query that found it), ``terms`` (the text names the sector)
    or ``country`` (only the country is known); abstaining yields no record.
    """

    country: str
    sector: str
    basis: str
    confidence: float


@dataclass(frozen=True, slots=True)
class LabelShare:
    """One label in one cell: distinct voices, share of relevant voices, 95 % interval.

    ``n_voices`` and the share are ``None`` when suppressed (too few voices to show without pointing at people).
    """

    label: str
    n_voices: int | None
    share: float | None
    share_low: float | None
    share_high: float | None
    suppressed: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what workers say could have reached us in a cell. ``level``: none, thin, partial, good."""

    level: str
    n_sources: int
    n_weeks_with_posts: int
    n_weeks: int
    languages_seen: tuple[str, ...]
    languages_missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indicator:
    """The figures of one cell (country x sector x period). Index 0..100.

    ``n_relevant_posts``, ``n_voices`` and the index are ``None`` where the cell is suppressed: a small count is
    itself something that could point at people.
    """

    country: str
    sector: str
    period_start: date | None
    period_end: date | None
    n_posts: int
    n_relevant_posts: int | None
    n_voices: int | None
    n_undated: int
    index: float | None
    index_low: float | None
    index_high: float | None
    band: str
    band_probability: float | None
    labels: tuple[LabelShare, ...]
    coverage: Coverage
    suppression: str | None = None
    """Why the index is withheld; ``None`` where it is shown."""
    n_positive_voices: int | None = None
    n_adverts: int | None = None
    invented: bool = False
    """True if any of the posts behind the figures is a demonstration post."""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A post waiting for an expert's decision. ``stratum``: ``audit`` (random) or ``active`` (chosen for learning)."""

    item_id: str
    post_id: str
    country: str
    sector: str
    language: str
    text: str
    stratum: str
    proposed: Classification
    model_version: str
    taxonomy_version: str
    text_sha256: str
    invented: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """An expert's answer to the guide's four questions about one review item."""

    item_id: str
    reviewer: str
    relevant: bool
    voice: Voice
    signals: tuple[str, ...]
    positive: bool
    decided_at: datetime
    note: str | None = None
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Versions:
    """What made a figure: walk any indicator back to its methodology, model, taxonomy and config."""

    methodology: str
    model: str
    taxonomy: str
    config_sha256: str
    code: str


@dataclass(frozen=True, slots=True)
class StageReport:
    """What a stage did, for the run report: counts by name, and reasons of what was set aside."""

    stage: str
    counts: tuple[tuple[str, int], ...] = ()
    discards: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = field(default=())

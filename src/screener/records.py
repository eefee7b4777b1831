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


class GapReason(StrEnum):
    """Why a source gave nothing for a stretch; a closed list. Silence always has one of them, never a zero."""

    NO_DATA = "no-data"
    """It answered, and had nothing; or it has no such thing (an unknown hashtag, a feed that is gone)."""
    REFUSED = "refused"
    """It doesn't let us: no or wrong credentials, a closed timeline, robots or terms."""
    ERROR = "error"
    """It should have answered and could not, or answered with something else."""
    BUDGET = "budget"
    """Our own limit, or its quota, was spent before it was this query's turn."""
    PAUSED = "paused"
    """Not asked on purpose: switched off, or its circuit breaker is open after repeated failures."""


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


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open stretch of time ``[start, end)`` in UTC, to the source's precision."""

    start: datetime
    end: datetime

    def contains(self, moment: datetime | None) -> bool:
        """True if the moment lies inside; an undated post lies inside every span."""
        return moment is None or self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class RawPost:
    """A post as a connector read it, before pseudonymisation; it never leaves ``collect``.

    ``reply_to``, ``thread`` (the post that began it) and ``quoted`` are native ids of the same source. ``edited_at`` is when
    the text last changed, ``None`` if the source doesn't say so.
    """

    native_id: str
    text: str
    created_at: datetime | None = None
    author: str | None = None
    url: str | None = None
    country: str | None = None
    sector: str | None = None
    language_hint: str | None = None
    reply_to: str | None = None
    thread: str | None = None
    quoted: str | None = None
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A public message in the lake. ``author`` is a keyed pseudonym; ``post_id`` a hash of source and native id.

    ``reply_to_id``, ``thread_id`` and ``quoted_id`` are hashed like ``post_id``. ``sealed_id`` is the native id, encrypted
    with the workdir's key: only a refresh pass opens it, to ask whether the post still stands. ``is_news`` marks what
    comes from a news index: context beside the posts, never a worker's voice. ``asked_in`` is the language of the query that
    found the post: the gap ledger counts by it.
    """

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
    reply_to_id: str | None = None
    thread_id: str | None = None
    quoted_id: str | None = None
    edited_at: datetime | None = None
    sealed_id: bytes | None = None
    is_news: bool = False
    asked_in: str | None = None

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
class LedgerDay:
    """One day of one source, watch and language in the gap ledger.

    ``n_seen`` is the number of posts of that day in the lake, ``None`` where there is none: no data is never stored as
    zero. ``n_expected`` is the median of the same weekday in the eight weeks before, ``None`` while there are fewer than
    three. ``n_asked`` queries were to cover the day, ``n_answered`` did; ``reason`` says why the rest did not, or why nothing
    came. ``country``, ``sector`` and ``language`` are ``None`` where the query was about no one of them.
    """

    source: str
    country: str | None
    sector: str | None
    language: str | None
    day: date
    n_seen: int | None
    n_expected: float | None
    n_asked: int
    n_answered: int
    reason: GapReason | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class SourceRun:
    """How asking one source went in one run.

    ``n_asked`` and ``n_answered`` count queries; ``n_read`` all records that came, known ones too, and answers that nothing has
    changed; ``n_new_posts`` posts that the lake lacked.
    """

    run_id: str
    source: str
    asked_at: datetime
    n_requests: int
    n_read: int
    n_new_posts: int
    n_asked: int
    n_answered: int
    reason: GapReason | None = None
    error: str | None = None
    country: str | None = None
    """The one country that the run was about, ``None`` for all."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A deletion heard of: of one post, or of an author with all posts. ``token`` is keyed and can't be turned back."""

    token: str
    source: str
    post_id: str | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """That something was erased, and how much; never what. ``cause`` is ``deletion``."""

    erased_at: datetime
    source: str
    cause: str
    n_tombstones: int
    n_posts: int
    n_evidence: int
    n_review_items: int
    n_review_texts: int


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

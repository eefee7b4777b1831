"""Shapes of the API. They are written out, not derived: what the store changes must not change what clients read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from screener.serve import examples

Lang = Literal["en", "sv"]
Band = Literal["low", "elevated", "high", "severe", "insufficient_evidence"]
Status = Literal["released", "draft", "empty"]
SourceState = Literal["off", "never-asked", "good", "quiet", "budget", "paused", "refused", "failing", "stale"]
GapReason = Literal["no-data", "refused", "error", "budget", "paused"]


class Model(BaseModel):
    """Built from the records by attribute; no field goes unnoticed."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")


class LabelShareModel(Model):
    """One label in one cell; figures are null where too few voices tell of it."""

    label: str
    name: str = Field(description="Name of the label in the language asked for")
    n_voices: int | None
    share: float | None = Field(description="Share of the cell's distinct voices, 0..1")
    share_low: float | None
    share_high: float | None
    suppressed: bool


class CoverageModel(Model):
    """How much of what workers say could have reached us."""

    level: Literal["none", "thin", "partial", "good"]
    n_sources: int
    n_weeks_with_posts: int
    n_weeks: int
    languages_seen: list[str]
    languages_missing: list[str]


class ReleaseModel(Model):
    """The signed-off release that the figures belong to."""

    release_id: str
    signed_by: str
    released_at: datetime
    content_sha256: str


class VersionsModel(Model):
    """What made the figures."""

    methodology: str
    model: str
    taxonomy: str
    config_sha256: str
    code: str


class CaveatModel(Model):
    """Something the figure can't say."""

    key: str
    text: str


class Envelope(Model):
    """Which figures these are; every list of the API comes in it."""

    status: Status
    run_id: str | None
    release: ReleaseModel | None


class RiskAnswerModel(Model):
    """The answer about one country and sector. ``index`` is 0..100, null where the evidence is insufficient."""

    country: str
    country_name: str
    sector: str
    sector_name: str
    matched_by: str
    band: Band
    band_name: str
    band_probability: float | None
    index: float | None
    index_low: float | None = Field(description="Lower end of the 95 % interval")
    index_high: float | None = Field(description="Upper end of the 95 % interval")
    n_posts: int
    n_voices: int | None
    period_start: date | None
    period_end: date | None = Field(description="First day after the period")
    top_labels: list[LabelShareModel]
    coverage: CoverageModel | None
    suppression: str | None = Field(description="Why the index is withheld")
    caveats: list[CaveatModel]
    invented: bool = Field(description="True if any post behind the figures is a demonstration post")
    run_id: str | None
    release: ReleaseModel | None
    versions: VersionsModel | None


class RiskResponse(Model):
    """Answers, the highest index first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.RISK]})
    answers: list[RiskAnswerModel]


class IndicatorModel(Model):
    """All figures of one country and sector."""

    country: str
    sector: str
    period_start: date | None
    period_end: date | None
    n_posts: int
    n_relevant_posts: int | None
    n_voices: int | None
    n_undated: int
    n_positive_voices: int | None
    n_adverts: int | None
    index: float | None
    index_low: float | None
    index_high: float | None
    band: Band
    band_probability: float | None
    labels: list[LabelShareModel]
    coverage: CoverageModel
    suppression: str | None
    invented: bool
    versions: VersionsModel


class IndicatorsResponse(Envelope):
    """Indicators of the current run, by country and sector."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.INDICATORS]})
    indicators: list[IndicatorModel]


class SpanModel(Model):
    """Characters ``[start, end)`` of the text that speak for a label."""

    label: str
    start: int
    end: int
    found_by: str


class EvidenceModel(Model):
    """One scrubbed post."""

    post_id: str
    country: str
    sector: str
    language: str
    voice: str
    relevance: float
    text: str
    signals: dict[str, float]
    spans: list[SpanModel]
    week: str | None = Field(description="ISO week; the day is withheld")
    invented: bool


class EvidenceResponse(Envelope):
    """Scrubbed posts, the most relevant first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.EVIDENCE]})
    evidence: list[EvidenceModel]


class SourceModel(Model):
    """How one source is doing. ``is_alarming``: somebody should look."""

    source: str
    kind: str
    is_news: bool = Field(description="Context beside the posts, never counted as a voice")
    state: SourceState
    told: str = Field(description="The state in words, in English")
    is_alarming: bool
    last_answer: datetime | None = Field(description="When the source last answered anything; null for never")
    n_week: int | None = Field(description="Posts of the last seven full days; null is no data, which is not zero")
    n_expected: float | None = Field(description="Posts expected in a week; null while too few weeks are known")
    quiet_in: list[str] = Field(description="Languages that fell silent while others did not")


class SourcesResponse(Model):
    """All sources that are asked over the network, by name."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SOURCES]})
    sources: list[SourceModel]


class SourceDayModel(Model):
    """One day of one watch and language; null where the queries were about no one country, sector or language."""

    country: str | None
    sector: str | None
    language: str | None
    day: date
    n_seen: int | None = Field(description="Posts of that day; null is no data, which is not zero")
    n_expected: float | None = Field(description="Median of the same weekday in the eight weeks before")
    n_asked: int = Field(description="Queries that were to cover the day")
    n_answered: int
    reason: GapReason | None = Field(description="Why posts are missing; with posts, why some queries brought none")
    detail: str | None


class SourceDaysResponse(Model):
    """The gap ledger of one source in ``[since, until)``. A day without a row was not asked about."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SOURCE_DAYS]})
    source: str
    since: date
    until: date
    days: list[SourceDayModel]


class Health(Model):
    """Whether the store answers, and what is current."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.HEALTH]})
    store: Literal["reachable"]
    run_id: str | None
    status: Status
    release_id: str | None
    version: str


class Problem(BaseModel):
    """RFC 9457 problem details; ``legal`` lists what would have been accepted."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PROBLEM]})
    type: str
    title: str
    status: int
    detail: str
    instance: str
    legal: list[str] | None = None

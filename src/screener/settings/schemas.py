"""Pydantic schemas of the files under ``config/``: unknown keys are refused, and nothing has a hidden default.

What may be left out is written ``= None`` or ``= ()`` here; every other value stands in the shipped file with a comment.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from screener.codes import parse_country, parse_language
from screener.errors import UnknownCodeError

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(gt=0)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Strict(BaseModel):
    """Frozen, and a typo in a key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def country_code(value: str) -> str:
    """The country's code; raises ``ValueError`` with the legal ones, as pydantic wants it."""
    try:
        return parse_country(value)
    except UnknownCodeError as error:
        raise ValueError(str(error)) from error


def language_code(value: str) -> str:
    """The language's code as the project writes it; raises ``ValueError`` otherwise."""
    try:
        code = parse_language(value)
    except UnknownCodeError as error:
        raise ValueError(str(error)) from error
    if code != value:
        raise ValueError(f"write it as '{code}'")
    return code


class BilingualText(Strict):
    """A text shown to people, in both languages of the product."""

    en: str
    sv: str


class CollectSettings(Strict):
    """How collect behaves towards sources and towards bad records."""

    user_agent: str
    timeout_seconds: Annotated[float, Field(gt=0)]
    max_attempts: Positive
    backoff_seconds: Annotated[float, Field(gt=0)]
    max_seconds_per_request: Annotated[float, Field(gt=0)]
    max_wait_seconds: Annotated[float, Field(gt=0)]
    max_requests_per_run: Positive
    max_page_bytes: Positive
    max_stream_seconds: Annotated[float, Field(gt=0)]
    concurrency: Positive
    breaker_failures: Positive
    breaker_seconds: Annotated[float, Field(gt=0)]
    private_hosts: tuple[str, ...]
    phrases_per_language: Positive
    tags_per_language: Positive
    max_text_characters: Positive
    chunk_posts: Positive


class DetectLanguageSettings(Strict):
    """Which model tells languages, and when an answer becomes ``und``."""

    model: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[0-9]+$")]
    min_confidence: Share
    min_letters: Positive
    processes: Positive


class ClassifySettings(Strict):
    """Which model classifies, and overrides of its thresholds per label and language group."""

    model: Annotated[str, Field(pattern=r"^[a-z0-9-]+/[0-9]+$")]
    batch_posts: Positive
    thresholds: dict[str, dict[str, Share]]


class Bands(Strict):
    """Lower edges of the bands on the index 0..100."""

    elevated: Annotated[float, Field(gt=0, lt=100)]
    high: Annotated[float, Field(gt=0, lt=100)]
    severe: Annotated[float, Field(gt=0, lt=100)]

    @model_validator(mode="after")
    def ascending(self) -> Bands:
        """Edges must rise, else a band would be empty."""
        if not self.elevated < self.high < self.severe:
            raise ValueError("bands must rise: elevated < high < severe")
        return self


class CoverageRule(Strict):
    """When coverage is called more than thin, and when good."""

    min_posts: Positive
    min_share_weeks: Share
    good_sources: Positive
    good_share_weeks: Share


class AggregateSettings(Strict):
    """Estimation and suppression; the methodology version covers all of them."""

    methodology_version: str
    prior_strength_voices: Annotated[float, Field(gt=0)]
    draws: Annotated[int, Field(ge=200)]
    seed: int
    min_posts: Positive
    min_voices: Positive
    min_authors: Positive
    min_sources: Positive
    min_label_voices: Positive
    bands: Bands
    coverage: CoverageRule


class PublishSettings(Strict):
    """Data assertions: a minimum aborts, a maximum warns."""

    min_posts: Positive
    max_share_undetermined: Share
    max_share_relevant: Share


class ReviewSettings(Strict):
    """How the review queue is filled."""

    audit_items_per_run: Positive
    active_items_per_run: Positive
    min_audit_decisions: Annotated[int, Field(ge=0)]
    seed: int


class HousekeepingSettings(Strict):
    """How long texts are kept."""

    keep_texts_days: Positive


class StoreSettings(Strict):
    """Where the results store is; empty means SQLite inside the workdir."""

    url: str


class RuntimeSettings(Strict):
    """``config/screener.toml``."""

    store: StoreSettings
    collect: CollectSettings
    detect_language: DetectLanguageSettings
    classify: ClassifySettings
    aggregate: AggregateSettings
    publish: PublishSettings
    review: ReviewSettings
    housekeeping: HousekeepingSettings


class WatchEntry(Strict):
    """One ``[[watches]]`` table."""

    country: str
    sector: Slug
    languages: tuple[str, ...]
    migrant_languages: tuple[str, ...] = ()
    reason: str
    queries: dict[str, tuple[str, ...]]

    _country = field_validator("country")(country_code)

    @field_validator("languages", "migrant_languages")
    @classmethod
    def known_languages(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Codes as the project writes them."""
        return tuple(language_code(code) for code in value)

    @model_validator(mode="after")
    def queries_follow_workers(self) -> WatchEntry:
        """Every expected language has queries, else its workers would never be found."""
        expected = {*self.languages, *self.migrant_languages}
        if missing := expected - set(self.queries):
            raise ValueError(f"no queries for {', '.join(sorted(missing))}")
        if unexpected := set(self.queries) - expected:
            raise ValueError(
                f"queries for {', '.join(sorted(unexpected))}, which is not among languages or migrant_languages"
            )
        return self


class WatchFile(Strict):
    """``config/watches.toml``."""

    watches: tuple[WatchEntry, ...]


class Sector(Strict):
    """One ``[[sectors]]`` table; codes are strings because leading zeros matter."""

    slug: Slug
    name: BilingualText
    isic: tuple[Annotated[str, Field(pattern=r"^\d{4}$")], ...]
    nace: tuple[Annotated[str, Field(pattern=r"^\d{2}(\.\d{1,2})?$")], ...]
    cpv: tuple[Annotated[str, Field(pattern=r"^\d{8}$")], ...]
    terms: dict[str, tuple[str, ...]]


class SectorFile(Strict):
    """``config/sectors.toml``."""

    sectors: tuple[Sector, ...]


class LabelEntry(Strict):
    """One ``[[labels]]`` table of the taxonomy."""

    id: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    name: BilingualText
    definition: BilingualText
    instruments: tuple[str, ...]
    cluster: Literal[
        "Child Labour", "Discrimination", "Forced Labour", "Freedom of Association and Collective Bargaining",
        "Compensation", "Contracts and Workplace Relations", "Occupational Safety and Health", "Working Time", "None",
    ]  # fmt: skip
    violation: bool
    severity: Share
    severity_reason: str


class TaxonomyFile(Strict):
    """``config/taxonomy.toml``."""

    version: str
    labels: tuple[LabelEntry, ...]


class LexiconFile(Strict):
    """``config/lexicon/<language>.toml``."""

    language: str
    work: tuple[str, ...]
    labels: dict[str, tuple[str, ...]]

    _language = field_validator("language")(language_code)

"""Pydantic schemas of ``config/sources/*.toml``: one file a source, one schema for files and one for everything asked over HTTP."""

from __future__ import annotations

import re
from typing import Annotated, Literal, cast
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from screener.settings.schemas import Positive, Slug, Strict, country_code, language_code

KINDS = (
    "bluesky",
    "discourse",
    "gdelt",
    "lemmy",
    "mastodon",
    "mediacloud",
    "reddit",
    "rss",
    "wordpress",
    "youtube",
)
"""Kinds of sources besides ``file``: each is a module of ``screener.collect.connectors``."""

_VARIABLE = r"[A-Z][A-Z0-9_]{2,}"
VariableName = Annotated[str, StringConstraints(pattern=f"^{_VARIABLE}$")]


class ColumnMap(Strict):
    """Which column or JSON key holds what; ``id`` and ``text`` are needed, the rest may be missing."""

    id: str
    text: str
    created_at: str | None = None
    author: str | None = None
    country: str | None = None
    sector: str | None = None
    language: str | None = None
    url: str | None = None
    source: str | None = None


Export = Literal["4cat", "zeeschuimer"]
"""Tools whose exports have a form of their own, so that no column map is needed."""


class FileSource(Strict):
    """Files that somebody put into a folder: JSONL or CSV, plain, gz or zst.

    ``format`` says what made them: *columns* is anything that ``columns`` maps; the exports of tools are read without a map.
    """

    kind: Literal["file"]
    name: Slug
    enabled: bool
    paths: tuple[str, ...]
    format: Literal["columns", Export] = "columns"
    columns: ColumnMap | None = Field(default=None, validate_default=True)
    country: str | None = None
    sector: Slug | None = None
    invented: bool = False
    note: str | None = None

    _country = field_validator("country")(lambda v: v if v is None else country_code(v))

    @field_validator("columns")
    @classmethod
    def map_where_needed(cls, value: ColumnMap | None, info: ValidationInfo) -> ColumnMap | None:
        """A map that nothing reads would mislead, and files of unknown form need one."""
        chosen = info.data.get("format", "columns")
        if (value is None) == (chosen == "columns"):
            raise ValueError("is needed with format = 'columns'" if value is None else f"has no use with '{chosen}'")
        return value

    @property
    def layout(self) -> ColumnMap | Export:
        """How to read a record: by the column map, or as the export of the tool named."""
        return cast("ColumnMap | Export", self.columns if self.format == "columns" else self.format)


class Credentials(Strict):
    """Names of the environment variables that hold what a source asks for; never the secrets themselves."""

    identifier: VariableName | None = None
    password: VariableName | None = None
    token: VariableName | None = None
    key: VariableName | None = None

    @model_validator(mode="before")
    @classmethod
    def names_not_secrets(cls, value: object) -> object:
        """A secret pasted here must not come back in an error message or a log."""
        if isinstance(value, dict):
            for key, name in value.items():
                if isinstance(name, str) and not re.fullmatch(_VARIABLE, name):
                    raise ValueError(
                        f"'{key}' must be the NAME of an environment variable (capitals, digits, underscores), never the secret"
                    )
        return value


class Target(Strict):
    """One address that a source is asked at: a feed, a site, a server, or a place on it.

    ``country`` and ``sector`` are those of the posts where the address itself tells them (a union's feed); where a watch's
    words are asked, a server with a country is asked only for the watches of that country, one without for all. ``place``
    is what the endpoint needs besides the address: an author's handle, a subreddit, a collection's number.
    """

    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
    place: str | None = None
    country: str | None = None
    sector: Slug | None = None
    language: str | None = None
    endpoints: tuple[str, ...] = ()
    credentials: Credentials = Credentials()
    reason: str

    _country = field_validator("country")(lambda v: v if v is None else country_code(v))
    _language = field_validator("language")(lambda v: v if v is None else language_code(v))

    @field_validator("url")
    @classmethod
    def an_address(cls, value: str) -> str:
        """Refuses what no client could ask: a port that is no number, a broken IPv6 address, a user name and password."""
        parts = urlsplit(value)
        if parts.username or parts.password:
            raise ValueError("holds a user name or password; name environment variables under credentials instead")
        if not parts.hostname or parts.port == 0:
            raise ValueError("is no address")
        return value


class Limits(Strict):
    """What a source may cost us and be burdened with. ``quota_timezone``: where the source's quota day begins; UTC if left out."""

    max_requests_per_run: Positive
    max_units_per_day: Positive | None = None
    quota_timezone: str | None = None
    seconds_between_requests: Annotated[float, Field(ge=0)]

    @field_validator("quota_timezone")
    @classmethod
    def known_zone(cls, value: str | None) -> str | None:
        """A zone of the IANA database."""
        if value is not None and value not in available_timezones():
            raise ValueError("unknown time zone; e.g. America/Los_Angeles")
        return value


class ApiSource(Strict):
    """A source that is asked over HTTP: which endpoints, at which addresses, how often, with which credentials.

    ``lookback_days`` is how far back the first run asks, ``overlap_hours`` how much of the time already covered is asked
    again, for posts that the source indexed late. ``refresh_days``: each post is asked for again within so many days, to
    learn of deletions and edits; 0 where the source cannot tell. ``keep_days``: texts go so many days after they were collected,
    where the source's terms say so and ``housekeeping.keep_texts_days`` is longer. ``min_posts_per_week`` is the minimum volume: less makes the
    source *quiet*, and the run says so. ``is_news`` marks context that is never counted as a voice.
    """

    kind: str
    name: Slug
    enabled: bool
    endpoints: tuple[str, ...]
    targets: tuple[Target, ...]
    credentials: Credentials = Credentials()
    limits: Limits
    lookback_days: Positive
    overlap_hours: Annotated[int, Field(ge=0)]
    refresh_days: Annotated[int, Field(ge=0)]
    keep_days: Positive | None = None
    min_posts_per_week: Annotated[int, Field(ge=0)]
    is_news: bool = False
    approval: str | None = None
    note: str | None = None


Source = FileSource | ApiSource

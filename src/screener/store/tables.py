"""Tables of the results store. Column names: ``_id``, ``_at`` (UTC), ``_date``, ``n_`` counts, ``share_`` in 0..1."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

runs = Table(
    "runs", metadata,
    Column("run_id", String(40), primary_key=True),
    Column("arguments", String(64), nullable=False),
    Column("status", String(12), nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("report", JSON, nullable=False),
    Column("error", Text),
)  # fmt: skip

quarantine = Table(
    "quarantine", metadata,
    Column("entry_id", Integer, primary_key=True),
    Column("run_id", String(40), nullable=False, index=True),
    Column("unit", String(40), nullable=False),
    Column("source", String(80), nullable=False),
    Column("place", Text, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("excerpt", Text, nullable=False),
)  # fmt: skip

gaps = Table(
    "gaps", metadata,
    Column("gap_id", Integer, primary_key=True),
    Column("run_id", String(40), nullable=False, index=True),
    Column("unit", String(40), nullable=False),
    Column("source", String(80), nullable=False),
    Column("watch", String(80), nullable=False),
    Column("window_start", Date),
    Column("window_end", Date),
    Column("reason", Text, nullable=False),
)  # fmt: skip

validators = Table(
    "validators", metadata,
    Column("query_key", String(32), primary_key=True),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)  # fmt: skip

collect_windows = Table(
    "collect_windows", metadata,
    Column("query_key", String(32), primary_key=True),
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("window_end", DateTime(timezone=True), primary_key=True),
    Column("source", String(80), nullable=False, index=True),
    Column("cursor", Text),
    Column("is_done", Boolean, nullable=False),
    Column("n_read", Integer, nullable=False),
    Column("question", JSON),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)  # fmt: skip

spending = Table(
    "spending", metadata,
    Column("source", String(80), primary_key=True),
    Column("quota_date", Date, primary_key=True),
    Column("n_units", Integer, nullable=False),
)  # fmt: skip

source_days = Table(
    "source_days", metadata,
    Column("source", String(80), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("sector", String(40), primary_key=True),
    Column("language", String(12), primary_key=True),
    Column("day_date", Date, primary_key=True),
    Column("n_seen", Integer),
    Column("n_expected", Float),
    Column("n_asked", Integer, nullable=False),
    Column("n_answered", Integer, nullable=False),
    Column("reason", String(12)),
    Column("detail", Text),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)  # fmt: skip

source_runs = Table(
    "source_runs", metadata,
    Column("run_id", String(40), primary_key=True),
    Column("source", String(80), primary_key=True),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("n_requests", Integer, nullable=False),
    Column("n_read", Integer, nullable=False),
    Column("n_new_posts", Integer, nullable=False),
    Column("n_asked", Integer, nullable=False),
    Column("n_answered", Integer, nullable=False),
    Column("reason", String(12)),
    Column("error", Text),
    Column("country", String(2)),
)  # fmt: skip

tombstones = Table(
    "tombstones", metadata,
    Column("token", String(64), primary_key=True),
    Column("source", String(80), nullable=False),
    Column("post_id", String(32)),
    Column("author", String(32)),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("applied_at", DateTime(timezone=True)),
)  # fmt: skip

erasures = Table(
    "erasures", metadata,
    Column("erasure_id", Integer, primary_key=True),
    Column("erased_at", DateTime(timezone=True), nullable=False),
    Column("source", String(80), nullable=False),
    Column("cause", String(12), nullable=False),
    Column("n_tombstones", Integer, nullable=False),
    Column("n_posts", Integer, nullable=False),
    Column("n_evidence", Integer, nullable=False),
    Column("n_review_items", Integer, nullable=False),
    Column("n_review_texts", Integer, nullable=False),
)  # fmt: skip

indicators = Table(
    "indicators", metadata,
    Column("run_id", String(40), ForeignKey("runs.run_id"), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("sector", String(40), primary_key=True),
    Column("period_start_date", Date),
    Column("period_end_date", Date),
    Column("n_posts", Integer, nullable=False),
    Column("n_relevant_posts", Integer),
    Column("n_voices", Integer),
    Column("n_positive_voices", Integer),
    Column("n_adverts", Integer),
    Column("n_undated", Integer, nullable=False),
    Column("index_value", Float),
    Column("index_low", Float),
    Column("index_high", Float),
    Column("band", String(24), nullable=False),
    Column("band_probability", Float),
    Column("suppression", Text),
    Column("coverage", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("is_invented", Boolean, nullable=False),
    Column("methodology_version", String(20), nullable=False),
    Column("model_version", String(40), nullable=False),
    Column("taxonomy_version", String(20), nullable=False),
    Column("config_sha256", String(64), nullable=False),
    Column("code_version", String(20), nullable=False),
)  # fmt: skip

evidence = Table(
    "evidence", metadata,
    Column("run_id", String(40), ForeignKey("runs.run_id"), primary_key=True),
    Column("post_id", String(32), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("sector", String(40), primary_key=True),
    Column("language", String(12), nullable=False),
    Column("voice", String(12), nullable=False),
    Column("relevance", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("signals", JSON, nullable=False),
    Column("spans", JSON, nullable=False),
    Column("week", String(8)),
    Column("is_invented", Boolean, nullable=False),
    Index("ix_evidence_cell", "run_id", "country", "sector"),
)  # fmt: skip

review_items = Table(
    "review_items", metadata,
    Column("item_id", String(32), primary_key=True),
    Column("post_id", String(32), nullable=False),
    Column("run_id", String(40), nullable=False),
    Column("country", String(2), nullable=False),
    Column("sector", String(40), nullable=False),
    Column("language", String(12), nullable=False),
    Column("text", Text, nullable=False),
    Column("stratum", String(8), nullable=False),
    Column("proposed", JSON, nullable=False),
    Column("model_version", String(40), nullable=False),
    Column("taxonomy_version", String(20), nullable=False),
    Column("text_sha256", String(64), nullable=False),
    Column("is_invented", Boolean, nullable=False),
    Column("added_at", DateTime(timezone=True), nullable=False),
    Index("ix_review_items_queue", "stratum", "language"),
)  # fmt: skip

review_decisions = Table(
    "review_decisions", metadata,
    Column("decision_id", Integer, primary_key=True),
    Column("item_id", String(32), ForeignKey("review_items.item_id"), nullable=False),
    Column("reviewer", String(80), nullable=False),
    Column("is_relevant", Boolean, nullable=False),
    Column("voice", String(12), nullable=False),
    Column("signals", JSON, nullable=False),
    Column("is_positive", Boolean, nullable=False),
    Column("is_unsure", Boolean, nullable=False),
    Column("note", Text),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("item_id", "reviewer"),
)  # fmt: skip

releases = Table(
    "releases", metadata,
    Column("release_id", String(40), primary_key=True),
    Column("run_id", String(40), ForeignKey("runs.run_id"), nullable=False, unique=True),
    Column("signed_by", Text, nullable=False),
    Column("note", Text),
    Column("released_at", DateTime(timezone=True), nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("content", Text, nullable=False),
)  # fmt: skip

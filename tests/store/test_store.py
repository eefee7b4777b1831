"""The results store, on SQLite always and on PostgreSQL where ``SCREENER_TEST_POSTGRES`` names a database (``-m servers``)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from screener import store
from screener.errors import ConfigError, ReviewError, StoreError
from screener.records import (
    Classification,
    Coverage,
    Decision,
    DiscardReason,
    Evidence,
    Gap,
    Indicator,
    LabelShare,
    Quarantined,
    ReviewItem,
    Versions,
    Voice,
    Window,
)  # fmt: skip
from screener.store import results, reviews, runs, tables
from screener.store.database import (
    Connection,
    Engine,
    check_integrity,
    make_engine,
    open_store,
    reading,
    schema_state,
    store_url,
    writing,
)
from screener.workdir import Workdir

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
VERSIONS = Versions("0.1", "signals/1@0123abcd", "1.0", "f" * 64, "0.1.0")
INDICATOR = Indicator(
    "TH", "poultry", date(2026, 1, 5), date(2026, 3, 2), 300, 60, 40, 3, 41.5, 30.0, 52.5, "high", 0.61,
    (LabelShare("low_pay", 10, 0.25, 0.142, 0.4019, False), LabelShare("child_labour", None, None, None, None, True)),
    Coverage("partial", 1, 7, 8, ("my", "th"), ("km", "lo")), None, 4, 2, True,
)  # fmt: skip
WITHHELD = Indicator(
    "ES",
    "vegetables",
    None,
    None,
    12,
    None,
    None,
    0,
    None,
    None,
    None,
    "insufficient_evidence",
    None,
    (),
    Coverage("none", 0, 0, 0, (), ("es",)),
    "too-few-voices",
)
QUOTE = results.EvidenceRow(
    "p1", "TH", "poultry", "th", "testimony", 0.91, "ไม่ได้รับค่าแรง [name]", {"wage_withholding": 0.8},
    ({"label": "wage_withholding", "start": 0, "end": 5, "found_by": "lexicon"},), "2026-W06", False,
)  # fmt: skip
ITEM = ReviewItem(
    "item-1", "p1", "TH", "poultry", "th", "ไม่ได้รับค่าแรง", "audit",
    Classification(True, 0.9, Voice.TESTIMONY, False, (("low_pay", 0.8),), ("low_pay",), (Evidence("low_pay", 0, 5, "model"),)),
    "signals/1@0123abcd", "1.0", "a" * 64, True,
)  # fmt: skip
DECISION = Decision("item-1", "reviewer-1", True, Voice.TESTIMONY, ("low_pay",), False, NOW, "note", unsure=True)


def begin(
    connection: Connection, arguments: str = "a" * 64, now: datetime = NOW, run_id: str | None = None
) -> runs.Run:
    return runs.begin_run(connection, arguments=arguments, now=now, run_id=run_id)


# --- the store itself


def test_new_store_has_the_schema_of_the_code(engine: Engine) -> None:
    current, head = schema_state(engine)
    assert current == head
    assert check_integrity(engine) == []


def test_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_store_of_the_first_version_is_upgraded_with_its_runs_and_can_be_taken_back(engine: Engine) -> None:
    with writing(engine) as connection:
        run = begin(connection)
    migrate(engine, command.downgrade, "0001")
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM cursors")).scalar_one() == 0
    migrate(engine, command.upgrade, "head")
    assert check_integrity(engine) == []
    with reading(engine) as connection:
        assert runs.get_run(connection, run.run_id) == run


def migrate(engine: Engine, step: Callable[[Config, str], None], revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(store.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        step(config, revision)


def test_store_opened_again_keeps_its_rows(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        run = begin(connection)
    if engine.dialect.name == "sqlite":
        again = open_store(f"sqlite:///{tmp_path / 'results.db'}")
        with reading(again) as connection:
            assert runs.get_run(connection, run.run_id) == run
        again.dispose()


def test_store_that_is_newer_than_the_code_is_refused(engine: Engine, tmp_path: Path) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("one dialect is enough")
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"has schema 9999, newer than this code .*update screener"):
        open_store(f"sqlite:///{tmp_path / 'results.db'}")


def test_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "results.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StoreError, match="not a database"):
        open_store(f"sqlite:///{tmp_path / 'results.db'}")


@pytest.mark.parametrize("url", ["nonsense", "sqlite+nosuchdriver:///x", "oracle://x/y"])
def test_malformed_address_is_a_config_error_with_legal_forms(url: str) -> None:
    with pytest.raises(ConfigError, match="legal values: sqlite:///FILE"):
        make_engine(url)


def test_password_stays_out_of_messages() -> None:
    with pytest.raises(StoreError) as caught:
        open_store("postgresql+psycopg2://user:hunter2@127.0.0.1:1/nowhere?connect_timeout=1")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "configured", "url"),
    [
        ("", "", "sqlite:////w/results.db"),
        ("", "postgresql://u@h/d", "postgresql+psycopg2://u@h/d"),
        ("postgres://u@h/e", "postgresql://u@h/d", "postgresql+psycopg2://u@h/e"),
        ("sqlite:////tmp/x.db", "", "sqlite:////tmp/x.db"),
    ],
)
def test_store_url_is_of_environment_config_workdir(
    monkeypatch: pytest.MonkeyPatch, environment: str, configured: str, url: str
) -> None:
    monkeypatch.setenv("SCREENER_STORE_URL", environment)
    assert store_url(Workdir(Path("/w")), configured) == url


def test_failed_transaction_leaves_nothing(engine: Engine) -> None:
    def begin_and_fail() -> None:
        with writing(engine) as connection:
            begin(connection)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        begin_and_fail()
    with reading(engine) as connection:
        assert runs.latest_run(connection, runs.RUNNING) is None


def test_readers_do_not_wait_for_the_writer(engine: Engine) -> None:
    with writing(engine) as writer:
        begin(writer)
        with reading(engine) as reader:
            assert runs.latest_run(reader, runs.RUNNING) is None


def test_key_that_stands_twice_is_a_store_error(engine: Engine) -> None:
    with writing(engine) as connection:
        begin(connection, run_id="same")
    with pytest.raises(StoreError), writing(engine) as connection:
        begin(connection, run_id="same")


# --- runs


def test_unfinished_run_is_resumed_with_its_clock(connection: Connection) -> None:
    first = begin(connection)
    assert begin(connection, now=NOW + timedelta(hours=1)) == first
    assert begin(connection, arguments="b" * 64).run_id != first.run_id


@pytest.mark.parametrize("status", [runs.SUCCESS, runs.FAILED, runs.COLLECTED])
def test_finished_run_is_not_resumed(connection: Connection, status: str) -> None:
    first = begin(connection)
    runs.finish_run(connection, first.run_id, status=status, now=NOW + timedelta(hours=1), error="reason")
    second = begin(connection, now=NOW + timedelta(hours=2))
    assert second.run_id != first.run_id
    found = runs.get_run(connection, first.run_id)
    assert found == replace(first, status=status, finished_at=NOW + timedelta(hours=1), error="reason")


def test_given_run_id_makes_that_run(connection: Connection) -> None:
    begin(connection)
    assert begin(connection, run_id="scheduled-1").run_id == "scheduled-1"


def test_latest_run_is_the_newest_of_its_status(connection: Connection) -> None:
    assert runs.latest_run(connection) is None
    for hour, status in enumerate([runs.SUCCESS, runs.SUCCESS, runs.FAILED]):
        run = begin(connection, arguments=f"{hour}" * 64, now=NOW + timedelta(hours=hour))
        runs.finish_run(connection, run.run_id, status=status, now=NOW)
    assert runs.latest_run(connection).arguments[0] == "1"  # type: ignore[union-attr]
    assert runs.latest_run(connection, runs.FAILED).arguments[0] == "2"  # type: ignore[union-attr]
    assert runs.get_run(connection, "nowhere") is None


def test_run_that_only_collected_does_not_stand_for_the_newest_figures(connection: Connection) -> None:
    published = begin(connection)
    runs.finish_run(connection, published.run_id, status=runs.SUCCESS, now=NOW)
    collected = begin(connection, arguments="b" * 64, now=NOW + timedelta(hours=1))
    runs.finish_run(connection, collected.run_id, status=runs.COLLECTED, now=NOW)
    assert runs.latest_run(connection).run_id == published.run_id  # type: ignore[union-attr]
    assert runs.newest_run(connection).run_id == collected.run_id  # type: ignore[union-attr]


def test_newest_run_is_the_one_that_began_last_whatever_became_of_it(connection: Connection) -> None:
    assert runs.newest_run(connection) is None
    begin(connection, arguments="b" * 64, now=NOW + timedelta(hours=1))
    failed = begin(connection, now=NOW + timedelta(hours=2))
    runs.finish_run(connection, failed.run_id, status=runs.FAILED, now=NOW)
    assert runs.newest_run(connection).run_id == failed.run_id  # type: ignore[union-attr]


def test_stage_report_replaces_its_earlier_one(connection: Connection) -> None:
    run = begin(connection)
    runs.report_stage(connection, run.run_id, "collect", {"posts": 1})
    runs.report_stage(connection, run.run_id, "classify", {"posts": 2})
    runs.report_stage(connection, run.run_id, "collect", {"posts": 3})
    assert runs.get_run(connection, run.run_id).report == {"collect": {"posts": 3}, "classify": {"posts": 2}}  # type: ignore[union-attr]


def test_quarantine_and_gaps_of_a_unit_are_replaced(connection: Connection) -> None:
    run = begin(connection)
    entry = Quarantined("file-drop", "f.jsonl:3", DiscardReason.NO_TEXT, "'text' is missing", "{…}")
    gap = Gap("rss", "TH/poultry", Window(date(2026, 1, 1), None), "HTTP 503")
    runs.replace_unit_records(connection, run.run_id, "one", quarantined=[entry, entry], unit_gaps=[gap])
    runs.replace_unit_records(connection, run.run_id, "two", quarantined=[entry], unit_gaps=[])
    runs.replace_unit_records(
        connection, run.run_id, "one", quarantined=[replace(entry, reason=DiscardReason.NO_ID)], unit_gaps=[]
    )
    found = runs.list_quarantine(connection, run.run_id)
    assert sorted(entry.reason for entry in found) == [DiscardReason.NO_ID, DiscardReason.NO_TEXT]
    assert all(isinstance(entry.reason, DiscardReason) for entry in found)
    assert entry in found
    assert runs.count_quarantine(connection, run.run_id) == {"no-text": 1, "no-id": 1}
    assert runs.list_quarantine(connection, "other-run") == []
    assert len(runs.list_quarantine(connection, run.run_id, limit=1)) == 1
    assert connection.execute(text("SELECT count(*) FROM gaps")).scalar_one() == 0


def test_records_of_several_goes_add_up_and_none_stands_twice(connection: Connection) -> None:
    run = begin(connection)
    entries = [Quarantined("forum", f"page {n}", DiscardReason.BAD_TIME, "no such day", "words") for n in range(3)]
    holes = [Gap("forum", "TH/poultry", Window(date(2026, 1, n), date(2026, 2, n)), "budget: spent") for n in (1, 2)]

    def add(*positions: int, unit: str = "one", run_id: str = run.run_id) -> None:
        runs.add_unit_records(
            connection, run_id, unit, quarantined=[entries[n] for n in positions], unit_gaps=holes[: len(positions) - 1]
        )

    add(0, 1)
    add(1, 2, 0)
    add()
    assert runs.list_quarantine(connection, run.run_id) == entries
    assert runs.list_gaps(connection, run.run_id) == holes
    add(0, unit="two")
    add(0, run_id="another-run")
    assert runs.count_quarantine(connection, run.run_id) == {"bad-time": 4}
    assert runs.list_quarantine(connection, "another-run") == entries[:1]


def test_gap_with_open_edges_stands_once_too(connection: Connection) -> None:
    run, gap = begin(connection), Gap("forum", "*/*", Window(), "error: HTTP 503")
    for _ in range(2):
        runs.add_unit_records(connection, run.run_id, "one", quarantined=[], unit_gaps=[gap])
    assert runs.list_gaps(connection, run.run_id) == [gap]


# --- results


def test_results_come_back_as_they_went(connection: Connection) -> None:
    run = begin(connection)
    results.replace_results(connection, run.run_id, [INDICATOR, WITHHELD], [QUOTE], VERSIONS)
    found = results.list_indicators(connection, run.run_id)
    assert [row.indicator for row in found] == [WITHHELD, INDICATOR]
    assert {row.versions for row in found} == {VERSIONS}
    assert results.list_evidence(connection, run.run_id) == [QUOTE]


def test_results_of_a_run_are_replaced_as_a_whole(connection: Connection) -> None:
    run, other = begin(connection), begin(connection, arguments="b" * 64)
    results.replace_results(connection, other.run_id, [INDICATOR], [], VERSIONS)
    results.replace_results(connection, run.run_id, [INDICATOR, WITHHELD], [QUOTE], VERSIONS)
    results.replace_results(connection, run.run_id, [replace(INDICATOR, n_posts=7)], [], VERSIONS)
    assert [row.indicator.n_posts for row in results.list_indicators(connection, run.run_id)] == [7]
    assert results.list_evidence(connection, run.run_id) == []
    assert [row.indicator.n_posts for row in results.list_indicators(connection, other.run_id)] == [300]
    results.replace_results(connection, run.run_id, [], [], VERSIONS)
    assert results.list_indicators(connection, run.run_id) == []


def test_indicators_are_narrowed_by_country_and_sectors(connection: Connection) -> None:
    run = begin(connection)
    results.replace_results(connection, run.run_id, [INDICATOR, WITHHELD], [], VERSIONS)

    def cells(**values: object) -> list[str]:
        return [row.indicator.country for row in results.list_indicators(connection, run.run_id, **values)]  # type: ignore[arg-type]

    assert (
        cells(country="TH"),
        cells(sectors=["vegetables"]),
        cells(sectors=[]),
        cells(country="TH", sectors=["vegetables"]),
    ) == (["TH"], ["ES"], [], [])


def test_evidence_is_narrowed_and_the_most_relevant_first(connection: Connection) -> None:
    run = begin(connection)
    weak = replace(QUOTE, post_id="p2", relevance=0.5, spans=(), signals={"low_pay": 0.7})
    elsewhere = replace(QUOTE, post_id="p3", country="ES", sector="vegetables", relevance=0.7)
    results.replace_results(connection, run.run_id, [], [weak, QUOTE, elsewhere], VERSIONS)

    def ids(**values: object) -> list[str]:
        return [row.post_id for row in results.list_evidence(connection, run.run_id, **values)]  # type: ignore[arg-type]

    assert (ids(), ids(limit=1), ids(country="TH"), ids(sector="vegetables")) == (
        ["p1", "p3", "p2"],
        ["p1"],
        ["p1", "p2"],
        ["p3"],
    )
    assert ids(label="wage_withholding") == ["p1", "p3"]
    assert ids(label="child_labour") == []


def release(run_id: str, hour: int = 0) -> reviews.Release:
    return reviews.Release(
        f"release-{run_id}", run_id, "Expert Group", NOW + timedelta(hours=hour), "c" * 64, '{"run_id": "…"}', None
    )


def test_released_run_never_changes(connection: Connection) -> None:
    run = begin(connection)
    results.replace_results(connection, run.run_id, [INDICATOR], [], VERSIONS)
    reviews.add_release(connection, release(run.run_id))
    with pytest.raises(ReviewError, match="released figures never change"):
        results.replace_results(connection, run.run_id, [], [], VERSIONS)
    with pytest.raises(ReviewError, match="already released"):
        reviews.add_release(connection, replace(release(run.run_id), release_id="another"))
    assert [row.indicator for row in results.list_indicators(connection, run.run_id)] == [INDICATOR]


def test_releases_come_newest_first(connection: Connection) -> None:
    assert reviews.latest_release(connection) is None
    for hour, run_id in enumerate(["one", "two"]):
        begin(connection, run_id=run_id)
        reviews.add_release(connection, release(run_id, hour))
    newest = release("two", 1)
    assert reviews.latest_release(connection) == reviews.Signed(
        newest.release_id, "two", newest.signed_by, newest.released_at, newest.content_sha256
    )
    assert reviews.list_releases(connection) == [release("two", 1), release("one", 0)]


# --- review


def test_items_are_queued_once(connection: Connection) -> None:
    assert reviews.add_items(connection, "run-1", [ITEM], now=NOW) == 1
    assert reviews.add_items(connection, "run-2", [ITEM, replace(ITEM, item_id="item-2")], now=NOW) == 1
    assert reviews.add_items(connection, "run-3", [], now=NOW) == 0
    assert reviews.list_items(connection) == [ITEM, replace(ITEM, item_id="item-2")]
    assert reviews.get_item(connection, "item-1") == ITEM
    with pytest.raises(ReviewError, match="no review item 'nowhere'"):
        reviews.get_item(connection, "nowhere")


def test_next_item_is_an_audit_item_that_this_reviewer_has_not_judged(connection: Connection) -> None:
    active = replace(ITEM, item_id="item-0", stratum="active", language="my")
    later = replace(ITEM, item_id="item-2", country="ES", language="es")
    reviews.add_items(connection, "run-1", [active, ITEM], now=NOW)
    reviews.add_items(connection, "run-1", [later], now=NOW + timedelta(hours=1))

    def upcoming(reviewer: str = "reviewer-1", **values: object) -> str | None:
        item = reviews.next_item(connection, reviewer, **values)  # type: ignore[arg-type]
        return item and item.item_id

    assert (upcoming(), upcoming(languages=["my", "es"]), upcoming(country="ES"), upcoming(stratum="active")) == (
        "item-1",
        "item-2",
        "item-2",
        "item-0",
    )
    assert upcoming(languages=["sv"]) is None
    reviews.save_decision(connection, DECISION)
    assert (upcoming(), upcoming("reviewer-2")) == ("item-2", "item-1")


def test_decision_comes_back_and_the_same_reviewer_replaces_it(connection: Connection) -> None:
    reviews.add_items(connection, "run-1", [ITEM], now=NOW)
    reviews.save_decision(connection, replace(DECISION, relevant=False, voice=Voice.NONE, signals=(), note=None))
    reviews.save_decision(connection, DECISION)
    reviews.save_decision(connection, replace(DECISION, reviewer="reviewer-2", decided_at=NOW + timedelta(hours=1)))
    assert reviews.list_decisions(connection) == [
        (ITEM, DECISION),
        (ITEM, replace(DECISION, reviewer="reviewer-2", decided_at=NOW + timedelta(hours=1))),
    ]
    assert reviews.queue_counts(connection) == {"audit_items": 1, "decisions": 2}


def test_decision_on_an_unknown_item_is_refused(connection: Connection) -> None:
    with pytest.raises(ReviewError, match="no review item"):
        reviews.save_decision(connection, DECISION)


def test_readers_open_the_store_while_another_process_writes(workdir: Workdir) -> None:
    open_store(store_url(workdir)).dispose()
    writer = sqlite3.connect(workdir.root / "results.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    reader = open_store(store_url(workdir))
    with reading(reader) as connection:
        assert runs.latest_run(connection) is None
    assert time.monotonic() - began < 5, "a reader waited for the writer"
    reader.dispose()
    writer.close()

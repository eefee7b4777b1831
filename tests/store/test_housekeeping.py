"""What is too old loses its text everywhere, what is young keeps it, and figures stay."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.keyed import post_token, tombstone_of_post
from screener.pipeline import erasing as pipeline_erasing
from screener.pipeline.context import open_reader
from screener.pipeline.housekeeping import keep_from, kept_window, run_housekeeping
from screener.records import Decision, DiscardReason, LanguageGuess, LedgerDay, Quarantined, Tombstone, Versions, Voice
from screener.review.select import select_items
from screener.store import erasing, ledger, results, retention, reviews, runs
from screener.store.database import reading, writing
from screener.store.lake import Lake, PostWriter
from screener.store.layers import languages_table
from screener.store.spool import Spool, merge

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
KEEP_DAYS = 365
FIRST_KEPT = date(2025, 11, 22)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


OLD, YOUNG = at(FIRST_KEPT - timedelta(days=1)), at(FIRST_KEPT)


@pytest.fixture
def lake(workdir):
    return Lake(workdir.lake)


@pytest.fixture
def engine(settings, workdir):
    with open_reader(settings, workdir) as engine:
        yield engine


def collect(lake, *posts, unit="file1"):
    writer = PostWriter(lake, unit, chunk_posts=100)
    for post in posts:
        writer.add(post)
    writer.close()


def texts(lake):
    return sorted(text for part in lake.parts("posts") for text in lake.read("posts", part)["text"].to_pylist())


def queue(engine, settings, *screened, judged=(), added_at=YOUNG):
    items = select_items(list(screened), settings=settings.runtime.review, model_version="m", taxonomy_version="1")
    with writing(engine) as connection:
        reviews.add_items(connection, "run-1", items, now=added_at)
        for item in items:
            if item.post_id in judged:
                reviews.save_decision(connection, Decision(item.item_id, "anna", True, Voice.TESTIMONY, (), False, NOW))


def quoted(post_id, week):
    return results.EvidenceRow(
        post_id, "TH", "poultry", "en", "testimony", 0.9, f"words of {post_id}", {}, (), week, False
    )


def derive(lake):
    """Language guesses of all posts."""
    for part, fingerprint in list(lake.stale("languages", "1")):
        ids = lake.read("posts", part)["post_id"].to_pylist()
        lake.write(
            "languages", part, languages_table(ids, [LanguageGuess("en", 0.9, "test") for _ in ids]), fingerprint
        )


def ids_of(lake, layer):
    return {post_id for part in lake.parts(layer) for post_id in lake.read(layer, part)["post_id"].to_pylist()}


def begin(engine, run_id, started_at, status=runs.SUCCESS):
    with writing(engine) as connection:
        runs.begin_run(connection, arguments=run_id, now=started_at, run_id=run_id)
        runs.finish_run(connection, run_id, status=status, now=started_at)


def clean(settings, workdir):
    return dict(run_housekeeping(settings, workdir, now=NOW).counts)


def test_shipped_config_keeps_a_year(settings):
    assert settings.runtime.housekeeping.keep_texts_days == KEEP_DAYS
    assert kept_window(settings, NOW).start == keep_from(NOW.date(), KEEP_DAYS) == FIRST_KEPT


@given(today=st.dates(date(2020, 1, 1), date(2090, 1, 1)), days=st.integers(1, 3650))
def test_exactly_the_kept_days_lie_between_the_first_one_and_today(today, days):
    assert (today - keep_from(today, days)).days == days


def test_dated_posts_go_by_the_day_they_were_written(settings, workdir, lake, make_post):
    collect(lake, make_post("old", created_at=OLD), make_post("young", created_at=YOUNG))
    assert clean(settings, workdir)["posts"] == 1
    assert texts(lake) == ["young"]


def test_undated_posts_go_by_the_day_they_were_collected_and_share_a_part_with_those_that_stay(
    settings, workdir, lake, make_post
):
    old, young = (make_post(t, created_at=None, collected_at=c) for t, c in (("old", OLD), ("young", YOUNG)))
    collect(lake, old, young)
    [part] = lake.parts("posts")
    derive(lake)
    before = lake.fingerprint("posts", part)
    assert clean(settings, workdir)["posts"] == 1
    assert texts(lake) == ["young"]
    assert ids_of(lake, "languages") == {young.post_id}, "what stays is counted until it is made anew"
    assert [part for part, _ in lake.stale("languages", "1")] == [part]
    assert lake.fingerprint("posts", part) not in {before, None}


def test_a_second_pass_finds_nothing_and_touches_nothing(settings, workdir, lake, make_post):
    collect(
        lake,
        make_post("old", created_at=OLD),
        make_post("a", created_at=None, collected_at=OLD),
        make_post("b", created_at=None, collected_at=YOUNG),
    )
    clean(settings, workdir)
    times = {part: lake.file("posts", part).stat().st_mtime_ns for part in lake.parts("posts")}
    assert set(clean(settings, workdir).values()) == {0}
    assert {part: lake.file("posts", part).stat().st_mtime_ns for part in lake.parts("posts")} == times


def test_counterparts_of_removed_parts_go_with_them(settings, workdir, lake, make_post):
    collect(lake, make_post("old", created_at=OLD))
    [part] = lake.parts("posts")
    lake.write("languages", part, languages_table([], []), "f")
    clean(settings, workdir)
    assert lake.parts("posts") == lake.parts("languages") == []
    assert list((workdir.lake / "languages").iterdir()) == []


def test_an_empty_workdir_is_no_error(settings, workdir):
    assert set(clean(settings, workdir).values()) == {0}


def test_queue_keeps_decisions_without_text_and_drops_what_nobody_judged(
    settings, workdir, lake, engine, make_screened
):
    judged, open_, young = (
        make_screened(t, created_at=c, country="TH") for t, c in (("judged", OLD), ("open", OLD), ("young", YOUNG))
    )
    collect(lake, judged.post, open_.post, young.post)
    queue(engine, settings, judged, open_, young, judged={judged.post.post_id})
    counts = clean(settings, workdir)
    assert (counts["review_texts"], counts["review_items"]) == (1, 1)
    with reading(engine) as connection:
        assert sorted(item.text for item in reviews.list_items(connection)) == ["", "young"]
        [(item, decision)] = reviews.list_decisions(connection)
    assert (item.post_id, item.text, decision.relevant) == (judged.post.post_id, "", True)


def test_items_queued_too_long_ago_go_even_if_the_lake_forgot_their_post(settings, workdir, engine, make_screened):
    queue(engine, settings, make_screened("gone"), added_at=OLD - timedelta(days=1))
    assert clean(settings, workdir)["review_items"] == 1


def test_evidence_of_old_weeks_goes_and_that_of_young_weeks_stays(settings, workdir, engine):
    begin(engine, "old-run", at(date(2025, 6, 1)))
    begin(engine, "new-run", at(date(2026, 6, 1)))
    versions = Versions("0.1", "m", "1", "c", "0")
    week = retention.iso_week
    rows = [quoted("a", week(FIRST_KEPT - timedelta(days=7))), quoted("b", week(FIRST_KEPT)), quoted("c", None)]
    with writing(engine) as connection:
        results.replace_results(connection, "new-run", [], rows, versions)
        results.replace_results(connection, "old-run", [], rows[2:], versions)
    assert clean(settings, workdir)["evidence"] == 2
    with reading(engine) as connection:
        assert [row.post_id for row in results.list_evidence(connection, "new-run")] == ["b", "c"]
        assert results.list_evidence(connection, "old-run") == []


@given(day=st.dates(date(2015, 1, 1), date(2060, 1, 1)), later=st.integers(0, 4000))
def test_names_of_weeks_sort_as_the_weeks_do(day, later):
    assert retention.iso_week(day) <= retention.iso_week(day + timedelta(days=later))


def test_excerpts_of_old_runs_are_blanked_and_their_reasons_stay(settings, workdir, engine):
    begin(engine, "old-run", OLD - timedelta(days=1))
    begin(engine, "new-run", YOUNG)
    entry = Quarantined("feed", "line 3", DiscardReason.BAD_TIME, "no such day", "somebody's words")
    with writing(engine) as connection:
        for run_id in ("old-run", "new-run"):
            runs.replace_unit_records(connection, run_id, "u", quarantined=[entry], unit_gaps=[])
    assert clean(settings, workdir)["excerpts"] == 1
    with reading(engine) as connection:
        [old], [new] = runs.list_quarantine(connection, "old-run"), runs.list_quarantine(connection, "new-run")
    assert (old.excerpt, old.reason, new.excerpt) == ("", DiscardReason.BAD_TIME, "somebody's words")


def test_drafts_go_when_their_run_has_published_or_is_too_old(settings, workdir, engine):
    begin(engine, "done", YOUNG)
    begin(engine, "failed-young", YOUNG, runs.FAILED)
    begin(engine, "failed-old", OLD - timedelta(days=1), runs.FAILED)
    drafts = workdir.root / "drafts"
    drafts.mkdir()
    for name in ("done", "failed-young", "failed-old"):
        (drafts / f"{name}.json").write_text("{}")
    assert clean(settings, workdir)["drafts"] == 2
    assert [path.name for path in drafts.iterdir()] == ["failed-young.json"]


# --- what was asked for over the network


def ask(workdir, *posts):
    workdir.pseudonym_key()  # made with the first post
    Spool(workdir.root / "spool").put(posts)


def test_pages_that_a_killed_run_left_are_merged_and_what_is_too_old_of_them_goes_at_once(
    settings, workdir, lake, make_post
):
    ask(workdir, make_post("old", created_at=OLD), make_post("young", created_at=YOUNG))
    assert clean(settings, workdir)["posts"] == 1
    assert texts(lake) == ["young"]
    assert Spool(workdir.root / "spool").files() == []


def test_ledger_and_tokens_are_kept_as_long_as_texts_are(settings, workdir, engine):
    days = [
        LedgerDay("feed", None, None, None, day, n_seen=1, n_expected=None, n_asked=1, n_answered=1)
        for day in (FIRST_KEPT - timedelta(days=1), FIRST_KEPT)
    ]
    stones = [tombstone_of_post(workdir.pseudonym_key(), "feed", name) for name in ("old", "young")]
    with writing(engine) as connection:
        ledger.save_days(connection, days, now=NOW)
        erasing.add_tombstones(connection, stones, now=OLD)
        for stone, applied_at in zip(stones, (OLD, YOUNG), strict=True):
            erasing.mark_applied(connection, [stone.token], now=applied_at)
    clean(settings, workdir)
    with reading(engine) as connection:
        assert ledger.list_days(connection) == days[1:]
        assert erasing.known_tokens(connection, "feed") == {stones[1].token}


def test_deletion_takes_the_post_its_quotations_and_every_draft_and_leaves_the_judgement(
    settings, workdir, lake, engine, make_screened
):
    gone, judged, kept = (make_screened(text, created_at=YOUNG) for text in ("gone", "judged", "kept"))
    ask(workdir, gone.post, judged.post, kept.post)
    clean(settings, workdir)
    derive(lake)
    queue(engine, settings, gone, judged, kept, judged={judged.post.post_id})
    begin(engine, "run-1", YOUNG, runs.FAILED)
    with writing(engine) as connection:
        versions = Versions("0.1", "m", "1", "c", "0")
        rows = [quoted(screened.post.post_id, None) for screened in (gone, judged, kept)]
        results.replace_results(connection, "run-1", [], rows, versions)
        for screened in (gone, judged):
            stone = Tombstone(post_token(workdir.pseudonym_key(), screened.post.post_id), "feed", screened.post.post_id)
            erasing.add_tombstones(connection, [stone], now=NOW)
    (workdir.root / "drafts").mkdir()
    (workdir.root / "drafts" / "run-1.json").write_text("words of gone")
    counts = clean(settings, workdir)
    assert (counts["deletions"], counts["posts_deleted"], counts["posts"]) == (2, 2, 0)
    assert texts(lake) == ["kept"]
    assert ids_of(lake, "languages") == {kept.post.post_id}
    assert len(list(lake.stale("languages", "1"))) == 1
    assert list((workdir.root / "drafts").iterdir()) == []
    with reading(engine) as connection:
        assert [row.post_id for row in results.list_evidence(connection, "run-1")] == [kept.post.post_id]
        assert sorted(item.text for item in reviews.list_items(connection)) == ["", "kept"]
        assert len(reviews.list_decisions(connection)) == 1
        (entry,) = erasing.list_erasures(connection)
    assert (entry.source, entry.cause, entry.n_tombstones, entry.n_posts, entry.n_evidence) == (
        "feed",
        "deletion",
        2,
        2,
        2,
    )
    assert (entry.n_review_items, entry.n_review_texts) == (1, 1)


def test_deletion_reaches_pages_that_wait_to_be_merged(settings, workdir, lake, engine, make_post):
    gone, kept = make_post("gone", created_at=YOUNG), make_post("kept", created_at=YOUNG)
    ask(workdir, gone, kept)
    with writing(engine) as connection:
        stone = Tombstone(post_token(workdir.pseudonym_key(), gone.post_id), "feed", gone.post_id)
        erasing.add_tombstones(connection, [stone], now=NOW)
    pipeline_erasing.apply_tombstones(lake, engine, workdir, now=NOW)
    merge(lake, Spool(workdir.root / "spool"), chunk_posts=100)
    assert texts(lake) == ["kept"]


def test_deletion_of_a_post_that_is_not_here_is_settled_without_an_entry_in_the_log(settings, workdir, engine):
    with writing(engine) as connection:
        erasing.add_tombstones(connection, [tombstone_of_post(workdir.pseudonym_key(), "feed", "1")], now=NOW)
    assert clean(settings, workdir)["deletions"] == 1
    with reading(engine) as connection:
        assert erasing.pending_tombstones(connection) == []
        assert erasing.list_erasures(connection) == []


@pytest.mark.parametrize("step", ["remove_texts", "write_part", "mark_applied"])
def test_deletion_that_is_interrupted_is_done_by_the_next_pass(
    settings, workdir, lake, engine, make_post, monkeypatch, step
):
    gone, kept = make_post("gone", created_at=YOUNG), make_post("kept", created_at=YOUNG)
    ask(workdir, gone, kept)
    clean(settings, workdir)
    with writing(engine) as connection:
        stone = Tombstone(post_token(workdir.pseudonym_key(), gone.post_id), "feed", gone.post_id)
        erasing.add_tombstones(connection, [stone], now=NOW)
    owner = {"remove_texts": retention, "write_part": pipeline_erasing, "mark_applied": erasing}[step]

    def die(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(owner, step, die)
        with pytest.raises(KeyboardInterrupt):
            clean(settings, workdir)
    clean(settings, workdir)
    assert texts(lake) == ["kept"]
    with reading(engine) as connection:
        assert erasing.pending_tombstones(connection) == []

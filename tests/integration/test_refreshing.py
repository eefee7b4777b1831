"""Deletions and edits: what pages tell, what a refresh finds out, and that it is honoured everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from integration.collector import DAY, HOUR, NOW, Collector, counts, lemmy, rss, source, wordpress, youtube
from integration.sites import Answer, Asked, Feed, Lemmy, WordPress, Written, YouTube, as_json, serving
from screener.pipeline.erasing import DOUBTED_FROM
from screener.pipeline.refreshing import target_of
from screener.records import LanguageGuess, Versions
from screener.store import collecting, erasing, results, runs
from screener.store.layers import languages_table
from screener.store.spool import Spool

Over = Callable[..., Collector]
ALL = [f"post {number:02d}" for number in range(1, 11)]


# --- what pages tell


def test_post_that_a_page_says_is_deleted_goes_and_does_not_come_back(over: Over, forum: Lemmy) -> None:
    one = over(lemmy(forum))
    one.collect()
    forum.deleted = {3}
    one.now += HOUR
    assert counts(one.collect())["deleted_posts"] == 1
    assert one.texts == [f"post {n}" for n in (1, 2, 4, 5, 6)]
    forum.deleted = set()  # an index that goes on serving it
    one.now += HOUR
    assert counts(one.collect())["deleted_before"] == 1
    assert one.texts == [f"post {n}" for n in (1, 2, 4, 5, 6)]


def test_all_posts_of_an_author_go_with_the_account(over: Over, forum: Lemmy) -> None:
    one = over(lemmy(forum))
    one.collect()
    forum.deleted_authors = {1}
    one.now += HOUR
    one.collect()
    assert one.texts == [f"post {n}" for n in (2, 3, 5, 6)]
    forum.deleted_authors = set()
    one.now += HOUR
    one.collect()
    assert one.texts == [f"post {n}" for n in (2, 3, 5, 6)]


def test_nothing_points_at_what_was_deleted(over: Over, forum: Lemmy) -> None:
    one = over(lemmy(forum))
    one.collect()
    gone = next(post for post in one.posts if post.text == "post 3")
    forum.deleted = {3}
    one.now += HOUR
    one.collect()
    one.clean()
    (entry,) = one.read(erasing.list_erasures)
    assert (entry.source, entry.cause, entry.n_tombstones, entry.n_posts) == ("lemmy", "deletion", 1, 1)
    held = [path.read_bytes() for path in one.workdir.root.rglob("*") if path.is_file()]
    assert not any(gone.post_id.encode() in content or b"post 3" in content for content in held)
    assert not any(one.rows("SELECT * FROM tombstones WHERE post_id IS NOT NULL OR author IS NOT NULL"))


def test_deleted_post_that_a_killed_run_left_in_the_spool_stays_out_whichever_source_is_asked_next(
    over: Over, forum: Lemmy, site: WordPress
) -> None:
    one = over(lemmy(forum), wordpress(site))
    forum_alone, site_alone = ([found] for found in one.settings.sources)
    one.collect(only=forum_alone)
    gone = next(post for post in one.posts if post.text == "post 3")
    forum.deleted = {3}
    one.now += HOUR
    one.collect(only=forum_alone)
    one.clean()
    Spool(one.workdir.root / "spool").put([gone])  # served once more by a slow index, and the run was killed
    one.collect(only=site_alone)
    assert "post 3" not in one.texts


# --- a refresh: what it asks for


def refresh(one: Collector, **options: bool) -> dict[str, int]:
    """Counts of a housekeeping pass that first asks whether posts still stand."""
    return counts(one.clean(refresh=True, **options))


def numbers(asked: Asked) -> list[str]:
    """Posts that a WordPress site was asked about."""
    return asked.params.get("include", "").split(",")


def test_posts_that_stand_are_left_as_they_are(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    one.collect()
    before, posts = one.parts, one.posts
    site.take()
    one.now += DAY
    told = refresh(one)
    assert (told["refreshed"], told["found_gone"], told["deletions"]) == (10, 0, 0)
    assert (one.parts, one.posts) == (before, posts)
    assert [sorted(map(int, numbers(asked))) for asked in site.take()] == [list(range(1, 11))]


def test_each_post_has_its_day_within_the_time_that_the_source_gives(over: Over, site: WordPress) -> None:
    one = over(wordpress(site, refresh_days=5))
    one.collect()
    site.take()
    asked: Counter[str] = Counter()
    for _ in range(5):
        one.now += DAY
        refresh(one)
        asked.update(number for request in site.take() for number in numbers(request))
    assert asked == dict.fromkeys(map(str, range(1, 11)), 1)
    assert refresh(one, everything=True)["refreshed"] == 10


@pytest.mark.parametrize("values", [{"refresh_days": 0}, {"enabled": False}], ids=["cannot tell", "switched off"])
def test_source_that_cannot_tell_or_is_switched_off_is_not_asked(
    over: Over, site: WordPress, values: dict[str, object]
) -> None:
    one = over(wordpress(site))
    one.collect()
    one.change(**values)
    site.take()
    assert refresh(one, everything=True)["refreshed"] == 0
    assert site.take() == []


def test_feed_that_cannot_tell_is_not_asked_and_what_it_drops_is_no_deletion(over: Over, feed: Feed) -> None:
    one = over(rss(feed))
    one.collect()
    feed.entries.clear()
    feed.take()
    one.now += DAY
    refresh(one, everything=True)
    assert feed.take() == []
    one.collect()
    assert one.texts == ["entry a", "entry b"]


def test_batches_are_as_large_as_the_source_takes(over: Over) -> None:
    site = WordPress(page_size=100)
    site.posts = {number: Written(f"post {number}", NOW - number * HOUR) for number in range(1, 251)}
    with serving(site):
        one = over(wordpress(site))
        one.collect()
        site.take()
        one.now += DAY
        told = refresh(one)
        asked = [numbers(request) for request in site.take()]
    assert told["refreshed"] == 250
    assert sorted(len(batch) for batch in asked) == [50, 100, 100]
    assert len({number for batch in asked for number in batch}) == 250


def test_post_that_two_watches_found_goes_for_both_and_is_asked_for_once(over: Over, site: WordPress) -> None:
    places = [{"url": site.url}, {"url": site.url, "country": "ES", "sector": "vegetables"}]
    one = over(source("wordpress", *places))
    one.collect()
    assert len(one.posts) == 20
    site.take()
    del site.posts[5]
    one.now += DAY
    told = refresh(one)
    assert [len(numbers(asked)) for asked in site.take()] == [10]
    assert (told["found_gone"], told["posts_deleted"]) == (1, 2)
    assert "post 05" not in one.texts


# --- what it finds out


def test_deleted_post_leaves_lake_and_layers_evidence_queue_and_drafts_and_does_not_come_back(
    over: Over, site: WordPress
) -> None:
    one = over(wordpress(site, overlap_hours=48))
    one.collect()
    for part, fingerprint in list(one.lake.stale("languages", "1")):
        ids = one.lake.read("posts", part)["post_id"].to_pylist()
        one.lake.write(
            "languages", part, languages_table(ids, [LanguageGuess("en", 0.9, "test") for _ in ids]), fingerprint
        )
    gone = next(post for post in one.posts if post.text == "post 05")
    quote(one, gone.post_id, "post 05, quoted")
    (one.workdir.root / "drafts").mkdir()
    (one.workdir.root / "drafts" / "x.json").write_text("post 05 in a draft")
    record = site.posts.pop(5)
    one.now += DAY
    told = refresh(one)
    assert (told["found_gone"], told["deletions"], told["posts_deleted"]) == (1, 1, 1)
    assert one.texts == [text for text in ALL if text != "post 05"]
    assert gone.post_id not in str(one.rows("SELECT * FROM evidence"))
    assert list((one.workdir.root / "drafts").iterdir()) == []
    assert gone.post_id not in {
        i for p in one.lake.parts("languages") for i in one.lake.read("languages", p)["post_id"].to_pylist()
    }
    site.posts[5] = record
    assert counts(one.collect())["deleted_before"] == 1
    assert one.texts == [text for text in ALL if text != "post 05"]


def quote(one: Collector, post_id: str, text: str) -> None:
    """Evidence of a run that was published."""
    run = one.write(runs.begin_run, arguments="published", now=one.now)
    versions = Versions("0.1", "m", "1", "c", "0")
    row = results.EvidenceRow(post_id, "TH", "poultry", "en", "testimony", 0.9, text, {}, (), None, False)
    one.write(results.replace_results, run.run_id, [], [row], versions)


def test_words_that_were_erased_cannot_be_read_from_the_files_of_the_store(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    one.collect()
    for number, post in enumerate(one.posts):
        quote(one, post.post_id, f"words that were quoted {number} " * 20)
    site.posts.clear()
    one.now += DAY
    refresh(one)
    assert one.rows("SELECT * FROM evidence") == []
    held = {path.name: path.read_bytes() for path in one.workdir.root.glob("results.db*")}
    assert held
    assert not any(b"words that were quoted" in content for content in held.values())


def test_edited_post_replaces_its_version_and_its_layers_are_stale(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    one.collect()
    first = one.posts[4]
    site.posts[5] = replace(site.posts[5], text="post 05, edited")
    one.now += 5 * DAY
    refresh(one)
    assert one.texts == [*ALL[:4], "post 05, edited", *ALL[5:]]
    assert (
        replace(one.posts[4], text=first.text, collected_at=first.collected_at, edited_at=None, language_hint="en")
        == first
    )


def test_edited_post_keeps_what_only_its_target_could_tell(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    one.collect()
    site.posts[5] = replace(site.posts[5], text="post 05, edited")
    one.now += DAY
    refresh(one)
    assert {post.language_hint for post in one.posts} == {"en"}


def test_post_that_lost_its_text_is_gone(over: Over, site: WordPress) -> None:
    one = over(wordpress(site))
    one.collect()
    site.posts[5] = replace(site.posts[5], text="")
    one.now += DAY
    assert refresh(one)["posts_deleted"] == 1
    assert "post 05" not in one.texts


def test_account_that_is_found_gone_takes_posts_along_that_were_not_asked_for(over: Over, forum: Lemmy) -> None:
    one = over(lemmy(forum))
    one.collect()
    forum.deleted_authors = {1}
    forum.instead = lambda asked: Answer(status=500) if asked.params.get("id") == "4" else None
    one.now += DAY
    told = refresh(one)
    assert (told["found_gone"], told["posts_deleted"]) == (1, 2)
    assert one.texts == [f"post {n}" for n in (2, 3, 5, 6)]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=503), Answer(status=403), Answer(status=404), Answer(b"<html>hello</html>"), Answer(b"[{"),
        as_json({"posts": []}), as_json([{"id": 10_000, "title": {"rendered": "another"}}]), as_json([{"slug": "x"}]),
    ],
    ids=["down", "refused", "no API", "HTML", "cut", "another shape", "other posts", "ignores the question"],
)  # fmt: skip
def test_answer_that_is_not_about_the_posts_deletes_nothing(over: Over, site: WordPress, answer: Answer) -> None:
    one = over(wordpress(site))
    one.collect()
    site.instead = lambda asked: answer
    one.now += DAY
    report = one.clean(refresh=True)
    assert len(report.warnings) == 1
    assert report.warnings[0].startswith("wordpress: refresh: ")
    assert counts(report)["posts_deleted"] == 0
    assert one.texts == ALL


def test_one_batch_that_fails_costs_no_other(over: Over, forum: Lemmy) -> None:
    one = over(lemmy(forum))
    one.collect()
    del forum.posts[6], forum.posts[1]
    forum.instead = lambda asked: Answer(status=500) if asked.params.get("id") == "3" else None
    one.now += DAY
    report = one.clean(refresh=True)
    assert one.texts == [f"post {n}" for n in (2, 3, 4, 5)]
    assert (counts(report)["refreshed"], len(report.warnings)) == (5, 1)


def test_source_that_fails_again_and_again_is_left_alone(over: Over, forum: Lemmy) -> None:
    one = over(lemmy(forum), breaker_failures=3)
    one.collect()
    forum.take()
    forum.instead = lambda asked: Answer(status=403)
    one.now += DAY
    one.clean(refresh=True)
    assert len(forum.take()) == 3


def test_refresh_keeps_to_the_budget_of_a_run(over: Over, forum: Lemmy) -> None:
    one = over(lemmy(forum))
    one.collect()
    one.limit(max_requests_per_run=2)
    del forum.posts[1], forum.posts[2], forum.posts[3]
    forum.take()
    one.now += DAY
    report = one.clean(refresh=True)
    assert len(forum.take()) == 2
    assert any("limits.max_requests_per_run" in told for told in report.warnings)
    assert counts(report)["refreshed"] == 2


def test_units_of_a_refresh_count_towards_the_day(over: Over, videos: YouTube) -> None:
    one = over(youtube(videos, limits={"max_units_per_day": 10_000}))
    one.collect()
    spent = one.read(collecting.spent_units, "youtube", NOW.date())
    videos.take()
    videos.instead = lambda asked: as_json({"kind": "youtube#list", "items": []})
    one.now += HOUR
    refresh(one, everything=True)
    assert one.read(collecting.spent_units, "youtube", NOW.date()) == spent + len(videos.take())


# --- doubt


def many(over: Over, site: WordPress, n_posts: int) -> Collector:
    """A collector of a site with so many posts."""
    site.posts = {number: Written(f"post {number}", NOW - number * HOUR) for number in range(1, n_posts + 1)}
    one = over(wordpress(site))
    one.collect()
    one.now += DAY
    return one


@pytest.mark.parametrize("n_gone", [31, 60])
def test_more_than_half_gone_at_once_is_doubted_and_erases_nothing_unless_somebody_believes_it(
    over: Over, site: WordPress, n_gone: int
) -> None:
    one = many(over, site, 60)
    for number in range(1, n_gone + 1):
        del site.posts[number]
    report = one.clean(refresh=True)
    (told,) = report.warnings
    assert f"{n_gone} of 60 posts are said to be gone; nothing was erased" in told
    assert len(one.posts) == 60
    assert one.read(erasing.list_erasures) == []
    assert counts(one.clean())["posts_deleted"] == 0, "nor by the next pass"
    assert refresh(one, believe=True)["posts_deleted"] == n_gone
    assert len(one.posts) == 60 - n_gone


@pytest.mark.parametrize(("n_posts", "n_gone"), [(60, 30), (DOUBTED_FROM - 1, DOUBTED_FROM - 1)])
def test_half_of_many_or_all_of_a_few_are_erased_without_a_doubt(
    over: Over, site: WordPress, n_posts: int, n_gone: int
) -> None:
    one = many(over, site, n_posts)
    for number in range(1, n_gone + 1):
        del site.posts[number]
    report = one.clean(refresh=True)
    assert report.warnings == ()
    assert len(one.posts) == n_posts - n_gone


def test_edits_are_taken_from_an_answer_whose_deletions_are_doubted(over: Over, site: WordPress) -> None:
    one = many(over, site, 60)
    for number in range(2, 61):
        del site.posts[number]
    site.posts[1] = replace(site.posts[1], text="post 1, edited")
    refresh(one)
    assert len(one.posts) == 60
    assert "post 1, edited" in one.texts


def test_accounts_said_to_be_gone_are_doubted_too(over: Over, forum: Lemmy) -> None:
    forum.posts = {n: Written(f"post {n}", NOW - n * HOUR, author=n) for n in range(1, 51)}
    one = over(lemmy(forum))
    one.collect()
    forum.deleted_authors = set(range(1, 51))
    one.now += DAY
    report = one.clean(refresh=True)
    assert any("nothing was erased" in told for told in report.warnings)
    assert len(one.posts) == 50


def test_deletions_that_were_doubted_and_that_the_source_took_back_are_never_applied(over: Over, forum: Lemmy) -> None:
    forum.posts = {n: Written(f"post {n}", NOW - n * HOUR / 4) for n in range(1, 41)}
    one = over(lemmy(forum))
    one.collect()
    forum.deleted = set(range(1, 31))
    one.now += HOUR
    assert any("nothing was erased" in told for told in one.collect().warnings)
    forum.deleted = set()
    forum.posts |= {n: Written(f"post {n}", NOW + HOUR + n * HOUR / 60) for n in range(41, 91)}
    one.now += 2 * HOUR
    one.collect()
    assert len(one.posts) == 90


# --- several targets


def test_each_target_is_asked_for_its_own_posts(over: Over) -> None:
    here, there = WordPress(), WordPress()
    here.posts = {n: Written(f"here {n}", NOW - n * HOUR) for n in (1, 2)}
    there.posts = {n: Written(f"there {n}", NOW - n * HOUR) for n in (2, 3)}
    with serving(here, there):
        one = over(source("wordpress", here.url, there.url))
        one.collect()
        here.take(), there.take()
        del there.posts[2]
        one.now += DAY
        refresh(one)
        assert [sorted(numbers(asked)) for asked in here.take()] == [["1", "2"]]
        assert [sorted(numbers(asked)) for asked in there.take()] == [["2", "3"]]
    assert one.texts == ["here 1", "here 2", "there 3"]


def test_deletions_of_a_target_are_followed_after_another_was_taken_out(over: Over, forum: Lemmy) -> None:
    other = Lemmy()
    other.posts = {n: Written(f"other {n}", NOW - n * HOUR) for n in range(1, 9)}
    with serving(other):
        one = over(source("lemmy", forum.url, {"url": other.url, "country": "AE"}))  # a country whose posts come first
        one.collect()
        assert len(one.posts) == 14
        one.change(targets=one.settings.sources[0].targets[:1])  # type: ignore[union-attr]
        forum.posts.clear()
        one.now += DAY
        refresh(one)
    assert [text for text in one.texts if text.startswith("post")] == []


SITES = [
    "https://union.example", "https://union.example/blog", "https://other.example:8443", "http://plain.example",
    "https://without-permalinks.example/?rest_route=",
]  # fmt: skip


@pytest.mark.parametrize(
    ("native_id", "target"),
    [
        ("union.example/?p=1", SITES[0]),
        ("union.example/blog/?p=1", SITES[1]),
        ("other.example:8443/?p=1", SITES[2]),
        ("http://plain.example/post/1", SITES[3]),
        ("https://plain.example/post/1", SITES[3]),
        ("without-permalinks.example/?p=1", SITES[4]),
        ("union.example.org/?p=1", None),
        ("gone.example/?p=1", None),
        ("did:plc:abc", None),
    ],
)
def test_native_id_goes_to_the_target_whose_address_it_begins_with(native_id: str, target: str | None) -> None:
    assert target_of(native_id, SITES) == target


def test_native_id_finds_a_target_that_is_written_with_capitals() -> None:
    assert target_of("union.example/1", ["https://Union.example", "https://other.example"]) == "https://Union.example"


def test_native_ids_of_the_only_target_need_no_address() -> None:
    assert target_of("at://did:plc:abc/app.bsky.feed.post/1", ["https://api.example"]) == "https://api.example"
    assert target_of("1", []) is None

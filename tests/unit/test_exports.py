"""Exports of 4CAT and Zeeschuimer: invented files against goldens, and whatever else may stand in such a file.

Goldens are rewritten only by ``SCREENER_TEST_WRITE_GOLDENS=1 pytest tests/unit/test_exports.py``.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.export_shapes import SHAPES, Refused, value_at
from screener.collect.exports import READERS, Exported, read_4cat, read_zeeschuimer
from screener.collect.file_drop import Record, read_records
from screener.records import DiscardReason, Quarantined, RawPost
from screener.settings.sources import Export

FILES = Path(__file__).resolve().parents[1] / "sources" / "exports"
EXPORTS: dict[str, Export] = {
    path.name: "4cat" if path.name.startswith("4cat") else "zeeschuimer"
    for path in sorted(FILES.iterdir())
    if path.suffix in {".csv", ".ndjson"}
}
LINES: list[dict[str, Any]] = [
    json.loads(line) for line in (FILES / "zeeschuimer.ndjson").read_text(encoding="utf-8").splitlines()
]


def shown(record: Record) -> dict[str, object]:
    if isinstance(record, Quarantined):
        return {"line": int(record.where.rpartition(":")[2]), "refused": record.reason, "detail": record.detail}
    where, raw, platform = record
    said = {key: value for key, value in asdict(raw).items() if value is not None}
    return {"line": int(where.rpartition(":")[2]), "source": platform, **said}


@pytest.mark.parametrize("name", EXPORTS)
def test_export_is_read_as_its_golden_says(name: str) -> None:
    records = [shown(record) for record in read_records(FILES / name, EXPORTS[name], "research")]
    found = json.loads(json.dumps(records, default=lambda moment: moment.isoformat(), ensure_ascii=False))
    golden = FILES / f"{name}.expected.json"
    if os.environ.get("SCREENER_TEST_WRITE_GOLDENS"):
        golden.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(golden.read_text(encoding="utf-8"))


def post(found: Exported) -> RawPost:
    assert not isinstance(found, Refused)
    return found[1]


def row(**columns: object) -> dict[str, object]:
    return {"id": "CinventedA9", "body": "words", **columns}


def test_every_shape_is_shown_by_a_record_that_becomes_a_post() -> None:
    read = [line["source_platform"] for line in LINES if not isinstance(read_zeeschuimer(line), Refused)]
    assert set(read) == set(SHAPES)


@pytest.mark.parametrize("platform", ["facebook.com", "gab.com", "", None, 7, ["tiktok.com"]])
def test_unknown_platform_is_refused_by_name_and_told_which_have_readers(platform: object) -> None:
    found = read_zeeschuimer({"source_platform": platform, "data": {"id": "1"}})
    assert isinstance(found, Refused)
    assert found.reason is DiscardReason.BAD_ROW
    assert repr(platform) in found.detail
    assert "tiktok-comments" in found.detail


def test_what_not_everybody_could_see_is_refused() -> None:
    refused = [found.detail for found in map(read_zeeschuimer, LINES) if isinstance(found, Refused)]
    assert sum("not public" in detail for detail in refused) == 3


def test_facebook_as_a_browser_showed_it_is_refused_whether_in_a_group_or_not() -> None:
    """Its records don't tell friends-only posts from public ones."""
    found = read_4cat(row(is_in_group="no", url="https://www.facebook.com/invented/posts/CinventedA9"))
    assert isinstance(found, Refused)
    assert "Facebook" in found.detail


@pytest.mark.parametrize(
    ("platform", "closed"), [(name, path) for name, shape in SHAPES.items() for path in shape.closed]
)
def test_each_mark_of_a_closed_post_is_heeded(platform: str, closed: str) -> None:
    line = copy.deepcopy(
        next(x for x in LINES if x["source_platform"] == platform and not isinstance(read_zeeschuimer(x), Refused))
    )
    *above, last = closed.split(".")
    place = SHAPES[platform].unfold(line["data"])
    for key in above:
        if not isinstance(place.get(key), dict):
            place[key] = {}  # type: ignore[index]
        place = place[key]
    place[last] = True  # type: ignore[index]
    found = read_zeeschuimer(line)
    assert isinstance(found, Refused)
    assert "not public" in found.detail


def test_repost_gives_the_original_once_with_its_own_author() -> None:
    found = [read_zeeschuimer(line) for line in LINES]
    posts = {raw.native_id: raw for _, raw in (item for item in found if not isinstance(item, Refused))}
    assert posts["1886000000000000004"].author == "94"
    assert posts["DinventedT3"].author == "73"
    assert not {"1886000000000000003", "DinventedT2"} & set(posts)


def test_escapes_of_x_are_undone_once_and_its_long_posts_are_left_alone() -> None:
    texts = {
        post(found).native_id: post(found).text
        for line in LINES
        if not isinstance(found := read_zeeschuimer(line), Refused)
    }
    assert texts["1886000000000000001"] == "Fish & rice, every day <no overtime pay>"
    assert texts["1886000000000000002"] == "the long post begins, R&D &notes and all"


def test_time_of_a_linkedin_post_is_in_its_number() -> None:
    """The number and the time that Microsoft's documentation of LinkedIn's compliance events shows for one and the same act."""
    data = {"id": "urn:li:activity:6318971194909560123", "commentary": {"text": {"text": "words"}}}
    found = post(read_zeeschuimer({"source_platform": "linkedin.com", "data": data}))
    assert found.created_at == datetime.fromtimestamp(1506560133.674, UTC)


def test_same_post_through_both_tools_is_one() -> None:
    by_4cat = [r for name in EXPORTS if EXPORTS[name] == "4cat" for r in read_records(FILES / name, "4cat", "research")]
    by_zeeschuimer = read_records(FILES / "zeeschuimer.ndjson", "zeeschuimer", "research")
    first, second = (
        {
            (record[2], record[1].native_id, record[1].created_at)
            for record in records
            if not isinstance(record, Quarantined)
        }
        for records in (by_4cat, by_zeeschuimer)
    )
    assert {(source, native_id) for source, native_id, _ in first & second} == {
        ("tiktok", "7600000000000000001"),
        ("instagram", "CinventedA1"),
        ("douyin", "7580000000000000001"),
        ("x", "1886000000000000001"),
    }


@pytest.mark.parametrize("nothing", ["", "REDACTED", "[deleted]", "0", None, {"__missing": True, "value": ""}])
def test_what_exporters_write_for_nobody_is_not_taken_for_one_author(nothing: object) -> None:
    assert post(read_4cat(row(author=nothing, author_id=nothing))).author is None


def test_unix_time_goes_before_the_servers_own_zone() -> None:
    assert post(read_4cat(row(timestamp="2026-02-03 09:15:00", unix_timestamp="1770106500"))).created_at == datetime(
        2026, 2, 3, 8, 15, tzinfo=UTC
    )
    assert post(read_4cat(row(timestamp="2026-02-03 09:15:00"))).created_at == datetime(2026, 2, 3, 9, 15, tzinfo=UTC)


def test_missing_time_is_no_wrong_time() -> None:
    assert post(read_4cat(row(timestamp="undefined", unix_timestamp="undefined"))).created_at is None
    found = read_4cat(row(timestamp="soon"))
    assert isinstance(found, Refused)
    assert found.reason is DiscardReason.BAD_TIME


@pytest.mark.parametrize(
    ("columns", "platform"),
    [
        ({"url": "https://www.instagram.com/p/CinventedA9"}, "instagram"),
        ({"url": "https://www.instagram.com/p/Another"}, None),
        ({"link": "https://x.com/i/web/status/CinventedA9"}, "x"),
        ({"url": "https://x.com/1", "id": "1"}, None),
        ({"url": "https://forum.example/CinventedA9"}, None),
        (
            {"post_url": "https://www.tiktok.com/@a/video/7600000000000000001", "post_id": "7600000000000000001"},
            "tiktok",
        ),
        ({"subreddit": "invented", "url": "https://www.instagram.com/p/CinventedA9"}, "reddit"),
        ({"id": "at://did:plc:a/app.bsky.feed.post/b"}, "bluesky"),
        ({"url": ["https://x.com/CinventedA9"]}, None),
        ({}, None),
    ],
)
def test_platform_of_a_4cat_row_is_told_by_its_own_address_only(columns: dict[str, object], platform: str) -> None:
    found = read_4cat(row(**columns))
    assert not isinstance(found, Refused)
    assert found[0] == platform


def test_telegram_counts_messages_by_chat() -> None:
    chats = [post(read_4cat(row(id="5", chat=chat))).native_id for chat in ("one", "two")]
    assert chats == ["one/5", "two/5"]


def test_quarantine_of_an_export_keeps_no_author_address_or_id(tmp_path: Path) -> None:
    line = {
        "source_platform": "instagram.com",
        "source_platform_url": "https://www.instagram.com/real_handle",
        "item_id": "35_5100000001",
        "data": {"code": "C1", "user": {"username": "real_handle"}},
    }
    path = tmp_path / "export.ndjson"
    path.write_text(json.dumps(line))
    (entry,) = read_records(path, "zeeschuimer", "research")
    assert isinstance(entry, Quarantined)
    assert entry.reason is DiscardReason.NO_TEXT
    assert "real_handle" not in repr(entry)
    assert "5100000001" not in repr(entry)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["1770100000", "Tue Feb 03 08:15:00 +0000 2026", "Xxx 99", "urn:li:activity:99999999999999999999", "{"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place inside a JSON value."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


@st.composite
def spoilt_lines(draw: st.DrawFn) -> dict[str, Any]:
    """A good line in which one value became anything or went."""
    line = copy.deepcopy(draw(st.sampled_from(LINES)))
    *above, last = draw(st.sampled_from(list(places(line))))
    place: Any = line
    for key in above:
        place = place[key]
    if draw(st.booleans()):
        place[last] = draw(anything)
    else:
        del place[last]
    return line


@given(spoilt_lines())
def test_spoilt_line_becomes_a_post_or_a_reason_and_never_an_error(line: dict[str, Any]) -> None:
    found = read_zeeschuimer(line)
    assert found.detail if isinstance(found, Refused) else found[1].native_id and found[1].text.strip()


@given(
    st.sampled_from(sorted(READERS)),
    st.dictionaries(st.text(max_size=5), anything, max_size=3),
    st.dictionaries(
        st.sampled_from(
            [
                "id",
                "body",
                "data",
                "source_platform",
                "timestamp",
                "unix_timestamp",
                "author",
                "url",
                "chat",
                "__import_meta",
            ]
        ),
        anything,
        max_size=8,
    ),
)
def test_any_object_becomes_a_post_or_a_reason(tool: Export, other: dict[str, Any], known: dict[str, Any]) -> None:
    found = READERS[tool]({**other, **known})
    assert found.detail if isinstance(found, Refused) else found[1].native_id and found[1].text.strip()


@given(anything, st.lists(st.text(max_size=3), min_size=1, max_size=4).map(".".join))
def test_path_leads_somewhere_or_nowhere(record: object, path: str) -> None:
    value_at(record, path)

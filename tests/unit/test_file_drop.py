"""File drop: what is read, what is refused with its line and reason, and where a file ends."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from screener.collect import file_drop
from screener.collect.file_drop import is_readable_name, read_records
from screener.errors import ConfigError, ParseError
from screener.records import DiscardReason, Quarantined
from screener.settings import load_settings
from screener.settings.sources import ColumnMap, Export, FileSource

COLUMNS = ColumnMap(
    id="id", text="text", created_at="created_at", author="author", country="country", sector="sector", language="lang", url="url", source="platform"
)  # fmt: skip
GOOD = '{"id": 1, "text": "รอค่าแรงสามเดือน", "created_at": "2026-02-03", "author": "a1", "platform": "Some Forum"}\n'
CSV = 'id,text,author\n1,"first line\nsecond, line",a1\n2,mərhaba,\n'
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str, bytes], list[file_drop.Record]]:
    def run(name: str, data: bytes) -> list[file_drop.Record]:
        path = tmp_path / name
        path.write_bytes(data)
        return list(read_records(path, COLUMNS, "file-drop"))

    return run


def read_until_error(path: Path) -> tuple[list[file_drop.Record], str]:
    """The records before the file broke off, and what was wrong."""
    records: list[file_drop.Record] = []
    try:
        records.extend(read_records(path, COLUMNS, "file-drop"))
    except ParseError as error:
        return records, str(error)
    return records, "nothing"


Read = Callable[[str, bytes], list[file_drop.Record]]


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_jsonl_is_read_plain_and_packed(read: Read, packing: str, bom: bytes) -> None:
    records = read(
        f"posts.jsonl{packing}", PACK[packing](bom + GOOD.encode() + b"\n" + GOOD.replace("1", "2", 1).encode())
    )
    assert [record[1].native_id for record in records if not isinstance(record, Quarantined)] == ["1", "2"]
    where, raw, source = records[1]  # type: ignore[misc]
    assert where.endswith(":3")  # the blank line counts
    assert (raw.text, raw.author, source) == ("รอค่าแรงสามเดือน", "a1", "Some Forum")


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_csv_is_read_plain_and_packed(read: Read, packing: str, bom: bytes) -> None:
    first, second = read(f"posts.csv{packing}", PACK[packing](bom + CSV.encode()))
    assert first[1].text == "first line\nsecond, line"  # type: ignore[union-attr]
    assert (second[1].text, second[1].author) == ("mərhaba", None)  # type: ignore[union-attr]
    assert second[0].endswith(":4")  # type: ignore[union-attr]


def test_multi_frame_archives_are_read_to_their_end(read: Read) -> None:
    for packing in (".gz", ".zst"):
        assert len(read(f"posts.jsonl{packing}", PACK[packing](GOOD.encode()) * 3)) == 3


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        (b'{"id": 1, "text"', DiscardReason.NOT_JSON, "char 17"),
        (b'{"id": ' + b"1" * 5000 + b', "text": "x"}', DiscardReason.NOT_JSON, "limit"),
        (b"[" * 100_000, DiscardReason.NOT_JSON, "recursion"),
        (b'["id", "text"]', DiscardReason.NOT_AN_OBJECT, "got list"),
        (b"null", DiscardReason.NOT_AN_OBJECT, "NoneType"),
        (b'{"id": 1, "text": "caf\xe9"}', DiscardReason.NOT_UTF8, "byte 22"),
        (b'{"text": "x"}', DiscardReason.NO_ID, "'id'"),
        (b'{"id": " ", "text": "x"}', DiscardReason.NO_ID, "'id'"),
        (b'{"id": 1}', DiscardReason.NO_TEXT, "'text'"),
        (b'{"id": 1, "text": "  "}', DiscardReason.NO_TEXT, "'text'"),
        (b'{"id": 1, "text": 7}', DiscardReason.NO_TEXT, "not a string"),
        (b'{"id": 1, "text": "x", "created_at": "soon"}', DiscardReason.BAD_TIME, "'created_at'"),
        (b'{"id": 1, "text": "x", "created_at": NaN}', DiscardReason.BAD_TIME, "nan"),
        (b'{"id": 1, "text": "x", "created_at": "0001-01-01T00:00:00+14:00"}', DiscardReason.BAD_TIME, "is no moment in UTC"),
    ],
)  # fmt: skip
def test_bad_line_is_quarantined_with_number_and_reason_and_the_rest_is_read(
    read: Read, line: bytes, reason: DiscardReason, detail: str
) -> None:
    before, bad, after = read("posts.jsonl", GOOD.encode() + line + b"\n" + GOOD.encode())
    assert isinstance(bad, Quarantined)
    assert bad.where.endswith("posts.jsonl:2")
    assert (bad.reason, bad.source) == (reason, "file-drop")
    assert detail in bad.detail
    assert len(bad.excerpt) <= 120
    assert not isinstance(before, Quarantined)
    assert not isinstance(after, Quarantined)


def test_quarantine_keeps_no_author_and_no_address(read: Read) -> None:
    record = {
        "author": "real_handle",
        "screen_name": "Real Name",
        "url": "https://example.org/real_handle/1",
        "id": 1,
        "text": "",
    }
    (entry,) = read("posts.jsonl", json.dumps(record).encode())
    assert isinstance(entry, Quarantined)
    assert "eal" not in entry.excerpt
    (entry,) = read("posts.csv", b"author,id,text\nreal_handle,1\n")
    assert isinstance(entry, Quarantined)
    assert "eal" not in entry.excerpt


@pytest.mark.parametrize(
    ("row", "reason"),
    [(b"1,a,b,c", DiscardReason.BAD_ROW), (b"1", DiscardReason.BAD_ROW), (b"1,caf\xe9,", DiscardReason.NOT_UTF8)],
)
def test_bad_row_is_quarantined_with_line_and_the_rest_is_read(read: Read, row: bytes, reason: DiscardReason) -> None:
    bad, good = read("posts.csv", b"id,text,author\n" + row + b"\n2,fine,\n")
    assert isinstance(bad, Quarantined)
    assert bad.reason is reason
    assert bad.where.endswith("posts.csv:2")
    assert not isinstance(good, Quarantined)


@pytest.mark.parametrize("name", ["posts.csv", "posts.jsonl", "posts.ndjson", "posts.csv.gz", "posts.jsonl.zst"])
def test_empty_file_holds_no_records(read: Read, name: str) -> None:
    assert read(name, PACK[Path(name).suffix if Path(name).suffix in PACK else ""](b"")) == []


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("posts.jsonl", GOOD.encode("utf-16"), "is UTF-16; save it as UTF-8"),
        ("posts.csv", CSV.encode("utf-16"), "is UTF-16; save it as UTF-8"),
        ("posts.csv", b"id,body\n1,x\n", r"column 'text' \(mapped to text\) is missing; columns found: id, body"),
        ("posts.csv", b"\nid,text\n1,x\n", "column 'id' .* is missing"),
        ("posts.csv", b"id," + b"x" * 200_000 + b"\n1,x\n", "is not CSV .*field larger"),
        ("posts.jsonl.gz", GOOD.encode(), "damaged or cut short"),
        ("posts.jsonl.zst", GOOD.encode(), "damaged or cut short"),
        ("posts.xlsx", b"PK", "unknown kind of file; legal endings: .jsonl"),
    ],
)  # fmt: skip
def test_file_that_is_not_what_it_claims_is_refused(read: Read, name: str, data: bytes, problem: str) -> None:
    with pytest.raises(ParseError, match=problem) as caught:
        read(name, data)
    assert name in str(caught.value)


def test_missing_columns_are_listed_in_storable_text(read: Read) -> None:
    with pytest.raises(ParseError) as caught:
        read("posts.csv", b"id,t\xffext\n1,x\n")
    str(caught.value).encode()


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_truncated_archive_gives_its_good_records_first(tmp_path: Path, packing: str) -> None:
    lines = b"".join(GOOD.replace("1", str(number), 1).encode() for number in range(20_000))
    path = tmp_path / f"posts.jsonl{packing}"
    packed = PACK[packing](lines)
    path.write_bytes(packed[: len(packed) // 2])
    records, problem = read_until_error(path)
    assert "cut short" in problem
    assert 1_000 < len(records) < 20_000
    assert not any(isinstance(record, Quarantined) for record in records)


def test_missing_file_is_a_parse_error(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="No such file"):
        list(read_records(tmp_path / "gone.jsonl", COLUMNS, "file-drop"))


def test_over_long_line_is_quarantined_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_drop, "MAX_LINE_BYTES", 10_000)
    path = tmp_path / "posts.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for _ in range(100):
            stream.write(b"x" * 100_000)
        stream.write(b"\n" + GOOD.encode())
    tracemalloc.start()
    bad, good = list(read_records(path, COLUMNS, "file-drop"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(bad, Quarantined)
    assert (bad.reason, bad.where[-2:]) == (DiscardReason.TOO_LONG, ":1")
    assert good[0].endswith(":2")  # type: ignore[union-attr]
    assert peak < 1_000_000


def test_over_long_csv_line_ends_the_file_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_drop, "MAX_LINE_BYTES", 10_000)
    path = tmp_path / "posts.csv"
    path.write_bytes(b"id,text\n1,fine\n2," + b"x" * 5_000_000 + b"\n")
    tracemalloc.start()
    records, problem = read_until_error(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(records) == 1
    assert "posts.csv:3: line is longer than 10000" in problem
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("a.jsonl", True),
        ("A.CSV.GZ", True),
        ("b.ndjson.zst", True),
        ("c.txt", False),
        ("d.gz", False),
        ("e", False),
        ("csv", False),
    ],
)
def test_is_readable_name(name: str, readable: bool) -> None:
    assert is_readable_name(Path(name)) is readable


def test_old_mac_line_ends_are_read(read: Read) -> None:
    assert len(read("posts.csv", b"id,text\r1,one\r2,two\r")) == 2


def test_prefixed_stream_returns_its_head_in_pieces() -> None:
    stream = file_drop._Prefixed(b"ab", io.BytesIO(b"cdef"))
    buffer = bytearray(1)
    seen = b""
    while stream.readinto(buffer):
        seen += bytes(buffer)
    assert seen == b"abcdef"


@pytest.mark.parametrize("packing", PACK)
def test_export_of_a_tool_is_read_without_a_map(tmp_path: Path, packing: str) -> None:
    line = {"source_platform": "tiktok.com", "data": {"id": "7", "desc": "รอค่าแรง", "createTime": 1770100000}}
    path = tmp_path / f"export.ndjson{packing}"
    path.write_bytes(PACK[packing](json.dumps(line).encode() + b"\n{\n" + b'{"source_platform": "gab.com"}\n'))
    good, broken, unknown = read_records(path, "zeeschuimer", "research")
    assert not isinstance(good, Quarantined)
    assert (good[0][-2:], good[1].native_id, good[2]) == (":1", "7", "tiktok")
    assert isinstance(broken, Quarantined)
    assert (broken.reason, broken.source, broken.where[-2:]) == (DiscardReason.NOT_JSON, "research", ":2")
    assert isinstance(unknown, Quarantined)
    assert (unknown.reason, unknown.excerpt) == (DiscardReason.BAD_ROW, "{'source_platform': 'gab.com'}")


@pytest.mark.parametrize(
    ("layout", "data", "problem"),
    [
        ("4cat", b"id,text\n1,x\n", r"column 'body' \(mapped to text\) is missing; columns found: id, text"),
        ("4cat", b"id;body\n1;x\n", "column 'id' .* is missing; columns found: id;body"),
        ("zeeschuimer", b"id,body\n1,x\n", "zeeschuimer writes NDJSON; .* set format = '4cat'"),
    ],
)
def test_csv_that_is_no_export_of_the_tool_named_is_refused(
    tmp_path: Path, layout: Export, data: bytes, problem: str
) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(data)
    with pytest.raises(ParseError, match=problem):
        list(read_records(path, layout, "research"))


def test_bad_row_of_an_export_is_quarantined_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(b"id,body,author\n1,caf\xe9,real_handle\n2,short\n3,fine,a\n")
    not_utf8, short, good = read_records(path, "4cat", "research")
    assert isinstance(not_utf8, Quarantined)
    assert isinstance(short, Quarantined)
    assert (not_utf8.reason, short.reason) == (DiscardReason.NOT_UTF8, DiscardReason.BAD_ROW)
    assert "real_handle" not in not_utf8.excerpt + short.excerpt
    assert not isinstance(good, Quarantined)


@pytest.fixture
def config(tmp_path: Path, config_folder: Path) -> Path:
    return Path(shutil.copytree(config_folder, tmp_path / "config"))


def sources(config: Path, name: str, old: str, new: str) -> dict[str, FileSource]:
    file = config / "sources" / f"{name}.toml"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    return {source.name: source for source in load_settings(config).sources if isinstance(source, FileSource)}


def test_layout_is_the_map_or_the_tool(config: Path) -> None:
    found = sources(config, "research", 'format = "zeeschuimer"', 'format = "4cat"')
    assert found["research"].layout == "4cat"
    assert isinstance(found["file-drop"].layout, ColumnMap)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("research", 'format = "zeeschuimer"', 'format = "zeeschumer"', ["format", "'columns', '4cat' or 'zeeschuimer'"]),
        ("research", 'format = "zeeschuimer"', 'format = "columns"', ["columns", "is needed with format = 'columns'"]),
        ("file-drop", 'format = "columns"', 'format = "4cat"', ["columns", "has no use with '4cat'"]),
    ],
)  # fmt: skip
def test_wrong_format_names_file_key_and_legal_values(
    config: Path, name: str, old: str, new: str, said: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        sources(config, name, old, new)
    assert all(word in str(caught.value) for word in [f"{name}.toml", *said])

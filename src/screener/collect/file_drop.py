"""File drop: JSONL or CSV files, plain, gz or zst, that an operator or researcher put into a folder.

Platform: none; what other tools wrote (own crawls, Brandwatch) by a column map, 4CAT and Zeeschuimer by
:mod:`screener.collect.exports`.
Terms: those under which the files were made; the operator states them in the source's TOML ``note``.
Country, sector, language: by the column map, or fixed for the whole source in its TOML.
Known gaps: a file says nothing about what was not collected, so coverage counts it as one source.

Files are read as streams: memory does not grow with the file. A line that can't be read goes to quarantine with its
number; a file that is not what its name claims raises ``ParseError`` after the good records before that point.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

import zstandard

from screener.collect.export_shapes import Refused
from screener.collect.exports import CSV_COLUMNS, READERS
from screener.collect.normalise import parse_time
from screener.errors import ParseError
from screener.records import DiscardReason, Quarantined, RawPost
from screener.settings.sources import ColumnMap, Export

MAX_LINE_BYTES = 1_000_000
"""A post with all its fields is far under 100 kB; a longer line is a broken file, and reading it would eat memory."""
SUFFIXES = (".jsonl", ".ndjson", ".csv")
_COMPRESSED = (".gz", ".zst")
_EXCERPT = 120
_ZSTD_INPUT = 1024
"""Bytes decompressed at a time: even of a file made to explode they become no more than some 30 MB."""
_HARMLESS = ("source_platform", "timestamp", "body")
"""Keys of exports that quarantine may keep; ids are not among them, for Instagram's hold the author's."""
_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}

Layout = ColumnMap | Export
"""How a file's records are read: by a column map, or as a tool exports them."""
Record = tuple[str, RawPost, str | None] | Quarantined
"""Where it stood, the raw post, the source that the record itself names; or why it can't be read."""


def is_readable_name(path: Path) -> bool:
    """True for the file names that this connector reads."""
    return _kind(path) in SUFFIXES


def read_records(path: Path, layout: Layout, source: str) -> Iterator[Record]:
    """All records of one file, in order; raises ``ParseError`` where the rest of the file can't be read."""
    if not is_readable_name(path):
        raise ParseError(
            str(path), f"unknown kind of file; legal endings: {', '.join(SUFFIXES)}, each also with .gz or .zst"
        )
    reader = _read_csv if _kind(path) == ".csv" else _read_jsonl
    try:
        with _open(path) as stream:
            yield from reader(stream, path, layout, source)
    except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise ParseError(str(path), f"compressed data is damaged or cut short ({error})") from error
    except OSError as error:
        raise ParseError(str(path), f"can't be read ({error.strerror or error})") from error


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _open(path: Path) -> IO[bytes]:
    ending = path.suffix.lower()
    if ending == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if ending == ".zst":
        return io.BufferedReader(_ZstdFile(path))
    return path.open("rb")


def _read_jsonl(stream: IO[bytes], path: Path, layout: Layout, source: str) -> Iterator[Record]:
    for number, raw in _lines(stream):
        where = f"{path}:{number}"
        if number == 1:
            _refuse_foreign_encoding(raw, path)
        line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if len(line) > MAX_LINE_BYTES:
            yield _rejected(source, where, DiscardReason.TOO_LONG, f"line is longer than {MAX_LINE_BYTES} bytes", line)
        elif line.strip():
            yield _parse_line(line, where, layout, source)


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Numbered lines; of an over-long line only its first megabyte is kept in memory."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        yield number, line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE_BYTES + 1)


def _refuse_foreign_encoding(start: bytes, path: Path) -> None:
    for bom, name in _BOMS.items():
        if start.startswith(bom):
            raise ParseError(str(path), f"is {name}; save it as UTF-8")


def _parse_line(line: bytes, where: str, layout: Layout, source: str) -> Record:
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return _rejected(source, where, DiscardReason.NOT_UTF8, f"byte {error.start} is not UTF-8", line)
    except (ValueError, RecursionError) as error:  # ValueError: also numbers of over 4,300 digits, which Python refuses
        return _rejected(source, where, DiscardReason.NOT_JSON, str(error), line)
    if not isinstance(record, dict):
        return _rejected(
            source, where, DiscardReason.NOT_AN_OBJECT, f"a JSON object is needed, got {type(record).__name__}", line
        )
    return _to_record(record, where, layout, source)


def _read_csv(stream: IO[bytes], path: Path, layout: Layout, source: str) -> Iterator[Record]:
    head = stream.read(2)
    _refuse_foreign_encoding(head, path)
    rest = io.BufferedReader(cast("io.RawIOBase", _Prefixed(head, stream)))
    text = io.TextIOWrapper(rest, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.DictReader(_text_lines(text, path), restkey="__surplus__")
    try:
        if rows.fieldnames is None:
            return
        n_columns = len(rows.fieldnames)
        _require_columns(rows.fieldnames, layout, path)
        for row in rows:
            where = f"{path}:{rows.line_num}"
            if "__surplus__" in row or None in row.values():
                yield _rejected(
                    source, where, DiscardReason.BAD_ROW, f"{n_columns} columns expected", _shown(row, layout)
                )
            else:
                yield _to_record(row, where, layout, source)
    except csv.Error as error:
        raise ParseError(f"{path}:{rows.line_num}", f"is not CSV ({error})") from error


def _text_lines(text: io.TextIOWrapper, path: Path) -> Iterator[str]:
    """Lines of a CSV file; one that would eat memory ends the file, for where its record ends is not known."""
    number = 0
    while line := text.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise ParseError(f"{path}:{number}", f"line is longer than {MAX_LINE_BYTES} characters")
        yield line


def _require_columns(found: Sequence[str], layout: Layout, path: Path) -> None:
    if isinstance(layout, ColumnMap):
        needed: Sequence[str] = (layout.id, layout.text)
    elif layout in CSV_COLUMNS:
        needed = CSV_COLUMNS[layout]
    else:
        raise ParseError(str(path), f"{layout} writes NDJSON; its CSV has 4CAT's columns: set format = '4cat'")
    for key, column in zip(("id", "text"), needed, strict=True):
        if column not in found:
            names = ", ".join(found).encode("utf-8", "replace").decode()
            raise ParseError(str(path), f"column '{column}' (mapped to {key}) is missing; columns found: {names}")


class _ZstdFile(io.RawIOBase):
    """Zstandard frames, one after another; zstandard's own stream reader takes a file that was cut short for a whole one."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = False
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """The bytes put back first, then those of the stream."""
        while not self._ready:
            rest = b""
            if self._frame.eof:
                rest, self._begun = self._frame.unused_data, False
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            if not (data := rest or self._file.read(_ZSTD_INPUT)):
                if self._begun:
                    raise EOFError("the last frame has no end")
                return 0
            self._begun = True
            self._ready = memoryview(self._frame.decompress(data))
        piece = self._ready[: len(buffer)]
        buffer[: len(piece)] = piece
        self._ready = self._ready[len(piece) :]
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Prefixed(io.RawIOBase):
    """The stream with the bytes that were read off its start put back (compressed streams can't seek cheaply)."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head or self._stream.read(len(buffer))
        piece, self._head = data[: len(buffer)], data[len(buffer) :] if self._head else b""
        buffer[: len(piece)] = piece
        return len(piece)


def _to_record(record: Mapping[str, Any], where: str, layout: Layout, source: str) -> Record:
    if any(isinstance(item, str) and _has_escapes(item) for item in record.values()):
        told = "row holds bytes that are not UTF-8"
        return _rejected(source, where, DiscardReason.NOT_UTF8, told, _shown(record, layout))
    if isinstance(layout, ColumnMap):
        return _to_raw(record, where, layout, source)
    found = READERS[layout](record)
    if isinstance(found, Refused):
        return _rejected(source, where, found.reason, found.detail, _shown(record, layout))
    platform, raw = found
    return where, raw, platform


def _to_raw(record: Mapping[str, Any], where: str, columns: ColumnMap, source: str) -> Record:
    def reject(reason: DiscardReason, detail: str) -> Quarantined:
        return _rejected(source, where, reason, detail, _shown(record, columns))

    def value(column: str | None) -> str | None:
        found = record.get(column) if column else None
        return None if found is None or str(found).strip() == "" else str(found)

    native_id, text = value(columns.id), record.get(columns.text)
    if native_id is None:
        return reject(DiscardReason.NO_ID, f"'{columns.id}' is missing or empty")
    if not isinstance(text, str) or not text.strip():
        return reject(DiscardReason.NO_TEXT, f"'{columns.text}' is missing, empty or not a string")
    created = value(columns.created_at)
    try:
        created_at = parse_time(created) if created else None
    except (ValueError, OverflowError, OSError) as error:
        return reject(DiscardReason.BAD_TIME, f"'{columns.created_at}': {error}")
    raw = RawPost(
        native_id=native_id, text=text, created_at=created_at, author=value(columns.author), url=value(columns.url),
        country=value(columns.country), sector=value(columns.sector), language_hint=value(columns.language),
    )  # fmt: skip
    return where, raw, value(columns.source)


def _shown(record: Mapping[str, Any], layout: Layout) -> bytes:
    """What quarantine may keep of a record: never the author, the address, or a column nobody mapped."""
    mapped = ("id", "text", "created_at", "country", "sector", "language", "source")
    harmless = [getattr(layout, key) for key in mapped] if isinstance(layout, ColumnMap) else _HARMLESS
    return repr({column: record[column] for column in harmless if column and column in record}).encode(
        "utf-8", "replace"
    )


def _has_escapes(text: str) -> bool:
    """True if undecodable bytes were smuggled in as lone low surrogates (PEP 383)."""
    return any("\udc80" <= char <= "\udcff" for char in text)


def _rejected(source: str, where: str, reason: DiscardReason, detail: str, raw: bytes) -> Quarantined:
    return Quarantined(source, where, reason, detail, raw[: _EXCERPT * 4].decode("utf-8", "replace")[:_EXCERPT])

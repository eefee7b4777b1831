"""Pure: what the page of one cell shows, without markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from screener.records import Indicator, LabelShare
from screener.settings import Settings
from screener.store.results import EvidenceRow
from screener.words.language import Words

_TOPS = (0.25, 0.5, 0.75, 1.0)
"""Ends the axis of shares may have: round, so that pages can be compared by eye."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One label of the table: what it is called and its share."""

    share: LabelShare
    name: str
    violation: bool


@dataclass(frozen=True, slots=True)
class LabelTable:
    """Labels told of, largest share first; names of those told of by too few to show, and by nobody; end of the axis."""

    rows: tuple[LabelRow, ...]
    few: tuple[str, ...]
    zero: tuple[str, ...]
    top: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; ``labels`` names what it speaks for, empty for plain text."""

    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceCard:
    """One post as it is shown."""

    pieces: tuple[Piece, ...]
    language: str
    language_name: str
    voice: str
    week: str
    labels: tuple[str, ...]
    invented: bool


def label_table(indicator: Indicator, settings: Settings, words: Words) -> LabelTable:
    """Shares with names; a label unknown to the taxonomy (an older run) keeps its id."""
    entries = {entry.id: entry for entry in settings.labels}
    rows = []
    for share in indicator.labels:
        entry = entries.get(share.label)
        name = words.of(entry.name) if entry else share.label
        rows.append(LabelRow(share, name, entry.violation if entry else True))
    told = sorted((row for row in rows if row.share.share), key=lambda row: (-(row.share.share or 0.0), row.name))
    few = sorted(row.name for row in rows if row.share.suppressed)
    zero = sorted(row.name for row in rows if not row.share.suppressed and not row.share.share)
    highest = max((row.share.share_high or 0.0 for row in told), default=0.0)
    top = next(edge for edge in _TOPS if edge >= min(highest, 1.0))
    return LabelTable(tuple(told), tuple(few), tuple(zero), top)


def evidence_card(row: EvidenceRow, settings: Settings, words: Words) -> EvidenceCard:
    """A post with its marked passages and every name in the reader's language."""
    names = {entry.id: words.of(entry.name) for entry in settings.labels}
    spans = [(int(span["start"]), int(span["end"]), names.get(span["label"], span["label"])) for span in row.spans]
    voice = f"voice_{row.voice}"
    return EvidenceCard(
        pieces=mark_spans(row.text, spans), language=row.language, language_name=_sentence_case(words.language(row.language)),
        voice=words.text(voice) if words.has(voice) else row.voice, week=words.week(row.week),
        labels=tuple(sorted(names.get(label, label) for label in row.signals)), invented=row.invented,
    )  # fmt: skip


def _sentence_case(name: str) -> str:
    """Swedish writes languages in lower case, but not at the start of a line."""
    return name[:1].upper() + name[1:]


def mark_spans(text: str, spans: Sequence[tuple[int, int, str]]) -> tuple[Piece, ...]:
    """The text in pieces whose concatenation is the text; overlapping spans become one mark with all their labels.

    Joined rather than nested: cutting inside a cluster of Thai or Burmese signs would tear them apart on screen.
    """
    pieces: list[Piece] = []
    position = 0
    for start, end, labels in _joined(spans, len(text)):
        pieces += [Piece(text[position:start], ()), Piece(text[start:end], labels)]
        position = end
    pieces.append(Piece(text[position:], ()))
    return tuple(piece for piece in pieces if piece.text)


def _joined(spans: Sequence[tuple[int, int, str]], length: int) -> list[tuple[int, int, tuple[str, ...]]]:
    joined: list[tuple[int, int, tuple[str, ...]]] = []
    for start, end, label in sorted((max(s, 0), min(e, length), name) for s, e, name in spans):
        if start >= end:
            continue
        if joined and start < joined[-1][1]:
            first, last, labels = joined[-1]
            joined[-1] = (first, max(last, end), labels if label in labels else (*labels, label))
        else:
            joined.append((start, end, (label,)))
    return joined

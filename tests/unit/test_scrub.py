"""Scrubbing: what points at a person goes, a second pass finds nothing more, and spans stay within the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.scrub import scrub

FRAGMENTS = st.sampled_from(
    ["Mr Smith", "Mrs. O'Neil Åberg", "@ab", "@", "1234567", "+46 70-123 45 67", "A123456", "AB 1234567", "12345-1234567-1", "https://x.y/z", "www.",
     "a@b.cc", "[URL]", " ", "_", "5", "x", "Mr", "Dr", ".", "-", "(", "คนงาน", "工人", "\n", "e\u0301", "00", "[name]"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(FRAGMENTS, max_size=12).map("".join), st.text(max_size=40))


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("see https://example.org/u/somebody now", "see [link] now"),
        ("write to some.body+x@mail.example.org", "write to [mail]"),
        ("thanks @some_body!", "thanks [handle]!"),
        ("call +66 81 234 5678 or (02) 123-4567", "call [phone] or ([phone]"),
        ("passport AB1234567 is kept", "passport [document] is kept"),
        ("CNIC 35202-1234567-1", "CNIC [document]"),
        ("our boss Mr. Somchai Jaidee shouts", "our boss [name] shouts"),
        ("Encik Rahman tak bayar", "[name] tak bayar"),
        ("call 1234567Mr Smith", "call [phone][name]"),
        ("12345678A123456", "[phone][document]"),
        ("no pay for 3 months, 12 hours a day", "no pay for 3 months, 12 hours a day"),
        ("ไม่ได้รับค่าแรง 3 เดือน", "ไม่ได้รับค่าแรง 3 เดือน"),
        ("", ""),
    ],
)
def test_scrub_replaces_what_points_at_a_person(text: str, scrubbed: str) -> None:
    assert scrub(text).text == scrubbed


@given(TEXTS)
def test_scrub_is_idempotent(text: str) -> None:
    once = scrub(text).text
    assert scrub(once).text == once


@given(TEXTS, st.data())
def test_moved_spans_stay_within_the_text_and_in_order(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = scrub(text)
    new_start, new_end = found.move(start, end)
    assert 0 <= new_start <= new_end <= len(found.text)


@given(TEXTS)
def test_positions_outside_the_cuts_keep_their_character(text: str) -> None:
    found = scrub(text)
    cut = {position for start, end, _ in found.cuts for position in range(start, end)}
    for position in set(range(len(text))) - cut:
        start, end = found.move(position, position + 1)
        assert found.text[start:end] == text[position]


@given(TEXTS)
def test_whole_text_moves_to_the_whole_text(text: str) -> None:
    found = scrub(text)
    assert found.move(0, len(text)) == (0, len(found.text))


def test_span_that_touches_a_cut_covers_its_mark() -> None:
    found = scrub("ask @somebody about pay")
    start, end = found.move(6, 10)  # inside the handle
    assert found.text[start:end] == "[handle]"
    start, end = found.move(0, 6)
    assert found.text[start:end] == "ask [handle]"

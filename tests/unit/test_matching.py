"""Phrase matching: whole words in any script, at positions that count in the text as given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.matching import Match, PhraseIndex, blank_pipeline

PHRASES = {
    "wages": ["ค่าแรง", "ប្រាក់ខែ", "လုပ်ခ", "拖欠工资", "unpaid wages", "حقوق ندادن"],
    "passport": ["พาสปอร์ต", "លិខិតឆ្លងដែន", "ပတ်စ်ပို့", "护照", "my passport", "held my passport"],
}


@pytest.fixture(scope="module")
def index() -> PhraseIndex:
    return PhraseIndex(PHRASES)


@pytest.mark.parametrize(
    ("text", "phrase", "key"),
    [
        ("🙂 โรงงานไม่จ่ายค่าแรงสามเดือนแล้ว", "ค่าแรง", "wages"),
        ("นายจ้างยึดพาสปอร์ตของเรา", "พาสปอร์ต", "passport"),
        ("ខ្ញុំមិនទាន់បានប្រាក់ខែទេ", "ប្រាក់ខែ", "wages"),
        ("🙂🙂 គេដកហូតលិខិតឆ្លងដែនរបស់ខ្ញុំ", "លិខិតឆ្លងដែន", "passport"),
        ("စက်ရုံက လုပ်ခ မပေးဘူး", "လုပ်ခ", "wages"),
        ("သူဌေးက ပတ်စ်ပို့ သိမ်းထားတယ်", "ပတ်စ်ပို့", "passport"),
        ("老板拖欠工资三个月😡", "拖欠工资", "wages"),
        ("他们扣了我的护照。", "护照", "passport"),
        ("  Two months of UNPAID Wages, boss!", "UNPAID Wages", "wages"),
        ("mixed ไทย and unpaid wages and 工资", "unpaid wages", "wages"),
        ("كارفرما حقوق ندادن", "حقوق ندادن", "wages"),
    ],
)
def test_match_lies_where_the_phrase_stands(index: PhraseIndex, text: str, phrase: str, key: str) -> None:
    start = text.index(phrase)
    assert Match(key, start, start + len(phrase)) in index.find(text)


@pytest.mark.parametrize("text", ["myths of my passports", "unpaidwages", "unpaid, wages", "", "   ", "ค่า", "工资"])
def test_only_whole_phrases_match(index: PhraseIndex, text: str) -> None:
    assert index.find(text) == []


def test_matches_come_by_position_the_longest_first(index: PhraseIndex) -> None:
    text = "they held my passport and there are unpaid wages"
    assert [text[m.start : m.end] for m in index.find(text)] == ["held my passport", "my passport", "unpaid wages"]


@pytest.mark.parametrize("typed", ["can't pay", "can’t pay", "CAN'T PAY"])
def test_characters_that_keyboards_swap_are_the_same(typed: str) -> None:
    assert PhraseIndex({"low": ["can’t pay"]}).find(f"they {typed} us") == [Match("low", 5, 14)]


def test_find_many_answers_like_find_and_keeps_no_words(index: PhraseIndex) -> None:
    texts = [f"unheard-of-word-{number} unpaid wages" for number in range(50)]
    alone = [index.find(text) for text in texts]
    size = len(blank_pipeline().vocab.strings)
    assert list(index.find_many(f"never-seen-{number} unpaid wages" for number in range(50)))
    assert len(blank_pipeline().vocab.strings) == size
    assert list(index.find_many(texts)) == alone


def test_index_without_phrases_finds_nothing() -> None:
    assert PhraseIndex({"empty": []}).find("unpaid wages") == []


@given(st.text(max_size=60))
def test_tokens_put_together_are_the_text(text: str) -> None:
    assert blank_pipeline().make_doc(text).text == text


@given(before=st.text(st.characters(codec="utf-8", exclude_characters="'’"), max_size=20), after=st.text(max_size=20))
def test_positions_hold_behind_any_text(index: PhraseIndex, before: str, after: str) -> None:
    text = f"{before}\nunpaid wages\n{after}"
    start = text.index("unpaid wages")
    assert any((m.start, m.end) == (start, start + 12) for m in index.find(text))
    assert all(0 <= m.start < m.end <= len(text) for m in index.find(text))

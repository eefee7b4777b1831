"""Evidence: one span for each flagged label, in the text as given, from the lexicon or from the strongest clause."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.classify.evidence import Matrix, SignalLogits, find_evidence, split_clauses
from screener.classify.lexicon import Lexicon
from screener.records import Evidence
from screener.settings.schemas import LexiconFile

LABELS = ("wages", "passport", "hours")
TEXT = "🙂🙂 The boss came early. He keeps our passport here; we work fourteen hours. No pay yet!"
PUNCTUATED = st.text(st.sampled_from("aก的م👍. ,!?;:\n。，၊።…|–") | st.characters(exclude_categories=()), max_size=400)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    english = LexiconFile(language="en", work=("factory",), labels={"wages": ("unpaid wages", "wages")})
    thai = LexiconFile(language="th", work=("โรงงาน",), labels={"passport": ("ยึดพาสปอร์ต", "พาสปอร์ต")})
    return Lexicon([english, thai], LABELS)


def hears(*words: str) -> SignalLogits:
    """A model that hears each label in one word."""
    return lambda texts: np.array([[float(word in text) for word in words] for text in texts], dtype=np.float32)


def never(texts: Sequence[str]) -> Matrix:
    raise AssertionError(f"the model was asked about {texts}")


def spoken(text: str, spans: Sequence[Evidence]) -> dict[str, str]:
    return {span.label: text[span.start : span.end] for span in spans}


def clauses(text: str) -> list[str]:
    return [text[start:end] for start, end in split_clauses(text)]


@pytest.mark.parametrize(
    ("between", "parts"),
    [
        (" ", ["They don't pay us.", "Why?!", "We asked twice...", "No answer;", "The boss said:", "no money"]),
        ("", ["老板拖欠工资。", "护照也扣了！", "怎么办呢？", "没有人管，", "我们很累；", "想回家了"]),
        (" ", ["لم يدفعوا رواتبنا،", "أخذوا جوازاتنا؟", "نريد العودة"]),
        (" ", ["تنخواہ نہیں ملی۔", "پاسپورٹ لے لیا۔"]),
        (" ", ["ደሞዝ አልተከፈለንም።", "ፓስፖርታችንን ወሰዱ፤", "ደክሞናል"]),
        (" ", ["လုပ်ခ မပေးဘူး။", "ပတ်စ်ပို့ သိမ်းထားတယ်၊", "ပြန်ချင်တယ်"]),
        (" ", ["โรงงานไม่จ่ายค่าแรง นายจ้างยึดพาสปอร์ต…", "ทำไมล่ะ?", "อยากกลับบ้าน!"]),
        ("\n", ["โรงงานไม่จ่ายค่าแรง", "นายจ้างยึดพาสปอร์ต", "อยากกลับบ้าน"]),
        (" | ", ["No pay", "No rest", "No way out"]),
    ],
    ids=["en", "zh", "ar", "ur", "am", "my", "th", "th lines", "bars"],
)
def test_clauses_end_where_the_script_ends_them(between: str, parts: list[str]) -> None:
    found = clauses(between.join(parts))
    assert [clause.rstrip(" |") for clause in found] == parts


@pytest.mark.parametrize(
    "text",
    [
        "they cut 3.5 euros from us",
        "we work 10:30-22:30 without rest",
        "1,200 taka missing",
        "30.000 đồng",
        "see boss.example/pay?now",
        "ค่าแรง 3.5 บาท",
    ],
)
def test_marks_inside_numbers_and_names_end_nothing(text: str) -> None:
    assert clauses(text) == [text]


def test_full_stop_behind_a_number_ends_a_clause() -> None:
    assert clauses("They paid 3.5. We wanted 12:30.") == ["They paid 3.5.", "We wanted 12:30."]


def test_only_long_clauses_are_cut_at_commas_and_dashes() -> None:
    short = "we work all day, no pay - no rest"
    long = f"{short}, {'we are tired of it ' * 6}— we want to go"
    assert clauses(short) == [short]
    assert clauses(long) == [
        "we work all day,",
        "no pay -",
        "no rest,",
        f"{'we are tired of it ' * 6}—",
        "we want to go",
    ]


def test_pieces_of_three_characters_are_no_clauses() -> None:
    assert clauses("Ok. 55! They took our passports. So?") == ["They took our passports."]


@pytest.mark.parametrize("text", ["ok.", "?!", "555", "a? b", "累", ""])
def test_text_of_nothing_but_short_pieces_is_one_clause(text: str) -> None:
    assert clauses(text) == [text]


def test_first_sixteen_clauses_are_judged() -> None:
    assert clauses(" ".join(f"Clause {number}." for number in range(20))) == [f"Clause {n}." for n in range(16)]


@given(PUNCTUATED)
def test_clauses_lie_in_the_text_one_behind_the_other(text: str) -> None:
    found = split_clauses(text)
    edges = [edge for span in found for edge in span]
    assert 1 <= len(found) <= 16
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= len(text)
    assert all(start < end for start, end in found) or not text
    assert found == [(0, len(text))] or all(clause == clause.strip() for clause in clauses(text))


def test_strongest_clause_is_the_evidence(lexicon: Lexicon) -> None:
    (spans,) = find_evidence([TEXT], ["en"], [LABELS], lexicon, hears("No pay", "passport", "hours"))
    assert spoken(TEXT, spans) == {
        "wages": "No pay yet!", "passport": "He keeps our passport here;", "hours": "we work fourteen hours.",
    }  # fmt: skip
    assert {span.found_by for span in spans} == {"model"}


def test_first_of_equal_clauses_is_the_evidence(lexicon: Lexicon) -> None:
    text = "Good morning all. Nothing here. Nothing there."
    (spans,) = find_evidence([text], ["en"], [["hours"]], lexicon, hears("x", "x", "x"))
    assert spoken(text, spans) == {"hours": "Good morning all."}


def test_phrase_of_the_lexicon_beats_the_model(lexicon: Lexicon) -> None:
    text = "🙂 Hello my friends. There are unpaid wages.\n No wages, wages!"
    (spans,) = find_evidence([text], ["en"], [["wages", "hours"]], lexicon, hears("Hello", "Hello", "Hello"))
    start = text.index("unpaid wages")
    assert spans[0] == Evidence("wages", start, start + 12, "lexicon")
    assert (spans[1].found_by, text[spans[1].start : spans[1].end]) == ("model", "🙂 Hello my friends.")


def test_phrase_counts_in_its_own_language_only(lexicon: Lexicon) -> None:
    text = "สวัสดีทุกคน!\nนายจ้างยึดพาสปอร์ตของเรา"
    logits = hears("x", "สวัสดี", "x")
    thai, lao = find_evidence([text, text], ["th", "lo"], [["passport"], ["passport"]], lexicon, logits)
    assert (spoken(text, thai), thai[0].found_by) == ({"passport": "ยึดพาสปอร์ต"}, "lexicon")
    assert (spoken(text, lao), lao[0].found_by) == ({"passport": "สวัสดีทุกคน!"}, "model")


def test_spans_come_in_the_order_of_the_labels(lexicon: Lexicon) -> None:
    flagged = ["hours", "wages", "passport"]
    (spans,) = find_evidence([f"{TEXT} Unpaid wages!"], ["en"], [flagged], lexicon, hears("pay", "passport", "hours"))
    assert [span.label for span in spans] == flagged
    assert [span.found_by for span in spans] == ["model", "lexicon", "model"]


def test_evidence_stays_with_its_own_text(lexicon: Lexicon) -> None:
    texts = ["They have unpaid wages.", TEXT, "Nice day today. Nice.", TEXT]
    found = find_evidence(
        texts, ["en"] * 4, [[], ["hours"], [], ["passport"]], lexicon, hears("x", "passport", "hours")
    )
    assert [spoken(text, spans) for text, spans in zip(texts, found, strict=True)] == [
        {}, {"hours": "we work fourteen hours."}, {}, {"passport": "He keeps our passport here;"},
    ]  # fmt: skip


def test_model_is_asked_once_for_all_texts(lexicon: Lexicon) -> None:
    asked: list[Sequence[str]] = []

    def logits(texts: Sequence[str]) -> Matrix:
        asked.append(texts)
        return np.zeros((len(texts), len(LABELS)), dtype=np.float32)

    find_evidence(["One clause. Two clauses."] * 2, ["en"] * 2, [["wages"], LABELS], lexicon, logits)
    assert asked == [["One clause.", "Two clauses."] * 2]


@pytest.mark.parametrize(
    ("texts", "flagged"),
    [
        ([], []),
        (["Unpaid wages here. Nothing else."], [["wages"]]),
        (["a single clause"], [["hours", "passport"]]),
        (["One clause. Two clauses."], [[]]),
        ([""], [["hours"]]),
    ],
    ids=["no texts", "lexicon told all", "one clause", "nothing flagged", "empty text"],
)
def test_model_is_not_asked_where_it_decides_nothing(
    lexicon: Lexicon, texts: list[str], flagged: list[list[str]]
) -> None:
    found = find_evidence(texts, ["en"] * len(texts), flagged, lexicon, never)
    assert [[span.label for span in spans] for spans in found] == flagged


@given(
    text=st.text(st.sampled_from("aက的 ,.!\n。๙") | st.characters(codec="utf-8"), max_size=200),
    phrase=st.sampled_from(["", " unpaid wages. ", "\nยึดพาสปอร์ต\n"]),
    language=st.sampled_from(["en", "th", "my", "und"]),
    flagged=st.lists(st.sampled_from(LABELS), unique=True),
)
def test_every_flagged_label_has_one_span_in_the_text(
    lexicon: Lexicon, text: str, phrase: str, language: str, flagged: list[str]
) -> None:
    whole = f"{text}{phrase}"
    (spans,) = find_evidence([whole], [language], [flagged], lexicon, hears("a", "က", "的"))
    assert [span.label for span in spans] == flagged
    for span in spans:
        assert 0 <= span.start <= span.end <= len(whole)
        assert span.start < span.end or not whole


@given(cuts=st.lists(st.sampled_from(["No pay yet. ", "🙂 Hello! ", "နေကောင်းလား။ "]), max_size=3))
def test_spans_move_with_the_text_in_front_of_them(lexicon: Lexicon, cuts: list[str]) -> None:
    before = "".join(cuts)
    text = f"{before}He keeps our passport here.\nAll is well."
    (spans,) = find_evidence([text], ["en"], [["passport"]], lexicon, hears("x", "passport", "x"))
    assert (spans[0].start, spans[0].end) == (len(before), len(before) + 27)

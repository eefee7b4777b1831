"""Voices: copying a text or writing often adds none, and the order of posts changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.aggregate.voices import MIN_SHARED_LETTERS, group_voices, speaking_posts, text_key
from screener.records import ScreenedPost, Voice

LONG = (
    "they keep our passports in the office",
    "no pay for three months at the plant",
    "ไม่ได้รับค่าแรงมาสามเดือนแล้วทำยังไงดี",
    "工厂拖欠工资三个月了我们去讨薪没有人理",
)
SHORT = ("pay is low", "ok", "", "🙂")
ROWS = st.lists(
    st.tuples(st.sampled_from(LONG + SHORT), st.sampled_from([None, "a", "b", "c"]), st.sampled_from([(), ("low_pay",), ("deception", "low_pay")])),
    max_size=8,
)  # fmt: skip
Make = Callable[..., ScreenedPost]
Row = tuple[str, str | None, tuple[str, ...]]


def posts_of(make: Make, rows: Sequence[Row]) -> list[ScreenedPost]:
    return [
        make(text, author=author, labels=labels, name=str(number)) for number, (text, author, labels) in enumerate(rows)
    ]


@given(rows=ROWS, seed=st.randoms(use_true_random=False))
def test_grouping_is_free_of_order(make_screened: Make, rows: list[Row], seed: object) -> None:
    posts = posts_of(make_screened, rows)
    before = Counter(group_voices(posts))
    seed.shuffle(posts)  # type: ignore[attr-defined]
    assert Counter(group_voices(posts)) == before


@given(rows=ROWS, text=st.sampled_from(LONG), author=st.sampled_from([None, "a", "z"]))
def test_copying_a_text_adds_no_voice(make_screened: Make, rows: list[Row], text: str, author: str | None) -> None:
    original = [*rows, (text, "origin", ("low_pay",))]
    copied = [*original, (f"RT @someone: {text.upper()}!!! https://example.org/1", author, ())]
    assert len(group_voices(posts_of(make_screened, copied))) <= len(group_voices(posts_of(make_screened, original)))


@given(rows=ROWS, text=st.sampled_from(LONG + SHORT), author=st.sampled_from(["a", "b"]))
def test_repeating_an_author_adds_no_voice(make_screened: Make, rows: list[Row], text: str, author: str) -> None:
    original = [*rows, ("something long enough to be told apart", author, ())]
    repeated = [*original, (text, author, ("low_pay",))]
    assert len(group_voices(posts_of(make_screened, repeated))) <= len(group_voices(posts_of(make_screened, original)))


@given(rows=ROWS)
def test_voices_lose_no_post_and_no_label(make_screened: Make, rows: list[Row]) -> None:
    voices = group_voices(posts_of(make_screened, rows))
    assert sum(voice.n_posts for voice in voices) == len(rows)
    assert {label for voice in voices for label in voice.labels} == {label for _, _, labels in rows for label in labels}
    assert sum(voice.n_authors for voice in voices) == len({author for _, author, _ in rows if author})


def test_author_and_text_join_in_a_chain(make_screened: Make) -> None:
    rows = [(LONG[0], "a", ("low_pay",)), (LONG[0], "b", ()), (LONG[1], "b", ("deception",)), (LONG[2], "c", ())]
    voices = group_voices(posts_of(make_screened, rows))
    assert sorted(voice.n_posts for voice in voices) == [1, 3]
    assert {voice.labels for voice in voices} == {frozenset({"low_pay", "deception"}), frozenset()}


def test_short_texts_are_the_same_by_chance_only_where_authors_are_known(make_screened: Make) -> None:
    assert len(text_key("pay is low")) < MIN_SHARED_LETTERS
    assert len(group_voices(posts_of(make_screened, [("pay is low", "a", ()), ("pay is low", "b", ())]))) == 2
    assert len(group_voices(posts_of(make_screened, [("pay is low", None, ()), ("Pay is low!", None, ())]))) == 1


def test_adverts_and_irrelevant_posts_are_no_voices(make_screened: Make) -> None:
    posts = [make_screened(LONG[0], voice=Voice.ADVERT), make_screened(LONG[1], relevant=False), make_screened(LONG[2])]
    assert [post.post.text for post in speaking_posts(posts)] == [LONG[2]]
    assert len(group_voices(posts)) == 1
    assert group_voices([]) == []


def test_voice_is_positive_if_any_of_its_posts_is(make_screened: Make) -> None:
    (voice,) = group_voices([make_screened(LONG[0], name="1"), make_screened(LONG[0], name="2", positive=True)])
    assert voice.positive


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("No pay!! 3 months", "no PAY 5 months…"),
        ("＠boss No pay", "no pay https://t.example/abc"),
        ("@worker1 no pay [URL]", "no   pay"),
        ("ไม่จ่าย 123", "ไม่ จ่าย"),
    ],
)
def test_text_key_ignores_what_copies_change(one: str, other: str) -> None:
    assert text_key(one) == text_key(other)

"""Text out of HTML, and hashtags out of text: nothing that was written is lost, nothing that was not is added."""

from __future__ import annotations

import html
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.collect.text import find_tags, fold_tag, has_tag, html_to_text

WRITTEN = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=60)


def words(text: str) -> str:
    """The text with white space folded, as a reader sees it."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>first</p><p>second</p>", "first\n\nsecond"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("<h2>News</h2>text", "News\n\ntext"),
        ("<p>un<b>paid</b> <i>wages</i></p>", "unpaid wages"),
        ("<p>  many \n  spaces\t here </p>", "many spaces here"),
        ("wages &amp; hours &lt;none&gt; &#3588;&#3609;", "wages & hours <none> คน"),
        ("a&nbsp;b", "a b"),
        ("<p>see <a href='https://union.example/1'>our page</a></p>", "see our page"),
        ("<p>te<script>track()</script>xt<style>p{}</style></p><noscript>enable it</noscript>", "text"),
        ("<h1>Strike</h1>text<dl><dt>wage</dt><dd>unpaid</dd></dl>", "Strike\n\ntext\nwage\nunpaid"),
        ("<table><tr><th>wage</th><td>none</td></tr><tr><td>hours</td><td>14</td></tr></table>", "wage none\nhours 14"),
        ("a<!-- hidden -->b", "ab"),
        ("<p>open <b>and never closed", "open and never closed"),
        ("<p class='quote-inline'>RE: https://union.example/2</p><p>own words</p>", "own words"),
        ("", ""),
        ("<p></p>", ""),
        ("line one\r\nline two\rline three", "line one\nline two\nline three"),
        ("a\n\n\n\n\nb", "a\n\nb"),
    ],
)
def test_html_becomes_what_a_reader_sees(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


def test_words_of_others_are_marked_as_quoted() -> None:
    quoted = html_to_text("<p>mine</p><blockquote><p>theirs</p><p>too</p></blockquote><p>mine again</p>")
    assert quoted == "mine\n\n> theirs\n\n> too\n\nmine again"
    assert html_to_text("<blockquote>b<blockquote>a</blockquote></blockquote>") == "> b\n\n> a"


@given(WRITTEN)
def test_what_was_escaped_comes_back_as_it_was_written(text: str) -> None:
    assert words(html_to_text(f"<p>{html.escape(text)}</p>")) == words(text)


@given(WRITTEN.filter(lambda text: not set("<&") & set(text)))
def test_text_that_never_was_html_keeps_its_characters(text: str) -> None:
    assert words(html_to_text(text)) == words(text)
    assert html_to_text(html_to_text(text)) == html_to_text(text)


@pytest.mark.parametrize("text", ["I <3 this job", "3 < 5", "Q&A", "wages & hours"])
def test_stray_signs_are_no_markup(text: str) -> None:
    assert html_to_text(text) == text


@pytest.mark.parametrize("text", ["می‌خواهم", "ශ්‍රී", "ကမ္ဘာ", "👩‍🏭"])
def test_joiners_that_scripts_need_stay(text: str) -> None:
    assert html_to_text(f"<p>{text}</p>") == text


@given(WRITTEN)
def test_any_markup_becomes_some_text(markup: str) -> None:
    html_to_text(f"<p>{markup}<b>&{markup};</b>")


def test_nesting_without_end_is_read_all_the_same() -> None:
    assert html_to_text("<div>" * 5_000 + "deep" + "</div>" * 5_000).strip("> \n") == "deep"
    assert "deep" in html_to_text("<blockquote>" * 500 + "deep")


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#strike at the plant #UnpaidWages.", {"strike", "unpaidwages"}),
        ("#শ্রমিক #แรงงาน #အလုပ်သမား #श्रमिक", {"শ্রমিক", "แรงงาน", "အလုပ်သမား", "श्रमिक"}),
        ("＃罢工 #讨薪#工厂", {"罢工", "讨薪", "工厂"}),
        ("#unpaid_wages #8march #می‌خواهم", {"unpaid_wages", "8march", "می‌خواهم"}),
        ("#strike's #strike-now (#strike)", {"strike"}),
        ("no tag, # alone, ## twice #", set()),
    ],
)
def test_tags_are_found_whole(text: str, tags: set[str]) -> None:
    assert find_tags(text) == tags


def test_a_tag_is_not_cut_at_a_combining_mark_as_servers_do() -> None:
    assert has_tag("ধর্মঘট #শ্রমিক", "শ্রমিক")
    assert not has_tag("#শ্রমিক", "শ")


def test_a_longer_tag_is_another_tag() -> None:
    assert not has_tag("#strikers", "strike")
    assert not has_tag("strike without the sign", "strike")
    assert not has_tag("#strike", "")


LETTERS = st.text(st.characters(categories=("L", "M", "N")), min_size=1, max_size=12)


@given(LETTERS, st.sampled_from(["NFC", "NFD"]))
def test_a_tag_is_known_again_in_any_normal_form(tag: str, form: str) -> None:
    written = unicodedata.normalize(form, tag)
    assert has_tag(f"we strike #{written}, all of us", tag)
    assert has_tag(f"#{tag}", f"#{written}")


@pytest.mark.parametrize("tag", ["Löhne", "ЗАРПЛАТА", "μισθός", "Straße", "ŁÓDŹ"])
def test_a_tag_is_known_again_in_any_case(tag: str) -> None:
    assert has_tag(f"#{tag.upper()}", tag)
    assert has_tag(f"#{tag}", tag.upper())
    assert has_tag(f"#{tag.lower()}", tag)


@pytest.mark.parametrize(
    ("written", "tag"), [("#İşçi", "işçi"), ("#İSTANBUL", "istanbul"), ("#IŞIK", "ışık"), ("#ISPARTA", "ısparta")]
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_turkish_capitals_are_the_same_tag(written: str, tag: str, form: str) -> None:
    assert has_tag(unicodedata.normalize(form, written), tag)
    assert has_tag(f"#{tag}", unicodedata.normalize(form, written))


@given(WRITTEN)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_tag(fold_tag(text)) == fold_tag(text)

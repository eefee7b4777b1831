"""The report: a sound HTML page with the errors to read, their texts scrubbed and escaped."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from screener.classify.evaluate import evaluate
from screener.classify.labelled import LabelledPost
from screener.classify.lexicon import Lexicon
from screener.classify.report import write_report
from screener.records import Classification, Voice
from screener.settings.schemas import LexiconFile

VOID = {"meta", "br", "hr", "img", "link", "input"}
LABELS = ("a",)
LEXICON = Lexicon([LexiconFile(language="en", work=("factory",), labels={"a": ("locked gates", "pay & rest")})], LABELS)


class Page(HTMLParser):
    """Reads a page: tags that do not balance, and the cells and paragraphs under each heading."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[str] = []
        self.heading = ""
        self.cells: dict[str, list[str]] = {}
        self.texts: dict[str, str] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag in {"h1", "h2"}:
            self.heading = ""
        if tag == "td":
            self.cells.setdefault(self.heading, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"h1", "h2"}:
            self.heading += data
        elif self.open and self.open[-1] == "td":
            self.cells[self.heading][-1] += data
        elif self.open and self.open[-1] == "p":
            self.texts[self.heading] = self.texts.get(self.heading, "") + data


def labelled(relevant: bool, text: str = "wages are late", **values: object) -> LabelledPost:
    filled = {"language": "th", "source": "posts", "voice": Voice.TESTIMONY, "signals": (), "positive": False, **values}
    return LabelledPost("1", text, relevant=relevant, **filled)  # type: ignore[arg-type]


def answer(relevance: float, voice: Voice = Voice.TESTIMONY, flagged: tuple[str, ...] = ()) -> Classification:
    return Classification(relevance >= 0.5, relevance, voice, False, (("a", 0.0),), flagged, ())


def report(tmp_path: Path, *cases: tuple[LabelledPost, Classification], model: str = "signals/1@12345678") -> str:
    posts, answers = [post for post, _ in cases], [found for _, found in cases]
    path = tmp_path / "report.html"
    write_report(path, model, posts, answers, evaluate(posts, answers, LABELS), LEXICON)
    return path.read_text(encoding="utf-8")


MIXED = [
    (labelled(True), answer(0.9)), (labelled(False, "buy shoes"), answer(0.2)),
    (labelled(False, "buy hats", language="en", source="feed"), answer(0.6)), (labelled(False, "buy socks"), answer(0.8)),
    (labelled(True, "no pay", signals=("a",)), answer(0.3)), (labelled(True, "no rest"), answer(0.1)),
]  # fmt: skip
ALARMS, MISSES = "Surest false alarms", "Surest misses"
UNHEARD = "Lexicon phrases that the model does not follow"
VOICES = "Voice: true in rows, found in columns"


def test_page_is_well_formed(tmp_path: Path) -> None:
    html = report(tmp_path, *MIXED)
    page = Page(html)
    assert html.startswith('<!doctype html><html lang="en"><meta charset="utf-8">')
    assert (page.faults, page.open) == ([], [])
    assert {"title", "main", "svg", "table"} <= set(page.tags)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert (page.tags.count("h1"), page.tags.count("svg")) == (1, 2)


def test_errors_are_listed_surest_first(tmp_path: Path) -> None:
    page = Page(report(tmp_path, *MIXED))
    assert page.cells[ALARMS] == ["0.80", "th", "posts", "buy socks", "0.60", "en", "feed", "buy hats"]
    assert page.cells[MISSES] == ["0.10", "th", "posts", "no rest", "0.30", "th", "posts", "no pay"]
    assert [page.texts[heading] for heading in (ALARMS, MISSES)] == ["2 in all."] * 2


def test_no_more_than_forty_errors_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    page = Page(report(tmp_path, *MIXED, *[(labelled(False, f"text {n}"), answer(0.55)) for n in range(50)]))
    assert len(page.cells[ALARMS]) == 4 * 40
    assert page.texts[ALARMS] == "52 in all."


@pytest.mark.parametrize("relevant", [True, False])
def test_texts_are_escaped(tmp_path: Path, relevant: bool) -> None:
    text = "<script>alert('1')</script> & <b>bold"
    html = report(tmp_path, *MIXED, (labelled(relevant, text, source="<i>"), answer(0.1 if relevant else 0.95)))
    page = Page(html)
    assert "<script" not in html
    assert (page.faults, page.open) == ([], [])
    assert [text, "<i>"] == [cell for cell in page.cells[MISSES if relevant else ALARMS] if "<" in cell][::-1]


def test_model_name_is_escaped(tmp_path: Path) -> None:
    html = report(tmp_path, *MIXED, model="a<b>&c")
    assert (Page(html).faults, Page(html).open) == ([], [])
    assert html.count("a&lt;b&gt;&amp;c") == 2


@pytest.mark.parametrize("relevance", [0.95, 0.05])
@pytest.mark.parametrize(
    ("secret", "mark"),
    [("+95 9 123 456 789", "[phone]"), ("@worker_1", "[handle]"), ("https://a.example/x", "[link]"), ("Mr Somchai", "[name]")],
)  # fmt: skip
def test_texts_are_scrubbed(tmp_path: Path, relevance: float, secret: str, mark: str) -> None:
    html = report(tmp_path, *MIXED, (labelled(relevance < 0.5, f"call {secret} about pay"), answer(relevance)))
    assert secret not in html
    assert f"call {mark} about pay" in html


def test_long_texts_are_cut_after_scrubbing(tmp_path: Path) -> None:
    page = Page(report(tmp_path, *MIXED, (labelled(False, "x" * 295 + " +95 9 123 456 789"), answer(0.95))))
    assert page.cells[ALARMS][3] == "x" * 295 + " [pho"


def test_language_of_a_text_is_marked_up(tmp_path: Path) -> None:
    assert '<td lang="my" dir="auto">' in report(tmp_path, *MIXED, (labelled(True, "လစာ", language="my"), answer(0.1)))


def test_voices_are_counted(tmp_path: Path) -> None:
    page = Page(report(tmp_path, *MIXED, (labelled(True, voice=Voice.REPORT), answer(0.9, Voice.NONE))))
    counts = [int(cell) for cell in page.cells[VOICES]]
    assert len(counts) == len(Voice) ** 2
    assert counts == [6, 0, 0, 0, 0] + [0, 0, 0, 0, 1] + [0] * 15


@pytest.mark.parametrize("relevant", [True, False])
def test_posts_that_are_all_alike_make_a_page(tmp_path: Path, relevant: bool) -> None:
    html = report(tmp_path, *[(labelled(relevant), answer(p)) for p in (0.1, 0.6, 0.9)])
    page = Page(html)
    assert (page.faults, page.open) == ([], [])
    assert ("no relevant post" in html) is not relevant
    assert (ALARMS in page.cells, MISSES in page.cells) == (not relevant, relevant)


def test_right_answers_leave_no_errors(tmp_path: Path) -> None:
    page = Page(report(tmp_path, *MIXED[:2]))
    assert [page.texts[heading] for heading in (ALARMS, MISSES)] == ["0 in all."] * 2


def test_phrases_that_the_model_does_not_follow_are_listed(tmp_path: Path) -> None:
    page = Page(
        report(
            tmp_path,
            (labelled(True, "Locked gates at my factory", signals=("a",)), answer(0.9)),
            (labelled(False, "behind locked gates: a <tale>, call +95 9 123 456 789"), answer(0.1)),
            (labelled(True, "locked gates again", signals=("a",)), answer(0.9, flagged=("a",))),
            (labelled(True, "a factory"), answer(0.9)),
        )
    )
    assert (page.faults, page.open) == ([], [])
    assert page.cells[UNHEARD] == [
        "phrase", "a", "Locked gates", "Locked gates at my factory",
        "model", "a", "locked gates", "behind locked gates: a <tale>, call [phone]",
    ]  # fmt: skip
    assert page.texts[UNHEARD] == "2 in all; the model is right in 1."


def test_no_more_than_eighty_phrases_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    page = Page(report(tmp_path, *MIXED, *[(labelled(False, f"{n} locked gates"), answer(0.1)) for n in range(90)]))
    assert len(page.cells[UNHEARD]) == 4 * 80
    assert page.texts[UNHEARD] == "90 in all; the model is right in 90."


def test_phrases_are_escaped(tmp_path: Path) -> None:
    html = report(tmp_path, *MIXED, (labelled(False, "no pay & rest"), answer(0.1)))
    assert "<td>pay &amp; rest</td>" in html

"""Features, model folder and training of the language identifier. All texts here are invented."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screener.detect_language.clean import clean
from screener.detect_language.evaluate import Judged, LanguageScore
from screener.detect_language.features import Layout, featurise
from screener.detect_language.learn import learned_from, train_model
from screener.detect_language.material import (
    Example,
    corrected,
    fold,
    hinted_examples,
    labelled_examples,
    own_examples,
    parallel_examples,
    read_language,
)
from screener.detect_language.model import Table, key_of, load_model, log_softmax, save_model, tempering
from screener.detect_language.pool import PRIOR_ODDS, pool
from screener.detect_language.report import Measured, interval, languages_report
from screener.detect_language.scripts import SHARED
from screener.detect_language.train import cross_validate, fit_tables, prepare
from screener.errors import ModelError, ParseError
from screener.records import LanguageGuess

LAYOUT = Layout(grams=(6, 8, 10), words=8, pairs=6)
WORDS = {
    "sv": "jag har inte fått min lön den här månaden och chefen svarar inte på frågor om övertid eller semester",
    "es": "no me han pagado el sueldo de este mes y el jefe no contesta cuando le pregunto por las horas extra",
    "sw": "sijalipwa mshahara wangu wa mwezi huu na bosi hajibu maswali yangu kuhusu saa za ziada wala likizo",
}


def examples(kind="labelled"):
    found = []
    for language, text in WORDS.items():
        words = text.split()
        for number in range(30):
            picked = [words[(number * 7 + step * (number % 5 + 1)) % len(words)] for step in range(6)]
            found.append(Example(" ".join(picked), language, kind, f"{language}-{number}"))
    return found


TEXT = st.text("abc d\u0e01é9", max_size=30).map(clean)


@settings(deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=6))
def test_features_do_not_depend_on_the_batch(texts):
    together = featurise(texts, LAYOUT).toarray()
    alone = np.vstack([featurise([text], LAYOUT).toarray() for text in texts])
    assert np.array_equal(together, alone)


@settings(deadline=None)
@given(TEXT)
def test_features_have_unit_length_and_count_presence(text):
    row = featurise([text], LAYOUT)
    assert np.isclose(np.sqrt((row.data**2).sum()), 1.0)
    assert len(set(row.data.tolist())) == 1
    assert row.shape == (1, LAYOUT.width)


def test_features_tell_word_order_and_words_apart():
    same, other = featurise(["a b", "b a"], Layout((4,), 12, 12)), featurise(["a b", "a b"], Layout((4,), 12, 12))
    assert (same[0] != same[1]).nnz > 0
    assert (other[0] != other[1]).nnz == 0


def test_log_softmax_sums_to_one():
    shares = np.exp(log_softmax(np.array([[1.0, 2.0, 3.0], [500.0, -500.0, 0.0]])))
    assert np.allclose(shares.sum(axis=1), 1.0)


def test_short_texts_are_tempered():
    factors = tempering(
        featurise(["a", "lön", " ".join(WORDS["sv"].split() * 3)], Layout((10, 12, 14, 15, 15), 14, 12))
    )
    assert factors[0] < factors[1] < factors[2] == 1.0


def test_pool_moves_odds_by_no_more_than_the_stated_bound():
    table = fit_tables(prepare(examples()))["Latn"]
    texts = ["jag har inte", "el jefe no", "wangu wa mwezi"]
    without = pool("Latn", table, texts, [{}] * 3).log_shares
    shifted = pool("Latn", table, texts, [{"sw": 1.0}] * 3)
    column = shifted.languages.index("sw")
    gained = (shifted.log_shares[:, column] - shifted.log_shares[:, 0]) - (without[:, column] - without[:, 0])
    assert np.allclose(gained, np.log(PRIOR_ODDS), atol=1e-4)
    assert set(shifted.languages) == set(SHARED["Latn"])


def test_training_makes_a_model_that_loads_and_tells(tmp_path):
    folder = tmp_path / "languages" / "9"
    key = train_model(folder, examples(), [])
    model = load_model(folder)
    assert key == model.key == key_of(folder)
    assert key.startswith("languages/9@")
    table = model.tables["Latn"]
    shares = table.log_shares(["jag har inte fått lön", "no me han pagado", "sijalipwa mshahara"])
    assert [table.languages[column] for column in shares.argmax(axis=1)] == ["sv", "es", "sw"]
    assert model.meta["cross_validation"]["macro_f1"] > 0.9
    assert learned_from(folder, examples()) == 90
    assert learned_from(folder, [Example("något annat", "sv", "labelled")]) == 0
    assert "Model card: languages/9@" in (folder / "card.md").read_text(encoding="utf-8")


def test_quantised_weights_stay_close(tmp_path):
    tables = fit_tables(prepare(examples()))
    save_model(tmp_path / "m" / "1", tables, {})
    loaded = load_model(tmp_path / "m" / "1").tables["Latn"]
    scale = np.abs(tables["Latn"].weights).max(axis=0)
    assert (np.abs(loaded.weights - tables["Latn"].weights) <= scale / 127).all()


def test_model_that_was_changed_is_refused(tmp_path):
    folder = tmp_path / "m" / "2"
    save_model(folder, fit_tables(prepare(examples())), {})
    (folder / "weights.npz").write_bytes(b"x")
    with pytest.raises(ModelError, match="checksum"):
        load_model(folder)


@pytest.mark.parametrize(
    ("meta", "words"),
    [(None, "no model here"), ("{", "not a model description"), ('{"format": 99}', "model format 99")],
)
def test_model_folder_errors_say_what_to_do(tmp_path, meta, words):
    if meta is not None:
        (tmp_path / "meta.json").write_text(meta)
    with pytest.raises(ModelError, match=words):
        load_model(tmp_path)


def test_folds_keep_copies_together_and_apart_from_training():
    posts = [*examples(), *[Example(one.text.upper() + "!", one.language, one.kind) for one in examples()]]
    places = [set(fold_places) for fold_places, _ in cross_validate(posts, [])]
    assert sorted(place for fold_places in places for place in fold_places) == list(range(len(posts)))
    for place, one in enumerate(posts[: len(posts) // 2]):
        assert fold(one.text) == fold(posts[place + len(posts) // 2].text)
        assert any({place, place + len(posts) // 2} <= fold_places for fold_places in places)


def test_languages_with_few_examples_get_no_class():
    few = [Example("goeie more almal", "af", "labelled")] * 5
    assert "af" not in fit_tables(prepare([*examples(), *few]))["Latn"].languages


def test_labelled_posts_are_read_strictly(tmp_path):
    file = tmp_path / "posts.jsonl"
    file.write_text('{"id": "1", "text": "hej", "lang": "sv", "kind": "tweet"}\n{"text": "hej"}\n', encoding="utf-8")
    with pytest.raises(ParseError, match=r"posts.jsonl:2: .*lang"):
        labelled_examples(file)
    file.write_text('{"text": "hej", "lang": "klingon"}\n', encoding="utf-8")
    with pytest.raises(ParseError, match=r"posts.jsonl:1: .*klingon"):
        labelled_examples(file)
    file.write_text("[1]\n", encoding="utf-8")
    with pytest.raises(ParseError, match="object"):
        labelled_examples(file)


def test_hinted_posts_leave_out_copies_of_the_labelled(tmp_path):
    rows = [
        {"id": "1", "text": "@user Jag har inte fått min lön ännu, vad gör jag? [URL]", "lang_hint": "sv"},
        {"id": "2", "text": "något helt annat", "lang_hint": "sv"},
        {"id": "3", "text": "ingen antydan"},
        {"id": "4", "text": "o patrão não paga", "lang_hint": "pt-MZ"},
        {"id": "5", "text": "något helt annat!", "lang_hint": "sv"},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    without = [Example("Jag har inte fått min lön ännu, vad gör jag", "sv", "labelled")]
    found = hinted_examples(tmp_path, without=without)
    assert [(one.post_id, one.language) for one in found] == [("4", "pt"), ("2", "sv")]


def test_parallel_texts_are_cut_into_sentences(tmp_path):
    file = tmp_path / "parallel.jsonl"
    sentence = "Majikan mesti membayar gaji pekerja tepat pada masanya."
    row = {
        "topic": "pay",
        "ms": [f"{sentence} {sentence}"],
        "en": ["Employers must pay wages on time."] * 7,
        "aligned": {"ms": 1},
    }
    file.write_text(json.dumps(row), encoding="utf-8")
    found = parallel_examples(file, plenty=frozenset({"en"}))
    assert Counter(one.language for one in found) == {"ms": 2, "en": 2}


def test_corrections_replace_the_given_language(monkeypatch):
    monkeypatch.setattr("screener.detect_language.material.corrections", lambda: {"p1": "en", "p2": "und"})
    posts = [
        Example("hello", "de", "labelled", "p1"),
        Example("?!", "de", "labelled", "p2"),
        Example("hallo", "de", "labelled", "p3"),
    ]
    assert [one.language for one in corrected(posts)] == ["en", "de"]
    assert read_language(Example("shukran ktir", "ar", "labelled", "p9")) == "ar-Latn"
    assert read_language(posts[0]) == "en"


def test_own_posts_are_distinct_and_cover_what_real_sets_lack():
    posts = own_examples()
    languages = {one.language for one in posts}
    assert {"uz", "ps", "ku", "mr", "ceb", "ms", "ar-Latn", "ur-Latn"} <= languages
    assert len({(fold(one.text), one.language) for one in posts if one.text}) > 0.97 * len(posts)


def test_table_of_two_languages_has_a_column_for_each():
    two = [one for one in examples() if one.language != "sw"]
    table = fit_tables(prepare(two))["Latn"]
    assert isinstance(table, Table)
    assert table.languages == ("es", "sv")
    assert np.allclose(table.weights[:, 0], -table.weights[:, 1])


def test_report_shows_both_ways_of_counting():
    def one(post_id, given, read, guess, register):
        return Judged(post_id, given, read, register, "några ord om lön", LanguageGuess(guess, 0.9, "ngrams"))

    judged = [
        *(one(f"s{n}", "sv", "sv", "sv", "tweet") for n in range(25)),
        one("wrong", "sv", "en", "en", "tweet"),
        one("arz", "ar", "ar-Latn", "ar-Latn", "news headline"),
    ]
    own = Measured("screener", [post.guess.language for post in judged], 30_000.0)
    other = Measured("langdetect", ["no"] * len(judged), 600.0)
    text = languages_report(judged, own, [other], frozenset({"sv"}), "None of them is in the training set.")
    assert "| screener | 1.000 | 1.000 | 1.000 | 1.000 | 0.980 |" in text
    assert "| langdetect | 0.000 |" in text
    assert "| 50.0 |" in text
    assert "`wrong` sv -> en" in text
    assert "1 posts given as Arabic" in text
    assert "| **sv** | 25 | 1.000 | 1.000 | 1.000 |" in text


def test_interval_is_wide_for_few_posts():
    few, many = interval(LanguageScore("sv", 20, 1, 1, 0.95)), interval(LanguageScore("sv", 2000, 1, 1, 0.95))
    assert few[0] < many[0] < 0.95 < many[1] < few[1] <= 1

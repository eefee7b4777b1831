"""Known scores: what was said of training posts comes back by text, and no text is in the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.classify.known import KnownScores
from screener.errors import ModelError
from screener.model_files import text_hash

TEXTS = ("they keep our passports", "เงินเดือนไม่ออก", "nice weather")
LOGIT = st.floats(-60, 60, width=32)


def known(texts: tuple[str, ...] = TEXTS) -> KnownScores:
    logits = np.arange(4 * len(texts), dtype=np.float32).reshape(len(texts), 4)
    return KnownScores(tuple(text_hash(text) for text in texts), logits)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    known().save(tmp_path / "scores.npz")
    return tmp_path / "scores.npz"


@given(st.dictionaries(st.integers(0, 99).map(str).map(text_hash), st.tuples(LOGIT, LOGIT), min_size=1, max_size=8))
def test_scores_come_back_within_half_precision(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[str, tuple[float, float]]
) -> None:
    path = tmp_path_factory.mktemp("known") / "scores.npz"
    saved = KnownScores(tuple(rows), np.array(list(rows.values()), dtype=np.float32))
    saved.save(path)
    loaded = KnownScores.load(path)
    assert loaded.hashes == saved.hashes
    assert loaded.logits.dtype == np.float32
    np.testing.assert_allclose(loaded.logits, saved.logits, rtol=2**-11, atol=2**-25)


def test_file_holds_no_text(path: Path) -> None:
    with np.load(path) as stored:
        assert sorted(stored.files) == ["hashes", "logits"]
        assert stored["hashes"].shape == (3, 8)
        assert stored["logits"].dtype == np.float16


def test_row_is_of_the_text_without_outer_spaces() -> None:
    assert [known().row(text) for text in (*TEXTS, f" {TEXTS[1]}\n", "new")] == [0, 1, 2, 1, None]


def test_logits_are_in_the_order_of_the_texts() -> None:
    assert known().of([TEXTS[2], TEXTS[0], TEXTS[2]])[:, 0].tolist() == [8, 0, 8]
    assert known().of([]).shape == (0, 4)


def test_split_keeps_the_order() -> None:
    assert known().split(["new", TEXTS[2], TEXTS[0], "newer", TEXTS[1]]) == ([1, 2, 4], [0, 3])
    assert known().split([]) == ([], [])


@given(st.lists(st.sampled_from([*TEXTS, "new", "newer"])))
def test_split_puts_each_text_on_one_side(texts: list[str]) -> None:
    found, new = known().split(texts)
    assert sorted(found + new) == list(range(len(texts)))
    assert (found, new) == (sorted(found), sorted(new))
    assert len(known().of([texts[row] for row in found])) == len(found)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # numpy leaves the file open when it is no archive
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.99])
def test_truncated_file_is_refused(path: Path, kept: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    with pytest.raises(ModelError, match=r"scores\.npz: can't be read as arrays hashes, logits"):
        KnownScores.load(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="can't be read as arrays hashes, logits"):
        KnownScores.load(tmp_path / "scores.npz")


def test_file_without_logits_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "scores.npz", hashes=np.zeros((1, 8), dtype=np.uint8))
    with pytest.raises(ModelError, match="logits"):
        KnownScores.load(tmp_path / "scores.npz")


def test_pickled_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "scores.npz", hashes=np.array([{"a": 1}], dtype=object), logits=np.zeros((1, 4)))
    with pytest.raises(ModelError, match="can't be read as arrays hashes, logits"):
        KnownScores.load(tmp_path / "scores.npz")

"""The static student: averages worked out by hand, posts that do not touch each other, and files that come back."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.classify.student import TOKENS, Student
from screener.errors import ModelError


def student(**changed: Any) -> Student:
    """Two numbers a token, three inner ones; all scores below are sums of halves and quarters, so exact."""
    plain = {
        "tokens": [3, 5, 9], "vectors": [[1, 0], [0, 1], [-2, 2]], "counts": [1, 3, 1],
        "hidden": [[1, 0, -1], [0, 1, 1]], "hidden_bias": [0, 0.5, -1], "out": [2, -1, 4], "out_bias": 0.25,
    }  # fmt: skip
    kinds = {key: np.int32 if key == "tokens" else np.float32 for key in plain}
    return Student(**{key: np.array(value, dtype=kinds[key]) for key, value in (plain | changed).items()})


STUDENT = student()
SCORES = {(3,): 1.75, (5,): -1.25, (9,): 9.75, (3, 5): -0.5, (3, 9): 0.75, (5, 9): 1.5}
"""Of 3 and 5 together: 5 counts three times as much, so the mean is (1/4, 3/4); its inner numbers are 1/4, 5/4 and none
(under zero), and 2/4 - 5/4 + 1/4 = -1/2."""
NOTHING_KNOWN = -0.25
"""Of a mean of zeros: 2 x 0 - 1 x 0.5 + 0.25."""
POSTS = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=TOKENS + 20), min_size=1, max_size=12)


@pytest.mark.parametrize(("post", "score"), SCORES.items())
def test_score_is_what_it_is_by_hand(post: tuple[int, ...], score: float) -> None:
    assert STUDENT.scores([post]).tolist() == [score]


def test_posts_are_scored_in_their_order() -> None:
    assert STUDENT.scores(list(SCORES)).tolist() == list(SCORES.values())
    assert STUDENT.scores(list(SCORES)[::-1]).tolist() == list(SCORES.values())[::-1]


@pytest.mark.parametrize(
    "post",
    [[5, 3], [3, 5, 3, 5], [0, 3, 5], [3, 4, 5], [3, 5, 10], [250_001, 3, 2, 6, 5, 0]],
    ids=["turned", "twice", "below-all", "between", "above-all", "many"],
)
def test_order_of_words_and_unknown_tokens_say_nothing(post: list[int]) -> None:
    assert STUDENT.scores([post]).tolist() == [SCORES[3, 5]]


@pytest.mark.parametrize("unknown", [[0], [4, 4, 8], [250_001], [10] * 400])
def test_post_of_unknown_tokens_has_the_score_of_nothing_and_leaves_its_neighbours(unknown: list[int]) -> None:
    assert STUDENT.scores([unknown]).tolist() == [NOTHING_KNOWN]
    assert STUDENT.scores([[3], unknown, [5]]).tolist() == [SCORES[3,], NOTHING_KNOWN, SCORES[5,]]
    assert STUDENT.scores([unknown, [3, 5], unknown]).tolist() == [NOTHING_KNOWN, SCORES[3, 5], NOTHING_KNOWN]


def test_tokens_behind_the_limit_are_not_read() -> None:
    last = [4] * (TOKENS - 2) + [3, 5]
    assert STUDENT.scores([last, [*last, 9, 9, 9], [9]]).tolist() == [SCORES[3, 5], SCORES[3, 5], SCORES[9,]]
    assert STUDENT.scores([[4] * TOKENS + [3]]).tolist() == [NOTHING_KNOWN]


def test_token_that_counts_more_pulls_the_mean() -> None:
    even, heavy, light = (student(counts=[1, 1, count]).scores([[5, 9]])[0] for count in (1, 100, 0.01))
    assert light < even < heavy
    assert heavy == pytest.approx(SCORES[9,], abs=0.3)


def test_counts_at_their_least_are_still_weighed() -> None:
    assert student(counts=[2**-8, 3 * 2**-8, 2**-8]).scores(list(SCORES)).tolist() == list(SCORES.values())


@given(POSTS)
def test_score_of_a_post_depends_on_no_other(posts: list[list[int]]) -> None:
    together = STUDENT.scores(posts)
    assert together.shape == (len(posts),)
    assert together.tolist() == pytest.approx([STUDENT.scores([post])[0] for post in posts], abs=1e-5)
    assert STUDENT.scores(posts[::-1]).tolist() == pytest.approx(together[::-1].tolist(), abs=1e-5)


@given(POSTS)
def test_score_is_a_mean_over_known_tokens(posts: list[list[int]]) -> None:
    for post, found in zip(posts, STUDENT.scores(posts), strict=True):
        rows = [{3: 0, 5: 1, 9: 2}[token] for token in post[:TOKENS] if token in (3, 5, 9)]
        weights = STUDENT.counts[rows].astype(float)
        mean = np.average(STUDENT.vectors[rows], axis=0, weights=weights) if rows else np.zeros(2)
        inner = (mean @ STUDENT.hidden + STUDENT.hidden_bias).clip(min=0)
        assert found == pytest.approx(inner @ STUDENT.out + 0.25, abs=1e-4)


def test_no_posts_have_no_scores() -> None:
    assert STUDENT.scores([]).shape == (0,)


def arrays(one: Student) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(Student)}


def test_file_comes_back_rounded_to_half_precision_and_then_as_it_was(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0).normal(size=100).astype(np.float32)
    saved = student(
        tokens=[0, 7, 250_001], vectors=drawn[:12].reshape(3, 4), counts=np.exp(drawn[12:15]),
        hidden=drawn[15:35].reshape(4, 5), hidden_bias=drawn[35:40], out=drawn[40:45], out_bias=drawn[45],
    )  # fmt: skip
    saved.save(tmp_path / "first.npz")
    once = Student.load(tmp_path / "first.npz")
    once.save(tmp_path / "second.npz")
    twice = Student.load(tmp_path / "second.npz")
    assert once.tokens.tolist() == [0, 7, 250_001]
    for key, was in arrays(saved).items():
        found, again = getattr(once, key), getattr(twice, key)
        assert found.dtype == again.dtype == was.dtype
        assert found.tolist() == again.tolist() == (was if key == "tokens" else was.astype(np.float16)).tolist()
    posts = [[0, 7], [250_001, 5], [6]]
    assert once.scores(posts).tolist() == twice.scores(posts).tolist()
    assert once.scores(posts) == pytest.approx(saved.scores(posts), abs=0.02)


def test_rounded_student_scores_the_same_from_its_file(tmp_path: Path) -> None:
    STUDENT.save(tmp_path / "student.npz")
    assert Student.load(tmp_path / "student.npz").scores(list(SCORES)).tolist() == list(SCORES.values())


FOREIGN: dict[str, dict[str, Any]] = {
    "unsorted tokens": {"tokens": [3, 9, 5]},
    "token twice": {"tokens": [3, 3, 9]},
    "no tokens": {"tokens": [], "vectors": np.empty((0, 2)), "counts": []},
    "more tokens than vectors": {"tokens": [3, 5, 9, 11]},
    "tokens in two directions": {"tokens": [[3, 5, 9]]},
    "one token, no list": {"tokens": 3},
    "too few counts": {"counts": [1, 3]},
    "counts in a column": {"counts": [[1], [3], [1]]},
    "flat vectors": {"vectors": [1, 0, 2]},
    "one number for vectors": {"vectors": 1},
    "wider vectors": {"vectors": np.ones((3, 4))},
    "flat hidden": {"hidden": [1, 0]},
    "one number for hidden": {"hidden": 1},
    "too few biases": {"hidden_bias": [1, 0]},
    "too many outs": {"out": [1, 0, 1, 0]},
    "list for out_bias": {"out_bias": [0.25]},
    "objects": {"vectors": np.array([[None, 1]] * 3, dtype=object)},
    "words": {"out": np.array(["a", "b", "c"])},
}


def write(path: Path, **changed: Any) -> None:
    np.savez(path, **(arrays(STUDENT) | changed))


def test_file_that_the_refused_ones_differ_from_is_read(tmp_path: Path) -> None:
    write(tmp_path / "student.npz")
    assert Student.load(tmp_path / "student.npz").scores([[3]]).tolist() == [SCORES[3,]]


@pytest.mark.parametrize("changed", FOREIGN.values(), ids=FOREIGN)
def test_foreign_arrays_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    write(tmp_path / "student.npz", **changed)
    with pytest.raises(ModelError, match=r"student\.npz: "):
        Student.load(tmp_path / "student.npz")


@pytest.mark.parametrize("missing", list(arrays(STUDENT)))
def test_file_that_lacks_an_array_is_refused(tmp_path: Path, missing: str) -> None:
    np.savez(tmp_path / "student.npz", **{key: value for key, value in arrays(STUDENT).items() if key != missing})
    with pytest.raises(ModelError, match=missing):
        Student.load(tmp_path / "student.npz")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", pickle.dumps(arrays(STUDENT))], ids=["empty", "cut-short", "pickle"]
)
def test_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "student.npz").write_bytes(content)
    with pytest.raises(ModelError, match=r"student\.npz: "):
        Student.load(tmp_path / "student.npz")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"student\.npz: "):
        Student.load(tmp_path / "student.npz")


def test_bias_moves_all_scores_alike() -> None:
    moved = replace(STUDENT, out_bias=np.array(2.25, dtype=np.float32)).scores(list(SCORES))
    assert moved.tolist() == [score + 2 for score in SCORES.values()]


def test_post_without_tokens_takes_nothing_from_its_neighbours() -> None:
    alone = [float(STUDENT.scores([post])[0]) for post in ([], [5])]
    assert STUDENT.scores([[5], [], [5], []]).tolist() == pytest.approx([alone[1], alone[0]] * 2)

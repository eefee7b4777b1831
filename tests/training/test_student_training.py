"""The student learns what the full model says, from the words alone, and the same each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from screener.classify.encoder import Reader
from screener.classify.packaged import PackagedE5
from screener.classify.student import TOKENS, Student

pytestmark = pytest.mark.training
STREAM = [f"the {number}th match ended {number} to nil" for number in range(40)] + ["they did not pay our wages"] * 3
ARRAYS = ("tokens", "vectors", "counts", "hidden", "hidden_bias", "out", "out_bias")
WIDTH = 64


Fit = Callable[..., Student]


@pytest.fixture(scope="module")
def fit(packaged: PackagedE5) -> Fit:
    from screener.classify.student_training import fit_student

    def fitted(posts: Sequence[Sequence[int]], relevance: Sequence[float], **values: object) -> Student:
        return fit_student(posts, np.array(relevance, dtype=np.float64), packaged, **values)  # type: ignore[arg-type]

    return fitted


def is_sound(student: Student) -> bool:
    """All weights are finite, fit each other and are rounded to half precision."""
    parts = [getattr(student, key) for key in ARRAYS[1:]]
    shapes = len(student.tokens) == len(student.counts) and student.vectors.shape == (len(student.tokens), WIDTH)
    return shapes and all(
        part.dtype == np.float32 and np.isfinite(part).all() and (part == part.astype(np.float16)).all()
        for part in parts
    )


def test_student_learns_what_the_teacher_says(reader: Reader, fit: Fit) -> None:
    tokens = reader.tokenise(STREAM)
    student = fit(tokens * 8, [0.95 if "wages" in text else 0.05 for text in STREAM] * 8)
    learned = student.scores(tokens)
    assert learned[-3:].min() > learned[:-3].max()
    wages, match = student.scores(reader.tokenise(["nobody will pay wages", "a match that ended early"]))
    assert wages > match
    assert is_sound(student)


def test_student_becomes_as_sure_as_the_teacher(fit: Fit) -> None:
    posts, said = [[500, 501, 502], [600, 601], [500, 600]], [0.9, 0.2, 0.6]
    learned = fit(posts * 2000, said * 2000).scores(posts)
    assert 1 / (1 + np.exp(-learned)) == pytest.approx(said, abs=0.1)


def test_same_posts_give_the_same_student_whatever_was_drawn_before(reader: Reader, fit: Fit) -> None:
    import torch

    tokens = reader.tokenise(STREAM)
    said = np.linspace(0, 1, len(STREAM)).tolist()
    first = fit(tokens, said)
    torch.rand(7)
    again, other = fit(tokens, said), fit(tokens, said[::-1])
    assert [getattr(first, key).tolist() for key in ARRAYS] == [getattr(again, key).tolist() for key in ARRAYS]
    assert first.scores(tokens).tolist() != other.scores(tokens).tolist()


def test_fitted_student_scores_the_same_from_its_file(reader: Reader, fit: Fit, tmp_path: Path) -> None:
    tokens = reader.tokenise(STREAM)
    student = fit(tokens, np.linspace(0, 1, len(STREAM)).tolist())
    student.save(tmp_path / "student.npz")
    again = Student.load(tmp_path / "student.npz")
    assert [getattr(again, key).tolist() for key in ARRAYS] == [getattr(student, key).tolist() for key in ARRAYS]
    assert again.scores(tokens).tolist() == student.scores(tokens).tolist()


def test_tokens_of_fewer_than_three_posts_get_no_vector(fit: Fit) -> None:
    posts = [[900, 30], [30, 20], [20, 30, 700], [20, 700], [900, 900, 900]]
    assert fit(posts, [0.5] * 5).tokens.tolist() == [20, 30]


def test_tokens_behind_the_limit_are_not_learned(fit: Fit) -> None:
    assert fit([[20] * TOKENS + [30]] * 5, [0.5] * 5).tokens.tolist() == [20]


def test_post_of_rare_tokens_alone_is_taught_and_scored(fit: Fit) -> None:
    student = fit([[20], [20], [20, 21], [800, 801]], [0.9, 0.9, 0.9, 0.1])
    assert student.tokens.tolist() == [20]
    assert np.isfinite(student.scores([[800, 801], [20], [5]])).all()
    assert student.scores([[800, 801]]).tolist() == student.scores([[5]]).tolist()
    assert is_sound(student)


@pytest.mark.parametrize(
    ("posts", "known"),
    [
        ([[20]], [20]),
        ([[40, 20, 30, 20]], [20, 30, 40]),
        ([[20, 30], [30, 40]], [30]),
        ([list(range(5, 55))], list(range(5, 55))),
    ],
    ids=["one-token", "one-post", "two-posts", "tokens-below-width"],
)
def test_few_posts_and_few_tokens_can_be_fitted(fit: Fit, posts: list[list[int]], known: list[int]) -> None:
    student = fit(posts, [0.7] * len(posts))
    assert student.tokens.tolist() == known
    assert np.isfinite(student.scores(posts)).all()
    assert is_sound(student)


@pytest.mark.parametrize("said", [0.0, 1.0])
def test_teacher_that_says_the_same_of_all_posts_is_believed(fit: Fit, said: float) -> None:
    posts = [[20, n] for n in range(30, 60)] * 100
    assert ((fit(posts, [said] * len(posts)).scores(posts) > 0) == (said == 1)).all()


@pytest.mark.parametrize("n", [1, 511, 512, 513, 1300])
def test_progress_tells_each_post_of_each_epoch(fit: Fit, n: int) -> None:
    from screener.classify.student_training import EPOCHS

    told: list[tuple[str, int]] = []
    fit([[20, 21]] * n, [0.5] * n, progress=lambda what, done: told.append((what, done)))
    assert {what for what, _ in told} == {"teaching the gate"}
    assert sum(done for _, done in told) == EPOCHS * n

"""Folds: copies and translations stay together; a fit that was made of the same material is not made again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from screener.classify.folds import FoldStore, assign_folds
from screener.classify.labelled import LabelledPost
from screener.classify.packaged import PackagedE5
from screener.records import Voice

N_FOLDS = 4
FAMILIES = st.sampled_from(["", "f-1", "f-2", "f-3"])


def labelled(number: int, text: str, family: str = "", **values: Any) -> LabelledPost:
    post = LabelledPost(str(number), text, "th", "invented", True, Voice.TESTIMONY, ("a",), False, family)
    return replace(post, **values)


PLAIN = [
    labelled(n, f"text that no other post has, {n}", relevant=n % 2 == 0, source="invented" if n % 4 < 2 else "posts")
    for n in range(80)
]


def folds_of(*posts: LabelledPost) -> list[int]:
    """The folds of these posts among many others."""
    return assign_folds([*PLAIN, *posts], N_FOLDS)[len(PLAIN) :].tolist()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("wages are late", "wages are late"),
        ("wages are late", "WAGES are late!!"),
        ("wages are late", "“Wages”, are... late \n"),
        ("word " * 20 + "said the minister", "word " * 20 + "- read more"),
    ],
)
def test_copies_share_a_fold(one: str, two: str) -> None:
    for number in range(5):  # by chance they would share it once in four times
        first, second = folds_of(labelled(1, f"{number} {one}"), labelled(2, f"{number} {two}"))
        assert first == second


@given(st.lists(st.tuples(st.integers(0, 5), FAMILIES, st.booleans()), max_size=20))
def test_members_of_a_family_share_a_fold(drawn: list[tuple[int, str, bool]]) -> None:
    posts = [labelled(n, f"{n} text {text}", family, relevant=yes) for n, (text, family, yes) in enumerate(drawn)]
    folds = folds_of(*posts)
    for family in {post.family for post in posts} - {""}:
        assert len({fold for fold, post in zip(folds, posts, strict=True) if post.family == family}) == 1


def test_copy_of_a_family_member_shares_its_fold() -> None:
    for number in range(5):
        text = f"{number} wages are late"
        assert len(set(folds_of(labelled(1, text), labelled(2, text, "f-1"), labelled(3, "gaji", "f-1")))) == 1


def test_every_post_gets_one_fold() -> None:
    folds = assign_folds(PLAIN, N_FOLDS)
    assert folds.shape == (len(PLAIN),)
    assert np.bincount(folds).tolist() == [len(PLAIN) // N_FOLDS] * N_FOLDS


def test_folds_have_like_shares_of_relevant_and_of_real_posts() -> None:
    folds = assign_folds(PLAIN, N_FOLDS)
    for true in ([post.relevant for post in PLAIN], [post.source == "posts" for post in PLAIN]):
        assert np.bincount(folds[true]).tolist() == [10] * N_FOLDS


def test_folds_are_the_same_every_time() -> None:
    assert assign_folds(PLAIN, N_FOLDS).tolist() == assign_folds(list(PLAIN), N_FOLDS).tolist()


@dataclass(frozen=True)
class Recipe:
    """Stands for the one of ``finetune``, which needs PyTorch."""

    epochs: int = 3
    seed: int = 0

    def described(self) -> dict[str, float]:
        return asdict(self)


@dataclass
class Made:
    """What the fake fine-tuning was asked for."""

    weights: list[list[float]]
    fails: bool = False

    def fine_tune(self, posts: Sequence[LabelledPost], weights: list[float], *_: object) -> bytes:
        if self.fails:
            raise KeyboardInterrupt
        self.weights.append(weights)
        return f"graph {len(self.weights)}".encode()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    found = Made([])
    module = ModuleType("screener.classify.finetune")
    module.fine_tune = found.fine_tune  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return found


POSTS = [labelled(1, "one"), labelled(2, "two", relevant=False, signals=())]


def weigh_equally(posts: Sequence[LabelledPost]) -> NDArray[np.float64]:
    return np.ones(len(posts))


def graph(
    folder: Path, *, posts: Sequence[LabelledPost] = POSTS, labels: Sequence[str] = ("a", "b"),
    recipe: Recipe | None = None, weight: float = 1.0,
) -> tuple[bytes, list[tuple[str, int]]]:  # fmt: skip
    """The graph that a new store hands out, and the progress it told."""
    told: list[tuple[str, int]] = []
    store = FoldStore(folder, lambda posts: weight * weigh_equally(posts))
    packaged = cast("PackagedE5", None)
    made = store.graph(posts, labels, packaged, cast("Any", recipe or Recipe()), lambda what, n: told.append((what, n)))
    return made, told


def test_same_material_is_fitted_once(made: Made, tmp_path: Path) -> None:
    assert graph(tmp_path / "cache") == (b"graph 1", [])
    assert graph(tmp_path / "cache", posts=list(POSTS)) == (b"graph 1", [("fine-tuning", 3 * len(POSTS))])
    assert made.weights == [[1.0, 1.0]]
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".onnx"]


@pytest.mark.parametrize(
    "change",
    [
        {"posts": [POSTS[0], replace(POSTS[1], signals=("b",))]},
        {"posts": [POSTS[0], replace(POSTS[1], relevant=True)]},
        {"posts": [POSTS[0], replace(POSTS[1], positive=True)]},
        {"posts": [POSTS[0], replace(POSTS[1], voice=Voice.REPORT)]},
        {"posts": [POSTS[0], replace(POSTS[1], text="three")]},
        {"posts": POSTS[:1]},
        {"posts": POSTS[::-1]},
        {"labels": ("b", "a")},
        {"recipe": Recipe(seed=1)},
        {"weight": 2.0},
    ],
    ids=["signal", "relevant", "positive", "voice", "text", "fewer", "order", "labels", "recipe", "weight"],
)
def test_changed_material_is_fitted_again(made: Made, tmp_path: Path, change: dict[str, Any]) -> None:
    graph(tmp_path)
    assert graph(tmp_path, **change)[0] == b"graph 2"
    assert graph(tmp_path)[0] == b"graph 1"


def test_from_where_a_real_post_comes_changes_no_fit(made: Made, tmp_path: Path) -> None:
    one, other = ([POSTS[0], replace(POSTS[1], source=source)] for source in ("posts", "feed"))
    assert graph(tmp_path, posts=one)[0] == graph(tmp_path, posts=other)[0] == b"graph 1"


def test_fit_that_was_cut_short_leaves_nothing(made: Made, tmp_path: Path) -> None:
    made.fails = True
    with pytest.raises(KeyboardInterrupt):
        graph(tmp_path)
    made.fails = False
    assert list(tmp_path.iterdir()) == []
    assert graph(tmp_path)[0] == b"graph 1"

"""The wording: n-grams tell what they were taught, files come back as they went, and the blend touches relevance alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.classify.labelled import INVENTED, LabelledPost
from screener.classify.outputs import RELEVANT
from screener.classify.wording import Wording, blended, fit_wording
from screener.errors import ModelError
from screener.records import Voice

TOLD = ["our wages were not paid", "wages unpaid for months", "the boss keeps our wages", "no wages again"]
OTHER = ["what a goal last night", "the goal was offside", "goal of the season", "lovely goal again"]


def post(text: str, relevant: bool, source: str = "weibo") -> LabelledPost:
    return LabelledPost(text, text, "en", source, relevant, Voice.OPINION if relevant else Voice.NONE, (), False)


@pytest.fixture(scope="module")
def wording() -> Wording:
    return fit_wording([*(post(text, True) for text in TOLD), *(post(text, False) for text in OTHER)], np.ones(8))


def test_new_posts_are_told_by_their_words(wording: Wording) -> None:
    wages, goal = wording.scores(["still waiting for my wages", "that goal!!"])
    assert wages > 0 > goal


def test_a_post_s_weight_counts() -> None:
    posts = [post("the shift", True), post("the shift", False)]
    up, down = (fit_wording(posts, np.array(weights)).scores(["the shift"]) for weights in ([3.0, 1.0], [1.0, 3.0]))
    assert up > 0 > down


def test_style_of_invented_posts_does_not_speak_for_relevance() -> None:
    real = [post(text, relevant) for relevant, texts in ((True, TOLD), (False, OTHER)) for text in texts]
    styled = [post(f"dear diary, {text}", True, INVENTED) for text in TOLD]
    plain, odd = fit_wording([*real, *styled], np.ones(12)).scores(["the weather", "dear diary, the weather"])
    taken_for_real = [post(one.text, one.relevant) for one in styled]
    _, fooled = fit_wording([*real, *taken_for_real], np.ones(12)).scores(["the weather", "dear diary, the weather"])
    assert odd - plain < fooled - plain


@given(st.text(max_size=300))
def test_any_text_has_a_finite_score(wording: Wording, text: str) -> None:
    assert np.isfinite(wording.scores([text])).all()


def test_links_and_handles_say_nothing(wording: Wording) -> None:
    plain, linked = wording.scores(["no wages again", "@wages_goal no wages again https://example.org/goal"])
    assert plain == linked


def test_letters_behind_the_limit_are_not_read(wording: Wording) -> None:
    one, two = wording.scores(["goal " * 150 + "wages " * 5, "goal " * 150])
    assert one == two


@pytest.mark.parametrize("relevant", [True, False])
def test_posts_that_are_all_alike_can_be_fitted(relevant: bool) -> None:
    found = fit_wording([post(text, relevant, INVENTED) for text in TOLD], np.ones(4)).scores(["wages", "anything"])
    assert ((found > 0) == relevant).all()


def test_invented_posts_alone_keep_their_own_share() -> None:
    posts = [post(f"told {n}", n % 4 > 0, INVENTED) for n in range(40)]
    assert fit_wording(posts, np.ones(40)).scores(["told 9"])[0] > 0


def test_no_texts_have_no_scores(wording: Wording) -> None:
    assert wording.scores([]).shape == (0,)


def test_file_comes_back_as_it_was_saved(wording: Wording, tmp_path: Path) -> None:
    wording.save(tmp_path / "wording.npz")
    again = Wording.load(tmp_path / "wording.npz")
    assert again.scores([*TOLD, *OTHER]).tolist() == wording.scores([*TOLD, *OTHER]).tolist()


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"weights": np.zeros(3), "bias": np.float32(0)},
        {"weights": np.zeros(2**18)},
        {"weights": np.full(2**18, "x"), "bias": 0.0, "blend": 1.0},
    ],
)
def test_file_of_something_else_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    path = tmp_path / "wording.npz"
    np.savez(path, **arrays)
    with pytest.raises(ModelError, match=r"wording\.npz: "):
        Wording.load(path)


def test_blend_moves_relevance_alone_and_leaves_its_input() -> None:
    logits = np.arange(12, dtype=np.float32).reshape(2, 6)
    both = blended(logits, np.array([1.0, -2.0]), Wording(np.zeros(2**18, dtype=np.float32), 0.0, blend=0.5))
    moved = both - logits
    assert moved[:, RELEVANT] == pytest.approx([0.5, -1.0])
    assert not np.delete(moved, RELEVANT, axis=1).any()
    assert logits.tolist() == np.arange(12, dtype=np.float32).reshape(2, 6).tolist()

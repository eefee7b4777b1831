"""Training for real, on a handful of posts: PyTorch, quantised graphs, a model folder that loads. Run by `make test-train`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from screener.classify.classifier import Classifier
from screener.classify.folds import FoldStore
from screener.classify.gate_training import Material
from screener.classify.honest import evaluate_honestly
from screener.classify.labelled import INVENTED, LabelledPost, own_posts
from screener.classify.outputs import n_outputs
from screener.classify.packaged import PackagedE5
from screener.classify.train import FOLDS, post_weights, train_model
from screener.errors import UsageError
from screener.settings import Settings

pytestmark = pytest.mark.training
STREAM = [f"the {number}th match ended {number} to nil" for number in range(40)] + ["they did not pay our wages"] * 3


@pytest.fixture(scope="module")
def posts(settings: Settings) -> list[LabelledPost]:
    """Enough posts for every label to occur both ways."""
    return own_posts(settings.label_ids)[::40]


@pytest.fixture(scope="module")
def trained(posts: list[LabelledPost], settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from screener.classify.finetune import Recipe

    root = tmp_path_factory.mktemp("models")
    train_model(
        root / "signals" / "9", Material(posts, STREAM, ["en"] * len(STREAM)), labels=settings.label_ids,
        taxonomy_version=settings.taxonomy_version, recipe=Recipe(epochs=1), store=FoldStore(root / "cache", post_weights),
    )  # fmt: skip
    return root


def test_trained_model_loads_and_answers(trained: Path, posts: list[LabelledPost], settings: Settings) -> None:
    classifier = Classifier.from_settings(settings, trained / "signals" / "9")
    assert len(classifier.classify_many(STREAM, ["en"] * len(STREAM))) == len(STREAM)
    result = evaluate_honestly(classifier, posts)
    assert result.n_cross_validated == len(posts)
    share = sum(post.relevant for post in posts) / len(posts)
    assert result.average_precision > share + 0.1  # which is what scores by chance reach: something was learned


def test_interrupted_training_goes_on_from_its_fits(
    trained: Path, posts: list[LabelledPost], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from screener.classify import finetune

    def never(*_: object, **__: object) -> bytes:
        raise AssertionError("fitted again")

    assert len(list((trained / "cache").glob("encoder-*.onnx"))) == FOLDS + 1
    monkeypatch.setattr(finetune, "fine_tune", never)
    meta = train_model(
        trained / "signals" / "10", Material(posts, STREAM, ["en"] * len(STREAM)), labels=settings.label_ids,
        taxonomy_version=settings.taxonomy_version, recipe=finetune.Recipe(epochs=1), store=FoldStore(trained / "cache", post_weights),
    )  # fmt: skip
    assert meta.version == "10"


def test_same_seed_and_posts_give_the_same_graph(posts: list[LabelledPost], settings: Settings) -> None:
    from screener.classify.finetune import Recipe, fine_tune

    few, weights, steps = posts[:32], [1.0] * 32, []
    first, second, other = (
        fine_tune(
            few, weights, settings.label_ids, PackagedE5(), Recipe(epochs=2, batch=8, seed=seed),
            progress=lambda what, n: steps.append(n),
        )
        for seed in (0, 0, 1)
    )  # fmt: skip
    assert steps == [8] * 8 * 3
    assert first == second
    assert first != other


def test_post_that_fills_no_batch_is_left_out(posts: list[LabelledPost], settings: Settings) -> None:
    from screener.classify.encoder import Reader
    from screener.classify.finetune import Recipe, fine_tune

    few, steps = posts[:33], []
    graph = fine_tune(
        few, [1.0] * 33, settings.label_ids, PackagedE5(), Recipe(epochs=1, batch=32),
        progress=lambda what, n: steps.append(n),
    )  # fmt: skip
    assert steps == [32]
    reader = Reader(PackagedE5())
    logits = reader.runner(graph).logits(reader.tokenise([post.text for post in few]))
    assert logits.shape[0] == 33
    assert np.isfinite(logits).all()


def test_graph_asks_for_tokens_alone_whoever_wrote_the_posts(posts: list[LabelledPost], settings: Settings) -> None:
    import onnx

    from screener.classify.finetune import Recipe, fine_tune

    mixed = [replace(post, source=INVENTED if post.relevant else "posts") for post in posts[:8]]
    made = onnx.load_from_string(fine_tune(mixed, [1.0] * 8, settings.label_ids, PackagedE5(), Recipe(epochs=1)))
    widths = {output.name: output.type.tensor_type.shape.dim[1].dim_value for output in made.graph.output}
    assert {given.name for given in made.graph.input} == {"embedded", "valid", "length"}
    assert widths["logits"] == n_outputs(settings.label_ids)
    assert not [constant.name for constant in made.graph.initializer if INVENTED in constant.name]


def test_label_without_a_post_is_refused_before_the_first_fit(posts: list[LabelledPost], tmp_path: Path) -> None:
    from screener.classify.finetune import Recipe

    with pytest.raises(UsageError, match="flying: all"):
        train_model(
            tmp_path / "m" / "1", Material(posts, [], []), labels=("flying",), taxonomy_version="1.0",
            recipe=Recipe(), store=FoldStore(tmp_path, post_weights),
        )  # fmt: skip

"""What a post's wording alone says: a linear model over hashed character n-grams, without understanding.

It does two things. It is a part of the gate: reading n-grams takes a small part of an encoder's time, and most of a stream has
nothing of work in its wording. And it is a second opinion on relevance: a fine-tuned encoder misses set phrases that n-grams
count, and added to the encoder's logit they raise the average precision (docs/models.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.classify.known import Matrix
from screener.classify.labelled import INVENTED, LabelledPost
from screener.classify.outputs import RELEVANT
from screener.classify.tokens import prepare
from screener.errors import ModelError
from screener.model_files import read_arrays

BLEND = 1.0
"""How much the wording counts beside the encoder's logit: from here on more of it raised no average precision on the real posts
read for training, out of fold."""
_BITS = 18
_LENGTHS = (1, 4)
_CHARACTERS = 600
_FREEDOM = 10.0
"""Inverse strength of the penalty: unit-length rows of some three hundred n-grams need large weights."""
_FAINT = 1e-3
"""Weight of two made-up posts, one of each kind, so that posts that are all alike can be fitted."""


@dataclass(frozen=True)
class Wording:
    """One weight per hashed n-gram, and how much all this counts beside the encoder's logit."""

    weights: NDArray[np.float32]
    bias: float
    blend: float = BLEND

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Log-odds that each text is relevant, as far as its n-grams tell."""
        if not texts:
            return np.empty(0, dtype=np.float32)
        told = _rows(self._hashing, texts) @ self.weights + self.bias
        found: NDArray[np.float32] = np.asarray(told, dtype=np.float32)
        return found

    @cached_property
    def _hashing(self) -> Any:
        return _vectoriser()

    def save(self, path: Path) -> None:
        """Write the weights in half precision, to which fitting has rounded them."""
        weights, bias, blend = self.weights.astype(np.float16), np.float32(self.bias), np.float32(self.blend)
        with path.open("wb") as handle:
            np.savez_compressed(handle, weights=weights, bias=bias, blend=blend)

    @classmethod
    def load(cls, path: Path) -> Wording:
        """Read the file; raises ``ModelError``."""
        arrays = read_arrays(path, {"weights": "float32", "bias": "float32", "blend": "float32"})
        weights, bias, blend = arrays["weights"], arrays["bias"], arrays["blend"]
        if (weights.shape, bias.shape, blend.shape) != ((2**_BITS,), (), ()):
            raise ModelError(f"{path}: {2**_BITS} weights, one bias and one blend are needed")
        return cls(weights, float(bias), float(blend))


def fit_wording(posts: Sequence[LabelledPost], weights: NDArray[np.float64]) -> Wording:
    """Logistic regression over the n-grams of labelled posts; ``weights`` says how much each counts.

    One more column says that a post is invented, and is then forgotten: two thirds of the invented posts are relevant, and
    without it their style would seem to speak for relevance (average precision on the development posts 0.82, with it 0.85).
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    invented = [post.source == INVENTED for post in posts]
    marked = np.array([*invented, False, False], dtype=np.float32) * (not all(invented))
    grams = _rows(_vectoriser(), [*(post.text for post in posts), "", ""])
    model = LogisticRegression(C=_FREEDOM, solver="liblinear")
    model.fit(
        hstack([grams, csr_matrix(marked[:, None])], format="csr"), [*(post.relevant for post in posts), True, False],
        sample_weight=np.append(weights, [_FAINT, _FAINT]),
    )  # fmt: skip
    kept = model.coef_[0][:-1].astype(np.float16).astype(np.float32)
    return Wording(kept, float(np.float32(model.intercept_[0])))


def blended(logits: Matrix, scores: NDArray[np.floating], wording: Wording) -> Matrix:
    """The encoder's logits with the wording's opinion added to relevance."""
    both = logits.copy()
    both[:, RELEVANT] += (wording.blend * scores).astype(np.float32)
    return both


def _vectoriser() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char_wb",
        ngram_range=_LENGTHS,
        n_features=2**_BITS,
        alternate_sign=False,
        binary=True,
        dtype=np.float32,
    )


def _rows(hashing: Any, texts: Sequence[str]) -> Any:
    return hashing.transform([prepare(text)[:_CHARACTERS] for text in texts])

"""Which post is judged by which fit, and a store of fits, so that an hour of training is not lost to a closed lid."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from screener.classify.graph import BUILD
from screener.classify.labelled import INVENTED, LabelledPost
from screener.classify.packaged import PACKAGED_SHA256, PackagedE5
from screener.classify.tokens import MAX_CHARACTERS, MAX_TOKENS

if TYPE_CHECKING:
    from screener.classify.finetune import Recipe

_NOT_WORD = re.compile(r"\W+")
_FIT = 1
"""Raised when the network, its loss or its training change: stored fits are then made again."""
_COPY_LETTERS = 60
"""Posts whose first letters are the same are copies of one another: retweets, headlines with another ending."""


def assign_folds(posts: Sequence[LabelledPost], n_folds: int) -> NDArray[np.intp]:
    """Fold of each post: copies and translations of a post share one; folds have like shares of relevant and invented posts."""
    from sklearn.model_selection import StratifiedGroupKFold

    starts = [_NOT_WORD.sub("", post.text).lower()[:_COPY_LETTERS] for post in posts]
    family_of = {start: post.family for start, post in zip(starts, posts, strict=True) if post.family}
    groups = [post.family or family_of.get(start, start) for start, post in zip(starts, posts, strict=True)]
    strata = [f"{post.relevant} {post.source == INVENTED}" for post in posts]
    folds = np.zeros(len(posts), dtype=np.intp)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=0)
    for number, (_, rows) in enumerate(splitter.split(np.zeros(len(posts)), strata, groups)):
        folds[rows] = number
    return folds


class FoldStore:
    """Fine-tuned graphs by what they were made of: a run that was cut short goes on where it stopped."""

    def __init__(self, folder: Path, weigh: Callable[[Sequence[LabelledPost]], NDArray[np.float64]]) -> None:
        self._folder, self._weigh = folder, weigh

    def graph(
        self,
        posts: Sequence[LabelledPost],
        labels: Sequence[str],
        packaged: PackagedE5,
        recipe: Recipe,
        progress: Callable[[str, int], None],
    ) -> bytes:
        """The stored graph, or a new one, which is stored."""
        from screener.classify.finetune import fine_tune

        weights = self._weigh(posts)
        path = self._folder / f"encoder-{_key(posts, weights, labels, recipe)}.onnx"
        if path.exists():
            progress("fine-tuning", recipe.epochs * len(posts))
            return path.read_bytes()
        made = fine_tune(posts, weights.tolist(), labels, packaged, recipe, progress)
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".new")
        temporary.write_bytes(made)
        temporary.replace(path)
        return made


def _key(posts: Sequence[LabelledPost], weights: NDArray[np.float64], labels: Sequence[str], recipe: Recipe) -> str:
    made_by = [_FIT, BUILD, MAX_TOKENS, MAX_CHARACTERS, PACKAGED_SHA256]
    digest = hashlib.sha256(json.dumps([made_by, recipe.described(), list(labels)]).encode())
    for post, weight in zip(posts, weights.tolist(), strict=True):
        digest.update(f"{post.text!r}{post.relevant}{post.voice}{post.signals}{post.positive}{weight}".encode())
    return digest.hexdigest()[:16]

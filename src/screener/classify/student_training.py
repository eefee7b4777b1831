"""Training of the static student in PyTorch: needs the extra ``finetune``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from screener.classify.packaged import PackagedE5
from screener.classify.student import TOKENS, Student

Progress = Callable[[str, int], None]
EPOCHS = 4
_WIDTH, _INNER = 64, 128
_RARE = 3
"""Tokens of fewer posts get no vector: a third of all tokens of a real stream, and under 2% of what is read."""
_BATCH = 512
_RATES = (5e-3, 2e-3)
"""Highest rates for the vectors, of which most are seen seldom, and for what judges them; both fall to nothing."""
_MOST = 6.0
"""Logarithm of the most that one token can count, and of one over the least."""


class _Network(nn.Module):
    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.vectors = nn.Embedding.from_pretrained(start, freeze=False)
        self.count = nn.Embedding.from_pretrained(torch.zeros(len(start), 1), freeze=False)
        self.hidden, self.out = nn.Linear(start.shape[1], _INNER), nn.Linear(_INNER, 1)

    def counts(self, rows: Tensor) -> Tensor:
        weight: Tensor = torch.exp(self.count(rows)[:, 0].clamp(-_MOST, _MOST))
        return weight

    def forward(self, rows: Tensor, owners: Tensor, n_posts: int) -> Tensor:
        """Log-odds per post, from the rows of its tokens and, for each, the post that it is of."""
        counts = self.counts(rows)
        total = torch.zeros(n_posts).index_add(0, owners, counts).clamp(min=torch.finfo(torch.float32).tiny)
        sums = torch.zeros(n_posts, self.vectors.embedding_dim).index_add(
            0, owners, self.vectors(rows) * counts[:, None]
        )
        logits: Tensor = self.out(functional.relu(self.hidden(sums / total[:, None])))[:, 0]
        return logits


def fit_student(
    posts: Sequence[Sequence[int]],
    relevance: NDArray[np.float64],
    packaged: PackagedE5,
    progress: Progress = lambda what, n: None,
) -> Student:
    """Learn from posts as token ids how likely the full model finds each relevant."""
    torch.manual_seed(0)
    tokens, rows = _table(posts)
    network = _Network(_start(packaged, tokens))
    groups = zip(((network.vectors, network.count), (network.hidden, network.out)), _RATES, strict=True)
    optimiser = torch.optim.Adam(
        [{"params": [p for part in parts for p in part.parameters()], "lr": rate} for parts, rate in groups]
    )
    steps = EPOCHS * -(-len(posts) // _BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    wanted = torch.tensor(relevance, dtype=torch.float32)
    shuffled = np.random.default_rng(0)
    for _ in range(EPOCHS):
        order = shuffled.permutation(len(posts))
        for start in range(0, len(posts), _BATCH):
            batch = order[start : start + _BATCH]
            owners = np.repeat(np.arange(len(batch)), [len(rows[post]) for post in batch])
            read = torch.from_numpy(np.concatenate([rows[post] for post in batch]))
            logits = network(read, torch.from_numpy(owners), len(batch))
            loss = functional.binary_cross_entropy_with_logits(logits, wanted[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            progress("teaching the gate", len(batch))
    return _rounded(network, tokens)


def _table(posts: Sequence[Sequence[int]]) -> tuple[NDArray[np.int32], list[NDArray[np.int64]]]:
    """Token ids that are in enough posts, and each post as rows of their table."""
    read = [np.asarray(post[:TOKENS], dtype=np.int32) for post in posts]
    ids, n_posts = np.unique(np.concatenate([np.unique(post) for post in read]), return_counts=True)
    tokens = ids[n_posts >= min(_RARE, n_posts.max())]
    return tokens, [np.searchsorted(tokens, post[np.isin(post, tokens)]) for post in read]


def _start(packaged: PackagedE5, tokens: NDArray[np.int32]) -> Tensor:
    """The encoder's word embeddings, reduced to their main directions and to about unit spread."""
    words = torch.from_numpy(packaged.word_embeddings(tokens.astype(np.int64)))
    words = words - words.mean(0)
    _, _, directions = torch.pca_lowrank(words, min(_WIDTH, *words.shape), center=False)
    reduced = words @ directions
    spread: Tensor = reduced / reduced[:, 0].std(correction=0).clamp(min=1e-6)
    return functional.pad(spread, (0, _WIDTH - spread.shape[1]))


def _rounded(network: _Network, tokens: NDArray[np.int32]) -> Student:
    with torch.no_grad():
        rows = torch.arange(len(tokens))
        parts = [
            network.vectors.weight, network.counts(rows), network.hidden.weight.T, network.hidden.bias,
            network.out.weight[0], network.out.bias[0],
        ]  # fmt: skip
        halves = [part.numpy().astype(np.float16).astype(np.float32) for part in parts]
    return Student(tokens, *(np.array(half, order="C") for half in halves))

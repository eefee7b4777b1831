"""Fine-tunes the encoder on labelled posts, all questions at once: needs the extra ``finetune`` (PyTorch)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from screener.classify.encoder import WordTable, padded
from screener.classify.graph import build_graph
from screener.classify.labelled import LabelledPost
from screener.classify.network import Network
from screener.classify.outputs import POSITIVE, RELEVANT, SIGNALS, VOICE, VOICES, n_outputs
from screener.classify.packaged import PackagedE5
from screener.classify.tokens import Tokeniser

Progress = Callable[[str, int], None]
_AVERAGE_EVERY = 8
"""Steps between two updates of the averaged weights: each update reads and writes them all."""


@dataclass(frozen=True)
class Recipe:
    """Settings of one fine-tuning; the values were compared on the development posts (docs/models.md)."""

    epochs: int = 2
    batch: int = 32
    rate: float = 1e-4
    head_rate: float = 1e-3
    decay: float = 0.01
    warm_up: float = 0.06
    drop: float = 0.1
    signal_weight: float = 0.5
    signal_recall: float = 2.0
    memory: float = 0.984
    seed: int = 0

    def described(self) -> dict[str, float]:
        """For metadata and for telling fits apart."""
        return asdict(self)


@dataclass(frozen=True)
class _Targets:
    relevant: Tensor
    positive: Tensor
    voice: Tensor
    signals: Tensor
    weight: Tensor


def fine_tune(
    posts: Sequence[LabelledPost],
    weights: Sequence[float],
    labels: Sequence[str],
    packaged: PackagedE5,
    recipe: Recipe,
    progress: Progress = lambda what, n: None,
) -> bytes:
    """Train on the posts and return the quantised ONNX graph; ``weights`` says how much each post counts.

    The word embeddings stay as packaged: they hold four fifths of all parameters and the shipped file need not hold them.
    """
    torch.manual_seed(recipe.seed)
    network = Network(packaged, n_outputs(labels), rare=SIGNALS, drop=recipe.drop)
    tokens = Tokeniser(packaged.pieces()).encode([post.text for post in posts])
    targets = _targets(posts, weights, labels)

    def loss(logits: Tensor, rows: Tensor) -> Tensor:
        return _loss(logits, targets, rows, recipe)

    return _fit(network, WordTable(packaged), tokens, loss, recipe, progress)


def _fit(
    network: Network, words: WordTable, tokens: Sequence[Sequence[int]], loss: Callable[[Tensor, Tensor], Tensor],
    recipe: Recipe, progress: Progress,
) -> bytes:  # fmt: skip
    shuffled = random.Random(recipe.seed)  # noqa: S311 - order of training, no secret
    network.train()
    optimiser = _optimiser(network, recipe)
    plan = [rows for _ in range(recipe.epochs) for rows in _batches(tokens, recipe.batch, shuffled)]
    steps = len(plan)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps, recipe.warm_up))
    average = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=_memory(recipe.memory), use_buffers=True)
    for step, rows in enumerate(plan, start=1):
        ids, lengths = padded([tokens[row] for row in rows])
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(torch.from_numpy(words(ids)), torch.from_numpy(lengths))
        loss(logits.float(), torch.tensor(rows)).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        if step % _AVERAGE_EVERY == 0 or step == steps:
            average.update_parameters(network)
        progress("fine-tuning", len(rows))
    averaged: Network = average.module
    return build_graph(averaged.weights(), averaged.shape, averaged.folded_head())


def _memory(share: float) -> Callable[..., None]:
    """Exponential average of the weights over steps (Polyak averaging): steadier than the last step's weights."""

    def update(averages: list[Tensor], currents: list[Tensor], step: int | Tensor) -> None:
        kept = min(share, (1 + float(step)) / (10 + float(step)))
        for average, current in zip(averages, currents, strict=True):
            if average.dtype.is_floating_point:
                average.lerp_(current, 1 - kept)
            else:
                average.copy_(current)

    return update


def _optimiser(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    head = {id(parameter) for parameter in network.head.parameters()}
    body = [parameter for parameter in network.parameters() if id(parameter) not in head and parameter.requires_grad]
    groups = [
        {"params": [p for p in body if p.dim() > 1], "lr": recipe.rate, "weight_decay": recipe.decay},
        {"params": [p for p in body if p.dim() <= 1], "lr": recipe.rate, "weight_decay": 0.0},
        {"params": list(network.head.parameters()), "lr": recipe.head_rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, fused=True)


def _rate(step: int, steps: int, warm_up: float) -> float:
    """Linear warm-up, then linear decay to nothing."""
    return min((step + 1) / max(warm_up * steps, 1), (steps - step) / max((1 - warm_up) * steps, 1))


def _batches(tokens: Sequence[Sequence[int]], size: int, shuffled: random.Random) -> list[list[int]]:
    """All rows in random batches of posts of like length: little padding, and still a new mixture every epoch."""
    order = list(range(len(tokens)))
    shuffled.shuffle(order)
    made = []
    for start in range(0, len(order), size * 40):
        pool = sorted(order[start : start + size * 40], key=lambda row: len(tokens[row]))
        made += [pool[at : at + size] for at in range(0, len(pool), size)]
    shuffled.shuffle(made)
    return [rows for rows in made if len(rows) > 1]  # one post alone has no spread to normalise by


def _targets(posts: Sequence[LabelledPost], weights: Sequence[float], labels: Sequence[str]) -> _Targets:
    voice = [VOICES.index(post.voice) if post.voice in VOICES else -1 for post in posts]
    return _Targets(
        torch.tensor([float(post.relevant) for post in posts]),
        torch.tensor([float(post.positive) for post in posts]),
        torch.tensor(voice),
        torch.from_numpy(np.array([[label in post.signals for label in labels] for post in posts], dtype=np.float32)),
        torch.tensor(list(weights)),
    )


def _loss(logits: Tensor, targets: _Targets, rows: Tensor, recipe: Recipe) -> Tensor:
    """Sum of the questions' cross-entropies; voice counts for relevant posts only."""
    entropy = functional.binary_cross_entropy_with_logits
    weight = targets.weight[rows]
    relevant = entropy(logits[:, RELEVANT], targets.relevant[rows], reduction="none")
    positive = entropy(logits[:, POSITIVE], targets.positive[rows], reduction="none")
    found = logits[:, SIGNALS]
    recall = torch.full((found.shape[1],), recipe.signal_recall)
    signals = entropy(found, targets.signals[rows], reduction="none", pos_weight=recall).sum(1)
    voices = targets.voice[rows]
    voice = functional.cross_entropy(logits[:, VOICE], voices, ignore_index=-1, reduction="sum")
    each = relevant + 0.3 * positive + recipe.signal_weight * signals
    return (weight * each).mean() + 0.5 * voice / len(rows)

"""The encoder with its heads in PyTorch, for training only: needs the extra ``finetune``."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from screener.classify.graph import Matrix, packaged_weights, position_embeddings
from screener.classify.packaged import PackagedE5, Shape

_HIDDEN_BY_NEGATIVE = -1e4
_RARE = -4.0
"""First bias of the signals' logits: about one post in fifty carries a given signal."""


class Layer(nn.Module):
    """One transformer layer, normalised after each half (Vaswani et al. 2017, as in BERT)."""

    def __init__(self, shape: Shape, number: int, weights: dict[str, Matrix]) -> None:
        super().__init__()
        self.heads = shape.heads
        self.linear = nn.ModuleDict(
            {part: _linear(weights, f"l{number}.{part}") for part in ("q", "k", "v", "ao", "fi", "fo")}
        )
        self.norm = nn.ModuleDict({part: _layer_norm(weights, f"l{number}.{part}", shape) for part in ("aln", "oln")})

    def forward(self, state: Tensor, hidden: Tensor | None) -> Tensor:
        """State of shape (posts, tokens, hidden); ``hidden`` is true where there is no token.

        Attention is spelled out: PyTorch's fused kernel for bfloat16 on processors took as long as all the rest together.
        """
        posts, tokens, width = state.shape
        query, key, value = (
            self.linear[part](state).view(posts, tokens, self.heads, -1).transpose(1, 2) for part in "qkv"
        )
        score = query @ key.transpose(2, 3) * (width // self.heads) ** -0.5
        if hidden is not None:
            score = score.masked_fill(hidden[:, None, None, :], _HIDDEN_BY_NEGATIVE)
        attended = (functional.softmax(score, -1).to(value.dtype) @ value).transpose(1, 2).reshape(posts, tokens, width)
        state = self.norm["aln"](state + self.linear["ao"](attended))
        inner = functional.gelu(self.linear["fi"](state))
        result: Tensor = self.norm["oln"](state + self.linear["fo"](inner))
        return result


class Network(nn.Module):
    """Encoder, mean over tokens, batch-normalised, one linear head for all questions.

    Normalising matters: E5's means crowd together, and with a plain linear head the signals were not learned at all in
    three epochs.
    """

    def __init__(self, packaged: PackagedE5, outputs: int, *, rare: slice, drop: float) -> None:
        super().__init__()
        shape, weights = packaged.shape, packaged_weights(packaged)
        self.shape = shape
        self.register_buffer("positions", torch.from_numpy(position_embeddings(packaged)), persistent=False)
        self.norm = _layer_norm(weights, "emb.ln", shape)
        self.layers = nn.ModuleList(Layer(shape, number, weights) for number in range(shape.layers))
        self.scale = nn.BatchNorm1d(shape.hidden, affine=False, momentum=0.02)
        self.drop = nn.Dropout(drop)
        self.head = nn.Linear(shape.hidden, outputs)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self.head.bias.data[rare] = _RARE

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        """Logits, one row per post, from word embeddings (posts, tokens, hidden) and the number of tokens of each post."""
        width = words.shape[1]
        missing = torch.arange(width)[None] >= lengths[:, None]
        hidden = missing if bool(missing.any()) else None
        state = self.norm(words + self.positions[:width])
        for layer in self.layers:
            state = layer(state, hidden)
        kept = (~missing)[:, :, None].to(state.dtype)
        pooled = (state * kept).sum(1).float() / lengths[:, None]
        logits: Tensor = self.head(self.drop(self.scale(pooled)))
        return logits

    def weights(self) -> dict[str, Matrix]:
        """Tensors under the names of the packaged file, as the graph is built from."""
        found = {"emb.ln.w": self.norm.weight, "emb.ln.b": self.norm.bias}
        for number, layer in enumerate(self.layers):
            for name, part in (*layer.linear.items(), *layer.norm.items()):
                found |= {f"l{number}.{name}.w": part.weight, f"l{number}.{name}.b": part.bias}
        return {name: _array(tensor) for name, tensor in found.items()}

    def folded_head(self) -> tuple[Matrix, Matrix]:
        """Weight (outputs by hidden) and bias of the head with the normalisation folded in."""
        spread = torch.sqrt(self.scale.running_var + self.scale.eps)
        weight = self.head.weight / spread
        return _array(weight), _array(self.head.bias - weight @ self.scale.running_mean)


def _linear(weights: dict[str, Matrix], name: str) -> nn.Linear:
    weight = weights[f"{name}.w"]
    made = nn.Linear(weight.shape[1], weight.shape[0])
    made.weight.data, made.bias.data = torch.from_numpy(weight), torch.from_numpy(weights[f"{name}.b"])
    return made


def _layer_norm(weights: dict[str, Matrix], name: str, shape: Shape) -> nn.LayerNorm:
    made = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
    made.weight.data, made.bias.data = torch.from_numpy(weights[f"{name}.w"]), torch.from_numpy(weights[f"{name}.b"])
    return made


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().float().numpy().copy()
    return array

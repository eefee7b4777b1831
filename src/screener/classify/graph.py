"""Builds the ONNX graph of the encoder from its weights: fused operators, 8-bit matrix products.

Written node by node instead of exported from PyTorch, so that no fusion pass has to recognise anything: the operators of
ONNX Runtime's ``com.microsoft`` domain (docs/ContribOperators.md in its repository) do attention and quantised products in
one step each. Weights are quantised per output channel, activations per
batch at run time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.classify.packaged import PACKAGED_SHA256, PackagedE5, Shape
from screener.model_files import file_digest

Matrix = NDArray[np.float32]
Weights = Mapping[str, Matrix]
"""Tensors by name: the names of the packaged file without the word embeddings, matrices as outputs by inputs."""

_FUSED = "com.microsoft"
_OPSET, _IR = 21, 10
BUILD = 1
"""Raised when this module builds another graph from the same weights."""


@dataclass
class _Builder:
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, name: str, values: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, inputs: list[str], *outputs: str, fused: bool = False, **attributes: Any) -> str:
        from onnx import helper

        domain = _FUSED if fused else ""
        self.nodes.append(helper.make_node(operator, inputs, list(outputs), domain=domain, **attributes))
        return outputs[0]

    def product(self, values: str, name: str, weight: Matrix, bias: Matrix) -> str:
        """``values @ weight.T + bias`` in 8 bits."""
        scale = np.maximum(np.abs(weight).max(axis=1), 1e-8) / 127
        rounded = np.clip(np.rint(weight / scale[:, None]), -127, 127).astype(np.int8)
        inputs = [
            values,
            self.constant(f"{name}.w", rounded.T),
            self.constant(f"{name}.scale", scale.astype(np.float32)),
            self.constant(f"{name}.zero", np.zeros(len(scale), np.int8)),
            self.constant(f"{name}.b", bias),
        ]
        return self.node("DynamicQuantizeMatMul", inputs, f"{name}.out", fused=True)

    def normalised_sum(self, left: str, right: str, name: str, weights: Weights, epsilon: float) -> str:
        """Sum, then layer normalisation: as two nodes, since the fused one took six times as long (ONNX Runtime 1.31)."""
        total = self.node("Add", [left, right], f"{name}.sum")
        scale = self.constant(f"{name}.w", weights[f"{name}.w"])
        shift = self.constant(f"{name}.b", weights[f"{name}.b"])
        return self.node("LayerNormalization", [total, scale, shift], f"{name}.out", epsilon=epsilon)


def build_graph(weights: Weights, shape: Shape, head: tuple[Matrix, Matrix] | None = None) -> bytes:
    """The encoder as ONNX bytes.

    Inputs: ``embedded`` (posts, tokens, hidden), word plus position embeddings; ``length`` (posts,), tokens per post;
    ``valid`` (posts, tokens, 1), one where there is a token. Outputs: ``pooled`` (posts, hidden), the mean over a post's
    tokens; with a head (outputs by hidden, outputs) also ``logits``.
    """
    from onnx import TensorProto, helper

    graph = _Builder()
    first = [graph.constant("emb.ln.w", weights["emb.ln.w"]), graph.constant("emb.ln.b", weights["emb.ln.b"])]
    state = graph.node("LayerNormalization", ["embedded", *first], "layer0", epsilon=shape.epsilon)
    for number in range(shape.layers):
        state = _add_layer(graph, state, f"l{number}", weights, shape)
    graph.node("Mul", [state, "valid"], "kept")
    axis = graph.constant("axis", np.array([1]))
    graph.node("ReduceSum", ["kept", axis], "total", keepdims=0)
    graph.node("ReduceSum", ["valid", axis], "count", keepdims=0)
    graph.node("Div", ["total", "count"], "pooled")
    outputs = ["pooled"]
    if head is not None:
        parts = [graph.constant("head.w", head[0]), graph.constant("head.b", head[1])]
        outputs.append(graph.node("Gemm", ["pooled", *parts], "logits", transB=1))
    floats: dict[str, list[str | int | None]] = {
        "embedded": ["posts", "tokens", shape.hidden],
        "valid": ["posts", "tokens", 1],
    }
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in floats.items()]
    inputs.append(helper.make_tensor_value_info("length", TensorProto.INT32, ["posts"]))
    widths = {"pooled": shape.hidden, "logits": 0 if head is None else len(head[1])}
    results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["posts", widths[name]]) for name in outputs]
    made = helper.make_graph(graph.nodes, "encoder", inputs, results, graph.constants)
    versions = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)]
    model = helper.make_model(made, opset_imports=versions, ir_version=_IR, producer_name="screener")
    serialised: bytes = model.SerializeToString()
    return serialised


def _add_layer(graph: _Builder, state: str, layer: str, weights: Weights, shape: Shape) -> str:
    joined = np.concatenate([weights[f"{layer}.{part}.w"] for part in "qkv"])
    bias = np.concatenate([weights[f"{layer}.{part}.b"] for part in "qkv"])
    together = graph.product(state, f"{layer}.qkv", joined, bias)
    sizes = graph.constant(f"{layer}.sizes", np.array([shape.hidden] * 3))
    parts = [f"{layer}.{part}" for part in "qkv"]
    graph.node("Split", [together, sizes], *parts, axis=2)
    attended = graph.node(
        "MultiHeadAttention", [*parts, "", "length"], f"{layer}.attended", fused=True, num_heads=shape.heads
    )
    out = graph.product(attended, f"{layer}.ao", weights[f"{layer}.ao.w"], weights[f"{layer}.ao.b"])
    state = graph.normalised_sum(state, out, f"{layer}.aln", weights, shape.epsilon)
    wide = graph.product(state, f"{layer}.fi", weights[f"{layer}.fi.w"], weights[f"{layer}.fi.b"])
    active = graph.node("Gelu", [wide], f"{layer}.active", fused=True)
    narrow = graph.product(active, f"{layer}.fo", weights[f"{layer}.fo.w"], weights[f"{layer}.fo.b"])
    return graph.normalised_sum(state, narrow, f"{layer}.oln", weights, shape.epsilon)


def packaged_graph(packaged: PackagedE5, cache: Path) -> bytes:
    """The packaged encoder as a graph, built once and kept in the cache.

    The name carries what it was built from and the start of its own checksum: a file that was cut short is built again.
    """
    prefix = f"packaged-{PACKAGED_SHA256[:16]}-{BUILD}-"
    for path in cache.glob(f"{prefix}*.onnx"):
        if path.stem.removeprefix(prefix) == file_digest(path)[:16]:
            return path.read_bytes()
    made = build_graph(packaged_weights(packaged), packaged.shape)
    cache.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=cache, delete=False) as temporary:
        temporary.write(made)
    Path(temporary.name).replace(cache / f"{prefix}{hashlib.sha256(made).hexdigest()[:16]}.onnx")
    return made


def packaged_weights(packaged: PackagedE5) -> dict[str, Matrix]:
    """All of the packaged encoder's tensors but the word embeddings, unpacked to single precision (85 MB)."""
    shape = packaged.shape
    rows = {"q": shape.hidden, "k": shape.hidden, "v": shape.hidden, "ao": shape.hidden}
    rows |= {"fi": shape.feed_forward, "fo": shape.hidden}
    names = ["emb.ln.w", "emb.ln.b"]
    matrices: dict[str, Matrix] = {}
    for number in range(shape.layers):
        names += [f"l{number}.{part}.b" for part in rows]
        names += [f"l{number}.{part}.{end}" for part in ("aln", "oln") for end in "wb"]
        matrices |= {f"l{number}.{part}.w": packaged.matrix(f"l{number}.{part}.w", n) for part, n in rows.items()}
    return {name: packaged.vector(name) for name in names} | matrices


def position_embeddings(packaged: PackagedE5) -> Matrix:
    """Position plus token-type embeddings, one row per position: what is added to each word embedding."""
    hidden = packaged.shape.hidden
    total: Matrix = packaged.vector("emb.pos").reshape(-1, hidden) + packaged.vector("emb.type").reshape(-1, hidden)[0]
    return total

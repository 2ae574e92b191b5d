"""Multiply-accumulates of one inference, counted over the calls of layers (kernel × positions)."""

import math
from collections.abc import Iterable
from typing import Any, Final

import keras
from keras import layers
from keras.src.applications.convnext import LayerScale, StochasticDepth
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer
from keras.src.ops.function import map_graph

_FREE: Final = (
    layers.BatchNormalization, layers.GroupNormalization, layers.LayerNormalization,
    layers.Normalization, layers.Embedding, layers.PReLU, layers.InputLayer, layers.Identity,
    layers.Masking, layers.Rescaling, layers.Resizing, layers.CenterCrop, LayerScale,
    StochasticDepth, CustomScaleLayer,
)  # fmt: skip
"""Layers that are not counted: by the usual convention, that of the published numbers, MACs are
those of convolutions and matrix products."""
_FREE_KINDS: Final = tuple(
    f"keras.src.layers.{kind}."
    for kind in ("activations", "merging", "pooling", "regularization", "reshaping")
)
"""Where Keras has its other layers without products of matrices, but for ``Dot``."""
_FREE_OPERATIONS: Final = frozenset({
    "Abs", "Absolute", "Add", "Cast", "Clip", "Concatenate", "Divide", "Elu", "Exp", "ExpandDims",
    "Flip", "Gelu", "GetItem", "HardSigmoid", "HardSilu", "LeakyRelu", "Log", "LogSoftmax", "Max",
    "Maximum", "Mean", "Min", "Minimum", "Multiply", "Negative", "Pad", "Power", "Relu", "Relu6",
    "Repeat", "Reshape", "Rsqrt", "Sigmoid", "Silu", "Softmax", "Softplus", "Split", "Sqrt",
    "Square", "Squeeze", "Stack", "Subtract", "Sum", "Swapaxes", "Tanh", "Transpose", "TrueDivide",
})  # fmt: skip
"""Of ``keras.ops``, as Keras names their classes: those by element, over an axis, or of shape."""


def count_macs(model: Any) -> int | None:
    """MACs of one inference of a whole network; None if any call's are unknown.

    A layer counts as often as it is called. A model that is no graph of layers is unknown.
    """
    inputs, outputs = (getattr(model, name, None) for name in ("inputs", "outputs"))
    if not inputs or not outputs:
        return None
    _, nodes, _, _ = map_graph(inputs, outputs)
    counts = [_call_macs(node) for level in nodes.values() for node in level]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _call_macs(node: Any) -> int | None:
    """MACs of one call for one image; None for what this counter does not know."""
    called = node.operation
    if isinstance(called, keras.Model):
        return count_macs(called)
    if isinstance(called, layers.Layer):
        free = isinstance(called, _FREE) or _is_free_kind(called)
        return 0 if free else _layer_macs(called, node.outputs[0].shape)
    in_keras = type(called).__module__.startswith("keras.src.ops.")
    return 0 if in_keras and type(called).__name__ in _FREE_OPERATIONS else None


def _is_free_kind(layer: Any) -> bool:
    return type(layer).__module__.startswith(_FREE_KINDS) and not isinstance(layer, layers.Dot)


def _layer_macs(layer: Any, shape: tuple[int | None, ...]) -> int | None:
    """Those of a layer with a kernel, whose output has that shape."""
    if isinstance(layer, layers.Dense):
        return _prod(layer.kernel.shape, shape[1:-1])
    if not isinstance(layer, layers.SeparableConv2D | layers.Conv2D | layers.DepthwiseConv2D):
        return None
    positions = shape[1:3] if layer.data_format == "channels_last" else shape[2:4]
    if isinstance(layer, layers.SeparableConv2D):
        depthwise = _prod(layer.depthwise_kernel.shape, positions)
        pointwise = _prod(layer.pointwise_kernel.shape, positions)
        return None if depthwise is None or pointwise is None else depthwise + pointwise
    # The kernel holds inputs/groups × outputs (or inputs × multiplier), so groups are counted.
    return _prod(layer.kernel.shape, positions)


def _prod(kernel: Iterable[int], positions: Iterable[int | None]) -> int | None:
    """None if the number of positions depends on the image."""
    sizes = [*kernel, *positions]
    known = [int(size) for size in sizes if size is not None]
    return math.prod(known) if len(known) == len(sizes) else None

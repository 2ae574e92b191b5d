"""Multiply-accumulates of one inference, counted over the layers (kernel × positions)."""

import math
from collections.abc import Iterable
from typing import Any, Final

import keras
from keras import layers
from keras.src.applications.convnext import LayerScale

_FREE: Final = (
    layers.BatchNormalization, layers.GroupNormalization, layers.LayerNormalization,
    layers.Normalization, layers.Embedding, layers.PReLU, LayerScale,
)  # fmt: skip
"""Layers with weights that are not counted: by the usual convention, that of the published
numbers, MACs are those of convolutions and matrix products."""


def layer_macs(layer: Any) -> int | None:
    """MACs of one layer for one image; None for a layer that this counter does not know."""
    if isinstance(layer, keras.Model):
        return count_macs(layer)
    if isinstance(layer, layers.SeparableConv2D):
        depthwise = _prod(layer.depthwise_kernel.shape) * _positions(layer)
        return depthwise + _prod(layer.pointwise_kernel.shape) * _positions(layer)
    if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
        # The kernel holds inputs/groups × outputs (or inputs × multiplier), so groups are counted.
        return _prod(layer.kernel.shape) * _positions(layer)
    if isinstance(layer, layers.Dense):
        return _prod(layer.kernel.shape) * _prod(layer.output.shape[1:-1])
    return 0 if isinstance(layer, _FREE) or not layer.weights else None


def count_macs(model: Any) -> int | None:
    """MACs of one inference of a whole network; None if any layer's are unknown."""
    counts = [layer_macs(layer) for layer in model.layers]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _prod(sizes: Iterable[Any]) -> int:
    return math.prod(int(size) for size in sizes)


def _positions(layer: Any) -> int:
    """Output height × width."""
    shape = layer.output.shape
    last = layer.data_format == "channels_last"
    return _prod(shape[1:3] if last else shape[2:4])

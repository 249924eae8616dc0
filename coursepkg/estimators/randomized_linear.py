"""A linear layer that forgets most of its input, and whose weight gradient is right on average all the same.

The one idea: of the three gradients of ``Z = X W^T + b``, only ``dL/dW = Y^T X`` needs X. So keep ``S^T X`` with few
rows and the seed of S; backward draws S again and returns ``(S^T Y)^T (S^T X)``. Loss, ``dL/dX`` and ``dL/db`` are
exact, so the noise of one layer never reaches another (Bershatsky et al. 2022).
"""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.autodiff.catalogue import linear
from coursepkg.autodiff.dispatch import Traced
from coursepkg.autodiff.table import PRIMITIVES, Primitive
from coursepkg.autodiff.tensor import Tensor
from coursepkg.estimators.sketches import Sketch, check_kind, sketch_size
from coursepkg.nn.layers import Linear
from coursepkg.nn.module import Module

__all__ = ["RandomizedLinear", "randomize"]

EXACT = PRIMITIVES[linear]


def _product(x: Any, w: Any, bias: Any = None, *, sketch: Sketch) -> tuple[Any, Any]:
    rows = np.reshape(x, (-1, x.shape[-1])).astype(w.dtype, copy=False)
    summary = sketch.project(rows)
    if not np.isfinite(summary).all():
        raise ValueError(
            "the input of this layer holds NaN or infinity, which a sketch would spread over all of dL/dW; "
            "look at what comes before it (a learning rate too high, a division by zero, data to clean)"
        )
    return EXACT.forward(x, w, bias), summary


def _to_inputs(g: Any, summary: Any, x: Any, w: Any, bias: Any = None, *, sketch: Sketch) -> Any:
    return EXACT.vjp[0](g, None, x, w, bias)  # type: ignore[misc]


def _to_weight(g: Any, summary: Any, x: Any, w: Any, bias: Any = None, *, sketch: Sketch) -> Any:
    if isinstance(g, Traced) or isinstance(w, Traced):  # an outer differentiation follows this backward pass
        _refuse_second_derivative()
    rows = np.reshape(g, (-1, g.shape[-1])).astype(summary.dtype, copy=False)
    return sketch.project(rows).T @ summary


def _to_bias(g: Any, summary: Any, x: Any, w: Any, bias: Any = None, *, sketch: Sketch) -> Any:
    return g


def _refuse_second_derivative(*_: Any, **__: Any) -> NoReturn:
    raise NotImplementedError(
        "a sketched layer has no second derivative: what the weight gradient owes to the inputs was thrown away. "
        "Call model.eval(), or use nn.Linear, for backward(create_graph=True)"
    )


# Not an entry of the table: the rules there are exact, and one of these is right only on average. That no rule reads
# x is the point of it all: the tape lets the inputs go.
SKETCHED = Primitive(
    name="sketched linear",
    function=_product,
    forward=_product,
    vjp=[_to_inputs, _to_weight, _to_bias],
    jvp=[],
    saves=True,
    recover=_refuse_second_derivative,
    reads="w",
    options="sketch",
)


class RandomizedLinear(Linear):
    """``nn.Linear`` that keeps a sketch of its input: same outputs, names and state, less memory, a noisy ``dL/dW``.

    Only while training and recording does it sketch; in evaluation, in forward mode and for plain weights it is
    ``nn.Linear``.

    Parameters
    ----------
    in_features, out_features, bias
        As for ``nn.Linear``.
    rate : float
        rho, the share of the rows that is kept, above 0 and at most 1. Rows are examples, and time steps where the
        input has more than two axes.
    sketch : str
        How to summarise, a name in :data:`~coursepkg.estimators.sketches.SKETCHES`.
    rng : numpy.random.Generator
        Source of the starting weights, then of one seed per call.
    dtype : dtype
        Of the parameters.

    Attributes
    ----------
    weight : Tensor, shape (out_features, in_features)
    bias : Tensor, shape (out_features,), or None

    Raises
    ------
    ValueError
        If the rate does not lie in (0, 1], there is no such sketch, or, when called, if the input holds NaN.

    Examples
    --------
    >>> import numpy as np
    >>> layer = RandomizedLinear(3, 2, rate=0.5, rng=np.random.default_rng(0))
    >>> np.sum(layer(np.ones((8, 3)))).backward()
    >>> layer.weight.grad.shape
    (2, 3)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rate: float,
        sketch: str = "fold",
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(in_features, out_features, bias, rng=rng, dtype=dtype)
        self._sketch_with(rate, sketch, rng)

    def _sketch_with(self, rate: float, sketch: str, rng: np.random.Generator) -> None:
        sketch_size(rate, 1)
        check_kind(sketch)
        self.rate, self.sketch, self.rng = rate, sketch, check_rng(rng)

    @classmethod
    def from_linear(
        cls, layer: Linear, *, rate: float, sketch: str = "fold", rng: np.random.Generator
    ) -> RandomizedLinear:
        """Make a layer that shares the parameters of an exact one.

        Parameters
        ----------
        layer : Linear
            The exact layer; both have the same tensors afterwards.
        rate, sketch, rng
            As for the class; ``rng`` gives seeds only.

        Returns
        -------
        RandomizedLinear
        """
        made = cls.__new__(cls)
        made.weight, made.bias, made.training = layer.weight, layer.bias, layer.training
        made._sketch_with(rate, sketch, rng)
        return made

    def forward(self, x: Any) -> Any:
        """Map ``x``, shape (..., in_features), to shape (..., out_features)."""
        if not self.training:
            return super().forward(x)
        seed = int(self.rng.integers(2**63))  # also when nothing is recorded, so that a second run can draw the same
        w = self.weight
        recorded = type(w) is Tensor and w.traces and type(w._value) is np.ndarray and np.size(x)
        values = x._value if type(x) is Tensor else x
        if not (recorded and type(values) is np.ndarray and values.shape[-1:] == w.shape[1:]):
            return super().forward(x)
        rows = math.prod(values.shape[:-1])
        sketch = Sketch(self.sketch, rows, sketch_size(self.rate, rows), seed)
        # A plain input becomes a leaf that wants no gradient, so that its node can stand in for it, too.
        source = x if type(x) is Tensor and x.traces else Tensor.leaf(values, 0)
        operands = (source, w) if self.bias is None else (source, w, self.bias)
        return Tensor.apply(SKETCHED, operands, {"sketch": sketch})

    def describe(self) -> str:
        return f"{super().describe()}, rate={self.rate}, sketch={self.sketch!r}"


def randomize(model: Module, *, rate: float, sketch: str = "fold", rng: np.random.Generator) -> Module:
    """Replace every ``nn.Linear`` inside a model, in place, by a layer that shares its parameters and keeps a sketch.

    A layer saves nothing if somebody else keeps its input: the caller (a batch), an activation whose rule reads its own
    output (use :class:`~coursepkg.estimators.lean_relu.LeanReLU`), or another exact layer.

    Parameters
    ----------
    model : Module
        The model; its parameters, state and optimizer stay what they are. Another call changes rate and sketch.
    rate, sketch, rng
        As for :class:`RandomizedLinear`; one generator serves all layers.

    Returns
    -------
    Module
        The model; or the replacement, if it is itself a linear layer.
    """
    options: dict[str, Any] = {"rate": rate, "sketch": sketch, "rng": rng}
    if isinstance(model, Linear):
        return RandomizedLinear.from_linear(model, **options)
    parents = [part for _, part in model.named_modules()]
    for parent in parents:
        for name, part in list(parent.named_children()):
            if isinstance(part, Linear):
                setattr(parent, name, RandomizedLinear.from_linear(part, **options))
    return model

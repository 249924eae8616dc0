"""Functions of deep learning that NumPy does not have: activations, softmax and its relatives.

They are ordinary functions: plain arrays in, plain arrays out; traced values go through the table. Those that are
compositions on paper are single primitives here where that is more exact (no overflow) or saves memory.
"""

from __future__ import annotations

import numpy as np

from ..dispatch import apply, operation, plain
from ..table import Primitive, apart, composite, example, fixed, normal, times_onto
from ..traced import Traced
from .reductions import from_the_end, keep

__all__ = [
    "gelu", "leaky_relu", "log_softmax", "logsumexp", "relu", "sigmoid", "silu", "softmax",
    "softmax_cross_entropy", "softplus",
]  # fmt: skip


def _relu(x):
    """Return max(x, 0); the derivative at 0 is 0."""
    return np.maximum(x, 0)


def _sigmoid(x):
    """Return 1 / (1 + exp(-x)), without overflow."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def _softplus(x):
    """Return log(1 + exp(x)), the smooth relative of relu, without overflow."""
    return np.logaddexp(x, 0)


def _some_positive(rng, shape):
    x = np.array(normal(rng, shape))
    x[(0,) * x.ndim if x.size else ...] = 0.5
    return x


relu = operation(
    _relu,
    name="relu",
    slope=lambda out, x: out > 0,
    domain=_some_positive,
    sympy=lambda sp, x: sp.Max(x, 0),
    reads="out",
)
sigmoid = operation(
    _sigmoid,
    name="sigmoid",
    slope=lambda out, x: out * (1 - out),
    sympy=lambda sp, x: 1 / (1 + sp.exp(-x)),
    reads="out",
)
softplus = operation(
    _softplus,
    name="softplus",
    slope=lambda out, x: sigmoid(x),
    sympy=lambda sp, x: sp.log(1 + sp.exp(x)),
    reads="x",
)


def leaky_relu(x, slope=0.01):
    """Return x where it is positive and ``slope * x`` elsewhere; the derivative at 0 is the slope."""
    return np.where(x > 0, x, slope * x)


def silu(x):
    """Return x sigmoid(x), also called swish."""
    return x * sigmoid(x)


composite(leaky_relu, leaky_relu, example((3, 4)), example((3, 4), slope=0.2))
composite(silu, silu, example((3, 4)))


# --- gelu: x times the probability that a standard normal number lies below it

DENSITY_AT_0 = 0.3989422804014327  # 1 / sqrt(2 pi)
BLOCK = 1 << 15  # entries at a time, so that what is computed on the way stays in the processor's cache

# The probability is (1 + tanh(x P(x^2))) / 2. This is the best such P of degree 6, highest power first, for |x| < 6.2:
# off by at most 7e-8, half a unit in the last place of float32. SciPy's function, which has no vector instructions,
# takes 18 ms where this takes 4 (1.6 million numbers, a core with AVX-512).
SINGLE = (
    1.80936576e-09, -1.33646978e-07, 3.97311494e-06, -5.52779539e-05, -3.29547217e-05, 3.63339113e-02, 7.97884493e-01,
)  # fmt: skip


def _floating(x):
    x = np.asarray(x)
    return x if x.dtype.kind in "fc" else x.astype(float)


@np.errstate(over="ignore")  # the square of something huge is infinite, and the result right
def _normal_cdf(x):
    """Return the probability that a standard normal number lies below x."""
    x = _floating(x)
    if x.dtype != np.float32:
        from scipy.special import ndtr  # not above: it would take as long to load as the engine

        return np.asarray(ndtr(x), x.dtype)
    square = np.multiply(x, x, np.empty_like(x))
    inner = np.multiply(square, SINGLE[0], np.empty_like(x))
    inner += SINGLE[1]
    for coefficient in SINGLE[2:]:
        inner *= square
        inner += coefficient
    inner *= x
    np.tanh(inner, inner)
    inner *= 0.5
    inner += 0.5
    return inner


def _normal_density(x):
    return np.exp(-0.5 * x * x) * DENSITY_AT_0


normal_cdf = operation(
    _normal_cdf,
    name="normal_cdf",
    slope=lambda out, x: _normal_density(x),
    sympy=lambda sp, x: (1 + sp.erf(x / sp.sqrt(2))) / 2,
    reads="x",
)


@np.errstate(over="ignore")
def _gelu_and_slope(x):
    """Return x times the normal probability, and its derivative, which is all that backward needs."""
    if isinstance(x, Traced):
        below = normal_cdf(x)
        return x * below, below + x * _normal_density(x)
    x = _floating(x)
    result, slope = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    rows = [a.reshape(-1) for a in (x, result, slope)]
    for start in range(0, x.size, BLOCK):
        part, product, rate = (row[start : start + BLOCK] for row in rows)
        below = _normal_cdf(part)
        np.multiply(part, below, product)
        np.multiply(part, part, rate)
        rate *= -0.5
        np.exp(rate, rate)
        rate *= part
        rate *= DENSITY_AT_0
        rate += below
    return result, slope


def _gelu_by_erf(x):
    return _gelu_and_slope(x)[0]


def _refuse_to_record(slope, x):
    raise NotImplementedError(
        'gelu(x, approximate="none") keeps its slope and not its input, so backward(create_graph=True) cannot record '
        'its rule; nest the calls instead (gradients.hvp, gradients.hessian), or take approximate="tanh"'
    )


# Not an entry of the table: where several differentiations are open, ``gelu`` is a composition, so that each finds x.
GELU = Primitive(
    name="gelu",
    function=_gelu_by_erf,
    forward=_gelu_and_slope,
    saves=True,
    reads="",
    recover=_refuse_to_record,
    vjp=[lambda g, slope, x: g * slope],
    jvp=[lambda t, slope, x: t * slope],
    onto=lambda g, slope, x: times_onto(g, slope),
    elementwise=True,
    sympy=lambda sp, x: x * (1 + sp.erf(x / sp.sqrt(2))) / 2,
)


def gelu(x, approximate="tanh"):
    """Return the Gaussian error linear unit: x times the probability that a standard normal number lies below x.

    Parameters
    ----------
    x : array
        Pre-activations.
    approximate : {"tanh", "none"}
        "none" is that probability itself, ``(1 + erf(x / sqrt(2))) / 2``, PyTorch's default; it keeps one array for the
        backward pass. "tanh", the default here, is the formula that Hendrycks and Gimpel gave for it; the two differ by
        up to 5e-4, which is too much where weights were trained with the other one.

    Returns
    -------
    array
        Of the same shape.

    Raises
    ------
    ValueError
        If there is no such approximation.

    References
    ----------
    Hendrycks, Gimpel (2016), "Gaussian Error Linear Units".
    """
    if approximate == "none":
        if not isinstance(x, Traced):
            return _gelu_by_erf(x)
        several = x.traces & (x.traces - 1)
        return x * normal_cdf(x) if several else apply(GELU, (x,), {})
    if approximate != "tanh":
        raise ValueError(f'gelu takes approximate="tanh" or "none", got {approximate!r}')
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))


composite(gelu, gelu, example((3, 4)), example((3, 4), approximate="none"))


# --- clip: the gradient passes where the limits do not bind, and on them


def _limit(x, low, high):
    return np.minimum(np.maximum(x, low), high)


def _inside(x, low, high):
    return (x >= low) & (x <= high)


limit = operation(
    _limit,
    name="clip to limits",
    rules=[
        lambda g, out, x, low, high: g * _inside(x, low, high),
        lambda g, out, x, low, high: g * ((x < low) & (low < high)),
        lambda g, out, x, low, high: g * ((x > high) | (low > high)),
    ],
    examples=[example((3, 4), fixed(-0.45), fixed(0.75), domain=apart), example((3, 4), (4,), (3, 1), domain=(
        apart, lambda rng, s: rng.uniform(-0.48, -0.42, s), lambda rng, s: rng.uniform(0.72, 0.78, s)))],
    sympy=lambda sp, x, low, high: sp.Min(sp.Max(x, low), high), reads="x low high",
)  # fmt: skip


def _clip(a, a_min=None, a_max=None, *, min=np._NoValue, max=np._NoValue):
    if (min is not np._NoValue or max is not np._NoValue) and (a_min is not None or a_max is not None):
        raise ValueError("a_min and min mean the same, as do a_max and max; give one pair")
    low = a_min if min is np._NoValue else min
    high = a_max if max is np._NoValue else max
    return limit(a, -np.inf if low is None else low, np.inf if high is None else high)


composite(
    np.clip,
    _clip,
    example((3, 4), fixed(-0.45), fixed(0.75), domain=apart),
    example((3, 4), fixed(None), fixed(0.45), domain=apart),
    arrays="a a_min a_max min max",
    weak="a_min a_max min max",
)


# --- softmax and its relatives


def _logsumexp(x, axis=None, keepdims=False):
    """Return log(sum(exp(x))) along ``axis``, without overflow.

    Parameters
    ----------
    x : array
        Exponents.
    axis : int or tuple of int, optional
        Axes to sum over; all by default.
    keepdims : bool
        Keep the summed axes with length one.

    Returns
    -------
    array
        The logarithms of the sums.
    """
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.reshape(total, np.sum(x, axis=axis).shape)


def _softmax(x, axis=-1):
    """Return exp(x) / sum(exp(x)) along ``axis``: numbers that are positive and add up to 1."""
    e = np.asarray(np.exp(x - _largest(x, axis)))
    e /= np.sum(e, axis=axis, keepdims=True)
    return e


def _largest(x, axis):
    """Return ``np.max(x, axis, keepdims=True)``, for short rows from a copy with the last axis first: NumPy compares
    many entries at once along the first axis, but along the last one by one. Rows of 32 take half the time."""
    if type(x) is np.ndarray and axis == -1 and x.ndim > 1 and x.shape[-1] * x.itemsize <= 128:
        return np.maximum.reduce(np.moveaxis(x, -1, 0).copy(), axis=0)[..., None]
    return np.max(x, axis=axis, keepdims=True)


def _log_softmax(x, axis=-1):
    """Return log(softmax(x)) along ``axis``, exact where softmax underflows."""
    z = x - np.max(x, axis=axis, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


def _weights(out, x, axis, keepdims):
    return np.exp(x - keep(out, x, axis, keepdims))


def _sp_exp(sp, x):
    return np.frompyfunc(sp.exp, 1, 1)(x)


def _sp_log(sp, x):
    return np.frompyfunc(sp.log, 1, 1)(x)


def _logsumexp_change(t, out, x, axis=None, keepdims=False):
    return np.sum(t * _weights(out, x, axis, keepdims), axis=axis, keepdims=keepdims)


def _logsumexp_changes(t, out, x, axis=None, keepdims=False):
    return _logsumexp_change(t, out, x, from_the_end(x, axis), keepdims)


logsumexp = operation(
    _logsumexp,
    name="logsumexp",
    vjp=[lambda g, out, x, axis=None, keepdims=False: keep(g, x, axis, keepdims) * _weights(out, x, axis, keepdims)],
    jvp=[_logsumexp_change],
    jvps=[_logsumexp_changes],
    examples=[example((3, 4)), example((3, 4), axis=1), example((2, 3, 4), axis=(0, 2), keepdims=True)],
    sympy_array=lambda sp, values, x, **kw: _sp_log(sp, np.asarray(np.sum(_sp_exp(sp, x), **kw), dtype=object)),
)


def _softmax_change(t, out, x, axis=-1):
    return out * (t - np.sum(t * out, axis=axis, keepdims=True))


def _log_softmax_change(t, out, x, axis=-1):
    return t - np.sum(np.exp(out) * t, axis=axis, keepdims=True)


softmax = operation(
    _softmax,
    name="softmax",
    rules=None,
    vjp=[lambda g, out, x, axis=-1: out * (g - np.sum(g * out, axis=axis, keepdims=True))],
    jvp=[_softmax_change],
    jvps=[lambda t, out, x, axis=-1: _softmax_change(t, out, x, from_the_end(x, axis))],
    examples=[example((3, 4)), example((3, 4), axis=0), example((5,))],
    sympy_array=lambda sp, values, x, axis=-1: _sp_exp(sp, x) / np.sum(_sp_exp(sp, x), axis=axis, keepdims=True),
    reads="out",
)
log_softmax = operation(
    _log_softmax,
    name="log_softmax",
    vjp=[lambda g, out, x, axis=-1: g - np.exp(out) * np.sum(g, axis=axis, keepdims=True)],
    jvp=[_log_softmax_change],
    jvps=[lambda t, out, x, axis=-1: _log_softmax_change(t, out, x, from_the_end(x, axis))],
    examples=[example((3, 4)), example((3, 4), axis=0), example((5,))],
    sympy_array=lambda sp, values, x, axis=-1: (
        x - _sp_log(sp, np.asarray(np.sum(_sp_exp(sp, x), axis=axis, keepdims=True), dtype=object))
    ),
    reads="out",
)


def _softmax_cross_entropy(logits, labels):
    """Return the mean of -log softmax(logits)[label]: classification's loss.

    Parameters
    ----------
    logits : array, shape (n, classes)
        Scores before softmax.
    labels : integer array, shape (n,)
        The right class of each row.

    Returns
    -------
    float
        The loss.
    """
    return _cross_entropy_and_error(logits, labels)[0]


def _cross_entropy_and_error(logits, labels):
    """Return the loss, and probabilities minus one-hot labels: the gradient of the summed loss."""
    # The largest score only keeps exp from overflowing and cancels in the result, so no derivative flows through it.
    # NumPy compares along the first axis many entries at once, along a short last one by one.
    if np.shape(labels) != logits.shape[:1]:
        raise ValueError(
            f"one label per row: scores of shape {logits.shape} go with labels of shape {logits.shape[:1]}, got "
            f"{np.shape(labels)}"
        )
    z = logits - np.maximum.reduce(np.asarray(plain(logits)).T.copy(), axis=0)[:, None]
    e = np.exp(z)
    total = np.add.reduce(e, axis=1, keepdims=True)
    right = np.arange(len(labels)), labels
    loss = np.add.reduce(np.log(total[:, 0]) - z[right]) / len(labels)
    if isinstance(e, Traced):
        one_hot = np.zeros(e.shape, e.dtype)
        one_hot[right] = 1
        return loss, e / total - one_hot
    e /= total
    e[right] -= 1
    return loss, e


softmax_cross_entropy = operation(
    _softmax_cross_entropy,
    forward=_cross_entropy_and_error,
    name="softmax_cross_entropy",
    saves=True,
    reads="labels",
    recover=lambda error, logits, labels: (np.log(error + np.eye(error.shape[1], dtype=error.dtype)[labels]), labels),
    vjp=[lambda g, error, logits, labels: error * (g / len(labels)), None],
    jvp=[lambda t, error, logits, labels: np.add.reduce(error * t, axis=None) / len(labels), None],
    jvps=[lambda t, error, logits, labels: np.add.reduce(error * t, axis=(-2, -1)) / len(labels), None],
    examples=[example((4, 3), fixed(np.array([2, 0, 0, 1]))), example((1, 5), fixed(np.array([3])))],
    sympy_array=lambda sp, values, z, labels: np.asarray(
        np.sum(_sp_log(sp, np.sum(_sp_exp(sp, z), axis=1)) - z[np.arange(len(labels)), labels]) / len(labels)
    ),
)

"""Products of matrices: matmul, the dense layer in both of its forms, einsum, and what is written with them.

Every product is linear in each factor, so the jvp is the product itself; the vjp multiplies by the transpose of the
other factor.
"""

from __future__ import annotations

import math

import numpy as np
from numpy import ndarray
from numpy.lib.array_utils import normalize_axis_tuple

from ..dispatch import operation
from ..gate import as_operand
from ..table import LINEAR, SAME, Each, composite, example, fixed, primitive

ascii_letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def mT(a):
    """Transpose the last two axes; ``.T`` where that is the same, because it is four times faster."""
    return a.T if a.ndim == 2 else np.swapaxes(a, -1, -2)


def _rows(a):
    """Put the examples of an array with any number of axes below each other."""
    return a if a.ndim == 2 else np.reshape(a, (math.prod(a.shape[:-1]), a.shape[-1]))


def times(a, b):
    """Return ``a @ b``, and where ``b`` is one matrix for all of ``a``, as a single product of all its rows.

    NumPy multiplies slice by slice: for ``a`` of shape (32, 32, 384) and ``b`` of shape (384, 1536) that takes twice as
    long.
    """
    if getattr(a, "ndim", 0) <= 2 or getattr(b, "ndim", 0) != 2:  # numbers have no axes; NumPy says so
        return np.matmul(a, b)
    shape = (*a.shape[:-1], b.shape[-1])
    if type(a) is not ndarray or type(b) is not ndarray:
        return np.reshape(np.matmul(_rows(a), b), shape)
    out = np.empty(shape, np.result_type(a, b))
    np.matmul(_rows(a), b, out=_rows(out))  # an array of its own, no view: the backward pass may add to it
    return out


def _matmul_left(g, out, a, b, bias=None):
    if b.ndim == 2 and a.ndim > 1:  # most often
        return times(g, b.T)
    if b.ndim == 1:
        return g * b if a.ndim == 1 else np.expand_dims(g, -1) * b
    if a.ndim == 1:
        return np.matmul(b, np.expand_dims(g, -1))[..., 0]
    return np.matmul(g, mT(b))


def _matmul_right(g, out, a, b, bias=None):
    if a.ndim == 2 and b.ndim > 1:  # most often
        return np.matmul(a.T, g)
    if a.ndim == 1:
        return g * a if b.ndim == 1 else np.expand_dims(a, 1) * np.expand_dims(g, -2)
    if b.ndim == 1:
        return np.matmul(mT(a), np.expand_dims(g, -1))[..., 0]
    if b.ndim == 2 and a.ndim > 2:
        # One big product instead of a stack of small ones that would be summed afterwards.
        return np.matmul(_rows(a).T, _rows(g))
    return np.matmul(mT(a), g)


def _matmul_left_changes(t, out, a, b):
    """Push a stack of changes of the left factor through: where the right one is a matrix, as one product."""
    if b.ndim <= 2:
        return np.reshape(np.matmul(_rows(t), b), t.shape[:-1] + b.shape[1:])
    if a.ndim == 1:
        return np.moveaxis(np.matmul(t, b), -2, 0)
    return np.matmul(np.reshape(t, (len(t), *(1,) * (b.ndim - a.ndim), *a.shape)), b)


def _matmul_right_changes(t, out, a, b):
    """Push a stack of changes of the right factor through."""
    if a.ndim == 1:
        return np.matmul(a, t) if b.ndim > 1 else np.matmul(t, a)
    if b.ndim == 1:
        return np.moveaxis(np.matmul(a, t.T), -1, 0)
    if b.ndim == 2:
        return np.reshape(np.matmul(_rows(a), t), (len(t), *a.shape[:-1], t.shape[-1]))
    return np.matmul(a, np.reshape(t, (len(t), *(1,) * (a.ndim - b.ndim), *b.shape)))


matmul = primitive(
    np.matmul,
    forward=times,
    vjp=[_matmul_left, _matmul_right],
    jvp=[LINEAR, LINEAR],
    jvps=[_matmul_left_changes, _matmul_right_changes],
    examples=[
        example((3, 4), (4, 2)),
        example((4,), (4,)),
        example((4,), (4, 2)),
        example((3, 4), (4,)),
        example((2, 3, 4), (4, 5)),
        example((4,), (2, 4, 3)),
        example((2, 3, 4), (4,)),
        example((2, 1, 3, 4), (5, 4, 2)),
        example((0, 3), (3, 2)),
    ],
    reads="a b",
)


def _affine_forward(x, weight, bias):
    out = times(x, weight)
    if type(out) is not ndarray or type(bias) is not ndarray or bias.dtype is not out.dtype:
        _check_bias(np.shape(bias), np.shape(out))
        return out + bias
    if bias.shape != out.shape[-1:]:
        _check_bias(bias.shape, out.shape)
    out += bias  # saves an array of the size of the result
    return out


def _check_bias(shape, product):
    if len(shape) > len(product) or any(n not in (1, m) for n, m in zip(shape[::-1], product[::-1], strict=False)):
        raise ValueError(f"a bias of shape {shape} cannot be added to x @ weight of shape {product}")


def _affine(x, weight, bias):
    """Return ``x @ weight + bias`` as one step: what a dense layer computes.

    Parameters
    ----------
    x : array, shape (..., d_in)
        The inputs.
    weight : array, shape (d_in, d_out)
        The weights.
    bias : array, shape (d_out,)
        The biases.

    Returns
    -------
    array, shape (..., d_out)
        The pre-activations.

    Raises
    ------
    ValueError
        If the bias does not fit the product.
    """
    return np.matmul(x, weight) + bias


affine = operation(
    _affine,
    forward=_affine_forward,
    name="affine",
    vjp=[
        _matmul_left,
        _matmul_right,
        lambda g, out, x, w, b: np.add.reduce(g, axis=0) if g.ndim == 2 and len(b.shape) == 1 else g,
    ],
    jvp=[lambda t, out, x, w, b: times(t, w), lambda t, out, x, w, b: times(x, t), lambda t, out, x, w, b: t],
    jvps=[
        lambda t, out, x, w, b: _matmul_left_changes(t, out, x, w),
        lambda t, out, x, w, b: _matmul_right_changes(t, out, x, w),
        SAME,
    ],
    examples=[
        example((3, 4), (4, 2), (2,)),
        example((4,), (4, 2), (2,)),
        example((2, 3, 4), (4, 5), (5,)),
        example((3, 4), (2, 4, 5), (3, 1)),
        example((3, 4), (4, 2), (3, 2)),
    ],
    reads="a b",
)


def _linear(x, weight, bias=None):
    """Return ``x @ weight.T + bias``: a dense layer whose weight is stored one row per output, as PyTorch does.

    The same numbers as ``affine(x, weight.T, bias)`` in one step instead of two, and the gradient of the weight comes
    in the memory order of the weight.

    Parameters
    ----------
    x : array, shape (..., d_in)
        The inputs.
    weight : array, shape (d_out, d_in)
        The weights.
    bias : array, shape (d_out,), optional
        The biases.

    Returns
    -------
    array, shape (..., d_out)
        The pre-activations.

    Raises
    ------
    ValueError
        If the weight is no matrix, or there is not one bias per output.
    """
    if weight.ndim != 2:
        raise ValueError(f"a weight has one row per output and one column per input, got shape {weight.shape}")
    if bias is None:
        return times(x, weight.T)
    if np.shape(bias) != weight.shape[:1]:
        raise ValueError(
            f"one bias per output: a weight of shape {weight.shape} goes with a bias of shape {weight.shape[:1]}, got "
            f"{np.shape(bias)}"
        )
    return _affine_forward(x, weight.T, bias)


linear = operation(
    _linear,
    name="linear",
    vjp=[
        lambda g, out, x, w, b=None: times(g, w),
        lambda g, out, x, w, b=None: np.matmul(_rows(g).T, _rows(x)),
        lambda g, out, x, w, b: np.add.reduce(_rows(g), axis=0),
    ],
    jvp=[
        lambda t, out, x, w, b=None: times(t, w.T),
        lambda t, out, x, w, b=None: times(x, t.T),
        lambda t, out, x, w, b: t,
    ],
    jvps=[
        SAME,
        lambda t, out, x, w, b=None: _matmul_right_changes(np.swapaxes(t, -1, -2), out, x, w.T),
        SAME,
    ],
    examples=[
        example((3, 4), (2, 4), (2,)),
        example((3, 4), (2, 4)),
        example((4,), (2, 4), (2,)),
        example((2, 3, 4), (5, 4), (5,)),
        example((2, 0, 4), (5, 4)),
    ],
    reads="x w",
)


# --- einsum: rename until the transpose is an einsum again


def _explicit(subscripts, shapes):
    """Return the subscripts of every operand and of the output with ``...`` and the implicit output spelled out."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    operands = left.split(",")
    unused = [c for c in ascii_letters if c not in subscripts]
    broadcast = max(len(s) - len(o.replace("...", "")) for o, s in zip(operands, shapes, strict=True))
    dots = "".join(unused[:broadcast])
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        right = ("..." if "..." in left else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    spelled = []
    for o, s in zip(operands, shapes, strict=True):
        n = len(s) - len(o.replace("...", ""))
        spelled.append(o.replace("...", dots[len(dots) - n :]))
    return spelled, right.replace("...", dots)


def _einsum_vjp(index, g, out, *operands, subscripts, optimize=False):
    """Swap the output and an operand; what einsum cannot write as an output is supplied by ones and identities."""
    terms, right = _explicit(subscripts, [o.shape for o in operands])
    mine, shape = terms[index], operands[index].shape
    others = [(t, o) for i, (t, o) in enumerate(zip(terms, operands, strict=True)) if i != index]
    unused = [c for c in ascii_letters if c not in "".join(terms)]
    target = ""
    for letter, n in zip(mine, shape, strict=True):
        if letter in target:  # a diagonal was taken: put the gradient back on it
            fresh = unused.pop()
            others.append((letter + fresh, np.eye(n, dtype=g.dtype)))
            letter = fresh
        elif letter not in right and all(letter not in t for t, _ in others):  # summed out on its own
            others.append((letter, np.ones(n, dtype=g.dtype)))
        target += letter
    return np.einsum(
        ",".join([right, *[t for t, _ in others]]) + "->" + target, g, *[o for _, o in others], optimize=optimize
    )


def _einsum_jvp(index, t, out, *operands, subscripts, optimize=False):
    changed = [t if i == index else o for i, o in enumerate(operands)]
    return np.einsum(subscripts, *changed, optimize=optimize)


def _einsum_jvps(index, t, out, *operands, subscripts, optimize=False):
    terms, right = _explicit(subscripts, [o.shape for o in operands])
    direction = next(c for c in ascii_letters if c not in "".join(terms))
    terms[index] = direction + terms[index]
    changed = [t if i == index else o for i, o in enumerate(operands)]
    return np.einsum(",".join(terms) + "->" + direction + right, *changed, optimize=optimize)


def _contracted(*operands, subscripts, optimize=False):
    return np.einsum(subscripts, *operands, optimize=optimize)


contracted = operation(
    _contracted,
    name="einsum",
    vjp=Each(_einsum_vjp),
    jvp=Each(_einsum_jvp),
    jvps=Each(_einsum_jvps),
    examples=[
        example((2, 3), (3, 4), subscripts="ij,jk->ik"),
        example((2, 3), subscripts="ij->ji"),
        example((2, 3), subscripts="ij->i"),
        example((3, 3), subscripts="ii->i"),
        example((3, 3), subscripts="ii"),
        example((2,), (3,), subscripts="i,j"),
        example((2, 3, 4), (2, 4, 2), subscripts="bij,bjk"),
        example((2, 3, 4), (4, 2), subscripts="...ij,...jk->...ik"),
        example((2, 3), subscripts="...i->..."),
        example((2,), (2, 3), (3,), optimize=True, subscripts="i,ij,j->"),
        example((2, 3), (3,), subscripts="b...,...->b..."),
    ],
)


def _einsum(*operands, optimize=False):
    if not isinstance(operands[0], str):  # pairs of an array and its list of axes, then perhaps that of the result
        operands = _spelled(operands)
    subscripts, *arrays = operands
    return contracted(*[as_operand(a, "np.einsum") for a in arrays], subscripts=subscripts, optimize=optimize)


def _spelled(operands):
    """Return einsum's other form, ``einsum(a, [0, 1], b, [1, 2], [0, 2])``, as subscripts and arrays."""
    count = len(operands) // 2
    lists = [*operands[1 : 2 * count : 2], *operands[2 * count :]]
    terms = ["".join("..." if axis is Ellipsis else ascii_letters[axis] for axis in axes) for axes in lists]
    subscripts = ",".join(terms[:count]) + ("->" + terms[count] if len(terms) > count else "")
    return (subscripts, *operands[: 2 * count : 2])


composite(
    np.einsum,
    _einsum,
    example(fixed("ij,jk->ik"), (2, 3), (3, 4)),
    example((2, 3), fixed([0, 1]), (3, 4), fixed([1, 2]), fixed([2, 0])),
    name="contracted",
)


# --- products written with the ones above


def _tensordot(a, b, axes=2):
    if np.ndim(axes) == 0:
        if not isinstance(axes, (int, np.integer)):
            raise TypeError(f"axes is a number of axes, or a pair of lists of axes; got {axes!r}")
        axes = (list(range(a.ndim - int(axes), a.ndim)), list(range(int(axes))))
    left, right = (normalize_axis_tuple(ax, x.ndim, "axes") for x, ax in zip((a, b), axes, strict=True))
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise ValueError(f"tensordot cannot pair axes {left} of shape {a.shape} with axes {right} of shape {b.shape}")
    free_a = tuple(i for i in range(a.ndim) if i not in left)
    free_b = tuple(i for i in range(b.ndim) if i not in right)
    shape = tuple(a.shape[i] for i in free_a) + tuple(b.shape[i] for i in free_b)
    inner = math.prod(a.shape[i] for i in left)
    rows = np.reshape(np.transpose(a, free_a + left), (math.prod(a.shape[i] for i in free_a), inner))
    columns = np.reshape(np.transpose(b, right + free_b), (inner, math.prod(b.shape[i] for i in free_b)))
    return np.reshape(np.matmul(rows, columns), shape)


def _dot(a, b):
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return np.matmul(a, b) if b.ndim <= 2 else _tensordot(a, b, (-1, -2))


def _inner(a, b):
    return a * b if a.ndim == 0 or b.ndim == 0 else _tensordot(a, b, (-1, -1))


def _outer(a, b):
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


def _vdot(a, b):
    if a.size != b.size:
        raise ValueError(f"vdot pairs all entries of two arrays of one size, got shapes {a.shape} and {b.shape}")
    return np.sum(np.conj(np.reshape(a, -1)) * np.reshape(b, -1))


def _diagonal(a, offset=0, axis1=0, axis2=1):
    last = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = last.shape[-2:]
    i = np.arange(max(0, min(rows + min(offset, 0), columns - max(offset, 0))))
    return last[..., i - min(offset, 0), i + max(offset, 0)]


def _diag(v, k=0):
    if v.ndim == 2:
        return _diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"diag takes one or two axes, got shape {v.shape}")
    n = v.shape[0]
    square = np.where(np.eye(n, dtype=bool), np.expand_dims(v, 1), np.zeros((), v.dtype))
    return np.pad(square, ((max(-k, 0), max(k, 0)), (max(k, 0), max(-k, 0)))) if k else square


def _trace(a, offset=0, axis1=0, axis2=1):
    return np.sum(_diagonal(a, offset, axis1, axis2), axis=-1)


composite(
    np.tensordot, _tensordot, example((2, 3, 4), (3, 4, 5)), example((2, 3), (3, 2), axes=([1, 0], [0, 1])),
    arrays="a b",
)  # fmt: skip
composite(
    np.dot, _dot, example((2, 3), (3, 4)), example((3,), (3,)), example((2, 3), (4, 3, 2)), example((), (3,)),
    arrays="a b",
)  # fmt: skip
composite(np.inner, _inner, example((2, 3), (4, 3)), example((3,), (3,)), arrays="a b")
composite(
    np.vdot, _vdot, example((2, 3), (2, 3)),
    arrays="a b",
)  # fmt: skip
composite(np.outer, _outer, example((3,), (4,)), example((2, 2), (3,)), arrays="a b")
composite(np.diagonal, _diagonal, example((3, 4)), example((3, 4), offset=1), example((2, 3, 3), axis1=1, axis2=2))
composite(np.trace, _trace, example((3, 4)), example((3, 3), offset=-1), example((2, 3, 4), axis1=1, axis2=2))
composite(np.diag, _diag, example((3,)), example((3,), k=-1), example((3, 4)))

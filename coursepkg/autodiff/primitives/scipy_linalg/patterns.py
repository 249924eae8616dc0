"""Matrices of a pattern, made of a few numbers."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from ...dispatch import UnsupportedArgumentError
from ...gate import as_operand
from ...table import example
from .standing_in import _matrix, standing_in

# --- matrices of a pattern


def _row(x, name):
    if x.ndim != 1:
        raise UnsupportedArgumentError(
            f"linalg.{name} of traced values takes rows of numbers (one axis), got shape {x.shape}; ravel it first"
        )
    return x


def _toeplitz(c, r=None):
    c = _row(np.atleast_1d(c), "toeplitz")
    r = np.conj(c) if r is None else _row(np.atleast_1d(r), "toeplitz")
    values = np.concatenate([c[::-1], r[1:]])
    return values[np.arange(len(c))[::-1, None] + np.arange(len(r))]


def _hankel(c, r=None):
    c = _row(c, "hankel")
    r = np.zeros(c.shape, c.dtype) if r is None else _row(r, "hankel")
    return np.concatenate([c, r[1:]])[np.arange(len(c))[:, None] + np.arange(len(r))]


def _circulant(c):
    c = _row(np.atleast_1d(c), "circulant")
    return c[(np.arange(len(c))[:, None] - np.arange(len(c))) % max(len(c), 1)]


def _block_diag(*arrs):
    blocks = [np.atleast_2d(as_operand(block, "linalg.block_diag")) for block in arrs]
    for block in blocks:
        _matrix(block, "block_diag")
    ends = np.cumsum([block.shape[1] for block in blocks]).tolist()
    return np.concatenate(
        [
            np.pad(block, ((0, 0), (end - block.shape[1], ends[-1] - end)))
            for block, end in zip(blocks, ends, strict=True)
        ]
    )


def _khatri_rao(a, b):
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise UnsupportedArgumentError(
            f"linalg.khatri_rao takes two matrices with as many columns each, got shapes {a.shape} and {b.shape}"
        )
    return np.reshape(np.expand_dims(a, 1) * np.expand_dims(b, 0), (a.shape[0] * b.shape[0], a.shape[1]))


toeplitz = standing_in(linalg.toeplitz, _toeplitz, example((3,)), example((3,), (2,)), arrays="c r")


hankel = standing_in(linalg.hankel, _hankel, example((3,)), example((3,), (2,)), arrays="c r")


circulant = standing_in(linalg.circulant, _circulant, example((3,)))


block_diag = standing_in(linalg.block_diag, _block_diag, example((2, 3), (1, 2)), example((2,), ()), arrays="")


khatri_rao = standing_in(linalg.khatri_rao, _khatri_rao, example((2, 3), (4, 3)), arrays="a b")

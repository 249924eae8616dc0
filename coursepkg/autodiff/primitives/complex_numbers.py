"""Real and imaginary part, conjugate, size and angle: the functions of complex numbers that are not holomorphic.

With z = a + ib, a rule pairs a gradient g with a change t as Re(g t). From that each transpose follows, e.g. Im(t) g =
Re(-i g t), so the vjp of ``imag`` is -i g.
"""

from __future__ import annotations

import numpy as np

from ..dispatch import operation
from ..table import LINEAR, SAME, complex_normal, composite, elementwise_examples, example, normal, primitive


def _is_complex(z):
    return z.dtype.kind == "c"


def _direction(z, size):
    """Return z / |z|, and 0 at 0."""
    zero = size == 0
    return np.where(zero, 0.0, z) / np.where(zero, 1.0, size)


side = operation(
    lambda x: np.sign(x),
    rules=[lambda g, out, x: np.zeros_like(g)],
    flat=True,
    # Sympy would differentiate the jump to a delta function; away from it the sign is a number.
    sympy_array=lambda sp, values, x: np.frompyfunc(sp.Integer, 1, 1)(np.sign(values[0])),
    reads="",
    name="sign of real numbers",
)


def _sign(x):
    # A real number has one of two signs; that of a complex one turns with it.
    return _direction(x, np.abs(x)) if _is_complex(x) else side(x)


BOTH = [example((3, 4), domain=complex_normal), example((), domain=complex_normal), example((2, 3), domain=normal)]


def _parts_of(part, values, z):
    """Take the parts of expressions; the numbers tell which are real, which sympy would be long in finding out."""
    if _is_complex(values[0]):
        return np.frompyfunc(lambda e: part(e).expand(complex=True), 1, 1)(z)
    return z if part.__name__ == "re" else z * 0


real = primitive(
    np.real,
    vjp=[lambda g, out, z: g],
    jvp=[LINEAR],
    jvps=[SAME],
    sympy_array=lambda sp, values, z: _parts_of(sp.re, values, z),
    examples=BOTH,
    reads="",
)
imag = primitive(
    np.imag,
    vjp=[lambda g, out, z: g * -1j if _is_complex(z) else np.zeros_like(g)],
    jvp=[LINEAR],
    jvps=[SAME],
    sympy_array=lambda sp, values, z: _parts_of(sp.im, values, z),
    examples=BOTH[:2],
    reads="",
)
conjugate = primitive(
    np.conjugate,
    vjp=[lambda g, out, z: np.conj(g)],
    jvp=[LINEAR],
    jvps=[SAME],
    sympy_array=lambda sp, values, z: np.frompyfunc(sp.conjugate, 1, 1)(z) if _is_complex(values[0]) else z,
    examples=BOTH,
    reads="",
)
absolute = primitive(
    np.absolute,
    vjp=[lambda g, out, z: g * np.conj(_direction(z, out)) if _is_complex(z) else g * np.sign(z)],
    jvp=[lambda t, out, z: np.real(t * np.conj(_direction(z, out))) if _is_complex(z) else t * np.sign(z)],
    jvps=[SAME],
    sympy=lambda sp, z: sp.Abs(z),
    examples=[*elementwise_examples(1, normal), *BOTH[:2]],
)


def _turn(z):
    """Return 1 / z, and 0 at 0, where PyTorch takes the derivative of the angle to be 0."""
    zero = z == 0
    return np.where(zero, 0.0, 1 / np.where(zero, 1.0, z))


angle = primitive(
    np.angle,
    vjp=[lambda g, out, z: g * -1j * _turn(z) if _is_complex(z) else np.zeros_like(g)],
    jvp=[lambda t, out, z: np.imag(t * _turn(z)) if _is_complex(z) else np.zeros_like(t)],
    jvps=[SAME],
    sympy=lambda sp, z: sp.atan2(sp.im(z).expand(complex=True), sp.re(z).expand(complex=True)),
    examples=BOTH[:2],
    reads="z",
)
composite(np.sign, _sign, *BOTH[:2])

"""Algebra: a ``SymbolicArray`` carries sympy expressions through NumPy code, beside the numbers they stand for.

The one idea: run the function once on symbols, then let sympy differentiate the formula that comes out; no rule of the
table is used. The numbers decide comparisons, so where a function has several pieces the trace follows the piece at the
point, as every other route does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from . import catalogue  # noqa: F401  (fills the table)
from .dispatch import TracedArray
from .errors import MissingPrimitiveError
from .table import Primitive

__all__ = ["SymbolicArray", "gradient_of_expression", "symbols_like"]


class SymbolicArray(TracedArray):
    """Sympy expressions with their values.

    Parameters
    ----------
    expressions : numpy.ndarray of object
        One sympy expression per entry.
    value : numpy.ndarray
        What the expressions are at the point, same shape.

    Examples
    --------
    >>> x, _ = symbols_like(np.array([1.0, 2.0]), "x")
    >>> np.sum(x * x).expressions.item()
    x_0**2 + x_1**2
    """

    __slots__ = ("expressions", "value")
    rank: ClassVar[int] = 2
    traces = 1

    def __init__(self, expressions: np.ndarray, value: np.ndarray) -> None:
        self.expressions = np.asarray(expressions, dtype=object)
        self.value = np.asarray(value)
        if self.expressions.shape != self.value.shape:
            raise ValueError(
                f"expressions of shape {self.expressions.shape} cannot have values of shape {self.value.shape}"
            )

    @classmethod
    def apply(cls, entry: Primitive, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run a primitive on the numbers and its sympy form on the expressions."""
        import sympy

        values = [a.value if type(a) is SymbolicArray else a for a in operands]
        exact = [a.expressions if type(a) is SymbolicArray else _constants(a, sympy) for a in operands]
        out = entry.forward(*values, **options)
        value = np.asarray(out[0] if entry.saves else out)
        if entry.sympy_array is not None:
            found = entry.sympy_array(sympy, values, *exact, **options)
        elif entry.sympy is not None:
            found = _entrywise(entry.sympy, sympy, exact)
        else:
            try:
                found = entry.forward(*exact, **options)
            except TypeError as error:
                raise MissingPrimitiveError(
                    f"{entry.name} has no sympy form, and its forward rule does not run on expressions; give "
                    "its entry in the table sympy=lambda sp, x: ... or sympy_array=..."
                ) from error
        return SymbolicArray(found, value)

    def _under(self) -> Any:
        return self.value

    def __repr__(self) -> str:
        return f"SymbolicArray({self.expressions.tolist()})"


def _constants(a: Any, sympy: Any) -> Any:
    """Return numbers as exact sympy numbers, so that nothing is rounded before the very end; leave the rest alone."""
    if isinstance(a, (bool, float, complex, np.generic, np.ndarray)) and np.asarray(a).dtype.kind in "bfc":
        return _entrywise(lambda sp, number: _number(number, sp), sympy, [np.asarray(a)])
    return a


def _number(number: Any, sympy: Any) -> Any:
    if isinstance(number, (bool, np.bool_)):
        return sympy.Integer(int(number))
    if isinstance(number, complex):
        return _number(number.real, sympy) + sympy.I * _number(number.imag, sympy)
    return sympy.Rational(*float(number).as_integer_ratio()) if np.isfinite(number) else sympy.Float(number)


def _entrywise(form: Callable[..., Any], sympy: Any, args: list[Any]) -> np.ndarray:
    """Apply a sympy form to every entry of broadcast arguments."""
    arrays = np.broadcast_arrays(*[np.asarray(a, dtype=object) for a in args])
    out = np.empty(arrays[0].shape, dtype=object)
    for index in np.ndindex(out.shape):
        out[index] = form(sympy, *[a[index] for a in arrays])
    return out


def symbols_like(value: np.ndarray, name: str) -> tuple[SymbolicArray, list[Any]]:
    """Make symbols for the entries of an array.

    Parameters
    ----------
    value : numpy.ndarray
        The point.
    name : str
        Symbols are called ``name_0_1`` and so on. A complex entry gets two real symbols, for its parts.

    Returns
    -------
    array : SymbolicArray
        The symbols, with the numbers of the point.
    symbols : list
        The symbols in order of the entries; for complex entries the real part, then the imaginary part.
    """
    import sympy

    expressions = np.empty(value.shape, dtype=object)
    symbols = []
    for index in np.ndindex(value.shape):
        label = "_".join([name, *map(str, index)])
        if value.dtype.kind == "c":
            parts = [sympy.Symbol(f"{label}_{part}", real=True) for part in ("re", "im")]
            expressions[index] = parts[0] + sympy.I * parts[1]
            symbols += parts
        else:
            # Knowing the sign lets sympy take roots and logarithms apart; it is a fact at the point.
            sign = (
                {"positive": True} if value[index] > 0 else {"negative": True} if value[index] < 0 else {"real": True}
            )
            symbols.append(sympy.Symbol(label, **sign))
            expressions[index] = symbols[-1]
    return SymbolicArray(expressions, value), symbols


def gradient_of_expression(expression: Any, symbols: list[Any], numbers: list[float]) -> list[float]:
    """Differentiate a formula by sympy and evaluate the derivatives at a point, with 30 digits inside.

    Parameters
    ----------
    expression : sympy expression
        A real function of the symbols.
    symbols : list
        What to differentiate by.
    numbers : list of float
        The point.

    Returns
    -------
    list of float
        One derivative per symbol.
    """
    import mpmath
    import sympy

    # Of a long sum, sympy would ask every term for every symbol, which takes most of the time.
    terms = [(term, term.free_symbols) for term in sympy.Add.make_args(expression)]
    derivatives = [
        sympy.Add(*(sympy.diff(term, symbol) for term, free in terms if symbol in free)) for symbol in symbols
    ]
    evaluate = sympy.lambdify(symbols, derivatives, modules="mpmath", cse=True)
    with mpmath.workdps(30):
        return [float(mpmath.re(d)) for d in evaluate(*[mpmath.mpf(n) for n in numbers])]

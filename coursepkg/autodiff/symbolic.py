"""The symbolic witness: run the same Python function on symbols, and let SymPy differentiate it like a textbook.

The one idea: a function that uses only operators and the functions of :mod:`coursepkg.autodiff.scalar` does not notice
whether it is given floats, Scalars or formulas. SymPy (Meurer et al. 2017) knows nothing of our engine, so where the
two agree, neither is likely to be wrong.
"""

import inspect
import math
from collections import namedtuple
from collections.abc import Callable
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

import sympy

_DIGITS = 50  # more than any float needs, so that what is left after cancellation is still right


def _sympified(value: Any) -> sympy.Expr:
    """A formula, or an error that says why there is none; floats that are short fractions become fractions."""
    if isinstance(value, Symbolic):
        return value.expression
    if isinstance(value, sympy.Expr):
        return value
    if getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float, Fraction)):
        raise TypeError(
            f"a formula is made of symbols and real numbers, got {type(value).__name__} {value!r}; "
            "a function of several values takes each of them as an argument of its own"
        )
    if isinstance(value, float) and math.isfinite(value):
        fraction = Fraction(value).limit_denominator(1000)
        return (
            sympy.Rational(fraction.numerator, fraction.denominator) if float(fraction) == value else sympy.Float(value)
        )
    return sympy.sympify(value)


def _operator(compute: Callable[..., Any], *, reflected: bool = False) -> Callable[[Any, Any], "Symbolic"]:
    def method(self: "Symbolic", other: Any) -> "Symbolic":
        pair = (self.expression, _sympified(other))
        return Symbolic(compute(*(reversed(pair) if reflected else pair)))

    return method


def _elementary(compute: Callable[[Any], Any]) -> Callable[[Any], "Symbolic"]:
    return lambda self: Symbolic(compute(self.expression))


def _undecidable(self: "Symbolic", other: Any) -> bool:
    raise TypeError(
        f"whether {self.expression} is larger or smaller than {other} depends on numbers that a symbol does not have; "
        "write the choice with maximum, minimum, relu or abs instead of `if`"
    )


class Symbolic:
    """A formula that can stand wherever a function expects a number.

    Parameters
    ----------
    expression : str or sympy.Expr or number
        The name of a real variable, or a formula.

    Notes
    -----
    Slopes at kinks are those of :class:`coursepkg.autodiff.scalar.Scalar`: relu'(0) = 0, abs'(0) = 0, and half to each
    side where ``maximum`` or ``minimum`` has a tie (SymPy's Heaviside(0) = 1/2).

    Examples
    --------
    >>> x = Symbolic("x")
    >>> (x * x + 2 * x.tanh()).expression
    x**2 + 2*tanh(x)
    """

    __slots__ = ("expression",)
    __array_ufunc__ = None  # NumPy then leaves array * Symbolic to us, instead of making an array of objects

    def __init__(self, expression: Any):
        self.expression = sympy.Symbol(expression, real=True) if isinstance(expression, str) else _sympified(expression)

    __add__ = __radd__ = _operator(lambda a, b: a + b)
    __mul__ = __rmul__ = _operator(lambda a, b: a * b)
    __sub__ = _operator(lambda a, b: a - b)
    __rsub__ = _operator(lambda a, b: a - b, reflected=True)
    __truediv__ = _operator(lambda a, b: a / b)
    __rtruediv__ = _operator(lambda a, b: a / b, reflected=True)
    __pow__ = _operator(lambda a, b: a**b)
    __rpow__ = _operator(lambda a, b: a**b, reflected=True)
    maximum = _operator(sympy.Max)
    minimum = _operator(sympy.Min)
    __neg__ = _elementary(lambda a: -a)
    abs = __abs__ = _elementary(sympy.Abs)
    exp = _elementary(sympy.exp)
    log = _elementary(sympy.log)
    sqrt = _elementary(sympy.sqrt)
    sin = _elementary(sympy.sin)
    cos = _elementary(sympy.cos)
    tanh = _elementary(sympy.tanh)
    sigmoid = _elementary(lambda a: 1 / (1 + sympy.exp(-a)))
    relu = _elementary(lambda a: sympy.Piecewise((a, a > 0), (0, True)))
    __lt__ = __le__ = __gt__ = __ge__ = _undecidable

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Symbolic) and self.expression == other.expression

    def __hash__(self) -> int:
        return hash(self.expression)

    def __float__(self) -> float:
        if not self.expression.is_number:
            raise TypeError(
                f"{self.expression} is a formula, not a number yet: it cannot be mixed with Scalars, nor given to "
                "math.exp and its kin. Use exp, tanh, ... from coursepkg.autodiff.scalar, or methods such as x.exp()"
            )
        return _real(self.expression)

    def __repr__(self) -> str:
        return f"Symbolic({self.expression})"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {sympy.latex(self.expression)}$"


def derive(f: Callable[..., Any], *names: str) -> "Derivation":
    """Run ``f`` on symbols and differentiate the formula that comes out.

    Parameters
    ----------
    f : callable
        A function of numbers, written with operators, ``abs``, and methods or functions such as ``x.tanh()`` or
        ``tanh(x)`` of :mod:`coursepkg.autodiff.scalar`.
    *names : str
        One name for each argument of ``f``; left out, they are the names of its parameters. ``"w_1"`` and ``"theta"``
        are shown as letters with an index and as Greek letters.

    Returns
    -------
    Derivation
        The formula, its gradient, and both at any point.

    Raises
    ------
    TypeError
        If ``f`` does not take that many arguments, or computes something that is no formula.

    Examples
    --------
    >>> from coursepkg.autodiff.scalar import tanh
    >>> witness = derive(lambda w, x: w * tanh(x), "w", "x")
    >>> witness.gradient["w"]
    tanh(x)
    >>> witness.at(w=2.0, x=0.0)
    Gradient(w=0.0, x=2.0)
    """
    parameters = [
        p for p in inspect.signature(f).parameters.values() if p.default is p.empty and p.kind != p.VAR_POSITIONAL
    ]
    names = names or tuple(p.name for p in parameters)
    if len(set(names)) < len(names):
        raise ValueError(f"each variable needs a name of its own, got {', '.join(names)}")
    try:
        inspect.signature(f).bind(*names)
    except TypeError as error:
        raise TypeError(f"the function does not take {len(names)} arguments ({', '.join(names)}): {error}") from None
    return Derivation(names, _sympified(f(*map(Symbolic, names))))


class Derivation:
    """A formula with its gradient, as :func:`derive` makes it.

    Parameters
    ----------
    names : tuple of str
        The variables, in the order of the function's arguments.
    expression : sympy.Expr
        The formula, as the function wrote it.
    """

    def __init__(self, names: tuple[str, ...], expression: sympy.Expr):
        self.names = names
        self.expression = expression
        self._symbols = [sympy.Symbol(name, real=True) for name in names]

    @cached_property
    def _partials(self) -> list[sympy.Expr]:
        return [sympy.diff(self.expression, symbol) for symbol in self._symbols]

    @cached_property
    def gradient(self) -> dict[str, sympy.Expr]:
        """The partial derivative by each variable, simplified as far as a textbook would."""
        return {name: _simplified(partial) for name, partial in zip(self.names, self._partials, strict=True)}

    def at(self, *values: float, **named: float) -> Any:
        """Evaluate the gradient at a point, given by position or by name.

        Returns
        -------
        Gradient
            A named tuple of floats, one for each variable; infinite where the slope is.

        Raises
        ------
        ValueError
            If the function or its gradient has no real value there.
        """
        point = self._point(values, named)
        if not math.isfinite(_real(self.expression.subs(point))):
            raise ValueError(f"{self.expression} is infinite there; choose a point where the function has a value")
        numbers = [_real(partial.subs(point)) for partial in self._partials]
        return _gradient_type(self.names)(*numbers)

    def value_at(self, *values: float, **named: float) -> float:
        """Evaluate the formula itself at a point, given by position or by name."""
        return _real(self.expression.subs(self._point(values, named)))

    def latex(self) -> str:
        """The formula and its gradient as aligned LaTeX equations, without dollar signs."""
        f = "f" if "f" not in self.names else "F"
        lines = [f"{f} &= {sympy.latex(self.expression)}"]
        for symbol, partial in zip(self._symbols, self.gradient.values(), strict=True):
            lines.append(rf"\frac{{\partial {f}}}{{\partial {sympy.latex(symbol)}}} &= {sympy.latex(partial)}")
        return "\\begin{aligned}\n" + " \\\\[4pt]\n".join(lines) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __repr__(self) -> str:
        lines = [f"f = {self.expression}"]
        return "\n".join([*lines, *(f"∂f/∂{name} = {partial}" for name, partial in self.gradient.items())])

    def _point(self, values: tuple[float, ...], named: dict[str, float]) -> dict[sympy.Symbol, sympy.Expr]:
        given = dict(zip(self.names, values, strict=False)) | named
        if set(given) != set(self.names) or len(values) + len(named) != len(self.names):
            raise TypeError(f"a point needs one number for each of {', '.join(self.names)}")
        numbers = (float(given[name]) for name in self.names)
        return {symbol: sympy.Float(number, _DIGITS) for symbol, number in zip(self._symbols, numbers, strict=True)}


def _simplified(expression: sympy.Expr) -> sympy.Expr:
    """Ratios of polynomials in lowest terms; the rest in the shape that the chain rule gives it.

    SymPy's own ``simplify`` would turn 1 - tanh² into 1/cosh², and can take minutes over a formula with ``Max``.
    """
    if expression.is_rational_function() and expression.count_ops() < 100:
        return sympy.simplify(expression)
    return min(expression, sympy.factor_terms(expression, sign=False), key=sympy.count_ops)


@lru_cache
def _gradient_type(names: tuple[str, ...]) -> Any:
    make: Any = namedtuple  # a type checker would like the names to be literals
    return make("Gradient", names, rename=True)


def _real(expression: sympy.Expr) -> float:
    """The float nearest to a formula without symbols."""
    number = sympy.N(expression, _DIGITS)
    if number in (sympy.oo, sympy.zoo):
        return math.inf
    if number == -sympy.oo:
        return -math.inf
    if not number.is_real:
        raise ValueError(f"{expression} is {sympy.N(number, 6)}, not a real number; choose a point inside the domain")
    return float(number)

"""The driver that hands a polynomial to a learner's numerical derivative."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
import sympy

from coursepkg.grading.judging.drivers import DRIVERS, POLYNOMIALS


def central(f, x):
    return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_every_polynomial_has_the_slope_that_its_words_have(name):
    words, _ = POLYNOMIALS[name]
    expected = float(sympy.sympify(words).diff().subs("x", -1.3))
    assert DRIVERS["slope_of"].run(central, name, -1.3) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_complex_steps_and_arrays_are_answers_too(name):
    def by_complex_step(f, x):
        return f(complex(x, 1e-30)).imag / 1e-30

    def by_array(f, x):
        low, high = f(np.array([x - 1e-5, x + 1e-5]))
        return (high - low) / 2e-5

    run = DRIVERS["slope_of"].run
    assert run(by_complex_step, name, 1.7) == pytest.approx(run(central, name, 1.7), rel=1e-7)
    assert run(by_array, name, 1.7) == pytest.approx(run(central, name, 1.7), rel=1e-7)


def test_a_case_is_worded_for_the_feedback():
    assert DRIVERS["slope_of"].show("cube", -2.0) == "f(x) = x*x*x at x = -2"


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_fractions_and_decimals_stay_exact(name):
    def by_fractions(f, x):
        x, h = Fraction(x), Fraction(1, 10**20)
        return (f(x + h) - f(x - h)) / (2 * h)

    def by_decimals(f, x):
        with localcontext() as context:
            context.prec = 80
            x, h = Decimal(x), Decimal("1e-20")
            return (f(x + h) - f(x - h)) / (2 * h)

    expected = float(sympy.sympify(POLYNOMIALS[name][0]).diff().subs("x", -1.3))
    for answer in (by_fractions, by_decimals):
        assert float(DRIVERS["slope_of"].run(answer, name, -1.3)) == pytest.approx(expected, rel=1e-12)


def test_a_memory_of_places_alone_shows_in_a_second_call():
    known = {}

    def remembering(f, x):
        return known.setdefault(x, central(f, x))

    run = DRIVERS["slope_of"].run
    assert run(central, "square", 1.5, after="cube") == run(central, "square", 1.5)
    assert run(remembering, "square", 1.5, after="cube") == central(POLYNOMIALS["cube"][1], 1.5)
    said = DRIVERS["slope_of"].show("square", 1.5, after="cube")
    assert said == "f(x) = x*x at x = 1.5, after a call with f(x) = x*x*x there"

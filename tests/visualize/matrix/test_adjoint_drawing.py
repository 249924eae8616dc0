"""The adjoint test as a picture: two bars that must be equal."""

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.matrix.directions import draw_adjoint

MATRIX = np.array([[1.0, -0.6], [0.4, 1.2]])
NUDGE, PRICES = np.array([0.6, 0.8]), np.array([0.8, -0.5])


def drawn(claimed, **options):
    return draw_adjoint(NUDGE, claimed, MATRIX @ NUDGE, PRICES, **options)


def bars(picture):
    return [float(bar["width"]) for bar in shapes(picture.svg, "worth")]


def test_the_transpose_gives_equal_bars():
    picture = drawn(MATRIX.T @ PRICES)
    at_input, at_output = bars(picture)
    assert at_input == at_output > 10
    assert "equal" in {text.content for text in texts(picture.svg)}
    assert picture.alt.endswith("The two are equal.")


def test_a_rule_that_is_not_the_transpose_is_told_apart():
    picture = drawn(MATRIX @ PRICES, title="Not transposed")
    at_input, at_output = bars(picture)
    assert at_input / at_output == pytest.approx(0.436 / 0.504, rel=0.01)
    assert picture.alt.endswith("The two are not equal: 0.436 and −0.504.")


def test_bars_and_arrows_keep_a_scale_that_is_given():
    one, other = (draw_adjoint(k * NUDGE, PRICES, NUDGE, PRICES, reach=4, most=2) for k in (1, 2))
    assert bars(other)[0] == pytest.approx(2 * bars(one)[0], rel=0.01)
    assert bars(other)[1] == bars(one)[1]


@pytest.mark.parametrize("degrees", range(0, 360, 30))
def test_no_letter_lies_on_another(degrees):
    nudge = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    assert not misplaced(draw_adjoint(nudge, MATRIX.T @ PRICES, MATRIX @ nudge, PRICES, title="A map").svg)

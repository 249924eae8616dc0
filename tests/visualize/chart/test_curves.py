"""The plots of the first chapters: their words are true to their numbers."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from coursepkg.visualize.chart.series import draw_loss, draw_tangent


def test_the_tangent_touches_and_has_the_given_slope(axes):
    alt = draw_tangent(math.tanh, at=0.5, slope=0.786, low=-2, high=3, name="tanh(x)", title="Slope").alt
    curve, tangent, _point = axes[-1].lines
    x, y = tangent.get_data()
    np.testing.assert_allclose(np.diff(y) / np.diff(x), 0.786, rtol=1e-9)
    assert np.interp(0.5, x, y) == pytest.approx(math.tanh(0.5), rel=1e-9)
    np.testing.assert_allclose(curve.get_ydata(), np.tanh(x), rtol=1e-12)
    assert alt == "Slope. tanh(x) for x from −2 to 3. At x = 0.5 its value is 0.462 and the tangent has slope 0.786."


def test_a_nudge_is_a_line_of_its_own_with_its_own_slope(axes):
    alt = draw_tangent(lambda x: x * x, at=1.0, slope=2.0, nudge=0.5).alt
    _curve, _tangent, nudged, _point = axes[-1].lines
    assert np.transpose(nudged.get_data()).tolist() == [[1.0, 1.0], [1.5, 2.25]]
    assert alt.endswith("the tangent has slope 2; a nudge of 0.5 sees slope 2.5.")
    with pytest.raises(ValueError, match="a nudge of zero has no slope"):
        draw_tangent(lambda x: x * x, at=1.0, slope=2.0, nudge=0)


def test_a_tangent_outside_the_range_gets_advice():
    with pytest.raises(ValueError, match="outside the range"):
        draw_tangent(math.sin, at=5.0, slope=0.1, low=0, high=1)


def test_loss_curves_hold_the_losses(axes):
    runs = {"slow": [3.0, 2.0, 1.5], "fast": [3.0, 0.5, 0.25, 0.2]}
    picture = draw_loss(runs, log=True, title="Two runs")
    for line, run in zip(axes[-1].lines, runs.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), run)
    assert axes[-1].get_yscale() == "log"
    assert picture.alt == (
        "Two runs. Loss L by step, on a logarithmic axis. slow goes from 3 to 1.5 over 2 steps. "
        "fast goes from 3 to 0.2 over 3 steps."
    )


def test_runs_differ_in_more_than_colour(axes):
    draw_loss({str(k): [1.0, 0.5 + k / 20] for k in range(6)})
    lines = axes[-1].lines
    assert len({line.get_marker() for line in lines}) == 6
    assert len({(line.get_linestyle(), line._unscaled_dash_pattern) for line in lines if line.get_color()}) == 6


def test_losses_of_epochs_are_counted_from_one(axes):
    picture = draw_loss([3.0, 2.0, 1.5], first=1, xlabel="epoch")
    np.testing.assert_array_equal(axes[-1].lines[0].get_xdata(), [1, 2, 3])
    assert picture.alt.endswith("over 3 epochs.")


def test_steps_are_whole_numbers_on_the_axis(axes):
    draw_loss([1.0, 0.5, 0.25, 0.2, 0.1])
    ticks = axes[-1].get_xticks()
    np.testing.assert_array_equal(ticks, np.round(ticks))


def test_empty_and_too_many_runs_get_advice():
    with pytest.raises(ValueError, match="holds no losses"):
        draw_loss([])
    with pytest.raises(ValueError, match="holds no losses"):
        draw_loss({})
    with pytest.raises(ValueError, match="at most 6"):
        draw_loss({str(k): [1.0] for k in range(7)})


@pytest.mark.parametrize(
    "draw",
    [
        lambda: draw_tangent(math.sin, at=0.5, slope=0.8),
        lambda: draw_loss({"a": [1.0, 0.5], "b": [1.0, 0.7]}),
    ],
)
def test_the_same_plot_gives_the_same_bytes_and_leaves_no_figure(draw):
    assert draw().svg == draw().svg
    assert not plt.get_fignums()

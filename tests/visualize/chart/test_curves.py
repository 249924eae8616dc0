"""The plots of the first chapters: their words are true to their numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from coursepkg.visualize.chart.series import draw_loss


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


def test_the_same_plot_gives_the_same_bytes_and_leaves_no_figure():
    first, second = (draw_loss({"a": [1.0, 0.5], "b": [1.0, 0.7]}) for _ in range(2))
    assert first.svg == second.svg
    assert not plt.get_fignums()

"""An axis: numbers to pixels and back, and ticks that a reader can count between."""

import numpy as np
import pytest

from coursepkg.visualize.scale import Scale, span


def test_equal_differences_are_equally_far_apart():
    scale = Scale(-1.0, 3.0, 10.0, 210.0)
    assert [scale.at(v) for v in (-1, 0, 1, 2, 3)] == pytest.approx([10, 60, 110, 160, 210], rel=1e-12)


def test_equal_ratios_are_equally_far_apart_on_a_logarithmic_axis():
    scale = Scale(0.01, 100.0, 0.0, 400.0, log=True)
    assert [scale.at(v) for v in (0.01, 0.1, 1, 10, 100)] == pytest.approx([0, 100, 200, 300, 400], rel=1e-12)


def test_an_axis_may_run_upwards_on_paper():
    assert Scale(0.0, 10.0, 300.0, 100.0).at(2.5) == pytest.approx(250.0, rel=1e-12)


@pytest.mark.parametrize("low", [-3.7, 0.0, 0.912, 40.0])
@pytest.mark.parametrize("length", [0.013, 0.11, 1.0, 7.3, 640.0, 2.1e6])
def test_ticks_are_round_evenly_spaced_and_inside(low, length):
    ticks = np.array(Scale(low, low + length, 0.0, 1.0).ticks(6))
    steps = np.diff(ticks)
    assert 2 <= len(ticks) <= 8
    assert np.ptp(steps) < 1e-6 * length
    assert steps[0] / 10 ** np.floor(np.log10(steps[0] * 1.000001)) == pytest.approx(1, rel=1e-6) or any(
        steps[0] / 10 ** np.floor(np.log10(steps[0])) == pytest.approx(factor, rel=1e-6) for factor in (2, 5, 10)
    )
    assert ticks.min() >= low - 1e-9
    assert ticks.max() <= low + length * (1 + 1e-9)


@pytest.mark.parametrize("ends", [(1.0, 1000.0), (9.0, 2600.0), (0.02, 0.9), (3.0, 40.0), (1e-9, 1e6)])
def test_logarithmic_ticks_are_round_and_inside(ends):
    ticks = Scale(*ends, 0.0, 1.0, log=True).ticks(8)
    assert 1 <= len(ticks) <= 9
    assert all(ends[0] * 0.999 <= tick <= ends[1] * 1.001 for tick in ticks)
    assert all(f"{tick:.6e}"[0] in "125" for tick in ticks)


def test_room_at_both_ends():
    assert span([2.0, 4.0], margin=0.1) == pytest.approx((1.8, 4.2), rel=1e-12)
    assert span([1.0, 100.0], margin=0.5, log=True) == pytest.approx((0.1, 1000.0), rel=1e-12)
    assert span([3.0, 3.0]) == (2.5, 3.5)


@pytest.mark.parametrize("ends", [(1.0, 1.0), (2.0, 1.0), (0.0, float("inf")), (float("nan"), 1.0)])
def test_an_axis_without_length_is_refused(ends):
    with pytest.raises(ValueError, match="to a larger one"):
        Scale(*ends, 0.0, 1.0)


def test_a_logarithmic_axis_refuses_zero():
    with pytest.raises(ValueError, match="only positive"):
        Scale(0.0, 1.0, 0.0, 1.0, log=True)

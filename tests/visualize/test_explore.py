"""Sliders redraw pictures, and each has a typed number beside it."""

import matplotlib as mpl
import pytest

from coursepkg.visualize.chain import draw_chain
from coursepkg.visualize.explore import explore

mpl.use("Agg")
import matplotlib.pyplot as plt


def draw(price_per_gram, count):
    return draw_chain(["a", "b"], {("a", "b"): (price_per_gram * count, "€")})


def test_a_slider_redraws_the_picture():
    widget = explore(draw, price_per_gram=(0.0, 2.0, 0.5, 1.0), count=(1, 9, 1, 3))
    (slider, number), picture = widget.children[0].children, widget.children[-1]
    assert picture.value == draw(1.0, 3).html()
    slider.value = 1.5
    assert picture.value == draw(1.5, 3).html()
    assert number.value == 1.5


def test_a_typed_number_moves_the_slider():
    widget = explore(draw, price_per_gram=(0.0, 2.0, 0.5, 1.0), count=(1, 9, 1, 3))
    (slider, number), picture = widget.children[1].children, widget.children[-1]
    number.value = 5
    assert slider.value == 5
    assert picture.value == draw(1.0, 5).html()
    number.value = 100
    assert slider.value == 9


def test_rounding_noise_of_the_page_is_removed_and_typed_numbers_are_kept():
    seen = []

    def remember(at):
        seen.append(at)
        return draw(at, 1)

    slider, number = explore(remember, at=(-2.0, 2.0, 0.1, 0.5)).children[0].children
    slider.value = 0.6000000000000001
    assert (seen[-1], number.value) == (0.6, 0.6)
    number.value = 0.55
    assert (seen[-1], number.value, slider.value) == (0.55, 0.55, 0.55)
    assert seen == [0.5, 0.6, 0.55]


def test_whole_numbers_arrive_as_int_and_others_as_float():
    seen = {}

    def remember(**values):
        seen.update(values)
        return draw(1.0, 1)

    explore(remember, whole=(0, 5, 1, 2), broken=(0, 5, 0.5, 2))
    assert seen == {"whole": 2, "broken": 2.0}
    assert [type(value) for value in seen.values()] == [int, float]


def test_controls_are_named_in_words():
    slider, number = explore(draw, price_per_gram=(0.0, 2.0, 0.5, 1.0), count=(1, 9, 1, 3)).children[0].children
    assert slider.description == "price per gram"
    assert number.description == "price per gram ="


def test_a_figure_with_words_is_shown_and_closed():
    def plot(k):
        fig, ax = plt.subplots()
        ax.plot([0, k])
        return fig, f"A line from 0 to {k}"

    widget = explore(plot, k=(0, 5, 1, 2))
    assert 'alt="A line from 0 to 2"' in widget.children[-1].value
    assert not plt.get_fignums()


def test_other_results_get_advice():
    with pytest.raises(TypeError, match="return fig, 'what it shows'"):
        explore(lambda k: None, k=(0, 5, 1, 2))


@pytest.mark.parametrize("limits", [(0, 5, 1), (5, 0, 1, 2), (0, 5, 0, 2), (0, 5, 1, 9)])
def test_wrong_limits_get_advice(limits):
    with pytest.raises(ValueError, match="low, high, step, start"):
        explore(draw, count=limits)

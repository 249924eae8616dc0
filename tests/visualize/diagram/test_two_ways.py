"""The memory of two ways through a network, move by move."""

import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.diagram.two_ways import draw_two_ways


@pytest.mark.parametrize("layers", [2, 5, 8])
def test_backpropagation_keeps_what_it_passed_and_lets_go_on_the_way_back(layers):
    for moment in range(2 * layers + 1):
        kept = len(shapes(draw_two_ways(layers, moment).svg, "kept"))
        backprop = moment if moment <= layers else 2 * layers - moment
        forward = 1 if 1 <= moment <= layers else 0
        assert kept == backprop + forward


def test_the_words_of_both_passes():
    words = [t.content for t in texts(draw_two_ways(3, 4).svg) if t.role == "words"]
    assert words == ["is on its way back and still keeps 2 layers", "is done: one number, ∇L · v, and the direction"]
    for moment in range(7):
        assert not misplaced(draw_two_ways(3, moment).svg)


def test_wrong_input_gets_advice():
    with pytest.raises(ValueError, match="2 to 8 layers"):
        draw_two_ways(9, 0)

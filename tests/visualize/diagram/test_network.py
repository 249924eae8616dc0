"""A layered network with its numbers."""

import re
from itertools import pairwise

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.diagram.network import draw_network


def random_network(*sizes, seed=0):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(m, n)) for n, m in pairwise(sizes)]
    return {
        "weights": weights,
        "biases": [rng.normal(size=len(W)) for W in weights],
        "values": [rng.normal(size=n) for n in sizes],
        "deltas": [rng.normal(size=n) for n in sizes[1:]],
        "gradients": [rng.normal(size=W.shape) for W in weights],
    }


def written(picture, role):
    return [text.content for text in texts(picture.svg) if text.role == role]


@pytest.mark.parametrize("sizes", [(2, 2, 2), (2, 3, 1), (1, 1), (2, 4, 1), (2, 1, 3, 2), (3, 5)])
def test_numbers_are_apart_and_on_the_paper(sizes):
    for seed in range(5):
        picture = draw_network(**random_network(*sizes, seed=seed), title="A network", caption="L = 0.298371")
        assert not misplaced(picture.svg)


def crossed(picture):
    """The weights through whose letters an edge runs that is not theirs."""
    ends = [tuple(map(float, re.findall(r"[\d.]+", edge["d"]))) for edge in shapes(picture.svg, "edge")]
    found = []
    for text in texts(picture.svg):
        x, foot = (text.left + text.right) / 2, text.bottom
        near = sorted(ends, key=lambda e: abs(height(e, x) - foot) if e[0] < x < e[2] else np.inf)
        for end in near[1:]:  # the nearest is its own
            if text.role == "weight" and end[0] < x < end[2]:
                sides = [height(end, side) for side in (text.left + 2, text.right - 2)]
                if not (max(sides) < text.top or min(sides) > text.bottom):
                    found.append(text.content)
    return found


def height(end, x):
    x0, y0, x1, y1 = end
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


@pytest.mark.parametrize("sizes", [(2, 2), (2, 2, 2), (2, 3, 1), (2, 4, 1), (3, 2)])
def test_no_edge_runs_through_the_number_of_another(sizes):
    assert crossed(draw_network(**random_network(*sizes))) == []


def test_every_number_has_its_place():
    network = random_network(2, 3, 1)
    picture = draw_network(**network)
    assert len(written(picture, "weight")) == len(written(picture, "gradient")) == 9
    assert len(written(picture, "value")) == 6
    assert len(written(picture, "delta")) == len(written(picture, "bias")) == 4


def test_phases_only_add_numbers():
    network = random_network(2, 3, 1)
    weights, values = network["weights"], network["values"]
    before = draw_network(weights, values=values[:1])
    assert len(written(before, "value")) == 2
    assert written(before, "gradient") == written(before, "delta") == []
    halfway = draw_network(weights, values=values, deltas=[[], [0.25]], gradients=[[], network["gradients"][1]])
    assert written(halfway, "delta") == ["δ 0.25"]
    assert len(written(halfway, "gradient")) == 3


def test_size_and_sign_of_a_weight_read_without_colour():
    thick, thin = shapes(draw_network([[[-2.0, 0.5]]]).svg, "edge")
    assert "stroke-dasharray" in thick
    assert "stroke-dasharray" not in thin
    assert float(thick["stroke-width"]) > float(thin["stroke-width"])


def test_wide_layers_keep_their_edges_and_drop_the_numbers():
    picture = draw_network(random_network(5, 4)["weights"])
    assert len(shapes(picture.svg, "edge")) == 20
    assert written(picture, "weight") == []


def test_the_words_hold_every_number():
    alt = draw_network(
        [[[0.15, 0.2]], [[0.4]]], values=[[0.05, 0.1], [0.593], [0.751]], deltas=[[0.009], [0.138]], caption="L = 0.3"
    ).alt
    for part in (
        "2 inputs, 1 hidden and 1 output",
        "h₁ = 0.593",
        "δ y₁ = 0.138",
        "Weights to h₁: 0.15, 0.2",
        "L = 0.3",
    ):
        assert part in alt


def test_layers_that_do_not_fit_get_advice():
    with pytest.raises(ValueError, match="at least one matrix"):
        draw_network([])
    with pytest.raises(ValueError, match="layer 2 needs one weight for each of the 3 numbers"):
        draw_network([np.ones((3, 2)), np.ones((1, 2))])

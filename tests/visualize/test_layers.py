"""Gradient norms by layer: lengths are ratios, and nothing hides anything."""

from itertools import pairwise

import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.layers import draw_layer_norms


def bars(picture, run=0):
    return [shape for shape in shapes(picture.svg, "bar") if shape["class"] == f"bar run{run}"]


def written(picture, role):
    return [text.content for text in texts(picture.svg) if text.role == role]


def test_equal_ratios_are_equal_differences_of_height():
    heights = [float(bar["height"]) for bar in bars(draw_layer_norms([1e-5, 1e-3, 0.1, 1.0]))]
    steps = [after - before for before, after in pairwise(heights)]
    assert steps[0] == pytest.approx(steps[1], abs=0.2)
    assert steps[2] == pytest.approx(steps[0] / 2, abs=0.2)


def test_a_zero_is_written_because_it_has_no_height():
    picture = draw_layer_norms({"tanh": [1e-5, 1e-3, 0.1], "relu": [0.2, 0.0, 0.6]}, layers=["a", "b", "c"])
    assert len(bars(picture, 0)) == 3
    assert len(bars(picture, 1)) == 2
    assert written(picture, "zero") == ["0"]
    assert "relu: layer a: 0.2, layer b: 0, layer c: 0.6." in picture.alt


def test_runs_are_told_apart_without_colour():
    picture = draw_layer_norms({name: [1.0, 0.1] for name in "abcdef"})
    fills = {shape["fill"] for shape in shapes(picture.svg, "bar")}
    assert len(fills) == 6
    assert all(f'id="tile{k}"' in picture.svg for k in range(1, 6))


@pytest.mark.parametrize("count", [1, 2, 12, 40])
def test_the_legend_never_lies_on_a_bar(count):
    picture = draw_layer_norms({"sigmoid": [0.3] * count, "tanh": [1.0] * count, "ReLU, He": [1.0] * count}, title="T")
    top = min(float(bar["y"]) for bar in shapes(picture.svg, "bar"))
    assert all(float(key["y"]) + 34 + float(key["height"]) < top for key in shapes(picture.svg, "key"))


@pytest.mark.parametrize(
    "names",
    [
        ["0.weight", "0.bias", "2.weight", "2.bias"],
        [f"{k}.{kind}" for k in range(0, 12, 2) for kind in ("weight", "bias")],
        ["the embedding of a very long name", "b"],
        [f"time step {k}" for k in range(60)],
    ],
    ids=len,
)
@pytest.mark.parametrize("norms", [[1e-9, 1.0], [0.2, 0.3], [1.0, 1.0], [0.0, 0.0], [1e-30, 1e12]])
def test_words_are_apart_and_on_the_paper(names, norms):
    run = [norms[k % 2] for k in range(len(names))]
    picture = draw_layer_norms({"first": run, "second": run[::-1]}, layers=names, title="Norms", xlabel="parameter")
    assert not misplaced(picture.svg)


def test_wrong_norms_get_advice():
    with pytest.raises(ValueError, match="negative or not finite"):
        draw_layer_norms([1.0, -1.0])
    with pytest.raises(ValueError, match="2 norms for 3 layers"):
        draw_layer_norms([1.0, 1.0], layers=["a", "b", "c"])
    with pytest.raises(ValueError, match="at least one norm"):
        draw_layer_norms([])
    with pytest.raises(ValueError, match="draw at most 6"):
        draw_layer_norms({str(k): [1.0] for k in range(7)})

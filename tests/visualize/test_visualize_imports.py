"""What the browser edition loads stays light, and the room's front door opens every drawing."""

import subprocess
import sys

import pytest

import coursepkg.visualize as visualize

LIGHT = [
    "paper.picture", "paper.figure", "paper.style", "alive.story", "alive.flip", "graph.still", "graph.story",
    "graph.stepper", "diagram.chain", "diagram.route", "matrix.still", "matrix.directions",
    "matrix.product", "chart.axes", "chart.kitchen", "chart.tangent",
]  # fmt: skip


@pytest.mark.parametrize("module", ["", *LIGHT])
def test_imports_without_numpy_matplotlib_and_widgets(module):
    name = f"coursepkg.visualize.{module}".rstrip(".")
    code = f"""
import sys
for heavy in ("numpy", "matplotlib", "ipywidgets", "sympy", "IPython"):
    sys.modules[heavy] = None
import {name}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_drawing_works_without_numpy():
    code = """
import sys
for heavy in ("numpy", "matplotlib", "ipywidgets", "sympy", "IPython"):
    sys.modules[heavy] = None
from coursepkg.autodiff.scalar import Scalar
from coursepkg.visualize import draw_chain, draw_graph, draw_tangent, flip_through, route_map, tell_graph
x = Scalar(2.0, label="x")
y = x * x + 1
y.backward()
assert tell_graph(y).html() and flip_through(route_map, current=["01", "02"]).html()
assert draw_tangent(lambda x: x * x, at=1.0, slope=2.0, nudge=0.1).html()
print(len(draw_graph(y).svg) > 1000, tell_graph(y).frames, route_map("01").alt[:9])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "True 8 The route\n", done.stderr


def test_the_front_door_opens_every_drawing():
    assert "draw_graph" in dir(visualize)
    for name in visualize.__all__:
        assert callable(getattr(visualize, name)), name


def test_an_unknown_name_gets_the_list():
    with pytest.raises(AttributeError, match="draw_graph"):
        _ = visualize.draw_grpah

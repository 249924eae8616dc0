"""Drawings and widgets. They show what the engine computed and compute nothing themselves.

The one idea: every picture is an object that carries its words: a ``draw_`` function returns a ``Picture``, a ``tell_``
function a ``Story``, which moves. Names load on first use, so drawing a graph loads neither NumPy nor Matplotlib.
"""

import importlib
from typing import Any

_HOME = {
    "Picture": "paper.picture",
    "picture_of": "paper.figure",
    "use_style": "paper.style",
    "draw_graph": "graph.still",
    "route_map": "diagram.route",
    "draw_cell": "diagram.cell",
    "draw_chain": "diagram.chain",
    "draw_bars": "chart.bars",
    "draw_tangent": "chart.tangent",
    "draw_loss": "chart.series",
    "draw_decision_boundary": "field.boundary",
    "Landscape": "chart.landscape",
    "draw_matrix": "matrix.still",
    "draw_equation": "matrix.still",
    "draw_directions": "matrix.directions",
    "draw_product": "matrix.product",
    "draw_layer_norms": "chart.series",
    "draw_network": "diagram.network",
    "draw_tree": "tree.still",
    "draw_images": "matrix.images",
    "draw_histogram": "chart.points",
    "draw_dots": "chart.points",
    "draw_heights": "chart.landscape",
    "draw_scatter": "chart.points",
    "draw_series": "chart.series",
    "draw_legend": "diagram.route",
    "draw_two_ways": "diagram.two_ways",
    "draw_adjoint": "matrix.directions",
    "draw_table": "chart.table",
    "draw_phasors": "light.phasors",
    "draw_interferometer": "light.heater",
    "draw_heater": "light.heater",
    "draw_mesh": "light.mesh",
    "draw_agreement": "chart.measured",
    "draw_toggle": "chart.measured",
    "draw_memory": "chart.bars",
    "flip_through": "alive.flip",
    "tell_graph": "graph.story",
    "tell_light": "light.story",
    "tell_tree": "tree.story",
    "tell_shadow": "matrix.fan",
    "tell_fan": "matrix.fan",
    "tell_fold": "matrix.sketch",
    "tell_descent": "chart.descent",
    "tell_learning": "field.story",
    "tell_product": "matrix.story",
    "tell_market": "graph.market",
    "tell_unrolled": "graph.unrolled",
    "playground": "field.playground",
    "Story": "alive.story",
    "Question": "alive.story",
    "draw_timeline": "diagram.timeline",
    "draw_choice": "diagram.choice",
    "draw_limits": "chart.kitchen",
    "draw_discount": "chart.kitchen",
    "draw_repair": "chart.kitchen",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"coursepkg.visualize has no {name!r}; it offers {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"coursepkg.visualize.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""Drawings and widgets. They show what the engine computed and compute nothing themselves.

The one idea: every picture is an object that carries its words. Names load on first use, so drawing a graph loads
neither NumPy nor Matplotlib.
"""

import importlib
from typing import Any

_HOME = {
    "Picture": "picture",
    "show": "figure",
    "use_style": "style",
    "draw_graph": "graph",
    "route_map": "route",
    "draw_cell": "cell",
    "draw_chain": "chain",
    "draw_bars": "chart.bars",
    "draw_tangent": "curves",
    "draw_loss": "curves",
    "draw_decision_boundary": "curves",
    "Landscape": "landscape",
    "draw_matrix": "matrix",
    "draw_equation": "equation",
    "draw_directions": "directions",
    "draw_product": "product",
    "draw_layer_norms": "layers",
    "draw_network": "network",
    "draw_tree": "tree",
    "draw_images": "images",
    "draw_histogram": "chart.histogram",
    "draw_dots": "chart.dots",
    "draw_heights": "chart.heights",
    "draw_scatter": "chart.scatter",
    "draw_series": "chart.series",
    "draw_two_ways": "two_ways",
    "draw_adjoint": "adjoint",
    "draw_table": "table",
    "draw_phasors": "light",
    "draw_interferometer": "interferometer",
    "draw_heater": "heater",
    "draw_mesh": "mesh",
    "draw_agreement": "chart.measured",
    "draw_toggle": "chart.measured",
    "draw_memory": "memory",
    "flip_through": "alive.flip",
    "tell_graph": "alive.graph",
    "tell_light": "alive.light",
    "tell_tree": "alive.tree",
    "tell_shadow": "alive.directions",
    "tell_fan": "alive.directions",
    "tell_fold": "alive.sketch",
    "tell_descent": "alive.descent",
    "tell_field": "alive.field",
    "tell_product": "alive.matrix",
    "tell_market": "alive.market",
    "tell_unrolled": "alive.unrolled",
    "playground": "playground",
    "Story": "alive.story",
    "Question": "alive.story",
    "draw_timeline": "timeline",
    "draw_choice": "choice",
    "draw_limits": "kitchen",
    "draw_discount": "kitchen",
    "draw_repair": "kitchen",
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

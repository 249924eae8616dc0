"""Sliders that redraw a picture.

The one idea: the picture is a value in an HTML widget, so nothing is captured, cleared or flickers, and each slider has
a name and a typed number beside it for those who use no mouse.
"""

from collections.abc import Callable
from typing import Any

from coursepkg.visualize.figure import picture_of
from coursepkg.visualize.picture import Picture


def explore(draw: Callable[..., Any], **sliders: tuple[float, float, float, float]) -> Any:
    """Show a picture with a slider for each argument of `draw`.

    Parameters
    ----------
    draw : callable
        ``draw(**values)`` returns a :class:`Picture`, or a Matplotlib figure and its alt text as a pair. It should take
        less than 100 ms.
    **sliders : (low, high, step, start)
        One per argument. If all four are whole numbers, `draw` receives an int, otherwise a float.

    Returns
    -------
    ipywidgets.VBox

    Raises
    ------
    TypeError
        If `draw` returns something else.
    ValueError
        If a slider has no four numbers, or they are out of order.

    Examples
    --------
    >>> from coursepkg.visualize.route import route_map
    >>> widget = explore(route_map, current=(0, 11, 1, 2))
    >>> len(widget.children)
    2
    """
    import ipywidgets as widgets

    controls = {name: _control(name, limits) for name, limits in sliders.items()}
    output = widgets.HTML()

    def redraw(change: Any = None) -> None:
        values = {name: number.value for name, (_, number) in controls.items()}
        output.value = as_picture(draw(**values), draw).html()

    for _, number in controls.values():
        number.observe(redraw, names="value")
    redraw()
    rows = [widgets.HBox([slider, number]) for slider, number in controls.values()]
    return widgets.VBox([*rows, output])


def _control(name: str, limits: tuple[float, float, float, float]) -> tuple[Any, Any]:
    """A slider and the typed number that holds the value; each follows the other."""
    import ipywidgets as widgets

    low, high, step, start = _check(name, limits)
    label = name.replace("_", " ")
    whole = all(isinstance(number, int) for number in limits)
    slider_type, number_type = (
        (widgets.IntSlider, widgets.BoundedIntText) if whole else (widgets.FloatSlider, widgets.BoundedFloatText)
    )
    shared = {"min": low, "max": high, "step": step, "value": start, "style": {"description_width": "initial"}}
    slider = slider_type(description=label, readout=False, **shared)
    number = number_type(description=f"{label} =", layout={"width": "11em"}, **shared)

    def typed(change: Any) -> None:
        slider.value = change["new"]

    def slid(change: Any) -> None:
        if change["new"] != number.value:
            number.value = _on_grid(change["new"], low, step)

    number.observe(typed, names="value")
    slider.observe(slid, names="value")
    return slider, number


def _on_grid(value: float, low: float, step: float) -> float:
    """The slider's position without the rounding noise of the page: 0.6, not 0.6000000000000001."""
    if isinstance(value, int):
        return value
    return float(f"{low + round((value - low) / step) * step:.10g}")


def _check(name: str, limits: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    if len(limits) != 4:
        raise ValueError(f"slider {name!r} needs four numbers, {name}=(low, high, step, start), got {limits!r}")
    low, high, step, start = limits
    if not (low < high and step > 0 and low <= start <= high):
        raise ValueError(
            f"slider {name!r} = {limits!r}: needs low < high, a step above 0 and a start between them, in the order "
            "(low, high, step, start)"
        )
    return limits


def as_picture(result: Any, draw: Callable[..., Any]) -> Picture:
    """What `draw` returned, as a Picture."""
    if isinstance(result, Picture):
        return result
    if isinstance(result, tuple) and len(result) == 2 and hasattr(result[0], "savefig"):
        return picture_of(*result)
    name = getattr(draw, "__name__", "draw")
    raise TypeError(
        f"{name} returned {type(result).__name__}; let it return a Picture (draw_graph, draw_chain, ...), or a figure "
        "and its alt text: return fig, 'what it shows'"
    )

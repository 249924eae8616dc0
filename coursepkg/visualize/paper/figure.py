"""Matplotlib figures on their way to the page.

The one idea: one function stands between a figure and the output. It asks for the words, writes the same bytes every
time, and closes the figure, so that no chapter can forget any of the three.
"""

import io
import re
from collections.abc import Callable
from typing import Any

from coursepkg.visualize.paper.picture import Picture, check_alt
from coursepkg.visualize.paper.style import settings
from coursepkg.visualize.paper.text import text_width

LETTERS = 15.3  # pixels, of a chart


def picture_of(fig: Any, alt: str) -> Picture:
    """Turn a Matplotlib figure into a :class:`Picture` and close it.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        The figure; it is closed afterwards.
    alt : str
        What the figure shows.

    Raises
    ------
    TypeError
        If `fig` is no Matplotlib figure.
    ValueError
        If `alt` does not say what the figure shows.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> _ = ax.plot([3, 2, 1])
    >>> picture_of(fig, alt="A line that falls from 3 to 1")
    Figure: A line that falls from 3 to 1
    """
    import matplotlib
    import matplotlib.pyplot as plt

    words = check_alt(alt)
    if not hasattr(fig, "savefig"):
        raise TypeError(
            f"picture_of needs a Matplotlib figure, got {type(fig).__name__}; pass `fig` from plt.subplots()"
        )
    salted: Any = {name: settings()[name] for name in ("svg.hashsalt", "svg.fonttype")}
    with matplotlib.rc_context(salted):
        try:
            stream = io.StringIO(newline="\n")
            fig.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
            return Picture(_squeeze(stream.getvalue()), words)
        finally:
            plt.close(fig)


def _squeeze(svg: str) -> str:
    """A Matplotlib drawing without comments and indentation, and with a font of the same widths where DejaVu is not."""
    short = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    short = re.sub(r">\s+<", "><", re.sub(r"[ \t]*\n[ \t]*", " ", short))
    return short.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")


def key(axes: Any, title: str = "") -> None:
    """Write a title and a key over the axes, where they cover nothing, in as many columns as there is room for."""
    _, labels = axes.get_legend_handles_labels()
    if not labels:
        axes.set_title(title)
        return
    widest = max(text_width(label, LETTERS) for label in labels) + 85
    columns = max(1, int(100 * axes.figure.get_figwidth() - 60) // int(widest))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)
    axes.figure.suptitle(title, x=0.02, ha="left", fontsize=12)


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

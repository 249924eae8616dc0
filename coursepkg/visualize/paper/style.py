"""The colours and the one style sheet of every picture.

The one idea: colour is never the only carrier. A forward value is dark green and stands above its edge, a gradient is
dark red and stands below; lines in a plot differ in luminance, dash and marker, so they stay apart in greyscale and
for colour-blind eyes (hues after Okabe and Ito, https://jfly.uni-koeln.de/color/).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

PAPER = "#ffffff"
INK = "#1b1f24"
MUTED = "#57606a"
EDGE = "#7a848f"
GRID = "#d7dce1"
SHADE = "#eef1f4"
VALUE = "#0a5c2b"
GRADIENT = "#a31515"
HIGHLIGHT = "#ffc21a"  # always with an outline, or under something that has one
DARK_HIGHLIGHT = "#715812"  # as dark as text on it needs, and not as brown as yellow turned around would be
ROUTE = "#0b4f8a"

# Each has 3:1 contrast on white, no two are closer than 6 in lightness (CIE L*), and neighbours are far apart.
CYCLE = ("#0b2a52", "#c26204", "#1a5f4c", "#3d9ad1", "#7a1f1f", "#8a5a9e")
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "X")

# Negative is dark blue, zero is white, positive is dark orange; equal luminance at equal distance from zero would
# hide the sign in greyscale, so the figures that use this map also print the sign.
DIVERGING = ("#0b3c6f", "#5f92c4", "#ffffff", "#e39b5a", "#8a3d00")


def mixed(colours: Sequence[str], place: float) -> str:
    """The colour at a place along several: the first at 0, the second at 1, mixtures in between.

    Examples
    --------
    >>> mixed(("#000000", "#ffffff"), 0.5)
    '#808080'
    """
    low = min(int(place), len(colours) - 2)
    ends = zip(_channels(colours[low]), _channels(colours[low + 1]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * (place - low)):02x}" for a, b in ends)


def _channels(code: str) -> list[int]:
    return [int(code[start : start + 2], 16) for start in (1, 3, 5)]


def signed(share: float) -> str:
    """The colour of a signed share of the largest entry, from −1 (dark blue) over 0 (white) to 1 (dark orange)."""
    position = (min(max(share, -1.0), 1.0) + 1) / 2 * (len(DIVERGING) - 1) if share == share else 2.0
    return mixed(DIVERGING, position)


def settings() -> Any:
    """The Matplotlib settings of the course, as ``rcParams`` entries."""
    from cycler import cycler

    return {
        "font.family": "DejaVu Sans",
        "mathtext.fontset": "dejavusans",
        "font.size": 11,
        "figure.figsize": (6.4, 3.7),
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.titlesize": 12,
        "axes.titlelocation": "left",
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=CYCLE, linestyle=DASHES),
        "axes.formatter.useoffset": False,
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "lines.linewidth": 2.0,
        "lines.markersize": 6,
        "legend.frameon": False,
        "svg.fonttype": "none",  # outlines of letters are two thirds of a chart's size
        "svg.hashsalt": "coursepkg",
    }


@contextmanager
def use_style() -> Iterator[None]:
    """Draw with the course's style inside a ``with`` block; nothing outside the block changes.

    Examples
    --------
    >>> import matplotlib
    >>> with use_style():
    ...     matplotlib.rcParams["svg.hashsalt"]
    'coursepkg'
    """
    import matplotlib

    with matplotlib.rc_context(settings()):
        yield

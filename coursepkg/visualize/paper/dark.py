"""Dark paper for pictures: where a page is dark, a picture on it is too.

The one idea: an SVG inside an ``<img>`` is told the colour scheme of the place where it stands, and JupyterLab sets
that with its theme. One rule inside the picture is enough. It turns lightness around and then the hues back, so each
colour, of our drawings and of Matplotlib's alike, keeps its meaning and its contrast: white paper becomes the ground of
JupyterLab's dark theme, dark green becomes light green.
"""

# 0.933 takes white to #111111, the ground of JupyterLab's dark theme.
RULE = "<style>@media(prefers-color-scheme:dark){:root{filter:invert(.933) hue-rotate(180deg)}}</style>"


def adapt(svg: str) -> str:
    """The same document, which turns dark where the page is dark.

    Parameters
    ----------
    svg : str
        A whole SVG document.

    Returns
    -------
    str
        The document with one style block as the first thing in it. One that has nothing in it comes back unchanged.

    Examples
    --------
    >>> adapt('<svg width="2"><path d="M0 0"/></svg>').count("<style>")
    1
    """
    root = svg.find("<svg ")
    end = svg.find(">", root) + 1
    if root < 0 or svg[end - 2] == "/":
        return svg
    return svg[:end] + RULE + svg[end:]

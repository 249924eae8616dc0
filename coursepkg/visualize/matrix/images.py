"""Small grey images side by side, such as handwritten digits.

The one idea: each image keeps its own pixels, stored uncompressed inside the drawing so that the bytes are the same
everywhere, and is shown enlarged without smoothing. All images share one grey scale.
"""

import base64
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.paper import MUTED, Picture, format_number, page, plural, svg, text_width

_SIDE = 72.0
_GAP = 12.0


def draw_images(images: Any, *, captions: Sequence[Any] | None = None, columns: int = 8, title: str = "") -> Picture:
    """Draw grey images in a grid; low values are white and high values black, as ink on paper.

    Parameters
    ----------
    images : array, shape (n, height, width)
        The images.
    captions : sequence of n, optional
        What is written under each.
    columns : int
        Images side by side.
    title : str
        A line over the images.

    Raises
    ------
    ValueError
        If the shape is not (n, height, width), or captions and images differ in number.

    Examples
    --------
    >>> import numpy as np
    >>> draw_images(np.eye(4).reshape(1, 4, 4), captions=["diagonal"])
    Figure: 1 image of 4 by 4 pixels: diagonal.
    """
    stack = np.asarray(images, dtype=float)
    if stack.ndim != 3 or not stack.size:
        raise ValueError(
            f"draw_images needs an array of shape (n, height, width), got {stack.shape}; "
            "reshape flat rows first, e.g. images.reshape(-1, 8, 8)"
        )
    if captions is not None and len(captions) != len(stack):
        raise ValueError(f"there are {len(stack)} images, but {len(captions)} captions")
    low, high = float(stack.min()), float(stack.max())
    grey = np.clip((high - stack) / (high - low if high > low else 1.0), 0.0, 1.0)
    texts = [c if isinstance(c, str) else format_number(c) for c in captions] if captions is not None else []
    count, height, width = stack.shape
    alt = f"{plural(count, 'image')} of {height} by {width} pixels{_list(texts)}."
    return page(*_drawn((grey * 255).round().astype(np.uint8), texts, columns), alt, title=title)


def _list(texts: Sequence[str]) -> str:
    if not texts:
        return ""
    return ": " + ", ".join(texts[:32]) + (f" and {len(texts) - 32} more" if len(texts) > 32 else "")


def _drawn(grey: np.ndarray, texts: Sequence[str], columns: int) -> tuple[float, float, list[str]]:
    """Width, height and parts."""
    tall = _SIDE * grey.shape[1] / grey.shape[2]
    cell = max(_SIDE, max((text_width(text, 13) for text in texts), default=0.0)) + _GAP
    row_height = tall + _GAP + (18 if texts else 0)
    parts = []
    for number, pixels in enumerate(grey):
        x = 14 + (number % columns) * cell + (cell - _GAP - _SIDE) / 2
        y = 14 + (number // columns) * row_height
        encoded = base64.b64encode(png_bytes(pixels)).decode("ascii")
        parts.append(
            f'<image x="{svg.number(x)}" y="{svg.number(y)}" width="{svg.number(_SIDE)}" height="{svg.number(tall)}" '
            f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{encoded}"/>'
        )
        parts.append(svg.rectangle(x, y, _SIDE, tall, fill="none", stroke=MUTED, line_width=1))
        if texts:
            parts.append(svg.text(x + _SIDE / 2, y + tall + 15, texts[number], size=13, anchor="middle", halo=False))
    return 16 + min(len(grey), columns) * cell, 16 + -(-len(grey) // columns) * row_height, parts


def png_bytes(pixels: np.ndarray) -> bytes:
    """A grey PNG file (ISO/IEC 15948) of `pixels`, uint8 of shape (height, width), without compression."""
    height, width = pixels.shape
    rows = b"".join(b"\x00" + row.tobytes() for row in np.ascontiguousarray(pixels))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )

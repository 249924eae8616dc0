"""Where the interferometers of a mesh sit: columns, each a row of interferometers that light meets at the same time.

Both layouts have N(N-1)/2 interferometers on neighbouring waveguides, which with N output phases makes N**2 numbers, as
many as a unitary matrix has. The rectangle (Clements et al., Optica 3:1460, 2016) is N columns deep; the triangle (Reck
et al., Phys. Rev. Lett. 73:58, 1994) is 2N - 3 deep, and is easier to set up, light port by light port.
"""

from __future__ import annotations

from functools import cache

import numpy as np

LAYOUTS = ("rectangular", "triangular")


@cache
def columns(n: int, layout: str) -> tuple[range, ...]:
    """Top waveguides of the interferometers, column by column.

    Parameters
    ----------
    n : int
        Number of waveguides, at least 2.
    layout : {"rectangular", "triangular"}
        Rectangle or triangle.

    Returns
    -------
    tuple of range
        One per column; ``m`` in it stands for an interferometer on waveguides ``m`` and ``m + 1``.

    Raises
    ------
    ValueError
        If there is no such layout, or no room for one interferometer.

    Examples
    --------
    >>> [list(column) for column in columns(4, "rectangular")]
    [[0, 2], [1], [0, 2], [1]]
    >>> [list(column) for column in columns(4, "triangular")]
    [[0], [1], [0, 2], [1], [0]]
    """
    if layout not in LAYOUTS:
        raise ValueError(f"the layout is 'rectangular' (Clements) or 'triangular' (Reck), got {layout!r}")
    if n < 2:
        raise ValueError(f"a mesh needs at least 2 waveguides, got {n}")
    if layout == "rectangular":
        made = [range(c % 2, n - 1, 2) for c in range(n)]
        return tuple(column for column in made if len(column))
    # Diagonal p runs through waveguides 0, 1, ..., n - 2 - p, one per column, and starts two columns after the last.
    made = []
    for c in range(2 * n - 3):
        first = max(0, c - n + 2)
        made.append(range(c % 2, c - 2 * first + 1, 2))
    return tuple(made)


@cache
def offsets(n: int, layout: str) -> tuple[int, ...]:
    """Number of interferometers before each column, and in all columns together."""
    counts = [len(column) for column in columns(n, layout)]
    return tuple(int(k) for k in np.concatenate([[0], np.cumsum(counts)]))


@cache
def positions(n: int, layout: str) -> tuple[np.ndarray, np.ndarray]:
    """Column and top waveguide of each interferometer, in the order of a mesh's phases."""
    table = columns(n, layout)
    column = np.concatenate([np.full(len(row), c) for c, row in enumerate(table)])
    top = np.concatenate([np.array(row) for row in table])
    for array in (column, top):
        array.flags.writeable = False
    return column, top

"""The two layouts: the right number of interferometers, columns that fit, and the published depth."""

import numpy as np
import pytest
from optical import LAYOUTS

from coursepkg.photonics import Mesh
from coursepkg.photonics.layout import columns, offsets, positions


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 9, 64])
def test_counts_and_depths(n):
    for layout in LAYOUTS:
        assert sum(len(column) for column in columns(n, layout)) == n * (n - 1) // 2 == offsets(n, layout)[-1]
    assert len(columns(n, "rectangular")) == (n if n > 2 else 1)
    assert len(columns(n, "triangular")) == 2 * n - 3


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [2, 3, 6, 7])
def test_the_columns_are_what_greedy_scheduling_of_the_elimination_gives(n, layout):
    if layout == "triangular":
        tops = [m for r in range(n - 1, 0, -1) for m in range(r)]
    else:
        tops = [i - j for i in range(0, n - 1, 2) for j in range(i + 1)]
        tops += [n - 2 - i + j for i in range(1, n - 1, 2) for j in range(i + 1)][::-1]
    ready, scheduled = [0] * n, {}
    for m in tops:
        column = max(ready[m], ready[m + 1])
        ready[m] = ready[m + 1] = column + 1
        scheduled.setdefault(column, []).append(m)
    assert [sorted(scheduled[c]) for c in sorted(scheduled)] == [list(column) for column in columns(n, layout)]


def test_the_chip_is_a_triangle_of_five_columns():
    assert [list(column) for column in columns(4, "triangular")] == [[0], [1], [0, 2], [1], [0]]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_positions_follow_the_order_of_the_phases(layout):
    column, top = positions(6, layout)
    assert [(int(c), int(m)) for c, m in zip(column, top, strict=True)] == [
        (c, m) for c, row in enumerate(columns(6, layout)) for m in row
    ]
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 1


def test_views_share_the_phases():
    mesh = Mesh(4)
    mesh.theta[2], mesh.phi[2], mesh.gamma[3] = 0.1, 0.2, 0.3
    np.testing.assert_array_equal(np.flatnonzero(mesh.phases), [4, 5, 15])
    mesh.theta = np.arange(6)
    mesh.phi, mesh.gamma = 7.0, [1, 2, 3, 4]
    assert mesh.phases.tolist() == [0, 7, 1, 7, 2, 7, 3, 7, 4, 7, 5, 7, 1, 2, 3, 4]


def test_what_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"'rectangular' \(Clements\) or 'triangular' \(Reck\), got 'square'"):
        Mesh(4, "square")
    with pytest.raises(ValueError, match="at least 2 waveguides, got 1"):
        Mesh(1)

"""An answer in another container than the one asked for is told so; it never stops the judge."""

import numpy as np
import pytest

from coursepkg.grading.judging.patterns import explain

NAMED = [{"X": np.array([1.5, -2.0]), "W": np.array([3.0])}, {"X": np.array([0.5, 4.0]), "W": np.array([-7.0])}]
PLACED = [tuple(item.values()) for item in NAMED]


@pytest.mark.parametrize("container", [tuple, list])
def test_places_do_not_answer_for_names(container):
    assert explain([[1], [2]], NAMED, [container(item) for item in PLACED], 1e-6, 1e-9) == []


def test_names_do_not_answer_for_places():
    assert explain([[1], [2]], PLACED, [dict(enumerate(item)) for item in PLACED], 1e-6, 1e-9) == []

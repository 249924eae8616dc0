"""The plans of an LSTM and a GRU show every gate once, and the road on which the gradient comes back."""

import re

import pytest

from coursepkg.visualize import draw_cell


def written(picture):
    return re.findall(r">([^<>]+)</text>", picture.svg)


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", "figo"), ("GRU", "znr")])
def test_every_gate_is_there_once(kind, gates):
    assert sorted(word for word in written(draw_cell(kind)) if word in gates) == sorted(gates)


@pytest.mark.parametrize(("kind", "state", "gate"), [("LSTM", "c", "f"), ("GRU", "h", "z")])
def test_the_road_runs_from_state_to_state_and_names_its_gate(kind, state, gate):
    words = written(draw_cell(kind))
    assert {f"{state}[t−1]", f"{state}[t]"} <= set(words)
    assert f"along this road the gradient comes back times {gate}" in words


def test_there_are_plans_of_two_cells():
    with pytest.raises(ValueError, match="LSTM and GRU, not of 'RNN'"):
        draw_cell("RNN")

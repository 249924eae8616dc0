"""Chapter 07: what the prose says of numbers is what the nets do."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

from coursepkg import nn
from coursepkg.nn import diagnostics
from coursepkg.stored import recurrent as stored

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def prose():
    notebook = nbformat.read(ROOT / "notebooks" / "07_rnn_bptt.ipynb", as_version=4)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def gradient_at_the_first_step(rho):
    """As in the figure of section 5: the tanh net with inputs five times as large as normal ones."""
    rng = np.random.default_rng(0)
    net, weight = nn.RNN(1, 32, rng=rng), rng.normal(size=(32, 32))
    net.weight_hh_l0.data = weight * rho / diagnostics.spectral_radius(weight)
    return diagnostics.gradient_norms(net, 5 * rng.normal(size=(60, 1, 1)), lambda h: np.sum(h[-1]))[0]


def test_a_larger_matrix_carries_the_gradient_further_and_then_too_far(prose):
    found = [gradient_at_the_first_step(rho) for rho in (0.9, 1.2, 1.8, 2.0)]
    assert found == pytest.approx([1.4e-10, 3.0e-5, 19, 6130], rel=0.02)
    assert "about $10^{-10}$ at 0.9, $3 \\cdot 10^{-5}$ at 1.2, 19 at 1.8, 6,000 at 2" in prose


def test_a_cell_with_a_bias_for_its_length_keeps_its_gradient(prose):
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(50, 1, 4))
    nn.RNN(4, 32, rng=rng), nn.LSTM(4, 32, forget_bias=1.0, rng=rng)  # the figure draws these first
    net = nn.LSTM(4, 32, forget_bias=np.log(49.0), rng=rng)
    norms = diagnostics.gradient_norms(net, noise, lambda h: np.sum(h[-1]), of="c")
    assert [norms[-1], norms[0]] == pytest.approx([0.8, 6], rel=0.06)
    assert "from 0.8 at the last step to 6 at the first" in prose


def test_the_lstm_needs_about_three_times_as_long_as_the_gru(prose):
    steps = {row["net"]: row["after batches"] for row in stored.adding_outcomes() if row["steps"] == 100}
    assert (steps["GRU"], steps["LSTM"]) == ("400 to 450", "1,000 to 1,400")
    assert "needs three times as long as the GRU" in prose

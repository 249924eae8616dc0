"""The benchmark of the scalar engine computes what it says; it times nothing here."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from coursepkg.autodiff.differences import central_difference
from coursepkg.autodiff.scalar import Scalar

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "scalar.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("scalar_benchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_chain_has_a_closed_form(benchmark):
    end, slope = benchmark.chain_step(Scalar)()
    growth = 1.0001**benchmark.CHAIN
    assert slope == pytest.approx(growth, rel=1e-10)
    assert end == pytest.approx(0.5 * growth + 0.1 * (growth - 1) / 0.0001, rel=1e-9)


@pytest.mark.parametrize("activation", [Scalar.relu, Scalar.tanh])
def test_the_network_is_micrograds_demo_and_its_gradient_is_right(benchmark, activation):
    made = []

    def number(value):
        made.append(Scalar(value))
        return made[-1]

    step = benchmark.moons_step(number, activation)
    parameters = made[:]
    assert len(parameters) == 2 * 16 + 16 + 16 * 16 + 16 + 16 + 1
    _, *gradient = step()
    steepest = [max(layer, key=lambda k: abs(gradient[k])) for layer in (range(48), range(48, 320), range(320, 337))]

    def loss_when_moved(values):
        for index, value in zip(steepest, values, strict=True):
            parameters[index].data = value
        return step()[0]

    expected = central_difference(loss_when_moved, [parameters[index].data for index in steepest], step=1e-6)
    assert [gradient[index] for index in steepest] == pytest.approx(expected, rel=1e-6)
    assert all(abs(slope) > 0.05 for slope in expected)


def test_a_missing_peer_is_said_plainly():
    program = f"""
import runpy, sys
sys.modules["micrograd"] = None
sys.argv = ["scalar.py"]
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "micrograd is not installed" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_table_says_which_goals_are_met(benchmark):
    rows = [
        {"workload": "chain", "steps": 1, "engine": "micrograd", "milliseconds": 30.0, "ratio": 6.5, "bar": 6.0},
        {"workload": "moons, tanh", "steps": 5, "engine": "micrograd", "milliseconds": 9.0, "ratio": 9.5, "bar": 10.0},
        {"workload": "chain", "steps": 1, "engine": "coursepkg", "milliseconds": 5.0, "ratio": 1.0, "bar": None},
    ]
    table = benchmark.as_markdown(rows, {"clock": "CPU time"}).splitlines()
    assert table[2] == "| chain, a single step | micrograd | 30.00 | 6.50 | >= 6: yes |"
    assert table[3] == "| moons, tanh, 5 steps in a row | micrograd | 9.00 | 9.50 | >= 10: NO |"
    assert table[4].endswith("| 1.00 |  |")
    assert benchmark.bar_for("moons, relu", "micrograd, collector paused") == 1.8
    assert json.dumps(rows)

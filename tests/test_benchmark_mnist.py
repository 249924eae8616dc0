"""The MNIST benchmark keeps its promise: at least 96 % on images that it has not seen."""

import importlib.util
import json
from pathlib import Path

import pytest

from coursepkg import datasets

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "mnist.py"


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("benchmark_mnist", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stored_result_states_its_settings_and_meets_the_bar(script):
    record = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert record["settings"] == script.SETTINGS
    assert len(record["runs"]["coursepkg"]) >= 5
    assert all(run["accuracy"] >= 0.96 for run in record["runs"]["coursepkg"])
    assert all(run["cpu_seconds"] < 60 for run in record["runs"]["coursepkg"])


@pytest.mark.skipif(
    not datasets.available("mnist/test"), reason="MNIST is not on this computer; set COURSEPKG_DATA or fetch it once"
)
def test_the_network_reaches_96_percent_on_the_last_2000_images(script):
    train, test = script.split_images()
    assert (len(train[0]), len(test[0])) == (8000, 2000)
    assert script.train_ours(train, test, seed=0) >= 0.96

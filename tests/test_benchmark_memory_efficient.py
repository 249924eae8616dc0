"""The benchmark of the sketched layer: what is stored keeps the promises, and the claims can be computed again."""

import importlib.util
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


def load(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script():
    return load("memory_efficient")


@pytest.fixture(scope="module")
def stored(script):
    return json.loads(script.RESULT.read_text(encoding="utf-8"))


def test_every_part_says_how_and_when_it_was_made(stored):
    assert set(stored) == {"speed", "memory", "digits", "text", "peak"}
    for part, found in stored.items():
        assert found["what"] == f"python benchmarks/memory_efficient.py {part}"
        assert found["date"] >= "2026-11-26"
        assert found["numpy"]
        assert found["python"]


def test_the_fold_is_as_fast_as_promised(script, stored):
    table = stored["speed"]["weight_gradient"][0]
    assert tuple(table["shape"]) == script.SHAPES[0]
    for rate, bar in script.BARS.items():
        assert table["ratios"][f"fold {rate}"] <= bar


def test_peers_ran_in_the_same_run(stored):
    layer = stored["speed"]["layer"][0]
    assert layer["against"] == "torch Linear"
    assert {"nn.Linear", "fold 0.5", "gaussian 0.5", "dct 0.125"} <= set(layer["ratios"])


def test_saved_memory_is_the_predicted_one_within_a_tenth(script, stored):
    assert len(stored["memory"]["grid"]) == 3 * len(script.GRID)
    for row in stored["memory"]["grid"]:
        for what in ("held", "peak"):
            assert row["saved"][what] == pytest.approx(row["predicted"][what], rel=0.1, abs=50_000)


def test_training_runs_have_the_settings_of_the_script(script, stored):
    assert stored["digits"]["digits"]["settings"] == script.DIGITS
    assert {key: stored["text"]["settings"][key] for key in script.TEXT} == script.TEXT
    assert len({run["seed"] for run in stored["digits"]["digits"]["runs"]}) == 3
    assert len({run["seed"] for run in stored["text"]["runs"]}) == 3


def test_training_survives_a_tenth_of_the_rows(stored):
    runs = stored["digits"]["digits"]["runs"]
    exact = [run["accuracy"] for run in runs if run["sketch"] == "exact"]
    tenth = [run["accuracy"] for run in runs if run["rate"] == 0.1]
    assert min(exact) > 0.95
    assert sum(tenth) / len(tenth) > 0.95
    largest = stored["text"]["majority"]
    assert all(run["accuracy"] > 3 * largest for run in stored["text"]["runs"])


def test_claims_are_those_that_the_script_computes():
    claims = load("memory_efficient_claims")
    kept = json.loads(claims.RESULT.read_text(encoding="utf-8"))["rows"]
    data = json.loads((claims.FOLDER / "memory_efficient.json").read_text(encoding="utf-8"))
    again = [make(data) for make in claims.ROWS]
    assert [row["claim"] for row in again] == [row["claim"] for row in kept]
    assert [row["verdict"] for row in again] == [row["verdict"] for row in kept]
    stored_runs = "with a fifth", "fine quality", "training takes", "the randomized product", "a random transform"
    from_results = [row for row in again if row["claim"].startswith(stored_runs)]
    assert len(from_results) == 5
    assert all(row in kept for row in from_results)
    assert [row["settings"] for row in again] == [row["settings"] for row in kept]


def test_a_time_is_told_with_its_spread_and_in_every_shape():
    claims = load("memory_efficient_claims")
    data = json.loads((claims.FOLDER / "memory_efficient.json").read_text(encoding="utf-8"))
    runs = {(run["sketch"], run["rate"], run["seed"]): run["cpu_seconds"] for run in data["text"]["runs"]}
    longer = [runs["gaussian", 0.1, seed] / runs["exact", 1.0, seed] - 1 for seed in range(3)]
    assert f"({min(longer):+.0%} to {max(longer):+.0%}) at 10%" in claims.price(data)["ours"]
    for table in data["speed"]["weight_gradient"]:
        assert f"{table['ratios']['gaussian 0.125']:.2f}" in claims.faster(data)["ours"]
    quicker = json.loads(json.dumps(data))
    for run in quicker["text"]["runs"]:
        if (run["sketch"], run["rate"], run["seed"]) == ("gaussian", 0.1, 0):
            run["cpu_seconds"] = 1.0
    assert claims.price(quicker)["verdict"] == "holds in part"  # one quicker run among nine

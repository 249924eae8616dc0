"""The stored runs of the neural tree: what was promised, and what the script does when data are missing."""

import importlib.util
import json
import statistics
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("benchmark_neural_tree", FOLDER / "neural_tree.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def record(script):
    return json.loads(script.RESULT.read_text(encoding="utf-8"))


def column(runs, key):
    return [run[key] for run in runs.values()]


def test_the_record_states_its_settings_and_its_tables_are_up_to_date(script, record, tmp_path):
    assert record["settings"] == script.SETTINGS
    assert record["paper"] == json.loads(json.dumps(script.paper_numbers()))
    tables = script.RESULT.with_suffix(".md").read_text(encoding="utf-8")
    assert script.report(record, tmp_path / "again.md") + "\n" == tables


@pytest.mark.parametrize("name", ["iris", "wine"])
def test_the_published_protocol_gives_the_published_numbers(script, record, name):
    """Within two standard errors of the difference, ten runs against the paper's thirty."""
    from neural_tree_report import within_two_standard_errors

    best = column(record["published"][name], "best_on_test")
    assert len(best) >= 10
    assert within_two_standard_errors(name, best)


def test_the_published_rule_looks_at_the_test_part_after_every_update(record):
    assert set(column(record["published"]["iris"], "looks_at_test")) == {500 * 120}
    for runs in record["published"].values():
        assert all(run["best_on_test"] >= run["last_epoch"] for run in runs.values())


@pytest.mark.parametrize(("name", "bar"), [("iris", 0.92), ("wdbc", 0.95)])
def test_the_honest_protocol_meets_its_bar(record, name, bar):
    runs = record["honest"][name]
    assert len(runs) >= 10
    assert statistics.fmean(column(runs, "test")) >= bar


def test_ten_honest_seeds_of_iris_take_less_than_half_a_minute(record):
    assert sum(column(record["honest"]["iris"], "cpu_seconds")) <= 30


def test_the_compiled_step_takes_a_twentieth_of_the_readable_one(record):
    assert record["speed"]["batch 32"]["ratio"] >= 20


def test_peeking_flatters(record):
    """The same runs: chosen by the test part they score at least three points higher than chosen honestly (iris)."""
    runs = record["three_ways"]["iris"]
    peeked, honest = (statistics.fmean(column(runs, rule)) for rule in ("peek_at_test", "validation"))
    assert peeked - honest >= 0.03
    assert statistics.fmean(column(runs, "train_at_peek")) < peeked


def test_a_stored_run_can_be_run_again(script, record):
    stored = record["honest"]["iris"]["0"]
    again = script.rows("honest", ["iris"])["iris"](0)
    assert again["parameters"] == stored["parameters"]
    assert again["test"] == pytest.approx(stored["test"], abs=0.1)
    for name, rival in stored["rivals"].items():
        assert again["rivals"][name]["test"] == pytest.approx(rival["test"], abs=0.1)


def test_tables_that_are_missing_are_named_and_skipped(script, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("COURSEPKG_DATA", str(tmp_path))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    assert list(script.rows("published", None)) == ["iris", "wine", "wdbc"]
    printed = capsys.readouterr().out
    for name in ("glass", "heart", "vehicle", "pima", "friedman"):
        assert f"{name}: not on this computer, skipped" in printed


def test_results_are_added_seed_by_seed(script, monkeypatch, tmp_path):
    monkeypatch.setattr(script, "RESULT", tmp_path / "results" / "neural_tree.json")
    asked = []
    for seeds in (2, 3):
        script.fill("honest", "iris", seeds, False, lambda seed: asked.append(seed) or {"test": 1 / 3})
    assert asked == [0, 1, 2]
    assert script.load()["honest"]["iris"] == {str(seed): {"test": 0.33333} for seed in range(3)}

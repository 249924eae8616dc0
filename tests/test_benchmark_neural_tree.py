"""The stored runs of the neural tree: what was promised, and what the script does when data are missing."""

import importlib.util
import json
import shutil
import statistics
from pathlib import Path

import numpy as np
import pytest

from coursepkg.datasets import Dataset, Split
from coursepkg.neural_tree import random_tree
from coursepkg.neural_tree.published import PublishedRun, PublishedRuns
from coursepkg.training import TrainingDiverged

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


def test_the_published_protocol_gives_the_published_numbers(record):
    """Run by run on the authors' splits of iris: no worse than their tree by a point, at 90 %."""
    import verdicts

    runs = record["their_splits"]["iris"].values()
    assert len(runs) == 30
    assert verdicts.no_worse([run["theirs"] - run["best_on_test"] for run in runs], margin=0.01) == verdicts.HOLDS


def test_runs_on_the_authors_splits_are_stored_seed_after_seed(record):
    for name, runs in record["their_splits"].items():
        assert sorted(map(int, runs)) == list(range(len(runs))), name  # none that was run is left out
        assert all(run["best_on_test"] >= run["last_epoch"] for run in runs.values())
        assert all(1 <= run["epochs_chosen"] <= 500 for run in runs.values())
    for name, rivals in record["their_rivals"].items():
        assert set(rivals) <= set(record["their_splits"][name])


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


@pytest.fixture
def their_run(script, monkeypatch):
    """A table of forty rows in two classes, and an authors' run on it, with a few epochs of training."""
    rng = np.random.default_rng(0)
    X = np.array([[row, 5.0] for row in range(40)])
    data = Dataset("uci/made up", X, (X[:, 0] > 19.0).astype(int), ("a", "same"), ("ant", "bee"))
    tree = random_tree(2, 2, max_depth=1, rng=rng)
    run = PublishedRun("made_up_0", rng.permutation(40), ("ant", "bee"), {"rmsprop": tree}, {})
    monkeypatch.setattr(script.authors, "load", lambda name: PublishedRuns(name, [run]))
    monkeypatch.setattr(script, "PUBLISHED", script.PUBLISHED | {"epochs": 4})
    return data, run


def test_a_run_on_the_authors_split_has_three_scores_of_one_test_part(script, their_run):
    data, run = their_run
    found = script.their_splits(data, 0)
    assert found["best_on_test"] >= found["last_epoch"]
    assert all(0.0 <= found[rule] <= 1.0 for rule in ("theirs", "validation"))
    assert 1 <= found["epochs_chosen"] <= 4
    assert found["theirs"] == script.authors.evaluate(run, data).score.test
    assert found == script.their_splits(data, 0)
    assert {"logistic regression", "MLP", "decision tree", "random forest"} == set(script.their_rivals(data, 0))


def test_scaling_as_published_uses_all_rows_and_otherwise_those_that_are_fitted_to(script, their_run):
    data, _ = their_run
    fit, test = np.arange(10, 20), np.array([0, 39])
    assert script.cut_rows(data, fit, fit[:0], test, scale_all=True).test[0][:, 0].tolist() == [0.0, 1.0]
    parts = script.cut_rows(data, fit, fit[:0], test)
    assert parts.train[0][:, 0].tolist() == pytest.approx(np.linspace(0, 1, 10).tolist(), rel=1e-12)
    assert parts.test[0][:, 0].tolist() == pytest.approx([-10 / 9, 29 / 9], rel=1e-12)


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


# --- the updates in C


needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler named cc")


def made_up_parts(n_classes):
    """Ninety rows that cannot be learned perfectly, in three parts; the test part is more than one block in C."""
    rng = np.random.default_rng(4)
    X = rng.uniform(size=(90, 3))
    y = X @ [1.0, -2.0, 0.5] + rng.normal(0.0, 0.3, 90)
    if n_classes > 1:
        y = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes))
    rows = np.arange(30), np.arange(30, 45), np.arange(45, 90)
    return Split(*((X[part], y[part]) for part in rows), rows=rows)


@needs_compiler
@pytest.mark.parametrize("n_classes", [1, 2, 4])
@pytest.mark.parametrize("selection", ["validation", "peek_at_test"])
def test_updates_in_c_are_those_of_the_package(script, n_classes, selection):
    parts, tree = made_up_parts(n_classes), random_tree(3, n_classes, rng=np.random.default_rng(2))
    fast = script.neural_tree_fast.train(
        tree, parts, lr=0.1, epochs=6, selection=selection, rng=np.random.default_rng(1)
    )
    slow = script.train(
        tree, parts, **script.PUBLISHED | {"epochs": 6}, selection=selection, rng=np.random.default_rng(1)
    )
    assert set(fast.parameters) == set(slow.parameters)
    for rule, theta in slow.parameters.items():
        np.testing.assert_allclose(fast.parameters[rule], theta, rtol=1e-7, err_msg=rule)
    assert fast.updates == slow.updates == 180
    assert fast.history.validation_loss == pytest.approx(slow.history.validation_loss, rel=1e-8)
    assert fast.score(*parts.test) == pytest.approx(slow.score(*parts.test), rel=1e-9)


@needs_compiler
@pytest.mark.parametrize("start", [800.0, -800.0])
def test_updates_in_c_survive_outputs_that_round_to_zero_or_one(script, start):
    parts, tree = made_up_parts(2), random_tree(3, 2, rng=np.random.default_rng(2))
    tree.set_parameters(np.full(tree.n_parameters, start))
    how = {"lr": 0.1, "epochs": 2, "selection": "peek_at_test"}
    fast = script.neural_tree_fast.train(tree, parts, **how, rng=np.random.default_rng(1))
    slow = script.train(tree, parts, **script.PUBLISHED | how, rng=np.random.default_rng(1))
    np.testing.assert_allclose(fast.parameters["peek_at_test"], slow.parameters["peek_at_test"], rtol=1e-12)


@needs_compiler
def test_a_step_that_is_too_large_in_c_says_so(script):
    parts, tree = made_up_parts(2), random_tree(3, 2, rng=np.random.default_rng(2))
    with pytest.raises(TrainingDiverged, match="epoch 1"):
        script.neural_tree_fast.train(tree, parts, lr=np.nan, epochs=2, rng=np.random.default_rng(1))

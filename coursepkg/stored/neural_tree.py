"""What ``benchmarks/neural_tree.py`` and ``neural_tree_published.py`` found, for chapter 10.

On splits of our own there are ten runs of everything and five of each optimizer; on each of the authors' thirty splits
there is one of every table, beside their own trees.
"""

from statistics import mean, stdev
from typing import Any

from coursepkg.stored import load, told

CLASSES = ("iris", "wine", "wdbc", "ionosphere", "australian", "pima")
RULES = {"best on test": "peek_at_test", "best validation": "validation", "last epoch": "last"}
ENOUGH = 5  # runs of a table on the authors' splits; with fewer, ten on splits of our own stand for it
OPTIMIZERS = {
    "rmsprop": ("RMSprop", 0.992), "momentum": ("momentum", 0.988), "nesterov": ("Nesterov", 0.987),
    "adam_fixed_step": ("Adam, as coded", 0.978), "adagrad": ("Adagrad", 0.966), "gd": ("gradient descent", 0.947),
}  # fmt: skip
"""How an optimizer is called, and the authors' mean on iris."""
MODELS = ("neural tree", "logistic regression", "MLP", "decision tree", "random forest")


def _runs(piece: str, row: str, seeds: int = 10) -> list[dict[str, Any]]:
    stored = load("neural_tree")[piece][row]
    return [stored[str(seed)] for seed in range(seeds)]


def optimizers() -> list[dict[str, str]]:
    """Rows: iris, 500 epochs, five runs, mean ± standard deviation; best moment on the test set, theirs, the end."""
    rows = []
    for name, (called, theirs) in OPTIMIZERS.items():
        found = _runs("optimizers", name, seeds=5)
        best, last = (_with_spread([run[key] for run in found]) for key in ("best_on_test", "last_epoch"))
        rows.append({"optimizer": called, "best": best, "published": f"{theirs:.3f}", "last epoch": last})
    return rows


def three_ways(name: str) -> dict[str, list[float]]:
    """Test accuracies of the ten runs on ``"iris"`` or ``"wine"``, by the rule that chose the epoch."""
    runs = _runs("three_ways", name)
    return {label: [run[rule] for run in runs] for label, rule in RULES.items()}


def runs_made() -> dict[str, int]:
    """How many of the authors' thirty splits our trainings cover, by table."""
    return {name: len(runs) for name, runs in load("neural_tree")["their_splits"].items()}


def three_scores() -> list[dict[str, str]]:
    """Rows: a table; the best moment on the test part of their trees and of ours, then our two honest scores.

    Means ± standard deviation; accuracy, or r² for the regressions. Our runs are on the authors' splits, as many of
    thirty as are stored; their means leave out regressions of fewer than seven nodes, as the paper's do. A table with
    fewer than five is shown by ten runs on splits of our own.
    """
    theirs, ours = load("neural_tree_published")["tables"], load("neural_tree")
    rows = []
    for name in theirs:
        runs = three = [run for run in ours["their_splits"].get(name, {}).values() if run["counted"]]
        where = f"{len(ours['their_splits'].get(name, {}))} of 30"
        if runs_made().get(name, 0) < ENOUGH:
            runs, three = (list(ours[piece].get(name, {}).values())[:10] for piece in ("published", "three_ways"))
            # With at most four children a node, a regression of seven nodes or more has eight parameters or more.
            runs = [run for run in runs if name in CLASSES or run["parameters"] >= 8]
            where = f"{len(runs)}, own splits"
        rows.append(
            {
                "data": name, "our runs": where,
                "best on test, theirs": _with_spread(theirs[name]["scores"]["rmsprop"]["test"]),
                "best on test, ours": _with_spread([run["best_on_test"] for run in runs]),
                "chosen on validation": _with_spread([run["validation"] for run in three]),
                "last epoch": _with_spread([run["last_epoch"] for run in runs]),
            }
        )  # fmt: skip
    return rows


def rivals_on_their_splits() -> list[dict[str, str]]:
    """Rows: a table, and each model's score, all fitted on the same 80 %; the tree chosen on validation.

    Means ± standard deviation.

    Tables with fewer than five runs are left out.
    """
    stored = load("neural_tree")
    rows = []
    for name, rivals in stored["their_rivals"].items():
        trees = stored["their_splits"][name]
        shared = [number for number in rivals if number in trees and trees[number]["counted"]]
        if len(shared) < ENOUGH:
            continue
        models = {"linear model": next(iter(rivals[shared[0]]))} | {model: model for model in MODELS[2:]}
        tree = _with_spread([trees[k]["validation"] for k in shared])
        rows.append(
            {"data": name, "runs": f"{len(shared)}", "neural tree": tree}
            | {label: _with_spread([rivals[k][model]["test"] for k in shared]) for label, model in models.items()}
        )
    return rows


def digit_trees() -> list[dict[str, str]]:
    """Rows: a published tree for MNIST, its parameters, the error in its name, and the error that comes out."""
    return [
        {"tree": name, "parameters": f"{found['parameters']:,}", "in its name": f"{100 * found['published']:.1f} %",
         "recomputed": f"{100 * found['error']:.2f} %"}
        for name, found in load("neural_tree_published")["digits"].items()
    ]  # fmt: skip


def claims() -> list[dict[str, str]]:
    """Rows of a table: what was claimed, the verdict, the published number, ours, and where it was tried."""
    return told(load("neural_tree_claims")["rows"])


def _with_spread(found: list[float]) -> str:
    if not found:
        return "not run"
    return f"{mean(found):.3f} ± {stdev(found):.3f}"


def published_errors() -> dict[str, tuple[float, float]]:
    """Mean training and test error of the authors' own RMSprop runs, from their logs, by data set."""
    paper = load("neural_tree")["paper"]
    return {
        name: (found["train_error"], found["test_error"]) for name, found in paper.items() if "train_error" in found
    }


def contest(*tables: str) -> dict[str, tuple[float, float]]:
    """Trained numbers and test accuracy of each model with nothing chosen on a test set, averaged over these tables."""
    found = {}
    for model in MODELS:
        pairs = [_pair(run, model) for table in tables for run in _runs("honest", table)]
        found[model] = (mean(size for size, _ in pairs), mean(score for _, score in pairs))
    return found


def _pair(run: dict[str, Any], model: str) -> tuple[float, float]:
    scored = run if model == "neural tree" else run["rivals"][model]
    return scored["parameters"], scored["test"]


def table_by_table() -> list[dict[str, str]]:
    """Rows: a data set, and the test accuracy of each model on it, mean ± standard deviation of ten splits."""
    return [
        {"data": table} | {model: _with_spread([_pair(run, model)[1] for run in _runs("honest", table)])
                           for model in MODELS}
        for table in CLASSES
    ]  # fmt: skip

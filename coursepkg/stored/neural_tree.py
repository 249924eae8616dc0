"""What ``benchmarks/neural_tree.py`` found, for chapter 10: ten runs of everything, five of each optimizer."""

from statistics import mean, stdev
from typing import Any

from coursepkg.stored import load

CLASSES = ("iris", "wine", "wdbc", "ionosphere", "australian", "pima")
RULES = {"best on test": "peek_at_test", "best validation": "validation", "last epoch": "last"}
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
    """Rows: iris, 500 epochs, means of five runs; the best moment on the test set, the authors' number, the end."""
    rows = []
    for name, (called, theirs) in OPTIMIZERS.items():
        found = _runs("optimizers", name, seeds=5)
        best, last = (mean(run[key] for run in found) for key in ("best_on_test", "last_epoch"))
        rows.append(
            {"optimizer": called, "best": f"{best:.3f}", "published": f"{theirs:.3f}", "last epoch": f"{last:.3f}"}
        )
    return rows


def three_ways(name: str) -> dict[str, list[float]]:
    """Test accuracies of the ten runs on ``"iris"`` or ``"wine"``, by the rule that chose the epoch."""
    runs = _runs("three_ways", name)
    return {label: [run[rule] for run in runs] for label, rule in RULES.items()}


def published() -> list[dict[str, str]]:
    """Rows: ten runs by the published rule, the authors' number, and where the same runs end."""
    rows = []
    for name in CLASSES:
        theirs = load("neural_tree")["paper"][name]
        best, last = ([run[key] for run in _runs("published", name)] for key in ("best_on_test", "last_epoch"))
        ours = f"{mean(best):.3f} ± {stdev(best) / len(best) ** 0.5:.3f}"
        row = {"data": name, "ours": ours, "published": f"{theirs['mean']:.3f}", "their sd": f"{theirs['sd']:.3f}"}
        rows.append(row | {"last epoch": f"{mean(last):.3f}"})
    return rows


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
    """Rows: a data set, and the test accuracy of each model on it."""
    return [
        {"data": table, **{model: f"{score:.3f}" for model, (_, score) in contest(table).items()}} for table in CLASSES
    ]

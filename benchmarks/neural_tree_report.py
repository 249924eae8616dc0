"""The tables of ``neural_tree.py`` as Markdown, beside the numbers of the paper."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any, NamedTuple


class Paper(NamedTuple):
    """A row of the authors' tables (BNeuralT, RMSprop, p = 0.4): mean and standard deviation of about 30 runs."""

    mean: float
    sd: float | None
    parameters: int
    mlp: float  # best MLP solver without early stopping on the test part


# Accuracy, or r² below the line. From the tables in github.com/vojha-code/BNeuralT, the code of the paper.
PAPER = {
    "iris": Paper(0.992, 0.014, 268, 0.968),
    "wine": Paper(0.991, 0.029, 249, 0.984),
    "wdbc": Paper(0.986, 0.012, 190, 0.971),
    "ionosphere": Paper(0.952, 0.034, 157, 0.914),
    "australian": Paper(0.895, 0.035, 204, 0.872),
    "pima": Paper(0.822, 0.026, 180, 0.769),
    "glass": Paper(0.732, 0.070, 560, 0.656),
    "heart": Paper(0.897, 0.036, 185, 0.820),
    "vehicle": Paper(0.750, 0.050, 358, 0.849),
    "baseball": Paper(0.681, None, 153, 0.686),
    "diabetes": Paper(0.513, None, 154, 0.466),
    "dee": Paper(0.838, None, 166, 0.828),
    "friedman": Paper(0.818, None, 154, 0.941),
    "mpg6": Paper(0.877, None, 202, 0.869),
}
PAPER_RUNS = 30
RIVALS = ["linear model", "MLP, 100 units", "decision tree", "random forest"]
# Mean error on training and test part in the authors' 30 logs per table (RMSprop, chosen by the test part), and the
# share of runs whose test error is below the training error.
PAPER_LOGS = {
    "iris": (0.076, 0.008, 1.00),
    "wine": (0.067, 0.009, 0.87),
    "wdbc": (0.034, 0.014, 0.97),
    "ionosphere": (0.095, 0.048, 0.93),
    "heart": (0.152, 0.103, 0.80),
    "australian": (0.137, 0.105, 0.87),
    "pima": (0.232, 0.178, 0.90),
    "vehicle": (0.312, 0.250, 0.97),
    "glass": (0.320, 0.268, 0.70),
}
PAPER_OPTIMIZERS = {
    "rmsprop": 0.992,
    "momentum": 0.988,
    "nesterov": 0.987,
    "adam_fixed_step": 0.978,
    "adagrad": 0.966,
    "gd": 0.947,
}


def paper_numbers() -> dict[str, dict[str, Any]]:
    """What the paper and its logs say, by table, for the notebook that shows them beside ours."""
    logs = ("train_error", "test_error", "share_with_test_below_train")
    return {
        name: paper._asdict() | dict(zip(logs, PAPER_LOGS[name], strict=True) if name in PAPER_LOGS else {})
        for name, paper in PAPER.items()
    } | {"optimizers on iris": PAPER_OPTIMIZERS}


def report(record: dict[str, Any], path: Path) -> str:
    """Write the tables to a file; return them."""
    text = "\n\n".join(
        part
        for part in (
            "# The neural tree: what was run, and what holds",
            f"Run with `{record['what']}`, {record['date']}, Python {record['python']}, NumPy {record['numpy']}, "
            f"scikit-learn {record['scikit-learn']}. Mean over the seeds ± standard deviation; accuracy, or r² for "
            "regression.",
            "\n".join(f"- {name}: {words}" for name, words in record["settings"].items()),
            _side_by_side(record["published"], record["honest"]),
            _published(record["published"]),
            _three_ways(record["three_ways"]),
            _their_splits(record["their_splits"], record["their_rivals"]),
            _honest(record["honest"]),
            _optimizers(record["optimizers"]),
            _digits(record["digits"]),
            _speed(record["speed"]),
        )
        if part
    )
    path.write_text(text + "\n", encoding="utf-8")
    return text


def _column(rows: dict[str, Any], key: str) -> list[float]:
    return [run[key] for run in rows.values()]


def _show(values: list[float]) -> str:
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.3f}{spread}"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "| --- " + "| --: " * (len(heads) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _rivals(seeds: dict[str, Any]) -> list[str]:
    """The rivals of a table in the order of ``RIVALS``; the linear one has two names."""
    return list(next(iter(seeds.values()))["rivals"])


def _side_by_side(published: dict[str, Any], honest: dict[str, Any]) -> str:
    rows = []
    for name, seeds in honest.items():
        ours = _show(_column(published[name], "best_on_test")) if name in published else ""
        # Rivals in fixed columns: naming the best by its test scores would be one more choice made on the test part.
        rivals = [_show([run["rivals"][model]["test"] for run in seeds.values()]) for model in _rivals(seeds)]
        spread = f" ± {PAPER[name].sd:.3f}" if PAPER[name].sd is not None else ""
        rows.append([name, f"{PAPER[name].mean:.3f}{spread}", ours, _show(_column(seeds, "test")), *rivals])
    if not rows:
        return ""
    heads = ["data", "paper, chosen on test", "ours, chosen on test", "ours, honest", *RIVALS]
    return "## Side by side\n\n" + _table(heads, rows)


def _published(runs: dict[str, Any]) -> str:
    if not runs:
        return ""
    rows = []
    for name, seeds in runs.items():
        best = _column(seeds, "best_on_test")
        paper = PAPER[name]
        spread = f" ± {paper.sd:.3f}" if paper.sd is not None else ""
        rows.append(
            [
                name, str(len(seeds)), f"{paper.mean:.3f}{spread}", _show(best),
                _show(_column(seeds, "train_at_best")), _show(_column(seeds, "last_epoch")),
                f"{statistics.fmean(_column(seeds, 'looks_at_test')):,.0f}",
            ]
        )  # fmt: skip
    heads = [
        "data", "runs", "paper", "best on test, ours", "training part then", "same run, last epoch",
        "looks at the test part",
    ]  # fmt: skip
    return (
        "## The published protocol: the best test score after any update\n\n"
        + _table(heads, rows)
        + "\n\nOn average over splits, a model does no better on unseen examples than on those it was fitted to. Where "
        "the test column is above the training column, the choice among all those looks explains it."
    )


def _three_ways(runs: dict[str, Any]) -> str:
    if not runs:
        return ""
    rows = [
        [name, str(len(seeds)), *(_show(_column(seeds, rule)) for rule in ("peek_at_test", "validation", "last"))]
        for name, seeds in runs.items()
    ]
    return "## The same runs, scored three ways\n\n" + _table(
        ["data", "runs", "best on test", "lowest validation loss", "last epoch"], rows
    )


def _their_splits(runs: dict[str, Any], rivals: dict[str, Any]) -> str:
    if not runs:
        return ""
    rules = ("theirs", "best_on_test", "validation", "last_epoch")
    rows, others = [], []
    for name in PAPER:
        if name not in runs:
            continue
        counted = {number: run for number, run in runs[name].items() if run["counted"]}
        if not counted:
            continue
        rows.append(
            [
                name, f"{len(counted)} of {len(runs[name])}", *(_show(_column(counted, rule)) for rule in rules),
                f"{statistics.fmean(_column(counted, 'epochs_chosen')):.0f}",
            ]
        )  # fmt: skip
        shared = [number for number in counted if number in rivals.get(name, {})]
        if shared:
            models = [[rivals[name][k][model]["test"] for k in shared] for model in rivals[name][shared[0]]]
            trees = [runs[name][k]["validation"] for k in shared]
            others.append([name, str(len(shared)), _show(trees), *map(_show, models)])
    heads = [
        "data", "runs in the mean", "best on test, theirs", "best on test, ours", "chosen on validation", "last epoch",
        "epochs chosen",
    ]  # fmt: skip
    text = (
        "## On the authors' splits, with trees of their shapes\n\nOf 30 runs each; as in the paper, regressions of "
        "fewer than seven nodes are not in the mean.\n\n" + _table(heads, rows)
    )
    if others:
        heads = ["data", "runs", "neural tree, chosen on validation", *RIVALS]
        text += "\n\n## Other models on the same splits, fitted on the same 80 %\n\n" + _table(heads, others)
    return text


def _honest(runs: dict[str, Any]) -> str:
    if not runs:
        return ""
    rows = [
        [
            name,
            str(len(seeds)),
            _with_size(list(seeds.values())),
            *(_with_size([run["rivals"][model] for run in seeds.values()]) for model in _rivals(seeds)),
        ]
        for name, seeds in runs.items()
    ]
    heads = ["data", "runs", "neural tree", *RIVALS]
    return (
        "## The honest protocol, and other models on the same test parts\n\nIn brackets the numbers each model stores. "
        "The rivals are fitted on fit and validation part together, a small advantage.\n\n" + _table(heads, rows)
    )


def _with_size(runs: list[dict[str, Any]]) -> str:
    size = statistics.fmean(run["parameters"] for run in runs)
    return f"{_show([run['test'] for run in runs])} ({size:,.0f})"


def _optimizers(runs: dict[str, Any]) -> str:
    if not runs:
        return ""
    rows = []
    for name, seeds in runs.items():
        paper = f"{PAPER_OPTIMIZERS[name]:.3f}" if name in PAPER_OPTIMIZERS else ""
        rows.append(
            [name, str(len(seeds)), paper, _show(_column(seeds, "best_on_test")), _show(_column(seeds, "last_epoch"))]
        )
    return "## The optimizers on iris, published protocol\n\n" + _table(
        ["optimizer", "runs", "paper", "best on test", "last epoch"], rows
    )


def _digits(runs: dict[str, Any]) -> str:
    if not runs:
        return ""
    rows = [[f"neural tree, {n}", str(len(s)), _with_size(list(s.values()))] for n, s in runs.items() if n != "rivals"]
    others = list(runs.get("rivals", {}).values())
    rows += [[name, str(len(others)), _with_size([run[name] for run in others])] for name in (others or [{}])[0]]
    return "## Handwritten digits, 8 × 8, honest\n\n" + _table(["model", "runs", "accuracy (numbers stored)"], rows)


def _speed(found: dict[str, Any]) -> str:
    if not found:
        return ""
    rows = [
        [name, f"{entry['readable']:,.0f} µs", f"{entry['compiled']:,.0f} µs", f"{entry['ratio']:.1f}"]
        for name, entry in found.items()
        if name.startswith("batch")
    ]
    return f"## One training step of {found['tree']}, CPU time\n\n" + _table(
        ["examples", "readable", "compiled", "ratio"], rows
    )

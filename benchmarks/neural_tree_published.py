"""The paper's tables, recomputed from the trees that its authors published. Nothing is trained; half a minute.

    python benchmarks/neural_tree_published.py
    python benchmarks/neural_tree_published.py report     # only writes the tables again, from what is stored

Needs the trees and the tables in ``COURSEPKG_DATA`` or the cache (``python -m coursepkg data fetch bneuralt``, then
``uci`` and ``mnist``); what is missing is named. Writes ``results/neural_tree_published.json`` and ``.md``. Of the
three scores that a run can have, the published trees give one: the best moment on the test part. The other two come
from our own trainings in ``results/neural_tree.json``, on the authors' splits where those were run.
"""

from __future__ import annotations

import csv
import datetime
import json
import math
import platform
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from neural_tree_claims import ENOUGH, made, paired
from neural_tree_report import PAPER

from coursepkg import datasets
from coursepkg.datasets import bneuralt
from coursepkg.neural_tree import published
from coursepkg.neural_tree.published import OPTIMIZERS, PublishedRuns

RESULT = Path(__file__).parent / "results" / "neural_tree_published.json"
OURS = RESULT.with_name("neural_tree.json")
LIMITS = """
- A tree was kept whenever it was the best so far on the test part, after any of its updates. So each row of a table was
  either trained on or chosen by, and no row is left on which these trees could be scored afresh.
- Chosen on a validation part: cannot be derived. The logs say `n_validation_set_size: 0.0`; there was no such part.
- Last epoch: cannot be derived. Neither the trees of the last epoch nor the curves were published.
- The means leave out regressions of fewer than seven nodes, as the authors' evaluation does; those runs are still
  compared with their logs.
- Errors on both parts were logged for RMSprop alone. For the other optimizers there is the score on the test part, in
  one file for all; it is compared where that file is at hand.
- Of four digit trees three are at hand. Their loader divides grey levels by 256; by 255 the errors differ by at most
  three images of 10,000. The errors in the files' names are cut off after one digit, not rounded.
""".strip()


def table(name: str, scores: dict[tuple[str, str], float]) -> dict[str, Any]:
    """Every tree of a table: its scores on both parts, and how many equal what was logged."""
    runs, data = published.load(name), datasets.uci(name)
    logs = published.compare(runs, data)
    found: dict[str, dict[str, list[float]]] = {}
    compared = equal = 0
    for run in runs.runs:
        for optimizer in run.trees:
            score = published.evaluate(run, data, optimizer).score
            if (run.name, optimizer) in scores:
                compared += 1
                equal += math.isclose(score.test, scores[run.name, optimizer], rel_tol=1e-8, abs_tol=1e-9)
            entry = found.setdefault(optimizer, {"train": [], "test": [], "left_out": []})
            if run.counted:
                entry["train"].append(round(score.train, 6))
            entry["test" if run.counted else "left_out"].append(round(score.test, 6))
    return {
        "runs": len(runs.runs),
        "logged_errors": {"compared": logs.compared, "equal": logs.compared - len(logs.different)},
        "logged_scores": {"compared": compared, "equal": equal},
        "parameters": round(statistics.fmean(_sizes(runs)), 1),
        "scores": found,
    }


def _sizes(runs: PublishedRuns) -> list[int]:
    """The number of parameters of each run in the means, as the paper counts them."""
    return [next(iter(run.trees.values())).published_count for run in runs.runs if run.counted]


def logged_scores() -> dict[tuple[str, str], float]:
    """The scores on the test part that the authors' summary has, by run and optimizer; empty where it is missing."""
    if not datasets.available("bneuralt/scores"):
        print("scores: not on this computer, compared with nothing")
        return {}
    with bneuralt.find("scores").open(encoding="utf-8", newline="") as file:
        split = [(row["File"].partition("_best_test_optPRM_"), row["ETst"]) for row in csv.DictReader(file)]
    return {(run, rest.removesuffix("_model.json")): float(score) for (run, _, rest), score in split}


def digits() -> dict[str, dict[str, float]]:
    """The errors of the digit trees on the 10,000 test images."""
    found = {}
    for name in bneuralt.DIGITS:
        if not (datasets.available(f"bneuralt/{name}") and datasets.available("mnist/test")):
            print(f"{name}: not on this computer, skipped")
            continue
        tree, (images, labels) = published.load_digits(name), datasets.mnist("test")
        found[name] = {
            "published": tree.published_error,
            "error": published.digit_error(tree, images, labels),
            "error_divided_by_256": published.digit_error(tree, images, labels, white=256.0),
            "parameters": tree.tree.published_count,
        }
    return found


def measure() -> dict[str, Any]:
    """Recompute all that is at hand."""
    scores = logged_scores()
    tables = {}
    for name in PAPER:
        if datasets.available(f"bneuralt/{bneuralt.spelled(name)}") and datasets.available(f"uci/{name}"):
            tables[name] = table(name, scores)
        else:
            print(f"{name}: not on this computer, skipped")
    return {
        "what": "python benchmarks/neural_tree_published.py",
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "origin": f"github.com/vojha-code/BNeuralT at {bneuralt.COMMIT}, trained_models/",
        "tables": tables,
        "digits": digits(),
    }


# --- words


def report(record: dict[str, Any], ours: dict[str, Any]) -> str:
    """The record as Markdown, with our own trainings beside it."""
    tables = record["tables"]
    errors, scores = (_sum(tables, key) for key in ("logged_errors", "logged_scores"))
    parts = [
        "# The neural tree: their numbers, from their trees, by our code",
        f"Run with `{record['what']}`, {record['date']}, Python {record['python']}, NumPy {record['numpy']}. The trees "
        f"are those of {record['origin']}. Mean over the runs ± standard deviation; accuracy, or r² for regression.",
        f"Equal to the logs: the errors on training and test part in {errors} of RMSprop, and the score on the test "
        f"part of {scores} of all six optimizers.",
        "## RMSprop, at the best moment on the test part",
        _best(tables),
        "On average over splits, a model does no better on unseen examples than on those it was fitted to. Where the "
        "test part comes out above the training part, the choice explains it.",
        _left_out(tables),
        "## All six optimizers, test part at its best moment",
        _grid(
            ["data", *OPTIMIZERS],
            [
                [name, *(_show(entry["scores"].get(key, {}).get("test", [])) for key in OPTIMIZERS)]
                for name, entry in tables.items()
            ],
        ),
        "## Three scores",
        "The first score is that of their trees, thirty of each table. The others are of our own trainings as "
        "published, with RMSprop. On their splits our trees have the shapes of theirs, and the validation score is "
        "that of a second training on the 80 %, up to the epoch that a fifth of it chose. Tables with fewer than "
        f"{ENOUGH} runs on their splits are shown on ten splits of our own, where it is of trees trained on 64 %. The "
        "means leave out regressions of fewer than seven nodes.",
        _three(tables, ours),
        "## Digits",
        _grid(
            ["tree", "parameters", "published error", "recomputed", "grey levels divided by 256"],
            [
                [
                    name, f"{entry['parameters']:,}", f"{entry['published']:.1%}", f"{entry['error']:.2%}",
                    f"{entry['error_divided_by_256']:.2%}",
                ]
                for name, entry in record["digits"].items()
            ],
        ),
        "## What these trees cannot say",
        LIMITS,
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _sum(tables: dict[str, Any], key: str) -> str:
    compared, equal = (sum(entry[key][what] for entry in tables.values()) for what in ("compared", "equal"))
    return f"{equal:,} of {compared:,} trees"


def _best(tables: dict[str, Any]) -> str:
    rows = []
    for name, entry in tables.items():
        train, test = (entry["scores"]["rmsprop"][part] for part in ("train", "test"))
        above = statistics.fmean(b > a for a, b in zip(train, test, strict=True))
        paper = f"{PAPER[name].mean:.3f}" + (f" ± {PAPER[name].sd:.3f}" if PAPER[name].sd is not None else "")
        logs = entry["logged_errors"]
        rows.append(
            [
                name, f"{len(test)} of {entry['runs']}", paper, _show(test), _show(train), f"{above:.0%}",
                f"{entry['parameters']:,.0f}", f"{logs['equal']} of {logs['compared']}",
            ]
        )  # fmt: skip
    heads = [
        "data", "runs in the mean", "paper", "test part, recomputed", "training part then", "test above training",
        "parameters", "logs equal",
    ]  # fmt: skip
    return _grid(heads, rows)


def _left_out(tables: dict[str, Any]) -> str:
    """What the means would be with the runs of the smallest trees."""
    found = {name: entry["scores"]["rmsprop"] for name, entry in tables.items()}
    words = [
        f"{name} {statistics.fmean(score['test'] + score['left_out']):.3f} in place of "
        f"{statistics.fmean(score['test']):.3f}"
        for name, score in found.items()
        if score["left_out"]
    ]
    return f"With the regressions of fewer than seven nodes, the means are: {'; '.join(words)}." if words else ""


def _three(tables: dict[str, Any], ours: dict[str, Any]) -> str:
    rows = []
    for name, entry in tables.items():
        runs = three = made(ours, name)
        splits = f"theirs, {len(runs)} runs"
        if not paired(ours, name):
            three = list(ours["three_ways"].get(name, {}).values())
            splits = f"our own, {len(runs)} runs"
        rows.append(
            [
                name, splits, _show(entry["scores"]["rmsprop"]["test"]), _show([run["best_on_test"] for run in runs]),
                _show([run["validation"] for run in three]), _show([run["last_epoch"] for run in runs]),
            ]
        )  # fmt: skip
    heads = [
        "data", "our splits", "best on test, theirs", "best on test, ours", "chosen on validation, ours",
        "last epoch, ours",
    ]  # fmt: skip
    return _grid(heads, rows)


def _show(values: list[float]) -> str:
    if not values:
        return "not run"
    return f"{statistics.fmean(values):.3f}" + (f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else "")


def _grid(heads: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ""
    lines = ["| " + " | ".join(heads) + " |", "| --- " + "| --: " * (len(heads) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def as_text(record: dict[str, Any]) -> str:
    """The record as JSON, a list of numbers in a line."""
    return re.sub(
        r"\[\s+([^][{}]*?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", json.dumps(record, indent=1)
    )


def main(arguments: list[str]) -> None:
    """Recompute, store, and print the tables."""
    started = time.perf_counter()
    if arguments not in ([], ["report"]):
        raise SystemExit(__doc__)
    record = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {"tables": {}, "digits": {}}
    if not arguments:
        new = measure()
        if not new["tables"]:
            raise SystemExit(bneuralt.OFFER)
        # What is not at hand today stays as it was found.
        record = new | {key: record[key] | new[key] for key in ("tables", "digits")}
    RESULT.write_text(as_text(record) + "\n", encoding="utf-8")
    text = report(record, json.loads(OURS.read_text(encoding="utf-8")) if OURS.is_file() else {})
    RESULT.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"{text}\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])

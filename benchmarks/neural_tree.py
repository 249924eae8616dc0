"""The neural tree on the paper's data: the honest protocol, the published one, and other models on the same splits.

    python benchmarks/neural_tree.py honest                        # ten seeds of all data, with the rivals; a minute
    python benchmarks/neural_tree.py published --data iris wine    # the published rule: best on test after every update
    python benchmarks/neural_tree.py three_ways optimizers digits speed
    python benchmarks/neural_tree.py their_splits --seeds 30       # the authors' splits and tree shapes, three scores
    python benchmarks/neural_tree.py their_rivals --seeds 30       # other models on these splits
    python benchmarks/neural_tree.py report                        # writes the tables

Iris, wine, wdbc and digits come with scikit-learn; the paper's other tables are used where ``COURSEPKG_DATA`` or the
cache has them (``python -m coursepkg data fetch uci``), and named where not. Runs are added, seed by seed, to
``benchmarks/results/neural_tree.json``, so that a long evening can be cut into pieces; ``--again`` forgets the old
ones, and after a kill the script goes on where it was. All of it takes about 25 minutes of one core, nearly all of that
for the published rule; thirty seeds of ``their_splits`` and ``their_rivals`` about 20 minutes more where there is a C
compiler (``neural_tree_fast.py``), and five hours where there is none.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import neural_tree_fast
import numpy as np
import sklearn
from neural_tree_report import paper_numbers, report
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from coursepkg import datasets
from coursepkg.datasets import Dataset, Scaler, Split, bneuralt
from coursepkg.neural_tree import OPTIMIZERS, CompiledTree, Run, Tree, random_tree, train, value_and_gradient
from coursepkg.neural_tree import published as authors
from coursepkg.neural_tree.losses import LOSSES

RESULT = Path(__file__).parent / "results" / "neural_tree.json"
PIECES = ("honest", "published", "three_ways", "their_splits", "their_rivals", "optimizers", "digits", "speed")
CLASSIFICATION = ("iris", "wine", "wdbc", "ionosphere", "australian", "pima", "glass", "heart", "vehicle")
REGRESSION = ("baseball", "diabetes", "dee", "friedman", "mpg6")
BY_COST = (
    *("iris", "wine", "baseball", "glass", "ionosphere", "heart", "dee", "mpg6", "diabetes", "wdbc", "australian"),
    *("vehicle", "pima", "friedman"),
)
BUNDLED = {"iris": datasets.iris, "wine": datasets.wine, "wdbc": datasets.breast_cancer, "digits": datasets.digits}

GROWTH = {"max_depth": 5, "max_children": 5, "leaf_probability": 0.4}
PUBLISHED: dict[str, Any] = {"optimizer": "rmsprop", "lr": 0.1, "batch_size": 1, "epochs": 500}
HONEST = {"optimizer": "adam", "lr": 0.02, "batch_size": 16, "epochs": 100}
DIGITS = {"optimizer": "adam", "lr": 0.02, "batch_size": 16, "epochs": 60, "loss": "cross_entropy"}
DIGIT_TREES = {
    "as in the paper": GROWTH,
    "wider": {"max_depth": 4, "max_children": 9, "leaf_probability": 0.4},
    "widest": {"max_depth": 4, "max_children": 14, "leaf_probability": 0.6},
}
SETTINGS = {
    "published": f"tree {GROWTH}, start U[0, 1]; {PUBLISHED}; 80/20, inputs scaled on all data, best test score kept",
    "honest": f"tree {GROWTH}, start N(0, 1); {HONEST}; 64/16/20, scaled on the 64, lowest validation loss kept",
    "unlike the published code": "eps after the square root, no second update for an epoch's first example, a new "
    "order of examples each epoch",
    "three_ways": "trained as published on 64 %, the same run scored by each rule",
    "their_splits": "seed k has the rows and the tree shape of the authors' run k, start U[0, 1]; trained as published "
    "on 80 %: best on test, last epoch; third score: the epoch of the lowest validation loss (64/16), trained again up "
    "to it on the 80 %, scaled on what is trained on",
    "their_rivals": "as rivals, on the rows of their_splits",
    "optimizers": "published protocol on iris, same trees and splits; Adam with its usual shares 0.9 and 0.999",
    "digits": f"{DIGITS}; 64/16/20, start N(0, 1), lowest validation loss kept",
    "rivals": "scikit-learn's defaults (MLP: 100 sigmoid units, 1,000 epochs at most), fitted and scaled on 80 %",
}


# --- data


def find(name: str) -> Dataset | None:
    """A data set, or None where it is not on this computer."""
    if name in BUNDLED:
        return BUNDLED[name]()
    return datasets.uci(name) if datasets.available(f"uci/{name}") else None


def honest_split(data: Dataset, seed: int) -> Split:
    """64/16/20, scaled on the first part."""
    return datasets.split(*data, rng=np.random.default_rng(seed)).scaled(Scaler.minmax)


def published_split(data: Dataset, seed: int) -> Split:
    """80/20, scaled before the split, as in the published code."""
    scaled = Scaler.minmax(data.X)(data.X)
    return datasets.split(scaled, data.y, validation=0.0, rng=np.random.default_rng(seed))


def n_outputs(data: Dataset) -> int:
    """Classes, or 1 for regression."""
    return max(len(data.target_names), 1)


# --- runs: each gives a small dictionary of numbers


def published(data: Dataset, seed: int, optimizer: str = "rmsprop") -> dict[str, Any]:
    """One run under the published rule."""
    parts, rng = published_split(data, seed), np.random.default_rng(1000 + seed)
    tree = random_tree(data.X.shape[1], n_outputs(data), **GROWTH, rng=rng)
    settings = PUBLISHED | {"optimizer": optimizer}
    run = train(tree, parts, **settings, selection="peek_at_test", rng=rng)
    return {
        "best_on_test": run.score(*parts.test),
        "last_epoch": run.score(*parts.test, selection="last"),
        "train_at_best": run.score(*parts.train),
        "looks_at_test": run.peeks,
        "parameters": tree.n_parameters,
        "published_count": tree.published_count,
    }


def honest(data: Dataset, seed: int) -> dict[str, Any]:
    """One honest run, and the rivals on the same test part."""
    parts, rng = honest_split(data, seed), np.random.default_rng(1000 + seed)
    tree = random_tree(data.X.shape[1], n_outputs(data), **GROWTH, start="normal", rng=rng)
    clock = time.process_time()
    run = train(tree, parts, **HONEST, rng=rng)
    seconds = time.process_time() - clock
    return {
        "test": run.score(*parts.test),
        "validation": run.score(*parts.validation),
        "parameters": tree.n_parameters,
        "cpu_seconds": round(seconds, 2),
        "rivals": rivals(data, seed),
    }


def three_ways(data: Dataset, seed: int) -> dict[str, Any]:
    """One run, trained as published but on 64 %, scored on the same test part by three rules."""
    parts, rng = honest_split(data, seed), np.random.default_rng(1000 + seed)
    tree = random_tree(data.X.shape[1], n_outputs(data), **GROWTH, rng=rng)
    run = train(tree, parts, **PUBLISHED, selection="peek_at_test", rng=rng)
    scores = {rule: run.score(*parts.test, selection=rule) for rule in ("peek_at_test", "validation", "last")}
    return scores | {"train_at_peek": run.score(*parts.train), "looks_at_test": run.peeks}


def their_splits(data: Dataset, seed: int) -> dict[str, Any]:
    """Three scores on the test part of the authors' run of that number, by trees of its shape, and the rivals."""
    theirs = authors.load(data.name.removeprefix("uci/")).runs[seed]
    rng = np.random.default_rng(1000 + seed)
    tree = next(iter(theirs.trees.values())).copy()
    tree.set_parameters(rng.uniform(size=tree.n_parameters))
    fit, test = theirs.rows
    none, cut = fit[:0], round(0.8 * len(fit))
    scaled = cut_rows(data, fit, none, test, scale_all=True)
    run = train_as_published(tree, scaled, selection="peek_at_test", rng=rng)
    parts = cut_rows(data, fit[:cut], fit[cut:], test)
    chosen = train_as_published(tree, parts, selection="validation", rng=rng)
    epochs = 1 + int(np.argmin(chosen.history.validation_loss))
    whole = cut_rows(data, fit, none, test)
    refit = train_as_published(tree, whole, selection="last", epochs=epochs, rng=rng)
    return {
        "theirs": authors.evaluate(theirs, data).score.test,
        "best_on_test": run.score(*scaled.test),
        "train_at_best": run.score(*scaled.train),
        "last_epoch": run.score(*scaled.test, selection="last"),
        "validation": refit.score(*whole.test),
        "validation_without_refit": chosen.score(*parts.test),
        "epochs_chosen": epochs,
        "parameters": tree.n_parameters,
        "counted": theirs.counted,
    }


def their_rivals(data: Dataset, seed: int) -> dict[str, dict[str, float]]:
    """Other models on the same rows: fitted on the 80 %, scored on the test part."""
    fit, test = authors.load(data.name.removeprefix("uci/")).runs[seed].rows
    return fit_rivals(data, fit, test, seed)


def train_as_published(
    tree: Tree, parts: Split, *, selection: str, epochs: int | None = None, rng: np.random.Generator
) -> Run:
    """Train by the published settings; in C where there is a compiler, by the package's own loop elsewhere."""
    epochs = epochs or PUBLISHED["epochs"]
    if neural_tree_fast.available():
        return neural_tree_fast.train(tree, parts, lr=PUBLISHED["lr"], epochs=epochs, selection=selection, rng=rng)
    return train(tree, parts, **PUBLISHED | {"epochs": epochs}, selection=selection, rng=rng)


def cut_rows(
    data: Dataset, fit: np.ndarray, validation: np.ndarray, test: np.ndarray, *, scale_all: bool = False
) -> Split:
    """The parts that rows name, inputs scaled by those that are fitted to, or, as published, by all."""
    X = Scaler.minmax(data.X)(data.X) if scale_all else data.X
    rows = (fit, validation, test)
    split = Split(*((X[part], data.y[part]) for part in rows), rows=rows)
    return split if scale_all else split.scaled(Scaler.minmax)


def digits(data: Dataset, seed: int, growth: dict[str, Any]) -> dict[str, Any]:
    """Handwritten digits, honestly."""
    parts, rng = honest_split(data, seed), np.random.default_rng(1000 + seed)
    tree = random_tree(64, 10, **growth, start="normal", rng=rng)
    clock = time.process_time()
    run = train(tree, parts, **DIGITS, rng=rng)
    seconds = time.process_time() - clock
    return {"test": run.score(*parts.test), "parameters": tree.n_parameters, "cpu_seconds": round(seconds, 2)}


def rivals(data: Dataset, seed: int) -> dict[str, dict[str, float]]:
    """Other models on the same 80/20 split."""
    fit, validation, test = datasets.split(*data, rng=np.random.default_rng(seed)).rows
    return fit_rivals(data, np.concatenate([fit, validation]), test, seed)


def fit_rivals(data: Dataset, fit: np.ndarray, test: np.ndarray, seed: int) -> dict[str, dict[str, float]]:
    """Other models on given rows: test score, and how many numbers each model stores."""
    X, y = data.X[fit], data.y[fit]
    scaler = Scaler.minmax(X)
    mlp = {"hidden_layer_sizes": (100,), "activation": "logistic", "max_iter": 1000, "random_state": seed}
    if data.target_names:
        models: dict[str, tuple[Any, Callable[[Any], int]]] = {
            "logistic regression": (LogisticRegression(max_iter=5000), lambda m: m.coef_.size + m.intercept_.size),
            "MLP": (MLPClassifier(**mlp), _count_mlp),
            "decision tree": (DecisionTreeClassifier(random_state=seed), lambda m: _count_splits(m.tree_)),
            "random forest": (RandomForestClassifier(random_state=seed), _count_forest),
        }
    else:
        models = {
            "linear regression": (LinearRegression(), lambda m: m.coef_.size + 1),
            "MLP": (MLPRegressor(**mlp), _count_mlp),
            "decision tree": (DecisionTreeRegressor(random_state=seed), lambda m: _count_splits(m.tree_)),
            "random forest": (RandomForestRegressor(random_state=seed), _count_forest),
        }
    found = {}
    # The MLP's step suits targets of size one; r² is the same after an affine map of y.
    target = Scaler.standard(y) if not data.target_names else lambda values: values
    for name, (model, count) in models.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(scaler(X), target(y))
        score = float(model.score(scaler(data.X[test]), target(data.y[test])))
        found[name] = {"test": score, "parameters": int(count(model))}
    return found


def _count_mlp(model: Any) -> int:
    return sum(array.size for array in [*model.coefs_, *model.intercepts_])


def _count_splits(tree: Any) -> int:
    """Two numbers per split (which input, which threshold) and one per leaf."""
    leaves = int(tree.n_leaves)
    return 2 * (int(tree.node_count) - leaves) + leaves


def _count_forest(model: Any) -> int:
    return sum(_count_splits(member.tree_) for member in model.estimators_)


# --- speed


def speed(rounds: int = 15) -> dict[str, Any]:
    """CPU time of one training step (both passes and RMSprop), readable against compiled; medians over rounds."""
    rng = np.random.default_rng(0)
    tree = random_tree(4, 3, **GROWTH, start="normal", rng=rng)
    while not 180 <= len(tree.depths) <= 220:  # about the mean of the paper's iris trees, 67 + 137 nodes
        tree = random_tree(4, 3, **GROWTH, start="normal", rng=rng)
    found: dict[str, Any] = {"tree": repr(tree), "unit": "microseconds of CPU time per training step"}
    for batch in (1, 32, 120):
        steps = training_steps(tree, rng.normal(size=(batch, 4)), rng.random((batch, 3)))
        times: dict[str, list[float]] = {name: [] for name in steps}
        for turn in range(rounds):
            for name in sorted(steps, reverse=bool(turn % 2)):
                repeats = 20 if name == "readable" else 400
                clock = time.process_time()
                for _ in range(repeats):
                    steps[name]()
                times[name].append((time.process_time() - clock) / repeats)
        ratios = [a / b for a, b in zip(times["readable"], times["compiled"], strict=True)]
        found[f"batch {batch}"] = {name: round(1e6 * statistics.median(t), 1) for name, t in times.items()} | {
            "ratio": round(statistics.median(ratios), 1)
        }
    return found


def training_steps(tree: Tree, X: np.ndarray, T: np.ndarray) -> dict[str, Callable[[], None]]:
    """One step written with either kind of passes; they start at the same place and must make the same first step."""
    tree, fast, squared = tree.copy(), CompiledTree(tree), LOSSES["squared"]
    slow_theta, theta = tree.parameters(), tree.parameters()
    slow_optimizer, optimizer = (OPTIMIZERS["rmsprop"](vector, lr=0.01) for vector in (slow_theta, theta))
    inputs, targets = np.ascontiguousarray(X.T), np.ascontiguousarray(T.T)

    def readable() -> None:
        tree.set_parameters(slow_theta)
        slow_optimizer.step(value_and_gradient(tree, X, T)[1])

    def compiled() -> None:
        values = fast.run(theta, inputs)
        optimizer.step(fast.send_back(inputs, values, squared.delta(values[: fast.n_outputs], targets)))

    readable()
    compiled()
    np.testing.assert_allclose(theta, slow_theta, rtol=1e-9)
    return {"readable": readable, "compiled": compiled}


# --- keeping results


def load() -> dict[str, Any]:
    """What has been run so far."""
    empty: dict[str, Any] = {piece: {} for piece in PIECES}
    return empty | (json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {})


def store(piece: str, found: dict[str, Any], row: str | None = None) -> None:
    """Add to the file as it is now, so that several pieces may run side by side."""
    record = load()
    (record[piece] if row is None else record[piece].setdefault(row, {})).update(_rounded(found))
    record |= {
        "what": "python benchmarks/neural_tree.py",
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "settings": SETTINGS,
        "paper": paper_numbers(),
    }
    RESULT.parent.mkdir(exist_ok=True)
    partial_file = RESULT.with_suffix(".partial")
    partial_file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    partial_file.replace(RESULT)


def fill(piece: str, row: str, seeds: int, again: bool, run: Callable[[int], Any]) -> None:
    """Run the seeds that are missing from one row and store each."""
    for seed in range(seeds):
        if again or str(seed) not in load()[piece].get(row, {}):
            clock = time.process_time()
            found = run(seed)
            store(piece, {str(seed): found}, row)
            print(f"{piece} {row} seed {seed}: {time.process_time() - clock:.1f} s  {_rounded(found)}", flush=True)


def _rounded(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _rounded(value) for key, value in found.items()}
    return round(found, 5) if isinstance(found, float) else found


def main() -> None:
    """Run the pieces that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pieces", nargs="+", choices=[*PIECES, "report"], help="what to run")
    parser.add_argument("--data", nargs="+", help="which tables (default: all there are; three_ways: iris and wine)")
    parser.add_argument("--seeds", type=int, default=10, help="runs of each (default 10)")
    parser.add_argument("--again", action="store_true", help="run seeds anew that have been run before")
    arguments = parser.parse_args()
    with threadpool_limits(limits=1):
        for piece in arguments.pieces:
            if piece == "speed":
                store("speed", speed())
                print(json.dumps(load()["speed"], indent=1))
            elif piece == "report":
                print(report(load(), RESULT.with_suffix(".md")))
            else:
                for row, run in rows(piece, arguments.data).items():
                    fill(piece, row, arguments.seeds, arguments.again, run)


def rows(piece: str, names: list[str] | None) -> dict[str, Callable[[int], Any]]:
    """What a piece consists of: for each row of its table, a function from a seed to a run."""
    if piece == "optimizers":
        return {name: partial(published, datasets.iris(), optimizer=name) for name in OPTIMIZERS}
    if piece == "digits":
        images = datasets.digits()
        trees = {name: partial(digits, images, growth=growth) for name, growth in DIGIT_TREES.items()}
        return trees | {"rivals": partial(rivals, images)}
    if piece in ("their_splits", "their_rivals"):
        return their_rows({"their_splits": their_splits, "their_rivals": their_rivals}[piece], names)
    run = {"honest": honest, "published": published, "three_ways": three_ways}[piece]
    default = ("iris", "wine") if piece == "three_ways" else CLASSIFICATION + REGRESSION
    found = {name: find(name) for name in names or default}
    for name, data in found.items():
        if data is None:
            print(f"{name}: not on this computer, skipped")
    return {name: partial(run, data) for name, data in found.items() if data is not None}


def their_rows(run: Callable[..., Any], names: list[str] | None) -> dict[str, Callable[[int], Any]]:
    """The tables whose published trees are at hand."""
    found = {}
    for name in names or BY_COST:
        if datasets.available(f"uci/{name}") and datasets.available(f"bneuralt/{bneuralt.spelled(name)}"):
            found[name] = partial(run, datasets.uci(name))
        else:
            print(f"{name}: not on this computer, skipped")
    return found


if __name__ == "__main__":
    main()

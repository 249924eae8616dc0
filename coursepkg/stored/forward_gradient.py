"""What ``benchmarks/forward_gradient*.py`` found, for chapter 09."""

from typing import Any

import numpy as np

from coursepkg.stored import load, told

Curve = tuple[Any, Any]
PARTS = {"logistic": "logistic regression, MNIST", "mlp": "MLP, MNIST", "cnn": "CNN, digits"}
_AXES = {"iteration": 0, "seconds": 1}


def surfaces() -> list[dict[str, Any]]:
    """Rows of a table: where 20 random walks on two surfaces end, beside gradient descent."""
    rows = []
    for run in _learning("surfaces")["rows"]:
        row = {"function": f"{run['function']} from {tuple(run['start'])}", "rate": run["lr"]}
        row["backprop"] = run["backprop"]
        for name, kind in (("Gaussian", "gaussian"), ("signs", "rademacher")):
            row[name] = run[kind]["median"]
            row[f"{name}, lost"] = f"{run[kind]['diverged']} of {run[kind]['of']}"
        rows.append(row)
    return rows


def best_rates() -> dict[str, Curve]:
    """The best learning rate of a grid against the number of parameters, for three models of the digits."""
    found: dict[str, Curve] = {}
    for run in _learning("digits")["runs"]:
        sizes, rates = found.setdefault(run["method"], ([], []))
        sizes.append(run["parameters"])
        rates.append(run["lr"])
    return found


def losses(part: str, kind: str = "best", by: str = "iteration") -> dict[str, Curve]:
    """Training losses of one model by method and learning rate.

    Parameters
    ----------
    part : {"logistic", "mlp", "cnn"}
        Which model.
    kind : {"best", "same"}
        Each method at the best rate of a grid, or all at one rate.
    by : {"iteration", "seconds"}
        What they are drawn against; seconds of one core.

    Returns
    -------
    dict of str to (ndarray, ndarray)
    """
    columns = [_AXES[by], 2]
    return {f"{r['method']}, {r['lr']:g}": tuple(np.array(r["curve"])[:, columns].T) for r in _learning(part)[kind]}


def paper_losses(model: str, by: str = "iteration") -> dict[str, Curve]:
    """Training losses with the estimator of the paper and with backpropagation, three seeds each, at their best rates.

    Parameters
    ----------
    model : {"logistic", "1024-1024", "CNN"}
        Which model; MNIST.
    by : {"iteration", "seconds"}
        What they are drawn against; seconds of one core.

    Returns
    -------
    dict of str to (ndarray, ndarray)
    """
    kept, columns, found = load("forward_gradient_paper"), [_AXES[by], 2], {}
    for method, lr in kept["rates"][model].items():
        wanted = (model, method, lr, kept["steps"][model][method])
        for run in kept["runs"].values():
            if (run["model"], run["method"], run["lr"], run["steps"]) == wanted:
                found[f"{method}, {lr:g}, seed {run['seed']}"] = tuple(np.array(run["curve"])[:, columns].T)
    return found


def best_runs() -> list[dict[str, Any]]:
    """Rows of a table: three models, each method at the best rate of a grid."""
    return [
        {
            "model": name, "method": run["method"], "best rate": run["lr"], "training loss": run["loss"],
            "test accuracy": f"{100 * run['test_accuracy']:.1f} %",
        }
        for part, name in PARTS.items() for run in _learning(part)["best"]
    ]  # fmt: skip


def by_depth() -> dict[str, Curve]:
    """Training loss against the number of hidden layers, with one loss on top and with a loss for each layer."""
    found: dict[str, Curve] = {}
    for run in _learning("local")["runs"]:
        depths, ends = found.setdefault(run["method"], ([], []))
        depths.append(run["hidden layers"])
        ends.append(run["loss"])
    return found


def ratios() -> dict[str, float]:
    """Run times over that of the plain loss, for the MLP of the paper."""
    rows = load("forward_gradient")["dense"]["rows"]["MLP"]
    names = ("backpropagation", "jvp, direction given", "forward gradient, Gaussian", "forward gradient, signs")
    return {name: rows[name]["ratio"] for name in (*names, "forward gradient, rank one, in factors")}


def milliseconds() -> dict[str, float]:
    """Where the time of one Gaussian forward gradient goes, for the MLP of the paper."""
    ms = {name: row["ms"] for name, row in load("forward_gradient")["dense"]["rows"]["MLP"].items()}
    plain, jvp, draw = (ms[name] for name in ("plain loss", "jvp, direction given", "drawing a Gaussian direction"))
    rest = ms["forward gradient, Gaussian"] - jvp - draw
    return {"plain pass": plain, "tangents": jvp - plain, "drawing v": draw, "slope times v, and the rest": rest}


def convolutions() -> list[dict[str, str]]:
    """Rows of a table: the CNN of the paper in three engines, forward gradient and backpropagation."""
    rows, shown = load("forward_gradient")["cnn"]["rows"]["CNN"], []
    for engine in ("", "torch: ", "jax: "):
        forward, back = (rows[engine + way]["ratio"] for way in ("forward gradient, Gaussian", "backpropagation"))
        name = engine.strip(": ") or "course"
        numbers = {"R_f": forward, "R_b": back, "R_f / R_b": forward / back}
        shown.append({"engine": name} | {key: f"{number:.2f}" for key, number in numbers.items()})
    return shown


def each_direction() -> Curve:
    """Time for each of K rank-one directions in one pass, over that of the plain loss, against K."""
    rows = load("forward_gradient")["sweeps"]["rows"]["count"]
    return [row["K"] for row in rows], [row["ratio"] / row["K"] for row in rows]


def peaks() -> dict[str, Curve]:
    """Peak memory of one call, in activations of one layer, against the number of layers."""
    rows = load("forward_gradient")["sweeps"]["rows"]["memory"]
    ways = {"backpropagation": "backpropagation", "Gaussian": "forward gradient, Gaussian"}
    ways |= {"rank one": "forward gradient, rank one, in factors", "plain loss": "plain loss"}
    layers = [row["layers"] for row in rows]
    return {name: (layers, [row[way] / row["activation"] for row in rows]) for name, way in ways.items()}


def claims() -> list[dict[str, str]]:
    """Rows of a table: what was claimed, the verdict, the published number, ours, and where it was tried."""
    return told(load("forward_gradient_claims")["rows"])


def _learning(part: str) -> dict[str, Any]:
    found: dict[str, Any] = load("forward_gradient_learning")[part]
    return found

"""MNIST in seconds on one core: an MLP 784-256-128-10 on the course's engine beside scikit-learn's.

    python benchmarks/mnist.py            # five seeds, a few seconds each
    python benchmarks/mnist.py --peer     # and scikit-learn's MLPClassifier on the same split

The 10,000 official test images are split once: the first 8,000 to train on, the last 2,000 to score. The number of
epochs is fixed in advance and the score is taken once, at the end; nothing is chosen by looking at it. The result is
written to ``benchmarks/results/mnist.json``. Needs the images: ``python -m coursepkg data fetch mnist``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from coursepkg import datasets, nn, optimizers
from coursepkg.training import Trainer, accuracy

RESULT = Path(__file__).parent / "results" / "mnist.json"
SETTINGS = {
    "layers": [784, 256, 128, 10],
    "activation": "relu",
    "optimizer": "Adam, cosine schedule from 2e-3 to 0",
    "batch_size": 64,
    "epochs": 12,
    "train": 8000,
    "test": 2000,
    "dtype": "float64",
}


def main() -> None:
    """Run, print and store the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="number of runs (default 5)")
    parser.add_argument("--peer", action="store_true", help="also train scikit-learn's MLPClassifier")
    arguments = parser.parse_args()
    train, test = split_images()
    runs = {"coursepkg": [timed(train_ours, train, test, seed) for seed in range(arguments.seeds)]}
    if arguments.peer:
        runs["scikit-learn"] = [timed(train_scikit_learn, train, test, 0)]
    for name, results in runs.items():
        for run in results:
            print(f"{name:12} seed {run['seed']}: {100 * run['accuracy']:.2f} % in {run['cpu_seconds']:.1f} s of CPU")
    store(runs)


def split_images() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The first 8,000 images and the last 2,000, as rows of grey levels from 0 to 1."""
    images, digits = datasets.mnist("test")
    X = images.reshape(len(images), -1) / 255.0
    return (X[:8000], digits[:8000]), (X[8000:], digits[8000:])


def train_ours(train: Any, test: Any, seed: int) -> float:
    """Train the network of the course and return its accuracy on the test rows."""
    rng = np.random.default_rng(seed)
    model = nn.Sequential(
        nn.Linear(784, 256, rng=rng),
        nn.ReLU(),
        nn.Linear(256, 128, rng=rng),
        nn.ReLU(),
        nn.Linear(128, 10, rng=rng),
    )
    epochs, size = SETTINGS["epochs"], SETTINGS["batch_size"]
    schedule = optimizers.cosine(2e-3, steps=epochs * -(-len(train[0]) // size))
    trainer = Trainer(model, nn.cross_entropy, optimizers.Adam(model.parameters(), lr=schedule), metric=accuracy)
    trainer.fit(train, epochs=epochs, batch_size=size, rng=rng)
    return trainer.evaluate(test).metric


def train_scikit_learn(train: Any, test: Any, seed: int) -> float:
    """Train scikit-learn's network of the same size for the same number of epochs."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier((256, 128), batch_size=64, max_iter=SETTINGS["epochs"], random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(*train)
    return float(network.score(*test))


def timed(function: Any, train: Any, test: Any, seed: int) -> dict[str, float]:
    """Run once on one thread and measure the CPU time of the process."""
    with threadpool_limits(limits=1):
        start = time.process_time()
        score = function(train, test, seed)
    return {"seed": seed, "accuracy": round(score, 4), "cpu_seconds": round(time.process_time() - start, 1)}


def store(runs: dict[str, list[dict[str, float]]]) -> None:
    """Write the result with settings, versions and date."""
    record = {
        "what": "MNIST, 10,000 official test images split 8,000 / 2,000, accuracy on the last 2,000",
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "threads": 1,
        "settings": SETTINGS,
        "runs": runs,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

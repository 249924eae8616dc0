"""Networks that do not learn, for practice: five patients, each broken in one place, and a healthy one beside them.

The one idea: nothing here raises an error. A broken training loop computes correct gradients of the wrong thing, or
uses correct gradients wrongly, so it is found by measuring and not by reading. All six classify the same 8 by 8 digits
with a 64-32-10 network. The diagnoses are in :data:`DIAGNOSES`, and in the code below; look there last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coursepkg import datasets, nn
from coursepkg._checks import check_rng
from coursepkg.optimizers import GD

DIAGNOSES = {
    "A": "the gradients are never set back to zero, so each step uses the sum of all gradients so far",
    "B": "a softmax stands in the model although the loss takes logits and applies its own",
    "C": "all weights of a layer start equal, so its units stay copies of each other",
    "D": "the biases of the hidden layer start far below zero, so no ReLU is ever open",
    "E": "the images were shuffled and the labels were not, so they no longer belong together",
}


class Patient:
    """A network in training.

    Attributes
    ----------
    model : Sequential
        From images to the scores of ten classes: Linear, ReLU, Linear, and perhaps more.
    X : ndarray, shape (n, 64)
        Images as this training loop reads them, grey levels from 0 to 1.
    y : ndarray of int, shape (n,)
        Their labels.
    optimizer : GD
        Gradient descent with a fixed learning rate, ``optimizer.lr``.
    """

    def __init__(self, model: nn.Sequential, X: np.ndarray, y: np.ndarray, lr: float = 0.3) -> None:
        self.model = model
        self.X = X
        self.y = y
        self.optimizer = GD(model.parameters(), lr=lr)

    def loss(self, X: np.ndarray, y: np.ndarray) -> Any:
        """Mean cross-entropy of some examples, as a tensor with its history."""
        return nn.cross_entropy(self.model(X), y)

    def step(self, X: np.ndarray, y: np.ndarray) -> float:
        """One training step on a batch; returns the loss before it."""
        self.optimizer.zero_grad()
        loss = self.loss(X, y)
        loss.backward()
        self.optimizer.step()
        return float(loss.data)


def admit(name: str, *, rng: np.random.Generator) -> Patient:
    """Let a patient in.

    Parameters
    ----------
    name : str
        ``"healthy"``, or a letter from ``"A"`` to ``"E"``.
    rng : numpy.random.Generator
        Source of the starting weights and of whatever else is random in the patient.

    Returns
    -------
    Patient

    Examples
    --------
    >>> import numpy as np
    >>> patient = admit("healthy", rng=np.random.default_rng(0))
    >>> batch = patient.X[:32], patient.y[:32]
    >>> patient.step(*batch) > patient.step(*batch)
    True
    """
    if name not in _ADMISSIONS:
        raise ValueError(f"there is no patient {name!r}; choose one of {', '.join(_ADMISSIONS)}")
    return _ADMISSIONS[name](check_rng(rng))


def _digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = datasets.digits()
    return X / 16.0, y


def _layers(rng: np.random.Generator) -> list[Any]:
    """Weights by He's rule, biases at zero."""
    layers: list[Any] = [nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng)]
    for layer in (layers[0], layers[2]):
        layer.weight.data = nn.init.he_normal(layer.weight.shape, rng=rng)
        layer.bias.data = np.zeros(layer.bias.shape)
    return layers


def _healthy(rng: np.random.Generator) -> Patient:
    return Patient(nn.Sequential(*_layers(rng)), *_digits())


class _Hoarder(Patient):
    def step(self, X: np.ndarray, y: np.ndarray) -> float:
        loss = self.loss(X, y)
        loss.backward()
        self.optimizer.step()
        return float(loss.data)


def _patient_a(rng: np.random.Generator) -> Patient:
    return _Hoarder(nn.Sequential(*_layers(rng)), *_digits())


def _patient_b(rng: np.random.Generator) -> Patient:
    return Patient(nn.Sequential(*_layers(rng), nn.Softmax()), *_digits())


def _patient_c(rng: np.random.Generator) -> Patient:
    layers = _layers(rng)
    for layer in (layers[0], layers[2]):
        layer.weight.data = np.full(layer.weight.shape, 0.05)
    return Patient(nn.Sequential(*layers), *_digits())


def _patient_d(rng: np.random.Generator) -> Patient:
    layers = _layers(rng)
    layers[0].bias.data = np.full(32, -6.0)
    return Patient(nn.Sequential(*layers), *_digits())


def _patient_e(rng: np.random.Generator) -> Patient:
    X, y = _digits()
    return Patient(nn.Sequential(*_layers(rng)), X[rng.permutation(len(X))], y)


_ADMISSIONS: dict[str, Callable[[np.random.Generator], Patient]] = {
    "healthy": _healthy,
    "A": _patient_a,
    "B": _patient_b,
    "C": _patient_c,
    "D": _patient_d,
    "E": _patient_e,
}

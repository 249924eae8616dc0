"""Training a photonic network with the course's loop: any route to the gradient, or several of them in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coursepkg import nn
from coursepkg.optimizers import FirstOrder
from coursepkg.photonics.network import PhotonicNetwork
from coursepkg.photonics.routes import Route
from coursepkg.training import Trainer, TrainingDiverged, accuracy

__all__ = ["PhotonicTrainer"]


class PhotonicTrainer(Trainer):
    """The training loop with gradients that come from a route rather than from ``backward()``.

    Parameters
    ----------
    network : PhotonicNetwork
        What is trained.
    routes : Route or sequence of Route
        Where gradients come from; with several, each step uses the next one, in turn.
    optimizer : FirstOrder
        Made with ``network.phases``.

    Attributes
    ----------
    batch_losses : list of float
        Loss of each step.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import datasets, optimizers
    >>> from coursepkg.photonics import PhotonicNetwork, encode_points, routes
    >>> rng = np.random.default_rng(0)
    >>> network = PhotonicNetwork.random(4, 3, rng=rng)
    >>> adam = optimizers.Adam(network.phases, lr=0.01)
    >>> trainer = PhotonicTrainer(network, [routes.in_situ(network), routes.reverse(network)], adam)
    >>> points, classes = datasets.moons(100, rng=rng)
    >>> history = trainer.fit((encode_points(points), classes), epochs=3, batch_size=10, rng=rng)
    >>> history.loss[-1] < history.loss[0]
    True
    """

    def __init__(self, network: PhotonicNetwork, routes: Route | Sequence[Route], optimizer: FirstOrder) -> None:
        super().__init__(network, nn.cross_entropy, optimizer, metric=accuracy)
        if [id(phases) for phases in network.phases] != [id(moved) for moved in optimizer.parameters]:
            raise ValueError("the optimizer moves other arrays than this network's; make it with network.phases")
        self.routes = [routes] if callable(routes) else list(routes)
        self.batch_losses: list[float] = []

    def _step(self, inputs: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
        """Measure a gradient by the route whose turn it is, and update."""
        route = self.routes[self.optimizer.steps % len(self.routes)]
        found = route(inputs, targets)
        if not all(np.isfinite(gradient).all() for gradient in found.gradients):
            where = f"in epoch {len(self.history.loss) + 1}, step {self.optimizer.steps + 1}"
            raise TrainingDiverged(f"training stopped {where}: a gradient is not finite; look at inputs and phases")
        self.optimizer.step(found.gradients)
        self.batch_losses.append(found.loss)
        return found.loss, self._measure(found.logits, targets)

    def accuracy(self, data: Any) -> float:
        """Share of examples that the network as it is now gets right, without any measuring error."""
        x, classes = data
        return accuracy(self.model(x), classes)

"""What happens between the phases that are asked for and those that heaters reach."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np


class Driver(Protocol):
    """What happens between the phases that are asked for and those that the heaters reach."""

    def settle(self, phases: np.ndarray) -> np.ndarray:
        """Phases that the heaters reach."""
        ...

    def ask(self, phases: np.ndarray) -> np.ndarray:
        """What to ask for, so that the heaters reach these phases, or come close."""
        ...

    def pull(self, gradient: np.ndarray) -> np.ndarray:
        """From dL/d(reached phases) to dL/d(asked phases)."""
        ...


class Offset:
    """Heaters that are off by fixed, unknown phases."""

    def __init__(self, offsets: np.ndarray) -> None:
        self.offsets = offsets

    def settle(self, phases: np.ndarray) -> np.ndarray:
        return phases + self.offsets

    def ask(self, phases: np.ndarray) -> np.ndarray:
        return phases - self.offsets

    def pull(self, gradient: np.ndarray) -> np.ndarray:
        return gradient


class Heat:
    """Heat that reaches the neighbours, ``strength * exp(-distance)`` of every other heater's phase."""

    REACH = 6
    ROUNDS = 30  # each reduces what is missing by the strength of the heat: far more than rounding needs

    def __init__(self, strength: float, positions: tuple[np.ndarray, np.ndarray], depth: int, n: int) -> None:
        column, top = positions
        count = n * (n - 1)
        self.strength = strength
        self.column = np.full(n**2, 2 * depth)
        self.row = np.empty(n**2, dtype=int)
        self.column[1:count:2], self.column[:count:2] = 2 * column, 2 * column + 1
        self.row[:count:2] = self.row[1:count:2] = top
        self.row[count:] = np.arange(n)
        self.size = (2 * depth + 1, n)

    def settle(self, phases: np.ndarray) -> np.ndarray:
        return phases + self.strength * self._spread(phases)

    def ask(self, phases: np.ndarray) -> np.ndarray:
        asked = phases
        for _ in range(self.ROUNDS):
            asked = asked + (phases - self.settle(asked))
        return asked

    def pull(self, gradient: np.ndarray) -> np.ndarray:
        return gradient + self.strength * self._spread(gradient)  # distance is symmetric, and so is the map

    def _spread(self, values: np.ndarray) -> np.ndarray:
        """Sum over the other heaters of exp(-distance) times their value, one shift of the grid after the other."""
        reach = self.REACH
        grid = np.zeros((self.size[0] + 2 * reach, self.size[1] + 2 * reach))
        grid[self.column + reach, self.row + reach] = values
        total = np.zeros(self.size)
        for i in range(-reach, reach + 1):
            for j in range(-reach, reach + 1):
                distance = math.hypot(i, j)
                if 0 < distance <= reach:
                    there = grid[reach + i : reach + i + self.size[0], reach + j : reach + j + self.size[1]]
                    total += math.exp(-distance) * there
        return total[self.column, self.row]

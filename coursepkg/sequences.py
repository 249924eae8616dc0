"""Sequences: small tasks that need memory, training that says at which time step it failed, and a model that recites.

The adding problem and copying from memory are the field's tests of memory (Hochreiter and Schmidhuber, 1997); in each,
a constant answer has a loss that can be worked out, and only a loss below it shows that something was remembered.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import math
from typing import Any

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.autodiff.catalogue import softmax
from coursepkg.autodiff.dispatch import plain
from coursepkg.autodiff.tensor import no_grad
from coursepkg.nn.diagnostics import first_not_finite
from coursepkg.training import Trainer, TrainingDiverged

__all__ = [
    "ADDING_BASELINE",
    "Alphabet",
    "SequenceTrainer",
    "adding_problem",
    "continue_text",
    "copy_baseline",
    "copy_memory",
    "zen_of_python",
]

ADDING_BASELINE = 1 / 6
"""Mean squared error of always answering 1: the variance of a sum of two numbers drawn uniformly from [0, 1]."""


def adding_problem(n: int, steps: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of numbers of which two are marked, one in each half; the target is the sum of these two.

    Parameters
    ----------
    n : int
        Number of sequences.
    steps : int
        Length of a sequence, at least 2.
    rng : numpy.random.Generator
        Source of the numbers.

    Returns
    -------
    x : ndarray, shape (n, steps, 2)
        The numbers, uniform between 0 and 1, and the marks, 0 or 1.
    y : ndarray, shape (n, 1)
        The sums.
    """
    if steps < 2:
        raise ValueError(f"two numbers are marked, so a sequence has at least 2 steps, got {steps}")
    rng = check_rng(rng)
    x = np.zeros((n, steps, 2))
    x[:, :, 0] = rng.random((n, steps))
    rows = np.arange(n)
    for low, high in ((0, steps // 2), (steps // 2, steps)):
        x[rows, rng.integers(low, high, n), 1] = 1.0
    return x, np.sum(x[:, :, 0] * x[:, :, 1], axis=1, keepdims=True)


def copy_memory(
    n: int, blanks: int, *, rng: np.random.Generator, symbols: int = 8, length: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Sequences that show symbols, then blanks, then a signal; the target is blank until the symbols are asked for.

    Parameters
    ----------
    n : int
        Number of sequences.
    blanks : int
        Steps between the last symbol and the first answer, at least 1.
    rng : numpy.random.Generator
        Source of the symbols.
    symbols, length : int
        How many kinds of symbols, and how many of them to remember.

    Returns
    -------
    x : ndarray of int, shape (n, blanks + 2 * length)
        1 to ``symbols`` for symbols, 0 for a blank, ``symbols + 1`` for the signal and the steps after it.
    y : ndarray of int, same shape
        0 until the last ``length`` steps, which hold the symbols.
    """
    if blanks < 1 or length < 1 or symbols < 2:
        raise ValueError(
            "copying needs at least 1 blank, 1 symbol to remember and 2 kinds of symbols, got "
            f"{blanks}, {length} and {symbols}"
        )
    shown = check_rng(rng).integers(1, symbols + 1, (n, length))
    x = np.zeros((n, blanks + 2 * length), dtype=np.int64)
    y = np.zeros_like(x)
    x[:, :length] = shown
    x[:, -length - 1 :] = symbols + 1
    y[:, -length:] = shown
    return x, y


def copy_baseline(blanks: int, *, symbols: int = 8, length: int = 10) -> float:
    """Cross-entropy per step without memory: certain of the blanks, guessing among the symbols at the end."""
    return length * math.log(symbols) / (blanks + 2 * length)


def zen_of_python() -> str:
    """The Zen of Python by Tim Peters, which every Python carries with it."""
    with contextlib.redirect_stdout(io.StringIO()):
        import this
    return codecs.decode(this.s, "rot13")


class Alphabet:
    """The symbols of a text, in order, and the numbers that stand for them.

    Parameters
    ----------
    text : str
        Every symbol that is to be known.

    Examples
    --------
    >>> letters = Alphabet("banana")
    >>> letters.symbols, letters.encode("nab").tolist(), letters.decode([1, 0, 2])
    ('abn', [2, 0, 1], 'ban')
    """

    def __init__(self, text: str) -> None:
        self.symbols = "".join(sorted(set(text)))
        self._number = {symbol: k for k, symbol in enumerate(self.symbols)}

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> np.ndarray:
        """Numbers of the symbols of a text."""
        unknown = sorted(set(text) - set(self.symbols))
        if unknown:
            raise ValueError(f"these symbols are not in the alphabet: {unknown}")
        return np.array([self._number[symbol] for symbol in text], dtype=np.int64)

    def decode(self, numbers: Any) -> str:
        """The text that numbers stand for."""
        return "".join(self.symbols[int(k)] for k in numbers)

    def one_hot(self, text: str) -> np.ndarray:
        """One row per symbol of a text, shape (T, 1, symbols): a sequence for a recurrent layer."""
        return np.eye(len(self))[self.encode(text)][:, None]


def continue_text(
    recurrence: Any,
    head: Any,
    alphabet: Alphabet,
    start: str,
    length: int,
    *,
    temperature: float = 0.0,
    rng: np.random.Generator | None = None,
) -> str:
    """Let a model of characters write: feed it its own output, one symbol at a time.

    Parameters
    ----------
    recurrence, head : Recurrence and callable
        The model: states, and scores of the next symbol from the last layer's hidden state.
    alphabet : Alphabet
        The symbols.
    start : str
        What the text begins with.
    length : int
        Number of symbols to add.
    temperature : float
        0 takes the most probable symbol; 1 draws from the model's probabilities; below 1 it keeps closer to the
        probable, above 1 it strays.
    rng : numpy.random.Generator, optional
        Draws the symbols; needed above temperature 0.

    Returns
    -------
    str
        The start and what follows it.
    """
    if not temperature >= 0.0:
        raise ValueError(f"a temperature is 0 or more, got {temperature}")
    draw = check_rng(rng) if temperature > 0.0 else None
    text, state, fresh = start, None, start
    with no_grad():
        for _ in range(length):
            output, state = recurrence(alphabet.one_hot(fresh), state)
            scores = plain(head(output[-1]))[0]
            if draw is None:
                choice = int(np.argmax(scores))
            else:
                choice = int(draw.choice(len(alphabet), p=softmax(scores / temperature)))
            fresh = alphabet.symbols[choice]
            text += fresh
    return text


class SequenceTrainer(Trainer):
    """A :class:`~coursepkg.training.Trainer` that says at which time step and weight numbers stop being finite."""

    def _step(self, inputs: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
        try:
            return super()._step(inputs, targets)
        except TrainingDiverged as error:
            model: Any = self.model
            found = first_not_finite(model, lambda: self.loss(model(inputs), targets))
            if found is None:
                raise
            raise TrainingDiverged(f"{error} {found}") from None

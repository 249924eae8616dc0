"""From sequences to predictions: one per sequence, or one per step; and sequences of unequal length side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coursepkg.nn.module import Module
from coursepkg.nn.recurrent.layers import Recurrence

__all__ = ["ManyToMany", "ManyToOne", "pad_sequences"]


class ManyToOne(Module):
    """One prediction per sequence: a head on the hidden state after the last step.

    Parameters
    ----------
    recurrence : Recurrence
        Reads the sequence.
    head : Module or callable
        From the last layer's hidden state, shape (n, hidden_size), to predictions.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> rng = np.random.default_rng(0)
    >>> model = nn.ManyToOne(nn.GRU(2, 8, batch_first=True, rng=rng), nn.Linear(8, 3, rng=rng))
    >>> model(np.ones((5, 20, 2))).shape
    (5, 3)
    """

    def __init__(self, recurrence: Recurrence, head: Any) -> None:
        self.recurrence, self.head = recurrence, head

    def forward(self, x: Any, mask: Any = None) -> Any:
        """Return predictions, shape (n, ...)."""
        state = self.recurrence.last_state(x, None, mask)
        h = state[0] if isinstance(state, tuple) else state
        return self.head(h[-1])


class ManyToMany(Module):
    """One prediction per step: a head on every hidden state. Parameters as for :class:`ManyToOne`."""

    def __init__(self, recurrence: Recurrence, head: Any) -> None:
        self.recurrence, self.head = recurrence, head

    def forward(self, x: Any, mask: Any = None) -> Any:
        """Return predictions, with time and examples on the axes on which the inputs have them."""
        output, _ = self.recurrence(x, None, mask)
        return self.head(output)


def pad_sequences(sequences: Sequence[Any], *, batch_first: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Put sequences of unequal length into one array, zeros at the end, with the mask that tells the difference.

    Parameters
    ----------
    sequences : sequence of arrays, shapes (T_i, features)
        The sequences.
    batch_first : bool
        Layout of the result.

    Returns
    -------
    x : ndarray, shape (T, n, features)
        The sequences side by side.
    mask : ndarray of bool, shape (T, n)
        True where there is an input.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> x, mask = nn.pad_sequences([np.ones((3, 2)), np.ones((1, 2))])
    >>> x.shape, mask[:, 1].tolist()
    ((3, 2, 2), [True, False, False])
    """
    arrays = [np.asarray(s) for s in sequences]
    if not arrays or any(a.ndim != 2 or a.shape[1] != arrays[0].shape[1] or not len(a) for a in arrays):
        raise ValueError(
            f"expected sequences of shape (T_i, features), all with the same features, got {[a.shape for a in arrays]}"
        )
    steps = max(len(a) for a in arrays)
    x = np.zeros((steps, len(arrays), arrays[0].shape[1]), np.result_type(*arrays))
    mask = np.zeros((steps, len(arrays)), bool)
    for k, a in enumerate(arrays):
        x[: len(a), k], mask[: len(a), k] = a, True
    return (x.swapaxes(0, 1), mask.T) if batch_first else (x, mask)

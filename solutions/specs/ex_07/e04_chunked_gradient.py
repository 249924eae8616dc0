"""07.4 Detach or reset?."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.spec import Exercise, case, wrong

from .shared import numbers


def chunked_gradient(w, x, h0, size):
    total, h = 0.0, h0
    for first in range(0, len(x), size):
        states = [h]
        for value in x[first : first + size]:
            states.append(math.tanh(w * states[-1] + value))
        r = 0.0
        for j in range(len(states) - 1, 0, -1):
            delta = (states[j] + r) * (1 - states[j] ** 2)
            total += delta * states[j - 1]
            r = delta * w
        h = states[-1]
    return total


def chunked_engine(w, x, h0, size):
    weight, value, total = Scalar(w), h0, 0.0
    for first in range(0, len(x), size):
        h, loss = Scalar(value), Scalar(0.0)
        for number in x[first : first + size]:
            h = (weight * h + number).tanh()
            loss = loss + 0.5 * h * h
        loss.backward()
        value = h.data
    total += weight.grad
    return total


def chunked_forward(w, x, h0, size):
    h, s, total = h0, 0.0, 0.0
    for t, value in enumerate(x):
        if t % size == 0:
            s = 0.0
        before, h = h, np.tanh(w * h + value)
        s = (1 - h**2) * (before + w * s)
        total += h * s
    return total


def chunked_complex(w, x, h0, size):
    h, loss = h0, 0.0
    for t, value in enumerate(x):
        if t % size == 0:
            h = np.real(h)
        h = np.tanh((w + 1e-30j) * h + value)
        loss = loss + h * h / 2
    return loss.imag / 1e-30


def chunked_one_sweep(w, x, h0, size):
    states = [h0]
    for value in x:
        states.append(math.tanh(w * states[-1] + value))
    total = r = 0.0
    for t in reversed(range(len(x))):
        if (t + 1) % size == 0:
            r = 0.0
        delta = (states[t + 1] + r) * (1 - states[t + 1] ** 2)
        total, r = total + delta * states[t], delta * w
    return np.array(total)


def chunked_float32(w, x, h0, size):
    return np.float32(chunked_gradient(w, x, h0, size))


def chunked_reset(w, x, h0, size):
    parts = [x[first : first + size] for first in range(0, len(x), size)]
    return sum(chunked_gradient(w, part, h0 if n == 0 else 0.0, size) for n, part in enumerate(parts))


def chunked_restart(w, x, h0, size):
    return sum(chunked_gradient(w, x[first : first + size], h0, size) for first in range(0, len(x), size))


def chunked_last(w, x, h0, size):
    h = h0
    first = (len(x) - 1) // size * size
    for value in x[:first]:
        h = math.tanh(w * h + value)
    return chunked_gradient(w, x[first:], h, size)


def chunked_last_loss(w, x, h0, size):
    """Only the loss of the last step of each chunk is sent back."""
    total, h = 0.0, h0
    for first in range(0, len(x), size):
        states = [h]
        for value in x[first : first + size]:
            states.append(math.tanh(w * states[-1] + value))
        r = states[-1]
        for j in range(len(states) - 1, 0, -1):
            delta = r * (1 - states[j] ** 2)
            total += delta * states[j - 1]
            r = delta * w
        h = states[-1]
    return total


def chunked_drops_rest(w, x, h0, size):
    return chunked_gradient(w, x[: len(x) // size * size], h0, size)


def chunk_case(rng, T, size):
    return case(numbers(rng, 1, 0.7, 1.3)[0], numbers(rng, T, 0.2, 0.8), numbers(rng, 1)[0], size)


def hidden_chunks(rng):
    return [chunk_case(rng, T, size) for T, size in ((7, 3), (8, 3), (7, 2), (5, 2), (8, 5))]


BANK = [
    wrong("resets-to-zero", chunked_reset, "notebook 07, section 4: carry the value, detach",
          "Every chunk after the first starts from a state of zero.",
          "Detaching stops the gradient. The value of the state goes on, or the net forgets at every cut."),
    wrong("restarts-from-h0", chunked_restart, "notebook 07, section 4: carry the value, detach",
          "Every chunk starts from h0 again.",
          "A chunk starts where the one before it ended."),
    wrong("never-detaches", lambda w, x, h0, size: chunked_gradient(w, x, h0, len(x)),
          "notebook 07, section 4: so that no gradient comes back",
          "The gradient flows through all earlier chunks: this is the full gradient.",
          "The state that is handed over still has its history attached."),
    wrong("only-the-last-chunk", chunked_last, "notebook 07, section 1: contributions add",
          "Only the last chunk contributes.",
          "Each chunk has a gradient of its own; all of them go into one bucket."),
    wrong("one-loss-per-chunk", chunked_last_loss, "the task: the loss is a sum over all steps",
          "In each chunk only the loss of its last step is sent back.",
          "There is a loss at every step."),
    wrong("rest-left-out", chunked_drops_rest, "the task: the last chunk may be shorter",
          "The shorter chunk at the end is left out.",
          "The sequence need not be a multiple of the chunk."),
    wrong("no-steps-back", lambda w, x, h0, size: chunked_gradient(w, x, h0, 1), "notebook 07, section 4: chunked",
          "Nothing goes back even one step: the gradient is cut between all steps.",
          "Inside a chunk the gradient flows freely."),
]  # fmt: skip

EXERCISE = Exercise(
    id="07.4",
    title="Detach or reset?",
    function="chunked_gradient",
    minutes=15,
    difficulty=2,
    points=3,
    see="notebook 07, section 4",
    reference=chunked_gradient,
    visible=hidden_chunks(np.random.default_rng(13)),
    hidden=hidden_chunks,
    accepted=[chunked_engine, chunked_forward, chunked_complex, chunked_one_sweep, chunked_float32],
    bank=BANK,
    hints=(
        "Handle one chunk at a time: its states first, then its backward pass. What does the next chunk need to know?",
        "Inside a chunk it is plain BPTT with r = 0 at the end of the chunk. Because the loss is h²/2, each state "
        "wants its own value.",
        "Keep one number h from chunk to chunk, the last state as a value. Sum the contributions delta * (state "
        "before) over all chunks into one total.",
    ),
)

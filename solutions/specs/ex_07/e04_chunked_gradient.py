"""07.4 Detach or reset?."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

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


def chunked_falsy_zero(w, x, h0, size):
    total, h = 0.0, None
    for first in range(0, len(x), size):
        h = h or h0
        total += chunked_gradient(w, x[first : first + size], h, size)
        for value in x[first : first + size]:
            h = math.tanh(w * h + value)
    return total


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


def chunked_by(parts):
    """Chunks that are cut in another way, or a sum that is weighted."""

    def answer(w, x, h0, size):
        total, h = 0.0, h0
        for part in parts(x, size):
            total += chunked_gradient(w, part, h, len(part))
            for value in part:
                h = math.tanh(w * h + value)
        return total

    return answer


def as_many_chunks(x, size):
    return [part.tolist() for part in np.array_split(x, min(size, len(x)))]


def short_chunk_first(x, size):
    first = len(x) % size
    return ([x[:first]] if first else []) + [x[k : k + size] for k in range(first, len(x), size)]


def rest_joins_the_last(x, size):
    parts = [x[k : k + size] for k in range(0, len(x), size)]
    return [*parts[:-2], parts[-2] + parts[-1]] if len(parts) > 1 and len(parts[-1]) < size else parts


def chunked_mean(w, x, h0, size):
    return chunked_gradient(w, x, h0, size) / math.ceil(len(x) / size)


def chunked_flat(slope, before, want=lambda h: h):
    """One sweep with another slope, another factor or another loss."""

    def answer(w, x, h0, size):
        states = [h0]
        for value in x:
            states.append(math.tanh(w * states[-1] + value))
        total = r = 0.0
        for t in reversed(range(len(x))):
            r = 0.0 if (t + 1) % size == 0 else r
            delta = (want(states[t + 1]) + r) * slope(states[t + 1])
            total, r = total + delta * before(states, t), delta * w
        return total

    return answer


def chunk_edges(rng):
    """Chunks that fit exactly, one that holds all, one that is longer, and a rest of one step."""
    w, h0 = float(rng.choice([0.5, -0.75, 1.25])), float(rng.choice([1.0, 0.5, -1.5]))
    after_zero = numbers(rng, 4, 0.2, 0.8)
    small = numbers(rng, 110, 0.02, 0.08)
    return [
        *(chunk_case(rng, T, size) for T, size in ((6, 3), (4, 4), (5, 8), (4, 5), (4, 3))),
        case(w, [-w * h0, *after_zero], h0, 1),
        case(w, [-w * h0, 0.0, *after_zero], h0, 2),
        case(0.97, small, 0.4, 102),
    ]


def chunks_alike(rng):
    """Numbers that are equal: weight and state, all inputs, all of them; one step, and one step in a chunk."""
    w, h0 = numbers(rng, 2)
    some = numbers(rng, 5, 0.2, 0.8)
    return [
        case(w, some, w, 2),
        case(w, some[:1] * 5, h0, 3),
        case(w, [w] * 4, w, 3),
        case(1.0, some, 1.0, 4),
        case(w, some[:1], h0, 1),
        case(w, some[:1], h0, 2),
        case(w, some, h0, 1),
    ]


def chunk_case(rng, T, size):
    return case(numbers(rng, 1, 0.7, 1.3)[0], numbers(rng, T, 0.2, 0.8), numbers(rng, 1)[0], size)


def hidden_chunks(rng):
    return [*(chunk_case(rng, T, size) for T, size in ((7, 3), (8, 3), (5, 2), (8, 5))), *chunk_edges(rng)]


BANK = [
    wrong("zero-taken-for-no-state", chunked_falsy_zero, "notebook 07, section 4",
          "Right unless the state is exactly 0 where a chunk ends; then the next one begins with h0.",
          "In Python 0 counts as false, so `h or h0` cannot tell a state of 0 from none."),
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
    wrong("size-as-number-of-chunks", chunked_by(as_many_chunks), "the docstring of the exercise: what `size` means",
          "The sequence is cut into `size` chunks.",
          "`size` says how many steps a chunk has, not how many chunks there are."),
    wrong("short-chunk-first", chunked_by(short_chunk_first), "the task: the last chunk may be shorter",
          "The shorter chunk stands at the beginning.",
          "Chunks are cut off from the beginning of the sequence; what is left over comes last."),
    wrong("rest-joined-to-the-last-chunk", chunked_by(rest_joins_the_last), "the task: the last chunk may be shorter",
          "The rest at the end is not cut off from the chunk before it.",
          "A shorter chunk is a chunk as well: no gradient leaves it."),
    wrong("cuts-one-step-late", chunked_by(lambda x, size: [
              x[max(0, k) : k + size] for k in range(1 - size if size > 1 else 0, len(x), size)
          ]), "notebook 07, section 4, and the task: chunks of `size` steps",
          "Your first chunk has one step only, so that all cuts are in other places.",
          "Is the gradient cut before the first step of a chunk, or after it?"),
    wrong("states-want-one", chunked_flat(lambda h: 1 - h * h, lambda states, t: states[t], lambda h: 1.0),
          "notebook 07, section 4, and the task: the loss of each step",
          "You summed up how the states change, not how the loss changes.",
          "The loss of a step depends on its state, and how much depends on how large that is."),
    wrong("mean-over-chunks", chunked_mean, "notebook 07, section 4, and the task: adds up over the whole sequence",
          "The gradients of the chunks are averaged.",
          "The task asks for their sum."),
    wrong("slope-forgotten", chunked_flat(lambda h: 1.0, lambda states, t: states[t]), "notebook 07, section 3: delta",
          "The slope of tanh is missing at every step.",
          "Without it, this is the gradient of a linear unit."),
    wrong("state-after-the-step", chunked_flat(lambda h: 1 - h * h, lambda states, t: states[t + 1]),
          "notebook 07, section 3: the bucket of W_h",
          "Each delta meets the state that its own step made.",
          "The weight was multiplied with the state before that step."),
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
    domain={"w": Number(), "x": Array("T"), "h0": Number(), "size": Number(whole=True, at_least=1)},
    meets={
        "a state is 0 where a chunk ends": lambda w, x, h0, size: x[0] == -w * h0 and len(x) > size == 1,
        "a state is 0 where a longer chunk ends": lambda w, x, h0, size: x[0] == -w * h0 and x[1] == 0 and size == 2,
        "a chunk of more than 100 steps": lambda x, size: len(x) > size > 100,
        "the chunks fit exactly": lambda x, size: len(x) % size == 0 and 1 < size < len(x),
        "one chunk holds all": lambda x, size: len(x) == size > 1,
        "a chunk is longer than the sequence": lambda x, size: size > len(x) + 1 > 2,
        "a chunk is longer than the sequence by one step": lambda x, size: size == len(x) + 1 > 2,
        "one step is left over": lambda x, size: len(x) > size > 1 and len(x) % size == 1,
    },
    visible=hidden_chunks(np.random.default_rng(13)),
    hidden=lambda rng: [*hidden_chunks(rng), *chunks_alike(rng)],
    accepted=[chunked_engine, chunked_forward, chunked_complex, chunked_one_sweep, chunked_float32],
    rtol=1e-9,
    atol=1e-13,
    bank=BANK,
    hints=(
        "Handle one chunk at a time: its states first, then its backward pass. What does the next chunk need to know?",
        "Inside a chunk it is plain BPTT with r = 0 at the end of the chunk. Because the loss is h²/2, each state "
        "wants its own value.",
        "Keep one number h from chunk to chunk, the last state as a value. Sum the contributions delta * (state "
        "before) over all chunks into one total.",
    ),
)

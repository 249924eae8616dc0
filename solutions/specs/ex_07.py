"""Chapter 07, recurrent networks: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of real learners and of published code: only the last use of a shared weight counts, the state
after a step taken for the one before it, a chunk that starts again from zero, the largest eigenvalue taken for the
largest stretch, entries clipped one by one, a road through the cell that forgets the hidden state.
"""

from __future__ import annotations

import math

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.spec import Exercise, Misconception, case


def numbers(rng, count, low=0.4, high=1.3):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return [round(float(rng.choice([-1.0, 1.0]) * rng.uniform(low, high)), 2) for _ in range(count)]


def array(rng, *shape, low=0.2, high=1.1):
    """The same as an array."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape), 2)


# --- 07.1 two steps by hand ------------------------------------------------------------------------------------------


def two_step_gradients(w, u, v, x, h0, t):
    h1 = math.tanh(w * h0 + u * x[0])
    h2 = math.tanh(w * h1 + u * x[1])
    error = v * h2 - t
    delta2 = error * v * (1 - h2 * h2)
    delta1 = delta2 * w * (1 - h1 * h1)
    return {"w": delta2 * h1 + delta1 * h0, "u": delta2 * x[1] + delta1 * x[0], "h0": delta1 * w}


def two_steps_loop(w, u, v, x, h0, t):
    states = [h0]
    for value in x:
        states.append(math.tanh(w * states[-1] + u * value))
    r, grads = (v * states[-1] - t) * v, {"w": 0.0, "u": 0.0}
    for k in (1, 0):
        delta = r * (1 - states[k + 1] ** 2)
        grads["w"] += delta * states[k]
        grads["u"] += delta * x[k]
        r = delta * w
    return grads | {"h0": r}


def two_steps_engine(w, u, v, x, h0, t):
    leaves = {"w": Scalar(w), "u": Scalar(u), "h0": Scalar(h0)}
    h = leaves["h0"]
    for value in x:
        h = (leaves["w"] * h + leaves["u"] * value).tanh()
    error = h * v - t
    (error * error * 0.5).backward()
    return {name: leaf.grad for name, leaf in leaves.items()}


def two_steps_loss(w, u, v, x, h0, t):
    h = h0
    for value in x:
        h = np.tanh(w * h + u * value)
    return (v * h - t) ** 2 / 2


def two_steps_complex(w, u, v, x, h0, t):
    e = 1e-30j
    return {
        "w": two_steps_loss(w + e, u, v, x, h0, t).imag / 1e-30,
        "u": np.float64(two_steps_loss(w, u + e, v, x, h0, t).imag / 1e-30),
        "h0": np.array(two_steps_loss(w, u, v, x, h0 + e, t).imag / 1e-30),
    }


def two_steps_forward(w, u, v, x, h0, t):
    """Real-time recurrent learning: three tangents carried along."""
    h, dots = h0, np.array([0.0, 0.0, 1.0])
    for value in x:
        dots = np.array([h, value, 0.0]) + w * dots
        h = math.tanh(w * h + u * value)
        dots = (1 - h * h) * dots
    return dict(zip(("w", "u", "h0"), ((v * h - t) * v * dots).tolist(), strict=True))


def two_steps_float32(w, u, v, x, h0, t):
    return {name: np.float32(g) for name, g in two_step_gradients(w, u, v, x, h0, t).items()}


def two_steps_with(combine):
    """The right deltas, put together in another way."""

    def answer(w, u, v, x, h0, t):
        h1 = math.tanh(w * h0 + u * x[0])
        h2 = math.tanh(w * h1 + u * x[1])
        delta2 = (v * h2 - t) * v * (1 - h2 * h2)
        delta1 = delta2 * w * (1 - h1 * h1)
        g_w, g_u, g_h = combine(delta1, delta2, h0, h1, h2, x, w)
        return {"w": g_w, "u": g_u, "h0": g_h}

    return answer


def two_steps_no_slope(w, u, v, x, h0, t):
    h1 = math.tanh(w * h0 + u * x[0])
    h2 = math.tanh(w * h1 + u * x[1])
    delta2 = (v * h2 - t) * v * (1 - h2 * h2)
    delta1 = delta2 * w
    return {"w": delta2 * h1 + delta1 * h0, "u": delta2 * x[1] + delta1 * x[0], "h0": delta1 * w}


def two_steps_no_v(w, u, v, x, h0, t):
    return {name: g / v for name, g in two_step_gradients(w, u, v, x, h0, t).items()}


def hidden_two_steps(rng):
    return [case(*numbers(rng, 3), numbers(rng, 2), *numbers(rng, 2)) for _ in range(5)]


TWO_STEPS = Exercise(
    id="07.1",
    title="Two steps by hand",
    function="two_step_gradients",
    minutes=12,
    difficulty=1,
    points=3,
    see="notebook 07, section 1",
    reference=two_step_gradients,
    visible=[
        case(0.5, 1.0, 2.0, [1.0, 0.5], 0.8, 1.0),
        case(-0.7, 0.6, 1.5, [0.9, -1.1], 0.5, -0.4),
        case(1.2, -0.8, -0.9, [0.4, 0.7], -0.6, 0.3),
        case(0.9, 0.5, 1.1, [-0.8, -0.5], 1.1, 0.7),
    ],
    hidden=hidden_two_steps,
    accepted=[two_steps_loop, two_steps_engine, two_steps_complex, two_steps_forward, two_steps_float32],
    bank=[
        Misconception(
            id="only-the-last-use",
            answer=two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d2 * h1, d2 * x[1], d1 * w)),
            looks_like="The gradients of w and u hold the contribution of the second step alone.",
            why="The same weight was used in the first step, too: nudging it nudges both uses.",
            look_at="notebook 07, section 1: two copies, and their sum",
        ),
        Misconception(
            id="only-the-first-use",
            answer=two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d1 * h0, d1 * x[0], d1 * w)),
            looks_like="The gradients of w and u hold the contribution of the first step alone.",
            why="A later report was overwritten, or the bucket emptied on the way.",
            look_at="notebook 07, section 1: the bucket",
        ),
        Misconception(
            id="mean-of-the-uses",
            answer=two_steps_with(
                lambda d1, d2, h0, h1, h2, x, w: ((d2 * h1 + d1 * h0) / 2, (d2 * x[1] + d1 * x[0]) / 2, d1 * w)
            ),
            looks_like="The gradients of w and u are half as large, and that of h0 is right: a mean over the steps.",
            why="There is one weight, and a nudge of it moves both steps in full.",
            look_at="notebook 07, 'Check yourself', question 1",
        ),
        Misconception(
            id="multiplies-the-uses",
            answer=two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d2 * h1 * d1 * h0, d2 * x[1] * d1 * x[0], d1 * w)),
            looks_like="The contributions of the two steps are multiplied with each other.",
            why="Along one path derivatives multiply; over several paths they do something else.",
            look_at="chapter 02, where a value fans out",
        ),
        Misconception(
            id="state-after-the-step",
            answer=two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d2 * h2 + d1 * h1, d2 * x[1] + d1 * x[0], d1 * w)),
            looks_like="For w each step's delta is multiplied by the state that the step made.",
            why="The local derivative of a product is the other factor: what the weight was multiplied with.",
            look_at="notebook 07, section 3: which state goes into the bucket of W_h",
        ),
        Misconception(
            id="first-step-without-slope",
            answer=two_steps_no_slope,
            looks_like="On the way through the first step the slope of tanh is missing.",
            why="Every step squashes. The gradient passes each of the two squashings once.",
            look_at="notebook 07, section 3: delta",
        ),
        Misconception(
            id="output-weight-forgotten",
            answer=two_steps_no_v,
            looks_like="All gradients are too large or small by the factor v.",
            why="The loss reaches the state through y = v h, and v is the local derivative of that.",
            look_at="notebook 07, section 1: the formula for y",
        ),
        Misconception(
            id="stops-before-the-state",
            answer=two_steps_with(lambda d1, d2, h0, h1, h2, x, w: (d2 * h1 + d1 * h0, d2 * x[1] + d1 * x[0], d1)),
            looks_like="The gradient of h0 lacks its last factor.",
            why="That is what arrives at the first pre-activation; one more edge leads to h0.",
            look_at="notebook 07, section 1: the edge from h0 into the first product",
        ),
    ],
    hints=(
        "Unroll it on paper: two steps, then y, then L. Write all values first, then go back from L.",
        "Call delta2 what arrives at the second pre-activation and delta1 what arrives at the first. delta1 is delta2 "
        "times two local derivatives: one product, one tanh.",
        "delta2 = (v h2 - t) v (1 - h2²) and delta1 = delta2 w (1 - h1²). Each weight gets a term from delta2 and one "
        "from delta1: delta times what the weight was multiplied with in that step.",
    ),
    equivalent_mutants={
        "`1` → `-1` #3": "there are two inputs, so the one at index 1 is the last one",
        "`1` → `-1` #4": "there are two inputs, so the one at index 1 is the last one",
    },
)


# --- 07.2 backpropagation through time -------------------------------------------------------------------------------


def bptt(x, states, W_x, W_h, wanted):
    bucket = {"W_x": np.zeros(W_x.shape), "W_h": np.zeros(W_h.shape), "b": np.zeros(len(W_h))}
    r = np.zeros(len(W_h))
    for t in reversed(range(len(x))):
        delta = (1 - states[t + 1] ** 2) * (wanted[t] + r)
        bucket["W_x"] += np.outer(delta, x[t])
        bucket["W_h"] += np.outer(delta, states[t])
        bucket["b"] += delta
        r = W_h.T @ delta
    return bucket | {"h0": r}


def bptt_variant(*, slope=None, carry=None, before=None, start=None, gather=None, transposed=True):
    """The sweep with one thing done differently."""

    def answer(x, states, W_x, W_h, wanted):
        g_x, g_h, g_b = np.zeros(W_x.shape), np.zeros(W_h.shape), np.zeros(len(W_h))
        r = np.zeros(len(W_h))
        for t in reversed(range(len(x))):
            arrives = carry(wanted[t], r, t, len(x)) if carry else wanted[t] + r
            local = slope(states, t) if slope else 1 - states[t + 1] ** 2
            delta = local * arrives
            g_x = (0 if gather == "last" else g_x) + np.outer(delta, x[t])
            g_h = (0 if gather == "last" else g_h) + np.outer(delta, before(states, t) if before else states[t])
            g_b = (0 if gather == "last" else g_b) + delta
            r = start(W_h, delta, arrives) if start else W_h.T @ delta
        return {"W_x": g_x, "W_h": g_h, "b": g_b, "h0": r}

    return answer


def bptt_stacked(x, states, W_x, W_h, wanted):
    deltas, r = [], 0.0
    for h, want in zip(states[:0:-1], wanted[::-1], strict=True):
        deltas.append((1 - h * h) * (want + r))
        r = deltas[-1] @ W_h
    d = np.array(deltas[::-1])
    return {"W_x": d.T @ x, "W_h": np.einsum("ti,tj->ij", d, states[:-1]), "b": d.sum(axis=0), "h0": r}


def bptt_forward(x, states, W_x, W_h, wanted):
    """Real-time recurrent learning, all parameters at once."""
    H, D = W_x.shape
    S = np.zeros((H, H * D + H * H + H + H))
    S[:, H * D + H * H + H :] = np.eye(H)
    total = np.zeros(S.shape[1])
    for t in range(len(x)):
        own = np.concatenate(
            [np.kron(np.eye(H), x[t]), np.kron(np.eye(H), states[t]), np.eye(H), np.zeros((H, H))], axis=1
        )
        S = (1 - states[t + 1] ** 2)[:, None] * (W_h @ S + own)
        total += wanted[t] @ S
    a, b, c = H * D, H * D + H * H, H * D + H * H + H
    return {"W_x": total[:a].reshape(H, D), "W_h": total[a:b].reshape(H, H), "b": total[b:c], "h0": total[c:]}


def bptt_loops(x, states, W_x, W_h, wanted):
    T, D, H = len(x), len(x[0]), len(W_h)
    g_x, g_h, g_b = [[0.0] * D for _ in range(H)], [[0.0] * H for _ in range(H)], [0.0] * H
    r = [0.0] * H
    for t in range(T - 1, -1, -1):
        delta = [(1 - states[t + 1][i] ** 2) * (wanted[t][i] + r[i]) for i in range(H)]
        for i in range(H):
            g_b[i] += delta[i]
            for j in range(D):
                g_x[i][j] += delta[i] * x[t][j]
            for j in range(H):
                g_h[i][j] += delta[i] * states[t][j]
        r = [sum(W_h[i][j] * delta[i] for i in range(H)) for j in range(H)]
    return {"W_x": g_x, "W_h": g_h, "b": g_b, "h0": r}


def bptt_paths(x, states, W_x, W_h, wanted):
    """The closed form: a sum over every loss and every use before it."""
    H = len(W_h)
    g = {"W_x": np.zeros(W_x.shape), "W_h": np.zeros((H, H)), "b": np.zeros(H), "h0": np.zeros(H)}
    for t in range(len(x)):
        row = np.array(wanted[t], float)
        for k in range(t, -1, -1):
            row = row * (1 - states[k + 1] ** 2)
            g["W_x"] += np.multiply.outer(row, x[k])
            g["W_h"] += np.multiply.outer(row, states[k])
            g["b"] += row
            row = row @ W_h
        g["h0"] += row
    return g


def bptt_float32(x, states, W_x, W_h, wanted):
    arrays = [np.asarray(a, np.float32) for a in (x, states, W_x, W_h, wanted)]
    return {name: g.astype(np.float32) for name, g in bptt(*arrays).items()}


def bptt_case(rng, T, D, H):
    x, W_x, W_h = array(rng, T, D), array(rng, H, D), array(rng, H, H)
    states = [array(rng, H, low=0.2, high=0.8)]
    for t in range(T):
        states.append(np.round(np.tanh(W_x @ x[t] + W_h @ states[-1]), 6))
    return case(x, np.array(states), W_x, W_h, array(rng, T, H))


def hidden_bptt(rng):
    return [bptt_case(rng, T, D, H) for T, D, H in ((4, 2, 3), (3, 4, 2), (5, 3, 4))]


BPTT = Exercise(
    id="07.2",
    title="Backpropagation through time",
    function="bptt",
    minutes=20,
    difficulty=2,
    points=4,
    see="notebook 07, section 3",
    reference=bptt,
    visible=hidden_bptt(np.random.default_rng(7)),
    hidden=hidden_bptt,
    accepted=[bptt_stacked, bptt_forward, bptt_loops, bptt_paths, bptt_float32],
    bank=[
        Misconception(
            id="nothing-from-later",
            answer=bptt_variant(carry=lambda want, r, t, T: want),
            looks_like="Each step hears only its own loss; what all later steps want never arrives.",
            why="A state is used twice: by the loss of its step, and by the next step.",
            look_at="notebook 07, section 3: two things arrive at a state",
        ),
        Misconception(
            id="only-the-last-loss",
            answer=bptt_variant(carry=lambda want, r, t, T: want if t == T - 1 else r),
            looks_like="Only the loss of the last step is sent back; those of the steps on the way are lost.",
            why="There is a loss at every step, and each joins the gradient that passes by.",
            look_at="notebook 07, section 3: the first formula",
        ),
        Misconception(
            id="recurrent-matrix-not-transposed",
            answer=bptt_variant(start=lambda W, delta, arrives: W @ delta),
            looks_like="The gradient goes back through W_h as it went forward, not transposed.",
            why="Forward, row i of W_h collects for unit i. Backward, unit j collects from all units that it fed.",
            look_at="notebook 07, section 3: the third formula; chapter 04 on vector-Jacobian products",
        ),
        Misconception(
            id="state-after-the-step",
            answer=bptt_variant(before=lambda states, t: states[t + 1]),
            looks_like="In the bucket of W_h each delta meets the state that its own step made.",
            why="W_h was multiplied with the state before that step.",
            look_at="notebook 07, section 3: the prediction, and the comment in the code",
        ),
        Misconception(
            id="slope-of-the-state-before",
            answer=bptt_variant(slope=lambda states, t: 1 - states[t] ** 2),
            looks_like="The slope of tanh is taken at the state before the step.",
            why="The squashing whose slope is needed made the state after it.",
            look_at="notebook 07, section 3: the second formula",
        ),
        Misconception(
            id="slope-forgotten",
            answer=bptt_variant(slope=lambda states, t: 1.0),
            looks_like="The slope of tanh is missing at every step.",
            why="Without it, this is the backward pass of a linear net.",
            look_at="notebook 07, section 3: delta",
        ),
        Misconception(
            id="slope-without-square",
            answer=bptt_variant(slope=lambda states, t: 1 - states[t + 1]),
            looks_like="The slope of tanh is written as one minus the state.",
            why="Look at the slope where tanh is 0 and where it is -0.9: it is symmetric.",
            look_at="chapter 02, section 3",
        ),
        Misconception(
            id="carries-past-the-slope",
            answer=bptt_variant(start=lambda W, delta, arrives: W.T @ arrives),
            looks_like="What goes back to the state before has not passed the slope of tanh.",
            why="The edge to the state before starts at the pre-activation, behind the squashing.",
            look_at="notebook 07, section 3: the third formula has delta in it",
        ),
        Misconception(
            id="bucket-overwritten",
            answer=bptt_variant(gather="last"),
            looks_like="The gradients of the weights hold the contribution of the first step alone.",
            why="The buckets are emptied at each step, so only what was put in last is left.",
            look_at="notebook 07, section 1: contributions add",
        ),
    ],
    hints=(
        "Go through the steps from the last to the first. Carry one vector r along: what all later steps want of the "
        "state you are at. It starts as zeros.",
        "At step t: what arrives is wanted[t] + r; multiply by the slope 1 - states[t + 1]² and call it delta. Three "
        "buckets get something: an outer product, another one, and delta itself.",
        "np.outer(delta, x[t]) for W_x, np.outer(delta, states[t]) for W_h, delta for b; then r = W_h.T @ delta. What "
        "is left in r at the very end is the gradient of h0.",
    ),
)


# --- 07.3 a window ---------------------------------------------------------------------------------------------------


def window_gradient(w, states, wanted, k):
    total = 0.0
    for t in range(1, len(states)):
        carried = wanted[t - 1]
        for j in range(t, max(0, t - k), -1):
            delta = carried * (1 - states[j] ** 2)
            total += delta * states[j - 1]
            carried = delta * w
    return total


def window_ages(w, states, wanted, k):
    """One sweep that carries the losses of each age in a list."""
    total, ages = 0.0, []
    for j in range(len(states) - 1, 0, -1):
        ages = [wanted[j - 1], *ages][:k]
        deltas = [a * (1 - states[j] * states[j]) for a in ages]
        total += sum(deltas) * states[j - 1]
        ages = [d * w for d in deltas]
    return np.float64(total)


def window_products(w, states, wanted, k):
    h = np.asarray(states, float)
    slopes = 1 - h[1:] ** 2
    T, total = len(slopes), 0.0
    for t in range(T):
        for j in range(t + 1):
            if t - j < k:
                total += wanted[t] * np.prod(slopes[j : t + 1]) * w ** (t - j) * h[j]
    return total


def window_recursive(w, states, wanted, k):
    def back(t, left, arrives):
        if t == 0 or left == 0:
            return 0.0
        delta = arrives * (1 - states[t] ** 2)
        return delta * states[t - 1] + back(t - 1, left - 1, delta * w)

    return sum(back(t, k, wanted[t - 1]) for t in range(1, len(states)))


def window_matrix(w, states, wanted, k):
    h, T = np.asarray(states, float), len(states) - 1
    slopes, M = 1 - h[1:] ** 2, np.zeros((T, T))
    for t in range(T):
        for j in range(max(0, t - k + 1), t + 1):
            M[t, j] = np.prod(slopes[j : t + 1]) * w ** (t - j)
    return np.asarray(wanted) @ M @ h[:-1]


def window_float32(w, states, wanted, k):
    return np.float32(window_gradient(w, states, wanted, k))


def window_chunks(w, states, wanted, k):
    total, T = 0.0, len(states) - 1
    for first in range(0, T, k):
        r = 0.0
        for j in range(min(first + k, T), first, -1):
            delta = (wanted[j - 1] + r) * (1 - states[j] ** 2)
            total += delta * states[j - 1]
            r = delta * w
    return total


def window_last_steps(w, states, wanted, k):
    r, total, T = 0.0, 0.0, len(states) - 1
    for j in range(T, max(0, T - k), -1):
        delta = (wanted[j - 1] + r) * (1 - states[j] ** 2)
        total += delta * states[j - 1]
        r = delta * w
    return total


def window_reset(w, states, wanted, k):
    """States of each window computed anew from zero are not known here: the oldest one is taken as zero."""
    total = 0.0
    for t in range(1, len(states)):
        carried, stop = wanted[t - 1], max(0, t - k)
        for j in range(t, stop, -1):
            delta = carried * (1 - states[j] ** 2)
            total += delta * (states[j - 1] if j - 1 > stop else 0.0)
            carried = delta * w
    return total


def window_case(rng, T, k):
    w, states = numbers(rng, 1, 0.6, 1.3)[0], [numbers(rng, 1, 0.3, 0.7)[0]]
    for x in numbers(rng, T, 0.2, 0.9):
        states.append(round(math.tanh(w * states[-1] + x), 6))
    return case(w, states, numbers(rng, T), k)


def hidden_windows(rng):
    return [window_case(rng, T, k) for T, k in ((5, 2), (6, 3), (7, 2), (4, 9), (7, 4))]


WINDOW = Exercise(
    id="07.3",
    title="A window on the past",
    function="window_gradient",
    minutes=15,
    difficulty=2,
    points=3,
    see="notebook 07, section 4",
    reference=window_gradient,
    visible=hidden_windows(np.random.default_rng(11)),
    hidden=hidden_windows,
    accepted=[window_ages, window_products, window_recursive, window_matrix, window_float32],
    bank=[
        Misconception(
            id="chunks-instead-of-a-window",
            answer=window_chunks,
            looks_like="The sequence is cut into pieces of k steps, and no loss reaches across a cut.",
            why="In a window every loss goes back k steps, also the one right after a cut.",
            look_at="notebook 07, section 4: windowed and chunked",
        ),
        Misconception(
            id="only-the-last-steps",
            answer=window_last_steps,
            looks_like="Only the last k steps of the sequence contribute.",
            why="Each loss has a window of its own, the early ones too.",
            look_at="notebook 07, section 4: from each loss",
        ),
        Misconception(
            id="one-step-too-many",
            answer=lambda w, states, wanted, k: window_gradient(w, states, wanted, k + 1),
            looks_like="Each loss goes back one step too far.",
            why="The step of the loss itself is the first of the k.",
            look_at="the task: k = 1 reaches the step of the loss alone",
        ),
        Misconception(
            id="one-step-too-few",
            answer=lambda w, states, wanted, k: window_gradient(w, states, wanted, k - 1),
            looks_like="Each loss goes back one step less than it may.",
            why="The step of the loss itself is the first of the k; k - 1 more follow.",
            look_at="the task: k = 1 reaches the step of the loss alone",
        ),
        Misconception(
            id="no-window-at-all",
            answer=lambda w, states, wanted, k: window_gradient(w, states, wanted, 10_000),
            looks_like="Every loss goes back to the very beginning: this is the full gradient.",
            why="k is not used, or never stops anything.",
            look_at="notebook 07, section 4",
        ),
        Misconception(
            id="window-starts-from-zero",
            answer=window_reset,
            looks_like="At the far end of each window the state before it counts as zero.",
            why="Cutting the gradient does not change the values: that state went into the step as it was.",
            look_at="notebook 07, section 4: the value is carried",
        ),
        Misconception(
            id="mean-over-losses",
            answer=lambda w, states, wanted, k: window_gradient(w, states, wanted, k) / (len(states) - 1),
            looks_like="The result is divided by the number of steps.",
            why="The total loss here is a sum over the steps, and so is its gradient.",
            look_at="the task: the loss is the sum",
        ),
    ],
    hints=(
        "Two loops: an outer one over the losses, an inner one that goes back from the step of that loss.",
        "In the inner loop carry one number, starting at wanted[t - 1]. Each step back: times the slope of that step, "
        "add a contribution, times w.",
        "Let j run from t down to t - k + 1, but not below 1. At j: delta is what is carried times 1 minus the square "
        "of states[j]; add delta times states[j - 1]; carry on delta times w.",
    ),
    equivalent_mutants={
        "`1` → `-1`": "from the times -1 and 0 there is no step to go back through, so they add nothing",
    },
)


# --- 07.4 detach or reset? -------------------------------------------------------------------------------------------


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


CHUNKS = Exercise(
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
    bank=[
        Misconception(
            id="resets-to-zero",
            answer=chunked_reset,
            looks_like="Every chunk after the first starts from a state of zero.",
            why="Detaching stops the gradient. The value of the state goes on, or the net forgets at every cut.",
            look_at="notebook 07, section 4: carry the value, detach",
        ),
        Misconception(
            id="restarts-from-h0",
            answer=chunked_restart,
            looks_like="Every chunk starts from h0 again.",
            why="A chunk starts where the one before it ended.",
            look_at="notebook 07, section 4: carry the value, detach",
        ),
        Misconception(
            id="never-detaches",
            answer=lambda w, x, h0, size: chunked_gradient(w, x, h0, len(x)),
            looks_like="The gradient flows through all earlier chunks: this is the full gradient.",
            why="The state that is handed over still has its history attached.",
            look_at="notebook 07, section 4: so that no gradient comes back",
        ),
        Misconception(
            id="only-the-last-chunk",
            answer=chunked_last,
            looks_like="Only the last chunk contributes.",
            why="Each chunk has a gradient of its own; all of them go into one bucket.",
            look_at="notebook 07, section 1: contributions add",
        ),
        Misconception(
            id="one-loss-per-chunk",
            answer=chunked_last_loss,
            looks_like="In each chunk only the loss of its last step is sent back.",
            why="There is a loss at every step.",
            look_at="the task: the loss is a sum over all steps",
        ),
        Misconception(
            id="rest-left-out",
            answer=chunked_drops_rest,
            looks_like="The shorter chunk at the end is left out.",
            why="The sequence need not be a multiple of the chunk.",
            look_at="the task: the last chunk may be shorter",
        ),
        Misconception(
            id="no-steps-back",
            answer=lambda w, x, h0, size: chunked_gradient(w, x, h0, 1),
            looks_like="Nothing goes back even one step: the gradient is cut between all steps.",
            why="Inside a chunk the gradient flows freely.",
            look_at="notebook 07, section 4: chunked",
        ),
    ],
    hints=(
        "Handle one chunk at a time: its states first, then its backward pass. What does the next chunk need to know?",
        "Inside a chunk it is plain BPTT with r = 0 at the end of the chunk. Because the loss is h²/2, each state "
        "wants its own value.",
        "Keep one number h from chunk to chunk, the last state as a value. Sum the contributions delta * (state "
        "before) over all chunks into one total.",
    ),
)


# --- 07.5 forward in time --------------------------------------------------------------------------------------------


def clip_by_norm(gradients, limit):
    norm = math.sqrt(sum(float(np.sum(g * g)) for g in gradients))
    return [g * (limit / norm) if norm > limit else g for g in gradients]


def clip_flat(gradients, limit):
    flat = np.concatenate([np.ravel(g) for g in gradients])
    scale = min(1.0, limit / np.linalg.norm(flat))
    return tuple(scale * g for g in gradients)


def clip_min(gradients, limit):
    squares = 0.0
    for g in gradients:
        squares = squares + np.vdot(g, g)
    return [np.asarray(g) * min(1, limit * squares**-0.5) for g in gradients]


def clip_hypot(gradients, limit):
    norm = 0.0
    for g in gradients:
        for entry in g.ravel():
            norm = math.hypot(norm, entry)
    return [(g / max(norm / limit, 1.0)).tolist() for g in gradients]


def clip_split(gradients, limit):
    flat = np.concatenate([g.reshape(-1) for g in gradients])
    norm = np.sqrt(flat @ flat)
    if norm > limit:
        flat = flat / norm * limit
    ends = np.cumsum([g.size for g in gradients])[:-1]
    return [part.reshape(g.shape) for part, g in zip(np.split(flat, ends), gradients, strict=True)]


def clip_float32(gradients, limit):
    return [np.float32(g) for g in clip_by_norm(gradients, limit)]


def clip_each(gradients, limit):
    return [g * min(1.0, limit / np.linalg.norm(g)) for g in gradients]


def clip_always(gradients, limit):
    norm = math.sqrt(sum(float(np.sum(g * g)) for g in gradients))
    return [g * (limit / norm) for g in gradients]


def clip_unit(gradients, limit):
    norm = math.sqrt(sum(float(np.sum(g * g)) for g in gradients))
    return [g / norm if norm > limit else g for g in gradients]


def clip_square(gradients, limit):
    squares = sum(float(np.sum(g * g)) for g in gradients)
    return [g * (limit / squares) if squares > limit else g for g in gradients]


def clip_by_sum(gradients, limit):
    size = sum(float(np.sum(np.abs(g))) for g in gradients)
    return [g * (limit / size) if size > limit else g for g in gradients]


def clip_largest(gradients, limit):
    largest = max(float(np.max(np.abs(g))) for g in gradients)
    return [g * (limit / largest) if largest > limit else g for g in gradients]


def clip_drop(gradients, limit):
    norm = math.sqrt(sum(float(np.sum(g * g)) for g in gradients))
    return [g * 0.0 if norm > limit else g for g in gradients]


def hidden_clips(rng):
    cases = []
    for limit in (0.7, 1.5, 50.0):
        gradients = [array(rng, 2, 3, low=0.4, high=2.5), array(rng, 4, low=0.4, high=2.5)]
        cases.append(case(gradients, limit))
    # Long as a whole, but neither array alone, and no entry: only the common norm says so.
    cases.append(case([array(rng, 3, low=0.5, high=0.8), array(rng, 2, 2, low=0.5, high=0.8)], 1.45))
    return cases


CLIP = Exercise(
    id="07.5",
    title="Clip by the common norm",
    function="clip_by_norm",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 07, section 5, 'The cliff, and what clipping does'",
    reference=clip_by_norm,
    visible=[case([np.array([3.0, 4.0])], 1.0), *hidden_clips(np.random.default_rng(17))],
    hidden=hidden_clips,
    accepted=[clip_flat, clip_min, clip_hypot, clip_split, clip_float32],
    bank=[
        Misconception(
            id="clips-every-entry",
            answer=lambda gradients, limit: [np.clip(g, -limit, limit) for g in gradients],
            looks_like="Every entry is clipped by itself, which turns the gradient.",
            why="Entries that were different become equal. By norm, all entries shrink by one factor.",
            look_at="notebook 07, section 5: by norm and by value",
        ),
        Misconception(
            id="norm-of-each-array",
            answer=clip_each,
            looks_like="Each array is scaled by its own norm.",
            why="All gradients together are one long vector with one length and one direction.",
            look_at="the task: their common norm",
        ),
        Misconception(
            id="always-scales",
            answer=clip_always,
            looks_like="Short gradients are stretched to the limit.",
            why="A limit is not a target. Clipping never lengthens.",
            look_at="notebook 07, section 5: what it does not do",
        ),
        Misconception(
            id="scales-to-one",
            answer=clip_unit,
            looks_like="Long gradients end with length 1, whatever the limit is.",
            why="Dividing by the norm gives a direction; the allowed length is still missing.",
            look_at="notebook 07, section 5: scaled down to that length",
        ),
        Misconception(
            id="square-of-the-norm",
            answer=clip_square,
            looks_like="The sum of squares is used where its root belongs.",
            why="The norm is a length. For (3, 4) it is 5, not 25.",
            look_at="notebook 07, section 5",
        ),
        Misconception(
            id="sum-of-sizes",
            answer=clip_by_sum,
            looks_like="The sizes of the entries are added up in place of a norm.",
            why="For (3, 4) that is 7; the length of the arrow is 5.",
            look_at="notebook 07, section 5",
        ),
        Misconception(
            id="largest-entry",
            answer=clip_largest,
            looks_like="The largest entry is brought to the limit, not the length.",
            why="Many entries below the limit can still make a long vector.",
            look_at="the task: their common norm",
        ),
        Misconception(
            id="throws-away",
            answer=clip_drop,
            looks_like="A gradient that is too long becomes zero.",
            why="Its direction is worth keeping; only its length cannot be trusted.",
            look_at="notebook 07, section 5",
        ),
    ],
    hints=(
        "One number decides for all arrays: the length of all entries together, as if they stood in one long vector.",
        "If that length is at most the limit, return the gradients as they are. Otherwise multiply every array by the "
        "same factor.",
        "norm = sqrt of the sum over arrays of np.sum(g * g); the factor is limit / norm.",
    ),
    equivalent_mutants={"`norm > limit` → `norm >= limit`": "exactly at the limit the factor is 1"},
)


# --- 07.6 transient growth -------------------------------------------------------------------------------------------


def growth(W):
    power, largest, k = W, 0.0, 1
    while True:
        norm = np.linalg.norm(power, 2)
        largest = max(largest, norm)
        if norm < 1:
            return [k, largest]
        power, k = power @ W, k + 1


def growth_matrix_power(W):
    norms = [np.linalg.norm(np.linalg.matrix_power(W, k), 2) for k in range(1, 80)]
    first = next(k for k, n in enumerate(norms, 1) if n < 1)
    return first, max(norms[:first])


def growth_svd(W):
    P, found = np.eye(len(W)), []
    while not found or found[-1] >= 1:
        P = W @ P
        found.append(np.linalg.svd(P, compute_uv=False)[0])
    return np.array([len(found), max(found)])


def growth_gram(W):
    P, best, k = np.array(W, dtype=float), 0.0, 1
    size = math.sqrt(np.max(np.linalg.eigvalsh(P.T @ P)))
    best = size
    while size >= 1:
        P, k = np.dot(W, P), k + 1
        size = math.sqrt(np.max(np.linalg.eigvalsh(P @ P.T)))
        best = max(best, size)
    return {"k": k, "norm": best}["k"], best


def growth_recursive(W):
    def back(P, k, largest):
        norm = float(np.linalg.svd(P)[1].max())
        return [k, max(norm, largest)] if norm < 1 else back(P @ W, k + 1, max(norm, largest))

    return back(W, 1, 0.0)


def growth_float32(W):
    k, largest = growth(W)
    return [k, np.float32(largest)]


def growth_by(size, power=lambda P, W: P @ W):
    """The same search with another notion of size or of power."""

    def answer(W):
        P, largest = np.array(W), 0.0
        for k in range(1, 200):
            norm = float(size(P))
            largest = max(largest, norm)
            if norm < 1:
                return [k, largest]
            P = power(P, W)
        return [200, largest]

    return answer


def growth_one_late(W):
    k, largest = growth(W)
    return [k + 1, largest]


def growth_last_above(W):
    k, largest = growth(W)
    return [k - 1, largest]


def growth_first_norm(W):
    k, _ = growth(W)
    return [k, float(np.linalg.norm(W, 2))]


def growth_matrix(rng):
    """A triangular matrix whose eigenvalues are below 1 and whose powers grow first, clear of every edge."""
    while True:
        n = int(rng.integers(2, 4))
        W = np.round(np.triu(rng.uniform(1.5, 6.0, (n, n)), 1), 1)
        W = W + np.diag(np.round(rng.uniform(0.4, 0.75, n), 2))
        W = W if rng.random() < 0.5 else W.T
        norms = [np.linalg.norm(np.linalg.matrix_power(W, k), 2) for k in range(1, 60)]
        first = next((k for k, norm in enumerate(norms, 1) if norm < 1), 0)
        clear = all(abs(norm - 1) > 0.02 for norm in norms)
        grows = first > 4 and max(norms[:first]) > 1.1 * norms[0]
        if clear and grows:
            return W


def hidden_growth(rng):
    return [case(growth_matrix(rng)) for _ in range(4)] + [case(np.array([[0.5, 0.3], [0.1, 0.4]]))]


GROWTH = Exercise(
    id="07.6",
    title="It grows before it shrinks",
    function="growth",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 07, section 5, the matrix with both eigenvalues one half",
    reference=growth,
    visible=[
        case(np.array([[0.5, 10.0], [0.0, 0.5]])),
        *hidden_growth(np.random.default_rng(19)),
    ],
    hidden=hidden_growth,
    accepted=[growth_matrix_power, growth_svd, growth_gram, growth_recursive, growth_float32],
    bank=[
        Misconception(
            id="spectral-radius",
            answer=growth_by(lambda P: np.max(np.abs(np.linalg.eigvals(P)))),
            looks_like="You measured powers by their largest eigenvalue, which is below 1 at once.",
            why="Eigenvalues tell the long run. How much one application can stretch a vector is another number.",
            look_at="notebook 07, section 5: eigenvalue and singular value",
        ),
        Misconception(
            id="frobenius-norm",
            answer=growth_by(np.linalg.norm),
            looks_like="The norm is the root of the sum of all squared entries.",
            why="That is np.linalg.norm without a second argument, and is larger than the largest stretch.",
            look_at="notebook 07, section 5: the largest singular value",
        ),
        Misconception(
            id="powers-of-the-entries",
            answer=growth_by(lambda P: np.linalg.norm(P, 2), power=lambda P, W: P * W),
            looks_like="Powers are taken entry by entry.",
            why="In NumPy `*` and `**` work on entries; applying a matrix again is `@`.",
            look_at="chapter 04, matrix products",
        ),
        Misconception(
            id="power-of-the-norm",
            answer=lambda W: [1 if np.linalg.norm(W, 2) < 1 else 200, float(np.linalg.norm(W, 2))],
            looks_like="The norm of a power is taken to be the power of the norm, so that it never falls below 1.",
            why="The direction that is stretched most need not be the one that comes out of the step before.",
            look_at="notebook 07, section 5: the table of powers",
        ),
        Misconception(
            id="largest-entry",
            answer=growth_by(lambda P: np.max(np.abs(P))),
            looks_like="The size of a matrix is taken to be its largest entry.",
            why="A vector can be stretched by more than any single entry.",
            look_at="notebook 07, section 5: the largest singular value",
        ),
        Misconception(
            id="one-power-late",
            answer=growth_one_late,
            looks_like="The power is one too high.",
            why="W itself is the first power.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="last-power-above",
            answer=growth_last_above,
            looks_like="The power is one too low: the last one that is not yet below 1.",
            why="Asked for is the first power that is below 1.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="first-norm",
            answer=growth_first_norm,
            looks_like="The largest norm is taken to be that of W itself.",
            why="Some matrices stretch more when applied twice.",
            look_at="the task: the largest norm on the way",
        ),
    ],
    hints=(
        "Multiply by W again and again, and measure each product.",
        "np.linalg.norm(P, 2) is the largest singular value of P. Keep the largest you have seen, and stop at the "
        "first that is below 1.",
        "Start with P = W and k = 1. Loop: measure P; if it is below 1 return k and the largest; otherwise P = P @ W "
        "and k + 1.",
    ),
    equivalent_mutants={
        "`norm < 1` → `norm <= 1`": "no power has a norm of exactly 1",
        "`power @ W` → `W @ power`": "powers of one matrix commute",
    },
)


# --- 07.7 the forget bias --------------------------------------------------------------------------------------------


def forget_bias(steps, kept):
    gate = kept ** (1 / steps)
    return math.log(gate / (1 - gate))


def bias_expm1(steps, kept):
    return -math.log(math.expm1(-math.log(kept) / steps))


def bias_log(steps, kept):
    g = math.exp(math.log(kept) / steps)
    return math.log(g) - math.log1p(-g)


def bias_bisect(steps, kept):
    low, high = -40.0, 40.0
    for _ in range(200):
        middle = (low + high) / 2
        left = (1 / (1 + math.exp(-middle))) ** steps
        low, high = (middle, high) if left < kept else (low, middle)
    return low


def bias_newton(steps, kept):
    target, b = math.log(kept) / steps, 0.0
    for _ in range(200):
        b -= (-np.logaddexp(0, -b) - target) * (1 + np.exp(b))
        b = min(b, 30.0)
    return np.float64(b)


def bias_power(steps, kept):
    return -np.log(np.power(kept, -1.0 / steps) - 1)


def bias_float32(steps, kept):
    return np.float32(forget_bias(steps, kept))


def hidden_bias(rng):
    return [case(int(rng.integers(4, 400)), round(float(rng.uniform(0.05, 0.9)), 2)) for _ in range(6)]


BIAS = Exercise(
    id="07.7",
    title="A memory of a given length",
    function="forget_bias",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 07, section 6",
    reference=forget_bias,
    visible=[case(50, 0.36), case(50, 0.9), case(10, 0.5), case(200, 0.1), case(3, 0.2)],
    hidden=hidden_bias,
    accepted=[bias_expm1, bias_log, bias_bisect, bias_newton, bias_power, bias_float32],
    bank=[
        Misconception(
            id="one-for-all",
            answer=lambda steps, kept: 1.0,
            looks_like="The answer is always 1.",
            why="A bias of 1 keeps a ten-millionth over 50 steps. It is a habit, not an answer.",
            look_at="notebook 07, section 6: the table of biases",
        ),
        Misconception(
            id="always-one-over-e",
            answer=lambda steps, kept: math.log(steps - 1),
            looks_like="The answer is ln(T - 1) and does not depend on how much is to be kept.",
            why="That rule keeps about 1/e. Here the share is given.",
            look_at="notebook 07, section 6: the chrono rule",
        ),
        Misconception(
            id="gate-instead-of-bias",
            answer=lambda steps, kept: kept ** (1 / steps),
            looks_like="You gave the gate, a number between 0 and 1.",
            why="The gate is the sigmoid of the bias; one step back is missing.",
            look_at="notebook 07, section 6: f = σ(bias)",
        ),
        Misconception(
            id="one-step-only",
            answer=lambda steps, kept: math.log(kept / (1 - kept)),
            looks_like="The bias would keep that share over a single step.",
            why="The gate multiplies at every step: what is left is a power.",
            look_at="notebook 07, section 6: left after 50 steps",
        ),
        Misconception(
            id="share-divided-by-steps",
            answer=lambda steps, kept: math.log((1 - (1 - kept) / steps) / ((1 - kept) / steps)),
            looks_like="The loss is spread evenly over the steps, as if shares were added.",
            why="Each step loses a share of what is still there; shares multiply.",
            look_at="notebook 07, section 6",
        ),
        Misconception(
            id="tanh-instead-of-sigmoid",
            answer=lambda steps, kept: math.atanh(kept ** (1 / steps)),
            looks_like="The bias is half of what it should be: the inverse of tanh was taken.",
            why="Gates are sigmoids, between 0 and 1.",
            look_at="notebook 07, section 6: the gates",
        ),
        Misconception(
            id="sign-of-the-bias",
            answer=lambda steps, kept: -forget_bias(steps, kept),
            looks_like="The sign is wrong: this bias closes the gate.",
            why="A large positive bias opens a gate, a large negative one closes it.",
            look_at="notebook 07, section 6: the table of biases",
        ),
        Misconception(
            id="power-upside-down",
            answer=lambda steps, kept: math.log(kept**steps / (1 - kept**steps)) if kept**steps > 1e-250 else -600.0,
            looks_like="The share was raised to the power of the steps, not to one over the steps.",
            why="gate to the power of the steps is the share; solve that for the gate.",
            look_at="notebook 07, section 6: left after 50 steps",
        ),
    ],
    hints=(
        "Two questions: how far open must the gate be, and which bias opens it that far?",
        "After T steps gate**T is left. So the gate is the T-th root of the share.",
        "The inverse of the sigmoid is log(g / (1 - g)).",
    ),
    rtol=1e-5,
)


# --- 07.8 one step back through an LSTM ------------------------------------------------------------------------------


def lstm_backward(i, f, g, o, c_before, dh, dc):
    tanh_c = np.tanh(f * c_before + i * g)
    dc = dc + dh * o * (1 - tanh_c**2)
    return {
        "i": dc * g * i * (1 - i),
        "f": dc * c_before * f * (1 - f),
        "g": dc * i * (1 - g**2),
        "o": dh * tanh_c * o * (1 - o),
        "c_before": dc * f,
    }


def lstm_complex(i, f, g, o, c_before, dh, dc):
    """The complex step at the pre-activations, one after another."""
    logit = [np.log(s / (1 - s)) for s in (i, f, o)]
    point = {"i": logit[0], "f": logit[1], "g": np.arctanh(g), "o": logit[2], "c_before": np.asarray(c_before)}

    def loss(p):
        def sigmoid(a):
            return 1 / (1 + np.exp(-a))

        c = sigmoid(p["f"]) * p["c_before"] + sigmoid(p["i"]) * np.tanh(p["g"])
        return dh * sigmoid(p["o"]) * np.tanh(c) + dc * c

    return {name: loss(point | {name: value + 1e-30j}).imag / 1e-30 for name, value in point.items()}


def lstm_loops(i, f, g, o, c_before, dh, dc):
    found = {name: [] for name in ("i", "f", "g", "o", "c_before")}
    for a, b, d, e, before, up_h, up_c in zip(i, f, g, o, c_before, dh, dc, strict=True):
        squashed = math.tanh(b * before + a * d)
        cell = up_c + up_h * e * (1 - squashed * squashed)
        for name, value in (
            ("i", cell * d * (a - a * a)),
            ("f", cell * before * (b - b * b)),
            ("g", cell * a * (1 + d) * (1 - d)),
            ("o", up_h * squashed * (e - e * e)),
            ("c_before", cell * b),
        ):
            found[name].append(value)
    return found


def lstm_cosh(i, f, g, o, c_before, dh, dc):
    c = np.multiply(f, c_before) + np.multiply(i, g)
    total = dc + dh * o / np.cosh(c) ** 2
    return {
        "i": total * g * (i - i**2),
        "f": total * c_before * (f - f**2),
        "g": total * (i - i * g * g),
        "o": dh * np.tanh(c) * (o - o**2),
        "c_before": total * f,
    }


def lstm_differences(i, f, g, o, c_before, dh, dc):
    """Central differences of high order would blur; a dual number does not."""
    c = f * c_before + i * g
    h_dot = o * (1 - np.tanh(c) ** 2)

    def along(c_dot, o_dot=0.0):
        return dc * c_dot + dh * (h_dot * c_dot + o_dot * np.tanh(c))

    return {
        "i": along(i * (1 - i) * g),
        "f": along(f * (1 - f) * c_before),
        "g": along(i * (1 - g * g)),
        "o": along(0.0, o * (1 - o)),
        "c_before": along(f),
    }


def lstm_float32(i, f, g, o, c_before, dh, dc):
    return {name: np.float32(v) for name, v in lstm_backward(i, f, g, o, c_before, dh, dc).items()}


def lstm_with(**changes):
    """The right gradients with some of them replaced; a change gets the parts by name."""

    def answer(i, f, g, o, c_before, dh, dc):
        tanh_c = np.tanh(f * c_before + i * g)
        part = {"i": i, "f": f, "g": g, "o": o, "before": c_before, "dh": dh, "dc": dc, "tanh_c": tanh_c}
        part["total"] = dc + dh * o * (1 - tanh_c**2)
        right = lstm_backward(i, f, g, o, c_before, dh, dc)
        return right | {name: change(part) for name, change in changes.items()}

    return answer


def lstm_total(rule):
    """Everything that passes the cell with another gradient at the cell."""

    def answer(i, f, g, o, c_before, dh, dc):
        c = f * c_before + i * g
        total = rule(i, f, g, o, c, dh, dc)
        return {
            "i": total * g * i * (1 - i),
            "f": total * c_before * f * (1 - f),
            "g": total * i * (1 - g**2),
            "o": dh * np.tanh(c) * o * (1 - o),
            "c_before": total * f,
        }

    return answer


def lstm_case(rng, n):
    gates = [np.round(rng.uniform(0.15, 0.85, n), 2) for _ in range(3)]
    i, f, o = (np.where(np.abs(s - 0.5) < 0.05, 0.62, s) for s in gates)
    g = np.round(rng.choice([-1.0, 1.0], n) * rng.uniform(0.2, 0.8, n), 2)
    return case(i, f, g, o, array(rng, n, low=0.4, high=1.5), array(rng, n, low=0.4), array(rng, n, low=0.4))


def hidden_lstm(rng):
    return [lstm_case(rng, n) for n in (3, 4, 2)]


LSTM = Exercise(
    id="07.8",
    title="One step back through an LSTM",
    function="lstm_backward",
    minutes=20,
    difficulty=3,
    points=4,
    see="notebook 07, section 6",
    reference=lstm_backward,
    visible=hidden_lstm(np.random.default_rng(23)),
    hidden=hidden_lstm,
    accepted=[lstm_complex, lstm_loops, lstm_cosh, lstm_differences, lstm_float32],
    bank=[
        Misconception(
            id="cell-ignores-the-hidden-state",
            answer=lstm_total(lambda i, f, g, o, c, dh, dc: dc),
            looks_like="What arrives at h never reaches the cell.",
            why="The cell has two readers: the next step, and h = o tanh(c). Both report.",
            look_at="notebook 07, section 6: where c is used",
        ),
        Misconception(
            id="cell-hears-only-the-hidden-state",
            answer=lstm_total(lambda i, f, g, o, c, dh, dc: dh * o * (1 - np.tanh(c) ** 2)),
            looks_like="What arrives along the cell is overwritten by what comes through h.",
            why="Reports add: the long road through the cell is the whole point of the LSTM.",
            look_at="notebook 07, section 6: the road",
        ),
        Misconception(
            id="no-squashing-of-the-cell",
            answer=lstm_total(lambda i, f, g, o, c, dh, dc: dc + dh * o),
            looks_like="On the way from h to c the slope of tanh is missing.",
            why="h is made from tanh(c), not from c.",
            look_at="notebook 07, section 6: the formula for h",
        ),
        Misconception(
            id="output-gate-forgotten",
            answer=lstm_total(lambda i, f, g, o, c, dh, dc: dc + dh * (1 - np.tanh(c) ** 2)),
            looks_like="On the way from h to c the output gate is missing.",
            why="The other factor of a product is its local derivative.",
            look_at="notebook 07, section 6: the formula for h",
        ),
        Misconception(
            id="slope-at-the-cell",
            answer=lstm_total(lambda i, f, g, o, c, dh, dc: dc + dh * o * (1 - c**2)),
            looks_like="The slope of tanh is written with the cell, not with its tanh.",
            why="One minus the square of the output: tanh(c), squared.",
            look_at="chapter 02, section 3",
        ),
        Misconception(
            id="road-without-its-gate",
            answer=lstm_with(c_before=lambda p: p["total"]),
            looks_like="The gradient of the cell before is not multiplied by the forget gate.",
            why="The old cell was multiplied by f on its way here. A gradient that is never damped would be a gate "
            "that is always open.",
            look_at="notebook 07, section 6: the local derivative along the cell",
        ),
        Misconception(
            id="output-gate-sees-the-cell",
            answer=lstm_with(o=lambda p: p["dh"] * (p["f"] * p["before"] + p["i"] * p["g"]) * p["o"] * (1 - p["o"])),
            looks_like="For the output gate the factor is c where it should be tanh(c).",
            why="The gate multiplies the squashed cell.",
            look_at="notebook 07, section 6: the formula for h",
        ),
        Misconception(
            id="candidate-like-a-gate",
            answer=lstm_with(g=lambda p: p["total"] * p["i"] * p["g"] * (1 - p["g"])),
            looks_like="The candidate is treated as if it were a sigmoid.",
            why="g is made by tanh: its slope is one minus its square.",
            look_at="notebook 07, section 6: gates and candidate",
        ),
        Misconception(
            id="gates-without-their-slopes",
            answer=lstm_with(
                i=lambda p: p["total"] * p["g"],
                f=lambda p: p["total"] * p["before"],
                o=lambda p: p["dh"] * p["tanh_c"],
                g=lambda p: p["total"] * p["i"],
            ),
            looks_like="The gradients are those of the gates themselves, not of their pre-activations.",
            why="One more edge, through sigmoid or tanh, leads to what the weights computed.",
            look_at="the task: at the pre-activations",
        ),
        Misconception(
            id="input-and-candidate-exchanged",
            answer=lstm_with(
                i=lambda p: p["total"] * p["i"] * p["i"] * (1 - p["i"]),
                g=lambda p: p["total"] * p["g"] * (1 - p["g"] ** 2),
            ),
            looks_like="Input gate and candidate keep their own value where the other factor belongs.",
            why="The local derivative of a product is the other factor.",
            look_at="chapter 02: a product hands to each input the other one",
        ),
    ],
    hints=(
        "Draw the step: c is made from two products, h from one product and one tanh. Then ask each node who uses it.",
        "First find what arrives at c altogether: dc from the next step, plus what comes down from h. Everything but "
        "the output gate gets its gradient from that sum.",
        "total = dc + dh * o * (1 - tanh(c)²). Then each gate: what arrives at its product, times the other factor, "
        "times its own slope: s(1 - s) for i, f, o and 1 - g² for g. The old cell gets total * f.",
    ),
)


# --- 07.9 what forgetting costs --------------------------------------------------------------------------------------


def copy_baseline(symbols, length, blanks):
    return length * math.log(symbols) / (blanks + 2 * length)


def copy_per_step(symbols, length, blanks):
    losses = [0.0] * (blanks + length) + [math.log(symbols)] * length
    return sum(losses) / len(losses)


def copy_numpy(symbols, length, blanks):
    p = np.ones(blanks + 2 * length)
    p[-length:] = 1.0 / symbols
    return -np.mean(np.log(p))


def copy_entropy(symbols, length, blanks):
    p = np.full(symbols, 1 / symbols)
    return -(p * np.log(p)).sum() * length / (length + blanks + length)


def copy_bits(symbols, length, blanks):
    return math.log2(symbols) * math.log(2) * length / (2 * length + blanks)


def copy_product(symbols, length, blanks):
    """The logarithm of the number of possible answers, shared among the steps."""
    return math.log(int(symbols) ** int(length)) / (blanks + 2 * length)


def copy_float32(symbols, length, blanks):
    return np.float32(copy_baseline(symbols, length, blanks))


def hidden_copy(rng):
    return [case(int(rng.integers(3, 20)), int(rng.integers(2, 15)), int(rng.integers(4, 300))) for _ in range(6)]


COPY = Exercise(
    id="07.9",
    title="What forgetting costs",
    function="copy_baseline",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 07, section 7: a baseline that remembers nothing",
    reference=copy_baseline,
    visible=[case(8, 10, 20), case(8, 10, 100), case(3, 4, 7), case(5, 2, 30), case(12, 6, 3)],
    hidden=hidden_copy,
    accepted=[copy_per_step, copy_numpy, copy_entropy, copy_bits, copy_product, copy_float32],
    bank=[
        Misconception(
            id="not-shared-among-steps",
            answer=lambda symbols, length, blanks: math.log(symbols),
            looks_like="The loss is that of a single guess.",
            why="Most steps ask only for a blank, which costs nothing; the mean is over all steps.",
            look_at="the task: the mean over all steps",
        ),
        Misconception(
            id="sum-over-steps",
            answer=lambda symbols, length, blanks: length * math.log(symbols),
            looks_like="The losses are added up, not averaged.",
            why="Asked for is the mean per step.",
            look_at="the task: the mean over all steps",
        ),
        Misconception(
            id="length-counted-once",
            answer=lambda symbols, length, blanks: length * math.log(symbols) / (blanks + length),
            looks_like="The symbols are counted once in the length of the sequence.",
            why="They are shown at the start and asked for at the end.",
            look_at="the task: the layout of a sequence",
        ),
        Misconception(
            id="blanks-only",
            answer=lambda symbols, length, blanks: length * math.log(symbols) / blanks,
            looks_like="The mean is taken over the blanks alone.",
            why="The symbols and the answers are steps, too.",
            look_at="the task: the layout of a sequence",
        ),
        Misconception(
            id="bits",
            answer=lambda symbols, length, blanks: length * math.log2(symbols) / (blanks + 2 * length),
            looks_like="The loss is in bits; cross-entropy here uses the natural logarithm.",
            why="A logarithm to base 2 is 1.44 times as large.",
            look_at="chapter 06, cross-entropy",
        ),
        Misconception(
            id="blank-among-the-guesses",
            answer=lambda symbols, length, blanks: length * math.log(symbols + 1) / (blanks + 2 * length),
            looks_like="The guess at the end also considers the blank.",
            why="A model without memory still knows that the signal has come and that no blank is asked for.",
            look_at="the task: it knows when to answer",
        ),
        Misconception(
            id="guesses-everywhere",
            answer=lambda symbols, length, blanks: (
                (blanks + 2 * length) * math.log(symbols + 1) / (blanks + 2 * length)
            ),
            looks_like="The model guesses among all symbols at every step.",
            why="A blank can be predicted without memory.",
            look_at="the task: it is certain of the blanks",
        ),
        Misconception(
            id="chance-instead-of-cost",
            answer=lambda symbols, length, blanks: length * (1 - 1 / symbols) / (blanks + 2 * length),
            looks_like="You gave the expected share of errors, not the cross-entropy.",
            why="Cross-entropy is the logarithm of the probability that the right symbol got.",
            look_at="chapter 06, cross-entropy",
        ),
    ],
    hints=(
        "Which steps cost nothing for a model that is certain of the blanks? What does each of the others cost?",
        "At an answer it spreads its probability evenly over the symbols: the right one gets 1 / symbols.",
        "length answers cost log(symbols) each; divide by the number of all steps, symbols and answers included.",
    ),
)

EXERCISES = [TWO_STEPS, BPTT, WINDOW, CHUNKS, CLIP, GROWTH, BIAS, LSTM, COPY]

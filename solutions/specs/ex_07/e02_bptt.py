"""07.2 Backpropagation through time."""

from __future__ import annotations

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array


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


def bptt_with_tensors(x, states, W_x, W_h, wanted):
    return {name: Tensor(g, requires_grad=True) for name, g in bptt(x, states, W_x, W_h, wanted).items()}


def bptt_part(**changes):
    """The right sweep with some parts put together in another way, of what came back to each step."""

    def answer(x, states, W_x, W_h, wanted):
        deltas, r = [], np.zeros(len(W_h))
        for t in reversed(range(len(x))):
            deltas.insert(0, (1 - states[t + 1] ** 2) * (wanted[t] + r))
            r = W_h.T @ deltas[0]
        d = np.array(deltas)
        right = {"W_x": d.T @ x, "W_h": d.T @ states[:-1], "b": d.sum(axis=0), "h0": r}
        return right | {name: change(d, x, states, W_h) for name, change in changes.items()}

    return answer


def states_anew(x, states, W_x, W_h, wanted):
    return bptt(x, states_of(x, W_x, W_h, np.zeros(len(W_h)), states[0]), W_x, W_h, wanted)


def bptt_mixed(x, states, W_x, W_h, wanted):
    """Arrays in float32, sums in float64."""
    return bptt(*map(np.float32, (x, states, W_x, W_h, wanted)))


def bptt_float32(x, states, W_x, W_h, wanted):
    arrays = [np.asarray(a, np.float32) for a in (x, states, W_x, W_h, wanted)]
    return {name: g.astype(np.float32) for name, g in bptt(*arrays).items()}


def last_steps_only(x, states, W_x, W_h, wanted):
    """The last hundred steps."""
    return bptt(x[-100:], states[-101:], W_x, W_h, wanted[-100:])


def bptt_case(rng, T, D, H):
    """The bias is in the states and not among the arguments, so that nobody can work the states out anew."""

    def draw():
        x, W_x, W_h, b = array(rng, T, D), array(rng, H, D), array(rng, H, H), array(rng, H)
        return x, states_of(x, W_x, W_h, b, array(rng, H, low=0.2, high=0.8)), W_x, W_h, array(rng, T, H)

    return precise(draw)


def precise(draw):
    """A case in which no gradient is small because its terms cancel, so that float32 gives six digits of each."""
    while True:
        found = draw()
        right, single = bptt(*found), bptt(*map(np.float32, found))
        if all(np.allclose(single[name], g, rtol=2e-7, atol=0) for name, g in right.items()):
            return case(*found)


def states_of(x, W_x, W_h, b, h0):
    states = [h0]
    for row in x:
        states.append(np.round(np.tanh(W_x @ row + W_h @ states[-1] + b), 6))
    return np.array(states)


def some_losses(rng, at_the_end):
    """A loss at the end alone, of a net that starts from zeros; or losses everywhere but at the end."""

    def draw():
        x, W_x, W_h, b, wanted = array(rng, 4, 3), array(rng, 2, 3), array(rng, 2, 2), array(rng, 2), array(rng, 4, 2)
        x[1, 0], W_x[0, 2], W_h[1, 0] = 0.0, 0.0, 0.0
        wanted[:3] *= not at_the_end
        wanted[3] *= at_the_end
        return x, states_of(x, W_x, W_h, b, array(rng, 2) * (not at_the_end)), W_x, W_h, wanted

    return precise(draw)


def bptt_edges(rng):
    """One loss at the end, or none there; zeros to begin with; one step, one input, one unit; as many as units."""
    return [
        some_losses(rng, True),
        some_losses(rng, False),
        bptt_case(rng, 1, 2, 3),
        bptt_case(rng, 3, 1, 2),
        bptt_case(rng, 4, 2, 1),
        bptt_case(rng, 3, 3, 3),
        bptt_case(rng, 110, 1, 1),
    ]


def hidden_bptt(rng):
    return [*(bptt_case(rng, T, D, H) for T, D, H in ((4, 2, 3), (3, 4, 2), (5, 3, 3))), *bptt_edges(rng)]


BANK = [
    wrong("a-hundred-steps-at-most", last_steps_only, "notebook 07, section 3, and the docstring of the exercise",
          "Right for short sequences; of longer ones, what came before the last hundred steps is missing.",
          "The sequence has as many steps as `x` has rows, and each of them used the weights."),
    wrong("nothing-from-later", bptt_variant(carry=lambda want, r, t, T: want),
          "notebook 07, section 3: two things arrive at a state",
          "Each step hears only its own loss; what all later steps want never arrives.",
          "A state is used twice: by the loss of its step, and by the next step."),
    wrong("only-the-last-loss", bptt_variant(carry=lambda want, r, t, T: want if t == T - 1 else r),
          "notebook 07, section 3: the first formula",
          "Only the loss of the last step is sent back; those of the steps on the way are lost.",
          "There is a loss at every step, and each joins the gradient that passes by."),
    wrong("recurrent-matrix-not-transposed", bptt_variant(start=lambda W, delta, arrives: W @ delta),
          "notebook 07, section 3: the third formula; chapter 04 on vector-Jacobian products",
          "The gradient goes back through W_h as it went forward, not transposed.",
          "Forward, row i of W_h collects for unit i. Backward, unit j collects from all units that it fed."),
    wrong("state-after-the-step", bptt_variant(before=lambda states, t: states[t + 1]),
          "notebook 07, section 3: mind the index, and the comment in the code",
          "In the bucket of W_h each delta meets the state that its own step made.",
          "W_h was multiplied with the state before that step."),
    wrong("slope-of-the-state-before", bptt_variant(slope=lambda states, t: 1 - states[t] ** 2),
          "notebook 07, section 3: the second formula",
          "The slope of tanh is taken at the state before the step.",
          "The squashing whose slope is needed made the state after it."),
    wrong("slope-forgotten", bptt_variant(slope=lambda states, t: 1.0), "notebook 07, section 3: delta",
          "The slope of tanh is missing at every step.",
          "Without it, this is the backward pass of a linear net."),
    wrong("slope-without-square", bptt_variant(slope=lambda states, t: 1 - states[t + 1]), "chapter 02, section 3",
          "The slope of tanh is written as one minus the state.",
          "Look at the slope where tanh is 0 and where it is -0.9: it is symmetric."),
    wrong("carries-past-the-slope", bptt_variant(start=lambda W, delta, arrives: W.T @ arrives),
          "notebook 07, section 3: the third formula has delta in it",
          "What goes back to the state before has not passed the slope of tanh.",
          "The edge to the state before starts at the pre-activation, behind the squashing."),
    wrong("bucket-overwritten", bptt_variant(gather="last"), "notebook 07, section 1: contributions add",
          "The gradients of the weights hold the contribution of the first step alone.",
          "The buckets are emptied at each step, so only what was put in last is left."),
    wrong("input-bucket-transposed", bptt_part(W_x=lambda d, x, states, W_h: x.T @ d),
          "the docstring of the exercise: the shapes of the result",
          "The gradient of W_x is transposed; the others are right.",
          "A gradient has the shape of its parameter: a row for each unit, a column for each input."),
    wrong("recurrent-bucket-transposed", bptt_part(W_h=lambda d, x, states, W_h: states[:-1].T @ d),
          "notebook 07, section 3: the bucket of W_h",
          "The gradient of W_h is transposed; the others are right.",
          "Its shape does not tell: both axes have as many entries as there are units. Rows belong to delta."),
    wrong("both-buckets-transposed", bptt_part(
              W_x=lambda d, x, states, W_h: x.T @ d,
              W_h=lambda d, x, states, W_h: states[:-1].T @ d,
          ), "notebook 07, section 3: the buckets",
          "The gradients of both matrices are transposed.",
          "In an outer product the first vector gives the rows. Rows of these matrices belong to delta."),
    wrong("biases-added-over-the-units", bptt_part(b=lambda d, x, states, W_h: d.sum(axis=1)),
          "the docstring of the exercise: the shapes of the result",
          "The gradient of b has an entry for each step.",
          "One bias serves all steps, so the steps are added up, and the units are kept apart."),
    wrong("mean-over-the-steps", lambda x, states, W_x, W_h, wanted: {
              name: g if name == "h0" else g / len(x) for name, g in bptt(x, states, W_x, W_h, wanted).items()
          }, "notebook 07, 'Check yourself', question 1",
          "The gradients of W_x, W_h and b are divided by the number of steps.",
          "A nudge of a weight moves all steps in full."),
    wrong("works-the-states-out-anew", states_anew, "the task: the forward pass has been done",
          "You worked the states out again, and got others.",
          "The net has a bias as well, which you are not given. All that you need is in `states`."),
    wrong("stops-before-the-state", bptt_part(h0=lambda d, x, states, W_h: d[0]),
          "notebook 07, section 3: the third formula",
          "The gradient of h0 is what arrives at the first pre-activation.",
          "Between the two stands the recurrent matrix."),
]  # fmt: skip

EXERCISE = Exercise(
    id="07.2",
    title="Backpropagation through time",
    function="bptt",
    minutes=20,
    difficulty=2,
    points=4,
    see="notebook 07, section 3",
    reference=bptt,
    domain={
        "x": Array("T D"),
        "states": Array("S>=2 H", more_than=-1, less_than=1),
        "W_x": Array("H D"),
        "W_h": Array("H H"),
        "wanted": Array("T H"),
    },
    meets={
        "more than 100 steps": lambda x: len(x) > 100,
        "the net starts from zeros": lambda states: not states[0].any(),
        "there is a loss at the end alone": lambda wanted: (
            len(wanted) > 1 and wanted[-1].all() and not wanted[:-1].any()
        ),
        "there is no loss at the end": lambda wanted: len(wanted) > 1 and not wanted[-1].any() and wanted[:-1].all(),
        "there are as many inputs as units": lambda W_x: W_x.shape[0] == W_x.shape[1] > 1,
    },
    visible=hidden_bptt(np.random.default_rng(7)),
    hidden=lambda rng: [*hidden_bptt(rng), bptt_case(rng, 3, 2, 5)],
    accepted=[bptt_stacked, bptt_forward, bptt_loops, bptt_paths, bptt_float32, bptt_mixed, bptt_with_tensors],
    bank=BANK,
    hints=(
        "Go through the steps from the last to the first. Carry one vector r along: what all later steps want of the "
        "state you are at. It starts as zeros.",
        "At step t: what arrives is wanted[t] + r; multiply by the slope 1 - states[t + 1]² and call it delta. Three "
        "buckets get something: an outer product, another one, and delta itself.",
        "np.outer(delta, x[t]) for W_x, np.outer(delta, states[t]) for W_h, delta for b; then r = W_h.T @ delta. What "
        "is left in r at the very end is the gradient of h0.",
    ),
    equivalent_mutants={
        "gives the neighbour's value where an entry of W_x is 0": "only the shape of W_x is needed",
        "reverses W_x": "only the shape of W_x is needed",
        "sorts W_x": "only the shape of W_x is needed",
        "takes the absolute value of W_x": "only the shape of W_x is needed",
    },
)

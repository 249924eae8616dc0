"""06.2 Back through a batch."""

from __future__ import annotations

import numpy as np

from coursepkg.gradients import forward, reverse
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import spread, with_zeros


def batch_gradients(X, T, W, b, V, c):
    H = np.tanh(X @ W.T + b)
    Y = H @ V.T + c
    delta_Y = (Y - T) / len(X)
    delta_H = (delta_Y @ V) * (1 - H**2)
    return {"W": delta_H.T @ X, "b": delta_H.sum(axis=0), "V": delta_Y.T @ H, "c": delta_Y.sum(axis=0)}


def _batch_loss(p, X, T):
    Y = np.tanh(X @ p["W"].T + p["b"]) @ p["V"].T + p["c"]
    return np.sum((Y - T) ** 2) / (2 * len(X))


def batch_by_engine(X, T, W, b, V, c):
    return reverse(lambda p: _batch_loss(p, X, T))({"W": W, "b": b, "V": V, "c": c})


def batch_by_forward_mode(X, T, W, b, V, c):
    return forward(lambda p: _batch_loss(p, X, T))({"W": W, "b": b, "V": V, "c": c})


def batch_example_by_example(X, T, W, b, V, c):
    bars = {"W": np.zeros_like(W), "b": np.zeros_like(b), "V": np.zeros_like(V), "c": np.zeros_like(c)}
    for x, t in zip(X, T, strict=True):
        h = np.tanh(W @ x + b)
        dy = V @ h + c - t
        dh = (V.T @ dy) * (1 - h * h)
        for name, bar in {"W": np.outer(dh, x), "b": dh, "V": np.outer(dy, h), "c": dy}.items():
            bars[name] += bar / len(X)
    return bars


def batch_by_einsum(X, T, W, b, V, c):
    n = X.shape[0]
    H = np.tanh(np.einsum("ni,ji->nj", X, W) + b)
    D = np.einsum("nj,kj->nk", H, V) + c - T
    back = np.einsum("nk,kj,nj->nj", D, V, 1 / np.cosh(X @ W.T + b) ** 2)
    return {
        "V": np.einsum("nk,nj->kj", D, H) / n,
        "c": np.einsum("nk->k", D) / n,
        "W": np.einsum("nj,ni->ji", back, X) / n,
        "b": back.mean(axis=0),
    }


def batch_by_complex_step(X, T, W, b, V, c):
    p = {"W": W, "b": b, "V": V, "c": c}
    bars = {}
    for name, value in p.items():
        bar = np.zeros(value.shape)
        for place in np.ndindex(value.shape):
            nudged = value.astype(complex)
            nudged[place] += 1e-30j
            bar[place] = _batch_loss(p | {name: nudged}, X, T).imag / 1e-30
        bars[name] = bar.tolist()
    return bars


def batch_with(*, scale=lambda n, k: n, slope=lambda Z, H: 1 - H**2, error=lambda Y, T: Y - T, bias=np.sum, post=None):
    """The right gradients with one idea replaced."""

    def answer(X, T, W, b, V, c):
        Z = X @ W.T + b
        H = np.tanh(Z)
        Y = H @ V.T + c
        dY = error(Y, T) / scale(*T.shape)
        dH = (dY @ V) * slope(Z, H)
        bars = {"W": dH.T @ X, "b": bias(dH, axis=0), "V": dY.T @ H, "c": bias(dY, axis=0)}
        return post(bars, dH, dY) if post else bars

    return answer


def n_in_the_output_layer_only(X, T, W, b, V, c):
    """Divides by n where the gradients of V and c are formed, and sends back what is not divided."""
    H = np.tanh(X @ W.T + b)
    dY = H @ V.T + c - T
    dH = (dY @ V) * (1 - H**2)
    return {"W": dH.T @ X, "b": dH.sum(axis=0), "V": dY.T @ H / len(X), "c": dY.mean(axis=0)}


def errors_cut_at_ten(X, T, W, b, V, c):
    """As a Huber loss would: the error counts up to 10."""
    H = np.tanh(X @ W.T + b)
    Y = H @ V.T + c
    return batch_gradients(X, Y - np.clip(Y - T, -10, 10), W, b, V, c)


def batch_case(rng, n, n_in, n_hidden, n_out):
    arrays = [spread(rng, *shape) for shape in [(n_hidden, n_in), (n_hidden,), (n_out, n_hidden), (n_out,)]]
    return case(spread(rng, n, n_in), spread(rng, n, n_out), *arrays)


def no_error_in_a_row(rng):
    """An example that is right already, to the last digit; it counts in the mean as the others do."""
    X, T, W, b, V, c = batch_case(rng, 4, 2, 3, 2).args
    k = rng.integers(4)
    X[k], T[k] = 0.0, c
    return case(X, T, W, 0 * b, V, c)


def batch_edges(rng):
    """One example, input, output or hidden unit; equal sizes; zeros everywhere; a tanh that is saturated.

    An example that occurs three times, target and all.
    """
    X, *others = batch_case(rng, 4, 3, 2, 3).args
    X[rng.integers(4)] *= rng.choice([-3000.0, 3000.0])
    far = batch_case(rng, 3, 2, 3, 2).args
    far[1][rng.integers(3)] *= 1000.0
    again = batch_case(rng, 5, 2, 2, 3).args
    for rows in again[:2]:
        rows[[0, 3]] = rows[[2, 2]]
    return [
        batch_case(rng, 3, 3, 3, 3),
        case(*again),
        batch_case(rng, 5, 4, 3, 3),
        batch_case(rng, 4, 2, 4, 3),
        batch_case(rng, 2, 4, 3, 2),
        case(X, *others),
        case(*far),
        batch_case(rng, 1, 3, 4, 2),
        batch_case(rng, 4, 1, 3, 1),
        batch_case(rng, 3, 2, 1, 2),
        case(*with_zeros(rng, *batch_case(rng, 4, 2, 3, 2).args)),
    ]


_draw = np.random.default_rng(62)

BANK = [
    wrong("errors-cut-at-ten", errors_cut_at_ten, "the docstring of the exercise",
          "Right unless an error is beyond 10; there the gradients stop growing.",
          "Cutting large errors off makes another loss. A square grows with its error, however large that is."),
    wrong("sum-for-mean", batch_with(scale=lambda n, k: 1), "'2 · The loop learns XOR'",
          "Every gradient is n times too large, n being the number of examples.",
          "The loss is a mean over the examples, so each of them counts one n-th."),
    wrong("mean-over-all-entries", batch_with(scale=lambda n, k: n * k), "'2 · The loop learns XOR'",
          "Every gradient is too small by the number of outputs.",
          "The mean goes over examples; within an example the squared errors are summed."),
    wrong("bias-averaged-again", batch_with(bias=np.mean), "'2 · The loop learns XOR'",
          "W and V are right; the biases are too small by a factor n.",
          "The deltas have been divided by n already. The bias was copied to every row, so rows are summed."),
    wrong("weights-mean-biases-sum",
          batch_with(post=lambda bars, dH, dY: bars | {"b": len(dH) * bars["b"], "c": len(dY) * bars["c"]}),
          "'2 · The loop learns XOR'",
          "W and V are right; the biases are n times too large.",
          "The bias belongs to the same mean as the weights."),
    wrong("slope-at-the-pre-activation", batch_with(slope=lambda Z, H: 1 - Z**2), "'Misconceptions met'",
          "V and c are right; W and b use one minus the square of z.",
          "The slope of tanh is one minus the square of its output."),
    wrong("slope-of-a-sigmoid", batch_with(slope=lambda Z, H: H * (1 - H)), "notebook 02, section 3",
          "V and c are right; W and b use the slope of a sigmoid.",
          "The hidden units of this exercise are tanh, whose slope has another formula."),
    wrong("hidden-slope-left-out", batch_with(slope=lambda Z, H: 1.0), "'Phase 3: send back'",
          "V and c are right; W and b are too large: tanh was jumped over.",
          "What reaches H must still pass tanh to reach the weighted sum."),
    wrong("minus-twice", batch_with(error=lambda Y, T: T - Y), "'Phase 2: compare'",
          "Every gradient has the opposite sign.",
          "Target minus output is the direction to go; the gradient points the other way."),
    wrong("slope-at-the-output-too", batch_with(error=lambda Y, T: (Y - T) * (1 - Y**2)),
          "the docstring of the exercise",
          "All gradients are wrong: the output was given a slope of tanh.",
          "The output of this network is a plain weighted sum; there is nothing to pass on the way to it."),
    wrong("forgets-the-half", batch_with(error=lambda Y, T: 2 * (Y - T)), "'Phase 2: compare'",
          "Every gradient is twice as large as it should be.",
          "The loss has a factor of one half, which cancels the 2 of the square."),
    wrong("last-example-only", batch_with(post=lambda bars, dH, dY: bars | {"b": dH[-1], "c": dY[-1]}),
          "'2 · The loop learns XOR'",
          "W and V are right; the biases hear from the last example only.",
          "Every row used the same bias, and reports add."),
    wrong("biases-not-in-the-forward-pass", lambda X, T, W, b, V, c: batch_gradients(X, T, W, 0 * b, V, 0 * c),
          "'Phase 1: feed forward'",
          "All gradients are off: H and Y were computed without biases.",
          "A bias shifts what goes into tanh, and so what comes out and what its slope is."),
    wrong("tanh-taken-twice", batch_with(slope=lambda Z, H: 1 - np.tanh(H) ** 2), "'Misconceptions met'",
          "V and c are right; in W and b the slope is taken at H, as if tanh came once more.",
          "H has passed tanh already; the slope is written with H itself."),
    wrong("divided-by-n-twice", batch_with(scale=lambda n, k: n * n), "'2 · The loop learns XOR'",
          "Every gradient is too small by a factor n; with one example all is right.",
          "One division makes the mean. What is made of divided deltas is divided already."),
    wrong("mean-in-the-output-layer-only", n_in_the_output_layer_only, "'2 · The loop learns XOR'",
          "V and c are right; W and b are n times too large.",
          "The mean stands at the very end of the network, so all that is sent back has passed it."),
    wrong("biases-summed-along-the-units", batch_with(post=lambda bars, dH, dY: bars | {
              "b": dH.sum(axis=1), "c": dY.sum(axis=1)
          }), "'2 · The loop learns XOR'",
          "W and V are right; the biases have an entry for each example instead of each unit.",
          "Rows are examples here. A bias hears from all examples, and from its own unit only."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.2",
    title="Back through a batch",
    function="batch_gradients",
    minutes=12,
    difficulty=2,
    points=4,
    see="notebook 06, '2 · The loop learns XOR'",
    reference=batch_gradients,
    domain={
        "X": Array("n i"),
        "T": Array("n k"),
        "W": Array("j i"),
        "b": Array("j"),
        "V": Array("k j"),
        "c": Array("k"),
    },
    meets={
        "all sizes are equal": lambda X, V: X.shape == V.shape and len(X) > 1,
        "as many inputs as hidden units, more or fewer outputs": lambda W, V: (
            W.shape[0] == W.shape[1] > 1 and len(V) != len(W)
        ),
        "as many outputs as hidden units, more or fewer inputs": lambda W, V: (
            V.shape[0] == V.shape[1] > 1 and V.shape != W.shape
        ),
        "as many examples as hidden units": lambda X, W: len(X) == len(W) != X.shape[1],
        "as many examples as outputs": lambda X, V: len(X) == len(V) != V.shape[1],
        "an example occurs again": lambda X, T: len({tuple(row) for row in np.hstack([X, T]).tolist()}) < len(X),
        "a target far from what comes out": lambda T: (abs(T) > 200).any(),
        "a pre-activation whose exponential overflows": lambda X, W, b: (abs(X @ W.T + b) > 710).any(),
    },
    visible=[
        batch_case(_draw, 5, 3, 2, 4),
        batch_case(_draw, 3, 2, 4, 2),
        batch_case(_draw, 7, 4, 3, 2),
        *batch_edges(_draw),
    ],
    hidden=lambda rng: [
        batch_case(rng, 6, 2, 3, 4),
        batch_case(rng, 4, 3, 5, 2),
        batch_case(rng, 4, 4, 4, 4),
        batch_case(rng, 3, 5, 2, 4),
        *batch_edges(rng),
        batch_case(rng, 130, 2, 3, 1),
        no_error_in_a_row(rng),
    ],
    accepted=[
        batch_by_engine,
        batch_by_forward_mode,
        batch_example_by_example,
        batch_by_einsum,
        batch_by_complex_step,
    ],
    bank=BANK,
    hints=(
        "Begin at the end: what is the gradient at Y, entry by entry, if the loss is a mean over the rows?",
        "A layer Y = H V^T + c sends delta_Y V back to H, delta_Y^T H to V, and the sum of delta_Y over rows to c.",
        "Between H and its weighted sum stands tanh: multiply by 1 - H**2. Then the same three rules, X for H.",
    ),
)

"""Chapter 06, training networks: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of published training code: updates before the error has gone through, slopes taken at the
pre-activation, a sign applied twice, biases left out, sums where means are meant, and the five patients of the clinic.
"""

from __future__ import annotations

import numpy as np

from coursepkg import nn, optimizers
from coursepkg.autodiff.scalar import Scalar
from coursepkg.gradients import forward, reverse
from coursepkg.grading.spec import Exercise, Misconception, case


def spread(rng, *shape, low=0.3, high=1.5):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape), 2)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# --- 06.1 one epoch, in the right order ------------------------------------------------------------------------------


def train_step(x, t, W, b, V, c, eta):
    h = 1 / (1 + np.exp(-(W @ x + b)))
    y = 1 / (1 + np.exp(-(V @ h + c)))
    delta_y = (y - t) * y * (1 - y)
    delta_h = (V.T @ delta_y) * h * (1 - h)
    return {
        "W": W - eta * np.outer(delta_h, x),
        "b": b - eta * delta_h,
        "V": V - eta * np.outer(delta_y, h),
        "c": c - eta * delta_y,
    }


def step_with_loops(x, t, W, b, V, c, eta):
    h = [sigmoid(sum(w * u for w, u in zip(row, x, strict=True)) + bias) for row, bias in zip(W, b, strict=True)]
    y = [sigmoid(sum(v * u for v, u in zip(row, h, strict=True)) + bias) for row, bias in zip(V, c, strict=True)]
    dy = [(out - want) * out * (1 - out) for out, want in zip(y, t, strict=True)]
    dh = [h[j] * (1 - h[j]) * sum(dy[k] * V[k][j] for k in range(len(y))) for j in range(len(h))]
    return {
        "W": [[W[j][i] - eta * dh[j] * x[i] for i in range(len(x))] for j in range(len(h))],
        "b": [b[j] - eta * dh[j] for j in range(len(h))],
        "V": [[V[k][j] - eta * dy[k] * h[j] for j in range(len(h))] for k in range(len(y))],
        "c": [c[k] - eta * dy[k] for k in range(len(y))],
    }


def _example_loss(p, x, t):
    y = sigmoid(p["V"] @ sigmoid(p["W"] @ x + p["b"]) + p["c"])
    return 0.5 * np.sum((y - t) ** 2)


def step_by_route(route):
    def answer(x, t, W, b, V, c, eta):
        p = {"W": W, "b": b, "V": V, "c": c}
        bars = route(lambda theta: _example_loss(theta, x, t))(p)
        return {name: p[name] - eta * bars[name] for name in p}

    return answer


step_by_engine, step_by_forward_mode = step_by_route(reverse), step_by_route(forward)


def step_as_a_batch_of_one(x, t, W, b, V, c, eta):
    X = np.append(x, 1.0)[None, :]
    H = np.append(sigmoid(X @ np.column_stack([W, b]).T), [[1.0]], axis=1)
    Y = sigmoid(H @ np.column_stack([V, c]).T)
    dY = (Y - t) * Y * (1 - Y)
    dH = (dY @ V) * H[:, :-1] * (1 - H[:, :-1])
    new_W, new_V = np.column_stack([W, b]) - eta * dH.T @ X, np.column_stack([V, c]) - eta * dY.T @ H
    return {"W": new_W[:, :-1], "b": new_W[:, -1], "V": new_V[:, :-1], "c": new_V[:, -1]}


def step_by_optimizer(x, t, W, b, V, c, eta):
    p = {name: nn.Parameter(value) for name, value in {"W": W, "b": b, "V": V, "c": c}.items()}
    optimizer = optimizers.GD(list(p.values()), lr=eta)
    _example_loss(p, x, t).backward()
    optimizer.step()
    return {name: tensor.data for name, tensor in p.items()}


def step_in_float32(*args):
    return {name: np.float32(value) for name, value in train_step(*args).items()}


def step_with(
    *, early=False, slope="output", hidden_slope="output", error=lambda y, t: y - t, sign=-1.0, biases="both", V_T=True
):
    """The right step with one idea replaced."""
    slopes = {"output": lambda z, h: h * (1 - h), "input": lambda z, h: z * (1 - z), "none": lambda z, h: 1.0}

    def answer(x, t, W, b, V, c, eta):
        zh = W @ x + b
        h = sigmoid(zh)
        zy = V @ h + c
        y = sigmoid(zy)
        dy = error(y, t) * slopes[slope](zy, y)
        new_V = V + sign * eta * np.outer(dy, h)
        carrier = new_V if early else V
        back = carrier.T @ dy if V_T else np.abs(carrier).T @ dy
        dh = back * slopes[hidden_slope](zh, h)
        return {
            "W": W + sign * eta * np.outer(dh, x),
            "b": b + sign * eta * dh if biases == "both" else b,
            "V": new_V,
            "c": c + sign * eta * dy if biases != "none" else c,
        }

    return answer


def swapped_layers(x, t, W, b, V, c, eta):
    """The hidden layer is sent the output error through the outputs' own activations."""
    h = sigmoid(W @ x + b)
    y = sigmoid(V @ h + c)
    dy = (y - t) * y * (1 - y)
    dh = (V.T @ (y - t)) * h * (1 - h)
    return {"W": W - eta * np.outer(dh, x), "b": b - eta * dh, "V": V - eta * np.outer(dy, h), "c": c - eta * dy}


def network_case(rng, n_in, n_hidden, n_out, eta):
    arrays = [spread(rng, *shape) for shape in [(n_hidden, n_in), (n_hidden,), (n_out, n_hidden), (n_out,)]]
    return case(spread(rng, n_in), np.round(rng.uniform(0.05, 0.95, n_out), 2), *arrays, eta)


MAZUR = case(
    np.array([0.05, 0.10]), np.array([0.01, 0.99]), np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([0.35, 0.35]),
    np.array([[0.40, 0.45], [0.50, 0.55]]), np.array([0.60, 0.60]), 0.5,
)  # fmt: skip
_draw = np.random.default_rng(61)

ORDER = Exercise(
    id="06.1",
    title="One epoch, in the right order",
    function="train_step",
    minutes=12,
    difficulty=2,
    points=4,
    see="notebook 06, 'Phase 3: send back'",
    reference=train_step,
    visible=[
        MAZUR,
        network_case(_draw, 3, 2, 4, 0.8),
        network_case(_draw, 2, 4, 3, 1.5),
        network_case(_draw, 4, 3, 1, 0.7),
    ],
    hidden=lambda rng: [
        network_case(rng, 3, 4, 2, 0.9),
        network_case(rng, 2, 3, 5, 1.2),
        network_case(rng, 5, 2, 3, 0.6),
        network_case(rng, 4, 3, 2, 1.4),
    ],
    accepted=[
        step_with_loops,
        step_by_engine,
        step_by_forward_mode,
        step_as_a_batch_of_one,
        step_by_optimizer,
        step_in_float32,
    ],
    bank=[
        Misconception(
            id="updates-too-early",
            answer=step_with(early=True),
            looks_like="V and c are right; W and b are off by a little, the more so the larger eta is.",
            why="V was changed before the error was sent back through it, but the forward pass had used the old V.",
            look_at="'In which order?'",
        ),
        Misconception(
            id="slope-at-the-pre-activation",
            answer=step_with(slope="input", hidden_slope="input"),
            looks_like="The slopes of the sigmoids are taken at z instead of at the output.",
            why="The handy formula for the slope of a sigmoid is written in terms of what comes out of it.",
            look_at="'Phase 3: send back'",
        ),
        Misconception(
            id="hidden-slope-at-the-pre-activation",
            answer=step_with(hidden_slope="input"),
            looks_like="V and c are right; in the hidden layer the slope is taken at z.",
            why="The handy formula for the slope of a sigmoid is written in terms of what comes out of it.",
            look_at="'Phase 3: send back'",
        ),
        Misconception(
            id="minus-twice",
            answer=step_with(error=lambda y, t: t - y),
            looks_like="Every parameter moves the right distance the wrong way: the loss would rise.",
            why="With target minus output the sign is already turned; subtracting the step turns it again.",
            look_at="'Phase 2: compare'",
        ),
        Misconception(
            id="biases-left-behind",
            answer=step_with(biases="none"),
            looks_like="W and V are right; the biases have not moved.",
            why="A bias is a weight too: one whose input is always 1.",
            look_at="'Phase 3: send back'",
        ),
        Misconception(
            id="hidden-bias-left-behind",
            answer=step_with(biases="output"),
            looks_like="Everything is right except the hidden bias, which has not moved.",
            why="A bias is a weight too: one whose input is always 1.",
            look_at="'Phase 3: send back'",
        ),
        Misconception(
            id="no-slope-at-the-output",
            answer=step_with(slope="none"),
            looks_like="All changes are too large: the output error went back without passing the output's sigmoid.",
            why="Between the weighted sum and the error stands a sigmoid, and it has a slope.",
            look_at="'Phase 3: send back'",
        ),
        Misconception(
            id="no-slope-in-the-hidden-layer",
            answer=step_with(hidden_slope="none"),
            looks_like="V and c are right; W and b change too much: the hidden sigmoid was jumped over.",
            why="What reaches h must still pass the hidden sigmoid to reach its weighted sum.",
            look_at="'Phase 3: send back'",
        ),
        Misconception(
            id="error-instead-of-delta-sent-back",
            answer=swapped_layers,
            looks_like="V and c are right; the hidden layer was sent y - t instead of the outputs' delta.",
            why="The weights V join h to the weighted sums of the outputs, so what comes back is the gradient there.",
            look_at="'Phase 3: send back'",
        ),
        Misconception(
            id="forgets-the-half",
            answer=step_with(error=lambda y, t: 2 * (y - t)),
            looks_like="Every change is twice as large as it should be.",
            why="The loss of this exercise has a factor of one half in front, which cancels the 2 of the square.",
            look_at="'Phase 2: compare'",
        ),
        Misconception(
            id="sizes-of-weights-only",
            answer=step_with(V_T=False),
            looks_like="V and c are right; W and b are wrong wherever a weight of V is negative.",
            why="Blame goes back with the sign of the weight: an output that should rise wants its hinderers to fall.",
            look_at="'Phase 3: send back'",
        ),
    ],
    hints=(
        "Run forward and keep h and y. Work out both deltas before you change any parameter.",
        "delta_y is the error times the slope of the output's sigmoid, written with y. The hidden units get V "
        "transposed times delta_y.",
        "A weight matrix changes by minus eta times the outer product of its layer's delta and what came in; a bias by "
        "minus eta times the delta itself.",
    ),
)


# --- 06.2 back through a batch ---------------------------------------------------------------------------------------


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


def batch_case(rng, n, n_in, n_hidden, n_out):
    arrays = [spread(rng, *shape) for shape in [(n_hidden, n_in), (n_hidden,), (n_out, n_hidden), (n_out,)]]
    return case(spread(rng, n, n_in), spread(rng, n, n_out), *arrays)


_draw = np.random.default_rng(62)

BATCH = Exercise(
    id="06.2",
    title="Back through a batch",
    function="batch_gradients",
    minutes=12,
    difficulty=2,
    points=4,
    see="notebook 06, '2 · The loop learns XOR'",
    reference=batch_gradients,
    visible=[batch_case(_draw, 5, 3, 2, 4), batch_case(_draw, 3, 2, 4, 2), batch_case(_draw, 7, 4, 3, 2)],
    hidden=lambda rng: [
        batch_case(rng, 6, 2, 3, 4),
        batch_case(rng, 4, 3, 5, 2),
        batch_case(rng, 3, 5, 2, 4),
    ],
    accepted=[
        batch_by_engine,
        batch_by_forward_mode,
        batch_example_by_example,
        batch_by_einsum,
        batch_by_complex_step,
    ],
    bank=[
        Misconception(
            id="sum-for-mean",
            answer=batch_with(scale=lambda n, k: 1),
            looks_like="Every gradient is n times too large, n being the number of examples.",
            why="The loss is a mean over the examples, so each of them counts one n-th.",
            look_at="'2 · The loop learns XOR'",
        ),
        Misconception(
            id="mean-over-all-entries",
            answer=batch_with(scale=lambda n, k: n * k),
            looks_like="Every gradient is too small by the number of outputs.",
            why="The mean goes over examples; within an example the squared errors are summed.",
            look_at="'2 · The loop learns XOR'",
        ),
        Misconception(
            id="bias-averaged-again",
            answer=batch_with(bias=np.mean),
            looks_like="W and V are right; the biases are too small by a factor n.",
            why="The deltas have been divided by n already. The bias was copied to every row, so rows are summed.",
            look_at="'2 · The loop learns XOR'",
        ),
        Misconception(
            id="weights-mean-biases-sum",
            answer=batch_with(post=lambda bars, dH, dY: bars | {"b": len(dH) * bars["b"], "c": len(dY) * bars["c"]}),
            looks_like="W and V are right; the biases are n times too large.",
            why="The bias belongs to the same mean as the weights.",
            look_at="'2 · The loop learns XOR'",
        ),
        Misconception(
            id="slope-at-the-pre-activation",
            answer=batch_with(slope=lambda Z, H: 1 - Z**2),
            looks_like="V and c are right; W and b use one minus the square of z.",
            why="The slope of tanh is one minus the square of its output.",
            look_at="'Misconceptions met'",
        ),
        Misconception(
            id="slope-of-a-sigmoid",
            answer=batch_with(slope=lambda Z, H: H * (1 - H)),
            looks_like="V and c are right; W and b use the slope of a sigmoid.",
            why="The hidden units of this exercise are tanh, whose slope has another formula.",
            look_at="notebook 02, section 3",
        ),
        Misconception(
            id="hidden-slope-left-out",
            answer=batch_with(slope=lambda Z, H: 1.0),
            looks_like="V and c are right; W and b are too large: tanh was jumped over.",
            why="What reaches H must still pass tanh to reach the weighted sum.",
            look_at="'Phase 3: send back'",
        ),
        Misconception(
            id="minus-twice",
            answer=batch_with(error=lambda Y, T: T - Y),
            looks_like="Every gradient has the opposite sign.",
            why="Target minus output is the direction to go; the gradient points the other way.",
            look_at="'Phase 2: compare'",
        ),
        Misconception(
            id="slope-at-the-output-too",
            answer=batch_with(error=lambda Y, T: (Y - T) * (1 - Y**2)),
            looks_like="All gradients are wrong: the output was given a slope of tanh.",
            why="The output of this network is a plain weighted sum; there is nothing to pass on the way to it.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="forgets-the-half",
            answer=batch_with(error=lambda Y, T: 2 * (Y - T)),
            looks_like="Every gradient is twice as large as it should be.",
            why="The loss has a factor of one half, which cancels the 2 of the square.",
            look_at="'Phase 2: compare'",
        ),
        Misconception(
            id="last-example-only",
            answer=batch_with(post=lambda bars, dH, dY: bars | {"b": dH[-1], "c": dY[-1]}),
            looks_like="W and V are right; the biases hear from the last example only.",
            why="Every row used the same bias, and reports add.",
            look_at="'2 · The loop learns XOR'",
        ),
    ],
    hints=(
        "Begin at the end: what is the gradient at Y, entry by entry, if the loss is a mean over the rows?",
        "A layer Y = H V^T + c sends delta_Y V back to H, delta_Y^T H to V, and the sum of delta_Y over rows to c.",
        "Between H and its weighted sum stands tanh: multiply by 1 - H**2. Then the same three rules, X for H.",
    ),
)


# --- 06.3 cross-entropy from a score ---------------------------------------------------------------------------------


def bce_with_logits(z, t):
    loss = np.mean(np.maximum(z, 0) - t * z + np.log1p(np.exp(-np.abs(z))))
    probability = np.exp(-np.logaddexp(0, -z))
    return {"loss": loss, "z_bar": (probability - t) / len(z)}


def bce_by_logaddexp(z, t):
    return {"loss": np.mean(np.logaddexp(0, z) - t * z), "z_bar": (0.5 * (1 + np.tanh(z / 2)) - t) / z.size}


def bce_by_loops(z, t):
    loss, bars = 0.0, []
    for score, target in zip(z, t, strict=True):
        small = float(np.exp(-abs(score)))
        loss += (score if score > 0 else 0.0) - target * score + float(np.log1p(small))
        bars.append(((1.0 if score > 0 else small) / (1 + small) - target) / len(z))
    return {"loss": loss / len(z), "z_bar": bars}


def bce_by_engine(z, t):
    f = nn.binary_cross_entropy_with_logits
    return {"loss": f(z, t), "z_bar": reverse(lambda scores: f(scores, t))(z)}


def bce_by_two_classes(z, t):
    logits, target = np.stack([np.zeros_like(z), z], axis=1), np.stack([1 - t, t], axis=1)
    bar = reverse(lambda scores: nn.cross_entropy(scores, target))(logits)
    return {"loss": np.float64(nn.cross_entropy(logits, target)), "z_bar": bar[:, 1]}


def bce_by_scalars(z, t):
    loss, scores = 0.0, [Scalar(float(score)) for score in z]
    for score, target in zip(scores, t, strict=True):
        positive = score if score.data > 0 else Scalar(0.0)
        loss = loss + positive - score * float(target) + ((-abs(score)).exp() + 1.0).log()
    loss = loss / len(z)
    loss.backward()
    return {"loss": loss.data, "z_bar": [score.grad for score in scores]}


def bce_naive(z, t):
    with np.errstate(all="ignore"):
        p = np.exp(z) / (1 + np.exp(z))
        return {"loss": np.mean(-t * np.log(p) - (1 - t) * np.log(1 - p)), "z_bar": (p - t) / len(z)}


def bce_clipped(z, t):
    p = np.clip(0.5 * (1 + np.tanh(z / 2)), 1e-7, 1 - 1e-7)
    return {"loss": np.mean(-t * np.log(p) - (1 - t) * np.log(1 - p)), "z_bar": (p - t) / len(z)}


def bce_with(*, scale=len, bar=lambda p, t: p - t, loss=lambda z, t: np.logaddexp(0, z) - t * z, mean=np.mean):
    def answer(z, t):
        p = np.exp(-np.logaddexp(0, -z))
        return {"loss": mean(loss(z, t)), "z_bar": bar(p, t) / scale(z)}

    return answer


def score_case(rng, n, *extreme):
    """Scores of both signs, and far-out ones on which an exponential overflows or a logarithm meets zero."""
    z = np.append(spread(rng, n, low=0.4, high=4.0), extreme)
    t = np.append(rng.integers(0, 2, n).astype(float), [0.0 if score > 0 else 1.0 for score in extreme])
    return case(z, np.where(np.arange(len(t)) == 0, 0.25, t))


_draw = np.random.default_rng(63)

BCE = Exercise(
    id="06.3",
    title="Yes or no, from a score",
    function="bce_with_logits",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 06, 'What should the first loss be?'",
    reference=bce_with_logits,
    visible=[score_case(_draw, 4), score_case(_draw, 3, 40.0, -38.0), score_case(_draw, 5, 800.0, -900.0)],
    hidden=lambda rng: [score_case(rng, 5), score_case(rng, 4, 45.0, -42.0), score_case(rng, 3, 850.0, -750.0)],
    accepted=[bce_by_logaddexp, bce_by_loops, bce_by_engine, bce_by_two_classes, bce_by_scalars],
    bank=[
        Misconception(
            id="overflows",
            answer=bce_naive,
            looks_like="Right for small scores; nan or infinity for large ones.",
            why="The exponential of 800 is no number, and the logarithm of a probability rounded to 1 or 0 is lost.",
            look_at="'What should the first loss be?'",
        ),
        Misconception(
            id="clips-the-probability",
            answer=bce_clipped,
            looks_like="Right for small scores; for large ones the loss stops near 16 although it should grow on.",
            why="Clipping hides the overflow and cuts the loss off; no clipping is needed if exp only sees negatives.",
            look_at="'What should the first loss be?'",
        ),
        Misconception(
            id="sum-for-mean",
            answer=bce_with(scale=lambda z: 1, mean=np.sum),
            looks_like="Loss and gradient are n times too large.",
            why="The loss is the mean over the examples.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="gradient-of-the-sum",
            answer=bce_with(scale=lambda z: 1),
            looks_like="The loss is right; the gradient is n times too large.",
            why="The mean in the loss divides the gradient as well.",
            look_at="'2 · The loop learns XOR'",
        ),
        Misconception(
            id="sigmoid-slope-left-in",
            answer=bce_with(bar=lambda p, t: (p - t) * p * (1 - p)),
            looks_like="The loss is right; the gradient has a factor p (1 - p) too much and dies for large scores.",
            why="That is the gradient of the squared error. In cross-entropy the slope cancels, and that is its point.",
            look_at="notebook 03, section 9",
        ),
        Misconception(
            id="gradient-at-the-probability",
            answer=bce_with(bar=lambda p, t: (p - t) / np.maximum(p * (1 - p), 1e-300)),
            looks_like="The loss is right; the gradient is divided by p (1 - p).",
            why="That is the gradient at the probability. One step further back stands the sigmoid.",
            look_at="'What should the first loss be?'",
        ),
        Misconception(
            id="minus-the-gradient",
            answer=bce_with(bar=lambda p, t: t - p),
            looks_like="The loss is right; the gradient has the opposite sign.",
            why="If the answer is yes, a higher score lowers the loss: the gradient is negative there.",
            look_at="'Phase 2: compare'",
        ),
        Misconception(
            id="score-taken-for-probability",
            answer=bce_with(bar=lambda p, t: np.log(p / np.maximum(1 - p, 1e-300)) - t),
            looks_like="The loss is right; in the gradient the score stands where its probability should.",
            why="A score runs over all numbers; the probability is the score's sigmoid.",
            look_at="'What should the first loss be?'",
        ),
        Misconception(
            id="only-the-yes-part",
            answer=bce_with(loss=lambda z, t: t * np.logaddexp(0, -z), bar=lambda p, t: t * (p - 1)),
            looks_like="Examples whose answer is no cost nothing and get no gradient.",
            why="With two classes, no is an answer as well: its probability is one minus that of yes.",
            look_at="'What should the first loss be?'",
        ),
    ],
    hints=(
        "For one example the loss is ln(1 + exp(z)) - t z. Try z = 800 in your formula, then z = -800.",
        "ln(1 + exp(z)) = max(z, 0) + ln(1 + exp(-|z|)), and an exponential of a negative number never overflows. "
        "`np.log1p` and `np.logaddexp` help.",
        "The gradient is sigmoid(z) - t, divided by the number of examples; a sigmoid that never overflows is "
        "(1 + tanh(z / 2)) / 2.",
    ),
)


# --- 06.4 dropout, both ways -----------------------------------------------------------------------------------------


def dropout(x, y_bar, draws, p):
    mask = (draws >= p) / (1 - p)
    return {"y": x * mask, "x_bar": y_bar * mask}


def dropout_by_where(x, y_bar, draws, p):
    return {"y": np.where(draws < p, 0.0, x / (1 - p)), "x_bar": np.where(draws < p, 0.0, y_bar / (1 - p))}


def dropout_in_place(x, y_bar, draws, p):
    y, x_bar = x.copy(), y_bar.copy()
    for array in (y, x_bar):
        array[draws < p] = 0.0
        array /= 1 - p
    return {"y": y, "x_bar": x_bar}


def dropout_by_loops(x, y_bar, draws, p):
    def kept(array):
        return [
            [value / (1 - p) if u >= p else 0.0 for value, u in zip(*rows, strict=True)]
            for rows in zip(array, draws, strict=True)
        ]

    return {"y": kept(x), "x_bar": kept(y_bar)}


def dropout_by_engine(x, y_bar, draws, p):
    mask = np.where(draws >= p, 1 / (1 - p), 0.0)
    return {"y": x * mask, "x_bar": reverse(lambda u: np.sum(u * mask * y_bar))(x)}


def dropout_by_jacobian(x, y_bar, draws, p):
    J = np.diag(((draws >= p) / (1 - p)).ravel())
    return {"y": (J @ x.ravel()).reshape(x.shape), "x_bar": (J.T @ y_bar.ravel()).reshape(x.shape)}


def dropout_with(forward_mask, backward_mask):
    def answer(x, y_bar, draws, p):
        return {"y": x * forward_mask(draws, p), "x_bar": y_bar * backward_mask(draws, p, x)}

    return answer


def _mask(draws, p, x=None):
    return (draws >= p) / (1 - p)


def dropout_case(rng, rows, columns, p):
    """At least one entry is left out and one is kept in each row's neighbourhood; no draw lies at p itself."""
    draws = np.round(rng.uniform(0.02, 0.98, (rows, columns)), 3) + 0.0005
    draws.flat[:2] = round(p / 2, 3) + 0.0005, round((1 + p) / 2, 3) + 0.0005
    return case(spread(rng, rows, columns), spread(rng, rows, columns), draws, p)


_draw = np.random.default_rng(64)

DROPOUT = Exercise(
    id="06.4",
    title="Dropout, there and back",
    function="dropout",
    minutes=7,
    difficulty=1,
    points=3,
    see="notebook 06, '6 · Learning by heart'",
    reference=dropout,
    visible=[dropout_case(_draw, 2, 4, 0.3), dropout_case(_draw, 3, 5, 0.6), dropout_case(_draw, 4, 3, 0.2)],
    hidden=lambda rng: [dropout_case(rng, 3, 4, 0.3), dropout_case(rng, 2, 6, 0.7), dropout_case(rng, 5, 3, 0.4)],
    accepted=[dropout_by_where, dropout_in_place, dropout_by_loops, dropout_by_engine, dropout_by_jacobian],
    bank=[
        Misconception(
            id="never-scaled",
            answer=dropout_with(lambda u, p: u >= p, lambda u, p, x: u >= p),
            looks_like="The right entries are zero, but those that are kept have not been scaled up.",
            why="Without scaling, the expected output while training is smaller than in evaluation.",
            look_at="'6 · Learning by heart'",
        ),
        Misconception(
            id="backward-not-scaled",
            answer=dropout_with(_mask, lambda u, p, x: u >= p),
            looks_like="y is right; the gradient has its zeros in the right places but was not scaled.",
            why="y is x times a factor, so the gradient gets the same factor.",
            look_at="'6 · Learning by heart'",
        ),
        Misconception(
            id="backward-not-masked",
            answer=dropout_with(_mask, lambda u, p, x: np.ones_like(u)),
            looks_like="y is right; the gradient passes as if nothing had been left out.",
            why="An entry that was left out cannot have influenced the result.",
            look_at="'6 · Learning by heart'",
        ),
        Misconception(
            id="another-mask-on-the-way-back",
            answer=dropout_with(_mask, lambda u, p, x: (u[::-1, ::-1] >= p) / (1 - p)),
            looks_like="y is right; the gradient's zeros are in other places.",
            why="The way back belongs to the way there: the units that were out are still out.",
            look_at="'6 · Learning by heart'",
        ),
        Misconception(
            id="keeps-what-it-should-drop",
            answer=dropout_with(lambda u, p: (u < p) / p, lambda u, p, x: (u < p) / p),
            looks_like="Zeros stand where the values should be, and values where the zeros should be.",
            why="p is the probability of being left out, so draws below p are the ones that go.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="divided-by-p",
            answer=dropout_with(lambda u, p: (u >= p) / p, lambda u, p, x: (u >= p) / p),
            looks_like="The right entries are zero; the others were divided by p.",
            why="A share of 1 - p is kept. Dividing by the share that is kept brings the mean back.",
            look_at="'6 · Learning by heart'",
        ),
        Misconception(
            id="scaled-down",
            answer=dropout_with(lambda u, p: (u >= p) * (1 - p), lambda u, p, x: (u >= p) * (1 - p)),
            looks_like="The right entries are zero; the others were made smaller instead of larger.",
            why="Scaling down belongs to evaluation in an older convention; here evaluation does nothing.",
            look_at="'6 · Learning by heart'",
        ),
        Misconception(
            id="open-where-x-is-positive",
            answer=dropout_with(_mask, lambda u, p, x: (x > 0) / (1 - p)),
            looks_like="y is right; the gradient passes where x is positive, as through a ReLU.",
            why="Whether an entry is left out was decided by the draw, not by its value.",
            look_at="'6 · Learning by heart'",
        ),
    ],
    hints=(
        "Dropout multiplies each entry by a number that does not depend on x. Which numbers?",
        "The factor is 0 where the draw is below p, and one over the share that is kept elsewhere.",
        "Make the array of factors once. y is x times it; x_bar is y_bar times the same array.",
    ),
    equivalent_mutants={
        "`draws >= p` → `draws > p`": "no draw is exactly p",
    },
)


# --- 06.5 many small batches, one gradient ---------------------------------------------------------------------------


def full_batch_gradient(gradients, sizes):
    total = sum(size * np.asarray(gradient) for size, gradient in zip(sizes, gradients, strict=True))
    return total / sum(sizes)


def combined_by_average(gradients, sizes):
    return np.average(np.array(gradients), axis=0, weights=sizes)


def combined_by_running_mean(gradients, sizes):
    mean, seen = np.zeros_like(gradients[0]), 0
    for gradient, size in zip(gradients, sizes, strict=True):
        seen += size
        mean = mean + (gradient - mean) * size / seen
    return mean


def combined_by_repeating(gradients, sizes):
    return np.repeat(np.array(gradients), sizes, axis=0).mean(axis=0)


def combined_by_einsum(gradients, sizes):
    return np.einsum("k,kij->ij", np.array(sizes) / np.sum(sizes), np.array(gradients)).tolist()


def combined_by_shares(gradients, sizes):
    n = sum(sizes)
    return sum((size / n) * gradient for gradient, size in zip(gradients, sizes, strict=True))


def batches_case(rng, shape, sizes):
    return case([spread(rng, *shape) for _ in sizes], list(sizes))


_draw = np.random.default_rng(65)

ACCUMULATE = Exercise(
    id="06.5",
    title="Many small batches, one gradient",
    function="full_batch_gradient",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 06, '2 · The loop learns XOR'",
    reference=full_batch_gradient,
    visible=[
        batches_case(_draw, (2, 3), (32, 32, 7)),
        batches_case(_draw, (3, 2), (5, 4)),
        batches_case(_draw, (2, 4), (10, 3, 3, 1)),
    ],
    hidden=lambda rng: [
        batches_case(rng, (3, 2), (16, 16, 3)),
        batches_case(rng, (2, 5), (4, 9)),
        batches_case(rng, (3, 4), (8, 2, 8, 5)),
    ],
    accepted=[
        combined_by_average,
        combined_by_running_mean,
        combined_by_repeating,
        combined_by_einsum,
        combined_by_shares,
    ],
    bank=[
        Misconception(
            id="mean-of-means",
            answer=lambda gradients, sizes: sum(gradients) / len(gradients),
            looks_like="Right only if all batches have the same size; here the short batch counts too much.",
            why="Each number you were given is a mean already, over a different number of examples.",
            look_at="'2 · The loop learns XOR'",
        ),
        Misconception(
            id="sum-of-means",
            answer=lambda gradients, sizes: sum(gradients),
            looks_like="The batches' gradients are simply added up.",
            why="That is what backward() leaves in .grad if the loss of each batch is a mean: too large by about "
            "the number of batches.",
            look_at="'7 · Five patients'",
        ),
        Misconception(
            id="last-batch",
            answer=lambda gradients, sizes: gradients[-1],
            looks_like="You returned the gradient of the last batch.",
            why="Setting gradients to zero between the small batches throws away all but the last.",
            look_at="'The same loop with an engine'",
        ),
        Misconception(
            id="sum-over-examples",
            answer=lambda gradients, sizes: sum(s * g for s, g in zip(sizes, gradients, strict=True)),
            looks_like="Too large by the number of examples.",
            why="Weighting by sizes gives the sum over all examples; the mean has to divide it.",
            look_at="'2 · The loop learns XOR'",
        ),
        Misconception(
            id="weighted-but-divided-by-batches",
            answer=lambda gradients, sizes: sum(s * g for s, g in zip(sizes, gradients, strict=True)) / len(sizes),
            looks_like="Weighted by sizes, but divided by the number of batches.",
            why="Weights have to be divided by their own sum.",
            look_at="'2 · The loop learns XOR'",
        ),
        Misconception(
            id="divided-by-sizes",
            answer=lambda gradients, sizes: sum(g / s for s, g in zip(sizes, gradients, strict=True)),
            looks_like="Each gradient was divided by the size of its batch once more.",
            why="Each number you were given is a mean already; dividing again makes large batches count least.",
            look_at="'2 · The loop learns XOR'",
        ),
        Misconception(
            id="drops-the-short-batch",
            answer=lambda gradients, sizes: np.average(np.array(gradients[:-1]), axis=0, weights=sizes[:-1]),
            looks_like="The last batch does not count.",
            why="A short last batch is still made of examples, and each has a right to its share.",
            look_at="'2 · The loop learns XOR'",
        ),
    ],
    hints=(
        "Undo the means first: what is the sum of a batch's gradients, if you know their mean and number?",
        "Add these sums over all batches. Over how many examples was that?",
        "Sum of size times gradient, divided by the sum of the sizes.",
    ),
)


# --- 06.6 a start for patient C --------------------------------------------------------------------------------------


def he_weights(draws):
    return draws * np.sqrt(2 / draws.shape[1])


def he_by_loops(draws):
    return [[value * (2 / len(row)) ** 0.5 for value in row] for row in draws]


def he_by_division(draws):
    inputs = np.shape(draws)[-1]
    return np.divide(draws, np.sqrt(inputs / 2))


def he_by_matrix(draws):
    return draws @ np.diag(np.full(draws.shape[1], np.sqrt(2.0) / np.sqrt(draws.shape[1])))


def he_in_float32(draws):
    return (np.float32(draws) * np.float32(np.sqrt(2 / draws.shape[1]))).astype(np.float32)


def he_by_powers(draws):
    weights = draws.copy()
    weights *= (draws.size / len(draws) / 2) ** -0.5
    return weights


def draws_case(rng, outputs, inputs):
    return case(spread(rng, outputs, inputs, low=0.2, high=2.0))


_draw = np.random.default_rng(66)

START = Exercise(
    id="06.6",
    title="A start for patient C",
    function="he_weights",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 06, '4 · Signals through depth'",
    reference=he_weights,
    visible=[draws_case(_draw, 2, 5), draws_case(_draw, 4, 3), draws_case(_draw, 3, 8)],
    hidden=lambda rng: [draws_case(rng, 3, 5), draws_case(rng, 6, 3), draws_case(rng, 2, 7)],
    accepted=[he_by_loops, he_by_division, he_by_matrix, he_in_float32, he_by_powers],
    bank=[
        Misconception(
            id="variance-for-deviation",
            answer=lambda draws: draws * 2 / draws.shape[1],
            looks_like="The numbers are scaled by the variance itself.",
            why="Scaling a random number by s scales its variance by the square of s.",
            look_at="'4 · Signals through depth'",
        ),
        Misconception(
            id="fan-out-for-fan-in",
            answer=lambda draws: draws * np.sqrt(2 / draws.shape[0]),
            looks_like="The scale uses the number of outputs.",
            why="A pre-activation sums over the inputs of its unit. In a matrix of shape (outputs, inputs) these are "
            "the columns.",
            look_at="'4 · Signals through depth'",
        ),
        Misconception(
            id="no-room-for-relu",
            answer=lambda draws: draws * np.sqrt(1 / draws.shape[1]),
            looks_like="Every weight is too small by the square root of two.",
            why="That is the scale for tanh. A ReLU lets only half of the mean square through.",
            look_at="'4 · Signals through depth'",
        ),
        Misconception(
            id="glorot-for-he",
            answer=lambda draws: draws * np.sqrt(2 / sum(draws.shape)),
            looks_like="The scale uses inputs plus outputs.",
            why="That is Glorot's compromise, made for tanh.",
            look_at="'4 · Signals through depth'",
        ),
        Misconception(
            id="all-weights-count",
            answer=lambda draws: draws * np.sqrt(2 / draws.size),
            looks_like="The scale uses the number of all weights.",
            why="One pre-activation sums over one row only.",
            look_at="'4 · Signals through depth'",
        ),
        Misconception(
            id="constant-start",
            answer=lambda draws: np.full(draws.shape, np.sqrt(2 / draws.shape[1])),
            looks_like="All weights are equal.",
            why="This is what made patient C ill: equal units get equal gradients and stay copies.",
            look_at="'Starting alike, staying alike'",
        ),
        Misconception(
            id="scaled-up",
            answer=lambda draws: draws * np.sqrt(draws.shape[1] / 2),
            looks_like="The more inputs, the larger your weights; it should be the other way round.",
            why="More terms in a sum make it larger, so each has to be smaller.",
            look_at="'4 · Signals through depth'",
        ),
        Misconception(
            id="not-scaled",
            answer=lambda draws: draws.copy(),
            looks_like="The draws came back as they were.",
            why="With a variance of 1 each, a sum over the inputs has a variance that grows with their number.",
            look_at="'4 · Signals through depth'",
        ),
    ],
    hints=(
        "Which variance should a weight have in front of a ReLU, and which number is needed for that: rows or columns?",
        "Multiplying standard normal draws by s gives them the variance s squared.",
        "s is the square root of 2 over the number of inputs, and a row of the matrix holds the inputs of one unit.",
    ),
    equivalent_mutants={
        "`1` → `-1`": "the last axis of a matrix is its second",
    },
)


# --- 06.7 fresh gradients for patient A ------------------------------------------------------------------------------


def training_step(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.grad = 0.0
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def step_by_method(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss = loss_of()
    loss.backward()
    for parameter in parameters:
        parameter.data = parameter.data - eta * parameter.grad


def step_cleans_up_after(parameters, loss_of, eta):
    loss = loss_of()
    loss.backward()
    for parameter in parameters:
        parameter.data += -eta * parameter.grad
        parameter.zero_grad()


def step_zeroes_before_backward(parameters, loss_of, eta):
    loss = loss_of()
    [parameter.zero_grad() for parameter in parameters]
    loss.backward()
    steps = [eta * parameter.grad for parameter in parameters]
    for parameter, step in zip(parameters, steps, strict=True):
        parameter.data -= step


def step_by_optimizer_class(parameters, loss_of, eta):
    optimizer = optimizers.GD(parameters, lr=eta)
    optimizer.zero_grad()
    loss_of().backward()
    optimizer.step()


def step_by_differences_of_grad(parameters, loss_of, eta):
    before = [parameter.grad for parameter in parameters]
    loss_of().backward()
    for parameter, old in zip(parameters, before, strict=True):
        parameter.data -= eta * (parameter.grad - old)


def hoards(parameters, loss_of, eta):
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def climbs(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for parameter in parameters:
        parameter.data += eta * parameter.grad


def zeroes_too_late(parameters, loss_of, eta):
    loss_of().backward()
    for parameter in parameters:
        parameter.zero_grad()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def zeroes_the_first_only(parameters, loss_of, eta):
    parameters[0].zero_grad()
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def moves_the_first_only(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    parameters[0].data -= eta * parameters[0].grad


def forgets_eta(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= parameter.grad


def overwrites(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for parameter in parameters:
        parameter.data = -eta * parameter.grad


def backward_twice(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def interleaved(parameters, loss_of, eta):
    for _ in parameters:
        for other in parameters:
            other.zero_grad()
        loss_of().backward()
        for other in parameters:
            other.data -= eta * other.grad


def quadratic_case(rng, count, eta):
    curvatures = [round(float(c), 2) for c in rng.uniform(0.5, 2.0, count)]
    return case(spread(rng, count).tolist(), curvatures, spread(rng, count, low=2.0, high=4.0).tolist(), eta, steps=4)


_draw = np.random.default_rng(67)

FRESH = Exercise(
    id="06.7",
    title="Fresh gradients for patient A",
    function="training_step",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 06, 'The same loop with an engine'",
    driver="training_step",
    reference=training_step,
    visible=[quadratic_case(_draw, 2, 0.3), quadratic_case(_draw, 3, 0.4), quadratic_case(_draw, 4, 0.2)],
    hidden=lambda rng: [quadratic_case(rng, 3, 0.3), quadratic_case(rng, 2, 0.4), quadratic_case(rng, 5, 0.25)],
    accepted=[
        step_by_method,
        step_cleans_up_after,
        step_zeroes_before_backward,
        step_by_optimizer_class,
        step_by_differences_of_grad,
    ],
    bank=[
        Misconception(
            id="never-emptied",
            answer=hoards,
            looks_like="The first step is right; from then on steps are too long, as patient A's were.",
            why="backward() adds to what is in .grad, and the gradients of earlier steps are still there.",
            look_at="'7 · Five patients'",
        ),
        Misconception(
            id="uphill",
            answer=climbs,
            looks_like="Parameters move the right distance the wrong way.",
            why="The gradient points to where the loss grows.",
            look_at="'Phase 4: update'",
        ),
        Misconception(
            id="emptied-before-use",
            answer=zeroes_too_late,
            looks_like="Nothing moves.",
            why="Between backward() and the update the gradients were set to zero.",
            look_at="'The same loop with an engine'",
        ),
        Misconception(
            id="one-parameter-emptied",
            answer=zeroes_the_first_only,
            looks_like="The first parameter is right; the others take too long steps after the first one.",
            why="Every parameter has a .grad of its own, and each has to be emptied.",
            look_at="'The same loop with an engine'",
        ),
        Misconception(
            id="one-parameter-moved",
            answer=moves_the_first_only,
            looks_like="Only the first parameter moves.",
            why="All parameters learn, each with its own gradient.",
            look_at="'Phase 4: update'",
        ),
        Misconception(
            id="no-learning-rate",
            answer=forgets_eta,
            looks_like="Steps are too long by one over eta.",
            why="The gradient says which way and how steep; how far to go is decided by eta.",
            look_at="'Phase 4: update'",
        ),
        Misconception(
            id="replaces-the-parameter",
            answer=overwrites,
            looks_like="The parameters hold the steps themselves.",
            why="A step is added to where the parameter was.",
            look_at="'Phase 4: update'",
        ),
        Misconception(
            id="gradient-computed-twice",
            answer=backward_twice,
            looks_like="Steps are twice as long as they should be.",
            why="Two calls of backward() add up two gradients.",
            look_at="'The same loop with an engine'",
        ),
        Misconception(
            id="a-step-for-each-parameter",
            answer=interleaved,
            looks_like="There are as many steps as parameters in each call.",
            why="One backward pass serves all parameters; the update of all of them is one step.",
            look_at="'Phase 4: update'",
        ),
    ],
    hints=(
        "Four phases, and one thing before them. Which line that you know from the chapter is missing in patient A?",
        "Set every parameter's .grad to 0.0, then compute the loss and go backward, then move every parameter.",
        "loss_of().backward() does two phases; the update is parameter.data -= eta * parameter.grad for each of them.",
    ),
)


# --- 06.8 no second softmax for patient B ----------------------------------------------------------------------------


def loss_of_probabilities(P, labels):
    rows = np.arange(len(P))
    chosen = P[rows, labels]
    P_bar = np.zeros(P.shape)
    P_bar[rows, labels] = -1 / (len(P) * chosen)
    return {"loss": -np.mean(np.log(chosen)), "P_bar": P_bar}


def loss_by_one_hot(P, labels):
    T = np.eye(P.shape[1])[labels]
    return {"loss": -np.sum(T * np.log(P)) / len(P), "P_bar": -T / P / len(P)}


def loss_by_loops(P, labels):
    n, loss = len(P), 0.0
    bars = [[0.0] * len(row) for row in P]
    for i, label in enumerate(labels):
        loss -= float(np.log(P[i][label])) / n
        bars[i][label] = -1.0 / P[i][label] / n
    return {"loss": loss, "P_bar": bars}


def loss_by_engine(P, labels):
    def f(Q):
        return -np.mean(np.log(np.take_along_axis(Q, labels[:, None], axis=1)))

    return {"loss": f(P), "P_bar": reverse(f)(P)}


def loss_by_product(P, labels):
    chosen = np.take_along_axis(P, labels[:, None], axis=1)
    loss = -np.log(np.prod(chosen)) / len(P)
    return {"loss": loss, "P_bar": np.where(np.arange(P.shape[1]) == labels[:, None], -1 / (len(P) * P), 0.0)}


def loss_in_float32(P, labels):
    return {name: np.float32(value) for name, value in loss_of_probabilities(P, labels).items()}


def _softmax(Z, axis=1):
    e = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_again(P, labels):
    Q, T = _softmax(P), np.eye(P.shape[1])[labels]
    return {"loss": -np.mean(np.log(np.sum(T * Q, axis=1))), "P_bar": (Q - T) / len(P)}


def probabilities_with(*, loss=lambda P, T: -np.log(np.sum(T * P, axis=1)), bar=lambda P, T: -T / P, scale=None):
    def answer(P, labels):
        T = np.eye(P.shape[1])[labels]
        per_example = loss(P, T)
        total = np.sum(per_example) if scale == "sum" else np.mean(per_example)
        return {"loss": total, "P_bar": bar(P, T) / (1 if scale else len(P))}

    return answer


def probability_case(rng, n, classes):
    scores = spread(rng, n, classes, low=0.2, high=1.2)
    labels = rng.integers(0, classes, n)
    return case(np.round(_softmax(scores), 3), labels)


_draw = np.random.default_rng(68)

PROBABILITIES = Exercise(
    id="06.8",
    title="No second softmax for patient B",
    function="loss_of_probabilities",
    minutes=8,
    difficulty=2,
    points=3,
    see="notebook 06, '7 · Five patients'",
    reference=loss_of_probabilities,
    visible=[probability_case(_draw, 4, 3), probability_case(_draw, 3, 5), probability_case(_draw, 6, 4)],
    hidden=lambda rng: [probability_case(rng, 5, 3), probability_case(rng, 3, 4), probability_case(rng, 7, 5)],
    accepted=[loss_by_one_hot, loss_by_loops, loss_by_engine, loss_by_product, loss_in_float32],
    bank=[
        Misconception(
            id="softmax-twice",
            answer=softmax_again,
            looks_like="A softmax was taken of numbers that are probabilities already.",
            why="This is patient B: the loss for logits expects scores before the softmax, and these come after it.",
            look_at="'7 · Five patients'",
        ),
        Misconception(
            id="gradient-at-the-logits",
            answer=probabilities_with(bar=lambda P, T: P - T),
            looks_like="The loss is right; the gradient is predicted minus true.",
            why="That short formula is the gradient one step further back, at the logits.",
            look_at="'What should the first loss be?'",
        ),
        Misconception(
            id="sum-for-mean",
            answer=probabilities_with(scale="sum"),
            looks_like="Loss and gradient are n times too large.",
            why="The loss is the mean over the examples.",
            look_at="'What should the first loss be?'",
        ),
        Misconception(
            id="gradient-of-the-sum",
            answer=probabilities_with(scale="gradient"),
            looks_like="The loss is right; the gradient is n times too large.",
            why="The mean in the loss divides the gradient as well.",
            look_at="'2 · The loop learns XOR'",
        ),
        Misconception(
            id="others-pay-too",
            answer=probabilities_with(bar=lambda P, T: -T / P + (1 - T) / (1 - P)),
            looks_like="The loss is right; the gradient is not zero at the wrong classes.",
            why="The loss only looks at the probability of the right class. Others matter through the softmax before.",
            look_at="'What should the first loss be?'",
        ),
        Misconception(
            id="minus-the-gradient",
            answer=probabilities_with(bar=lambda P, T: T / P),
            looks_like="The loss is right; the gradient has the opposite sign.",
            why="More probability for the right class lowers the loss.",
            look_at="'What should the first loss be?'",
        ),
        Misconception(
            id="slope-without-the-logarithm",
            answer=probabilities_with(bar=lambda P, T: -T),
            looks_like="The loss is right; the gradient is the same for sure and for unsure answers.",
            why="The slope of a logarithm is one over its argument: a small probability is felt much more.",
            look_at="'What should the first loss be?'",
        ),
        Misconception(
            id="one-minus-probability",
            answer=probabilities_with(loss=lambda P, T: 1 - np.sum(T * P, axis=1), bar=lambda P, T: -T),
            looks_like="The loss counts missing probability instead of its logarithm.",
            why="Cross-entropy is minus the logarithm of the probability of what was true.",
            look_at="'What should the first loss be?'",
        ),
        Misconception(
            id="all-classes-in-the-loss",
            answer=probabilities_with(loss=lambda P, T: -np.sum(np.log(P), axis=1), bar=lambda P, T: -1 / P),
            looks_like="Every class is treated as if it were the right one.",
            why="Of each row only the entry of its label counts.",
            look_at="'What should the first loss be?'",
        ),
    ],
    hints=(
        "The rows of P are probabilities. Which one number of each row does the loss look at?",
        "The loss is minus the mean of the logarithms of these numbers. All other entries have a gradient of zero.",
        "P[np.arange(n), labels] picks them. The slope of -ln(p) is -1/p, and the mean divides by n.",
    ),
)


# --- 06.9 open the ReLUs of patient D --------------------------------------------------------------------------------


def revive(X, W, b):
    Z = X @ W.T + b
    dead = np.all(Z <= 0, axis=0)
    return b - np.where(dead, np.median(Z, axis=0), 0)


def revive_with_loops(X, W, b):
    new = []
    for weights, bias in zip(W, b, strict=True):
        z = [float(np.dot(weights, x) + bias) for x in X]
        new.append(bias - np.median(z) if max(z) <= 0 else bias)
    return new


def revive_by_maximum(X, W, b):
    Z = np.einsum("ni,ji->nj", X, W) + b
    new = b.copy()
    dead = Z.max(axis=0) <= 0
    new[dead] -= np.quantile(Z[:, dead], 0.5, axis=0)
    return new


def revive_by_scores(X, W, b):
    scores = X @ W.T
    closed = ~np.any(scores + b > 0, axis=0)
    return np.where(closed, -np.median(scores, axis=0), b)


def revive_by_relu(X, W, b):
    H = np.maximum(X @ W.T + b, 0)
    return np.where(H.sum(axis=0) == 0, -np.median(X @ W.T, axis=0), b).tolist()


def revive_by_sorting(X, W, b):
    Z = np.sort(X @ W.T + b, axis=0)
    n = len(Z)
    middle = (Z[(n - 1) // 2] + Z[n // 2]) / 2
    return b - (Z[-1] <= 0) * middle


def revive_with(*, dead=lambda Z: np.all(Z <= 0, axis=0), middle=lambda Z: np.median(Z, axis=0), sign=-1.0):
    def answer(X, W, b):
        Z = X @ W.T + b
        return b + sign * np.where(dead(Z), middle(Z), 0.0)

    return answer


def ward_case(rng, n, inputs, units):
    """Some units dead, some open now and then, one always open; medians, means and extremes lie apart."""
    X, W = spread(rng, n, inputs), spread(rng, units, inputs)
    scores = X @ W.T
    b = np.round(-scores.max(axis=0) - rng.uniform(0.5, 3.0, units), 2)
    b[1] = np.round(np.sort(-scores[:, 1])[1:3].mean(), 3)
    b[2] = np.round(-scores[:, 2].min() + 1.0, 2)
    return case(X, W, b)


_draw = np.random.default_rng(69)

REVIVE = Exercise(
    id="06.9",
    title="Open the ReLUs of patient D",
    function="revive",
    minutes=8,
    difficulty=2,
    points=3,
    see="notebook 06, '5 · Dead ReLUs'",
    reference=revive,
    visible=[ward_case(_draw, 5, 3, 4), ward_case(_draw, 8, 2, 5), ward_case(_draw, 7, 4, 6)],
    hidden=lambda rng: [ward_case(rng, 7, 3, 5), ward_case(rng, 6, 2, 4), ward_case(rng, 9, 3, 6)],
    accepted=[revive_with_loops, revive_by_maximum, revive_by_scores, revive_by_relu, revive_by_sorting],
    bank=[
        Misconception(
            id="closed-once-is-dead",
            answer=revive_with(dead=lambda Z: np.any(Z <= 0, axis=0)),
            looks_like="Units that are closed only for some examples were moved, too.",
            why="Being closed now and then is what a ReLU is for. Dead means closed for every example.",
            look_at="'5 · Dead ReLUs'",
        ),
        Misconception(
            id="all-units-moved",
            answer=revive_with(dead=lambda Z: np.full(Z.shape[1], True)),
            looks_like="All units were moved, the healthy ones as well.",
            why="Healthy units keep what they have learned; only the dead ones need help.",
            look_at="'5 · Dead ReLUs'",
        ),
        Misconception(
            id="moved-the-wrong-way",
            answer=revive_with(sign=1.0),
            looks_like="Dead units were pushed even further down.",
            why="The middle of their pre-activations lies below zero, so it has to be taken away from the bias.",
            look_at="'5 · Dead ReLUs'",
        ),
        Misconception(
            id="bias-to-zero",
            answer=lambda X, W, b: np.where(np.all(X @ W.T + b <= 0, axis=0), 0.0, b),
            looks_like="The biases of dead units were set to zero.",
            why="That often helps, but it does not promise that half of the examples open the unit.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="mean-for-median",
            answer=revive_with(middle=lambda Z: np.mean(Z, axis=0)),
            looks_like="The mean pre-activation was brought to zero instead of the median.",
            why="Half of the examples lie above the median. One far-out example can drag the mean anywhere.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="opened-by-one-example",
            answer=revive_with(middle=lambda Z: np.max(Z, axis=0)),
            looks_like="The largest pre-activation was brought to zero.",
            why="A unit that opens for one example at most is nearly dead still.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="bias-forgotten",
            answer=lambda X, W, b: b - np.where(np.all(X @ W.T + b <= 0, axis=0), np.median(X @ W.T, axis=0), 0.0),
            looks_like="The right units were moved, but the bias they had was left out of their pre-activations.",
            why="A pre-activation is the weighted sum and the bias together.",
            look_at="'Phase 1: feed forward'",
        ),
        Misconception(
            id="nobody-moved",
            answer=lambda X, W, b: b.copy(),
            looks_like="The biases came back as they were.",
            why="Dead units get no gradient; somebody has to move them by hand.",
            look_at="'5 · Dead ReLUs'",
        ),
        Misconception(
            id="dead-for-the-first-example",
            answer=revive_with(dead=lambda Z: Z[0] <= 0),
            looks_like="Only the first example decided who is dead.",
            why="Dead means closed for every example.",
            look_at="'5 · Dead ReLUs'",
        ),
    ],
    hints=(
        "Compute all pre-activations, an array of shape (n, units). Which columns are dead?",
        "A column is dead if no entry is positive. For such a unit, which bias puts the middle of its column at zero?",
        "Take the median of each column, and subtract it from the bias, for dead units only.",
    ),
    equivalent_mutants={
        "`Z <= 0` → `Z < 0`": "no pre-activation of the inputs is exactly zero",
    },
)


# --- 06.10 keep images and labels of patient E together --------------------------------------------------------------


def shuffled_batches(X, y, order, size):
    X, y = X[order], y[order]
    return [(X[start : start + size], y[start : start + size]) for start in range(0, len(X), size)]


def batches_by_index(X, y, order, size):
    found = []
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        found.append([X[rows], y[rows]])
    return found


def batches_by_lists(X, y, order, size):
    pairs = [(X[i].tolist(), int(y[i])) for i in order]
    cut = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    return [([x for x, _ in part], [label for _, label in part]) for part in cut]


def batches_by_array_split(X, y, order, size):
    cuts = np.arange(size, len(order), size)
    return list(zip(np.split(np.take(X, order, axis=0), cuts), np.split(np.take(y, order), cuts), strict=True))


def batches_by_joining(X, y, order, size):
    table = np.column_stack([X, y])[order]
    parts = [table[start : start + size] for start in range(0, len(table), size)]
    return tuple((part[:, :-1], part[:, -1].astype(int)) for part in parts)


def batches_by_generator(X, y, order, size):
    def produce():
        remaining = list(order)
        while remaining:
            rows, remaining = remaining[:size], remaining[size:]
            yield X[rows], y[rows]

    return list(produce())


def cut(X, y, size):
    return [(X[start : start + size], y[start : start + size]) for start in range(0, len(X), size)]


def shuffle_case(rng, n, features, size):
    """An order that is neither its own inverse nor leaves the first or the last row in place."""
    while True:
        order = rng.permutation(n)
        moved = order[0] != 0 and order[-1] != n - 1 and not np.array_equal(order[order], np.arange(n))
        if moved and not np.array_equal(np.sort(order[: n - n % size]), np.arange(n - n % size)):
            labels = rng.permutation(n) + 10 * rng.integers(1, 9)
            return case(spread(rng, n, features), labels, order, size)


_draw = np.random.default_rng(610)

TOGETHER = Exercise(
    id="06.10",
    title="Images and labels of patient E",
    function="shuffled_batches",
    minutes=7,
    difficulty=1,
    points=2,
    see="notebook 06, '7 · Five patients'",
    reference=shuffled_batches,
    visible=[shuffle_case(_draw, 7, 2, 3), shuffle_case(_draw, 5, 3, 2), shuffle_case(_draw, 9, 2, 4)],
    hidden=lambda rng: [shuffle_case(rng, 8, 2, 3), shuffle_case(rng, 7, 3, 4), shuffle_case(rng, 5, 2, 2)],
    accepted=[
        batches_by_index,
        batches_by_lists,
        batches_by_array_split,
        batches_by_joining,
        batches_by_generator,
    ],
    bank=[
        Misconception(
            id="labels-stay-behind",
            answer=lambda X, y, order, size: cut(X[order], y, size),
            looks_like="The images are in the new order and the labels in the old one, as in patient E.",
            why="An image and its label are one example. What moves one must move the other.",
            look_at="'7 · Five patients'",
        ),
        Misconception(
            id="images-stay-behind",
            answer=lambda X, y, order, size: cut(X, y[order], size),
            looks_like="The labels are in the new order and the images in the old one.",
            why="An image and its label are one example. What moves one must move the other.",
            look_at="'7 · Five patients'",
        ),
        Misconception(
            id="short-batch-dropped",
            answer=lambda X, y, order, size: cut(X[order], y[order], size)[: len(X) // size],
            looks_like="The last, shorter batch is missing.",
            why="The docstring asks for every example once per epoch.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="order-upside-down",
            answer=lambda X, y, order, size: cut(X[np.argsort(order)], y[np.argsort(order)], size),
            looks_like="Images and labels belong together, but stand in the inverse order.",
            why="The first row of the first batch should be row order[0], not the row that is told to go to place 0.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="not-shuffled",
            answer=lambda X, y, order, size: cut(X, y, size),
            looks_like="Everything is still in the old order.",
            why="The order was not used.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="shuffled-twice",
            answer=lambda X, y, order, size: cut(X[order], y[order][order], size),
            looks_like="The images are right; the labels were shuffled twice.",
            why="Shuffling twice in the same order is another order.",
            look_at="'7 · Five patients'",
        ),
        Misconception(
            id="every-k-th",
            answer=lambda X, y, order, size: [
                (X[order][k :: -(-len(X) // size)], y[order][k :: -(-len(X) // size)])
                for k in range(-(-len(X) // size))
            ],
            looks_like="Each batch takes rows at regular distances instead of consecutive ones.",
            why="A step in a slice counts how far apart rows are, not how many there are.",
            look_at="the docstring of the exercise",
        ),
    ],
    hints=(
        "X[order] has row order[0] first. What else has to be indexed by the same order?",
        "Cut both arrays at 0, size, 2 size, ...; range(0, n, size) gives the starts.",
        "A slice that reaches beyond the end is simply shorter: X[start : start + size] serves the last batch as well.",
    ),
)


# --- 06.11 which gradient is wrong? ----------------------------------------------------------------------------------


def relative_errors(by_hand, measured):
    errors = {}
    for name in by_hand:
        a, b = by_hand[name], measured[name]
        errors[name] = np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))
    return errors


def errors_by_flat_vectors(by_hand, measured):
    def norm(array):
        return np.sqrt(np.sum(np.ravel(array) ** 2))

    return {k: norm(by_hand[k] - measured[k]) / (norm(by_hand[k]) + norm(measured[k])) for k in by_hand}


def errors_with_loops(by_hand, measured):
    errors = {}
    for name, a in by_hand.items():
        pairs = list(zip(np.ravel(a).tolist(), np.ravel(measured[name]).tolist(), strict=True))
        gap = sum((u - v) ** 2 for u, v in pairs) ** 0.5
        errors[name] = gap / (sum(u * u for u, _ in pairs) ** 0.5 + sum(v * v for _, v in pairs) ** 0.5)
    return errors


def errors_by_einsum(by_hand, measured):
    def length(array):
        flat = np.reshape(array, -1)
        return float(np.sqrt(np.einsum("i,i->", flat, flat)))

    pairs = {name: (by_hand[name], measured[name]) for name in measured}
    return {name: np.float64(length(a - b) / (length(a) + length(b))) for name, (a, b) in pairs.items()}


def errors_by_frobenius(by_hand, measured):
    errors = {}
    for name in sorted(by_hand, reverse=True):
        sizes = [np.sqrt(np.trace(np.atleast_2d(m) @ np.atleast_2d(m).T)) for m in (by_hand[name], measured[name])]
        gap = np.atleast_2d(by_hand[name]) - np.atleast_2d(measured[name])
        errors[name] = np.sqrt(np.trace(gap @ gap.T)) / sum(sizes)
    return errors


def errors_by_hypot(by_hand, measured):
    def size(array):
        return np.hypot.reduce(np.abs(array), axis=None)

    return {
        name: size(measured[name] - by_hand[name]) / (size(by_hand[name]) + size(measured[name])) for name in by_hand
    }


def errors_with(formula):
    return lambda by_hand, measured: {name: formula(by_hand[name], measured[name]) for name in by_hand}


def check_case(rng, sizes):
    """Gradients of very different size, each wrong by another slip."""
    slips = [lambda g: 2 * g, lambda g: -g, lambda g: g * 1.01, lambda g: g + np.max(abs(g)) * 0.3, lambda g: 0.5 * g]
    by_hand, measured = {}, {}
    for k, (name, (shape, scale)) in enumerate(sizes.items()):
        measured[name] = scale * spread(rng, *shape)
        by_hand[name] = slips[(k + int(rng.integers(5))) % 5](measured[name])
    return case(by_hand, measured)


_draw = np.random.default_rng(611)
SIZES = [
    {"W": ((3, 2), 1.0), "b": ((3,), 1e-6), "V": ((2, 3), 100.0)},
    {"W": ((2, 4), 1e-4), "b": ((2,), 10.0)},
    {"V": ((4, 3), 1e-3), "c": ((4,), 30.0), "W": ((3, 5), 1e-7)},
]

CHECKER = Exercise(
    id="06.11",
    title="Which gradient is wrong?",
    function="relative_errors",
    minutes=7,
    difficulty=1,
    points=3,
    see="notebook 06, '7 · Five patients'",
    reference=relative_errors,
    visible=[check_case(_draw, sizes) for sizes in SIZES],
    hidden=lambda rng: [check_case(rng, sizes) for sizes in SIZES],
    accepted=[errors_by_flat_vectors, errors_with_loops, errors_by_einsum, errors_by_frobenius, errors_by_hypot],
    bank=[
        Misconception(
            id="absolute-error",
            answer=errors_with(lambda a, b: np.linalg.norm(a - b)),
            looks_like="Small gradients look right although they are wrong, and large ones look wrong by much.",
            why="A difference says nothing unless it is compared with the size of what it is a difference of.",
            look_at="'7 · Five patients'",
        ),
        Misconception(
            id="signs-cancel",
            answer=errors_with(lambda a, b: abs(np.sum(a - b)) / (abs(np.sum(a)) + abs(np.sum(b)))),
            looks_like="Differences of opposite sign cancel in your sum.",
            why="A norm adds up squares, so that nothing can cancel.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="compares-sizes-only",
            answer=errors_with(
                lambda a, b: abs(np.linalg.norm(a) - np.linalg.norm(b)) / (np.linalg.norm(a) + np.linalg.norm(b))
            ),
            looks_like="A gradient with the opposite sign passes as right.",
            why="Two arrows of the same length may point in different directions.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="relative-to-the-answer",
            answer=errors_with(lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(a)),
            looks_like="The errors are relative to the gradient by hand alone.",
            why="A gradient that is far too large would excuse itself; and one that is all zeros would divide by zero.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="relative-to-the-measurement",
            answer=errors_with(lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(b)),
            looks_like="The errors are relative to the measured gradient alone.",
            why="The docstring asks for the sum of both norms, which treats the two alike.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="forgets-the-root",
            answer=errors_with(lambda a, b: np.sum((a - b) ** 2) / (np.sum(a**2) + np.sum(b**2))),
            looks_like="You compared squares of lengths.",
            why="A norm is the root of the sum of squares; without it one per cent looks like 0.01 per cent.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="norm-of-the-sum",
            answer=errors_with(lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(a + b)),
            looks_like="You divided by the norm of the sum instead of the sum of the norms.",
            why="If the two point in opposite directions, their sum may vanish while both are large.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="floor-of-one",
            answer=errors_with(lambda a, b: np.linalg.norm(a - b) / max(1.0, np.linalg.norm(a) + np.linalg.norm(b))),
            looks_like="Small gradients look right although they are wrong.",
            why="A floor of 1 in the denominator turns the error of small gradients into an absolute one.",
            look_at="the docstring of the exercise",
        ),
    ],
    hints=(
        "For each name there are two arrays. How long is their difference, and compared with what?",
        "np.linalg.norm of a matrix or a vector is the root of the sum of the squares of its entries.",
        "Length of the difference, divided by the length of the one plus the length of the other.",
    ),
    equivalent_mutants={
        "`a - b` → `b - a`": "a difference is as long as its opposite",
    },
)


# --- 06.12 when to stop ----------------------------------------------------------------------------------------------


def early_stop(losses, patience):
    best, waited = 0, 0
    for epoch in range(1, len(losses)):
        waited += 1
        if losses[epoch] < losses[best]:
            best, waited = epoch, 0
        elif waited == patience:
            return best + 1, epoch + 1
    return best + 1, len(losses)


def stop_by_running_best(losses, patience):
    best_loss, best_epoch = float("inf"), 0
    for number, loss in enumerate(losses, 1):
        if loss < best_loss:
            best_loss, best_epoch = loss, number
        if number - best_epoch >= patience:
            return [best_epoch, number]
    return [best_epoch, len(losses)]


def stop_by_argmin(losses, patience):
    losses = np.asarray(losses)
    for trained in range(1, len(losses) + 1):
        best = int(np.argmin(losses[:trained])) + 1
        if trained - best == patience:
            break
    return np.array([best, trained])


def stop_by_minimum_accumulate(losses, patience):
    lowest = np.minimum.accumulate(losses)
    best_so_far = np.array([int(np.flatnonzero(np.array(losses) == low)[0]) for low in lowest])
    late = np.flatnonzero(np.arange(len(losses)) - best_so_far >= patience)
    trained = int(late[0]) + 1 if len(late) else len(losses)
    return int(best_so_far[trained - 1]) + 1, trained


def stop_with_while(losses, patience):
    trained, best = 1, 1
    while trained < len(losses) and trained - best < patience:
        trained += 1
        best = trained if losses[trained - 1] < losses[best - 1] else best
    return best, trained


def stop_recursively(losses, patience, trained=1, best=1):
    if trained == len(losses) or trained - best == patience:
        return best, trained
    return stop_recursively(losses, patience, trained + 1, trained + 1 if losses[trained] < losses[best - 1] else best)


def waits_for_rises(losses, patience):
    best, rises = 0, 0
    for epoch in range(1, len(losses)):
        rises = rises + 1 if losses[epoch] >= losses[epoch - 1] else 0
        best = epoch if losses[epoch] < losses[best] else best
        if rises == patience:
            return best + 1, epoch + 1
    return best + 1, len(losses)


def counts_bad_epochs(losses, patience):
    best, bad = 0, 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        else:
            bad += 1
            if bad == patience:
                return best + 1, epoch + 1
    return best + 1, len(losses)


def _changed(change):
    return lambda losses, patience: change(losses, patience, *early_stop(losses, patience))


MOVES = {"D": (-0.15, -0.10), "u": (0.04, 0.06), "d": (-0.03, -0.01)}


def losses_case(rng, plan, patience):
    """A curve from a plan: D goes down below the best so far, u up, and d down a little, not as far as u went up."""
    value, losses = 3.0, [3.0]
    for move in plan:
        value += float(rng.uniform(*MOVES[move]))
        losses.append(round(value, 3))
    return case(losses, patience)


PLANS = [
    ("DDuDuDuuuDD", 3),
    ("DuDudududDDD", 4),
    ("DDuuuDuuuuuDDDDD", 5),
    ("DuDuuDDDD", 2),
    ("uduDDD", 3),
    ("DuDDu", 4),
]
_draw = np.random.default_rng(612)

STOP = Exercise(
    id="06.12",
    title="When to stop",
    function="early_stop",
    minutes=8,
    difficulty=2,
    points=3,
    see="notebook 06, '6 · Learning by heart'",
    reference=early_stop,
    visible=[losses_case(_draw, *plan) for plan in PLANS],
    hidden=lambda rng: [losses_case(rng, *plan) for plan in PLANS],
    accepted=[stop_by_running_best, stop_by_argmin, stop_by_minimum_accumulate, stop_with_while, stop_recursively],
    bank=[
        Misconception(
            id="best-of-all-epochs",
            answer=_changed(lambda losses, patience, best, trained: (int(np.argmin(losses)) + 1, trained)),
            looks_like="The best epoch lies after the end of training in some cases.",
            why="Epochs after the stop are never run, so nobody can know their loss.",
            look_at="'6 · Learning by heart'",
        ),
        Misconception(
            id="keeps-the-last-weights",
            answer=_changed(lambda losses, patience, best, trained: (trained, trained)),
            looks_like="The epoch to keep is the last one that was run.",
            why="You waited because things had become worse; the weights to keep are those from before.",
            look_at="'6 · Learning by heart'",
        ),
        Misconception(
            id="counts-from-zero",
            answer=_changed(lambda losses, patience, best, trained: (best - 1, trained - 1)),
            looks_like="Both numbers are one too small.",
            why="Epochs are counted from 1 here.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="no-patience",
            answer=lambda losses, patience: early_stop(losses, 1),
            looks_like="Training ends at the first epoch that is no improvement.",
            why="Validation losses are noisy; patience says how many such epochs in a row are allowed.",
            look_at="'6 · Learning by heart'",
        ),
        Misconception(
            id="one-epoch-too-patient",
            answer=lambda losses, patience: early_stop(losses, patience + 1),
            looks_like="Training goes on for one epoch too many.",
            why="Training ends with the epoch that uses up the patience.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="compares-with-the-epoch-before",
            answer=waits_for_rises,
            looks_like="You waited for losses that rise several times in a row.",
            why="A loss may wobble for long above its best value; what counts is the best so far.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="patience-never-renewed",
            answer=counts_bad_epochs,
            looks_like="Epochs without improvement are counted over the whole training.",
            why="An improvement gives new patience: the count starts again.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="never-stops",
            answer=lambda losses, patience: (int(np.argmin(losses)) + 1, len(losses)),
            looks_like="Training always runs to the end.",
            why="Patience was not used.",
            look_at="the docstring of the exercise",
        ),
    ],
    hints=(
        "Go through the losses once and remember the epoch of the lowest loss so far, and how long ago that was.",
        "A lower loss than the best so far: remember its epoch and start counting again. Otherwise count one more.",
        "Stop as soon as the current epoch minus the best epoch equals the patience; return both, counted from 1.",
    ),
    equivalent_mutants={
        "`losses[epoch] < losses[best]` → `losses[epoch] <= losses[best]`": "no two losses are equal",
    },
)


EXERCISES = [
    ORDER, BATCH, BCE, DROPOUT, ACCUMULATE, START, FRESH, PROBABILITIES, REVIVE, TOGETHER, CHECKER, STOP,
]  # fmt: skip

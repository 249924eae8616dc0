"""06.1 One epoch, in the right order."""

from __future__ import annotations

import numpy as np

from coursepkg import nn, optimizers
from coursepkg.gradients import forward, reverse
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import spread, with_zeros


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


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


def step_left_as_parameters(x, t, W, b, V, c, eta):
    p = {name: nn.Parameter(value) for name, value in {"W": W, "b": b, "V": V, "c": c}.items()}
    _example_loss(p, x, t).backward()
    return {name: nn.Parameter(tensor.data - eta * tensor.grad) for name, tensor in p.items()}


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


def slope_of_tanh(x, t, W, b, V, c, eta):
    h = sigmoid(W @ x + b)
    y = sigmoid(V @ h + c)
    dy = (y - t) * (1 - y * y)
    dh = (V.T @ dy) * (1 - h * h)
    return {"W": W - eta * np.outer(dh, x), "b": b - eta * dh, "V": V - eta * np.outer(dy, h), "c": c - eta * dy}


def without_transpose(x, t, W, b, V, c, eta):
    """Goes through where there are as many outputs as hidden units; raises elsewhere."""
    h = sigmoid(W @ x + b)
    y = sigmoid(V @ h + c)
    dy = (y - t) * y * (1 - y)
    dh = (V @ dy) * h * (1 - h)
    return {"W": W - eta * np.outer(dh, x), "b": b - eta * dh, "V": V - eta * np.outer(dy, h), "c": c - eta * dy}


def biases_out_of_sight(x, t, W, b, V, c, eta):
    """The biases move, but the forward pass does not use them."""
    new = train_step(x, t, W, 0 * b, V, 0 * c, eta)
    return new | {"b": b + new["b"], "c": c + new["c"]}


def gradients_only(x, t, W, b, V, c, eta):
    new = train_step(x, t, W, b, V, c, 1.0)
    return {"W": W - new["W"], "b": b - new["b"], "V": V - new["V"], "c": c - new["c"]}


def network_case(rng, n_in, n_hidden, n_out, eta):
    arrays = [spread(rng, *shape) for shape in [(n_hidden, n_in), (n_hidden,), (n_out, n_hidden), (n_out,)]]
    return case(spread(rng, n_in), np.round(rng.uniform(0.05, 0.95, n_out), 2), *arrays, eta)


def nearly_shut(rng):
    """Hidden units whose sigmoid is small and not 0, and a rate that makes their share count."""
    x, t, W, b, V, c, _ = network_case(rng, 2, 3, 2, 1.0).args
    b[rng.permutation(3)[:2]] = [-24.0, -21.5]
    return case(x, t, W, b, V, c, 3e8)


def input_for_target(rng):
    """An example that asks for its input again."""
    _, t, *others = network_case(rng, 3, 2, 3, 1.3).args
    return case(t.copy(), t, *others)


def network_edges(rng):
    """One input, one hidden unit, one output; then zeros everywhere, and targets of exactly 0 and 1."""
    holed = network_case(rng, 3, 4, 3, 1.1)
    arrays = with_zeros(rng, holed.args[0], *holed.args[2:6])
    targets = rng.permutation([0.0, 1.0, 0.4])
    return [
        network_case(rng, 1, 3, 2, 0.6),
        network_case(rng, 4, 1, 3, 8.0),
        network_case(rng, 2, 3, 1, 0.7),
        case(arrays[0], targets, *arrays[1:], 1.1),
    ]


MAZUR = case(
    np.array([0.05, 0.10]), np.array([0.01, 0.99]), np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([0.35, 0.35]),
    np.array([[0.40, 0.45], [0.50, 0.55]]), np.array([0.60, 0.60]), 0.5,
)  # fmt: skip

_draw = np.random.default_rng(61)

BANK = [
    wrong("updates-too-early", step_with(early=True), "'In which order?'",
          "V and c are right; W and b are off by a little, the more so the larger eta is.",
          "V was changed before the error was sent back through it, but the forward pass had used the old V."),
    wrong("slope-at-the-pre-activation", step_with(slope="input", hidden_slope="input"), "'Phase 3: send back'",
          "The slopes of the sigmoids are taken at z instead of at the output.",
          "The handy formula for the slope of a sigmoid is written in terms of what comes out of it."),
    wrong("hidden-slope-at-the-pre-activation", step_with(hidden_slope="input"), "'Phase 3: send back'",
          "V and c are right; in the hidden layer the slope is taken at z.",
          "The handy formula for the slope of a sigmoid is written in terms of what comes out of it."),
    wrong("minus-twice", step_with(error=lambda y, t: t - y), "'Phase 2: compare'",
          "Every parameter moves the right distance the wrong way: the loss would rise.",
          "Two signs decide the way: that of the error and that of the step. One of them is turned round."),
    wrong("biases-left-behind", step_with(biases="none"), "'Phase 3: send back'",
          "W and V are right; the biases have not moved.",
          "A bias is a weight too: one whose input is always 1."),
    wrong("hidden-bias-left-behind", step_with(biases="output"), "'Phase 3: send back'",
          "Everything is right except the hidden bias, which has not moved.",
          "A bias is a weight too: one whose input is always 1."),
    wrong("no-slope-at-the-output", step_with(slope="none"), "'Phase 3: send back'",
          "All changes are too large: the output error went back without passing the output's sigmoid.",
          "Between the weighted sum and the error stands a sigmoid, and it has a slope."),
    wrong("no-slope-in-the-hidden-layer", step_with(hidden_slope="none"), "'Phase 3: send back'",
          "V and c are right; W and b change too much: the hidden sigmoid was jumped over.",
          "What reaches h must still pass the hidden sigmoid to reach its weighted sum."),
    wrong("error-instead-of-delta-sent-back", swapped_layers, "'Phase 3: send back'",
          "V and c are right; the hidden layer was sent y - t instead of the outputs' delta.",
          "The weights V join h to the weighted sums of the outputs, so what comes back is the gradient there."),
    wrong("forgets-the-half", step_with(error=lambda y, t: 2 * (y - t)), "'Phase 2: compare'",
          "Every change is twice as large as it should be.",
          "The loss of this exercise has a factor of one half in front, which cancels the 2 of the square."),
    wrong("sizes-of-weights-only", step_with(V_T=False), "'Phase 3: send back'",
          "V and c are right; W and b are wrong wherever a weight of V is negative.",
          "Blame goes back with the sign of the weight: an output that should rise wants its hinderers to fall."),
    wrong("slope-of-tanh", slope_of_tanh, "'Phase 3: send back'",
          "The slopes are those of tanh, one minus the square of the output.",
          "Each function has a slope of its own, and all units of this network are sigmoids."),
    wrong("sent-back-without-turning-v", without_transpose, "'Phase 3: send back'",
          "V and c are right, and W and b are wrong; where hidden units and outputs differ in number, it raises.",
          "The rows of V belong to outputs. On the way back, each hidden unit collects along its own column."),
    wrong("mean-over-outputs", step_with(error=lambda y, t: (y - t) / len(t)), "'Phase 2: compare'",
          "Every change is too small by the number of outputs; with one output all is right.",
          "The loss of this exercise is a sum over the outputs, not their mean."),
    wrong("biases-not-in-the-forward-pass", biases_out_of_sight, "'Phase 1: feed forward'",
          "All four are off: the outputs were computed as if all biases were zero.",
          "A bias is added to the weighted sum before the sigmoid; what comes back depends on it."),
    wrong("gradients-for-parameters", gradients_only, "'Phase 4: update'",
          "The gradients came back, not the parameters after the step.",
          "The step is taken from where the parameters were, and its length depends on eta."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.1",
    title="One epoch, in the right order",
    function="train_step",
    minutes=12,
    difficulty=2,
    points=4,
    see="notebook 06, 'Phase 3: send back'",
    reference=train_step,
    domain={
        "x": Array("i"),
        "t": Array("k", at_least=0, at_most=1),
        "W": Array("j i"),
        "b": Array("j"),
        "V": Array("k j"),
        "c": Array("k"),
        "eta": Number(more_than=0),
    },
    visible=[
        MAZUR,
        network_case(_draw, 3, 2, 4, 0.8),
        network_case(_draw, 2, 4, 3, 6.0),
        *network_edges(_draw),
    ],
    hidden=lambda rng: [
        network_case(rng, 3, 4, 2, 0.9),
        network_case(rng, 2, 3, 5, 1.2),
        network_case(rng, 3, 3, 3, 7.0),
        *network_edges(rng),
        network_case(rng, 3, 2, 2, 5.0),
        nearly_shut(rng),
        input_for_target(rng),
    ],
    accepted=[
        step_with_loops,
        step_by_engine,
        step_by_forward_mode,
        step_as_a_batch_of_one,
        step_by_optimizer,
        step_left_as_parameters,
        step_in_float32,
    ],
    bank=BANK,
    hints=(
        "Run forward and keep h and y. Work out both deltas before you change any parameter.",
        "delta_y is the error times the slope of the output's sigmoid, written with y. The hidden units get V "
        "transposed times delta_y.",
        "A weight matrix changes by minus eta times the outer product of its layer's delta and what came in; a bias by "
        "minus eta times the delta itself.",
    ),
)

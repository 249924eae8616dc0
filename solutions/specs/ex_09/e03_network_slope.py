"""09.3 A slope through a network."""

from __future__ import annotations

import numpy as np

from coursepkg import gradients
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array


def network_slope(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    z = X @ W1 + b1
    dz = X @ V1 + c1
    h, dh = z * (z > 0), dz * (z > 0)
    s = h @ W2 + b2
    ds = dh @ W2 + h @ V2 + c2
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return np.sum(p * ds) / len(y)


def softmax(s, axis=-1):
    p = np.exp(s - s.max(axis=axis, keepdims=True))
    return p / p.sum(axis=axis, keepdims=True)


def floats(*arrays):
    """The engine differentiates by real numbers only."""
    return [np.asarray(array, float) for array in arrays]


def network_loss(X, y, W1, b1, W2, b2):
    from coursepkg import nn
    from coursepkg.autodiff.catalogue import relu

    return nn.cross_entropy(relu(X @ W1 + b1) @ W2 + b2, np.asarray(y))


def network_jvp(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    return gradients.jvp(lambda p: network_loss(X, y, *p), floats(W1, b1, W2, b2), floats(V1, c1, V2, c2))[1]


def network_reverse(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    found = gradients.reverse(lambda p: network_loss(X, y, *p))(floats(W1, b1, W2, b2))
    return sum(np.sum(g * v) for g, v in zip(found, (V1, c1, V2, c2), strict=True))


def network_complex(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    e = 1e-30j
    z = X @ (W1 + e * V1) + (b1 + e * c1)
    s = np.where(z.real > 0, z, 0) @ (W2 + e * V2) + (b2 + e * c2)
    s = s - s.real.max(axis=1, keepdims=True)
    losses = np.log(np.exp(s).sum(axis=1)) - s[np.arange(len(y)), list(y)]
    return losses.mean().imag / 1e-30


def network_by_example(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    total = 0.0
    for x, k in zip(X, y, strict=True):
        z, dz = W1.T @ x + b1, V1.T @ x + c1
        dz = np.where(z > 0, dz, 0.0)
        z = np.maximum(z, 0.0)
        s, ds = W2.T @ z + b2, W2.T @ dz + V2.T @ z + c2
        p = softmax(s)
        total += p @ ds - ds[k]
    return float(total / len(X))


def network_difference_of_halves(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    """A Richardson-extrapolated central difference along the direction."""

    def along(h):
        ends = [network_loss(X, y, W1 + k * V1, b1 + k * c1, W2 + k * V2, b2 + k * c2) for k in (h, -h)]
        return (ends[0] - ends[1]) / (2 * h)

    return (4 * along(1e-4) - along(2e-4)) / 3


def network_float32(X, y, *arrays):
    return np.float32(network_slope(np.float32(X), y, *(np.float32(a) for a in arrays)))


def network_tensor(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    """The slope of the loss along a line, as a tensor of one entry with a gradient of its own."""
    step = Tensor(0.0, requires_grad=True)
    loss = network_loss(X, y, W1 + step * V1, b1 + step * c1, W2 + step * V2, b2 + step * c2)
    loss.backward()
    return Tensor([step.grad.item()], requires_grad=True)


def network_variant(*, gate=None, first=None, second=None, scores=None, mean=True):
    """The pass with one thing done differently."""

    def answer(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
        z = X @ W1 + b1
        dz = first(X, V1, c1, W1) if first else X @ V1 + c1
        h, dh = z * (z > 0), gate(z, dz) if gate else dz * (z > 0)
        s = h @ W2 + b2
        ds = second(dh, h, W2, V2, c2) if second else dh @ W2 + h @ V2 + c2
        p = softmax(s)
        if scores != "no target":
            p[np.arange(len(y)), y] -= 1
        total = np.sum(p * ds)
        return total / len(y) if mean else total

    return answer


def network_pass(change, scores=lambda s: s):
    """The forward pass as usual, and a slope from (softmax, tangent of the scores, targets)."""

    def answer(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
        z = X @ W1 + b1
        h, dh = z * (z > 0), (X @ V1 + c1) * (z > 0)
        return change(softmax(scores(h @ W2 + b2)), dh @ W2 + h @ V2 + c2, y)

    return answer


def through_the_probability(p, ds, y):
    """Minus the tangent of log(p), with a little added to p so that nothing is divided by 0."""
    dp = p * (ds - (p * ds).sum(axis=1, keepdims=True))
    rows = np.arange(len(y))
    return -np.mean(dp[rows, y] / (p[rows, y] + 1e-9))


def targets_of_all(p, ds, y):
    p[:, y] -= 1
    return np.sum(p * ds) / len(y)


def network_softmax_over_the_batch(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    z = X @ W1 + b1
    h, dh = z * (z > 0), (X @ V1 + c1) * (z > 0)
    s, ds = h @ W2 + b2, dh @ W2 + h @ V2 + c2
    p = softmax(s, axis=0)
    return np.sum((p - np.eye(p.shape[1])[y]) * ds) / len(y)


def network_without_relu(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    h, dh = X @ W1 + b1, X @ V1 + c1
    s, ds = h @ W2 + b2, dh @ W2 + h @ V2 + c2
    p = softmax(s)
    return np.sum((p - np.eye(p.shape[1])[y]) * ds) / len(y)


def network_case(rng, B, n, m, k, *, zeros=False, b1=None, opened=(0.2, 0.8)):
    """No unit stands at its kink, and some are open while others are closed."""
    while True:
        X, W1, bias = array(rng, B, n), array(rng, n, m), array(rng, m) if b1 is None else np.full(m, b1)
        if zeros:
            X[0, 0] = W1[-1, 0] = bias[-1] = 0.0
        z = X @ W1 + bias
        if np.abs(z).min() > 0.05 and opened[0] <= np.mean(z > 0) <= opened[1]:
            break
    W2, b2 = array(rng, m, k), array(rng, k)
    y = rng.integers(0, k, B)
    directions = [array(rng, n, m), array(rng, m), array(rng, m, k), array(rng, k)]
    if zeros:
        for part in (W2, b2, *directions):
            part.flat[int(rng.integers(part.size))] = 0.0
    return case(X, y, W1, bias, W2, b2, *directions)


def network_loud(rng):
    """One unit, open and closed, and scores hundreds apart, both between classes and between examples."""
    sizes, loud = np.round(rng.uniform(0.7, 1.0, 4), 2), network_case(rng, 4, 2, 1, 2)
    X, y, W1, b1, W2 = loud.args[:5]
    W1[:], b1[:], W2[:] = [[1.3], [0.4]], 0.25, np.round(W2 / np.abs(W2) * 100 * rng.uniform(9, 14, 2))
    X[:] = np.round(np.outer([2.0, 0.6, -1.4, 1.7] * sizes, [1.0, -0.3]), 2)
    W2[0, 1] = -0.6 * W2[0, 0]
    y[:] = [int(W2[0, 0] > 0), 0, 1, int(W2[0, 0] < 0)]
    return loud


def nearly_closed(rng):
    """A unit only just open for an example, and one only just closed; no nearer, for those who take differences."""
    while True:
        near = network_case(rng, 3, 2, 4, 3)
        X, _, W1, b1 = near.args[:4]
        for example, unit, z in ((0, 0, 9.3e-4), (1, 1, -9.3e-4)):
            b1[unit] = z - X[example] @ W1[:, unit]
        if np.sort(np.abs(X @ W1 + b1).ravel())[2] > 0.05:
            return near


def network_edges(rng):
    """Both ends of the classes; zeros; one unit, one input, one example; layers that stand still; large scores."""
    ends = network_case(rng, 4, 2, 3, 3, zeros=True)
    ends.args[1][:3] = 2, 0, 2
    narrow = network_case(rng, 3, 1, 1, 2, opened=(0.3, 0.7))
    first = network_case(rng, 1, 3, 4, 3)
    first.args[6][:], first.args[7][:] = 0.0, 0.0
    second = network_case(rng, 3, 2, 4, 2, b1=0.0)
    second.args[8][:], second.args[9][:] = 0.0, 0.0
    closed = network_case(rng, 2, 2, 3, 4, b1=-2.5, opened=(0.0, 0.0))
    far = network_case(rng, 3, 4, 2, 3)
    far.args[5][:] += 60.0 * rng.choice([-1, 1])
    near = nearly_closed(rng)
    return [ends, narrow, first, second, closed, network_case(rng, 3, 3, 3, 3), far, near, network_loud(rng)]


def hidden_network(rng):
    shapes = ((3, 4, 5, 3), (5, 3, 4, 2), (2, 5, 3, 4), (3, 4, 5, 3))
    tied = network_case(rng, 4, 2, 3, 3)
    tied.args[4][:, 1], tied.args[5][:] = tied.args[4][:, 2], [-9.0, 3.0, 3.0]
    tied.args[1][:3] = 1, 2, 0
    flat = network_case(rng, 4, 2, 3, 3)
    flat.args[1][:], flat.args[4][:], flat.args[5][:] = 0, 0.0, 0.7
    more = ((1, 2, 3, 2), (3, 1, 2, 3), (3, 2, 1, 3), (2, 3, 2, 6), (60, 2, 3, 2))
    return [*(network_case(rng, *shape) for shape in (*shapes, *more)), *network_edges(rng), tied, flat]


BANK = [
    wrong("gate-by-the-tangent", network_variant(gate=lambda z, dz: dz * (dz > 0)),
          "notebook 09, section 1: the gate belongs to the value",
          "The tangent was cut by its own sign at the relu.",
          "The gate is opened by the value; a tangent passes it with any sign."),
    wrong("no-gate", network_variant(gate=lambda z, dz: dz), "notebook 09, section 1: the gate belongs to the value",
          "The tangent went past the relu unchanged.",
          "Where the value was cut to zero, a small change of it has no effect."),
    wrong("weights-do-not-move-in-layer-two", network_variant(second=lambda dh, h, W2, V2, c2: dh @ W2 + c2),
          "notebook 09, section 5: three products per layer",
          "In the second layer the change of the weights is missing.",
          "A product of two things that both move has two terms: h moves, and W2 moves."),
    wrong("first-layer-forgotten", network_variant(second=lambda dh, h, W2, V2, c2: h @ V2 + c2),
          "notebook 09, section 5: three products per layer",
          "The tangent of the hidden layer does not reach the second one.",
          "What moved below goes on moving everything above it."),
    wrong("biases-stand-still", network_variant(
              first=lambda X, V1, c1, W1: X @ V1, second=lambda dh, h, W2, V2, c2: dh @ W2 + h @ V2
          ), "notebook 09, section 5",
          "The directions of the biases are missing.",
          "A bias is a parameter, and it has an entry in the direction like every other."),
    wrong("first-bias-stands-still", network_variant(first=lambda X, V1, c1, W1: X @ V1), "notebook 09, section 5",
          "The direction of the first bias is missing.",
          "A bias is a parameter, and it has an entry in the direction like every other."),
    wrong("second-bias-stands-still",
          network_variant(second=lambda dh, h, W2, V2, c2: dh @ W2 + h @ V2), "notebook 09, section 5",
          "The direction of the second bias is missing.",
          "A bias is a parameter, and it has an entry in the direction like every other."),
    wrong("tangents-multiplied", network_variant(second=lambda dh, h, W2, V2, c2: dh @ V2 + c2),
          "notebook 09, section 1: the rule for a product",
          "In the second layer the two tangents were multiplied with each other.",
          "That term is of second order; the two of first order are what counts."),
    wrong("sum-over-the-batch", network_variant(mean=False), "the task: the mean of the losses",
          "The slope is larger by the number of examples.",
          "The loss is a mean, and so is its slope."),
    wrong("target-forgotten", network_variant(scores="no target"), "chapter 05: softmax minus one-hot",
          "The slope is that of the logarithm of the sum alone.",
          "The loss also falls when the score of the right class rises."),
    wrong("target-of-everyone", network_pass(targets_of_all), "the task: the right class of each example",
          "Each example lost a one at the classes of all examples, not at its own alone.",
          "A slice beside a list of classes takes these columns in every row. Rows and classes go in pairs."),
    wrong("mean-over-the-scores", network_pass(lambda p, ds, y: np.mean((p - np.eye(p.shape[1])[y]) * ds)),
          "the task: the mean of the losses",
          "The slope is too small by the number of classes.",
          "The mean goes over the examples. What the classes of one example add is a sum."),
    wrong("loss-turned-round", network_pass(lambda p, ds, y: np.sum((np.eye(p.shape[1])[y] - p) * ds) / len(y)),
          "chapter 05: softmax minus one-hot",
          "The slope has the opposite sign.",
          "A higher score of the right class lowers the loss, and a higher score of the others raises it."),
    wrong("loss-in-place-of-its-slope", lambda X, y, *arrays: network_loss(X, y, *arrays[:4]),
          "notebook 09, section 1: value and tangent",
          "You returned the loss itself.",
          "The loss is the value that comes out of the pass. Asked for is what travels beside it."),
    wrong("relu-forgotten", network_without_relu, "notebook 09, section 5, and the task: the first layer",
          "The pass has no relu, neither for the values nor for the tangents.",
          "Without it two layers are no more than one."),
    wrong("softmax-over-the-batch", network_softmax_over_the_batch, "the task: softmax cross-entropy of the scores",
          "The softmax was taken along the wrong axis: over the examples.",
          "The probabilities of one example, over its classes, must add up to one."),
    wrong("one-hot-alone", network_pass(lambda p, ds, y: -np.mean(ds[np.arange(len(y)), y])),
          "chapter 05: softmax minus one-hot",
          "Only the score of the right class counts in your slope.",
          "The loss also holds the logarithm of a sum, in which every score moves."),
    wrong("probability-plus-a-little", network_pass(through_the_probability),
          "chapter 05: softmax minus one-hot",
          "The slope is wrong where the right class is next to impossible.",
          "There the probability is smaller than what was added to it. In the slope of its logarithm it cancels."),
    wrong("scores-clipped", network_pass(
              lambda p, ds, y: np.sum((p - np.eye(p.shape[1])[y]) * ds) / len(y), scores=lambda s: np.clip(s, -30, 30)
          ), "the task: softmax cross-entropy of the scores",
          "The slope is wrong where the scores are large, as if they were cut off.",
          "It is their differences that count, however large they are all together."),
]  # fmt: skip

EXERCISE = Exercise(
    id="09.3",
    title="A slope through a network",
    function="network_slope",
    minutes=20,
    difficulty=2,
    points=4,
    see="notebook 09, section 5",
    reference=network_slope,
    domain={
        "X": Array("B n"),
        "y": Array("B", whole=True, at_least=0),
        "W1": Array("n m"),
        "b1": Array("m", all_zero=True),
        "W2": Array("m k>=2"),
        "b2": Array("k>=2"),
        "V1": Array("n m"),
        "c1": Array("m"),
        "V2": Array("m k>=2"),
        "c2": Array("k>=2"),
    },
    meets={
        "the right class is the last one": lambda y, b2: (y == len(b2) - 1).any(),
        "two examples have the same class, and a third another": lambda y: 1 < len(set(y.tolist())) < len(y),
        "the first layer stands still": lambda V1, c1: not V1.any() and not c1.any(),
        "the second layer stands still": lambda V2, c2: not V2.any() and not c2.any(),
        "all axes have one length": lambda X, W1, W2: len(X) > 1 == len({*X.shape, *W1.shape, *W2.shape}),
        "large scores that are near each other": lambda b2: np.abs(b2).min() > 50 and np.ptp(b2) < 5,
        "the right class is next to impossible": lambda X, y, W1, b1, W2, b2: (
            softmax(np.maximum(X @ W1 + b1, 0) @ W2 + b2)[np.arange(len(y)), y].min() < 1e-320
        ),
        "a unit is only just open": lambda X, W1, b1: ((X @ W1 + b1 > 0) & (X @ W1 + b1 < 1e-3)).any(),
        "a unit is only just closed": lambda X, W1, b1: ((X @ W1 + b1 < 0) & (X @ W1 + b1 > -1e-3)).any(),
        "every unit is closed": lambda X, W1, b1: (X @ W1 + b1 < 0).all(),
    },
    always={"the direction is not all 0": lambda V1, c1, V2, c2: any(part.any() for part in (V1, c1, V2, c2))},
    integers=True,
    visible=[
        *(
            network_case(np.random.default_rng(seed), *shape)
            for seed, shape in enumerate(((3, 4, 5, 3), (4, 2, 3, 2), (2, 3, 4, 3), (3, 4, 5, 3)))
        ),
        *network_edges(np.random.default_rng(93)),
    ],
    hidden=hidden_network,
    accepted=[
        network_jvp,
        network_reverse,
        network_complex,
        network_by_example,
        network_difference_of_halves,
        network_tensor,
        network_float32,
    ],
    bank=BANK,
    hints=(
        "Write the forward pass of the values, then under each line the line for its tangent.",
        "First layer: X itself does not move, so only V1 and c1 act. Gate: the values decide. Second layer: three "
        "terms, because h moves, W2 moves and b2 moves.",
        "The slope of the loss of one example is the sum over classes of (softmax − one-hot) times ds; take the mean "
        "over the examples.",
    ),
    equivalent_mutants={
        "`z > 0` → `z >= 0`": "no pre-activation is zero",
        "`z > 0` → `z >= 0` #2": "no pre-activation is zero",
        "`1` → `-1` #2": "scores have two axes, so axis 1 is the last one",
        "`1` → `-1` #3": "scores have two axes, so axis 1 is the last one",
    },
)

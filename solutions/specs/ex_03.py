"""Chapter 03, gradient descent: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those that learners and published code show: walking uphill, sums taken for means, Adam without its
correction or with its counter stuck at one, RPROP that forgets to take the bad step back, clipping that turns.
"""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients as routes
from coursepkg import optimizers as opt
from coursepkg.grading.spec import Exercise, Misconception, case


def numbers(rng, shape, low=0.3, high=2.5):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return (rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape)).round(2)


def rate(rng, low=0.1, high=0.6):
    return round(float(rng.uniform(low, high)), 3)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# --- 03.1 one step ---------------------------------------------------------------------------------------------------


def gradient_step(theta, g, eta):
    return theta - eta * g


def step_in_a_loop(theta, g, eta):
    return [float(a) - eta * float(b) for a, b in zip(theta, g, strict=True)]


def step_on_a_copy(theta, g, eta):
    new = np.array(theta, dtype=float)
    new -= np.multiply(g, eta)
    return new


def step_backwards(theta, g, eta):
    return -(eta * g - theta)


def step_float32(theta, g, eta):
    return np.float32(theta) - np.float32(eta) * np.float32(g)


def step_by_optimizer(theta, g, eta):
    moved = theta.copy()
    opt.GD(moved, lr=eta).step(g)
    return moved


def moves_in_place(theta, g, eta):
    theta -= eta * g
    return theta


def step_cases(rng):
    return [case(numbers(rng, d), numbers(rng, d), rate(rng)) for d in (2, 3, 4, 5)]


STEP = Exercise(
    id="03.1",
    title="One step downhill",
    function="gradient_step",
    minutes=4,
    difficulty=1,
    points=1,
    see="notebook 03, section 1, 'Two methods, one team'",
    reference=gradient_step,
    visible=[
        case(np.array([4.0, -2.0]), np.array([1.5, -0.5]), 0.2),
        case(np.array([-1.2, 0.7, 2.5]), np.array([0.4, -1.1, 0.9]), 0.5),
        case(np.array([0.6, 3.0, -1.4, 2.2]), np.array([-2.0, 0.8, 1.7, -0.6]), 0.15),
    ],
    hidden=step_cases,
    accepted=[step_in_a_loop, step_on_a_copy, step_backwards, step_float32, step_by_optimizer],
    bank=[
        Misconception(
            id="walks-uphill",
            answer=lambda theta, g, eta: theta + eta * g,
            looks_like="Your step has the right length and goes the other way.",
            why="The gradient points to where the loss rises most. To make the loss smaller, go against it.",
            look_at="notebook 03, section 1: what descent does with a gradient",
        ),
        Misconception(
            id="forgets-the-step-size",
            answer=lambda theta, g, eta: theta - g,
            looks_like="Your numbers do not depend on eta.",
            why="The gradient says which way and how steep, not how far to go. How far is what eta is for.",
            look_at="notebook 03, section 3, 'How large a step?'",
        ),
        Misconception(
            id="returns-the-move",
            answer=lambda theta, g, eta: -eta * g,
            looks_like="You returned the move instead of the new place.",
            why="The move still has to be added to where you stand.",
            look_at="notebook 03, section 1: what descent does with a gradient",
        ),
        Misconception(
            id="gradient-as-destination",
            answer=lambda theta, g, eta: theta - eta * (theta - g),
            looks_like="Your step goes from theta towards the numbers of the gradient.",
            why="A gradient is a slope at a place, not a place to go to.",
            look_at="notebook 03, section 2, the arrows on the map",
        ),
        Misconception(
            id="normalises-the-gradient",
            answer=lambda theta, g, eta: theta - eta * g / np.linalg.norm(g),
            looks_like="Your step has the right direction, and always the length eta.",
            why="In plain descent a steep place makes a long step. Dividing by the length is another method.",
            look_at="notebook 03, section 4: the length of a step is the steepness",
        ),
        Misconception(
            id="divides-by-the-step-size",
            answer=lambda theta, g, eta: theta - g / eta,
            looks_like="A smaller eta makes your step longer.",
            why="Half of eta should mean half of the way.",
            look_at="notebook 03, section 3, 'How large a step?'",
        ),
        Misconception(
            id="believes-only-the-sign",
            answer=lambda theta, g, eta: theta - eta * np.sign(g),
            looks_like="Every entry moves by exactly eta.",
            why="You used the sign of the gradient and threw its size away. RPROP does that; plain descent does not.",
            look_at="notebook 03, section 6, RPROP",
        ),
        Misconception(
            id="moves-in-place",
            answer=moves_in_place,
            looks_like="The numbers are right, but the array that you were given has been changed.",
            why="An update with -= writes into the caller's array. Whoever still needs the old place has lost it.",
            look_at="the docstring of the exercise: returns a new array",
        ),
    ],
    hints=(
        "Which way does the gradient point, and where do you want to go?",
        "The move is the gradient times the step size, with a minus sign.",
        "New place = old place minus eta times gradient, as a new array.",
    ),
)


# --- 03.2 the gradient of the six points -----------------------------------------------------------------------------


def neuron_gradient(w, X, t):
    y = sigmoid(X @ w)
    delta = 2 * (y - t) * y * (1 - y)
    return delta @ X / len(t)


def neuron_by_loops(w, X, t):
    grad = [0.0] * len(w)
    for x, target in zip(X, t, strict=True):
        y = 1 / (1 + math.exp(-sum(a * b for a, b in zip(w, x, strict=True))))
        for i, x_i in enumerate(x):
            grad[i] += 2 * (y - target) * y * (1 - y) * x_i / len(t)
    return grad


def neuron_by_mean(w, X, t):
    y = 0.5 * (1 + np.tanh(X @ w / 2))
    return np.mean((2 * (y - t) * (y - y**2))[:, None] * X, axis=0)


def neuron_by_reverse(w, X, t):
    return routes.reverse(lambda v: np.mean((1 / (1 + np.exp(-(X @ v))) - t) ** 2))(w)


def neuron_by_complex_step(w, X, t):
    def loss(v):
        return np.mean((1 / (1 + np.exp(-(X @ v))) - t) ** 2)

    return [loss(w + 1e-20j * row).imag / 1e-20 for row in np.eye(len(w))]


def neuron_einsum(w, X, t):
    y = sigmoid(np.einsum("ni,i->n", X, w))
    return np.einsum("n,n,ni->i", y - t, y * (1 - y), X) * (2 / X.shape[0])


def neuron_wrong(slope=None, *, factor=2.0, sign=1.0, mean=True):
    def answer(w, X, t):
        z = X @ w
        y = sigmoid(z)
        rate = y * (1 - y) if slope is None else slope(z, y)
        grad = sign * factor * ((y - t) * rate) @ X
        return grad / len(t) if mean else grad

    return answer


def last_example_only(w, X, t):
    return neuron_gradient(w, X[-1:], t[-1:])


def labelled(rng, n, d):
    targets = rng.integers(0, 2, n).astype(float)
    targets[:2] = 1.0, 0.0
    return numbers(rng, d, 0.3, 1.5), numbers(rng, (n, d), 0.2, 1.5), targets


POINTS = np.array([[0.9, 0.3], [0.5, 0.3], [0.2, 0.1], [0.7, 0.5], [0.1, 0.8], [0.1, 0.9]])
TARGETS = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
MORE = np.array([[0.5, -1.2, 0.8], [1.4, 0.3, -0.6], [-0.9, 0.7, 1.1], [0.4, 1.3, -0.5]])

NEURON = Exercise(
    id="03.2",
    title="The gradient of the six points",
    function="neuron_gradient",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 03, section 1, the backward pass by hand",
    reference=neuron_gradient,
    visible=[
        case(np.array([-4.0, -4.0]), POINTS, TARGETS),
        case(np.array([1.0, -2.0]), POINTS, TARGETS),
        case(np.array([0.7, -0.4, 1.2]), MORE, np.array([1.0, 0.0, 1.0, 0.0])),
    ],
    hidden=lambda rng: [case(*labelled(rng, n, d)) for n, d in ((3, 2), (5, 3), (4, 2), (7, 4))],
    accepted=[neuron_by_loops, neuron_by_mean, neuron_by_reverse, neuron_by_complex_step, neuron_einsum],
    bank=[
        Misconception(
            id="sums-over-examples",
            answer=neuron_wrong(mean=False),
            looks_like="Your gradient is n times too long, n being the number of examples.",
            why="The loss is a mean, so every example has only a share of 1/n in it.",
            look_at="notebook 03, section 1: the share of each example in the loss",
        ),
        Misconception(
            id="forgets-the-sigmoid",
            answer=neuron_wrong(lambda z, y: 1.0),
            looks_like="The slope of the sigmoid is missing.",
            why="Between the output and the weights there is a squashing. On the way back it multiplies by its slope.",
            look_at="notebook 03, section 1: what the sigmoid multiplies by",
        ),
        Misconception(
            id="slope-at-the-pre-activation",
            answer=neuron_wrong(lambda z, y: z * (1 - z)),
            looks_like="You put the pre-activation where the output belongs.",
            why="The short form of the sigmoid's slope is written in terms of its output y, not of its input z.",
            look_at="chapter 02, section 3, 'A neuron, by hand'",
        ),
        Misconception(
            id="slope-of-tanh",
            answer=neuron_wrong(lambda z, y: 1 - y**2),
            looks_like="You used 1 - y**2, which is the slope of tanh.",
            why="Every squashing function has a slope of its own, and this neuron has the logistic one.",
            look_at="chapter 02, section 3, 'A neuron, by hand'",
        ),
        Misconception(
            id="forgets-the-two",
            answer=neuron_wrong(factor=1.0),
            looks_like="Every number is half of what it should be.",
            why="The square has no factor 1/2 in front here, so its derivative keeps the 2.",
            look_at="notebook 03, section 1: what the square gives",
        ),
        Misconception(
            id="target-minus-output",
            answer=neuron_wrong(sign=-1.0),
            looks_like="Every sign is the wrong way round.",
            why="You gave the direction that helps. The gradient is the direction in which the loss rises.",
            look_at="notebook 03, section 1: (y - t), in this order",
        ),
        Misconception(
            id="last-example-only",
            answer=last_example_only,
            looks_like="Your gradient is that of the last example alone.",
            why="Every round of the loop overwrote what the earlier examples had reported.",
            look_at="notebook 03, section 1: the examples share the weights, so their reports add up",
        ),
        Misconception(
            id="cross-entropy-instead",
            answer=lambda w, X, t: (sigmoid(X @ w) - t) @ X / len(t),
            looks_like="This is the gradient of the cross-entropy.",
            why="There the slope of the sigmoid cancels. Here the loss is the mean squared error.",
            look_at="notebook 03, section 9, 'The same race on another loss'",
        ),
    ],
    hints=(
        "Go back through three things: the square, the sigmoid, the product with x. Each multiplies by its slope.",
        "For one example: twice (y - t), times the slope of the sigmoid in terms of y, times x.",
        "Collect that for all rows of X (a product with X does it) and divide by how many there are.",
    ),
)


# --- 03.3 a mini-batch -----------------------------------------------------------------------------------------------


def batch_gradient(w, X, t, rows):
    x = X[rows]
    delta = sigmoid(x @ w) - t[rows]
    return delta @ x / len(rows)


def batch_in_a_loop(w, X, t, rows):
    total = np.zeros(len(w))
    for row in rows:
        total = total + (sigmoid(X[row] @ w) - t[row]) * X[row]
    return total / len(rows)


def batch_by_mean(w, X, t, rows):
    y = 0.5 * (1 + np.tanh(X @ w / 2))
    return np.mean([(y[row] - t[row]) * X[row] for row in rows], axis=0)


def batch_by_counts(w, X, t, rows):
    share = np.bincount(rows, minlength=len(t)) / len(rows)
    return X.T @ (share * (sigmoid(X @ w) - t))


def batch_by_reverse(w, X, t, rows):
    def loss(v):
        z = X[rows] @ v
        return np.mean(np.logaddexp(0, z) - t[rows] * z)

    return routes.reverse(loss)(w)


def batch_plain_python(w, X, t, rows):
    grad = [0.0 for _ in w]
    for row in rows:
        z = sum(float(a) * float(b) for a, b in zip(w, X[row], strict=True))
        error = 1 / (1 + math.exp(-z)) - float(t[row])
        grad = [g + error * float(x) / len(rows) for g, x in zip(grad, X[row], strict=True)]
    return tuple(grad)


def batch_cases(rng):
    found = []
    for n, d, size in ((6, 2, 3), (5, 3, 2), (8, 2, 5), (7, 4, 3)):
        found.append(case(*labelled(rng, n, d), rng.permutation(n)[:size]))
    return found


BATCH = Exercise(
    id="03.3",
    title="The gradient of a mini-batch",
    function="batch_gradient",
    minutes=8,
    difficulty=2,
    points=3,
    see="notebook 03, section 10, 'All examples, some, or one'",
    reference=batch_gradient,
    visible=[
        case(np.array([0.5, -1.0]), POINTS, TARGETS, np.array([4, 0, 3])),
        case(np.array([-1.5, 0.8]), POINTS, TARGETS, np.array([5, 2])),
        case(np.array([0.7, -0.4, 1.2]), MORE, np.array([1.0, 0.0, 0.0, 1.0]), np.array([3, 1, 0])),
    ],
    hidden=batch_cases,
    accepted=[batch_in_a_loop, batch_by_mean, batch_by_counts, batch_by_reverse, batch_plain_python],
    bank=[
        Misconception(
            id="sum-of-the-batch",
            answer=lambda w, X, t, rows: batch_gradient(w, X, t, rows) * len(rows),
            looks_like="Your gradient is as many times too long as the batch has examples.",
            why="With a sum, a larger batch makes longer steps, and eta would have to change with the batch size.",
            look_at="notebook 03, section 10: the mean over the batch",
        ),
        Misconception(
            id="divides-by-all-examples",
            answer=lambda w, X, t, rows: batch_gradient(w, X, t, rows) * len(rows) / len(t),
            looks_like="You divided by the number of all examples, not by the size of the batch.",
            why="The batch stands for the whole set: its mean estimates the mean over all examples.",
            look_at="notebook 03, section 10: the mean over the batch",
        ),
        Misconception(
            id="last-of-the-batch",
            answer=lambda w, X, t, rows: batch_gradient(w, X, t, rows[-1:]),
            looks_like="Your gradient is that of the last example of the batch alone.",
            why="Every round of the loop overwrote what the earlier examples had reported.",
            look_at="notebook 03, section 10: the mean over the batch",
        ),
        Misconception(
            id="ignores-the-rows",
            answer=lambda w, X, t, rows: batch_gradient(w, X, t, np.arange(len(t))),
            looks_like="You used all examples, whatever the rows say.",
            why="Then every step would cost a look at the whole data set; a batch is meant to save that.",
            look_at="notebook 03, section 10: why small batches pay",
        ),
        Misconception(
            id="first-rows-instead",
            answer=lambda w, X, t, rows: batch_gradient(w, X, t, np.arange(len(rows))),
            looks_like="Your batch has the right size and holds the first examples of the set.",
            why="The rows say which examples are in the batch, not only how many.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="targets-not-picked",
            answer=lambda w, X, t, rows: (sigmoid(X[rows] @ w) - t[: len(rows)]) @ X[rows] / len(rows),
            looks_like="Inputs and targets belong to different examples.",
            why="You picked the rows of X, but took the targets from the beginning.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="squared-error-instead",
            answer=lambda w, X, t, rows: neuron_gradient(w, X[rows], t[rows]),
            looks_like="This is the gradient of the mean squared error.",
            why="With cross-entropy the slope of the sigmoid cancels, and there is no 2.",
            look_at="notebook 03, section 9, 'The same race on another loss'",
        ),
        Misconception(
            id="target-minus-output",
            answer=lambda w, X, t, rows: -batch_gradient(w, X, t, rows),
            looks_like="Every sign is the wrong way round.",
            why="You gave the direction that helps. The gradient is the direction in which the loss rises.",
            look_at="notebook 03, section 9: (y - t), in this order",
        ),
    ],
    hints=(
        "First make a small data set: the rows of X, and the targets that belong to them.",
        "With cross-entropy, an example's gradient is its error y - t times its x.",
        "The batch's gradient is the mean of these over the batch: divide by the number of rows in it.",
    ),
)


# --- 03.4 step sizes for a bowl --------------------------------------------------------------------------------------


def step_sizes(H):
    curvatures = np.linalg.eigvalsh(H)
    return {"limit": 2 / curvatures[-1], "best": 2 / (curvatures[0] + curvatures[-1])}


def sizes_by_eig(H):
    c = np.linalg.eigvals(np.asarray(H)).real
    return {"best": 2.0 / (c.min() + c.max()), "limit": 2.0 / max(c)}


def sizes_by_svd(H):
    c = np.linalg.svd(H, compute_uv=False)  # for a bowl, singular values are curvatures
    return {"limit": 2 / c[0], "best": 2 / (c[0] + c[-1])}


def sizes_by_inverse(H):
    steep, gentle = np.linalg.norm(H, 2), 1 / np.linalg.norm(np.linalg.inv(H), 2)
    return {"limit": np.array(2 / steep), "best": np.array(1 / ((steep + gentle) / 2))}


def sizes_by_power(H):
    def largest(A):
        P = A
        for _ in range(25):  # the power 2**25 of A: only its largest direction is left
            P = P @ P
            P = P / np.linalg.norm(P)
        v = P @ (np.ones(len(A)) + np.arange(len(A)) / 7)
        return float(v @ A @ v / (v @ v))

    steep = largest(H)
    gentle = steep - largest(steep * np.eye(len(H)) - H)
    return {"limit": 2 / steep, "best": 2 / (steep + gentle)}


def sizes_single(H):
    c = np.sort(np.linalg.eigvalsh(np.float32(H)))
    return {"limit": np.float32(2) / c[-1], "best": np.float32(2) / (c[0] + c[-1])}


def sizes_wrong(limit=None, best=None):
    def answer(H):
        c, right = np.linalg.eigvalsh(H), step_sizes(H)
        return {
            "limit": right["limit"] if limit is None else limit(c, H),
            "best": right["best"] if best is None else best(c, H),
        }

    return answer


def bowl(rng, d):
    """A symmetric matrix with well separated positive curvatures that are not on the diagonal."""
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    curvatures = np.sort(rng.uniform(0.4, 1.2, d)) * 2.2 ** np.arange(d)
    H = (turn * curvatures) @ turn.T
    return ((H + H.T) / 2).round(3)


SIZES = Exercise(
    id="03.4",
    title="How large a step?",
    function="step_sizes",
    minutes=8,
    difficulty=2,
    points=3,
    see="notebook 03, section 3, 'What decides: the curvature' and 'The ravine'",
    reference=step_sizes,
    visible=[
        case(np.array([[3.0, 1.0], [1.0, 2.0]])),
        case(np.array([[5.0, -2.0], [-2.0, 1.5]])),
        case(np.array([[2.0, 0.5, -0.3], [0.5, 4.0, 1.1], [-0.3, 1.1, 1.2]])),
        case(np.array([[0.8, 0.2], [0.2, 0.5]])),
    ],
    hidden=lambda rng: [case(bowl(rng, d)) for d in (2, 3, 4, 2)],
    accepted=[sizes_by_eig, sizes_by_svd, sizes_by_inverse, sizes_by_power, sizes_single],
    bank=[
        Misconception(
            id="one-over-the-steepest",
            answer=sizes_wrong(limit=lambda c, H: 1 / c[-1]),
            looks_like="Your limit is half of what is still stable.",
            why="At that step size the steep direction arrives at once. It may overshoot, and still settle.",
            look_at="notebook 03, section 3: for which eta is the factor smaller than 1 in size?",
        ),
        Misconception(
            id="gentlest-decides",
            answer=sizes_wrong(limit=lambda c, H: 2 / c[0]),
            looks_like="Your limit comes from the smallest curvature.",
            why="A step size must be safe in every direction, and the steepest one is the first to explode.",
            look_at="notebook 03, section 3, 'The ravine'",
        ),
        Misconception(
            id="reads-the-diagonal",
            answer=sizes_wrong(
                limit=lambda c, H: 2 / np.diag(H).max(),
                best=lambda c, H: 2 / (np.diag(H).max() + np.diag(H).min()),
            ),
            looks_like="You read the curvatures off the diagonal.",
            why="The ravine need not lie along an axis. The main curvatures of a symmetric matrix are its eigenvalues.",
            look_at="notebook 03, section 7, where the curvatures of H are printed",
        ),
        Misconception(
            id="uses-the-trace",
            answer=sizes_wrong(limit=lambda c, H: 2 / c.sum(), best=lambda c, H: 2 / c.sum()),
            looks_like="You added all curvatures up.",
            why="Directions do not explode together. Each has its own factor.",
            look_at="notebook 03, section 3, 'The ravine': each direction has its own factor",
        ),
        Misconception(
            id="best-is-half-the-limit",
            answer=sizes_wrong(best=lambda c, H: 1 / c[-1]),
            looks_like="Your best step size is half of the limit.",
            why="That suits the steep direction alone. The gentle one would creep.",
            look_at="notebook 03, section 3, 'The ravine': both factors of the same size",
        ),
        Misconception(
            id="best-from-the-mean-of-the-rates",
            answer=sizes_wrong(best=lambda c, H: (1 / c[0] + 1 / c[-1]) / 2),
            looks_like="You averaged the two step sizes that suit the two directions.",
            why="The factors have to be balanced, not the step sizes; the average may even be unstable.",
            look_at="notebook 03, section 3, 'The ravine': both factors of the same size",
        ),
        Misconception(
            id="best-from-the-geometric-mean",
            answer=sizes_wrong(best=lambda c, H: 1 / np.sqrt(c[0] * c[-1])),
            looks_like="You took the geometric mean of the extreme curvatures.",
            why="Try it: for very different curvatures this is beyond the limit.",
            look_at="notebook 03, section 3, 'The ravine': both factors of the same size",
        ),
    ],
    hints=(
        "Along each main direction the matrix acts as one curvature, and the bowl falls apart into simple ones.",
        "np.linalg.eigvalsh gives the curvatures, sorted. The limit comes from the largest, through |1 - eta c| < 1.",
        "For the best eta the two extreme factors are equal in size and opposite: 1 - eta c_small = eta c_large - 1.",
    ),
)


# --- 03.5 momentum ---------------------------------------------------------------------------------------------------


def momentum(theta, gradients, eta, beta):
    v = np.zeros(len(theta))
    places = []
    for g in gradients:
        v = beta * v + g
        theta = theta - eta * v
        places.append(theta)
    return np.array(places)


def momentum_as_a_sum(theta, gradients, eta, beta):
    places, k = [], len(gradients)
    for n in range(k):
        moved = np.array(theta)
        for j in range(n + 1):
            moved = moved - eta * gradients[j] * (1 - beta ** (n + 1 - j)) / (1 - beta)
        places.append(moved)
    return places


def momentum_in_plain_python(theta, gradients, eta, beta):
    place, velocity, places = [float(a) for a in theta], [0.0] * len(theta), []
    for g in gradients:
        velocity = [beta * v + float(b) for v, b in zip(velocity, g, strict=True)]
        place = [a - eta * v for a, v in zip(place, velocity, strict=True)]
        places.append(list(place))
    return places


def momentum_by_differences(theta, gradients, eta, beta):
    before, places = theta, []
    for g in gradients:
        theta, before = theta - eta * g + beta * (theta - before), theta
        places.append(theta)
    return places


def momentum_by_optimizer(theta, gradients, eta, beta):
    moved = theta.copy()
    optimizer = opt.Momentum(moved, lr=eta, momentum=beta)
    places = []
    for g in gradients:
        optimizer.step(g)
        places.append(moved.copy())
    return places


def momentum_with_eta_inside(theta, gradients, eta, beta):
    v, places = 0.0 * theta, np.empty(gradients.shape)
    for n, g in enumerate(gradients):
        v = beta * v - eta * g
        theta = theta + v
        places[n] = theta
    return places


def momentum_wrong(velocity, move=lambda v, g, eta, beta: -eta * v, late=False):
    def answer(theta, gradients, eta, beta):
        v, places = np.zeros(len(theta)), []
        for g in gradients:
            new = velocity(v, g, beta)
            theta = theta + move(v if late else new, g, eta, beta)
            v = new
            places.append(theta)
        return np.array(places)

    return answer


def heavy(v, g, beta):
    return beta * v + g


def run_cases(rng, *extra):
    return [
        case(numbers(rng, d), numbers(rng, (k, d)), rate(rng), *(value(rng) for value in extra))
        for k, d in ((4, 2), (3, 3), (5, 2), (6, 4))
    ]


SLOPES = np.array([[1.0, -0.5], [0.8, -0.7], [-0.4, 0.9], [1.2, 0.6]])
STEEP = np.array([[0.5, -1.5, 2.0], [0.7, 1.1, 1.6], [0.9, -0.8, -1.2]])

MOMENTUM = Exercise(
    id="03.5",
    title="Momentum",
    function="momentum",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 03, section 5, 'Momentum'",
    reference=momentum,
    visible=[
        case(np.array([2.0, -1.0]), SLOPES, 0.1, 0.9),
        case(np.array([-0.5, 1.5, 3.0]), STEEP, 0.25, 0.5),
        case(np.array([1.2, 0.4]), SLOPES[1:], 0.4, 0.7),
    ],
    hidden=lambda rng: run_cases(rng, lambda rng: rate(rng, 0.3, 0.95)),
    accepted=[
        momentum_as_a_sum,
        momentum_in_plain_python,
        momentum_by_differences,
        momentum_by_optimizer,
        momentum_with_eta_inside,
    ],
    bank=[
        Misconception(
            id="no-memory",
            answer=momentum_wrong(lambda v, g, beta: g),
            looks_like="This is plain gradient descent: the earlier gradients have left no trace.",
            why="The velocity must be carried from step to step; do not begin it anew inside the loop.",
            look_at="notebook 03, section 5: a fading sum of past gradients",
        ),
        Misconception(
            id="averages-instead",
            answer=momentum_wrong(lambda v, g, beta: beta * v + (1 - beta) * g),
            looks_like="Your steps are (1 - beta) times too short.",
            why="You made a moving average, as Adam does. Here gradients are added, so that steps can grow.",
            look_at="notebook 03, section 5: in a steady slope, gradients add up",
        ),
        Misconception(
            id="fades-the-new-gradient",
            answer=momentum_wrong(lambda v, g, beta: v + beta * g),
            looks_like="beta stands at the wrong place: nothing is ever forgotten.",
            why="What fades is the past. Here the old velocity is kept whole, and each new gradient is shortened.",
            look_at="notebook 03, section 5: the formula for v",
        ),
        Misconception(
            id="moves-with-the-old-velocity",
            answer=momentum_wrong(heavy, late=True),
            looks_like="Your places come one step late.",
            why="You moved first and updated the velocity afterwards, so the first step goes nowhere.",
            look_at="notebook 03, section 5: first v, then w",
        ),
        Misconception(
            id="brakes-instead-of-pushing",
            answer=momentum_wrong(lambda v, g, beta: -beta * v + g),
            looks_like="Your velocity works against the direction of the last steps.",
            why="If the update has a minus sign once, in the move, the velocity must not have another.",
            look_at="notebook 03, section 5: the formula for v",
        ),
        Misconception(
            id="walks-uphill",
            answer=momentum_wrong(heavy, lambda v, g, eta, beta: eta * v),
            looks_like="Your ball rolls uphill.",
            why="The velocity is a sum of gradients, and gradients point to where the loss rises.",
            look_at="notebook 03, section 5: the formula for w",
        ),
        Misconception(
            id="adds-the-gradient-again",
            answer=momentum_wrong(heavy, lambda v, g, eta, beta: -eta * (v + g)),
            looks_like="The present gradient counts twice.",
            why="It is in the velocity already.",
            look_at="notebook 03, section 5: the formula for w",
        ),
        Misconception(
            id="looks-ahead",
            answer=momentum_wrong(heavy, lambda v, g, eta, beta: -eta * (g + beta * v)),
            looks_like="This is Nesterov's variant, in the form that PyTorch uses.",
            why="Plain momentum moves by the velocity alone.",
            look_at="notebook 03, section 5: the formula for w",
        ),
    ],
    hints=(
        "Two things are carried from step to step: the place and the velocity. How do they begin?",
        "In each step first the velocity: the old one, faded by beta, plus the new gradient. Then the place.",
        "v = beta * v + g, then theta = theta - eta * v; append the new theta to a list.",
    ),
)


# --- 03.6 Nesterov ---------------------------------------------------------------------------------------------------


def nesterov(theta, c, eta, beta, steps):
    v = np.zeros(len(theta))
    places = []
    for _ in range(steps):
        g = c * (theta - eta * beta * v)
        v = beta * v + g
        theta = theta - eta * v
        places.append(theta)
    return np.array(places)


def nesterov_in_plain_python(theta, c, eta, beta, steps):
    place, velocity, places = [float(a) for a in theta], [0.0] * len(theta), []
    for _ in range(steps):
        for i, curvature in enumerate(c):
            ahead = place[i] - eta * beta * velocity[i]
            velocity[i] = beta * velocity[i] + float(curvature) * ahead
            place[i] -= eta * velocity[i]
        places.append(tuple(place))
    return places


def nesterov_with_eta_inside(theta, c, eta, beta, steps):
    v, places = 0 * theta, []
    for _ in range(steps):
        v = beta * v - eta * c * (theta + beta * v)
        theta = theta + v
        places.append(theta)
    return places


def nesterov_two_sequences(theta, c, eta, beta, steps):
    ahead, places = theta, [theta]
    for _ in range(steps):
        places.append(ahead - eta * c * ahead)
        ahead = places[-1] + beta * (places[-1] - places[-2])
    return places[1:]


def nesterov_by_optimizer(theta, c, eta, beta, steps):
    ahead = theta.copy()
    optimizer = opt.Nesterov(ahead, lr=eta, momentum=beta)
    places = []
    for _ in range(steps):
        optimizer.step(c * ahead)
        places.append(ahead + eta * beta * optimizer.state[0]["velocity"])
    return places


def nesterov_by_matrix(theta, c, eta, beta, steps):
    """Each coordinate is linear: (place, move) times a matrix of 2 by 2."""
    places = np.zeros((steps, len(theta)))
    for i, (start, curvature) in enumerate(zip(theta, c, strict=True)):
        keep = 1 - eta * curvature
        A, state = np.array([[keep, beta * keep], [-eta * curvature, beta * keep]]), np.array([start, 0.0])
        for n in range(steps):
            state = A @ state
            places[n, i] = state[0]
    return places


def nesterov_wrong(look, velocity=heavy, base=lambda theta, ahead: theta):
    def answer(theta, c, eta, beta, steps):
        v, places = np.zeros(len(theta)), []
        for _ in range(steps):
            ahead = look(theta, v, eta, beta)
            v = velocity(v, c * ahead, beta)
            theta = base(theta, ahead) - eta * v
            places.append(theta)
        return np.array(places)

    return answer


def true_look(theta, v, eta, beta):
    return theta - eta * beta * v


def nesterov_cases(rng):
    return [
        case(numbers(rng, d), rng.uniform(0.5, 3.0, d).round(2), rate(rng, 0.1, 0.4), rate(rng, 0.4, 0.9), k)
        for d, k in ((2, 3), (3, 4), (2, 5), (4, 3))
    ]


NESTEROV = Exercise(
    id="03.6",
    title="Nesterov looks ahead",
    function="nesterov",
    minutes=10,
    difficulty=3,
    points=3,
    see="notebook 03, section 5, 'Nesterov'",
    reference=nesterov,
    visible=[
        case(np.array([2.0, -1.0]), np.array([1.0, 3.0]), 0.2, 0.8, 4),
        case(np.array([-0.5, 1.5, 3.0]), np.array([0.6, 2.5, 1.4]), 0.35, 0.5, 3),
        case(np.array([1.2, 0.9]), np.array([2.2, 0.7]), 0.15, 0.9, 5),
    ],
    hidden=nesterov_cases,
    accepted=[
        nesterov_in_plain_python,
        nesterov_with_eta_inside,
        nesterov_two_sequences,
        nesterov_by_optimizer,
        nesterov_by_matrix,
    ],
    bank=[
        Misconception(
            id="does-not-look-ahead",
            answer=nesterov_wrong(lambda theta, v, eta, beta: theta),
            looks_like="This is plain momentum.",
            why="Your gradient is taken where the ball is, not where it is about to be.",
            look_at="notebook 03, section 5: Nesterov asks for the gradient elsewhere",
        ),
        Misconception(
            id="looks-back",
            answer=nesterov_wrong(lambda theta, v, eta, beta: theta + eta * beta * v),
            looks_like="You look back to where the ball came from.",
            why="The velocity is a sum of gradients, so the ball moves against it.",
            look_at="notebook 03, section 5: the sign in the formula for w",
        ),
        Misconception(
            id="looks-ahead-without-beta",
            answer=nesterov_wrong(lambda theta, v, eta, beta: theta - eta * v),
            looks_like="You look too far ahead.",
            why="By the next step the old velocity will have faded; only the part that is kept carries the ball.",
            look_at="notebook 03, section 5: what is left of v in the next step",
        ),
        Misconception(
            id="looks-ahead-without-eta",
            answer=nesterov_wrong(lambda theta, v, eta, beta: theta - beta * v),
            looks_like="You look ahead by the velocity itself.",
            why="The velocity is measured in gradients. A distance is the velocity times eta.",
            look_at="notebook 03, section 5: the formula for w",
        ),
        Misconception(
            id="steps-from-the-point-ahead",
            answer=nesterov_wrong(true_look, base=lambda theta, ahead: ahead),
            looks_like="The old velocity counts twice in every step.",
            why="The point ahead is only where the gradient is asked for. The step starts where the ball is.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="returns-the-points-ahead",
            answer=lambda theta, c, eta, beta, steps: _points_ahead(theta, c, eta, beta, steps),
            looks_like="You returned the points ahead, not the places of the ball.",
            why="PyTorch stores the points ahead, the textbook the places. Here the places are asked for.",
            look_at="notebook 03, section 5: 91 steps, or 92",
        ),
        Misconception(
            id="forgets-the-velocity",
            answer=nesterov_wrong(true_look, lambda v, g, beta: g),
            looks_like="Your velocity holds the newest gradient only.",
            why="Looking ahead changes where the gradient is taken; the fading sum of gradients stays.",
            look_at="notebook 03, section 5: the formula for v",
        ),
    ],
    hints=(
        "Write plain momentum first. One line changes: where the gradient is taken.",
        "If no new gradient came, the velocity would be beta * v and the ball would move by -eta times that.",
        "g = c * (theta - eta * beta * v); the two lines of momentum follow as they were.",
    ),
)


def _points_ahead(theta, c, eta, beta, steps):
    v, places = np.zeros(len(theta)), []
    for _ in range(steps):
        v = beta * v + c * (theta - eta * beta * v)
        theta = theta - eta * v
        places.append(theta - eta * beta * v)
    return np.array(places)


# --- 03.7 RPROP ------------------------------------------------------------------------------------------------------


def rprop(theta, gradients, first):
    size, move, last = np.full(len(theta), first), np.zeros(len(theta)), np.zeros(len(theta))
    places = []
    for g in gradients:
        agree = np.sign(g) * last
        size = np.where(agree > 0, 1.2 * size, np.where(agree < 0, 0.5 * size, size))
        move = np.where(agree < 0, -move, -np.sign(g) * size)
        last = np.where(agree < 0, 0.0, np.sign(g))
        theta = theta + move
        places.append(theta)
    return np.array(places)


def rprop_weight_by_weight(theta, gradients, first):
    columns = []
    for start, slopes in zip(theta, np.asarray(gradients).T, strict=True):
        place, size, move, last, column = float(start), first, 0.0, 0, []
        for slope in slopes:
            sign = 1 if slope > 0 else -1
            if sign == last:
                size *= 1.2
            if sign == -last:
                size, move, last = size / 2, -move, 0
            else:
                move, last = -sign * size, sign
            place += move
            column.append(place)
        columns.append(column)
    return np.transpose(columns)


def rprop_with_masks(theta, gradients, first):
    d = len(theta)
    size, move, last, places = first * np.ones(d), np.zeros(d), np.zeros(d), []
    place = np.array(theta, dtype=float)
    for g in gradients:
        sign = (g > 0).astype(int) - (g < 0)
        same, flip = sign * last > 0, sign * last < 0
        size[same] *= 1.2
        size[flip] *= 0.5
        move = -sign * size * ~flip - move * flip
        last = sign * ~flip
        place = place + move
        places.append(place.tolist())
    return places


def rprop_by_optimizer(theta, gradients, first):
    place, places = theta.copy(), []
    optimizer = opt.RPROP(place, lr=first)
    for g in gradients:
        optimizer.step(g)
        places.append(place.copy())
    return places


def rprop_by_powers(theta, gradients, first):
    """Counts how often each size grew and shrank, and keeps the place before the last move."""
    signs, d = np.sign(gradients), len(theta)
    up, down, last = np.zeros(d), np.zeros(d), np.zeros(d)
    place, before, places = np.array(theta, float), np.array(theta, float), []
    for sign in signs:
        up, down = up + (sign == last) * (last != 0), down + (sign == -last)
        flip = (sign == -last) & (last != 0)
        moved = np.where(flip, before, place - sign * first * 1.2**up * 0.5**down)
        before, place, last = place, moved, np.where(flip, 0, sign)
        places.append(place)
    return places


def rprop_float32(theta, gradients, first):
    return rprop(np.float32(theta), np.float32(gradients), np.float32(first)).astype(np.float32)


def rprop_wrong(*, grow=1.2, shrink=0.5, after=lambda move, g, size: -move, forget=True, slope=np.sign, shared=False):
    def answer(theta, gradients, first):
        d = len(theta)
        size, move, last, places = np.full(d, first), np.zeros(d), np.zeros(d), []
        for g in gradients:
            agree = np.sign(g) * last
            if shared:
                agree = np.full(d, agree.sum())
            size = np.where(agree > 0, grow * size, np.where(agree < 0, shrink * size, size))
            move = np.where(agree < 0, after(move, g, size), -slope(g) * size)
            last = np.where((agree < 0) & forget, 0.0, np.sign(g))
            theta = theta + move
            places.append(theta)
        return np.array(places)

    return answer


def flips(rng, k, d):
    """Gradients that keep their sign for a while, flip, and go on, in every weight at another time."""
    sizes = rng.uniform(0.2, 2.0, (k, d))
    signs = np.ones((k, d))
    for i in range(d):
        flip = int(rng.integers(2, k - 2))
        signs[flip:, i] = -1.0
        signs[:, i] *= rng.choice([-1.0, 1.0])
    return (sizes * signs).round(2)


SLOPES_THAT_FLIP = np.array([[1.0, -0.5], [0.8, -0.7], [-0.4, -0.9], [-1.2, 0.6], [-0.7, 0.3], [-0.9, 1.1]])
MORE_FLIPS = np.array([[0.5, -1.5, 2.0], [0.7, -1.1, -1.6], [-0.9, -0.8, -1.2], [-0.3, 0.6, -0.4], [-1.4, 0.2, 0.7]])

RESILIENT = Exercise(
    id="03.7",
    title="RPROP: believe the sign",
    function="rprop",
    minutes=15,
    difficulty=3,
    points=4,
    see="notebook 03, section 6, 'A step size for every weight'",
    reference=rprop,
    visible=[
        case(np.array([2.0, -1.0]), SLOPES_THAT_FLIP, 0.1),
        case(np.array([-0.5, 1.5, 3.0]), MORE_FLIPS, 0.4),
        case(np.array([1.3, -0.8]), -SLOPES_THAT_FLIP[::-1], 0.25),
    ],
    hidden=lambda rng: [
        case(numbers(rng, d), flips(rng, k, d), rate(rng)) for k, d in ((6, 2), (7, 3), (8, 2), (6, 4))
    ],
    accepted=[rprop_weight_by_weight, rprop_with_masks, rprop_by_optimizer, rprop_by_powers, rprop_float32],
    bank=[
        Misconception(
            id="rests-after-a-flip",
            answer=rprop_wrong(after=lambda move, g, size: 0.0 * move),
            looks_like="After a flip your weight stands still instead of going back.",
            why="That is iRPROP-, PyTorch's variant. The one asked for takes the bad step back.",
            look_at="notebook 03, section 6: what happens at step 12",
        ),
        Misconception(
            id="turns-round-at-once",
            answer=rprop_wrong(after=lambda move, g, size: -np.sign(g) * size, forget=False),
            looks_like="After a flip your weight turns round with the smaller step.",
            why="The last step went too far. Here it is first taken back whole.",
            look_at="notebook 03, section 6: what happens at step 12",
        ),
        Misconception(
            id="remembers-the-flipped-sign",
            answer=rprop_wrong(forget=False),
            looks_like="The step after a flip is already growing again.",
            why="A sign that has just flipped is forgotten, so the next one neither agrees nor flips.",
            look_at="the docstring of the exercise, its last line",
        ),
        Misconception(
            id="grows-and-shrinks-exchanged",
            answer=rprop_wrong(grow=0.5, shrink=1.2),
            looks_like="Your steps shrink while the sign stays, and grow when it flips.",
            why="A sign that stays means that the goal is still ahead: go faster.",
            look_at="notebook 03, section 6: how the steps develop",
        ),
        Misconception(
            id="uses-the-size-of-the-gradient",
            answer=rprop_wrong(slope=lambda g: g),
            looks_like="Your moves still depend on how steep it is.",
            why="RPROP believes only the sign of a gradient entry. That is why a plateau does not slow it down.",
            look_at="notebook 03, section 6: believes only the sign",
        ),
        Misconception(
            id="one-step-size-for-all",
            answer=rprop_wrong(shared=True),
            looks_like="All weights share one step size.",
            why="The point of the method is that each weight has its own, by the history of its own sign.",
            look_at="notebook 03, section 6: every weight has a step size",
        ),
        Misconception(
            id="walks-uphill",
            answer=rprop_wrong(slope=lambda g: -np.sign(g)),
            looks_like="Your first step goes uphill.",
            why="A positive gradient means that the loss rises with the weight, so the weight must fall.",
            look_at="notebook 03, section 6: signs and moves in the table",
        ),
        Misconception(
            id="never-grows",
            answer=rprop_wrong(grow=1.0),
            looks_like="Your steps never grow.",
            why="While the sign stays, each step should be longer than the last.",
            look_at="notebook 03, section 6: how the steps develop",
        ),
    ],
    hints=(
        "For one weight: compare the sign of the new gradient with the stored sign. Same, opposite, or nothing stored?",
        "Same: grow, then move against the sign. Opposite: halve, undo the last move, store 0. "
        "Nothing stored: move against the sign.",
        "agree = sign * last decides all three: np.where(agree < 0, ...) gives size, move and stored sign.",
    ),
    equivalent_mutants={
        "`np.sign(g) * last` → `last / np.sign(g)`": "a sign is its own reciprocal",
        "`-np.sign(g) * size` → `size / -np.sign(g)`": "a sign is its own reciprocal",
        "`np.zeros` → `np.ones`": "a move is taken back only after one has been made",
    },
)


# --- 03.8 Adam -------------------------------------------------------------------------------------------------------


def adam(theta, gradients, eta, beta1, beta2, eps):
    m, s = np.zeros(len(theta)), np.zeros(len(theta))
    places = []
    for k, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**k)
        s_hat = s / (1 - beta2**k)
        theta = theta - eta * m_hat / (np.sqrt(s_hat) + eps)
        places.append(theta)
    return np.array(places)


def adam_in_plain_python(theta, gradients, eta, beta1, beta2, eps):
    place, m, s, places = list(theta), [0.0] * len(theta), [0.0] * len(theta), []
    for k, g in enumerate(gradients):
        for i, slope in enumerate(g):
            m[i] += (1 - beta1) * (slope - m[i])
            s[i] += (1 - beta2) * (slope * slope - s[i])
            place[i] -= eta * m[i] / (1 - beta1 ** (k + 1)) / (math.sqrt(s[i] / (1 - beta2 ** (k + 1))) + eps)
        places.append(list(place))
    return places


def adam_by_weighted_means(theta, gradients, eta, beta1, beta2, eps):
    """A corrected average is a weighted mean whose weights sum to one."""
    places, place = [], theta
    for k in range(1, len(gradients) + 1):
        past = np.asarray(gradients[:k])
        first = np.average(past, axis=0, weights=beta1 ** np.arange(k)[::-1])
        second = np.average(past**2, axis=0, weights=beta2 ** np.arange(k)[::-1])
        place = place - eta * first / (second**0.5 + eps)
        places.append(place)
    return places


def adam_with_one_rate(theta, gradients, eta, beta1, beta2, eps):
    m = s = 0.0
    places, fade1, fade2 = [], 1.0, 1.0
    for g in gradients:
        fade1, fade2 = fade1 * beta1, fade2 * beta2
        m, s = beta1 * m + (1 - beta1) * g, beta2 * s + (1 - beta2) * g * g
        scale = np.sqrt(1 - fade2)
        theta = theta - eta * scale / (1 - fade1) * m / (np.sqrt(s) + eps * scale)
        places.append(theta)
    return places


def adam_by_optimizer(theta, gradients, eta, beta1, beta2, eps):
    place, places = theta.copy(), []
    optimizer = opt.Adam(place, lr=eta, betas=(beta1, beta2), eps=eps)
    for g in gradients:
        optimizer.step(g)
        places.append(place.copy())
    return places


def adam_float32(theta, gradients, eta, beta1, beta2, eps):
    single = [np.float32(x) for x in (theta, gradients, eta, beta1, beta2, eps)]
    return adam(*single).astype(np.float32)


def adam_wrong(
    *, counter=lambda k: k, correct=(True, True), root=lambda s, eps: np.sqrt(s) + eps, keep=None, top="m", swap=False
):
    def answer(theta, gradients, eta, beta1, beta2, eps):
        if swap:
            beta1, beta2 = beta2, beta1
        m, s, places = np.zeros(len(theta)), np.zeros(len(theta)), []
        for k, g in enumerate(gradients, start=1):
            m = beta1 * m + (1 - beta1) * g
            s = keep(s, g) if keep else beta2 * s + (1 - beta2) * g**2
            m_hat = m / (1 - beta1 ** counter(k)) if correct[0] else m
            s_hat = s / (1 - beta2 ** counter(k)) if correct[1] else s
            theta = theta - eta * (m_hat if top == "m" else g) / root(s_hat, eps)
            places.append(theta)
        return np.array(places)

    return answer


def adam_cases(rng):
    return [
        case(*item.args, rate(rng, 0.5, 0.8), rate(rng, 0.85, 0.97), rate(rng, 0.1, 0.3)) for item in run_cases(rng)
    ]


ADAM = Exercise(
    id="03.8",
    title="Adam, with its correction",
    function="adam",
    minutes=12,
    difficulty=3,
    points=4,
    see="notebook 03, section 6, 'Divide by the usual size'",
    reference=adam,
    visible=[
        case(np.array([2.0, -1.0]), SLOPES, 0.1, 0.9, 0.99, 0.1),
        case(np.array([-0.5, 1.5, 3.0]), STEEP, 0.3, 0.6, 0.9, 0.2),
        case(np.array([1.2, 0.4]), SLOPES[1:], 0.2, 0.8, 0.95, 0.05),
    ],
    hidden=adam_cases,
    accepted=[adam_in_plain_python, adam_by_weighted_means, adam_with_one_rate, adam_by_optimizer, adam_float32],
    bank=[
        Misconception(
            id="no-correction",
            answer=adam_wrong(correct=(False, False)),
            looks_like="Your averages are not corrected for starting at zero.",
            why="In the first steps both are far too small, and by different shares, so the quotient is wrong.",
            look_at="notebook 03, section 6: the column 'not corrected'",
        ),
        Misconception(
            id="counter-stuck-at-one",
            answer=adam_wrong(counter=lambda k: 1),
            looks_like="The first step is right, and the correction never fades.",
            why="The correction depends on the number of the step. Yours is always that of the first.",
            look_at="notebook 03, section 6: the column 'counter stuck'",
        ),
        Misconception(
            id="counter-one-ahead",
            answer=adam_wrong(counter=lambda k: k + 1),
            looks_like="Your correction is that of the next step.",
            why="The first step has number 1. Did you count it twice?",
            look_at="notebook 03, section 6: at step number k = 1, 2, 3",
        ),
        Misconception(
            id="corrects-the-mean-only",
            answer=adam_wrong(correct=(True, False)),
            looks_like="The average of the squares is not corrected.",
            why="It starts at zero as well, and fades more slowly, so it needs the correction longer.",
            look_at="notebook 03, section 6: both averages start at zero",
        ),
        Misconception(
            id="corrects-the-squares-only",
            answer=adam_wrong(correct=(False, True)),
            looks_like="The average of the gradients is not corrected.",
            why="It starts at zero as well as the other.",
            look_at="notebook 03, section 6: both averages start at zero",
        ),
        Misconception(
            id="eps-inside-the-root",
            answer=adam_wrong(root=lambda s, eps: np.sqrt(s + eps)),
            looks_like="eps stands inside the square root.",
            why="Inside the root a small eps is much larger than it looks: the root of 1e-8 is 1e-4.",
            look_at="notebook 03, section 6: the formula for w",
        ),
        Misconception(
            id="betas-swapped",
            answer=adam_wrong(swap=True),
            looks_like="beta1 and beta2 are exchanged.",
            why="beta1 belongs to the gradients, beta2 to their squares, which are remembered longer.",
            look_at="notebook 03, section 6: the formulas for m and s",
        ),
        Misconception(
            id="no-root",
            answer=adam_wrong(root=lambda s, eps: s + eps),
            looks_like="The square root is missing.",
            why="An average of squares has the wrong unit: the size of a gradient is its root.",
            look_at="notebook 03, section 6: the formula for w",
        ),
        Misconception(
            id="no-momentum",
            answer=adam_wrong(top="g"),
            looks_like="Your step uses the newest gradient alone: RMSprop with a correction.",
            why="Adam puts momentum on top: the average of the gradients stands in the numerator.",
            look_at="notebook 03, section 6: the formula for w",
        ),
        Misconception(
            id="squares-the-average",
            answer=lambda theta, gradients, eta, beta1, beta2, eps: _square_of_the_mean(
                theta, gradients, eta, beta1, beta2, eps
            ),
            looks_like="You squared the average m; the squares themselves have to be averaged.",
            why="Gradients of both signs cancel in an average; their squares do not.",
            look_at="notebook 03, section 6: the formula for s",
        ),
    ],
    hints=(
        "Four numbers per weight and step: the two averages, and each of them corrected.",
        "Steps are counted from k = 1. Corrected: m / (1 - beta1**k) and s / (1 - beta2**k); m and s go on unchanged.",
        "The move is -eta times the corrected m, divided by (root of the corrected s, plus eps).",
    ),
)


def _square_of_the_mean(theta, gradients, eta, beta1, beta2, eps):
    m, s, places = np.zeros(len(theta)), np.zeros(len(theta)), []
    for k, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * m**2
        theta = theta - eta * m / (1 - beta1**k) / (np.sqrt(s / (1 - beta2**k)) + eps)
        places.append(theta)
    return np.array(places)


# --- 03.9 clipping ---------------------------------------------------------------------------------------------------


def clip_by_norm(gradients, bound):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    if norm <= bound:
        return gradients
    return [bound / norm * g for g in gradients]


def clip_in_one_line(gradients, bound):
    norm = math.sqrt(sum(float(x) ** 2 for g in gradients for x in np.ravel(g)))
    return [g * min(1.0, bound / norm) for g in gradients]


def clip_flat(gradients, bound):
    flat = np.concatenate([g.ravel() for g in gradients])
    scale = max(1.0, float(np.linalg.norm(flat)) / bound)
    return tuple(g / scale for g in gradients)


def clip_norm_of_norms(gradients, bound):
    norm = np.linalg.norm([np.linalg.norm(g) for g in gradients])
    return [np.array(g) if norm < bound else np.array(g) / norm * bound for g in gradients]


def clip_by_package(gradients, bound):
    return opt.clip_by_norm(gradients, bound)


def clip_to_lists(gradients, bound):
    norm = np.sqrt(sum(np.vdot(g, g) for g in gradients))
    return [(g / max(norm / bound, 1)).tolist() for g in gradients]


def each_alone(gradients, bound):
    return [g * min(1.0, bound / np.linalg.norm(g)) for g in gradients]


def clip_wrong(scale):
    def answer(gradients, bound):
        return [g * scale(gradients, np.sqrt(sum(np.sum(g**2) for g in gradients)), bound) for g in gradients]

    return answer


def clip_in_place(gradients, bound):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    for g in gradients:
        g *= min(1.0, bound / norm)
    return gradients


def clip_cases(rng):
    found = []
    for shapes, share in ((((2, 3), (3,)), 0.4), (((4,), (2, 2)), 0.7), (((3, 2), (2,)), 1.8), (((2,), (5,)), 0.25)):
        gradients = [numbers(rng, shape) for shape in shapes]
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        found.append(case(gradients, round(share * norm, 3)))
    return found


CLIP = Exercise(
    id="03.9",
    title="Clipping by norm",
    function="clip_by_norm",
    minutes=7,
    difficulty=2,
    points=2,
    see="notebook 03, section 11, 'And the cliff'",
    reference=clip_by_norm,
    visible=[
        case([np.array([[3.0, -1.0, 0.5], [0.8, 2.0, -1.5]]), np.array([1.2, -0.7, 0.4])], 2.0),
        case([np.array([0.6, -0.4]), np.array([[0.3, 0.9], [-0.5, 0.2]])], 5.0),
        case([np.array([4.0]), np.array([-3.0, 2.5, 0.6])], 1.5),
        case([np.array([1.1, 0.7, -2.1]), np.array([[0.4, 1.3]])], 2.5),
    ],
    hidden=clip_cases,
    accepted=[clip_in_one_line, clip_flat, clip_norm_of_norms, clip_by_package, clip_to_lists],
    bank=[
        Misconception(
            id="clips-by-value",
            answer=lambda gradients, bound: [np.clip(g, -bound, bound) for g in gradients],
            looks_like="You cut single entries off, so the direction changes.",
            why="That is clipping by value. Clipping by norm shortens the whole arrow and keeps its direction.",
            look_at="notebook 03, section 11: keeping its direction",
        ),
        Misconception(
            id="clips-each-array-alone",
            answer=each_alone,
            looks_like="You clipped every array by its own norm.",
            why="All parameters together make one arrow. Shortening its parts by different factors turns it.",
            look_at="the docstring of the exercise: one norm for all arrays",
        ),
        Misconception(
            id="always-rescales",
            answer=clip_wrong(lambda gradients, norm, bound: bound / norm),
            looks_like="Short gradients have been made longer.",
            why="The bound is an upper one. A gradient that keeps to it is left alone.",
            look_at="notebook 03, section 11: if the gradient is longer than a bound",
        ),
        Misconception(
            id="factor-upside-down",
            answer=clip_wrong(lambda gradients, norm, bound: norm / bound if norm > bound else 1.0),
            looks_like="Gradients that are too long have been made longer still.",
            why="Your factor is upside down: it has to be smaller than 1.",
            look_at="notebook 03, section 11: shorten it to the bound",
        ),
        Misconception(
            id="forgets-the-bound",
            answer=clip_wrong(lambda gradients, norm, bound: 1 / norm if norm > bound else 1.0),
            looks_like="Your clipped gradients have length 1, whatever the bound is.",
            why="Dividing by the length gives an arrow of length 1. It should be as long as the bound.",
            look_at="notebook 03, section 11: shorten it to the bound",
        ),
        Misconception(
            id="forgets-the-root",
            answer=clip_wrong(lambda gradients, norm, bound: bound / norm**2 if norm > bound else 1.0),
            looks_like="Your clipped gradients are too short: you divided by the square of the length.",
            why="The sum of squares is the square of the length, as with Pythagoras.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="adds-the-norms",
            answer=clip_wrong(
                lambda gradients, norm, bound: min(1.0, bound / sum(float(np.linalg.norm(g)) for g in gradients))
            ),
            looks_like="You added the norms of the arrays.",
            why="Lengths at right angles do not add; their squares do.",
            look_at="the docstring of the exercise: one norm for all arrays",
        ),
        Misconception(
            id="largest-entry-as-length",
            answer=clip_wrong(
                lambda gradients, norm, bound: min(1.0, bound / max(float(np.abs(g).max()) for g in gradients))
            ),
            looks_like="You took the largest entry for the length.",
            why="An arrow is longer than its longest component.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="clips-in-place",
            answer=clip_in_place,
            looks_like="The numbers are right, but the arrays that you were given have been changed.",
            why="g *= ... writes into the caller's array.",
            look_at="the docstring of the exercise: what you are given stays as it is",
        ),
    ],
    hints=(
        "Imagine all arrays laid end to end: one long arrow. How long is it?",
        "The length is the root of the sum of all squares, over all arrays. Up to the bound, nothing is done.",
        "Otherwise every array is multiplied by one and the same factor, bound / length.",
    ),
    equivalent_mutants={"`norm <= bound` → `norm < bound`": "at the bound the factor is 1"},
)


# --- 03.10 golden section --------------------------------------------------------------------------------------------


def line_search(theta, g, c, high, tolerance):
    def loss(eta):
        return 0.5 * np.sum(c * (theta - eta * g) ** 2)

    golden = (5**0.5 - 1) / 2
    low, left, right = 0.0, high - golden * high, golden * high
    f_left, f_right = loss(left), loss(right)
    evaluations = 2
    while high - low > tolerance:
        if f_left < f_right:
            high, right, f_right = right, left, f_left
            left = high - golden * (high - low)
            f_left = loss(left)
        else:
            low, left, f_left = left, right, f_right
            right = low + golden * (high - low)
            f_right = loss(right)
        evaluations += 1
    return {"eta": (low + high) / 2, "evaluations": evaluations}


def _along(theta, g, c):
    return lambda eta: 0.5 * float(np.sum(np.asarray(c) * (np.asarray(theta) - eta * np.asarray(g)) ** 2))


def search_by_package(theta, g, c, high, tolerance):
    found = opt.golden_section(_along(theta, g, c), 0.0, high, tolerance=tolerance)
    return {"eta": found.x, "evaluations": found.evaluations}


def search_with_memory(theta, g, c, high, tolerance):
    """Remembers losses by rounded place, and counts how many different ones were asked for."""
    known, f, low = {}, _along(theta, g, c), 0.0

    def look(eta):
        return known.setdefault(round(eta, 9), f(eta))

    golden = 2 / (1 + math.sqrt(5))
    while True:
        left, right = high - golden * (high - low), low + golden * (high - low)
        worse_left = look(left) >= look(right)
        if high - low <= tolerance:
            return {"evaluations": len(known), "eta": 0.5 * (low + high)}
        low, high = (left, high) if worse_left else (low, right)


def search_recursively(theta, g, c, high, tolerance):
    f, golden = _along(theta, g, c), (math.sqrt(5) - 1) / 2

    def shrink(low, left, right, high, f_left, f_right, count):
        if high - low <= tolerance:
            return {"eta": low + (high - low) / 2, "evaluations": count}
        if f_left < f_right:
            new = right - golden * (right - low)
            return shrink(low, new, left, right, f(new), f_left, count + 1)
        new = left + golden * (high - left)
        return shrink(left, right, new, high, f_right, f(new), count + 1)

    left, right = high * (1 - golden), high * golden
    return shrink(0.0, left, right, high, f(left), f(right), 2)


def search_by_formula(theta, g, c, high, tolerance):
    """The losses of a parabola compare like distances from its lowest point, and the count is known beforehand."""
    lowest = float(np.sum(c * theta * g) / np.sum(c * g * g))
    golden, low, top = (math.sqrt(5) - 1) / 2, 0.0, high
    shrinks = math.ceil(math.log(tolerance / high) / math.log(golden))
    for _ in range(shrinks):
        left, right = top - golden * (top - low), low + golden * (top - low)
        if abs(left - lowest) < abs(right - lowest):
            top = right
        else:
            low = left
    return {"eta": np.float64((low + top) / 2), "evaluations": np.int64(2 + shrinks)}


def search_by_width(theta, g, c, high, tolerance):
    f, golden = _along(theta, g, c), (math.sqrt(5) - 1) / 2
    low, width, count = 0.0, high, 2
    points = [(1 - golden) * width, golden * width]
    losses = [f(points[0]), f(points[1])]
    while width > tolerance:
        width *= golden
        if losses[0] < losses[1]:
            points = [low + (1 - golden) * width, points[0]]
            losses = [f(points[0]), losses[0]]
        else:
            low = points[0]
            points = [points[1], low + golden * width]
            losses = [losses[1], f(points[1])]
        count += 1
    return {"eta": low + width / 2, "evaluations": count}


def search_wrong(
    *, share=(5**0.5 - 1) / 2, per_shrink=1, first=2, keep_worse=False, end=lambda low, high: (low + high) / 2
):
    """Evaluates both points anew each time; `per_shrink` and `first` say what is counted."""

    def answer(theta, g, c, high, tolerance):
        f, low, evaluations = _along(theta, g, c), 0.0, first
        while high - low > tolerance:
            left, right = high - share * (high - low), low + share * (high - low)
            if (f(left) < f(right)) != keep_worse:
                high = right
            else:
                low = left
            evaluations += per_shrink
        return {"eta": end(low, high), "evaluations": evaluations}

    return answer


def best_point_seen(theta, g, c, high, tolerance):
    right = line_search(theta, g, c, high, tolerance)
    exact = float(np.sum(c * theta * g) / np.sum(c * g * g))
    return {"eta": exact, "evaluations": right["evaluations"]}


def search_cases(rng):
    found = []
    for d, tolerance in ((2, 0.05), (3, 0.02), (2, 0.1), (4, 0.01)):
        c, theta = rng.uniform(0.3, 3.0, d).round(2), numbers(rng, d)
        lowest = float(np.sum(c**3 * theta**2) ** -1 * np.sum((c * theta) ** 2))
        found.append(case(theta, c * theta, c, round(lowest * float(rng.uniform(1.5, 5.0)), 2), tolerance))
    return found


SEARCH = Exercise(
    id="03.10",
    title="A line search, with its price",
    function="line_search",
    minutes=15,
    difficulty=3,
    points=4,
    see="notebook 03, section 7, 'Look before you step'",
    reference=line_search,
    visible=[
        case(np.array([2.0, -1.0]), np.array([2.0, -3.0]), np.array([1.0, 3.0]), 2.0, 0.01),
        case(np.array([0.8, 1.5, -2.0]), np.array([0.4, 2.4, -1.4]), np.array([0.5, 1.6, 0.7]), 5.0, 0.02),
        case(np.array([-1.2, 0.5]), np.array([-0.6, 1.1]), np.array([0.5, 2.2]), 1.5, 0.05),
    ],
    hidden=search_cases,
    accepted=[search_by_package, search_with_memory, search_recursively, search_by_formula, search_by_width],
    bank=[
        Misconception(
            id="evaluates-both-points",
            answer=search_wrong(per_shrink=2, first=0),
            looks_like="The place is right, and your search evaluates two points for each shrink.",
            why="One of the two inner points of the new interval was an inner point of the old one; its loss is known.",
            look_at="notebook 03, section 7: one of the two points can be used again",
        ),
        Misconception(
            id="forgets-the-first-two",
            answer=search_wrong(first=0),
            looks_like="Your count misses two evaluations.",
            why="Before the first comparison, both inner points have to be looked at.",
            look_at="notebook 03, section 7, where the evaluations are printed",
        ),
        Misconception(
            id="keeps-the-worse-half",
            answer=search_wrong(keep_worse=True),
            looks_like="Your search ends at the edge of the interval.",
            why="You dropped the end beside the better point. The minimum lies near the better one.",
            look_at="notebook 03, section 7: drop the end beside the worse one",
        ),
        Misconception(
            id="cuts-into-thirds",
            answer=search_wrong(share=2 / 3, per_shrink=2, first=0),
            looks_like="Your inner points are at one third and two thirds, so none can be used again.",
            why="Only with the golden section is an old inner point again in the right place.",
            look_at="notebook 03, section 7: the interval shrinks by 0.618",
        ),
        Misconception(
            id="returns-the-left-end",
            answer=search_wrong(end=lambda low, high: low),
            looks_like="You returned the left end of the last interval.",
            why="The minimum lies somewhere inside; its middle is the best guess.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="returns-the-right-end",
            answer=search_wrong(end=lambda low, high: high),
            looks_like="You returned the right end of the last interval.",
            why="The minimum lies somewhere inside; its middle is the best guess.",
            look_at="the docstring of the exercise",
        ),
        Misconception(
            id="looks-once-more-at-the-end",
            answer=search_wrong(first=3),
            looks_like="Your count is one too high.",
            why="Two evaluations before the loop, one in each round, none afterwards.",
            look_at="notebook 03, section 7, where the evaluations are printed",
        ),
        Misconception(
            id="solves-the-parabola",
            answer=best_point_seen,
            looks_like="You returned the exact minimum of this parabola, which a search does not know.",
            why="For a real network there is no formula. Return the middle of the last interval.",
            look_at="the docstring of the exercise",
        ),
    ],
    hints=(
        "Keep six numbers: both ends, both inner points and their two losses.",
        "If the left inner point is better, the right one becomes the right end and the left one the right inner "
        "point; only one new point has to be evaluated. The other case is the mirror image.",
        "Inner points: high - 0.618 * (high - low) and low + 0.618 * (high - low), with 0.618 = (5**0.5 - 1) / 2.",
    ),
    equivalent_mutants={
        "`return 0.5 * np.sum(c * (theta - eta * g) ** 2)` → `return 2 * (0.5 * np.sum(c * (theta - eta * g) ** 2))`": (
            "losses are only compared"
        ),
        "`0.5 * np.sum(c * (theta - eta * g) ** 2)` → `0.5 + np.sum(c * (theta - eta * g) ** 2)`": (
            "losses are only compared"
        ),
        "`0.5 * np.sum(c * (theta - eta * g) ** 2)` → `np.sum(c * (theta - eta * g) ** 2) / 0.5`": (
            "losses are only compared"
        ),
        "`0.5 * np.sum(c * (theta - eta * g) ** 2)` → `np.sum(c * (theta - eta * g) ** 2)`": "losses are only compared",
        "`0.5` → `1.5`": "losses are only compared",
        "`theta - eta * g` → `eta * g - theta`": "the difference is squared",
        "`f_left < f_right` → `f_left <= f_right`": "two losses are equal only by an accident of rounding",
        "`high - low > tolerance` → `high - low >= tolerance`": "a length equals the tolerance only by accident",
    },
)

EXERCISES = [STEP, NEURON, BATCH, SIZES, MOMENTUM, NESTEROV, RESILIENT, ADAM, CLIP, SEARCH]

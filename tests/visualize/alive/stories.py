"""One small story of each kind, the same in every test."""

from functools import cache

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.autodiff.tensor import Tensor
from coursepkg.kitchen import supply_chain
from coursepkg.neural_tree import FunctionNode, Leaf, Tree
from coursepkg.photonics import Mesh
from coursepkg.visualize.alive.flip import flip_through
from coursepkg.visualize.alive.story import Question
from coursepkg.visualize.chart.descent import tell_descent
from coursepkg.visualize.chart.landscape import Landscape
from coursepkg.visualize.field.story import tell_learning
from coursepkg.visualize.graph.market import tell_market
from coursepkg.visualize.graph.story import tell_graph
from coursepkg.visualize.graph.unrolled import tell_unrolled
from coursepkg.visualize.light.story import tell_light
from coursepkg.visualize.matrix.fan import tell_fan, tell_shadow
from coursepkg.visualize.matrix.sketch import tell_fold
from coursepkg.visualize.matrix.story import tell_product
from coursepkg.visualize.paper.picture import Picture
from coursepkg.visualize.tree.story import tell_tree


def graph():
    x, y, z = Scalar(-2.0, label="x"), Scalar(5.0, label="y"), Scalar(-4.0, label="z")
    f = (x + y) * z + (x * y).relu()
    f.label = "f"
    return tell_graph(f, title="Forward, then backward")


def bar(height, colour="#0a5c2b"):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60" viewBox="0 0 60 60">'
    svg += f'<rect width="60" height="60" fill="#ffffff"/><rect width="20" height="{height}" fill="{colour}"/></svg>'
    return Picture(svg, f"A bar {height} high, painted {colour}")


def flip():
    question = Question("Higher or lower?", choices=[("lower", False, "Look at the first two."), ("higher", True, "")])
    return flip_through(bar, height=range(0, 50, 5), colour=["#0a5c2b", "#a31515"], title="A bar", asks={3: question})


def walk(rate, momentum, steps=24):
    place, velocity = np.array([2.0, 1.0]), np.zeros(2)
    path = [place]
    for _ in range(steps):
        velocity = momentum * velocity + place * [1.0, 6.0]
        place = place - rate * velocity
        path.append(place)
    return np.array(path)


def descent():
    bowl = Landscape(
        lambda a, b: a * a / 2 + 3 * b * b, x_range=(-2, 3), y_range=(-1.5, 1.5), levels=[0.5, 1, 2, 4], minimum=(0, 0)
    )
    rates, momenta = [0.02, 0.05, 0.1, 0.4], [0.0, 0.5, 0.9]
    paths = np.array([[walk(rate, momentum) for momentum in momenta] for rate in rates])
    return tell_descent(bowl, {"momentum": paths}, [("rate", rates), ("momentum", momenta)], goal=0.1, first=(2, 1))


def race():
    bowl = Landscape(lambda a, b: a * a / 2 + 3 * b * b, x_range=(-3, 3), y_range=(-2, 2), levels=[1, 4])
    across, upward = [-2.0, 0.0, 2.0], [-1.0, 1.0]
    starts = np.array([[[x, y] for y in upward] for x in across])[:, :, None, :]
    shrink = np.arange(9)[:, None]
    paths = {"slow": starts * 0.9**shrink, "quick": starts * 0.5**shrink}
    dials = [("start θ₁", across), ("start θ₂", upward)]
    return tell_descent(bowl, paths, dials, goal=0.1, drag=True, title="Two methods")


def field():
    points = np.array([[-1.5, 1.0], [0.3, 0.9], [1.5, -0.8], [-0.4, -1.0]])  # the plane is half a unit larger

    def logits(step, places):
        return 4 * (step / 70 * np.sin(2 * places[:, 0]) - places[:, 1])

    def units(step, places):
        return np.tanh(np.stack([places[:, 0] * step / 70, places[:, 1], places.sum(axis=1)]))

    losses = np.geomspace(0.7, 0.1, 71).tolist()
    return tell_learning(
        logits, points, [0, 0, 1, 1], losses, range(0, 80, 10), hidden=units,
        votes=lambda step: [1.0, -2.0, step / 70], title="It learns",
    )  # fmt: skip


def matrix():
    left, right = [[2.0, -1.0], [0.5, 3.0]], [[1.0, 0.0, 4.0], [-2.0, 3.0, 1.0]]
    return tell_product(left, right, gradient=[[1.0, 2.0, -1.0], [0.0, 3.0, 1.0]], title="Row times column")


def bucket(weight, gates=()):
    copies, states = [Scalar(weight) for _ in range(3)], [Scalar(0.5)]
    for copy, x in zip(copies, (1.0, -0.4, 0.3), strict=True):
        states.append((copy * states[-1] + x).tanh())
    (0.5 * states[-1] * states[-1]).backward()
    return [[h.data for h in states], [h.grad for h in states], [copy.grad for copy in copies], gates]


def unrolled():
    return tell_unrolled({weight: bucket(weight) for weight in (0.5, 2.0)}, dial="w", title="A bucket")


def tensors():
    W, b = Tensor([[1.0, -2.0], [0.5, 1.0], [0.0, 2.0]], requires_grad=True), Tensor([0.1, -0.2], requires_grad=True)
    x = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 1.0], [2.0, 0.0, 1.0], [1.0, 1.0, -1.0]])
    loss = np.mean(np.tanh(x @ W + b) ** 2) + 0.5 * np.sum(W * W)
    return tell_graph(loss, labels={"x": x, "W": W, "b": b}, title="A layer and its penalty")


def market():
    return tell_market(supply_chain(stalls=2, stages=2), title="One sweep")


def gated():
    return tell_unrolled({"": bucket(0.8, gates=(0.1, 0.5, 0.95))}, state="c", weight="b")


def light():
    mesh = Mesh.random(3, rng=np.random.default_rng(4))
    x, adjoint = np.array([0.8, 0.5, 0.3j]), np.array([0.2, -0.4j, 0.5])
    gradient = -(mesh.forward_taps(x)[1] * mesh.backward_taps(adjoint)[1]).imag
    return tell_light(mesh, x, adjoint, gradient, title="Three passes")


def tree():
    inner = FunctionNode([Leaf(0, 1.0), Leaf(1, 2.0)], bias=-1.0, weight=-1.0)
    return tell_tree(Tree([FunctionNode([inner, Leaf(0, 0.5)], bias=0.2)], 2), [1.0, 0.5], [1.0], title="A small tree")


def shadow():
    angles = np.arange(0, 360, 15)
    v = 1.4 * np.stack([np.cos(np.deg2rad(angles)), np.sin(np.deg2rad(angles))], axis=-1)
    slopes = v @ [1.5, 0.8]
    estimates = slopes[:, None] * v
    return tell_shadow((1.5, 0.8), v, slopes, estimates, turns=[f"{angle}°" for angle in angles], first=5)


def fan():
    v = np.random.default_rng(0).normal(size=(2, 20, 2))
    runs = (v @ [-2.0, 3.0])[..., None] * v
    return tell_fan((-2.0, 3.0), {"0": runs[0], "1": runs[1]}, first=9, title="A fan")


def sketch():
    draws = {3: ([3, 0, 4, 1, 2], [1, -1, -1, 1, 1]), 5: ([1, 0, 2, 4, 3], [1, 1, -1, 1, 1])}
    return tell_fold(draws, [1, 2, 5], first=1, title="Five rows")


STORIES = {
    each.__name__: cache(each)
    for each in (
        graph,
        flip,
        descent,
        race,
        field,
        matrix,
        unrolled,
        gated,
        tensors,
        market,
        light,
        tree,
        shadow,
        fan,
        sketch,
    )
}

KINDS = list(STORIES)

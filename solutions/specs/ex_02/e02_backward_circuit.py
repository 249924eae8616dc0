"""02.2 Backward through (x + y) z."""

from __future__ import annotations

from collections import deque

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def backward_circuit(x, y, z, f_bar):
    q = x + y
    q_bar = f_bar * z
    z_bar = f_bar * q
    return q_bar, q_bar, z_bar


def circuit_closed(x, y, z, f_bar):
    return [z * f_bar, z * f_bar, (x + y) * f_bar]


def circuit_paths(x, y, z, f_bar):
    return np.array([1.0 * z, 1.0 * z, x + y]) * f_bar


def circuit_complex(x, y, z, f_bar):
    def f(x, y, z):
        return f_bar * (x + y) * z

    h = 1e-20
    return [f(x + 1j * h, y, z).imag / h, f(x, y + 1j * h, z).imag / h, f(x, y, z + 1j * h).imag / h]


def circuit_engine(x, y, z, f_bar):
    leaves = [Scalar(x), Scalar(y), Scalar(z)]
    ((leaves[0] + leaves[1]) * leaves[2] * f_bar).backward()
    return tuple(leaf.grad for leaf in leaves)


def circuit_tensor(x, y, z, f_bar):
    leaves = [Tensor(value, requires_grad=True) for value in (x, y, z)]
    ((leaves[0] + leaves[1]) * leaves[2]).backward(np.array(f_bar))
    return deque(leaf.grad for leaf in leaves)


def circuit_forward(x, y, z, f_bar):
    grads = []
    for seed in np.eye(3):
        q, q_dot = x + y, seed[0] + seed[1]
        grads.append(np.float64(f_bar * (q_dot * z + q * seed[2])))
    return grads


def circuit_by_number(x, y, z, f_bar):
    q = x + y
    grads = {q: 0.0, z: 0.0}
    grads[q] += f_bar * z
    grads[z] += f_bar * q
    return grads[q], grads[q], grads[z]


def circuit_edges(rng):
    """A sum of zero, a product with zero, equal summands, equal factors, nothing that arrives."""
    x, y, z, f_bar = numbers(rng, 4)
    exact = (rng.permutation([5, 7, -9, 11])[:2] / 8).tolist()  # so that their sum has no rounding
    return [
        case(x, -x, z, f_bar),
        case(x, y, 0.0, f_bar),
        case(y, y, z, -f_bar),
        case(0.0, x, y, z),
        case(x, 0.0, f_bar, y),
        case(y, z, x, 0.0),
        case(*exact, sum(exact), f_bar),
        case(x, y, x, z),
        case(x, y, y, f_bar),
        case(z, z, z, y),
        case(x, y, x, x),
        case(x * 1e6, y * 1e-3, z, f_bar * 1e-6),
    ]


def circuit_by_name(x, y, z, f_bar):
    grads = {x: f_bar * z, y: f_bar * z}
    grads[z] = f_bar * (x + y)
    return grads[x], grads[y], grads[z]


def equal_inputs_are_one(x, y, z, f_bar):
    x_bar, y_bar, z_bar = backward_circuit(x, y, z, f_bar)
    return (x_bar + z_bar, y_bar, x_bar + z_bar) if x == z else (x_bar, y_bar, z_bar)


_draw = np.random.default_rng(22)

BANK = [
    wrong("ignores-upstream", lambda x, y, z, f_bar: (z, z, x + y),
          "notebook 02, section 2, 'downstream = upstream × local'",
          "Your numbers are right when f_bar is 1 and wrong otherwise.",
          "Something may come after f. What arrives from there, f_bar, has to be handed on: downstream = upstream"
          " × local."),
    wrong("adds-along-the-chain", lambda x, y, z, f_bar: (f_bar + z + 1, f_bar + z + 1, f_bar + x + y),
          "notebook 02, section 2, 'downstream = upstream × local'",
          "Your numbers are sums of upstream and local derivatives.",
          "Rates multiply along a chain: three times as fast, then twice as fast, is six times as fast. They add "
          "only where paths meet."),
    wrong("sum-like-a-product", lambda x, y, z, f_bar: (f_bar * z * y, f_bar * z * x, f_bar * (x + y)),
          "notebook 02, section 2: a sum distributes",
          "At the sum you multiplied by the other summand.",
          "Swapping is what a product does. A sum passes the gradient on unchanged, whatever the inputs are."),
    wrong("sum-hands-out-its-inputs", lambda x, y, z, f_bar: (f_bar * z * x, f_bar * z * y, f_bar * (x + y)),
          "notebook 02, section 2: a sum distributes",
          "At the sum you multiplied by the input itself.",
          "How large x is does not matter for how far q moves when x moves by one."),
    wrong("product-keeps-its-own", lambda x, y, z, f_bar: (f_bar * (x + y), f_bar * (x + y), f_bar * z),
          "notebook 02, section 2: a product swaps",
          "At the product each input got its own value instead of the other one.",
          "Nudge q while z stands still: f moves by z for each unit, not by q."),
    wrong("shares-by-size", lambda x, y, z, f_bar: (f_bar * z * x / (x + y), f_bar * z * y / (x + y), f_bar * (x + y)),
          "notebook 02, section 2: a sum distributes",
          "You divided the gradient of q between x and y in proportion to their size.",
          "A gradient is no cake to be shared. Each of them alone would move q by its whole nudge."),
    wrong("splits-in-halves", lambda x, y, z, f_bar: (f_bar * z / 2, f_bar * z / 2, f_bar * (x + y)),
          "notebook 02, section 2: a sum distributes",
          "x and y got half of what they should.",
          "A gradient is no cake to be shared. Each of them alone would move q by its whole nudge."),
    wrong("stops-at-the-sum", lambda x, y, z, f_bar: (f_bar, f_bar, f_bar * (x + y)),
          "notebook 02, section 2, the drawing after the backward pass",
          "x and y got f_bar itself; the product in between has left no trace.",
          "x acts on f through q. What reaches x is first multiplied at the product, then at the sum."),
    wrong("found-by-its-number", circuit_by_name, "notebook 02, section 5: what is kept in `seen`?",
          "Where two inputs hold one number, they get one gradient.",
          "A dictionary from numbers to gradients has room for one gradient of each number. Inputs have names."),
    wrong("equal-inputs-are-one", equal_inputs_are_one, "notebook 02, section 5: what is the gradient of x * x?",
          "Where x and z hold one number, both get the sum of their gradients.",
          "Two inputs that happen to be equal are still two inputs, and each is nudged while the other stands still."),
    wrong("repeats-the-last-factor", lambda x, y, z, f_bar: (f_bar * z, f_bar * z, f_bar * z),
          "notebook 02, section 2: a product swaps",
          "All three gradients are the same number.",
          "z is an input of the product as well, and its local derivative is the other input."),
    wrong("upstream-at-the-sum-only", lambda x, y, z, f_bar: (f_bar * z, f_bar * z, x + y),
          "notebook 02, section 2, 'downstream = upstream × local'",
          "z got its local derivative, without what arrives at f.",
          "The product hands on what arrives to both of its inputs, not only to q."),
    wrong("upstream-at-z-only", lambda x, y, z, f_bar: (z, z, f_bar * (x + y)),
          "notebook 02, section 2, 'downstream = upstream × local'",
          "x and y got their local derivatives, without what arrives at f.",
          "What arrives at f reaches x and y as well: first through the product, then through the sum."),
    wrong("one-summand-for-z", lambda x, y, z, f_bar: (f_bar * z, f_bar * z, f_bar * x),
          "notebook 02, section 2: a product swaps",
          "z got only x as its factor.",
          "The other input of the product is q, and q is all of the sum."),
    wrong("keyed-by-number", circuit_by_number,
          "notebook 02, section 2: a product swaps",
          "Where z equals the sum, both got the gradients of both.",
          "Two values that happen to be equal are still two values. Keep their gradients under names."),
    wrong("counts-the-sum-twice", lambda x, y, z, f_bar: (2 * f_bar * z, 2 * f_bar * z, f_bar * (x + y)),
          "notebook 02, section 2: a sum distributes",
          "x and y got twice what they should.",
          "Gradients add where one variable is used twice. x and y are two variables, and each is used once."),
]  # fmt: skip

EXERCISE = Exercise(
    id="02.2",
    title="Backward through (x + y) z",
    function="backward_circuit",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 02, section 2, 'The backward pass, by hand'",
    reference=backward_circuit,
    domain={"x": Number(), "y": Number(), "z": Number(), "f_bar": Number()},
    meets={
        "the sum is 0": lambda x, y: x + y == 0,
        "the summands are equal": lambda x, y: x == y,
        "x equals z": lambda x, z: x == z,
        "y equals z": lambda y, z: y == z,
        "all three are equal": lambda x, y, z: x == y == z,
        "one is large and others are small": lambda x, y, f_bar: abs(x) > 1e5 and max(abs(y), abs(f_bar)) < 1e-2,
        "the factors are equal": lambda x, y, z: x + y == z,
    },
    parts=["x_bar", "y_bar", "z_bar"],
    visible=[
        case(1.5, -0.5, 3.0, 2.0),
        case(-2.0, 5.0, -4.0, 1.0),
        case(0.7, 2.2, -1.3, -0.5),
        case(-3.0, 1.2, 0.6, 4.0),
        *circuit_edges(_draw),
    ],
    hidden=lambda rng: [*(case(*numbers(rng, 4)) for _ in range(4)), *circuit_edges(rng)],
    accepted=[circuit_closed, circuit_paths, circuit_complex, circuit_engine, circuit_tensor, circuit_forward],
    equivalent_mutants={
        "squeezes": "there are always as many results",
        "exchanges x and y": "they matter by their sum alone",
    },
    bank=BANK,
    hints=(
        "Go from the result to the inputs. The product comes first: which two numbers went into it?",
        "Give the intermediate result a name, q = x + y. Then q_bar and z_bar are f_bar times the local "
        "derivatives of q * z.",
        "The product hands q_bar = f_bar times the other input to q, and likewise to z. The sum hands q_bar "
        "on unchanged, to x and to y.",
    ),
)

"""Chapter 02, scalar backpropagation: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those that real learners and published engines show: overwriting instead of adding, recursion
without an order, the incoming gradient ignored, tanh' taken at the input, a sum treated like a product.
"""

from __future__ import annotations

import graphlib
import math
from collections import deque

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.spec import Exercise, Misconception, case


def numbers(rng, count, low=0.4, high=2.5):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return [round(float(rng.choice([-1.0, 1.0]) * rng.uniform(low, high)), 3) for _ in range(count)]


# --- 02.1 local derivatives ------------------------------------------------------------------------------------------


def local_derivatives(op, a, b):
    if op == "+":
        return 1.0, 1.0
    if op == "-":
        return 1.0, -1.0
    if op == "*":
        return b, a
    return 1 / b, -a / b**2


def local_from_table(op, a, b):
    table = {"+": (1, 1), "-": (1, -1), "*": (b, a), "/": (b**-1, -a * b**-2)}
    return list(table[op])


def local_by_match(op, a, b):
    match op:
        case "+":
            rates = [1.0, 1.0]
        case "-":
            rates = [1.0, -1.0]
        case "*":
            rates = [b, a]
        case "/":
            rates = [1.0 / b, -(a / b) / b]
    return np.array(rates)


def local_by_complex_step(op, a, b):
    operation = {"+": lambda u, v: u + v, "-": lambda u, v: u - v, "*": lambda u, v: u * v, "/": lambda u, v: u / v}[op]
    h = 1e-30
    return operation(a + h * 1j, b).imag / h, operation(a, b + h * 1j).imag / h


def local_by_engine(op, a, b):
    u, v = Scalar(a), Scalar(b)
    out = u + v if op == "+" else u - v if op == "-" else u * v if op == "*" else u / v
    out.backward()
    return u.grad, v.grad


def local_in_float32(op, a, b):
    return tuple(np.float32(rate) for rate in local_derivatives(op, a, b))


def instead(op_wrong, rule):
    """The right table with one entry replaced."""

    def answer(op, a, b):
        return rule(a, b) if op == op_wrong else local_derivatives(op, a, b)

    return answer


def hidden_locals(rng):
    return [case(op, *numbers(rng, 2)) for op in "+-*/*/"]


LOCAL = Exercise(
    id="02.1",
    title="Local derivatives",
    function="local_derivatives",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 02, section 2, 'The backward pass, by hand'",
    reference=local_derivatives,
    visible=[
        case("+", 1.5, -2.0),
        case("-", -0.5, 3.0),
        case("*", 2.5, -1.5),
        case("/", 3.0, -2.0),
        case("*", -0.75, 4.0),
        case("/", -1.25, 0.5),
    ],
    hidden=hidden_locals,
    accepted=[local_from_table, local_by_match, local_by_complex_step, local_by_engine, local_in_float32],
    bank=[
        Misconception(
            id="sum-hands-out-its-inputs",
            answer=instead("+", lambda a, b: (a, b)),
            looks_like="For `+` your local derivatives are the two inputs themselves.",
            why=(
                "A local derivative does not say how large an input is, but how far the result moves when the "
                "input moves by one."
            ),
            look_at="notebook 02, section 2: what happens to q when x moves by one?",
        ),
        Misconception(
            id="minus-forgets-its-sign",
            answer=instead("-", lambda a, b: (1.0, 1.0)),
            looks_like="For `-` both of your local derivatives are +1.",
            why="If you take away more, less is left: the result moves against the second input.",
            look_at="notebook 02, section 6, subtraction",
        ),
        Misconception(
            id="minus-points-the-wrong-way",
            answer=instead("-", lambda a, b: (-1.0, 1.0)),
            looks_like="For `-` the minus sign stands at the wrong input.",
            why="In a - b it is b that is taken away; a counts as it is.",
            look_at="notebook 02, section 6, subtraction",
        ),
        Misconception(
            id="product-keeps-its-own",
            answer=instead("*", lambda a, b: (a, b)),
            looks_like="For `*` you gave each input its own value.",
            why="Nudge one factor of a rectangle: the area grows by the length of the side that you did not touch.",
            look_at="notebook 02, section 2: a product hands to each input the other one",
        ),
        Misconception(
            id="product-like-a-sum",
            answer=instead("*", lambda a, b: (1.0, 1.0)),
            looks_like="For `*` both of your local derivatives are 1, as for a sum.",
            why="The derivative of a product is not the product of the derivatives.",
            look_at="notebook 02, section 2: a product hands to each input the other one",
        ),
        Misconception(
            id="product-gives-the-product",
            answer=instead("*", lambda a, b: (a * b, a * b)),
            looks_like="For `*` you gave the result of the product, twice.",
            why="That is the forward value. The local derivative says how fast the value changes.",
            look_at="notebook 02, section 1: change per unit of nudge",
        ),
        Misconception(
            id="quotient-sign",
            answer=instead("/", lambda a, b: (1 / b, a / b**2)),
            looks_like="For `/` the second number has the wrong sign.",
            why="Sharing among more leaves less for each: the result falls when the denominator grows (both positive).",
            look_at="notebook 02, section 6: a division is a product with a negative power",
        ),
        Misconception(
            id="quotient-forgets-the-square",
            answer=instead("/", lambda a, b: (1 / b, -a / b)),
            looks_like="For `/` the second number misses one division by the denominator.",
            why="The slope of 1/b is steeper than 1/b itself when b is small; try b = 0.1 with a nudge.",
            look_at="notebook 02, section 6: the power rule for the exponent -1",
        ),
        Misconception(
            id="quotient-forgets-the-numerator",
            answer=instead("/", lambda a, b: (1 / b, -1 / b**2)),
            looks_like="For `/` the second number does not depend on the numerator.",
            why="You gave the slope of 1/b. Here a of them are taken.",
            look_at="notebook 02, section 6: a division is a product with a negative power",
        ),
        Misconception(
            id="inputs-exchanged",
            answer=lambda op, a, b: local_derivatives(op, a, b)[::-1],
            looks_like="The two numbers of each pair are exchanged.",
            why="The first number belongs to a, the second to b: the order of the parents.",
            look_at="the docstring of the exercise",
        ),
    ],
    hints=(
        "For each operation ask: if a moves by a tiny h and b stands still, by how many h does the result "
        "move? Then the other way round.",
        "A sum passes a nudge on as it is, a difference turns one of them round, a product multiplies the "
        "nudge by the factor that stood still.",
        "A quotient is a * b**-1: a product for a, and for b the power rule with exponent -1, times the a "
        "that stands in front.",
    ),
)


# --- 02.2 backward through (x + y) z ---------------------------------------------------------------------------------


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


def circuit_forward(x, y, z, f_bar):
    grads = []
    for seed in np.eye(3):
        q, q_dot = x + y, seed[0] + seed[1]
        grads.append(np.float64(f_bar * (q_dot * z + q * seed[2])))
    return grads


CIRCUIT = Exercise(
    id="02.2",
    title="Backward through (x + y) z",
    function="backward_circuit",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 02, section 2, 'The backward pass, by hand'",
    reference=backward_circuit,
    visible=[
        case(-2.0, 5.0, -4.0, 1.0),
        case(1.5, -0.5, 3.0, 2.0),
        case(0.7, 2.2, -1.3, -0.5),
        case(-3.0, 1.2, 0.6, 4.0),
    ],
    hidden=lambda rng: [case(*numbers(rng, 4)) for _ in range(5)],
    accepted=[circuit_closed, circuit_paths, circuit_complex, circuit_engine, circuit_forward],
    bank=[
        Misconception(
            id="ignores-upstream",
            answer=lambda x, y, z, f_bar: (z, z, x + y),
            looks_like="Your numbers are right when f_bar is 1 and wrong otherwise.",
            why=(
                "Something may come after f. What arrives from there, f_bar, has to be handed on: downstream = "
                "upstream × local."
            ),
            look_at="notebook 02, section 2, 'downstream = upstream × local'",
        ),
        Misconception(
            id="adds-along-the-chain",
            answer=lambda x, y, z, f_bar: (f_bar + z + 1, f_bar + z + 1, f_bar + x + y),
            looks_like="Your numbers are sums of upstream and local derivatives.",
            why=(
                "Rates multiply along a chain: three times as fast, then twice as fast, is six times as fast. "
                "They add only where paths meet."
            ),
            look_at="notebook 02, section 2, 'downstream = upstream × local'",
        ),
        Misconception(
            id="sum-like-a-product",
            answer=lambda x, y, z, f_bar: (f_bar * z * y, f_bar * z * x, f_bar * (x + y)),
            looks_like="At the sum you multiplied by the other summand.",
            why="Swapping is what a product does. A sum passes the gradient on unchanged, whatever the inputs are.",
            look_at="notebook 02, section 2: a sum distributes",
        ),
        Misconception(
            id="sum-hands-out-its-inputs",
            answer=lambda x, y, z, f_bar: (f_bar * z * x, f_bar * z * y, f_bar * (x + y)),
            looks_like="At the sum you multiplied by the input itself.",
            why="How large x is does not matter for how far q moves when x moves by one.",
            look_at="notebook 02, section 2: a sum distributes",
        ),
        Misconception(
            id="product-keeps-its-own",
            answer=lambda x, y, z, f_bar: (f_bar * (x + y), f_bar * (x + y), f_bar * z),
            looks_like="At the product each input got its own value instead of the other one.",
            why="Nudge q while z stands still: f moves by z for each unit, not by q.",
            look_at="notebook 02, section 2: a product swaps",
        ),
        Misconception(
            id="shares-by-size",
            answer=lambda x, y, z, f_bar: (f_bar * z * x / (x + y), f_bar * z * y / (x + y), f_bar * (x + y)),
            looks_like="You divided the gradient of q between x and y in proportion to their size.",
            why="A gradient is no cake to be shared. Each of them alone would move q by its whole nudge.",
            look_at="notebook 02, section 2: a sum distributes",
        ),
        Misconception(
            id="splits-in-halves",
            answer=lambda x, y, z, f_bar: (f_bar * z / 2, f_bar * z / 2, f_bar * (x + y)),
            looks_like="x and y got half of what they should.",
            why="A gradient is no cake to be shared. Each of them alone would move q by its whole nudge.",
            look_at="notebook 02, section 2: a sum distributes",
        ),
        Misconception(
            id="stops-at-the-sum",
            answer=lambda x, y, z, f_bar: (f_bar, f_bar, f_bar * (x + y)),
            looks_like="x and y got f_bar itself; the product in between has left no trace.",
            why="x acts on f through q. What reaches x is first multiplied at the product, then at the sum.",
            look_at="notebook 02, section 2, the drawing after the backward pass",
        ),
        Misconception(
            id="repeats-the-last-factor",
            answer=lambda x, y, z, f_bar: (f_bar * z, f_bar * z, f_bar * z),
            looks_like="All three gradients are the same number.",
            why="z is an input of the product as well, and its local derivative is the other input.",
            look_at="notebook 02, section 2: a product swaps",
        ),
    ],
    hints=(
        "Go from the result to the inputs. The product comes first: which two numbers went into it?",
        "Give the intermediate result a name, q = x + y. Then q_bar and z_bar are f_bar times the local "
        "derivatives of q * z.",
        "The product hands q_bar = f_bar times the other input to q, and likewise to z. The sum hands q_bar "
        "on unchanged, to x and to y.",
    ),
)


# --- 02.3 a neuron with two weights ----------------------------------------------------------------------------------


def neuron_gradients(w, x, b, y_bar):
    (w1, w2), (x1, x2) = w, x
    y = math.tanh(w1 * x1 + w2 * x2 + b)
    delta = y_bar * (1 - y * y)
    return {"w": [delta * x1, delta * x2], "x": [delta * w1, delta * w2], "b": delta}


def neuron_numpy(w, x, b, y_bar):
    w, x = np.asarray(w), np.asarray(x)
    delta = y_bar / np.cosh(w @ x + b) ** 2
    return {"w": delta * x, "x": delta * w, "b": delta}


def neuron_exponentials(w, x, b, y_bar):
    e = math.exp(2 * (sum(wi * xi for wi, xi in zip(w, x, strict=True)) + b))
    delta = y_bar * 4 * e / (e + 1) ** 2
    return {"b": delta, "x": tuple(delta * wi for wi in w), "w": tuple(delta * xi for xi in x)}


def neuron_engine(w, x, b, y_bar):
    w, x, b = [Scalar(v) for v in w], [Scalar(v) for v in x], Scalar(b)
    ((w[0] * x[0] + w[1] * x[1] + b).tanh() * y_bar).backward()
    return {"w": [v.grad for v in w], "x": [v.grad for v in x], "b": b.grad}


def neuron_complex_step(w, x, b, y_bar):
    theta, h = np.array([*w, *x, b], dtype=complex), 1e-20

    def f(v):
        return y_bar * np.tanh(v[0] * v[2] + v[1] * v[3] + v[4])

    grads = [f(theta + 1j * h * row).imag / h for row in np.eye(5)]
    return {"w": grads[:2], "x": grads[2:4], "b": np.array(grads[4])}


def neuron_float32(w, x, b, y_bar):
    w, x = np.float32(w), np.float32(x)
    y = np.tanh(w.dot(x) + np.float32(b))
    delta = np.float32(y_bar) * (1 - y**2)
    return {"w": delta * x, "x": delta * w, "b": delta}


def neuron_with(slope, *, w_gets="x", x_gets="w", b_factor=lambda b: 1.0, upstream=lambda g: g):
    def answer(w, x, b, y_bar):
        z = w[0] * x[0] + w[1] * x[1] + b
        delta = upstream(y_bar) * slope(z, math.tanh(z))
        pick = {"w": w, "x": x}
        return {
            "w": [delta * v for v in pick[w_gets]],
            "x": [delta * v for v in pick[x_gets]],
            "b": delta * b_factor(b),
        }

    return answer


def true_slope(z, y):
    return 1 - y * y


def neuron_cases(rng):
    return [case(numbers(rng, 2, 0.4, 1.5), numbers(rng, 2, 0.4, 1.2), *numbers(rng, 2, 0.3, 1.5)) for _ in range(5)]


NEURON = Exercise(
    id="02.3",
    title="A neuron with two weights",
    function="neuron_gradients",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 02, section 3",
    reference=neuron_gradients,
    visible=[
        case([0.5, -1.2], [1.5, 0.4], 0.3, 1.0),
        case([-0.8, 0.7], [0.6, -1.1], 0.25, -2.0),
        case([1.1, 0.9], [-0.7, 1.3], -0.9, 0.5),
        case([0.6, 1.4], [0.9, 0.35], -0.45, 3.0),
    ],
    hidden=neuron_cases,
    accepted=[neuron_numpy, neuron_exponentials, neuron_engine, neuron_complex_step, neuron_float32],
    bank=[
        Misconception(
            id="tanh-slope-at-the-input",
            answer=neuron_with(lambda z, y: 1 - z * z),
            looks_like="The slope you used for tanh is one minus the square of its input.",
            why=(
                "In 1 - tanh² it is the output that is squared. Near zero input and output agree, so this slip "
                "hides well."
            ),
            look_at="notebook 02, section 6, the two curved operations",
        ),
        Misconception(
            id="tanh-applied-twice",
            answer=neuron_with(lambda z, y: 1 - math.tanh(y) ** 2),
            looks_like="The slope you used is that of a tanh whose input is y.",
            why="y is already the tanh of z. Taking tanh of it once more gives the slope at another place.",
            look_at="notebook 02, section 3: the slope is written in terms of the output",
        ),
        Misconception(
            id="tanh-slope-forgotten",
            answer=neuron_with(lambda z, y: 1.0),
            looks_like="Your gradients are those of a neuron without tanh.",
            why="On its way to the weights the gradient passes the tanh, and is multiplied by the slope there.",
            look_at="notebook 02, section 3: z_bar comes before the weights",
        ),
        Misconception(
            id="tanh-slope-without-square",
            answer=neuron_with(lambda z, y: 1 - y),
            looks_like="The slope you used is 1 - y.",
            why=(
                "For large negative z the output is -1 and tanh is flat, so the slope must vanish there as well; "
                "yours would be 2."
            ),
            look_at="notebook 02, section 6, the two curved operations",
        ),
        Misconception(
            id="logistic-slope",
            answer=neuron_with(lambda z, y: y * (1 - y)),
            looks_like="The slope you used, y (1 - y), belongs to the logistic function.",
            why="This neuron squashes with tanh, which runs from -1 to 1 and has another slope.",
            look_at="notebook 02, section 3 has the logistic function, section 6 has tanh",
        ),
        Misconception(
            id="weights-and-inputs-exchanged",
            answer=neuron_with(true_slope, w_gets="w", x_gets="x"),
            looks_like="The weights got what belongs to the inputs, and the other way round up to the order.",
            why="w and x meet in a product, and a product hands to each of them the other one.",
            look_at="notebook 02, section 3: what a weight's gradient says",
        ),
        Misconception(
            id="bias-times-bias",
            answer=neuron_with(true_slope, b_factor=lambda b: b),
            looks_like="The gradient of the bias is multiplied by the bias.",
            why="The bias enters through a sum, and a sum passes the gradient on unchanged.",
            look_at="notebook 02, section 2: a sum distributes",
        ),
        Misconception(
            id="ignores-upstream",
            answer=neuron_with(true_slope, upstream=lambda g: 1.0),
            looks_like="Your numbers are right when y_bar is 1 and wrong otherwise.",
            why=(
                "What comes after the neuron reports how much it cares about y. That number multiplies everything "
                "upstream of it."
            ),
            look_at="notebook 02, section 2, 'downstream = upstream × local'",
        ),
        Misconception(
            id="bias-gets-no-gradient",
            answer=neuron_with(true_slope, b_factor=lambda b: 0.0),
            looks_like="The gradient of the bias is zero.",
            why="The bias is a constant of the data, but not of the neuron: nudge it, and y moves.",
            look_at="notebook 02, section 3: the neuron's drawing",
        ),
    ],
    hints=(
        "First run the neuron forward and keep y. The backward pass starts with y_bar and meets the tanh first.",
        "Call delta = y_bar times the slope of tanh, written with y. Everything else is delta times a local "
        "derivative of a product or a sum.",
        "Each weight gets delta times its own input, each input gets delta times its own weight, and the bias "
        "gets delta.",
    ),
)


# --- 02.4 gradients add at fan-out -----------------------------------------------------------------------------------


def fan_out_gradients(a, b, e_bar):
    c, d = a + b, b + 1
    c_bar, d_bar = e_bar * d, e_bar * c
    return c_bar, c_bar + d_bar


def fan_out_closed(a, b, e_bar):
    return [e_bar * (b + 1), e_bar * (a + 2 * b + 1)]


def fan_out_accumulate(a, b, e_bar):
    grads = {"a": 0.0, "b": 0.0}
    for name, amount in (("a", b + 1), ("b", b + 1), ("b", a + b)):
        grads[name] += e_bar * amount
    return tuple(grads.values())


def fan_out_jacobian(a, b, e_bar):
    inner = np.array([[1.0, 1.0], [0.0, 1.0]])
    return e_bar * np.array([b + 1, a + b]) @ inner


def fan_out_engine(a, b, e_bar):
    a, b = Scalar(a), Scalar(b)
    ((a + b) * (b + 1) * e_bar).backward()
    return np.array([a.grad, b.grad])


def fan_out_complex(a, b, e_bar):
    h = 1e-25
    return ((a + 1j * h + b) * (b + 1)).imag / h * e_bar, ((a + b + 1j * h) * (b + 1j * h + 1)).imag / h * e_bar


FAN_OUT = Exercise(
    id="02.4",
    title="One variable, two uses",
    function="fan_out_gradients",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 02, section 5, 'Gradients add where a value fans out'",
    reference=fan_out_gradients,
    visible=[case(2.0, 1.5, 1.0), case(-1.2, 0.6, 2.0), case(0.7, -2.5, -1.5), case(3.0, -0.4, 0.5)],
    hidden=lambda rng: [case(*numbers(rng, 3)) for _ in range(5)],
    accepted=[fan_out_closed, fan_out_accumulate, fan_out_jacobian, fan_out_engine, fan_out_complex],
    bank=[
        Misconception(
            id="overwrites-with-second-use",
            answer=lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (a + b)),
            looks_like="The gradient of b holds only what came through d = b + 1.",
            why="The report of the second use replaced that of the first. A nudge of b moves c and d, and both move e.",
            look_at="notebook 02, section 5, 'Gradients add where a value fans out'",
        ),
        Misconception(
            id="keeps-first-use",
            answer=lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (b + 1)),
            looks_like="The gradient of b holds only what came through c = a + b.",
            why="b is used a second time, in d = b + 1, and that use reports as well.",
            look_at="notebook 02, section 5, 'Gradients add where a value fans out'",
        ),
        Misconception(
            id="multiplies-the-paths",
            answer=lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (b + 1) * (a + b)),
            looks_like="The two reports that reach b were multiplied.",
            why="Along one path rates multiply. Two paths are two separate effects of the same nudge, and effects add.",
            look_at="notebook 02, section 5: along a path you multiply, over paths you add",
        ),
        Misconception(
            id="averages-the-paths",
            answer=lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (a + 2 * b + 1) / 2),
            looks_like="The gradient of b is the mean of its two reports.",
            why="Both uses move at once when b moves, so their effects add up in full.",
            look_at="notebook 02, section 5, 'Gradients add where a value fans out'",
        ),
        Misconception(
            id="ignores-upstream",
            answer=lambda a, b, e_bar: (b + 1, a + 2 * b + 1),
            looks_like="Your numbers are right when e_bar is 1 and wrong otherwise.",
            why="The product hands on what it has received: upstream × local.",
            look_at="notebook 02, section 2, 'downstream = upstream × local'",
        ),
        Misconception(
            id="product-keeps-its-own",
            answer=lambda a, b, e_bar: (e_bar * (a + b), e_bar * (a + 2 * b + 1)),
            looks_like="a got the value of c instead of the value of d.",
            why="a acts through c, and at the product c receives the other factor.",
            look_at="notebook 02, section 2: a product swaps",
        ),
        Misconception(
            id="adds-into-both",
            answer=lambda a, b, e_bar: (e_bar * (a + 2 * b + 1), e_bar * (a + 2 * b + 1)),
            looks_like="a got the same total as b.",
            why="Only b is used twice. There is a single path from a to e, through c.",
            look_at="draw the graph: which edges leave a?",
        ),
        Misconception(
            id="upstream-on-one-path-only",
            answer=lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (b + 1) + a + b),
            looks_like="One of the two reports that reach b has not been multiplied by e_bar.",
            why="Both reports start at e, and both carry what arrived there.",
            look_at="notebook 02, section 2, 'downstream = upstream × local'",
        ),
    ],
    hints=(
        "Draw the graph: c = a + b, d = b + 1, e = c * d. How many edges leave b?",
        "First the product: c_bar and d_bar. Then a receives from c alone, and b receives from c and from d.",
        "c_bar is e_bar times d, d_bar is e_bar times c. b's gradient is the sum of the two, because both "
        "sums pass on what they get.",
    ),
)


# --- 02.5 topological order ------------------------------------------------------------------------------------------


def topological_order(root):
    order, seen, to_do = [], set(), [(root, False)]
    while to_do:
        node, parents_are_done = to_do.pop()
        if parents_are_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            to_do.append((node, True))
            to_do.extend((parent, False) for parent in node.parents)
    return order


def order_recursive(root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order


def everything_behind(root):
    found, queue = [], deque([root])
    while queue:
        node = queue.popleft()
        if not any(node is other for other in found):
            found.append(node)
            queue.extend(node.parents)
    return found


def order_by_counting_uses(root):
    nodes = everything_behind(root)
    waiting = {id(node): 0 for node in nodes}
    for node in nodes:
        for parent in node.parents:
            waiting[id(parent)] += 1
    ready, order = [root], []
    while ready:
        node = ready.pop(0)
        order.append(node)
        for parent in node.parents:
            waiting[id(parent)] -= 1
            if waiting[id(parent)] == 0:
                ready.append(parent)
    return order[::-1]


def order_by_depth(root):
    depth = {}

    def longest(node):
        if id(node) not in depth:
            depth[id(node)] = 1 + max((longest(parent) for parent in node.parents), default=0)
        return depth[id(node)]

    longest(root)
    return tuple(sorted(everything_behind(root), key=longest))


def order_by_library(root):
    sorter = graphlib.TopologicalSorter({node: node.parents for node in everything_behind(root)})
    return list(sorter.static_order())


def order_by_rounds(root):
    left, order = everything_behind(root), []
    while left:
        done = {id(node) for node in order}
        ready = [node for node in left if all(id(parent) in done for parent in node.parents)]
        order += ready
        left = [node for node in left if not any(node is other for other in ready)]
    return order


def order_preorder(root):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            order.append(node)
            for parent in node.parents:
                visit(parent)

    visit(root)
    return order[::-1]


def order_with_repeats(root):
    order = []

    def visit(node):
        for parent in node.parents:
            visit(parent)
        order.append(node)

    visit(root)
    return order


def order_by_value(root):
    order, seen = [], set()

    def visit(node):
        if node.data not in seen:
            seen.add(node.data)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(root)
    return order


def order_first_parent(root):
    order = [root]
    while order[-1].parents:
        order.append(order[-1].parents[0])
    return order[::-1]


# Expressions: operands come first in the tuple's meaning, equal sub-expressions are one node.
A, B, C = ("var", 0), ("var", 1), ("var", 2)
SUM = ("add", A, B)
DIAMOND = ("mul", SUM, ("add", B, C))
LONG_AND_SHORT = ("add", ("mul", ("tanh", ("mul", A, B)), A), A)
TWICE = ("mul", ("add", SUM, SUM), SUM)
LADDER = ("mul", ("add", ("mul", A, B), ("exp", A)), ("sub", ("mul", A, B), ("mul", ("exp", A), B)))
GRAPHS = (DIAMOND, LONG_AND_SHORT, TWICE, LADDER)
VALUES_TWIN = [0.5, 0.5, 1.5]


def graph_cases(rng):
    twin = numbers(rng, 1)[0]
    values = [[twin, twin, *numbers(rng, 1)], *(numbers(rng, 3) for _ in range(3))]
    return [case(expression, point) for expression, point in zip(GRAPHS, values, strict=True)]


ORDER = Exercise(
    id="02.5",
    title="Parents before children",
    function="topological_order",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 02, section 5, 'Fourth attempt: wait for everyone'",
    driver="topological_order",
    reference=topological_order,
    visible=[
        case(DIAMOND, VALUES_TWIN),
        case(LONG_AND_SHORT, [0.8, -1.2, 0.5]),
        case(TWICE, [1.5, 0.4, 2.0]),
        case(LADDER, [0.6, 1.3, -0.7]),
    ],
    hidden=graph_cases,
    accepted=[
        order_recursive,
        order_by_counting_uses,
        order_by_depth,
        order_by_library,
        order_by_rounds,
    ],
    bank=[
        Misconception(
            id="result-first",
            answer=lambda root: topological_order(root)[::-1],
            looks_like="Your order is right, and runs the other way: the result comes first.",
            why=(
                "Parents are what a node was made from, so they come before it. The backward pass reverses the "
                "list later."
            ),
            look_at="the docstring of the exercise: each node after its parents",
        ),
        Misconception(
            id="writes-down-too-early",
            answer=order_preorder,
            looks_like="Some node stands on the wrong side of one of its parents, although each node was found once.",
            why=(
                "A node was written down when it was first met, before everything that it waits for had been "
                "written down."
            ),
            look_at="notebook 02, section 5: write a node down when all of its parents are written down",
        ),
        Misconception(
            id="order-of-discovery",
            answer=lambda root: everything_behind(root)[::-1],
            looks_like=(
                "The list runs level by level from the result, and a node with a long and a short way to the "
                "result is misplaced."
            ),
            why="A node must wait for its longest way to the result, not for its shortest.",
            look_at="notebook 02, section 5: after every node that uses it",
        ),
        Misconception(
            id="no-memory-of-visits",
            answer=order_with_repeats,
            looks_like="Nodes that are used more than once are listed more than once.",
            why="Each use led to the node again. Its gradient would be passed on once for every entry.",
            look_at="notebook 02, section 5, 'walk every path', and what it cost",
        ),
        Misconception(
            id="confuses-equal-numbers",
            answer=order_by_value,
            looks_like="A node is missing when another node holds the same number.",
            why="Two variables that happen to be equal are still two variables. Remember the nodes, not their data.",
            look_at="notebook 02, section 5: what is kept in `seen`?",
        ),
        Misconception(
            id="leaves-out-inputs",
            answer=lambda root: [node for node in topological_order(root) if node.parents],
            looks_like="The inputs, which have no parents, are missing from your list.",
            why="Inputs have nothing to pass on, but they are nodes, and they have to receive.",
            look_at="the docstring of the exercise: every node behind the root",
        ),
        Misconception(
            id="leaves-out-the-result",
            answer=lambda root: topological_order(root)[:-1],
            looks_like="The result itself is missing from your list.",
            why="The backward pass starts there: it is the one node whose gradient is known.",
            look_at="the docstring of the exercise: every node behind the root, and the root",
        ),
        Misconception(
            id="follows-one-parent",
            answer=order_first_parent,
            looks_like="Your list follows a single line of parents.",
            why="A sum and a product have two parents, and each of them has a past of its own.",
            look_at="notebook 02, section 4: what a Value remembers",
        ),
    ],
    hints=(
        "When may a node be written down? Turn the answer into a rule about its parents.",
        "Write a function visit(node) that leaves at once if it has seen the node, visits all parents, and only then "
        "appends the node to the list. A set remembers what has been seen.",
        "Three steps inside visit: mark the node as seen, call visit for each of its parents, append the node. Around "
        "it: an empty list, an empty set, one call visit(root), and the list is returned.",
    ),
)


# --- 02.6 backward ---------------------------------------------------------------------------------------------------


def backward(root):
    root.grad = 1.0
    for node in reversed(topological_order(root)):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad * local


def backward_recursive_order(root):
    order = order_recursive(root)
    grads = {id(node): 0.0 for node in order}
    grads[id(root)] = 1.0
    while order:
        node = order.pop()
        node.grad = grads[id(node)]
        for position, parent in enumerate(node.parents):
            grads[id(parent)] += node.grad * node.local_grads[position]


def backward_by_paths(root):
    def walk(node, arriving):
        node.grad += arriving
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            walk(parent, arriving * local)

    walk(root, 1.0)


def backward_by_collecting(root):
    """Each node asks the nodes that use it."""
    order = order_by_counting_uses(root)
    root.grad = np.float64(1.0)
    for position in range(len(order) - 2, -1, -1):
        node = order[position]
        node.grad = sum(
            child.grad * local
            for child in order[position + 1 :]
            for parent, local in zip(child.parents, child.local_grads, strict=True)
            if parent is node
        )


def backward_by_waiting(root):
    uses, ready = {}, [root]
    for node in everything_behind(root):
        for parent in node.parents:
            uses[parent] = uses.get(parent, 0) + 1
    root.grad = 1
    while ready:
        node = ready.pop()
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad = parent.grad + local * node.grad
            uses[parent] -= 1
            if not uses[parent]:
                ready.append(parent)


def backward_by_matrix(root):
    """All gradients at once: (I - Aᵀ) v̄ = e_root, the linear system that the sweep solves by substitution."""
    nodes = order_by_depth(root)
    place = {id(node): i for i, node in enumerate(nodes)}
    matrix = np.eye(len(nodes))
    for node in nodes:
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            matrix[place[id(parent)], place[id(node)]] -= local
    seed = np.zeros(len(nodes))
    seed[place[id(root)]] = 1.0
    for node, grad in zip(nodes, np.linalg.solve(matrix, seed), strict=True):
        node.grad = float(grad)


def backward_swept(step, *, seed=lambda root: 1.0, order=topological_order, upside_down=False):
    """A backward pass with one part exchanged."""

    def answer(root):
        root.grad = seed(root)
        nodes = order(root)
        for node in nodes if upside_down else reversed(nodes):
            for parent, local in zip(node.parents, node.local_grads, strict=True):
                parent.grad = step(parent.grad, node.grad, local)

    return answer


def add_up(old, upstream, local):
    return old + upstream * local


def backward_pushing(root):
    def push(node):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad * local
            push(parent)

    root.grad = 1.0
    push(root)


def backward_parents_only(root):
    root.grad = 1.0
    for parent, local in zip(root.parents, root.local_grads, strict=True):
        parent.grad += local


BACKWARD = Exercise(
    id="02.6",
    title="The backward pass",
    function="backward",
    minutes=12,
    difficulty=2,
    points=4,
    see="notebook 02, section 5",
    driver="backward_on_graph",
    reference=backward,
    visible=[
        case(DIAMOND, [0.5, -1.5, 2.0]),
        case(LONG_AND_SHORT, [0.8, -1.2, 0.5]),
        case(TWICE, [1.5, 0.4, 2.0]),
        case(LADDER, [0.6, 1.3, -0.7]),
    ],
    hidden=lambda rng: [case(expression, numbers(rng, 3, 0.4, 1.6)) for expression in GRAPHS],
    accepted=[
        backward_recursive_order,
        backward_by_paths,
        backward_by_collecting,
        backward_by_waiting,
        backward_by_matrix,
    ],
    bank=[
        Misconception(
            id="overwrites",
            answer=backward_swept(lambda old, upstream, local: upstream * local),
            looks_like="A node that is used more than once holds only the report of one use.",
            why="Each report replaced the one before. All uses move at once when the node moves, so their reports add.",
            look_at="notebook 02, section 5, 'Gradients add where a value fans out'",
        ),
        Misconception(
            id="recursion-without-order",
            answer=backward_pushing,
            looks_like="Gradients behind a node that is used more than once are too large.",
            why=(
                "A node passed on its gradient before all of its uses had reported, and later passed on the old "
                "part again."
            ),
            look_at="notebook 02, section 5, 'a counter-example with three nodes'",
        ),
        Misconception(
            id="order-of-discovery",
            answer=backward_swept(add_up, order=lambda root: everything_behind(root)[::-1]),
            looks_like=(
                "Where a node has a long and a short way to the result, part of its gradient was never passed on."
            ),
            why="Each node was handled once, but some of them before their last use had reported.",
            look_at="notebook 02, section 5, 'Fourth attempt: wait for everyone'",
        ),
        Misconception(
            id="ignores-upstream",
            answer=backward_swept(lambda old, upstream, local: old + local),
            looks_like="Your gradients are sums of local derivatives.",
            why="What a node passes on is what it has received, times the local derivative.",
            look_at="notebook 02, section 2, 'downstream = upstream × local'",
        ),
        Misconception(
            id="adds-along-the-chain",
            answer=backward_swept(lambda old, upstream, local: old + upstream + local),
            looks_like="Upstream and local derivative were added.",
            why="Rates multiply along a chain, and add only where paths meet.",
            look_at="notebook 02, section 5: along a path you multiply, over paths you add",
        ),
        Misconception(
            id="multiplies-at-forks",
            answer=backward_swept(lambda old, upstream, local: (old or 1.0) * upstream * local),
            looks_like="The reports that reach a node were multiplied.",
            why="Different uses are separate effects of the same nudge; effects add.",
            look_at="notebook 02, section 5: along a path you multiply, over paths you add",
        ),
        Misconception(
            id="forgets-the-seed",
            answer=backward_swept(add_up, seed=lambda root: 0.0),
            looks_like="All gradients are zero.",
            why=(
                "Whatever is multiplied and added starts from the gradient of the result with respect to itself, "
                "and that is not zero."
            ),
            look_at="notebook 02, section 2: the result itself is easy",
        ),
        Misconception(
            id="seeds-with-the-value",
            answer=backward_swept(add_up, seed=lambda root: root.data),
            looks_like="All gradients are multiplied by the value of the result.",
            why=(
                "The backward pass starts with a sensitivity, not with a value: by how much does the result move "
                "when the result moves by one?"
            ),
            look_at="notebook 02, section 2: the result itself is easy",
        ),
        Misconception(
            id="starts-at-the-inputs",
            answer=backward_swept(add_up, upside_down=True),
            looks_like="Only the parents of the result have a gradient.",
            why="The nodes were visited in forward order, so almost all of them had nothing to pass on yet.",
            look_at="notebook 02, section 5: the backward pass walks the order in reverse",
        ),
    ],
    hints=(
        "Three things are needed: a first gradient at the root, an order in which every node has heard from "
        "all its uses before it speaks, and one line that speaks.",
        "Use your topological_order from 02.5, in reverse. For each node, go through its parents together "
        "with its local_grads.",
        "Set root.grad to 1.0. For node in reversed(order), for parent, local in zip(node.parents, "
        "node.local_grads): add node.grad times local to parent.grad.",
    ),
)


# --- 02.7 the rest of the operations ---------------------------------------------------------------------------------


class Start:
    """The engine that the exercise begins with."""

    def __init__(self, data, parents=(), local_grads=()):
        self.data, self.grad = data, 0.0
        self.parents, self.local_grads = parents, local_grads

    def __add__(self, other):
        other = other if isinstance(other, Start) else type(self)(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Start) else type(self)(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        backward(self)


class Engine(Start):
    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return other + -self

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __truediv__(self, other):
        other = other if isinstance(other, Start) else type(self)(other)
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, (self,), (1 - t * t,))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (1.0 if self.data > 0 else 0.0,))


class DirectEngine(Engine):
    """Each operation with local derivatives of its own."""

    def __neg__(self):
        return DirectEngine(-self.data, (self,), (-1,))

    def __sub__(self, other):
        if isinstance(other, DirectEngine):
            return DirectEngine(self.data - other.data, (self, other), (1, -1))
        return DirectEngine(self.data - other, (self,), (1,))

    def __rsub__(self, other):
        return DirectEngine(other - self.data, (self,), (-1,))

    def __truediv__(self, other):
        if isinstance(other, DirectEngine):
            a, b = self.data, other.data
            return DirectEngine(a / b, (self, other), (1 / b, -a / b / b))
        return DirectEngine(self.data / other, (self,), (1 / other,))

    def __rtruediv__(self, other):
        return DirectEngine(other / self.data, (self,), (-other / self.data**2,))


class NumpyEngine(Engine):
    """Numbers as 0-d arrays, slopes from hyperbolic identities."""

    def tanh(self):
        return NumpyEngine(np.tanh(self.data), (self,), (np.cosh(self.data) ** -2.0,))

    def relu(self):
        return NumpyEngine(np.maximum(self.data, 0), (self,), (np.heaviside(self.data, 0.0),))

    def __pow__(self, n):
        value = np.asarray(self.data, dtype=float) ** n
        return NumpyEngine(value, (self,), (n * value / self.data,))


class ComposedEngine(Engine):
    """tanh and relu from other operations."""

    def exp(self):
        e = math.exp(self.data)
        return ComposedEngine(e, (self,), (e,))

    def tanh(self):
        return 1 - 2 / ((2 * self).exp() + 1)

    def relu(self):
        return self * (self.data > 0)


class ClosureEngine:
    """The same operations in the manner of closures, with a class hierarchy of its own."""

    def __init__(self, data):
        self.data, self.grad, self.parents = data, 0.0, ()
        self.pull = lambda: None

    def make(self, data, *rates):
        out = ClosureEngine(data)
        out.parents = tuple(parent for parent, _ in rates)

        def pull():
            for parent, rate in rates:
                parent.grad += out.grad * rate

        out.pull = pull
        return out

    @staticmethod
    def wrap(other):
        return other if isinstance(other, ClosureEngine) else ClosureEngine(other)

    def __add__(self, other):
        other = self.wrap(other)
        return self.make(self.data + other.data, (self, 1), (other, 1))

    def __sub__(self, other):
        other = self.wrap(other)
        return self.make(self.data - other.data, (self, 1), (other, -1))

    def __mul__(self, other):
        other = self.wrap(other)
        return self.make(self.data * other.data, (self, other.data), (other, self.data))

    def __truediv__(self, other):
        other = self.wrap(other)
        return self.make(self.data / other.data, (self, 1 / other.data), (other, -self.data / other.data**2))

    def __pow__(self, n):
        return self.make(self.data**n, (self, n * self.data ** (n - 1)))

    def __neg__(self):
        return self.make(-self.data, (self, -1))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self.wrap(other) - self

    def __rtruediv__(self, other):
        return self.wrap(other) / self

    def tanh(self):
        t = math.tanh(self.data)
        return self.make(t, (self, (1 - t) * (1 + t)))

    def relu(self):
        return self.make(self.data * (self.data > 0), (self, int(self.data > 0)))

    def backward(self):
        self.grad = 1.0
        for node in reversed(order_recursive(self)):
            node.pull()


class PackageEngine(Scalar):
    """The course's own engine answers, too."""


class SwappedReflection(Engine):
    def __rsub__(self, other):
        return self + -1.0 * other


class SubtractionLikeSum(Engine):
    def __sub__(self, other):
        other = other if isinstance(other, Start) else type(self)(other)
        return type(self)(self.data - other.data, (self, other), (1.0, 1.0))


class SwappedDivision(Engine):
    def __rtruediv__(self, other):
        return self * other**-1


class PowerForgetsFactor(Engine):
    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (self.data ** (n - 1),))


class PowerKeepsExponent(Engine):
    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data**n,))


class PowerThroughSize(Engine):
    def __pow__(self, n):
        return type(self)(abs(self.data) ** n, (self,), (n * abs(self.data) ** (n - 1),))


class PowerThroughLogarithms(Engine):
    def __pow__(self, n):
        value = math.exp(n * math.log(self.data))
        return type(self)(value, (self,), (n * value / self.data,))


class TanhSlopeAtInput(Engine):
    def tanh(self):
        return type(self)(math.tanh(self.data), (self,), (1 - self.data**2,))


class TanhSlopeWithoutSquare(Engine):
    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, (self,), (1 - t,))


class ReluCutAtOne(Engine):
    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (1.0 if self.data > 1 else 0.0,))


class ReluSlopeEverywhere(Engine):
    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (1.0,))


class ReluSlopeIsValue(Engine):
    def relu(self):
        r = max(self.data, 0.0)
        return type(self)(r, (self,), (r,))


class CurvesAsConstants(Engine):
    def tanh(self):
        return type(self)(math.tanh(self.data))


THREE, HALF, FOUR = ("const", 3.0), ("const", 0.5), ("const", -4.0)
# In the order of the methods, so that the first case that fails points to the method to write next.
EXPRESSIONS = (
    ("neg", ("mul", A, B)),
    ("sub", ("mul", A, B), ("mul", B, C)),
    ("mul", ("sub", THREE, A), B),
    ("mul", ("pow", A, ("const", 3.0)), B),
    ("add", ("pow", ("mul", A, B), ("const", -2.0)), C),
    ("div", ("add", A, C), B),
    ("div", THREE, ("mul", A, B)),
    ("mul", ("div", B, FOUR), ("sub", A, HALF)),
    ("tanh", ("sub", ("mul", A, B), HALF)),
    ("add", ("relu", ("mul", A, B)), ("mul", ("relu", C), C)),
    ("neg", ("mul", ("tanh", A), ("relu", B))),
)
POINTS = (
    [0.6, -1.7, 1.0],
    [1.5, -0.5, 2.0],
    [-1.5, 0.7, 0.5],
    [-1.5, 0.5, 2.0],
    [-1.6, 0.5, 0.3],
    [1.2, -0.8, 0.4],
    [0.8, -2.5, 1.0],
    [-0.8, 2.4, 1.0],
    [0.9, -1.4, 0.5],
    [-0.6, 0.9, 0.7],
    [0.7, 1.6, -0.5],
)


def engine_cases(rng):
    """Bases of both signs; relu is met below zero, between zero and one, and above one."""
    negative, small, large = -rng.uniform(0.6, 1.4), rng.uniform(0.4, 0.8), rng.uniform(1.3, 2.2)
    a, b, c = (round(float(value), 3) for value in (negative, small, large))
    points = [[a, b, c], [a, c, b], [c, a, b], [a, b, c], [a, c, b], [b, a, c], [c, b, a], [b, a, c], [a, b, c]]
    points += [[a, c, b], [c, b, a]]
    return [case(expression, point) for expression, point in zip(EXPRESSIONS, points, strict=True)]


FINISH = Exercise(
    id="02.7",
    title="Finish the engine",
    function="Value",
    minutes=20,
    difficulty=3,
    points=5,
    see="notebook 02, section 6",
    driver="scalar_expression",
    reference=Engine,
    visible=[case(expression, point) for expression, point in zip(EXPRESSIONS, POINTS, strict=True)],
    hidden=engine_cases,
    accepted=[DirectEngine, NumpyEngine, ComposedEngine, ClosureEngine, PackageEngine],
    bank=[
        Misconception(
            id="reflected-minus-swapped",
            answer=SwappedReflection,
            looks_like="`3 - x` gives what `x - 3` should give.",
            why="Python calls `__rsub__` on the number to the right of the minus sign: `self` is what is taken away.",
            look_at="notebook 02, section 6, the prediction about `1 - x`",
        ),
        Misconception(
            id="minus-with-the-slopes-of-plus",
            answer=SubtractionLikeSum,
            looks_like="Differences have the right value, and the second operand's gradient has the wrong sign.",
            why="If you take away more, less is left.",
            look_at="exercise 02.1, the minus sign",
        ),
        Misconception(
            id="reflected-division-swapped",
            answer=SwappedDivision,
            looks_like="`3 / x` gives what `x / 3` should give.",
            why="Python calls `__rtruediv__` on the number to the right of the stroke: `self` is the denominator.",
            look_at="notebook 02, section 6, the cell with `__rtruediv__`",
        ),
        Misconception(
            id="power-forgets-the-exponent-in-front",
            answer=PowerForgetsFactor,
            looks_like="The slope of x**n misses the factor n.",
            why="A cube has three equal factors, and a nudge of x moves each of them.",
            look_at="notebook 02, section 6, `power`",
        ),
        Misconception(
            id="power-keeps-its-exponent",
            answer=PowerKeepsExponent,
            looks_like="The slope of x**n has one power of x too many.",
            why="Nudging one of n equal factors leaves n - 1 of them standing.",
            look_at="notebook 02, section 6, `power`",
        ),
        Misconception(
            id="power-through-logarithms",
            answer=PowerThroughLogarithms,
            looks_like="Powers of negative numbers raise an error.",
            why="A negative number has no real logarithm, but its cube is perfectly real. Let Python's ** do the work.",
            look_at="notebook 02, section 6, `power`",
        ),
        Misconception(
            id="power-loses-the-sign",
            answer=PowerThroughSize,
            looks_like="Powers of negative numbers come out as if the number were positive.",
            why=(
                "Taking the size first avoids trouble with logarithms and changes odd powers, and the slopes of "
                "even ones."
            ),
            look_at="notebook 02, section 6, `power`",
        ),
        Misconception(
            id="tanh-slope-at-the-input",
            answer=TanhSlopeAtInput,
            looks_like="tanh has the right value; its slope is one minus the square of the input.",
            why="It is the output that is squared. Near zero the two agree, so this slip hides well.",
            look_at="notebook 02, section 6, the two curved operations",
        ),
        Misconception(
            id="tanh-slope-without-square",
            answer=TanhSlopeWithoutSquare,
            looks_like="tanh has the right value; its slope is 1 - tanh.",
            why="At -1 tanh is as flat as at +1; only a square treats both ends alike.",
            look_at="notebook 02, section 6, the two curved operations",
        ),
        Misconception(
            id="relu-cut-at-one",
            answer=ReluCutAtOne,
            looks_like="relu passes no gradient to inputs between 0 and 1.",
            why="The bend of relu is where its input changes sign.",
            look_at="the docstring of relu in the exercise",
        ),
        Misconception(
            id="relu-always-open",
            answer=ReluSlopeEverywhere,
            looks_like="relu passes a gradient to negative inputs.",
            why="Nudge a negative input: relu stays at zero, so nothing may flow back.",
            look_at="the docstring of relu in the exercise",
        ),
        Misconception(
            id="relu-slope-is-its-value",
            answer=ReluSlopeIsValue,
            looks_like="relu multiplies the gradient by its own value.",
            why="A local derivative says how fast the output changes, not how large it is.",
            look_at="notebook 02, section 1: change per unit of nudge",
        ),
        Misconception(
            id="forgets-the-parents",
            answer=CurvesAsConstants,
            looks_like="Nothing flows back through tanh.",
            why="The result was made without parents, so the backward pass takes it for an input.",
            look_at="notebook 02, section 4: what a Value remembers",
        ),
    ],
    equivalent_mutants={
        "`self * -1.0` → `self / -1.0`": "dividing by -1 is multiplying by -1",
        "`self.data > 0` → `self.data >= 0`": "at exactly zero relu has no slope, and any from 0 to 1 is as good",
        "`other if isinstance(other, Start) else type(self)(other)` → `other`": "a plain number has a power -1, too",
    },
    hints=(
        "You have + and * already. Which of the missing operations can be spelled with them and a power?",
        "a - b is a + (-1) * b, and a / b is a * b**-1. In the reflected methods self stands on the right. "
        "Power, tanh and relu need a Value of their own: result, parent, slope.",
        "Power: slope n * x**(n - 1). tanh: compute t first, slope 1 - t*t. relu: slope 1 where the input is "
        "above zero, otherwise 0.",
    ),
)


# --- 02.8 a witness --------------------------------------------------------------------------------------------------


def slope(f, x):
    h = 1e-5
    return (f(x + h) - f(x - h)) / (2 * h)


def slope_complex(f, x):
    return f(complex(x, 1e-30)).imag / 1e-30


def slope_five_points(f, x):
    h = 1e-3
    return (f(x - 2 * h) - 8 * f(x - h) + 8 * f(x + h) - f(x + 2 * h)) / (12 * h)


def slope_extrapolated(f, x):
    def central(h):
        return (f(x + h) - f(x - h)) / (2 * h)

    return (4 * central(5e-4) - central(1e-3)) / 3


def slope_numpy(f, x):
    h = np.cbrt(np.finfo(float).eps) * max(1.0, abs(x))
    ends = f(np.array([x - h, x + h]))
    return (np.diff(ends) / (2 * h))[0]


def slope_forward_mode(f, x):
    out = Scalar(x)
    result = f(out)
    result.backward()
    return np.array(out.grad)


POLYNOMIALS = ("square", "cube", "quartic", "bowl", "wiggle")

SLOPE = Exercise(
    id="02.8",
    title="A witness of your own",
    function="slope",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 02, section 1, 'How small is small?'",
    driver="slope_of",
    rtol=1e-6,
    atol=1e-7,
    reference=slope,
    visible=[case("square", 1.5), case("cube", -2.0), case("quartic", 0.8), case("bowl", 30.0), case("wiggle", -1.2)],
    hidden=lambda rng: [case(name, x) for name, x in zip(POLYNOMIALS, [*numbers(rng, 5, 0.6, 2.0)], strict=True)],
    accepted=[slope_complex, slope_five_points, slope_extrapolated, slope_numpy, slope_forward_mode],
    bank=[
        Misconception(
            id="one-sided-and-coarse",
            answer=lambda f, x: (f(x + 1e-2) - f(x)) / 1e-2,
            looks_like="Your slopes are off in the second or third digit, more where the function bends more.",
            why="A one-sided difference with a step like 0.01 sees the bend of the function.",
            look_at="notebook 02, section 1: the two V-shaped curves",
        ),
        Misconception(
            id="backward-and-coarse",
            answer=lambda f, x: (f(x) - f(x - 1e-2)) / 1e-2,
            looks_like="Your slopes are off in the second or third digit, as those of a difference to the left are.",
            why="A one-sided difference with a step like 0.01 sees the bend of the function.",
            look_at="notebook 02, section 1: the two V-shaped curves",
        ),
        Misconception(
            id="step-not-small",
            answer=lambda f, x: (f(x + 0.1) - f(x - 0.1)) / 0.2,
            looks_like="Your slopes are exact for squares and off for higher powers.",
            why=(
                "A central difference cancels the first error term only. With a step like 0.1 the next one is "
                "easily seen."
            ),
            look_at="notebook 02, section 1: the two V-shaped curves",
        ),
        Misconception(
            id="divides-by-h",
            answer=lambda f, x: (f(x + 1e-5) - f(x - 1e-5)) / 1e-5,
            looks_like="Your slopes are twice as large as they should be.",
            why="From x - h to x + h it is two steps.",
            look_at="notebook 02, section 1: the formula of the central difference",
        ),
        Misconception(
            id="one-step-divided-by-two",
            answer=lambda f, x: (f(x + 1e-5) - f(x)) / 2e-5,
            looks_like="Your slopes are half as large as they should be.",
            why="From x to x + h it is one step.",
            look_at="notebook 02, section 1: the formula of the central difference",
        ),
        Misconception(
            id="step-lost-in-rounding",
            answer=lambda f, x: (f(x + 1e-18) - f(x - 1e-18)) / 2e-18,
            looks_like="All of your slopes are zero.",
            why="A step of 1e-18 is below the last digit of x: x + h is x again.",
            look_at="notebook 02, section 1: a tiny h subtracts two numbers that agree in almost all their digits",
        ),
        Misconception(
            id="forgets-to-divide",
            answer=lambda f, x: f(x + 1e-2) - f(x - 1e-2),
            looks_like="Your numbers are changes of the output; they shrink with the step.",
            why="A slope is change per unit of nudge.",
            look_at="notebook 02, section 1: change per nudge",
        ),
        Misconception(
            id="minus-the-slope",
            answer=lambda f, x: (f(x - 1e-5) - f(x + 1e-5)) / 2e-5,
            looks_like="All signs are turned round.",
            why="The change is where you arrive minus where you came from, over the same two places below.",
            look_at="notebook 02, section 1: the formula of the central difference",
        ),
    ],
    equivalent_mutants={"`1e-05` → `-1e-05`": "a central difference steps to both sides, in either order"},
    hints=(
        "Step a little to each side, and compare how far the output moved with how far you stepped.",
        "The central difference cancels the largest error. Its best step is near the cube root of machine "
        "precision, about 1e-5.",
        "Take a step h of 1e-5. Then: the output at x + h minus the output at x - h, divided by the distance between "
        "these two places.",
    ),
)


# --- 02.9 paths ------------------------------------------------------------------------------------------------------


def count_paths(parents):
    paths = [0] * len(parents)
    paths[-1] = 1
    for node in reversed(range(len(parents))):
        for parent in parents[node]:
            paths[parent] += paths[node]
    return paths


def paths_by_memory(parents):
    last, known = len(parents) - 1, {}

    def paths(node):
        if node not in known:
            uses = [child for child, those in enumerate(parents) for parent in those if parent == node]
            known[node] = 1 if node == last else sum(paths(child) for child in uses)
        return known[node]

    return [paths(node) for node in range(len(parents))]


def paths_by_matrix(parents):
    n = len(parents)
    edges = np.zeros((n, n))
    for child, those in enumerate(parents):
        for parent in those:
            edges[parent, child] += 1
    return np.linalg.solve(np.eye(n) - edges, np.eye(n)[:, -1])


def paths_by_powers(parents):
    n = len(parents)
    edges = np.zeros((n, n), dtype=int)
    for child, those in enumerate(parents):
        np.add.at(edges[:, child], those, 1)
    total, power = np.eye(n, dtype=int), np.eye(n, dtype=int)
    for _ in range(n):
        power = power @ edges
        total = total + power
    return total[:, -1]


def paths_by_engine(parents):
    nodes = [Scalar(1.0) for _ in parents]
    made = []
    for node, those in zip(nodes, parents, strict=True):
        value = node
        for parent in those:
            value = value + made[parent]
        made.append(value)
    made[-1].backward()
    return [node.grad for node in nodes]


def paths_in_floats(parents):
    paths = np.zeros(len(parents))
    paths[-1] = 1.0
    for node in range(len(parents) - 1, -1, -1):
        for parent in parents[node]:
            paths[parent] += paths[node]
    return tuple(paths)


def swept_paths(step, *, seed=1, each=list):
    def answer(parents):
        paths = [0] * len(parents)
        paths[-1] = seed
        for node in reversed(range(len(parents))):
            for parent in each(parents[node]):
                paths[parent] = step(paths[parent], paths[node])
        return paths

    return answer


def paths_from_inputs(parents):
    paths = []
    for those in parents:
        paths.append(sum(paths[parent] for parent in those) if those else 1)
    return paths


def paths_in_forward_order(parents):
    paths = [0] * len(parents)
    paths[-1] = 1
    for node, those in enumerate(parents):
        for parent in those:
            paths[parent] += paths[node]
    return paths


def longest_ways(parents):
    return swept_paths(lambda old, new: max(old, new + 1), seed=0)(parents)


def layered(width, layers):
    """Fully linked layers of one width, and a last node that uses all of the last layer."""
    parents = [[] for _ in range(width)]
    for layer in range(1, layers):
        parents += [list(range((layer - 1) * width, layer * width)) for _ in range(width)]
    return [*parents, list(range((layers - 1) * width, layers * width))]


def random_graph(rng, nodes):
    parents = [[], []]
    for node in range(2, nodes):
        others = [int(rng.integers(node)) for _ in range(int(rng.integers(1, 3)))]
        parents.append([node - 1, *others])
    return parents


PATHS = Exercise(
    id="02.9",
    title="How many paths?",
    function="count_paths",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 02, section 8, 'Paths and edges'",
    reference=count_paths,
    visible=[
        case([[], [0, 0], [1, 1], [2, 2]]),
        case([[], [], [0, 1], [1, 2], [2, 3, 1]]),
        case(layered(3, 4)),
        case([[], [0], [0, 1], [1, 2, 2], [3, 0], [4, 2]]),
        case(layered(2, 30)),
    ],
    hidden=lambda rng: [*(case(random_graph(rng, nodes)) for nodes in (5, 7, 9)), case(layered(3, 25))],
    accepted=[paths_by_memory, paths_by_matrix, paths_by_powers, paths_by_engine, paths_in_floats],
    bank=[
        Misconception(
            id="counts-edges",
            answer=lambda parents: [
                1 if node == len(parents) - 1 else sum(those.count(node) for those in parents)
                for node in range(len(parents))
            ],
            looks_like="You counted how often each node is used.",
            why="A use is the first edge of a path. From there on the path may fork again, and each fork multiplies.",
            look_at="notebook 02, section 8, 'Paths and edges'",
        ),
        Misconception(
            id="merges-double-edges",
            answer=swept_paths(lambda old, new: old + new, each=set),
            looks_like="A node that uses the same parent twice was counted as one use.",
            why="In x * x the node x is used twice, and both uses report.",
            look_at="notebook 02, section 5: what is the gradient of x * x?",
        ),
        Misconception(
            id="one-more-for-each-edge",
            answer=swept_paths(lambda old, new: old + new + 1),
            looks_like="You added one for each edge as well.",
            why="A longer path is still one path. Only forks make more of them.",
            look_at="notebook 02, section 8, 'Paths and edges'",
        ),
        Misconception(
            id="counts-from-the-inputs",
            answer=paths_from_inputs,
            looks_like="Your numbers are those of paths from the inputs to each node.",
            why="You went forward. The question is how many ways lead from each node to the result.",
            look_at="notebook 02, section 8: forward and reverse sweeps",
        ),
        Misconception(
            id="longest-way",
            answer=longest_ways,
            looks_like="Your numbers are lengths of the longest path to the result.",
            why="That says how many operations a nudge has to pass, not in how many ways it can.",
            look_at="notebook 02, section 8, 'Paths and edges'",
        ),
        Misconception(
            id="ones-everywhere",
            answer=swept_paths(lambda old, new: new),
            looks_like="Every node has a one.",
            why=(
                "A report replaced the one before, or was multiplied with it. A path leaves through one use or "
                "through another, so the counts of all uses add."
            ),
            look_at="notebook 02, section 5, 'Gradients add where a value fans out'",
        ),
        Misconception(
            id="starts-at-the-inputs",
            answer=paths_in_forward_order,
            looks_like="Only the parents of the last node have paths.",
            why="The nodes were visited in forward order, so almost all of them had nothing to pass on yet.",
            look_at="notebook 02, section 5: the backward pass walks the order in reverse",
        ),
    ],
    hints=(
        "Start at the last node: there is one path from it to itself. How many are there from one of its parents?",
        "It is the backward pass with all local derivatives equal to one. Do not list the paths: with 30 "
        "layers there are a thousand million of them.",
        "paths = [0] * n, paths[-1] = 1; for each node from last to first, for each parent in parents[node]: "
        "add paths[node] to paths[parent].",
    ),
)


EXERCISES = [LOCAL, CIRCUIT, NEURON, FAN_OUT, ORDER, BACKWARD, FINISH, SLOPE, PATHS]

"""A chapter that exists to test the grader: one exercise for each way in which an answer is put to use."""

import math

import numpy as np

from coursepkg.grading import Exercise, Misconception, case


def portions_per_money(portions_per_gram, grams_per_money):
    """Exchange rates along a chain multiply."""
    return portions_per_gram * grams_per_money


def adds_rates(portions_per_gram, grams_per_money):
    return portions_per_gram + grams_per_money


def divides_rates(portions_per_gram, grams_per_money):
    return portions_per_gram / grams_per_money


def divides_other_way(portions_per_gram, grams_per_money):
    return grams_per_money / portions_per_gram


def forgets_first_link(portions_per_gram, grams_per_money):
    return grams_per_money


def forgets_second_link(portions_per_gram, grams_per_money):
    return portions_per_gram


def hidden_rates(rng):
    return [case(rng.uniform(0.1, 0.9), rng.uniform(2, 9)) for _ in range(4)]


def by_loop(portions_per_gram, grams_per_money):
    portions = 1.0
    for rate in (portions_per_gram, grams_per_money):
        portions *= rate
    return portions


def in_single(portions_per_gram, grams_per_money):
    return np.float32(portions_per_gram) * np.float32(grams_per_money)


def as_zero_d(portions_per_gram, grams_per_money):
    return np.array(portions_per_gram * grams_per_money)


def through_logarithms(portions_per_gram, grams_per_money):
    return math.exp(math.log(portions_per_gram) + math.log(grams_per_money))


def by_einsum(portions_per_gram, grams_per_money):
    return np.einsum(",->", portions_per_gram, grams_per_money)


# --- 90.2: a function of arrays --------------------------------------------------------------------------------------


def loss_gradient(inputs, targets, weights):
    """Gradient of the mean squared error of a linear model; inputs (n, d), targets (n,), weights (d,)."""
    residuals = inputs @ weights - targets
    return 2 * inputs.T @ residuals / len(targets)


def without_two(inputs, targets, weights):
    return inputs.T @ (inputs @ weights - targets) / len(targets)


def without_mean(inputs, targets, weights):
    return 2 * inputs.T @ (inputs @ weights - targets)


def wrong_sign(inputs, targets, weights):
    return 2 * inputs.T @ (targets - inputs @ weights) / len(targets)


def one_row_only(inputs, targets, weights):
    return 2 * inputs[0] * (inputs[0] @ weights - targets[0])


def row_gradients(inputs, targets, weights):
    return 2 * inputs * (inputs @ weights - targets)[:, None] / len(targets)


def forgets_inner(inputs, targets, weights):
    return 2 * (inputs @ weights - targets).mean() * np.ones(len(weights))


def mean_over_features(inputs, targets, weights):
    return 2 * inputs.T @ (inputs @ weights - targets) / len(weights)


def hidden_batches(rng):
    shapes = [(int(rng.integers(4, 7)), 3), (3, 2), (5, 2)]
    return [case(rng.normal(size=(n, d)), rng.normal(size=n), rng.normal(size=d)) for n, d in shapes]


def gradient_by_loops(inputs, targets, weights):
    n, d = inputs.shape
    gradient = [0.0] * d
    for i in range(n):
        residual = sum(inputs[i, j] * weights[j] for j in range(d)) - targets[i]
        for j in range(d):
            gradient[j] += 2 * residual * inputs[i, j] / n
    return gradient


def gradient_by_einsum(inputs, targets, weights):
    residuals = np.einsum("nd,d->n", inputs, weights) - targets
    return np.einsum("nd,n->d", inputs, residuals) * (2 / inputs.shape[0])


def gradient_in_single(inputs, targets, weights):
    inputs, targets, weights = (np.asarray(a, dtype=np.float32) for a in (inputs, targets, weights))
    return 2 * (inputs @ weights - targets) @ inputs / np.float32(len(targets))


def gradient_as_tuple(inputs, targets, weights):
    return tuple(np.mean(2 * (inputs @ weights - targets)[:, None] * inputs, axis=0).tolist())


def gradient_through_matrix(inputs, targets, weights):
    column = np.asmatrix(inputs).T @ np.asmatrix(inputs @ weights - targets).T
    return np.asarray(2 * column / len(targets)).ravel()


RNG = np.random.default_rng(90)
BATCHES = [
    case(RNG.normal(size=(n, d)).round(2), RNG.normal(size=n).round(2), RNG.normal(size=d).round(2))
    for n, d in [(4, 3), (3, 2), (5, 2)]
]


# --- 90.3: a class ---------------------------------------------------------------------------------------------------


class Number:
    """A number that knows how it was made; + and * in both orders, and tanh."""

    def __init__(self, data, parents=(), local_grads=()):
        self.data, self.parents, self.local_grads, self.grad = data, parents, local_grads, 0.0

    @classmethod
    def wrap(cls, other):
        return other if isinstance(other, Number) else cls(other)

    def __add__(self, other):
        other = self.wrap(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.wrap(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    __radd__ = __add__
    __rmul__ = __mul__

    def tanh(self):
        value = math.tanh(self.data)
        return type(self)(value, (self,), (1 - value**2,))

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, rate in zip(node.parents, node.local_grads, strict=True):
                parent.grad += rate * node.grad


class Overwrites(Number):
    """Keeps the last contribution instead of adding contributions up."""

    def backward(self):
        self.grad = 1.0
        stack = [self]
        while stack:
            node = stack.pop()
            for parent, rate in zip(node.parents, node.local_grads, strict=True):
                parent.grad = rate * node.grad
                stack.append(parent)


class TanhRateIsOneMinusValue(Number):
    """Forgets the square in the derivative of tanh."""

    def tanh(self):
        value = math.tanh(self.data)
        return type(self)(value, (self,), (1 - value,))


class OwnFactor(Number):
    """Each factor gets itself as its local derivative."""

    def __mul__(self, other):
        other = self.wrap(other)
        return type(self)(self.data * other.data, (self, other), (self.data, other.data))

    __rmul__ = __mul__


class NoReflectedProduct(Number):
    """Works as x * 2, fails as 2 * x."""

    __rmul__ = None


class SeedIsValue(Number):
    """Starts the backward pass from the output's value instead of one."""

    def backward(self):
        super().backward()
        self.scale(self.data)

    def scale(self, factor):
        for leaf in set(self.leaves()):
            leaf.grad *= factor

    def leaves(self):
        for parent in self.parents:
            yield from parent.leaves() if parent.parents else [parent]


class IgnoresUpstream(Number):
    """Adds up local derivatives along each path without multiplying by what comes from above."""

    def backward(self):
        for parent, rate in zip(self.parents, self.local_grads, strict=True):
            parent.grad += rate
            parent.backward()


class RecordsClosures(Number):
    """micrograd's way: each operation leaves a function that pushes its gradient on."""

    def __init__(self, data, parents=(), local_grads=()):
        super().__init__(data, parents, local_grads)
        self._push = lambda: [p.receive(r * self.grad) for p, r in zip(parents, local_grads, strict=True)]

    def receive(self, amount):
        self.grad += amount


class NumpyInside(Number):
    """Holds 0-d arrays."""

    def __init__(self, data, parents=(), local_grads=()):
        super().__init__(np.array(data, dtype=float), parents, local_grads)


class PathByPath(Number):
    """Follows every path by itself: slow for large graphs, and right."""

    def backward(self):
        paths = [(self, 1.0)]
        while paths:
            node, rate = paths.pop()
            node.grad += rate
            paths += [(p, rate * r) for p, r in zip(node.parents, node.local_grads, strict=True)]


class ListGrad(Number):
    """Keeps contributions in a list and adds them when asked."""

    def __init__(self, data, parents=(), local_grads=()):
        self.given = []
        super().__init__(data, parents, local_grads)

    @property
    def grad(self):
        return sum(self.given)

    @grad.setter
    def grad(self, value):
        self.given = [value]


class SlottedNumber(Number):
    """With slots for its own fields."""

    __slots__ = ("note",)


X0, X1, TWO = ("var", 0), ("var", 1), ("const", 2.0)
SUM = ("add", X0, X1)
SQUARE_OF_SUM = ("mul", SUM, SUM)
NEURON = ("tanh", ("add", ("mul", X0, X1), X0))
REFLECTED = ("add", ("mul", TWO, X0), ("tanh", X1))
EXPRESSIONS = [SUM, ("mul", X0, X1), SQUARE_OF_SUM, NEURON, REFLECTED]


def hidden_expressions(rng):
    return [case(e, [rng.uniform(0.2, 0.9), rng.uniform(-1.9, -1.1)]) for e in EXPRESSIONS]


# --- 90.4: an order of nodes -----------------------------------------------------------------------------------------


def inputs_first(output):
    """All nodes, each after its parents."""
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(output)
    return order


def output_first(output):
    return inputs_first(output)[::-1]


def breadth_first(output):
    order, layer = [], [output]
    while layer:
        order += [node for node in layer if node not in order]
        layer = [parent for node in layer for parent in node.parents]
    return order[::-1]


def with_repeats(output):
    return [node for parent in output.parents for node in with_repeats(parent)] + [output]


def without_inputs(output):
    return [node for node in inputs_first(output) if node.parents]


def without_output(output):
    return inputs_first(output)[:-1]


def by_counting(output):
    waiting, order = {output}, []
    while waiting:
        node = waiting.pop()
        if node not in order:
            order.append(node)
            waiting |= set(node.parents)
    done = []
    while order:
        ready = next(node for node in order if all(parent in done for parent in node.parents))
        order.remove(ready)
        done.append(ready)
    return done


def by_stack(output):
    order, stack = [], [(output, False)]
    while stack:
        node, finished = stack.pop()
        if finished:
            order.append(node)
        elif node not in order:
            stack.append((node, True))
            stack += [(parent, False) for parent in node.parents]
    return list(dict.fromkeys(order))


def by_depth(output):
    def depth(node):
        return 1 + max(map(depth, node.parents)) if node.parents else 0

    return sorted(inputs_first(output), key=depth)


def as_tuple(output):
    return tuple(inputs_first(output))


def as_generator(output):
    yield from inputs_first(output)


# Breadth first goes wrong where a short and a long way lead to the same node.
UNEVEN = ("mul", ("tanh", ("tanh", SUM)), SUM)
LADDER = ("add", ("mul", ("tanh", X0), X1), ("tanh", X0))
CROSSING = ("add", ("tanh", SUM), ("mul", X0, ("tanh", ("tanh", X0))))


def hidden_graphs(rng):
    return [case(e, [rng.uniform(0.2, 0.9), rng.uniform(-1.9, -1.1)]) for e in (UNEVEN, LADDER, CROSSING)]


# --- 90.5: backward on a finished graph ------------------------------------------------------------------------------


def backward(output):
    """Fill in the gradients of a finished graph."""
    output.grad = 1.0
    for node in reversed(inputs_first(output)):
        for parent, rate in zip(node.parents, node.local_grads, strict=True):
            parent.grad += rate * node.grad


def backward_by_paths(output):
    output.grad += 1.0
    paths = [(output, 1.0)]
    while paths:
        node, arrived = paths.pop()
        for parent, rate in zip(node.parents, node.local_grads, strict=True):
            parent.grad += arrived * rate
            paths.append((parent, arrived * rate))


def backward_recursive(output, arrived=1.0):
    output.grad = output.grad + arrived
    for i in range(len(output.parents)):
        backward_recursive(output.parents[i], arrived * output.local_grads[i])


def backward_numpy(output):
    order = inputs_first(output)
    grads = np.zeros(len(order))
    grads[-1] = 1.0
    for i in range(len(order) - 1, -1, -1):
        for parent, rate in zip(order[i].parents, order[i].local_grads, strict=True):
            grads[order.index(parent)] += rate * grads[i]
    for node, grad in zip(order, grads, strict=True):
        node.grad = grad


def backward_by_dict(output):
    grads = {output: 1.0}
    for node in output_first(output):
        for parent, rate in zip(node.parents, node.local_grads, strict=True):
            grads[parent] = grads.get(parent, 0.0) + rate * grads[node]
    for node, grad in grads.items():
        node.grad = grad


def backward_single(output):
    backward(output)
    for node in inputs_first(output):
        node.grad = np.float32(node.grad)


def no_seed(output):
    for node in output_first(output):
        for parent, rate in zip(node.parents, node.local_grads, strict=True):
            parent.grad += rate * node.grad


def overwrites(output):
    output.grad = 1.0
    for node in output_first(output):
        for parent, rate in zip(node.parents, node.local_grads, strict=True):
            parent.grad = rate * node.grad


def ignores_upstream(output):
    output.grad = 1.0
    for node in output_first(output):
        for parent, rate in zip(node.parents, node.local_grads, strict=True):
            parent.grad += rate


def adds_rates_of_path(output):
    output.grad = 1.0
    for node in output_first(output):
        for parent, rate in zip(node.parents, node.local_grads, strict=True):
            parent.grad += rate + node.grad


def wrong_direction(output):
    output.grad = 1.0
    for node in inputs_first(output):
        for parent, rate in zip(node.parents, node.local_grads, strict=True):
            parent.grad += rate * node.grad


def seed_is_value(output):
    output.grad = output.data
    no_seed(output)


# --- 90.6: a training step -------------------------------------------------------------------------------------------


def step(parameters, loss_of, eta):
    """One step of gradient descent."""
    for parameter in parameters:
        parameter.grad = 0.0
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def step_with_method(parameters, loss_of, eta):
    [parameter.zero_grad() for parameter in parameters]
    loss = loss_of()
    loss.backward()
    for parameter in parameters:
        parameter.data = parameter.data - eta * parameter.grad


def step_clears_afterwards(parameters, loss_of, eta):
    loss_of().backward()
    for parameter in parameters:
        parameter.data += -eta * parameter.grad
        parameter.grad = 0


def step_by_differences(parameters, loss_of, eta):
    before = [parameter.grad for parameter in parameters]
    loss_of().backward()
    for parameter, old in zip(parameters, before, strict=True):
        parameter.data -= eta * (parameter.grad - old)


def step_with_arrays(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.grad = np.float64(0)
    loss_of().backward()
    moved = np.array([p.data for p in parameters]) - eta * np.array([p.grad for p in parameters])
    for parameter, value in zip(parameters, moved, strict=True):
        parameter.data = value


def step_in_lists(parameters, loss_of, eta):
    for i in range(len(parameters)):
        parameters[i].zero_grad()
    loss_of().backward()
    for i in range(len(parameters)):
        parameters[i].data = float(parameters[i].data - parameters[i].grad * eta)


def never_clears(parameters, loss_of, eta):
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def climbs(parameters, loss_of, eta):
    step(parameters, loss_of, -eta)


def ignores_eta(parameters, loss_of, eta):
    step(parameters, loss_of, 1.0)


def clears_after_backward(parameters, loss_of, eta):
    loss_of().backward()
    for parameter in parameters:
        parameter.grad = 0.0
        parameter.data -= eta * parameter.grad


def replaces_data(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.grad = 0.0
    loss_of().backward()
    for parameter in parameters:
        parameter.data = -eta * parameter.grad


def first_parameter_only(parameters, loss_of, eta):
    step(parameters[:1], loss_of, eta)


def hidden_steps(rng):
    return [
        case([rng.uniform(1, 2), rng.uniform(-2, -1)], [rng.uniform(0.5, 1), 2.0], [rng.uniform(-1, 0), 0.5], eta)
        for eta in (0.1, 0.25, 0.4)
    ]


# --- the chapter -----------------------------------------------------------------------------------------------------


def bank(**entries):
    """Misconceptions with texts that only a test needs to read."""
    return [
        Misconception(
            id=name.replace("_", "-"),
            answer=answer,
            looks_like=f"It looks like {name.replace('_', ' ')}.",
            why="A typical reason for it.",
            look_at="the chapter that it comes from",
        )
        for name, answer in entries.items()
    ]


HINTS = ("What does it depend on?", "Which rule joins the pieces?", "Multiply along each path, add over the paths.")

EXERCISES = [
    Exercise(
        id="90.1",
        title="Rates multiply along a chain",
        function="portions_per_money",
        minutes=5,
        difficulty=1,
        points=2,
        see="the kitchen, 'Units cancel'",
        reference=portions_per_money,
        visible=[case(0.5, 3.0), case(0.2, 7.5), case(0.8, 2.5)],
        hidden=hidden_rates,
        accepted=[by_loop, in_single, as_zero_d, through_logarithms, by_einsum],
        bank=bank(
            adds_rates=adds_rates,
            divides_rates=divides_rates,
            divides_the_other_way=divides_other_way,
            forgets_the_first_link=forgets_first_link,
            forgets_the_second_link=forgets_second_link,
        ),
        hints=HINTS,
    ),
    Exercise(
        id="90.2",
        title="The gradient of a mean squared error",
        function="loss_gradient",
        minutes=10,
        difficulty=2,
        points=3,
        see="vectors, 'Least squares'",
        reference=loss_gradient,
        visible=BATCHES,
        hidden=hidden_batches,
        accepted=[
            gradient_by_loops,
            gradient_by_einsum,
            gradient_in_single,
            gradient_as_tuple,
            gradient_through_matrix,
        ],
        bank=bank(
            without_two=without_two,
            without_mean=without_mean,
            wrong_sign=wrong_sign,
            one_row_only=one_row_only,
            row_gradients=row_gradients,
            forgets_inner=forgets_inner,
            mean_over_features=mean_over_features,
        ),
        hints=HINTS,
    ),
    Exercise(
        id="90.3",
        title="A number that remembers",
        function="Number",
        minutes=20,
        difficulty=3,
        points=5,
        see="scalars, 'An engine from nothing'",
        reference=Number,
        visible=[case(e, [0.5, -1.5]) for e in EXPRESSIONS],
        hidden=hidden_expressions,
        accepted=[RecordsClosures, NumpyInside, PathByPath, ListGrad, SlottedNumber],
        bank=bank(
            overwrites=Overwrites,
            square_forgotten=TanhRateIsOneMinusValue,
            own_factor=OwnFactor,
            no_reflected_product=NoReflectedProduct,
            seed_is_value=SeedIsValue,
            ignores_upstream=IgnoresUpstream,
        ),
        hints=HINTS,
        driver="scalar_expression",
    ),
    Exercise(
        id="90.4",
        title="Parents first",
        function="inputs_first",
        minutes=10,
        difficulty=2,
        points=2,
        see="scalars, 'An order for the backward pass'",
        reference=inputs_first,
        visible=[case(e, [0.5, -1.5]) for e in (UNEVEN, LADDER, CROSSING)],
        hidden=hidden_graphs,
        accepted=[by_counting, by_stack, by_depth, as_tuple, as_generator],
        bank=bank(
            output_first=output_first,
            breadth_first=breadth_first,
            with_repeats=with_repeats,
            without_inputs=without_inputs,
            without_output=without_output,
        ),
        hints=HINTS,
        driver="topological_order",
    ),
    Exercise(
        id="90.5",
        title="The backward pass",
        function="backward",
        minutes=15,
        difficulty=2,
        points=3,
        see="scalars, 'Backward'",
        reference=backward,
        visible=[case(e, [0.5, -1.5]) for e in (SQUARE_OF_SUM, NEURON, UNEVEN)],
        hidden=hidden_graphs,
        accepted=[backward_by_paths, backward_recursive, backward_numpy, backward_by_dict, backward_single],
        bank=bank(
            no_seed=no_seed,
            overwrites=overwrites,
            ignores_upstream=ignores_upstream,
            adds_along_a_path=adds_rates_of_path,
            wrong_direction=wrong_direction,
            seed_is_value=seed_is_value,
        ),
        hints=HINTS,
        driver="backward_on_graph",
    ),
    Exercise(
        id="90.6",
        title="One step downhill",
        function="step",
        minutes=8,
        difficulty=1,
        points=2,
        see="descent, 'One step'",
        reference=step,
        visible=[
            case([1.5, -1.0], [0.75, 2.0], [-0.5, 0.5], 0.1),
            case([1.0, -2.0], [0.5, 1.5], [-1.0, 0.25], 0.25),
            case([2.0, -1.5], [1.25, 0.5], [0.5, 1.0], 0.4),
        ],
        hidden=hidden_steps,
        accepted=[step_with_method, step_clears_afterwards, step_by_differences, step_with_arrays, step_in_lists],
        bank=bank(
            never_clears=never_clears,
            climbs=climbs,
            ignores_eta=ignores_eta,
            clears_after_backward=clears_after_backward,
            replaces_data=replaces_data,
            first_parameter_only=first_parameter_only,
        ),
        hints=HINTS,
        driver="training_step",
    ),
]

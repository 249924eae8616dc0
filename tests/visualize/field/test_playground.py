"""The playground says what an engine does wrong, and a network learns on one that does it right."""

import asyncio
import math

import numpy as np
import pytest

from coursepkg.autodiff.scalar import Scalar
from coursepkg.engine_trial import Network, find_faults
from coursepkg.visualize import playground
from coursepkg.visualize.field.playground import Playground, picture_of_network


class Bare:
    """An engine as a learner writes it, still without a function that bends."""

    def __init__(self, data, parents=(), local_grads=()):
        self.data, self.grad, self.parents, self.local_grads = data, 0.0, parents, local_grads

    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def order(self):
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        return order[::-1]

    def hand_on(self):
        for parent, local in zip(self.parents, self.local_grads, strict=True):
            parent.grad += local * self.grad

    def backward(self):
        self.grad = 1.0
        for node in self.order():
            node.hand_on()


class Value(Bare):
    """The whole engine; the classes below break it in one place each."""

    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, (self,), (1 - t * t,))


class LastReportCounts(Value):
    def hand_on(self):
        for parent, local in zip(self.parents, self.local_grads, strict=True):
            parent.grad = local * self.grad


class OwnFactor(Value):
    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), (self.data, other.data))


class SlopeOfInput(Value):
    def tanh(self):
        return type(self)(math.tanh(self.data), (self,), (1 - self.data**2,))


class NobodyWaits(Value):
    def order(self):
        waiting, seen, order = [self], set(), []
        while waiting:
            node = waiting.pop()
            if id(node) not in seen:
                seen.add(id(node))
                order.append(node)
                waiting += node.parents
        return order


class NoBackward(Value):
    backward = None


class OnlyRelu(Bare):
    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data > 0),))


class LeakyByMistake(OnlyRelu):
    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (1.0,))


@pytest.mark.parametrize("engine", [Value, Scalar, OnlyRelu])
def test_an_engine_that_is_right_has_no_faults(engine):
    assert find_faults(engine) == []
    assert Network(engine, width=3).off() == ""


@pytest.mark.parametrize(
    ("engine", "expression", "words"),
    [
        (LastReportCounts, "a + a", "Do reports add up"),
        (OwnFactor, "a * b", "the other factor"),
        (SlopeOfInput, "a.tanh()", "from its output"),
        (NobodyWaits, "c = a * b, (c + a) * c", "wait for both reports"),
        (NoBackward, "a + b", "stopped with TypeError"),
        (LeakyByMistake, "a.relu()", "Below zero"),
    ],
)
def test_an_engine_that_is_wrong_is_told_where(engine, expression, words):
    fault = find_faults(engine)[0]
    assert fault.startswith(expression)
    assert words in fault


def test_a_fault_says_both_numbers():
    (fault,) = [fault for fault in find_faults(OwnFactor) if fault.startswith("a * b")]
    assert "the engine says that the gradient of a is 1.3, but a small nudge of a moves the result −0.7 times" in fault


def test_a_straight_line_is_no_network():
    assert "neither tanh nor relu" in find_faults(Bare)[0]


@pytest.mark.parametrize("engine", [LastReportCounts, OwnFactor, SlopeOfInput])
def test_the_whole_network_shows_the_fault_too_and_keeps_its_weights(engine):
    network = Network(engine, width=2)
    before = [w.data for w in network.weights.values()]
    assert "the engine says" in network.off()
    assert [w.data for w in network.weights.values()] == before


def test_the_network_learns_the_moons_by_the_engine():
    network = Network(Value, width=5)
    for _ in range(200):
        network.step(0.3)
    assert network.losses[-1] < 0.5 * network.losses[0]
    assert "After 200 steps the loss is" in picture_of_network(network).alt


def test_numpy_answers_as_the_engine_does():
    network = Network(OnlyRelu, width=3)
    places = np.array([[0.3, -0.2], [-1.0, 1.4]])
    told = [network._answer(x, y).data for x, y in places.tolist()]
    np.testing.assert_allclose(network.scores(places), told, rtol=1e-12)


def test_buttons_and_dials_do_what_they_say():
    shown = Playground(Value)
    assert "agree with nudges in all 25 weights" in shown.words.value
    before = shown.output.value
    shown.one.click()
    assert shown.output.value != before
    assert len(shown.network.losses) == 1
    shown.width.value = 2
    assert shown.network.losses == []
    assert len(shown.which.options) == 9
    assert shown.which.value == "unit 1, from x"
    shown.which.value = "vote of unit 2"
    shown.value.value = 1.5
    assert shown.network.output[1].data == 1.5
    shown.noise.value = 0.4
    assert shown.network.output[1].data != 1.5
    shown.again.click()
    assert shown.start.description == "Start"


def test_looking_at_a_weight_does_not_round_it():
    shown = Playground(Value)
    exact = [w.data for w in shown.network.weights.values()]
    for name in shown.which.options:
        shown.which.value = name
    assert [w.data for w in shown.network.weights.values()] == exact


def test_it_runs_until_it_is_stopped_and_one_at_a_time():
    async def session():
        one, other = Playground(Value), Playground(Value)
        one.start.value = True
        while len(one.network.losses) < 3:
            await asyncio.sleep(0)
        assert one.start.description == "Stop"
        other.start.value = True
        assert not one.start.value
        while len(other.network.losses) < 2:
            await asyncio.sleep(0)
        other.start.value = False
        await asyncio.gather(one._task, other._task)
        done = len(one.network.losses), len(other.network.losses)
        await asyncio.sleep(0)
        return done, (len(one.network.losses), len(other.network.losses))

    done, later = asyncio.run(session())
    assert done == later


def test_a_step_that_fails_says_so():
    shown = Playground(NoBackward)
    assert shown.step() is False
    assert "The step stopped with TypeError" in shown.words.value


def test_weights_that_run_away_stop_the_steps():
    shown = Playground(Value)
    shown.network.output[-1].data = 1e308
    assert shown.step() is False
    assert "choose a smaller rate" in shown.words.value


def test_a_notebook_is_given_a_box():
    box = playground(Value)
    assert [child.description for child in box.children[0].children] == ["Start", "Step", "Begin again", "Check"]

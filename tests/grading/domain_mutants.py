"""Wrong answers that come from the domain of an exercise, not from the code of its reference.

Each is the reference with one thing done wrong where the task allows it: it fails, gives no number or the neighbour's
number at a boundary; it squeezes, caches by shape, keeps state, rounds; it takes the absolute value of an argument,
sorts it, forgets its period, exchanges two of a kind. They change what goes into the reference or what comes out, so
they are the same for functions, classes and engines.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.values import decode, encode, map_numbers, stacked
from coursepkg.grading.specification.boundaries import boundaries, special
from coursepkg.grading.specification.cases import by_name
from coursepkg.grading.specification.domain import Array, Number, numbers_of
from coursepkg.grading.specification.exercise import case
from coursepkg.grading.specification.own_answers import run_own


@dataclass(frozen=True)
class DomainMutant:
    """A wrong answer: ``begin()`` gives a function of (values of a case by name, the reference's outcome of values)."""

    label: str
    begin: Callable[[], Callable]


def domain_mutants(exercise):
    """All wrong answers of an exercise's domain.

    Parameters
    ----------
    exercise : Exercise
        The specification.

    Returns
    -------
    list of DomainMutant
    """
    found = [
        _stateless("rounds to 3 digits", lambda values, call: _changed(call(values), _rounded)),
        DomainMutant("caches by shape", _cached),
        DomainMutant("adds what the call before gave", _accumulating),
        DomainMutant("answers the first call for all", _first_call),
    ]
    if _gives_arrays(exercise):
        found += [
            _stateless("squeezes", lambda values, call: _changed(call(values), np.squeeze)),
            _stateless("gives the first entry for all", lambda values, call: _changed(call(values), _first_for_all)),
        ]
    for boundary in boundaries(exercise.domain, exercise.meets):
        found += _at(boundary) if boundary.edge else ()
    for name, argument in exercise.domain.items():
        found += _careless(name, argument)
    return found + list(_exchanges(exercise.domain))


def mutated(mutant, exercise, call):
    """The mutant as the judge calls an answer, encoded arguments in and an outcome out; ``call`` is the reference."""
    step = mutant.begin()

    def ask(item):
        args, kwargs = [decode(arg) for arg in item["args"]], {k: decode(v) for k, v in item["kwargs"].items()}
        values = by_name(exercise, case(*args, **kwargs))
        names = list(exercise.domain)[: len(args)]

        def reference(changed):
            rest = {name: encode(changed[name]) for name in kwargs}
            return call({"args": [encode(changed[name]) for name in names], "kwargs": rest})

        return step(values, reference)

    return ask


# --- at a boundary -----------------------------------------------------------------------------------------------


def _at(boundary):
    raised = Outcome("error", error="ValueError", message="not here")
    yield _where(boundary, "raises", lambda values, call: raised)
    yield _where(boundary, "gives no number", lambda values, call: _changed(call(values), lambda x: x * np.nan))
    if boundary.beside is not None:
        yield _where(boundary, "gives the neighbour's value", lambda values, call: call(boundary.beside(values)))


def _where(boundary, what, step):
    def stepped(values, call):
        return step(values, call) if boundary.holds(values) else call(values)

    return _stateless(f"{what} where {boundary.label}", stepped)


# --- with an argument --------------------------------------------------------------------------------------------


def _careless(name, argument):
    """One argument changed on the way in, all others as they are."""
    changes = {}
    if isinstance(argument, Number) and any(words == "negative" for words, _, _ in special(argument)):
        changes["takes the absolute value of"] = np.abs
    if isinstance(argument, Number) and argument.period is not None:
        changes["stops at half a turn of"] = lambda x: np.clip(x, -argument.period / 2, argument.period / 2)
    if isinstance(argument, Array) and argument.order == "any" and argument.names:
        changes |= {"sorts": lambda x: np.sort(x, axis=0), "reverses": lambda x: np.flip(x, axis=0)}
    for words, change in changes.items():
        yield _stateless(f"{words} {name}", lambda values, call, f=change: call(_with(values, name, f)))


def _with(values, name, change):
    entries = None if values[name] is None else numbers_of(values[name])
    if entries is None or (entries.ndim == 0 and change.__name__ == "<lambda>" and not np.isscalar(entries.item())):
        return values
    new = change(entries)
    return {**values, name: new if isinstance(values[name], np.ndarray) else new.tolist()}


def _exchanges(domain):
    names = [name for name, argument in domain.items() if type(argument) is Number]
    for k, first in enumerate(names):
        for second in names[k + 1 :]:
            if domain[first] == domain[second]:
                yield _stateless(
                    f"exchanges {first} and {second}",
                    lambda values, call, a=first, b=second: call({**values, a: values[b], b: values[a]}),
                )


# --- with the result, and between calls --------------------------------------------------------------------------


def _stateless(label, step):
    return DomainMutant(label, lambda: step)


def _changed(outcome, change):
    if outcome.kind != "value":
        return outcome
    return Outcome("value", _mapped(lambda x: _plain(change(x)), outcome.value))


def _mapped(change, value):
    """A value with every array changed; a list of numbers is an array, too."""
    value = stacked(value)
    if isinstance(value, list | tuple):
        return type(value)(_mapped(change, item) for item in value)
    if isinstance(value, dict):
        return {key: _mapped(change, item) for key, item in value.items()}
    return map_numbers(change, value)


def _gives_arrays(exercise):
    """Whether the result holds an array: to a single number, there is nothing to squeeze."""
    inputs = [(list(item.args), dict(item.kwargs)) for item in exercise.visible]
    values = [outcome.value for outcome in run_own(exercise.reference, exercise.driver, inputs)]
    return any(array.ndim and array.size > 1 for value in values for array in _arrays(value))


def _arrays(value):
    found = []
    _mapped(lambda x: found.append(np.asarray(x)) or x, value)
    return found


def _plain(x):
    return x if np.ndim(x) else np.asarray(x).item()


def _rounded(x):
    with np.errstate(all="ignore"):
        digits = np.where(x == 0, 1.0, 10.0 ** (np.floor(np.log10(np.where(x == 0, 1.0, np.abs(x)))) - 2))
        return np.round(x / digits) * digits


def _first_for_all(x):
    return np.broadcast_to(x.reshape(-1)[:1], (x.size,)).reshape(x.shape) if x.size else x


def _shapes(value):
    if isinstance(value, dict):
        return tuple((key, _shapes(item)) for key, item in value.items())
    if isinstance(value, str | bool) or value is None:
        return value
    entries = numbers_of(value)
    return entries.shape if entries is not None else tuple(map(_shapes, value))


def _cached():
    known = {}

    def step(values, call):
        key = _shapes(values)
        if key not in known:
            known[key] = call(values)
        return known[key]

    return step


def _accumulating():
    before = []

    def step(values, call):
        outcome = call(values)
        before.append(outcome)
        if len(before) < 2:
            return outcome
        return _changed(outcome, lambda x: x + 0.1 * len(before))

    return step


def _first_call():
    known = []

    def step(values, call):
        known.append(call(values))
        return known[0]

    return step

"""The kitchen: money buys ingredients, ingredients become portions, and every number carries its unit.

The one idea: a derivative is an exchange rate. Rates multiply along a chain, add over parallel paths, and pass through
the scarcest ingredient alone; the backward pass asks, of one more portion, who could have contributed how much. A
quantity here holds whatever number it is given (a float, a `Scalar`, a sympy symbol), so the same kitchen is cooked,
differentiated and written as a formula. Limiting ingredients are Leontief's input-output recipes (W. Leontief, 1941).
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from coursepkg.autodiff.scalar import Scalar, exp, log, minimum
from coursepkg.tables import FOLDED

# A number the kitchen can compute with: int, float, Scalar or Symbolic. They share operators, not a base class.
Number = Any
Links = Mapping[tuple[str, str], Number]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Quantity:
    """A number with its unit.

    Units multiply, divide and cancel with the numbers; quantities of different units refuse to be added.

    Parameters
    ----------
    value : number
        An int, float, `Scalar` or `Symbolic`.
    unit : str
        Names joined by ``*``, with ``^`` for powers and everything behind the first ``/`` dividing:
        ``"coin"``, ``"portion/kg"``, ``"g^2/coin*kg"``. The empty string is a pure number.

    Examples
    --------
    >>> Quantity(30, "coin") / Quantity(2, "coin/kg") * Quantity(4, "portion/kg")
    60 portions
    >>> Quantity(1, "kg") + Quantity(1, "coin")
    Traceback (most recent call last):
        ...
    ValueError: cannot add 1 kg and 1 coin: kg is not coin. Multiply by a rate first.
    """

    __slots__ = ("_powers", "value")

    def __init__(self, value: Number, unit: str = "") -> None:
        if isinstance(value, Quantity):
            raise TypeError(f"the value of a quantity is a plain number, but {value} already has a unit")
        self.value = value
        self._powers = _parse(unit)

    @property
    def unit(self) -> str:
        """The unit as text, with what cancels cancelled: ``"portion/coin"``."""
        return _spell(self._powers)

    def _with(self, value: Number, powers: Mapping[str, int]) -> Quantity:
        result = Quantity(value)
        result._powers = {name: power for name, power in powers.items() if power}
        return result

    def _combined(self, other: Quantity, sign: int) -> dict[str, int]:
        powers = dict(self._powers)
        for name, power in other._powers.items():
            powers[name] = powers.get(name, 0) + sign * power
        return powers

    def _agrees(self, other: Quantity, verb: str) -> None:
        if self._powers != other._powers:
            ours, theirs = self.unit or "a pure number", other.unit or "a pure number"
            raise ValueError(f"cannot {verb} {self} and {other}: {ours} is not {theirs}. Multiply by a rate first.")

    def __mul__(self, other: Any) -> Quantity:
        other = _quantity(other)
        return self._with(self.value * other.value, self._combined(other, +1))

    def __truediv__(self, other: Any) -> Quantity:
        other = _quantity(other)
        return self._with(self.value / other.value, self._combined(other, -1))

    def __add__(self, other: Any) -> Quantity:
        other = _quantity(other)
        self._agrees(other, "add")
        return self._with(self.value + other.value, self._powers)

    def __sub__(self, other: Any) -> Quantity:
        other = _quantity(other)
        self._agrees(other, "subtract")
        return self._with(self.value - other.value, self._powers)

    def __rmul__(self, other: Any) -> Quantity:
        return _quantity(other) * self

    def __rtruediv__(self, other: Any) -> Quantity:
        return _quantity(other) / self

    def __radd__(self, other: Any) -> Quantity:
        return _quantity(other) + self

    def __rsub__(self, other: Any) -> Quantity:
        return _quantity(other) - self

    def __neg__(self) -> Quantity:
        return self._with(-self.value, self._powers)

    def __repr__(self) -> str:
        number = _number(self.value)
        return f"{number} {_spell(self._powers, plural=number not in ('1', '-1'))}".rstrip()


def rate(value: Number, unit: str, *, per: str) -> Quantity:
    """An exchange rate, with what it gives and what it takes said aloud: ``rate(4, "portion", per="kg")``.

    Parameters
    ----------
    value : number
        How many of `unit` come out for one of `per`.
    unit, per : str
        What comes out, and what goes in.

    Examples
    --------
    >>> rate(2, "coin", per="kg")
    2 coins/kg
    """
    return Quantity(value, unit) / Quantity(1, per)


class Chain:
    """A product of exchange rates, written out so that the units can be seen to cancel.

    Parameters
    ----------
    *links : Quantity
        The rates, in any order; in the order of the chain they read best.

    Attributes
    ----------
    links : tuple of Quantity
    rate : Quantity
        Their product.

    Examples
    --------
    >>> Chain(rate(0.5, "kg", per="coin"), rate(4, "portion", per="kg"))
    0.5 kg/coin × 4 portions/kg = 2 portions/coin   (kg cancels)
    """

    def __init__(self, *links: Quantity) -> None:
        if not links:
            raise ValueError("a chain needs at least one rate, for example Chain(rate(4, 'portion', per='kg'))")
        self.links = tuple(_quantity(link) for link in links)
        total = self.links[0]
        for link in self.links[1:]:
            total = total * link
        self.rate = total

    @property
    def cancelled(self) -> tuple[str, ...]:
        """Units that stand in the links but not in the product."""
        seen = dict.fromkeys(name for link in self.links for name in link._powers)
        return tuple(name for name in seen if name not in self.rate._powers)

    def __repr__(self) -> str:
        gone = self.cancelled
        remark = f"   ({' and '.join(gone)} cancel{'s' if len(gone) == 1 else ''})" if gone else ""
        return " × ".join(map(str, self.links)) + f" = {self.rate}{remark}"

    def _repr_html_(self) -> str:
        gone = self.cancelled
        factors = " × ".join(_fraction(link, gone) for link in self.links)
        return f'{FOLDED}<p style="font-size:1.15em">{factors} = <b>{_fraction(self.rate, ())}</b></p>'


def gradient(output: Quantity, *inputs: Quantity) -> tuple[Quantity, ...]:
    """One backward pass from `output`: its rate of exchange with every input, units included.

    Parameters
    ----------
    output : Quantity
        Its value is a `Scalar` computed from the inputs.
    *inputs : Quantity
        Their values are the `Scalar` leaves it was computed from.

    Returns
    -------
    tuple of Quantity
        ∂output/∂input for each input, in units of output per unit of input.

    Raises
    ------
    TypeError
        If a value is not a `Scalar`: only Scalars remember where they came from.

    Examples
    --------
    >>> budget = Quantity(Scalar(30.0), "coin")
    >>> gradient(budget * rate(0.5, "kg", per="coin"), budget)
    (0.5 kg/coin,)
    """
    for quantity in (output, *inputs):
        if not isinstance(quantity.value, Scalar):
            raise TypeError(
                f"{quantity} holds a {type(quantity.value).__name__}, which does not remember how it was made; "
                'start from Quantity(Scalar(30.0), "coin")'
            )
    for quantity in inputs:
        quantity.value.grad = 0.0  # an input the output does not depend on keeps this zero
    output.value.zero_grad()
    output.value.backward()
    return tuple(output._with(q.value.grad, output._combined(q, -1)) for q in inputs)


def least(quantities: Iterable[Quantity]) -> Quantity:
    """The smallest of some quantities of one unit.

    The gradient goes to the smallest entry alone. At a tie there is no derivative; `minimum` then gives half to each of
    the two it compares, one of the many choices between the slopes on either side.

    Examples
    --------
    >>> least([Quantity(60, "portion"), Quantity(24, "portion")])
    24 portions
    """
    first, *others = _some(quantities)
    for other in others:
        first._agrees(other, "compare")
        first = first._with(minimum(first.value, other.value), first._powers)
    return first


def soft_least(quantities: Iterable[Quantity], temperature: Quantity) -> Quantity:
    """The smooth minimum −τ log Σ exp(−xᵢ/τ), whose gradient is shared: softmax(−x/τ).

    It lies below the true minimum by at most τ log n, and tends to it as τ goes to 0.

    Parameters
    ----------
    quantities : iterable of Quantity
        n quantities of one unit.
    temperature : Quantity
        τ > 0, in that same unit: how close two entries must be to count as equally scarce.
    """
    items = _some(quantities)
    for item in items:
        item._agrees(temperature, "compare")
    if _plain(temperature.value, otherwise=1.0) <= 0:
        raise ValueError(f"the temperature must be positive, not {temperature}; towards zero, use least(...)")
    # Taking out the smallest value keeps exp in range. As a plain number it leaves the gradient alone;
    # symbols have no value to take out and need none.
    shift = min(_plain(item.value, otherwise=0.0) for item in items)
    weights = [exp((shift - item.value) / temperature.value) for item in items]
    return items[0]._with(shift - temperature.value * log(sum(weights[1:], weights[0])), items[0]._powers)


class Ingredient(NamedTuple):
    """What one ingredient costs, how much of it a portion takes, and what part of the money goes to it.

    Attributes
    ----------
    price : number
        In coins per kg.
    need : number
        In grams per portion.
    share : number
        Fraction of the money spent on it, a pure number.
    """

    price: Number
    need: Number
    share: Number


class Kitchen:
    """A dinner for which every ingredient is needed: the scarcest one decides how many portions there are.

    From the budget a fee is taken; each ingredient gets its share of the money, is bought at its price and is
    used up at its need per portion:

        portions = minᵢ  budget (1 − fee) shareᵢ / priceᵢ · 1000 g/kg / needᵢ

    Parameters
    ----------
    budget : number
        In coins.
    fee : number
        Fraction of the budget kept by the market, a pure number.
    **ingredients : Ingredient
        By name.

    Examples
    --------
    >>> soup = Kitchen(budget=10, fee=0.1, rice=Ingredient(2, 250, 0.5), fish=Ingredient(9, 100, 0.5))
    >>> soup.limits()
    {'rice': 9 portions, 'fish': 5 portions}
    >>> soup.portions(), soup.bottleneck
    (5 portions, 'fish')
    """

    def __init__(self, *, budget: Number, fee: Number, **ingredients: Ingredient) -> None:
        if not ingredients:
            raise ValueError("a kitchen needs ingredients, for example rice=Ingredient(price=2, need=100, share=1)")
        self.ingredients = tuple(ingredients)
        self.inputs = {"budget": Quantity(budget, "coin"), "fee": Quantity(fee)}
        for name, (price, need, share) in ingredients.items():
            for what, value in (("price", price), ("need", need)):
                if _plain(value, otherwise=1.0) <= 0:
                    raise ValueError(f"{name} has {what} {_number(value)}; it must be above zero to be divided by")
            self.inputs[f"{name} price"] = Quantity(price, "coin/kg")
            self.inputs[f"{name} need"] = Quantity(need, "g/portion")
            self.inputs[f"{name} share"] = Quantity(share)

    def replace(self, changes: Mapping[str, Number]) -> Kitchen:
        """The same kitchen with some inputs changed, by name: ``kitchen.replace({"rice price": 1.5})``."""
        unknown = set(changes) - set(self.inputs)
        if unknown:
            raise ValueError(f"this kitchen has no input {sorted(unknown)}; it has {list(self.inputs)}")
        value = {name: changes.get(name, quantity.value) for name, quantity in self.inputs.items()}
        return Kitchen(
            budget=value["budget"],
            fee=value["fee"],
            **{
                name: Ingredient(value[f"{name} price"], value[f"{name} need"], value[f"{name} share"])
                for name in self.ingredients
            },
        )

    def tracked(self) -> Kitchen:
        """The same kitchen with every input a labelled `Scalar`, ready for a backward pass."""
        return self.replace({name: Scalar(float(q.value), label=name) for name, q in self.inputs.items()})

    def limits(self) -> dict[str, Quantity]:
        """How many portions each ingredient alone would allow."""
        money = self.inputs["budget"] * (1 - self.inputs["fee"])
        grams_per_kg = rate(1000.0, "g", per="kg")
        return {
            name: money
            * self.inputs[f"{name} share"]
            / self.inputs[f"{name} price"]
            * grams_per_kg
            / self.inputs[f"{name} need"]
            for name in self.ingredients
        }

    def portions(self, temperature: Number | None = None) -> Quantity:
        """Portions cooked: the least of the limits, or their smooth minimum at a temperature in portions."""
        limits = self.limits().values()
        return least(limits) if temperature is None else soft_least(limits, Quantity(temperature, "portion"))

    @property
    def bottleneck(self) -> str:
        """The ingredient that runs out first."""
        limits = self.limits()
        return min(self.ingredients, key=lambda name: float(limits[name].value))

    def gradient(self, of: Callable[[Kitchen], Quantity] | None = None) -> dict[str, Quantity]:
        """One backward pass: the rate of a result with every input, by name.

        Parameters
        ----------
        of : callable, optional
            From a kitchen to a quantity; the portions cooked if not given.
        """
        kitchen = self.tracked()
        output = kitchen.portions() if of is None else of(kitchen)
        return dict(zip(self.inputs, gradient(output, *kitchen.inputs.values()), strict=True))


def regret(
    kitchen: Kitchen, *, guests: Number, loved: Mapping[str, Number], taste: Number, temperature: Number | None = None
) -> Quantity:
    """How far dinner fell short: (portions − guests)² + taste · Σ (need/loved − 1)², in portions².

    Parameters
    ----------
    kitchen : Kitchen
        The dinner as it was cooked.
    guests : number
        Portions wanted.
    loved : mapping of str to number
        For each ingredient the grams per portion that taste best.
    taste : number
        Exchange rate between spoiling the recipe and sending guests home, in portions².
    temperature : number, optional
        If given, portions are counted by the smooth minimum.
    """
    hunger = kitchen.portions(temperature) - Quantity(guests, "portion")
    total = hunger * hunger
    for name in kitchen.ingredients:
        deviation = kitchen.inputs[f"{name} need"] / Quantity(loved[name], "g/portion") - 1
        total = total + Quantity(taste, "portion^2") * deviation * deviation
    return total


def repair(
    kitchen: Kitchen, *, guests: float, taste: float, temperature: float, eta: float, steps: int
) -> list[Kitchen]:
    """Follow the gradient of the regret downhill, in the budget split and the recipe; prices stay as they are.

    Grams and shares cannot be stepped with one step size: their gradients have different units. So every need moves
    as a multiple of the loved one, a pure number like a share. The shares keep their sum because each gradient
    is taken relative to the mean: a coin more here is a coin less elsewhere.

    Parameters
    ----------
    kitchen : Kitchen
        The disappointing dinner; its needs are the loved ones.
    guests, taste, temperature : float
        As for `regret`.
    eta : float
        Step size η, in 1/portions².
    steps : int
        How many steps to take.

    Returns
    -------
    list of Kitchen
        The dinner before the first step and after each one, steps + 1 in all.
    """
    names = kitchen.ingredients
    loved = {name: float(kitchen.inputs[f"{name} need"].value) for name in names}
    history = [kitchen]
    for _ in range(steps):
        slope = kitchen.gradient(lambda k: regret(k, guests=guests, loved=loved, taste=taste, temperature=temperature))
        mean = sum(slope[f"{name} share"].value for name in names) / len(names)
        changes = {}
        for name in names:
            share, need = kitchen.inputs[f"{name} share"].value, kitchen.inputs[f"{name} need"].value
            changes[f"{name} share"] = share - eta * (slope[f"{name} share"].value - mean)
            changes[f"{name} need"] = need - eta * slope[f"{name} need"].value * loved[name] ** 2
        kitchen = kitchen.replace(changes)
        history.append(kitchen)
    return history


def paths(links: Links, start: str, goal: str) -> Iterator[tuple[str, ...]]:
    """Every way from `start` to `goal` along the links, one tuple of names at a time.

    Parameters
    ----------
    links : mapping of (str, str) to number
        Exchange rates by (from, to), without cycles.
    start : str
        Where the ways begin.
    goal : str
        Where they end.

    Examples
    --------
    >>> links = {("coin", "rice"): 2, ("coin", "fish"): 1, ("rice", "meal"): 1, ("fish", "meal"): 3}
    >>> list(paths(links, "coin", "meal"))
    [('coin', 'rice', 'meal'), ('coin', 'fish', 'meal')]
    """
    if start == goal:
        yield (goal,)
        return
    for here, there in links:
        if here == start:
            for rest in paths(links, there, goal):
                yield (start, *rest)


def rate_by_paths(links: Links, start: str, goal: str) -> tuple[Number, int]:
    """Rate from `start` to `goal` path by path, and the number of links that were walked along to get it."""
    total: Number = 0
    walked = 0
    for path in paths(links, start, goal):
        product: Number = 1
        for link in pairwise(path):
            product = product * links[link]
            walked += 1
        total = total + product
    return total, walked


def rates_by_sweep(links: Links, goal: str) -> tuple[dict[str, Number], int]:
    """Rates from every place to `goal` in one backward sweep, and the number of links that were walked along.

    What is known at a place is shared by all paths through it, so every link is used once: dynamic programming,
    and exactly what `Scalar.backward` does.

    Raises
    ------
    ValueError
        If the links form a cycle: then there is no last place to start from.
    """
    waiting: dict[str, int] = {goal: 0}
    for here, there in links:
        waiting[here] = waiting.get(here, 0) + 1
        waiting.setdefault(there, 0)
    rates: dict[str, Number] = dict.fromkeys(waiting, 0)
    rates[goal] = 1
    ready = [place for place, count in waiting.items() if count == 0]
    walked = 0
    while ready:
        there = ready.pop()
        for (here, to), factor in links.items():
            if to == there:
                rates[here] = rates[here] + factor * rates[there]
                walked += 1
                waiting[here] -= 1
                if waiting[here] == 0:
                    ready.append(here)
    if walked < len(links):
        stuck = sorted(place for place, count in waiting.items() if count)
        raise ValueError(
            f"the links run in a circle through {stuck}; a kitchen turns ingredients into food one way only"
        )
    return rates, walked


def supply_chain(stalls: int, stages: int) -> dict[tuple[str, str], float]:
    """A market of `stages` rows with `stalls` each, every stall selling to every stall of the next row.

    From ``"coin"`` to ``"portion"`` there are ``stalls ** stages`` paths over only
    ``2 * stalls + stalls ** 2 * (stages - 1)`` links.
    """
    if stalls < 1 or stages < 1:
        raise ValueError(f"a market needs at least one stall and one stage, not {stalls} and {stages}")
    links = {("coin", f"0.{i}"): 1.0 / stalls for i in range(stalls)}
    for stage in range(1, stages):
        for i in range(stalls):
            for j in range(stalls):
                links[f"{stage - 1}.{i}", f"{stage}.{j}"] = (1.0 + (i + 2 * j + stage) % 4) / (2.0 * stalls)
    return links | {(f"{stages - 1}.{i}", "portion"): 1.0 + i for i in range(stalls)}


def _quantity(value: Any) -> Quantity:
    return value if isinstance(value, Quantity) else Quantity(value)


def _some(quantities: Iterable[Quantity]) -> Sequence[Quantity]:
    items = [_quantity(q) for q in quantities]
    if not items:
        raise ValueError("the least of no quantities is undefined; give at least one")
    return items


def _plain(value: Number, *, otherwise: float) -> float:
    """The value as a float, or `otherwise` for a symbol, which has none."""
    try:
        return float(value)
    except TypeError:
        return otherwise


def _number(value: Number) -> str:
    try:
        return f"{float(value):.4g}"
    except TypeError:
        return str(value)


def _parse(unit: str) -> dict[str, int]:
    powers: dict[str, int] = {}
    above, slash, below = unit.partition("/")
    for side, sign in ((above, +1), (below, -1)):
        for factor in filter(None, (part.strip() for part in side.split("*"))):
            name, _, power = factor.partition("^")
            if not name.isidentifier() or (power and not power.isdecimal()) or "/" in side:
                raise ValueError(f"cannot read the unit {unit!r}; write it like 'coin', 'portion/kg' or 'g^2/coin*kg'")
            powers[name] = powers.get(name, 0) + sign * int(power or 1)
    if slash and not below.strip():
        raise ValueError(f"cannot read the unit {unit!r}: nothing stands behind the '/'")
    return {name: power for name, power in powers.items() if power}


def _spell(powers: Mapping[str, int], *, plural: bool = False) -> str:
    def spell(name: str, power: int, ending: str = "") -> str:
        word = name + (ending if len(name) > 2 else "")  # kg and g are symbols: they take no plural
        return word if power == 1 else word + str(power).translate(_SUPERSCRIPTS)

    above = "·".join(spell(name, power, "s" * plural) for name, power in powers.items() if power > 0)
    below = "·".join(spell(name, -power) for name, power in powers.items() if power < 0)
    if not below:
        return above
    return f"{above or '1'}/{below}" if "·" not in below else f"{above or '1'}/({below})"


def _fraction(quantity: Quantity, gone: Sequence[str]) -> str:
    """A quantity as HTML, the units in `gone` struck through."""
    number = _number(quantity.value)

    def side(sign: int, plural: bool) -> str:
        words = {name: _spell({name: power * sign}, plural=plural) for name, power in quantity._powers.items()}
        shown = {name: html.escape(words[name]) for name, power in quantity._powers.items() if power * sign > 0}
        return "·".join(f"<s>{text}</s>" if name in gone else text for name, text in shown.items())

    above, below = side(+1, number not in ("1", "-1")), side(-1, False)
    unit = f"{above or '1'}/({below})" if "·" in below else f"{above or '1'}/{below}" if below else above
    return f"{html.escape(number)} {unit}".rstrip()

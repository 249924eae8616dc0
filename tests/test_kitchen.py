import math
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import sympy

from coursepkg.autodiff.comparison import compare_routes
from coursepkg.autodiff.scalar import Scalar
from coursepkg.kitchen import (
    Chain,
    Ingredient,
    Kitchen,
    Quantity,
    gradient,
    least,
    paths,
    rate,
    rate_by_paths,
    rates_by_sweep,
    regret,
    repair,
    soft_least,
    supply_chain,
)

MARKET = rate(0.5, "kg", per="coin")
POT = rate(4, "portion", per="kg")
LOVED = {"rice": 100.0, "beans": 75.0, "tomatoes": 200.0}


def stew(shares=(1 / 3, 1 / 3, 1 / 3), budget=40.0, tomato_price=2.5):
    rice, beans, tomatoes = shares
    return Kitchen(
        budget=budget,
        fee=0.1,
        rice=Ingredient(2.0, 100.0, rice),
        beans=Ingredient(4.0, 75.0, beans),
        tomatoes=Ingredient(tomato_price, 200.0, tomatoes),
    )


def random_kitchen(rng, ingredients=3):
    shares = rng.dirichlet(np.full(ingredients, 4.0))
    return Kitchen(
        budget=rng.uniform(10, 60),
        fee=rng.uniform(0.02, 0.3),
        **{f"stuff{i}": Ingredient(rng.uniform(1, 6), rng.uniform(40, 250), shares[i]) for i in range(ingredients)},
    )


def central_difference(kitchen, name, output):
    value = kitchen.inputs[name].value
    h = 1e-6 * max(1.0, abs(value))
    above, below = (output(kitchen.replace({name: value + s * h})).value for s in (1, -1))
    return (above - below) / (2 * h)


# --- units ---------------------------------------------------------------------------------------------------------


def test_rates_multiply_along_a_chain_and_units_cancel():
    chain = Chain(MARKET, POT)
    assert chain.rate.value == pytest.approx(2.0, rel=1e-15)
    assert chain.rate.unit == "portion/coin"
    assert chain.cancelled == ("kg",)
    assert str(chain) == "0.5 kg/coin × 4 portions/kg = 2 portions/coin   (kg cancels)"


def test_a_fee_is_one_more_link():
    chain = Chain(rate(0.9, "coin", per="coin"), MARKET, POT)
    assert chain.rate.value == pytest.approx(1.8, rel=1e-15)
    assert chain.rate.unit == "portion/coin"


def test_grams_are_one_more_link():
    chain = Chain(MARKET, rate(1000, "g", per="kg"), rate(1 / 250, "portion", per="g"))
    assert chain.rate.value == pytest.approx(2.0, rel=1e-15)
    assert chain.cancelled == ("kg", "g")


def test_a_price_upside_down_shows_in_the_unit():
    chain = Chain(rate(2, "coin", per="kg"), POT)
    assert chain.cancelled == ()
    assert str(chain.rate) == "8 coins·portions/kg²"


def test_cancelled_units_are_struck_through_on_the_page():
    shown = Chain(MARKET, POT)._repr_html_()
    assert "0.5 <s>kg</s>/coin × 4 portions/<s>kg</s>" in shown
    assert "<b>2 portions/coin</b>" in shown


@pytest.mark.parametrize("verb", ["add", "subtract"])
def test_different_units_refuse_to_be_added(verb):
    with pytest.raises(ValueError, match=rf"cannot {verb} 0.5 kg/coin and 4 portions/kg: kg/coin is not portion/kg"):
        MARKET + POT if verb == "add" else MARKET - POT


def test_a_number_is_no_amount_of_coins():
    with pytest.raises(ValueError, match="coin is not a pure number"):
        Quantity(3, "coin") + 2
    with pytest.raises(ValueError, match="a pure number is not coin"):
        2 - Quantity(3, "coin")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1, "coin", "1 coin"),
        (2, "coin", "2 coins"),
        (2, "kg", "2 kg"),
        (0.25, "", "0.25"),
        (3, "1/kg", None),
        (3, "/kg", "3 1/kg"),
        (-1, "portion", "-1 portion"),
        (2, "portion^2/coin*kg", "2 portions²/(coin·kg)"),
        (5, "g/g", "5"),
    ],
)
def test_quantities_read_like_words(value, unit, text):
    if text is None:
        with pytest.raises(ValueError, match="cannot read the unit"):
            Quantity(value, unit)
    else:
        assert str(Quantity(value, unit)) == text


@pytest.mark.parametrize("unit", ["coin/", "coin/kg/g", "2 coins", "kg^-1", "kg^x", "a b"])
def test_an_unreadable_unit_is_explained(unit):
    with pytest.raises(ValueError, match=r"write it like 'coin'|nothing stands behind"):
        Quantity(1, unit)


def test_arithmetic_follows_the_numbers_and_the_units():
    a, b = Quantity(6.0, "coin"), Quantity(1.5, "kg")
    assert str(a / b) == "4 coins/kg"
    assert str(1 / b) == "0.6667 1/kg"
    assert str(2 * a - a) == "6 coins"
    assert str(a * a) == "36 coins²"
    assert str(-a) == "-6 coins"
    assert str(1 - a / a) == "0"


def test_a_quantity_inside_a_quantity_is_refused():
    with pytest.raises(TypeError, match="already has a unit"):
        Quantity(Quantity(1, "kg"), "kg")


def test_an_empty_chain_is_explained():
    with pytest.raises(ValueError, match="at least one rate"):
        Chain()


# --- gradients have units ------------------------------------------------------------------------------------------


def test_a_gradient_has_the_unit_output_per_input():
    budget, price = Quantity(Scalar(30.0), "coin"), Quantity(Scalar(2.0), "coin/kg")
    portions = budget * 0.9 / price * POT
    by_budget, by_price = gradient(portions, budget, price)
    assert (by_budget.unit, by_price.unit) == ("portion/coin", "portion·kg/coin")
    assert by_budget.value == pytest.approx(1.8, rel=1e-15)
    assert by_price.value == pytest.approx(-27.0, rel=1e-15)


def test_asking_twice_gives_the_same_gradient():
    budget = Quantity(Scalar(30.0), "coin")
    portions = budget * MARKET * POT
    assert str(gradient(portions, budget)) == str(gradient(portions, budget)) == "(2 portions/coin,)"


def test_an_input_without_influence_has_gradient_zero():
    used, unused = Quantity(Scalar(3.0), "coin"), Quantity(Scalar(5.0), "kg")
    unused.value.grad = 7.0
    assert gradient(used * MARKET, used, unused)[1].value == 0.0


def test_plain_numbers_cannot_be_asked_backward():
    with pytest.raises(TypeError, match="does not remember how it was made"):
        gradient(Quantity(2.0, "portion"), Quantity(1.0, "coin"))


def test_the_kitchen_is_an_identity_in_units():
    for name, slope in stew().gradient().items():
        back = slope * stew().inputs[name]
        assert back.unit == "portion"


def test_the_gradient_of_a_kitchen_agrees_with_finite_differences():
    rng = np.random.default_rng(11)
    for _ in range(20):
        kitchen = random_kitchen(rng)
        for output in (Kitchen.portions, lambda k: k.portions(temperature=3.0)):
            for name, slope in kitchen.gradient(output).items():
                expected = central_difference(kitchen, name, output)
                assert slope.value == pytest.approx(expected, rel=1e-6, abs=1e-7)


def test_the_gradient_of_a_kitchen_agrees_with_sympy():
    rng = np.random.default_rng(12)
    one = random_kitchen(rng, ingredients=1)
    symbols = {name: sympy.Symbol(name.replace(" ", "_")) for name in one.inputs}
    formula = one.replace(symbols).portions().value
    point = {symbols[name]: quantity.value for name, quantity in one.inputs.items()}
    for name, slope in one.gradient().items():
        expected = float(sympy.diff(formula, symbols[name]).subs(point))
        assert slope.value == pytest.approx(expected, rel=1e-12)


def test_the_kitchen_works_on_symbols_and_shows_its_formula():
    budget, fee = sympy.symbols("budget fee")
    kitchen = Kitchen(budget=budget, fee=fee, rice=Ingredient(2.0, 250.0, 1.0))
    assert sympy.simplify(kitchen.portions().value - 2.0 * budget * (1 - fee)) == 0
    assert str(Quantity(budget, "coin")) == "budget coins"


# --- many paths ----------------------------------------------------------------------------------------------------


def random_links(rng, places=6):
    names = ["coin", *"abcd"[: places - 2], "portion"]
    links = {
        (names[i], names[j]): rng.uniform(-2.0, 2.0)
        for i in range(places)
        for j in range(i + 1, places)
        if j == i + 1 or rng.random() < 0.6
    }
    order = rng.permutation(len(links))
    return dict([list(links.items())[k] for k in order])


def scalar_rate(links):
    coin = Scalar(1.0)
    at = {"coin": coin}

    def value(place):
        if place not in at:
            at[place] = sum((value(a) * r for (a, b), r in links.items() if b == place), Scalar(0.0))
        return at[place]

    value("portion").backward()
    return coin.grad


def test_parallel_paths_add():
    links = {("coin", "rice"): 0.5, ("rice", "plate"): 4.0, ("coin", "beans"): 0.125, ("beans", "plate"): 4.0}
    assert rate_by_paths(links, "coin", "plate") == (pytest.approx(2.5, rel=1e-15), 4)


def test_the_sum_over_paths_the_sweep_and_the_engine_agree():
    rng = np.random.default_rng(13)
    for _ in range(30):
        links = random_links(rng)
        by_paths, _ = rate_by_paths(links, "coin", "portion")
        by_sweep, walked = rates_by_sweep(links, "portion")
        assert by_sweep["coin"] == pytest.approx(by_paths, rel=1e-12, abs=1e-14)
        assert by_sweep["coin"] == pytest.approx(scalar_rate(links), rel=1e-12, abs=1e-14)
        assert walked == len(links)


@pytest.mark.parametrize(("stalls", "stages"), [(1, 1), (2, 3), (3, 4), (4, 2)])
def test_paths_grow_like_a_power_and_links_like_a_line(stalls, stages):
    links = supply_chain(stalls, stages)
    assert len(links) == 2 * stalls + stalls**2 * (stages - 1)
    assert sum(1 for _ in paths(links, "coin", "portion")) == stalls**stages
    assert rate_by_paths(links, "coin", "portion")[1] == (stages + 1) * stalls**stages


def test_a_place_without_a_way_to_the_goal_has_rate_zero():
    rates, _ = rates_by_sweep({("coin", "plate"): 2.0, ("coin", "compost"): 5.0}, "plate")
    assert rates == {"plate": 1, "coin": 2.0, "compost": 0}


def test_a_circle_of_links_is_refused():
    with pytest.raises(ValueError, match="run in a circle"):
        rates_by_sweep({("a", "b"): 1.0, ("b", "a"): 0.5, ("b", "plate"): 1.0}, "plate")


def test_a_market_without_stalls_is_refused():
    with pytest.raises(ValueError, match="at least one stall"):
        supply_chain(0, 3)


# --- the scarcest ingredient ---------------------------------------------------------------------------------------


def test_only_the_bottleneck_has_a_gradient():
    kitchen = stew()
    assert kitchen.bottleneck == "tomatoes"
    assert kitchen.portions().value == pytest.approx(24.0, rel=1e-12)
    slopes = kitchen.gradient()
    assert all(slopes[f"{name} {what}"].value == 0 for name in ("rice", "beans") for what in ("price", "need", "share"))
    assert slopes["tomatoes share"].value == pytest.approx(72.0, rel=1e-12)


def test_at_a_tie_the_slopes_of_a_minimum_still_add_up_to_one():
    items = [Quantity(Scalar(36.0), "portion") for _ in range(3)]
    assert sum(slope.value for slope in gradient(least(items), *items)) == pytest.approx(1.0, rel=1e-15)


def test_the_minimum_of_different_units_is_refused():
    with pytest.raises(ValueError, match="cannot compare"):
        least([Quantity(1, "kg"), Quantity(1, "coin")])
    with pytest.raises(ValueError, match="cannot compare"):
        soft_least([Quantity(1, "kg")], Quantity(1, "portion"))


def test_the_least_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        least([])


def test_the_soft_minimum_shares_its_gradient_like_softmax():
    values, tau = np.array([60.0, 40.0, 24.0, 25.5]), 4.0
    items = [Quantity(Scalar(v), "portion") for v in values]
    slopes = [slope.value for slope in gradient(soft_least(items, Quantity(tau, "portion")), *items)]
    softmax = np.exp(-values / tau) / np.exp(-values / tau).sum()
    np.testing.assert_allclose(slopes, softmax, rtol=1e-12, atol=0)


@pytest.mark.parametrize("tau", [16.0, 4.0, 1.0, 0.05])
def test_the_soft_minimum_lies_within_tau_log_n_below_the_minimum(tau):
    values = [60.0, 25.0, 24.0]
    soft = soft_least([Quantity(v, "portion") for v in values], Quantity(tau, "portion")).value
    assert min(values) - tau * math.log(len(values)) <= soft <= min(values)


def test_the_soft_minimum_tends_to_the_minimum_even_where_exp_would_vanish():
    items = [Quantity(v, "portion") for v in (5e4, 4e4, 1e4)]
    assert soft_least(items, Quantity(1e-3, "portion")).value == pytest.approx(1e4, rel=1e-15)


@pytest.mark.parametrize("tau", [0.0, -1.0])
def test_a_temperature_must_be_positive(tau):
    with pytest.raises(ValueError, match="must be positive"):
        stew().portions(temperature=tau)


# --- the dinner as a whole -----------------------------------------------------------------------------------------


def test_at_the_best_split_all_ingredients_run_out_together():
    limits = stew(shares=(0.2, 0.3, 0.5)).limits()
    assert [limit.value for limit in limits.values()] == pytest.approx([36.0, 36.0, 36.0], rel=1e-12)


def test_envelope_theorem_the_fixed_split_weighted_by_cost_shares_knows_the_slope_of_the_best_dinner():
    def best(price=2.5, budget=40.0):
        costs = np.array([0.100 * 2.0, 0.075 * 4.0, 0.200 * price])
        return stew(tuple(costs / costs.sum()), budget, price).portions().value

    weights = {"rice": 0.2, "beans": 0.3, "tomatoes": 0.5}
    for name, argument, value in (("tomatoes price", "price", 2.5), ("budget", "budget", 40.0)):
        h = 1e-5
        rechosen = (best(**{argument: value + h}) - best(**{argument: value - h})) / (2 * h)
        tied = stew(shares=(0.2, 0.3, 0.5)).tracked()
        fixed = sum(w * gradient(tied.limits()[k], tied.inputs[name])[0].value for k, w in weights.items())
        assert fixed == pytest.approx(rechosen, rel=1e-8)


def test_regret_counts_missing_portions_and_spoilt_taste():
    kitchen = stew().replace({"rice need": 110.0, "tomatoes need": 180.0})
    total = regret(kitchen, guests=30, loved=LOVED, taste=50)
    portions = kitchen.portions().value
    assert total.unit == "portion²"
    assert total.value == pytest.approx((portions - 30) ** 2 + 50 * (0.1**2 + 0.1**2), rel=1e-12)


def test_the_gradient_of_the_regret_agrees_with_finite_differences():
    kitchen = stew(shares=(0.25, 0.35, 0.4)).replace({"beans need": 70.0})

    def output(k):
        return regret(k, guests=40, loved=LOVED, taste=400, temperature=2.0)

    for name, slope in kitchen.gradient(output).items():
        expected = central_difference(kitchen, name, output)
        assert slope.value == pytest.approx(expected, rel=1e-6, abs=1e-5)


def test_four_routes_agree_on_the_gradient_of_the_whole_dinner():
    kitchen = stew(shares=(0.25, 0.35, 0.4)).replace({"beans need": 70.0})
    point = {name: quantity.value for name, quantity in kitchen.inputs.items()}

    def output(*numbers):
        changed = kitchen.replace(dict(zip(kitchen.inputs, numbers, strict=True)))
        return regret(changed, guests=40, loved=LOVED, taste=400, temperature=8.0).value

    report = compare_routes(output, point)
    assert report
    assert report.evidence == len(point)
    assert not report.absent


def test_repair_lowers_the_regret_step_by_step_and_spends_every_coin_once():
    history = repair(stew(), guests=40, taste=400, temperature=1.0, eta=1e-5, steps=60)
    assert len(history) == 61
    regrets = [regret(k, guests=40, loved=LOVED, taste=400, temperature=1.0).value for k in history]
    assert all(later < earlier for earlier, later in pairwise(regrets))
    for kitchen in history:
        assert sum(kitchen.inputs[f"{name} share"].value for name in LOVED) == pytest.approx(1.0, rel=1e-12)
    prices = [kitchen.inputs["tomatoes price"].value for kitchen in history]
    assert set(prices) == {2.5}


def test_where_repair_ends_taste_is_given_up_in_proportion_to_cost():
    last = repair(stew(), guests=40, taste=400, temperature=0.5, eta=2e-5, steps=1500)[-1]
    given_up = {name: 1 - last.inputs[f"{name} need"].value / loved for name, loved in LOVED.items()}
    total = sum(given_up.values())
    assert [given_up[name] / total for name in LOVED] == pytest.approx([0.2, 0.3, 0.5], abs=0.02)


def test_repair_does_not_depend_on_grams_or_kilograms():
    light = Kitchen(budget=40.0, fee=0.1, a=Ingredient(2.0, 100.0, 0.4), b=Ingredient(4.0, 75.0, 0.6))
    heavy = Kitchen(budget=40.0, fee=0.1, a=Ingredient(0.002, 1e5, 0.4), b=Ingredient(0.004, 75e3, 0.6))
    settings = {"guests": 90, "taste": 400, "temperature": 1.0, "eta": 2e-6, "steps": 10}
    ends = [repair(kitchen, **settings)[-1] for kitchen in (light, heavy)]
    assert ends[0].portions().value == pytest.approx(ends[1].portions().value, rel=1e-10)


def test_a_kitchen_explains_what_is_missing_or_misspelt():
    with pytest.raises(ValueError, match="needs ingredients"):
        Kitchen(budget=10, fee=0.1)
    with pytest.raises(ValueError, match="rice has price 0; it must be above zero"):
        Kitchen(budget=10, fee=0.1, rice=Ingredient(0, 100, 1.0))
    with pytest.raises(ValueError, match=r"no input \['rise price'\]; it has \['budget'"):
        stew().replace({"rise price": 3.0})


def test_the_kitchen_loads_neither_numpy_nor_matplotlib():
    code = (
        "import sys, coursepkg.kitchen, coursepkg.visualize.chart.kitchen; "
        "print(sorted({'numpy', 'matplotlib', 'sympy', 'ipywidgets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

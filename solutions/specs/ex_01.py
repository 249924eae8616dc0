"""What the exercises of chapter 01 ask, which answers are right, and which wrong ideas are known.

The one idea of the chapter: a derivative is an exchange rate. Rates multiply along a chain, add over paths, pass a
minimum through the scarcest ingredient alone, and hold only where they are measured.
"""

import bisect
import functools
import itertools
import math

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading import Exercise, Misconception, case

# ------------------------------------------------------------------------------------------------------------------
# 01.1  Rates multiply along a chain
# ------------------------------------------------------------------------------------------------------------------


def chain_reference(price, fee, conversions):
    result = (1 - fee) / price
    for conversion in conversions:
        result = result * conversion
    return result


def chain_hidden(rng):
    return [
        case(
            round(float(rng.uniform(1.3, 6.0)), 2),
            round(float(rng.uniform(0.05, 0.4)), 3),
            [round(float(r), 3) for r in rng.uniform(0.2, 5.0, size=length)],
        )
        for length in (1, 2, 3, 5)
    ]


CHAIN = Exercise(
    id="01.1",
    title="Rates multiply along a chain",
    function="portions_per_coin",
    minutes=5,
    difficulty=1,
    points=1,
    see="notebook 01, 'Units cancel' and 'The fee'",
    reference=chain_reference,
    visible=[case(2.0, 0.1, [4.0]), case(5.0, 0.25, [1000.0, 0.008]), case(0.8, 0.05, [0.5, 3.0, 1.2])],
    hidden=chain_hidden,
    accepted=[
        lambda price, fee, conversions: (1 - fee) / price * math.prod(conversions),
        lambda price, fee, conversions: np.prod(np.array([1 - fee, 1 / price, *conversions])),
        lambda price, fee, conversions: functools.reduce(lambda a, b: a * b, conversions, (1.0 - fee) / price),
        lambda price, fee, conversions: float(
            np.prod(np.asarray(conversions, dtype=np.float32)) * np.float32((1 - fee) / price)
        ),
        lambda price, fee, conversions: np.array(
            math.exp(math.log(1 - fee) - math.log(price) + sum(map(math.log, conversions)))
        ),
        lambda price, fee, conversions: 1 / (price / (1 - fee) / np.multiply.reduce(conversions)),
    ],
    bank=[
        Misconception(
            id="adds-rates",
            answer=lambda price, fee, conversions: (1 - fee) / price + sum(conversions),
            looks_like="The rates of the chain are added.",
            why="One coin buys some kilograms, and each of those kilograms becomes portions: the second rate "
            "applies to what the "
            "first one gave. Adding kg/coin to portions/kg does not even have a unit.",
            look_at="'Units cancel'. Write the units beside every number; only a product makes the inner ones cancel.",
        ),
        Misconception(
            id="price-upside-down",
            answer=lambda price, fee, conversions: (1 - fee) * price * math.prod(conversions),
            looks_like="The price is used the wrong way up.",
            why="A price is in coins per kg; the chain needs kg per coin. Multiplied as it stands, a dearer "
            "kilogram would feed more guests.",
            look_at="'The price is upside down'. Which way up must coins/kg be, so that coin and kg both cancel?",
        ),
        Misconception(
            id="answer-upside-down",
            answer=lambda price, fee, conversions: price / (1 - fee) / math.prod(conversions),
            looks_like="The whole answer is upside down: coins per portion.",
            why="That is what one more portion costs. The question is what one more coin brings.",
            look_at="The unit in the docstring: portions per coin.",
        ),
        Misconception(
            id="forgets-fee",
            answer=lambda price, fee, conversions: math.prod(conversions) / price,
            looks_like="The fee is missing.",
            why="The market keeps its part before anything is bought, so a coin of budget is less than a coin of "
            "shopping.",
            look_at="'The fee'. It is one more link of the chain, a rate in coins per coin.",
        ),
        Misconception(
            id="fee-is-the-rate",
            answer=lambda price, fee, conversions: fee / price * math.prod(conversions),
            looks_like="The chain continues with the fee, not with what is left after it.",
            why="The fee is the part that never reaches the kitchen. What flows on is the rest.",
            look_at="'The fee'. Of one coin, how much is still there behind the gate?",
        ),
        Misconception(
            id="fee-raises-price",
            answer=lambda price, fee, conversions: math.prod(conversions) / (price * (1 + fee)),
            looks_like="The fee is put on top of the price, dividing by 1 + fee.",
            why="Here the fee is taken out of the budget: a fee of 10 % leaves 0.9 of each coin, and 1/1.1 is 0.909.",
            look_at="'The fee'. 2 portions per coin become 1.8, not 1.818.",
        ),
        Misconception(
            id="last-link-only",
            answer=lambda price, fee, conversions: (1 - fee) / price * conversions[-1],
            looks_like="Only the last of the conversions is used.",
            why="Every link the money passes through changes the rate; a list of several conversions is several "
            "factors.",
            look_at="Your loop. Does each round multiply what the rounds before have collected?",
        ),
    ],
    hints=(
        "Write the chain for one coin in words: what is left of it, what that buys, what becomes of it.",
        "Every link is a factor with a unit. The fee is the factor 1 − fee (coin per coin); the price has to be "
        "turned over to be kg per coin.",
        "Start with (1 − fee) / price, which is kg per coin of budget, then multiply by the conversions one after "
        "the other.",
    ),
)

# ------------------------------------------------------------------------------------------------------------------
# 01.2  Paths add
# ------------------------------------------------------------------------------------------------------------------


def paths_reference(links, start, goal):
    @functools.cache
    def onward(place):
        if place == goal:
            return 1.0
        return sum(rate * onward(to) for here, to, rate in links if here == place)

    return onward(start)


def _links(text):
    return [[here, to, float(rate)] for here, to, rate in (link.split() for link in text.split(","))]


def _every_path(links, place, goal):
    if place == goal:
        return [[]]
    return [[rate, *rest] for here, to, rate in links if here == place for rest in _every_path(links, to, goal)]


def paths_by_matrix(links, start, goal):
    places = sorted({place for here, to, _ in links for place in (here, to)})
    flow = np.zeros((len(places), len(places)))
    for here, to, rate in links:
        flow[places.index(here), places.index(to)] = rate
    everything = np.linalg.inv(np.eye(len(places)) - flow)
    return everything[places.index(start), places.index(goal)]


def paths_by_repetition(links, start, goal):
    reached = {}
    for _ in range(len(links) + 1):
        following = {start: 1.0}
        for here, to, rate in links:
            following[to] = following.get(to, 0.0) + rate * reached.get(here, 0.0)
        reached = following
    return reached[goal]


def paths_by_scalar(links, start, goal):
    coin = Scalar(1.0)
    value = {start: coin}

    def at(place):
        if place not in value:
            value[place] = sum((at(here) * rate for here, to, rate in links if to == place), Scalar(0.0))
        return value[place]

    at(goal).backward()
    return coin.grad


def paths_by_stack(links, start, goal):
    total, stack = 0.0, [(start, 1.0)]
    while stack:
        place, so_far = stack.pop()
        if place == goal:
            total += so_far
        stack.extend((to, so_far * rate) for here, to, rate in links if here == place)
    return np.float64(total)


def visits_once(links, start, goal):
    seen = set()

    def onward(place):
        if place == goal:
            return 1.0
        if place in seen:
            return 0.0
        seen.add(place)
        return sum(rate * onward(to) for here, to, rate in links if here == place)

    return onward(start)


def overwrites(links, start, goal):
    def onward(place):
        if place == goal:
            return 1.0
        result = 0.0
        for here, to, rate in links:
            if here == place and (there := onward(to)):
                result = rate * there
        return result

    return onward(start)


def in_listed_order(links, start, goal):
    reached = {start: 1.0}
    for here, to, rate in links:
        reached[to] = reached.get(to, 0.0) + rate * reached.get(here, 0.0)
    return reached.get(goal, 0.0)


def paths_hidden(rng):
    cases = []
    for between in (2, 3, 4, 5):
        places = ["coin", *[f"stall {letter}" for letter in "ABCDE"[:between]], "portion"]
        links = []
        for i, j in itertools.combinations(range(len(places)), 2):
            # Neighbours are always linked, so that there is a path through every stall and stalls are shared by paths.
            if j == i + 1 or rng.random() < 0.6:
                links.append([places[i], places[j], round(float(rng.uniform(0.3, 2.5)), 3)])
        links.append([places[1], "compost", 0.7])  # a dead end
        links.append(["garden", places[2], 1.4])  # an ingredient that no coin pays for
        order = rng.permutation(len(links))
        cases.append(case([links[k] for k in order], "coin", "portion"))
    return cases


PATHS = Exercise(
    id="01.2",
    title="Parallel paths add",
    function="total_rate",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 01, 'Two stalls' and 'Too many paths'",
    reference=paths_reference,
    visible=[
        case(_links("coin rice 0.5, rice portion 4, coin beans 0.125, beans portion 4"), "coin", "portion"),
        case(
            _links(
                "mill bread 3, mill cake 0.7, coin mill 0.4, bread portion 1.5, "
                "cake portion 6, farm mill 1.25, coin farm 0.8, farm shop 2"
            ),
            "coin",
            "portion",
        ),
        case(_links("gram kg 0.001, coin gram 640, kg portion 5, coin kg 0.2, coin portion 0.3"), "coin", "portion"),
    ],
    hidden=paths_hidden,
    accepted=[
        lambda links, start, goal: sum(math.prod(path) for path in _every_path(links, start, goal)),
        paths_by_matrix,
        paths_by_repetition,
        paths_by_scalar,
        paths_by_stack,
        lambda links, start, goal: paths_reference([tuple(link) for link in reversed(links)], start, goal),
    ],
    bank=[
        Misconception(
            id="multiplies-paths",
            answer=lambda links, start, goal: math.prod(map(math.prod, _every_path(links, start, goal))),
            looks_like="The rates of the paths are multiplied with each other.",
            why="Rates multiply along one path, where each link works on what the last one gave. Two paths work "
            "side by side, and "
            "what they bring to the table is put together.",
            look_at="'Two stalls'. 2 and 0.5 make 2.5, not 1.",
        ),
        Misconception(
            id="adds-along-the-chain",
            answer=lambda links, start, goal: sum(map(sum, _every_path(links, start, goal))),
            looks_like="The rates along each path are added.",
            why="Along a path each rate applies to the outcome of the one before it; kg/coin plus portions/kg has "
            "no unit.",
            look_at="'Units cancel'. Product along a path, sum over paths.",
        ),
        Misconception(
            id="best-path-only",
            answer=lambda links, start, goal: max(map(math.prod, _every_path(links, start, goal))),
            looks_like="Only the best path counts.",
            why="Nobody chooses between the paths: an extra coin flows along all of them at once.",
            look_at="'Two stalls'. How many portions came through the weaker stall?",
        ),
        Misconception(
            id="first-path-only",
            answer=lambda links, start, goal: math.prod(_every_path(links, start, goal)[0]),
            looks_like="Only the first path that was found counts.",
            why="A return inside the loop ends the search at the first success, and the other paths are never walked.",
            look_at="Your loop over the links that leave a place. It has to finish before anything is returned.",
        ),
        Misconception(
            id="averages-paths",
            answer=lambda links, start, goal: np.mean([math.prod(path) for path in _every_path(links, start, goal)]),
            looks_like="The paths are averaged.",
            why="The links already say which part of a coin goes where. Dividing by the number of paths shares it "
            "out a second time.",
            look_at="'Two stalls'. The shares of the budget are links of their paths.",
        ),
        Misconception(
            id="visits-once",
            answer=visits_once,
            looks_like="A place that was visited before counts for nothing the second time.",
            why="A list of visited places stops endless loops, but there are none here; what it stops is the second "
            "path "
            "through a shared place.",
            look_at="'Too many paths'. A shared place is worked out once, and its result is used by every path that "
            "comes by.",
        ),
        Misconception(
            id="overwrites",
            answer=overwrites,
            looks_like="What comes back along a later link replaces what came back along an earlier one.",
            why="It is the = in place of += that makes a gradient forget: at a fork each branch contributes.",
            look_at="'Two stalls'. Gradients add where the money parted.",
        ),
        Misconception(
            id="listed-order",
            answer=in_listed_order,
            looks_like="The links are used in the order in which they are listed, each once.",
            why="A place may pass on only what it has already received. If a link is used too early, what arrives "
            "there later is lost.",
            look_at="'Too many paths'. A place has its turn when everything that feeds it has had its own.",
        ),
        Misconception(
            id="counts-paths",
            answer=lambda links, start, goal: len(_every_path(links, start, goal)),
            looks_like="This is the number of paths.",
            why="Each path counts with its rate: the product of the numbers on its links.",
            look_at="The third entry of each link.",
        ),
    ],
    hints=(
        "Stand at one place and look ahead only one link. If you knew the rate from each next place to the goal, "
        "what would be yours?",
        "The rate from the goal to itself is 1. From any other place it is the sum, over the links that leave it, "
        "of rate times "
        "the rate from the link's far end.",
        "Write a function inside your function: onward(place) returns 1.0 at the goal, else sum(rate * onward(to) "
        "...) over the links "
        "whose first entry is place; a place without links gives the empty sum, 0. Return onward(start).",
    ),
)

# ------------------------------------------------------------------------------------------------------------------
# 01.3  The scarcest ingredient
# ------------------------------------------------------------------------------------------------------------------


def _bottleneck(stock, need):
    return min(range(len(stock)), key=lambda i: stock[i] / need[i])


def _only(index, value, length):
    return [value if i == index else 0.0 for i in range(length)]


def bottleneck_reference(stock, need):
    scarcest = _bottleneck(stock, need)
    return _only(scarcest, 1 / need[scarcest], len(stock))


def bottleneck_by_array(stock, need):
    stock, need = np.array(stock), np.array(need)
    return (np.arange(len(stock)) == np.argmin(stock / need)) / need


def bottleneck_by_scalar(stock, need):
    leaves = [Scalar(s) for s in stock]
    limits = [leaf / n for leaf, n in zip(leaves, need, strict=True)]
    min(limits, key=lambda limit: limit.data).backward()
    return [leaf.grad for leaf in leaves]


def bottleneck_by_differences(stock, need):
    def portions(amounts):
        return min(a / n for a, n in zip(amounts, need, strict=True))

    step = 1e-3
    gradient = []
    for i in range(len(stock)):
        up, down = list(stock), list(stock)
        up[i] += step
        down[i] -= step
        gradient.append((portions(up) - portions(down)) / (2 * step))
    return gradient


def bottleneck_hidden(rng):
    cases = []
    for count in (2, 3, 4, 6):
        need = np.round(rng.uniform(40.0, 300.0, size=count), 1)
        # Limits at least one portion apart: a tie has no derivative.
        limits = np.sort(rng.uniform(4.0, 9.0) + np.cumsum(rng.uniform(1.0, 6.0, size=count)))
        limits = rng.permutation(limits)
        # The scarcest ingredient is neither the smallest heap nor the largest need.
        scarcest = int(np.argmin(limits))
        order = np.argsort(need)
        middle = order[len(order) // 2] if count > 2 else order[1]
        need[[scarcest, middle]] = need[[middle, scarcest]]
        cases.append(case([round(float(a), 2) for a in limits * need], [float(n) for n in need]))
    return cases


BOTTLENECK = Exercise(
    id="01.3",
    title="Only the scarcest ingredient",
    function="bottleneck_gradient",
    minutes=8,
    difficulty=2,
    points=2,
    see="notebook 01, 'The scarcest ingredient'",
    reference=bottleneck_reference,
    visible=[
        case([1800.0, 900.0, 2600.0], [100.0, 75.0, 200.0]),
        case([1500.0, 2000.0], [125.0, 200.0]),
        case([640.0, 700.0, 5000.0, 1100.0], [16.0, 25.0, 250.0, 40.0]),
    ],
    hidden=bottleneck_hidden,
    accepted=[
        bottleneck_by_array,
        bottleneck_by_scalar,
        bottleneck_by_differences,
        lambda stock, need: tuple(bottleneck_reference(stock, need)),
        lambda stock, need: np.asarray(bottleneck_reference(stock, need), dtype=np.float32),
        lambda stock, need: [
            float(s * min(b / a for a, b in zip(stock, need, strict=True)) >= 0) / n
            if s / n == min(a / b for a, b in zip(stock, need, strict=True))
            else 0
            for s, n in zip(stock, need, strict=True)
        ],
    ],
    bank=[
        Misconception(
            id="everyone",
            answer=lambda stock, need: [1 / n for n in need],
            looks_like="Every ingredient gets the rate it would have if it were the scarcest.",
            why="A gram more of what is not scarce stays in the cupboard: it makes no further portion.",
            look_at="'The scarcest ingredient'. The gradient of all the others is exactly zero.",
        ),
        Misconception(
            id="equal-shares",
            answer=lambda stock, need: [1 / n / len(need) for n in need],
            looks_like="The credit is shared equally among the ingredients.",
            why="Sharing sounds fair, but a derivative asks what happens if only this one changes. For all but the "
            "scarcest: nothing.",
            look_at="'The scarcest ingredient'. Ask the question for one ingredient at a time.",
        ),
        Misconception(
            id="one-not-rate",
            answer=lambda stock, need: _only(_bottleneck(stock, need), 1.0, len(stock)),
            looks_like="The right ingredient, with the rate 1.",
            why="1 is how the minimum passes its input on, in portions per portion. A gram of the ingredient is not "
            "yet a portion.",
            look_at="The link from grams to portions, which is missing.",
        ),
        Misconception(
            id="amount-not-rate",
            answer=lambda stock, need: _only(
                _bottleneck(stock, need), min(s / n for s, n in zip(stock, need, strict=True)), len(stock)
            ),
            looks_like="The right ingredient, with the number of portions in place of the rate.",
            why="That is how many portions there are. The gradient says how many more a further gram would bring.",
            look_at="The unit asked for: portions per gram.",
        ),
        Misconception(
            id="smallest-heap",
            answer=lambda stock, need: _only(stock.index(min(stock)), 1 / need[stock.index(min(stock))], len(stock)),
            looks_like="The gradient goes to the smallest heap.",
            why="Fewest grams is not scarcest: a little saffron may last for more portions than a sack of rice.",
            look_at="What you compare. Portions with portions: stock divided by need.",
        ),
        Misconception(
            id="largest-need",
            answer=lambda stock, need: _only(need.index(max(need)), 1 / max(need), len(stock)),
            looks_like="The gradient goes to the ingredient of which a portion takes most.",
            why="A large need is no shortage if the heap is larger still.",
            look_at="What you compare. Portions with portions: stock divided by need.",
        ),
        Misconception(
            id="most-plentiful",
            answer=lambda stock, need: [
                1 / n if s / n == max(a / b for a, b in zip(stock, need, strict=True)) else 0.0
                for s, n in zip(stock, need, strict=True)
            ],
            looks_like="The gradient goes to the ingredient that would last longest.",
            why="The pot is empty when the first ingredient is used up: the smallest limit decides, not the largest.",
            look_at="'The scarcest ingredient'. Min, not max.",
        ),
        Misconception(
            id="rate-upside-down",
            answer=lambda stock, need: _only(_bottleneck(stock, need), need[_bottleneck(stock, need)], len(stock)),
            looks_like="The right ingredient, with its rate upside down: grams per portion.",
            why="The need says how many grams one more portion takes. The gradient is the portions one more gram "
            "brings.",
            look_at="The unit asked for: portions per gram.",
        ),
    ],
    hints=(
        "How many portions would each ingredient allow if there were plenty of everything else? Who decides?",
        "Divide stock by need, entry by entry. The smallest of these decides alone; every other entry of the "
        "gradient is zero.",
        "Find the index i of the smallest stock[i] / need[i]. That limit grows by 1 / need[i] portions with every "
        "gram: put this at i, zeros elsewhere.",
    ),
)

# ------------------------------------------------------------------------------------------------------------------
# 01.4  A rate is local
# ------------------------------------------------------------------------------------------------------------------


def local_reference(coins, tiers):
    passed = [price for start, price in tiers if start < coins]
    return 1 / passed[-1]


def _kilograms(coins, tiers):
    ends = [start for start, _ in tiers[1:]] + [math.inf]
    return sum(max(0.0, min(coins, end) - start) / price for (start, price), end in zip(tiers, ends, strict=True))


def _tier(coins, tiers):
    return bisect.bisect([start for start, _ in tiers], coins) - 1


def local_by_scalar(coins, tiers):
    money = Scalar(coins)
    ends = [start for start, _ in tiers[1:]] + [1e9]
    kilograms = Scalar(0.0)
    for (start, price), end in zip(tiers, ends, strict=True):
        kilograms = kilograms + ((money - start).relu() - (money - end).relu()) / price
    kilograms.backward()
    return money.grad


def local_hidden(rng):
    cases = []
    for count in (2, 3, 4, 4):
        starts = [0.0, *np.cumsum(np.round(rng.uniform(4.0, 20.0, size=count - 1), 0)).tolist()]
        prices = np.round(6.0 * np.cumprod(rng.uniform(0.6, 0.9, size=count)), 2).tolist()
        tiers = [[float(s), float(p)] for s, p in zip(starts, prices, strict=True)]
        # Always between two starts: on one of them the rate jumps and there is no derivative.
        for k in range(count):
            cases.append(case(round(starts[k] + float(rng.uniform(0.5, 3.5)), 1) + 0.05, tiers))
    return cases


LOCAL = Exercise(
    id="01.4",
    title="A rate is local: the bulk discount",
    function="local_rate",
    minutes=6,
    difficulty=2,
    points=1,
    see="notebook 01, 'A rate is local'",
    reference=local_reference,
    visible=[
        case(6.0, [[0.0, 2.0], [10.0, 1.6], [30.0, 1.25]]),
        case(17.0, [[0.0, 2.0], [10.0, 1.6], [30.0, 1.25]]),
        case(45.0, [[0.0, 2.0], [10.0, 1.6], [30.0, 1.25]]),
        case(12.5, [[0.0, 4.0], [8.0, 3.0]]),
    ],
    hidden=local_hidden,
    accepted=[
        lambda coins, tiers: 1 / tiers[_tier(coins, tiers)][1],
        lambda coins, tiers: (_kilograms(coins + 1e-3, tiers) - _kilograms(coins - 1e-3, tiers)) / 2e-3,
        lambda coins, tiers: 1 / np.array(tiers)[np.searchsorted(np.array(tiers)[:, 0], coins) - 1, 1],
        lambda coins, tiers: next(1 / price for start, price in reversed(tiers) if start < coins),
        lambda coins, tiers: np.float32(1) / np.float32([price for start, price in tiers if start <= coins][-1]),
        local_by_scalar,
    ],
    bank=[
        Misconception(
            id="average-rate",
            answer=lambda coins, tiers: _kilograms(coins, tiers) / coins,
            looks_like="This is the average: all kilograms over all coins.",
            why="The average looks back at what the coins so far have brought. The next coin is spent at today's "
            "tier only.",
            look_at="'A rate is local'. The slope of the curve where you stand, not of the line from the origin.",
        ),
        Misconception(
            id="first-price",
            answer=lambda coins, tiers: 1 / tiers[0][1],
            looks_like="The rate of the first coin is used everywhere.",
            why="The rate was measured at the start, but you stand further along, where the price is lower.",
            look_at="'A rate is local'. Which tier does the next coin fall into?",
        ),
        Misconception(
            id="best-price",
            answer=lambda coins, tiers: 1 / tiers[-1][1],
            looks_like="The largest discount is used everywhere.",
            why="The lowest price holds only beyond the last start, and not everyone has spent that much.",
            look_at="'A rate is local'. Which tier does the next coin fall into?",
        ),
        Misconception(
            id="price-not-rate",
            answer=lambda coins, tiers: tiers[_tier(coins, tiers)][1],
            looks_like="The right tier, upside down: coins per kg.",
            why="The price says what a kilogram costs; the rate asked for is what a coin brings.",
            look_at="The unit in the docstring: kg per coin.",
        ),
        Misconception(
            id="amount-not-rate",
            answer=_kilograms,
            looks_like="This is how many kilograms all the coins buy.",
            why="That is the amount. The rate is how fast it grows with the next coin.",
            look_at="The unit in the docstring: kg per coin, not kg.",
        ),
        Misconception(
            id="tier-before",
            answer=lambda coins, tiers: 1 / tiers[max(0, _tier(coins, tiers) - 1)][1],
            looks_like="The tier is one too early.",
            why="A tier holds from its own start onward. Once its start is behind you, its price is the one that "
            "counts.",
            look_at="Your comparison. The last start that is below coins counts, not the one before it.",
        ),
        Misconception(
            id="tier-after",
            answer=lambda coins, tiers: 1 / tiers[min(len(tiers) - 1, _tier(coins, tiers) + 1)][1],
            looks_like="The tier is one too far.",
            why="The next discount begins at its start, and you are not there yet.",
            look_at="Your comparison. The last start that is below coins counts, not the first one above.",
        ),
        Misconception(
            id="discount-on-everything",
            answer=lambda coins, tiers: (
                sum(1 / price for start, price in tiers if start < coins) / sum(start < coins for start, _ in tiers)
            ),
            looks_like="The rates of all tiers passed so far are averaged.",
            why="Tiers that lie behind you no longer sell anything; the next coin meets one price.",
            look_at="'A rate is local'. One point of the curve has one slope.",
        ),
    ],
    hints=(
        "Only the next coin matters. At which price is it spent?",
        "Walk through the tiers in order and remember the price of the last one whose start lies below coins.",
        "Begin with the price of the first tier. Whenever coins is larger than a tier's start, take that tier's price "
        "instead. The rate is in kg per coin, so turn over the price that you end with.",
    ),
    equivalent_mutants={"`start < coins` → `start <= coins`": "nobody ever stands exactly on the edge of a tier"},
)

# ------------------------------------------------------------------------------------------------------------------
# 01.5  Credit and blame
# ------------------------------------------------------------------------------------------------------------------


def _dinner(budget, fee, price, per_kg):
    return budget * (1 - fee) / price * per_kg


def _dinner_gradient(budget, fee, price, per_kg):
    return [
        (1 - fee) / price * per_kg,
        -budget / price * per_kg,
        -budget * (1 - fee) / price**2 * per_kg,
        budget * (1 - fee) / price,
    ]


def _changes(planned, actual):
    return [a - p for p, a in zip(planned, actual, strict=True)]


def credit_reference(planned, actual):
    rates = _dinner_gradient(*planned)
    return [rate * change for rate, change in zip(rates, _changes(planned, actual), strict=True)]


def credit_by_scalar(planned, actual):
    leaves = [Scalar(p) for p in planned]
    _dinner(*leaves).backward()
    return [leaf.grad * (a - leaf.data) for leaf, a in zip(leaves, actual, strict=True)]


def credit_by_log(planned, actual):
    budget, fee, price, per_kg = np.array(planned)
    portions = _dinner(budget, fee, price, per_kg)
    return (
        portions
        * np.array([1 / budget, -1 / (1 - fee), -1 / price, 1 / per_kg])
        * (np.array(actual) - np.array(planned))
    )


def credit_by_differences(planned, actual):
    result = []
    for i, (p, a) in enumerate(zip(planned, actual, strict=True)):
        h = 1e-5 * abs(p)
        up, down = list(planned), list(planned)
        up[i], down[i] = p + h, p - h
        result.append((_dinner(*up) - _dinner(*down)) / (2 * h) * (a - p))
    return tuple(result)


def credit_by_complex_step(planned, actual):
    result = np.empty(4)
    for i in range(4):
        point = [complex(p) for p in planned]
        point[i] += 1e-20j
        result[i] = _dinner(*point).imag / 1e-20 * (actual[i] - planned[i])
    return result


def credit_unsquared_price(planned, actual):
    budget, fee, price, per_kg = planned
    first, second, _, fourth = credit_reference(planned, actual)
    return [first, second, -budget * (1 - fee) / price * per_kg * (actual[2] - price), fourth]


def credit_normalised(planned, actual):
    credits = credit_reference(planned, actual)
    change = _dinner(*actual) - _dinner(*planned)
    return [credit * change / sum(credits) for credit in credits]


def credit_one_swap_at_a_time(planned, actual):
    result = []
    for i in range(4):
        point = list(planned)
        point[i] = actual[i]
        result.append(_dinner(*point) - _dinner(*planned))
    return result


def credit_hidden(rng):
    cases = []
    for _ in range(4):
        planned = [
            round(float(rng.uniform(15.0, 60.0)), 1),
            round(float(rng.uniform(0.05, 0.25)), 3),
            round(float(rng.uniform(1.2, 4.5)), 2),
            round(float(rng.uniform(2.0, 9.0)), 2),
        ]
        factor = 1 + rng.uniform(0.1, 0.35, size=4) * rng.choice([-1.0, 1.0], size=4)
        cases.append(case(planned, [round(float(p * f), 4) for p, f in zip(planned, factor, strict=True)]))
    return cases


CREDIT = Exercise(
    id="01.5",
    title="Who is to blame?",
    function="credit",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 01, 'The backward question' and 'Repairing a dinner'",
    reference=credit_reference,
    visible=[
        case([30.0, 0.1, 2.0, 4.0], [27.0, 0.16, 2.5, 4.4]),
        case([48.0, 0.2, 3.0, 6.0], [50.0, 0.15, 2.4, 5.0]),
        case([20.0, 0.05, 1.6, 2.5], [23.0, 0.07, 1.5, 2.9]),
    ],
    hidden=credit_hidden,
    accepted=[
        credit_by_scalar,
        credit_by_log,
        credit_by_differences,
        credit_by_complex_step,
        lambda planned, actual: np.multiply(_dinner_gradient(*planned), np.subtract(actual, planned)),
    ],
    bank=[
        Misconception(
            id="rate-not-amount",
            answer=lambda planned, actual: _dinner_gradient(*planned),
            looks_like="These are the rates, not the portions they cost.",
            why="A gradient is portions per coin, per kg, ... Somebody with a terrible rate who kept to the plan is "
            "not to blame for anything.",
            look_at="The unit asked for: portions. What must a rate in portions per coin be multiplied with?",
        ),
        Misconception(
            id="change-not-credit",
            answer=_changes,
            looks_like="These are the changes themselves.",
            why="Three coins and three hundredths of a fee cannot be compared; their effect on dinner can.",
            look_at="The unit asked for: portions, in every entry.",
        ),
        Misconception(
            id="rates-of-the-wrong-day",
            answer=lambda planned, actual: [
                rate * change for rate, change in zip(_dinner_gradient(*actual), _changes(planned, actual), strict=True)
            ],
            looks_like="The rates are taken at the actual dinner.",
            why="The credit is asked for seen from the plan: the rates hold where they are measured, and that is "
            "there.",
            look_at="'A rate is local', and the docstring: at the planned dinner.",
        ),
        Misconception(
            id="fee-sign",
            answer=lambda planned, actual: [
                c * s for c, s in zip(credit_reference(planned, actual), (1, -1, 1, 1), strict=True)
            ],
            looks_like="The fee has the wrong sign.",
            why="Portions go with 1 − fee: when the fee rises, they fall.",
            look_at="The derivative of 1 − fee with respect to fee.",
        ),
        Misconception(
            id="price-sign",
            answer=lambda planned, actual: [
                c * s for c, s in zip(credit_reference(planned, actual), (1, 1, -1, 1), strict=True)
            ],
            looks_like="The price has the wrong sign.",
            why="The price divides: when it rises, the same money buys less.",
            look_at="The derivative of 1/price with respect to price.",
        ),
        Misconception(
            id="price-not-squared",
            answer=credit_unsquared_price,
            looks_like="The rate of the price is divided by the price once; it should be twice.",
            why="The derivative of 1/p is −1/p², not −1/p. The units say so too: portions per (coin/kg) needs one "
            "more kg/coin.",
            look_at="'The backward question', row 'price', and its unit.",
        ),
        Misconception(
            id="swap-not-slope",
            answer=credit_one_swap_at_a_time,
            looks_like="Each entry is the true effect of changing that one input all the way.",
            why="That is a fair question too, but another one: for the price, a finite step bends away from its "
            "tangent. A credit is rate "
            "times change, and backpropagation delivers all of them from one pass where swaps need one dinner each.",
            look_at="'A rate is local'. Rate times change, with the rate of the planned dinner.",
        ),
        Misconception(
            id="made-to-add-up",
            answer=credit_normalised,
            looks_like="The credits are scaled so that they add up to the true change.",
            why="Rates are local, so their sum misses the true change by a second-order remainder. Hiding it spoils "
            "every entry.",
            look_at="'A rate is local'. The remainder is real, and shrinks with the square of the step.",
        ),
    ],
    hints=(
        "Credit = rate × change. You need four rates, all at the planned dinner.",
        "Let the engine find the rates: make four Scalars from planned, compute the portions from them, call "
        "backward().",
        "Keep the four Scalars in a list. Compute the portions from them with the formula of the task and go backward. "
        "Then each credit is one Scalar's grad times (actual minus planned).",
    ),
)

# ------------------------------------------------------------------------------------------------------------------
# 01.6  One step down the regret
# ------------------------------------------------------------------------------------------------------------------


def _split_gradient(shares, rates, budget, guests):
    portions = budget * sum(s * r for s, r in zip(shares, rates, strict=True))
    return [2 * (portions - guests) * budget * r for r in rates]


def _moved(shares, gradient, eta):
    mean = sum(gradient) / len(gradient)
    return [s - eta * (g - mean) for s, g in zip(shares, gradient, strict=True)]


def step_reference(shares, rates, budget, guests, eta):
    return _moved(shares, _split_gradient(shares, rates, budget, guests), eta)


def step_by_scalar(shares, rates, budget, guests, eta):
    leaves = [Scalar(s) for s in shares]
    portions = sum((leaf * r * budget for leaf, r in zip(leaves, rates, strict=True)), Scalar(0.0))
    ((portions - guests) ** 2).backward()
    mean = sum(leaf.grad for leaf in leaves) / len(leaves)
    return [leaf.data - eta * (leaf.grad - mean) for leaf in leaves]


def step_by_array(shares, rates, budget, guests, eta):
    shares, rates = np.array(shares), np.array(rates)
    gradient = 2 * budget * (budget * shares @ rates - guests) * rates
    return shares - eta * (gradient - gradient.mean())


def step_by_projection(shares, rates, budget, guests, eta):
    n = len(shares)
    keep_the_sum = np.eye(n) - np.ones((n, n)) / n
    return np.array(shares) - eta * keep_the_sum @ np.array(_split_gradient(shares, rates, budget, guests))


def step_by_differences(shares, rates, budget, guests, eta):
    def regret(split):
        return (budget * sum(s * r for s, r in zip(split, rates, strict=True)) - guests) ** 2

    h = 1e-4
    gradient = []
    for i in range(len(shares)):
        up, down = list(shares), list(shares)
        up[i] += h
        down[i] -= h
        gradient.append((regret(up) - regret(down)) / (2 * h))
    return tuple(_moved(shares, gradient, eta))


def step_one_after_the_other(shares, rates, budget, guests, eta):
    now = list(shares)
    for i in range(len(now)):
        gradient = _split_gradient(now, rates, budget, guests)
        now[i] = now[i] - eta * (gradient[i] - sum(gradient) / len(gradient))
    return now


def step_renormalised(shares, rates, budget, guests, eta):
    gradient = _split_gradient(shares, rates, budget, guests)
    stepped = [s - eta * g for s, g in zip(shares, gradient, strict=True)]
    return [s / sum(stepped) for s in stepped]


def step_hidden(rng):
    cases = []
    for count in (2, 3, 4, 5):
        raw = rng.uniform(0.5, 1.5, size=count)
        shares = np.round(raw / raw.sum(), 3)
        shares[-1] = round(1.0 - float(shares[:-1].sum()), 3)
        rates = np.round(rng.uniform(0.4, 2.5, size=count), 2)
        budget = round(float(rng.uniform(10.0, 40.0)), 1)
        portions = float(budget * shares @ rates)
        guests = round(portions * float(rng.uniform(0.6, 0.85) if count % 2 else rng.uniform(1.15, 1.4)))
        eta = float(f"{0.02 / budget**2:.2g}")
        cases.append(case(shares.tolist(), rates.tolist(), budget, float(guests), eta))
    return cases


STEP = Exercise(
    id="01.6",
    title="One step down the regret",
    function="better_split",
    minutes=12,
    difficulty=3,
    points=3,
    see="notebook 01, 'Repairing a dinner'",
    reference=step_reference,
    visible=[
        case([0.5, 0.5], [2.0, 0.5], 20.0, 32.0, 1e-4),
        case([0.2, 0.5, 0.3], [1.8, 0.6, 1.1], 30.0, 24.0, 5e-5),
        case([0.4, 0.1, 0.3, 0.2], [0.9, 2.2, 1.3, 0.5], 25.0, 33.0, 4e-5),
    ],
    hidden=step_hidden,
    accepted=[
        step_by_scalar,
        step_by_array,
        step_by_projection,
        step_by_differences,
        lambda shares, rates, budget, guests, eta: [
            s - eta * 2 * (budget * np.dot(shares, rates) - guests) * budget * (r - np.mean(rates))
            for s, r in zip(shares, rates, strict=True)
        ],
        lambda *inputs: np.asarray(step_reference(*inputs), dtype=np.float32),
    ],
    bank=[
        Misconception(
            id="uphill",
            answer=lambda shares, rates, budget, guests, eta: _moved(
                shares, _split_gradient(shares, rates, budget, guests), -eta
            ),
            looks_like="The step goes uphill: the regret grows.",
            why="The gradient points to where the regret increases fastest. A repair walks the other way.",
            look_at="The sign in front of the step size.",
        ),
        Misconception(
            id="forgets-two",
            answer=lambda shares, rates, budget, guests, eta: _moved(
                shares, _split_gradient(shares, rates, budget, guests), eta / 2
            ),
            looks_like="The step is half as long as it should be.",
            why="The regret is a square, and the derivative of u² is 2u.",
            look_at="The first link of the backward pass, from the regret to the portions.",
        ),
        Misconception(
            id="forgets-the-miss",
            answer=lambda shares, rates, budget, guests, eta: _moved(shares, [budget * r for r in rates], eta),
            looks_like="The step does not depend on how far dinner fell short.",
            why="budget × rate is only the last part of the chain: portions per share. What the regret asks for "
            "comes from upstream and "
            "multiplies it.",
            look_at="'Repairing a dinner'. Downstream = upstream × local.",
        ),
        Misconception(
            id="forgets-budget",
            answer=lambda shares, rates, budget, guests, eta: _moved(
                shares, [g / budget for g in _split_gradient(shares, rates, budget, guests)], eta
            ),
            looks_like="The budget is missing in the gradient.",
            why="A share is a fraction. Raising it by 0.01 moves 0.01 × budget coins.",
            look_at="The chain share → coins → portions. How many coins is one share?",
        ),
        Misconception(
            id="spends-more-than-it-has",
            answer=lambda shares, rates, budget, guests, eta: [
                s - eta * g for s, g in zip(shares, _split_gradient(shares, rates, budget, guests), strict=True)
            ],
            looks_like="The new shares do not add up to 1.",
            why="The plain gradient wants more (or less) of everything, because it does not know that a coin can be "
            "spent only once.",
            look_at="'Repairing a dinner'. A coin more here is a coin less elsewhere, so take the mean out of the "
            "gradient.",
        ),
        Misconception(
            id="renormalises",
            answer=step_renormalised,
            looks_like="The shares are stepped freely and then divided by their sum.",
            why="They add up to 1 again, but the direction is no longer the steepest one that keeps the sum: "
            "dividing moves every share once more.",
            look_at="'Repairing a dinner'. Take the mean out of the gradient before the step, not out of the shares "
            "after it.",
        ),
        Misconception(
            id="returns-the-gradient",
            answer=lambda shares, rates, budget, guests, eta: _moved(
                [0.0] * len(shares), _split_gradient(shares, rates, budget, guests), -1.0
            ),
            looks_like="This is the gradient (its mean taken out), not the new split.",
            why="The gradient says which way; the answer is where you are after the step.",
            look_at="The docstring: new shares, which add up to 1.",
        ),
        Misconception(
            id="one-after-the-other",
            answer=step_one_after_the_other,
            looks_like="The shares are changed one after the other, each seeing the changes before it.",
            why="All entries of a gradient belong to one point. Once the first share has moved, the others are told "
            "about a dinner that "
            "was never cooked.",
            look_at="Your loop. Compute the whole gradient first, then move all shares.",
        ),
    ],
    hints=(
        "Go backward link by link: regret → portions → coins for a dish → its share. Multiply the rates.",
        "The gradient for share i is 2 (portions − guests) · budget · rates[i]. Then keep the sum of the shares: "
        "subtract the mean of the gradient.",
        "Build the whole list g first, with g[i] = 2 * (portions - guests) * budget * rates[i]. Work out its mean. "
        "Each new share is the old one minus eta times (g[i] minus that mean).",
    ),
)

EXERCISES = [CHAIN, PATHS, BOTTLENECK, LOCAL, CREDIT, STEP]

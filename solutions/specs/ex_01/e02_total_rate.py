"""01.2 Parallel paths add."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.specification.domain import Anything
from coursepkg.grading.specification.exercise import Exercise, case, wrong


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
        flow[places.index(here), places.index(to)] += rate
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


def keeps_one_of_a_kind(links, start, goal):
    rates = {(here, to): rate for here, to, rate in links}
    return paths_reference([[here, to, rate] for (here, to), rate in rates.items()], start, goal)


def level_by_level(links, start, goal):
    """Each place once, in the order in which a search from the start finds them."""
    reached, queue, seen = {start: 1.0}, [start], {start}
    for place in queue:
        for here, to, rate in links:
            if here == place:
                reached[to] = reached.get(to, 0.0) + reached[place] * rate
                if to not in seen:
                    seen.add(to)
                    queue.append(to)
    return reached[goal]


def from_every_source(links, start, goal):
    """Everything that nothing leads to begins with one unit, and the start as well."""

    def arriving(place):
        into = [rate * arriving(here) for here, to, rate in links if to == place]
        return (place == start or not into) + sum(into)

    return arriving(goal)


def drops_small_amounts(links, start, goal, amount=1.0):
    if start == goal:
        return amount
    onward = [(to, amount * rate) for here, to, rate in links if here == start and amount * rate > 1e-6]
    return sum(drops_small_amounts(links, to, goal, reached) for to, reached in onward)


def up_to_three_links(links, start, goal):
    return sum(math.prod(path) for path in _every_path(links, start, goal) if len(path) <= 3)


NAMES = (
    *("coin", "kg", "portion", "mill", "bread", "cake", "farm", "rice", "beans", "pan", "oven", "egg", "flour"),
    *("dough", "hour", "watt", "hand", "broth", "salt", "plate", "bowl", "stall", "market", "gram", "basket"),
)


def kitchen_case(rng, between, goal_goes_on=False):
    """A start somewhere in the middle of a kitchen: something leads to it, and something past the goal."""
    before, start, *inner, goal, beyond = rng.permutation(NAMES)[: between + 4].tolist()
    places = [start, *inner, goal]
    links = []
    for i, j in itertools.combinations(range(len(places)), 2):
        # Neighbours are always linked, so that there is a path through every place and places are shared by paths.
        if j == i + 1 or rng.random() < 0.6:
            links.append([places[i], places[j], round(float(rng.uniform(0.3, 2.5)), 3)])
    links.append([*places[:2], round(float(rng.uniform(0.3, 2.5)), 3)])  # a second link between two places
    links.append([places[1], "compost", 0.7])  # a dead end
    links.append([f"brown {places[1]}", places[2], 1.4])  # an ingredient that nothing of the start pays for
    links.append([before, start, 1.7])
    links += [[goal, beyond, 0.6]] * goal_goes_on
    return case([links[k] for k in rng.permutation(len(links))], start, goal)


def other_rates(rng, item):
    """The same kitchen with other rates."""
    links, start, goal = item.args
    return case([[here, to, round(float(rng.uniform(0.3, 2.5)), 3)] for here, to, _ in links], start, goal)


def long_kitchen(rng):
    """Three links side by side, two of them the same; two paths that bring as much; a path of ten links."""
    names = rng.permutation(NAMES)[:13].tolist()
    start, upper, lower, *chain, goal = names
    once, again, other, last = (round(float(r), 3) for r in rng.uniform(0.4, 1.6, 4))
    first = chain[0]
    links = [[start, first, once], [start, first, once], [start, first, other]]
    links += [[start, upper, again], [start, lower, again], [upper, first, last], [lower, first, last]]
    links += [[here, to, round(float(rng.uniform(0.8, 1.3)), 3)] for here, to in itertools.pairwise([*chain, goal])]
    links += [[first, goal, other], [first, goal, other]]
    return case([links[k] for k in rng.permutation(len(links))], start, goal)


def odd_kitchen(rng):
    """A way through tiny rates and huge ones; names that differ in capitals alone; a compost that feeds the goal."""
    first, second, third = (round(float(r), 3) for r in rng.uniform(0.4, 2.5, 3))
    links = [["kg", "Rice", first * 1e-8], ["Rice", "rice", second * 1e9], ["rice", "plate", third * 1e-2]]
    links += [["kg", "compost", second], ["compost", "bed", third * 1e4], ["bed", "plate", first * 1e-5]]
    links += [["kg", "plate", 1.0]] * 2
    links += [["Rice", "waste", third], ["rice", "Kg", first]]
    return case([links[k] for k in rng.permutation(len(links))], "kg", "plate")


def chain_kitchen(rng):
    """A single path of 60 links, beside a short one."""
    names = [f"place {k}" for k in rng.permutation(61).tolist()]
    links = [[here, to, round(float(rng.uniform(0.9, 1.1)), 3)] for here, to in itertools.pairwise(names)]
    links.append([names[0], names[-1], 0.4])
    return case([links[k] for k in rng.permutation(len(links))], names[0], names[-1])


_draw = np.random.default_rng(12)


def paths_hidden(rng):
    cases = [kitchen_case(rng, between, goal_goes_on=between % 2 == 0) for between in (2, 3, 4, 5)]
    single = case([["kg", "plate", round(float(rng.uniform(0.3, 2.5)), 3)]], "kg", "plate")
    return [*cases, other_rates(rng, cases[0]), single, long_kitchen(rng), odd_kitchen(rng), chain_kitchen(rng)]


def begins_in_the_middle(links, start):
    return any(to == start for _, to, _ in links)


def goes_on_from_the_goal(links, goal):
    return any(here == goal for here, _, _ in links)


def ends_in_the_compost(links, goal):
    leaving = {here for here, _, _ in links}
    return any(to != goal and to not in leaving for _, to, _ in links)


def has_equal_paths(links, start, goal):
    paths = [tuple(path) for path in _every_path(links, start, goal) if len(path) > 2]
    return len(set(paths)) < len(paths)


def has_three_links_side_by_side(links):
    joined = [(here, to) for here, to, _ in links]
    return any(joined.count(places) > 2 for places in joined)


def has_the_same_link_twice(links):
    return len(set(map(tuple, links))) < len(links)


def has_twin_links(links):
    return len({(here, to) for here, to, _ in links}) < len(links)


BANK = [
    wrong("multiplies-paths", lambda links, start, goal: math.prod(map(math.prod, _every_path(links, start, goal))),
          "'Two stalls'. 2 and 0.5 make 2.5, not 1.",
          "The rates of the paths are multiplied with each other.",
          "Rates multiply along one path, where each link works on what the last one gave. Two paths work side by"
          " side, and what they bring to the table is put together."),
    wrong("adds-along-the-chain", lambda links, start, goal: sum(map(sum, _every_path(links, start, goal))),
          "'Units cancel'. Product along a path, sum over paths.",
          "The rates along each path are added.",
          "Along a path each rate applies to the outcome of the one before it; kg/coin plus portions/kg has no unit."),
    wrong("best-path-only", lambda links, start, goal: max(map(math.prod, _every_path(links, start, goal))),
          "'Two stalls'. How many portions came through the weaker stall?",
          "Only the best path counts.",
          "Nobody chooses between the paths: an extra coin flows along all of them at once."),
    wrong("first-path-only", lambda links, start, goal: math.prod(_every_path(links, start, goal)[0]),
          "'Two stalls'. How many portions came through the other stall?",
          "Only the first path that was found counts.",
          "At a fork one more unit goes along all the links that leave it, and each of them brings its part."),
    wrong("equal-paths-count-once",
          lambda links, start, goal: sum(set(map(math.prod, _every_path(links, start, goal)))),
          "'Two stalls'. What if both stalls sell at the same rate?",
          "Of paths that bring the same only one counts.",
          "Two paths with equal rates are still two paths, and the guests eat from both."),
    wrong("the-same-link-counts-once",
          lambda links, start, goal: paths_reference(sorted(set(map(tuple, links))), start, goal),
          "'Two stalls'. What if two links join the same two places?",
          "Of two links with the same places and the same rate only one counts.",
          "A set keeps one of a kind. Two stalls with the same price are still two stalls."),
    wrong("averages-paths",
          lambda links, start, goal: np.mean([math.prod(path) for path in _every_path(links, start, goal)]),
          "'Two stalls'. The shares of the budget are links of their paths.",
          "The paths are averaged.",
          "The links already say which part of a coin goes where. Dividing by the number of paths shares it out a"
          " second time."),
    wrong("visits-once", visits_once,
          "'Too many paths'. A shared place is worked out once, and its result is used by every path that comes by.",
          "A place that was visited before counts for nothing the second time.",
          "A list of visited places stops endless loops, but there are none here; what it stops is the second "
          "path through a shared place."),
    wrong("overwrites", overwrites, "'Two stalls'. Gradients add where the money parted.",
          "What comes back along a later link replaces what came back along an earlier one.",
          "It is the = in place of += that makes a gradient forget: at a fork each branch contributes."),
    wrong("listed-order", in_listed_order,
          "'Too many paths'. A place has its turn when everything that feeds it has had its own.",
          "The links are used in the order in which they are listed, each once.",
          "A place may pass on only what it has already received. If a link is used too early, what arrives there"
          " later is lost."),
    wrong("counts-paths", lambda links, start, goal: len(_every_path(links, start, goal)),
          "'Units cancel'. The third entry of each link is a rate.",
          "This is the number of paths.",
          "Each path counts with its rate: the product of the numbers on its links."),
    wrong("last-links-only", lambda links, start, goal: sum(rate for _, to, rate in links if to == goal),
          "'Units cancel'. How much arrives at the place where a last link begins?",
          "Only the rates of the links that enter the goal are added.",
          "Those say what one unit of the place before becomes. How many such units a unit of the start brings is left"
          " out."),
    wrong("first-links-only", lambda links, start, goal: sum(rate for here, _, rate in links if here == start),
          "'Units cancel'. What becomes of the unit that has gone along one link?",
          "Only the rates of the links that leave the start are added.",
          "The first link is a part of each path. What it gives has to go on to the goal, through all further rates."),
    wrong("one-link-between-two-places", keeps_one_of_a_kind,
          "'Two stalls'. What if two links join the same two places?",
          "Of two links that join the same places only the last one counts.",
          "A dictionary from places to rates has room for one rate; the second link takes the place of the first."),
    wrong("level-by-level", level_by_level,
          "'Too many paths'. A place has its turn when everything that feeds it has had its own.",
          "Places are used in the order in which a search from the start finds them, each once.",
          "A place may be near by one way and far by another. What comes the long way arrives after its turn."),
    wrong("from-every-source", from_every_source,
          "'Two stalls'. Of which place is there one more unit?",
          "What does not come from the start is counted as well.",
          "One more unit of the start changes nothing in places that it does not lead to."),
    wrong("up-to-three-links", up_to_three_links,
          "'Too many paths'. What if a path has one link more than you have loops?",
          "Paths of more than three links are left out.",
          "A loop within a loop follows as many links as there are loops. How long paths are is not known beforehand."),
    wrong("drops-small-amounts", drops_small_amounts,
          "'Too many paths'. What may a later link make of a very small amount?",
          "Paths that pass through very small amounts are missing.",
          "An amount in one unit may be small and in the next unit large, as kilograms and milligrams are."),
    wrong("capitals-do-not-count",
          lambda links, start, goal: paths_by_repetition(
              [[here.lower(), to.lower(), rate] for here, to, rate in links], start.lower(), goal.lower()
          ), "'Two stalls', and the docstring of the exercise: what is a place?",
          "Places whose names differ in capitals alone are taken for one.",
          "A place is what its name says, letter by letter. Compare the names as they are."),
]  # fmt: skip

EXERCISE = Exercise(
    id="01.2",
    title="Parallel paths add",
    function="total_rate",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 01, 'Two stalls' and 'Too many paths'",
    reference=paths_reference,
    domain={
        "links": Anything("a list of [from, to, rate] without circles"),
        "start": Anything("the name of a place"),
        "goal": Anything("the name of another place, which can be reached"),
    },
    meets={
        "there is one link": lambda links: len(links) == 1,
        "something leads to the start": begins_in_the_middle,
        "something is made of the goal": goes_on_from_the_goal,
        "two links join the same two places": has_twin_links,
        "three links join the same two places": has_three_links_side_by_side,
        "two links are the same": has_the_same_link_twice,
        "two paths bring as much": has_equal_paths,
        "a path ends elsewhere": ends_in_the_compost,
        "a link leads straight to the goal": lambda links, start, goal: any(x[:2] == [start, goal] for x in links),
        "a path has ten links or more": lambda links, start, goal: max(map(len, _every_path(links, start, goal))) > 9,
        "a path is very long": lambda links: len(links) > 50,
        "two equal links lead straight to the goal": lambda links, start, goal: links.count([start, goal, 1.0]) == 2,
        "a rate is tiny": lambda links: any(rate < 1e-7 for *_, rate in links),
        "names differ in capitals alone": lambda links: (
            len({here for here, *_ in links}) > len({here.lower() for here, *_ in links})
        ),
        "a name is part of another": lambda links: any(a != b and a in b for a, *_ in links for b, *_ in links),
        "the start is no coin": lambda start: start != "coin",
    },
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
        case(
            _links(
                "dough loaf 1.9, flour dough 1.6, mill flour 0.85, sack mill 2.3, grain flour 0.45, sack grain 0.55, "
                "loaf slice 11, field sack 0.35, flour cake 0.15, sack grain 0.65, slice crumb 30, cake slice 7, "
                "grain husk 0.2, cornflour cake 1.3"
            ),
            "sack",
            "slice",
        ),
        case(_links("coin rice 0.35, rice portion 3.2, coin beans 0.27, beans portion 5.1"), "coin", "portion"),
        case(_links("kg plate 3.4"), "kg", "plate"),
        long_kitchen(_draw),
        odd_kitchen(_draw),
        chain_kitchen(_draw),
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
    bank=BANK,
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

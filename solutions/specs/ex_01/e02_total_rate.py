"""01.2 Parallel paths add."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.spec import Exercise, case, wrong


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
          "Your loop over the links that leave a place. It has to finish before anything is returned.",
          "Only the first path that was found counts.",
          "A return inside the loop ends the search at the first success, and the other paths are never walked."),
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
          "The third entry of each link.",
          "This is the number of paths.",
          "Each path counts with its rate: the product of the numbers on its links."),
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

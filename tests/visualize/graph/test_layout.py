"""The layered layout, for graphs of any origin."""

import itertools
from random import Random

import pytest

from coursepkg.visualize.graph.layout import Box, arrange, assign_columns


def random_graph(seed, count=14):
    random = Random(seed)
    edges = [(random.randrange(target), target) for target in range(2, count) for _ in range(random.randint(1, 2))]
    boxes = [
        Box(random.uniform(10, 60), random.uniform(10, 60), random.uniform(10, 40), random.uniform(10, 40))
        for _ in range(count)
    ]
    return boxes, sorted(set(edges))


@pytest.fixture(params=range(25))
def placed(request):
    boxes, edges = random_graph(request.param)
    return boxes, edges, arrange(boxes, edges, assign_columns(len(boxes), edges))


def test_boxes_keep_their_distance(placed):
    boxes, _, layout = placed
    for column in layout.columns:
        for upper, lower in itertools.pairwise(sorted(column, key=lambda box: layout.y[box])):
            needed = boxes[upper].below + boxes[lower].above
            assert layout.y[lower] - layout.y[upper] >= needed - 1e-6


def test_edges_go_to_later_columns_and_wires_fit_their_text(placed):
    boxes, edges, layout = placed
    for source, target in edges:
        assert layout.end[source] <= layout.right[target] - boxes[target].body
    for number, box in enumerate(boxes):
        assert layout.end[number] - layout.right[number] >= box.tail - 1e-6


def test_everything_lies_on_the_paper(placed):
    boxes, _, layout = placed
    for number, box in enumerate(boxes):
        assert layout.right[number] - box.body >= 0
        assert layout.end[number] <= layout.width
        assert layout.y[number] - box.above >= 0
        assert layout.y[number] + box.below <= layout.height


def test_an_edge_over_several_columns_has_a_place_in_each_between(placed):
    _, edges, layout = placed
    column = {box: number for number, boxes_of in enumerate(layout.columns) for box in boxes_of}
    for number, (source, target) in enumerate(edges):
        assert len(layout.routes[number]) == column[target] - column[source] - 1


def test_edges_arrive_in_the_order_of_where_they_come_from(placed):
    _, edges, layout = placed
    for (first, (a, target)), (second, (b, other)) in itertools.combinations(enumerate(edges), 2):
        if target == other and not layout.routes[first] and not layout.routes[second] and layout.y[a] < layout.y[b]:
            assert layout.arrival[first][1] < layout.arrival[second][1]


def test_sources_stand_next_to_their_first_user():
    assert assign_columns(5, [(0, 1), (1, 2), (2, 4), (3, 4)]) == [0, 1, 2, 2, 3]


def test_crossings_that_can_be_undone_are_undone():
    boxes = [Box(10, 10, 10, 10)] * 6
    straight = arrange(boxes, [(0, 5), (1, 4), (2, 3)], [0, 0, 0, 1, 1, 1])
    assert straight.crossings == 0
    complete = arrange(boxes, [(a, b) for a in range(3) for b in range(3, 6)], [0, 0, 0, 1, 1, 1])
    assert complete.crossings == 9


def test_a_chain_is_straight():
    layout = arrange([Box(10, 10, 10, 10)] * 4, [(0, 1), (1, 2), (2, 3)], [0, 1, 2, 3])
    assert len({round(y, 6) for y in layout.y}) == 1

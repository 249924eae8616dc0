"""The backward pass as questions: what will arrive at the next edge?

The one idea: a number that was predicted first is remembered. Each edge of the backward pass is asked for; a wrong
answer is met with what it looks like (the upstream gradient alone, the local derivative alone, the wrong sign).
"""

from coursepkg.visualize.alive.story import Question, around
from coursepkg.visualize.graph.stepper import Passes
from coursepkg.visualize.paper.text import format_number


def questions(passes: Passes) -> dict[int, Question]:
    """For each step that goes back along one edge, and not through a folded box, what is asked before it is shown."""
    folded = {index for inside in passes.folding.boxes.values() for index in inside}
    numbers = [k for k, step in enumerate(passes.steps) if step.edge is not None and step.edge[0] not in folded]
    return {number: _question(passes, number) for number in numbers}


def _question(passes: Passes, number: int) -> Question:
    step = passes.steps[number]
    assert step.edge is not None
    result, position = step.edge
    node = passes.nodes[result]
    names = [passes.nodes[parent].name for parent in node.parents]
    operand, name = passes.nodes[node.parents[position]], names[position]
    upstream, local = passes.steps[number - 1].grads[result], node.local[position]
    looks_like = {
        f"That is the upstream gradient. Multiply it by the local derivative ∂{node.name}/∂{name}.": upstream,
        f"That is the local derivative. Multiply it by the upstream gradient, {format_number(upstream)}.": local,
        "The size is right; look at the sign.": -upstream * local,
        "You added. Along an edge the chain rule multiplies: upstream × local.": upstream + local,
        f"That is the forward value of {name}. Which number does ∂{node.name}/∂{name} ask for?": operand.data,
        f"That is the sum at {name} so far. This edge is asked for alone.": step.grads[operand.index],
    }
    replies, right = [], upstream * local
    for guess in looks_like.values():
        if not _same(guess, right):
            words = next(words for words, other in looks_like.items() if _same(guess, other))
            replies.append((*around(guess), f"Not yet. {words}"))
    which = f" (operand {position + 1})" if names.count(name) > 1 else ""
    text = f"Which number will {node.name} send back to {name}{which}?"
    hint = f"The upstream gradient is {format_number(upstream)}. How fast does {node.name} change with {name}?"
    return Question(text, around(right), replies, f"Not yet. {hint}")


def _same(answer: float, number: float) -> bool:
    low, high = around(number)
    return low <= answer <= high

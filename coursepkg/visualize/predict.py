"""The backward pass as questions: what will arrive at the next edge?

The one idea: a number that was predicted first is remembered. Each edge of the backward pass is asked for; a wrong
answer is met with what it looks like (the upstream gradient alone, the local derivative alone, the wrong sign).
"""

from typing import Any

from coursepkg.visualize.stepper import Passes, Step
from coursepkg.visualize.text import format_number


class Questions:
    """One question for each edge of the backward pass of a graph.

    Parameters
    ----------
    root : Scalar-like
        The result of a computation. ``.backward()`` need not have run.
    max_nodes : int
        The largest graph that is drawn whole.
    below : float
        See :class:`coursepkg.visualize.stepper.Passes`.
    """

    def __init__(self, root: Any, max_nodes: int = 40, *, below: float = 0.0) -> None:
        self.passes = Passes(root, max_nodes, below=below)
        steps = self.passes.steps
        self.numbers = [
            number for number, step in enumerate(steps) if step.edge is not None and step.edge[0] not in self._folded()
        ]

    def _folded(self) -> set[int]:
        return {index for inside in self.passes.folding.boxes.values() for index in inside}

    def __len__(self) -> int:
        return len(self.numbers)

    def step(self, question: int) -> Step:
        """The step of the backward pass that answers a question."""
        return self.passes.steps[self.numbers[question]]

    def ends(self, question: int) -> tuple[int, int, int]:
        """The edge a question is about: (result, operand position, operand), as places in the list of nodes."""
        edge = self.step(question).edge
        if edge is None:
            raise LookupError(f"step {self.numbers[question]} is about no edge")
        return edge[0], edge[1], self.passes.nodes[edge[0]].parents[edge[1]]

    def text(self, question: int) -> str:
        """The question in words."""
        result, position, operand = self.ends(question)
        names = [self.passes.nodes[parent].name for parent in self.passes.nodes[result].parents]
        which = f" (operand {position + 1})" if names.count(names[position]) > 1 else ""
        return (
            f"Question {question + 1} of {len(self)}. What does {self.passes.nodes[result].name} send back to "
            f"{self.passes.nodes[operand].name}{which}: upstream × local = ?"
        )

    def judge(self, question: int, answer: float) -> tuple[bool, str]:
        """Whether an answer is right (to the digits that are drawn), and a sentence about it."""
        result, position, operand = self.ends(question)
        node = self.passes.nodes[result]
        upstream, local = self.passes.steps[self.numbers[question] - 1].grads[result], node.local[position]
        name = self.passes.nodes[operand].name
        if _same(answer, upstream * local):
            return True, f"Right. {self.step(question).sentence}"
        for sentence, number in self._looks_like(question).items():
            if _same(answer, number):
                return False, f"Not yet. {sentence}"
        hint = f"The upstream gradient is {format_number(upstream)}. How fast does {node.name} change with {name}?"
        return False, f"Not yet. {hint}"

    def guesses(self, question: int) -> list[float]:
        """Wrong answers that say what went wrong, the most telling first; :meth:`judge` knows what to say to each."""
        return list(self._looks_like(question).values())

    def _looks_like(self, question: int) -> dict[str, float]:
        result, position, operand = self.ends(question)
        node = self.passes.nodes[result]
        upstream, local = self.passes.steps[self.numbers[question] - 1].grads[result], node.local[position]
        name = self.passes.nodes[operand].name
        return {
            f"That is the upstream gradient. Multiply it by the local derivative ∂{node.name}/∂{name}.": upstream,
            f"That is the local derivative. Multiply it by the upstream gradient, {format_number(upstream)}.": local,
            "The size is right; look at the sign.": -upstream * local,
            "You added. Along an edge the chain rule multiplies: upstream × local.": upstream + local,
            f"That is the forward value of {name}. Which number does ∂{node.name}/∂{name} ask for?": (
                self.passes.nodes[operand].data
            ),
            f"That is the sum at {name} so far. This edge is asked for alone.": self.step(question).grads[operand],
        }


def _same(answer: float, number: float) -> bool:
    """Equal to about the three digits that are drawn."""
    return abs(answer - number) <= 6e-3 * abs(number) + 1e-9

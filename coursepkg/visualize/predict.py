"""The backward pass as questions: what will arrive at the next edge?

The one idea: a number that was predicted first is remembered. Each edge of the backward pass is asked for; a wrong
answer is met with what it looks like (the upstream gradient alone, the local derivative alone, the wrong sign).
"""

from dataclasses import replace
from html import escape
from typing import Any

from coursepkg.visualize.picture import Picture
from coursepkg.visualize.stepper import Passes, Step
from coursepkg.visualize.style import INK, MUTED, PAPER
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

    def picture(self, question: int) -> Picture:
        """The drawing before the answer, with a question mark where the number will stand."""
        number = self.numbers[question]
        step, before = self.step(question), self.passes.steps[number - 1]
        shown = self.passes.shown(replace(before, phase="backward", node=step.node, edge=step.edge))
        _, _, operand = self.ends(question)
        at = [n for n, edge in enumerate(self.passes.drawing.edges) if step.edge in edge.parts]
        if self.passes.drawing.edges[at[0]].tap is None:
            shown.grads[operand] = "?"
        else:
            shown.branches[at[0]] = "?"
        return Picture(self.passes.drawing.render(shown), self.text(question))

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


def predict_through(root: Any, *, max_nodes: int = 40) -> Any:
    """Ask for each number of the backward pass before it is shown.

    Parameters
    ----------
    root : Scalar-like
        The result of a computation. ``.backward()`` need not have run.
    max_nodes : int
        The largest graph that is drawn whole.

    Returns
    -------
    ipywidgets.VBox

    Raises
    ------
    TypeError
        If `root` holds no number.
    ValueError
        If there is nothing to ask, or an operation has no known local derivative.
    """
    import ipywidgets as widgets

    questions = Questions(root, max_nodes)
    if not len(questions):
        raise ValueError("this graph has no edges, so there is nothing to predict; pass the result of an operation")
    picture, words = widgets.HTML(), widgets.HTML()
    answer = widgets.FloatText(description="Prediction", style={"description_width": "initial"})
    check = widgets.Button(description="Check", tooltip="Compare your prediction with the chain rule", icon="check")
    reveal = widgets.Button(description="Reveal", tooltip="Show the number", icon="eye")
    forward = widgets.Button(description="Next question", tooltip="Go on to the next edge", icon="step-forward")
    state = {"question": 0}

    def ask() -> None:
        picture.value = questions.picture(state["question"]).html()
        words.value = _block(questions.text(state["question"]), "")
        check.disabled = reveal.disabled = False
        forward.disabled = True

    def show(sentence: str) -> None:
        picture.value = questions.passes.picture(questions.numbers[state["question"]]).html()
        words.value = _block(questions.text(state["question"]), sentence)
        check.disabled = reveal.disabled = True
        forward.disabled = state["question"] == len(questions) - 1

    def judge(_: Any) -> None:
        right, sentence = questions.judge(state["question"], answer.value)
        if right:
            show(sentence)
        else:
            words.value = _block(questions.text(state["question"]), sentence)

    def go_on(_: Any) -> None:
        state["question"] += 1
        ask()

    check.on_click(judge)
    reveal.on_click(lambda _: show(questions.step(state["question"]).sentence))
    forward.on_click(go_on)
    ask()
    controls = widgets.HBox([answer, check, reveal, forward], layout={"flex_flow": "row wrap"})
    return widgets.VBox([picture, controls, words])


def _block(question: str, sentence: str) -> str:
    return (
        f'<div role="status" aria-live="polite" style="min-height:4.7em;line-height:1.5;max-width:60em;'
        f'padding:0 14px;background:{PAPER}"><span style="color:{MUTED}">{escape(question)}</span><br>'
        f'<span style="color:{INK}">{escape(sentence)}</span></div>'
    )

"""The three passes of in situ backpropagation, column by column, and the gradient that a camera reads off them.

The one idea: a pass is a list of pictures of the same hardware. Forward light, light from behind, and both launched
together from the left; then the powers seen at each heater are subtracted, and what is left is the gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursepkg.visualize.mesh import draw_mesh
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.stepper import play
from coursepkg.visualize.text import plural

_NAMES = {"forward": "Forward pass", "backward": "Backward pass", "sum": "Third pass"}
_SENT = {
    "forward": "x is sent from the left",
    "backward": "the adjoint field is sent from the right, into the same hardware",
    "sum": "x and, with a factor −i, the conjugate of what came out at the left are sent together",
}
_SEEN = {
    "forward": "The camera writes down the power at every heater: |x|².",
    "backward": "The camera writes down the power at every heater: |a|².",
    "sum": "The camera writes down the power at every heater: the interference of both beams.",
}


@dataclass(frozen=True)
class _Step:
    phase: str
    sentence: str
    part: str
    reached: int | None = None


class LightPasses:
    """The passes as steps that can be drawn.

    Parameters
    ----------
    mesh : coursepkg.photonics.Mesh
        At most 8 waveguides.
    x, adjoint : array, shape (n,)
        Field at the inputs, and the field that is sent back from the outputs.
    gradient : sequence of float, shape (n * n,)
        What the powers give for each heater, computed by the caller.
    """

    def __init__(self, mesh: Any, x: Any, adjoint: Any, gradient: Sequence[float]) -> None:
        self.mesh = mesh
        self.gradient = [float(value) for value in gradient]
        back = mesh.backward_trace(adjoint)
        both = np.asarray(x) - 1j * np.conj(back[0])
        self.light = {"forward": mesh.trace(x), "backward": back, "sum": mesh.trace(both)}
        self.powers = {
            "forward": mesh.forward_taps(x, powers=True)[1],
            "backward": mesh.backward_taps(adjoint, powers=True)[1],
            "sum": mesh.forward_taps(both, powers=True)[1],
        }
        self.steps = [step for part in _NAMES for step in self._pass(part)]
        largest = max(range(len(self.gradient)), key=lambda k: abs(self.gradient[k]))
        sign = "down" if self.gradient[largest] > 0 else "up"
        end = "Half of (sum − forward − backward) at each heater is the gradient of its phase. "
        end += f"The largest is {self.gradient[largest]:.2g}; a step of descent turns that heater {sign}."
        self.steps.append(_Step("end", end, "gradient"))

    def _pass(self, part: str) -> list[_Step]:
        phase, depth = ("forward", "backward")[part == "backward"], self.mesh.depth
        steps = [_Step(phase, f"{_NAMES[part]}: {_SENT[part]}.", part, 0)]
        for c in range(1, depth + 1):
            words = f"{_NAMES[part]}: the light has gone through {plural(c, 'column')} of {depth}."
            steps.append(_Step(phase, words, part, c))
        steps.append(_Step(phase, f"{_NAMES[part]}: done. {_SEEN[part]}", part))
        return steps

    def picture(self, number: int) -> Picture:
        """The drawing after step `number`."""
        step = self.steps[number]
        if step.part == "gradient":
            return draw_mesh(self.mesh, heaters=self.gradient, title="The gradient, read off three powers per heater")
        seen = self.powers[step.part] if step.reached is None else None
        title = f"{_NAMES[step.part]}{': powers at the heaters' if seen is not None else ''}"
        back = step.part == "backward"
        return draw_mesh(
            self.mesh, self.light[step.part], backward=back, reached=step.reached, heaters=seen, title=title
        )


def step_through_light(mesh: Any, x: Any, adjoint: Any, gradient: Sequence[float]) -> Any:
    """Play the forward, the backward and the third pass of light, and the subtraction, column by column.

    Parameters
    ----------
    mesh : coursepkg.photonics.Mesh
        At most 8 waveguides.
    x, adjoint : array, shape (n,)
        Field at the inputs, and the field that is sent back from the outputs.
    gradient : sequence of float, shape (n * n,)
        The measured gradient, in the order of ``mesh.phases``.

    Returns
    -------
    ipywidgets.VBox
    """
    return play(LightPasses(mesh, x, adjoint, gradient))

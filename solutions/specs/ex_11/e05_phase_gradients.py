"""11.5 Every phase at once."""

from __future__ import annotations

import cmath
import math

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import fields, spread_angles, unitary


def phase_gradients(unitaries, phases, x, y_adj):
    met = []
    for U, eta in zip(unitaries, phases, strict=True):
        x = np.exp(1j * eta) * x
        met.append(x)
        x = U @ x
    gradients = np.zeros(np.shape(phases))
    a = y_adj
    for k in reversed(range(len(met))):
        a = unitaries[k].T @ a
        gradients[k] = -(met[k] * a).imag
        a = np.exp(1j * phases[k]) * a
    return gradients


def through(unitaries, phases, x):
    """The whole device."""
    for U, eta in zip(unitaries, phases, strict=True):
        x = U @ (np.exp(1j * eta) * x)
    return x


def phases_by_shift(unitaries, phases, x, y_adj):
    """Parameter shift: two runs of the device for each phase, no step size."""
    found = np.zeros(np.shape(phases))
    for place in np.ndindex(found.shape):
        quarter = np.zeros(found.shape)
        quarter[place] = np.pi / 2
        runs = [through(unitaries, phases + sign * quarter, x) for sign in (1, -1)]
        found[place] = np.real(y_adj @ (runs[0] - runs[1])) / 2
    return found


def phases_forward(unitaries, phases, x, y_adj):
    """Forward mode: one tangent for each phase, carried along to the output."""
    K, n = np.shape(phases)
    tangents = np.zeros((K, n, n), dtype=complex)
    for k in range(K):
        turn = np.exp(1j * np.asarray(phases[k]))
        x, tangents = turn * x, tangents * turn
        tangents[k] += np.diag(1j * x)
        x, tangents = unitaries[k] @ x, np.einsum("ab,kjb->kja", unitaries[k], tangents)
    return np.einsum("a,kja->kj", y_adj, tangents).real


def phases_measured(unitaries, phases, x, y_adj):
    """As the hardware does it: three powers at every heater."""

    def tapped(x):
        powers = []
        for U, eta in zip(unitaries, phases, strict=True):
            powers.append(np.abs(x) ** 2)
            x = U @ (np.exp(1j * eta) * x)
        return np.array(powers)

    a, adjoint = y_adj, []
    for U, eta in zip(unitaries[::-1], phases[::-1], strict=True):
        a = np.exp(1j * eta) * (U.T @ a)
        adjoint.append(np.abs(a) ** 2)
    return (tapped(x - 1j * np.conj(a)) - tapped(x) - np.array(adjoint[::-1])) / 2


def phases_one_matrix(unitaries, phases, x, y_adj):
    """One N by N matrix carried along; its diagonal is read at every heater."""
    back = y_adj
    for U, eta in zip(unitaries[::-1], phases[::-1], strict=True):
        back = np.exp(1j * eta) * (U.T @ back)
    D, found = np.outer(x, back), []
    for U, eta in zip(unitaries, phases, strict=True):
        found.append(-np.diag(D).imag)
        C = U * np.exp(1j * eta)
        D = C @ D @ C.conj().T
    return np.stack(found)


def phases_loops(unitaries, phases, x, y_adj):
    n, before = len(x), [list(x)]
    for U, eta in zip(unitaries, phases, strict=True):
        turned = [cmath.exp(1j * e) * v for e, v in zip(eta, before[-1], strict=True)]
        before.append([sum(U[i][j] * turned[j] for j in range(n)) for i in range(n)])
    a, rows = list(y_adj), []
    for k in range(len(phases) - 1, -1, -1):
        a = [sum(unitaries[k][i][j] * a[i] for i in range(n)) * cmath.exp(1j * phases[k][j]) for j in range(n)]
        rows.insert(0, [-(before[k][j] * a[j]).imag for j in range(n)])
    return rows


def phases_single(unitaries, phases, x, y_adj):
    return phase_gradients(unitaries, phases, x, y_adj).astype(np.float32)


def phases_layered(unitaries, phases, x, y_adj):
    """All adjoint fields first, then forward with the product read on the way."""
    U, turn = np.asarray(unitaries), np.exp(1j * np.asarray(phases))
    behind = [np.asarray(y_adj) @ U[-1]]
    for k in range(len(U) - 2, -1, -1):
        behind.insert(0, (behind[0] * turn[k + 1]) @ U[k])
    found = np.empty(turn.shape)
    for k, a in enumerate(behind):
        x = turn[k] * x
        found[k] = np.real(1j * a * x)
        x = U[k] @ x
    return found


def phases_with(*, read=None, block=np.transpose, start=lambda a: a, before=False, after=False, turn=True):
    """The two sweeps with one thing done differently."""

    def answer(unitaries, phases, x, y_adj):
        met = []
        for U, eta in zip(unitaries, phases, strict=True):
            turned = np.exp(1j * eta) * x
            met.append(x if before else turned)
            x = U @ turned
        rows, a = [], start(y_adj)
        for k in reversed(range(len(met))):
            a = block(unitaries[k]) @ a
            passed = np.exp(1j * phases[k]) * a if turn else a
            here = passed if after else a
            rows.append(read(met[k], here) if read else -(met[k] * here).imag)
            a = passed
        return np.array(rows[::-1])

    return answer


def phases_read_behind_the_block(unitaries, phases, x, y_adj):
    met, rows, a = [], [], y_adj
    for U, eta in zip(unitaries, phases, strict=True):
        met.append(np.exp(1j * eta) * x)
        x = U @ met[-1]
    for k in reversed(range(len(met))):
        rows.append(-(met[k] * a).imag)
        a = np.exp(1j * phases[k]) * (unitaries[k].T @ a)
    return np.array(rows[::-1])


def phases_heaters_behind_the_blocks(unitaries, phases, x, y_adj):
    met, rows, a = [], [], y_adj
    for U, eta in zip(unitaries, phases, strict=True):
        x = np.exp(1j * eta) * (U @ x)
        met.append(x)
    for k in reversed(range(len(met))):
        rows.append(-(met[k] * a).imag)
        a = unitaries[k].T @ (np.exp(1j * phases[k]) * a)
    return np.array(rows[::-1])


def phases_case(rng, K, n, **given):
    unitaries = np.array([unitary(rng, n) for _ in range(K)])
    args = {"phases": spread_angles(rng, K, n), "x": fields(rng, n), "y_adj": fields(rng, n)} | given
    return case(unitaries, args["phases"], args["x"], args["y_adj"])


def phases_cases(rng):
    """One layer, one waveguide, a dark port, no adjoint light, heaters that are off, blocks that mix nothing."""
    dark, unseen = fields(rng, 3), fields(rng, 3)
    dark[rng.integers(3)], unseen[rng.integers(3)] = 0, 0
    return [
        phases_case(rng, 2, 3),
        phases_case(rng, 3, 2),
        phases_case(rng, 4, 3, x=dark),
        phases_case(rng, 1, 3, y_adj=unseen),
        phases_case(rng, 3, 1),
        phases_case(rng, 2, 4, phases=np.zeros((2, 4))),
        phases_case(rng, 2, 2, y_adj=np.zeros(2, dtype=complex)),
        phases_case(rng, 2, 3, x=np.zeros(3, dtype=complex)),
        phases_case(rng, 1, 1),
        case(np.array([np.eye(3, dtype=complex)] * 2), spread_angles(rng, 2, 3), fields(rng, 3), fields(rng, 3)),
    ]


BANK = [
    wrong("real-part", phases_with(read=lambda x, a: (x * a).real),
          "notebook 11, section 6: the derivative of e^{i eta}",
          "You took the real part of the product.",
          "A phase moves a field at a right angle to itself: its derivative carries a factor i."),
    wrong("sign-lost", phases_with(read=lambda x, a: (x * a).imag), "notebook 11, section 6: the formula",
          "All gradients have the wrong sign.",
          "Is there a minus too many or too few: at the imaginary part, at an i, or in the light sent back?"),
    wrong("conjugates-one-field", phases_with(read=lambda x, a: -(np.conj(x) * a).imag),
          "notebook 11, section 6: the formula",
          "One of the two fields was conjugated before they were multiplied.",
          "The conjugate is already in y_adj. What meets at the heater is the plain product."),
    wrong("product-of-amplitudes", phases_with(read=lambda x, a: np.abs(x) * np.abs(a)),
          "notebook 11, section 6: the formula",
          "You multiplied the amplitudes; no gradient is negative.",
          "The sign of a gradient sits in the phase between the two fields."),
    wrong("back-by-the-conjugate-transpose", phases_with(block=lambda U: np.conj(U).T),
          "notebook 11, section 5: light sent back",
          "The adjoint light was sent through the conjugate transpose of each block.",
          "The device is a physical one: from behind it acts by its transpose."),
    wrong("blocks-not-turned-round", phases_with(block=lambda U: U),
          "notebook 11, section 5: light sent back",
          "The adjoint light was sent through each block as if from the left.",
          "Light that comes from behind sees the transpose."),
    wrong("fields-on-two-sides-of-the-heater", phases_with(before=True),
          "notebook 11, section 6: one place, two fields",
          "The forward field was read before the heater, the adjoint field before it has passed it, too.",
          "Both must be read at one place. Coming from two sides, exactly one of them has passed the heater."),
    wrong("heater-counted-twice", phases_with(after=True), "notebook 11, section 6: one place, two fields",
          "Both fields have already passed the heater, so its phase is in the product twice.",
          "Coming from two sides, exactly one of the two fields has passed the heater at any one place."),
    wrong("no-heaters-on-the-way-back", phases_with(turn=False),
          "notebook 11, section 5: light sent back",
          "On the way back the light passed the blocks, but not the heaters.",
          "A heater delays light in both directions."),
    wrong("launches-the-conjugate", phases_with(start=np.conj), "the task: y_adj",
          "The conjugate of y_adj was sent back.",
          "y_adj is already what has to be launched."),
    wrong("rows-in-the-order-of-the-way-back", lambda unitaries, phases, x, y_adj: (
              phase_gradients(unitaries, phases, x, y_adj)[::-1]
          ), "the task: an array (K, n)",
          "The rows are right, but the last layer's row stands first.",
          "The second sweep meets the last layer first. Row k belongs to layer k."),
    wrong("read-on-the-far-side-of-the-block", phases_read_behind_the_block,
          "notebook 11, section 6: one place, two fields",
          "The adjoint field was read before it had passed the block, the forward field at the heater.",
          "Both must be read at one place. Between the end of a layer and its heaters stands the block."),
    wrong("heaters-behind-the-blocks", phases_heaters_behind_the_blocks, "the task: in each layer",
          "The light meets the block first and the heaters after it.",
          "In U D x the factor next to x comes first, and that is the heaters."),
    wrong("blocks-from-the-last", lambda unitaries, phases, x, y_adj: (
              phase_gradients(unitaries[::-1], phases, x, y_adj)
          ), "the task: the product",
          "Forward light was sent through the blocks in the order in which the product is printed.",
          "What stands at the right acts first: light from the left meets block 1 before all others."),
    wrong("half-of-wirtinger", lambda unitaries, phases, x, y_adj: (
              phase_gradients(unitaries, phases, x, y_adj) / 2
          ), "notebook 11, section 6: the formula",
          "Every gradient is half of what it should be.",
          "The half belongs to three powers that are subtracted. Here the fields themselves are at hand."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.5",
    title="Every phase at once",
    function="phase_gradients",
    minutes=20,
    difficulty=3,
    points=4,
    see="notebook 11, section 6",
    reference=phase_gradients,
    domain={
        "unitaries": Array("K n n", zero=False),
        "phases": Array("K n", period=2 * math.pi, all_zero=True),
        "x": Array("n", zero=False),
        "y_adj": Array("n", zero=False),
    },
    meets={
        "a port gets no light": lambda x: (x == 0).any() and x.any(),
        "an output sends nothing back": lambda y_adj: (y_adj == 0).any() and y_adj.any(),
        "there is no adjoint light": lambda y_adj: not y_adj.any(),
        "there is adjoint light alone": lambda x, y_adj: not x.any() and y_adj.any(),
        "there is one heater in all": lambda phases: np.size(phases) == 1,
        "a block mixes nothing": lambda x, unitaries: len(x) > 1 and (unitaries[0] == np.eye(len(x))).all(),
    },
    visible=phases_cases(np.random.default_rng(5)),
    hidden=lambda rng: [
        *phases_cases(rng),
        *(phases_case(rng, *sizes) for sizes in ((24, 2), (2, 2), (3, 3), (5, 5), (3, 9))),
    ],
    accepted=[
        phases_by_shift,
        phases_forward,
        phases_measured,
        phases_one_matrix,
        phases_loops,
        phases_single,
        phases_layered,
    ],
    bank=BANK,
    hints=(
        "Two sweeps. Forward: remember the field after every heater. Backward: bring y_adj to the same places.",
        "Backward through block k by its transpose. Now the light stands behind heater k, where the forward field was "
        "recorded. Read there, then pass the heater.",
        "gradient[k] is minus the imaginary part of (field after heater k) times (adjoint light there); then multiply "
        "the light by e^{i phases[k]}.",
    ),
    equivalent_mutants={"`np.zeros` → `np.ones`": "every entry is overwritten"},
)

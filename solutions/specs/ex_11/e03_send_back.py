"""11.3 Light from the other side."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from coursepkg.grading.specification.domain import Array, Listing
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e01_mzi import mzi_closed
from .shared import fields, numbers


def send_back(mesh, y):
    a = np.array(y, dtype=complex)
    for m, T in reversed(mesh):
        a[m : m + 2] = np.transpose(T) @ a[m : m + 2]
    return a


def mesh_matrix(mesh, n):
    """The whole mesh as one matrix."""
    total = np.eye(n, dtype=complex)
    for m, T in mesh:
        block = np.eye(n, dtype=complex)
        block[m : m + 2, m : m + 2] = T
        total = block @ total
    return total


def send_back_matrix(mesh, y):
    return mesh_matrix(mesh, len(y)).T @ y


def send_back_row(mesh, y):
    return np.asarray(y) @ mesh_matrix(mesh, len(y))


def send_back_loops(mesh, y):
    a = [complex(value) for value in y]
    for m, T in mesh[::-1]:
        a[m], a[m + 1] = T[0][0] * a[m] + T[1][0] * a[m + 1], T[0][1] * a[m] + T[1][1] * a[m + 1]
    return a


def send_back_inverse(mesh, y):
    """Time reversal: conjugate, go back by the inverse, conjugate again."""
    return np.conj(np.linalg.inv(mesh_matrix(mesh, len(y))) @ np.conj(y))


def send_back_ports(mesh, y):
    """Reciprocity itself: what reaches port k backward is what light from port k would bring to y."""
    found = []
    for k in range(len(y)):
        x = np.zeros(len(y), dtype=complex)
        x[k] = 1
        for m, T in mesh:
            x[m : m + 2] = T @ x[m : m + 2]
        found.append((x * y).sum())
    return np.array(found)


def send_back_single(mesh, y):
    return send_back(mesh, y).astype(np.complex64)


def send_back_variant(block=np.transpose, *, turn=reversed, start=lambda y: y, end=lambda a: a, skip=0):
    """The way back with one thing done differently."""

    def answer(mesh, y):
        a = np.array(start(y), dtype=complex)
        for m, T in list(turn(mesh[skip:])):
            a[m : m + 2] = block(T) @ a[m : m + 2]
        return end(a)

    return answer


def send_back_layers(mesh, y):
    """One whole matrix for each interferometer, gathered from the left."""
    a = np.asarray(y, dtype=complex)
    for m, T in reversed(list(mesh)):
        layer = np.eye(len(a), dtype=complex)
        layer[np.ix_([m, m + 1], [m, m + 1])] = T
        a = a @ layer
    return a


def send_back_popped(mesh, y):
    a, left = np.array(y) + 0j, list(mesh)
    while left:
        m, T = left.pop()
        a[[m, m + 1]] = np.einsum("ij,i->j", T, a[[m, m + 1]])
    return list(a)


def send_back_new_top_used(mesh, y):
    a = np.array(y, dtype=complex)
    for m, T in reversed(mesh):
        a[m] = T[0, 0] * a[m] + T[1, 0] * a[m + 1]
        a[m + 1] = T[0, 1] * a[m] + T[1, 1] * a[m + 1]
    return a


def send_back_each_from_y(mesh, y):
    a = np.array(y, dtype=complex)
    for m, T in reversed(mesh):
        a[m : m + 2] = T.T @ y[m : m + 2]
    return a


def send_back_into_the_dark(mesh, y):
    a = np.zeros(len(y), dtype=complex)
    for m, _ in mesh:
        a[m : m + 2] = y[m : m + 2]
    return send_back(mesh, a)


def mesh_case(rng, n, places, y=None):
    mesh = [(m, np.round(mzi_closed(*numbers(rng, 1, 0.5, 2.6), *numbers(rng, 1, -5.8, 5.8)), 9)) for m in places]
    return case(mesh, fields(rng, n) if y is None else y)


def send_back_cases(rng):
    """No interferometer, one, the same place twice, places skipped, dark ports, light that all stays or crosses."""
    dark = fields(rng, 3)
    dark[rng.integers(3)] = 0
    real = np.round(rng.uniform(0.3, 1.2, 4), 3) * [1, -1, 1, 1] + 0j
    all_crosses, all_stays = (np.round(mzi_closed(theta, 0.9), 9) for theta in (0.0, np.pi))
    return [
        mesh_case(rng, 3, (1, 0, 1)),
        mesh_case(rng, 4, (0, 2, 1, 0, 2, 1)),
        mesh_case(rng, 3, (0, 1, 0), dark),
        mesh_case(rng, 5, (3, 1, 1, 3, 2)),
        mesh_case(rng, 4, (2,), real),
        mesh_case(rng, 2, (0,)),
        mesh_case(rng, 5, (1, 0, 1)),
        mesh_case(rng, 4, (2, 0, 1), np.zeros(4, dtype=complex)),
        mesh_case(rng, 3, ()),
        case([(1, all_crosses), (0, all_stays), *mesh_case(rng, 3, (1,)).args[0]], fields(rng, 3)),
    ]


BANK = [
    wrong("time-reversal", send_back_variant(lambda T: np.conj(T).T),
          "notebook 11, section 5: light sent back",
          "The mesh acts by its conjugate transpose: as if the light that came through were run backward.",
          "A delay is a delay in both directions. Light sent from the right is delayed again, not undone."),
    wrong("order-kept", send_back_variant(turn=list), "notebook 11, section 5: the transpose of a product",
          "Each interferometer is turned round, but they are met in the order of the forward pass.",
          "From the right the last one comes first."),
    wrong("not-turned-round", send_back_variant(lambda T: T), "notebook 11, section 5: light sent back",
          "The order is reversed, but each interferometer still acts from left to right.",
          "Its own heater phi stands at the left; coming from the right, light meets it last."),
    wrong("sent-forward", send_back_variant(lambda T: T, turn=list), "the task: from the right",
          "The light was sent from the left, once more.",
          "The forward pass and the backward pass use the same hardware, but not the same side of it."),
    wrong("conjugates-what-is-sent", send_back_variant(start=np.conj), "the task: the field that is sent",
          "The mesh is right, but the conjugate of y was sent.",
          "Which field to send is a question of the loss; here it is given."),
    wrong("conjugates-what-arrives", send_back_variant(end=np.conj), "the task: what is returned",
          "Everything is right but for a conjugate at the end.",
          "Asked for is the field that arrives. A conjugate comes later, when it is launched again."),
    wrong("first-interferometer-forgotten", send_back_variant(skip=1), "the task: through the whole mesh",
          "The light stops before the first interferometer of the list.",
          "A slice or a range that ends one too early."),
    wrong("ports-mirrored", send_back_variant(end=lambda a: a[::-1]), "notebook 11, section 5: the drawing",
          "The right fields, at the ports counted from the bottom.",
          "The direction is reversed from right to left; top stays top."),
    wrong("new-field-used-too-early", send_back_new_top_used, "notebook 11, section 5",
          "In each interferometer the upper port is right; the lower one was made of the upper port's new field.",
          "Both outputs are made of both inputs as they come in. Keep those until both outputs are known."),
    wrong("each-interferometer-gets-the-light-that-was-sent", send_back_each_from_y,
          "the task: through the whole mesh",
          "What one interferometer did is lost at the next: each was given the field that enters at the right.",
          "Light that has passed an interferometer goes on into the next one as it now is."),
    wrong("ports-without-interferometer-go-dark", send_back_into_the_dark, "the task: the field at all ports",
          "Ports that no interferometer touches come out dark.",
          "A waveguide that meets nothing hands its light on."),
    wrong("last-interferometer-forgotten", lambda mesh, y: send_back(mesh[:-1], y), "the task: through the whole mesh",
          "The light enters behind the last interferometer of the list.",
          "A slice or a range that begins one too late."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.3",
    title="Light from the other side",
    function="send_back",
    minutes=10,
    difficulty=1,
    points=2,
    see="notebook 11, section 5",
    reference=send_back,
    domain={"mesh": Listing("interferometers>=0"), "y": Array("n>=2", all_zero=True)},
    meets={
        "the mesh has one interferometer": lambda mesh: len(mesh) == 1,
        "the mesh has one interferometer for all ports": lambda mesh, y: len(mesh) == 1 and len(y) == 2,
        "the last ports have no interferometer": lambda mesh, y: bool(mesh) and max(m for m, _ in mesh) + 2 < len(y),
        "an interferometer sits on the last ports": lambda mesh, y: any(m == len(y) - 2 > 0 for m, _ in mesh),
        "one follows another at the same ports": lambda mesh: any(a[0] == b[0] for a, b in pairwise(mesh)),
        "a port has no interferometer": lambda mesh, y: len({p for m, _ in mesh for p in (m, m + 1)}) < len(y),
        "a port gets no light": lambda y: (y == 0).any() and y.any(),
        "all light crosses": lambda mesh: any(T[0, 0] == 0 for _, T in mesh),
        "all light stays in its waveguide": lambda mesh: any(T[0, 1] == 0 for _, T in mesh),
    },
    visible=send_back_cases(np.random.default_rng(3)),
    hidden=send_back_cases,
    accepted=[
        send_back_matrix,
        send_back_row,
        send_back_loops,
        send_back_inverse,
        send_back_ports,
        send_back_single,
        send_back_layers,
        send_back_popped,
    ],
    bank=BANK,
    hints=(
        "Follow the light from the right: which interferometer does it meet first?",
        "Through one interferometer the light that comes from behind sees the transpose of its matrix.",
        "for m, T in reversed(mesh): replace entries m and m + 1 of the field by T.T @ (those entries).",
    ),
    equivalent_mutants={"squeezes": "a mesh has two ports at least"},
)

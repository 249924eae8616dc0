"""11.3 Light from the other side."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

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


def mesh_case(rng, n, places):
    mesh = [(m, np.round(mzi_closed(*numbers(rng, 1, 0.5, 2.6), *numbers(rng, 1, 0.4, 5.8)), 9)) for m in places]
    return case(mesh, fields(rng, n))


def hidden_send_back(rng):
    return [
        mesh_case(rng, 3, (1, 0, 1)),
        mesh_case(rng, 4, (0, 2, 1, 0, 2, 1)),
        mesh_case(rng, 3, (0, 1, 0)),
        mesh_case(rng, 4, (2, 1, 2, 0, 1, 2)),
    ]


BANK = [
    wrong("time-reversal", send_back_variant(lambda T: np.conj(T).T),
          "notebook 11, section 5: transposed, not conjugated",
          "The mesh acts by its conjugate transpose: as if the light that came through were run backward.",
          "A delay is a delay in both directions. Light sent from the right is delayed again, not undone."),
    wrong("order-kept", send_back_variant(turn=list), "notebook 11, section 5: the transpose of a product",
          "Each interferometer is turned round, but they are met in the order of the forward pass.",
          "From the right the last one comes first."),
    wrong("not-turned-round", send_back_variant(lambda T: T), "notebook 11, section 5: one interferometer from behind",
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
    visible=hidden_send_back(np.random.default_rng(3)),
    hidden=hidden_send_back,
    accepted=[
        send_back_matrix,
        send_back_row,
        send_back_loops,
        send_back_inverse,
        send_back_ports,
        send_back_single,
    ],
    bank=BANK,
    hints=(
        "Follow the light from the right: which interferometer does it meet first?",
        "Through one interferometer the light that comes from behind sees the transpose of its matrix.",
        "for m, T in reversed(mesh): replace entries m and m + 1 of the field by T.T @ (those entries).",
    ),
)

"""Chapter 11, photonic backpropagation: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of real learners and of printed formulas: a coupler without its quarter turn, time reversal
taken for reciprocity, a conjugate in the wrong place, powers added where fields add, loss counted once where light
passes twice, decibels of a field taken for those of a power.
"""

from __future__ import annotations

import cmath
import math

import numpy as np

from coursepkg.grading.spec import Exercise, Misconception, case


def numbers(rng, count, low, high):
    """Numbers with few digits, so that feedback reads well."""
    return [round(float(rng.uniform(low, high)), 2) for _ in range(count)]


def fields(rng, *shape, low=0.4, high=1.3):
    """Complex amplitudes, none near zero, none near an axis of the complex plane."""
    turn = rng.integers(0, 4, shape) * np.pi / 2 + rng.uniform(0.25, 1.3, shape)
    amplitude = rng.uniform(low, high, shape)
    return np.round(amplitude * np.cos(turn), 3) + 1j * np.round(amplitude * np.sin(turn), 3)


def unitary(rng, n):
    """A random unitary matrix."""
    q, r = np.linalg.qr(rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))
    return q * (np.diag(r) / np.abs(np.diag(r)))


# --- 11.1 the interferometer -----------------------------------------------------------------------------------------


def mzi(theta, phi):
    B = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    return B @ np.diag([np.exp(1j * theta), 1]) @ B @ np.diag([np.exp(1j * phi), 1])


def mzi_closed(theta, phi):
    s, c, turn = math.sin(theta / 2), math.cos(theta / 2), cmath.exp(1j * phi)
    return 1j * cmath.exp(0.5j * theta) * np.array([[turn * s, c], [turn * c, -s]])


def mzi_loops(theta, phi):
    rows = [[0j, 0j], [0j, 0j]]
    for port in range(2):
        a, b = (cmath.exp(1j * phi), 0.0) if port == 0 else (0.0, 1.0)
        for turn in (cmath.exp(1j * theta), 1.0):
            a, b = (a + 1j * b) / math.sqrt(2), (1j * a + b) / math.sqrt(2)
            a = a * turn
        rows[0][port], rows[1][port] = a, b
    return rows


def mzi_rotations(theta, phi):
    """The coupler as a quarter of a turn about the x axis of the Bloch sphere."""
    coupler = math.cos(math.pi / 4) * np.eye(2) + 1j * math.sin(math.pi / 4) * np.eye(2)[::-1]
    shifters = [np.array([cmath.exp(1j * angle), 1.0]) for angle in (theta, phi)]
    return (coupler * shifters[0]) @ (coupler * shifters[1])


def mzi_single(theta, phi):
    return mzi(theta, phi).astype(np.complex64)


def mzi_sums(theta, phi):
    """Two paths from each port to each port."""
    t, p = np.exp(1j * theta), np.exp(1j * phi)
    return [[p * (t - 1) / 2, 1j * (t + 1) / 2], [1j * p * (t + 1) / 2, (1 - t) / 2]]


def mzi_variant(*, coupler=((1, 1j), (1j, 1)), half=1.0, shifter=lambda angle: (np.exp(1j * angle), 1), order=1):
    """The interferometer with one thing built differently."""

    def answer(theta, phi):
        B = np.array(coupler) / np.sqrt(2) * half
        first, inner = np.diag(shifter(phi)), np.diag(shifter(theta))
        return B @ inner @ B @ first if order == 1 else first @ B @ inner @ B

    return answer


def hidden_mzi(rng):
    return [case(*numbers(rng, 1, 0.3, 2.9), *numbers(rng, 1, 0.3, 5.9)) for _ in range(5)]


MZI = Exercise(
    id="11.1",
    title="The interferometer",
    function="mzi",
    minutes=10,
    difficulty=1,
    points=2,
    see="notebook 11, section 3",
    reference=mzi,
    visible=[case(1.0, 0.5), case(2.2, 4.0), case(0.4, 2.5), case(2.9, 5.5)],
    hidden=hidden_mzi,
    accepted=[mzi_closed, mzi_loops, mzi_rotations, mzi_single, mzi_sums],
    bank=[
        Misconception(
            id="coupler-without-its-quarter-turn",
            answer=mzi_variant(coupler=((1, 1), (1, -1))),
            looks_like="The splitting is right, but the light that crosses is not delayed by a quarter turn.",
            why="A mirror image of the course's coupler: also loss-free, but another device.",
            look_at="notebook 11, section 2: the matrix of the coupler",
        ),
        Misconception(
            id="first-shifter-at-the-end",
            answer=mzi_variant(order=-1),
            looks_like="The heater phi acts on the outputs, not on the inputs.",
            why="Matrices act from right to left: what light meets first stands last.",
            look_at="notebook 11, section 3: the order of the four factors",
        ),
        Misconception(
            id="splits-the-field-in-half",
            answer=mzi_variant(half=1 / np.sqrt(2)),
            looks_like="Each coupler halves the field, so a quarter of the light is left at the end.",
            why="It is the power that a coupler halves.",
            look_at="notebook 11, section 2: where the root of two comes from",
        ),
        Misconception(
            id="half-the-angle",
            answer=mzi_variant(shifter=lambda angle: (np.exp(0.5j * angle), 1)),
            looks_like="The heaters turn by half of what they are told.",
            why="The half angle appears in the result; it does not go into the heater.",
            look_at="notebook 11, section 3: what a heater does",
        ),
        Misconception(
            id="pushes-one-arm-pulls-the-other",
            answer=mzi_variant(shifter=lambda angle: (np.exp(0.5j * angle), np.exp(-0.5j * angle))),
            looks_like="All powers are right; the phases of both outputs are off together.",
            why="A heater sits on one arm only, so the average phase of the two arms turns as well.",
            look_at="notebook 11, section 3: the factor in front",
        ),
        Misconception(
            id="heaters-on-the-bottom-arm",
            answer=mzi_variant(shifter=lambda angle: (1, np.exp(1j * angle))),
            looks_like="The heaters act on the bottom waveguide.",
            why="In this course both heaters sit on the top arm.",
            look_at="notebook 11, section 3: the drawing",
        ),
        Misconception(
            id="turns-clockwise",
            answer=mzi_variant(shifter=lambda angle: (np.exp(-1j * angle), 1)),
            looks_like="The heaters turn the field the other way round.",
            why="With the course's sign a delay multiplies by a phase with plus in the exponent.",
            look_at="notebook 11, section 1: a delay",
        ),
        Misconception(
            id="factor-with-a-minus",
            answer=lambda theta, phi: mzi_closed(theta, phi) * cmath.exp(-1j * theta),
            looks_like="All powers are right; the common phase turns against theta.",
            why="A sign that is also printed in the literature: the closed form with a minus in its first exponent.",
            look_at="notebook 11, section 3: the factor in front, and its witness",
        ),
        Misconception(
            id="only-one-coupler",
            answer=lambda theta, phi: (
                np.array([[1, 1j], [1j, 1]])
                / np.sqrt(2)
                @ np.diag([np.exp(1j * theta), 1])
                @ np.diag([np.exp(1j * phi), 1])
            ),
            looks_like="Light is split and never brought together again, so no heater changes any power.",
            why="Between the two couplers the arms differ; only the second coupler lets them interfere.",
            look_at="notebook 11, section 3: the drawing",
        ),
    ],
    hints=(
        "Write each of the four parts as a 2 by 2 matrix: two couplers, two heaters.",
        "A heater on the top arm is diag(e^{i angle}, 1). Light meets phi, coupler, theta, coupler.",
        "The product, read from the right: B @ diag(e^{i theta}, 1) @ B @ diag(e^{i phi}, 1), where B is "
        "[[1, i], [i, 1]] over the root of 2.",
    ),
)


# --- 11.2 all light into one port ------------------------------------------------------------------------------------


def darken(x):
    theta = 2 * math.atan2(abs(x[0]), abs(x[1]))
    phi = (cmath.phase(x[1]) - cmath.phase(x[0])) % (2 * math.pi)
    return [theta, phi]


def darken_ratio(x):
    ratio = x[1] / x[0]
    return [2 * np.arctan(1 / np.abs(ratio)), np.mod(np.angle(ratio), 2 * np.pi)]


def darken_powers(x):
    p = np.abs(np.asarray(x)) ** 2
    angle = np.angle(x[1] * np.conj(x[0]))
    return np.array([np.arccos((p[1] - p[0]) / p.sum()), angle + 2 * np.pi * (angle < 0)])


def darken_tuple(x):
    a, b = complex(x[0]), complex(x[1])
    phi = math.atan2(b.imag, b.real) - math.atan2(a.imag, a.real)
    while phi < 0:
        phi += 2 * math.pi
    while phi >= 2 * math.pi:
        phi -= 2 * math.pi
    return 2 * math.asin(abs(a) / math.hypot(abs(a), abs(b))), phi


def darken_measured(x):
    """Six readings of the bottom port: bar and cross for the amplitudes, a wheel of four for the phases."""

    def bottom(theta, phi):
        return abs(mzi_closed(theta, phi)[1] @ np.asarray(x)) ** 2

    wheel = [bottom(math.pi / 2, k * math.pi / 2) for k in range(4)]
    phi = math.atan2(wheel[3] - wheel[1], wheel[2] - wheel[0])
    return [2 * math.atan(math.sqrt(bottom(0.0, 0.0) / bottom(math.pi, 0.0))), phi % (2 * math.pi)]


def darken_single(x):
    return np.float32(darken(x))


def darken_with(change):
    """Angles made from those of the right answer, or from the fields."""

    def answer(x):
        theta, phi = darken(x)
        theta, phi = change(theta, phi, x)
        return [theta, phi % (2 * math.pi)]

    return answer


def hidden_darken(rng):
    return [case(fields(rng, 2)) for _ in range(6)]


DARKEN = Exercise(
    id="11.2",
    title="All light into one port",
    function="darken",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 11, section 3",
    reference=darken,
    visible=[case(item) for item in fields(np.random.default_rng(11), 5, 2)],
    hidden=hidden_darken,
    accepted=[darken_ratio, darken_powers, darken_tuple, darken_measured, darken_single],
    bank=[
        Misconception(
            id="darkens-the-top-port",
            answer=darken_with(lambda theta, phi, x: (math.pi - theta, phi + math.pi)),
            looks_like="The top port is dark and all light leaves at the bottom.",
            why="Each port has its own setting; theta is mirrored and phi is half a turn away.",
            look_at="the task: which port is to be dark",
        ),
        Misconception(
            id="ratio-upside-down",
            answer=darken_with(lambda theta, phi, x: (math.pi - theta, phi)),
            looks_like="phi is right; theta belongs to the ratio of the amplitudes turned upside down.",
            why="Test it on light in the top port alone: theta = pi is the setting that lets it stay there.",
            look_at="notebook 11, section 3: bar and cross",
        ),
        Misconception(
            id="theta-not-doubled",
            answer=darken_with(lambda theta, phi, x: (theta / 2, phi)),
            looks_like="phi is right; theta is half of what it should be.",
            why="The matrix holds the sine and cosine of half of theta.",
            look_at="notebook 11, section 3: the closed form",
        ),
        Misconception(
            id="ratio-of-powers",
            answer=darken_with(lambda theta, phi, x: (2 * math.atan2(abs(x[0]) ** 2, abs(x[1]) ** 2), phi)),
            looks_like="phi is right; theta is made from the ratio of the powers.",
            why="Fields cancel, not powers: what must become equal are two amplitudes.",
            look_at="notebook 11, section 1: fields add",
        ),
        Misconception(
            id="phase-difference-reversed",
            answer=darken_with(lambda theta, phi, x: (theta, -phi)),
            looks_like="theta is right; phi has the wrong sign.",
            why="The heater turns the top field, so it must take up what the top field lacks.",
            look_at="the task: on which arm phi sits",
        ),
        Misconception(
            id="half-a-turn-off",
            answer=darken_with(lambda theta, phi, x: (theta, phi + math.pi)),
            looks_like="theta is right; phi is off by half a turn, so the port is as bright as it can get.",
            why="Two contributions with equal phase add up. Look at the signs in the bottom row of the matrix.",
            look_at="notebook 11, section 3: the closed form",
        ),
        Misconception(
            id="phases-added",
            answer=darken_with(lambda theta, phi, x: (theta, cmath.phase(x[1]) + cmath.phase(x[0]))),
            looks_like="theta is right; phi is the sum of the two phases.",
            why="Only the difference of two phases can be seen in a power.",
            look_at="notebook 11, section 1: the fringe",
        ),
        Misconception(
            id="ignores-the-phases",
            answer=darken_with(lambda theta, phi, x: (theta, 0.0)),
            looks_like="theta is right, and phi is always 0.",
            why="Equal amplitudes are not enough: they must also point in opposite directions.",
            look_at="notebook 11, section 1: the fringe",
        ),
        Misconception(
            id="phi-outside-the-circle",
            answer=lambda x: [darken(x)[0], cmath.phase(x[1]) - cmath.phase(x[0])],
            looks_like="The light goes where it should; phi is a full turn outside the range asked for.",
            why="The difference of two angles can be negative, or more than a full turn.",
            look_at="the task: the range of phi",
        ),
    ],
    hints=(
        "The bottom output is the bottom row of T times x. Set it to zero.",
        "Up to a common factor it is e^{i phi} cos(theta/2) x[0] - sin(theta/2) x[1]. Amplitudes give theta, phases "
        "give phi.",
        "tan(theta/2) = |x[0]| / |x[1]|, and phi is the phase of x[1] minus that of x[0], taken modulo a full turn.",
    ),
    equivalent_mutants={
        "`1` → `-1`": "there are two fields, so the one at index 1 is the last one",
        "`1` → `-1` #2": "there are two fields, so the one at index 1 is the last one",
    },
)


# --- 11.3 light from the other side ----------------------------------------------------------------------------------


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


SEND_BACK = Exercise(
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
    bank=[
        Misconception(
            id="time-reversal",
            answer=send_back_variant(lambda T: np.conj(T).T),
            looks_like="The mesh acts by its conjugate transpose: as if the light that came through were run backward.",
            why="A delay is a delay in both directions. Light sent from the right is delayed again, not undone.",
            look_at="notebook 11, section 5: transposed, not conjugated",
        ),
        Misconception(
            id="order-kept",
            answer=send_back_variant(turn=list),
            looks_like="Each interferometer is turned round, but they are met in the order of the forward pass.",
            why="From the right the last one comes first.",
            look_at="notebook 11, section 5: the transpose of a product",
        ),
        Misconception(
            id="not-turned-round",
            answer=send_back_variant(lambda T: T),
            looks_like="The order is reversed, but each interferometer still acts from left to right.",
            why="Its own heater phi stands at the left; coming from the right, light meets it last.",
            look_at="notebook 11, section 5: one interferometer from behind",
        ),
        Misconception(
            id="sent-forward",
            answer=send_back_variant(lambda T: T, turn=list),
            looks_like="The light was sent from the left, once more.",
            why="The forward pass and the backward pass use the same hardware, but not the same side of it.",
            look_at="the task: from the right",
        ),
        Misconception(
            id="conjugates-what-is-sent",
            answer=send_back_variant(start=np.conj),
            looks_like="The mesh is right, but the conjugate of y was sent.",
            why="Which field to send is a question of the loss; here it is given.",
            look_at="the task: the field that is sent",
        ),
        Misconception(
            id="conjugates-what-arrives",
            answer=send_back_variant(end=np.conj),
            looks_like="Everything is right but for a conjugate at the end.",
            why="Asked for is the field that arrives. A conjugate comes later, when it is launched again.",
            look_at="the task: what is returned",
        ),
        Misconception(
            id="first-interferometer-forgotten",
            answer=send_back_variant(skip=1),
            looks_like="The light stops before the first interferometer of the list.",
            why="A slice or a range that ends one too early.",
            look_at="the task: through the whole mesh",
        ),
        Misconception(
            id="ports-mirrored",
            answer=send_back_variant(end=lambda a: a[::-1]),
            looks_like="The right fields, at the ports counted from the bottom.",
            why="The direction is reversed from right to left; top stays top.",
            look_at="notebook 11, section 5: the drawing",
        ),
    ],
    hints=(
        "Follow the light from the right: which interferometer does it meet first?",
        "Through one interferometer the light that comes from behind sees the transpose of its matrix.",
        "for m, T in reversed(mesh): replace entries m and m + 1 of the field by T.T @ (those entries).",
    ),
)


# --- 11.4 a gradient from three powers -------------------------------------------------------------------------------


def three_passes(theta, phi, x, y_adj):
    B = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    first = B @ np.diag([np.exp(1j * phi), 1])
    T = B @ np.diag([np.exp(1j * theta), 1]) @ first
    x_adj = T.T @ y_adj
    forward = abs((first @ x)[0]) ** 2
    adjoint = abs((B @ y_adj)[0]) ** 2
    both = abs((first @ (x - 1j * np.conj(x_adj)))[0]) ** 2
    return {"forward": forward, "adjoint": adjoint, "sum": both, "gradient": (both - forward - adjoint) / 2}


def three_closed(theta, phi, x, y_adj):
    """The gradient by calculus, the third power by adding up."""
    u = (np.exp(1j * phi) * x[0] + 1j * x[1]) / np.sqrt(2)
    a = (y_adj[0] + 1j * y_adj[1]) / np.sqrt(2)
    gradient = -(u * np.exp(1j * theta) * a).imag
    powers = abs(u) ** 2, abs(a) ** 2
    return {"forward": powers[0], "adjoint": powers[1], "sum": sum(powers) + 2 * gradient, "gradient": gradient}


def three_derivative(theta, phi, x, y_adj):
    """dL = Re(y_adj · dy), with dy from the closed form of the matrix."""
    found = three_closed(theta, phi, x, y_adj)
    s, c, p = np.sin(theta / 2), np.cos(theta / 2), np.exp(1j * phi)
    T = np.array([[p * s, c], [p * c, -s]])
    slope = np.array([[p * c, -s], [-p * s, -c]]) / 2
    dT = 1j * np.exp(0.5j * theta) * (0.5j * T + slope)
    return found | {"gradient": np.real(np.dot(y_adj, dT @ x))}


def three_loops(theta, phi, x, y_adj):
    def coupler(a, b):
        return (a + 1j * b) / math.sqrt(2), (1j * a + b) / math.sqrt(2)

    def power_at_the_tap(top, bottom):
        return abs(coupler(top * cmath.exp(1j * phi), bottom)[0]) ** 2

    top, bottom = coupler(y_adj[0], y_adj[1])
    adjoint = abs(top) ** 2
    top, bottom = coupler(top * cmath.exp(1j * theta), bottom)
    top = top * cmath.exp(1j * phi)
    forward = power_at_the_tap(x[0], x[1])
    both = power_at_the_tap(x[0] - 1j * top.conjugate(), x[1] - 1j * bottom.conjugate())
    return {"forward": forward, "adjoint": adjoint, "sum": both, "gradient": 0.5 * (both - forward - adjoint)}


def three_single(theta, phi, x, y_adj):
    return {name: np.float32(value) for name, value in three_passes(theta, phi, x, y_adj).items()}


def three_after_the_heater(theta, phi, x, y_adj):
    """The tap on the other side of the heater: no power notices."""
    B = np.sqrt(0.5) * np.array([[1, 1j], [1j, 1]])
    to_tap = np.diag([np.exp(1j * theta), 1]) @ B @ np.diag([np.exp(1j * phi), 1])
    from_right = np.diag([np.exp(1j * theta), 1]) @ B.T @ y_adj
    x_adj = np.diag([np.exp(1j * phi), 1]) @ B @ from_right
    p = [np.abs(f[0]) ** 2 for f in (to_tap @ x, from_right, to_tap @ (x - 1j * x_adj.conj()))]
    return {"forward": p[0], "adjoint": p[1], "sum": p[2], "gradient": p[2] / 2 - p[0] / 2 - p[1] / 2}


def three_with(launch=None, *, back=np.transpose, read=None, combine=None, tap=0):
    """The protocol with one thing done differently."""

    def answer(theta, phi, x, y_adj):
        B = np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
        first = B @ np.diag([np.exp(1j * phi), 1])
        T = B @ np.diag([np.exp(1j * theta), 1]) @ first
        x_adj = back(T) @ y_adj
        sent = launch(x, x_adj) if launch else x - 1j * np.conj(x_adj)
        u, a = (first @ x)[tap], (B @ y_adj)[tap]
        forward, adjoint = abs(u) ** 2, abs(a) ** 2
        both = read(u, a, theta) if read else abs((first @ sent)[tap]) ** 2
        gradient = combine(both, forward, adjoint) if combine else (both - forward - adjoint) / 2
        return {"forward": forward, "adjoint": adjoint, "sum": both, "gradient": gradient}

    return answer


def three_case(rng):
    return case(*numbers(rng, 1, 0.4, 2.7), *numbers(rng, 1, 0.3, 5.9), fields(rng, 2), fields(rng, 2))


def hidden_three(rng):
    return [three_case(rng) for _ in range(4)]


THREE = Exercise(
    id="11.4",
    title="A gradient from three powers",
    function="three_passes",
    minutes=20,
    difficulty=2,
    points=4,
    see="notebook 11, section 6",
    reference=three_passes,
    visible=[
        case(math.pi / 2, 0.0, np.array([1.0, 0.0]), 2 * np.conj(mzi_closed(math.pi / 2, 0.0)[:, 0]) * [1, 0]),
        *hidden_three(np.random.default_rng(4)),
    ],
    hidden=hidden_three,
    accepted=[three_closed, three_derivative, three_loops, three_single, three_after_the_heater],
    bank=[
        Misconception(
            id="back-by-time-reversal",
            answer=three_with(back=lambda T: np.conj(T).T),
            looks_like="Forward and adjoint powers are right; the sum was launched from a wrong field x_adj.",
            why="Light from the right sees the transpose of the matrix, not its conjugate transpose.",
            look_at="notebook 11, section 5: transposed, not conjugated",
        ),
        Misconception(
            id="plus-i",
            answer=three_with(lambda x, x_adj: x + 1j * np.conj(x_adj)),
            looks_like="The sum was launched with plus i, so the interference has the other sign.",
            why="That is the second half of the toggle. Here it turns the gradient round.",
            look_at="notebook 11, section 6: the third pass",
        ),
        Misconception(
            id="no-i",
            answer=three_with(lambda x, x_adj: x + np.conj(x_adj)),
            looks_like="The sum shows the real part of the product of the two fields, not the imaginary part.",
            why="A phase changes a field at a right angle to it. The factor i turns the adjoint light into that place.",
            look_at="notebook 11, section 6: the third pass",
        ),
        Misconception(
            id="launched-without-conjugate",
            answer=three_with(lambda x, x_adj: x - 1j * x_adj),
            looks_like="The field x_adj was launched as it arrived.",
            why="Sent forward again, it would be delayed a second time. Its conjugate runs the same way in reverse.",
            look_at="notebook 11, section 6: the third pass",
        ),
        Misconception(
            id="half-forgotten",
            answer=three_with(combine=lambda both, forward, adjoint: both - forward - adjoint),
            looks_like="All three powers are right, and the gradient is twice what it should be.",
            why="|u + v|² holds the product twice.",
            look_at="notebook 11, section 6: the square of a sum",
        ),
        Misconception(
            id="background-not-subtracted",
            answer=three_with(combine=lambda both, forward, adjoint: both / 2),
            looks_like="All three powers are right; the gradient still holds the powers of the two beams themselves.",
            why="Only the interference term knows the product. The rest is background.",
            look_at="notebook 11, section 6: the square of a sum",
        ),
        Misconception(
            id="one-background-subtracted",
            answer=three_with(combine=lambda both, forward, adjoint: (both - forward) / 2),
            looks_like="All three powers are right; the adjoint power is still in the gradient.",
            why="Each of the two beams brings a background of its own.",
            look_at="notebook 11, section 6: the square of a sum",
        ),
        Misconception(
            id="powers-add",
            answer=three_with(read=lambda u, a, theta: abs(u) ** 2 + abs(a) ** 2),
            looks_like="The power of the sum is the sum of the powers, so the gradient is always 0.",
            why="Fields add. The power of their sum is where the interference sits.",
            look_at="notebook 11, section 1: fields add",
        ),
        Misconception(
            id="beams-meet-at-the-tap",
            answer=three_with(read=lambda u, a, theta: abs(u + a) ** 2),
            looks_like="The sum adds the forward field and the field that comes from behind.",
            why="Two beams in opposite directions make a standing wave. The third pass sends both from the left.",
            look_at="notebook 11, section 6: the third pass",
        ),
        Misconception(
            id="tap-on-the-bottom-arm",
            answer=three_with(tap=1),
            looks_like="The powers are those of the bottom arm.",
            why="The heater theta sits on the top arm, and the fields must be read where the phase acts.",
            look_at="notebook 11, section 3: the drawing",
        ),
    ],
    hints=(
        "Follow each beam to the heater theta: from the left through phi and a coupler, from the right through one "
        "coupler.",
        "The third beam is launched at the left: x - i conj(x_adj), where x_adj = T.T @ y_adj is what came out there.",
        "forward = |(B diag(e^{i phi}, 1) x)[0]|², adjoint = |(B y_adj)[0]|², sum like forward with the third beam, "
        "gradient = (sum - forward - adjoint) / 2.",
    ),
    equivalent_mutants={
        "`1` → `-1` #4": "what the bottom arm sent back returns to the bottom arm, where no tap looks",
        "`1` → `2` #4": "what the bottom arm sent back returns to the bottom arm, where no tap looks",
        "`B @ y_adj` → `y_adj @ B`": "the coupler is symmetric",
        "`x - 1j * np.conj(x_adj)` → `1j * np.conj(x_adj) - x`": "a power does not see the sign of a field",
    },
)


# --- 11.5 every phase at once ----------------------------------------------------------------------------------------


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


def phases_case(rng, K, n):
    unitaries = np.array([unitary(rng, n) for _ in range(K)])
    phases = np.round(rng.uniform(0.3, 6.0, (K, n)), 2)
    return case(unitaries, phases, fields(rng, n), fields(rng, n))


def hidden_phases(rng):
    return [phases_case(rng, 2, 3), phases_case(rng, 3, 2), phases_case(rng, 4, 3)]


PHASES = Exercise(
    id="11.5",
    title="Every phase at once",
    function="phase_gradients",
    minutes=20,
    difficulty=3,
    points=4,
    see="notebook 11, section 6",
    reference=phase_gradients,
    visible=hidden_phases(np.random.default_rng(5)),
    hidden=hidden_phases,
    accepted=[
        phases_by_shift,
        phases_forward,
        phases_measured,
        phases_one_matrix,
        phases_loops,
        phases_single,
    ],
    bank=[
        Misconception(
            id="real-part",
            answer=phases_with(read=lambda x, a: (x * a).real),
            looks_like="You took the real part of the product.",
            why="A phase moves a field at a right angle to itself: its derivative carries a factor i.",
            look_at="notebook 11, section 6: the derivative of e^{i eta}",
        ),
        Misconception(
            id="sign-lost",
            answer=phases_with(read=lambda x, a: (x * a).imag),
            looks_like="All gradients have the wrong sign.",
            why="The real part of i z is minus the imaginary part of z.",
            look_at="notebook 11, section 6: the formula",
        ),
        Misconception(
            id="conjugates-one-field",
            answer=phases_with(read=lambda x, a: -(np.conj(x) * a).imag),
            looks_like="One of the two fields was conjugated before they were multiplied.",
            why="The conjugate is already in y_adj. What meets at the heater is the plain product.",
            look_at="notebook 11, section 6: the formula",
        ),
        Misconception(
            id="product-of-amplitudes",
            answer=phases_with(read=lambda x, a: np.abs(x) * np.abs(a)),
            looks_like="You multiplied the amplitudes; no gradient is negative.",
            why="The sign of a gradient sits in the phase between the two fields.",
            look_at="notebook 11, section 6: the formula",
        ),
        Misconception(
            id="back-by-the-conjugate-transpose",
            answer=phases_with(block=lambda U: np.conj(U).T),
            looks_like="The adjoint light was sent through the conjugate transpose of each block.",
            why="The device is a physical one: from behind it acts by its transpose.",
            look_at="notebook 11, section 5: transposed, not conjugated",
        ),
        Misconception(
            id="blocks-not-turned-round",
            answer=phases_with(block=lambda U: U),
            looks_like="The adjoint light was sent through each block as if from the left.",
            why="Light that comes from behind sees the transpose.",
            look_at="notebook 11, section 5: transposed, not conjugated",
        ),
        Misconception(
            id="fields-on-two-sides-of-the-heater",
            answer=phases_with(before=True),
            looks_like="The forward field was read before the heater, the adjoint field before it has passed it, too.",
            why="Both must be read at one place. Coming from two sides, exactly one of them has passed the heater.",
            look_at="notebook 11, section 6: one place, two fields",
        ),
        Misconception(
            id="heater-counted-twice",
            answer=phases_with(after=True),
            looks_like="Both fields have already passed the heater, so its phase is in the product twice.",
            why="Coming from two sides, exactly one of the two fields has passed the heater at any one place.",
            look_at="notebook 11, section 6: one place, two fields",
        ),
        Misconception(
            id="no-heaters-on-the-way-back",
            answer=phases_with(turn=False),
            looks_like="On the way back the light passed the blocks, but not the heaters.",
            why="A heater delays light in both directions.",
            look_at="notebook 11, section 5: one interferometer from behind",
        ),
        Misconception(
            id="launches-the-conjugate",
            answer=phases_with(start=np.conj),
            looks_like="The conjugate of y_adj was sent back.",
            why="y_adj is already what has to be launched.",
            look_at="the task: y_adj",
        ),
    ],
    hints=(
        "Two sweeps. Forward: remember the field after every heater. Backward: bring y_adj to the same places.",
        "Backward through block k by its transpose. Now the light stands behind heater k, where the forward field was "
        "recorded. Read there, then pass the heater.",
        "gradient[k] is minus the imaginary part of (field after heater k) times (adjoint light there); then multiply "
        "the light by e^{i phases[k]}.",
    ),
    equivalent_mutants={"`np.zeros` → `np.ones`": "every entry is overwritten"},
)


# --- 11.6 from layer to layer ----------------------------------------------------------------------------------------


def launch_field(y, x_adj):
    return np.real(x_adj) * np.conj(y) / np.abs(y)


def launch_phase(y, x_adj):
    return np.asarray(x_adj).real * np.exp(-1j * np.angle(y))


def launch_loops(y, x_adj):
    found = []
    for value, arrives in zip(y, x_adj, strict=True):
        size = math.hypot(value.real, value.imag)
        found.append(complex(arrives.real * value.real / size, -arrives.real * value.imag / size))
    return found


def launch_real_and_imaginary(y, x_adj):
    """The gradients by the real and the imaginary part of y, put together and conjugated."""
    a, b, r = np.real(y), np.imag(y), np.real(x_adj)
    h = np.sqrt(a**2 + b**2)
    return r * a / h - 1j * (r * b / h)


def launch_root(y, x_adj):
    return (x_adj + np.conj(x_adj)) / 2 * np.abs(y) / y


def launch_differences(y, x_adj):
    """A derivative of |y| along each axis of the complex plane, by a complex step in real arithmetic."""
    step = 1e-30
    along_real = np.imag(np.sqrt((y.real + 1j * step) ** 2 + y.imag**2)) / step
    along_imaginary = np.imag(np.sqrt(y.real**2 + (y.imag + 1j * step) ** 2)) / step
    return x_adj.real * (along_real - 1j * along_imaginary)


def launch_single(y, x_adj):
    return launch_field(y, x_adj).astype(np.complex64)


def hidden_launch(rng):
    return [case(fields(rng, n), fields(rng, n)) for n in (3, 4, 2, 4)]


LAUNCH = Exercise(
    id="11.6",
    title="From layer to layer",
    function="launch_field",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 11, section 7",
    reference=launch_field,
    visible=hidden_launch(np.random.default_rng(6)),
    hidden=hidden_launch,
    accepted=[
        launch_phase,
        launch_loops,
        launch_real_and_imaginary,
        launch_root,
        launch_differences,
        launch_single,
    ],
    bank=[
        Misconception(
            id="conjugate-forgotten",
            answer=lambda y, x_adj: np.real(x_adj) * y / np.abs(y),
            looks_like="You launch the gradient itself; its conjugate is what the mesh has to be sent.",
            why="The product of two fields at a heater is a plain product, so one of them must carry the conjugate.",
            look_at="notebook 11, section 7: why the conjugate",
        ),
        Misconception(
            id="real-part-forgotten",
            answer=lambda y, x_adj: x_adj * np.conj(y) / np.abs(y),
            looks_like="The imaginary part of what arrived was sent on.",
            why="|y| is a real number. It can only be nudged along the real axis.",
            look_at="notebook 11, section 7: a real number between two layers",
        ),
        Misconception(
            id="magnitude-of-what-arrived",
            answer=lambda y, x_adj: np.abs(x_adj) * np.conj(y) / np.abs(y),
            looks_like="You sent the magnitude of what arrived, so signs are lost.",
            why="A detector sees magnitudes; the gradient is the real part, which can be negative.",
            look_at="notebook 11, section 7: a real number between two layers",
        ),
        Misconception(
            id="imaginary-part",
            answer=lambda y, x_adj: np.imag(x_adj) * np.conj(y) / np.abs(y),
            looks_like="You took the imaginary part of what arrived.",
            why="The imaginary part belongs to phases. Here an amplitude is nudged.",
            look_at="notebook 11, section 7: a real number between two layers",
        ),
        Misconception(
            id="not-divided-by-the-magnitude",
            answer=lambda y, x_adj: np.real(x_adj) * np.conj(y),
            looks_like="The factor is conj(y): its length is |y|, and it should be 1.",
            why="|y| grows one for one along y, however long y is.",
            look_at="notebook 11, section 7: the derivative of a magnitude",
        ),
        Misconception(
            id="derivative-of-the-power",
            answer=lambda y, x_adj: 2 * np.real(x_adj) * np.conj(y),
            looks_like="That is the derivative of the power |y|².",
            why="Between layers the square root of the measured power is handed on.",
            look_at="the task: what the next layer gets",
        ),
        Misconception(
            id="divided-by-the-power",
            answer=lambda y, x_adj: np.real(x_adj) * np.conj(y) / np.abs(y) ** 2,
            looks_like="You divided by |y|², so weak ports get a strong gradient.",
            why="1/y is conj(y)/|y|². The factor here has length 1.",
            look_at="notebook 11, section 7: the derivative of a magnitude",
        ),
        Misconception(
            id="half-of-wirtinger",
            answer=lambda y, x_adj: np.real(x_adj) * np.conj(y) / np.abs(y) / 2,
            looks_like="Everything is half of what it should be.",
            why="Wirtinger's derivative by y has a factor one half. The direction of ascent is twice that.",
            look_at="notebook 11, section 7: why the conjugate",
        ),
        Misconception(
            id="sign-of-the-real-part-only",
            answer=lambda y, x_adj: np.real(x_adj) * np.sign(np.real(y)),
            looks_like="You treated y as if it were real: its sign is its real part's, and its phase is lost.",
            why="y has any phase. Its magnitude grows along that phase.",
            look_at="notebook 11, section 7: the derivative of a magnitude",
        ),
    ],
    hints=(
        "First the real question: by how much does |y| grow for a nudge of y along the real axis, and along the "
        "imaginary axis?",
        "The gradient at the magnitude is the real part of x_adj. The direction in which |y| grows fastest is y/|y|.",
        "Ascent direction: g = Re(x_adj) y/|y|. What is launched is its conjugate.",
    ),
)


# --- 11.7 a heater that cannot learn ---------------------------------------------------------------------------------


def output_heaters(y, w, t):
    return {"powers": np.zeros(len(y)), "fields": (y * np.conj(t)).imag}


def output_by_formula(y, w, t):
    """-Im(x a), with the adjoint field of each loss."""
    adjoint = {"powers": 2 * w * np.conj(y), "fields": np.conj(y - t)}
    return {name: -np.imag(y * a) for name, a in adjoint.items()}


def output_polar(y, w, t):
    angle = np.angle(y) - np.angle(t)
    return {"powers": [0.0] * len(y), "fields": np.abs(y) * np.abs(t) * np.sin(angle)}


def output_loops(y, w, t):
    fields = [b.imag * a.real - b.real * a.imag for a, b in zip(t, y, strict=True)]
    return {"powers": [0 for _ in fields], "fields": fields}


def output_derivative(y, w, t):
    """d e^{i gamma} y = i y d gamma, in both losses."""
    dy = 1j * np.asarray(y)
    return {"powers": 2 * w * np.real(np.conj(y) * dy), "fields": np.real(np.conj(y - t) * dy)}


def output_shift(y, w, t):
    def field_loss(angle):
        return np.abs(np.exp(1j * angle) * y - t) ** 2 / 2

    def power_loss(angle):
        return w * np.abs(np.exp(1j * angle) * y) ** 2

    quarter = np.pi / 2
    return {
        "powers": (power_loss(quarter) - power_loss(-quarter)) / 2,
        "fields": (field_loss(quarter) - field_loss(-quarter)) / 2,
    }


def output_single(y, w, t):
    return {name: np.float32(value) for name, value in output_heaters(y, w, t).items()}


def output_with(**changes):
    def answer(y, w, t):
        return output_heaters(y, w, t) | {name: change(y, w, t) for name, change in changes.items()}

    return answer


def hidden_output(rng):
    return [case(fields(rng, n), np.round(rng.uniform(0.3, 1.5, n), 2), fields(rng, n)) for n in (3, 2, 4)]


OUTPUT = Exercise(
    id="11.7",
    title="A heater that cannot learn",
    function="output_heaters",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 11, section 7",
    reference=output_heaters,
    visible=hidden_output(np.random.default_rng(7)),
    hidden=hidden_output,
    accepted=[output_by_formula, output_polar, output_loops, output_derivative, output_shift, output_single],
    bank=[
        Misconception(
            id="powers-pull-at-the-phase",
            answer=output_with(powers=lambda y, w, t: 2 * w * np.abs(y) ** 2),
            looks_like="You gave the loss of the powers a gradient by phases that it does not depend on.",
            why="Turn a field: its length stays. Whatever is made of lengths does not notice.",
            look_at="notebook 11, section 7: the last heaters",
        ),
        Misconception(
            id="weights-taken-for-gradients",
            answer=output_with(powers=lambda y, w, t: w),
            looks_like="For the powers you returned the weights.",
            why="Those are the derivatives by the powers. The heater does not change a power.",
            look_at="notebook 11, section 7: the last heaters",
        ),
        Misconception(
            id="no-output-phase-ever-matters",
            answer=output_with(fields=lambda y, w, t: np.zeros(len(y))),
            looks_like="You returned zeros for both losses.",
            why="A loss that compares fields sees phases: t has one.",
            look_at="notebook 11, section 7: the last heaters",
        ),
        Misconception(
            id="real-part-of-the-overlap",
            answer=output_with(fields=lambda y, w, t: (y * np.conj(t)).real),
            looks_like="For the fields you took the real part where the imaginary part belongs.",
            why="Turning y moves it at a right angle. If y and t are in phase, the loss is flat.",
            look_at="notebook 11, section 6: the derivative of e^{i eta}",
        ),
        Misconception(
            id="conjugate-forgotten",
            answer=output_with(fields=lambda y, w, t: (y * t).imag),
            looks_like="For the fields you multiplied y by t, without a conjugate.",
            why="What counts is the angle between y and t: a difference of phases, not their sum.",
            look_at="notebook 11, section 7: why the conjugate",
        ),
        Misconception(
            id="target-turned-instead",
            answer=output_with(fields=lambda y, w, t: (t * np.conj(y)).imag),
            looks_like="For the fields the sign is the other one: as if the target were turned.",
            why="The heater turns y.",
            look_at="the task: e^{i gamma} y",
        ),
        Misconception(
            id="error-not-conjugated",
            answer=output_with(fields=lambda y, w, t: -(y * (y - t)).imag),
            looks_like="For the fields you launched the error y - t itself.",
            why="What is launched is the conjugate of the direction of ascent.",
            look_at="notebook 11, section 7: why the conjugate",
        ),
        Misconception(
            id="half-in-the-loss-forgotten",
            answer=output_with(fields=lambda y, w, t: 2 * (y * np.conj(t)).imag),
            looks_like="For the fields everything is twice what it should be.",
            why="The loss has a factor one half in front.",
            look_at="the task: the second loss",
        ),
    ],
    hints=(
        "Put e^{i gamma} y into both losses. In which of the two does gamma remain?",
        "In |e^{i gamma} y - t|² it stays in the mixed term, -2 Re(e^{i gamma} y conj(t)).",
        "Powers: all zeros. Fields: the derivative of -Re(e^{i gamma} y conj(t)) at gamma = 0.",
    ),
)


# --- 11.8 reading a toggled tap --------------------------------------------------------------------------------------


def read_tap(trace, samples, forward, adjoint):
    levels = np.asarray(trace).reshape(-1, 2, samples).mean(axis=(0, 2))
    return {"toggle": (levels[0] - levels[1]) / 4, "digital": (levels[0] - forward - adjoint) / 2}


def tap_loops(trace, samples, forward, adjoint):
    plus, minus = [], []
    for number, value in enumerate(trace):
        (minus if (number // samples) % 2 else plus).append(value)
    high, low = sum(plus) / len(plus), sum(minus) / len(minus)
    return {"toggle": 0.25 * (high - low), "digital": 0.5 * (high - forward - adjoint)}


def tap_lock_in(trace, samples, forward, adjoint):
    """Multiply by the square wave and average, as a lock-in amplifier does."""
    trace = np.asarray(trace)
    wave = np.where(np.arange(len(trace)) // samples % 2 == 0, 1.0, -1.0)
    amplitude = np.mean(trace * wave)
    return {"toggle": amplitude / 2, "digital": (trace.mean() + amplitude - forward - adjoint) / 2}


def tap_fit(trace, samples, forward, adjoint):
    wave = 1.0 - 2.0 * ((np.arange(len(trace)) // samples) % 2)
    design = np.stack([np.ones(len(trace)), wave], axis=1)
    base, swing = np.linalg.lstsq(design, np.asarray(trace), rcond=None)[0]
    return {"toggle": swing / 2, "digital": (base + swing - (forward + adjoint)) / 2}


def tap_slices(trace, samples, forward, adjoint):
    trace, period = list(trace), 2 * samples
    starts = range(0, len(trace), period)
    high = np.mean([np.mean(trace[s : s + samples]) for s in starts])
    low = np.mean([np.mean(trace[s + samples : s + period]) for s in starts])
    return {"toggle": float(high - low) / 4, "digital": float(high - forward - adjoint) / 2}


def tap_single(trace, samples, forward, adjoint):
    return {name: np.float32(v) for name, v in read_tap(trace, samples, forward, adjoint).items()}


def tap_with(toggle=None, digital=None):
    """Readings made from the two sets of samples, with one thing done differently."""

    def answer(trace, samples, forward, adjoint):
        halves = np.asarray(trace).reshape(-1, 2, samples)
        found = read_tap(trace, samples, forward, adjoint)
        if toggle:
            found["toggle"] = toggle(halves[:, 0], halves[:, 1])
        if digital:
            found["digital"] = digital(halves, forward, adjoint)
        return found

    return answer


def tap_case(rng, periods, samples):
    forward, adjoint = numbers(rng, 2, 0.3, 1.2)
    gradient = float(rng.choice([-1, 1]) * rng.uniform(0.25, 0.6)) * math.sqrt(forward * adjoint)
    extra = float(rng.uniform(0.1, 0.3))  # what loss adds to both halves
    levels = [forward + adjoint + extra + sign * 2 * gradient for sign in (1, -1)]
    trace = np.repeat(np.tile(levels, periods), samples)
    trace = np.round(trace + 0.05 * rng.normal(size=len(trace)), 3)
    return case(trace, samples, forward, adjoint)


def hidden_tap(rng):
    return [tap_case(rng, periods, samples) for periods, samples in ((3, 4), (2, 5), (4, 2), (2, 3))]


TAP = Exercise(
    id="11.8",
    title="Reading a toggled tap",
    function="read_tap",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 11, section 6",
    reference=read_tap,
    visible=hidden_tap(np.random.default_rng(8)),
    hidden=hidden_tap,
    accepted=[tap_loops, tap_lock_in, tap_fit, tap_slices, tap_single],
    bank=[
        Misconception(
            id="half-the-swing",
            answer=tap_with(toggle=lambda plus, minus: (plus.mean() - minus.mean()) / 2),
            looks_like="The toggled reading is twice what it should be.",
            why="The product stands twice in each square, with opposite signs: the swing holds it four times.",
            look_at="notebook 11, section 6: the toggle",
        ),
        Misconception(
            id="minus-before-plus",
            answer=tap_with(toggle=lambda plus, minus: (minus.mean() - plus.mean()) / 4),
            looks_like="The toggled reading has the wrong sign.",
            why="The trace begins with the beam x - i conj(x_adj), the one of the third pass.",
            look_at="the task: how the trace begins",
        ),
        Misconception(
            id="only-the-first-period",
            answer=tap_with(toggle=lambda plus, minus: (plus[0].mean() - minus[0].mean()) / 4),
            looks_like="The toggled reading uses the first period alone.",
            why="Every period measures the same thing again. Averaging them is why one toggles more than once.",
            look_at="notebook 11, section 6: the toggle",
        ),
        Misconception(
            id="one-sample-of-each-half",
            answer=tap_with(toggle=lambda plus, minus: (plus[:, 0].mean() - minus[:, 0].mean()) / 4),
            looks_like="The toggled reading uses one sample of each half period.",
            why="The current stands still for the whole half period; all its samples carry the signal.",
            look_at="the task: samples of a half period",
        ),
        Misconception(
            id="peak-to-peak",
            answer=tap_with(
                toggle=lambda plus, minus: (max(plus.max(), minus.max()) - min(plus.min(), minus.min())) / 4
            ),
            looks_like="You measured from the highest sample to the lowest: too large, and never negative.",
            why="Extremes collect the noise, and a height has no sign.",
            look_at="notebook 11, section 6: the toggle",
        ),
        Misconception(
            id="mean-of-both-halves",
            answer=tap_with(toggle=lambda plus, minus: (plus.mean() + minus.mean()) / 4),
            looks_like="You averaged the two halves, which is exactly what the toggle is meant to remove.",
            why="The background is in both halves alike; the gradient is in their difference.",
            look_at="notebook 11, section 6: the toggle",
        ),
        Misconception(
            id="digital-from-the-whole-trace",
            answer=tap_with(digital=lambda halves, forward, adjoint: (halves.mean() - forward - adjoint) / 2),
            looks_like="The digital reading was taken from the whole trace, where the interference averages out.",
            why="The third pass is one beam only: the first half of each period.",
            look_at="notebook 11, section 6: the third pass",
        ),
        Misconception(
            id="digital-without-half",
            answer=tap_with(digital=lambda halves, forward, adjoint: halves[:, 0].mean() - forward - adjoint),
            looks_like="The digital reading is twice what it should be.",
            why="|u + v|² holds the product twice.",
            look_at="notebook 11, section 6: the square of a sum",
        ),
        Misconception(
            id="digital-keeps-one-background",
            answer=tap_with(digital=lambda halves, forward, adjoint: (halves[:, 0].mean() - forward) / 2),
            looks_like="In the digital reading the power of the adjoint light is still there.",
            why="Each of the two beams brings a background of its own.",
            look_at="notebook 11, section 6: the square of a sum",
        ),
    ],
    hints=(
        "Sort the samples into two heaps: those of the first half of each period, and those of the second.",
        "Call the two means plus and minus. The toggled reading needs nothing else; the digital one needs plus and the "
        "two powers that were recorded before.",
        "toggle = (plus - minus) / 4, digital = (plus - forward - adjoint) / 2. np.reshape(trace, (-1, 2, samples)) "
        "sorts in one go.",
    ),
    equivalent_mutants={
        "`1` → `2`": "NumPy takes any negative length for the one that it has to find out",
        "`1` → `-1` #2": "there are two levels, so the one at index 1 is the last one",
    },
)


# --- 11.9 repairing what loss did ------------------------------------------------------------------------------------


def undo_loss(toggled, loss_db):
    entries = np.arange(len(toggled)) + 1
    return toggled * 10 ** (loss_db * entries / 10)[:, None]


def undo_loops(toggled, loss_db):
    rows = []
    for c, row in enumerate(toggled, start=1):
        power = 10 ** (-loss_db * c / 10)
        rows.append([value / power for value in row])
    return rows


def undo_rho(toggled, loss_db):
    rho = 10 ** (-loss_db / 20)
    return np.stack([row / rho ** (2 * c) for c, row in enumerate(toggled, 1)])


def undo_exp(toggled, loss_db):
    return np.exp(math.log(10) / 10 * loss_db * np.arange(1, len(toggled) + 1))[:, np.newaxis] * toggled


def undo_running(toggled, loss_db):
    gain = np.cumprod(np.full(len(toggled), 10 ** (loss_db / 10)))
    return np.einsum("c,cm->cm", gain, toggled)


def undo_matrix(toggled, loss_db):
    return np.diag([10 ** (0.1 * loss_db * c) for c in range(1, len(toggled) + 1)]) @ toggled


def undo_single(toggled, loss_db):
    return undo_loss(toggled, loss_db).astype(np.float32)


def undo_with(exponent):
    """A gain of 10 to the power of ``exponent(loss_db, entries, number of columns)``."""

    def answer(toggled, loss_db):
        gain = 10.0 ** exponent(loss_db, np.arange(len(toggled)) + 1, len(toggled))
        return toggled * np.broadcast_to(gain, len(toggled))[:, None]

    return answer


def undo_case(rng, columns, heaters):
    sizes = rng.choice([-1.0, 1.0], (columns, heaters)) * rng.uniform(0.2, 1.1, (columns, heaters))
    return case(np.round(sizes, 3), round(float(rng.uniform(0.2, 1.5)), 2))


def hidden_undo(rng):
    return [undo_case(rng, *shape) for shape in ((4, 2), (3, 4), (5, 3), (6, 2))]


UNDO = Exercise(
    id="11.9",
    title="Repairing what loss did",
    function="undo_loss",
    minutes=15,
    difficulty=2,
    points=3,
    see="notebook 11, section 9",
    reference=undo_loss,
    visible=hidden_undo(np.random.default_rng(9)),
    hidden=hidden_undo,
    accepted=[undo_loops, undo_rho, undo_exp, undo_running, undo_matrix, undo_single],
    bank=[
        Misconception(
            id="decibels-of-a-field",
            answer=undo_with(lambda db, c, C: db * c / 20),
            looks_like="The gain is the square root of what is needed.",
            why="dB / 20 gives the factor of a field. Two fields are damped too much, so the factor counts twice.",
            look_at="notebook 11, section 9: rho to the power of 2c",
        ),
        Misconception(
            id="decibels-counted-twice",
            answer=undo_with(lambda db, c, C: db * c / 5),
            looks_like="The gain is the square of what is needed.",
            why="dB / 10 is already the factor of a power, which is rho squared.",
            look_at="notebook 11, section 9: rho to the power of 2c",
        ),
        Misconception(
            id="loss-applied-again",
            answer=undo_with(lambda db, c, C: -db * c / 10),
            looks_like="You damped once more what loss had already damped.",
            why="To undo a factor, divide by it.",
            look_at="the task: what the device would measure without the fault of the read-out",
        ),
        Misconception(
            id="own-column-forgotten",
            answer=undo_with(lambda db, c, C: db * (c - 1) / 10),
            looks_like="Every row is too small by the same factor: the loss of one column.",
            why="Light loses at the entry of a column, so even the first taps have one loss before them.",
            look_at="the task: where a column loses",
        ),
        Misconception(
            id="counted-from-the-end",
            answer=undo_with(lambda db, c, C: db * (C + 1 - c) / 10),
            looks_like="The columns are counted from the right.",
            why="Backward light loses on the columns behind the tap, and so does the true gradient: that cancels.",
            look_at="notebook 11, section 9: rho to the power of 2c",
        ),
        Misconception(
            id="one-gain-for-all",
            answer=undo_with(lambda db, c, C: db * C / 10),
            looks_like="All rows got the same gain.",
            why="A common factor would only change the learning rate. The fault grows from column to column.",
            look_at="notebook 11, section 9: rho to the power of 2c",
        ),
        Misconception(
            id="percent-for-decibels",
            answer=lambda toggled, loss_db: toggled / (1 - loss_db / 10) ** np.arange(1, len(toggled) + 1)[:, None],
            looks_like="You took a decibel for ten per cent of the power.",
            why="A decibel is a tenth of a power of ten: 10^(-0.1), which is 0.794.",
            look_at="the task: what a decibel is",
        ),
        Misconception(
            id="natural-exponential",
            answer=lambda toggled, loss_db: toggled * np.exp(loss_db / 10 * np.arange(1, len(toggled) + 1))[:, None],
            looks_like="The base of your gain is e, not 10.",
            why="Decibels count powers of ten.",
            look_at="the task: what a decibel is",
        ),
    ],
    hints=(
        "By which factor does the gain grow from row to row? And how large is that of row 0?",
        "A column lets the share rho² = 10^(-loss_db / 10) of the power through; c lossy entries need 1 / rho^{2c}.",
        "Multiply row 0 by 10 ** (loss_db / 10), row 1 by the square of that, row 2 by its cube.",
    ),
)


# --- 11.10 bits for a heater -----------------------------------------------------------------------------------------


def heater_bits(n, bits, limit):
    error = 2 * math.pi / 2**bits * math.sqrt(n / 12)
    enough = math.ceil(math.log2(2 * math.pi * math.sqrt(n / 12) / limit))
    return {"error": error, "bits": enough}


def bits_loop(n, bits, limit):
    def error(b):
        step = 2 * np.pi / 2**b
        return np.sqrt(n**2 * step**2 / 12) / np.sqrt(n)

    enough = 1
    while error(enough) > limit:
        enough += 1
    return {"error": error(bits), "bits": enough}


def bits_scaled(n, bits, limit):
    """Each bit halves the error."""
    error = math.pi * math.sqrt(n / 3) * 0.5**bits
    return {"error": error, "bits": bits + math.ceil(math.log2(error / limit))}


def bits_table(n, bits, limit):
    errors = 2 * np.pi * 0.5 ** np.arange(60) * np.sqrt(n / 12)
    return {"error": errors[bits], "bits": np.argmax(errors < limit)}


def bits_variance(n, bits, limit):
    variance = sum((2 * math.pi / 2**bits) ** 2 / 12 for _ in range(n * n))
    smallest = next(b for b in range(99) if n * (2 * math.pi / 2**b) ** 2 / 12 <= limit**2)
    return {"error": (variance / n) ** 0.5, "bits": smallest}


def bits_single(n, bits, limit):
    found = heater_bits(n, bits, limit)
    return {"error": np.float32(found["error"]), "bits": float(found["bits"])}


def bits_with(factor, round_to=math.ceil, half=2.0):
    """The error as ``2 pi / half**bits`` times a factor made from n."""

    def answer(n, bits, limit):
        whole = 2 * math.pi * factor(n)
        enough = round_to(math.log(whole / limit) / math.log(half))
        return {"error": whole / half**bits, "bits": enough}

    return answer


def bits_one_level_less(n, bits, limit):
    whole = 2 * math.pi * math.sqrt(n / 12)
    return {"error": whole / (2**bits - 1), "bits": math.ceil(math.log2(whole / limit + 1))}


def hidden_bits(rng):
    sizes = [int(n) for n in rng.choice([5, 6, 10, 20, 30, 50, 96, 100, 130], 5, replace=False)]
    limits = rng.uniform(0.003, 0.08, 5)
    for place, side in ((0, 0.985), (1, 1.015)):  # just missed by one number of bits, and just kept
        limits[place] = side * 2 * math.pi * math.sqrt(sizes[place] / 12) / 2 ** int(rng.integers(7, 11))
    return [case(n, int(rng.integers(4, 11)), float(f"{x:.4g}")) for n, x in zip(sizes, limits, strict=True)]


BITS = Exercise(
    id="11.10",
    title="Bits for a heater",
    function="heater_bits",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 11, section 9",
    reference=heater_bits,
    visible=[case(64, 8, 0.01), case(64, 6, 0.014), case(100, 10, 0.004), case(7, 5, 0.05)],
    hidden=hidden_bits,
    accepted=[bits_loop, bits_scaled, bits_table, bits_variance, bits_single],
    bank=[
        Misconception(
            id="errors-add-in-line",
            answer=bits_with(lambda n: n**2 / math.sqrt(12 * n)),
            looks_like="The errors of all heaters add up at full size, as if all went the same way.",
            why="Independent errors add as squares.",
            look_at="notebook 11, section 9: a law of noise",
        ),
        Misconception(
            id="step-taken-for-its-scatter",
            answer=bits_with(lambda n: math.sqrt(n)),
            looks_like="The whole step was taken for the typical error.",
            why="Rounding is off by anything from minus half a step to plus half a step, evenly.",
            look_at="notebook 11, section 9: a law of noise",
        ),
        Misconception(
            id="half-a-step-each-time",
            answer=bits_with(lambda n: math.sqrt(n) / 2),
            looks_like="Every heater is taken to be off by half a step, the worst it can be.",
            why="The typical error is smaller than the largest one.",
            look_at="notebook 11, section 9: a law of noise",
        ),
        Misconception(
            id="range-is-half-a-turn",
            answer=bits_with(lambda n: math.sqrt(n / 12) / 2),
            looks_like="The levels share half a turn; they should share a whole one.",
            why="phi needs the full circle.",
            look_at="the task: what the levels cover",
        ),
        Misconception(
            id="not-divided-by-the-root-of-n",
            answer=bits_with(lambda n: n / math.sqrt(12)),
            looks_like="That is the distance of the matrices before it is divided by the root of n.",
            why="E is measured per column: a unitary matrix itself has length root of n.",
            look_at="the task: E",
        ),
        Misconception(
            id="one-heater-per-interferometer",
            answer=bits_with(lambda n: math.sqrt((n - 1) / 24)),
            looks_like="You counted n(n - 1)/2 heaters: one for each interferometer.",
            why="Each interferometer has two, and there are n more at the outputs.",
            look_at="notebook 11, section 4: counting",
        ),
        Misconception(
            id="output-heaters-forgotten",
            answer=bits_with(lambda n: math.sqrt((n - 1) / 12)),
            looks_like="You counted n(n - 1) heaters; those at the outputs are missing.",
            why="n output phases complete the mesh: n² in all, as many as a unitary matrix has.",
            look_at="notebook 11, section 4: counting",
        ),
        Misconception(
            id="bits-rounded-down",
            answer=bits_with(lambda n: math.sqrt(n / 12), math.floor),
            looks_like="The error is right; the number of bits is one too small, and the limit is not kept.",
            why="Half a bit cannot be bought: round up.",
            look_at="the task: the smallest number that keeps the limit",
        ),
        Misconception(
            id="levels-minus-one",
            answer=bits_one_level_less,
            looks_like="You divided the circle by one level less than there are.",
            why="On a circle the last level is followed by the first: b bits give 2^b steps.",
            look_at="the task: what the levels cover",
        ),
    ],
    hints=(
        "First the error of one heater: even between minus and plus half a step. What is its standard deviation?",
        "step / sqrt(12), with step = 2 pi / 2^bits. Each heater moves the matrix by a length of 1 per radian, and "
        "there are n² of them: squares add.",
        "E = (2 pi / 2^b) sqrt(n / 12). Every further bit halves it; solve for b and round up.",
    ),
)


# --- 11.11 where light pays ------------------------------------------------------------------------------------------


def break_even(batch, factor, energy):
    per_field = 36 * energy["op"] + 6 * energy["mod"] + 6 * energy["dac"] + 8 * energy["adc"]
    per_field = per_field + 8 * energy["tia"] + 6 * energy["light"]
    per_heater = 4 * energy["tia"] + 20 * energy["switch"]
    n = math.ceil(factor * batch * per_field / (12 * batch * energy["op"] - factor * per_heater))
    return [n, 12 * batch * n * energy["op"] / (batch * per_field + n * per_heater)]


def even_loop(batch, factor, energy):
    n = 0
    advantage = 0.0
    while advantage < factor:
        n += 1
        field = sum(
            count * energy[name]
            for name, count in {"op": 36, "mod": 6, "dac": 6, "adc": 8, "tia": 8, "light": 6}.items()
        )
        optical = batch * n * field + n**2 * (4 * energy["tia"] + 20 * energy["switch"])
        advantage = 12 * batch * n**2 * energy["op"] / optical
    return [n, advantage]


def even_table(batch, factor, energy):
    n = np.arange(1, 20000)
    e = energy
    optical = batch * n * (36 * e["op"] + 6 * (e["mod"] + e["dac"] + e["light"]) + 8 * (e["adc"] + e["tia"]))
    optical = optical + n.astype(float) ** 2 * (4 * e["tia"] + 20 * e["switch"])
    advantage = 12.0 * batch * n**2 * e["op"] / optical
    first = int(np.argmax(advantage >= factor))
    return np.array([n[first], advantage[first]])


def even_bisection(batch, factor, energy):
    def advantage(n):
        field = np.dot([36, 6, 6, 8, 8, 6], [energy[k] for k in ("op", "mod", "dac", "adc", "tia", "light")])
        heater = np.dot([4, 20], [energy["tia"], energy["switch"]])
        return 12 * batch * n * energy["op"] / (batch * field + n * heater)

    low, high = 0, 1 << 20
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if advantage(middle) >= factor else (middle, high)
    return high, advantage(high)


def even_joule(batch, factor, energy):
    """In joules, one sample at a time."""
    e = {name: value * 1e-15 for name, value in energy.items()}
    field = 36 * e["op"] + 6 * e["mod"] + 6 * e["dac"] + 8 * e["adc"] + 8 * e["tia"] + 6 * e["light"]
    for n in range(1, 20000):
        per_sample = n * field + n * n * (4 * e["tia"] + 20 * e["switch"]) / batch
        if 12 * n * n * e["op"] >= factor * per_sample:
            return [float(n), 12 * n * n * e["op"] / per_sample]
    return None


def even_single(batch, factor, energy):
    return np.float32(break_even(batch, factor, energy))


def even_with(digital=12, fields=(36, 6, 6, 8, 8, 6), heater=(4, 20), *, spread=True, round_to=math.ceil):
    """The energy balance with other counts."""

    def answer(batch, factor, energy):
        names = ("op", "mod", "dac", "adc", "tia", "light")
        field = sum(count * energy[name] for count, name in zip(fields, names, strict=True))
        per_heater = heater[0] * energy["tia"] + heater[1] * energy["switch"]
        if not spread:
            per_heater *= batch
        n = round_to(factor * batch * field / (digital * batch * energy["op"] - factor * per_heater))
        return [n, digital * batch * n * energy["op"] / (batch * field + n * per_heater)]

    return answer


PUBLISHED = {"op": 100.0, "mod": 1.0, "dac": 5000.0, "adc": 1380.0, "tia": 700.0, "light": 1000.0, "switch": 1.0}
SEGMENTED = PUBLISHED | {"mod": 16.0, "dac": 0.0}


def hidden_even(rng):
    found = []
    for base in (PUBLISHED, SEGMENTED, PUBLISHED, SEGMENTED):
        changed = {name: round(float(value * rng.uniform(0.8, 1.25)), 1) for name, value in base.items()}
        found.append(case(int(rng.integers(12, 200)), round(float(rng.uniform(1.0, 2.2)), 2), changed))
    return found


EVEN = Exercise(
    id="11.11",
    title="Where light pays",
    function="break_even",
    minutes=15,
    difficulty=2,
    points=3,
    see="notebook 11, section 11",
    reference=break_even,
    visible=[
        case(16, 2.0, PUBLISHED),
        case(16, 2.0, SEGMENTED),
        case(64, 1.0, PUBLISHED | {"switch": 3.0}),
        case(100, 2.5, SEGMENTED | {"switch": 20.0}),
    ],
    hidden=hidden_even,
    accepted=[even_loop, even_table, even_bisection, even_joule, even_single],
    bank=[
        Misconception(
            id="heaters-forgotten",
            answer=even_with(heater=(0, 0)),
            looks_like="The part that goes with the number of heaters is missing.",
            why="Every heater has a tap, and each tap is read once per batch, whatever the batch.",
            look_at="the task: the second term of the optical side",
        ),
        Misconception(
            id="heaters-paid-for-every-sample",
            answer=even_with(heater=(0.4, 2), spread=False),
            looks_like="The heaters are paid for with every sample.",
            why="In the analog scheme the taps add up the batch by themselves: one reading per batch.",
            look_at="notebook 11, section 11: what is shared by a batch",
        ),
        Misconception(
            id="digital-inference-only",
            answer=even_with(digital=6),
            looks_like="The digital side was paid for the forward pass alone.",
            why="A gradient costs two more products of the same size; the table counts 12 operations, not 6.",
            look_at="the task: the digital side",
        ),
        Misconception(
            id="optical-inference-only",
            answer=even_with(fields=(12, 2, 2, 4, 4, 2), heater=(0, 0)),
            looks_like="The optical side was paid for the forward pass alone.",
            why="A gradient takes three passes of light.",
            look_at="notebook 11, section 11: the table",
        ),
        Misconception(
            id="converters-in-forgotten",
            answer=even_with(fields=(36, 6, 0, 8, 8, 6)),
            looks_like="The converters at the input are missing.",
            why="They are the largest term unless the shifters are segmented.",
            look_at="the task: the optical side",
        ),
        Misconception(
            id="digital-work-forgotten",
            answer=even_with(fields=(0, 6, 6, 8, 8, 6)),
            looks_like="The digital operations of the optical side are missing.",
            why="Nonlinearities and conversions are still computed by electronics.",
            look_at="the task: the optical side",
        ),
        Misconception(
            id="light-is-free",
            answer=even_with(fields=(36, 6, 6, 8, 8, 0)),
            looks_like="The light itself was not paid for.",
            why="The laser has to be bright enough for the detectors.",
            look_at="the task: the optical side",
        ),
        Misconception(
            id="rounded-down",
            answer=even_with(round_to=math.floor),
            looks_like="The mesh is one port too small, so the advantage just misses the factor.",
            why="Asked for is the smallest size that reaches it.",
            look_at="the task: at least",
        ),
    ],
    hints=(
        "Both sides have a common factor n. Divide by it, and look at how the advantage grows with n.",
        "advantage(n) = 12 M n op / (M per_field + n per_heater). Try sizes one after the other, or solve for n.",
        "per_field = 36 op + 6 mod + 6 dac + 8 adc + 8 tia + 6 light, per_heater = 4 tia + 20 switch; the first n with "
        "advantage(n) >= factor.",
    ),
)


# --- 11.12 a matrix taken apart --------------------------------------------------------------------------------------


def triangle(U):
    V, n = np.array(U, dtype=complex), len(U)
    theta, phi = [], []
    for r in range(n - 1, 0, -1):
        for m in range(r):
            theta.append(2 * np.arctan2(abs(V[r, m + 1]), abs(V[r, m])))
            phi.append((np.angle(V[r, m]) - np.angle(V[r, m + 1]) + np.pi) % (2 * np.pi))
            V[:, m : m + 2] = V[:, m : m + 2] @ mzi_closed(theta[-1], phi[-1]).conj().T
    return {"theta": np.array(theta), "phi": np.array(phi), "gamma": np.angle(np.diag(V)) % (2 * np.pi)}


def triangle_whole(U):
    """Each step as a product of whole matrices."""
    V, found = np.array(U, dtype=complex), {"theta": [], "phi": []}
    n = len(V)
    for r in reversed(range(1, n)):
        for m in range(r):
            ratio = -V[r, m] / V[r, m + 1]
            theta, phi = 2 * np.arctan(1 / abs(ratio)), np.mod(np.angle(ratio), 2 * np.pi)
            step = np.eye(n, dtype=complex)
            step[m : m + 2, m : m + 2] = mzi(theta, phi)
            V = V @ np.conj(step.T)
            found["theta"].append(theta)
            found["phi"].append(phi)
    return found | {"gamma": np.mod(np.angle(V.diagonal()), 2 * np.pi)}


def triangle_scalars(U):
    V = [[complex(value) for value in row] for row in U]
    n, theta, phi = len(V), [], []
    for r in range(n - 1, 0, -1):
        for m in range(r):
            a, b = V[r][m], V[r][m + 1]
            theta.append(2 * math.atan2(abs(b), abs(a)))
            phi.append((cmath.phase(-a / b)) % (2 * math.pi))
            front = -1j * cmath.exp(-0.5j * theta[-1])
            s, c, back = math.sin(theta[-1] / 2), math.cos(theta[-1] / 2), cmath.exp(-1j * phi[-1])
            for row in V:
                u, v = row[m], row[m + 1]
                row[m], row[m + 1] = front * (back * s * u + c * v), front * (back * c * u - s * v)
    return {"theta": theta, "phi": phi, "gamma": [cmath.phase(V[k][k]) % (2 * math.pi) for k in range(n)]}


def triangle_recursive(U):
    """Clear the last row, then take apart what is left."""
    V = np.array(U, dtype=complex)
    r = len(V) - 1
    if r == 0:
        return {"theta": np.zeros(0), "phi": np.zeros(0), "gamma": np.angle(V[0]) % (2 * np.pi)}
    theta, phi = np.zeros(r), np.zeros(r)
    for m in range(r):
        a, b = V[r, m], V[r, m + 1]
        theta[m] = 2 * np.arccos(min(1.0, abs(a) / np.hypot(abs(a), abs(b))))
        phi[m] = np.angle(a * np.conj(b) * np.exp(1j * np.pi)) % (2 * np.pi)
        V[:, m : m + 2] = V[:, m : m + 2] @ np.linalg.inv(mzi(theta[m], phi[m]))
    rest = triangle_recursive(V[:r, :r])
    return {
        "theta": np.r_[theta, rest["theta"]],
        "phi": np.r_[phi, rest["phi"]],
        "gamma": np.r_[rest["gamma"], np.angle(V[r, r]) % (2 * np.pi)],
    }


def triangle_rows(U):
    """The same on the conjugate transpose, whose rows are mixed."""
    W, n = np.conj(U).T.copy(), len(U)
    settings = []
    for r in range(n - 1, 0, -1):
        for m in range(r):
            theta = 2 * np.arctan2(abs(W[m + 1, r]), abs(W[m, r]))
            phi = np.mod(np.angle(W[m + 1, r]) - np.angle(W[m, r]) + np.pi, 2 * np.pi)
            W[m : m + 2] = mzi(theta, phi) @ W[m : m + 2]
            settings.append((theta, phi))
    theta, phi = np.transpose(settings)
    return {"theta": theta, "phi": phi, "gamma": -np.angle(np.diag(W)) % (2 * np.pi)}


def triangle_single(U):
    return {name: np.float32(value) for name, value in triangle(U).items()}


def triangle_with(*, rule=None, undo=lambda T: T.conj().T, rows=None, gamma=None, update=True):
    """The elimination with one thing done differently."""

    def answer(U):
        V, n = np.array(U, dtype=complex), len(U)
        theta, phi = [], []
        order = rows(n) if rows else [(r, m) for r in range(n - 1, 0, -1) for m in range(r)]
        for r, m in order:
            a, b = V[r, m], V[r, m + 1]
            t, p = 2 * np.arctan2(abs(b), abs(a)), np.angle(a) - np.angle(b) + np.pi
            t, p = rule(t, p) if rule else (t, p)
            theta.append(t)
            phi.append(p % (2 * np.pi))
            if update:
                V[:, m : m + 2] = V[:, m : m + 2] @ undo(mzi_closed(t, p))
        left = gamma(U, V) if gamma else np.angle(np.diag(V)) % (2 * np.pi)
        return {"theta": np.array(theta), "phi": np.array(phi), "gamma": left}

    return answer


def hidden_triangle(rng):
    return [case(unitary(rng, n)) for n in (3, 4, 2, 3)]


TRIANGLE = Exercise(
    id="11.12",
    title="A matrix taken apart",
    function="triangle",
    minutes=25,
    difficulty=3,
    points=4,
    see="notebook 11, section 4",
    reference=triangle,
    visible=hidden_triangle(np.random.default_rng(12)),
    hidden=hidden_triangle,
    accepted=[
        triangle_whole,
        triangle_scalars,
        triangle_recursive,
        triangle_rows,
        triangle_single,
    ],
    bank=[
        Misconception(
            id="not-taken-out",
            answer=triangle_with(update=False),
            looks_like="Every setting is made from the matrix as it was given.",
            why="After an interferometer is found it has to be taken out; only then are the next entries known.",
            look_at="notebook 11, section 4: from a matrix to its settings",
        ),
        Misconception(
            id="put-in-instead-of-out",
            answer=triangle_with(undo=lambda T: T),
            looks_like="The first setting is right; then the matrix was multiplied by T, not by its inverse.",
            why="To take a factor T out at the right, multiply by its inverse, which is the conjugate transpose.",
            look_at="notebook 11, section 4: from a matrix to its settings",
        ),
        Misconception(
            id="transposed-instead-of-inverted",
            answer=triangle_with(undo=lambda T: T.T),
            looks_like="The first setting is right; then the matrix was multiplied by the plain transpose of T.",
            why="The transpose is light from behind. What undoes an interferometer also has the conjugate.",
            look_at="notebook 11, section 5: transposed, not conjugated",
        ),
        Misconception(
            id="half-a-turn-missing",
            answer=triangle_with(rule=lambda t, p: (t, p - np.pi)),
            looks_like="In phi half a turn is missing, so contributions add where they should cancel.",
            why="An entry becomes zero if two equal contributions point in opposite directions.",
            look_at="notebook 11, section 4: from a matrix to its settings",
        ),
        Misconception(
            id="ratio-upside-down",
            answer=triangle_with(rule=lambda t, p: (np.pi - t, p)),
            looks_like="theta belongs to the ratio of the two sizes turned upside down.",
            why="If the entry is zero already, light has to stay where it is: theta must be pi.",
            look_at="notebook 11, section 3: bar and cross",
        ),
        Misconception(
            id="phase-difference-reversed",
            answer=triangle_with(rule=lambda t, p: (t, -p)),
            looks_like="phi has the wrong sign.",
            why="The inverse of T holds the conjugate of e^{i phi}, so phi takes the phase of the left entry as it is.",
            look_at="notebook 11, section 4: from a matrix to its settings",
        ),
        Misconception(
            id="first-rows-first",
            answer=triangle_with(rows=lambda n: [(r, m) for r in range(1, n) for m in range(r)]),
            looks_like="The rows were cleared from the top, so later steps fill again what earlier ones had cleared.",
            why="Begin where most has to go: once the last row is clear, the steps above it no longer touch it.",
            look_at="the task: in which order",
        ),
        Misconception(
            id="from-right-to-left",
            answer=triangle_with(rows=lambda n: [(r, m) for r in range(n - 1, 0, -1) for m in reversed(range(r))]),
            looks_like="Each row was gone through from the right, so entries cleared first are filled again.",
            why="Clearing entry m mixes columns m and m + 1: what is collected has to move to the right.",
            look_at="the task: in which order",
        ),
        Misconception(
            id="output-phases-forgotten",
            answer=triangle_with(gamma=lambda U, V: np.zeros(len(U))),
            looks_like="theta and phi are right; the phases left on the diagonal are missing.",
            why="When all is cleared a diagonal of phases remains: the heaters at the outputs.",
            look_at="notebook 11, section 4: counting",
        ),
        Misconception(
            id="output-phases-of-the-start",
            answer=triangle_with(gamma=lambda U, V: np.angle(np.diag(U)) % (2 * np.pi)),
            looks_like="theta and phi are right; gamma was read from the matrix before anything was cleared.",
            why="The output heaters get what is left at the end.",
            look_at="notebook 11, section 4: from a matrix to its settings",
        ),
    ],
    hints=(
        "Section 4 clears the last row of a matrix. Do the same for every row above it, in what is left.",
        "Two loops: r from n - 1 down to 1, m from 0 to r - 1. In each step compute theta and phi from V[r, m] and "
        "V[r, m + 1], note them, and take the interferometer out of columns m and m + 1.",
        "To take it out, multiply these two columns by the conjugate transpose of its matrix from the right. At the "
        "end gamma is the phase of each diagonal entry, modulo a full turn.",
    ),
    equivalent_mutants={
        "`2` → `-2` #3": "a cosine is even",
        "`np.angle(V[r, m]) - np.angle(V[r, m + 1]) + np.pi` → `np.angle(V[r, m]) - np.angle(V[r, m + 1]) - np.pi`": (
            "half a turn more or less is the same angle"
        ),
    },
)

EXERCISES = [MZI, DARKEN, SEND_BACK, THREE, PHASES, LAUNCH, OUTPUT, TAP, UNDO, BITS, EVEN, TRIANGLE]

"""03.4 How large a step?"""

from __future__ import annotations

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def step_sizes(H):
    curvatures = np.linalg.eigvalsh(H)
    return {"limit": 2 / curvatures[-1], "best": 2 / (curvatures[0] + curvatures[-1])}


def sizes_by_eig(H):
    c = np.linalg.eigvals(np.asarray(H)).real
    return {"best": 2.0 / (c.min() + c.max()), "limit": 2.0 / max(c)}


def sizes_by_svd(H):
    c = np.linalg.svd(H, compute_uv=False)  # for a bowl, singular values are curvatures
    return {"limit": 2 / c[0], "best": 2 / (c[0] + c[-1])}


def sizes_by_inverse(H):
    steep, gentle = np.linalg.norm(H, 2), 1 / np.linalg.norm(np.linalg.inv(H), 2)
    return {"limit": np.array(2 / steep), "best": np.array(1 / ((steep + gentle) / 2))}


def sizes_by_power(H):
    def largest(A):
        P = A
        for _ in range(25):  # the power 2**25 of A: only its largest direction is left
            P = P @ P
            P = P / np.linalg.norm(P)
        v = P @ (np.ones(len(A)) + np.arange(len(A)) / 7)
        return float(v @ A @ v / (v @ v))

    steep = largest(H)
    gentle = 2 * steep - largest(2 * steep * np.eye(len(H)) - H)
    return {"limit": 2 / steep, "best": 2 / (steep + gentle)}


def sizes_single(H):
    c = np.sort(np.linalg.eigvalsh(np.float32(H)))
    return {"limit": np.float32(2) / c[-1], "best": np.float32(2) / (c[0] + c[-1])}


def sizes_wrong(limit=None, best=None):
    def answer(H):
        c, right = np.linalg.eigvalsh(H), step_sizes(H)
        return {
            "limit": right["limit"] if limit is None else limit(c, H),
            "best": right["best"] if best is None else best(c, H),
        }

    return answer


def sizes_by_polynomial(H):
    c = np.roots(np.poly(H)).real
    return {"limit": 2 / np.amax(c), "best": 2 / (np.amin(c) + np.amax(c))}


def bowl(rng, d):
    """A symmetric matrix with well separated positive curvatures that are not on the diagonal."""
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    curvatures = np.sort(rng.uniform(0.4, 1.2, d)) * 2.2 ** np.arange(d)
    H = (turn * curvatures) @ turn.T
    return ((H + H.T) / 2).round(3)


def bowl_edges(rng):
    """One direction; a bowl along the axes, nearly round; a round one; two that are not joined; along the diagonals."""
    a, b, c, d, e = rng.uniform(0.4, 3.0, 5).round(3)
    gentle, along = rng.uniform(0.1, 0.4), np.diag([a + 2, a + 3, a + 1.7])
    joined = np.array([[a + c, -c, 0.0], [-c, b + c + d, d], [0.0, d, e + d]])
    return [
        case(np.array([[round(float(gentle), 3)]])),
        case(along),
        case(b * np.eye(2)),
        case(joined),
        *(case(np.array([[a + c, side * c], [side * c, a + c]])) for side in (-1, 1)),
        *ravines(rng),
    ]


def ravines(rng):
    """Curvatures that are hundred and hundred million times apart; all tiny; all huge; eight directions."""
    across = np.array([[0.6, -0.8], [0.8, 0.6]])

    def ravine(steep, gentle):
        return case((across * rng.permutation([steep, gentle])) @ across.T)

    size = float(rng.uniform(1.0, 3.0))
    return [
        ravine(size, 7e-3 * size),
        ravine(size, 2e-8 * size),
        *(case(scale * bowl(rng, 2)) for scale in (1e-7, 1e6)),
        case(bowl(rng, 8)),
        *(case(np.array(H)) for H in ([[5, 2], [2, 3]], [[int(rng.integers(2, 6))]])),
    ]


def drops_small_curvatures(share):
    def answer(H):
        c = np.linalg.eigvalsh(H)
        c = c[c > share * c[-1]]
        return {"limit": 2 / c[-1], "best": 2 / (c[0] + c[-1])}

    return answer


def sizes_unsorted(H):
    c = np.linalg.eigvals(H)
    return {"limit": 2 / c[-1], "best": 2 / (c[0] + c[-1])}


def sizes_in_whole_numbers(H):
    curvatures = np.zeros_like(H[0])
    curvatures[:] = np.linalg.eigvalsh(H)
    return {"limit": 2 / curvatures[-1], "best": 2 / (curvatures[0] + curvatures[-1])}


def exchanges_the_two(H):
    right = step_sizes(H)
    return {"limit": right["best"], "best": right["limit"]}


BANK = [
    wrong("one-over-the-steepest", sizes_wrong(limit=lambda c, H: 1 / c[-1]),
          "notebook 03, section 3: for which eta is the factor smaller than 1 in size?",
          "Your limit is half of what is still stable.",
          "At that step size the steep direction arrives at once. It may overshoot, and still settle."),
    wrong("gentlest-decides", sizes_wrong(limit=lambda c, H: 2 / c[0]), "notebook 03, section 3, 'The ravine'",
          "Your limit comes from the smallest curvature.",
          "A step size must be safe in every direction, and the steepest one is the first to explode."),
    wrong("reads-the-diagonal", sizes_wrong(
              limit=lambda c, H: 2 / np.diag(H).max(),
              best=lambda c, H: 2 / (np.diag(H).max() + np.diag(H).min()),
          ), "notebook 03, section 7, where the curvatures of H are printed",
          "You read the curvatures off the diagonal.",
          "The ravine need not lie along an axis. The main curvatures of a symmetric matrix are its eigenvalues."),
    wrong("uses-the-trace", sizes_wrong(limit=lambda c, H: 2 / c.sum(), best=lambda c, H: 2 / c.sum()),
          "notebook 03, section 3, 'The ravine': each direction has its own factor",
          "You added all curvatures up.",
          "Directions do not explode together. Each has its own factor."),
    wrong("best-is-half-the-limit", sizes_wrong(best=lambda c, H: 1 / c[-1]),
          "notebook 03, section 3, 'The ravine': both factors of the same size",
          "Your best step size is half of the limit.",
          "That suits the steep direction alone. The gentle one would creep."),
    wrong("best-from-the-mean-of-the-rates", sizes_wrong(best=lambda c, H: (1 / c[0] + 1 / c[-1]) / 2),
          "notebook 03, section 3, 'The ravine': both factors of the same size",
          "You averaged the two step sizes that suit the two directions.",
          "The factors have to be balanced, not the step sizes; the average may even be unstable."),
    wrong("best-from-the-mean-curvature", sizes_wrong(best=lambda c, H: 1 / c.mean()),
          "notebook 03, section 3, 'The ravine': both factors of the same size",
          "Your best step size comes from the mean of all curvatures.",
          "What counts is the worst factor, and that belongs to the steepest direction or to the gentlest."),
    wrong("drops-small-curvatures", drops_small_curvatures(1e-6),
          "notebook 03, section 3, 'The ravine': both factors of the same size",
          "In a long ravine your best step size is far too small.",
          "A very small curvature was taken for none. It is the gentlest direction, and it counts."),
    wrong("a-little-added-to-the-curvature", sizes_wrong(
              limit=lambda c, H: 2 / (c[-1] + 1e-8), best=lambda c, H: 2 / (c[0] + c[-1] + 1e-8)
          ), "'What decides: the curvature', and the docstring of the exercise: which curvatures are possible?",
          "Nearly right everywhere, and too small where all curvatures are.",
          "A small number added below the stroke keeps a zero from harm, and curvatures are positive here."),
    wrong("takes-them-unsorted", sizes_unsorted, "the hints of the exercise",
          "You took the first and the last curvature for the smallest and the largest.",
          "np.linalg.eig and np.linalg.eigvals give the eigenvalues in no particular order."),
    wrong("whole-numbers-stay-whole", sizes_in_whole_numbers, "the docstring of the exercise: what is returned?",
          "Where H holds whole numbers, your curvatures do as well.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("adds-up-the-rows", sizes_wrong(limit=lambda c, H: 2 / np.abs(H).sum(axis=1).max()),
          "notebook 03, section 7, where the curvatures of H are printed",
          "Your limit comes from the largest sum of a row.",
          "Such a sum is never smaller than the largest curvature. Your limit is safe, and too careful."),
    wrong("length-of-the-matrix", sizes_wrong(limit=lambda c, H: 2 / np.linalg.norm(H)),
          "notebook 03, section 7, where the curvatures of H are printed",
          "Your limit comes from the root of the sum of all squared entries.",
          "np.linalg.norm without a second argument mixes all directions. Each has a factor of its own."),
    wrong("counts-the-half-twice", sizes_wrong(
              limit=lambda c, H: 1 / c[-1],
              best=lambda c, H: 1 / (c[0] + c[-1]),
          ), "'What decides: the curvature', and the docstring of the exercise: H holds the second derivatives",
          "Both step sizes are half of what they should be.",
          "The half in front of the loss cancels against the 2 of the square: H is the curvature as it stands."),
    wrong("results-exchanged", exchanges_the_two, "the docstring of the exercise: the names of the results",
          "`limit` and `best` have changed places; both numbers are right.",
          "The step size that settles fastest is stable, so it cannot be the larger of the two."),
    wrong("best-from-the-geometric-mean", sizes_wrong(best=lambda c, H: 1 / np.sqrt(c[0] * c[-1])),
          "notebook 03, section 3, 'The ravine': both factors of the same size",
          "You took the geometric mean of the extreme curvatures.",
          "Try it: for very different curvatures this is beyond the limit."),
]  # fmt: skip

EXERCISE = Exercise(
    id="03.4",
    title="How large a step?",
    function="step_sizes",
    minutes=8,
    difficulty=2,
    points=3,
    see="notebook 03, section 3, 'What decides: the curvature' and 'The ravine'",
    reference=step_sizes,
    integers=True,
    domain={"H": Array("d d", order="given")},
    meets={
        "H is diagonal and its largest entry in the middle": lambda H: (
            len(H) == 3 and not (H - np.diag(np.diag(H))).any() and np.argmax(np.diag(H)) == 1
        ),
        "a curvature is a hundred millionth of another": lambda H: np.linalg.cond(H) > 1e7,
        "a curvature is a hundredth of another": lambda H: 100 < np.linalg.cond(H) < 1000,
        "all curvatures are tiny": lambda H: np.abs(H).max() < 1e-5,
        "all curvatures are huge": lambda H: np.abs(H).max() > 1e5,
        "H holds whole numbers": lambda H: H.dtype.kind == "i" and len(H) > 1,
        "there are eight directions": lambda H: len(H) == 8,
        "all curvatures are equal": lambda H: len(H) > 1 and np.allclose(H, H[0, 0] * np.eye(len(H))),
        "there are three directions or more": lambda H: len(H) > 2,
        "the steepest direction has no share in (1, 1)": lambda H: len(H) == 2 and H[0, 1] < 0 and H[0, 0] == H[1, 1],
        "the gentlest direction has no share in (1, 1)": lambda H: len(H) == 2 and H[0, 1] > 0 and H[0, 0] == H[1, 1],
    },
    visible=[
        case(np.array([[3.0, 1.0], [1.0, 2.0]])),
        case(np.array([[5.0, -2.0], [-2.0, 1.5]])),
        case(np.array([[2.0, 0.5, -0.3], [0.5, 4.0, 1.1], [-0.3, 1.1, 1.2]])),
        case(np.array([[0.8, 0.2], [0.2, 0.5]])),
        *bowl_edges(np.random.default_rng(34)),
    ],
    hidden=lambda rng: [*(case(bowl(rng, d)) for d in (2, 3, 4, 2)), *bowl_edges(rng)],
    accepted=[sizes_by_eig, sizes_by_svd, sizes_by_inverse, sizes_by_power, sizes_single, sizes_by_polynomial],
    bank=BANK,
    atol=1e-15,  # all step sizes may be tiny
    hints=(
        "Along each main direction the matrix acts as one curvature, and the bowl falls apart into simple ones.",
        "np.linalg.eigvalsh gives the curvatures, sorted. The limit comes from the largest, through |1 - eta c| < 1.",
        "For the best eta the two extreme factors are equal in size and opposite: 1 - eta c_small = eta c_large - 1.",
    ),
)

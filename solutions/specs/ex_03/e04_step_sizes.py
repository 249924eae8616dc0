"""03.4 How large a step?."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong


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
    gentle = steep - largest(steep * np.eye(len(H)) - H)
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


def bowl(rng, d):
    """A symmetric matrix with well separated positive curvatures that are not on the diagonal."""
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    curvatures = np.sort(rng.uniform(0.4, 1.2, d)) * 2.2 ** np.arange(d)
    H = (turn * curvatures) @ turn.T
    return ((H + H.T) / 2).round(3)


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
    visible=[
        case(np.array([[3.0, 1.0], [1.0, 2.0]])),
        case(np.array([[5.0, -2.0], [-2.0, 1.5]])),
        case(np.array([[2.0, 0.5, -0.3], [0.5, 4.0, 1.1], [-0.3, 1.1, 1.2]])),
        case(np.array([[0.8, 0.2], [0.2, 0.5]])),
    ],
    hidden=lambda rng: [case(bowl(rng, d)) for d in (2, 3, 4, 2)],
    accepted=[sizes_by_eig, sizes_by_svd, sizes_by_inverse, sizes_by_power, sizes_single],
    bank=BANK,
    hints=(
        "Along each main direction the matrix acts as one curvature, and the bowl falls apart into simple ones.",
        "np.linalg.eigvalsh gives the curvatures, sorted. The limit comes from the largest, through |1 - eta c| < 1.",
        "For the best eta the two extreme factors are equal in size and opposite: 1 - eta c_small = eta c_large - 1.",
    ),
)

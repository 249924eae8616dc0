"""Chapter 08, memory-efficient backpropagation: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of learners and of published code: an estimate that is right on average taken for one that is
always close, rows that are kept but not scaled, a sketch on one side only, a sketch that is stored instead of drawn
again, a minus where the variance has a plus, the forward pass believed to be approximate.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from coursepkg.grading.spec import Exercise, Misconception, case


def numbers(rng, count, low=0.4, high=2.4):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return [round(float(rng.choice([-1.0, 1.0]) * rng.uniform(low, high)), 2) for _ in range(count)]


def array(rng, *shape, low=0.2, high=1.6):
    """The same as an array."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape), 2)


# --- 08.1 all sign sketches ------------------------------------------------------------------------------------------


def sign_estimates(x, y):
    estimates = []
    for signs in itertools.product((-1, 1), repeat=len(x)):
        x_kept = sum(s * value for s, value in zip(signs, x, strict=True))
        y_kept = sum(s * value for s, value in zip(signs, y, strict=True))
        estimates.append(y_kept * x_kept)
    mean = sum(estimates) / len(estimates)
    variance = sum((e - mean) ** 2 for e in estimates) / len(estimates)
    return {"estimates": sorted(estimates), "mean": mean, "variance": variance}


def all_signs(count):
    return np.array(list(itertools.product((-1.0, 1.0), repeat=count)))


def summary_of(estimates):
    estimates = np.asarray(estimates, float)
    return {"estimates": np.sort(estimates), "mean": estimates.mean(), "variance": estimates.var()}


def signs_vectorised(x, y):
    S = all_signs(len(x))
    return summary_of((S @ np.asarray(x)) * (S @ np.asarray(y)))


def signs_by_matrix(x, y):
    """S S^T written out for each S."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    return summary_of([y @ np.outer(s, s) @ x for s in all_signs(len(x))])


def signs_by_bits(x, y):
    found = []
    for number in range(2 ** len(x)):
        s = [1 - 2 * (number >> k & 1) for k in range(len(x))]
        found.append(sum(a * b for a, b in zip(s, x, strict=True)) * sum(a * b for a, b in zip(s, y, strict=True)))
    return {"estimates": sorted(found), "mean": float(np.mean(found)), "variance": float(np.var(found))}


def signs_half(x, y):
    """A vector of signs and its negative give the same estimate, so half of them are enough."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    S = all_signs(len(x) - 1)
    S = np.concatenate([np.ones((len(S), 1)), S], axis=1)
    half = (S @ x) * (S @ y)
    return summary_of(np.concatenate([half, half]))


def signs_closed_form(x, y):
    """Mean and variance by formula: y.x, and sum over pairs i != j of x_i^2 y_j^2 + x_i y_i x_j y_j."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    S = all_signs(len(x))
    variance = (x @ x) * (y @ y) + (x @ y) ** 2 - 2 * np.sum((x * y) ** 2)
    return {"estimates": np.sort((S @ x) * (S @ y)).tolist(), "mean": np.float32(x @ y), "variance": variance}


def signs_with(estimate, spread=np.var):
    """The same bookkeeping for another estimate per sign vector."""

    def answer(x, y):
        x, y = np.asarray(x, float), np.asarray(y, float)
        found = np.array([estimate(s, x, y) for s in all_signs(len(x))])
        return {"estimates": np.sort(found), "mean": found.mean(), "variance": spread(found)}

    return answer


def usual(s, x, y):
    return (s @ y) * (s @ x)


def hidden_signs(rng):
    return [case(numbers(rng, B), numbers(rng, B)) for B in (2, 3, 4, 3)]


SIGNS = Exercise(
    id="08.1",
    title="All sign sketches",
    function="sign_estimates",
    minutes=10,
    difficulty=1,
    points=2,
    see="notebook 08, section 3",
    reference=sign_estimates,
    visible=[
        case([1.0, 2.0], [3.0, 1.0]),
        case([0.5, -1.0, 2.0], [1.5, 0.7, 1.0]),
        case([-1.2, 0.8, 0.6, 2.0], [0.9, 1.1, -0.4, 0.5]),
    ],
    hidden=hidden_signs,
    accepted=[signs_vectorised, signs_by_matrix, signs_by_bits, signs_half, signs_closed_form],
    bank=[
        Misconception(
            id="unbiased-means-always-right",
            answer=signs_with(lambda s, x, y: np.sum(s * s * x * y)),
            looks_like="Every estimate is the exact product, and the variance is zero.",
            why="Both sums are taken before they are multiplied, so each pair of rows meets, also different ones.",
            look_at="notebook 08, section 3: the cross terms",
        ),
        Misconception(
            id="sketch-on-one-side",
            answer=signs_with(lambda s, x, y: (s @ y) * np.sum(x)),
            looks_like="Only y was summed with signs; x was summed without, and the mean is zero.",
            why="The signs cancel on average only where each of them occurs twice.",
            look_at="notebook 08, section 3: S stands twice in the product",
        ),
        Misconception(
            id="absolute-values",
            answer=signs_with(lambda s, x, y: abs(usual(s, x, y))),
            looks_like="Negative estimates have lost their sign, and the mean is too large.",
            why="An estimate may well be negative although the product is positive; only the mean is right.",
            look_at="notebook 08, section 3: the two estimates 12 and -2",
        ),
        Misconception(
            id="zeros-and-ones",
            answer=signs_with(lambda s, x, y: usual((s + 1) / 2, x, y)),
            looks_like="Rows are left out instead of being given a sign.",
            why="A matrix of zeros and ones does not have the identity as its mean square.",
            look_at="notebook 08, section 3: E[S S^T] = I",
        ),
        Misconception(
            id="divided-by-the-rows",
            answer=signs_with(lambda s, x, y: usual(s, x, y) / len(x)),
            looks_like="Every estimate is divided by the number of rows.",
            why="A weight gradient is a sum over the rows; with entries of +1 and -1 no scale is needed.",
            look_at="notebook 08, section 3: the diagonal of S S^T",
        ),
        Misconception(
            id="sum-of-squares",
            answer=signs_with(usual, spread=lambda e: np.sum((e - e.mean()) ** 2)),
            looks_like="The variance is a sum of squared deviations, not their mean.",
            why="Each sign vector is as likely as any other, so deviations are averaged.",
            look_at="notebook 08, section 5",
        ),
        Misconception(
            id="standard-deviation",
            answer=signs_with(usual, spread=np.std),
            looks_like="In place of the variance stands its square root.",
            why="The spread is asked for as the mean squared deviation.",
            look_at="the task",
        ),
        Misconception(
            id="one-less-than-the-number",
            answer=signs_with(usual, spread=lambda e: np.var(e, ddof=1)),
            looks_like="The squared deviations are divided by one less than their number.",
            why="These are all the cases there are, not a sample of them, and their mean is known.",
            look_at="the task: every sign vector is there",
        ),
    ],
    hints=(
        "For two rows there are four sign vectors: (1, 1), (1, -1), (-1, 1), (-1, -1). itertools.product makes them.",
        "For one sign vector: add up the x with their signs, add up the y with the same signs, multiply the two sums.",
        "mean is the sum of the estimates over their number, 2 to the power of len(x); variance is the mean of "
        "(estimate - mean)². Return the estimates with sorted(...).",
    ),
    equivalent_mutants={
        "`e - mean` → `mean - e`": "the deviation is squared",
        "`s * value` → `value / s`": "a sign is its own inverse",
        "`s * value` → `value / s` #2": "a sign is its own inverse",
    },
)


# --- 08.2 all row sketches -------------------------------------------------------------------------------------------


def row_estimates(x, y):
    B = len(x)
    estimates = [B * x[k] * y[k] for k in range(B)]
    mean = sum(estimates) / B
    return {"estimates": estimates, "mean": mean, "variance": sum((e - mean) ** 2 for e in estimates) / B}


def rows_vectorised(x, y):
    found = len(x) * np.asarray(x, float) * np.asarray(y, float)
    return {"estimates": found, "mean": found.mean(), "variance": found.var()}


def rows_by_matrix(x, y):
    """Each S is a column of sqrt(B) times the identity."""
    x, y, B = np.asarray(x, float), np.asarray(y, float), len(x)
    found = [(y @ s) * (s @ x) for s in math.sqrt(B) * np.eye(B)]
    return {"estimates": found, "mean": np.mean(found), "variance": np.var(found)}


def rows_closed_form(x, y):
    x, y, B = np.asarray(x, float), np.asarray(y, float), len(x)
    T = (x @ y) ** 2
    return {"estimates": (B * x * y).tolist(), "mean": x @ y, "variance": B * np.sum((x * y) ** 2) - T}


def rows_einsum(x, y):
    found = np.einsum("k,k->k", x, y) * len(x)
    return {
        "estimates": tuple(found),
        "mean": np.einsum("k,k", x, y),
        "variance": np.mean(found**2) - found.mean() ** 2,
    }


def rows_float32(x, y):
    return {name: np.asarray(value, np.float32) for name, value in row_estimates(x, y).items()}


def rows_with(estimate, spread=np.var):
    def answer(x, y):
        x, y = np.asarray(x, float), np.asarray(y, float)
        found = np.array([estimate(k, x, y) for k in range(len(x))])
        return {"estimates": found, "mean": found.mean(), "variance": spread(found)}

    return answer


def kept_row(k, x, y):
    return len(x) * x[k] * y[k]


ROWS = Exercise(
    id="08.2",
    title="All ways to keep one row",
    function="row_estimates",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 08, section 3",
    reference=row_estimates,
    visible=[
        case([1.0, 2.0], [3.0, 1.0]),
        case([0.5, -1.0, 2.0], [1.5, 0.7, 1.0]),
        case([-1.2, 0.8, 0.6, 2.0], [0.9, 1.1, -0.4, 0.5]),
    ],
    hidden=hidden_signs,
    accepted=[rows_vectorised, rows_by_matrix, rows_closed_form, rows_einsum, rows_float32],
    bank=[
        Misconception(
            id="not-scaled-up",
            answer=rows_with(lambda k, x, y: x[k] * y[k]),
            looks_like="Every estimate is its row's product alone, and the mean is too small by the number of rows.",
            why="One row in place of all of them has to speak for those that were dropped.",
            look_at="notebook 08, section 3: the diagonal of S S^T",
        ),
        Misconception(
            id="scaled-twice",
            answer=rows_with(lambda k, x, y: len(x) ** 2 * x[k] * y[k]),
            looks_like="Both factors were scaled by the number of rows.",
            why="S stands twice in the product, so each side carries the square root of the factor.",
            look_at="notebook 08, section 10: a scale that Adam hides",
        ),
        Misconception(
            id="root-of-the-scale",
            answer=rows_with(lambda k, x, y: math.sqrt(len(x)) * x[k] * y[k]),
            looks_like="The estimates are scaled by the square root of the number of rows.",
            why="That is the factor on one side; the other side carries it, too.",
            look_at="notebook 08, section 3: the diagonal of S S^T",
        ),
        Misconception(
            id="row-dropped-not-kept",
            answer=rows_with(lambda k, x, y: len(x) / (len(x) - 1) * (x @ y - x[k] * y[k])),
            looks_like="Each estimate leaves one row out instead of keeping one.",
            why="The sketch has a single row, b = 1.",
            look_at="the task",
        ),
        Misconception(
            id="all-rows-meet",
            answer=rows_with(lambda k, x, y: y[k] * np.sum(x)),
            looks_like="One row of y is multiplied with the sum of all x.",
            why="The same row is kept on both sides.",
            look_at="notebook 08, section 3: S stands twice in the product",
        ),
        Misconception(
            id="sum-of-squares",
            answer=rows_with(kept_row, spread=lambda e: np.sum((e - e.mean()) ** 2)),
            looks_like="The variance is a sum of squared deviations, not their mean.",
            why="Each row is as likely as any other, so deviations are averaged.",
            look_at="notebook 08, section 5",
        ),
        Misconception(
            id="standard-deviation",
            answer=rows_with(kept_row, spread=np.std),
            looks_like="In place of the variance stands its square root.",
            why="The spread is asked for as the mean squared deviation.",
            look_at="the task",
        ),
    ],
    hints=(
        "With b = 1 the sketch keeps a single row, the same one of x and of y.",
        "On average over the rows, x[k] * y[k] is the exact product divided by B. What factor repairs that?",
        "estimates = [B * x[k] * y[k] for every k]; mean and variance over these B numbers.",
    ),
    equivalent_mutants={"`e - mean` → `mean - e`": "the deviation is squared"},
)


# --- 08.3 what is stored ---------------------------------------------------------------------------------------------


def stored_bytes(rows, features, rate, itemsize, readers):
    size = int(rate * rows)
    return {
        "exact": rows * features * itemsize,
        "one_sketch": size * features * itemsize,
        "separate_sketches": readers * size * features * itemsize,
        "break_even_rate": 1 / readers,
    }


def bytes_floor(rows, features, rate, itemsize, readers):
    size = math.floor(rate * rows)
    one = np.prod([size, features, itemsize])
    return {
        "exact": float(rows) * features * itemsize,
        "one_sketch": one,
        "separate_sketches": sum([one] * readers),
        "break_even_rate": readers**-1,
    }


def bytes_by_arrays(rows, features, rate, itemsize, readers):
    kind = {4: np.float32, 8: np.float64}[itemsize]
    whole, part = np.zeros((rows, features), kind), np.zeros((int(rows * rate), features), kind)
    return {
        "exact": whole.nbytes,
        "one_sketch": part.nbytes,
        "separate_sketches": part.nbytes * readers,
        "break_even_rate": np.float32(1.0 / readers),
    }


def bytes_divmod(rows, features, rate, itemsize, readers):
    size, _ = divmod(rate * rows, 1)
    per_row = itemsize * features
    return dict(
        exact=per_row * rows,
        one_sketch=per_row * size,
        separate_sketches=per_row * size * readers,
        break_even_rate=math.exp(-math.log(readers)),
    )


def bytes_searched(rows, features, rate, itemsize, readers):
    """Break-even found as the rate at which readers * rate * exact equals exact."""
    found = stored_bytes(rows, features, rate, itemsize, readers)
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if readers * middle <= 1 else (low, middle)
    return found | {"break_even_rate": low}


def bytes_counted(rows, features, rate, itemsize, readers):
    """Row by row."""
    row, kept, whole = features * itemsize, 0, 0
    for k in range(rows):
        whole += row
        kept += row * (k + 1 <= rate * rows)
    return {
        "exact": whole,
        "one_sketch": kept,
        "separate_sketches": kept * readers,
        "break_even_rate": 1.0 / readers,
    }


def bytes_with(**changed):
    def answer(rows, features, rate, itemsize, readers):
        found = stored_bytes(rows, features, rate, itemsize, readers)
        given = {"rows": rows, "features": features, "rate": rate, "itemsize": itemsize, "readers": readers}
        return found | {name: change(found, **given) for name, change in changed.items()}

    return answer


def hidden_bytes(rng):
    found = []
    for readers in (2, 3, 4, 5):
        rows, features = int(rng.integers(101, 400)), int(rng.integers(20, 90))
        rate = round(float(rng.uniform(0.15, 0.6)), 3)
        found.append(case(rows, features, rate, int(rng.choice([4, 8])), readers))
    return found


BYTES = Exercise(
    id="08.3",
    title="What is stored",
    function="stored_bytes",
    minutes=10,
    difficulty=1,
    points=2,
    see="notebook 08, section 6",
    reference=stored_bytes,
    visible=[case(2048, 768, 0.2, 4, 3), case(333, 50, 0.5, 8, 2), case(150, 64, 0.37, 4, 4)],
    hidden=hidden_bytes,
    accepted=[bytes_floor, bytes_by_arrays, bytes_divmod, bytes_searched, bytes_counted],
    bank=[
        Misconception(
            id="exact-once-per-reader",
            answer=bytes_with(exact=lambda f, readers, **g: f["exact"] * readers),
            looks_like="The exact input is counted once for every layer that reads it.",
            why="All of them read one and the same array, and a tape holds an array, not the wish to read it.",
            look_at="notebook 08, section 6: trap three",
        ),
        Misconception(
            id="sketch-matrix-stored",
            answer=bytes_with(
                one_sketch=lambda f, rows, rate, itemsize, **g: f["one_sketch"] + rows * int(rate * rows) * itemsize
            ),
            looks_like="The one sketch is too large by rows times kept rows.",
            why="That is S itself. It need not be kept, because a seed is enough to draw it again.",
            look_at="notebook 08, section 4: it keeps the seed",
        ),
        Misconception(
            id="features-reduced-instead-of-rows",
            answer=bytes_with(
                one_sketch=lambda f, rows, features, rate, itemsize, **g: rows * int(rate * features) * itemsize,
                separate_sketches=lambda f, rows, features, rate, itemsize, readers: (
                    readers * rows * int(rate * features) * itemsize
                ),
            ),
            looks_like="The share was taken of the features.",
            why="S stands between the rows of the two factors, so it makes few rows of many.",
            look_at="notebook 08, section 3",
        ),
        Misconception(
            id="numbers-instead-of-bytes",
            answer=lambda rows, features, rate, itemsize, readers: stored_bytes(rows, features, rate, 1, readers),
            looks_like="Numbers are counted, not bytes.",
            why="A number in single precision takes four bytes, in double precision eight.",
            look_at="the docstring: itemsize",
        ),
        Misconception(
            id="rounded-up",
            answer=lambda rows, features, rate, itemsize, readers: stored_bytes(
                rows, features, math.ceil(rate * rows) / rows + 1e-12, itemsize, readers
            ),
            looks_like="One row too many is kept.",
            why="b is rho times B, rounded down.",
            look_at="the task",
        ),
        Misconception(
            id="saving-instead-of-size",
            answer=bytes_with(one_sketch=lambda f, **g: f["exact"] - f["one_sketch"]),
            looks_like="For the one sketch stands what it saves, not what it stores.",
            why="The question is what the tape holds.",
            look_at="the task",
        ),
        Misconception(
            id="separate-not-multiplied",
            answer=bytes_with(separate_sketches=lambda f, **g: f["one_sketch"], break_even_rate=lambda f, **g: 1.0),
            looks_like="Several sketches are as large as one.",
            why="Each layer that draws its own sketch stores its own summary of the common input.",
            look_at="notebook 08, section 6: trap three",
        ),
    ],
    hints=(
        "The tape holds B rows of N numbers, or b rows of N numbers. How many is b?",
        "b = int(rate * rows). One array has rows (or b) times features times itemsize bytes; separate sketches are as "
        "many arrays as there are readers.",
        "Separate sketches cost readers times rate times the exact size, so they break even at rate = 1 / readers.",
    ),
)


# --- 08.4 the backward pass ------------------------------------------------------------------------------------------


def sketched_backward(Y, W, summary, S):
    return {"X": Y @ W, "W": (S.T @ Y).T @ summary, "b": Y.sum(axis=0)}


def backward_expanded(Y, W, summary, S):
    """Blow the summary up to B rows again; the product is the same."""
    X_hat = S @ summary
    return {"X": np.matmul(Y, W), "W": Y.T @ X_hat, "b": np.ones(len(Y)) @ Y}


def backward_einsum(Y, W, summary, S):
    return {
        "X": np.einsum("km,mn->kn", Y, W),
        "W": np.einsum("km,kb,bn->mn", Y, S, summary),
        "b": np.einsum("km->m", Y),
    }


def backward_loops(Y, W, summary, S):
    (B, M), (b, N) = Y.shape, summary.shape
    dW, dX, db = np.zeros((M, N)), [], [0.0] * M
    for j in range(b):
        row = sum(S[k, j] * Y[k] for k in range(B))
        dW += np.outer(row, summary[j])
    for k in range(B):
        dX.append([sum(Y[k, m] * W[m, n] for m in range(M)) for n in range(N)])
        db = [total + value for total, value in zip(db, Y[k], strict=True)]
    return {"X": dX, "W": dW, "b": db}


def backward_transposed(Y, W, summary, S):
    return {"X": (W.T @ Y.T).T, "W": (summary.T @ (S.T @ Y)).T, "b": np.add.reduce(Y, axis=0)}


def backward_float32(Y, W, summary, S):
    found = sketched_backward(*(np.asarray(a, np.float32) for a in (Y, W, summary, S)))
    return {name: value.tolist() for name, value in found.items()}


def backward_with(dX=None, dW=None, db=None):
    def answer(Y, W, summary, S):
        right = sketched_backward(Y, W, summary, S)
        changed = {"X": dX, "W": dW, "b": db}
        return {name: change(Y, W, summary, S) if change else right[name] for name, change in changed.items()}

    return answer


def backward_case(rng, B, N, M, b):
    X, S = array(rng, B, N), array(rng, B, b)
    return case(array(rng, B, M), array(rng, M, N), np.round(S.T @ X, 6), S)


def hidden_backward(rng):
    return [backward_case(rng, *shape) for shape in ((6, 3, 2, 3), (5, 2, 4, 2), (7, 4, 3, 4))]


BACKWARD = Exercise(
    id="08.4",
    title="The backward pass without the input",
    function="sketched_backward",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 08, sections 2 and 4",
    reference=sketched_backward,
    visible=hidden_backward(np.random.default_rng(8)),
    hidden=hidden_backward,
    accepted=[
        backward_expanded,
        backward_einsum,
        backward_loops,
        backward_transposed,
        backward_float32,
    ],
    bank=[
        Misconception(
            id="all-gradients-sketched",
            answer=backward_with(
                dX=lambda Y, W, summary, S: S @ S.T @ Y @ W, db=lambda Y, W, summary, S: (S @ (S.T @ Y)).sum(axis=0)
            ),
            looks_like="The gradients of X and b have passed through the sketch, too.",
            why="Neither of them needs the input, so nothing about them has to be estimated.",
            look_at="notebook 08, section 2: only one of three",
        ),
        Misconception(
            id="bias-from-the-summary",
            answer=backward_with(db=lambda Y, W, summary, S: (S.T @ Y).sum(axis=0)),
            looks_like="The bias was summed over the rows of the summary.",
            why="All rows of Y are there; only X was thrown away.",
            look_at="notebook 08, section 2",
        ),
        Misconception(
            id="weight-transposed",
            answer=backward_with(dW=lambda Y, W, summary, S: summary.T @ (S.T @ Y)),
            looks_like="The weight's gradient is transposed.",
            why="A gradient has the shape of what it belongs to, and W has a row per output.",
            look_at="notebook 08, section 2: the shapes",
        ),
        Misconception(
            id="scaled-again",
            answer=backward_with(dW=lambda Y, W, summary, S: len(S) / S.shape[1] * (S.T @ Y).T @ summary),
            looks_like="The weight's gradient is too large by B / b.",
            why="The scale that makes the mean right stands in S already.",
            look_at="notebook 08, section 3: E[S S^T] = I",
        ),
        Misconception(
            id="sketch-applied-twice",
            answer=backward_with(dW=lambda Y, W, summary, S: (S.T @ (S @ (S.T @ Y))).T @ summary),
            looks_like="Between the two factors S S^T stands twice.",
            why="The summary has been multiplied by the transpose of S already, so Y needs it just once.",
            look_at="notebook 08, section 3: S stands twice in the product, once on each side",
        ),
        Misconception(
            id="first-rows-only",
            answer=backward_with(dW=lambda Y, W, summary, S: Y[: len(summary)].T @ summary),
            looks_like="The first b rows of Y meet the rows of the summary.",
            why="A row of the summary is a mixture of all rows of X, so Y must be mixed in the same way.",
            look_at="notebook 08, section 4: Y is folded with the same seed",
        ),
        Misconception(
            id="mean-over-the-rows",
            answer=backward_with(
                dW=lambda Y, W, summary, S: (S.T @ Y).T @ summary / len(Y), db=lambda Y, W, summary, S: Y.mean(axis=0)
            ),
            looks_like="The gradients of W and b are divided by the number of rows.",
            why="A mean over examples belongs to the loss; it is inside Y by the time it arrives here.",
            look_at="notebook 08, section 2: sums over the rows",
        ),
    ],
    hints=(
        "Write the three exact gradients first. Two of them do not contain X and stay as they are.",
        "In the third, put S S^T between the factors: Y^T S S^T X. The right half is the summary. And the left half?",
        "X: Y @ W.  W: (S.T @ Y).T @ summary.  b: Y.sum(axis=0).",
    ),
)


# --- 08.5 fold -------------------------------------------------------------------------------------------------------


def fold(X, order, signs, size):
    summary = np.zeros((size, X.shape[1]))
    for place, row in enumerate(order):
        summary[place % size] += signs[place] * X[row]
    return summary


def fold_add_at(X, order, signs, size):
    summary = np.zeros((size, X.shape[1]))
    np.add.at(summary, np.arange(len(order)) % size, np.asarray(signs)[:, None] * X[np.asarray(order)])
    return summary


def fold_matrix(X, order, signs, size):
    S = np.zeros((len(X), size))
    S[np.asarray(order), np.arange(len(X)) % size] = signs
    return S.T @ X


def fold_slices(X, order, signs, size):
    signed = X[list(order)] * np.asarray(signs, float)[:, None]
    return np.stack([signed[bucket::size].sum(axis=0) for bucket in range(size)])


def fold_lists(X, order, signs, size):
    summary = [[0.0] * len(X[0]) for _ in range(size)]
    for place, (row, sign) in enumerate(zip(order, signs, strict=True)):
        bucket = summary[place % size]
        for column, value in enumerate(X[row]):
            bucket[column] += value if sign > 0 else -value
    return summary


def fold_padded(X, order, signs, size):
    """Rows of zeros make the number of rows a multiple of the number of buckets; then one reshape adds them up."""
    signed = np.asarray(signs)[:, None] * X[np.asarray(order)]
    missing = -len(signed) % size
    return np.pad(signed, ((0, missing), (0, 0))).reshape(-1, size, X.shape[1]).sum(axis=0).astype(np.float32)


def fold_overwrites(X, order, signs, size):
    summary = np.zeros((size, X.shape[1]))
    summary[np.arange(len(order)) % size] += np.asarray(signs)[:, None] * X[np.asarray(order)]
    return summary


def fold_contiguous(X, order, signs, size):
    signed = np.asarray(signs)[:, None] * X[np.asarray(order)]
    return np.stack([part.sum(axis=0) for part in np.array_split(signed, size)])


def fold_case(rng, B, N, size):
    return case(array(rng, B, N), rng.permutation(B).tolist(), rng.choice([-1, 1], B).tolist(), size)


def hidden_folds(rng):
    return [fold_case(rng, *shape) for shape in ((8, 3, 4), (7, 2, 3), (6, 4, 2), (9, 3, 4))]


FOLD = Exercise(
    id="08.5",
    title="Shuffle, sign, fold",
    function="fold",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 08, section 4",
    reference=fold,
    visible=hidden_folds(np.random.default_rng(21)),
    hidden=hidden_folds,
    accepted=[fold_add_at, fold_matrix, fold_slices, fold_lists, fold_padded],
    bank=[
        Misconception(
            id="last-one-wins",
            answer=fold_overwrites,
            looks_like="Each row of the summary holds the last row that came to its bucket, and no sum.",
            why="NumPy's += with a list of places in which one occurs twice keeps the last addition only.",
            look_at="the documentation of np.add.at, or use a loop",
        ),
        Misconception(
            id="signs-forgotten",
            answer=lambda X, order, signs, size: fold(X, order, [1] * len(order), size),
            looks_like="Rows are added up without their signs.",
            why="Without signs two rows in a bucket disturb each other always in the same direction.",
            look_at="notebook 08, section 4: shuffle, sign, fold",
        ),
        Misconception(
            id="not-shuffled",
            answer=lambda X, order, signs, size: fold(X, range(len(order)), signs, size),
            looks_like="The rows of X came in their old order.",
            why="order says which row of X stands at each place.",
            look_at="the docstring: order",
        ),
        Misconception(
            id="order-the-other-way",
            answer=lambda X, order, signs, size: fold(X, np.argsort(order).tolist(), signs, size),
            looks_like="Row k of X went to place order[k], instead of place k holding row order[k].",
            why="A permutation can be read in two directions.",
            look_at="the docstring: order[place] is a row of X",
        ),
        Misconception(
            id="sign-of-the-row",
            answer=lambda X, order, signs, size: fold(X, order, [signs[row] for row in order], size),
            looks_like="The signs were looked up by the row of X, not by its new place.",
            why="The signs are given in the new order.",
            look_at="the docstring: signs",
        ),
        Misconception(
            id="blocks-instead-of-dealing",
            answer=fold_contiguous,
            looks_like="Neighbouring places share a bucket.",
            why="Cards are dealt: one for each bucket in turn, then the next round.",
            look_at="the task: place i goes to bucket i mod size",
        ),
        Misconception(
            id="mean-of-the-bucket",
            answer=lambda X, order, signs, size: (
                fold(X, order, signs, size)
                / np.array([len(range(bucket, len(order), size)) for bucket in range(size)])[:, None]
            ),
            looks_like="Each bucket was divided by the number of its rows.",
            why="Its own square must count every row in full, so that S S^T has ones on its diagonal.",
            look_at="notebook 08, section 3: the diagonal of S S^T",
        ),
        Misconception(
            id="scaled-like-kept-rows",
            answer=lambda X, order, signs, size: math.sqrt(len(order) / size) * fold(X, order, signs, size),
            looks_like="Everything is too large by the square root of B / b.",
            why="That is the scale for rows that were dropped. A fold drops nothing.",
            look_at="notebook 08, section 4: add up each bucket",
        ),
    ],
    hints=(
        "Start with zeros of shape (size, N), and go through the places one by one.",
        "At a place stands row order[place] of X with the sign signs[place]. Which bucket does it go to?",
        "summary[place % size] += signs[place] * X[order[place]], for every place.",
    ),
    equivalent_mutants={
        "`1` → `-1`": "X has two axes, so the last one is the one with index 1",
        "`signs[place] * X[row]` → `X[row] / signs[place]`": "a sign is its own inverse",
    },
)


# --- 08.6 variances --------------------------------------------------------------------------------------------------


def sketch_variances(X, Y, b):
    B = len(X)
    P = np.sum(X**2) * np.sum(Y**2)
    T = np.sum((Y.T @ X) ** 2)
    D = np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1))
    return {
        "gaussian": (P + T) / b,
        "signs": (P + T - 2 * D) / b,
        "rows": (B - b) / (B - 1) * (B * D - T) / b,
        "fold": (B - b) / (b * (B - 1)) * (P + T - 2 * D),
    }


def variances_by_grams(X, Y, b):
    """By the inner products of the rows."""
    A, C, B = X @ X.T, Y @ Y.T, len(X)
    P, T, D = np.trace(A) * np.trace(C), np.sum(A * C), np.diag(A) @ np.diag(C)
    share = (B - b) / (B - 1)
    return {
        "gaussian": (P + T) / b,
        "signs": (P + T - 2 * D) / b,
        "rows": share * (B * D - T) / b,
        "fold": share * (P + T - 2 * D) / b,
    }


def variances_by_pairs(X, Y, b):
    B = len(X)
    pairs = squares = aligned = paired = 0.0
    for i in range(B):
        for j in range(B):
            size, together = X[i] @ X[i] * (Y[j] @ Y[j]), X[i] @ X[j] * (Y[i] @ Y[j])
            squares, aligned = squares + size, aligned + together
            if i == j:
                paired += size
            else:
                pairs += size + together
    spread = B * paired - aligned
    return {
        "gaussian": (squares + aligned) / b,
        "signs": pairs / b,
        "rows": spread / b * (B - b) / (B - 1),
        "fold": pairs * (B / b - 1) / (B - 1),
    }


def variances_rows_from_spread(X, Y, b):
    """Dropping rows from the spread of the examples' gradients."""
    found, B = sketch_variances(X, Y, b), len(X)
    each = np.einsum("km,kn->kmn", Y, X)
    sgd = B * np.sum((each - each.mean(axis=0)) ** 2) / (B - 1)
    return found | {"rows": (B / b - 1) * sgd}


def variances_einsum(X, Y, b):
    B, lengths = len(X), [np.einsum("kn,kn->k", A, A) for A in (X, Y)]
    P, D = lengths[0].sum() * lengths[1].sum(), np.einsum("k,k->", *lengths)
    T = np.einsum("km,kn,lm,ln->", Y, X, Y, X)
    mixed = P + T - 2 * D
    values = ((P + T) / b, mixed / b, (B - b) * (B * D - T) / (b * (B - 1)), (B - b) * mixed / (b * (B - 1)))
    return {name: np.array(value) for name, value in zip(("gaussian", "signs", "rows", "fold"), values, strict=True)}


def variances_float32(X, Y, b):
    return {name: np.float32(value) for name, value in sketch_variances(X, Y, b).items()}


def variances_with(change):
    """The same formulas from other moments, or other formulas from the same."""

    def answer(X, Y, b):
        B, P = len(X), np.sum(X**2) * np.sum(Y**2)
        T, D = np.sum((Y.T @ X) ** 2), np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1))
        found = sketch_variances(X, Y, b)
        return found | change(B, P, T, D, b, X, Y)

    return answer


def from_moments(B, P, T, D, b):
    return {
        "gaussian": (P + T) / b,
        "signs": (P + T - 2 * D) / b,
        "rows": (B - b) / (B - 1) * (B * D - T) / b,
        "fold": (B - b) / (b * (B - 1)) * (P + T - 2 * D),
    }


def variances_case(rng, B, N, M, b):
    return case(array(rng, B, N), array(rng, B, M), b)


def hidden_variances(rng):
    return [variances_case(rng, *shape) for shape in ((6, 3, 2, 3), (5, 2, 4, 2), (8, 3, 3, 4), (4, 2, 1, 3))]


VARIANCES = Exercise(
    id="08.6",
    title="Four variances",
    function="sketch_variances",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 08, section 5",
    reference=sketch_variances,
    visible=hidden_variances(np.random.default_rng(13)),
    hidden=hidden_variances,
    accepted=[variances_by_grams, variances_by_pairs, variances_rows_from_spread, variances_einsum, variances_float32],
    bank=[
        Misconception(
            id="minus-for-gaussian",
            answer=variances_with(lambda B, P, T, D, b, X, Y: {"gaussian": (P - T) / b}),
            looks_like="The Gaussian variance is too small by twice T / b.",
            why="That sign stands in published code. It belongs to rows drawn by their length.",
            look_at="notebook 08, section 9: two small cracks",
        ),
        Misconception(
            id="signs-like-gaussian",
            answer=variances_with(
                lambda B, P, T, D, b, X, Y: from_moments(B, P, T, 0.0, b) | {"rows": sketch_variances(X, Y, b)["rows"]}
            ),
            looks_like="For signs and for the fold nothing was taken off for rows that meet themselves.",
            why="A sign squared is exactly 1, so that part is not random.",
            look_at="notebook 08, section 5: why signs beat normal numbers",
        ),
        Misconception(
            id="with-replacement",
            answer=variances_with(lambda B, P, T, D, b, X, Y: {"rows": (B * D - T) / b}),
            looks_like="For rows stands the variance with replacement.",
            why="No row is kept twice here, which takes a factor off; with b = B nothing may be left.",
            look_at="notebook 08, section 5: the table, last line",
        ),
        Misconception(
            id="fold-like-signs",
            answer=variances_with(lambda B, P, T, D, b, X, Y: {"fold": (P + T - 2 * D) / b}),
            looks_like="The fold has the variance of a dense matrix of signs.",
            why="Buckets are dealt evenly, so two rows share one less often; with b = B never.",
            look_at="notebook 08, section 5: the table",
        ),
        Misconception(
            id="not-divided-by-b",
            answer=lambda X, Y, b: {name: b * value for name, value in sketch_variances(X, Y, b).items()},
            looks_like="All variances are too large by the number of rows that are kept.",
            why="The estimate is a mean over b columns, and a mean of b has one b-th of the variance.",
            look_at="notebook 08, section 5",
        ),
        Misconception(
            id="together-from-single-rows",
            answer=lambda X, Y, b: from_moments(
                len(X),
                np.sum(X**2) * np.sum(Y**2),
                np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1)),
                np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1)),
                b,
            ),
            looks_like="T was taken row by row.",
            why="T is the squared length of the whole product, in which rows of different sign may cancel.",
            look_at="notebook 08, section 5: P, T and D",
        ),
        Misconception(
            id="norms-not-squared",
            answer=lambda X, Y, b: from_moments(
                len(X),
                np.linalg.norm(X) * np.linalg.norm(Y),
                np.sum((Y.T @ X) ** 2),
                np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1)),
                b,
            ),
            looks_like="P is the product of the norms.",
            why="A variance has the square of the unit of what varies.",
            look_at="notebook 08, section 5: P, T and D",
        ),
    ],
    hints=(
        "Three numbers first: P from all entries, T from the product, D row by row.",
        "np.sum(X**2) is the squared norm of X; np.sum(X**2, axis=1) is the squared norm of each row; T is "
        "np.sum((Y.T @ X)**2).",
        "Then the table of section 5, line by line. Rows and fold share the factor (B - b) / (B - 1).",
    ),
    equivalent_mutants={
        "`1` → `-1`": "the rows have two axes, so the last one is the one with index 1",
        "`1` → `-1` #2": "the rows have two axes, so the last one is the one with index 1",
    },
)


# --- 08.7 equivalent batch -------------------------------------------------------------------------------------------


def equivalent_batch(X, Y, V):
    B = len(X)
    T = np.sum((Y.T @ X) ** 2)
    D = np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1))
    sgd = (B * D - T) / (B - 1)
    share = V / (V + sgd)
    return {"sgd": sgd, "share": share, "equivalent": B * sgd / (V + sgd)}


def batch_by_examples(X, Y, V):
    each = [np.outer(y, x) for x, y in zip(X, Y, strict=True)]
    middle = sum(each) / len(each)
    sgd = len(each) / (len(each) - 1) * sum(np.sum((z - middle) ** 2) for z in each)
    return {"sgd": sgd, "share": V / (V + sgd), "equivalent": len(each) * (1 - V / (V + sgd))}


def batch_by_var(X, Y, V):
    each = np.einsum("km,kn->kmn", Y, X)
    sgd = len(X) * each.var(axis=0, ddof=1).sum()
    return {"sgd": sgd, "share": 1 - sgd / (V + sgd), "equivalent": len(X) / (1 + V / sgd)}


def batch_by_pairs(X, Y, V):
    """Half the mean squared distance of two different examples, times B."""
    each = np.einsum("km,kn->kmn", Y, X).reshape(len(X), -1)
    B = len(each)
    sgd = sum(np.sum((each[i] - each[j]) ** 2) for i in range(B) for j in range(i)) / (B - 1)
    return {"sgd": sgd, "share": V / (sgd + V), "equivalent": B / (V / sgd + 1)}


def batch_by_grams(X, Y, V):
    both, B = (X @ X.T) * (Y @ Y.T), len(X)
    sgd = (B * np.trace(both) - both.sum()) / (B - 1)
    return {"sgd": np.array(sgd), "share": np.array(V / (V + sgd)), "equivalent": np.array(B * sgd / (V + sgd))}


def batch_float32(X, Y, V):
    return {name: np.float32(value) for name, value in equivalent_batch(X, Y, V).items()}


def batch_with(sgd=None, share=None, equivalent=None):
    def answer(X, Y, V):
        right = equivalent_batch(X, Y, V)
        s = sgd(right["sgd"], len(X), X, Y) if sgd else right["sgd"]
        return {
            "sgd": s,
            "share": share(V, s) if share else V / (V + s),
            "equivalent": equivalent(V, s, len(X)) if equivalent else len(X) * s / (V + s),
        }

    return answer


def second_moment(s, B, X, Y):
    return np.sum(np.sum(X**2, axis=1) * np.sum(Y**2, axis=1))


def batch_case(rng, B, N, M):
    return case(array(rng, B, N), array(rng, B, M), round(float(rng.uniform(2, 30)), 2))


def hidden_batches(rng):
    return [batch_case(rng, *shape) for shape in ((6, 3, 2), (5, 2, 4), (8, 3, 3), (4, 2, 1))]


BATCH = Exercise(
    id="08.7",
    title="A batch that is as noisy",
    function="equivalent_batch",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 08, section 9",
    reference=equivalent_batch,
    visible=hidden_batches(np.random.default_rng(17)),
    hidden=hidden_batches,
    accepted=[batch_by_examples, batch_by_var, batch_by_pairs, batch_by_grams, batch_float32],
    bank=[
        Misconception(
            id="divided-by-b-not-b-minus-one",
            answer=batch_with(sgd=lambda s, B, X, Y: s * (B - 1) / B),
            looks_like="The variance of the batch is too small by the factor (B - 1) / B.",
            why="The mean of the examples was taken from the same batch, which makes them look less spread out.",
            look_at="notebook 08, section 9: the first formula",
        ),
        Misconception(
            id="second-moment",
            answer=batch_with(sgd=second_moment),
            looks_like="The squared lengths of the examples' gradients were added up without taking off their mean.",
            why="Noise is what differs between batches; what all examples have in common does not.",
            look_at="notebook 08, section 9: what does hold",
        ),
        Misconception(
            id="variance-of-the-mean",
            answer=batch_with(sgd=lambda s, B, X, Y: s / B**2),
            looks_like="This is the variance of the mean over the examples, not of their sum.",
            why="Y^T X adds the examples up; a mean over the batch is inside Y already.",
            look_at="notebook 08, section 2: sums over the rows",
        ),
        Misconception(
            id="spread-of-one-example",
            answer=batch_with(sgd=lambda s, B, X, Y: s / B),
            looks_like="This is the variance of one example's gradient.",
            why="The gradient of the batch is a sum of B of them, and variances of independent things add.",
            look_at="notebook 08, section 9: the first formula",
        ),
        Misconception(
            id="ratio-instead-of-share",
            answer=batch_with(share=lambda V, s: V / s),
            looks_like="The share of the sketch exceeds what a share can be.",
            why="A share is a part of the whole, of both kinds of noise together.",
            look_at="the task",
        ),
        Misconception(
            id="share-kept-as-batch",
            answer=batch_with(equivalent=lambda V, s, B: B * V / (V + s)),
            looks_like="The equivalent batch grows with the noise of the sketch.",
            why="More noise is what a smaller batch has.",
            look_at="notebook 08, section 9: as a batch of",
        ),
        Misconception(
            id="standard-deviations",
            answer=batch_with(equivalent=lambda V, s, B: B * math.sqrt(s / (V + s))),
            looks_like="The equivalent batch is too large: a square root was taken.",
            why="Variance, not its root, is in proportion to one over the batch size.",
            look_at="notebook 08, section 9",
        ),
    ],
    hints=(
        "First the noise of the batch, from T and D, as in section 9.",
        "Both kinds of noise are independent, so their variances add. Which part of the sum is V?",
        "The variance of a batch's gradient is in proportion to one over its size, so a batch of B' has sgd * B / B'. "
        "Set that equal to V + sgd.",
    ),
    equivalent_mutants={
        "`1` → `-1` #2": "the rows have two axes, so the last one is the one with index 1",
        "`1` → `-1` #3": "the rows have two axes, so the last one is the one with index 1",
    },
)


# --- 08.8 what a dense sketch costs ----------------------------------------------------------------------------------


def sketch_cost(B, N, M, rate):
    b = rate * B
    exact = B * N * M
    return {
        "gaussian": (b * B * (N + M) + b * N * M) / exact,
        "fold": b * N * M / exact,
        "break_even_rate": 1 / (1 + B * (N + M) / (N * M)),
    }


def cost_formula(B, N, M, rate):
    factor = 1 + B / M + B / N
    return {"gaussian": rate * factor, "fold": rate, "break_even_rate": 1 / factor}


def cost_counted(B, N, M, rate):
    products = {"S^T X": (rate * B, B, N), "S^T Y": (rate * B, B, M), "both": (M, rate * B, N)}
    count = {name: a * b * c for name, (a, b, c) in products.items()}
    gaussian = sum(count.values()) / (B * N * M)
    return {"gaussian": gaussian, "fold": count["both"] / (B * N * M), "break_even_rate": rate / gaussian}


def cost_bisected(B, N, M, rate):
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if cost_formula(B, N, M, middle)["gaussian"] < 1 else (low, middle)
    return cost_formula(B, N, M, rate) | {"break_even_rate": high}


def cost_arrays(B, N, M, rate):
    dense = np.array([B * N, B * M, N * M], float) * rate * B
    return {
        "gaussian": np.float64(dense.sum() / (B * N * M)),
        "fold": np.array(dense[2] / (B * N * M)),
        "break_even_rate": np.array(N * M / (N * M + B * N + B * M)),
    }


def cost_fractions(B, N, M, rate):
    from fractions import Fraction

    factor = Fraction(N * M + B * (N + M), N * M)
    return {"gaussian": float(Fraction(rate) * factor), "fold": rate, "break_even_rate": float(1 / factor)}


def cost_with(factor, fold=None):
    def answer(B, N, M, rate):
        k = factor(B, N, M)
        return {"gaussian": rate * k, "fold": fold(B, N, M, rate) if fold else rate, "break_even_rate": 1 / k}

    return answer


def hidden_costs(rng):
    found = []
    for _ in range(4):
        B, N, M = (int(v) for v in rng.integers(60, 900, 3))
        found.append(case(B, N, M, round(float(rng.uniform(0.1, 0.8)), 2)))
    return found


COST = Exercise(
    id="08.8",
    title="Is smaller faster?",
    function="sketch_cost",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 08, section 8",
    reference=sketch_cost,
    visible=[case(2048, 768, 768, 0.5), case(500, 100, 800, 0.25), case(128, 512, 256, 0.1)],
    hidden=hidden_costs,
    accepted=[cost_formula, cost_counted, cost_bisected, cost_arrays, cost_fractions],
    bank=[
        Misconception(
            id="smaller-is-always-faster",
            answer=cost_with(lambda B, N, M: 1.0),
            looks_like="The dense sketch costs its share of the exact product, and breaks even at 1.",
            why="The two summaries have to be made first, each by a matrix product of its own.",
            look_at="notebook 08, section 8: on top of the product",
        ),
        Misconception(
            id="one-summary",
            answer=cost_with(lambda B, N, M: 1 + B / M),
            looks_like="Only the summary of X was counted.",
            why="Backward has to make that of Y as well.",
            look_at="notebook 08, section 4: forward and backward",
        ),
        Misconception(
            id="product-forgotten",
            answer=cost_with(lambda B, N, M: B * (N + M) / (N * M)),
            looks_like="The summaries were counted and their product was not.",
            why="When both summaries are there, the gradient is still to be multiplied out.",
            look_at="notebook 08, section 8",
        ),
        Misconception(
            id="sketch-squared",
            answer=lambda B, N, M, rate: (
                cost_formula(B, N, M, rate) | {"gaussian": rate * rate * (B / M + B / N) + rate}
            ),
            looks_like="The summaries are counted with b in place of B, once too often.",
            why="S has B rows: every kept row is a mixture of all of them.",
            look_at="notebook 08, section 3: the shape of S",
        ),
        Misconception(
            id="fold-like-a-dense-sketch",
            answer=cost_with(lambda B, N, M: 1 + B / M + B / N, fold=lambda B, N, M, rate: rate * (1 + B / M + B / N)),
            looks_like="The fold is as expensive as the dense sketch.",
            why="It multiplies nothing: rows get a sign and are added up.",
            look_at="notebook 08, section 4: one pass over X",
        ),
        Misconception(
            id="features-multiplied",
            answer=cost_with(lambda B, N, M: 1 + B / (N + M)),
            looks_like="The sizes of the two summaries were combined in the wrong place.",
            why="Each summary costs b times B times its own number of columns.",
            look_at="notebook 08, section 8: on top of the product",
        ),
    ],
    hints=(
        "A product of an (a x b) and a (b x c) matrix takes a b c multiplications. The exact gradient is (M x B) times "
        "(B x N).",
        "With a dense S there are three products: S^T X, S^T Y, and one of the two summaries.",
        "gaussian = rate * (1 + B * (N + M) / (N * M)); at break-even this is 1. A fold costs only the last product.",
    ),
)


# --- 08.9 the mean test ----------------------------------------------------------------------------------------------


def mean_test(estimates, truth):
    slopes = np.sum(estimates * truth, axis=(1, 2)) / np.sum(truth**2)
    slope = slopes.mean()
    error = slopes.std(ddof=1) / np.sqrt(len(slopes))
    return {"slope": slope, "error": error, "z": (slope - 1) / error}


def slope_loop(estimates, truth):
    length = float(np.sum(truth * truth))
    slopes = [float(np.sum(e * truth)) / length for e in estimates]
    K = len(slopes)
    mean = sum(slopes) / K
    error = math.sqrt(sum((s - mean) ** 2 for s in slopes) / (K - 1) / K)
    return {"slope": mean, "error": error, "z": (mean - 1) / error}


def slope_einsum(estimates, truth):
    slopes = np.einsum("kmn,mn->k", estimates, truth) / np.einsum("mn,mn->", truth, truth)
    error = np.sqrt(slopes.var(ddof=1) / len(slopes))
    return {"slope": slopes.mean(), "error": error, "z": (slopes.mean() - 1.0) / error}


def slope_flat(estimates, truth):
    A, t = np.reshape(estimates, (len(estimates), -1)), np.ravel(truth)
    slopes = A @ t / (t @ t)
    error = np.std(slopes) / np.sqrt(len(slopes) - 1)
    return {"slope": slopes.mean(), "error": error, "z": (slopes.mean() - 1) / error}


def slope_least_squares(estimates, truth):
    t = np.ravel(truth)
    slopes = [np.linalg.lstsq(t[:, None], np.ravel(e), rcond=None)[0][0] for e in estimates]
    error = np.sqrt(np.cov(slopes) / len(slopes))
    return {"slope": np.mean(slopes), "error": error, "z": (np.mean(slopes) - 1) / error}


def slope_deviations(estimates, truth):
    """How far each estimate lies from the truth, along the truth."""
    off = np.array([np.vdot(truth, e - truth) for e in estimates]) / np.vdot(truth, truth)
    error = off.std(ddof=1) / len(off) ** 0.5
    return {"slope": 1 + off.mean(), "error": np.array(error), "z": off.mean() / error}


def slope_with(slopes=None, error=None, z=None):
    def answer(estimates, truth):
        found = slopes(estimates, truth) if slopes else np.sum(estimates * truth, axis=(1, 2)) / np.sum(truth**2)
        slope = found.mean()
        e = error(found) if error else found.std(ddof=1) / np.sqrt(len(found))
        return {"slope": slope, "error": e, "z": z(slope, e) if z else (slope - 1) / e}

    return answer


def slope_case(rng, K, M, N, scale):
    truth = array(rng, M, N)
    return case(np.round(scale * truth + rng.normal(0, 0.6, (K, M, N)), 3), truth)


def hidden_tests(rng):
    return [slope_case(rng, *shape) for shape in ((12, 2, 3, 1.0), (20, 3, 2, 1.3), (9, 2, 2, 4.0), (15, 4, 3, 0.5))]


MEAN_TEST = Exercise(
    id="08.9",
    title="A test for a promise",
    function="mean_test",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 08, section 10",
    reference=mean_test,
    visible=hidden_tests(np.random.default_rng(29)),
    hidden=hidden_tests,
    accepted=[slope_loop, slope_einsum, slope_flat, slope_least_squares, slope_deviations],
    bank=[
        Misconception(
            id="spread-instead-of-standard-error",
            answer=slope_with(error=lambda s: s.std(ddof=1)),
            looks_like="The error is that of a single estimate.",
            why="The slope is a mean over K of them, and a mean is surer than each of its parts.",
            look_at="notebook 08, section 4: one standard error",
        ),
        Misconception(
            id="divided-by-k",
            answer=slope_with(error=lambda s: s.std(ddof=1) / len(s)),
            looks_like="The error is too small: divided by K.",
            why="It is the variance of a mean that falls like 1 / K.",
            look_at="notebook 08, section 4: one standard error",
        ),
        Misconception(
            id="against-zero",
            answer=slope_with(z=lambda slope, e: slope / e),
            looks_like="z says how far the slope is from 0.",
            why="The promise is not that there is a slope, but that it is 1.",
            look_at="notebook 08, section 10: the slope must be 1",
        ),
        Misconception(
            id="ratio-of-lengths",
            answer=slope_with(slopes=lambda E, t: np.sqrt(np.sum(E**2, axis=(1, 2)) / np.sum(t**2))),
            looks_like="Lengths were divided, so that noise makes the slope larger.",
            why="An estimate is longer than the truth even if it is right on average.",
            look_at="notebook 08, section 10: regress on the true gradient",
        ),
        Misconception(
            id="regressed-the-wrong-way",
            answer=slope_with(slopes=lambda E, t: np.sum(E * t, axis=(1, 2)) / np.sum(E**2, axis=(1, 2))),
            looks_like="The truth was regressed on the estimates.",
            why="What has the noise must stand on the side that is explained.",
            look_at="notebook 08, section 10: regress the estimates on the true gradient",
        ),
        Misconception(
            id="mean-of-entry-ratios",
            answer=slope_with(slopes=lambda E, t: np.mean(E / t, axis=(1, 2))),
            looks_like="Entry was divided by entry, and small true entries count the most.",
            why="Entries near zero are mostly noise; products with the truth give them little weight.",
            look_at="notebook 08, section 10",
        ),
        Misconception(
            id="known-mean-spread",
            answer=slope_with(error=lambda s: s.std() / np.sqrt(len(s))),
            looks_like="The error is a little too small: the spread was divided by K, not K - 1.",
            why="The mean was estimated from the same numbers.",
            look_at="the docstring: error",
        ),
        Misconception(
            id="no-sign",
            answer=slope_with(z=lambda slope, e: abs(slope - 1) / e),
            looks_like="z has no sign.",
            why="Too long and too short are different bugs.",
            look_at="the task",
        ),
    ],
    hints=(
        "One number per estimate first: its slope on the truth, sum(estimate * truth) / sum(truth * truth).",
        "Then K numbers s. Their mean is the slope; the error of a mean is the standard deviation (with K - 1) over "
        "the square root of K.",
        "z = (slope - 1) / error.",
    ),
)


EXERCISES = [SIGNS, ROWS, BYTES, BACKWARD, FOLD, VARIANCES, BATCH, COST, MEAN_TEST]

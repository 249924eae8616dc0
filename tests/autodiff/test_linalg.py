"""SciPy's linear algebra: what the examples of its stand-ins in the table do not show."""

import inspect
import warnings

import numpy as np
import pytest
import scipy.linalg as scipys

from coursepkg import gradients
from coursepkg.autodiff import linalg
from coursepkg.autodiff.dual import Dual
from coursepkg.autodiff.errors import (
    LeavesGraphError,
    MissingAttributeError,
    MissingPrimitiveError,
    UnsupportedArgumentError,
)
from coursepkg.autodiff.forward_mode import jvp
from coursepkg.autodiff.tensor import Tensor
from coursepkg.estimators.memory import tape_bytes

HOUSE = (LeavesGraphError, MissingPrimitiveError, MissingAttributeError)
RNG = np.random.default_rng(0)
A = RNG.uniform(0.2, 1.0, size=(3, 3)) + 2 * np.eye(3)
S = A @ A.T
B = RNG.normal(size=(3, 2))
W = RNG.normal(size=(3, 2))


def agree(f, *x, rtol=1e-6):
    """Reverse mode, forward mode and differences give the same slope of a function with one number as its value."""
    directions = [np.random.default_rng(1).normal(size=v.shape) for v in x]
    several = tuple(range(len(x)))
    backward = gradients.reverse(f, argnums=several)(*x)
    along = sum(np.sum(g * t) for g, t in zip(backward, directions, strict=True))
    forward = jvp(lambda v: f(*v), list(x), directions)[1]
    h = 1e-5
    slope = (
        f(*[v + h * t for v, t in zip(x, directions, strict=True)])
        - f(*[v - h * t for v, t in zip(x, directions, strict=True)])
    ) / (2 * h)
    assert abs(slope) > 1e-3
    np.testing.assert_allclose(forward, along, rtol=1e-11)
    np.testing.assert_allclose(along, slope, rtol=rtol)


FUNCTIONS = [
    name for name in scipys.__all__
    if inspect.isfunction(getattr(scipys, name)) and name not in ("find_best_blas_type", "test")
]  # fmt: skip
PATTERNS = {"dft", "hadamard", "hilbert", "invhilbert", "pascal", "invpascal", "get_blas_funcs", "get_lapack_funcs"}
"""What takes whole numbers, or nothing that has a derivative."""


def called(function, value):
    """Call a function with one value in place of every argument that it needs."""
    needs = [
        p for p in inspect.signature(function).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]  # fmt: skip
    rest = any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(function).parameters.values())
    return function(*[value] * max(len(needs), int(rest)))


@pytest.mark.parametrize("kind", [lambda a: Tensor(a, requires_grad=True), lambda a: Dual(a, a)])
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in PATTERNS])
def test_scipys_own_functions_never_give_a_value_without_its_gradient(name, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            out = called(getattr(scipys, name), kind(S))
        except (*HOUSE, ValueError):  # also what SciPy says where it asks for a pair, or for four blocks
            return
    if not isinstance(out, (Tensor, Dual)):  # some are written with functions of NumPy, which do know traced values
        assert np.asarray(out).dtype.kind == "b"  # whether it is symmetric, for example


@pytest.mark.parametrize("kind", [lambda a: Tensor(a, requires_grad=True), lambda a: Dual(a, a)])
def test_a_call_that_scipy_cannot_follow_names_the_way_to_go(kind):
    for function in (scipys.expm, scipys.null_space, scipys.toeplitz, scipys.block_diag, scipys.norm):
        with pytest.raises(LeavesGraphError, match=r"coursepkg\.autodiff\.linalg \(in place of scipy\.linalg\)"):
            function(kind(S))


@pytest.mark.parametrize("name", ["null_space", "logm", "orth", "hessenberg"])
def test_what_has_no_entry_is_plain_on_plain_arrays_and_refused_on_traced_ones(name):
    function = getattr(linalg, name)
    np.testing.assert_array_equal(function(S), getattr(scipys, name)(S))
    with pytest.raises(MissingPrimitiveError, match=rf"scipy\.linalg\.{name} has no entry"):
        function(Tensor(S, requires_grad=True))


def test_the_module_has_scipys_names_and_no_others():
    assert set(dir(linalg)) == {*scipys.__all__}
    assert linalg.LinAlgError is scipys.LinAlgError
    with pytest.raises(AttributeError, match=r"scipy\.linalg has no 'inverse'"):
        linalg.inverse  # noqa: B018 (that it raises is the point)


@pytest.mark.parametrize("name", linalg.__all__)
def test_signatures_are_scipys(name):
    assert inspect.signature(getattr(linalg, name)) == inspect.signature(getattr(scipys, name))


@pytest.mark.parametrize("lower", [True, False])
def test_a_gaussian_process_by_cholesky_factors_has_its_textbook_gradient(lower):
    y = B[:, 0]

    def evidence(s):
        factor = linalg.cho_factor(s, lower=lower)
        return 0.5 * y @ linalg.cho_solve(factor, y) + np.sum(np.log(np.diag(factor[0])))

    inverse = np.linalg.inv(S)
    textbook = 0.5 * (inverse - np.outer(inverse @ y, inverse @ y))
    found = gradients.reverse(evidence)(S)
    np.testing.assert_allclose((found + found.T) / 2, textbook, rtol=1e-10)
    agree(evidence, S)


@pytest.mark.parametrize("lower", [True, False])
def test_a_stored_factor_has_scipys_entries_in_both_triangles(lower):
    factor, which = linalg.cho_factor(Tensor(S, requires_grad=True), lower)
    np.testing.assert_allclose(factor.numpy(), scipys.cho_factor(S, lower)[0], rtol=1e-14)
    assert which is lower


@pytest.mark.parametrize("trans", [0, 1, 2])
def test_lu_factors_solve_what_the_matrix_solves(trans):
    shuffled = A[[2, 0, 1]]

    def solved(a, b):
        return np.sum(W * linalg.lu_solve(linalg.lu_factor(a), b, trans=trans))

    direct = np.linalg.solve(shuffled.T if trans else shuffled, B)
    np.testing.assert_allclose(solved(shuffled, B), np.sum(W * direct), rtol=1e-12)
    agree(solved, shuffled, B)


def test_lu_gives_the_matrix_back_however_the_rows_were_exchanged():
    shuffled = Tensor(A[[2, 0, 1]], requires_grad=True)
    p, lower, upper = linalg.lu(shuffled)
    np.testing.assert_allclose((p @ lower @ upper).numpy(), shuffled.numpy(), rtol=1e-13)
    places, lower, upper = linalg.lu(shuffled, p_indices=True)
    np.testing.assert_allclose((lower @ upper).numpy()[places], shuffled.numpy(), rtol=1e-13)
    permuted, upper = linalg.lu(shuffled, permute_l=True)
    (permuted @ upper).backward(A)
    np.testing.assert_allclose(shuffled.grad, A, rtol=1e-12)


@pytest.mark.parametrize(("lower", "trans"), [(True, 0), (True, "T"), (False, 0), (False, "C")])
def test_only_the_triangle_that_is_read_gets_a_gradient(lower, trans):
    def solved(a, b):
        return np.sum(W * linalg.solve_triangular(a, b, trans=trans, lower=lower))

    gradient = gradients.reverse(solved, argnums=0)(A, B)
    np.testing.assert_array_equal(gradient, np.tril(gradient) if lower else np.triu(gradient))
    agree(solved, A, B)


@pytest.mark.parametrize("structure", ["gen", "sym", "pos", "diagonal", "upper triangular", "lower triangular"])
@pytest.mark.parametrize("lower", [True, False])
def test_a_told_structure_is_what_is_differentiated(structure, lower):
    def solved(a, b):
        return np.sum(W * linalg.solve(a, b, assume_a=structure, lower=lower))

    agree(solved, S, B)
    np.testing.assert_allclose(
        linalg.solve(Tensor(S, requires_grad=True), B, assume_a=structure, lower=lower).numpy(),
        scipys.solve(S, B, assume_a=structure, lower=lower),
        rtol=1e-12,
    )


def test_a_matrix_that_is_not_positive_definite_is_refused_as_scipy_does():
    with pytest.raises(np.linalg.LinAlgError):
        linalg.cholesky(Tensor(-S, requires_grad=True))
    with pytest.raises(UnsupportedArgumentError, match="assume_a='banded'"):
        linalg.solve(Tensor(S, requires_grad=True), B, assume_a="banded")


@pytest.mark.parametrize("function", [linalg.expm, linalg.sqrtm, lambda a: linalg.solve_sylvester(a, S, A)])
def test_functions_of_a_whole_matrix_have_the_slope_of_differences(function):
    weights = np.random.default_rng(3).normal(size=A.shape)
    agree(lambda a: np.sum(weights * function(a)), 0.3 * A)
    agree(lambda a: np.sum(gradients.reverse(lambda z: np.sum(weights * function(z)))(a) * S), 0.3 * A)


def test_sylvesters_equation_with_sides_of_different_sizes_has_the_slope_of_differences():
    agree(lambda a, b, q: np.sum(W * linalg.solve_sylvester(a, b, q)), A, A[:2, :2] + 0.3 * np.eye(2), B)


def test_the_slope_of_the_exponential_keeps_its_digits_whatever_the_size_of_what_arrives():
    for size in (1e-200, 1e-8, 1e8, 1e200):
        found = gradients.vjp(linalg.expm, A)[1](size * S)
        np.testing.assert_allclose(found / size, scipys.expm_frechet(A.T, S, compute_expm=False), rtol=1e-12)
    assert not gradients.vjp(linalg.expm, A)[1](np.zeros((3, 3))).any()


def test_exponentials_of_a_stack_are_those_of_its_matrices():
    stack = np.stack([A, -0.5 * S])
    weights = np.random.default_rng(3).normal(size=stack.shape)
    found = gradients.reverse(lambda a: np.sum(weights * linalg.expm(a)))(stack)
    for one, w, g in zip(stack, weights, found, strict=True):
        np.testing.assert_allclose(g, scipys.expm_frechet(one.T, w, compute_expm=False), rtol=1e-12)


def test_a_root_turns_complex_where_an_eigenvalue_is_negative():
    turned = np.diag([1.0, -2.0, 3.0]) + 0.1 * A
    weights = np.random.default_rng(3).normal(size=A.shape)
    assert linalg.sqrtm(Tensor(turned, requires_grad=True)).dtype == complex
    agree(lambda a: np.sum(weights * np.imag(linalg.sqrtm(a))) + np.sum(np.real(linalg.sqrtm(a))), turned)


@pytest.mark.parametrize("lower", [True, False])
def test_vectors_of_the_generalized_problem_have_scipys_signs_and_slopes(lower):
    b = np.diag([1.0, 2.0, 3.0]) + 0.05 * S
    w, v = linalg.eigh(Tensor(S, requires_grad=True), b, lower=lower)
    for ours, theirs in zip((w.numpy(), v.numpy()), scipys.eigh(S, b, lower=lower), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    weights = np.random.default_rng(3).normal(size=A.shape)
    agree(lambda a, b: np.sum(weights * linalg.eigh(a, b, lower=lower)[1]), S, b)
    agree(lambda a: linalg.eigh(a, lower=lower, eigvals_only=True, subset_by_index=[1, 1])[0], S)


@pytest.mark.parametrize(
    "factors",
    [
        lambda m, a: m.svd(a, full_matrices=False), lambda m, a: m.qr(a, mode="economic"),
        lambda m, a: m.qr(a, mode="economic", pivoting=True), lambda m, a: m.qr(a, mode="r", pivoting=True),
        lambda m, a: m.lstsq(a, np.arange(4.0)), lambda m, a: [m.pinv(a)], lambda m, a: m.pinv(a, return_rank=True),
    ],
)  # fmt: skip
def test_factors_of_a_tall_matrix_are_scipys(factors):
    tall = np.random.default_rng(4).normal(size=(4, 3))
    for ours, theirs in zip(factors(linalg, Tensor(tall, requires_grad=True)), factors(scipys, tall), strict=True):
        ours = ours.numpy() if isinstance(ours, Tensor) else ours
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)
    moving = [i for i, part in enumerate(factors(linalg, Dual(tall, tall))) if isinstance(part, Dual)]
    agree(lambda a: np.sum(np.stack([np.sum(np.sin(factors(linalg, a)[i])) for i in moving])), tall)


@pytest.mark.parametrize("pinv", [linalg.pinv, np.linalg.pinv])
def test_a_limit_that_cuts_off_what_is_not_zero_is_refused(pinv):
    a = np.diag([3.0, 1.0, 0.1]) @ scipys.qr(A)[0]
    assert gradients.reverse(lambda a: np.sum(W.T @ pinv(a, rtol=1e-3) @ B))(a).shape == a.shape
    with pytest.raises(UnsupportedArgumentError, match="cuts off singular values which are not zero"):
        gradients.reverse(lambda a: np.sum(pinv(a, rtol=0.1)))(a)


def test_infinities_are_refused_as_scipy_does():
    for check, error in ((True, pytest.raises(ValueError, match="infs or NaNs")), (False, warnings.catch_warnings())):
        with error:
            assert np.isnan(linalg.inv(Tensor(A * np.nan, requires_grad=True), check_finite=check).numpy()).all()


def test_switches_take_what_lapack_takes():
    for value in (2, "x", None):
        with pytest.raises(
            UnsupportedArgumentError, match=r"linalg\.cholesky\(\.\.\., lower=\.\.\.\) is True or False"
        ):
            linalg.cholesky(Tensor(S, requires_grad=True), lower=value)


def test_blocks_side_by_side_leave_no_zeros_on_the_tape():
    """Padding keeps nothing; blocks of zeros, put beside the others, would be kept."""
    blocks = [Tensor(RNG.normal(size=shape), requires_grad=True) for shape in ((2, 3), (1, 2), (3,), ())]
    whole = linalg.block_diag(*blocks)
    np.testing.assert_array_equal(whole.numpy(), scipys.block_diag(*[block.numpy() for block in blocks]))
    assert tape_bytes([whole], given=[block._value for block in blocks]) == 0
    agree(
        lambda a, b, c: np.sum(np.sin(linalg.block_diag(a, b, c)) * np.arange(35.0).reshape(5, 7)), B, A[:1], A[0, :2]
    )


def test_the_root_of_a_matrix_lies_in_memory_of_its_own():
    root = linalg.sqrtm(Tensor(S, requires_grad=True))._value
    assert root.base is None  # SciPy's own result lies in memory that no account of NumPy's shows
    np.testing.assert_allclose(root @ root, S, rtol=1e-12)


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize(
    ("a", "b"), [((3, 3), (4, 2, 3, 2)), ((2, 3, 3), (3, 1)), ((2, 3, 3), (3,)), ((3, 3), (5, 3, 0))]
)
def test_one_triangle_serves_a_whole_stack_and_many_directions(a, b, lower):
    rng = np.random.default_rng(5)
    triangle, side = rng.uniform(0.2, 1.0, size=a) + 2 * np.eye(3), rng.normal(size=b)
    x = linalg.solve_triangular(Tensor(triangle, requires_grad=True), side, lower=lower).numpy()
    part = np.tril(triangle) if lower else np.triu(triangle)
    sides = side[:, None] if side.ndim == 1 else side
    columns, sides = (x[..., None], side[:, None]) if side.ndim == 1 else (x, side)
    np.testing.assert_allclose(part @ columns, np.broadcast_to(sides, columns.shape), rtol=1e-12, atol=1e-12)
    directions = [rng.normal(size=(6, *a)), rng.normal(size=(6, *b))]

    def solved(pair):
        return linalg.solve_triangular(*pair, lower=lower)

    together = gradients.jvps(solved, [triangle, side], directions)[1]
    alone = [jvp(solved, [triangle, side], list(pair))[1] for pair in zip(*directions, strict=True)]
    np.testing.assert_allclose(together, np.stack(alone), rtol=1e-12, atol=1e-13)

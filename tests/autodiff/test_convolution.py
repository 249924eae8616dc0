"""Convolution and pooling against the definition written with loops, whatever way through memory is taken."""

import numpy as np
import pytest

from coursepkg import gradients
from coursepkg.autodiff.catalogue import conv2d, max_pool2d, mean_pool2d
from coursepkg.autodiff.primitives import convolution
from coursepkg.autodiff.reverse_mode import vjp
from coursepkg.autodiff.tensor import Tensor

# images (n, channels, height, width), kernels (out, rows, columns), options
CALLS = {
    "grey images": ((3, 1, 7, 9), (4, 3, 3), {}),
    "many channels": ((2, 11, 6, 5), (3, 3, 2), {}),
    "many kernels": ((2, 2, 6, 5), (9, 2, 3), {"padding": 1}),
    "padded": ((2, 5, 5, 4), (4, 3, 3), {"padding": (1, 2)}),
    "padded by more than the kernel": ((2, 5, 4, 3), (4, 2, 1), {"padding": (3, 2)}),
    "in steps": ((2, 3, 9, 8), (4, 3, 2), {"stride": (2, 3), "padding": 1}),
    "in steps, many channels": ((2, 9, 8, 6), (4, 2, 2), {"stride": 3}),
    "dilated": ((2, 3, 9, 8), (4, 2, 3), {"dilation": (3, 2), "padding": 1}),
    "dilated, many channels": ((2, 7, 9, 8), (4, 2, 3), {"dilation": 2}),
    "single pixels": ((2, 3, 1, 1), (4, 1, 1), {}),
    "kernels as large as images": ((2, 3, 4, 5), (2, 4, 5), {}),
    "no image": ((0, 3, 4, 5), (2, 2, 2), {}),
}
every_call = pytest.mark.parametrize("call", CALLS)


def pair(value):
    return (value, value) if isinstance(value, int) else value


def drawn(call, seed=0, dtype=float):
    shape, (out, *kernel), options = CALLS[call]
    rng = np.random.default_rng(seed)
    x, w, b = rng.normal(size=shape), rng.normal(size=(out, shape[1], *kernel)), rng.normal(size=out)
    return x.astype(dtype), w.astype(dtype), b.astype(dtype), options


def by_loops(x, w, b, stride=1, padding=0, dilation=1, g=None):
    """The definition, window by window; with ``g`` the gradients of the three."""
    (s, r), (p, q), (d, e) = pair(stride), pair(padding), pair(dilation)
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)))
    (kh, kw), (height, width) = w.shape[2:], x.shape[2:]
    rows, cols = (height - d * (kh - 1) - 1) // s + 1, (width - e * (kw - 1) - 1) // r + 1
    y, dx, dw = np.zeros((len(x), len(w), rows, cols), x.dtype), np.zeros_like(x), np.zeros_like(w)
    for i in range(rows):
        for j in range(cols):
            window = (..., slice(s * i, s * i + d * (kh - 1) + 1, d), slice(r * j, r * j + e * (kw - 1) + 1, e))
            y[:, :, i, j] = np.einsum("ncij,ocij->no", x[window], w) + b
            if g is not None:
                dw += np.einsum("no,ncij->ocij", g[:, :, i, j], x[window])
                dx[window] += np.einsum("no,ocij->ncij", g[:, :, i, j], w)
    return y if g is None else (dx[:, :, p : height - p, q : width - q], dw, g.sum((0, 2, 3)))


@pytest.fixture(params=[1, 50, 1 << 18])
def at_once(request, monkeypatch):
    """How much of the windows is copied at a time."""
    monkeypatch.setattr(convolution, "IN_CACHE", request.param)


@every_call
@pytest.mark.usefixtures("at_once")
def test_feature_maps_and_gradients_are_those_of_the_definition(call):
    x, w, b, options = drawn(call)
    expected = by_loops(x, w, b, **options)
    value, pull = vjp(lambda x, w, b: conv2d(x, w, b, **options), x, w, b)
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)
    g = np.random.default_rng(1).normal(size=expected.shape)
    for found, right in zip(pull(g), by_loops(x, w, b, **options, g=g), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-12)


@every_call
def test_where_pixels_lie_in_memory_changes_nothing(call):
    x, w, b, options = drawn(call)
    inside = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    expected = conv2d(x, w, b, **options)
    g = np.random.default_rng(1).normal(size=expected.shape)
    turned = np.ascontiguousarray(g.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)
    for point in (x, inside, np.repeat(x, 2, axis=3)[..., ::2]):
        value, pull = vjp(lambda x, w, b: conv2d(x, w, b, **options), point, w, b)
        np.testing.assert_allclose(value, expected, rtol=1e-13, atol=1e-13)
        for found, right in zip(pull(turned), vjp(lambda *a: conv2d(*a, **options), x, w, b)[1](g), strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("call", ["grey images", "many channels", "in steps", "dilated"])
def test_gradients_of_gradients_and_many_directions_agree_with_differences(call):
    x, w, b, options = drawn(call)
    rng = np.random.default_rng(2)
    u, v, c = rng.normal(size=(4, *x.shape)), rng.normal(size=(4, *w.shape)), rng.normal(size=(4, *b.shape))
    f = lambda p: np.sum(np.tanh(conv2d(*p, **options)))  # noqa: E731
    point = [x, w, b]
    _, changes = gradients.jvps(f, point, [u, v, c])
    for k in range(4):
        direction = [u[k], v[k], c[k]]
        ahead, back = ([p + e * d for p, d in zip(point, direction, strict=True)] for e in (1e-6, -1e-6))
        assert changes[k] == pytest.approx((f(ahead) - f(back)) / 2e-6, rel=1e-6)
        slopes = zip(gradients.reverse(f)(ahead), gradients.reverse(f)(back), strict=True)
        for found, (one, other) in zip(gradients.hvp(f, point, direction), slopes, strict=True):
            np.testing.assert_allclose(found, (one - other) / 2e-6, rtol=1e-5, atol=1e-6)


def test_backward_on_the_tape_can_be_differentiated_again():
    x, w, b, options = drawn("in steps")
    once = [Tensor(a, requires_grad=True) for a in (x, w, b)]
    np.sum(np.tanh(max_pool2d(conv2d(*once, **options), 2))).backward(create_graph=True)
    penalty = sum(np.sum(leaf.grad**2) for leaf in once)
    for leaf in once:
        leaf.grad = None
    penalty.backward()
    f = gradients.reverse(lambda p: np.sum(np.tanh(max_pool2d(conv2d(*p, **options), 2))))
    twice = gradients.numeric(lambda p: sum(np.sum(g**2) for g in f(p)))([x, w, b])
    for leaf, expected in zip(once, twice, strict=True):
        np.testing.assert_allclose(leaf.grad, expected, rtol=1e-5, atol=1e-6)


def test_only_images_and_kernels_are_kept():
    x, w, b, options = drawn("many channels")
    node = conv2d(*[Tensor(a, requires_grad=True) for a in (x, w, b)], **options)._node
    assert node.out is None
    assert [type(value) for value in node.values] == [np.ndarray, np.ndarray, type(node)]


def test_of_a_first_layer_on_grey_images_the_windows_are_kept_too():
    x, w, _, options = drawn("grey images")
    node = conv2d(x, *[Tensor(a, requires_grad=True) for a in (w, np.zeros(4))], **options)._node
    assert node.out is None  # nine numbers for each pixel of four channels
    node = conv2d(x, Tensor(np.tile(w, (2, 1, 1, 1)), requires_grad=True), **options)._node
    assert node.out.shape == (3, 9, 35)


def test_wrong_shapes_are_refused():
    x, w, b, _ = drawn("many channels")
    for wrong, message in (
        (lambda: conv2d(x[:, :5], w), "equal channels in"),
        (lambda: conv2d(x[0], w), "equal channels in"),
        (lambda: conv2d(x, w, b[:2]), "one bias per output channel"),
        (lambda: conv2d(x[..., :1], w), "at least 3 x 2 large"),
        (lambda: conv2d(Tensor(x, requires_grad=True), w, b[:, None]), "one bias per output channel"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()


POOLS = [((2, 3, 4, 6), 2, None), ((2, 3, 5, 7), 2, None), ((1, 2, 5, 6), (3, 2), 1), ((1, 2, 7, 7), 2, 3)]


@pytest.mark.parametrize(("shape", "size", "stride"), POOLS)
def test_pools_are_those_of_every_window(shape, size, stride):
    x = np.random.default_rng(0).normal(size=shape)
    inside = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    (kh, kw), (s, r) = pair(size), pair(size if stride is None else stride)
    rows, cols = (shape[2] - kh) // s + 1, (shape[3] - kw) // r + 1
    windows = [[x[:, :, s * i : s * i + kh, r * j : r * j + kw] for j in range(cols)] for i in range(rows)]
    for pool, of_window in ((max_pool2d, np.max), (mean_pool2d, np.mean)):
        expected = np.moveaxis([[of_window(v, axis=(2, 3)) for v in row] for row in windows], (0, 1), (2, 3))
        for given in (x, inside):
            np.testing.assert_allclose(pool(given, size, stride), expected, rtol=1e-13)


@pytest.mark.parametrize("pool", [max_pool2d, mean_pool2d])
@pytest.mark.parametrize(("shape", "size", "stride"), [((1, 1, 3, 3), 5, None), ((1, 1, 4, 3), (2, 4), 1)])
def test_windows_larger_than_the_image_are_refused(pool, shape, size, stride):
    x = np.zeros(shape)
    for given in (x, Tensor(x, requires_grad=True)):
        with pytest.raises(ValueError, match="large, got"):
            pool(given, size, stride)
        with pytest.raises(ValueError, match=r"\(n, channels, height, width\)"):
            pool(given[0], 2)


def test_among_equal_entries_the_first_gets_the_gradient():
    x = Tensor(np.array([[[[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]]]]), requires_grad=True)
    max_pool2d(x, 2, stride=1).backward(np.array([[[[3.0, 5.0]]]]))
    np.testing.assert_array_equal(x.grad, [[[[3.0, 5.0, 0.0], [0.0, 0.0, 0.0]]]])


def test_overlapping_windows_add_up():
    x = np.zeros((1, 1, 3, 3))
    x[0, 0, 1, 1] = 2.0
    _, pull = vjp(lambda x: max_pool2d(x, 2, stride=1), x)
    assert pull(np.array([[[[1.0, 2.0], [4.0, 8.0]]]]))[0, 0, 1, 1] == 15.0


def test_nan_is_the_largest_as_in_numpy():
    x = np.array([[[[0.0, np.nan], [1.0, 2.0]]]])
    assert np.isnan(max_pool2d(x, 2)).all()


def test_large_windows_have_more_numbers_than_a_byte_holds():
    x = np.zeros((1, 1, 20, 20))
    x[0, 0, 19, 18] = 1.0
    _, pull = vjp(lambda x: max_pool2d(x, 20), x)
    assert pull(np.array([[[[7.0]]]]))[0, 0, 19, 18] == 7.0


def test_max_pooling_keeps_its_input_and_a_byte_for_each_maximum():
    x = Tensor(np.random.default_rng(0).normal(size=(2, 3, 4, 6)), requires_grad=True)
    node = max_pool2d(x, 2)._node
    assert node.out.dtype == np.uint8
    assert node.out.shape == (2, 3, 2, 3)
    assert node.values[0] is x._value

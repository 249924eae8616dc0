"""Points and images as light."""

import numpy as np
import pytest

from coursepkg.photonics import encode_points, fourier_features


def test_points_keep_their_length_at_constant_power():
    points = np.array([[0.3, -1.2], [2.0, 1.0], [0.0, 3.0]])
    x = encode_points(points)
    np.testing.assert_allclose(np.sum(np.abs(x) ** 2, axis=1), 9.0, rtol=1e-14)
    np.testing.assert_array_equal(x[:, :2].real, points)
    np.testing.assert_array_equal(x[:, 2], x[:, 3])
    np.testing.assert_allclose(np.sum(np.abs(encode_points(points / 2, power=4.0)) ** 2, axis=1), 4.0, rtol=1e-14)


@pytest.mark.parametrize("size", [8, 11, 28])
def test_the_block_of_frequencies_is_the_centre_of_the_shifted_transform(size):
    rng = np.random.default_rng(size)
    images = rng.random((3, size, size))
    x = fourier_features(images, 16)
    assert x.shape == (3, 16)
    np.testing.assert_allclose(np.mean(np.abs(x), axis=1), 1.0, rtol=1e-12)
    # The mean grey level is the frequency zero, which the block holds, two rows and two columns in.
    assert (np.argmax(np.abs(x), axis=1) == 2 * 4 + 2).all()
    np.testing.assert_allclose(np.angle(x[:, 10]), 0.0, atol=1e-12)


def test_neighbours_of_frequency_zero_are_the_slow_waves():
    rows = np.cos(2 * np.pi * np.arange(28) / 28)
    images = np.tile(rows[:, None], (1, 28))[None]
    x = np.abs(fourier_features(images, 16)).reshape(4, 4)
    assert sorted(zip(*np.nonzero(x > 1), strict=True)) == [(1, 2), (3, 2)]


def test_black_images_stay_dark():
    np.testing.assert_array_equal(fourier_features(np.zeros((2, 8, 8))), np.zeros((2, 64)))


def test_bad_data_is_refused():
    with pytest.raises(ValueError, match=r"farther from the origin than sqrt\(power\) = 3"):
        encode_points([[3.0, 0.1]])
    with pytest.raises(ValueError, match=r"farther|shape"):
        encode_points([[np.nan, 0.1]])
    with pytest.raises(ValueError, match=r"shape \(batch, 2\), got \(2,\)"):
        encode_points([1.0, 2.0])
    with pytest.raises(ValueError, match="square number such as 16 or 64; got 60"):
        fourier_features(np.zeros((1, 28, 28)), 60)
    with pytest.raises(ValueError, match="at least 8 x 8"):
        fourier_features(np.zeros((1, 7, 28)))

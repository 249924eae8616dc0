"""Grey images side by side."""

import base64
import io
import re

import matplotlib.image
import numpy as np
import pytest

from coursepkg.visualize.matrix.images import draw_images, png_bytes


def images():
    return np.random.default_rng(0).uniform(0, 16, size=(3, 5, 4))


def stored(picture):
    files = re.findall(r'href="data:image/png;base64,([^"]+)"', picture.svg)
    return [matplotlib.image.imread(io.BytesIO(base64.b64decode(file)), format="png") for file in files]


def test_pixels_arrive_dark_where_values_are_high():
    stack = images()
    low, high = stack.min(), stack.max()
    for pixels, image in zip(stored(draw_images(stack)), stack, strict=True):
        np.testing.assert_allclose(pixels, (high - image) / (high - low), rtol=0, atol=1 / 255)


def test_a_constant_image_is_no_division_by_zero():
    (pixels,) = stored(draw_images(np.full((1, 2, 3), 4.0)))
    assert np.isfinite(pixels).all()


def test_png_keeps_every_pixel():
    pixels = np.random.default_rng(1).integers(0, 256, size=(7, 3), dtype=np.uint8)
    read = matplotlib.image.imread(io.BytesIO(png_bytes(pixels)), format="png")
    np.testing.assert_array_equal((read * 255).round().astype(np.uint8), pixels)


def test_captions_are_read_out():
    assert (
        draw_images(images(), captions=[7, "a guess: 2", 1.5]).alt == "3 images of 5 by 4 pixels: 7, a guess: 2, 1.5."
    )


def test_wrong_shapes_get_advice():
    with pytest.raises(ValueError, match=r"reshape\(-1, 8, 8\)"):
        draw_images(np.zeros((3, 64)))
    with pytest.raises(ValueError, match="3 images, but 2 captions"):
        draw_images(images(), captions=[1, 2])

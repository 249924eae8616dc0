"""A net unrolled in time: how far the backward pass has come, and what is in the bucket of the shared weight."""

import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.unrolled import draw_unrolled

STATES, GRADIENTS, CONTRIBUTIONS = [0.8, 0.885, 0.735], [0.0234, 0.2163, 0.9392], [0.0374, 0.3832]


def written(picture, role):
    return [text.content for text in texts(picture.svg) if text.role == role]


@pytest.mark.parametrize("back", [0, 1, 2])
def test_the_backward_pass_shows_what_it_has_reached_and_nothing_more(back):
    picture = draw_unrolled(STATES, GRADIENTS, CONTRIBUTIONS, back=back)
    assert written(picture, "value") == ["0.8", "0.885", "0.735"]
    assert written(picture, "grad") == ["0.0234", "0.216", "0.939"][2 - back :]
    assert written(picture, "drop") == ["0.0374", "0.383"][2 - back :]
    assert len(shapes(picture.svg, "share")) == back


def test_the_bucket_holds_the_sum():
    picture = draw_unrolled(STATES, GRADIENTS, CONTRIBUTIONS)
    assert "sum so far 0.421" in picture.svg
    assert picture.alt.endswith("In the bucket of w: 0.383, 0.0374, together 0.421.")
    assert "empty" in draw_unrolled(STATES, GRADIENTS, CONTRIBUTIONS, back=0).alt


def test_everything_stays_on_the_page():
    for steps in (1, 3, 7):
        picture = draw_unrolled(
            [-0.123] * (steps + 1), [-1.23e-5] * (steps + 1), [-0.456] * steps, title="A longer title"
        )
        assert misplaced(picture.svg) == []


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0.0], [0.0], [1.0]), {}, "need 2 states"),
        (([0.0] * 9, [0.0] * 9, [1.0] * 8), {}, "1 to 7 steps"),
        (([0.0] * 2, [0.0] * 2, [1.0]), {"back": 2}, "between 0 and 1"),
    ],
)
def test_what_cannot_be_drawn_is_explained(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        draw_unrolled(*arguments, **options)

"""Ordinary charts: what is drawn is what was given, and the words say it."""

from itertools import pairwise

import numpy as np
import pytest

from coursepkg.visualize.chart.bars import draw_bars, draw_memory, format_bytes
from coursepkg.visualize.chart.measured import draw_agreement, draw_toggle
from coursepkg.visualize.chart.points import draw_dots, draw_histogram, draw_scatter
from coursepkg.visualize.chart.series import draw_layer_norms, draw_loss, draw_series
from coursepkg.visualize.chart.tangent import draw_tangent
from coursepkg.visualize.paper.svg import least_width

E = np.array([0.4, -0.2, 0.1])
AXES = {"xlabel": "mean training error", "ylabel": "mean test error"}
CROWD = {
    "iris": (0.076, 0.008), "wine": (0.067, 0.009), "wdbc": (0.034, 0.014), "ionosphere": (0.095, 0.048),
    "heart": (0.152, 0.103), "australian": (0.137, 0.105), "pima": (0.232, 0.178), "vehicle": (0.312, 0.250),
    "glass": (0.320, 0.268),
}  # fmt: skip
TWINS = {"random forest": (2300.0, 0.95), "MLP, 100 units": (2300.0, 0.95), "neural tree": (2290.0, 0.9501)}


def boxes(ax):
    """The boxes of all texts of an axes, drawn once more, and that of its page."""
    ax.figure.draw_without_rendering()
    return {text.get_text(): text.get_window_extent() for text in ax.texts if text.get_text()}, ax.figure.bbox


PHONE = 358  # pixels that a page of 390 leaves, with its margins
RUN = list(0.9 ** np.arange(40))
CHARTS = {
    "layers": lambda: draw_layer_norms({"one": [1e-7, 0.2], "other": [0.3, 1.0]}, title="Norms"),
    "loss": lambda: draw_loss({f"a method with name {k}": RUN for k in range(6)}, log=True, title="Six runs"),
    "rates": lambda: draw_loss({f"η = {eta}": RUN for eta in (0.01, 0.1, 0.3, 1.0, 1.1)}, title="Five step sizes"),
    "laws": lambda: draw_series({"noise": ([10, 1e5], [11, 1e6])}, {"noise": ([10, 1e5], [10, 1e5])}, log="xy"),
    "histogram": lambda: draw_histogram(RUN, marks={"mean": 0.5, "median": 0.4}, title="How often"),
    "memory": lambda: draw_memory([("0 Linear", 2048, 0), ("1 ReLU", 0, 2048)], title="On the tape"),
    "tangent": lambda: draw_tangent(lambda x: x**3, 1.0, 3.0, nudge=0.5, title="A cube"),
    "dots": lambda: draw_dots({"best": [0.9, 1.0], "last": [0.8, 0.8]}, title="Runs"),
    "toggle": lambda: draw_toggle([3.0, 3.0, 1.0, 1.0], 2, title="A tap"),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_read_on_a_phone_without_scrolling(name):
    assert 0 < least_width(CHARTS[name]().svg) <= PHONE


@pytest.mark.parametrize("name", ["layers", "loss", "rates", "laws", "histogram", "memory"])
def test_the_key_stands_over_the_axes_and_on_the_page(name, axes):
    CHARTS[name]()
    ax = axes[-1]
    ax.figure.draw_without_rendering()
    key = ax.get_legend().get_window_extent()
    assert key.y0 >= ax.bbox.y1
    assert key.x1 <= ax.figure.bbox.x1
    title = ax.figure.get_suptitle()
    assert not title or ax.figure._suptitle.get_window_extent().y0 >= key.y1 - 4


def test_ticks_of_logarithmic_axes_are_plain_numbers(axes):
    CHARTS["laws"]()
    axes[-1].figure.draw_without_rendering()
    assert {"10", "100", "1e5", "1e6"} <= {tick.get_text() for tick in axes[-1].get_yticklabels()}


# --- bars ------------------------------------------------------------------------------------------------------------

DINNER = {"flour": 2.0, "butter": -0.53, "an ingredient with a long name": 0.1, "salt": 0.0}


def test_counts_beside_bars_are_written_out():
    alt = draw_bars({"all paths": 257_499, "one sweep": 7803}, unit="products").alt
    assert alt == "Bars: all paths 257,499 products, one sweep 7803 products."
    assert "one 1e8" in draw_bars({"one": 1e8}).alt


def test_bars_have_the_given_lengths_and_negative_ones_differ_without_colour(axes):
    alt = draw_bars(DINNER, unit="portions", total=True).alt
    bars = axes[-1].patches
    assert [bar.get_width() for bar in bars] == pytest.approx([2.0, -0.53, 0.1, 0.0, 1.57], rel=1e-12, abs=1e-12)
    assert [bool(bar.get_hatch()) for bar in bars] == [False, True, False, False, False]
    assert "flour 2 portions, butter −0.53 portions" in alt
    assert alt.endswith("sum 1.57 portions.")


@pytest.mark.parametrize("values", [DINNER, {"only": -3.0}, {"a": 0.0, "b": 0.0}, {"tiny": 1e-12, "huge": 1e15}])
def test_numbers_of_bars_are_apart_and_on_the_paper(axes, values):
    draw_bars(values, unit="portions", title="Contributions", total=True)
    found, page = boxes(axes[-1])
    assert all(box.x0 > axes[-1].bbox.x0 and box.x1 < page.x1 for box in found.values())


def test_bars_without_a_length_get_advice():
    with pytest.raises(ValueError, match="at least one bar"):
        draw_bars({})
    with pytest.raises(ValueError, match="'b' is inf"):
        draw_bars({"a": 1.0, "b": float("inf")})


# --- dots ------------------------------------------------------------------------------------------------------------


def test_every_run_has_a_dot_and_equal_runs_do_not_hide_each_other(axes):
    draw_dots({"best": [0.9, 0.9, 0.9, 1.0], "last": [0.9, 0.8]})
    places = [place for line in axes[-1].lines[::2] for place in zip(*line.get_data(), strict=True)]
    assert sorted(x for x, _ in places) == [0.8, 0.9, 0.9, 0.9, 0.9, 1.0]
    assert len(set(places)) == 6


def test_the_mean_of_dots_is_marked_and_written(axes):
    alt = draw_dots({"row": [0.90, 1.00, 0.95, 0.91]}, percent=True, xlabel="accuracy", title="Runs").alt
    assert axes[-1].lines[1].get_xdata() == pytest.approx([0.94, 0.94], rel=1e-12)
    assert "94.0 %" in [text.get_text() for text in axes[-1].texts]
    assert alt == "Runs. Dots by accuracy. row: 4 values from 90.0 % to 100.0 %, mean 94.0 %."


@pytest.mark.parametrize(("rows", "message"), [
    ({}, "at least one row"), ({"a": [1.0], "b": []}, "at least one value"), ({"a": [np.inf]}, "no place on paper"),
])  # fmt: skip
def test_rows_without_dots_get_advice(rows, message):
    with pytest.raises(ValueError, match=message):
        draw_dots(rows)


# --- histogram -------------------------------------------------------------------------------------------------------


def test_heights_are_counts_and_samples_beyond_the_axis_are_said(axes):
    alt = draw_histogram([0.5] * 3 + [1.5] * 6 + [2.5] * 12 + [9.0], bins=3, ends=(0.0, 3.0), xlabel="nodes").alt
    [bars] = axes[-1].patches
    assert list(bars.get_data().values) == [3, 6, 12]
    assert alt.endswith("1 value beyond the axis.")
    assert "1 beyond the axis" in axes[-1].get_xlabel()


def test_with_a_density_the_bars_have_area_one(axes):
    draw_histogram([0.1, 0.2, 0.2, 0.9], bins=4, density=([0.0, 1.0], [1.0, 1.0]), ends=(0.0, 1.0))
    values, edges, _ = axes[-1].patches[0].get_data()
    assert np.sum(values * np.diff(edges)) == pytest.approx(1.0, rel=1e-12)


def test_marks_stand_at_their_numbers_and_those_beyond_at_the_end(axes):
    alt = draw_histogram([0.0, 10.0], marks={"a": 2.5, "far": 99.0}, ends=(0.0, 10.0)).alt
    assert [line.get_xdata()[0] for line in axes[-1].lines] == [2.5, 10.0]
    assert "Marked: a 2.5, far 99." in alt


@pytest.mark.parametrize(("most", "bins", "width"), [(9, 24, 1), (40, 24, 2), (100, 10, 10), (101, 10, 11)])
def test_whole_numbers_stand_in_the_middle_of_bars_that_hold_equally_many(axes, most, bins, width):
    draw_histogram(list(range(1, most + 1)), bins=bins)
    heights, edges, _ = axes[-1].patches[-1].get_data()
    assert set(np.diff(edges)) == {width}
    assert edges[0] == 0.5
    assert edges[-1] >= most + 0.5
    assert set(heights[:-1]) == {width}
    assert sum(heights) == most


def test_equal_samples_are_said_once():
    assert draw_histogram([1.0, 1.0, 1.0], xlabel="ratio").alt == "Histogram of 3 values by ratio, all of them 1."


def test_wrong_samples_get_advice():
    for samples, options, message in (
        ([], {}, "at least one sample"), ([1.0, np.nan], {}, "finite numbers"), ([1.0], {"bins": 0}, "one bar"),
        ([1.0], {"marks": dict.fromkeys("abcd", 1.0)}, "at most 3"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            draw_histogram(samples, **options)


# --- scatter ---------------------------------------------------------------------------------------------------------


def test_points_lie_where_their_numbers_say_and_emphasis_changes_the_shape(axes):
    draw_scatter({"a": (10.0, 0.1), "b": (100.0, 2.0)}, log_x=True, emphasis=["b"], **AXES)
    assert [tuple(map(float, np.ravel(line.get_data()))) for line in axes[-1].lines] == [(10.0, 0.1), (100.0, 2.0)]
    assert [line.get_marker() for line in axes[-1].lines] == ["o", "s"]
    assert axes[-1].get_xscale() == "log"


def test_ticks_of_a_logarithmic_axis_can_be_read_on_a_phone():
    assert least_width(draw_scatter({"a": (60.0, 0.9), "b": (3000.0, 0.97)}, log_x=True, **AXES).svg) <= 376


def test_the_diagonal_joins_equal_numbers_and_points_below_are_counted(axes):
    alt = draw_scatter(CROWD, diagonal=True, **AXES).alt
    x, y = axes[-1].lines[-1].get_data()
    assert list(x) == list(y)
    assert alt.endswith("9 of 9 points lie below the diagonal.")


def test_no_name_lies_on_the_diagonal(axes):
    draw_scatter({"wdbc": (0.16, 0.14), "wine": (0.05, 0.052), "far": (0.3, 0.1)}, diagonal=True, **AXES)
    (found, _), line = boxes(axes[-1]), axes[-1].lines[-1]
    for name in ("wdbc", "wine", "far"):
        way = line.get_transform().transform_path(line.get_path())
        assert not way.intersects_bbox(found[name], filled=False), name


def test_a_name_beside_the_axis_covers_no_point(axes):
    points = {"iris": (0.076, 0.008), "wine": (0.067, 0.009), "wdbc": (0.034, 0.014)}
    draw_scatter(points, x_ends=(0.0, 0.36), y_ends=(0.0, 0.36), percent="xy", diagonal=True, **AXES)
    found, ax = boxes(axes[-1])[0], axes[-1]
    for place in map(ax.transData.transform, points.values()):
        assert not any(box.padded(5).contains(*place) for box in found.values())


@pytest.mark.parametrize("seed", ["crowd", "twins", *range(4)])
def test_names_of_points_are_apart_and_on_the_paper(axes, seed):
    drawn = {f"method {k}": tuple(np.random.default_rng(seed).uniform(size=(12, 2))[k]) for k in range(12)} \
        if isinstance(seed, int) else {"crowd": CROWD, "twins": TWINS}[seed]  # fmt: skip
    draw_scatter(drawn, title="Many methods", **AXES)
    found, page = boxes(axes[-1])
    assert set(found) == set(drawn)
    names = list(found.values())
    assert all(box.x0 > page.x0 and box.x1 < page.x1 for box in names)
    assert not any(one.overlaps(other) for k, one in enumerate(names) for other in names[:k])


def test_wrong_points_get_advice():
    for points, options, message in (
        ({}, {}, "at least one point"), ({"b": (1.0, np.nan)}, {}, "'b' is nan"),
        ({"a": (1.0, 2.0)}, {"emphasis": ["c"]}, "which is no point"),
        ({"a": (-1.0, 2.0)}, {"log_x": True}, "only positive"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            draw_scatter(points, **options, **AXES)


# --- what light measured ---------------------------------------------------------------------------------------------


def test_groups_differ_in_their_marks_and_the_note_is_written(axes):
    alt = draw_agreement({"a": (E, E), "b": (E, 2 * E)}, note="cosine 1, slope 2", title="Agreement").alt
    first, second, diagonal = axes[-1].lines
    np.testing.assert_array_equal(second.get_data(), (E, 2 * E))
    assert first.get_marker() != second.get_marker()
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata())
    assert axes[-1].figure.get_suptitle() == "Agreement\ncosine 1, slope 2"
    assert alt.endswith("cosine 1, slope 2.")


@pytest.mark.parametrize(("groups", "message"), [
    ({}, "one to 5 groups"), ({"a": (E, E[:2])}, "equally many"), ({"a": ([np.nan], [1.0])}, "not finite"),
    ({name: (E, E) for name in "abcdef"}, "one to 5 groups"),
])  # fmt: skip
def test_what_cannot_be_compared_is_explained(groups, message):
    with pytest.raises(ValueError, match=message):
        draw_agreement(groups)


def test_a_toggle_shows_both_levels_and_their_distance(axes):
    alt = draw_toggle(np.repeat(np.tile([2.0, 0.5], 3), 4), 4, title="One tap").alt
    levels = [line.get_ydata()[0] for line in axes[-1].lines[:-1]]
    assert levels == [2.0, 0.5] * 3
    assert "swing\n1.5" in [text.get_text() for text in axes[-1].texts]
    assert alt.endswith("Mean 2 in the first halves, 0.5 in the second; the swing is 1.5.")


@pytest.mark.parametrize(("trace", "samples"), [([1.0, 2.0, 3.0], 2), ([], 2), ([1.0, 2.0], 0)])
def test_a_trace_holds_whole_periods(trace, samples):
    with pytest.raises(ValueError, match="whole periods"):
        draw_toggle(trace, samples)


# --- norms by layer --------------------------------------------------------------------------------------------------


def test_norms_have_the_given_heights_and_a_zero_is_written_because_it_has_none(axes):
    alt = draw_layer_norms({"tanh": [1e-5, 1e-3, 0.1], "relu": [0.2, 0.0, 0.6]}, layers=["a", "b", "c"]).alt
    assert axes[-1].get_yscale() == "log"
    heights = [bar.get_height() for bar in axes[-1].patches]
    assert heights == pytest.approx([1e-5, 1e-3, 0.1, 0.2, 0.0, 0.6], rel=1e-12, abs=1e-300)
    [zero] = axes[-1].texts
    assert zero.get_text() == "0"
    assert 1 < zero.get_position()[0] < 1.5
    assert "relu: layer a: 0.2, layer b: 0, layer c: 0.6." in alt


def test_pictures_of_one_series_can_have_one_scale(axes):
    draw_layer_norms([1e-3, 0.1], y_ends=(1e-6, 10.0))
    draw_series({"a": ([1, 2], [3, 4])}, y_ends=(0.0, 9.0))
    assert [ax.get_ylim() for ax in axes] == [(1e-6, 10.0), (0.0, 9.0)]


def test_runs_are_told_apart_without_colour(axes):
    draw_layer_norms({name: [1.0, 0.1] for name in "abcdef"})
    assert len({bar.get_hatch() for bar in axes[-1].patches}) == 6


@pytest.mark.parametrize("norm", [0.0, 1.0, 1e-30, 1e12])
def test_an_axis_of_norms_holds_at_least_a_decade(axes, norm):
    draw_layer_norms([norm, norm])
    low, high = axes[-1].get_ylim()
    assert high >= 9.99 * low
    assert norm == 0 or low < norm <= high


@pytest.mark.parametrize("count", [4, 60])
def test_names_of_layers_stand_apart(axes, count):
    draw_layer_norms([1.0] * count, layers=[f"{k}.weight" for k in range(count)])
    axes[-1].figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in axes[-1].get_xticklabels()]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_wrong_norms_get_advice():
    with pytest.raises(ValueError, match="negative or not finite"):
        draw_layer_norms([1.0, -1.0])
    with pytest.raises(ValueError, match="2 norms for 3 layers"):
        draw_layer_norms([1.0, 1.0], layers=["a", "b", "c"])
    with pytest.raises(ValueError, match="at least one norm"):
        draw_layer_norms([])
    with pytest.raises(ValueError, match="draw at most 6"):
        draw_layer_norms({str(k): [1.0] for k in range(7)})


# --- what a tape holds -----------------------------------------------------------------------------------------------

HELD = [("0 Linear", 4096, 0), ("1 ReLU", 2048, 1024), ("2 Linear", 0, 2048), ("loss", 10, 0)]


def test_bars_of_bytes_are_as_long_as_given_and_what_is_shared_continues_them_outlined(axes):
    draw_memory(HELD)
    own, shared = axes[-1].containers
    assert [bar.get_width() for bar in own] == [4096, 2048, 0, 10]
    assert [(bar.get_x(), bar.get_width()) for bar in shared] == [(4096, 0), (2048, 1024), (0, 2048), (10, 0)]
    assert {bar.get_linestyle() for bar in own} != {bar.get_linestyle() for bar in shared}


def test_the_key_of_a_tape_is_on_the_paper_beside_long_names(axes):
    draw_memory([("0 TransformerEncoderLayer", 4096, 0), ("1 ReLU", 2048, 1024)], title="On the tape")
    figure = axes[-1].figure
    figure.draw_without_rendering()
    box = axes[-1].get_legend().get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1


def test_the_total_counts_what_is_added_and_nothing_twice(axes):
    assert draw_memory(HELD).alt.endswith("by loss: 10 B. Together 6.01 KiB.")
    assert axes[-1].texts[-1].get_text() == "6.01 KiB"


@pytest.mark.parametrize(("size", "words"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (6291456, "6 MiB")])
def test_bytes_get_the_unit_that_fits(size, words):
    assert format_bytes(size) == words


def test_impossible_holdings_get_advice():
    with pytest.raises(ValueError, match="at least one part"):
        draw_memory([])
    with pytest.raises(ValueError, match="cannot be negative"):
        draw_memory([("a", -1, 0)])


# --- measured series and predicted lines ------------------------------------------------------------------------------


def test_series_name_their_ends_and_axes():
    measured = {"Gaussian": ([10, 100], [12.0, 102.0])}
    alt = draw_series(measured, {"Gaussian": ([10, 100], [11.0, 101.0])}, log="xy", xlabel="d", ylabel="noise").alt
    assert alt == (
        "Noise against d, both axes logarithmic. Gaussian: from 12 at 10 to 102 at 100, 2 points. "
        "Gaussian predicted: from 11 at 10 to 101 at 100, 2 points."
    )


def test_series_are_the_same_bytes_twice():
    series = {"loss": (np.arange(30), np.exp(-np.arange(30.0)))}
    assert draw_series(series, joined=True, log="y").svg == draw_series(series, joined=True, log="y").svg


def test_wrong_series_gets_advice():
    with pytest.raises(ValueError, match="as many x as y"):
        draw_series({"a": ([1, 2], [1])})
    with pytest.raises(ValueError, match="logarithmic y axis"):
        draw_series({"a": ([1], [-1])}, log="y")
    with pytest.raises(ValueError, match="got 'log'"):
        draw_series({"a": ([1], [1])}, log="log")
    with pytest.raises(ValueError, match="one to 6 names, got 7"):
        draw_series({str(k): ([1], [1]) for k in range(7)})


def test_agreements_of_one_series_have_one_scale(axes):
    for far in (1.0, 3.0):
        draw_agreement({"a": ([0.0, far], [0.0, far])}, ends=(-1.0, 4.0))
    assert [ax.get_xlim() for ax in axes] == [ax.get_ylim() for ax in axes] == [(-1.0, 4.0)] * 2

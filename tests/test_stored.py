"""Stored results are read by their names."""

import pytest

from coursepkg import stored


def test_a_stored_result_comes_with_its_settings():
    assert stored.load("mnist")["settings"]


def test_a_name_that_is_not_there_is_answered_by_those_that_are():
    with pytest.raises(ValueError, match=r"no stored result 'mnits'.*mnist"):
        stored.load("mnits")


def test_no_other_file_is_read():
    with pytest.raises(ValueError, match="no stored result"):
        stored.load("../results/mnist")
